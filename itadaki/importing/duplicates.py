"""Tells which recipes of a source are there already: in the source, or in a collection."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from itadaki.errors import ImageError
from itadaki.recipes.copies import photo_groups
from itadaki.recipes.looks import look_at
from itadaki.recipes.recipe import DatasetRecipe, NewRecipe
from itadaki.recipes.texts import keyword_key

_MAX_COMPARED = 20
"""Photos of one title that a new one is compared with."""


@dataclass(frozen=True, slots=True)
class _Known:
    name: str  # for people
    file: str  # of the source; empty for a recipe of the collection
    photo: Path | bytes


@dataclass
class _AtAddress:
    titles: set[str] = field(default_factory=set)
    recipes: list[_Known] = field(default_factory=list)


class Duplicates:
    """Remembers recipes, and says which are the same as one before.

    Two are the same if they have one title and one photo, byte for byte or re-encoded, or if they
    come from one address. A page may hold several recipes: those of one file are told apart by
    their titles, and so are those of an address that several are known of.
    """

    def __init__(self, recipes: Iterable[DatasetRecipe] = (), root: Path = Path()) -> None:
        """Remember the recipes of a collection, whose photos lie below ``root``."""
        self._by_title: dict[str, list[_Known]] = defaultdict(list)
        self._at: dict[str, _AtAddress] = defaultdict(_AtAddress)
        for recipe in recipes:
            known = _Known(f"recipe {recipe.id}, {recipe.title}", "", root / recipe.photo)
            self._remember(recipe.title, recipe.source, known)

    def check(self, recipe: NewRecipe, origin: str, file: str) -> str | None:
        """Why a recipe is the same as one before, as a clause; None, and it is remembered.

        Args:
            recipe: of the source.
            origin: what of the source it is, for people.
            file: of which it was read.
        """
        address = self._at.get(_plain(recipe.source)) if recipe.source else None
        if address:
            same_title = keyword_key(recipe.title) in address.titles
            first = address.recipes[0]
            if same_title or (len(address.titles) == 1 and first.file != file):
                return f"it comes from the same address as {first.name}"
        for known in self._by_title.get(keyword_key(recipe.title), [])[-_MAX_COMPARED:]:
            if _same_photo(known.photo, recipe.photo):
                return f"it has the same title and photo as {known.name}"
        self._remember(recipe.title, recipe.source, _Known(origin, file, recipe.photo))
        return None

    def _remember(self, title: str, source: str, known: _Known) -> None:
        self._by_title[keyword_key(title)].append(known)
        if source:
            address = self._at[_plain(source)]
            address.titles.add(keyword_key(title))
            address.recipes[1:] = [known]


def _plain(address: str) -> str:
    """An address without what differs between two ways to the same page."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    host = re.sub(r"^www\.", "", parts.netloc.lower())
    asked = "&".join(p for p in parts.query.split("&") if p and not p.startswith("utm_"))
    return f"{host}{parts.path.rstrip('/')}?{asked}"


def _same_photo(one: Path | bytes, other: Path | bytes) -> bool:
    if one == other:
        return True
    try:
        (hash_one, look_one), (hash_other, look_other) = look_at(one), look_at(other)
    except (ImageError, OSError):
        return False
    groups = photo_groups([hash_one, hash_other], np.stack([look_one, look_other]))
    return bool(groups[0] == groups[1])
