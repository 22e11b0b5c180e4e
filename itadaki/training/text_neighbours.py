"""Which training recipes are nearly the same dish, judged by their texts and never by photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, diags, vstack
from scipy.special import softmax

from itadaki.training.recipe_texts import RecipeTexts, Vectors

INGREDIENT_SHARE = 0.3
"""How much ingredients count beside titles where both recipes have them."""
MAX_NEGATIVE = 0.15
"""By TF-IDF, a recipe whose text is more similar than this is never taken as a negative."""
MAX_NEGATIVE_SENTENCE = 0.5
"""The same by the sentence encoder, to which all recipes are a little alike."""
COPY_SIMILARITY = 0.93
"""Photos whose raw embeddings are more similar than this may be crops of one photo."""
_NEAREST, _NEAREST_TEMPERATURE, _LEAST = 50, 0.07, 0.05
_BLOCK = 1024


@dataclass(frozen=True)
class TextNeighbours:
    """Text similarities of all training recipes to one another.

    Attributes:
        title: float32 of shape (n, d); products are the titles' similarities.
        ingredients: the same; rows of recipes without ingredients are 0.
        positives: sparse float32 array of shape (n, n): how much each other recipe is the same
            dish. Rows sum to 1, or to 0 where no text is similar; copies of a photo have 0.
        copies: sparse bool array of shape (n, n): a photo and its copies, itself included.
        dish_class: int array of shape (n,), one number a class, -1 where the title names no dish.
        max_negative: recipes of which the texts are more similar are never negatives.
    """

    title: Vectors
    ingredients: Vectors
    positives: csr_matrix
    copies: csr_matrix
    dish_class: np.ndarray
    max_negative: float = MAX_NEGATIVE

    @classmethod
    def of(
        cls,
        texts: RecipeTexts,
        dish_class: Sequence[str | None],
        raw_embeddings: np.ndarray,
    ) -> "TextNeighbours":
        """Compare n training recipes.

        By TF-IDF their positives are weighted by squared similarity; by a sentence encoder, which
        finds no text quite unlike another, by a softmax over the nearest 50 texts.

        Args:
            texts: what their texts say.
            dish_class: n classes or None.
            raw_embeddings: float32 array of shape (n, d) of the frozen backbone, rows of length
                1; they tell which photos are copies.
        """
        copies = _copies(raw_embeddings)
        similarity = (
            _nearest_texts(texts, copies) if texts.sentences else _shared_words(texts, copies)
        )
        totals = np.asarray(similarity.sum(axis=1)).ravel()
        positives = diags(np.divide(1, totals, where=totals > 0, out=np.zeros_like(totals)))
        numbers, _ = pd.factorize(np.asarray(dish_class, dtype=object))
        return cls(
            texts.title,
            texts.ingredients,
            (positives @ similarity).tocsr().astype(np.float32),
            copies,
            numbers,
            MAX_NEGATIVE_SENTENCE if texts.sentences else MAX_NEGATIVE,
        )

    def similarity(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Similarity of texts: float32 array of shape (rows, columns), 0 between copies.

        The titles' and, where both recipes have any, to ``INGREDIENT_SHARE`` the ingredients'.
        """
        found = _similarity(self.title, self.ingredients, rows, columns)
        found[self.copies[rows][:, columns].toarray()] = 0
        return found

    def targets(self, rows: np.ndarray, self_share: float) -> np.ndarray:
        """Graded targets of a contrastive loss: the positives' weights, and the recipe's own.

        Args:
            rows: int array (a,), the recipes whose positives are wanted.
            self_share: what part of a row goes to the recipe itself; all of it where no other is
                similar.

        Returns:
            float32 array of shape (a, n); rows sum to 1.
        """
        targets: np.ndarray = self.positives[rows].toarray() * (1 - self_share)
        alone = ~targets.any(axis=1)
        targets[np.arange(len(rows)), rows] = np.where(alone, 1.0, self_share)
        return targets

    def may_be_negative(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Which candidates are another dish for sure: bool array of shape (rows, columns).

        Neither copies of the photo, nor recipes of its dish class, nor similar texts.
        """
        similar = self.similarity(rows, columns) > self.max_negative
        copies = self.copies[rows][:, columns].toarray()
        own = self.dish_class[rows][:, None]
        same_class = (own == self.dish_class[columns]) & (own >= 0)
        allowed: np.ndarray = ~(similar | copies | same_class)
        return allowed

    def negatives(self, rows: np.ndarray) -> np.ndarray:
        """``may_be_negative`` of some recipes and all: bool array of shape (rows, n)."""
        allowed: np.ndarray = ~self._forbidden[rows].toarray()
        return allowed

    @cached_property
    def _forbidden(self) -> csr_matrix:
        """What no recipe may have as a negative: few, and asked for in each step."""
        everything = np.arange(len(self.dish_class))
        blocks = np.split(everything, range(_BLOCK, len(everything), _BLOCK))
        found = [csr_matrix(~self.may_be_negative(block, everything)) for block in blocks]
        return vstack(found, format="csr")

    def most_similar(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest text of each recipe and its similarity, 0 where no text is similar."""
        similarities = self.similarity(rows, np.arange(len(self.dish_class)))
        return similarities.argmax(axis=1), similarities.max(axis=1)

    def positive_of(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a positive for each recipe in proportion to how much it is the same dish.

        A recipe without any neighbour is its own positive, in another view where there are several.
        """
        drawn = rows.copy()
        for place, row in enumerate(rows):
            start, end = self.positives.indptr[row : row + 2]
            weights = self.positives.data[start:end].astype(np.float64)
            if weights.sum() > 0:
                drawn[place] = self.positives.indices[start:end][
                    np.searchsorted(np.cumsum(weights), rng.random() * weights.sum())
                ]
        return drawn


def _similarity(title: Vectors, ingredients: Vectors, rows: Any, columns: Any) -> np.ndarray:
    known = np.asarray(abs(ingredients[rows]).sum(axis=1)).reshape(-1, 1) > 0
    others = np.asarray(abs(ingredients[columns]).sum(axis=1)).reshape(1, -1) > 0
    share = INGREDIENT_SHARE * (known & others)
    by_title = _dense(title[rows] @ title[columns].T)
    by_ingredients = _dense(ingredients[rows] @ ingredients[columns].T)
    return np.asarray((1 - share) * by_title + share * by_ingredients, np.float32)


def _dense(product: Any) -> np.ndarray:
    return np.asarray(product.toarray() if isinstance(product, csr_matrix) else product)


def _shared_words(texts: RecipeTexts, copies: csr_matrix) -> csr_matrix:
    """Squared similarity of all texts that share a word."""
    title, ingredients = csr_matrix(texts.title), csr_matrix(texts.ingredients)
    known = diags((np.diff(ingredients.indptr) > 0).astype(np.float32))
    by_title = title @ title.T
    similarity = by_title - INGREDIENT_SHARE * (known @ by_title @ known)
    similarity = (similarity + INGREDIENT_SHARE * (ingredients @ ingredients.T)).tocsr()
    similarity = (similarity - similarity.multiply(copies)).power(2).tocsr()
    similarity.eliminate_zeros()
    return similarity


def _nearest_texts(texts: RecipeTexts, copies: csr_matrix) -> csr_matrix:
    """The softmax over the nearest texts of each."""
    count = len(texts.dense)
    near = min(_NEAREST, count - 1)
    blocks = []
    for start in range(0, count, _BLOCK):
        block = slice(start, start + _BLOCK)
        similar = _similarity(texts.title, texts.ingredients, block, slice(None))
        similar[copies[block].toarray()] = -1
        columns = np.argpartition(-similar, near - 1, axis=1)[:, :near]
        found = np.take_along_axis(similar, columns, axis=1)
        weights = softmax(found / _NEAREST_TEMPERATURE, axis=1) * (found > _LEAST)
        starts = np.arange(len(columns) + 1) * near
        shape = (len(columns), count)
        blocks.append(csr_matrix((weights.ravel(), columns.ravel(), starts), shape))
    stacked = vstack(blocks, format="csr")
    stacked.eliminate_zeros()
    return stacked


def _copies(raw: np.ndarray) -> csr_matrix:
    pairs = [np.tile(np.arange(len(raw))[:, None], 2)]
    for start in range(0, len(raw), _BLOCK):
        near = np.argwhere(raw[start : start + _BLOCK] @ raw.T > COPY_SIMILARITY)
        pairs.append(near + np.array([start, 0]))
    rows, columns = np.concatenate(pairs).T
    return csr_matrix((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(len(raw),) * 2)


def nearest_and_mask(
    embeddings: np.ndarray, neighbours: TextNeighbours, anchors: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The training photos nearest to some of them, and which of those may be negatives.

    Args:
        embeddings: float32 array of shape (n, dimension) of the training rows, in their order.
        neighbours: what their texts say.
        anchors: int array of shape (a,), places among the training rows.
        k: how many.

    Returns:
        Places among the training rows, their similarities, and whether the texts allow them as
        negatives; each of shape (a, k), nearest first.
    """
    similarities = embeddings[anchors] @ embeddings.T
    similarities[np.arange(len(anchors)), anchors] = -np.inf
    order = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    allowed = neighbours.negatives(anchors)
    return (
        order,
        np.take_along_axis(similarities, order, axis=1),
        np.take_along_axis(allowed, order, axis=1),
    )
