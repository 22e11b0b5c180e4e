"""Triplets of an anchor, a positive and a hard negative."""

from typing import NamedTuple

import numpy as np

from itadaki.bank import Bank
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
    classes = np.array([bank.recipes[i]["dish_class"] or "" for i in range(len(groups))])
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
