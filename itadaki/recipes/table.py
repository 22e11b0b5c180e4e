"""The CSV of a dataset: read into a table of texts, and a collection's changed line by line."""

import ast
import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itadaki.errors import DatasetError, reason
from itadaki.recipes.recipe import DETAILS, TIMES, Recipe
from itadaki.recipes.texts import keyword_list, minutes, one_line, web_address

if TYPE_CHECKING:  # a service that changes nothing starts faster without pandas
    import pandas as pd

COLUMNS = ("Id", "Title", "Ingredients", "Instructions", "Image_Name")
"""That each collection's CSV has; others have no Id."""
DETAIL_COLUMNS = {
    "keywords": "Keywords",
    "servings": "Servings",
    "prep_minutes": "Prep_Minutes",
    "cook_minutes": "Cook_Minutes",
    "total_minutes": "Total_Minutes",
    "author": "Author",
    "source": "Source",
}
"""The columns of ``DETAILS``, any of which a CSV may lack."""
MAX_FIELD = 2**31 - 1
"""Whatever a table holds is read: what is new was bounded before."""
_LONGEST_LITERAL = 1_500_000
"""Characters; Python's parser takes a hundred times their memory. The ingredients that a
collection accepts take up to 1,200,000: 100,000 characters, in as many escapes and 50,000 lines."""


def read_table(csv_path: Path) -> "pd.DataFrame":
    """A CSV as strings, without its blank lines; raises DatasetError."""
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
    missing = {*COLUMNS} - {"Id", *table.columns}
    if missing:
        raise DatasetError(
            f"{csv_path} lacks the columns {', '.join(sorted(missing))}; it must be UTF-8 with "
            "commas, as spreadsheet programs save it if they are told."
        )
    return table[(table != "").any(axis=1)].reset_index(drop=True)


def ids_of(table: "pd.DataFrame", csv_path: Path) -> np.ndarray:
    """The ids in a collection's table: int64 array; raises DatasetError."""
    if "Id" not in table.columns:
        raise DatasetError(f"{csv_path} lacks the column Id.")
    texts = table["Id"].str.strip()
    if not texts.str.fullmatch(r"\d{1,15}").all() or texts.astype(np.int64).duplicated().any():
        raise DatasetError(f"The column Id of {csv_path} must hold whole numbers, each once.")
    return texts.astype(np.int64).to_numpy()


def title_from_slug(image_name: str) -> str:
    """Make a readable title of a photo's name, for the recipes that have none.

    >>> title_from_slug("-bloody-mary-tomato-toast-56389813")
    'Bloody Mary Tomato Toast'
    """
    words = re.sub(r"-\d{4,}$", "", image_name).replace("_", "-").split("-")
    return " ".join(word.capitalize() for word in words if word)


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


def details_of(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """``DETAILS`` of each of a table's recipes; empty ones where it has no such column."""
    read: dict[str, Callable[[str], Any]] = {name: one_line for name in DETAILS}
    read |= dict.fromkeys(TIMES, minutes)
    read |= {"keywords": lambda text: keyword_list(ingredient_list(text)), "source": web_address}
    columns = []
    for name, column in DETAIL_COLUMNS.items():
        texts = table[column].tolist() if column in table.columns else [""] * len(table)
        columns.append([read[name](text) for text in texts])
    return [dict(zip(DETAIL_COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)]


def image_name(title: str, recipe_id: int) -> str:
    """The name of a new recipe's photo, without a suffix; no other of its collection has it."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return f"{'-'.join(re.findall('[a-z0-9]+', plain))[:60].strip('-') or 'recipe'}-{recipe_id}"


def csv_row(recipe_id: int, photo_name: str, recipe: Recipe) -> dict[str, str]:
    """A recipe's line in a collection's CSV, by its columns; what is not said is empty."""
    values = recipe_id, recipe.title, recipe.ingredients, recipe.instructions, photo_name
    details = {DETAIL_COLUMNS[name]: str(value or "") for name, value in recipe.details().items()}
    return dict(zip(COLUMNS, map(str, values), strict=True)) | details


def changed_table(
    content: bytes,
    rows: Mapping[int, Mapping[str, str]],
    edited: Collection[int],
    gone: Collection[int],
) -> bytes:
    """The CSV with some lines changed, some removed and some at its end, all else as it was.

    Args:
        content: the CSV.
        rows: new lines, by the recipe's id; columns that they need and the CSV lacks are added.
        edited: ids whose lines are replaced; the other new ones come at the end.
        gone: ids whose lines are removed.
    """
    csv.field_size_limit(MAX_FIELD)
    start = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    reader = csv.reader(io.StringIO(content[len(start) :].decode(), newline=""))
    lines = (line for line in reader if any(line))  # spreadsheet programs leave blank ones
    header, rows = next(lines), dict(rows)
    asked = {column for row in rows.values() for column, value in row.items() if value}
    new = [column for column in DETAIL_COLUMNS.values() if column in asked - {*header}]
    header += new
    # By their places: a table edited by hand may have several columns of one name.
    columns = (*COLUMNS, *DETAIL_COLUMNS.values())
    places = {column: header.index(column) for column in columns if column in header}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")

    def with_values(line: list[str], row: Mapping[str, str]) -> list[str]:
        line = line + [""] * (len(header) - len(line))
        for column in row.keys() & places.keys():
            line[places[column]] = row[column]
        return line

    if edited or gone or new:
        writer.writerow(header)
        for line in lines:
            recipe_id = int(line[places["Id"]])
            if new:
                line = with_values(line, {})
            if recipe_id in rows:
                line = with_values(line, rows.pop(recipe_id))
            if recipe_id not in gone:
                writer.writerow(line)
        content = start
    elif not content.endswith((b"\n", b"\r")):
        text.write("\n")
    for row in rows.values():
        writer.writerow(with_values([], row))
    return content + text.getvalue().encode()
