"""Mining: which photo is an anchor's positive, and which its negative."""

import os
from collections.abc import Callable

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must stand before TensorFlow is imported

from keras import ops

from itadaki.training import triplets
from itadaki.training.config import TrainingConfig
from itadaki.training.text_neighbours import TextNeighbours

_BLOCK = 1024

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
        """Embed the bank of all training photos anew where hard negatives are mined, and mine."""
        self._embed = embed
        if self._config.sampling != "hard_negative":
            return
        self._bank = embed(self._everything)
        if self._config.positives == "text":
            blocks = np.split(self._everything, range(_BLOCK, len(self._everything), _BLOCK))
            found = [
                self._hardest(block, self._everything, self._neighbours.negatives(block))
                for block in blocks
            ]
            self._negatives = np.concatenate(found)

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
            if self._config.sampling == "hard_negative":
                return positives, triplets.one_of_each(self._negatives[batch], rng)
            pool = positives
            if self._config.sampling == "random":
                pool = rng.choice(self._everything, len(positives), replace=False)
            allowed = self._neighbours.may_be_negative(batch, pool)
        chosen = self._chosen(batch, positives, pool, allowed, rng)
        return positives, np.where(chosen >= 0, pool[chosen], -1)

    def _hardest(self, anchors: np.ndarray, pool: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        """The most similar allowed candidates of each anchor, as places in the pool.

        Args:
            anchors: places of n photos.
            pool: places of m photos.
            allowed: bool array of shape (n, m).

        Returns:
            int32 array of shape (n, count), -1 where fewer are allowed; in no order.
        """
        # By Keras, so that a GPU does it where there is one.
        similarities = ops.matmul(self._bank[anchors], ops.transpose(self._bank[pool]))
        masked = ops.where(allowed, similarities, -np.inf)
        count = min(self._config.hardest, len(pool))
        values, places = map(ops.convert_to_numpy, ops.top_k(masked, count, sorted=False))
        return np.where(np.isfinite(values), places, -1)

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
            return triplets.one_of_each(self._hardest(batch, pool, allowed), rng)
        anchors = self._embed(batch)
        similarities = anchors @ self._embed(pool).T
        if sampling == "batch_hard":
            return triplets.hardest_negatives(similarities, allowed)
        if sampling == "semi_hard":
            positive = (anchors * self._embed(positives)).sum(axis=1)
            return triplets.semi_hard_negatives(similarities, positive, allowed)
        dimension = anchors.shape[1]
        return triplets.distance_weighted_negatives(similarities, allowed, dimension, rng)
