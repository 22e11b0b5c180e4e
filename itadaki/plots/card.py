"""A photo as a card, with its title and its similarity."""

import textwrap
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from itadaki.photos.images import load_rgb
from itadaki.plots.style import LINE, MUTED, QUERY

TILE = 240  # pixels of a photo's side in a figure; more would only make notebooks heavy


def square(photo: Any) -> np.ndarray:
    """A photo's middle square, brought to the size of a tile."""
    rgb = load_rgb(Path(photo) if isinstance(photo, str) else photo)
    side = min(rgb.shape[:2])
    top, left = (rgb.shape[0] - side) // 2, (rgb.shape[1] - side) // 2
    tile = rgb[top : top + side, left : left + side]
    return cv2.resize(tile, (TILE, TILE), interpolation=cv2.INTER_AREA)


def card(
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
    shown = axis.imshow(square(photo), extent=(0, 1, 1, 0), interpolation="bilinear")
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
