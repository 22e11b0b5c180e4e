"""What training lowers: each objective names its knobs, chooses its photos and takes the steps.

A new one is a subclass of ``Objective``, and a line in ``objective_of`` that says when it is meant.
"""

from typing import ClassVar, NamedTuple

import keras
import numpy as np
from keras import ops

from itadaki.training import losses
from itadaki.training.config import TrainingConfig
from itadaki.training.data import TrainingData
from itadaki.training.losses import Tensor
from itadaki.training.miners import Miner
from itadaki.training.phases import Phase

_TEXTS = 4096  # that a photo is compared with in a step, beside those of its batch
_OF_TRIPLETS = (
    "triplet_accuracy",
    "triplet_margin_accuracy",
    "positive_similarity",
    "negative_similarity",
)


class Batch(NamedTuple):
    """What a step learns from.

    Attributes:
        photos: inputs of the phase's model.
        given: what the loss needs beside them, by name.
    """

    photos: np.ndarray
    given: dict[str, np.ndarray]


class Objective:
    """A loss over the training photos.

    Attributes:
        KNOBS: names of the configuration's fields that it uses, of those that only some do.
        METRICS: names of what ``loss`` tells of a step.
        learned: variables that are trained beside head and backbone.
        memory: variables that an interrupted run needs again, but that are not trained.
        fixed: variables that never change.
        text_tower: a map of ``TrainingData.texts`` into the photos' space, float32 of shape
            (m, dimension), if it trains one.
    """

    KNOBS: ClassVar[frozenset[str]]
    METRICS: ClassVar[tuple[str, ...]] = (*_OF_TRIPLETS, "triplets")

    def __init__(self, config: TrainingConfig, data: TrainingData) -> None:
        self._config, self._data = config, data
        self._miner = Miner(config, data.neighbours)
        self.learned: list[keras.Variable] = []
        self.memory: list[keras.Variable] = []
        self.fixed: list[keras.Variable] = []
        self.text_tower: keras.Variable | None = None

    def begin(self, phase: Phase) -> None:
        """Make ready for a phase that starts with its first epoch."""

    def begin_epoch(self, phase: Phase) -> None:
        """Make ready for an epoch."""
        self._miner.begin_epoch(lambda places: phase.embed(self._data.train[places]))

    def batch(self, phase: Phase, places: np.ndarray, rng: np.random.Generator) -> Batch | None:
        """Draw views, positives and negatives of places among the training rows.

        Batches of as many places are of the same shapes, since some backends compile a step for
        each. None where nothing can be learned: weights shall stay as they are.
        """
        raise NotImplementedError

    def loss(
        self, features: Tensor, embeddings: Tensor, given: dict[str, Tensor], margin: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """What is lowered, and what is told of a step, as tensors of Keras' backend.

        Args:
            features: float32 (n, 1280), the backbone's.
            embeddings: float32 (n, dimension), rows of length 1.
            given: of the batch.
            margin: of the triplets.
        """
        raise NotImplementedError


class TripletObjective(Objective):
    """The triplet loss alone; the gradient flows through all three photos."""

    KNOBS = Miner.KNOBS

    def batch(self, phase: Phase, places: np.ndarray, rng: np.random.Generator) -> Batch | None:
        positives, negatives = self._miner.mine(places, rng)
        counted = negatives >= 0
        if not counted.any():
            return None
        negatives = np.where(counted, negatives, places)
        rows = self._data.train[np.concatenate([places, positives, negatives])]
        photos, _ = phase.inputs(rows, rng)
        return Batch(photos, {"counted": counted})

    def loss(
        self, features: Tensor, embeddings: Tensor, given: dict[str, Tensor], margin: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        anchor, positive, negative = ops.split(embeddings, 3)
        counted = given["counted"]
        near, far = ops.sum(anchor * positive, axis=1), ops.sum(anchor * negative, axis=1)
        loss = losses.triplet_loss(near, far, margin, counted)
        return loss, _triplet_metrics(near, far, margin, counted)


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
    }
    METRICS = (
        "text_loss",
        "photo_loss",
        "triplet_loss",
        "feature_distance",
        *Objective.METRICS,
    )

    def __init__(self, config: TrainingConfig, data: TrainingData) -> None:
        super().__init__(config, data)
        self._texts = keras.Variable(data.texts.dense, trainable=False, name="texts")
        width, dimension = data.texts.dense.shape[1], config.embedding_dim
        empty = np.zeros((len(data.train), dimension), np.float32)
        self._photos = keras.Variable(empty, trainable=False, name="photos")
        self.memory, self.fixed = [self._photos], [self._texts]
        initial = keras.initializers.GlorotUniform()((width, dimension))
        self._tower = keras.Variable(initial, trainable=bool(config.text_weight), name="text_tower")
        if config.text_weight:
            self.text_tower = self._tower
            self.learned = [self._tower]
        else:
            self.fixed.append(self._tower)

    def begin(self, phase: Phase) -> None:
        self._photos.assign(phase.embed(self._data.train))

    def batch(self, phase: Phase, places: np.ndarray, rng: np.random.Generator) -> Batch | None:
        positives, negatives = self._miner.mine(places, rng)
        texts, text_targets, targets = self._targets(places, rng)
        photos, frozen = phase.inputs(self._data.train[places], rng)
        given = {
            "frozen": frozen,
            "places": places,
            "texts": texts,
            "text_targets": text_targets,
            "targets": targets,
            "positives": positives,
            "negatives": np.maximum(negatives, 0),
            "counted": negatives >= 0,  # an anchor without an allowed negative makes no triplet
        }
        return Batch(photos, given)

    def loss(
        self, features: Tensor, embeddings: Tensor, given: dict[str, Tensor], margin: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        config, counted = self._config, given["counted"]
        photos = ops.convert_to_tensor(self._photos)
        text = losses.unit_rows(ops.take(self._texts, given["texts"], axis=0) @ self._tower)
        to_text = losses.soft_contrastive_loss(
            embeddings @ ops.transpose(text), given["text_targets"], config.temperature
        )
        to_photo = losses.soft_contrastive_loss(
            embeddings @ ops.transpose(photos), given["targets"], config.temperature
        )
        near = ops.sum(embeddings * ops.take(photos, given["positives"], axis=0), axis=1)
        far = ops.sum(embeddings * ops.take(photos, given["negatives"], axis=0), axis=1)
        triplet = losses.triplet_loss(near, far, margin, counted)
        distance = losses.mean_distance(features, given["frozen"])
        loss = (
            config.text_weight * to_text
            + config.photo_weight * to_photo
            + config.triplet_weight * triplet
            + config.distillation_weight * distance
        )
        latest = ops.scatter_update(
            photos, ops.expand_dims(given["places"], 1), ops.stop_gradient(embeddings)
        )
        self._photos.assign(latest)
        return loss, {
            "text_loss": to_text,
            "photo_loss": to_photo,
            "triplet_loss": triplet,
            "feature_distance": distance,
            **_triplet_metrics(near, far, margin, counted),
        }

    def _targets(
        self, batch: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Texts to compare with, and how near each of them, and each photo, should lie."""
        count = len(self._data.train)
        beside = min(_TEXTS, count - len(batch))
        drawn = rng.choice(count, size=min(beside + len(batch), count), replace=False)
        texts = np.concatenate([batch, drawn[~np.isin(drawn, batch)][:beside]])
        targets = self._data.neighbours.targets(batch, self._config.self_share)
        text_targets = targets[:, texts]
        # Where SELF_SHARE is 0 none of a recipe's positives need be among these texts.
        totals = text_targets.sum(axis=1, keepdims=True)
        text_targets = np.divide(text_targets, totals, out=text_targets, where=totals > 0)
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
    near: Tensor, far: Tensor, margin: Tensor, counted: Tensor
) -> dict[str, Tensor]:
    return {
        "triplet_accuracy": losses.triplet_accuracy(near, far, counted),
        "triplet_margin_accuracy": losses.triplet_margin_accuracy(near, far, margin, counted),
        "positive_similarity": losses.mean_of(near, counted),
        "negative_similarity": losses.mean_of(far, counted),
        "triplets": ops.sum(ops.cast(counted, "float32")),
    }
