"""A photo's query moved towards what it finds: by what the best rows have in common."""

import numpy as np

CANDIDATES = 100
"""Among so many rows of an index's first answer the same photo is looked for."""
EXPANDING = 20
"""So many of the best rows the query is expanded with."""
STANDS_OUT = 0.03
"""A photo that is nearer than every other photo by this is taken for the very same one."""


def expanded(query: np.ndarray, photos: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Expand a query with the rows that it finds (alpha query expansion, Radenović et al. 2019).

    Rows hold texts beside photos, so the mean of the best says what dish most of them are, better
    than the photo does alone. What would be lost by it is the very recipe whose photo is asked
    for, so the row of a photo that stands out is added once more.

    Args:
        query: float32 array (d,) of length 1, a photo's embedding.
        photos: float32 array (n, d), the photos of the rows found, rows of length 1.
        rows: float32 array (n, d), what was searched, best first; rows of length 1.

    Returns:
        float32 array (d,) of length 1.
    """
    best = rows[:EXPANDING]
    moved = query + _unit(np.maximum(best @ query, 0) ** 3 @ best)
    seen = photos @ query
    same = seen >= seen.max(initial=-1) - 1e-3  # with copies of it
    if not same.all() and seen[same].min() - seen[~same].max() > STANDS_OUT:
        moved = moved + _unit(rows[same].sum(axis=0))
    return np.asarray(_unit(moved), np.float32)


def _unit(row: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(row)
    return row / length if length > 0 else row
