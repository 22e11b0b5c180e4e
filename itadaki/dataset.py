"""The recipes and their photos, from Kaggle, from a folder in Kaggle's layout, or the sample."""

import ast
import hashlib
import json
import logging
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from itadaki.copies import photo_groups, thumbnail
from itadaki.dish_class import dish_class
from itadaki.errors import DatasetError, ImageError
from itadaki.files import replacing, sha256_of, write_json
from itadaki.images import decode
from itadaki.network import why_unreachable
from itadaki.settings import PROJECT_ROOT, Settings, find_path

KAGGLE_HANDLE = "pes12017000148/food-ingredients-and-recipe-dataset-with-images"
SAMPLE_ROOT = PROJECT_ROOT / "data" / "sample"
SPLIT_SEED = 2025
SPLIT_SHARES = {"train": 0.80, "validation": 0.08, "test": 0.12}

_KAGGLE_API = "https://api.kaggle.com"
_KAGGLE_CSV = "Food Ingredients and Recipe Dataset with Image Name Mapping.csv"
_CACHE_FORMAT = 2
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dataset:
    """Recipes that each have a photo which decodes.

    Attributes:
        recipes: one row a recipe, with the columns Title (str), Ingredients (list of str),
            Instructions (str), Image_Name (str), image_path (str, absolute), photo_group (int:
            copies of one photo share it), dish_class (str or None) and split (train, validation
            or test). The index is 0..n-1, the row of the embedding bank.
        source: ``kaggle``, ``sample``, or ``folder`` and its name; public, so without its path.
        root: the folder that holds the CSV and the photos.
        sha256: identifies texts, photos and split, whatever the machine.
        dropped: how many rows of the CSV were left out, by reason.
        notice: what the user must be told about the source, or None.
    """

    recipes: pd.DataFrame
    source: str
    root: Path
    sha256: str
    dropped: dict[str, int]
    notice: str | None = None


def load_dataset(settings: Settings | None = None, progress: bool = True) -> Dataset:
    """Load the recipes of the configured dataset, checking every photo the first time.

    The result is cached as ``data/recipes_with_images_dataframe.pkl`` beside ``data/data.csv``,
    and made anew when the CSV or any photo changes.

    Raises:
        DatasetError: no usable dataset; the message says what to set.
    """
    settings = settings or Settings()
    root, source, notice = _locate(settings.dataset)
    if notice:
        _log.warning(notice)
    csv_path, photo_folder = _layout(root)
    data_folder = settings.home / "data"
    cache = data_folder / "recipes_with_images_dataframe.pkl"
    about = cache.with_suffix(".json")
    fingerprint = _fingerprint(csv_path, photo_folder)

    known = _read_cache(cache, about, fingerprint)
    if known is None:
        recipes, dropped, sha256 = _read_recipes(csv_path, photo_folder, progress)
        known = recipes, dropped, sha256
        with replacing(data_folder / "data.csv") as beside:
            shutil.copyfile(csv_path, beside)
        with replacing(cache) as beside:
            recipes.to_pickle(beside)
        write_json(
            about,
            {
                "fingerprint": fingerprint,
                "pickle_sha256": sha256_of(cache),
                "dataset_sha256": sha256,
                "source": source,
                "dropped": dropped,
            },
        )
    recipes, dropped, sha256 = known
    return Dataset(recipes, source, root, sha256, dropped, notice)


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
    names = pd.Series(list(image_names))
    first_name = names.groupby(np.asarray(groups)).transform("min")
    edges = np.cumsum(list(SPLIT_SHARES.values()))
    splits = list(SPLIT_SHARES)

    def split_of(name: str) -> str:
        digest = hashlib.sha256(f"{SPLIT_SEED}:{name}".encode()).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        return splits[min(int(np.searchsorted(edges, share, side="right")), len(splits) - 1)]

    return [split_of(name) for name in first_name]


def _locate(dataset: str) -> tuple[Path, str, str | None]:
    if dataset == "sample":
        return _sample_root(), "sample", None
    if dataset != "kaggle":
        root = find_path(dataset)
        if not root.is_dir():
            raise DatasetError(
                f"There is no folder {root}; set ITADAKI_DATASET to kaggle, sample, "
                "or a folder in Kaggle's layout."
            )
        return root, f"folder {root.name}", None
    downloaded = _downloaded_kaggle()
    if downloaded:
        return downloaded, "kaggle", None
    reason = why_unreachable(_KAGGLE_API)
    if reason is None:
        import kagglehub

        try:
            return Path(kagglehub.dataset_download(KAGGLE_HANDLE)), "kaggle", None
        except Exception as error:  # kagglehub raises its own, requests' and urllib3's errors
            reason = str(error)
    notice = f"Kaggle cannot be reached ({reason})"
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


def _layout(root: Path) -> tuple[Path, Path]:
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


def _fingerprint(csv_path: Path, photo_folder: Path) -> str:
    """Changes when the CSV, the photo folder or any photo's size or time of change does."""
    digest = hashlib.sha256(
        f"{_CACHE_FORMAT} {SPLIT_SEED} {SPLIT_SHARES} {photo_folder}\n".encode()
    )
    digest.update(sha256_of(csv_path).encode())
    with os.scandir(photo_folder) as entries:
        files = sorted((entry.name, entry.stat()) for entry in entries if entry.is_file())
    for name, stat in files:
        digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _read_cache(
    cache: Path, about: Path, fingerprint: str
) -> tuple[pd.DataFrame, dict[str, int], str] | None:
    try:
        facts = json.loads(about.read_text(encoding="utf-8"))
        if facts["fingerprint"] != fingerprint or facts["pickle_sha256"] != sha256_of(cache):
            return None
        return pd.read_pickle(cache), facts["dropped"], facts["dataset_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read_recipes(
    csv_path: Path, photo_folder: Path, progress: bool
) -> tuple[pd.DataFrame, dict[str, int], str]:
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
                pool.map(lambda name: _look_at(name, photo_folder), names),
                total=len(names),
                desc="Checking photos",
                unit="photo",
                disable=not progress,
                mininterval=0.5,
            )
        )
    usable = [i for i, look in enumerate(looks) if not isinstance(look, str)]
    dropped = dict(sorted(Counter(look for look in looks if isinstance(look, str)).items()))
    if not usable:
        raise DatasetError(f"No recipe of {csv_path} has a usable photo in {photo_folder}.")

    table, names = table.iloc[usable], [names[i] for i in usable]
    hashes = [looks[i][0] for i in usable]
    groups = photo_groups(hashes, np.stack([looks[i][1] for i in usable]))
    titles = [
        title.strip() or title_from_slug(name)
        for title, name in zip(table["Title"], names, strict=True)
    ]
    recipes = pd.DataFrame(
        {
            "Title": titles,
            "Ingredients": [_ingredient_list(text) for text in table["Ingredients"]],
            "Instructions": table["Instructions"].str.strip().tolist(),
            "Image_Name": names,
            "image_path": [str(photo_folder / f"{name}.jpg") for name in names],
            "photo_group": groups,
            "dish_class": pd.Series([dish_class(title) for title in titles], dtype=object),
            "split": assign_splits(names, groups),
        }
    )
    digest = hashlib.sha256()
    texts = recipes[["Title", "Ingredients", "Instructions", "Image_Name", "split"]]
    for photo, text in zip(hashes, texts.itertuples(index=False), strict=True):
        digest.update(f"{photo} {tuple(text)!r}\n".encode())
    return recipes, dropped, digest.hexdigest()


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


def _ingredient_list(text: str) -> list[str]:
    """Parse the string of a Python list, as on Kaggle; plain text gives one item a line."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = text.splitlines()
    items = value if isinstance(value, list) else [value]
    return [item for item in (str(item).strip() for item in items) if item]
