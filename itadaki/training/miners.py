"""Mining: which photo is an anchor's positive, and which its negative."""

from collections.abc import Callable

import numpy as np

from itadaki.training import triplets
from itadaki.training.config import TrainingConfig
from itadaki.training.text_neighbours import TextNeighbours

Embed = Callable[[np.ndarray], np.ndarray]
"""Places of n training photos to their embeddings as of now: float32 (n, dimension)."""


class Miner:
    """Chooses positives and negatives as ``config`` says.

    All photos are named by their places among the training rows.
    """

    KNOBS = frozenset({"sampling", "hardest", "positives"})

    def __init__(self, config: TrainingConfig, neighbours: TextNeighbours) -> None:
        self._config, self._neighbours = config, neighbours
        self._everything = np.arange(len(neighbours.dish_class))

    def begin_epoch(self, embed: Embed) -> None:
        """Embed the bank of all training photos anew where hard negatives are mined from it."""
        self._embed = embed
        if self._config.sampling == "hard_negative":
            self._bank = embed(self._everything)

    def mine(self, batch: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A positive and a negative for each anchor of a batch.

        Returns:
            Two int64 arrays of shape (n,); the negative is -1 where none is allowed.
        """
        if self._config.positives == "batch_text":
            alike = self._neighbours.similarity(batch, batch)
            positives, pool = batch[alike.argmax(axis=1)], batch
            allowed = (pool != batch[:, None]) & (pool != positives[:, None])
        else:
            positives = self._neighbours.positive_of(batch, rng)
            pool = self._candidates(positives, rng)
            if pool is self._everything:
                allowed = self._neighbours.negatives(batch)
            else:
                allowed = self._neighbours.may_be_negative(batch, pool)
        chosen = self._chosen(batch, positives, pool, allowed, rng)
        return positives, np.where(chosen >= 0, pool[chosen], -1)

    def _candidates(self, positives: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self._config.sampling == "hard_negative":
            return self._everything
        if self._config.sampling == "random":
            return rng.choice(self._everything, len(positives), replace=False)
        return positives

    def _chosen(
        self,
        batch: np.ndarray,
        positives: np.ndarray,
        pool: np.ndarray,
        allowed: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        sampling = self._config.sampling
        if sampling == "random":
            return triplets.random_negatives(allowed, rng)
        if sampling == "hard_negative":
            candidates = self._bank if pool is self._everything else self._bank[pool]
            similarities = self._bank[batch] @ candidates.T
            hardest = self._config.hardest
            return triplets.among_hardest_negatives(similarities, allowed, hardest, rng)
        anchors = self._embed(batch)
        similarities = anchors @ self._embed(pool).T
        if sampling == "batch_hard":
            return triplets.hardest_negatives(similarities, allowed)
        if sampling == "semi_hard":
            positive = (anchors * self._embed(positives)).sum(axis=1)
            return triplets.semi_hard_negatives(similarities, positive, allowed)
        dimension = anchors.shape[1]
        return triplets.distance_weighted_negatives(similarities, allowed, dimension, rng)
