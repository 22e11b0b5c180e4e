"""Training of the head on frozen features, and fine-tuning of the backbone's last blocks."""

import logging
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from itadaki.models.text_encoder import TextEncoder, shipped_table
from itadaki.training.config import TrainingConfig
from itadaki.training.data import TrainingData
from itadaki.training.heads import Head, model_with_head
from itadaki.training.loop import Loop
from itadaki.training.objectives import objective_of
from itadaki.training.phases import Phase, fine_tuning_phase, head_phase

_log = logging.getLogger(__name__)


class Trainer:
    """Trains one variant: a head, an objective, and a loop that runs the phases.

    Attributes:
        backbone: EfficientNetB0; its last blocks change in the fine-tuning phase.
        data: what is trained on.
        history: one dict an epoch.
    """

    def __init__(
        self,
        config: TrainingConfig,
        data: TrainingData,
        backbone: keras.Model,
        folder: Path,
        seed: int = 0,
        progress: bool = True,
    ) -> None:
        """Build the head as ``config.start`` says.

        Args:
            config: the knobs.
            data: training and validation rows.
            backbone: EfficientNetB0 without its top.
            folder: where checkpoints are kept; an interrupted run goes on from there.
            seed: of weights, views, positives and negatives.
            progress: show bars.

        Raises:
            ItadakiError: a knob is set that the objective does not use.
        """
        self.config, self.data, self.backbone = config, data, backbone
        keras.utils.set_random_seed(seed)
        self._head = Head(config, data.features(0)[data.train])
        self._objective = objective_of(config)(config, data)
        self._loop = Loop(config, data, self._objective, folder, seed, progress)

    def train(self) -> pd.DataFrame:
        """Run all phases; returns the history, one row an epoch.

        Raises:
            CollapseError: the embeddings have collapsed to one point.
        """
        self._run(head_phase(self.config, self.data, self._head))
        if self.config.phase_2_epochs:
            self._run(fine_tuning_phase(self.config, self.data, self._head))
        if self.config.feature_share:
            self._join_features()
        return pd.DataFrame(self.history)

    @property
    def history(self) -> list[dict[str, float | str]]:
        """One dict an epoch."""
        return self._loop.history

    @cached_property
    def text_encoder(self) -> TextEncoder | None:
        """A text encoder that gives what the text tower gives for the training texts, after
        ``train``; None if no tower was trained."""
        if (tower := self._objective.text_tower) is None:
            return None
        targets = self.data.texts.dense @ tower.numpy()
        targets /= np.maximum(np.linalg.norm(targets, axis=1, keepdims=True), 1e-6)
        texts = self.data.titles_and_ingredients(self.data.train)
        return TextEncoder.fit(*texts, targets, shipped_table())

    def embed(self, rows: np.ndarray) -> np.ndarray:
        """Embeddings of rows of the dataset from their cached plain views, after ``train``.

        What the exported model gives for the same photos, but for the cache's float16.
        """
        return self._phase.embed(np.asarray(rows))

    def embedder_model(self, name: str) -> keras.Model:
        """The whole way from photo to embedding: (n, 224, 224, 3) to (n, dimension)."""
        return model_with_head(self.backbone, self._head.layers, name)

    def _run(self, phase: Phase) -> None:
        self._phase = phase
        self._loop.fit(phase, self._head.variables)

    def _join_features(self) -> None:
        phase, head = self._phase, self._head
        features = replace(phase, model=head.centred(phase.model.input, phase.pooled))
        axes = head.join_features(features.embed(self.data.train), self.config.feature_share)
        if (tower := self._objective.text_tower) is not None:
            rest = self.config.embedding_dim - axes.shape[1]
            tower.assign(np.pad(tower.numpy() @ axes, ((0, 0), (0, rest))))
        found = self._loop.validation.scores(phase.embed)
        told = ", ".join(f"{name} {value:.4f}" for name, value in found.items())
        _log.info("With the features' components joined: %s.", told)
