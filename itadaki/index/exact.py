"""Cosine search by comparing a query with every row of a bank."""

import numpy as np

from itadaki.errors import missing_extra
from itadaki.index.precision import reduced

RESCORED = 4
"""Rows that are compared again exactly, for each that is wanted."""

_PASS = 4096  # NumKong packs the rows that it is given: past the caches it takes ten times as long
_FEW = 8  # where less than this part of the rows is allowed, those are copied out and compared


def top_k(
    bank: np.ndarray,
    query: np.ndarray,
    k: int,
    allowed: np.ndarray | None = None,
    exact: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k rows of the bank that are most similar to the query.

    One pass over the rows and one partition; the bank's rows are taken as normalised. Of equally
    similar rows the one with the lower index comes first.

    Args:
        bank: float32 or float16 array of shape (n, d) with rows of length 1, or int8 with rows
            of any length; may be memory-mapped.
        query: float32 array of shape (d,) of length 1.
        k: how many rows to find; fewer come back if fewer are allowed.
        allowed: bool array of shape (n,), the rows that may be found; all without it.
        exact: the bank in float32, where ``bank`` has fewer bits: the best rows are compared again.

    Returns:
        The rows' indices (int64) and their cosine similarities (float32), best first.

    Raises:
        ValueError: k is less than 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}.")
    if exact is not None:
        rough, _ = top_k(bank, query, RESCORED * k, allowed)
        return rescored(rough, exact, query, k)
    if allowed is None:
        return _best(np.arange(len(bank)), similarities(bank, query), k)
    candidates = np.flatnonzero(allowed)
    if len(candidates) * _FEW < len(bank):
        return _best(candidates, similarities(bank[candidates], query), k)
    return _best(candidates, similarities(bank, query)[candidates], k)


def rescored(
    rows: np.ndarray, bank: np.ndarray, query: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k best of some rows of a float32 bank; see ``top_k``."""
    rows = np.sort(rows)
    return _best(rows, similarities(bank[rows], query), k)


def similarities(bank: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Cosines of a float32 query with every row of a bank: float32 array of shape (n,)."""
    if bank.dtype == np.float32 or len(bank) == 0:
        # Not bank @ query: OpenBLAS reads rows at half the speed.
        return np.asarray(np.einsum("ij,j->i", bank, query))
    with missing_extra("ann"):
        from numkong import cdist

    int8 = bank.dtype == np.int8
    small = reduced(query[None], "int8" if int8 else "float16")
    found = np.empty(len(bank), np.float32)
    for start in range(0, len(bank), _PASS):
        part = slice(start, start + _PASS)
        found[part] = np.asarray(
            cdist(small, bank[part], metric="angular" if int8 else "dot", out_dtype="float32")
        )[0]
    return 1 - found if int8 else found


def _best(
    candidates: np.ndarray, similarities: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
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
