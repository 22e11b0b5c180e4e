"""Scores, curves and counts."""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
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
    rungs = table.drop_duplicates("rung").set_index("rung")
    labels = [str(rung).replace(" ", "\n", 1) for rung in rungs.index]
    columns = min(3, len(metrics))
    rows = -(-len(metrics) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(4.1 * columns, 3.0 * rows), squeeze=False)
    for axis in axes.flat[len(metrics) :]:
        axis.axis("off")
    for axis, metric in zip(axes.flat, metrics, strict=False):
        part = table[table["metric"] == metric].set_index("rung").reindex(rungs.index)
        score = part["score"].to_numpy()
        axis.plot(range(len(rungs)), score, color=LINE, zorder=1)
        for place, (name, gallery) in enumerate(
            zip(rungs["variant"], rungs["gallery"], strict=True)
        ):
            chosen = name == highlight if highlight else place == len(rungs) - 1
            colour = QUERY if chosen else INK
            low, high = part["low"].iloc[place], part["high"].iloc[place]
            spread = [[score[place] - low], [high - score[place]]]
            marker = {"photos": "o", "fused": "D", "search": "s"}[gallery]
            axis.errorbar(place, score[place], spread, fmt=marker, color=colour, capsize=3)
            ratio = score[place] / score[0]
            told = f"{score[place]:.3f}" + (f"\n{ratio:.2f} x" if place else "")
            axis.annotate(
                told, (place, high), (0, 3), textcoords="offset points", ha="center", va="bottom",
                fontsize=8, color=colour,
            )  # fmt: skip
        axis.axhline(comparison.random("photos", metric), color=MUTED, linestyle=":", linewidth=1)
        axis.set_title(metric)
        axis.set_xticks(range(len(rungs)), labels, fontsize=8.5)
        axis.set_xlim(-0.5, len(rungs) - 0.5)
        axis.set_ylim(0, float(part["high"].max()) * 1.25)
    source = next(iter(comparison.about.values()))["dataset_source"].removeprefix("folder ")
    figure.supxlabel(
        f"held-out photos of {source}; points: mean over the queries and seeds, with its 95% "
        "interval, and as a multiple of the first; dotted: a random order",
        fontsize=8.5,
        color=MUTED,
    )
    return figure


@styled
def training_curves(history: pd.DataFrame) -> Figure:
    """Loss, validation score, the two similarities, and the accuracies.

    Lines are the mean of the seeds, bands reach from the lowest to the highest. A dotted line
    stands where one phase of the training ends and the next begins.

    Args:
        history: one row an epoch, and with a column seed an epoch and seed.
    """
    phases = history["phase"].unique()
    ordered = history.assign(phase=pd.Categorical(history["phase"], phases, ordered=True))
    # Seeds may end a phase early: what is averaged is one epoch of one phase.
    history = ordered.assign(step=ordered.groupby(["phase", "epoch"], observed=True).ngroup())
    figure, axes = plt.subplots(2, 2, figsize=(13, 6.4), sharex=True)
    margins = history["margin"].dropna() if "margin" in history else pd.Series(dtype=float)
    # In the title: a line of it would press the two similarities against the floor.
    ends = dict.fromkeys(f"{end:.2g}" for end in (margins.min(), margins.max()))
    margin = f" (margin: {' to '.join(ends)})" if len(margins) else ""
    panels = (
        ("What is lowered", "training loss", {"loss": MUTED}),
        ("Does it find better?", "validation score (retrieval)", {"score": QUERY}),
        (
            f"How far apart are the triplets?{margin}",
            "mean cosine",
            {"positive_similarity": POSITIVE, "negative_similarity": NEGATIVE},
        ),
        (
            "How many triplets are right?",
            "share of triplets",
            {"triplet_accuracy": INK, "triplet_margin_accuracy": TRAINABLE},
        ),
    )
    for axis, (title, label, lines) in zip(axes.flat, panels, strict=True):
        shown = [name for name in lines if name in history]
        long = history.melt("step", shown, var_name="line")
        sns.lineplot(
            long, x="step", y="value", hue="line", palette=lines, errorbar=("pi", 100), ax=axis,
            marker="o", markersize=4, legend=len(shown) > 1,
        )  # fmt: skip
        low = float(long["value"].min())
        epoch = "epoch of its phase" if len(phases) > 1 else "epoch"
        axis.set(title=title, xlabel=epoch, ylabel=label)
        axis.set_ylim(min(0.0, 1.1 * low), 1.1 * max(float(long["value"].max()), 0.01))
        if len(shown) > 1:
            axis.legend(title=None, loc="upper left", bbox_to_anchor=(1, 1))
    steps = history.drop_duplicates("step").sort_values("step")
    places, names = _thinned(steps["step"].to_numpy(), steps["epoch"].to_numpy())
    for axis in axes.flat:
        axis.set_xticks(places, names)
        for change in steps.groupby("phase", observed=True)["step"].min().iloc[1:]:
            axis.axvline(change - 0.5, color=INK, linestyle=":", linewidth=1)
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
    sns.lineplot(curves, ax=axis, palette="tab10", dashes=False, linewidth=2)
    axis.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision (interpolated)")
    axis.set_title("Which dishes are easy? (number of queries)")
    axis.grid(True)
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


@styled
def class_counts(counts: pd.Series) -> Figure:
    """Dish classes as bars, as many recipes as each has."""
    figure, axis = plt.subplots(figsize=(8, 0.24 * len(counts) + 0.8))
    names = [str(name) or "(no class)" for name in counts.index]
    sns.barplot(x=counts.to_numpy(), y=names, ax=axis, color=FROZEN, saturation=1)
    axis.bar_label(axis.containers[0], fmt=" {:,.0f}", fontsize=8.5)  # type: ignore[arg-type]
    axis.tick_params(axis="y", length=0)
    axis.spines[["left", "bottom"]].set_visible(False)
    axis.set(xticks=[], xlabel="", title="What is in the collection?")
    return figure


@styled
def similarity_of_pairs(pairs: pd.DataFrame) -> Figure:
    """How similar two random photos are; see ``inspection.pair_similarities``."""
    figure, axis = plt.subplots(figsize=(8, 3.2))
    colours = {"of two classes": MUTED, "of one dish class": QUERY}
    if len(pairs):
        sns.histplot(
            pairs, x="similarity", hue="pair", palette=colours, stat="density", common_norm=False,
            element="step", bins=50, alpha=0.35, ax=axis,
        )  # fmt: skip
        for name, mean in pairs.groupby("pair")["similarity"].mean().items():
            axis.axvline(mean, color=colours[str(name)], linewidth=2)
        sns.move_legend(axis, "upper left", title=None)
    axis.set(xlabel="cosine of two photos drawn at random (lines: means)", yticks=[], ylabel="")
    axis.set_title("How similar are two photos at all?")
    axis.spines["left"].set_visible(False)
    return figure


@styled
def embedding_map(points: pd.DataFrame) -> Figure:
    """Photos as points on a plane, coloured by dish class, the most frequent class first.

    Args:
        points: x, y and dish class; see ``inspection.embedding_map``.
    """
    figure, axis = plt.subplots(figsize=(10, 6.2))
    names = list(points["dish class"].value_counts().index)
    sns.scatterplot(
        points, x="x", y="y", hue="dish class", hue_order=names, s=22, linewidth=0.3,
        palette=sns.color_palette("tab10", len(names)), ax=axis,
    )  # fmt: skip
    # Beside the points: names at home in their midst would cover each other.
    sns.move_legend(axis, "center left", bbox_to_anchor=(1, 0.5), frameon=False, title="")
    axis.set(xticks=[], yticks=[], xlabel="", ylabel="")
    axis.set_title("Do photos of one dish lie together?")
    axis.spines[:].set_visible(False)
    return figure
