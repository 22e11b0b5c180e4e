"""The DataFrame of a dataset, for notebooks and training: a row for each recipe."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itadaki.errors import ArtifactError
from itadaki.recipes import texts
from itadaki.recipes.dish_class import class_rules, dish_class
from itadaki.recipes.looks import hashed
from itadaki.recipes.recipe import DETAILS, Recipe
from itadaki.recipes.splits import SPLIT_SEED, SPLIT_SHARES, assign_splits
from itadaki.recipes.table import (
    DETAIL_COLUMNS,
    details_of,
    ids_of,
    ingredient_list,
    read_table,
    title_from_slug,
)
from itadaki.storage.fingerprint import code_fingerprint, fingerprint

if TYPE_CHECKING:  # a service does not look at it, and starts faster without pandas
    import pandas as pd


def frame_of_table(
    table: "pd.DataFrame", ids: np.ndarray | None, looks: np.ndarray, photo_folder: Path
) -> "pd.DataFrame":
    """A dataset's DataFrame.

    Args:
        table: of its CSV, as ``read_table`` gives it.
        ids: of the table's recipes; None where a recipe's row is its id.
        looks: array of ``LOOK``, what was seen of the photos that can be used.
        photo_folder: where these lie.

    Raises:
        ArtifactError: the photos are of other rows.
    """
    all_names = table["Image_Name"].str.strip()
    keys = hashed(all_names)
    usable = np.flatnonzero(np.isin(keys, looks["name"]))
    if not np.array_equal(keys[usable], looks["name"]):
        raise ArtifactError("What was seen of the photos is of another CSV.")
    table, names = table.iloc[usable], all_names.iloc[usable].tolist()
    columns = table["Title"], table["Ingredients"], table["Instructions"].str.strip()
    recipes = [
        Recipe(
            title.strip() or title_from_slug(name), ingredient_list(listed), instructions, **details
        )
        for name, title, listed, instructions, details in zip(
            names, *columns, details_of(table), strict=True
        )
    ]
    return with_groups(
        frame_of_recipes(
            recipes,
            np.arange(len(usable)) if ids is None else ids[usable],
            names,
            photo_folder,
            looks["sha256"].astype(str).tolist(),
        ),
        looks["group"].copy(),
    )


def frame_of_recipes(
    recipes: Sequence[Recipe],
    ids: Sequence[int] | np.ndarray,
    image_names: Sequence[str],
    photo_folder: Path,
    hashes: Sequence[str],
) -> "pd.DataFrame":
    """The rows of a dataset's DataFrame, still without photo_group and split."""
    import pandas as pd

    classes: list[Any] = [dish_class(recipe.title) for recipe in recipes]
    return pd.DataFrame(
        {
            "Title": [recipe.title for recipe in recipes],
            "Ingredients": [recipe.ingredients for recipe in recipes],
            "Instructions": [recipe.instructions for recipe in recipes],
            "Image_Name": image_names,
            "image_path": [str(photo_folder / f"{name}.jpg") for name in image_names],
            "photo_group": np.full(len(recipes), -1),
            "dish_class": pd.Series(classes, dtype=object),
            "split": "",
            "recipe_id": np.asarray(ids, np.int64),
            "photo_sha256": hashes,
            **{
                column: [getattr(recipe, name) for recipe in recipes]
                for name, column in DETAIL_COLUMNS.items()
            },
        }
    )


def with_groups(frame: "pd.DataFrame", groups: np.ndarray) -> "pd.DataFrame":
    """The DataFrame with its photos' groups and the splits that follow from them."""
    return frame.assign(
        photo_group=groups, split=assign_splits(frame["Image_Name"].tolist(), groups)
    )


def recipe_at(frame: "pd.DataFrame", row: int) -> Recipe:
    """What people read of the recipe in a row."""
    (found,) = frame.iloc[[row]].to_dict("records")
    details = {name: found[column] for name, column in DETAIL_COLUMNS.items()}
    return Recipe(found["Title"], found["Ingredients"], found["Instructions"], **details)


def dataset_sha256(frame: "pd.DataFrame") -> str:
    """Identify texts, photos, split and, where a collection gives them, the recipes' ids."""
    columns = ["Title", "Ingredients", "Instructions", "Image_Name", "split"]
    digest = hashlib.sha256()
    texts = zip(*(frame[column].tolist() for column in columns), strict=True)
    for photo, text in zip(frame["photo_sha256"], texts, strict=True):
        digest.update(f"{photo} {text!r}\n".encode())
    ids = frame["recipe_id"].to_numpy()
    if (ids != np.arange(len(ids))).any():
        digest.update(ids.astype("<i8").tobytes())
    return digest.hexdigest()


def details_sha256(frame: "pd.DataFrame") -> str:
    """Identify what the recipes say of themselves beside their texts."""
    digest = hashlib.sha256()
    details = zip(*(frame[DETAIL_COLUMNS[name]].tolist() for name in DETAILS), strict=True)
    for row, values in enumerate(details):
        if any(values):
            digest.update(f"{row} {values!r}\n".encode())
    return digest.hexdigest()


def reading_rules() -> str:
    """Identify the code that makes recipes of a table's lines."""
    parsers = read_table, ids_of, title_from_slug, ingredient_list, assign_splits, details_of
    return fingerprint(
        code=code_fingerprint(*parsers, texts, frame_of_table, frame_of_recipes, with_groups),
        dish_classes=class_rules(),
        split=[SPLIT_SEED, SPLIT_SHARES],
    )
