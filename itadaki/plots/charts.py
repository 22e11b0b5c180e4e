"""Scores, curves and counts."""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from itadaki.plots.style import (
    FROZEN,
    INK,
    LINE,
    MUTED,
    NEGATIVE,
    POSITIVE,
    QUERY,
    TRAINABLE,
    styled,
)

if TYPE_CHECKING:
    from itadaki.evaluation.comparison import Comparison


@styled
def scores(table: pd.DataFrame) -> Figure:
    """An evaluation's metrics as bars with 95% intervals, and a random order as ticks."""
    figure, axis = plt.subplots(figsize=(8, 0.42 * len(table) + 0.9))
    places = np.arange(len(table))[::-1]
    spread = np.abs(table[["low", "high"]].to_numpy().T - table["score"].to_numpy())
    axis.barh(
        places,
        table["score"],
        xerr=spread,
        height=0.62,
        color=TRAINABLE,
        ecolor=MUTED,
        error_kw={"linewidth": 1.2, "capsize": 3},
    )
    floor = axis.plot(
        table["random order"], places, "|", color=QUERY, markersize=13, markeredgewidth=2
    )
    for place, high, score in zip(places, table["high"], table["score"], strict=True):
        axis.text(high + 0.012, place, f"{score:.3f}", va="center", fontsize=9)
    axis.set_yticks(places, table.index)
    axis.tick_params(axis="y", length=0)
    axis.set_xlim(0, min(1.12, float(table["high"].max()) + 0.12))
    axis.set_xlabel("score, with its 95% interval")
    axis.spines["left"].set_visible(False)
    axis.legend(floor, ["a random order"], loc="upper right", bbox_to_anchor=(1, 1.12))
    return figure


@styled
def ladder(comparison: "Comparison", highlight: str | None = None) -> Figure:
    """Each metric in a panel, the rungs as points with 95% intervals, a random order below.

    Args:
        comparison: the stored measurements.
        highlight: the variant that is printed in colour; by default the last rung.
    """
    table = comparison.ladder()
    shown = [
        "P@1 dish class",
        "P@10 dish class",
        "MAP@R dish class",
        "nDCG@10 title",
        "nDCG@10 ingredients",
        "recall@1 re-crop",
    ]
    metrics = [metric for metric in shown if metric in set(table["metric"])]
    metrics = metrics or list(dict.fromkeys(table["metric"]))
    rungs = list(dict.fromkeys(zip(table["variant"], table["gallery"], strict=True)))
    labels = [f"{name}\n+ texts" if gallery == "fused" else name for name, gallery in rungs]
    columns = min(3, len(metrics))
    rows = -(-len(metrics) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(4.1 * columns, 3.0 * rows), squeeze=False)
    for axis in axes.flat[len(metrics) :]:
        axis.axis("off")
    for axis, metric in zip(axes.flat, metrics, strict=False):
        part = table[table["metric"] == metric].set_index(["variant", "gallery"]).reindex(rungs)
        score = part["score"].to_numpy()
        axis.plot(range(len(rungs)), score, color=LINE, zorder=1)
        for place, (name, gallery) in enumerate(rungs):
            chosen = name == highlight if highlight else place == len(rungs) - 1
            colour = QUERY if chosen else INK
            low, high = part["low"].iloc[place], part["high"].iloc[place]
            spread = [[score[place] - low], [high - score[place]]]
            marker = "D" if gallery == "fused" else "o"
            axis.errorbar(place, score[place], spread, fmt=marker, color=colour, capsize=3)
            ratio = score[place] / score[0]
            told = f"{score[place]:.3f}" + (f"\n{ratio:.2f} x" if place else "")
            axis.annotate(
                told, (place, high), (0, 3), textcoords="offset points", ha="center", va="bottom",
                fontsize=8, color=colour,
            )  # fmt: skip
        axis.axhline(comparison.random("photos", metric), color=MUTED, linestyle=":", linewidth=1)
        axis.set_title(metric)
        axis.set_xticks(range(len(rungs)), labels)
        axis.set_xlim(-0.5, len(rungs) - 0.5)
        axis.set_ylim(0, float(part["high"].max()) * 1.25)
    figure.supxlabel(
        "points: mean over the queries and seeds, with its 95% interval, and as a multiple of the "
        "first; dotted: a random order",
        fontsize=8.5,
        color=MUTED,
    )
    return figure


@styled
def training_curves(history: pd.DataFrame) -> Figure:
    """Loss and validation score, the two similarities and their gap, and the accuracies.

    A dotted line stands where one phase of the training ends and the next begins, a star at the
    epoch that is kept.
    """
    steps = np.arange(len(history))
    figure, (score, similarity, accuracy) = plt.subplots(1, 3, figsize=(13, 4.1))
    score.plot(steps, history["loss"], color=MUTED, marker=".", label="training loss")
    score.set(title="Is it still learning?", xlabel="epoch", ylabel="training loss")
    beside = score.twinx()
    beside.spines["right"].set_visible(True)
    beside.plot(steps, history["score"], color=QUERY, marker=".")
    phases = history["phase"].to_numpy()
    last = np.flatnonzero(phases == phases[-1])
    kept = last[int(np.argmax(history["score"].to_numpy()[last]))]
    beside.plot(kept, history["score"].iloc[kept], "*", color=QUERY, markersize=15)
    beside.set_ylabel("validation score (retrieval)", color=QUERY)
    beside.tick_params(axis="y", colors=QUERY)
    near, far = history["positive_similarity"], history["negative_similarity"]
    similarity.fill_between(steps, near, far, color=FROZEN, alpha=0.5, label="gap")
    similarity.plot(steps, near, color=POSITIVE, marker=".", label="anchor and positive")
    similarity.plot(steps, far, color=NEGATIVE, marker=".", label="anchor and negative")
    if "margin" in history:
        similarity.plot(steps, history["margin"], ":", color=INK, label="margin asked for")
    similarity.set(title="How far apart are the triplets?", xlabel="epoch", ylabel="mean cosine")
    accuracy.plot(
        steps, history["triplet_accuracy"], color=INK, marker=".", label="positive nearer"
    )
    accuracy.plot(
        steps,
        history["triplet_margin_accuracy"],
        color=TRAINABLE,
        marker=".",
        label="nearer by the margin",
    )
    accuracy.set(title="How many are right?", xlabel="epoch", ylim=(0, 1.02), ylabel="triplets")
    ticks = [_thinned(steps, history["epoch"].to_numpy())] * 3
    for axis, (places, names) in zip((score, similarity, accuracy), ticks, strict=True):
        axis.set_xticks(places, names)
        for change in np.flatnonzero(phases[1:] != phases[:-1]):
            axis.axvline(change + 0.5, color=INK, linestyle=":", linewidth=1)
    similarity.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    accuracy.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    return figure


def _thinned(steps: np.ndarray, epochs: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """At most about ten ticks, named by the epoch within its phase."""
    every = -(-len(steps) // 10)
    places = steps[::every]
    return places, [str(int(epoch)) for epoch in epochs[::every]]


@styled
def precision_recall(curves: pd.DataFrame) -> Figure:
    """Precision at each recall, one line a dish class; see ``inspection.precision_recall``."""
    figure, axis = plt.subplots(figsize=(8, 4.4))
    colours = plt.get_cmap("tab10")(np.arange(curves.shape[1]))
    for (name, precision), colour in zip(curves.items(), colours, strict=True):
        axis.plot(curves.index, precision, color=colour, linewidth=2, label=name)
    axis.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axis.set_title("Which dishes are easy? (number of queries)")
    axis.grid(True)
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


@styled
def class_counts(classes: pd.Series, count: int = 20) -> Figure:
    """The most frequent dish classes as bars."""
    counts = classes.value_counts(dropna=False).head(count).iloc[::-1]
    names = counts.index.fillna("(no class)")
    figure, axis = plt.subplots(figsize=(8, 0.24 * len(counts) + 0.8))
    axis.barh(names, counts, color=FROZEN, height=0.75)
    for place, number in enumerate(counts):
        axis.text(number, place, f" {number:,}", va="center", fontsize=8.5)
    axis.tick_params(axis="y", length=0)
    axis.spines[["left", "bottom"]].set_visible(False)
    axis.set_xticks([])
    axis.set_title("What is in the collection?")
    return figure


@styled
def similarity_of_pairs(similarity: np.ndarray, same: np.ndarray) -> Figure:
    """How similar two random recipes are, of one dish class and of two.

    Args:
        similarity: float array of shape (pairs,).
        same: bool array of shape (pairs,), whether the two share a class.
    """
    figure, axis = plt.subplots(figsize=(8, 3.2))
    bins = np.linspace(similarity.min(), similarity.max(), 60).tolist()
    for part, name, colour in (
        (similarity[~same], "of two classes", FROZEN),
        (similarity[same], "of one dish class", QUERY),
    ):
        if len(part):
            axis.hist(part, bins, density=True, alpha=0.6, color=colour, label=name)
            axis.axvline(part.mean(), color=colour, linewidth=2)
    axis.set(xlabel="cosine of two random recipes (lines: means)", yticks=[])
    axis.set_title("How similar are two photos at all?")
    axis.spines["left"].set_visible(False)
    axis.legend()
    return figure
