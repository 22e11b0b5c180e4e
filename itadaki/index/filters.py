"""What recipes must hold to be found, and which rows of a bank do."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from itadaki.recipes.ingredients import asked_terms, ingredient_terms
from itadaki.recipes.recipe import DatasetRecipe
from itadaki.recipes.texts import keyword_key


@dataclass(frozen=True)
class Filters:
    """What recipes must hold to be found.

    Attributes:
        include: each of these ingredients or families of ingredients, such as nuts.
        exclude: none of these; errs towards leaving recipes out, yet is no allergy filter.
        min_similarity: at least so similar, -1 to 1.
        dish_classes: one of these; empty for any.
        keywords: each of these, as the recipe writes it but for case and accents.
        unique_photos: of recipes that share one photo, only the first.
        not_of_photo: no recipe of this photo group.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    min_similarity: float = -1.0
    dish_classes: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    unique_photos: bool = False
    not_of_photo: int | None = None


class RowFilter:
    """Says which rows of a bank fit filters; safe to use from several threads."""

    def __init__(self, recipes: Sequence[DatasetRecipe]) -> None:
        """Look at the recipes of a bank."""
        self._recipes = recipes

    def rows(self, filters: Filters) -> np.ndarray | None:
        """The rows that fit: a bool array of shape (n,), or None where all do."""
        fitting = np.ones(len(self._recipes), bool)
        for ingredient in filters.include:
            fitting &= self.naming(ingredient)
        for ingredient in filters.exclude:
            fitting &= ~self.naming(ingredient, exclude=True)
        if filters.dish_classes:
            fitting &= np.isin(self._dish_classes, filters.dish_classes)
        for keyword in filters.keywords:
            fitting &= self._of_keyword(keyword)
        if filters.unique_photos:
            fitting &= self._photo_groups == np.arange(len(fitting))
        if filters.not_of_photo is not None:
            fitting &= self._photo_groups != filters.not_of_photo
        return None if fitting.all() else fitting

    def naming(self, ingredient: str, exclude: bool = False) -> np.ndarray:
        """Which rows name an ingredient, or may have it: bool array of shape (n,)."""
        naming = np.ones(len(self._recipes), bool)
        for alternatives in asked_terms(ingredient, exclude):
            found = np.zeros(len(self._recipes), bool)
            for term in alternatives:
                found[self._holding.get(term, [])] = True
            naming &= found
        return naming

    def _of_keyword(self, keyword: str) -> np.ndarray:
        found = np.zeros(len(self._recipes), bool)
        found[self._with_keyword.get(keyword_key(keyword), [])] = True
        return found

    @cached_property
    def _with_keyword(self) -> dict[str, "array[int]"]:
        rows: dict[str, array[int]] = {}
        for row, recipe in enumerate(self._recipes):
            for keyword in recipe.keywords:
                rows.setdefault(keyword_key(keyword), array("l")).append(row)
        return rows

    @cached_property
    def _holding(self) -> dict[str, "array[int]"]:
        """For each term the rows of the recipes that hold it.

        scikit-learn's CountVectorizer would do the same for 170 MB more of resident memory.
        """
        holding: dict[str, array[int]] = {}
        for row, recipe in enumerate(self._recipes):
            for term in ingredient_terms(recipe.ingredients):
                holding.setdefault(term, array("l")).append(row)
        return holding

    @cached_property
    def _photo_groups(self) -> np.ndarray:
        return np.array([recipe.photo_group for recipe in self._recipes])

    @cached_property
    def _dish_classes(self) -> np.ndarray:
        return np.array([recipe.dish_class or "" for recipe in self._recipes])
