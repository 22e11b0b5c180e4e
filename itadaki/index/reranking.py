"""A second look at what an index found for a photo: by what the best of them have in common."""

import numpy as np

CANDIDATES = 100
"""How many rows of an index's answer are looked at again."""
EXPANDING = 20
"""How many of the best rows the query is expanded with."""
STANDS_OUT = 0.05
"""A photo that is nearer than every other photo by this is taken for the very same one."""


def reranked(query: np.ndarray, photos: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Order candidates again by a query that is expanded with the best of them.

    Rows hold texts beside photos, so the mean of the best says what dish most of them are, better
    than the photo does alone (alpha query expansion, Radenović et al. 2019). What is lost by it is
    the very recipe whose photo is asked for, so one whose photo stands out comes first.

    Args:
        query: float32 array (d,) of length 1, a photo's embedding.
        photos: float32 array (n, d), the candidates' photos, rows of length 1.
        rows: float32 array (n, d), what was searched, in the order found; rows of length 1.

    Returns:
        int64 array (n,): places among the candidates, best first.
    """
    if len(rows) == 0:
        return np.zeros(0, np.int64)
    weights = np.maximum(rows[:EXPANDING] @ query, 0) ** 3
    common = weights @ rows[:EXPANDING]
    length = np.linalg.norm(common)
    scores = rows @ (query + (common / length if length > 0 else 0))
    seen = photos @ query
    same = seen >= seen.max() - 1e-3  # with copies of it
    if seen.max() - seen[~same].max(initial=-1) > STANDS_OUT:
        scores[same] += 2
    return np.lexsort((np.arange(len(rows)), -scores))
