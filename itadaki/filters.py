"""What recipes must hold to be found, and which rows of a bank do."""

import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Filters:
    """What recipes must hold to be found.

    Attributes:
        include: each of these ingredients, as whole words.
        exclude: none of these.
        min_similarity: at least so similar, -1 to 1.
        dish_classes: one of these; empty for any.
        unique_photos: of recipes that share one photo, only the first.
        not_of_photo: no recipe of this photo group.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    min_similarity: float = -1.0
    dish_classes: tuple[str, ...] = ()
    unique_photos: bool = False
    not_of_photo: int | None = None


def ingredient_terms(ingredients: Iterable[str]) -> set[str]:
    """The words of a recipe's ingredients and the pairs of neighbouring words, in lower case.

    >>> sorted(ingredient_terms(["2 EGGS", "Olive oil"]))
    ['2', '2 eggs', 'eggs', 'oil', 'olive', 'olive oil']
    """
    terms = set()
    for ingredient in ingredients:
        words = _words(ingredient)
        terms.update(words, map(" ".join, pairwise(words)))
    return terms


def asked_terms(ingredient: str) -> list[list[str]]:
    """What a recipe's terms must hold for it to name an ingredient: one of each list.

    The ingredient is found in singular and plural, but not inside another word: no eggplant for
    egg. Of more than two words each neighbouring pair is asked for.

    >>> asked_terms("olive oil")
    [['olive oil', 'olive oils', 'olive oiles']]
    """
    words = _words(ingredient)
    terms = [" ".join(pair) for pair in pairwise(words)] or words
    if not terms:
        return [[]]
    return [[term] for term in terms[:-1]] + [_singular_and_plural(terms[-1])]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _singular_and_plural(term: str) -> list[str]:
    plurals = [term + "s", term + "es"]
    return [term, *plurals, *([term[:-1] + "ies"] if term.endswith("y") else [])]


class RowFilter:
    """Says which rows of a bank fit filters; safe to use from several threads."""

    def __init__(self, recipes: Mapping[int, Mapping[str, Any]]) -> None:
        """Look at the recipes of a bank, by row."""
        self._recipes = [recipes[row] for row in range(len(recipes))]

    def rows(self, filters: Filters) -> np.ndarray | None:
        """The rows that fit: a bool array of shape (n,), or None where all do."""
        fitting = np.ones(len(self._recipes), bool)
        for ingredient in filters.include:
            fitting &= self._naming(ingredient)
        for ingredient in filters.exclude:
            fitting &= ~self._naming(ingredient)
        if filters.dish_classes:
            fitting &= np.isin(self._dish_classes, filters.dish_classes)
        if filters.unique_photos:
            fitting &= self._photo_groups == np.arange(len(fitting))
        if filters.not_of_photo is not None:
            fitting &= self._photo_groups != filters.not_of_photo
        return None if fitting.all() else fitting

    def _naming(self, ingredient: str) -> np.ndarray:
        naming = np.ones(len(self._recipes), bool)
        for alternatives in asked_terms(ingredient):
            found = np.zeros(len(self._recipes), bool)
            for term in alternatives:
                found[self._holding.get(term, [])] = True
            naming &= found
        return naming

    @cached_property
    def _holding(self) -> dict[str, array]:
        """For each term the rows of the recipes that hold it.

        scikit-learn's CountVectorizer would do the same for 170 MB more of resident memory.
        """
        holding: dict[str, array] = {}
        for row, recipe in enumerate(self._recipes):
            for term in ingredient_terms(recipe["ingredients"]):
                holding.setdefault(term, array("l")).append(row)
        return holding

    @cached_property
    def _photo_groups(self) -> np.ndarray:
        return np.array([recipe["photo_group"] for recipe in self._recipes])

    @cached_property
    def _dish_classes(self) -> np.ndarray:
        return np.array([recipe["dish_class"] or "" for recipe in self._recipes])
