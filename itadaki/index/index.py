"""The index: what finds the nearest rows of a bank. ``ITADAKI_INDEX`` chooses which.

``exact`` compares with every row. ``ann`` walks a graph kept beside the bank, on one machine.
``qdrant`` asks a Qdrant server or cluster.
"""

import logging
from typing import Protocol

import numpy as np

from itadaki.bank.bank import Bank
from itadaki.errors import ItadakiError, missing_extra
from itadaki.index.exact import top_k
from itadaki.index.filters import Filters, RowFilter
from itadaki.index.precision import rows_of
from itadaki.settings import Settings

ADVISED_ABOVE = 100_000
"""Rows above which an approximate index is advised."""

_log = logging.getLogger(__name__)


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


def build_index(bank: Bank, settings: Settings, progress: bool = True) -> None:
    """Bring what the chosen index keeps up to date with a bank, so that it can be opened.

    Call it after every change of a bank. What was built before is changed as little as can be.

    Raises:
        ItadakiError: a package is missing, or Qdrant does not answer.
    """
    if settings.index == "ann":
        from itadaki.index.ann import build_graph

        build_graph(bank, settings, progress)
    elif settings.index == "qdrant":
        with missing_extra("qdrant"):
            from itadaki.index.qdrant import index_bank

        index_bank(bank, settings, progress)
    else:
        rows_of(bank, settings, settings.bank_precision)
        if len(bank.embeddings) > ADVISED_ABOVE:
            _log.warning(
                "%s recipes are many to compare with one by one: with ITADAKI_INDEX=ann a search "
                "is much faster and finds 98%% of the same (docs/sizing.md).",
                f"{len(bank.embeddings):,}",
            )


def open_index(bank: Bank, settings: Settings) -> Index:
    """Open the index that the settings choose.

    Raises:
        ArtifactError: it is not of this bank; the message names the command that builds it.
        ItadakiError: a package is missing, or Qdrant does not answer.
    """
    if settings.index == "ann":
        from itadaki.index.ann import AnnIndex

        return AnnIndex(bank, settings)
    if settings.index == "qdrant":
        with missing_extra("qdrant"):
            from itadaki.index.qdrant import QdrantIndex

        return QdrantIndex(bank, settings)
    return ExactIndex(bank, rows_of(bank, settings, settings.bank_precision))


class ExactIndex:
    """Compares a query with every row."""

    def __init__(self, bank: Bank, rows: np.ndarray | None = None) -> None:
        """Search a bank, by rows with fewer bits where these are given."""
        self._bank, self._rows = bank.embeddings, bank.embeddings if rows is None else rows
        self._filter = RowFilter(bank.recipes)

    def search(self, query: np.ndarray, k: int, filters: Filters) -> tuple[np.ndarray, np.ndarray]:
        """See ``Index.search``."""
        exact = None if self._rows is self._bank else self._bank
        return top_k(self._rows, query, k, self._filter.rows(filters), exact)


class StandInIndex(ExactIndex):
    """In place of the chosen index of a bank that has changed, until that one has followed."""


def following_index(bank: Bank, settings: Settings) -> Index:
    """Bring the chosen index up to date with a bank whose change is on disk, and open it.

    The change is made, whatever fails now: then the log says why, and how to mend it, and what
    comes back is a ``StandInIndex``.
    """
    try:
        build_index(bank, settings, progress=False)
        return open_index(bank, settings)
    except Exception as error:
        expected, name = isinstance(error, ItadakiError), bank.variant.name
        _log.warning(
            "The recipes are changed, but the index of %s could not follow: %s Until it does, "
            "searches compare with every recipe; run: python -m itadaki build %s --dataset %s",
            name,
            error if expected else repr(error),
            name,
            settings.dataset,
            exc_info=None if expected else error,
        )
        return StandInIndex(bank)
