"""Writes the recipes of a dataset with their photos for other programs, in forms that ``import``
reads, too."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from itadaki.errors import CollectionError, ImageError
from itadaki.importing.found import PLAIN
from itadaki.interrupt import temporary_folder
from itadaki.photos.images import decode, media_type
from itadaki.recipes.dataset import load_dataset, recipes_of
from itadaki.recipes.recipe import DatasetRecipe, Recipe
from itadaki.recipes.table import image_name
from itadaki.settings import Settings
from itadaki.storage.files import replacing, writing

_SUFFIXES = {
    **{"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"},
    **{"image/avif": "avif", "image/heic": "heic"},
}
_HEADER = (
    *("Title", "Ingredients", "Instructions", "Photo", "Keywords", "Servings"),
    *("Prep Minutes", "Cook Minutes", "Total Minutes", "Author", "Source", "Encoding Format"),
)
_FORMULA = re.compile(r"'*[=+\-@]")

_TINY, _SMALL, _LARGE = 300, 1200, 2400  # pixels of a photo's longer side
_Files = Iterator[tuple[str, bytes | Path]]


def export(
    settings: Settings, kind: str, target: Path, progress: bool = True
) -> tuple[int, list[str]]:
    """Write all recipes of the dataset that the settings name, with the photos' files as they are.

    Args:
        settings: which dataset.
        kind: one of ``FORMATS``.
        target: a zip that is made or replaced, or a folder, which must not be there yet.
        progress: show a bar.

    Returns:
        How many recipes were written, and the titles of those whose photo cannot be read any more.

    Raises:
        CollectionError: the target is there already.
        StorageError: it cannot be written.
    """
    from tqdm.auto import tqdm

    if target.suffix.lower() != ".zip" and target.exists():
        raise CollectionError(f"{target} is there already; name another folder, or a zip.")
    dataset = load_dataset(settings, progress)
    recipes = recipes_of(dataset)
    bar = tqdm(recipes, desc="Exporting", unit="recipe", disable=not progress)
    left_out: list[str] = []

    def with_photos() -> Iterator[tuple[DatasetRecipe, Path, str]]:
        for recipe in bar:
            photo = dataset.root / recipe.photo
            try:
                suffix = _SUFFIXES[media_type(photo)]
            except (ImageError, OSError):
                left_out.append(recipe.title)
                continue
            yield recipe, photo, suffix

    with _opened(target) as put:
        for name, content in FORMATS[kind](with_photos()):
            put(name, content)
    return len(recipes) - len(left_out), left_out


@contextmanager
def _opened(target: Path) -> Iterator[Callable[[str, bytes | Path], None]]:
    """Yield what puts a file into the target, which is there once all are."""
    if target.suffix.lower() == ".zip":
        with replacing(target) as beside, zipfile.ZipFile(beside, "w") as file:

            def put(name: str, content: bytes | Path) -> None:
                if isinstance(content, Path):  # photos do not shrink
                    file.write(content, name)
                else:
                    file.writestr(name, content, zipfile.ZIP_DEFLATED)

            yield put
        return
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(f".{target.name}-", target.parent) as beside:
            beside.chmod(0o755)

            def put(name: str, content: bytes | Path) -> None:
                path = beside / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())

            yield put
            beside.rename(target)


def _schema_org(recipes: Iterable[tuple[DatasetRecipe, Path, str]]) -> _Files:
    """A folder a recipe, laid out as Nextcloud Cookbook has it."""
    for recipe, photo, suffix in recipes:
        name = image_name(recipe.title, recipe.id)
        described: dict[str, Any] = {
            "@context": "https://schema.org",
            "@type": "Recipe",
            "encodingFormat": PLAIN,
            "name": recipe.title,
            "image": f"full.{suffix}",
            "recipeIngredient": recipe.ingredients,
            "recipeInstructions": [{"@type": "HowToStep", "text": step} for step in _steps(recipe)],
            "keywords": ", ".join(recipe.keywords),
            "recipeYield": recipe.servings,
            "prepTime": _period(recipe.prep_minutes),
            "cookTime": _period(recipe.cook_minutes),
            "totalTime": _period(recipe.total_minutes),
            "author": {"@type": "Person", "name": recipe.author} if recipe.author else "",
            "url": recipe.source,
        }
        yield f"{name}/recipe.json", _json({k: v for k, v in described.items() if v})
        yield f"{name}/full.{suffix}", photo


def _mealie(recipes: Iterable[tuple[DatasetRecipe, Path, str]]) -> _Files:
    """What Mealie takes as a migration from its own earlier version: a JSON file each, and the
    photo in a folder beside it, which Mealie copies as it is and of which it shows only WebP.

    It finds that folder by the slug that it makes of the name itself, and reads no recipe that
    has no ``extras``.
    """
    from slugify import slugify  # as Mealie does

    for recipe, photo, suffix in recipes:
        name = image_name(recipe.title, recipe.id)
        described: dict[str, Any] = {
            "encodingFormat": PLAIN,
            "name": recipe.title,
            "slug": slugify(recipe.title) or name,
            "image": "original",
            "recipeYield": recipe.servings,
            "prepTime": _spoken(recipe.prep_minutes),
            "performTime": _spoken(recipe.cook_minutes),
            "totalTime": _spoken(recipe.total_minutes),
            "recipeIngredient": [
                {"title": None, "note": line, "unit": None, "food": None, "quantity": None}
                for line in recipe.ingredients
            ],
            "recipeInstructions": [{"title": "", "text": step} for step in _steps(recipe)],
            "tags": [
                {"name": word, "slug": slugify(word) or image_name(word, number)}
                for number, word in enumerate(recipe.keywords, 1)
            ],
            "recipeCategory": [],
            "extras": {},
            "orgURL": recipe.source or None,
        }
        yield f"recipes/{name}/{name}.json", _json(described)
        yield f"recipes/{name}/images/original.{suffix}", photo
        try:
            pixels = decode(photo)
        except ImageError:  # what is damaged goes out as it is
            continue
        yield f"recipes/{name}/images/tiny-original.webp", _webp(pixels, _TINY)
        yield f"recipes/{name}/images/min-original.webp", _webp(pixels, _SMALL)
        if suffix != "webp":
            yield f"recipes/{name}/images/original.webp", _webp(pixels, _LARGE)


def _csv(recipes: Iterable[tuple[DatasetRecipe, Path, str]]) -> _Files:
    """A table with a line a recipe, and the photos in a folder beside it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_HEADER)
    for recipe, photo, suffix in recipes:
        name = f"photos/{image_name(recipe.title, recipe.id)}.{suffix}"
        times = recipe.prep_minutes, recipe.cook_minutes, recipe.total_minutes
        cells = (
            *(recipe.title, recipe.ingredients, recipe.instructions, name, recipe.keywords),
            *(recipe.servings, *times, recipe.author, recipe.source, PLAIN),
        )
        writer.writerow(as_cell(str(cell or "")) for cell in cells)
        yield name, photo
    yield "recipes.csv", b"\xef\xbb\xbf" + text.getvalue().encode()  # the mark tells Excel


FORMATS: dict[str, Callable[[Iterable[tuple[DatasetRecipe, Path, str]]], _Files]] = {
    "schema-org": _schema_org,
    "mealie": _mealie,
    "csv": _csv,
}
"""What recipes are written for."""


def as_cell(text: str) -> str:
    """Text that no spreadsheet program takes for a formula; ``import`` takes the mark away."""
    return f"'{text}" if _FORMULA.match(text) else text


def _steps(recipe: Recipe) -> list[str]:
    return [step.strip() for step in recipe.instructions.split("\n") if step.strip()]


def _period(minutes: int) -> str:
    return f"PT{minutes}M" if minutes else ""


def _webp(pixels: np.ndarray, side: int) -> bytes:
    """RGB pixels as a WebP whose longer side is no longer than a number of pixels."""
    height, width = pixels.shape[:2]
    factor = min(1.0, side / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".webp", small[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 85])[1].tobytes()


def _spoken(minutes: int) -> str | None:
    return f"{minutes} minutes" if minutes else None


def _json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, indent=1).encode()
