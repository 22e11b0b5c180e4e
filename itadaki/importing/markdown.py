"""Markdown recipes, with their pictures beside them."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from itadaki.importing import front_matter, plain, text
from itadaki.importing.found import Found, Photos, Place, Unusable, details
from itadaki.importing.markdown_lines import lines_of
from itadaki.importing.markdown_parts import Parts, parts_of

_NO_NAMES = ("index", "_index", "readme", "recipe", "main")
"""What a file is called if its folder has the recipe's name."""
_COVERS = ("featured", "feature", "cover", "hero", "main", "thumbnail")


def read(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read the recipes of a file; it may hold several, each under a heading of the first
    or second level.

    Its title is the front matter's, or the first heading, or the file's name.
    """
    facts, body = front_matter.split(text.decode(path.read_bytes()))
    given = plain.recipe_of(facts)
    recipes = parts_of(*lines_of(body))
    for number, parts in enumerate(recipes, 1):
        one = len(recipes) == 1
        name = origin if one else f"{origin}, recipe {number}"
        yield _found(parts, given if one else {}, path, name, photos, one)


def _found(
    parts: Parts, given: dict[str, Any], path: Path, origin: str, photos: Photos, alone: bool
) -> Found:
    places: list[Place] = []
    for reference in [*given.get("photo", []), *parts.pictures]:
        places += photos.find(reference, path)
    if alone:
        places += beside(path, photos)
    in_folder = path.stem.lower() in _NO_NAMES
    file_name = unicodedata.normalize("NFC", path.parent.name if in_folder else path.stem)
    return Found(
        str(given.get("title") or parts.title or file_name),
        given.get("ingredients") or parts.ingredients,
        "\n".join(given.get("instructions") or parts.steps(bool(given.get("ingredients")))),
        origin,
        list(dict.fromkeys(places)),
        left_out=", ".join(parts.left_out),
        **details(**parts.facts | {name: value for name, value in given.items() if value}),
    )


def beside(path: Path, photos: Photos) -> list[Path]:
    """The pictures that are a text's by their names, or by being alone with it in a folder."""
    same_name = [file for file in photos.beside(path, path.stem) if file.stem == path.stem]
    pictures = photos.alone_with(path)
    covers = [file for name in _COVERS for file in pictures if file.stem.lower() == name]
    return [*same_name, *covers, *(pictures if len(pictures) == 1 else [])]
