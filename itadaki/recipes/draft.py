"""What a collection's dataset will be once recipes were added, edited and removed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from itadaki.errors import CollectionError, UnknownRecipeError
from itadaki.recipes.copies import regroup
from itadaki.recipes.dataset import Dataset
from itadaki.recipes.frame import frame_of_recipes, recipe_at, with_groups
from itadaki.recipes.looks import looks_of
from itadaki.recipes.recipe import Edit, NewRecipe
from itadaki.recipes.source import PHOTO_FOLDER
from itadaki.recipes.table import csv_row, image_name

if TYPE_CHECKING:  # a service that changes nothing starts faster without pandas
    import pandas as pd


@dataclass(frozen=True)
class Draft:
    """What a dataset will be.

    Attributes:
        frame: its DataFrame.
        looks: array of ``LOOK``, what is seen of its photos.
        old_row: int array, each row's place in the dataset before; -1 for a new recipe.
        new_photo: int array, each row's place among the new photos; -1 where the photo stays.
        edited: bool array, the rows whose text or photo is new.
        csv_rows: the lines of the table that are new, by id.
        photo_files: which new photo each file is to hold.
        photo_files_gone: files to remove.
        new_ids: of the new recipes.
    """

    frame: "pd.DataFrame"
    looks: np.ndarray
    old_row: np.ndarray
    new_photo: np.ndarray
    edited: np.ndarray
    csv_rows: dict[int, dict[str, str]]
    photo_files: dict[str, int]
    photo_files_gone: list[str]
    new_ids: list[int]


@dataclass(frozen=True)
class _Written:
    """A recipe that is written anew: its id, its photo's name, its row before and its place among
    the new photos, each of which is -1 where there is none."""

    id: int
    name: str
    recipe: NewRecipe
    row: int
    photo: int


def draft_of(
    dataset: Dataset,
    thumbnails: np.ndarray,
    add: Sequence[NewRecipe],
    edits: Mapping[int, Edit],
    remove: Collection[int],
    looks: Sequence[tuple[str, np.ndarray]],
    next_id: int,
) -> Draft:
    """Work out what a dataset will be.

    Args:
        dataset: what it is.
        thumbnails: of its photos.
        add: new recipes.
        edits: what shall be different, by the recipe's id.
        remove: ids of recipes to remove.
        looks: hash and thumbnail of the new photos, those of ``add`` first.
        next_id: the id of the first new recipe.

    Raises:
        UnknownRecipeError: there is no recipe with an id.
        CollectionError: none would be left.
        RecipeError: an edited recipe cannot be kept.
    """
    old = dataset.recipes
    written = _written(old, add, edits, remove, next_id)
    untouched = np.flatnonzero(~old["recipe_id"].isin([*edits, *remove]))
    old_row = np.concatenate([untouched, np.array([one.row for one in written], np.int64)])
    photos = np.array([one.photo for one in written], np.int64)
    new_photo = np.concatenate([np.full(len(untouched), -1), photos])
    order = np.argsort(np.where(old_row < 0, len(old), old_row), kind="stable")
    old_row, new_photo = old_row[order], new_photo[order]

    frame = _rows(dataset, untouched, written, looks).iloc[order].reset_index(drop=True)
    stays = new_photo < 0
    pictures = np.empty((len(frame), thumbnails.shape[1]), np.uint8)
    pictures[stays] = thumbnails[old_row[stays]]
    for row in np.flatnonzero(~stays):
        pictures[row] = looks[new_photo[row]][1]
    groups_before = old["photo_group"].to_numpy()
    gone = np.setdiff1d(np.arange(len(old)), old_row[stays])
    hashes = frame["photo_sha256"].tolist()
    groups = regroup(
        hashes,
        pictures,
        np.where(stays, groups_before[old_row], -1),
        np.unique(groups_before[gone]).tolist(),
    )
    names = frame["Image_Name"].tolist()
    names_gone = set(old["Image_Name"].iloc[gone]) - set(names)
    return Draft(
        frame=with_groups(frame, groups),
        looks=looks_of(names, hashes, groups, pictures),
        old_row=old_row,
        new_photo=new_photo,
        edited=order >= len(untouched),
        csv_rows={one.id: csv_row(one.id, one.name, one.recipe) for one in written},
        photo_files={f"{one.name}.jpg": one.photo for one in written if one.photo >= 0},
        photo_files_gone=[f"{name}.jpg" for name in names_gone],
        new_ids=[one.id for one in written if one.row < 0],
    )


def _written(
    old: "pd.DataFrame",
    add: Sequence[NewRecipe],
    edits: Mapping[int, Edit],
    remove: Collection[int],
    next_id: int,
) -> list[_Written]:
    row_of = {recipe_id: row for row, recipe_id in enumerate(old["recipe_id"])}
    for recipe_id in [*edits, *remove]:
        if recipe_id not in row_of or (recipe_id in edits and recipe_id in remove):
            raise UnknownRecipeError(f"There is no recipe {recipe_id}.")
    if len(remove) == len(old) and not add:
        raise CollectionError(
            "The last recipe of a collection cannot be removed; delete its folder instead."
        )
    written = []
    photo = len(add)
    for recipe_id, edit in edits.items():
        row = row_of[recipe_id]
        recipe, given = edit.of(recipe_at(old, row)), edit.photo is not None
        name = old["Image_Name"].iloc[row]
        written.append(_Written(recipe_id, name, recipe, row, photo if given else -1))
        photo += given
    for number, new in enumerate(add):
        name = image_name(new.title, next_id + number)
        written.append(_Written(next_id + number, name, new, -1, number))
    return written


def _rows(
    dataset: Dataset,
    untouched: np.ndarray,
    written: Sequence[_Written],
    looks: Sequence[tuple[str, np.ndarray]],
) -> "pd.DataFrame":
    """The rows that stay as they are, and below them those that are written anew."""
    import pandas as pd

    old = dataset.recipes
    if not written:
        return old.iloc[untouched]
    new = frame_of_recipes(
        [one.recipe for one in written],
        [one.id for one in written],
        [one.name for one in written],
        dataset.root / PHOTO_FOLDER,
        [
            looks[one.photo][0] if one.photo >= 0 else old["photo_sha256"].iloc[one.row]
            for one in written
        ],
    )
    return pd.concat([old.iloc[untouched], new], ignore_index=True)
