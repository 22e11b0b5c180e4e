"""Figures: search results, triplets, the model's architecture, scores, curves and maps."""

import functools
import os
import re
import tempfile
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pandas as pd

from itadaki.errors import missing_extra
from itadaki.photos.images import load_input, load_rgb
from itadaki.storage.files import replacing
from tools.sizing import duration

with missing_extra("train"):
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.backends import BackendFilter, backend_registry
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage
    from matplotlib.patches import FancyBboxPatch, Patch, Polygon
    from matplotlib.patheffects import withStroke

if TYPE_CHECKING:
    import keras

    from itadaki.evaluation.comparison import Comparison
    from itadaki.evaluation.inspection import Found
    from itadaki.retrieval import RetrievalSystem, SearchResult
    from itadaki.training.triplets import Triplet

INK = "#2b2622"
MUTED = "#8a817a"
LINE = "#d9d3cb"
QUERY = "#c8553d"
FROZEN = "#c7d6e5"
TRAINABLE = "#f2b872"
COMPUTED = "#e8e3db"
POSITIVE = "#3a7d44"
NEGATIVE = "#b23a48"

_STYLE = {
    "axes.edgecolor": MUTED,
    "axes.grid.axis": "y",
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "figure.titlesize": 13,
    "figure.titleweight": "bold",
    "font.size": 10,
    "grid.color": LINE,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
_TILE = 240  # pixels of a photo's side in a figure; more would only make notebooks heavy
_WITHOUT_WINDOWS = backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)
_BLOCK = re.compile(r"^block(\d)([a-z])")


def _styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Draw in the house style and leave the user's settings of matplotlib alone."""

    @functools.wraps(draw)
    def drawn(*arguments: Any, **options: Any) -> Figure:
        with plt.rc_context(_STYLE):
            return draw(*arguments, **options)

    return drawn


def show(figure: Figure) -> None:
    """Show a figure now, once, in a notebook or a window.

    Where matplotlib has neither, as in a script on a server, the figure becomes a PNG in the
    system's folder for temporary files, and the file's path is printed.
    """
    if plt.get_backend().lower() in _WITHOUT_WINDOWS:
        handle, name = tempfile.mkstemp(".png", "itadaki-")
        os.close(handle)
        save(figure, Path(name))
        print(f"Figure: {name}")
        return
    plt.figure(figure)
    plt.show()
    plt.close(figure)


def save(figure: Figure, path: Path, dpi: int = 110) -> None:
    """Write a figure as PNG, atomically; the same figure gives the same bytes."""
    with replacing(path) as beside:
        figure.savefig(beside, dpi=dpi, metadata={"Software": None})
    close(figure)


def close(figure: Figure) -> None:
    """Forget a figure, which matplotlib would keep."""
    plt.close(figure)


@_styled
def search_results(query_image: Any, results: Sequence["SearchResult"]) -> Figure:
    """The query's photo and, as cards beside it, the photos found with title and similarity."""
    columns = max(1, min(5, len(results)))
    rows = max(1, -(-len(results) // columns))
    figure = plt.figure(figsize=(2.5 + 2.0 * columns, 0.2 + 2.75 * rows))
    grid = figure.add_gridspec(rows, 1 + columns, width_ratios=[1.3, *[1] * columns])
    asked = figure.add_subplot(grid[0, 0])
    _card(asked, query_image, "Query", note=" ", colour=QUERY)
    for place, result in enumerate(results):
        axis = figure.add_subplot(grid[place // columns, 1 + place % columns])
        _card(
            axis,
            result.image_path,
            f"{result.rank}  {result.title}",
            note=result.dish_class or "",
            similarity=result.similarity,
        )
    return figure


@_styled
def triplets(system: "RetrievalSystem", found: Sequence["Triplet"]) -> Figure:
    """Each triplet as a row: anchor, positive and hardest negative, and the gap between them."""
    figure, axes = plt.subplots(
        len(found), 4, figsize=(9.6, 2.75 * len(found)), squeeze=False, width_ratios=[1, 1, 1, 1.1]
    )
    recipes = system.bank.recipes
    for row, triplet in zip(axes, found, strict=True):
        for axis, role, index, similarity, colour in (
            (row[0], "Anchor", triplet.anchor, None, INK),
            (row[1], "Positive", triplet.positive, triplet.positive_similarity, POSITIVE),
            (row[2], "Negative", triplet.negative, triplet.negative_similarity, NEGATIVE),
        ):
            recipe = recipes[index]
            _card(
                axis,
                system.photo_path(index),
                recipe["title"],
                note=f"{role}: {recipe['dish_class']}",
                similarity=similarity,
                colour=colour,
            )
        _gap(row[3], triplet.positive_similarity, triplet.negative_similarity)
    return figure


def _gap(axis: Axes, positive: float, negative: float) -> None:
    """Two similarities on one scale, and which is larger."""
    low, high = sorted((positive, negative))
    axis.set(xlim=(min(0.0, low) - 0.05, 1.05), ylim=(-0.9, 1.2))
    axis.hlines(0, *axis.get_xlim(), color=LINE, linewidth=2)
    right = positive > negative
    axis.hlines(0, low, high, color=POSITIVE if right else NEGATIVE, linewidth=5, alpha=0.5)
    axis.plot(positive, 0, "o", color=POSITIVE, markersize=10)
    axis.plot(negative, 0, "o", color=NEGATIVE, markersize=10)
    axis.annotate("similarity 0", (0, -0.28), ha="center", color=MUTED, fontsize=8)
    axis.annotate("1", (1, -0.28), ha="center", color=MUTED, fontsize=8)
    axis.set_title(f"gap {positive - negative:+.2f}", loc="center", y=0.62)
    told = "the positive is nearer" if right else "the negative is nearer: to be learned"
    axis.text(0.5, 0.58, told, transform=axis.transAxes, ha="center", fontsize=8.5, color=MUTED)
    axis.axis("off")


@dataclass
class Stage:
    """A few layers of a model that follow one another.

    Attributes:
        part: the layer that holds them, where they are nested.
        name: of the stage.
        shape: of its output, without the batch.
        parameters: how many there are.
        trained: how many of them are trainable.
    """

    part: str
    name: str
    shape: tuple[int, ...]
    parameters: int = 0
    trained: int = 0


def model_stages(model: "keras.Model") -> list[Stage]:
    """Sum a model up: its layers, those of a nested EfficientNet joined block by block.

    A block of which only some parts are trainable becomes two stages.
    """
    stages: list[Stage] = []
    for layer in model.layers:
        nested = getattr(layer, "layers", None)
        parts: dict[str, list[Any]] = {}
        for inner in nested or [layer]:
            block = _BLOCK.match(inner.name)
            name = f"{block[1]}{block[2]}" if block else "top" if "top" in inner.name else "stem"
            parts.setdefault(name if nested else layer.name, []).append(inner)
        for name, layers in parts.items():
            stage = Stage(layer.name if nested else "", name, tuple(layers[-1].output.shape[1:]))
            for inner in layers:
                stage.parameters += inner.count_params()
                stage.trained += sum(int(np.prod(w.shape)) for w in inner.trainable_weights)
            before = stages[-1] if stages else stage
            same = nested and before.part == stage.part and before.name[:1] == name[:1]
            if same and name[0].isdigit() and bool(before.trained) == bool(stage.trained):
                before.name = f"{before.name[:2]}–{name[1:]}"
                before.shape = stage.shape
                before.parameters += stage.parameters
                before.trained += stage.trained
            else:
                stages.append(stage)
    digits = [stage.name[0] for stage in stages if stage.part]
    for stage in stages:
        if stage.part and stage.name[0].isdigit():
            whole = digits.count(stage.name[0]) == 1
            stage.name = f"block {stage.name[0] if whole else stage.name}"
    return stages


@_styled
def architecture(model: "keras.Model") -> Figure:
    """The model from photo to embedding: each stage's size, parameters and training state.

    A feature map is a box as high as its side and as wide as its channels are many, both on a
    logarithmic scale; a vector is a bar.
    """
    stages = model_stages(model)
    figure, axis = plt.subplots(figsize=(13.3, 4.2))
    x, centres = 0.0, []
    for stage in stages:
        *sides, channels = stage.shape
        height = 0.42 * np.log2(sides[0]) if sides else 0.3 * np.log2(channels)
        width = 0.1 * np.log2(channels) if sides else 0.22
        depth = 0.16 * height if sides else 0.12
        name = stage.name.replace("_", " ").replace(" ", "\n")
        place = max(width + depth, 0.13 * max(map(len, name.split("\n"))))
        centre = x + place / 2
        state = (TRAINABLE if stage.trained else FROZEN) if stage.parameters else COMPUTED
        _box(axis, centre - (width + depth) / 2, height, width, depth, state)
        output = " x ".join(map(str, sides)) + f"\nx {channels}" if sides else str(channels)
        counted = _short(stage.parameters) if stage.parameters else "–"
        axis.text(centre, 2.1, name, ha="center", va="bottom", fontsize=8.5, weight="bold")
        axis.text(centre, -2.0, output, ha="center", va="top", fontsize=8)
        axis.text(centre, -2.62, counted, ha="center", va="top", fontsize=8, color=MUTED)
        centres.append(centre)
        x += place + 0.27
    axis.plot(centres, [0] * len(centres), color=MUTED, linewidth=1, zorder=0)
    nested = [i for i, stage in enumerate(stages) if stage.part]
    if nested:
        _brace(axis, centres[nested[0]], centres[nested[-1]], stages[nested[0]].part)
    if nested and nested[-1] + 1 < len(stages):
        _brace(axis, centres[nested[-1] + 1], centres[-1], "on top of it")
    for y, name in ((-2.0, "output"), (-2.62, "parameters")):
        axis.text(-0.25, y, name, ha="right", va="top", fontsize=8, color=MUTED)
    axis.set(xlim=(-1.5, x), ylim=(-2.95, 3.4), aspect="equal")
    axis.axis("off")
    total = sum(stage.parameters for stage in stages)
    trained = sum(stage.trained for stage in stages)
    axis.set_title(f"{model.name}: {total:,} parameters, {trained:,} trainable", pad=2)
    keys = (("frozen", FROZEN), ("trainable", TRAINABLE), ("no parameters", COMPUTED))
    axis.legend(
        handles=[Patch(facecolor=colour, edgecolor=INK, label=name) for name, colour in keys],
        loc="upper right",
        bbox_to_anchor=(1, 1.1),
        ncols=3,
    )
    return figure


def _box(axis: Axes, x: float, height: float, width: float, depth: float, colour: str) -> None:
    """A box in oblique projection, its front's lower left corner at x, centred on the line 0."""
    y = -(height + depth * 0.6) / 2
    rise = depth * 0.6
    front = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    top = [
        front[3],
        front[2],
        (x + width + depth, y + height + rise),
        (x + depth, y + height + rise),
    ]
    side = [front[1], (x + width + depth, y + rise), top[2], front[2]]
    for corners, shade in ((front, 1.0), (top, 1.07), (side, 0.86)):
        rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        face = np.minimum(rgb * shade, 1)
        axis.add_patch(Polygon(corners, facecolor=face, edgecolor=INK, linewidth=0.7))


def _brace(axis: Axes, left: float, right: float, name: str) -> None:
    y = 2.95
    axis.plot(
        [left - 0.3, left - 0.3, right + 0.3, right + 0.3], [y - 0.1, y, y, y - 0.1], color=MUTED
    )
    axis.text((left + right) / 2, y + 0.06, name, ha="center", va="bottom", color=MUTED, fontsize=9)


def _short(number: int) -> str:
    return f"{number / 1e6:.2f} M" if number >= 1e6 else f"{number / 1e3:.1f} k"


@_styled
def attention(model: "keras.Model", photos: Sequence[Any], titles: Sequence[str]) -> Figure:
    """Each photo above the strength of the backbone's last feature map, from dark to bright.

    The strength is the length of the 1280 features at each of the 7 x 7 places.
    """
    from itadaki.models.keras_model import BACKBONE

    inputs = np.stack([load_input(photo) for photo in photos])
    features = model.get_layer(BACKBONE)(inputs, training=False).numpy()
    figure, axes = plt.subplots(
        2, len(photos), figsize=(2.2 * len(photos), 5.0), squeeze=False, height_ratios=[1.28, 1.04]
    )
    for (above, below), photo, title, places in zip(axes.T, inputs, titles, features, strict=True):
        shown = photo.astype(np.uint8)
        strength = cv2.resize(np.linalg.norm(places, axis=-1), (_TILE, _TILE))
        strength = (strength - strength.min()) / max(float(np.ptp(strength)), 1e-6)
        heat = (plt.get_cmap("inferno")(strength)[..., :3] * 255).astype(np.uint8)
        mixed = cv2.addWeighted(cv2.resize(shown, (_TILE, _TILE)), 0.4, heat, 0.6, 0)
        _card(above, shown, title)
        _card(below, mixed, "")
    return figure


@_styled
def scores(table: pd.DataFrame) -> Figure:
    """An evaluation's metrics as bars with 95% intervals, and a random order as ticks."""
    figure, axis = plt.subplots(figsize=(8, 0.42 * len(table) + 0.9))
    places = np.arange(len(table))[::-1]
    spread = np.abs(table[["low", "high"]].to_numpy().T - table["score"].to_numpy())
    bars = {"color": TRAINABLE, "ecolor": MUTED, "error_kw": {"linewidth": 1.2, "capsize": 3}}
    axis.barh(places, table["score"], xerr=spread, height=0.62, **bars)
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


@_styled
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


@_styled
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


@_styled
def embedding_map(
    system: "RetrievalSystem", rows: np.ndarray, places: np.ndarray, photos: int = 40
) -> Figure:
    """Photos on a plane, coloured by dish class and named where the class is at home.

    Args:
        system: whose photos are shown.
        rows: of the bank, int array of shape (n,).
        places: on the plane, float array of shape (n, 2); see ``inspection.embedding_map``.
        photos: how many are drawn as pictures among the points.
    """
    classes = np.array([system.bank.recipes[int(row)]["dish_class"] for row in rows])
    names = pd.Series(classes).value_counts().index
    colours = plt.get_cmap("tab20" if len(names) > 10 else "tab10")(np.arange(len(names)))
    figure, axis = plt.subplots(figsize=(10.5, 7))
    for name, colour in zip(names, colours, strict=True):
        part = places[classes == name]
        axis.scatter(*part.T, s=26, color=colour, edgecolor="white", linewidth=0.5, zorder=2)
    for number in _spread(places, photos):
        tile = cv2.resize(_square(system.photo_path(int(rows[number]))), (46, 46))
        colour = colours[list(names).index(classes[number])]
        box = AnnotationBbox(
            OffsetImage(tile, zoom=0.72), places[number], pad=0.12,
            bboxprops={"edgecolor": colour, "linewidth": 2},
        )  # fmt: skip
        axis.add_artist(box)
    for name, colour in zip(names, colours, strict=True):
        home = np.median(places[classes == name], axis=0)
        axis.text(
            *home, name, ha="center", va="center", fontsize=12, weight="bold", color=colour,
            path_effects=[withStroke(linewidth=4, foreground="white")], zorder=5,
        )  # fmt: skip
    axis.set(xticks=[], yticks=[])
    axis.set_title("Do photos of one dish lie together?")
    axis.spines[:].set_visible(False)
    return figure


def _spread(places: np.ndarray, count: int) -> list[int]:
    """Points that lie far from one another, each the farthest from those before it."""
    chosen = [0]
    distance = np.linalg.norm(places - places[0], axis=1)
    while len(chosen) < min(count, len(places)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return chosen


@_styled
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


@_styled
def successes_and_failures(
    system: "RetrievalSystem", best: Sequence["Found"], worst: Sequence["Found"]
) -> Figure:
    """Queries with their neighbours, the best on the left and the worst on the right.

    A green frame: of the query's dish class; a red one: of another.
    """
    sides = [(best, "Found"), (worst, "Missed")]
    rows = max(1, len(best), len(worst))
    k = max((len(one.neighbours) for one in [*best, *worst]), default=1)
    figure = plt.figure(figsize=(2.6 * (1 + k), 1.58 * rows + 0.4))
    halves = figure.subfigures(1, 2, wspace=0.02)
    for half, (found, title) in zip(halves, sides, strict=True):
        half.suptitle(title, color=POSITIVE if title == "Found" else NEGATIVE)
        _neighbours(half, system, found, rows, k)
    return figure


def _neighbours(
    figure: Any, system: "RetrievalSystem", found: Sequence["Found"], rows: int, k: int
) -> None:
    axes = figure.subplots(rows, 1 + k, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    recipes = system.bank.recipes
    for row, one in zip(axes, found, strict=False):
        asked = recipes[one.query]
        _card(row[0], system.photo_path(one.query), asked["title"], colour=QUERY, small=True)
        for axis, index, similarity, hit in zip(
            row[1:], one.neighbours, one.similarities, one.hits, strict=False
        ):
            title = f"{similarity:.2f}  {recipes[int(index)]['title']}"
            colour = POSITIVE if hit else NEGATIVE
            _card(axis, system.photo_path(int(index)), title, colour=colour, small=True)


@_styled
def hardest_negatives(
    recipes: pd.DataFrame,
    anchors: np.ndarray,
    near: np.ndarray,
    similarities: np.ndarray,
    allowed: np.ndarray,
) -> Figure:
    """Anchors, each with the training photos that lie nearest to it.

    A red frame: a negative that pushes; a grey one: the texts say that it is the same dish, so
    that it may not be a negative.

    Args:
        recipes: with the columns Title and image_path.
        anchors: rows of it, int array of shape (a,).
        near: rows of it, int array of shape (a, k), nearest first.
        similarities: float array of shape (a, k).
        allowed: bool array of shape (a, k), whether each may be a negative.
    """
    rows, columns = len(anchors), 1 + near.shape[1]
    figure, axes = plt.subplots(rows, columns, figsize=(1.6 * columns, 1.85 * rows), squeeze=False)
    titles, photos = recipes["Title"].to_numpy(), recipes["image_path"].to_numpy()
    for row, anchor, others, nearness, may in zip(
        axes, anchors, near, similarities, allowed, strict=True
    ):
        _card(row[0], photos[anchor], titles[anchor], colour=QUERY, small=True)
        for axis, other, similarity, pushes in zip(row[1:], others, nearness, may, strict=True):
            title = f"{similarity:.2f}  {titles[other]}"
            colour = NEGATIVE if pushes else MUTED
            _card(axis, photos[other], title, colour=colour, small=True)
    keys = (
        ("anchor", QUERY),
        ("negative", NEGATIVE),
        ("masked: too alike by its text or class", MUTED),
    )
    figure.legend(
        handles=[Line2D([], [], color=colour, linewidth=3, label=name) for name, colour in keys],
        loc="outside upper left",
        ncols=3,
    )
    return figure


@_styled
def index_growth(measured: dict[str, Any], crossing: int | None) -> Figure:
    """Time of a search as recipes grow, by each index, and where exact and approximate cross.

    Args:
        measured: ``reports/measurements/index.json``.
        crossing: recipes from which the approximate index is faster than the exact one.
    """
    kinds = {
        "exact float32": (INK, "-", "exact, float32"),
        "exact float16": (INK, "--", "exact, float16"),
        "exact int8": (INK, ":", "exact, int8"),
        "ann": (QUERY, "-", "approximate"),
    }
    steps = measured["growth"]
    rows = np.array([step["rows"] for step in steps])
    slowest = max(kinds, key=lambda kind: steps[-1]["milliseconds"][kind]["p50"])
    figure, axis = plt.subplots(figsize=(7.5, 4.6), layout="constrained")
    for kind, (colour, style, label) in kinds.items():
        times = [step["milliseconds"][kind]["p50"] for step in steps]
        axis.loglog(rows, times, style, color=colour, marker="o", markersize=5, label=label)
        axis.annotate(
            duration(times[-1]),
            (rows[-1], times[-1]),
            (7, 1 if kind == slowest else -5),
            textcoords="offset points",
            color=colour,
            fontsize=9,
        )
    if crossing:
        axis.axvline(crossing, color=INK, linestyle=":", linewidth=1)
        axis.annotate(
            f"from about {crossing:,} recipes\napproximate is faster",
            (crossing, 0.97),
            (6, 0),
            xycoords=axis.get_xaxis_transform(),
            textcoords="offset points",
            va="top",
            fontsize=9,
        )
    axis.set_xlim(rows[0] / 1.3, rows[-1] * 2.2)
    axis.set_xticks(rows, [f"{count:,}" for count in rows])
    axis.minorticks_off()
    axis.set(title="One search among so many recipes", xlabel="recipes", ylabel="p50, milliseconds")
    axis.grid(color=COMPUTED)
    axis.legend(frameon=False)
    return figure


@_styled
def photo_grid(photos: Sequence[Any], titles: Sequence[str], columns: int = 5) -> Figure:
    """Photos in a grid, each above its title."""
    rows = -(-len(photos) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(2.2 * columns, 2.65 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, photo, title in zip(axes.flat, photos, titles, strict=False):
        _card(axis, photo, title)
    return figure


@_styled
def mistakes(system: "RetrievalSystem", pairs: Sequence[tuple[int, int, float]]) -> Figure:
    """Each query above its nearest neighbour, with their dish classes and similarity.

    Args:
        system: whose photos are shown.
        pairs: at least one, from ``itadaki.evaluation.scores.confident_mistakes``.
    """
    recipes = system.bank.recipes
    figure, axes = plt.subplots(2, len(pairs), figsize=(2.2 * len(pairs), 5.4), squeeze=False)
    for (above, below), (query, found, similarity) in zip(axes.T, pairs, strict=True):
        for axis, row, colour, seen in (
            (above, query, QUERY, None),
            (below, found, NEGATIVE, similarity),
        ):
            recipe = recipes[row]
            _card(
                axis, system.photo_path(row), recipe["title"], note=recipe["dish_class"],
                similarity=seen, colour=colour,
            )  # fmt: skip
    return figure


@_styled
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


@_styled
def similarity_of_pairs(similarity: np.ndarray, same: np.ndarray) -> Figure:
    """How similar two random recipes are, of one dish class and of two.

    Args:
        similarity: float array of shape (pairs,).
        same: bool array of shape (pairs,), whether the two share a class.
    """
    figure, axis = plt.subplots(figsize=(8, 3.2))
    bins = np.linspace(similarity.min(), similarity.max(), 60)
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


@_styled
def service_latency(found: dict[str, Any]) -> Figure:
    """Where the time of a search goes, and how many searches a second the service answers.

    Args:
        found: what ``benchmarks/service.py`` measured.
    """
    figure, (time, rate) = plt.subplots(1, 2, figsize=(12, 3.2), width_ratios=[1.6, 1])
    sizes = found["latency"]
    names = {"small": "274 x 169 photo", "phone": "12-megapixel photo"}
    places = np.arange(len(sizes))[::-1]
    for place, one in zip(places, sizes.values(), strict=True):
        decode, forward = one["decode_p50_ms"], one["forward_p50_ms"]
        rest = max(0.0, one["post_p50_ms"] - decode - forward)
        left = 0.0
        for part, colour in ((decode, FROZEN), (forward, TRAINABLE), (rest, COMPUTED)):
            time.barh(
                place + 0.2, part, 0.36, left=left, color=colour, edgecolor=INK, linewidth=0.5
            )
            left += part
        time.text(left, place + 0.2, f"  {left:.0f} ms", va="center", fontsize=9, weight="bold")
        seed = one["seed_post_p50_ms"]
        time.barh(place - 0.2, seed, 0.36, color="white", edgecolor=MUTED, hatch="///")
        ratio = f"  {seed:.0f} ms, {seed / left:.1f} x"
        time.text(seed, place - 0.2, ratio, va="center", fontsize=9, color=MUTED)
    time.set_yticks(places, [names.get(name, name) for name in sizes])
    time.set_xlim(0, 1.25 * max(one["seed_post_p50_ms"] for one in sizes.values()))
    time.set(
        xlabel="milliseconds, median of one client", title="Where does a search spend its time?"
    )
    keys = (("decode", FROZEN), ("network", TRAINABLE), ("HTTP, search, answer", COMPUTED))
    handles = [Patch(facecolor=colour, edgecolor=INK, label=name) for name, colour in keys]
    seed_key = Patch(facecolor="white", edgecolor=MUTED, hatch="///", label="the obvious way")
    time.legend(handles=[*handles, seed_key], loc="upper right", bbox_to_anchor=(1, 0.62))
    for shift, clients, colour in (
        (-0.2, "one_client", COMPUTED),
        (0.2, "eight_clients", TRAINABLE),
    ):
        values = [one[f"{clients}_per_s"] for one in sizes.values()]
        label = clients.replace("_", " ")
        bars = rate.bar(np.arange(len(sizes)) + shift, values, 0.38, color=colour, label=label)
        rate.bar_label(bars, [f"{value:.0f}" for value in values], fontsize=9, padding=2)
    rate.set_xticks(range(len(sizes)), [names.get(name, name) for name in sizes])
    rate.set(ylabel="searches a second", title="How many does it answer?")
    rate.set_ylim(0, 1.25 * max(one["eight_clients_per_s"] for one in sizes.values()))
    rate.legend()
    return figure


def _square(photo: Any) -> np.ndarray:
    """A photo's middle square, brought to the size of a tile."""
    rgb = load_rgb(Path(photo) if isinstance(photo, str) else photo)
    side = min(rgb.shape[:2])
    top, left = (rgb.shape[0] - side) // 2, (rgb.shape[1] - side) // 2
    tile = rgb[top : top + side, left : left + side]
    return cv2.resize(tile, (_TILE, _TILE), interpolation=cv2.INTER_AREA)


def _card(
    axis: Axes,
    photo: Any,
    title: str,
    note: str = "",
    similarity: float | None = None,
    colour: str | None = None,
    small: bool = False,
) -> None:
    """A photo with round corners, its title below, and its similarity as a bar and a number."""
    height = 1.45 if note or similarity is not None else 1.26 if title else 1.02
    limits = {"xlim": (-0.02, 1.02), "ylim": (1.2 if small else height, -0.02)}
    axis.set(aspect="equal", **limits)
    axis.axis("off")
    shown = axis.imshow(_square(photo), extent=(0, 1, 1, 0), interpolation="bilinear")
    edge = FancyBboxPatch(
        (0, 0), 1, 1, boxstyle="round,pad=0,rounding_size=0.06", transform=axis.transData,
        facecolor="none", edgecolor=colour or "none", linewidth=3,
    )  # fmt: skip
    axis.add_patch(edge)
    shown.set_clip_path(edge)
    axis.set(**limits)  # the picture has set its own
    width, size = (21, 7) if small else (25, 8.5)
    lines = textwrap.wrap(title, width, max_lines=2, placeholder=" …")
    text = axis.text(0, 1.04, "\n".join(lines), va="top", fontsize=size, linespacing=1.1)
    text.set_gid("title")
    text.set_in_layout(False)  # a wide title must not make its photo small
    if small:
        return
    if note:
        axis.text(0, 1.25, note, va="top", fontsize=8, color=colour or MUTED)
    if similarity is not None:
        full = 0.01 + 0.76 * min(max(similarity, 0.0), 1.0)
        for end, shade in ((0.77, LINE), (full, QUERY)):
            axis.plot([0.01, end], [1.4] * 2, color=shade, linewidth=5, solid_capstyle="round")
        axis.text(1, 1.4, f"{similarity:.2f}", va="center", ha="right", fontsize=9, weight="bold")
