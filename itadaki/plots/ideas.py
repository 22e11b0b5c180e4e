"""What each chapter's one idea looks like on a handful of points, and layer by layer."""

import itertools
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from itadaki.plots.style import (
    COMPUTED,
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

_ROLES = (("anchor", INK), ("positive", POSITIVE), ("negative", NEGATIVE))
_LAYERS = {"frozen": FROZEN, "trainable": TRAINABLE, "BatchNorm, kept frozen": QUERY}


@styled
def cosines(embeddings: np.ndarray, titles: Sequence[str]) -> Figure:
    """Embeddings as stripes, a number a column, beside the cosine of each with each.

    Args:
        embeddings: float array of shape (n, d), rows of length 1.
        titles: n names.
    """
    figure, (stripes, matrix) = plt.subplots(
        1, 2, figsize=(13, 0.5 * len(titles) + 1.6), width_ratios=[1.9, 1]
    )
    top = float(np.quantile(embeddings, 0.99))
    stripes.imshow(
        embeddings, aspect="auto", cmap="magma", vmin=0, vmax=top, interpolation="nearest"
    )
    stripes.set_yticks(range(len(titles)), titles)
    stripes.set(xlabel="feature", title="The embeddings: bright is strong")
    numbers = [str(row + 1) for row in range(len(titles))]
    sns.heatmap(
        embeddings @ embeddings.T, ax=matrix, annot=True, fmt=".2f", vmin=0, vmax=1, cmap="Blues",
        cbar=False, square=True, xticklabels=numbers, yticklabels=numbers,
    )  # fmt: skip
    matrix.set_title("Their cosines, in the same order")
    return figure


@styled
def triplet_on_a_circle(panels: Mapping[str, np.ndarray], margin: float) -> Figure:
    """An anchor, its positive and its negative as points of the unit circle, a panel each state.

    The negative costs something on the red part of the circle, and nothing on the green one. From
    the second panel on thin lines show where the points came from.

    Args:
        panels: what each is called, and float arrays of shape (3, 2), rows of length 1.
        margin: by how much the positive must be nearer, in cosine similarity.
    """
    figure, axes = plt.subplots(
        1, len(panels), figsize=(4.9 * len(panels), 5.0), squeeze=False, sharey=True
    )
    before = None
    for axis, (name, points) in zip(axes[0], panels.items(), strict=True):
        anchor, positive, negative = points
        near, far = float(anchor @ positive), float(anchor @ negative)
        _arcs(axis, anchor, near - margin)
        for (role, colour), point in zip(_ROLES, points, strict=True):
            axis.annotate(
                "", point, (0, 0), arrowprops={"arrowstyle": "-", "color": colour, "alpha": 0.5}
            )
            axis.plot(*point, "o", color=colour, markersize=8, zorder=3)
            axis.text(*(1.3 * point), role, color=colour, ha="center", va="center", weight="bold")
        for other, cosine, colour in ((positive, near, POSITIVE), (negative, far, NEGATIVE)):
            axis.plot(*np.array([anchor, other]).T, ":", color=colour, linewidth=1.5)
            axis.text(*((anchor + other) / 2 * 0.72), f"{cosine:.2f}", color=colour, ha="center")
        if before is not None:
            for start, end, (_, colour) in zip(before, points, _ROLES, strict=True):
                axis.annotate(
                    "", end, start, arrowprops={"arrowstyle": "->", "color": colour}, zorder=4
                )
                axis.plot(*start, "o", markerfacecolor="white", color=colour, markersize=6)
        loss = max(0.0, margin - near + far)
        axis.set_title(f"{name}\nmax(0, {margin:g} - {near:.2f} + {far:.2f}) = {loss:.2f}")
        axis.set(xlim=(-1.6, 1.6), ylim=(-1.4, 1.5), aspect="equal")
        axis.axis("off")
        before = points
    axes[0][0].legend(
        handles=[
            Patch(color=NEGATIVE, alpha=0.35, label="here the negative costs something"),
            Patch(color=POSITIVE, alpha=0.35, label="here it costs nothing"),
        ],
        loc="lower left",
        bbox_to_anchor=(0, -0.1),
    )
    return figure


def _arcs(axis: Axes, anchor: np.ndarray, threshold: float) -> None:
    """The circle, coloured by whether a negative there would be less similar than a threshold."""
    angles = np.linspace(0, 2 * np.pi, 721)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    costs = circle @ anchor > threshold
    for part, colour in ((costs, NEGATIVE), (~costs, POSITIVE)):
        shown = np.where(part[:, None], circle, np.nan)
        axis.plot(*shown.T, color=colour, alpha=0.35, linewidth=7, solid_capstyle="butt")


@styled
def mined_negatives(
    similarities: np.ndarray, allowed: np.ndarray, chosen: np.ndarray, names: Sequence[str]
) -> Figure:
    """Similarities of anchors (rows) to all photos; masked cells grey, the chosen one framed.

    Args:
        similarities: float array of shape (n, m).
        allowed: bool array of the same shape, which may be negatives.
        chosen: int array of shape (n,), the column chosen; below 0 where there is none.
        names: m, of which the first n are the anchors'.
    """
    rows, columns = similarities.shape
    figure, axis = plt.subplots(figsize=(0.95 * columns + 3.0, 0.55 * rows + 2.4))
    axis.set_facecolor(LINE)
    sns.heatmap(
        similarities, mask=~allowed, ax=axis, annot=True, fmt=".2f", cmap="Reds",
        linewidths=1, cbar=False, xticklabels=list(names), yticklabels=list(names[:rows]),
    )  # fmt: skip
    for row, column in zip(*np.nonzero(~allowed), strict=True):
        axis.text(column + 0.5, row + 0.5, f"{similarities[row, column]:.2f}", color=MUTED,
                  ha="center", va="center")  # fmt: skip
    for row, column in enumerate(chosen):
        if column >= 0:
            axis.add_patch(
                Rectangle((column, row), 1, 1, fill=False, edgecolor=INK, linewidth=3, zorder=3)
            )
    axis.tick_params(axis="y", rotation=0, length=0)
    axis.tick_params(axis="x", rotation=35, length=0)
    plt.setp(axis.get_xticklabels(), ha="right")
    axis.set_title("Grey: the texts forbid it. Framed: the hardest that is left.")
    return figure


@styled
def collapse(losses: pd.DataFrame, margin: float) -> Figure:
    """The loss while all points are drawn together, for each way to choose negatives.

    Args:
        losses: the index is the points' mean distance, a column each sampling.
        margin: what the loss is where all points are one.
    """
    figure, axis = plt.subplots(figsize=(8, 3.8))
    colours = [FROZEN, TRAINABLE, NEGATIVE]
    sns.lineplot(losses, ax=axis, palette=colours[: losses.shape[1]], dashes=False, linewidth=2.5)
    axis.axhline(margin, color=INK, linestyle=":", linewidth=1)
    axis.text(float(losses.index.max()), margin, "the margin", va="bottom")
    axis.set(xlabel="mean distance of the points (0: all are one)", ylabel="triplet loss")
    axis.set_ylim(0, 1.1 * max(float(losses.to_numpy().max()), margin))
    axis.invert_xaxis()
    axis.set_title("Does it pay to give up?")
    axis.legend(title=None)
    return figure


@styled
def trainable_layers(layers: pd.DataFrame) -> Figure:
    """The backbone layer by layer: what may change, and how far each layer's weights have moved.

    Args:
        layers: a row each, in order: block, state (``frozen``, ``trainable`` or ``BatchNorm, kept
            frozen``), and, once trained, moved: the largest change of a weight.
    """
    panels = 2 if "moved" in layers else 1
    figure, axes = plt.subplots(
        panels, 1, figsize=(13, 1.6 * panels + 0.6), sharex=True, squeeze=False
    )
    strip = axes[0, 0]
    for place, state in enumerate(layers["state"]):
        # Whole pixels, or some gaps between the strokes would vanish.
        stroke = Rectangle((place, 0), 0.7, 1, color=_LAYERS[state], linewidth=0, snap=True)
        strip.add_patch(stroke)
    blocks = layers["block"].to_numpy()
    edges = [0, *(np.flatnonzero(blocks[1:] != blocks[:-1]) + 1), len(blocks)]
    for start, end in itertools.pairwise(edges):
        strip.text((start + end) / 2, -0.12, blocks[start], ha="center", va="top", fontsize=8)
        strip.axvline(start - 0.15, ymin=0.2, color=COMPUTED, linewidth=1)
    strip.set(xlim=(0, len(layers)), ylim=(-0.5, 1))
    strip.axis("off")
    counts = layers["state"].value_counts()
    handles = [
        Patch(color=colour, label=f"{state}: {counts.get(state, 0)}")
        for state, colour in _LAYERS.items()
    ]
    strip.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 0.98), ncols=3)
    strip.set_title("The backbone in phase 2, a stroke a layer")
    if "moved" in layers:
        moved = axes[1, 0]
        colours = [_LAYERS[state] for state in layers["state"]]
        moved.bar(np.arange(len(layers)) + 0.45, layers["moved"], 0.9, color=colours)
        moved.set(xticks=[], ylabel="largest change\nof a weight")
        moved.set_ylim(0, 1.1 * max(float(layers["moved"].max()), 1e-9))
    return figure
