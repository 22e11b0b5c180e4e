"""What was measured and stored in a checkout, for its chapters and its documents."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from itadaki.errors import ItadakiError
from itadaki.evaluation.comparison import Comparison
from itadaki.models.record import read_record
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.variants import VARIANTS, Artifacts


@dataclass(frozen=True)
class StoredRun:
    """What the chapters draw of a run on the real recipes, of its first seed but for the history.

    Attributes:
        told: which run it is, for a figure of it.
        told_of_seeds: the same for a figure of all seeds.
        seconds: that its epochs took, on the machine that measured.
        history: one row an epoch and seed.
        scores: score, low, high and random order of each metric, over all seeds, of photo rows.
        map: x, y and dish class of photos.
        precision_recall: the index is the recall, a column each dish class.
        pairs: similarity of two photos, and which pair they are.
        splits: how many recipes each split has.
        classes: how many recipes the most frequent dish classes have.
    """

    told: str
    told_of_seeds: str
    seconds: float
    history: pd.DataFrame
    scores: pd.DataFrame
    map: pd.DataFrame
    precision_recall: pd.DataFrame
    pairs: pd.DataFrame
    splits: pd.DataFrame
    classes: pd.DataFrame


class Measurements:
    """What was measured and stored in a checkout."""

    def __init__(self, root: Path = PROJECT_ROOT) -> None:
        self.root = root

    @cached_property
    def comparison(self) -> Comparison:
        """The variants on held-out recipes."""
        return Comparison(self.root / "reports" / "measurements")

    @cached_property
    def record(self) -> dict[str, Any]:
        """The record of the run that trained the shipped model."""
        shipped = Artifacts(VARIANTS["ft"], Settings(_env_file=None, home=self.root))
        return read_record(shipped)

    def run(self, variant: str) -> StoredRun:
        """What is kept of a variant's runs beside their scores.

        Raises:
            ItadakiError: nothing is.
        """
        about = self.comparison.about.get(variant, {})
        if "look" not in about:
            raise ItadakiError(
                f"What the chapters draw of {variant} is not stored in reports/measurements; run: "
                f"python benchmarks/ladder.py --only {variant}"
            )
        count = self.comparison.seeds[variant]
        seeds = f"{count} seeds" if count > 1 else "one seed"
        photos = about["galleries"]["photos"]
        source = about["dataset_source"].removeprefix("folder ")
        told = f"stored run of {variant} on {photos:,} photos of {source}"
        tables = {name: pd.DataFrame(table) for name, table in about["look"].items()}
        tables["precision_recall"] = tables["precision_recall"].set_index("recall")
        history = self.comparison.histories(variant)
        scores = self.comparison.table().query("variant == @variant").set_index("metric")
        floor = [self.comparison.random("photos", metric) for metric in scores.index]
        scores = scores[["score", "low", "high"]].assign(**{"random order": floor})
        first = history[history["seed"] == history["seed"].min()] if len(history) else history
        # Not the run's own: one that was interrupted knows of its last part alone.
        seconds = float(first.get("seconds", pd.Series(dtype=float)).sum())
        return StoredRun(told, f"{told}, {seeds}", seconds, history, scores, **tables)

    def stored(self, name: str) -> dict[str, Any] | None:
        """One of the benchmarks' JSON files, or None."""
        path = self.root / "reports" / "measurements" / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
