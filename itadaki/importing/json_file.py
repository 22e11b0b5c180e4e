"""JSON files, which several programs write: finds out whose it is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from itadaki.errors import reason
from itadaki.importing import mealie, plain, schema_org, tandoor, text
from itadaki.importing.found import Found, Photos, Unusable

_MARK = re.compile(r'"|//|/\*')
_TEXT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_COMMA = re.compile(r",(?=\s*[\]}])")


def read(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read the recipes of a JSON file."""
    try:
        data = parsed(text.decode(path.read_bytes()))
    except ValueError as error:
        yield Unusable(origin, f"it is no JSON: {reason(error)}")
        return
    for reader in (mealie, tandoor):
        if reader.is_ours(data):
            yield from reader.read(data, path, origin, photos)
            return
    told = list(_told_plainly(data))
    for number, recipe in enumerate(told, 1):
        name = origin if len(told) == 1 else f"{origin}, recipe {number}"
        if plain.tells_a_recipe(recipe):
            yield plain.found_of(recipe, path, name, photos)
        else:
            yield Unusable(name, "it has no title, or neither ingredients nor instructions")
    if not told:
        yield from schema_org.read_json(data, path, origin, photos)


def parsed(content: str) -> Any:
    """The document in a text, which may have line ends in its texts, comments, and commas behind
    the last of a list; raises ValueError if it is none."""
    try:
        return json.loads(content, strict=False)
    except ValueError:
        mended = "".join(_mended(content))
        if mended == content:
            raise
        return json.loads(mended, strict=False)


def _mended(content: str) -> Iterator[str]:
    at = 0
    while mark := _MARK.search(content, at):
        yield _COMMA.sub("", content[at : mark.start()])
        if mark[0] == '"':
            found = _TEXT.match(content, mark.start())
            end = found.end() if found else len(content)
            yield content[mark.start() : end]
        else:
            closing = "\n" if mark[0] == "//" else "*/"
            end = content.find(closing, mark.end())
            end = len(content) if end < 0 else end + len(closing)
            yield " "
        at = end
    yield _COMMA.sub("", content[at:])


def _told_plainly(data: Any) -> Iterator[Any]:
    """The recipes of a document that is one or holds some, and what stands in a list of them.

    What says that it is of schema.org is none of these.
    """
    if isinstance(data, list) and any(map(plain.tells_a_recipe, data)):
        yield from data
    elif plain.tells_a_recipe(data):
        yield data
    elif isinstance(data, list | dict) and not _is_schema_org(data):
        for value in data if isinstance(data, list) else data.values():
            yield from _told_plainly(value)


def _is_schema_org(data: Any) -> bool:
    return isinstance(data, dict) and not {"@type", "@graph", "@context"}.isdisjoint(data)
