"""Savoury pieces and helpers that several main dishes share: leaves, bacon, chips, vegetables."""

from __future__ import annotations

import numpy as np

from . import noise
from .geometry import (
    Colour,
    Mesh,
    blob,
    circle,
    disc_field,
    join,
    polygon,
    ramp,
    rounded_box,
    sheet,
    slab,
    smooth_path,
    tube,
)
from .produce import grounded
from .stage import Scene

Rng = np.random.Generator


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def far_table(scene: Scene) -> None:
    """Continue the table to the horizon, so that low cameras do not see its edge."""
    top = scene.top
    assert top is not None
    plane = sheet(900, 900, lambda x, y: 0 * x, 60).moved(z=-0.4)
    scene.add(plane.painted(np.tile(top.colour.mean((0, 1)), (len(plane.v), 1))), "matte", False)


def strewn(mesh: Mesh, grain: Mesh, count: int, rng: Rng, up: float = 0.3) -> Mesh:
    """Copies of a flat grain lying on a mesh's surface wherever it looks up by more than `up`."""
    a, b, c = (mesh.v[mesh.f[:, k]] for k in range(3))
    cross = np.cross(b - a, c - a)
    area = np.linalg.norm(cross, axis=1)
    normal = cross / np.maximum(area, 1e-9)[:, None]
    weight = area * (normal[:, 2] > up)
    pick = rng.choice(len(area), count, p=weight / weight.sum())
    w = rng.dirichlet((1, 1, 1), count)
    place = a[pick] * w[:, :1] + b[pick] * w[:, 1:2] + c[pick] * w[:, 2:]
    n = normal[pick]
    t = np.cross(n, rng.normal(size=(count, 3)))
    t /= np.maximum(np.linalg.norm(t, axis=1, keepdims=True), 1e-9)
    frame = np.stack([t, np.cross(n, t), n], 2)
    v = np.einsum("nij,kj->nki", frame, grain.v) * rng.uniform(0.85, 1.15, (count, 1, 1))
    f = grain.f[None] + (np.arange(count) * len(grain.v))[:, None, None]
    c = grain.c[None] * (1 + rng.normal(0, 0.08, (count, 1, 1)))
    v = (v + place[:, None]).reshape(-1, 3)
    return Mesh(v, f.reshape(-1, 3), np.clip(c, 0.003, 0.93).reshape(-1, 3).astype(np.float32))


def grilled(m: Mesh, gap: float = 1.7, degrees: float = 35, colour: Colour = "#1d0f08") -> Mesh:
    """The mesh with the dark bars of a grill on the sides that look up or down."""
    a = np.radians(degrees)
    u = m.v[:, 0] * np.cos(a) + m.v[:, 1] * np.sin(a) + 0.12 * noise.fbm(m.v, 0.5, 2, seed=5)
    bar = noise.step(0.62, 0.85, np.cos(u * 2 * np.pi / gap))
    bar = bar * (0.75 + 0.3 * noise.fbm(m.v, 0.8, 2, seed=9))
    return m.tinted(bar * noise.step(0.5, 0.85, np.abs(m.normals()[:, 2])) * 0.9, colour)


def lettuce(rng: Rng, radius: float = 6.6, frill: float = 0.9) -> Mesh:
    """Round of frilly lettuce, its edge ruffled and hanging a little (finish "leaf")."""
    s = _seed(rng)

    def edge(a: np.ndarray) -> np.ndarray:
        p = np.stack([np.cos(a), np.sin(a)], -1)
        return radius * (1 + 0.13 * noise.fbm(p, 1.6, 4, seed=s))

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        a = np.arctan2(y, x)
        rel = np.hypot(x, y) / radius
        ring = np.stack([np.cos(a), np.sin(a), 0.4 * rel], -1)
        wave = noise.fbm(ring, 3.2, 2, seed=s + 1) + 0.5 * noise.fbm(ring, 8.0, 2, seed=s + 2)
        return frill * wave * np.clip(rel, 0, 1.2) ** 3 - 0.55 * np.clip(rel - 0.7, 0, 1) * 2

    m = disc_field(edge, height, 60, 420)
    rel = np.hypot(m.v[:, 0], m.v[:, 1]) / radius
    vein = np.abs(noise.fbm(m.v, 0.7, 3, seed=s + 3))
    m = m.mottled("#3f7f1f", "#5f9f2f", "#86b84a", freq=0.8, seed=s)
    m = m.tinted(noise.step(0.95, 0.45, rel) * 0.75, "#cfdf9c")
    return m.tinted(noise.step(0.12, 0.0, vein) * 0.35, "#dbe8b4")


def salad_leaf(rng: Rng, length: float = 6.5) -> Mesh:
    """One curly lettuce leaf (finish "leaf")."""
    m = lettuce(rng, length / 2, 0.7).scaled(1.0, 0.7, 1.0)
    return grounded(m.bent(length * rng.uniform(0.8, 1.6), "y"))


def bacon(rng: Rng, length: float = 15) -> Mesh:
    """Crisp wavy rasher along x (finish "moist")."""
    s = _seed(rng)
    wave = rng.uniform(1.2, 1.6)

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        return 0.32 * np.sin(x * wave + 0.5 * y + s % 7) + 0.18 * noise.fbm(p, 0.6, 2, seed=s)

    m = sheet(length, 2.9, height, 120)
    y = m.v[:, 1] + 0.45 * noise.fbm(m.v * [0.5, 0.5, 0.5], 0.5, 3, seed=s + 1)
    m.v[:, 1] += 0.25 * noise.value(m.v, 0.35, s + 2)
    m = m.mottled("#5c1a10", "#822a1a", "#9c4026", freq=0.9, seed=s)
    fat = np.maximum(noise.step(0.3, 0.1, np.abs(y - 0.35)), noise.step(1.0, 1.25, y))
    fat = np.maximum(fat, noise.step(0.14, 0.04, np.abs(y + 0.75)))
    m = m.tinted(fat * 0.85, "#d9a671")
    crisp = noise.step(0.2, 0.7, noise.fbm(m.v, 0.7, 3, seed=s + 3))
    return grounded(m.tinted(crisp * 0.5, "#3f150b"))


def chip(rng: Rng, length: float = 7.0) -> Mesh:
    """One potato chip (french fry) along x (finish "satin")."""
    w = rng.uniform(0.75, 1.0)
    m = rounded_box(length * rng.uniform(0.7, 1.15), w, w, 0.16, 12)
    m = m.mottled("#c98a30", "#e0ad55", "#edc77a", freq=0.8, seed=_seed(rng))
    end = noise.step(0.42, 0.5, np.abs(m.v[:, 0]) / length)
    m = m.tinted(end * 0.6, "#9c5c1c").rough(0.05, 1.2, seed=_seed(rng))
    return grounded(m.bent(rng.uniform(8, 40), "y"))


def heap_of_chips(
    scene: Scene, rng: Rng, x: float, y: float, count: int, size: float, top: float
) -> None:
    """Chips tumbled into a heap about (x, y) that stays below the height `top`."""
    for dx, dy in rng.normal(0, size, (count, 2)):
        if scene.heights.at(np.array([x + dx, y + dy])) > top:
            continue
        m = chip(rng).jittered(rng, 0.08).turned("y", rng.uniform(-14, 14))
        scene.drop(m.turned("z", rng.uniform(0, 360)), x + dx, y + dy, "satin", 0.45, 0.9)


def avocado_slice(rng: Rng, size: float = 4.6) -> Mesh:
    """Crescent of ripe avocado lying on its side (finish "moist")."""
    t = np.linspace(-0.42 * np.pi, 0.42 * np.pi, 40)
    path = np.stack([size * 0.75 * np.sin(t), size * 0.42 * np.cos(t), 0 * t], 1)
    m = tube(path, 0.16 * size * np.cos(t * 1.08) ** 0.6 + 0.02, 18, flat=0.55)
    out = (m.v[:, 1] - size * 0.42 * np.cos(m.v[:, 0] / size)) / (0.16 * size)
    m = m.mottled("#c9cf72", "#dade8d", freq=1, seed=_seed(rng))
    m = m.tinted(noise.step(-0.2, 0.7, out) * 0.85, "#8fae3f")
    return grounded(m.tinted(noise.step(0.7, 1.0, out), "#4c6a1e").rough(0.03, 2, seed=3))


def pickle_slice(rng: Rng, radius: float = 1.7) -> Mesh:
    """Crinkled slice of pickled gherkin (finish "wet")."""
    m = slab(circle(radius, 90, 0.03, _seed(rng)), 0.36, 0.1, 20)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / radius
    m.v[:, 2] += 0.08 * np.sin(m.v[:, 0] * 7) * (r < 0.97)
    m = m.mottled("#9a9a3a", "#b5b352", freq=1.2, seed=_seed(rng))
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    seeds = noise.step(0.5, 0.8, np.abs(np.cos(a * 4.5))) * noise.step(0.2, 0.1, np.abs(r - 0.5))
    return grounded(m.tinted(seeds, "#d3cf8a").tinted(noise.step(0.86, 0.96, r), "#4d5f1c"))


def broccoli(rng: Rng, size: float = 4.0) -> Mesh:
    """Floret of broccoli with its stalk, standing (finish "satin")."""
    stalk = tube(np.array([[0, 0, 0], [0, 0, size * 0.25], [0, 0, size * 0.5]]), size * 0.14, 14)
    parts = [stalk.mottled("#8fae52", "#b3c97c", freq=1, seed=2)]
    for k in range(14):
        a, h = k * 2.4, np.sqrt((k + 0.5) / 14)
        m = blob(*(size * rng.uniform(0.17, 0.23, 3)), detail=14)
        m = m.rough(0.11 * size * 0.45, 5.5 / size, 3, seed=_seed(rng))
        m = m.mottled("#1c4a12", "#33701f", "#55922f", freq=7 / size, seed=_seed(rng))
        x, y = size * 0.34 * h * np.cos(a), size * 0.34 * h * np.sin(a)
        parts.append(m.moved(x, y, size * (0.72 - 0.3 * h**2)))
    return grounded(join(parts))


def potato(rng: Rng, size: float = 4.0, roast: float = 1.0) -> Mesh:
    """Roast potato: a rough rounded chunk, golden with crisp brown edges (finish "moist")."""
    m = rounded_box(*(size * rng.uniform([0.9, 0.65, 0.6], [1.15, 0.85, 0.75])), size * 0.2, 20)
    s = _seed(rng)
    m = m.rough(0.08 * size, 1.6 / size, 3, seed=s)
    m = m.mottled("#c98d36", "#e0b055", "#ecc878", freq=2.4 / size, seed=s)
    corner = noise.step(0.42, 0.56, np.linalg.norm(m.v / size, axis=1))
    crisp = noise.step(-0.1, 0.6, noise.fbm(m.v, 3.2 / size, 4, seed=s + 1) + 0.5 * corner)
    m = m.tinted(crisp * 0.7 * roast, "#9c5a1a")
    burnt = noise.step(0.4, 0.8, noise.fbm(m.v, 3.6 / size, 3, seed=s + 2) + 0.25 * corner)
    return grounded(m.tinted(burnt * 0.7 * roast, "#5a2c0c").turned("x", rng.uniform(-20, 20)))


def carrot(rng: Rng, length: float = 9.0) -> Mesh:
    """Whole small roast carrot along x, with a stub of green (finish "moist")."""
    s = _seed(rng)
    t = np.linspace(0, 1, 60)
    path = np.stack([length * (t - 0.5), 0.25 * np.sin(t * 4 + s % 6), 0 * t], 1)
    thick = length * 0.1 * np.sqrt(np.clip(1.02 - t, 0, 1)) * np.minimum(1, t * 14 + 0.3)
    m = tube(path, thick * (1 + 0.05 * noise.value(path, 2.2, s)), 20)
    m = m.mottled("#c2560f", "#dd7519", "#e98a2c", freq=0.8, seed=s)
    brown = noise.step(0.15, 0.6, noise.fbm(m.v, 0.7, 3, seed=s + 1))
    m = m.tinted(brown * 0.6, "#6b2a0a")
    ends = [np.array([[0, 0, 0], [-0.6, d, 0.1], [-1.3, 2 * d, 0.2]]) for d in (-0.2, 0.2)]
    stub = [tube(end, 0.16, 8) for end in ends]
    return grounded(join([m, join(stub).painted("#5d8a2c").moved(x=-length / 2 + 0.2)]))


def asparagus(rng: Rng, length: float = 13.0) -> Mesh:
    """Spear of green asparagus along x (finish "moist")."""
    s = _seed(rng)
    t = np.linspace(0, 1, 90)
    path = np.stack([length * (t - 0.5), 0.3 * np.sin(t * 3 + s % 6), 0 * t], 1)
    thick = 0.5 * np.where(t < 0.72, 1, 1.12 - 4 * np.clip(t - 0.8, 0, 1) ** 2 * 5)
    thick = np.clip(thick * np.minimum(1, (1.01 - t) * 14), 0.06, 1)
    m = tube(path, thick, 18)
    a = np.arctan2(m.v[:, 2], m.v[:, 1])
    u = m.v[:, 0] / length + 0.5
    scale = np.maximum(0, np.sin(u * 75 + 2 * np.sin(a * 2))) * (u > 0.74)
    scale = scale + noise.step(0.9, 1, np.sin(u * 34 + 3 * np.sin(a))) * (u < 0.74) * 0.6
    m = m.mottled("#4f7d22", "#6c9a33", "#86ae4c", freq=0.6, seed=s)
    m = m.tinted(scale * 0.5, "#3a4a1c").displaced(0.06 * scale)
    m = m.tinted(noise.step(0.2, 0.0, u) * 0.6, "#c5cf92")
    sear = noise.step(0.3, 0.6, noise.fbm(m.v * [0.5, 1, 1], 0.8, 3, seed=s + 1))
    return grounded(m.tinted(sear * 0.5, "#33240c"))


def green_bean(rng: Rng, length: float = 9.0) -> Mesh:
    """One cooked green bean along x (finish "wet")."""
    t = np.linspace(-1, 1, 40)
    path = np.stack([t * length / 2, rng.uniform(0.2, 1.2) * (1 - t**2), 0 * t], 1)
    thick = 0.36 * np.sqrt(np.clip(1.04 - t**4, 0.02, 1)) * (1 + 0.06 * np.sin(t * 22))
    m = tube(path, thick, 12).mottled("#2f6a1a", "#4c8a2a", freq=0.7, seed=_seed(rng))
    return grounded(m)


def bread_slice(
    rng: Rng,
    width: float = 11.0,
    height: float = 10.0,
    thick: float = 1.4,
    kind: str = "white",
    toast: float = 0.6,
) -> Mesh:
    """Slice of tin loaf lying flat, crust all round: "white", "brown" or "rye" (finish "crust")."""
    w, h = width / 2, height / 2
    pts = [(-w * 0.86, -h), (w * 0.86, -h), (w * 0.92, -h * 0.3), (w * 0.9, h * 0.25)]
    pts += [(w * 1.02, h * 0.6), (w * 0.8, h * 0.97), (0, h * 1.06)]
    pts += [(-w * 0.8, h * 0.97), (-w * 1.02, h * 0.6), (-w * 0.9, h * 0.25), (-w * 0.92, -h * 0.3)]
    s = _seed(rng)
    m = slab(polygon(pts, 260), thick, 0.22, 70)
    return crumbed(m, s, kind, toast)


CRUMBS = {
    "white": ("#e3cda0", "#efdfba", "#f5ead0"),
    "brown": ("#a87c4c", "#bd9463", "#d0ac7c"),
    "rye": ("#6b4a30", "#7f5a3c", "#95704e"),
}


def crumbed(m: Mesh, seed: int, kind: str, toast: float) -> Mesh:
    """Bread of a flat slice: holes and toasted crumb on the faces, crust where it looks aside."""
    n = m.normals()
    side = noise.step(0.75, 0.35, np.abs(n[:, 2]))
    hole = noise.step(0.28, 0.6, noise.fbm(m.v, 1.7, 3, seed=seed))
    m = m.displaced(-0.1 * hole * (1 - side) + 0.05 * noise.fbm(m.v, 3.0, 2, seed=seed + 1))
    m = m.mottled(*CRUMBS[kind], freq=1.4, seed=seed + 2)
    m = m.tinted(hole * 0.4 * (1 - side), ramp(np.array([0.0]), *CRUMBS[kind])[0] ** (1 / 2.2))
    brown = noise.step(-0.35, 0.6, noise.fbm(m.v, 0.45, 4, seed=seed + 3))
    m = m.tinted(brown * toast * (1 - hole * 0.7) * (1 - side), "#b3712a")
    m = m.tinted((1 - brown) * toast * 0.35 * (1 - side), "#d9a55a")
    return m.tinted(side * 0.9, "#8a4e1c" if kind != "rye" else "#3f2413")


def sprig(rng: Rng, length: float = 8.0, needles: bool = True) -> Mesh:
    """Sprig of rosemary (needles) or thyme along x (finish "leaf")."""
    t = np.linspace(-0.5, 0.5, 24)
    path = np.stack([t * length, 0.4 * np.sin(t * 3), 0.25 + 0.3 * np.cos(t * 3)], 1)
    parts = [tube(path, 0.1, 6).painted("#6a5a38")]
    count = int(length * (7 if needles else 5))
    for k in range(count):
        u = rng.uniform(-0.48, 0.5)
        size = rng.uniform(0.9, 1.5) if needles else rng.uniform(0.35, 0.55)
        m = blob(size / 2, 0.11 if needles else 0.2, 0.07, 6).moved(x=size / 2)
        m = m.painted(("#3c5a34", "#54744a", "#2e4a2a")[k % 3])
        m = m.turned("y", rng.uniform(-40, 10))
        m = m.turned("z", rng.choice([-1, 1]) * rng.uniform(25, 70))
        at = smooth_path(path, 1)[int((u + 0.5) * 23)]
        parts.append(m.moved(*at))
    return grounded(join(parts))
