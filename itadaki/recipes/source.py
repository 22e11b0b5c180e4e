"""Where the recipes lie: Kaggle's download, the sample cookbook, a collection, or a folder."""

import logging
from pathlib import Path

from itadaki.errors import DatasetError, reason
from itadaki.network import REACH_SECONDS, why_unreachable
from itadaki.settings import PROJECT_ROOT, Settings, find_path

KAGGLE_HANDLE = "pes12017000148/food-ingredients-and-recipe-dataset-with-images"
SAMPLE_ROOT = PROJECT_ROOT / "data" / "sample"
COLLECTION_CSV = "data.csv"
"""An imported collection's own table, in the place where other datasets keep a copy of theirs."""
PHOTO_FOLDER = "Food Images"

_KAGGLE_API = "https://api.kaggle.com"
_KAGGLE_CSV = "Food Ingredients and Recipe Dataset with Image Name Mapping.csv"
_log = logging.getLogger(__name__)


def locate(settings: Settings) -> tuple[Path, str, str | None]:
    """The folder of the configured dataset, its name for all to see, and what the user must be
    told about it, or None.

    Raises:
        DatasetError: there is none; the message says what to set.
    """
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
    for photo_folder in (root / PHOTO_FOLDER / PHOTO_FOLDER, root / PHOTO_FOLDER):
        if photo_folder.is_dir():
            return csv_path, photo_folder
    raise DatasetError(f'{root} has no folder "{PHOTO_FOLDER}" with the photos.')
