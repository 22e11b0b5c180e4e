"""The epochs of a phase: optimizer, checkpoints, early stopping, the growing margin.

Keras gives layers, optimizers, schedules and the step itself, on each of its backends, but not the
loop. ``EarlyStopping`` forgets the best epoch and its count when a run goes on, and
``BackupAndRestore`` keeps weights and an epoch's number, in two files of which a kill can leave one
behind, but neither the margin nor the scores so far: a run that was interrupted would end with
another model than one that was not.
"""

import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must stand before TensorFlow is imported

import keras
from keras import ops
from tqdm.auto import tqdm

from itadaki.errors import ItadakiError
from itadaki.storage.files import replacing
from itadaki.training.config import TrainingConfig
from itadaki.training.data import TrainingData
from itadaki.training.learner import AdamW, Learner
from itadaki.training.objectives import Objective, epoch_metrics
from itadaki.training.phases import Phase
from itadaki.training.validation import Validation

_COLLAPSED = 0.05
_WARM_UP = 0.05
_CLIP = 5.0
_log = logging.getLogger(__name__)

Row = dict[str, Any]
"""What the history says of one epoch."""


class CollapseError(ItadakiError):
    """All embeddings have moved to one point, so that nothing can be told apart."""


class Loop:
    """Runs phases and keeps a checkpoint after every epoch.

    Attributes:
        validation: what scores an epoch.
        history: one dict an epoch.
    """

    def __init__(
        self,
        config: TrainingConfig,
        data: TrainingData,
        objective: Objective,
        folder: Path,
        seed: int,
        progress: bool,
    ) -> None:
        """Make ready to train.

        Args:
            config: the knobs.
            data: training and validation rows.
            objective: what is lowered.
            folder: where checkpoints are kept; an interrupted run goes on from there.
            seed: of the order of photos, their views, positives and negatives.
            progress: show bars.
        """
        self._config, self._data, self._objective = config, data, objective
        self._folder, self._seed, self._progress = folder, seed, progress
        self._steps = len(data.train) // config.batch_size
        self.validation = Validation(data)
        self.history: list[Row] = []

    def fit(self, phase: Phase, head: list[keras.Variable]) -> None:
        """Run one phase from its last checkpoint, and leave the best epoch's weights in place.

        Raises:
            CollapseError: the embeddings have collapsed to one point.
        """
        config, objective = self._config, self._objective
        learned = [*head, *objective.learned]
        learner = Learner(phase, objective, self._optimizer(phase))
        kept = [*learned, *phase.backbone]
        dice = [v for v in phase.model.non_trainable_variables if "seed" in v.path]
        state = [*kept, *learner.optimizer.variables, *dice, *objective.memory]
        last = self._folder / f"{phase.name}.npz"
        best = self._folder / f"{phase.name}.best.npz"
        if history := _load(last, state):
            self.history = history
            if history[-1]["epoch"]:
                _require_spread(history[-1])
            _log.info("Going on with %s after epoch %d.", phase.name, history[-1]["epoch"])
        else:
            objective.begin(phase)
            margin = config.triplet_margin * (0.25 if config.growing_margin else 1.0)
            found = self.validation.scores(phase.embed)
            self.history.append({"phase": phase.name, "epoch": 0, "next_margin": margin, **found})
            _save(best, kept, self.history)
            _save(last, state, self.history)
        first = self.history[-1]["epoch"] + 1
        for epoch in range(first, phase.epochs + 1):
            scores = [row["score"] for row in self.history if row["phase"] == phase.name]
            if len(scores) - 1 - int(np.argmax(scores)) >= config.patience:
                _log.info("%s: no better score for %d epochs.", phase.name, config.patience)
                break
            row = self._epoch(phase, epoch, self.history[-1]["next_margin"], learner)
            self.history.append(row)
            if row["score"] >= max(scores):
                with learner.averaged():
                    _save(best, kept, self.history)
            _save(last, state, self.history)
            _require_spread(row)
        _load(best, kept)

    def _epoch(self, phase: Phase, epoch: int, margin: float, learner: Learner) -> Row:
        """Train for one epoch; returns its row of the history."""
        rng = np.random.default_rng((self._seed, phase.name == "head", epoch))
        started = time.monotonic()
        self._objective.begin_epoch(phase)
        size = self._config.batch_size
        batches = np.split(
            rng.permutation(len(self._data.train))[: self._steps * size], self._steps
        )
        bar = tqdm(
            batches,
            desc=f"{phase.name} {epoch}/{phase.epochs}",
            unit="step",
            disable=not self._progress,
        )
        found = epoch_metrics([learner.learn(places, margin, rng) for places in bar])
        next_margin = margin
        if self._config.growing_margin:
            accuracy = found["triplet_margin_accuracy"]
            next_margin = grown_margin(margin, self._config.triplet_margin, accuracy)
        with learner.averaged():
            scores = self.validation.scores(phase.embed)
        row = {
            "phase": phase.name,
            "epoch": epoch,
            "margin": margin,
            "next_margin": next_margin,
            **found,
            **scores,
            "seconds": round(time.monotonic() - started, 1),
        }
        _log.info(
            "%s epoch %d: loss %.3f, validation score %.4f, mean distance %.2f",
            phase.name,
            epoch,
            row["loss"],
            row["score"],
            row["mean_distance"],
        )
        return row

    def _optimizer(self, phase: Phase) -> AdamW:
        config = self._config
        rate = config.fine_tuning_learning_rate if phase.backbone else config.learning_rate
        steps = self._steps * phase.epochs
        warm_up = max(1, int(_WARM_UP * steps))
        return AdamW(
            keras.optimizers.schedules.CosineDecay(
                rate * 0.05,
                max(1, steps - warm_up),
                alpha=0.02,
                warmup_target=rate,
                warmup_steps=warm_up,
            ),
            global_clipnorm=_CLIP,
            use_ema=config.averaging > 0,
            ema_momentum=config.averaging,
            head=(1.0, config.weight_decay),
            backbone=(config.backbone_learning_rate / rate, config.backbone_weight_decay),
            of_backbone=phase.backbone,
        )


def _require_spread(row: Row) -> None:
    if not row["mean_distance"] >= _COLLAPSED:  # of what is no number any more, too
        raise CollapseError(
            f"The embeddings collapsed in epoch {row['epoch']} of {row['phase']}: their mean "
            f"distance is {row['mean_distance']:.3f}. Lower LEARNING_RATE or use an easier "
            "SAMPLING (semi_hard, random)."
        )


def grown_margin(margin: float, configured: float, margin_accuracy: float) -> float:
    """The next epoch's margin: a quarter more once 60% of the triplets keep the present one.

    A margin that no triplet keeps pulls every embedding towards one point; one that grows with
    what has been learned does not.
    """
    return min(configured, margin * 1.25) if margin_accuracy > 0.6 else margin


def _save(path: Path, variables: list[keras.Variable], history: list[Row]) -> None:
    arrays: dict[str, Any] = {f"{i:04d}": ops.convert_to_numpy(v) for i, v in enumerate(variables)}
    arrays["history"] = np.array(json.dumps(history))  # in one file, so that both are of one epoch
    with replacing(path) as beside, beside.open("wb") as file:
        np.savez(file, **arrays)


def _load(path: Path, variables: list[keras.Variable]) -> list[Row]:
    """Restore a checkpoint of this run if there is one; returns its history."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            history: list[Row] = json.loads(str(arrays["history"]))
            loaded = [arrays[f"{i:04d}"] for i in range(len(variables))]
    except Exception:  # a damaged archive makes NumPy and zipfile raise their own
        return []
    for variable, value in zip(variables, loaded, strict=True):
        variable.assign(value)
    return history
