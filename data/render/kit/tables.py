"""Table tops as colour and height bitmaps, and cloths that lie on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import noise
from .geometry import Colour, Mesh, ramp, rgb, sheet

TABLES = ("oak", "walnut", "pale", "white", "marble", "slate", "concrete", "linen", "blue")
_RES = 900
_SPAN = 130.0


@dataclass
class Top:
    """A square table top: linear colour bitmap and bump height bitmap, span in cm."""

    colour: np.ndarray
    bump: np.ndarray
    roughness: float
    span: float = _SPAN


def _planks(
    rng: np.random.Generator, colours: tuple[Colour, ...], width: float, rough: float, paint: bool
) -> Top:
    y, x = np.mgrid[0 : _SPAN : _RES * 1j, 0 : _SPAN : _RES * 1j]
    seed = int(rng.integers(1 << 30))
    n = np.floor(y / width)
    inside = y / width - n
    shift = rng.uniform(0, 60, 64)[n.astype(int) % 64]
    bend = noise.fbm(np.stack([x * 0.03, y * 0.12, shift], -1), 1, 3, seed=seed)
    p = np.stack([(x + shift) * 0.035, y * 0.75 + bend * 1.6, shift], -1)
    grain = noise.fbm(p, 1.0, 4, gain=0.65, seed=seed)
    fine = noise.fbm(np.stack([x * 0.15, y * 4.0 + bend * 3, shift], -1), 1, 2, seed=seed + 9)
    tone = rng.normal(0, 0.13, 64)[n.astype(int) % 64]
    t = 0.5 + grain * 0.34 + fine * 0.16 + tone
    gap = noise.step(0.0, 0.12 / width, inside) * noise.step(1.0, 1 - 0.12 / width, inside)
    colour = ramp(t, *colours)
    if paint:
        worn = noise.step(0.35, 0.6, noise.fbm(np.stack([x * 0.1, y * 0.5], -1), 1, 4, seed=seed))
        colour = colour * (1 - worn[..., None] * 0.5) + rgb("#8a6a4a") * worn[..., None] * 0.5
    colour = colour * (0.25 + 0.75 * gap)[..., None]
    return Top(colour, fine * 0.01 + grain * 0.012 + gap * 0.08, rough)


def table_top(kind: str, rng: np.random.Generator) -> Top:
    """A table top of one of the TABLES."""
    y, x = np.mgrid[0 : _SPAN : _RES * 1j, 0 : _SPAN : _RES * 1j]
    p = np.stack([x, y], -1)
    seed = int(rng.integers(1 << 30))
    if kind == "oak":
        return _planks(rng, ("#8a5a30", "#b98550", "#cfa06a"), rng.uniform(8, 15), 0.6, False)
    if kind == "walnut":
        return _planks(rng, ("#452a1a", "#6b452b", "#8b6140"), rng.uniform(8, 15), 0.6, False)
    if kind == "pale":
        return _planks(rng, ("#b79c78", "#d6bf9c", "#e6d6ba"), rng.uniform(7, 13), 0.6, False)
    if kind == "white":
        return _planks(rng, ("#cfcac0", "#e6e3db", "#efede8"), rng.uniform(7, 12), 0.55, True)
    if kind == "blue":
        return _planks(rng, ("#4c6470", "#64808c", "#7d98a2"), rng.uniform(7, 12), 0.55, True)
    if kind == "marble":
        warp = noise.fbm(p, 0.05, 4, seed=seed)
        vein = np.abs(noise.fbm(p + warp[..., None] * 14, 0.045, 4, seed=seed + 1))
        t = noise.step(0.0, 0.1, vein) * 0.7 + 0.3 + warp * 0.06
        return Top(ramp(t, "#8d8c8d", "#d3d1cf", "#eae8e5"), np.zeros_like(x), 0.25)
    if kind == "slate":
        t = noise.fbm(p * [1, 0.6], 0.25, 6, gain=0.6, seed=seed)
        return Top(ramp(t * 0.5 + 0.5, "#26282b", "#383b3f", "#4b4e52"), t * 0.12, 0.55)
    if kind == "linen":
        weave = np.sin(x * 22) * np.sin(y * 22)
        slub = noise.fbm(p * [0.1, 2.0], 1, 3, seed=seed) + noise.fbm(p * [2.0, 0.1], 1, 3, seed=7)
        t = 0.55 + slub * 0.2 + weave * 0.08
        colours = (("#b9ad98", "#d9cfbd", "#e8e1d3"), ("#9fa8a6", "#c3c9c5", "#d9dcd8"))
        return Top(ramp(t, *colours[seed % 2]), weave * 0.02 + slub * 0.05, 0.95)
    t = noise.fbm(p, 0.06, 6, gain=0.6, seed=seed)
    return Top(ramp(t * 0.5 + 0.5, "#7d7a75", "#9c9994", "#b5b2ac"), t * 0.04, 0.6)


def cloth(
    rng: np.random.Generator,
    x: float = 30,
    y: float = 42,
    base: Colour = "#e9e4d8",
    stripe: Colour | None = "#3f5f86",
    pattern: str = "stripes",
) -> Mesh:
    """Wrinkled cloth lying at z = 0 (finish "cloth"): pattern "plain", "stripes" or "check"."""
    seed = int(rng.integers(1 << 30))

    def height(gx: np.ndarray, gy: np.ndarray) -> np.ndarray:
        p = np.stack([gx, gy], -1)
        ridge = 1 - np.abs(noise.fbm(p, 0.06, 3, seed=seed))
        return 0.12 + 0.75 * noise.step(0.82, 1.0, ridge) + 0.12 * noise.fbm(p, 0.3, 2, seed=seed)

    m = sheet(x, y, height, 200)
    u, v = m.v[:, 0], m.v[:, 1]
    weave = 1 + 0.06 * np.sin(u * 18) * np.sin(v * 18) + 0.05 * noise.fbm(m.v, 1.5, 3, seed=seed)
    m = m.painted(base)
    if stripe is not None and pattern == "stripes":
        near = np.abs(np.abs(u) - x * 0.38)
        m = m.tinted((near < 0.9) * 0.9 + (np.abs(near - 1.6) < 0.25) * 0.9, stripe)
    if stripe is not None and pattern == "check":
        mask = ((np.floor(u / 1.6) % 2) + (np.floor(v / 1.6) % 2)) * 0.45
        m = m.tinted(mask, stripe)
    m.v[:, :2] += 0.5 * np.stack(
        [noise.value(m.v, 0.08, seed + 3), noise.value(m.v, 0.08, seed + 4)], 1
    )
    return m.shaded(weave)
