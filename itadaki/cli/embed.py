"""The command that embeds photos that belong to no collection."""

import sys
from pathlib import Path

import click

from itadaki.cli import parameters
from itadaki.errors import ImageError, ItadakiError
from itadaki.settings import Settings
from itadaki.variants import VARIANTS, Artifacts, require_model


@click.command()
@click.argument("folder", type=Path)
@click.option("--variant", type=parameters.variant_name, required=True)
@click.option(
    "--out",
    type=Path,
    required=True,
    metavar="FILE.npz",
    help="arrays: names (file stems) and embeddings (float32, one row per photo)",
)
def embed(folder: Path, variant: str, out: Path) -> None:
    """Embed the photos of any folder."""
    import numpy as np
    from tqdm.auto import tqdm

    artifacts = Artifacts(VARIANTS[variant], Settings())
    require_model(artifacts)
    if not folder.is_dir():
        raise ItadakiError(f"There is no folder {folder}.")
    paths = sorted(
        path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")
    )
    if not paths:
        raise ItadakiError(f"There is no file in {folder}.")
    from itadaki.bank.embedding import embed_photos
    from itadaki.models.embedder import load_embedder
    from itadaki.storage.files import replacing

    embedder = load_embedder(artifacts)
    names: list[str] = []
    rows = []
    refused: dict[int, ImageError] = {}
    with tqdm(total=len(paths), desc="Embedding photos", unit="photo") as bar:
        for indices, embeddings, failures in embed_photos(paths, embedder):
            names += [paths[index].stem for index in indices]
            rows.append(embeddings)
            refused |= failures
            bar.update(len(indices) + len(failures))
    for index, error in refused.items():
        print(f"{paths[index]}: {error}", file=sys.stderr)
    if not names:
        raise ItadakiError(f"No file in {folder} is a photo that can be decoded.")
    with replacing(out) as beside, beside.open("wb") as file:
        np.savez(file, names=np.array(names), embeddings=np.concatenate(rows))
    print(f"{len(names)} embeddings of {embedder.dimension} in {out}", file=sys.stderr)
