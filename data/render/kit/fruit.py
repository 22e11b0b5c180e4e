"""Fruit, nuts and cream that sweet dishes and salads share. Each lies on z = 0 at the origin."""

from __future__ import annotations

import numpy as np

from . import noise
from .geometry import (
    Colour,
    Mesh,
    blob,
    circle,
    grid_faces,
    join,
    leaf,
    polygon,
    slab,
    smooth_path,
    tube,
)
from .produce import grounded

Rng = np.random.Generator


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def _golden(count: int) -> np.ndarray:
    """Even unit directions on a sphere."""
    k = np.arange(count) + 0.5
    z, a = 1 - 2 * k / count, k * np.pi * (3 - 5**0.5)
    r = np.sqrt(1 - z**2)
    return np.stack([r * np.cos(a), r * np.sin(a), z], 1)


def _berry_shape(d: np.ndarray, width: float, length: float) -> np.ndarray:
    """Strawberry surface along unit directions d: broad shoulder at +z, tip at -z."""
    t = (1 - d[:, 2]) / 2
    w = width * (1.06 - 0.42 * t**1.5)
    return np.stack([d[:, 0] * w, d[:, 1] * w, d[:, 2] * length], 1)


def strawberry(rng: Rng, size: float = 3.2, calyx: bool = True, cut: bool = False) -> Mesh:
    """Whole strawberry lying on its side, or a half with the cut face up (finish "wet")."""
    ball = blob(1.0, detail=30)
    d = ball.v / np.linalg.norm(ball.v, axis=1, keepdims=True)
    width, length = size * 0.42, size * 0.52
    m = Mesh(_berry_shape(d, width, length), ball.f, ball.c)
    s = _seed(rng)
    m = m.mottled("#a3140f", "#bd1b14", "#cf2a1c", freq=1.2 / size, seed=s)
    m = m.tinted(noise.step(0.78, 1.0, d[:, 2]) * 0.6, "#e9a58a")
    seeds = _golden(90)
    near = np.sqrt(((d[:, None] - seeds[None]) ** 2).sum(2).min(1))
    pit = noise.step(0.15, 0.05, near) * (np.abs(d[:, 2]) < 0.93)
    m = m.displaced(-0.05 * size / 3 * pit)
    m = m.tinted(noise.step(0.085, 0.045, near) * (np.abs(d[:, 2]) < 0.93), "#dcae4c")
    m = m.displaced(0.05 * size / 3 * noise.fbm(d, 1.3, 2, seed=s))
    if cut:
        flat = m.v[:, 0] > 0
        rel = np.hypot(m.v[:, 1] / width, m.v[:, 2] / length)
        edge = np.clip(np.sqrt(1 - np.clip(d[:, 0], 0, 1) ** 2), 1e-3, 1)
        m.v[flat, 1:] /= edge[flat, None] ** 0.55
        m.v[flat, 0] = 0
        rel = np.hypot(m.v[:, 1] / width, m.v[:, 2] / length)
        m = m.tinted(flat * noise.step(1.0, 0.85, rel) * 0.95, "#d8412f")
        m = m.tinted(flat * noise.step(0.6, 0.1, rel) * 0.6, "#eda58c")
        return grounded(m.turned("y", -90))
    parts = [m.turned("y", 90 + rng.uniform(-8, 8))]
    if calyx:
        for k in range(7):
            sepal = leaf(size * 0.42, size * 0.17, 0.25, 0.2, 0.2, colours=("#3c7a22", "#67a038"))
            sepal = sepal.moved(x=size * 0.2).turned("y", rng.uniform(-25, 35))
            sepal = sepal.turned("z", k * 360 / 7 + rng.uniform(-12, 12))
            parts.append(sepal.moved(z=length * 0.98).turned("y", 90))
    return grounded(join(parts))


def raspberry(rng: Rng, size: float = 1.7, colour: Colour = "#b3152f") -> Mesh:
    """Raspberry or blackberry of many drupelets, standing on its open end (finish "moist")."""
    grain = blob(0.2 * size, detail=5)
    parts = []
    for row, z in enumerate(np.linspace(0.12, 0.92, 6)):
        r = 0.47 * np.sqrt(np.clip(1 - (max(z - 0.3, 0) / 0.78) ** 2, 0.02, 1))
        n = max(1, round(2 * np.pi * r / 0.3))
        for k in range(n):
            a = (k + 0.5 * (row % 2)) * 2 * np.pi / n
            spot = np.array([r * np.cos(a), r * np.sin(a), z]) + rng.normal(0, 0.012, 3)
            parts.append(grain.painted(colour).jittered(rng, 0.14).moved(*(spot * size)))
    m = join(parts)
    m = m.tinted(noise.step(-0.2, 0.9, noise.fbm(m.v, 1.5, 2, seed=_seed(rng))) * 0.25, "#d8607a")
    return grounded(m.turned("x", rng.uniform(-70, 70)))


def blueberry(rng: Rng, radius: float = 0.75) -> Mesh:
    """Blueberry with its star-shaped crown and bloom (finish "satin")."""
    m = blob(radius, radius, radius * 0.88, 16)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / radius
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    top = m.v[:, 2] > 0
    ring = np.exp(-(((r - 0.34 - 0.07 * np.cos(5 * a)) / 0.09) ** 2)) * top
    m.v[:, 2] += radius * (0.12 * ring - 0.16 * noise.step(0.3, 0.1, r) * top)
    m = m.mottled("#1c2140", "#2f3a63", "#55648c", freq=1.0 / radius, seed=_seed(rng))
    m = m.tinted(noise.step(0.3, 0.18, r) * top * 0.8, "#12152a")
    return grounded(m.turned("x", rng.uniform(-75, 75)).turned("y", rng.uniform(-40, 40)))


def cherry(rng: Rng, radius: float = 1.1, stem: bool = True, colour: Colour = "#7d0b18") -> Mesh:
    """Cherry with its dimple and stem (finish "glaze")."""
    m = blob(radius, radius, radius * 0.95, 20)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / radius
    m.v[:, 2] -= 0.3 * radius * np.exp(-((r / 0.28) ** 2)) * (m.v[:, 2] > 0)
    m = m.painted(colour).shaded(1 + 0.25 * noise.fbm(m.v, 0.6, 2, seed=_seed(rng)))
    parts = [m]
    if stem:
        bow = rng.uniform(-0.6, 0.6)
        path = smooth_path([(0, 0, radius * 0.6), (bow * 0.5, 0, radius * 2), (bow * 2, 0.2, 4.2)])
        parts.append(tube(path, 0.09, 7).painted("#6d7a2a"))
    return grounded(join(parts).turned("x", rng.uniform(-14, 14)))


def kiwi_slice(rng: Rng, radius: float = 2.0) -> Mesh:
    """Round slice of kiwi: green, pale core, ring of black seeds (finish "wet")."""
    m = slab(circle(radius, 140, 0.03, _seed(rng)), 0.45, 0.14, 34)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / radius
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    ray = noise.fbm(np.stack([np.cos(a), np.sin(a), 0.05 * r], -1), 5, 2, seed=_seed(rng))
    m = m.painted("#6f9a25").shaded(1 + 0.22 * ray)
    m = m.tinted(noise.step(0.55, 0.25, r) * 0.6, "#a9c25a")
    m = m.tinted(noise.step(0.27, 0.2, r + 0.03 * ray), "#e3e2b2")
    seed = noise.step(0.35, 0.75, np.cos(a * 26)) * np.exp(-(((r - 0.42) / 0.09) ** 2))
    return grounded(m.tinted(seed * 1.3, "#17150c").tinted(noise.step(0.93, 1, r), "#5a6a22"))


def fruit_slice(
    rng: Rng, length: float, flesh: tuple[Colour, Colour], skin: Colour, thick: float = 0.8
) -> Mesh:
    """Crescent wedge of apple, peach, plum, pear or mango lying on its side (finish "wet")."""
    a = np.linspace(-1, 1, 16)
    outer = np.stack([a * length / 2, 0.36 * length * (1 - a**2)], 1)
    inner = np.stack([a[::-1] * length / 2 * 0.9, 0.06 * length * (1 - a**2)], 1)[1:-1]
    o = polygon(np.concatenate([outer, inner])[::-1], 90)
    o = o - [0, 0.17 * length]
    m = slab(o, thick, thick * 0.3, 14).mottled(*flesh, freq=1.6 / length, seed=_seed(rng))
    edge = 0.36 * length * (1 - (m.v[:, 0] / length * 2) ** 2) - 0.17 * length
    m = m.tinted(noise.step(0.16, 0.02, (edge - m.v[:, 1]) / length * 2.5) * 0.9, skin)
    return grounded(m.rough(0.02, 1.5, seed=_seed(rng)))


def cream_rosette(rng: Rng, radius: float = 1.6, colour: Colour = "#f6efdf", ribs: int = 7) -> Mesh:
    """Piped swirl of whipped cream or buttercream (finish "cream")."""
    rows, sides = 40, 84
    t, a = np.meshgrid(
        np.linspace(0, 1, rows), np.linspace(0, 2 * np.pi, sides, endpoint=False), indexing="ij"
    )
    twist = a * ribs + t * 9.0
    steps = 0.09 * np.sin(t * 2 * np.pi * 2.6 + a)
    r = radius * np.clip(1 - t**1.35, 0.015, 1) ** 0.75 * (1 + 0.13 * np.sin(twist)) + steps * (
        radius * (1 - t)
    )
    lean = 0.12 * radius * t**2 * rng.uniform(-1, 1)
    v = np.stack([r * np.cos(a) + lean, r * np.sin(a), t * radius * 1.35], -1).reshape(-1, 3)
    m = Mesh(v, grid_faces(rows, sides, wrap=True), np.zeros((len(v), 3), np.float32))
    m = m.painted(colour).shaded(1 + 0.05 * np.sin(twist).ravel())
    return grounded(m.turned("z", rng.uniform(0, 360)))


def walnut(rng: Rng, size: float = 2.2, colours: tuple[Colour, ...] = ()) -> Mesh:
    """Half of a walnut or pecan with its wrinkles (finish "satin")."""
    m = blob(size / 2, size * 0.38, size * 0.24, 22)
    s = _seed(rng)
    fold = np.abs(noise.fbm(m.v * [1, 1.3, 1], 1.6 / size * 2, 3, seed=s))
    m = m.displaced(-0.16 * size * noise.step(0.3, 0.0, fold) + 0.05 * size)
    groove = np.exp(-((m.v[:, 1] / (0.07 * size)) ** 2)) * (m.v[:, 2] > 0)
    m.v[:, 2] -= 0.12 * size * groove
    m = m.mottled(*(colours or ("#8a5a2e", "#b98a52", "#d2ac74")), freq=1.5 / size, seed=s)
    return grounded(m.tinted(noise.step(0.2, 0.0, fold) * 0.6, "#5f3a1a"))


def almond_flake(rng: Rng, size: float = 1.1) -> Mesh:
    """Thin flake of almond with a brown rim (finish "satin")."""
    m = slab(circle(1, 36, 0.1, _seed(rng)) * [size / 2, size * 0.32], 0.09, 0.03, 6)
    r = np.hypot(m.v[:, 0] / size * 2, m.v[:, 1] / size / 0.32)
    m = m.painted("#e8d3a4").tinted(noise.step(0.84, 1.0, r), "#8f5a2c")
    return grounded(m.bent(size * rng.uniform(1.2, 3)))


def shaving(rng: Rng, length: float = 2.0, colour: Colour = "#3d2012") -> Mesh:
    """Curled shaving of chocolate, cheese or coconut (finish "satin")."""
    w = length * rng.uniform(0.3, 0.5)
    o = polygon([(-1, -0.8), (1, -1), (0.9, 0.8), (-0.8, 1)], 40) * [length / 2, w / 2]
    m = slab(o, 0.09, 0.03, 10).painted(colour)
    m = m.shaded(1 + 0.15 * noise.fbm(m.v * [0.3, 3, 1], 1.5, 2, seed=_seed(rng)))
    return grounded(m.bent(length * rng.uniform(0.22, 0.7), "y" if rng.random() < 0.6 else "x"))


def mint_sprig(rng: Rng, size: float = 2.2) -> Mesh:
    """Three to five mint leaves from one point (finish "leaf")."""
    parts = []
    n = int(rng.integers(3, 6))
    for k in range(n):
        m = leaf(
            size * rng.uniform(0.75, 1.1),
            size * 0.5,
            0.25,
            0.18,
            0.25,
            seed=_seed(rng),
            colours=("#2f7a2a", "#58a544"),
            vein="#9ccb7e",
        )
        m = m.moved(x=size * 0.45).turned("y", -rng.uniform(10, 45))
        parts.append(m.turned("z", k * 360 / n + rng.uniform(-20, 20)))
    return grounded(join(parts))
