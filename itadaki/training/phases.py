"""The two phases of training: which weights learn, and from which inputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import keras
import numpy as np

from itadaki.models.keras_model import batch_function
from itadaki.training.config import TrainingConfig
from itadaki.training.data import TrainingData
from itadaki.training.heads import Head
from itadaki.training.views import Joined

Rows = np.ndarray | Joined
_BATCH = 128  # that is embedded at once

Inputs = Callable[[np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""Dataset rows to a batch of a model's inputs, and to the frozen backbone's pooled features of the
same views, float32 (n, 1280)."""


@dataclass
class Phase:
    """One stretch of training with one set of trainable weights.

    Attributes:
        name: head, or fine_tuning.
        epochs: at most so many.
        model: inputs of a view to embeddings.
        pooled: the tensor inside the model that the head begins with.
        inputs: draws a view of each row.
        plain: dataset rows to inputs of the plain view.
        backbone: trainable variables of the backbone, which learn more slowly.
    """

    name: str
    epochs: int
    model: keras.Model
    pooled: keras.KerasTensor
    inputs: Inputs
    plain: Callable[[np.ndarray], np.ndarray]
    backbone: list[keras.Variable] = field(default_factory=list)

    @cached_property
    def trained(self) -> keras.Model:
        """Inputs to pooled features and embeddings."""
        return keras.Model(self.model.input, [self.pooled, self.model.output])

    def embed(self, rows: np.ndarray) -> np.ndarray:
        """What the model gives for the plain view of rows of the dataset, in batches."""
        parts = np.split(rows, range(_BATCH, len(rows), _BATCH))
        return np.concatenate([self._forward(self.plain(part)) for part in parts])

    @cached_property
    def _forward(self) -> Callable[[np.ndarray], np.ndarray]:
        return batch_function(self.model, _BATCH)


def head_phase(config: TrainingConfig, data: TrainingData, head: Head) -> Phase:
    """The head alone, on features of the frozen backbone."""
    views = [data.features(view) for view in range(config.views)]
    pooled = keras.Input((views[0].shape[1],), name="pooled")
    epochs = config.epochs or config.phase_1_epochs
    model = head.after(pooled, pooled)
    inputs = _any_of(views, views)
    return Phase("head", epochs, model, pooled, inputs, views[0].__getitem__)


def fine_tuning_phase(config: TrainingConfig, data: TrainingData, head: Head) -> Phase:
    """Head and unfrozen blocks together, on activations of the frozen ones."""
    tail = data.tail
    # Layer by layer: a new model counts as trainable, so setting it there does nothing.
    # A frozen BatchNorm runs in inference mode whatever the call says, with ImageNet's
    # statistics; training=False alone would be overruled by the outer model's training=True.
    for layer in tail.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    maps = keras.Input(tail.input.shape[1:], name="activations")
    pooled = keras.layers.GlobalAveragePooling2D(name="pooling")(tail(maps))
    views = [data.activations(view) for view in range(config.views if config.cache else 1)]
    inputs: Inputs
    if config.cache:
        inputs = _mirrored(_any_of(views, [data.features(view) for view in range(config.views)]))
    else:

        def inputs(rows: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
            return data.fresh_activations(rows, rng), data.features(0)[rows]

    return Phase(
        "fine_tuning",
        config.phase_2_epochs,
        head.after(maps, pooled),
        pooled,
        inputs,
        views[0].__getitem__,
        tail.trainable_variables,
    )


def _any_of(views: Sequence[Rows], features: Sequence[np.ndarray]) -> Inputs:
    def inputs(rows: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        drawn = rng.integers(len(views), size=len(rows))
        order = np.argsort(drawn, kind="stable")
        parts = [rows[drawn == view] for view in range(len(views))]
        back = np.argsort(order)
        photos = np.concatenate([one[part] for one, part in zip(views, parts, strict=True)])
        frozen = np.concatenate([one[part] for one, part in zip(features, parts, strict=True)])
        return photos[back], frozen[back]

    return inputs


def _mirrored(inputs: Inputs) -> Inputs:
    """Half of the activations mirrored, which is nearly what mirrored photos give, and free."""

    def mirrored(rows: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        maps, frozen = inputs(rows, rng)
        chosen = rng.random(len(rows)) < 0.5
        maps[chosen] = maps[chosen, :, ::-1]
        return maps, frozen

    return mirrored
