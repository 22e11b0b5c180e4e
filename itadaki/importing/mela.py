"""Mela: a .melarecipe, of which a .melarecipes archive holds one a recipe."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from itadaki.errors import reason
from itadaki.importing import plain
from itadaki.importing.found import Found, Photos, Unusable
from itadaki.importing.markdown_lines import plain_lines


def read(path: Path, origin: str, photos: Photos) -> Iterator[Found | Unusable]:
    """Read a recipe, with the photos inside it."""
    try:
        recipe = json.loads(path.read_bytes())
        pictures = [base64.b64decode(one) for one in recipe.pop("images", None) or []]
    except (ValueError, AttributeError, TypeError, binascii.Error) as error:
        yield Unusable(origin, f"it is no recipe of Mela: {reason(error)}")
        return
    found = plain.found_of(recipe, path, origin, photos)
    yield replace(
        found,
        # A line that begins with # is the name of a group.
        ingredients=[line for one in found.ingredients for line in plain_lines(one)],
        instructions="\n".join(plain_lines(found.instructions)),
        photos=[photos.keep(picture) for picture in pictures],
    )
