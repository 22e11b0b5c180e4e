"""A model's architecture, and what it looks at."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Polygon

from itadaki.photos.images import load_input
from itadaki.plots.card import TILE, card
from itadaki.plots.style import COMPUTED, FROZEN, INK, MUTED, TRAINABLE, styled

if TYPE_CHECKING:
    import keras

_BLOCK = re.compile(r"^block(\d)([a-z])")


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


@styled
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


@styled
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
        strength = cv2.resize(np.linalg.norm(places, axis=-1), (TILE, TILE))
        strength = (strength - strength.min()) / max(float(np.ptp(strength)), 1e-6)
        heat = (plt.get_cmap("inferno")(strength)[..., :3] * 255).astype(np.uint8)
        mixed = cv2.addWeighted(cv2.resize(shown, (TILE, TILE)), 0.4, heat, 0.6, 0)
        card(above, shown, title)
        card(below, mixed, "")
    return figure
