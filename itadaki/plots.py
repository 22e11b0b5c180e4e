"""Figures: search results, triplets, the model's architecture, the evaluation's scores."""

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from itadaki.images import load_input, load_rgb

if TYPE_CHECKING:
    import keras

    from itadaki.retrieval import RetrievalSystem, SearchResult
    from itadaki.triplets import Triplet

INK = "#2b2622"
QUERY = "#c8553d"
FROZEN = "#dbe4ee"
TRAINABLE = "#f6d8ae"
COMPUTED = "#eeebe6"
POSITIVE = "#3a7d44"
NEGATIVE = "#b23a48"

_LAYER_STAGE = re.compile(r"^(stem|block\d|top)")


def show(figure: Figure) -> None:
    """Show a figure now, once, in a notebook or a window."""
    plt.figure(figure)
    plt.show()
    plt.close(figure)


def search_results(query_image: Any, results: Sequence["SearchResult"]) -> Figure:
    """The query's photo and, row by row, the photos found with title and similarity."""
    columns = min(6, 1 + len(results))
    rows = 1 + max(0, len(results) - 1) // max(1, columns - 1) if results else 1
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.5 * columns, 2.8 * rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat:
        axis.axis("off")
    _photo(axes[0, 0], query_image, "query", QUERY)
    places = [axis for row in axes for axis in row[1:]]
    for axis, result in zip(places, results, strict=False):
        _photo(axis, result.image_path, f"{result.rank}. {result.title}")
        _similarity_bar(axis, result.similarity)
    return figure


def triplets(system: "RetrievalSystem", found: Sequence["Triplet"]) -> Figure:
    """Each triplet as a row: anchor, positive, hardest negative, with cosine similarities."""
    figure, axes = plt.subplots(
        len(found), 3, figsize=(8.4, 2.9 * len(found)), squeeze=False, layout="constrained"
    )
    for row, triplet in zip(axes, found, strict=True):
        for axis, role, index, similarity, colour in (
            (row[0], "anchor", triplet.anchor, None, INK),
            (row[1], "positive", triplet.positive, triplet.positive_similarity, POSITIVE),
            (row[2], "negative", triplet.negative, triplet.negative_similarity, NEGATIVE),
        ):
            recipe = system.bank.recipes[index]
            _photo(axis, system.photo_path(index), recipe["title"], colour)
            label = f"{role}: {recipe['dish_class']}"
            if similarity is not None:
                label += f"   similarity {similarity:.2f}"
            axis.text(
                0.5,
                -0.03,
                label,
                transform=axis.transAxes,
                ha="center",
                va="top",
                fontsize=9,
                color=colour,
            )
            axis.axis("off")
    return figure


def architecture(model: "keras.Model") -> Figure:
    """The model's stages from top to bottom, with output shape, parameters and training state."""
    stages = model_stages(model)
    figure, axis = plt.subplots(figsize=(7.2, 0.62 * len(stages) + 0.6), layout="constrained")
    axis.set(xlim=(0, 1), ylim=(len(stages), -0.45))
    axis.axis("off")
    for level, stage in enumerate(stages):
        colour = COMPUTED
        if stage["parameters"]:
            colour = TRAINABLE if stage["trainable"] else FROZEN
        box = FancyBboxPatch(
            (0.02, level + 0.12),
            0.96,
            0.66,
            boxstyle="round,pad=0,rounding_size=0.02",
            facecolor=colour,
            edgecolor=INK,
            linewidth=0.8,
        )
        axis.add_patch(box)
        middle = level + 0.45
        axis.text(0.05, middle, stage["name"], va="center", fontsize=10, color=INK, weight="bold")
        axis.text(0.66, middle, stage["shape"], va="center", ha="right", fontsize=9.5, color=INK)
        counted = f"{stage['parameters']:,} parameters" if stage["parameters"] else "no parameters"
        axis.text(0.95, middle, counted, va="center", ha="right", fontsize=9, color=INK)
        if level:
            arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.8}
            axis.annotate("", (0.5, level + 0.13), (0.5, level - 0.23), arrowprops=arrow)
    total = sum(stage["parameters"] for stage in stages)
    trained = sum(stage["parameters"] for stage in stages if stage["trainable"])
    axis.set_title(
        f"{model.name}: {total:,} parameters, {trained:,} trainable "
        "(blue: frozen, orange: trainable)",
        fontsize=10.5,
        color=INK,
        loc="left",
    )
    return figure


def model_stages(model: "keras.Model") -> list[dict[str, Any]]:
    """Sum a model up: its layers, those of a nested EfficientNet joined block by block.

    Returns:
        Dicts with name, shape (of the output, as text), parameters and trainable.
    """
    stages: list[dict[str, Any]] = []
    for layer in model.layers:
        inner = getattr(layer, "layers", None)
        for part in inner if inner else [layer]:
            match = _LAYER_STAGE.match(part.name) if inner else None
            if inner and not match:
                continue
            name = f"{layer.name} / {match[1]}" if match else part.name
            if not stages or stages[-1]["name"] != name:
                stages.append({"name": name, "parameters": 0, "trainable": False, "shape": ""})
            stages[-1]["parameters"] += part.count_params()
            stages[-1]["trainable"] |= bool(part.trainable_weights)
            stages[-1]["shape"] = " x ".join(str(side) for side in part.output.shape[1:])
    return stages


def attention(model: "keras.Model", photos: Sequence[Any], titles: Sequence[str]) -> Figure:
    """Each photo above the strength of the backbone's last feature map, from dark to bright.

    The strength is the length of the 1280 features at each of the 7 x 7 places.
    """
    from itadaki.keras_model import BACKBONE

    inputs = np.stack([load_input(photo) for photo in photos])
    features = model.get_layer(BACKBONE)(inputs, training=False).numpy()
    figure, axes = plt.subplots(
        2, len(photos), figsize=(2.3 * len(photos), 4.6), squeeze=False, layout="constrained"
    )
    for (above, below), photo, title, places in zip(axes.T, inputs, titles, features, strict=True):
        _photo(above, photo.astype(np.uint8), title)
        below.imshow(photo.astype(np.uint8))
        strength = cv2.resize(np.linalg.norm(places, axis=-1), photo.shape[:2])
        below.imshow(strength, cmap="inferno", alpha=0.6)
        above.axis("off")
        below.axis("off")
    return figure


def scores(table: pd.DataFrame) -> Figure:
    """An evaluation's metrics as bars with 95% intervals, and a random order as ticks."""
    figure, axis = plt.subplots(figsize=(7.5, 0.45 * len(table) + 0.9), layout="constrained")
    places = np.arange(len(table))[::-1]
    spread = np.abs(table[["low", "high"]].to_numpy().T - table["score"].to_numpy())
    axis.barh(places, table["score"], xerr=spread, height=0.6, color=TRAINABLE, ecolor=INK)
    axis.plot(
        table["random order"],
        places,
        "|",
        color=QUERY,
        markersize=14,
        markeredgewidth=2,
        label="random order",
    )
    for place, high, score in zip(places, table["high"], table["score"], strict=True):
        axis.text(high + 0.01, place, f"{score:.3f}", va="center", fontsize=9, color=INK)
    axis.set_yticks(places, table.index)
    axis.set_xlim(0, min(1.12, float(table["high"].max()) + 0.12))
    axis.set_xlabel("score, with 95% interval")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, loc="upper right")
    return figure


def ladder(tables: dict[str, pd.DataFrame]) -> Figure:
    """Each metric in a panel, the variants as points with 95% intervals, by gallery.

    Args:
        tables: by gallery, with the columns variant, metric, score, low and high.
    """
    joined = pd.concat([table.assign(gallery=name) for name, table in tables.items()])
    metrics = list(dict.fromkeys(joined["metric"]))
    variants = list(dict.fromkeys(joined["variant"]))
    colours = {"photos": INK, "fused": QUERY, "split": POSITIVE}
    columns = 4
    rows = -(-len(metrics) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.1 * columns, 2.7 * rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(metrics) :]:
        axis.axis("off")
    for axis, metric in zip(axes.flat, metrics, strict=False):
        for shift, (gallery, colour) in enumerate(colours.items()):
            part = joined[(joined["metric"] == metric) & (joined["gallery"] == gallery)]
            if part.empty:
                continue
            places = np.array([variants.index(name) for name in part["variant"]])
            spread = np.abs(part[["low", "high"]].to_numpy().T - part["score"].to_numpy())
            axis.errorbar(
                places + 0.12 * (shift - 1),
                part["score"],
                spread,
                fmt="o",
                color=colour,
                capsize=3,
                label=gallery,
            )
        axis.set_title(metric, fontsize=10, color=INK)
        axis.set_xticks(range(len(variants)), variants)
        axis.set_xlim(-0.5, len(variants) - 0.5)
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].legend(frameon=False, fontsize=8, title="gallery", title_fontsize=8)
    return figure


def training_curves(history: pd.DataFrame) -> Figure:
    """Loss and validation score, the two similarities and their gap, and the accuracies.

    A dotted line stands where one phase of the training ends and the next begins.
    """
    steps = np.arange(len(history))
    figure, (score, similarity, accuracy) = plt.subplots(
        1, 3, figsize=(12, 3.4), layout="constrained"
    )
    score.plot(steps, history["loss"], color=INK, marker=".", label="training loss")
    score.set(title="What is learned", xlabel="epoch", ylabel="loss")
    beside = score.twinx()
    beside.plot(steps, history["score"], color=QUERY, marker=".", label="validation score")
    beside.set_ylabel("validation score: √(MAP@R x nDCG@10)", color=QUERY)
    near, far = history["positive_similarity"], history["negative_similarity"]
    similarity.plot(steps, near, color=POSITIVE, marker=".", label="anchor, positive")
    similarity.plot(steps, far, color=NEGATIVE, marker=".", label="anchor, negative")
    similarity.fill_between(steps, near, far, color=FROZEN, alpha=0.7, label="gap")
    if "margin" in history:
        similarity.plot(steps, history["margin"], ":", color=INK, label="margin")
    similarity.set(title="Mean cosine similarity", xlabel="epoch")
    similarity.legend(frameon=False, fontsize=8)
    accuracy.plot(
        steps, history["triplet_accuracy"], color=INK, marker=".", label="positive nearer"
    )
    accuracy.plot(
        steps,
        history["triplet_margin_accuracy"],
        color=QUERY,
        marker=".",
        label="nearer by the margin",
    )
    accuracy.set(title="Triplet accuracy (training)", xlabel="epoch", ylim=(0, 1.02))
    accuracy.legend(frameon=False, fontsize=8)
    changes = np.flatnonzero(history["phase"].ne(history["phase"].shift()))[1:]
    for axis in (score, similarity, accuracy):
        axis.spines["top"].set_visible(False)
        for change in changes:
            axis.axvline(change - 0.5, color=INK, linestyle=":", linewidth=1)
    return figure


def photo_grid(photos: Sequence[Any], titles: Sequence[str], columns: int = 5) -> Figure:
    """Photos in a grid, each under its title."""
    rows = -(-len(photos) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.4 * columns, 2.2 * rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, photo, title in zip(axes.flat, photos, titles, strict=False):
        _photo(axis, photo, title)
    return figure


def mistakes(system: "RetrievalSystem", pairs: Sequence[tuple[int, int, float]]) -> Figure:
    """Each query above its nearest neighbour, with their dish classes and similarity.

    Args:
        system: whose photos are shown.
        pairs: at least one, from ``itadaki.evaluation.confident_mistakes``.
    """
    recipes = system.bank.recipes
    photos = [system.photo_path(row) for column in (0, 1) for row in [p[column] for p in pairs]]
    titles = [f"{recipes[query]['dish_class']}: {recipes[query]['title']}" for query, _, _ in pairs]
    titles += [
        f"{similarity:.2f} {recipes[found]['dish_class']}: {recipes[found]['title']}"
        for _, found, similarity in pairs
    ]
    return photo_grid(photos, titles, columns=len(pairs))


def _photo(axis: Axes, photo: Any, title: str, colour: str = INK) -> None:
    axis.imshow(load_rgb(Path(photo) if isinstance(photo, str) else photo))
    short = textwrap.shorten(title, 58, placeholder="…")
    axis.set_title(textwrap.fill(short, 26), fontsize=9, color=colour)


def _similarity_bar(axis: Axes, similarity: float) -> None:
    axis.text(
        0.5,
        -0.03,
        f"{similarity:.3f}",
        transform=axis.transAxes,
        ha="center",
        va="top",
        fontsize=9,
        color=INK,
    )
    axis.plot(
        [0, max(0.0, similarity)],
        [-0.02, -0.02],
        transform=axis.transAxes,
        color=QUERY,
        linewidth=3,
        solid_capstyle="butt",
        clip_on=False,
    )
