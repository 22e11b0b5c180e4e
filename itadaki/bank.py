"""The embedding bank: one normalised row per recipe, its metadata, and the manifest of both.

A row is the embedding of the recipe's photo. For a variant with a text encoder it is, unless
``ITADAKI_BANK_ROWS=photo``, the sum of the photo's and the text's embeddings, made length 1 again:
queries are still photos alone, but a recipe is also found by what its text says.
"""

import json
import logging
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm.auto import tqdm

from itadaki.dataset import Dataset
from itadaki.errors import ArtifactError, ImageError
from itadaki.files import (
    dump_builtin_pickle,
    load_builtin_pickle,
    replacing,
    sha256_of,
    write_json,
)
from itadaki.images import PREPROCESSING, load_input
from itadaki.settings import Settings
from itadaki.text_encoder import TextEncoder
from itadaki.variants import Variant

if TYPE_CHECKING:
    from itadaki.embedder import Embedder

BATCH_SIZE = 8
"""Photos per call of the model. Each core runs its own batch, and on a CPU bigger ones are not
faster: their activations outgrow what the allocator keeps, so that every layer faults pages in."""

TEXT_SHARE = 0.5
"""Weight of the text's embedding beside the photo's in a fused row. On validation more text finds
better dishes (nDCG@10 0.112 at 0.5, 0.121 at 1, 0.126 at 1.5) but loses the recipe whose own photo
is asked for (recall@1 of a re-crop 0.93, 0.81, 0.66); this keeps that recall near raw's."""

_FORMAT = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bank:
    """A loaded bank.

    Attributes:
        variant: whose embeddings these are.
        embeddings: float32 memory map of shape (n, dimension); rows of length 1.
        photo_embeddings: the same of the photos alone; ``embeddings`` itself where rows hold no
            text. What a photo of the collection is as a query.
        recipes: for each row a dict with image_name, image_path (relative to the dataset's root),
            title, ingredients, instructions, photo_group, dish_class and split.
        manifest: what ties model, bank, metadata and dataset together.
    """

    variant: Variant
    embeddings: np.ndarray
    photo_embeddings: np.ndarray
    recipes: dict[int, dict[str, Any]]
    manifest: dict[str, Any]

    def column(self, name: str) -> np.ndarray:
        """One field of every recipe, as an array in the order of the rows."""
        return np.array([self.recipes[i][name] for i in range(len(self.recipes))])


def embed_photos(
    paths: Sequence[Path], embedder: "Embedder", batch_size: int = BATCH_SIZE
) -> Iterator[tuple[list[int], np.ndarray, dict[int, ImageError]]]:
    """Embed photos in small batches, one batch per core at a time.

    Yields:
        Per batch, in order, the indices of the photos that decode, their embeddings (float32, one
        row each), and the errors of those that do not, by index.
    """

    def embed(start: int) -> tuple[list[int], np.ndarray, dict[int, ImageError]]:
        photos, failures = {}, {}
        for index in range(start, min(start + batch_size, len(paths))):
            try:
                photos[index] = load_input(paths[index])
            except ImageError as error:
                failures[index] = error
        empty = np.empty((0, embedder.dimension), np.float32)
        rows = embedder.embed(np.stack(list(photos.values()))) if photos else empty
        return list(photos), rows, failures

    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        yield from pool.map(embed, range(0, len(paths), batch_size))
    finally:
        pool.shutdown(cancel_futures=True)


def build_bank(
    variant: Variant,
    settings: Settings,
    dataset: Dataset,
    embedder: "Embedder",
    force: bool = False,
    batch_size: int = BATCH_SIZE,
    progress: bool = True,
) -> Bank:
    """Embed every photo of the dataset and write bank, metadata and manifest.

    A bank that already matches the model and the dataset is kept unless ``force``. A build that
    was killed goes on after its last complete batch, if its batch size is the same.

    Raises:
        ArtifactError: a photo has gone since the dataset was checked.
    """
    if not force:
        try:
            bank = load_bank(variant, settings, dataset, embedder.sha256)
        except ArtifactError:
            pass
        else:
            _log.info("The bank of %s is up to date: %d recipes.", variant.name, len(bank.recipes))
            return bank

    bank_path, photo_path = variant.bank_path(settings), variant.photo_bank_path(settings)
    encoder = None
    if _has_texts(variant, settings):
        encoder = TextEncoder.load(variant.text_encoder_path(settings))
    rows_path = photo_path if encoder else bank_path
    if force or not _photos_are_of(rows_path, variant, settings, dataset, embedder.sha256):
        _embed_resumably(rows_path, dataset, embedder, force, batch_size, progress)
    if encoder:
        _write_fused(rows_path, bank_path, dataset, encoder)
    else:
        photo_path.unlink(missing_ok=True)
    metadata_path = variant.metadata_path(settings)
    dump_builtin_pickle(metadata_path, {"variant": variant.name, "recipes": metadata_of(dataset)})
    manifest = {
        "format": _FORMAT,
        "variant": variant.name,
        "rows": len(dataset.recipes),
        "dimension": embedder.dimension,
        "preprocessing": PREPROCESSING,
        "rows_of": "fused" if encoder else "photo",
        "text_share": TEXT_SHARE if encoder else 0.0,
        "dataset_source": dataset.source,
        "sha256": {
            "model": embedder.sha256,
            "bank": sha256_of(bank_path),
            "metadata": sha256_of(metadata_path),
            "dataset": dataset.sha256,
        },
    }
    if encoder:
        manifest["sha256"] |= {
            "photos": sha256_of(photo_path),
            "text_encoder": sha256_of(variant.text_encoder_path(settings)),
        }
    write_json(variant.manifest_path(settings), manifest)
    return load_bank(variant, settings, dataset, embedder.sha256)


def _has_texts(variant: Variant, settings: Settings) -> bool:
    return settings.bank_rows == "fused" and variant.text_encoder_path(settings).exists()


def _photos_are_of(
    path: Path, variant: Variant, settings: Settings, dataset: Dataset, model_sha256: str
) -> bool:
    """Whether the photos' rows on disk can be kept though the rest of the bank is made anew."""
    try:
        manifest = json.loads(variant.manifest_path(settings).read_text(encoding="utf-8"))
        known = manifest["sha256"]
        part = "photos" if "photos" in known else "bank"
        old = (
            variant.photo_bank_path(settings)
            if part == "photos"
            else path.with_name(variant.bank_file)
        )
        fits = (
            manifest["format"] == _FORMAT
            and manifest["preprocessing"] == PREPROCESSING
            and known["model"] == model_sha256
            and known["dataset"] == dataset.sha256
            and known[part] == sha256_of(old)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if fits and old != path:
        old.replace(path)
    return fits


def _write_fused(photo_path: Path, bank_path: Path, dataset: Dataset, encoder: TextEncoder) -> None:
    photos = np.load(photo_path, mmap_mode="r", allow_pickle=False)
    recipes = dataset.recipes
    rows = fused_rows(photos, encoder, recipes["Title"].tolist(), recipes["Ingredients"].tolist())
    with replacing(bank_path) as beside:
        np.save(beside, rows)


def fused_rows(
    photos: np.ndarray,
    encoder: TextEncoder,
    titles: Sequence[str],
    ingredients: Sequence[Sequence[str]],
    share: float = TEXT_SHARE,
) -> np.ndarray:
    """Join the embeddings of recipes' photos and texts: float32 (n, d), rows of length 1.

    A text counts as much as its title's words are known: recipes whose words the training never
    saw would otherwise be moved away from their photos for nothing.

    Args:
        photos: float32 array of shape (n, d), rows of length 1.
        encoder: embeds the texts.
        titles: n titles.
        ingredients: n lists, which may be empty.
        share: weight of a text whose words are all known.
    """
    texts = encoder.encode(titles, ingredients) * encoder.coverage(titles)[:, None]
    rows = photos + share * texts
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def load_bank(
    variant: Variant, settings: Settings, dataset: Dataset, model_sha256: str | None = None
) -> Bank:
    """Load a bank after checking that its parts belong together.

    Args:
        variant: whose bank.
        settings: where it lies.
        dataset: the dataset it must have been built from.
        model_sha256: of the model it must have been built with; by default the variant's file is
            hashed.

    Raises:
        ArtifactError: a part is missing, changed, or belongs to another set; the message names
            the command that builds it anew.
    """
    rebuild = f"run: python -m itadaki build {variant.name}"
    manifest_path = variant.manifest_path(settings)
    try:
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactError(
            f"The embedding bank of {variant.name} is not built yet; {rebuild}"
        ) from None
    except ValueError:
        raise ArtifactError(f"{manifest_path} is damaged; {rebuild}") from None
    if manifest.get("format") != _FORMAT or manifest.get("preprocessing") != PREPROCESSING:
        raise ArtifactError(
            f"The embedding bank of {variant.name} was built by another version of Itadaki; "
            f"{rebuild}"
        )
    expected = manifest["sha256"]
    if expected["dataset"] != dataset.sha256:
        raise ArtifactError(
            f"The embedding bank of {variant.name} was built from other recipes "
            f"({manifest['rows']:,} from {manifest['dataset_source']}) than those of "
            f"{dataset.source}; {rebuild}"
        )
    wanted = "fused" if _has_texts(variant, settings) else "photo"
    if manifest["rows_of"] != wanted:
        raise ArtifactError(
            f"The rows of the embedding bank of {variant.name} are {manifest['rows_of']}, not "
            f"{wanted} as ITADAKI_BANK_ROWS and its text encoder say; {rebuild}"
        )
    parts = {
        "model": variant.model_path(settings),
        "bank": variant.bank_path(settings),
        "metadata": variant.metadata_path(settings),
    }
    if wanted == "fused":
        parts["photos"] = variant.photo_bank_path(settings)
        parts["text_encoder"] = variant.text_encoder_path(settings)
    for part, path in parts.items():
        if not path.exists():
            raise ArtifactError(f"{path} is missing; {rebuild}")
        actual = model_sha256 if part == "model" and model_sha256 else sha256_of(path)
        if actual != expected[part]:
            raise ArtifactError(
                f"{path} is not the {part} that the manifest names: it was changed or replaced; "
                f"{rebuild}"
            )
    embeddings = np.load(variant.bank_path(settings), mmap_mode="r", allow_pickle=False)
    recipes = load_builtin_pickle(variant.metadata_path(settings))["recipes"]
    shape = (manifest["rows"], manifest["dimension"])
    if embeddings.shape != shape or embeddings.dtype != np.float32 or len(recipes) != shape[0]:
        raise ArtifactError(f"The embedding bank of {variant.name} is inconsistent; {rebuild}")
    photos = embeddings
    if wanted == "fused":
        photos = np.load(parts["photos"], mmap_mode="r", allow_pickle=False)
        if photos.shape != shape or photos.dtype != np.float32:
            raise ArtifactError(f"The embedding bank of {variant.name} is inconsistent; {rebuild}")
    return Bank(variant, embeddings, photos, recipes, manifest)


def _embed_resumably(
    bank_path: Path,
    dataset: Dataset,
    embedder: "Embedder",
    force: bool,
    batch_size: int,
    progress: bool,
) -> None:
    """Write the bank beside its place, noting each complete batch, then rename it."""
    part = bank_path.with_name(bank_path.name + ".part")
    journal = bank_path.with_name(bank_path.name + ".part.json")
    shape = (len(dataset.recipes), embedder.dimension)
    job = {
        "model": embedder.sha256,
        "dataset": dataset.sha256,
        "preprocessing": PREPROCESSING,
        "batch_size": batch_size,
    }
    bank_path.parent.mkdir(parents=True, exist_ok=True)
    done = 0 if force else _rows_done(part, journal, job, shape)
    if done:
        _log.info("Going on after %d of %d photos.", done, shape[0])
        rows = np.lib.format.open_memmap(part, mode="r+")
    else:
        journal.unlink(missing_ok=True)
        rows = np.lib.format.open_memmap(part, mode="w+", dtype=np.float32, shape=shape)

    paths = [Path(path) for path in dataset.recipes["image_path"][done:]]
    started = time.perf_counter()
    with tqdm(
        total=shape[0],
        initial=done,
        desc="Embedding photos",
        unit="photo",
        disable=not progress,
        mininterval=0.5,
    ) as bar:
        for indices, embeddings, failures in embed_photos(paths, embedder, batch_size):
            for index, error in failures.items():
                raise ArtifactError(
                    f"{paths[index]} can no longer be read ({error}) run: python -m itadaki setup"
                )
            end = done + indices[-1] + 1
            rows[end - len(indices) : end] = embeddings
            rows.flush()
            write_json(journal, {"job": job, "rows_done": end})
            bar.update(len(indices))
    seconds = time.perf_counter() - started
    _log.info(
        "Embedded %d photos in %.0f s: %.1f photos per second.",
        len(paths),
        seconds,
        len(paths) / seconds,
    )
    del rows
    part.replace(bank_path)
    journal.unlink()


def _rows_done(part: Path, journal: Path, job: dict[str, Any], shape: tuple[int, int]) -> int:
    try:
        noted = json.loads(journal.read_text(encoding="utf-8"))
        rows = np.load(part, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return 0
    return noted["rows_done"] if noted["job"] == job and rows.shape == shape else 0


def metadata_of(dataset: Dataset) -> dict[int, dict[str, Any]]:
    root = dataset.root
    return {
        index: {
            "image_name": row.Image_Name,
            "image_path": str(PurePosixPath(Path(row.image_path).relative_to(root))),
            "title": row.Title,
            "ingredients": list(row.Ingredients),
            "instructions": row.Instructions,
            "photo_group": int(row.photo_group),
            "dish_class": row.dish_class,
            "split": row.split,
        }
        for index, row in enumerate(dataset.recipes.itertuples(index=False))
    }
