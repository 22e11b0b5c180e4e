"""Which training recipes are nearly the same dish, judged by their texts and never by photos."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, diags

from itadaki.models.text_encoder import TextEncoder

INGREDIENT_SHARE = 0.3
"""How much ingredients count beside titles where both recipes have them."""
MAX_NEGATIVE = 0.15
"""A recipe whose text is more similar than this is never taken as a negative."""
COPY_SIMILARITY = 0.93
"""Photos whose raw embeddings are more similar than this may be crops of one photo."""
_BLOCK = 1024


@dataclass(frozen=True)
class TextNeighbours:
    """Text similarities of all training recipes to one another.

    Attributes:
        similarity: sparse float32 array of shape (n, n), 0 to 1: the mean of the titles' and,
            where both recipes have any, the ingredients' TF-IDF cosine. 0 on the diagonal and
            between copies of one photo.
        copies: sparse bool array of shape (n, n): a photo and its copies, itself included.
        dish_class: int array of shape (n,), one number a class, -1 where the title names no dish.
    """

    similarity: csr_matrix
    copies: csr_matrix
    dish_class: np.ndarray

    @classmethod
    def of(
        cls,
        encoder: TextEncoder,
        titles: Sequence[str],
        ingredients: Sequence[Sequence[str]],
        dish_class: Sequence[str | None],
        raw_embeddings: np.ndarray,
    ) -> "TextNeighbours":
        """Compare n training recipes.

        Args:
            encoder: gives the TF-IDF vectors.
            titles: n titles.
            ingredients: n lists, which may be empty.
            dish_class: n classes or None.
            raw_embeddings: float32 array of shape (n, d) of the frozen backbone, rows of length
                1; they tell which photos are copies.
        """
        vectors = encoder.vectors(titles, ingredients)
        words = len(encoder.vectorizers["title"].vocabulary_)
        title, ingredient = vectors[:, :words], vectors[:, words:]
        known = (np.diff(ingredient.indptr) > 0).astype(np.float32)
        both = diags(known) @ (title @ title.T) @ diags(known)
        similarity = (title @ title.T) - INGREDIENT_SHARE * both
        similarity = (similarity + INGREDIENT_SHARE * (ingredient @ ingredient.T)).tocsr()
        copies = _copies(raw_embeddings)
        similarity = similarity - similarity.multiply(copies)
        similarity.eliminate_zeros()
        numbers, _ = pd.factorize(np.asarray(dish_class, dtype=object))
        return cls(similarity.tocsr().astype(np.float32), copies, numbers)

    def targets(self, rows: np.ndarray, self_share: float) -> np.ndarray:
        """Graded targets of a contrastive loss: squared text similarity, shared out.

        Args:
            rows: int array (a,), the recipes whose positives are wanted.
            self_share: what part of a row goes to the recipe itself; all of it where no other is
                similar.

        Returns:
            float32 array of shape (a, n); rows sum to 1.
        """
        targets: np.ndarray = self.similarity[rows].toarray() ** 2
        total = targets.sum(axis=1, keepdims=True)
        targets *= np.where(total > 0, (1 - self_share) / np.where(total > 0, total, 1), 0)
        targets[np.arange(len(rows)), rows] = np.where(total[:, 0] > 0, self_share, 1.0)
        return targets

    def may_be_negative(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Which candidates are another dish for sure: bool array of shape (rows, columns).

        Neither copies of the photo, nor recipes of its dish class, nor similar texts.
        """
        similar = self.similarity[rows][:, columns].toarray() > MAX_NEGATIVE
        copies = self.copies[rows][:, columns].toarray()
        own = self.dish_class[rows][:, None]
        same_class = (own == self.dish_class[columns]) & (own >= 0)
        allowed: np.ndarray = ~(similar | copies | same_class)
        return allowed

    def most_similar(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest text of each recipe and its similarity, 0 where no text is similar."""
        similarities = self.similarity[rows].toarray()
        return similarities.argmax(axis=1), similarities.max(axis=1)

    def positive_of(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a positive for each recipe in proportion to its squared text similarity.

        A recipe without any neighbour is its own positive, in another view where there are several.
        """
        drawn = rows.copy()
        for place, row in enumerate(rows):
            start, end = self.similarity.indptr[row : row + 2]
            weights = self.similarity.data[start:end].astype(np.float64) ** 2
            if weights.sum() > 0:
                drawn[place] = self.similarity.indices[start:end][
                    np.searchsorted(np.cumsum(weights), rng.random() * weights.sum())
                ]
        return drawn


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
    allowed = neighbours.may_be_negative(anchors, np.arange(len(embeddings)))
    return (
        order,
        np.take_along_axis(similarities, order, axis=1),
        np.take_along_axis(allowed, order, axis=1),
    )
