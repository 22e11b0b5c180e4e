"""Building a bank: embed what is new, go on after a stop, put it in the old one's place."""

import logging
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from itadaki.bank.bank import FORMAT, Bank, has_texts, load_bank, write_bank
from itadaki.bank.embedding import BATCH_SIZE, Embedded, embed_photos
from itadaki.bank.fusion import fused_rows
from itadaki.errors import ArtifactError, StorageError
from itadaki.models.text_encoder import TextEncoder
from itadaki.photos.images import PREPROCESSING
from itadaki.recipes.dataset import Dataset, load_dataset, recipes_of
from itadaki.storage.files import (
    load_builtin_pickle,
    mapped_for_writing,
    open_array,
    read_json_object,
    sha256_of,
    write_json,
    writing,
)
from itadaki.storage.transaction import changing, reading
from itadaki.variants import Artifacts

if TYPE_CHECKING:
    from itadaki.models.embedder import Embedder

    Embed = Callable[[Sequence[Path], Embedder, int], Iterator[Embedded]]

_WITHOUT_PHOTO_HASHES = 3
_log = logging.getLogger(__name__)


def build_bank(
    artifacts: Artifacts,
    dataset: Dataset,
    embedder: "Embedder",
    force: bool = False,
    batch_size: int = BATCH_SIZE,
    progress: bool = True,
    embed: "Embed" = embed_photos,
) -> Bank:
    """Embed every photo of the dataset and write bank, metadata and manifest.

    A bank that already matches the model, the dataset and today's code is kept unless ``force``; of
    one that does not, the rows of photos that are still there are kept. A build that was killed
    goes on after its last complete batch, if its batch size is the same. A build of the same bank
    by another process is waited for.

    Args:
        artifacts: whose bank, and where it goes.
        dataset: whose photos.
        embedder: the variant's.
        force: make all of it anew.
        batch_size: photos that are embedded and noted at a time.
        progress: show a bar.
        embed: what embeds; see ``itadaki.bank.embedding.embed_photos``.

    Raises:
        ArtifactError: a photo has gone since the dataset was checked.
    """
    if not force and (bank := _up_to_date(artifacts, dataset, embedder)):
        return bank
    part = artifacts.bank.with_name(artifacts.bank.name + ".part")
    with _alone(part):
        if not force and (bank := _up_to_date(artifacts, dataset, embedder)):
            return bank
        encoder = TextEncoder.load(artifacts.text_encoder) if has_texts(artifacts) else None
        if force:
            _journal(part).unlink(missing_ok=True)
        known = None if force else _known_rows(artifacts, dataset, embedder.sha256)
        try:
            _embed_resumably(part, dataset, embedder, known, batch_size, progress, embed)
        except StorageError:
            if not _journal(part).exists():  # there is nothing to go on with
                with suppress(OSError):
                    part.unlink()
            raise
        bank = _put_in_place(part, artifacts, dataset, encoder, embedder.sha256)
        _journal(part).unlink(missing_ok=True)
        return bank


def _up_to_date(artifacts: Artifacts, dataset: Dataset, embedder: "Embedder") -> Bank | None:
    try:
        bank = load_bank(artifacts, dataset, embedder.sha256)
    except ArtifactError:
        return None
    _log.info("The bank of %s is up to date: %d recipes.", bank.variant.name, len(bank.recipes))
    return bank


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    lock = FileLock(part.with_name(part.name + ".lock"))
    try:
        with writing(part):
            part.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(blocking=False)
    except Timeout:
        _log.info("Another process is building this bank; waiting for it.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _put_in_place(
    part: Path,
    artifacts: Artifacts,
    dataset: Dataset,
    encoder: TextEncoder | None,
    model_sha256: str,
) -> Bank:
    """Let the rows of a file, and what belongs to them, take the old bank's place."""
    with changing(artifacts.bank_folder) as change:
        settings, rows = artifacts.settings, None
        if settings.collection_folder and load_dataset(settings).facts() != dataset.facts():
            raise ArtifactError(
                f"Recipes of {dataset.source} were changed while their bank was built; build it "
                f"again: what was embedded before the change is kept."
            )
        if encoder:
            recipes = dataset.recipes
            texts = recipes["Title"].tolist(), recipes["Ingredients"].tolist()
            rows = fused_rows(open_array(part), encoder, *texts)
        return write_bank(change, artifacts, dataset, model_sha256, recipes_of(dataset), part, rows)


def _known_rows(
    artifacts: Artifacts, dataset: Dataset, model_sha256: str
) -> tuple[np.ndarray, dict[str, int]] | None:
    """The photos' rows on disk and which photo has which, if they are this model's."""
    try:
        with reading(artifacts.bank_folder):
            manifest = read_json_object(artifacts.manifest)
            hashes = manifest["sha256"]
            fused = manifest["rows_of"] == "fused"
            path = artifacts.photo_bank if fused else artifacts.bank
            fits = (
                manifest["format"] in (FORMAT, _WITHOUT_PHOTO_HASHES)
                and manifest["preprocessing"] == PREPROCESSING
                and hashes["model"] == model_sha256
                and hashes["photos" if fused else "bank"] == sha256_of(path)
                and hashes["metadata"] == sha256_of(artifacts.metadata)
            )
            if not fits:
                return None
            rows = open_array(path)
            if hashes["dataset"] == dataset.sha256:
                photos = dataset.recipes["photo_sha256"].tolist()
            else:
                recipes = load_builtin_pickle(artifacts.metadata)["recipes"]
                photos = [recipes[row]["photo_sha256"] for row in range(len(rows))]
    except (OSError, KeyError, TypeError, ArtifactError):
        return None
    return rows, {photo: row for row, photo in enumerate(photos)}


def _embed_resumably(
    part: Path,
    dataset: Dataset,
    embedder: "Embedder",
    known: tuple[np.ndarray, dict[str, int]] | None,
    batch_size: int,
    progress: bool,
    embed: "Embed",
) -> None:
    """Write the photos' rows to a file beside the bank, noting each complete batch.

    Photos whose rows are known already are not embedded again.
    """
    from tqdm.auto import tqdm

    journal = _journal(part)
    shape = (len(dataset.recipes), embedder.dimension)
    hashes = dataset.recipes["photo_sha256"].tolist()
    old_rows, old_row_of = known or (np.empty((0, shape[1]), np.float32), {})
    kept = [row for row, photo in enumerate(hashes) if photo in old_row_of]
    missing = [row for row, photo in enumerate(hashes) if photo not in old_row_of]
    job = {
        "model": embedder.sha256,
        "dataset": dataset.sha256,
        "preprocessing": PREPROCESSING,
        "batch_size": batch_size,
        "missing": len(missing),
    }
    done = _rows_done(part, journal, job, kept + missing, shape)
    if done:
        _log.info("Going on after %d of %d photos.", done, len(missing))
        rows = mapped_for_writing(part)
    else:
        with writing(journal):
            journal.unlink(missing_ok=True)
        rows = mapped_for_writing(part, np.float32, shape)
        rows[kept] = old_rows[[old_row_of[hashes[row]] for row in kept]]
    checksum = zlib.crc32(rows[kept + missing[:done]].data)
    if kept:
        _log.info("%d of %d photos were embedded before.", len(kept), shape[0])

    missing = missing[done:]
    paths = [Path(path) for path in dataset.recipes["image_path"].iloc[missing]]
    started = time.perf_counter()
    with tqdm(
        total=done + len(missing),
        initial=done,
        desc="Embedding photos",
        unit="photo",
        disable=not progress or not missing,
    ) as bar:
        for indices, embeddings, failures in embed(paths, embedder, batch_size):
            for index, error in failures.items():
                raise ArtifactError(
                    f"{paths[index]} can no longer be read ({error}) run: python -m itadaki setup"
                )
            rows[[missing[index] for index in indices]] = embeddings
            rows.flush()
            checksum = zlib.crc32(np.ascontiguousarray(embeddings).data, checksum)
            noted = {"job": job, "rows_done": done + indices[-1] + 1, "crc32": checksum}
            write_json(journal, noted)
            bar.update(len(indices))
    seconds = time.perf_counter() - started
    if missing:
        _log.info(
            "Embedded %d photos in %.0f s: %.1f photos per second.",
            len(missing),
            seconds,
            len(missing) / seconds,
        )
    rows.flush()


def _journal(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _rows_done(
    part: Path, journal: Path, job: dict[str, Any], order: Sequence[int], shape: tuple[int, int]
) -> int:
    """How many photos that were missing have their rows in a file, if it is whole and of this job;
    its rows were written in an order that is given."""
    try:
        noted = read_json_object(journal)
        rows = open_array(part)
    except ArtifactError:
        return 0
    done = noted.get("rows_done")
    if noted.get("job") != job or not isinstance(done, int) or not 0 < done <= job["missing"]:
        return 0
    if rows.shape != shape or rows.dtype != np.float32:
        return 0
    written = order[: len(order) - job["missing"] + done]
    return done if noted.get("crc32") == zlib.crc32(rows[written].data) else 0
