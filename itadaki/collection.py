"""Collections: datasets that were imported, and that change recipe by recipe.

A collection is a folder ``data/collections/NAME`` with all that is its own: a table of recipes and
a folder of photos in Kaggle's layout, what is cached of them, and the banks.
"""

import csv
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from itadaki.bank.bank import Bank, load_bank, write_bank
from itadaki.bank.embedding import embed_photos
from itadaki.bank.fusion import fused_rows
from itadaki.errors import ArtifactError, CollectionError
from itadaki.index.index import following_index
from itadaki.photos.images import shown_everywhere
from itadaki.recipes.cache import DatasetCache, photo_stats
from itadaki.recipes.dataset import Dataset, hashes_of, load_dataset, recipes_of
from itadaki.recipes.draft import Draft, draft_of
from itadaki.recipes.looks import look_at
from itadaki.recipes.recipe import Edit, NewRecipe
from itadaki.recipes.source import COLLECTION_CSV, PHOTO_FOLDER, layout
from itadaki.recipes.table import (
    COLUMNS,
    DETAIL_COLUMNS,
    changed_table,
    csv_row,
    ids_of,
    image_name,
    read_table,
)
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import COLLECTION_FILE, Settings, is_collection_name
from itadaki.storage.files import read_json_object, replacing, sha256_of, write_json, writing
from itadaki.storage.transaction import Transaction, changing, locked
from itadaki.storage.workspace import workspace
from itadaki.variants import Artifacts

_MAX_ID = 10**15


def collections(settings: Settings) -> list[str]:
    """The names of the collections that were imported."""
    folder = settings.collections_folder
    return sorted(path.parent.name for path in folder.glob(f"[!.]*/{COLLECTION_FILE}"))


def create_collection(settings: Settings, name: str, recipes: Iterable[NewRecipe]) -> Path:
    """Write a new collection; it is there as a whole or not at all.

    Returns:
        Its folder.

    Raises:
        CollectionError: there is one of this name, or this cannot be a name, or no recipe came.
    """
    check_new_name(settings, name)
    home = settings.collections_folder
    with writing(home):
        home.mkdir(parents=True, exist_ok=True)
    # The inner one asks the disk while what was written still lies there.
    with locked(home), writing(home / name), workspace(home) as room, writing(home / name):
        beside = room / name
        (beside / PHOTO_FOLDER).mkdir(parents=True)
        next_id = 1
        with (beside / COLLECTION_CSV).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow((*COLUMNS, *DETAIL_COLUMNS.values()))
            for next_id, recipe in enumerate(recipes, 2):
                photo_name = image_name(recipe.title, next_id - 1)
                writer.writerow(csv_row(next_id - 1, photo_name, recipe).values())
                path = beside / PHOTO_FOLDER / f"{photo_name}.jpg"
                _write_photo(path, shown_everywhere(recipe.photo))
        if next_id == 1:
            raise CollectionError("There is no recipe to import.")
        write_json(beside / COLLECTION_FILE, {"format": 1, "next_id": next_id})
        check_new_name(settings, name)
        beside.rename(home / name)
    return home / name


def check_new_name(settings: Settings, name: str) -> None:
    """Raise CollectionError unless a new collection may have this name."""
    if not is_collection_name(name):
        raise CollectionError(
            f"A collection cannot be called {name!r}: take up to 64 small letters, digits, - and "
            "_, and neither kaggle nor sample."
        )
    if (settings.collections_folder / name).exists():
        raise CollectionError(
            f"There is a collection {name} already; give another --name, or put the recipes into "
            f"it: python -m itadaki add SOURCE --dataset {name}"
        )


def change_collection(
    settings: Settings,
    systems: Sequence[RetrievalSystem] = (),
    add: Sequence[NewRecipe] = (),
    edits: Mapping[int, Edit] | None = None,
    remove: Iterable[int] = (),
) -> tuple[list[RetrievalSystem], list[int]]:
    """Add, edit and remove recipes of the collection that the settings name, all at once.

    Its table, its photos and the banks of ``systems`` change together, and are what a full build
    would make of them. Only new photos are embedded.

    Args:
        settings: which collection.
        systems: of this collection, one for each variant whose bank shall follow.
        add: new recipes.
        edits: what shall be different, by the recipe's id.
        remove: ids of recipes to remove.

    Returns:
        The systems with their new banks, and the ids of the new recipes. Where the index could not
        follow, a system has a ``StandInIndex``.

    Raises:
        CollectionError: the dataset is no collection, or would be empty.
        UnknownRecipeError: there is no recipe with an id.
        ImageError: a photo cannot be read; nothing has changed.
        ArtifactError: a bank does not fit what lies on disk.

    Whatever is raised, nothing has changed.
    """
    folder = settings.collection_folder
    if folder is None:
        raise CollectionError(
            f"The dataset {Path(settings.dataset).name} was not imported, so it cannot be "
            "changed; make a collection of it: python -m itadaki import SOURCE --name NAME"
        )
    edits, remove = dict(edits or {}), set(remove)
    photos = [recipe.photo for recipe in add]
    photos += [edit.photo for edit in edits.values() if edit.photo is not None]
    photos = [shown_everywhere(photo) for photo in photos]
    looks = [look_at(photo) for photo in photos]
    embeddings = [_embed(system, photos) for system in systems]

    with locked(folder):  # until the index has followed too
        with changing(folder) as change:
            csv_path, photo_folder = layout(folder)
            cache = DatasetCache(folder)
            stats = dict(photo_stats(photo_folder))
            fingerprint = cache.fingerprint(sha256_of(csv_path), photo_folder, stats)
            facts, dataset = cache.facts(fingerprint), None
            if facts:
                loaded = (system.dataset for system in systems)
                dataset = next((d for d in loaded if d.facts().items() <= facts.items()), None)
            dataset = dataset or load_dataset(settings, progress=False)
            facts = facts or cache.facts(fingerprint)
            if facts is None:
                raise CollectionError(f"{folder} has just changed, or is full; try again.")
            thumbnails = cache.looks(facts)["thumbnail"]
            banks = [_bank_on_disk(system, settings, dataset) for system in systems]

            next_id = _next_id(folder, dataset, csv_path)
            draft = draft_of(dataset, thumbnails, add, edits, remove, looks, next_id)
            table = change.write(csv_path)
            table.write_bytes(changed_table(csv_path.read_bytes(), draft.csv_rows, edits, remove))
            for name, number in draft.photo_files.items():
                beside = change.write(photo_folder / name)
                _write_photo(beside, photos[number])
                stats[name] = beside.stat().st_size, beside.stat().st_mtime_ns
            for name in draft.photo_files_gone:
                change.remove(photo_folder / name)
                stats.pop(name, None)
            noted = {"format": 1, "next_id": next_id + len(add)}
            write_json(change.write(folder / COLLECTION_FILE), noted)
            frame = draft.frame  # the dataset shall keep no more of the draft
            sha256, details_sha256 = hashes_of(frame)
            dataset = replace(
                dataset, read=lambda: frame, sha256=sha256, details_sha256=details_sha256
            )
            fingerprint = cache.fingerprint(sha256_of(table), photo_folder, stats)
            cache.write(frame, draft.looks, fingerprint, dataset.facts(), change.write)
            changed = [
                _change_bank(change, settings, dataset, draft, system, bank, rows)
                for system, bank, rows in zip(systems, banks, embeddings, strict=True)
            ]
        followed = []
        for system, bank in zip(systems, changed, strict=True):
            index = following_index(bank, settings)
            followed.append(
                RetrievalSystem(system.embedder, bank, dataset, system.text_encoder, index)
            )
    return followed, draft.new_ids


def _embed(system: RetrievalSystem, photos: Sequence[Path | bytes]) -> np.ndarray:
    rows = [np.empty((0, system.embedder.dimension), np.float32)]
    for _, embeddings, failures in embed_photos(photos, system.embedder):
        for error in failures.values():
            raise error
        rows.append(embeddings)
    return np.concatenate(rows)


def _bank_on_disk(system: RetrievalSystem, settings: Settings, dataset: Dataset) -> Bank:
    """The system's bank if it is still the one on disk, else that one."""
    artifacts, manifest = Artifacts(system.bank.variant, settings), system.bank.manifest
    try:
        on_disk = read_json_object(artifacts.manifest)
    except ArtifactError:
        on_disk = None
    known = {"dataset": dataset.sha256, "details": dataset.details_sha256}
    if on_disk == manifest and known.items() <= manifest["sha256"].items():
        return system.bank
    return load_bank(artifacts, dataset, system.embedder.sha256)


def _change_bank(
    change: Transaction,
    settings: Settings,
    dataset: Dataset,
    draft: Draft,
    system: RetrievalSystem,
    bank: Bank,
    embeddings: np.ndarray,
) -> Bank:
    stays = draft.new_photo < 0
    photos = np.empty((len(stays), embeddings.shape[1]), np.float32)
    photos[stays] = bank.photo_embeddings[draft.old_row[stays]]
    photos[~stays] = embeddings[draft.new_photo[~stays]]
    fused = None
    if bank.manifest["rows_of"] == "fused":
        assert system.text_encoder, "without it there are no such rows"
        texts = draft.frame[draft.edited]
        fused = np.empty_like(photos)
        fused[~draft.edited] = bank.embeddings[draft.old_row[~draft.edited]]
        if len(texts):
            fused[draft.edited] = fused_rows(
                photos[draft.edited],
                system.text_encoder,
                texts["Title"].tolist(),
                texts["Ingredients"].tolist(),
            )
    edited = iter(recipes_of(dataset, np.flatnonzero(draft.edited).tolist()))
    groups, splits = draft.frame["photo_group"].tolist(), draft.frame["split"].tolist()
    recipes = []
    for row, (old, new) in enumerate(zip(draft.old_row, draft.edited, strict=True)):
        recipe = next(edited) if new else bank.recipes[old]
        # Most often nothing is new.
        if (recipe.photo_group, recipe.split) != (groups[row], splits[row]):
            recipe = replace(recipe, photo_group=groups[row], split=splits[row])
        recipes.append(recipe)
    beside = change.room(f"photos-{bank.variant.name}.npy")
    with replacing(beside) as path:
        np.save(path, photos)
    return write_bank(
        change,
        Artifacts(bank.variant, settings),
        dataset,
        system.embedder.sha256,
        recipes,
        beside,
        fused,
    )


def _next_id(folder: Path, dataset: Dataset, csv_path: Path) -> int:
    """The id that comes next: above all that there were, and those that were put in by hand."""
    path = folder / COLLECTION_FILE
    try:
        noted = read_json_object(path).get("next_id")
    except ArtifactError:
        noted = None
    if type(noted) is not int or not 0 < noted < _MAX_ID:
        raise CollectionError(
            f'{path} is damaged. It must hold {{"format": 1, "next_id": N}}, where N is a '
            "whole number above every id that the collection has ever given."
        )
    if dataset.dropped:  # only the table has these, too
        ids = ids_of(read_table(csv_path), csv_path)
    else:
        ids = dataset.recipes["recipe_id"].to_numpy()
    return max(noted, int(ids.max()) + 1)


def _write_photo(path: Path, photo: Path | bytes) -> None:
    if isinstance(photo, bytes):
        path.write_bytes(photo)
    else:
        shutil.copyfile(photo, path)
