"""A CSV or TSV with a recipe a line, one of whose columns names the photo."""

import codecs
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from itadaki.importing import plain, text, words
from itadaki.importing.found import PLAIN, Found, Photos, Unusable, details, lines

_MAX_CELL = 1_500_000  # the ingredients that a collection accepts take up to 1,200,000
_ENCODING = "Encoding Format"
_CHUNK = 1 << 20
_SEPARATOR = re.compile(r"(?i)\ufeff?sep=(.)\r?\n")
"""The line that Excel writes above a table."""


def read(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read all recipes of a table; its columns are known by their names, in any order."""
    with path.open(encoding=_encoding(path), errors="replace", newline="") as stream:
        head = stream.readline(_MAX_CELL)
        if separator := _SEPARATOR.fullmatch(head):
            yield from _rows(stream, separator[1], path, origin, photos)
            return
        stream.seek(0)
        yield from _rows(stream, max(",;\t", key=head.count), path, origin, photos)


def _encoding(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        head = file.read(_CHUNK)
        if (likely := text.encoding_of(head)) != "utf-8":
            return likely
        chunk = head
        while chunk:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:  # what is foreign may come late in a long file
                likely = text.encoding_of(chunk)
                break
            chunk = file.read(_CHUNK)
    return "utf-8-sig" if likely == "utf-8" else likely


def _rows(
    stream: TextIO, separator: str, path: Path, origin: str, photos: Photos
) -> Iterator[Found | Unusable]:
    csv.field_size_limit(_MAX_CELL)
    rows = csv.reader(stream, delimiter=separator)
    try:
        header = next(rows, [])
        at = {name: header.index(column) for name, column in words.fields(header).items()}
        all_at = {
            name: [header.index(column) for column in words.all_of(name, header)]
            for name in ("photo", "keywords", "source")
        }
        said_at = header.index(_ENCODING) if _ENCODING in header else len(header)
        missing = {"title", "photo"} - at.keys()
        if missing:
            names = " and ".join(f"for the {name}" for name in sorted(missing))
            yield Unusable(origin, f"it has no column {names}")
            return
        for row in rows:
            if not any(row):
                continue
            row = [*map(_plain, row)]
            cell = {name: row[i] if i < len(row) else "" for name, i in at.items()}
            cells = {name: [row[i] for i in all_at[name] if i < len(row)] for name in all_at}
            literal = PLAIN in row[said_at : said_at + 1]
            ingredients, steps = cell.get("ingredients", ""), cell.get("instructions", "")
            keywords = [word for text in cells["keywords"] for word in lines(text)]
            yield Found(
                cell["title"],
                lines(ingredients) if literal else _ingredients(ingredients),
                steps if literal else "\n".join(plain.steps(steps)),
                f"{origin}, line {rows.line_num}",
                [place for name in cells["photo"] for place in photos.find(name, path)],
                literal=literal,
                **details(**cell | {"keywords": keywords, "source": cells["source"]}),
            )
    except csv.Error as error:
        yield Unusable(f"{origin}, line {rows.line_num}", f"it is no CSV from here on: {error}")


def _plain(cell: str) -> str:
    """A cell without the apostrophe that keeps it from being a formula."""
    return cell[1:] if re.match(r"'+[=+\-@]", cell) else cell


def _ingredients(cell: str) -> list[str]:
    """The lines of a cell; Plan to Eat begins the name of a group with a comma."""
    return [line.removeprefix(", ") for line in lines(cell)]
