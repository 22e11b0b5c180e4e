"""The photos that the page offers to try, out of the folder ``test_recipes``."""

import csv
import re
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from itadaki.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "test_recipes"

# Not under /api/: neither the key nor the rate limit is about the page's own pictures.
router = APIRouter(prefix="/examples", include_in_schema=False)
_MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}


@router.get("")
def examples() -> list[dict[str, str]]:
    """Name and title of every example; empty where the folder is missing."""
    titles = _titles()
    names = sorted(_photos(), key=_by_number)
    return [{"name": name, "title": titles.get(name, Path(name).stem)} for name in names]


@router.get("/{name}")
def example(name: str) -> FileResponse:
    """One example's photo."""
    photo = _photos().get(name)  # only what the folder lists, so that no name leads out of it
    if photo is None:
        raise HTTPException(404, f"There is no example {name}.")
    return FileResponse(photo, media_type=_MEDIA_TYPES[photo.suffix])


def _photos() -> dict[str, Path]:
    files = FOLDER.iterdir() if FOLDER.is_dir() else ()
    return {
        path.name: path
        for path in files
        if path.suffix in _MEDIA_TYPES and path.is_file() and not path.is_symlink()
    }


def _titles() -> dict[str, str]:
    try:
        with (FOLDER / "answers.csv").open(encoding="utf-8", newline="") as table:
            return {row["file"]: row["title"] for row in csv.DictReader(table)}
    except (OSError, KeyError, UnicodeDecodeError, csv.Error):
        return {}


def _by_number(name: str) -> list[str | int]:
    """Sorts 2.jpg before 10.jpg: text and numbers in turn."""
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"(\d+)", name))]
