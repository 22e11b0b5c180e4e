"""A CSV with a recipe a line, one of whose columns names the photo."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from itadaki.importing.found import Found, Photos, Unusable, lines

_COLUMNS = {
    "title": "title name recipe recipename recipetitle titre nom titel titulo título nombre",
    "photo": "photo photos image images picture imagename imagepath imageurl photourl photopath "
    "imagefile photofile bild foto img",
    "ingredients": "ingredients ingredient ingredientlist recipeingredient ingrédients zutaten "
    "ingredientes",
    "instructions": "instructions instruction directions method steps preparation recipe"
    "instructions préparation zubereitung preparación",
}


def read(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read all recipes of a table; its columns are known by their names, in any order."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")  # as spreadsheets on Windows save it
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    csv.field_size_limit(10_000_000)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
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
            cell = {name: row[i] if i < len(row) else "" for name, i in at.items()}
            yield Found(
                f"{origin}, line {rows.line_num}",
                cell["title"],
                lines(cell.get("ingredients")),
                cell.get("instructions", ""),
                photos.find(cell["photo"], path),
            )
    except csv.Error as error:
        yield Unusable(f"{origin}, line {rows.line_num}", f"it is no CSV from here on: {error}")


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
