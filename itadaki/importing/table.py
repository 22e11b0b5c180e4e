"""A CSV with a recipe a line, one of whose columns names the photo."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from itadaki.importing.found import Found, Photos, Unusable, details, lines

_MAX_CELL = 1_000_000
_COLUMNS = {
    "title": "title name recipe recipename recipetitle titre nom titel titulo título nombre",
    "photo": "photo photos image images picture imagename imagepath imageurl photourl photopath "
    "imagefile photofile bild foto img",
    "ingredients": "ingredients ingredient ingredientlist recipeingredient ingrédients zutaten "
    "ingredientes",
    "keywords": "keywords keyword tags categories category schlagwörter motsclés etiquetas",
    "servings": "servings yield recipeyield serves portions portionen porciones",
    "prep_minutes": "prepminutes preptime",
    "cook_minutes": "cookminutes cooktime",
    "total_minutes": "totalminutes totaltime",
    "author": "author autor auteur",
    "source": "source sourceurl url link",
    "instructions": "instructions instruction directions method steps preparation recipe"
    "instructions préparation zubereitung preparación",
}


def read(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read all recipes of a table; its columns are known by their names, in any order."""
    with path.open(encoding=_encoding(path), errors="replace", newline="") as text:
        head = text.readline(_MAX_CELL)
        text.seek(0)
        yield from _rows(text, head, path, origin, photos)


def _encoding(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            while text.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252"  # as spreadsheets on Windows save it
    return "utf-8-sig"


def _rows(
    text: TextIO, head: str, path: Path, origin: str, photos: Photos
) -> Iterator[Found | Unusable]:
    csv.field_size_limit(_MAX_CELL)
    rows = csv.reader(text, delimiter=max(",;\t", key=head.count))
    try:
        at = _places(next(rows, []))
        missing = {"title", "photo"} - at.keys()
        if missing:
            names = " and ".join(f"for the {name}" for name in sorted(missing))
            yield Unusable(origin, f"it has no column {names}")
            return
        for row in rows:
            if not any(row):
                continue
            cell = {name: _plain(row[i]) if i < len(row) else "" for name, i in at.items()}
            yield Found(
                cell["title"],
                lines(cell.get("ingredients")),
                cell.get("instructions", ""),
                f"{origin}, line {rows.line_num}",
                photos.find(cell["photo"], path),
                **details(**cell | {"keywords": lines(cell.get("keywords"))}),
            )
    except csv.Error as error:
        yield Unusable(f"{origin}, line {rows.line_num}", f"it is no CSV from here on: {error}")


def _plain(cell: str) -> str:
    """A cell without the apostrophe that keeps it from being a formula."""
    return cell[1:] if re.match(r"'+[=+\-@]", cell) else cell


def _places(header: list[str]) -> dict[str, int]:
    plain = [re.sub(r"[\W_]", "", name).lower() for name in header]
    places = {}
    for column, names in _COLUMNS.items():
        # The first of our names that is there, so that a column "recipe" beside "title" is no
        # title.
        found = [plain.index(name) for name in names.split() if name in plain]
        if found:
            places[column] = found[0]
    return places
