"""The ladder of variants on held-out recipes: stored measurements, steps between them, report."""

import itertools
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from itadaki.errors import ItadakiError
from itadaki.evaluation.scores import Evaluation, confidence_interval
from itadaki.models.record import read_record
from itadaki.recipes.dish_class import class_rules
from itadaki.storage.files import replacing, write_json
from itadaki.variants import VARIANTS, Artifacts

GALLERIES = {
    "photos": "the whole collection, by its photos",
    "fused": "the whole collection, by its photos and texts",
    "search": "the whole collection, by its photos and texts, with the query expanded as a search "
    "expands it",
    "split": "the held-out photos alone",
}
IN_SHORT = {"photos": "", "fused": " + texts", "search": " + search"}
"""What stands behind a variant that searches one of these."""
_log = logging.getLogger(__name__)
BEYOND = {
    "ft_phases": "two phases, triplets alone",
    "ft_texts": "photos learn from texts, with batches, rates and views of their own",
    "ft_distilled": "and stay near the frozen features",
    "ft_averaged": "and the weights are averaged over the steps",
    "ft_joined": "and the features' components are joined",
    "ft": "and photos of other kitchens are learned from: the shipped model",
}
"""From the two phases alone to the shipped model: first its whole configuration with the texts, and
from there one thing more a rung."""
_RUNGS = ("raw", "tl_seed", "tl", "tl_hard_seed", "tl_hard", "ft_seed", *BEYOND)
_LADDER = (*((name, "photos") for name in VARIANTS), ("ft", "fused"), ("ft", "search"))


def save_measurement(
    found: Mapping[str, Evaluation], folder: Path, variant: str, seed: int, facts: dict[str, Any]
) -> Path:
    """Keep the scores of every query, without any text or photo, as ``<variant>-seed<n>.npz``."""
    path = folder / f"{variant}-seed{seed}.npz"
    others = sorted(
        other.stem
        for other in folder.glob("*-seed*.npz")
        if other != path and about(other).get("class_rules") != class_rules()
    )
    if others:
        _log.warning(
            "%s were scored under other rules of dish classes than today's: the P@1, P@10 and "
            "MAP@R of %s cannot be held against theirs.",
            ", ".join(others),
            path.stem,
        )
    arrays: dict[str, Any] = {
        f"{gallery}|{metric}": scores.astype(np.float32)
        for gallery, evaluation in found.items()
        for metric, scores in evaluation.per_query.items()
    }
    told = {
        **facts,
        "class_rules": class_rules(),
        "split": next(iter(found.values())).split,
        "galleries": {name: evaluation.gallery for name, evaluation in found.items()},
        "random": {name: evaluation.random for name, evaluation in found.items()},
        "classes": {name: evaluation.classes for name, evaluation in found.items()},
    }
    with replacing(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, about=np.array(json.dumps(told)), **arrays)
    return path


def add_scores(artifacts: Artifacts, found: Mapping[str, Evaluation], dataset_sha256: str) -> None:
    """Note in a variant's record how well it retrieves the recipes that it was trained on.

    Of other recipes nothing is noted: the record that ships would change with each of them. Raw has
    no record.
    """
    record = read_record(artifacts)
    if record.get("dataset") != dataset_sha256:
        return
    record["scores"] = {
        "dataset": dataset_sha256,
        "class_rules": class_rules(),
        "split": next(iter(found.values())).split,
        "galleries": {
            name: evaluation.table()[["score", "low", "high"]].round(4).to_dict(orient="index")
            for name, evaluation in found.items()
        },
    }
    write_json(artifacts.record, record)


def about(path: Path) -> dict[str, Any]:
    """What is told of a measurement beside its scores."""
    with np.load(path, allow_pickle=False) as arrays:
        told: dict[str, Any] = json.loads(str(arrays["about"]))
    return told


class Comparison:
    """Stored measurements of several variants on the same queries.

    Attributes:
        about: for each variant the facts of its first seed.
        seeds: how many seeds each variant was measured with.
    """

    def __init__(self, folder: Path) -> None:
        """Read all measurements of a folder.

        Raises:
            ItadakiError: there is none, they do not share dataset and split, or the seeds of one
                variant do not share the rules of dish classes.
        """
        self.about: dict[str, dict[str, Any]] = {}
        self.seeds: dict[str, int] = {}
        self._scores: dict[tuple[str, str, str], list[np.ndarray]] = {}
        self._histories: dict[str, dict[int, pd.DataFrame]] = defaultdict(dict)
        self._retrieved: dict[str, list[dict[str, float]]] = defaultdict(list)
        self._tables: dict[str, pd.DataFrame] = {}
        self._collapsed: set[str] = set()
        self._steps: pd.DataFrame | None = None
        for path in sorted(folder.glob("*-seed*.npz")):
            variant, _, seed = path.stem.rpartition("-seed")
            if not seed.isdecimal():
                raise ItadakiError(f"{path} is no measurement by its name; delete it.")
            try:
                with np.load(path, allow_pickle=False) as file:
                    arrays = dict(file)
                about = json.loads(str(arrays.pop("about")))
            except Exception:  # a damaged archive makes NumPy and zipfile raise their own
                raise ItadakiError(
                    f"{path} is damaged; delete it, and run: python -m itadaki evaluate {variant} "
                    "--save"
                ) from None
            for key, scores in arrays.items():
                self._scores.setdefault((variant, *key.split("|")), []).append(scores)
            first = self.about.setdefault(variant, about)
            if about.get("class_rules") != first.get("class_rules"):
                raise ItadakiError(
                    f"The seeds of {variant} in {folder} were scored under different rules of dish "
                    "classes; delete the old ones, or bring back those that were replaced."
                )
            self._histories[variant][int(seed)] = pd.DataFrame(about.get("history", []))
            if "text_retrieval" in about:
                self._retrieved[variant].append(about["text_retrieval"])
            if about.get("collapsed"):
                self._collapsed.add(variant)
            self.seeds[variant] = self.seeds.get(variant, 0) + 1
        if not self.about:
            raise ItadakiError(
                f"There are no measurements in {folder}; run: "
                "python -m itadaki evaluate VARIANT --save"
            )
        if len({(about["dataset"], about["split"]) for about in self.about.values()}) > 1:
            raise ItadakiError(
                f"The measurements in {folder} are of different datasets or splits; delete the "
                "old ones."
            )

    def old_rules(self) -> list[str]:
        """The variants that were scored when other rules gave the dish classes than today."""
        return [name for name in self.about if self._rules(name) != class_rules()]

    def class_note(self) -> str:
        """What must be told of the rules that the dish classes were given by: one sentence."""
        old = self.old_rules()
        if not old:
            return "The dish classes were given by the rules that give them today."
        whose = "All" if len(old) == len(self.about) else f"The scores of {', '.join(old)}"
        note = (
            f"{whose} were measured when other rules gave the dish classes than today: P@1, P@10 "
            "and MAP@R would come out otherwise now, nDCG@10 and recall would not."
        )
        if len({self._rules(name) for name in self.about}) > 1:
            note += " Variants of different rules are not held against each other in those."
        return note

    def comparable(self, one: str, other: str, metric: str) -> bool:
        """Whether a metric of two variants was scored by the same rules."""
        return "dish class" not in metric or self._rules(one) == self._rules(other)

    def _rules(self, variant: str) -> str | None:
        return self.about.get(variant, {}).get("class_rules")

    def scores(self, variant: str, gallery: str, metric: str) -> np.ndarray | None:
        """Score of every query, averaged over the seeds; None if it was not measured."""
        seeds = self._scores.get((variant, gallery, metric))
        return None if seeds is None else np.mean(seeds, axis=0)

    def random(self, gallery: str, metric: str) -> float:
        """What a random order of the gallery reaches."""
        measured = (about["random"].get(gallery, {}) for about in self.about.values())
        return next((random[metric] for random in measured if metric in random), float("nan"))

    def table(self, gallery: str = "photos") -> pd.DataFrame:
        """One row a variant and metric: score, 95% interval, spread of the seeds, queries."""
        if gallery not in self._tables:
            self._tables[gallery] = self._table(gallery)
        return self._tables[gallery]

    def _table(self, gallery: str) -> pd.DataFrame:
        rows = []
        for variant in _RUNGS:
            for (name, of, metric), seeds in self._scores.items():
                if (name, of) == (variant, gallery):
                    mean = np.mean(seeds, axis=0)
                    low, high = confidence_interval(mean)
                    spread = float(np.std([s.mean() for s in seeds], ddof=1)) if seeds[1:] else None
                    rows.append((variant, metric, mean.mean(), low, high, spread, len(mean)))
        columns = ["variant", "metric", "score", "low", "high", "seeds' spread", "queries"]
        return pd.DataFrame(rows, columns=columns)

    def ladder(self) -> pd.DataFrame:
        """The four variants in the whole collection, ft also with texts and as a search finds.

        The columns of ``table``, gallery and the rung's name; its rows follow one another.
        """
        rungs = [
            self.table(gallery)
            .query("variant == @name")
            .assign(gallery=gallery, rung=name + IN_SHORT[gallery])
            for name, gallery in _LADDER
        ]
        return pd.concat([rung for rung in rungs if not rung.empty], ignore_index=True)

    def by_class(self, variant: str, gallery: str, metric: str) -> pd.DataFrame:
        """A class metric by dish class, best first: score and queries; empty if not measured."""
        scores = self.scores(variant, gallery, metric)
        classes = self.about.get(variant, {}).get("classes", {}).get(gallery, [])
        if scores is None or len(classes) != len(scores):
            return pd.DataFrame(columns=["score", "queries"])
        found = pd.DataFrame({"dish class": classes, "score": scores}).groupby("dish class")
        table = found["score"].agg(["mean", "size"]).set_axis(["score", "queries"], axis=1)
        return table.sort_values("score", ascending=False, kind="stable")

    def steps(self) -> pd.DataFrame:
        """Each rung against the one before on the same queries: gain, 95% paired interval, ratio.

        The interval is a bootstrap over the queries' differences.
        """
        if self._steps is None:
            self._steps = self._paired_steps()
        return self._steps

    def _paired_steps(self) -> pd.DataFrame:
        rows = []
        ladder = [rung for rung in _LADDER if any(key[:2] == rung for key in self._scores)]
        for before, after in itertools.pairwise(ladder):
            for metric in [key[2] for key in self._scores if key[:2] == after]:
                if gain := self.gain(before, after, metric):
                    step = f"{before[0]} ({before[1]}) to {after[0]} ({after[1]})"
                    rows.append((step, metric, *gain))
        columns = ["step", "metric", "gain", "low", "high", "ratio"]
        return pd.DataFrame(rows, columns=columns)

    def gain(
        self, before: tuple[str, str], after: tuple[str, str], metric: str
    ) -> tuple[float, float, float, float] | None:
        """One rung against another, each a variant and a gallery, on the same queries.

        Returns:
            The mean gain, the ends of its 95% paired interval, and the ratio of the means; None
            where the two cannot be held against each other.
        """
        first, second = self.scores(*before, metric), self.scores(*after, metric)
        if first is None or second is None or len(first) != len(second):
            return None
        if not self.comparable(before[0], after[0], metric):
            return None
        low, high = confidence_interval(second - first)
        return (second - first).mean(), low, high, second.mean() / max(first.mean(), 1e-9)

    def histories(self, variant: str) -> pd.DataFrame:
        """One row an epoch of every seed, with the column seed; empty where none is stored."""
        stored = self._histories.get(variant, {})
        seeds = [history.assign(seed=seed) for seed, history in stored.items()]
        return pd.concat([pd.DataFrame(), *seeds], ignore_index=True)

    def text_retrieval(self, variant: str) -> dict[str, float]:
        """What ``cross_modal.text_retrieval`` gave, averaged over the seeds; empty if nothing."""
        means = pd.DataFrame(self._retrieved[variant]).mean()
        return {str(name): float(mean) for name, mean in means.items()}

    def named(self, variant: str) -> str:
        """A trained variant with how many seeds it was measured with."""
        count = self.seeds[variant]
        if not self.about[variant].get("history"):
            return variant
        return f"{variant} ({count} seeds)" if count > 1 else f"{variant} (1 seed)"

    def of_training(self, *variants: str) -> list[str]:
        """What a reader of variants' scores must know of their training: sentences.

        Whether it collapsed, whether a phase brought nothing, and how far a growing margin grew.
        """
        told: dict[str, list[str]] = defaultdict(list)
        for variant in variants:
            for sentence in self._of_training(variant):
                told[sentence].append(variant)
        return [sentence.format(", ".join(names)) for sentence, names in told.items()]

    def _of_training(self, variant: str) -> list[str]:
        """The same of one variant, with {} in the place of its name."""
        history, about = self.histories(variant), self.about[variant]
        told = []
        phases: list[str] = list(history["phase"].unique()) if "phase" in history else []
        # What collapsed is scored as it lies, whatever was better before.
        for phase in phases[:-1] if variant in self._collapsed else phases:
            rows = history[history["phase"] == phase]
            start, later = (rows[of]["score"] for of in (rows["epoch"] == 0, rows["epoch"] > 0))
            if len(later) and start.min() >= later.max():
                told.append(
                    f"No epoch of {phase} made {{}} better on validation ({start.min():.4f} "
                    f"before, then at most {later.max():.4f}), so the weights from before were "
                    "kept" + (": the head is as it began." if len(phases) == 1 else ".")
                )
        if variant in self._collapsed:
            end = history.iloc[int(history["mean_distance"].argmin())]
            told.append(
                f"The embeddings of {{}} collapsed in epoch {int(end['epoch'])} of "
                f"{end['phase']} (mean distance {end['mean_distance']:.4f}), and are scored as "
                "they lie then, not as they were at their best."
            )
        margin = about.get("config", {}).get("TRIPLET_MARGIN")
        if margin and "margin" in history and history["margin"].max() < margin:
            low, high = history["margin"].min(), history["margin"].max()
            reached = (
                f"stayed at {low:.2g}" if low == high else f"grew from {low:.2g} to {high:.2g}"
            )
            told.append(f"The margin of {{}} {reached}, of the {margin:g} that it could reach.")
        return told

    def write_report(self, folder: Path) -> Path:
        """Write ``comparison.md``, and return its path; no photo, no recipe text."""
        text = folder / "comparison.md"
        with replacing(text) as beside:
            beside.write_text(self.markdown(), encoding="utf-8")
        return text

    def markdown(self) -> str:
        """The comparison as Markdown: one table a gallery, the steps, what was measured where."""
        first = next(iter(self.about.values()))
        seeds = ", ".join(f"{name} {self.seeds[name]}" for name in _RUNGS if name in self.seeds)
        lines = [
            "# The variants on held-out recipes",
            "",
            f"Measured on the {first['split']} split of {first['dataset_source']} (SHA-256 "
            f"`{first['dataset'][:16]}…`): held-out photos "
            "as queries, their own photo and all copies left out; 95% bootstrap intervals over "
            f"the queries. Seeds per variant: {seeds}. What ends in `_seed` has positives and "
            "negatives from the batch, none masked: triplets as one would first write them. "
            + self.class_note(),
            "",
            "Between the fourth chapter's two phases and the shipped model stand:",
            "",
            *(f"- `{name}`: {told}" for name, told in BEYOND.items()),
            "",
            *(f"- {told}" for told in self.of_training(*filter(self.about.get, _RUNGS))),
            "",
            "![scores by variant](comparison.png)",
        ]
        for gallery, meaning in GALLERIES.items():
            table = self.table(gallery)
            if table.empty:
                continue
            size = max(about["galleries"].get(gallery, 0) for about in self.about.values())
            lines += ["", f"## Searched: {meaning} ({size:,})", ""]
            metrics = [str(metric) for metric in table["metric"].unique()]
            rungs = []
            for variant, rows in table.groupby("variant", sort=False):
                cells = rows.set_index("metric").reindex(metrics)
                shown = [f"{c.score:.3f} ({c.low:.3f} to {c.high:.3f})" for c in cells.itertuples()]
                rungs.append([str(variant), *shown])
            floor = [f"{self.random(gallery, metric):.3f}" for metric in metrics]
            lines.append(markdown_table(["variant", *metrics], [*rungs, ["random order", *floor]]))
        lines += ["", "## Each step against the one before, on the same queries", ""]
        steps = [
            [
                str(step.step),
                str(step.metric),
                f"{step.gain:+.4f} ({step.low:+.4f} to {step.high:+.4f})",
                f"{step.ratio:.2f}",
            ]
            for step in self.steps().itertuples()
        ]
        columns = ["step", "metric", "gain (95% paired interval)", "ratio"]
        lines.append(markdown_table(columns, steps))
        return "\n".join(lines) + "\n"


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; bars in its cells are escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    escaped = [[cell.replace("|", r"\|") for cell in cells] for cells in lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in escaped)
