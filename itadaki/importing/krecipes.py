"""Krecipes: its own XML, with the photos inside it."""

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from itadaki.errors import reason
from itadaki.importing.found import Found, Photos, Unusable, amount, details


def read(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read all recipes of a file."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        tree = etree.fromstring(path.read_bytes(), parser=parser)
    except etree.XMLSyntaxError as error:
        yield Unusable(origin, f"it is no XML: {reason(error)}")
        return
    recipes = tree.findall(".//krecipes-recipe")
    if not recipes:
        yield Unusable(origin, "it holds no recipe of Krecipes")
    for number, recipe in enumerate(recipes, 1):
        yield _found(recipe, origin if len(recipes) == 1 else f"{origin}, recipe {number}", photos)


def _found(recipe: Any, origin: str, photos: Photos) -> Found:
    lines = []
    for item in recipe.iterfind("krecipes-ingredients//"):
        if item.tag == "ingredient-group":
            lines.append(item.get("name", ""))
        elif item.tag == "ingredient":
            words = [_text(item, name) for name in ("unit", "name")]
            prepared = _text(item, "prep")
            quantity = _amount(item, "amount")
            lines.append(amount(quantity, *words, f"({prepared})" if prepared else ""))
    said = [line.strip() for line in _text(recipe, "krecipes-instructions").splitlines()]
    return Found(
        _text(recipe, "krecipes-description/title"),
        [line for line in lines if line],
        "\n".join(line for line in said if line),
        origin,
        list(_pictures(recipe, photos)),
        **details(
            keywords=[cat.text for cat in recipe.iterfind(".//category/cat")],
            servings=_amount(recipe, ".//yield/amount") or _text(recipe, ".//serving"),
            author=[author.text for author in recipe.iterfind(".//author")],
        ),
    )


def _text(element: Any, where: str) -> str:
    found = element.find(where)
    return "".join(found.itertext()).strip() if found is not None else ""


def _amount(element: Any, where: str) -> str:
    bounds = [_text(element, f"{where}/{name}") for name in ("min", "max")]
    return "–".join(filter(None, bounds)) or _text(element, where)


def _pictures(recipe: Any, photos: Photos) -> Iterator[Path]:
    for picture in recipe.iterfind(".//pictures/pic"):
        try:
            yield photos.keep(base64.b64decode(picture.text or ""))
        except binascii.Error:
            continue
