"""The recipes and their photos, from Kaggle, from a folder in Kaggle's layout, or the sample."""

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itadaki.errors import ArtifactError, DatasetError, StorageError
from itadaki.recipes.cache import DatasetCache, photo_stats
from itadaki.recipes.frame import dataset_sha256, details_sha256, frame_of_table
from itadaki.recipes.looks import look_at_all
from itadaki.recipes.recipe import DatasetRecipe
from itadaki.recipes.source import COLLECTION_CSV, layout, locate
from itadaki.recipes.table import DETAIL_COLUMNS, ids_of, read_table
from itadaki.settings import Settings, find_path
from itadaki.storage.files import replacing, sha256_of
from itadaki.storage.fingerprint import fingerprint
from itadaki.storage.transaction import reading

if TYPE_CHECKING:  # a service does not look at the table, and starts faster without pandas
    import pandas as pd

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dataset:
    """Recipes that each have a photo which decodes.

    Attributes:
        read: gives ``recipes``, and is called once these are asked for.
        source: ``kaggle``, ``sample``, or ``collection`` or ``folder`` and its name; public, so
            without its path.
        root: the folder that holds the CSV and the photos.
        sha256: identifies texts, photos and split, whatever the machine.
        details_sha256: identifies keywords, servings, times, authors and sources, which no score
            of a model depends on; training reads the keywords, and begins anew once it changes.
        dropped: how many rows of the CSV were left out, by reason.
        notice: what the user must be told about the source, or None.
    """

    read: "Callable[[], pd.DataFrame]"
    source: str
    root: Path
    sha256: str
    details_sha256: str
    dropped: dict[str, int]
    notice: str | None = None

    @cached_property
    def recipes(self) -> "pd.DataFrame":
        """One row a recipe.

        The columns are Title (str), Ingredients (list of str), Instructions (str), Image_Name
        (str), image_path (str, absolute), photo_group (int: copies of one photo share it),
        dish_class (str or None), split (train, validation, test or sealed), recipe_id (int),
        photo_sha256 (str, of the file), and, empty or 0 where the table says nothing, Keywords
        (list of str), Servings (str), Prep_Minutes, Cook_Minutes and Total_Minutes (int), Author
        (str) and Source (str, an address on the web). The index is 0..n-1, the row of the
        embedding bank; it is the recipe_id too, but in an imported collection, where a recipe
        keeps its id when others come and go.
        """
        return self.read()

    def facts(self) -> dict[str, Any]:
        """What a cache notes of it."""
        return {
            "dataset_sha256": self.sha256,
            "details_sha256": self.details_sha256,
            "source": self.source,
            "dropped": self.dropped,
        }


def load_dataset(settings: Settings | None = None, progress: bool = True) -> Dataset:
    """Load the recipes of the configured dataset, checking every photo the first time.

    What was seen of the photos is cached in ``data/``, and made anew when the CSV, any photo, or
    the code that reads them changes; photos that it has checked before are not checked again. An
    imported collection has its cache in its own folder. The result is written there as
    ``recipes_with_images_dataframe.pkl`` beside ``data.csv``, for users; a pickle can run code,
    so it is never read back.

    Raises:
        DatasetError: no usable dataset; the message says what to set.
    """
    settings = settings or Settings()
    collection = settings.collection_folder
    with reading(collection) if collection else nullcontext():
        root, source, notice = locate(settings)
        if notice:
            _log.warning(notice)
        csv_path, photo_folder = layout(root)
        cache = DatasetCache(settings.data_folder)
        shape = cache.fingerprint(sha256_of(csv_path), photo_folder, photo_stats(photo_folder))

        def read_table_and_ids() -> "tuple[pd.DataFrame, np.ndarray | None]":
            table = read_table(csv_path)
            return table, ids_of(table, csv_path) if collection else None

        def read_anew() -> "tuple[pd.DataFrame, np.ndarray, dict[str, int]]":
            table, ids = read_table_and_ids()
            names = table["Image_Name"].str.strip().tolist()
            known = cache.known_looks(shape)
            looks, dropped = look_at_all(names, photo_folder, known, progress)
            if not len(looks):
                raise DatasetError(f"No recipe of {csv_path} has a usable photo in {photo_folder}.")
            return frame_of_table(table, ids, looks, photo_folder), looks, dropped

        if facts := cache.facts(shape):
            noted = facts["dataset_sha256"], facts["details_sha256"]

            def read() -> "pd.DataFrame":
                try:
                    frame = frame_of_table(*read_table_and_ids(), cache.looks(facts), photo_folder)
                    if hashes_of(frame) == noted:
                        return frame
                except ArtifactError as error:
                    _log.warning("%s The recipes are read anew.", error)
                frame, _, _ = read_anew()
                if hashes_of(frame) != noted:
                    raise DatasetError(f"The recipes of {source} have just changed; start again.")
                return frame

            return Dataset(read, source, root, *noted, facts["dropped"], notice)
        frame, looks, dropped = read_anew()
        dataset = Dataset(lambda: frame, source, root, *hashes_of(frame), dropped, notice)
        try:
            if not collection:
                with replacing(settings.data_folder / COLLECTION_CSV) as beside:
                    shutil.copyfile(csv_path, beside)
            cache.write(frame, looks, shape, dataset.facts())
        except StorageError as error:
            _log.warning("What was read cannot be kept, so it is read at every start: %s", error)
        return dataset


def load_beside(settings: Settings, source: str, progress: bool = True) -> Dataset:
    """Load another dataset than the configured one, without taking the place of its caches.

    Args:
        settings: the home.
        source: as ``ITADAKI_DATASET`` names it.
        progress: show a bar.

    Raises:
        DatasetError: there is none.
    """
    other = settings.model_copy(update={"dataset": source})
    if not other.collection_folder:
        home = settings.home / "data" / "also" / fingerprint(source=str(find_path(source)))[:16]
        other = other.model_copy(update={"home": home})
    return load_dataset(other, progress)


def recipes_of(dataset: Dataset, rows: Sequence[int] | None = None) -> list[DatasetRecipe]:
    """A dataset's recipes, or those of some rows."""
    above = len(str(dataset.root)) + 1
    chosen = dataset.recipes if rows is None else dataset.recipes.iloc[list(rows)]
    return [
        DatasetRecipe(
            title=row["Title"],
            ingredients=list(row["Ingredients"]),
            instructions=row["Instructions"],
            id=row["recipe_id"],
            dish_class=row["dish_class"],
            image_name=row["Image_Name"],
            photo=row["image_path"][above:].replace(os.sep, "/"),
            photo_sha256=row["photo_sha256"],
            photo_group=row["photo_group"],
            split=row["split"],
            **{name: row[column] for name, column in DETAIL_COLUMNS.items()},
        )
        for row in chosen.to_dict("records")
    ]


def hashes_of(frame: "pd.DataFrame") -> tuple[str, str]:
    """``sha256`` and ``details_sha256`` of a dataset with this DataFrame."""
    return dataset_sha256(frame), details_sha256(frame)


def describe(dataset: Dataset) -> str:
    """One line: how many recipes there are, from where, and what was left out."""
    left_out = ", ".join(f"{count} {reason}" for reason, count in dataset.dropped.items())
    return f"{len(dataset.recipes):,} recipes from {dataset.source}" + (
        f" (left out: {left_out})" if left_out else ""
    )
