"""Paprika: a .paprikarecipe, of which a .paprikarecipes archive holds one a recipe."""

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

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
    pictures = [recipe.get("photo_data")]
    pictures += [one.get("data") for one in recipe.get("photos") or [] if isinstance(one, dict)]
    texts = [recipe.get("directions"), recipe.get("notes")]
    yield Found(
        str(name or ""),
        lines(recipe.get("ingredients")),
        "\n\n".join(str(text).strip() for text in texts if text),
        origin,
        [*_kept(pictures, photos), *photos.find(recipe.get("image_url"), path)],
        **details(
            keywords=recipe.get("categories"),
            servings=recipe.get("servings"),
            prep_minutes=recipe.get("prep_time"),
            cook_minutes=recipe.get("cook_time"),
            total_minutes=recipe.get("total_time"),
            source=[recipe.get("source_url"), recipe.get("source")],
        ),
    )


def _kept(pictures: list[object], photos: Photos) -> list[Path]:
    decoded = []
    for picture in pictures:
        if isinstance(picture, str) and picture:
            try:
                decoded.append(base64.b64decode(picture))
            except binascii.Error:
                continue
    # The first of them is often a small one.
    return [photos.keep(max(decoded, key=len))] if decoded else []
