"""A recipe as the families see it, and the seed that its name gives."""

from __future__ import annotations

import ast
import csv
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Recipe:
    """One row of recipes.csv."""

    title: str
    ingredients: tuple[str, ...]
    instructions: str
    image_name: str
    family: str

    @property
    def seed(self) -> int:
        """Seed from the image name: the picture never depends on the order of the rows."""
        return zlib.crc32(self.image_name.encode())

    def rng(self, view: int = 0) -> np.random.Generator:
        """A fresh generator seeded by the image name; another view is another portion of it."""
        return np.random.default_rng([self.seed, view] if view else self.seed)

    def has(self, *words: str) -> bool:
        """Whether any of the words begins a word of the title or of an ingredient."""
        text = " ".join((self.title, *self.ingredients)).lower()
        return any(re.search(r"\b" + re.escape(w.lower()), text) for w in words)

    def titled(self, *words: str) -> bool:
        """Whether any of the words begins a word of the title."""
        return any(re.search(r"\b" + re.escape(w.lower()), self.title.lower()) for w in words)


def read_recipes(path: Path, family: str | None = None) -> list[Recipe]:
    """Recipes of a CSV in Kaggle's columns plus Family, one family only if given."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        Recipe(
            r["Title"],
            tuple(ast.literal_eval(r["Ingredients"])),
            r["Instructions"],
            r["Image_Name"],
            r["Family"],
        )
        for r in rows
        if family is None or r["Family"] == family
    ]
