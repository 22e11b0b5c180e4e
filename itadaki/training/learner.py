"""What takes the steps: a phase's model with an objective's loss, on any backend of Keras."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must stand before TensorFlow is imported

import keras

from itadaki.models.keras_model import compiles
from itadaki.training.losses import Tensor
from itadaki.training.objectives import Objective
from itadaki.training.phases import Phase


class AdamW(keras.optimizers.Adam):  # type: ignore[misc]
    """AdamW (Loshchilov and Hutter 2019) at two rates and with two decays.

    Keras' own knows one rate and one decay, and its trainer one optimizer.
    """

    def __init__(
        self,
        learning_rate: keras.optimizers.schedules.LearningRateSchedule,
        head: tuple[float, float],
        backbone: tuple[float, float],
        of_backbone: list[keras.Variable],
        **options: Any,
    ) -> None:
        """Adam, and factors of the learning rate with weight decays.

        Args:
            learning_rate: of the head.
            head: factor and decay of all variables but the backbone's.
            backbone: the same of these.
            of_backbone: which they are.
            options: of ``keras.optimizers.Adam``.
        """
        super().__init__(learning_rate, **options)
        self._head, self._backbone = head, backbone
        self._of_backbone = {id(variable) for variable in of_backbone}

    def build(self, variables: list[keras.Variable]) -> None:
        """Make the moments of variables."""
        super().build(variables)
        self._paces = [
            self._backbone if id(variable) in self._of_backbone else self._head
            for variable in variables
        ]

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        """Let a variable decay, and move it down its gradient."""
        factor, decay = self._paces[self._get_variable_index(variable)]
        rate = factor * learning_rate
        self.assign_sub(variable, variable * (decay * rate))
        super().update_step(gradient, variable, rate)


class Learner(keras.Model):  # type: ignore[misc]
    """A phase's model with the loss of an objective, for the step that Keras' trainer takes."""

    def __init__(self, phase: Phase, objective: Objective, optimizer: AdamW) -> None:
        super().__init__(name="learner")
        self._trained = phase.trained
        self._objective, self._phase = objective, phase
        # Keras follows the variables that it finds in a model's own attributes.
        self._own = [*objective.learned, *objective.memory, *objective.fixed]
        self._means = {name: keras.metrics.Mean(name=name) for name in objective.METRICS}
        self.compile(optimizer, jit_compile=compiles())
        optimizer.build(self.trainable_variables)

    def call(self, photos: Tensor, training: bool = False) -> list[Tensor]:
        """Inputs of the phase's model to pooled features and embeddings."""
        return self._trained(photos, training=training)  # type: ignore[no-any-return]

    def compute_loss(
        self,
        x: Tensor,
        y: dict[str, Tensor],
        y_pred: tuple[Tensor, Tensor],
        sample_weight: None = None,
        training: bool = True,
    ) -> Tensor:
        """The objective's, of what the model gives and of what it was given."""
        loss, told = self._objective.loss(*y_pred, y, y["margin"])
        for name, value in told.items():
            self._means[name].update_state(value)
        return loss

    def learn(
        self, places: np.ndarray, margin: float, rng: np.random.Generator
    ) -> dict[str, float]:
        """Take a step on places among the training rows; returns its metrics."""
        batch = self._objective.batch(self._phase, places, rng)
        if batch is None:
            return {"loss": 0.0, **dict.fromkeys(self._means, 0.0)}
        given = batch.given | {"margin": np.float32(margin)}
        found = self.train_on_batch(batch.photos, given, return_dict=True)
        return {name: float(value) for name, value in found.items()}

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within, the weights are their averages over the steps, where these are kept."""
        averaged = []
        if self.optimizer.use_ema:
            # As keras.callbacks.SwapEMAWeights reads them.
            averages = self.optimizer._model_variables_moving_average
            averaged = [
                (variable, variable.numpy(), average.numpy())
                for variable, average in zip(self.trainable_variables, averages, strict=True)
            ]
        for variable, _, average in averaged:
            variable.assign(average)
        yield
        for variable, now, _ in averaged:
            variable.assign(now)
