"""Collections: datasets that were imported, and that change recipe by recipe.

A collection is a folder ``data/collections/NAME`` with all that is its own: a table of recipes and
a folder of photos in Kaggle's layout, what is cached of them, and the banks.
"""

import codecs
import csv
import hashlib
import io
import re
import shutil
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itadaki.bank.bank import Bank, embed_photos, fused_rows, load_bank, metadata_of, write_bank
from itadaki.errors import (
    ArtifactError,
    CollectionError,
    RecipeError,
    UnknownRecipeError,
)
from itadaki.index.index import following_index
from itadaki.photos.images import decode
from itadaki.recipes.dataset import (
    COLLECTION_CSV,
    Dataset,
    DatasetCache,
    dataset_sha256,
    layout,
    load_dataset,
    looks_of,
    photo_stats,
    read_ids,
    recipe_frame,
    with_groups,
)
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import COLLECTION_FILE, Settings, is_collection_name
from itadaki.storage.files import read_json_object, replacing, sha256_of, write_json, writing
from itadaki.storage.transaction import Transaction, changing, locked
from itadaki.storage.workspace import workspace

if TYPE_CHECKING:  # a service that changes nothing starts faster without pandas
    import pandas as pd

MAX_TITLE, MAX_TEXT = 300, 100_000
"""Characters of a recipe's title, and of its ingredients (line ends counted) and instructions
each."""
_MAX_ID = 10**15
MAX_FIELD = 2**31 - 1
"""Whatever a table holds is read: what is new was bounded before."""
_COLUMNS = ("Id", "Title", "Ingredients", "Instructions", "Image_Name")
PHOTO_FOLDER = "Food Images"

VISIBLE = (
    "[^\\s\\x00-\\x1f\\x7f-\\x9f"
    # Unicode's Default_Ignorable_Code_Point, the blank of Braille, and what is no character.
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""A regular expression: a character that is seen, of which each title has one."""


@dataclass(frozen=True)
class Recipe:
    """A recipe for a collection; its texts are tidied.

    Attributes:
        title: one line, not empty.
        ingredients: one line each.
        instructions: may be empty.
        photo: a file, or its bytes.

    Raises:
        RecipeError: nothing of the title can be seen, or a text is longer than ``MAX_TITLE`` or
            ``MAX_TEXT``.
    """

    title: str
    ingredients: Sequence[str]
    instructions: str
    photo: Path | bytes

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", _line(self.title))
        object.__setattr__(self, "ingredients", [i for i in map(_line, self.ingredients) if i])
        object.__setattr__(self, "instructions", _text(self.instructions))
        if not has_title(self.title):
            raise RecipeError("A recipe needs a title.")
        for name, text, most in (
            ("title", self.title, MAX_TITLE),
            ("ingredients", "\n".join(self.ingredients), MAX_TEXT),
            ("instructions", self.instructions, MAX_TEXT),
        ):
            if len(text) > most:
                raise RecipeError(
                    f"The {name} may have at most {most:,} characters, not {len(text):,}."
                )


@dataclass(frozen=True)
class Edit:
    """What shall be different in a recipe; what is None stays as it is."""

    title: str | None = None
    ingredients: Sequence[str] | None = None
    instructions: str | None = None
    photo: Path | bytes | None = None


def has_title(text: str) -> bool:
    """Whether a text can be a title: something of it is seen."""
    return re.search(VISIBLE, text) is not None


def collections(settings: Settings) -> list[str]:
    """The names of the collections that were imported."""
    folder = settings.collections_folder
    return sorted(path.parent.name for path in folder.glob(f"[!.]*/{COLLECTION_FILE}"))


def create_collection(settings: Settings, name: str, recipes: Iterable[Recipe]) -> Path:
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
            writer.writerow(_COLUMNS)
            for next_id, recipe in enumerate(recipes, 2):
                image_name = _image_name(recipe.title, next_id - 1)
                writer.writerow(_csv_row(next_id - 1, image_name, recipe).values())
                _write_photo(beside / PHOTO_FOLDER / f"{image_name}.jpg", recipe.photo)
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
    add: Sequence[Recipe] = (),
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
    looks = [_look_at(photo) for photo in photos]
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
                dataset = next((d for d in loaded if d.sha256 == facts["dataset_sha256"]), None)
            dataset = dataset or load_dataset(settings, progress=False)
            facts = facts or cache.facts(fingerprint)
            if facts is None:
                raise CollectionError(f"{folder} has just changed, or is full; try again.")
            thumbnails = cache.looks(facts)["thumbnail"]
            banks = [_bank_on_disk(system, settings, dataset) for system in systems]

            next_id = _next_id(folder, dataset, csv_path)
            draft = _Draft.of(dataset, thumbnails, add, edits, remove, looks, next_id)
            table = change.write(csv_path)
            table.write_bytes(_changed_table(csv_path.read_bytes(), draft.csv_rows, edits, remove))
            for name, number in draft.photo_files.items():
                beside = change.write(photo_folder / name)
                _write_photo(beside, photos[number])
                stats[name] = beside.stat().st_size, beside.stat().st_mtime_ns
            for name in draft.photo_files_gone:
                change.remove(photo_folder / name)
                stats.pop(name, None)
            facts = {"format": 1, "next_id": next_id + len(add)}
            write_json(change.write(folder / COLLECTION_FILE), facts)
            dataset = replace(dataset, recipes=draft.recipes, sha256=dataset_sha256(draft.recipes))
            fingerprint = cache.fingerprint(sha256_of(table), photo_folder, stats)
            seen = looks_of(
                *(draft.recipes[name] for name in ("Image_Name", "photo_sha256", "photo_group")),
                draft.thumbnails,
            )
            cache.write(dataset, seen, fingerprint, change.write)
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


@dataclass(frozen=True)
class _Draft:
    """What a dataset will be.

    Attributes:
        recipes: its DataFrame.
        thumbnails: of its photos.
        old_row: int array, each row's place in the dataset before; -1 for a new recipe.
        new_photo: int array, each row's place among the new photos; -1 where the photo stays.
        edited: bool array, the rows whose text or photo is new.
        csv_rows: the lines of the table that are new, by id.
        photo_files: which new photo each file is to hold.
        photo_files_gone: files to remove.
        new_ids: of the new recipes.
    """

    recipes: "pd.DataFrame"
    thumbnails: np.ndarray
    old_row: np.ndarray
    new_photo: np.ndarray
    edited: np.ndarray
    csv_rows: dict[int, dict[str, str]]
    photo_files: dict[str, int]
    photo_files_gone: list[str]
    new_ids: list[int]

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        thumbnails: np.ndarray,
        add: Sequence[Recipe],
        edits: Mapping[int, Edit],
        remove: set[int],
        looks: Sequence[tuple[str, np.ndarray]],
        next_id: int,
    ) -> "_Draft":
        """Work out what the dataset will be.

        Args:
            dataset: what it is.
            thumbnails: of its photos.
            add: as in ``change_collection``.
            edits: likewise.
            remove: likewise.
            looks: hash and thumbnail of the new photos, those of ``add`` first.
            next_id: the id of the first new recipe.
        """
        import pandas as pd

        from itadaki.recipes.copies import regroup

        old = dataset.recipes
        row_of = {recipe_id: row for row, recipe_id in enumerate(old["recipe_id"])}
        for recipe_id in [*edits, *remove]:
            if recipe_id not in row_of or (recipe_id in edits and recipe_id in remove):
                raise UnknownRecipeError(f"There is no recipe {recipe_id}.")
        if len(remove) == len(old) and not add:
            raise CollectionError(
                "The last recipe of a collection cannot be removed; delete its folder instead."
            )

        ids, names, recipes, photos = [], [], [], []
        given = iter(range(len(add), len(looks)))
        for recipe_id, edit in edits.items():
            before = old.iloc[row_of[recipe_id]]
            ids.append(recipe_id)
            names.append(before["Image_Name"])
            recipes.append(_edited(before, edit))
            photos.append(-1 if edit.photo is None else next(given))
        new_ids = list(range(next_id, next_id + len(add)))
        ids += new_ids
        names += [_image_name(r.title, i) for r, i in zip(add, new_ids, strict=True)]
        recipes += add
        photos += range(len(add))

        before = np.array([row_of.get(recipe_id, -1) for recipe_id in ids], np.int64)
        untouched = np.flatnonzero(~old["recipe_id"].isin([*edits, *remove]))
        old_row = np.concatenate([untouched, before])
        new_photo = np.concatenate([np.full(len(untouched), -1), np.array(photos, np.int64)])
        order = np.argsort(np.where(old_row < 0, len(old), old_row), kind="stable")
        old_row, new_photo = old_row[order], new_photo[order]
        edited = order >= len(untouched)

        frames = [old.iloc[untouched]]
        if ids:
            hashes = [
                looks[photo][0] if photo >= 0 else old["photo_sha256"].iloc[row]
                for photo, row in zip(photos, before, strict=True)
            ]
            frames.append(
                recipe_frame(
                    ids,
                    [recipe.title for recipe in recipes],
                    [list(recipe.ingredients) for recipe in recipes],
                    [recipe.instructions for recipe in recipes],
                    names,
                    dataset.root / PHOTO_FOLDER,
                    hashes,
                )
            )
        frame = pd.concat(frames, ignore_index=True).iloc[order].reset_index(drop=True)
        stays = new_photo < 0
        pictures = np.empty((len(frame), thumbnails.shape[1]), np.uint8)
        pictures[stays] = thumbnails[old_row[stays]]
        for row in np.flatnonzero(~stays):
            pictures[row] = looks[new_photo[row]][1]
        old_groups = old["photo_group"].to_numpy()
        groups = np.where(stays, old_groups[old_row], -1)
        gone = np.setdiff1d(np.arange(len(old)), old_row[stays])
        groups = regroup(
            frame["photo_sha256"].tolist(), pictures, groups, np.unique(old_groups[gone])
        )
        names_gone = set(old["Image_Name"].iloc[gone]) - set(frame["Image_Name"])
        return cls(
            recipes=with_groups(frame, groups),
            thumbnails=pictures,
            old_row=old_row,
            new_photo=new_photo,
            edited=edited,
            csv_rows={
                recipe_id: _csv_row(recipe_id, name, recipe)
                for recipe_id, name, recipe in zip(ids, names, recipes, strict=True)
            },
            photo_files={
                f"{name}.jpg": photo
                for name, photo in zip(names, photos, strict=True)
                if photo >= 0
            },
            photo_files_gone=[f"{name}.jpg" for name in names_gone],
            new_ids=new_ids,
        )


def _look_at(photo: Path | bytes) -> tuple[str, np.ndarray]:
    """A photo's hash and thumbnail."""
    from itadaki.recipes.copies import thumbnail

    content = photo if isinstance(photo, bytes) else photo.read_bytes()
    return hashlib.sha256(content).hexdigest(), thumbnail(decode(content))


def _embed(system: RetrievalSystem, photos: Sequence[Path | bytes]) -> np.ndarray:
    rows = [np.empty((0, system.embedder.dimension), np.float32)]
    for _, embeddings, failures in embed_photos(photos, system.embedder):
        for error in failures.values():
            raise error
        rows.append(embeddings)
    return np.concatenate(rows)


def _bank_on_disk(system: RetrievalSystem, settings: Settings, dataset: Dataset) -> Bank:
    """The system's bank if it is still the one on disk, else that one."""
    variant, manifest = system.bank.variant, system.bank.manifest
    try:
        on_disk = read_json_object(variant.manifest_path(settings))
    except ArtifactError:
        on_disk = None
    if on_disk == manifest and manifest["sha256"]["dataset"] == dataset.sha256:
        return system.bank
    return load_bank(variant, settings, dataset, system.embedder.sha256)


def _change_bank(
    change: Transaction,
    settings: Settings,
    dataset: Dataset,
    draft: _Draft,
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
        texts = draft.recipes[draft.edited]
        fused = np.empty_like(photos)
        fused[~draft.edited] = bank.embeddings[draft.old_row[~draft.edited]]
        if len(texts):
            fused[draft.edited] = fused_rows(
                photos[draft.edited],
                system.text_encoder,
                texts["Title"].tolist(),
                texts["Ingredients"].tolist(),
            )
    groups, splits = draft.recipes["photo_group"].tolist(), draft.recipes["split"].tolist()
    recipes = {}
    for row, old in enumerate(draft.old_row.tolist()):
        recipe = bank.recipes.get(old, {})
        now = {"photo_group": groups[row], "split": splits[row]}
        # Most often nothing is new, and twelve thousand new dicts would cost more than all else.
        recipes[row] = recipe if now.items() <= recipe.items() else recipe | now
    recipes |= metadata_of(dataset, np.flatnonzero(draft.edited))
    beside = change.room(f"photos-{bank.variant.name}.npy")
    with replacing(beside) as path:
        np.save(path, photos)
    return write_bank(
        change,
        bank.variant,
        settings,
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
    ids = read_ids(csv_path) if dataset.dropped else dataset.recipes["recipe_id"]
    return max(noted, int(ids.max()) + 1)


def _edited(before: "pd.Series", edit: Edit) -> Recipe:
    def either(new: Any, column: str) -> Any:
        return before[column] if new is None else new

    return Recipe(
        either(edit.title, "Title"),
        either(edit.ingredients, "Ingredients"),
        either(edit.instructions, "Instructions"),
        edit.photo or b"",
    )


def _changed_table(
    content: bytes, rows: Mapping[int, Mapping[str, str]], edited: Iterable[int], gone: set[int]
) -> bytes:
    """The table with some lines changed, some removed and some at its end, all else as it was."""
    csv.field_size_limit(MAX_FIELD)
    start = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    reader = csv.reader(io.StringIO(content[len(start) :].decode(), newline=""))
    lines = (line for line in reader if any(line))  # spreadsheet programs leave blank ones
    header, rows = next(lines), dict(rows)
    # By their places: a table edited by hand may have several columns of one name.
    places = {column: header.index(column) for column in _COLUMNS}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")

    def with_values(line: list[str], row: Mapping[str, str]) -> list[str]:
        line = line + [""] * (len(header) - len(line))
        for column, value in row.items():
            line[places[column]] = value
        return line

    if edited or gone:
        writer.writerow(header)
        for line in lines:
            recipe_id = int(line[places["Id"]])
            if recipe_id in rows:
                line = with_values(line, rows.pop(recipe_id))
            if recipe_id not in gone:
                writer.writerow(line)
        content = start
    elif not content.endswith((b"\n", b"\r")):
        text.write("\n")
    for row in rows.values():
        writer.writerow(with_values([], row))
    return content + text.getvalue().encode()


def _csv_row(recipe_id: int, image_name: str, recipe: Recipe) -> dict[str, str]:
    values = recipe_id, recipe.title, recipe.ingredients, recipe.instructions, image_name
    return dict(zip(_COLUMNS, map(str, values), strict=True))


def _image_name(title: str, recipe_id: int) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return f"{'-'.join(re.findall('[a-z0-9]+', plain))[:60].strip('-') or 'recipe'}-{recipe_id}"


def _write_photo(path: Path, photo: Path | bytes) -> None:
    if isinstance(photo, bytes):
        path.write_bytes(photo)
    else:
        shutil.copyfile(photo, path)


def _line(text: str) -> str:
    return " ".join(_text(text).split())


def _text(text: str) -> str:
    """Text that a CSV gives back as it was: no control characters, one kind of line end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", text).strip()
