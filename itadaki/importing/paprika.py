"""Paprika: a .paprikarecipe, of which a .paprikarecipes archive holds one a recipe."""

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from itadaki.errors import reason
from itadaki.importing.found import Found, Photos, Unusable, details, lines


def read(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read a recipe, with the photo inside it."""
    try:
        with gzip.open(path) as file:
            recipe = json.loads(photos.budget.read(file))
        name = recipe.get("name")
    except (OSError, EOFError, zlib.error, ValueError, AttributeError) as error:
        yield Unusable(origin, f"it is no recipe of Paprika: {reason(error)}")
        return
    texts = [recipe.get("directions"), recipe.get("notes")]
    yield Found(
        str(name or ""),
        lines(recipe.get("ingredients")),
        "\n\n".join(str(text).strip() for text in texts if text),
        origin,
        [*map(photos.keep, _pictures(recipe)), *photos.find(recipe.get("image_url"), path)],
        **details(
            keywords=recipe.get("categories"),
            servings=recipe.get("servings"),
            prep_minutes=recipe.get("prep_time"),
            cook_minutes=recipe.get("cook_time"),
            total_minutes=recipe.get("total_time"),
            source=[recipe.get("source_url"), recipe.get("source")],
        ),
    )


def _pictures(recipe: dict[str, Any]) -> list[bytes]:
    """The recipe's picture, the best first; not the others that people keep with it."""
    small = _decoded(recipe.get("photo_data"))
    others = [one for one in recipe.get("photos") or [] if isinstance(one, dict)]
    large = recipe.get("photo_large")
    named = [_decoded(one.get("data")) for one in others if large and one.get("filename") == large]
    if not named and len(others) == 1:
        # Without a name for the large one, that beside a small one may be it.
        return sorted(filter(None, (small, _decoded(others[0].get("data")))), key=len)[:-2:-1]
    if not named and not small:
        named = [_decoded(one.get("data")) for one in others[:1]]
    return list(filter(None, (*named, small)))


def _decoded(picture: object) -> bytes:
    try:
        return base64.b64decode(picture) if isinstance(picture, str) else b""
    except binascii.Error:
        return b""
