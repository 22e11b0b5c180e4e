"""Spaghetti: a twirled heap of strands in a plate, its sauce and what the recipe adds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import noise, produce, tables, tableware
from kit.geometry import (
    Mesh,
    blob,
    circle,
    copies,
    disc_field,
    join,
    polygon,
    slab,
    smooth_path,
    tube,
)
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene

Rng = np.random.Generator


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


class Heap:
    """The shape of the heap: height above the plate at every radius."""

    def __init__(self, rng: Rng, floor: float, reach: float, high: float) -> None:
        self.floor, self.reach, self.high, self.seed = floor, reach, high, _seed(rng)

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Height of the heap's skin."""
        r = np.hypot(x, y) / self.reach
        lump = 1 + 0.16 * noise.fbm(np.stack([x, y], -1), 0.16, 2, seed=self.seed)
        return self.floor + self.high * lump * np.clip(1 - r**2, 0, 1) ** 0.85


def _strand(rng: Rng, heap: Heap, depth: float) -> np.ndarray:
    """One strand curling about the heap's axis, `depth` below its skin."""
    s = _seed(rng)
    turn = rng.choice([-1, 1], p=[0.25, 0.75])
    own = rng.uniform(1.2, 0.75 * heap.reach)
    off = rng.normal(0, 0.17 * heap.reach, 2)
    n = int(rng.uniform(50, 95))
    a = rng.uniform(0, 2 * np.pi) + turn * np.cumsum(np.full(n, 0.36) / own)
    t = np.arange(n) * 0.36
    line = np.stack([t, 0 * t], 1)
    r = own * (1 + 0.3 * noise.fbm(line, 0.09, 2, seed=s))
    p = np.stack([off[0] + r * np.cos(a), off[1] + r * np.sin(a)], 1)
    out = np.hypot(*p.T)
    p *= np.minimum(1, heap.reach * 0.985 / np.maximum(out, 1e-6))[:, None]
    z = heap.at(p[:, 0], p[:, 1]) - depth + 0.42 * noise.fbm(line, 0.16, 2, seed=s + 1)
    return smooth_path(np.column_stack([p, np.maximum(z, heap.floor + 0.2)])[::2], 2)


def _pasta(rng: Rng, heap: Heap, colours: tuple[str, str], sauce: str | None) -> Mesh:
    """All the strands; the deeper ones darker, some stained by the sauce."""
    strands = []
    for k in range(250):
        depth = 1.5 * (1 - k / 250) ** 1.2 * rng.uniform(0.6, 1)
        m = tube(_strand(rng, heap, depth), 0.19, 7)
        m = m.mottled(*colours, freq=0.4, octaves=2, seed=k).shaded(1 - 0.16 * depth)
        if sauce is not None:
            wet = noise.step(-0.1, 0.7, noise.fbm(m.v, 0.25, 2, seed=heap.seed))
            m = m.tinted(wet * rng.uniform(0.15, 0.6), sauce)
        strands.append(m.jittered(rng, 0.05))
    return join(strands)


def _sauce(rng: Rng, heap: Heap, radius: float, colours: tuple[str, ...], lump: float) -> Mesh:
    """A ladle of sauce lying over the top of the heap."""
    s = _seed(rng)

    def edge(a: np.ndarray) -> np.ndarray:
        p = np.stack([np.cos(a), np.sin(a)], -1)
        return radius * (1 + 0.3 * noise.fbm(p, 1.2, 4, seed=s))

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        rel = np.hypot(x, y) / edge(np.arctan2(y, x).ravel()).reshape(x.shape)
        p = np.stack([x, y], -1)
        d, ident = noise.cells(p + 0.3 * noise.value(p, 1.0, s)[..., None], 0.9, s)
        bit = np.sqrt(np.clip(1 - (d / (0.3 + 0.3 * ident)) ** 2, 0, 1)) * lump
        rough = 0.14 * noise.fbm(p, 0.8, 3, seed=s)
        return heap.at(x, y) + 0.9 * np.clip(1 - rel**3, 0, 1) - 0.4 + bit + rough

    m = disc_field(edge, height, 110, 300)
    m = m.mottled(*colours, freq=0.9, seed=s)
    oil = noise.step(0.3, 0.6, noise.fbm(m.v, 0.8, 3, seed=s + 2))
    return m.tinted(oil * 0.35, "#d8702a")


def _meatball(rng: Rng) -> Mesh:
    m = blob(*(rng.uniform(1.55, 1.8) * np.array([1, 1, 0.94])), 30)
    m = m.rough(0.16, 0.9, 4, seed=_seed(rng))
    m = m.mottled("#3f1d0e", "#6b361c", "#8a4f2c", freq=0.9, seed=_seed(rng))
    glazed = noise.step(0.2, 0.9, m.normals()[:, 2] + 0.4 * produce.fbm_of(m, 0.7, rng))
    return produce.grounded(m.tinted(glazed * 0.75, "#a3260e"))


def _mince(rng: Rng) -> Mesh:
    m = blob(*rng.uniform(0.25, 0.55, 3), detail=8).rough(0.14, 1.6, 3, seed=_seed(rng))
    return produce.grounded(m.mottled("#4f2412", "#7a3f20", "#9a4a24", freq=2, seed=3))


def _bacon(rng: Rng) -> Mesh:
    m = produce.cubes(rng, 0.95, ("#6b2a16", "#94452a", "#b06a44"), 0.25)
    fat = noise.step(0.1, 0.3, m.v[:, 1] * 0.6 + 0.25 * produce.fbm_of(m, 1.2, rng))
    return m.tinted(fat * 0.8, "#e3b883").scaled(1.3, 0.8, 0.75)


def _clam(rng: Rng) -> Mesh:
    """An open clam: two ribbed cups at a hinge and the meat in the lower one."""
    o = polygon([(-1.5, 0), (-0.9, -1.25), (0.6, -1.35), (1.45, 0), (0.6, 1.35), (-0.9, 1.25)], 90)
    shells = []
    for k in range(2):
        m = slab(o, 0.14, 0.05, 26, dome=-0.75)
        rel = np.hypot(m.v[:, 0] + 1.2, m.v[:, 1] * 0.8)
        rib = np.sin(rel * 11)
        outside = m.normals()[:, 2] < 0
        m = m.mottled("#a98a62", "#cfb48a", "#e6d5b4", freq=0.7, seed=_seed(rng))
        m = m.tinted(noise.step(0.2, 0.9, rib) * 0.55, "#7a5f42")
        m = m.tinted(~outside * 0.9, "#ece3d6")
        m = m.tinted(~outside * noise.step(1.7, 2.6, rel) * 0.5, "#a08aa0")
        m = m.displaced(0.03 * rib * outside)
        if k:
            m = m.moved(x=1.5).turned("y", -rng.uniform(70, 110)).moved(x=-1.5, z=0.6)
        shells.append(m)
    meat = blob(0.85, 0.8, 0.35, 16).rough(0.12, 1.2, seed=_seed(rng))
    meat = meat.mottled("#c98a4c", "#e3b57c", "#edd0a0", freq=1.5, seed=1).moved(x=0.1, z=0.45)
    return produce.grounded(join([*shells, meat])).turned("z", 90)


def _garlic(rng: Rng) -> Mesh:
    o = circle(1, 36, 0.12, _seed(rng)) * [0.75, 0.48]
    m = slab(o, 0.14, 0.05, 8).painted("#e6c98a")
    return m.tinted(noise.step(0.4, 0.75, np.hypot(*m.v[:, :2].T)) * 0.6, "#b9812f")


def _chilli(rng: Rng) -> Mesh:
    a = np.linspace(0, 2 * np.pi, 26, endpoint=False)
    path = np.stack([np.cos(a), np.sin(a) * 0.9, 0 * a], 1) * rng.uniform(0.34, 0.48)
    return produce.grounded(tube(path, 0.15, 8, closed=True).painted("#b81a0e"))


def _shaving(rng: Rng) -> Mesh:
    o = circle(1, 40, 0.25, _seed(rng)) * [1.3, 0.75]
    m = slab(o, 0.08, 0.03, 8).painted("#eedda9").bent(rng.uniform(1.5, 3))
    return produce.grounded(m)


def _caper(rng: Rng) -> Mesh:
    return produce.grounded(blob(0.4, 0.33, 0.33, 10).mottled("#4c5a22", "#6f7d38", freq=3))


Piece = Callable[[Rng], Mesh]
PIECES: tuple[tuple[tuple[str, ...], Piece, str, int, float, float], ...] = (
    (("minced beef",), _mince, "moist", 190, 0.5, 0.1),
    (
        ("mushroom",),
        lambda r: produce.mushroom_slice(r, r.uniform(2.6, 3.4)),
        "moist",
        22,
        0.8,
        0.2,
    ),
    (("guanciale",), _bacon, "moist", 34, 0.82, 0.15),
    (("clam",), _clam, "satin", 12, 0.85, 0.3),
    (("prawn",), lambda r: produce.shrimp(r, r.uniform(4.4, 5.2)), "wet", 9, 0.75, 0.3),
    (
        ("cherry tomato",),
        lambda r: produce.cherry_tomato(r, r.uniform(1.15, 1.4)).spun(r, 40),
        "wet",
        14,
        0.82,
        0.3,
    ),
    (("black olive",), lambda r: produce.olive_ring(r, 0.85), "wet", 26, 0.8, 0.15),
    (("caper",), _caper, "moist", 24, 0.78, 0.1),
    (("cloves garlic, thinly", "cloves garlic, sliced"), _garlic, "satin", 22, 0.82, 0.1),
    (("fresh chilli",), _chilli, "wet", 20, 0.82, 0.1),
)


def _looks(recipe: Recipe) -> tuple[tuple[str, str], str | None]:
    """(colours of the strands, stain of the sauce on them)."""
    if recipe.titled("pesto"):
        return ("#c2b45c", "#d8cd80"), "#5c7d22"
    if recipe.has("tomato passata", "plum tomatoes", "crushed"):
        return ("#dba656", "#ecc478"), "#bb4a18"
    if recipe.has("cream", "egg yolks"):
        return ("#e5c478", "#f2dca0"), "#f3dfae"
    return ("#e6c274", "#f3da98"), "#ecd088"


def _strew(scene: Scene, rng: Rng, piece: Mesh, count: int, reach: float, finish: str) -> None:
    """Hundreds of small bits over the heap: cheese, herbs, pepper."""
    p = np.clip(rng.normal(0, reach * 0.45, (count, 2)), -reach, reach)
    z = scene.heights.at(p)[:, None] + 0.04
    scene.add(copies(piece, np.concatenate([p, z], 1), rng, 60, (0.5, 1.4), 0.12), finish)


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """A heaped plate of spaghetti with a fork and a napkin beside it."""
    scene.table()
    colour, rim, finish = tableware.PLATE_COLOURS[rng.integers(len(tableware.PLATE_COLOURS))]
    if rng.random() < 0.4:
        ware = tableware.bowl(13.2, 5.4, colour, rim, finish, 0.5)
        floor, reach = 1.3, 10.2
    else:
        ware = tableware.plate(14.6, colour, rim, finish, coupe=bool(rng.random() < 0.6))
        floor, reach = ware.floor, rng.uniform(10.2, 11)
    scene.serve(ware)
    heap = Heap(rng, floor, reach, rng.uniform(4.6, 5.6))
    strands, stain = _looks(recipe)
    scene.add(_pasta(rng, heap, strands, stain), "moist")
    red = ("#7a1408", "#9c260e", "#b33a14")
    if recipe.has("minced beef") and not recipe.titled("meatballs"):
        brown = ("#5a1f0d", "#7d3216", "#964a22")
        scene.add(_sauce(rng, heap, 6.4, brown, 0.4), "moist")
    elif recipe.has("tomato passata", "plum tomatoes", "crushed"):
        wide = 7.4 if recipe.titled("meatballs") else 6.2
        scene.add(_sauce(rng, heap, wide, red, 0.22), "wet")
    elif recipe.titled("pesto"):
        green = ("#2f4a12", "#4a6a1c", "#678632")
        scene.add(_sauce(rng, heap, 4.0, green, 0.18), "moist")
    if recipe.titled("meatballs"):
        for x, y in [(0.0, 0.0), *spread(rng, reach * 0.56, 8, inner=reach * 0.3)]:
            scene.drop(_meatball(rng).spun(rng, 60), x, y, "wet", 0.3)
    for words, piece, shine, count, share, sink in PIECES:
        if not recipe.has(*words) or (piece is _mince and recipe.titled("meatballs")):
            continue
        for x, y in spread(rng, reach * share, int(count * rng.uniform(0.85, 1.1))):
            scene.drop(piece(rng).jittered(rng, 0.06).spun(rng, 18), x, y, shine, sink)
    if recipe.has("pine nuts"):
        nut = produce.seed_grain(0.95, "#e0bf80")
        _strew(scene, rng, nut, 46, reach, "satin")
    if recipe.has("grated parmesan", "grated pecorino"):
        crumb = tube(np.array([[-0.3, 0, 0], [0, 0.03, 0.03], [0.3, 0, 0]]), 0.075, 5)
        _strew(scene, rng, crumb.painted("#f1e3b6"), 260, reach * 0.8, "satin")
    if recipe.has("parmesan, shaved"):
        for x, y in spread(rng, reach * 0.55, 11):
            scene.drop(_shaving(rng).spun(rng, 15), x, y, "satin", 0.15)
    if recipe.has("coarse black pepper", "chilli flakes"):
        dark = "#1d1612" if recipe.has("coarse black pepper") else "#a31c0c"
        grain = blob(0.12, detail=3).painted(dark)
        _strew(scene, rng, grain, 170, reach, "satin")
    if recipe.has("flat parsley"):
        flake = slab(polygon([(-0.4, 0), (0, -0.25), (0.45, 0), (0, 0.3)], 10), 0.05, 0.02, 3)
        _strew(scene, rng, flake.mottled("#24541a", "#43832f", freq=2), 170, reach, "leaf")
        for x, y in spread(rng, reach * 0.5, 5):
            scene.drop(produce.herb_leaf(rng, 2.2).spun(rng, 15), x, y, "leaf", 0.2)
    if recipe.has("basil leaves"):
        for x, y in rng.normal(0, 1.1, (int(rng.integers(4, 7)), 2)):
            m = produce.basil_leaf(rng, rng.uniform(3.0, 4.4)).spun(rng, 10)
            scene.drop(m, x, y, "leaf", 0.2)
    side = rng.choice([-1, 1])
    fork = tableware.fork().turned("z", 90 + rng.uniform(-8, 8))
    if rng.random() < 0.7:
        tint = ("#a33b30", "#3f5f86", "#b98a3a", "#5d7048")[rng.integers(4)]
        pattern = ("stripes", "check")[rng.integers(2)]
        napkin = tables.cloth(rng, 16, 30, "#ece6da", tint, pattern)
        scene.add(napkin.turned("z", rng.uniform(-12, 12)).moved(side * 18.5, 2), "cloth")
        scene.add(fork.moved(side * 16.6, 0, 0.9), "metal")
    else:
        scene.add(fork.moved(side * 16.4, 0), "metal")
    if rng.random() < 0.25:
        scene.shoot(height=(70, 84), distance=(49, 53), aim=(0, 0, 2), lens=0.4)
    else:
        scene.shoot(height=(34, 52), distance=(43, 48), aim=(0, -0.5, 2.4), lens=0.6)
