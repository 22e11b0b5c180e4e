"""What training lowers: each objective names its knobs, chooses its photos and takes the steps.

A new one is a subclass of ``Objective``, and a line in ``objective_of`` that says when it is meant.
"""

import os
from collections.abc import Callable
from typing import ClassVar

import keras
import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must stand before TensorFlow is imported

import tensorflow as tf

from itadaki.training import losses
from itadaki.training.config import TrainingConfig
from itadaki.training.data import TrainingData
from itadaki.training.miners import Miner
from itadaki.training.phases import Phase

_TEXTS = 4096  # that a photo is compared with in a step, beside those of its batch
_OF_TRIPLETS = (
    "triplet_accuracy",
    "triplet_margin_accuracy",
    "positive_similarity",
    "negative_similarity",
)

Step = Callable[[np.ndarray, float, np.random.Generator], dict[str, float]]
"""Takes one step on a batch of places among the training rows, with a margin; gives metrics."""
Apply = Callable[[tf.GradientTape, tf.Tensor], None]
"""Moves the weights down the gradient of a loss that a tape has seen."""


class Objective:
    """A loss over the training photos.

    Attributes:
        KNOBS: names of the configuration's fields that it uses, of those that only some do.
        learned: variables that are trained beside head and backbone.
        memory: variables that an interrupted run needs again, but that are not trained.
        text_tower: a map of ``TrainingData.texts`` into the photos' space, float32 of shape
            (m, dimension), if it trains one.
    """

    KNOBS: ClassVar[frozenset[str]]

    def __init__(self, config: TrainingConfig, data: TrainingData) -> None:
        self._config, self._data = config, data
        self._miner = Miner(config, data.neighbours)
        self.learned: list[tf.Variable] = []
        self.memory: list[tf.Variable] = []
        self.text_tower: tf.Variable | None = None

    def begin(self, phase: Phase) -> None:
        """Make ready for a phase that starts with its first epoch."""

    def begin_epoch(self, phase: Phase) -> None:
        """Make ready for an epoch."""
        self._miner.begin_epoch(lambda places: phase.embed(self._data.train[places]))

    def step_of(self, phase: Phase, apply: Apply) -> Step:
        """Compile the step of a phase."""
        raise NotImplementedError


class TripletObjective(Objective):
    """The triplet loss alone; the gradient flows through all three photos."""

    KNOBS = Miner.KNOBS

    def step_of(self, phase: Phase, apply: Apply) -> Step:
        def learn(photos: tf.Tensor, margin: tf.Tensor) -> dict[str, tf.Tensor]:
            with tf.GradientTape() as tape:
                embeddings = phase.model(tf.cast(photos, tf.float32), training=True)
                anchor, positive, negative = tf.split(embeddings, 3)
                near = tf.reduce_sum(anchor * positive, axis=1)
                far = tf.reduce_sum(anchor * negative, axis=1)
                loss = losses.triplet_loss(near, far, margin)
            apply(tape, loss)
            return {
                "loss": loss,
                **_triplet_metrics(near, far, margin, tf.ones_like(near, tf.bool)),
            }

        compiled = tf.function(learn, reduce_retracing=True)

        def step(batch: np.ndarray, margin: float, rng: np.random.Generator) -> dict[str, float]:
            positives, negatives = self._miner.mine(batch, rng)
            kept = negatives >= 0
            if not kept.any():  # nothing to learn from; weights stay as they are
                return {"loss": 0.0, **dict.fromkeys(_OF_TRIPLETS, 0.0), "triplets": 0.0}
            rows = self._data.train[np.concatenate([batch[kept], positives[kept], negatives[kept]])]
            photos, _ = phase.inputs(rows, rng)
            return _floats(compiled(photos, tf.constant(margin, tf.float32)))

        return step


class JointObjective(Objective):
    """Photos against texts, against a memory of all photos, and against triplets out of it.

    The memory holds each training photo's latest embedding (Wu et al. 2018); at the learning rates
    of fine-tuning it is at most an epoch old, which cross-batch memory tolerates (Wang et al.
    2020). Negatives are mined from a bank that is embedded anew for each epoch, and compared with
    as the memory has them.
    """

    KNOBS = Miner.KNOBS | {
        "triplet_weight",
        "photo_weight",
        "text_weight",
        "distillation_weight",
        "temperature",
        "self_share",
        "raw_share",
    }

    def __init__(self, config: TrainingConfig, data: TrainingData) -> None:
        super().__init__(config, data)
        self._texts = tf.constant(data.texts.dense)
        width = data.texts.dense.shape[1]
        self._photos = tf.Variable(tf.zeros((len(data.train), config.embedding_dim)))
        self.memory = [self._photos]
        initial = keras.initializers.GlorotUniform()((width, config.embedding_dim))
        self._tower = tf.Variable(initial, name="text_tower")
        if config.text_weight:
            self.text_tower = self._tower
            self.learned = [self._tower]

    def begin(self, phase: Phase) -> None:
        self._photos.assign(phase.embed(self._data.train))

    def step_of(self, phase: Phase, apply: Apply) -> Step:
        config = self._config

        def learn(
            photos: tf.Tensor,
            frozen: tf.Tensor,
            rows: tf.Tensor,
            texts: tf.Tensor,
            text_targets: tf.Tensor,
            targets: tf.Tensor,
            positives: tf.Tensor,
            negatives: tf.Tensor,
            margin: tf.Tensor,
        ) -> dict[str, tf.Tensor]:
            counted = negatives >= 0  # an anchor without an allowed negative makes no triplet
            with tf.GradientTape() as tape:
                features, photo = phase.trained(tf.cast(photos, tf.float32), training=True)
                text = tf.math.l2_normalize(
                    tf.matmul(tf.gather(self._texts, texts), self._tower), axis=1
                )
                to_text = losses.soft_contrastive_loss(
                    tf.matmul(photo, text, transpose_b=True), text_targets, config.temperature
                )
                to_photo = losses.soft_contrastive_loss(
                    tf.matmul(photo, self._photos, transpose_b=True), targets, config.temperature
                )
                near = tf.reduce_sum(photo * tf.gather(self._photos, positives), axis=1)
                away = tf.gather(self._photos, tf.maximum(negatives, 0))
                far = tf.reduce_sum(photo * away, axis=1)
                triplet = losses.triplet_loss(near, far, margin, counted)
                distance = losses.mean_distance(features, frozen)
                loss = (
                    config.text_weight * to_text
                    + config.photo_weight * to_photo
                    + config.triplet_weight * triplet
                    + config.distillation_weight * distance
                )
            apply(tape, loss)
            self._photos.scatter_nd_update(rows[:, None], photo)
            return {
                "loss": loss,
                "text_loss": to_text,
                "photo_loss": to_photo,
                "triplet_loss": triplet,
                "feature_distance": distance,
                **_triplet_metrics(near, far, margin, counted),
            }

        compiled = tf.function(learn, reduce_retracing=True)

        def step(batch: np.ndarray, margin: float, rng: np.random.Generator) -> dict[str, float]:
            positives, negatives = self._miner.mine(batch, rng)
            texts, text_targets, targets = self._targets(batch, rng)
            photos, frozen = phase.inputs(self._data.train[batch], rng)
            found = compiled(
                photos,
                frozen,
                batch,
                texts,
                text_targets,
                targets,
                positives,
                negatives,
                tf.constant(margin, tf.float32),
            )
            return _floats(found)

        return step

    def _targets(
        self, batch: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Texts to compare with, and how near each of them, and each photo, should lie."""
        count = len(self._data.train)
        drawn = rng.choice(count, size=min(_TEXTS, count), replace=False)
        texts = np.union1d(batch, drawn)
        targets = self._data.neighbours.targets(batch, self._config.self_share)
        text_targets = targets[:, texts]
        # Where SELF_SHARE is 0 none of a recipe's positives need be among these texts.
        totals = text_targets.sum(axis=1, keepdims=True)
        text_targets = np.divide(text_targets, totals, out=text_targets, where=totals > 0)
        if share := self._config.raw_share:
            look_alikes = self._data.look_alikes[batch].toarray()
            targets = (1 - share) * targets + share * look_alikes
        return texts, text_targets, targets


def objective_of(config: TrainingConfig) -> type[Objective]:
    """The objective that a configuration means.

    Raises:
        ItadakiError: a knob is set that this objective does not use.
    """
    joint = config.text_weight or config.photo_weight
    meant = JointObjective if joint else TripletObjective
    others = sorted(JointObjective.KNOBS - meant.KNOBS)
    config.refuse(*others, because="there is no loss beside that of triplets")
    return meant


def epoch_metrics(steps: list[dict[str, float]]) -> dict[str, float]:
    """The means over an epoch's steps; a batch with few triplets says as much less about them."""
    triplets = np.array([step["triplets"] for step in steps])
    means = {}
    for name in steps[0]:
        weights = triplets if name in _OF_TRIPLETS and triplets.any() else None
        means[name] = float(np.average([step[name] for step in steps], weights=weights))
    del means["triplets"]
    return means


def _triplet_metrics(
    near: tf.Tensor, far: tf.Tensor, margin: tf.Tensor, counted: tf.Tensor
) -> dict[str, tf.Tensor]:
    return {
        "triplet_accuracy": losses.triplet_accuracy(near, far, counted),
        "triplet_margin_accuracy": losses.triplet_margin_accuracy(near, far, margin, counted),
        "positive_similarity": losses.mean_of(near, counted),
        "negative_similarity": losses.mean_of(far, counted),
        "triplets": tf.reduce_sum(tf.cast(counted, tf.float32)),
    }


def _floats(metrics: dict[str, tf.Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items()}
