"""The recipes and their photos, from Kaggle, from a folder in Kaggle's layout, or the sample."""

import ast
import bisect
import hashlib
import json
import logging
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm.auto import tqdm

from itadaki import copies, images
from itadaki.copies import photo_groups, thumbnail
from itadaki.dish_class import class_rules, dish_class
from itadaki.errors import ArtifactError, DatasetError, ImageError, reason
from itadaki.files import load_dataframe_pickle, replacing, sha256_of, write_json
from itadaki.fingerprint import code_fingerprint, fingerprint
from itadaki.images import decode
from itadaki.network import REACH_SECONDS, why_unreachable
from itadaki.settings import PROJECT_ROOT, Settings, find_path
from itadaki.transaction import reading

if TYPE_CHECKING:  # a service does not look at the table, and starts faster without pandas
    import pandas as pd

KAGGLE_HANDLE = "pes12017000148/food-ingredients-and-recipe-dataset-with-images"
SAMPLE_ROOT = PROJECT_ROOT / "data" / "sample"
_LONGEST_LITERAL = 100_000
"""Characters; Python's parser takes a hundred times their memory."""
SPLIT_SEED = 2025
SPLIT_SHARES = {"train": 0.80, "validation": 0.08, "test": 0.12}

_KAGGLE_API = "https://api.kaggle.com"
_KAGGLE_CSV = "Food Ingredients and Recipe Dataset with Image Name Mapping.csv"
COLLECTION_CSV = "data.csv"
"""An imported collection's own table, in the place where other datasets keep a copy of theirs."""
_CACHE_FORMAT = 4
_log = logging.getLogger(__name__)


class _ReadWhenAsked:
    """A dataclass's field that may be given as a function, called once the field is read."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __set__(self, instance: Any, value: Any) -> None:
        vars(instance)[self._name] = value

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            raise AttributeError(self._name)  # tells dataclass that there is no default
        value = vars(instance)[self._name]
        if callable(value):
            value = vars(instance)[self._name] = value()
        return value


@dataclass(frozen=True)
class Dataset:
    """Recipes that each have a photo which decodes.

    Attributes:
        recipes: one row a recipe, with the columns Title (str), Ingredients (list of str),
            Instructions (str), Image_Name (str), image_path (str, absolute), photo_group (int:
            copies of one photo share it), dish_class (str or None), split (train, validation or
            test), recipe_id (int) and photo_sha256 (str, of the file). The index is 0..n-1, the
            row of the embedding bank; it is the recipe_id too, but in an imported collection,
            where a recipe keeps its id when others come and go.
        source: ``kaggle``, ``sample``, or ``collection`` or ``folder`` and its name; public, so
            without its path.
        root: the folder that holds the CSV and the photos.
        sha256: identifies texts, photos and split, whatever the machine.
        dropped: how many rows of the CSV were left out, by reason.
        notice: what the user must be told about the source, or None.
    """

    recipes: "pd.DataFrame" = _ReadWhenAsked()
    source: str
    root: Path
    sha256: str
    dropped: dict[str, int]
    notice: str | None = None


def load_dataset(settings: Settings | None = None, progress: bool = True) -> Dataset:
    """Load the recipes of the configured dataset, checking every photo the first time.

    The result is cached as ``data/recipes_with_images_dataframe.pkl`` beside ``data/data.csv``,
    and made anew when the CSV, any photo, or the code that reads them changes; photos that it has
    checked before are not checked again. An imported collection has its cache in its own folder.

    Raises:
        DatasetError: no usable dataset; the message says what to set.
    """
    settings = settings or Settings()
    collection = settings.collection_folder
    with reading(collection) if collection else nullcontext():
        root, source, notice = _locate(settings)
        if notice:
            _log.warning(notice)
        csv_path, photo_folder = layout(root)
        cache = DatasetCache(settings.data_folder)
        shape = cache.fingerprint(sha256_of(csv_path), photo_folder, photo_stats(photo_folder))

        def read_anew() -> "tuple[pd.DataFrame, np.ndarray, dict[str, int]]":
            with_ids = collection is not None
            return _read_recipes(csv_path, photo_folder, progress, with_ids, cache.looks(shape))

        facts = cache.facts(shape)
        if facts:
            sha256 = facts["dataset_sha256"]

            def read() -> "pd.DataFrame":
                try:
                    return cache.recipes(facts)
                except ArtifactError as error:
                    _log.warning("%s The recipes are read anew.", error)
                recipes, _, _ = read_anew()
                if dataset_sha256(recipes) != sha256:
                    raise DatasetError(f"The recipes of {source} have just changed; start again.")
                return recipes

            return Dataset(read, source, root, sha256, facts["dropped"], notice)
        recipes, thumbnails, dropped = read_anew()
        dataset = Dataset(recipes, source, root, dataset_sha256(recipes), dropped, notice)
        if not collection:
            with replacing(settings.data_folder / "data.csv") as beside:
                shutil.copyfile(csv_path, beside)
        cache.write(dataset, thumbnails, shape)
        return dataset


def describe(dataset: Dataset) -> str:
    """One line: how many recipes there are, from where, and what was left out."""
    left_out = ", ".join(f"{count} {reason}" for reason, count in dataset.dropped.items())
    return f"{len(dataset.recipes):,} recipes from {dataset.source}" + (
        f" (left out: {left_out})" if left_out else ""
    )


def title_from_slug(image_name: str) -> str:
    """Make a readable title of a photo's name, for the recipes that have none.

    >>> title_from_slug("-bloody-mary-tomato-toast-56389813")
    'Bloody Mary Tomato Toast'
    """
    words = re.sub(r"-\d{4,}$", "", image_name).replace("_", "-").split("-")
    return " ".join(word.capitalize() for word in words if word)


def assign_splits(image_names: Iterable[str], groups: np.ndarray) -> list[str]:
    """Assign each photo to train, validation or test; copies of one photo go together.

    The choice is a hash of the group's alphabetically first photo name and a fixed seed. So it
    does not depend on the order or number of the rows, and a recipe keeps its split when others
    are added or its photo is compressed again.

    Args:
        image_names: the photos' names.
        groups: int array, one number per photo, shared by copies.
    """
    names, numbers = list(image_names), np.asarray(groups).tolist()
    first_name: dict[int, str] = {}
    for group, name in zip(numbers, names, strict=True):
        first_name[group] = min(name, first_name.get(group, name))
    edges = np.cumsum(list(SPLIT_SHARES.values())).tolist()
    splits = list(SPLIT_SHARES)

    def split_of(name: str) -> str:
        digest = hashlib.sha256(f"{SPLIT_SEED}:{name}".encode()).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        return splits[min(bisect.bisect_right(edges, share), len(splits) - 1)]

    split_of_group = {group: split_of(name) for group, name in first_name.items()}
    return [split_of_group[group] for group in numbers]


def _locate(settings: Settings) -> tuple[Path, str, str | None]:
    dataset = settings.dataset
    if dataset == "sample":
        return _sample_root(), "sample", None
    if settings.collection_folder:
        return settings.collection_folder, f"collection {dataset}", None
    if dataset != "kaggle":
        root = find_path(dataset)
        if not root.is_dir():
            raise DatasetError(
                f"There is no collection and no folder {dataset}; set ITADAKI_DATASET to kaggle, "
                "sample, the name of a collection that was imported, or a folder in Kaggle's "
                "layout."
            )
        return root, f"folder {root.name}", None
    downloaded = _downloaded_kaggle()
    if downloaded:
        return downloaded, "kaggle", None
    _log.info("Asking Kaggle for the recipes, for at most %.0f seconds.", REACH_SECONDS)
    why = why_unreachable(_KAGGLE_API)
    if why is None:
        _log.info("Downloading the recipes and their photos from Kaggle, once.")
        import kagglehub

        try:
            return Path(kagglehub.dataset_download(KAGGLE_HANDLE)), "kaggle", None
        except Exception as error:  # kagglehub raises its own, requests' and urllib3's errors
            why = reason(error)
    notice = f"Kaggle cannot be reached ({why})"
    try:
        return _sample_root(), "sample", f"{notice}: the sample cookbook is used instead."
    except DatasetError as error:
        raise DatasetError(
            f"{notice}. {error} A machine without internet also needs the backbone's weights in "
            "ITADAKI_BACKBONE_WEIGHTS."
        ) from None


def _downloaded_kaggle() -> Path | None:
    """The newest complete version in kagglehub's cache, found without asking Kaggle."""
    from kagglehub.config import get_cache_folder

    folder = Path(get_cache_folder()) / "datasets" / KAGGLE_HANDLE
    versions = [int(marker.stem) for marker in folder.glob("*.complete") if marker.stem.isdigit()]
    return folder / "versions" / str(max(versions)) if versions else None


def _sample_root() -> Path:
    if not any(SAMPLE_ROOT.glob("*.csv")):
        raise DatasetError(
            "The sample cookbook is not in this checkout; set ITADAKI_DATASET to a folder that "
            "holds Kaggle's Food Ingredients and Recipe Dataset."
        )
    return SAMPLE_ROOT


def layout(root: Path) -> tuple[Path, Path]:
    """The CSV and the folder of photos in a dataset's folder; raises DatasetError."""
    csv_path = root / _KAGGLE_CSV
    if not csv_path.is_file():
        tables = sorted(root.glob("*.csv"))
        if len(tables) != 1:
            raise DatasetError(
                f"{root} must hold one CSV of recipes ({_KAGGLE_CSV}), not {len(tables)}."
            )
        csv_path = tables[0]
    for photo_folder in (root / "Food Images" / "Food Images", root / "Food Images"):
        if photo_folder.is_dir():
            return csv_path, photo_folder
    raise DatasetError(f'{root} has no folder "Food Images" with the photos.')


PhotoStats = Mapping[str, tuple[int, int]]


def photo_stats(photo_folder: Path) -> PhotoStats:
    """Size in bytes and time of change in nanoseconds of each file in a folder, by name."""
    with os.scandir(photo_folder) as entries:
        stats = [(entry.name, entry.stat()) for entry in entries if entry.is_file()]
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats}


class DatasetCache:
    """What was read of a dataset, kept in a folder: DataFrame, thumbnails, and facts of both."""

    def __init__(self, folder: Path) -> None:
        self._recipes = folder / "recipes_with_images_dataframe.pkl"
        self._facts = self._recipes.with_suffix(".json")
        self._thumbnails = folder / "recipes_with_images_thumbnails.npy"

    @staticmethod
    def fingerprint(csv_sha256: str, photo_folder: Path, stats: PhotoStats) -> str:
        """Two hashes with a dash: of the photos and the code that looks at them, and of the rest.

        The first changes when the photo folder or any photo's size or time of change does, the
        second when the CSV does; both with the code.
        """
        looking = code_fingerprint(images, copies, _look_at)
        photos = fingerprint(
            format=_CACHE_FORMAT, folder=str(photo_folder), photos=sorted(stats.items()), by=looking
        )
        return f"{photos}-{fingerprint(csv=csv_sha256, by=_reading_rules())}"

    def facts(self, fingerprint: str) -> dict[str, Any] | None:
        """The hashes and the counts of dropped rows that ``write`` noted, if what was read is
        still what lies on disk."""
        try:
            facts = json.loads(self._facts.read_text(encoding="utf-8"))
            fits = facts["fingerprint"] == fingerprint and "dropped" in facts
            return facts if fits and facts["pickle_sha256"] == sha256_of(self._recipes) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def looks(self, fingerprint: str) -> dict[str, tuple[str, np.ndarray]]:
        """Hash and thumbnail of each photo by name, if the photos are still those on disk."""
        try:
            facts = json.loads(self._facts.read_text(encoding="utf-8"))
            if facts["fingerprint"].partition("-")[0] != fingerprint.partition("-")[0]:
                return {}
            if facts["thumbnails_sha256"] != sha256_of(self._thumbnails):
                return {}
            recipes, thumbnails = self.recipes(facts), self.thumbnails()
            hashes = recipes["photo_sha256"].tolist()
            looks = zip(hashes, thumbnails, strict=True)
            return dict(zip(recipes["Image_Name"].tolist(), looks, strict=True))
        except (OSError, ValueError, KeyError, TypeError, ArtifactError):
            return {}

    def recipes(self, facts: Mapping[str, Any]) -> "pd.DataFrame":
        """Read the DataFrame; raises ArtifactError if it is not the one that the facts name."""
        return load_dataframe_pickle(self._recipes, facts["pickle_sha256"])

    def is_of(self, fingerprint: str, sha256: str) -> bool:
        """Whether a dataset that was loaded before is still what lies on disk."""
        try:
            facts = json.loads(self._facts.read_text(encoding="utf-8"))
            return (facts["fingerprint"], facts["dataset_sha256"]) == (fingerprint, sha256)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def thumbnails(self) -> np.ndarray:
        """The photos' thumbnails, as ``photo_groups`` takes them."""
        return np.load(self._thumbnails, allow_pickle=False)

    def write(
        self,
        dataset: Dataset,
        thumbnails: np.ndarray,
        fingerprint: str,
        place: Callable[[Path], Path] = lambda path: path,
    ) -> None:
        """Keep what was read.

        Args:
            dataset: what was read.
            thumbnails: of the photos, as ``photo_groups`` takes them.
            fingerprint: of what was read.
            place: where a file that shall lie at a path is to be written.
        """
        pickled, table = place(self._recipes), place(self._thumbnails)
        with replacing(pickled) as beside:
            dataset.recipes.to_pickle(beside)
        with replacing(table) as beside:
            np.save(beside, thumbnails)
        write_json(
            place(self._facts),
            {
                "fingerprint": fingerprint,
                "pickle_sha256": sha256_of(pickled),
                "thumbnails_sha256": sha256_of(table),
                "dataset_sha256": dataset.sha256,
                "source": dataset.source,
                "dropped": dataset.dropped,
            },
        )


def _reading_rules() -> str:
    """Identify the code that makes recipes of a table's lines."""
    parsers = title_from_slug, ingredient_list, recipe_frame, assign_splits, _ids, _read_recipes
    return fingerprint(
        code=code_fingerprint(*parsers),
        dish_classes=class_rules(),
        split=[SPLIT_SEED, SPLIT_SHARES],
    )


def _read_recipes(
    csv_path: Path,
    photo_folder: Path,
    progress: bool,
    with_ids: bool,
    known: Mapping[str, tuple[str, np.ndarray]],
) -> "tuple[pd.DataFrame, np.ndarray, dict[str, int]]":
    import pandas as pd

    try:
        table = pd.read_csv(csv_path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, UnicodeDecodeError) as error:
        raise DatasetError(f"{csv_path} is not a readable CSV: {error}.") from None
    missing = {"Title", "Ingredients", "Instructions", "Image_Name"} - set(table.columns)
    if missing:
        raise DatasetError(f"{csv_path} lacks the columns {', '.join(sorted(missing))}.")

    names = table["Image_Name"].str.strip().tolist()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        looks = list(
            tqdm(
                pool.map(lambda name: known.get(name) or _look_at(name, photo_folder), names),
                total=len(names),
                desc="Checking photos",
                unit="photo",
                disable=not progress,
            )
        )
    usable = [i for i, look in enumerate(looks) if not isinstance(look, str)]
    dropped = dict(sorted(Counter(look for look in looks if isinstance(look, str)).items()))
    if not usable:
        raise DatasetError(f"No recipe of {csv_path} has a usable photo in {photo_folder}.")

    ids = _ids(table, csv_path)[usable] if with_ids else np.arange(len(usable))
    table, names = table.iloc[usable], [names[i] for i in usable]
    hashes = [looks[i][0] for i in usable]
    thumbnails = np.stack([looks[i][1] for i in usable])
    recipes = recipe_frame(
        ids,
        [
            title.strip() or title_from_slug(name)
            for title, name in zip(table["Title"], names, strict=True)
        ],
        [ingredient_list(text) for text in table["Ingredients"]],
        table["Instructions"].str.strip().tolist(),
        names,
        photo_folder,
        hashes,
    )
    return with_groups(recipes, photo_groups(hashes, thumbnails)), thumbnails, dropped


def _ids(table: "pd.DataFrame", csv_path: Path) -> np.ndarray:
    if "Id" not in table.columns:
        raise DatasetError(f"{csv_path} lacks the column Id.")
    texts = table["Id"].str.strip()
    if not texts.str.fullmatch(r"\d{1,15}").all() or texts.astype(np.int64).duplicated().any():
        raise DatasetError(f"The column Id of {csv_path} must hold whole numbers, each once.")
    return texts.astype(np.int64).to_numpy()


def recipe_frame(
    ids: Sequence[int],
    titles: Sequence[str],
    ingredients: Sequence[list[str]],
    instructions: Sequence[str],
    image_names: Sequence[str],
    photo_folder: Path,
    hashes: Sequence[str],
) -> "pd.DataFrame":
    """The rows of a dataset's DataFrame, still without photo_group and split."""
    import pandas as pd

    classes: list[Any] = [dish_class(title) for title in titles]
    return pd.DataFrame(
        {
            "Title": titles,
            "Ingredients": ingredients,
            "Instructions": instructions,
            "Image_Name": image_names,
            "image_path": [str(photo_folder / f"{name}.jpg") for name in image_names],
            "photo_group": np.full(len(titles), -1),
            "dish_class": pd.Series(classes, dtype=object),
            "split": "",
            "recipe_id": np.asarray(ids, np.int64),
            "photo_sha256": hashes,
        }
    )


def with_groups(recipes: "pd.DataFrame", groups: np.ndarray) -> "pd.DataFrame":
    """The DataFrame with its photos' groups and the splits that follow from them."""
    return recipes.assign(
        photo_group=groups, split=assign_splits(recipes["Image_Name"].tolist(), groups)
    )


def dataset_sha256(recipes: "pd.DataFrame") -> str:
    """Identify texts, photos, split and, where a collection gives them, the recipes' ids."""
    columns = ["Title", "Ingredients", "Instructions", "Image_Name", "split"]
    digest = hashlib.sha256()
    texts = zip(*(recipes[column].tolist() for column in columns), strict=True)
    for photo, text in zip(recipes["photo_sha256"], texts, strict=True):
        digest.update(f"{photo} {text!r}\n".encode())
    ids = recipes["recipe_id"].to_numpy()
    if (ids != np.arange(len(ids))).any():
        digest.update(ids.astype("<i8").tobytes())
    return digest.hexdigest()


def _look_at(name: str, photo_folder: Path) -> tuple[str, np.ndarray] | str:
    """A photo's hash and thumbnail, or the reason why it cannot be used."""
    if name == "#NAME?":
        return "#NAME?"
    path = photo_folder / f"{name}.jpg"
    # A name from a CSV must not lead out of the photo folder.
    if not name or path.parent != photo_folder or not path.is_file():
        return "no file"
    try:
        content = path.read_bytes()
        return hashlib.sha256(content).hexdigest(), thumbnail(decode(content))
    except (ImageError, OSError):
        return "not decodable"


def ingredient_list(text: str) -> list[str]:
    """Parse the string of a Python list, as on Kaggle; plain text gives one item a line."""
    items = text.splitlines()
    if len(text) <= _LONGEST_LITERAL:
        with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            # Python brings names into one form of Unicode, which takes the square of a long one's
            # length; in ASCII there is nothing to bring, and texts between quotes stay the same.
            value = ast.literal_eval(text.encode("ascii", "backslashreplace").decode())
            items = [str(item) for item in (value if isinstance(value, list) else [value])]
    return [item for item in (item.strip() for item in items) if item]
