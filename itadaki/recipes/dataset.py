"""The recipes and their photos, from Kaggle, from a folder in Kaggle's layout, or the sample."""

import ast
import bisect
import hashlib
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

from itadaki.errors import ArtifactError, DatasetError, ImageError, StorageError, reason
from itadaki.network import REACH_SECONDS, why_unreachable
from itadaki.photos import images
from itadaki.photos.images import decode
from itadaki.recipes import copies
from itadaki.recipes.copies import THUMBNAIL_SIDE, photo_groups, thumbnail
from itadaki.recipes.dish_class import class_rules, dish_class
from itadaki.settings import PROJECT_ROOT, Settings, find_path
from itadaki.storage.files import open_array, read_json_object, replacing, sha256_of, write_json
from itadaki.storage.fingerprint import code_fingerprint, fingerprint
from itadaki.storage.transaction import reading

if TYPE_CHECKING:  # a service does not look at the table, and starts faster without pandas
    import pandas as pd

KAGGLE_HANDLE = "pes12017000148/food-ingredients-and-recipe-dataset-with-images"
SAMPLE_ROOT = PROJECT_ROOT / "data" / "sample"
_LONGEST_LITERAL = 1_500_000
"""Characters; Python's parser takes a hundred times their memory. The ingredients that a
collection accepts take up to 1,200,000: 100,000 characters, in as many escapes and 50,000 lines."""
SPLIT_SEED = 2025
SPLIT_SHARES = {"train": 0.80, "validation": 0.08, "test": 0.12}

_KAGGLE_API = "https://api.kaggle.com"
_KAGGLE_CSV = "Food Ingredients and Recipe Dataset with Image Name Mapping.csv"
COLLECTION_CSV = "data.csv"
"""An imported collection's own table, in the place where other datasets keep a copy of theirs."""
_CACHE_FORMAT = 5
_LOOK = np.dtype(
    [
        ("name", "S32"),
        ("sha256", "S64"),
        ("group", "<i8"),
        ("thumbnail", "u1", (THUMBNAIL_SIDE * THUMBNAIL_SIDE * 3,)),
    ]
)
"""What is kept of a recipe's photo; of its name a hash."""
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
        root, source, notice = _locate(settings)
        if notice:
            _log.warning(notice)
        csv_path, photo_folder = layout(root)
        cache = DatasetCache(settings.data_folder)
        shape = cache.fingerprint(sha256_of(csv_path), photo_folder, photo_stats(photo_folder))
        with_ids = collection is not None

        def read_anew() -> "tuple[pd.DataFrame, np.ndarray, dict[str, int]]":
            table, ids = _read_table(csv_path, with_ids)
            known = cache.known_looks(shape)
            looks, dropped = _look_at_all(table, csv_path, photo_folder, progress, known)
            return _recipes(table, ids, looks, photo_folder), looks, dropped

        facts = cache.facts(shape)
        if facts:
            sha256 = facts["dataset_sha256"]

            def read() -> "pd.DataFrame":
                try:
                    table, ids = _read_table(csv_path, with_ids)
                    recipes = _recipes(table, ids, cache.looks(facts), photo_folder)
                    if dataset_sha256(recipes) == sha256:
                        return recipes
                except ArtifactError as error:
                    _log.warning("%s The recipes are read anew.", error)
                recipes, _, _ = read_anew()
                if dataset_sha256(recipes) != sha256:
                    raise DatasetError(f"The recipes of {source} have just changed; start again.")
                return recipes

            return Dataset(read, source, root, sha256, facts["dropped"], notice)
        recipes, looks, dropped = read_anew()
        dataset = Dataset(recipes, source, root, dataset_sha256(recipes), dropped, notice)
        try:
            if not collection:
                with replacing(settings.data_folder / "data.csv") as beside:
                    shutil.copyfile(csv_path, beside)
            cache.write(dataset, looks, shape)
        except StorageError as error:
            _log.warning("What was read cannot be kept, so it is read at every start: %s", error)
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
                f"{root} must hold one CSV of recipes ({_KAGGLE_CSV}, or {COLLECTION_CSV} of an "
                f"imported collection), not {len(tables)}."
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
    """What was read of a dataset, kept in a folder: looks at its photos, the DataFrame for users,
    and facts of both."""

    def __init__(self, folder: Path) -> None:
        self._recipes = folder / "recipes_with_images_dataframe.pkl"
        self._facts = self._recipes.with_suffix(".json")
        self._looks = folder / "recipes_with_images_thumbnails.npy"

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
            facts = read_json_object(self._facts)
            fits = (
                facts.get("fingerprint") == fingerprint
                and isinstance(facts.get("dropped"), dict)
                and isinstance(facts.get("dataset_sha256"), str)
                and facts.get("pickle_sha256") == sha256_of(self._recipes)
                and facts.get("looks_sha256") == sha256_of(self._looks)
            )
            return facts if fits else None
        except (OSError, ArtifactError):
            return None

    def looks(self, facts: Mapping[str, Any]) -> np.ndarray:
        """Read what was seen of the photos: array of ``_LOOK``, one of each recipe.

        Raises:
            ArtifactError: it is not what the facts name.
        """
        if not self._looks.is_file() or sha256_of(self._looks) != facts.get("looks_sha256"):
            raise ArtifactError(f"{self._looks} was changed.")
        looks = open_array(self._looks, mapped=False)
        if looks.ndim != 1 or looks.dtype != _LOOK:
            raise ArtifactError(f"{self._looks} is not what was seen of photos.")
        return looks

    def known_looks(self, fingerprint: str) -> dict[bytes, np.void]:
        """What was seen of each photo, by its name's hash, if the photos are still those on
        disk."""
        try:
            facts = read_json_object(self._facts)
            if str(facts.get("fingerprint")).partition("-")[0] != fingerprint.partition("-")[0]:
                return {}
            looks = self.looks(facts)
        except ArtifactError:
            return {}
        return dict(zip(looks["name"].tolist(), looks, strict=True))

    def write(
        self,
        dataset: Dataset,
        looks: np.ndarray,
        fingerprint: str,
        place: Callable[[Path], Path] = lambda path: path,
    ) -> None:
        """Keep what was read.

        Args:
            dataset: what was read.
            looks: what was seen of its photos, as ``looks_of`` gives it.
            fingerprint: of what was read.
            place: where a file that shall lie at a path is to be written.

        Raises:
            StorageError: it cannot be written.
        """
        pickled, table = place(self._recipes), place(self._looks)
        with replacing(pickled) as beside:
            dataset.recipes.to_pickle(beside)
        with replacing(table) as beside:
            np.save(beside, looks)
        write_json(
            place(self._facts),
            {
                "fingerprint": fingerprint,
                "pickle_sha256": sha256_of(pickled),
                "looks_sha256": sha256_of(table),
                "dataset_sha256": dataset.sha256,
                "source": dataset.source,
                "dropped": dataset.dropped,
            },
        )


def looks_of(
    names: Sequence[str], hashes: Sequence[str], groups: np.ndarray, thumbnails: np.ndarray
) -> np.ndarray:
    """What a cache keeps of recipes' photos, from one value of each: array of ``_LOOK``."""
    looks = np.empty(len(names), _LOOK)
    looks["name"], looks["sha256"] = _hashed(names), hashes
    looks["group"], looks["thumbnail"] = groups, thumbnails
    return looks


def _hashed(names: Iterable[str]) -> np.ndarray:
    hashes = [hashlib.sha256(name.encode()).hexdigest()[:32].encode() for name in names]
    return np.array(hashes, "S32")


def _reading_rules() -> str:
    """Identify the code that makes recipes of a table's lines."""
    parsers = title_from_slug, ingredient_list, recipe_frame, assign_splits, _read_table, _recipes
    return fingerprint(
        code=code_fingerprint(*parsers),
        dish_classes=class_rules(),
        split=[SPLIT_SEED, SPLIT_SHARES],
    )


def read_ids(csv_path: Path) -> np.ndarray:
    """The ids in a collection's table, of recipes without a usable photo too; raises
    DatasetError."""
    return _read_table(csv_path, with_ids=True)[1]


def _read_table(csv_path: Path, with_ids: bool) -> "tuple[pd.DataFrame, np.ndarray | None]":
    """A CSV as strings, without its blank lines, and its column Id where a collection has one."""
    import pandas as pd

    try:
        table = pd.read_csv(csv_path, dtype=str, keep_default_na=False, encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{csv_path} cannot be read: {reason(error)}.") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{csv_path} is not in UTF-8; save it so and try again.") from None
    except pd.errors.EmptyDataError:
        raise DatasetError(f"{csv_path} is empty.") from None
    except ValueError:
        raise DatasetError(
            f"{csv_path} is not a readable CSV: a line has too many fields, or a quoted text does "
            "not end."
        ) from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas has taken a column for names of rows
        raise DatasetError(f"{csv_path} has more fields in its rows than in its first line.")
    missing = {"Title", "Ingredients", "Instructions", "Image_Name"} - set(table.columns)
    if missing:
        raise DatasetError(
            f"{csv_path} lacks the columns {', '.join(sorted(missing))}; it must be UTF-8 with "
            "commas, as spreadsheet programs save it if they are told."
        )
    table = table[(table != "").any(axis=1)].reset_index(drop=True)
    if not with_ids:
        return table, None
    if "Id" not in table.columns:
        raise DatasetError(f"{csv_path} lacks the column Id.")
    texts = table["Id"].str.strip()
    if not texts.str.fullmatch(r"\d{1,15}").all() or texts.astype(np.int64).duplicated().any():
        raise DatasetError(f"The column Id of {csv_path} must hold whole numbers, each once.")
    return table, texts.astype(np.int64).to_numpy()


def _look_at_all(
    table: "pd.DataFrame",
    csv_path: Path,
    photo_folder: Path,
    progress: bool,
    known: Mapping[bytes, np.void],
) -> tuple[np.ndarray, dict[str, int]]:
    """What is seen of the photos that can be used, and how many cannot, by reason."""
    names = table["Image_Name"].str.strip().tolist()

    def look_at(name: str, hashed: bytes) -> tuple[str, np.ndarray] | str:
        look = known.get(hashed)
        if look is None:
            return _look_at(name, photo_folder)
        return look["sha256"].decode(), look["thumbnail"]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        seen = list(
            tqdm(
                pool.map(look_at, names, _hashed(names).tolist()),
                total=len(names),
                desc="Checking photos",
                unit="photo",
                disable=not progress,
            )
        )
    usable = [i for i, look in enumerate(seen) if not isinstance(look, str)]
    dropped = dict(sorted(Counter(look for look in seen if isinstance(look, str)).items()))
    if not usable:
        raise DatasetError(f"No recipe of {csv_path} has a usable photo in {photo_folder}.")
    hashes = [seen[i][0] for i in usable]
    thumbnails = np.stack([seen[i][1] for i in usable])
    groups = photo_groups(hashes, thumbnails)
    return looks_of([names[i] for i in usable], hashes, groups, thumbnails), dropped


def _recipes(
    table: "pd.DataFrame", ids: np.ndarray | None, looks: np.ndarray, photo_folder: Path
) -> "pd.DataFrame":
    """A dataset's DataFrame, from its CSV and what was seen of the photos.

    Raises:
        ArtifactError: the photos are of other rows.
    """
    names = table["Image_Name"].str.strip()
    hashed = _hashed(names)
    usable = np.flatnonzero(np.isin(hashed, looks["name"]))
    if not np.array_equal(hashed[usable], looks["name"]):
        raise ArtifactError("What was seen of the photos is of another CSV.")
    table, names = table.iloc[usable], names.iloc[usable].tolist()
    recipes = recipe_frame(
        np.arange(len(usable)) if ids is None else ids[usable],
        [
            title.strip() or title_from_slug(name)
            for title, name in zip(table["Title"], names, strict=True)
        ],
        [ingredient_list(text) for text in table["Ingredients"]],
        table["Instructions"].str.strip().tolist(),
        names,
        photo_folder,
        looks["sha256"].astype(str).tolist(),
    )
    return with_groups(recipes, looks["group"].copy())


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
