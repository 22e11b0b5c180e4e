"""How well a photo finds its own recipe's text among those of others, as Recipe1M measures it."""

import numpy as np

BAG, BAGS = 1000, 10


def text_retrieval(
    photos: np.ndarray, texts: np.ndarray, queries: np.ndarray, seed: int = 0
) -> dict[str, float]:
    """Photo to text in bags of 1,000 texts, by the protocol of im2recipe (Salvador et al. 2017).

    Each query searches ten bags, of its own text and others drawn from the whole collection: of
    held-out recipes alone there are too few. Recipe1M's bags are of held-out ones alone.

    Args:
        photos: float32 array of shape (n, d), rows of length 1.
        texts: float32 array of shape (n, d), the same recipes' texts; a row of 0 is no text.
        queries: int array, which of the n recipes ask; those without a text do not.
        seed: of the bags.

    Returns:
        medR (the median rank of a query's own text, 1 for the best, in the mean over the bags),
        R@1, R@5 and R@10, and queries and texts, how many there were and a bag held.
    """
    rng = np.random.default_rng(seed)
    known = np.flatnonzero(texts.any(axis=1))
    queries = queries[texts[queries].any(axis=1)]
    size = min(BAG, len(known))
    ranks = np.empty((BAGS, len(queries)))
    for bag in ranks:
        others = rng.choice(known, size, replace=False)
        similarities = photos[queries] @ texts[others].T
        own = (photos[queries] * texts[queries]).sum(axis=1)
        foreign = others[None] != queries[:, None]
        # One of the bag's gives its place to the query's own, where that was not drawn.
        drawn = ~foreign.all(axis=1)
        foreign[~drawn, 0] = False
        bag[:] = 1 + ((similarities > own[:, None]) & foreign).sum(axis=1)
    return {
        "medR": float(np.median(ranks, axis=1).mean()),
        **{f"R@{k}": float((ranks <= k).mean()) for k in (1, 5, 10)},
        "queries": len(queries),
        "texts": size,
    }
