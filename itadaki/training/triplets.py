"""Triplets of an anchor, a positive and a negative, and the ways to choose the negative.

The samplers take similarities of shape (n, m), anchors against candidates, and a bool array of the
same shape that says which candidates may be negatives at all. They return an int64 array of shape
(n,), the candidate chosen for each anchor, or -1 where none is allowed.
"""

from typing import NamedTuple

import numpy as np

from itadaki.bank.bank import Bank
from itadaki.errors import ItadakiError


class Triplet(NamedTuple):
    """Three rows of a bank and the anchor's cosine similarity to the other two."""

    anchor: int
    positive: int
    negative: int
    positive_similarity: float
    negative_similarity: float


def hard_triplets(bank: Bank, count: int, seed: int = 0) -> list[Triplet]:
    """Draw triplets from the training split by dish class.

    The positive is a random other recipe of the anchor's class, the negative the recipe of
    another class that is nearest to the anchor in the bank. Copies of the anchor's photo are
    neither.

    Raises:
        ItadakiError: no two training recipes share a dish class while a third has another.
    """
    groups = bank.column("photo_group")
    classes = np.array([recipe.dish_class or "" for recipe in bank.recipes])
    usable = np.flatnonzero((bank.column("split") == "train") & (classes != ""))
    rng = np.random.default_rng(seed)
    triplets: list[Triplet] = []
    for anchor in rng.permutation(usable):
        if len(triplets) == count:
            break
        others = usable[groups[usable] != groups[anchor]]
        same = classes[others] == classes[anchor]
        positives, negatives = others[same], others[~same]
        if not len(positives) or not len(negatives):
            continue
        positive = rng.choice(positives)
        against = bank.embeddings[negatives] @ bank.embeddings[anchor]
        hardest = int(against.argmax())
        triplets.append(
            Triplet(
                int(anchor),
                int(positive),
                int(negatives[hardest]),
                float(bank.embeddings[positive] @ bank.embeddings[anchor]),
                float(against[hardest]),
            )
        )
    if not triplets:
        raise ItadakiError("This dataset has too few dish classes to draw triplets from.")
    return triplets


def random_negatives(allowed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one of the allowed candidates, all alike."""
    return _largest(rng.random(allowed.shape, dtype=np.float32), allowed)


def hardest_negatives(similarities: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Take the most similar allowed candidate: batch-hard's negative (Hermans et al. 2017)."""
    return _largest(similarities, allowed)


def semi_hard_negatives(
    similarities: np.ndarray, positive_similarity: np.ndarray, allowed: np.ndarray
) -> np.ndarray:
    """Take the hardest candidate that is still less similar than the positive (FaceNet, 2015).

    Where every allowed candidate is more similar than the positive, the least similar is taken.

    Args:
        similarities: see the module.
        positive_similarity: float array of shape (n,), anchors against their positives.
        allowed: see the module.
    """
    behind = _largest(similarities, allowed & (similarities < positive_similarity[:, None]))
    return np.where(behind >= 0, behind, _largest(-similarities, allowed))


def distance_weighted_negatives(
    similarities: np.ndarray, allowed: np.ndarray, dimension: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw candidates evenly by their distance (Wu et al. 2017, "Sampling Matters").

    On a sphere of many dimensions nearly all points lie at a right angle, so each candidate is
    weighted by one over the density of its distance. Distances under 0.5 count as 0.5, as in the
    paper, and those over 1.4 are drawn only where nothing nearer is allowed.

    Args:
        similarities: see the module.
        allowed: see the module.
        dimension: of the embeddings.
        rng: draws.
    """
    distance = np.sqrt(np.maximum(2 - 2 * similarities, 0.25))
    log_density = (dimension - 2) * np.log(distance) + (dimension - 3) / 2 * np.log(
        np.maximum(1 - distance**2 / 4, 1e-8)
    )
    near = allowed & (distance < 1.4)
    near = np.where(near.any(axis=1, keepdims=True), near, allowed)
    # The largest of log weight + Gumbel noise is a draw in proportion to the weights.
    return _largest(rng.gumbel(size=similarities.shape) - log_density, near)


def one_of_each(candidates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one of each anchor's candidates, all alike.

    The very hardest negative of a whole bank is often a mislabelled positive; drawing among the
    hardest keeps one such recipe from being pushed away in every epoch.

    Args:
        candidates: int array of shape (n, count); -1 is none.
        rng: draws.
    """
    drawn = random_negatives(candidates >= 0, rng)
    # The last of a row without any is -1, too.
    return np.take_along_axis(candidates, drawn[:, None], axis=1)[:, 0].astype(np.int64)


def _largest(score: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    best = np.where(allowed, score, -np.inf).argmax(axis=1)
    return np.where(allowed.any(axis=1), best, -1)
