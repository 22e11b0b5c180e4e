"""The embedding bank: one normalised row per recipe, its metadata, and the manifest of both.

A row is the embedding of the recipe's photo. For a variant with a text encoder it is, unless
``ITADAKI_BANK_ROWS=photo``, the sum of the photo's and the text's embeddings, made length 1 again:
queries are still photos alone, but a recipe is also found by what its text says.
"""

import logging
import os
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from itadaki.errors import ArtifactError, ImageError, StorageError
from itadaki.models import text_encoder
from itadaki.models.text_encoder import TextEncoder
from itadaki.photos.images import PREPROCESSING, load_input
from itadaki.recipes import copies
from itadaki.recipes.dataset import Dataset, load_dataset, recipes_of
from itadaki.recipes.dish_class import class_rules
from itadaki.recipes.recipe import METADATA, DatasetRecipe
from itadaki.settings import Settings
from itadaki.storage.files import (
    dump_builtin_pickle,
    load_builtin_pickle,
    mapped_for_writing,
    open_array,
    read_json_object,
    replacing,
    sha256_of,
    write_json,
    writing,
)
from itadaki.storage.fingerprint import code_fingerprint
from itadaki.storage.transaction import Transaction, changing, reading
from itadaki.variants import Variant

if TYPE_CHECKING:
    from itadaki.models.embedder import Embedder

BATCH_SIZE = 8
"""Photos per step of a build; each core takes a step of its own, photo by photo."""

TEXT_SHARE = 0.55
"""Weight of the text's embedding beside the photo's in a fused row. On validation more text finds
better dishes (nDCG@10 0.119 at 0.45, 0.122 at 0.55, 0.123 at 0.6) but loses the recipe whose own
photo is asked for (recall@1 of a re-crop 0.935, 0.931, 0.930); this keeps that recall above raw's
(0.921) by its standard error."""

_FORMAT, _WITHOUT_PHOTO_HASHES = 4, 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bank:
    """A loaded bank.

    Attributes:
        variant: whose embeddings these are.
        embeddings: float32 memory map of shape (n, dimension); rows of length 1.
        photo_embeddings: the same of the photos alone; ``embeddings`` itself where rows hold no
            text. What a photo of the collection is as a query.
        recipes: one for each row.
        manifest: what ties model, bank, metadata and dataset together.
    """

    variant: Variant
    embeddings: np.ndarray
    photo_embeddings: np.ndarray
    recipes: list[DatasetRecipe]
    manifest: dict[str, Any]

    def column(self, name: str) -> np.ndarray:
        """One field of every recipe, as an array in the order of the rows."""
        return np.array([getattr(recipe, name) for recipe in self.recipes])


Embedded = tuple[list[int], np.ndarray, dict[int, ImageError]]
"""Which photos decode, their embeddings (float32, one row each), and the others' errors."""


def embed_batch(photos: Sequence[Path | bytes], embedder: "Embedder") -> Embedded:
    """Embed a few photos at once; those that do not decode are told by their places."""
    inputs, failures = {}, {}
    for index, photo in enumerate(photos):
        try:
            inputs[index] = load_input(photo)
        except ImageError as error:
            failures[index] = error
    if not inputs:
        return [], np.empty((0, embedder.dimension), np.float32), failures
    return list(inputs), embedder.embed(np.stack(list(inputs.values())), alone=False), failures


def embed_photos(
    photos: Sequence[Path | bytes], embedder: "Embedder", batch_size: int = BATCH_SIZE
) -> Iterator[Embedded]:
    """Embed photos in small batches, one batch per core at a time; yields each batch in order."""

    def embed(start: int) -> Embedded:
        indices, rows, failures = embed_batch(photos[start : start + batch_size], embedder)
        failures = {start + index: error for index, error in failures.items()}
        return [start + index for index in indices], rows, failures

    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        yield from pool.map(embed, range(0, len(photos), batch_size))
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

    A bank that already matches the model, the dataset and today's code is kept unless ``force``; of
    one that does not, the rows of photos that are still there are kept. A build that was killed
    goes on after its last complete batch, if its batch size is the same. A build of the same bank
    by another process is waited for.

    Raises:
        ArtifactError: a photo has gone since the dataset was checked.
    """
    if not force and (bank := _up_to_date(variant, settings, dataset, embedder)):
        return bank
    part = variant.bank_path(settings).with_name(variant.bank_file + ".part")
    with _alone(part):
        if not force and (bank := _up_to_date(variant, settings, dataset, embedder)):
            return bank
        return _build(part, variant, settings, dataset, embedder, force, batch_size, progress)


def _up_to_date(
    variant: Variant, settings: Settings, dataset: Dataset, embedder: "Embedder"
) -> Bank | None:
    try:
        bank = load_bank(variant, settings, dataset, embedder.sha256)
    except ArtifactError:
        return None
    _log.info("The bank of %s is up to date: %d recipes.", variant.name, len(bank.recipes))
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


def _build(
    part: Path,
    variant: Variant,
    settings: Settings,
    dataset: Dataset,
    embedder: "Embedder",
    force: bool,
    batch_size: int,
    progress: bool,
) -> Bank:
    encoder = None
    if _has_texts(variant, settings):
        encoder = TextEncoder.load(variant.text_encoder_path(settings))
    if force:
        _journal(part).unlink(missing_ok=True)
    known = None if force else _known_rows(variant, settings, dataset, embedder.sha256)
    embed = embed_photos
    if settings.ray_workers:
        from itadaki.bank.ray_embedding import embed_photos_on_ray

        embed = partial(embed_photos_on_ray, workers=settings.ray_workers)
    try:
        _embed_resumably(part, dataset, embedder, known, batch_size, progress, embed)
    except StorageError:
        if not _journal(part).exists():  # there is nothing to go on with
            with suppress(OSError):
                part.unlink()
        raise
    with changing(bank_folder(variant, settings)) as change:
        if settings.collection_folder and load_dataset(settings).sha256 != dataset.sha256:
            raise ArtifactError(
                f"Recipes of {dataset.source} were changed while their bank was built; build it "
                f"again: what was embedded before the change is kept."
            )
        rows = None
        if encoder:
            recipes = dataset.recipes
            texts = recipes["Title"].tolist(), recipes["Ingredients"].tolist()
            rows = fused_rows(open_array(part), encoder, *texts)
        bank = write_bank(
            change, variant, settings, dataset, embedder.sha256, recipes_of(dataset), part, rows
        )
    _journal(part).unlink(missing_ok=True)
    return bank


def bank_folder(variant: Variant, settings: Settings) -> Path:
    """The folder whose files change together when a bank does: the collection, if it is one."""
    return settings.collection_folder or variant.bank_path(settings).parent


def write_bank(
    change: Transaction,
    variant: Variant,
    settings: Settings,
    dataset: Dataset,
    model_sha256: str,
    recipes: list[DatasetRecipe],
    photos: Path,
    fused: np.ndarray | None = None,
) -> Bank:
    """Let a bank, its metadata and its manifest take the places of the old ones.

    Args:
        change: what makes it all happen at once.
        variant: whose bank.
        settings: where it lies.
        dataset: what it was built from.
        model_sha256: of the model it was built with.
        recipes: of its rows.
        photos: a file in the folder of the change with the photos' rows; it is moved.
        fused: float32 array (n, d), the rows that hold texts too; without it the photos' are the
            bank.

    Returns:
        The bank.
    """
    bank_path, photo_path = variant.bank_path(settings), variant.photo_bank_path(settings)
    embeddings = photo_embeddings = open_array(photos)
    metadata = change.write(variant.metadata_path(settings))
    kept = {row: recipe.metadata() for row, recipe in enumerate(recipes)}
    dump_builtin_pickle(metadata, {"variant": variant.name, "recipes": kept})
    hashes = {
        "model": model_sha256,
        "metadata": sha256_of(metadata),
        "dataset": dataset.sha256,
    }
    if fused is None:
        hashes["bank"] = sha256_of(photos)
        change.move(photos, bank_path)
        change.remove(photo_path)
    else:
        bank = change.write(bank_path)
        with replacing(bank) as beside:
            np.save(beside, fused)
        embeddings = open_array(bank)
        hashes |= {
            "bank": sha256_of(bank),
            "photos": sha256_of(photos),
            "text_encoder": sha256_of(variant.text_encoder_path(settings)),
        }
        change.move(photos, photo_path)
    manifest = {
        "format": _FORMAT,
        "variant": variant.name,
        "rows": photo_embeddings.shape[0],
        "dimension": photo_embeddings.shape[1],
        "preprocessing": PREPROCESSING,
        "rows_of": "photo" if fused is None else "fused",
        **_made_by(fused is not None),
        "dataset_source": dataset.source,
        "sha256": hashes,
    }
    write_json(change.write(variant.manifest_path(settings)), manifest)
    return Bank(variant, embeddings, photo_embeddings, recipes, manifest)


def _made_by(fused: bool) -> dict[str, Any]:
    """What else shapes rows and metadata than photos, texts and models: knobs and code."""
    return {
        "text_share": TEXT_SHARE if fused else 0.0,
        "fused_by": code_fingerprint(fused_rows, text_encoder) if fused else None,
        "metadata_by": code_fingerprint(recipes_of, copies) + class_rules(),
    }


def _has_texts(variant: Variant, settings: Settings) -> bool:
    return settings.bank_rows == "fused" and variant.text_encoder_path(settings).exists()


def _known_rows(
    variant: Variant, settings: Settings, dataset: Dataset, model_sha256: str
) -> tuple[np.ndarray, dict[str, int]] | None:
    """The photos' rows on disk and which photo has which, if they are this model's."""
    try:
        with reading(bank_folder(variant, settings)):
            manifest = read_json_object(variant.manifest_path(settings))
            hashes = manifest["sha256"]
            fused = manifest["rows_of"] == "fused"
            path = variant.photo_bank_path(settings) if fused else variant.bank_path(settings)
            metadata_path = variant.metadata_path(settings)
            fits = (
                manifest["format"] in (_FORMAT, _WITHOUT_PHOTO_HASHES)
                and manifest["preprocessing"] == PREPROCESSING
                and hashes["model"] == model_sha256
                and hashes["photos" if fused else "bank"] == sha256_of(path)
                and hashes["metadata"] == sha256_of(metadata_path)
            )
            if not fits:
                return None
            rows = open_array(path)
            if hashes["dataset"] == dataset.sha256:
                photos = dataset.recipes["photo_sha256"].tolist()
            else:
                recipes = load_builtin_pickle(metadata_path)["recipes"]
                photos = [recipes[row]["photo_sha256"] for row in range(len(rows))]
    except (OSError, KeyError, TypeError, ArtifactError):
        return None
    return rows, {photo: row for row, photo in enumerate(photos)}


def fused_rows(
    photos: np.ndarray,
    encoder: TextEncoder,
    titles: Sequence[str],
    ingredients: Sequence[Sequence[str]],
    share: float | None = None,
) -> np.ndarray:
    """Join the embeddings of recipes' photos and texts: float32 (n, d), rows of length 1.

    A text counts as much as its title's words are known: recipes whose words the training never
    saw would otherwise be moved away from their photos for nothing.

    Args:
        photos: float32 array of shape (n, d), rows of length 1.
        encoder: embeds the texts.
        titles: n titles.
        ingredients: n lists, which may be empty.
        share: weight of a text whose words are all known; by default ``TEXT_SHARE``.
    """
    texts = encoder.encode(titles, ingredients) * encoder.coverage(titles)[:, None]
    rows = photos + (TEXT_SHARE if share is None else share) * texts
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
    if settings.collection_folder:
        rebuild += f" --dataset {settings.dataset}"
    with reading(bank_folder(variant, settings)):
        try:
            return _load_bank(variant, settings, dataset, model_sha256, rebuild)
        except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
            # Manifest and metadata may hold anything in the place of anything.
            said = f"{type(error).__name__}: {error}"
            raise ArtifactError(
                f"The embedding bank of {variant.name} is damaged ({said}); {rebuild}"
            ) from None


def _load_bank(
    variant: Variant,
    settings: Settings,
    dataset: Dataset,
    model_sha256: str | None,
    rebuild: str,
) -> Bank:
    manifest_path = variant.manifest_path(settings)
    if not manifest_path.exists():
        raise ArtifactError(f"The embedding bank of {variant.name} is not built yet; {rebuild}")
    try:
        manifest = read_json_object(manifest_path)
    except ArtifactError as error:
        raise ArtifactError(f"{manifest_path} is damaged ({error}); {rebuild}") from None
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
    made_by = _made_by(wanted == "fused")
    if any(manifest.get(fact) != value for fact, value in made_by.items()):
        raise ArtifactError(
            f"Texts or dish classes in the embedding bank of {variant.name} were made in another "
            f"way than today's; {rebuild} (no photo is embedded again)"
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
    embeddings = open_array(variant.bank_path(settings))
    kept = load_builtin_pickle(variant.metadata_path(settings))["recipes"]
    shape = (manifest["rows"], manifest["dimension"])
    whole = all(kept[row].keys() >= {*METADATA} for row in range(len(kept)))
    if embeddings.shape != shape or embeddings.dtype != np.float32 or len(kept) != shape[0]:
        whole = False
    if not whole:
        raise ArtifactError(f"The embedding bank of {variant.name} is inconsistent; {rebuild}")
    photos = embeddings
    if wanted == "fused":
        photos = open_array(parts["photos"])
        if photos.shape != shape or photos.dtype != np.float32:
            raise ArtifactError(f"The embedding bank of {variant.name} is inconsistent; {rebuild}")
    recipes = [DatasetRecipe.from_metadata(kept[row]) for row in range(len(kept))]
    return Bank(variant, embeddings, photos, recipes, manifest)


def _embed_resumably(
    part: Path,
    dataset: Dataset,
    embedder: "Embedder",
    known: tuple[np.ndarray, dict[str, int]] | None,
    batch_size: int,
    progress: bool,
    embed: Callable[[Sequence[Path], "Embedder", int], Iterator[Embedded]],
) -> None:
    """Write the photos' rows to a file beside the bank, noting each complete batch.

    Photos whose rows are known already are not embedded again.
    """
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
    checksum = zlib.crc32(rows[kept + missing[:done]])
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
            checksum = zlib.crc32(np.ascontiguousarray(embeddings), checksum)
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
    fits = noted.get("job") == job and isinstance(done, int) and 0 < done <= job["missing"]
    if not fits or rows.shape != shape or rows.dtype != np.float32:
        return 0
    written = order[: len(order) - job["missing"] + done]
    return done if noted.get("crc32") == zlib.crc32(rows[written]) else 0
