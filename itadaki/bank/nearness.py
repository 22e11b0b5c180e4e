"""How near a hit must be in one bank to be near: fitted when it is built, kept in its manifest."""

from collections.abc import Sequence

import numpy as np

FAR = 0.05
"""A best hit with less confidence is not very close: 19 in 20 of the bank's own photos have a
nearer one."""

_QUERIES = 256  # photos of the bank that search it
_STEPS = 21  # quantiles that are kept


def fit(photos: np.ndarray, rows: np.ndarray, groups: Sequence[int]) -> list[float]:
    """Quantiles, in equal steps, of the similarity that a bank's own photos find at best.

    A photo searches for all but its own recipe and the copies of its photo.

    Args:
        photos: float32 array of shape (n, d), the photos' rows.
        rows: float32 array of shape (n, d), what is searched.
        groups: n numbers, one for all copies of a photo.

    Returns:
        Rising numbers; none where no photo has another.
    """
    numbers = np.asarray(groups)
    if len(numbers) == 0:
        return []
    best = []
    for row in np.unique(np.linspace(0, len(numbers) - 1, _QUERIES).astype(int)):
        # Not rows @ photo: OpenBLAS reads rows at half the speed.
        found = np.einsum("ij,j->i", rows, photos[row])
        others = found[numbers != numbers[row]]
        if len(others):
            best.append(others.max())
    if not best:
        return []
    return [round(float(q), 4) for q in np.quantile(best, np.linspace(0, 1, _STEPS))]


def confidence(quantiles: Sequence[float], similarity: float) -> float | None:
    """The share of the bank's own photos whose best hit is farther than this one, 0 to 1.

    Args:
        quantiles: what ``fit`` gave.
        similarity: of the best hit.

    Returns:
        The share; None where the bank has nothing to compare with.
    """
    if not quantiles:
        return None
    return float(np.interp(similarity, quantiles, np.linspace(0, 1, len(quantiles))))
