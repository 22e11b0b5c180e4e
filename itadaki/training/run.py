"""One training run from the configuration to the artifacts of a variant."""

import json
import logging
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from itadaki.evaluation import scores as evaluation
from itadaki.models import text_encoder
from itadaki.models.keras_model import build_backbone, save_model
from itadaki.models.litert_model import converted_path, load_converted
from itadaki.models.sentence_encoder import sentence_encoder_name
from itadaki.photos import augmentation
from itadaki.recipes.dataset import Dataset
from itadaki.recipes.dish_class import class_rules
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.storage.files import sha256_of, write_json
from itadaki.storage.fingerprint import code_fingerprint, fingerprint
from itadaki.training import (
    activations,
    data,
    heads,
    learner,
    loop,
    losses,
    miners,
    objectives,
    phases,
    recipe_texts,
    text_neighbours,
    trainer,
    triplets,
    validation,
    views,
)
from itadaki.training.config import TrainingConfig
from itadaki.training.data import TrainingData
from itadaki.training.objectives import objective_of
from itadaki.training.trainer import Trainer
from itadaki.variants import Artifacts, Variant

TRAINING_CODE = (
    activations,
    augmentation,
    data,
    evaluation,
    heads,
    learner,
    loop,
    losses,
    miners,
    objectives,
    phases,
    recipe_texts,
    text_encoder,
    text_neighbours,
    trainer,
    triplets,
    validation,
    views,
)
"""The modules that a model's weights depend on, but for its configuration."""
_COMMITS = "commits.json"
_log = logging.getLogger(__name__)


class TrainingRun:
    """Trains a variant and writes its model, its text encoder if it has one, and a record.

    Views that are cached and epochs that are done are not done again: an interrupted run goes on
    when it is started with the same configuration, seed, dataset, weights and training code.
    Changes to other code, or to words about it, do not matter; the record names every commit that
    trained.

    Attributes:
        variant: what is trained.
        data: what it is trained on.
        trainer: head, backbone and history.
    """

    def __init__(
        self,
        variant: Variant,
        config: dict[str, Any],
        settings: Settings,
        dataset: Dataset,
        seed: int = 0,
        progress: bool = True,
        also: Sequence[Dataset] = (),
    ) -> None:
        """Make the data ready, which runs the frozen blocks once over all views.

        Args:
            variant: what is trained.
            config: the knobs.
            settings: the home of caches and artifacts, and the weights.
            dataset: what is trained on, validated and tested with.
            seed: of weights, views, positives and negatives.
            progress: show bars.
            also: datasets that are trained on beside it and never scored.

        Raises:
            ItadakiError: the configuration, the dataset or the weights cannot be used.
        """
        checked = TrainingConfig.of(config)
        objective_of(checked)  # refuses what it does not use before the photos are run
        started = time.monotonic()
        backbone, origin = build_backbone(settings)
        self.variant, self._settings = variant, settings
        self.data = TrainingData(dataset, checked, settings, backbone, progress, also)
        self._facts: dict[str, Any] = {
            "variant": variant.name,
            "config": checked.model_dump(by_alias=True),
            "seed": seed,
            "dataset": dataset.sha256,
            "details": dataset.details_sha256,  # keywords teach, too
            "backbone": origin,
        }
        if also:
            self._facts["also"] = {one.source: one.sha256 for one in also}
            self._facts["also_details"] = {one.source: one.details_sha256 for one in also}
        if checked.texts == "sentences":
            by_sentences = self.data.texts.sentences
            self._facts["sentence_encoder"] = (
                Path(sentence_encoder_name(settings)).name if by_sentences else None
            )
        home = settings.home / "data" / "checkpoints"
        run = f"{variant.name}-{fingerprint(**self._facts)[:16]}"
        self._facts |= {"class_rules": class_rules(), "training_code": training_code()}
        self._folder = home / f"{run}-{fingerprint(**self._facts)[:16]}"
        if not self._folder.exists() and (others := sorted(home.glob(f"{run}*"))):
            _log.warning(
                "This run was begun by other training code, which it does not go on with: its "
                "checkpoints stay in %s.",
                ", ".join(map(str, others)),
            )
        self.trainer = Trainer(checked, self.data, backbone, self._folder, seed, progress)
        self._seconds = {"views": round(time.monotonic() - started, 1)}

    def train(self) -> pd.DataFrame:
        """Run all phases; returns the history, one row an epoch.

        Raises:
            CollapseError: the embeddings have moved to one point.
        """
        commits = [*self._commits(), _commit()]
        write_json(self._folder / _COMMITS, list(dict.fromkeys(commits)))
        history = self.trainer.train()
        # Of all epochs, also of those that an interrupted run had done before.
        self._seconds["training"] = round(float(history.get("seconds", pd.Series()).sum()), 1)
        return history

    def export(self, settings: Settings | None = None) -> Path:
        """Write the artifacts of what has been trained; returns the model's path.

        Args:
            settings: name the home that they go to; by default the run's own.
        """
        variant, artifacts = self.variant, Artifacts(self.variant, settings or self._settings)
        path = artifacts.model
        save_model(self.trainer.embedder_model(variant.name), path)
        hashes = {"model": sha256_of(path)}
        load_converted(path, hashes["model"])
        hashes["litert"] = sha256_of(converted_path(path))
        encoder_path = artifacts.text_encoder
        if encoder := self.trainer.text_encoder:
            encoder.save(encoder_path)
            hashes["text_encoder"] = sha256_of(encoder_path)
        else:
            encoder_path.unlink(missing_ok=True)
        write_json(
            artifacts.record,
            {
                **self._facts,
                "dataset_source": self.data.dataset.source,
                "commit": _commit(),
                "trained_by_commits": self._commits(),
                "keras": keras.__version__,
                "seconds": self._seconds,
                "sha256": hashes,
                "history": self.trainer.history,
            },
        )
        _log.info("%s is trained: %s", variant.name, path)
        return path

    def _commits(self) -> list[str | None]:
        """The commits that the run was started or gone on with, in this order."""
        try:
            commits: list[str | None] = json.loads(
                (self._folder / _COMMITS).read_text(encoding="utf-8")
            )
            return commits
        except (OSError, ValueError):
            return []


def training_code() -> str:
    """Identify the code that a model's weights depend on."""
    return code_fingerprint(*TRAINING_CODE)


def _commit() -> str | None:
    """The commit that the code stands at, with a mark if it was changed since."""
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
