"""Exact cosine search in a bank of normalised embeddings."""

import numpy as np


def top_k(
    bank: np.ndarray, query: np.ndarray, k: int, allowed: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k rows of the bank that are most similar to the query.

    One matrix product and one partition; the bank's rows are taken as normalised. Of equally
    similar rows the one with the lower index comes first.

    Args:
        bank: float32 array of shape (n, d) with rows of length 1; may be memory-mapped.
        query: float32 array of shape (d,) of length 1.
        k: how many rows to find; fewer come back if fewer are allowed.
        allowed: bool array of shape (n,), the rows that may be found; all without it.

    Returns:
        The rows' indices (int64) and their cosine similarities (float32), best first.

    Raises:
        ValueError: k is less than 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}.")
    candidates = np.arange(len(bank)) if allowed is None else np.flatnonzero(allowed)
    similarities = (bank @ query)[candidates] if allowed is not None else bank @ query
    k = min(k, len(candidates))
    if k == 0:
        return candidates, similarities
    # argpartition settles ties at the k-th place arbitrarily, so only its threshold is used.
    threshold = similarities[np.argpartition(-similarities, k - 1)[k - 1]]
    better = np.flatnonzero(similarities > threshold)
    tied = np.flatnonzero(similarities == threshold)[: k - len(better)]
    found = np.concatenate([better, tied])
    found = found[np.lexsort((found, -similarities[found]))]
    return candidates[found], similarities[found]
