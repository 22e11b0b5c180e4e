"""Tomato soup: a red surface with body in a bowl, its garnish, a spoon, bread or tomatoes by it."""

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
    leaf,
    polygon,
    revolve,
    slab,
    smooth_path,
    tube,
)
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene

Rng = np.random.Generator
Piece = Callable[[Rng], Mesh]

RED = ("#8f1d08", "#ad2c0e", "#c23c16")
ORANGE = ("#ad3a10", "#c64e18", "#d66424")
CREAMY = ("#b84418", "#cf5c24", "#dc7234")
CHUNKY = ("#7d1606", "#a3260c", "#bb3a12")


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def _swirl(x: np.ndarray, y: np.ndarray, reach: float, turn: float, seed: int) -> np.ndarray:
    """Mask of cream poured in a loose spiral and drawn out with the spoon."""
    p = np.stack([x, y], -1)
    wob = noise.fbm(p, 0.16, 3, seed=seed)
    r = np.hypot(x, y) / reach + 0.09 * wob
    a = np.arctan2(y, x) + turn + 0.5 * wob
    line = np.abs((r - a / (2 * np.pi) * 0.3) % 0.3 - 0.15)
    wide = 0.04 * (1 + 0.9 * noise.fbm(p, 0.3, 2, seed=seed + 1))
    return noise.step(wide + 0.025, wide - 0.01, line) * noise.step(0.72, 0.6, r)


def _soup(rng: Rng, recipe: Recipe, reach: float) -> Mesh:
    """The surface: smooth or coarse, with oil eyes, cream or pesto drawn through it."""
    s = _seed(rng)
    coarse = recipe.has("lentil", "chickpea", "white beans", "plum tomatoes", "gazpacho")
    stops = RED
    if recipe.has("cream"):
        stops = CREAMY
    elif recipe.has("gazpacho", "lentil", "red peppers"):
        stops = ORANGE
    elif coarse:
        stops = CHUNKY
    turn = rng.uniform(0, 6)

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        z = 0.05 * noise.fbm(p, 0.22, 3, seed=s)
        z = z + (0.1 if coarse else 0.018) * noise.fbm(p, 1.3, 3, seed=s + 1)
        rim = noise.step(reach - 0.5, reach + 0.1, np.hypot(x, y))
        if recipe.has("cream of"):
            z = z + 0.07 * _swirl(x, y, reach, turn, s)
        return z + 0.14 * rim

    m = disc_field(reach, height, 150, 330).mottled(*stops, freq=0.5, seed=s)
    pulp = noise.fbm(m.v, 1.9, 3, seed=s + 2)
    m = m.shaded(1 + (0.24 if coarse else 0.1) * pulp)
    x, y = m.v[:, 0], m.v[:, 1]
    r = np.hypot(x, y)
    m = m.tinted(noise.step(reach - 0.35, reach, r) * 0.5, "#d8702c")
    if not recipe.has("gazpacho"):
        d, ident = noise.cells(m.v, 0.8, s)
        size = np.where(ident > 0.55, 0.5 * ident - 0.2, 0.0)
        eye = noise.step(size, size * 0.6 - 0.01, d) * noise.fbm(m.v, 0.2, 2, seed=s + 5)
        m = m.tinted(np.clip(eye, 0, 1) * 0.6, "#dd7a2a")
    if recipe.has("cream of"):
        m = m.tinted(_swirl(x, y, reach, turn, s) * 0.95, "#f0e2cb")
    if recipe.has("pesto"):
        mask = _swirl(x, y, reach, turn, s) * noise.step(-0.5, 0.1, noise.fbm(m.v, 0.5, 2, seed=s))
        m = m.tinted(mask * 0.9, "#41661c").shaded(1 + 0.25 * mask * pulp)
    if recipe.has("thread of oil", "olive oil"):
        drop, ident = noise.cells(m.v, 0.33, s + 9)
        pool = (drop < 0.16 + 0.2 * ident) * (ident > 0.35)
        m = m.tinted(pool * 0.55, "#b99a24")
    herb = noise.step(0.55, 0.7, noise.fbm(m.v, 2.6, 2, seed=s + 7))
    return m.tinted(herb * 0.35, "#5f1405")


def _cube(size: float, *colours: str) -> Piece:
    return lambda rng: produce.cubes(rng, size, colours, 0.14)


def _crouton(rng: Rng) -> Mesh:
    m = produce.cubes(rng, 1.7, ("#9c6224", "#c08a42", "#d8b070"), 0.16)
    toasted = noise.step(0.0, 0.6, produce.fbm_of(m, 0.9, rng))
    return produce.grounded(m.tinted(toasted * 0.7, "#7a4318").rough(0.12, 2.0, seed=_seed(rng)))


def _meatball(rng: Rng) -> Mesh:
    m = blob(1.65, detail=22).rough(0.2, 0.9, 4, seed=_seed(rng))
    m = m.mottled("#4a2412", "#713c20", "#955a36", freq=1.3, seed=_seed(rng))
    return produce.grounded(m.tinted(noise.step(0.3, 1.0, -m.v[:, 2]) * 0.8, "#a3260c"))


def _chickpea(rng: Rng) -> Mesh:
    m = blob(0.72, 0.66, 0.62, 12).mottled("#b98a44", "#d6ad68", freq=1.6, seed=_seed(rng))
    m.v[:, 0] += 0.2 * np.exp(-((m.v[:, 1] / 0.25) ** 2)) * (m.v[:, 0] > 0.4)
    return produce.grounded(m)


def _bean(rng: Rng) -> Mesh:
    m = blob(1.0, 0.55, 0.45, 12).mottled("#d6c49c", "#e6d9b8", freq=1.2, seed=_seed(rng))
    m.v[:, 1] += 0.22 * (m.v[:, 0] / 1.0) ** 2
    return produce.grounded(m)


def _shell(rng: Rng) -> Mesh:
    """A small pasta shell, its ribbed back up."""
    t = np.linspace(-1, 1, 22)
    u, a = np.meshgrid(t, np.linspace(-0.62 * np.pi, 0.62 * np.pi, 26), indexing="ij")
    r = 0.62 * np.sqrt(np.clip(1.05 - u**2, 0.05, 1)) * (1 + 0.06 * np.sin(a * 9))
    from kit.geometry import grid_faces

    v = np.stack([u * 1.15, r * np.sin(a), r * np.cos(a)], -1).reshape(-1, 3)
    m = Mesh(v, grid_faces(22, 26), np.zeros((len(v), 3), np.float32)).painted("#dcb878")
    m = m.shaded(1 + 0.14 * np.sin(a * 9).ravel()).turned("x", rng.uniform(-25, 25))
    return produce.grounded(m)


def _feta(rng: Rng) -> Mesh:
    m = produce.cubes(rng, rng.uniform(0.8, 1.5), ("#d8d2c0", "#e9e4d4"), 0.16)
    return produce.grounded(m.rough(0.26, 1.0, 4, seed=_seed(rng)))


def _yoghurt(rng: Rng) -> Mesh:
    s = _seed(rng)

    def edge(a: np.ndarray) -> np.ndarray:
        return 2.5 * (1 + 0.3 * noise.fbm(np.stack([np.cos(a), np.sin(a)], -1), 1.0, 3, seed=s))

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        rel = np.hypot(x, y) / edge(np.arctan2(y, x).ravel()).reshape(x.shape)
        turn = np.sin(np.arctan2(y, x) + rel * 9)
        return 0.75 * np.clip(1 - rel**2, 0, 1) ** 0.7 + 0.1 * turn * (1 - rel)

    return disc_field(edge, height, 46, 110).painted("#eee8da")


def _seedling(rng: Rng) -> Mesh:
    return produce.grounded(blob(0.55, 0.3, 0.13, 8).mottled("#5c6a2c", "#7f8a48", freq=2, seed=2))


def _parmesan(rng: Rng) -> Mesh:
    o = circle(1, 40, 0.25, _seed(rng)) * [1.5, 0.7]
    return produce.grounded(slab(o, 0.08, 0.03, 8).painted("#dfcd98").bent(rng.uniform(1.5, 3)))


FLOATING: tuple[tuple[tuple[str, ...], Piece, str, int, float, float], ...] = (
    (("meatball",), _meatball, "wet", 9, 0.66, 0.88),
    (("chickpea",), _chickpea, "wet", 42, 0.8, 0.75),
    (("white beans",), _bean, "wet", 34, 0.8, 0.7),
    (("pasta",), _shell, "wet", 34, 0.8, 0.62),
    (("spinach",), lambda r: produce.spinach_leaf(r, r.uniform(3, 4.6)), "wet", 14, 0.75, 0.72),
    (("croutons",), _crouton, "crust", 15, 0.4, 0.45),
    (("cucumber",), _cube(0.85, "#5f8f34", "#c6d894", "#dbe6b4"), "wet", 26, 0.42, 0.4),
    (("green pepper",), _cube(0.8, "#3f7420", "#5c9430"), "wet", 22, 0.42, 0.3),
    (("gazpacho",), _cube(0.75, "#9c3a68", "#d8b4c4", "#e6d2da"), "wet", 18, 0.4, 0.3),
    (("feta",), _feta, "satin", 26, 0.5, 0.4),
    (("yoghurt",), _yoghurt, "cream", 1, 0.05, 0.5),
    (("parmesan",), _parmesan, "satin", 12, 0.5, 0.3),
    (("pumpkin seeds",), _seedling, "satin", 30, 0.6, 0.3),
)


def _tomato(rng: Rng, radius: float) -> Mesh:
    """A whole ripe tomato with its calyx, as it lies on the table."""
    m = blob(radius, radius, radius * 0.82, 34)
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / radius
    m.v[:, :2] *= (1 + 0.035 * np.cos(a * 5 + 1))[:, None]
    m.v[:, 2] -= 0.24 * radius * np.exp(-((r / 0.3) ** 2)) * (m.v[:, 2] > 0)
    m = m.mottled("#9c1408", "#b52210", "#c4341a", freq=0.4, seed=_seed(rng))
    sepals = []
    for k in range(6):
        s = leaf(radius * 0.75, radius * 0.22, 0.3, 0.2, 0.2, colours=("#34601c", "#558a30"))
        s = s.moved(x=radius * 0.36).turned("y", rng.uniform(-20, 14)).turned("z", k * 60 + 9)
        sepals.append(s.moved(z=radius * 0.66))
    stem = smooth_path([(0, 0, radius * 0.55), (0.1, 0, radius * 0.8), (0.4, 0.1, radius * 1.0)])
    sepals.append(tube(stem, 0.16, 8).painted("#4c7a2a"))
    return produce.grounded(join([m, *sepals]).turned("x", rng.uniform(-20, 20)))


def _toast(rng: Rng, filled: bool) -> Mesh:
    """A triangle of grilled sandwich with cheese between, or a slice of crusty bread."""
    if not filled:
        pts = [(-4.4, -2.6), (4.4, -2.6), (4.8, 0.6), (2.6, 2.7), (-2.6, 2.7), (-4.8, 0.6)]
        o = polygon(pts, 140)
        m = slab(o, 1.4, 0.25, 30).mottled(
            "#c79c5c", "#dcbb82", "#ead2a4", freq=0.7, seed=_seed(rng)
        )
        d, ident = noise.cells(m.v, 1.6, _seed(rng))
        hole = noise.step(0.34, 0.15, d) * (ident > 0.4)
        m.v[:, 2] -= 0.16 * hole * (m.v[:, 2] > 0.9)
        m = m.tinted(hole * 0.4, "#a8783c")
        rel = np.hypot(m.v[:, 0] / 4.7, m.v[:, 1] / 2.75)
        return produce.grounded(m.tinted(noise.step(0.93, 1.03, rel), "#7f4718"))
    o = polygon([(-4.6, -2.9), (4.6, -2.9), (0, 3.3)], 150, smooth=False)
    o = o + 0.12 * (noise.fbm(o, 0.4, 2, seed=_seed(rng)))[:, None]
    parts = []
    for k in range(2):
        m = slab(o, 1.0, 0.22, 26).mottled(
            "#8d5120", "#b8762e", "#d29a50", freq=0.6, seed=_seed(rng)
        )
        side = np.abs(m.v[:, 2] - 0.5) < 0.3
        m = m.tinted(side * 0.75, "#e6cd9a")
        parts.append(m.rough(0.06, 1.3, seed=_seed(rng)).moved(z=1.3 * k))
    melt = slab(o * 1.015, 0.5, 0.2, 16).painted("#d99c22").rough(0.14, 0.8, seed=_seed(rng))
    return produce.grounded(join([*parts, melt.moved(z=0.9)]))


def _lugs(radius: float, z: float, colour: str) -> Mesh:
    """Two handles at the sides of a bowl."""
    parts = []
    for side in (-1, 1):
        pts = [(0.94, -0.16, 0), (1.13, -0.13, 0.05), (1.16, 0.13, 0.05), (0.94, 0.16, 0)]
        path = smooth_path([(side * x * radius, y * radius, z + w) for x, y, w in pts], 10)
        parts.append(tube(path, 0.5, 12))
    return join(parts).painted(colour)


def _vessel(scene: Scene, rng: Rng) -> tuple[tableware.Ware, float]:
    """A deep bowl, a bowl with handles or a wide soup plate; returns it with the soup's level."""
    looks = (
        ("#efece6", None, "ceramic"),
        ("#e9e6df", "#3f5f86", "ceramic"),
        ("#dcd3c2", "#a9825a", "stoneware"),
        ("#3d4c58", "#8b7a62", "stoneware"),
        ("#8fa3a0", "#6c5a45", "stoneware"),
        ("#2e3033", None, "stoneware"),
        ("#c9b458", "#efe7d6", "ceramic"),
        ("#5f7f94", "#dfe4e4", "ceramic"),
    )
    colour, rim, finish = looks[rng.integers(len(looks))]
    kind = rng.integers(3)
    if kind == 0:
        ware = scene.serve(tableware.bowl(10.4, 6.6, colour, rim, finish, 0.5))
        return ware, 5.0
    if kind == 1:
        ware = scene.serve(tableware.bowl(9.6, 6.8, colour, rim, finish, 0.6))
        scene.add(_lugs(9.6, 5.6, colour).turned("z", rng.uniform(-25, 25)), finish)
        return ware, 5.4
    prof = [(0, 0.1), (6.5, 0.0), (6.8, 0.0), (8.6, 1.6), (9.4, 3.0), (13.4, 4.2), (13.5, 4.5)]
    prof += [(13.2, 4.5), (9.3, 3.5), (8.6, 2.9), (7.6, 1.2), (6.0, 0.7), (0, 0.6)]
    m = revolve(prof, 160, 8).painted(colour)
    m = m.shaded(1 + 0.05 * noise.fbm(m.v, 0.35, 3, seed=3))
    if rim:
        r = np.hypot(m.v[:, 0], m.v[:, 1])
        m = m.tinted(noise.step(12.8, 13.0, r), rim)
    ware = scene.serve(tableware.Ware(m, finish, 0.6, 8.8, 4.5))
    return ware, 2.8


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """One bowl of soup, garnished as the recipe says, among spoon, napkin, tomatoes or bread."""
    scene.table()
    ware, level = _vessel(scene, rng)
    wide = ware.rim < 5
    reach = 8.75 if wide else ware.radius_at(level)
    scene.add(_soup(rng, recipe, reach + 0.06).moved(z=level), "wet")
    for words, piece, finish, count, far, sink in FLOATING:
        if not recipe.has(*words):
            continue
        for x, y in spread(rng, reach * far, max(1, int(count * rng.uniform(0.85, 1.1)))):
            item = piece(rng).jittered(rng, 0.07).spun(rng, 10)
            item = scene.heights.rest(item, x, y, 0.0, 0.3)
            deep = (
                np.ptp(item.v[:, 2])
                * sink
                * (0.75 if scene.heights.at(np.array([x, y])) < level + 0.4 else 0.4)
            )
            scene.add(item.moved(z=-deep), finish)
    if recipe.has("basil leaves"):
        turn = rng.uniform(0, 360)
        for k in range(int(rng.integers(3, 6))):
            m = produce.basil_leaf(rng, rng.uniform(2.8, 4.2)).moved(x=1.5).turned("y", -16)
            m = m.turned("z", turn + k * 85 + rng.uniform(-20, 20))
            scene.drop(m.moved(z=0.1), rng.normal(0, 0.3), rng.normal(0, 0.3), "leaf", 0.15, 0.1)
    if recipe.has("parsley", "coriander leaves"):
        for x, y in spread(rng, reach * 0.7, 34):
            m = produce.herb_leaf(rng, rng.uniform(0.7, 1.5)).jittered(rng, 0.12).spun(rng, 15)
            scene.drop(m, x, y, "leaf", 0.2)
    if recipe.has("oregano", "chilli flakes"):
        p = spread(rng, reach * 0.75, 80)
        z = scene.heights.at(p)[:, None] + 0.03
        fleck = slab(circle(0.17, 8), 0.05, 0.02, 2)
        fleck = fleck.painted("#7d1408" if recipe.has("chilli flakes") else "#4f5a22")
        scene.add(copies(fleck, np.concatenate([p, z], 1), rng, 40, (0.5, 1.4), 0.2), "satin")
    if recipe.has("lemon"):
        m = produce.citrus_slice(rng, 2.3).turned("x", 18).turned("z", rng.uniform(0, 360))
        scene.drop(m, reach * 0.45, reach * 0.35, "wet", 0.4, 0.2)

    side = rng.choice([-1, 1])
    out = 13.5 if wide else 10.5
    if recipe.has("toast bread"):
        for k in range(3):
            m = _toast(rng, True).turned("z", rng.uniform(-40, 40))
            scene.drop(m, side * (out + 4.0) + rng.normal(0, 1), -1.5 + 4.5 * k - 3, "crust", 0.1)
    elif rng.random() < 0.4:
        for k in range(2):
            m = _toast(rng, False).turned("z", rng.uniform(30, 80))
            scene.drop(m, side * (out + 3.8) + rng.normal(0, 0.6), 3.5 + 3 * k, "crust", 0.1)
    if rng.random() < 0.6:
        colour = ("#3f5f86", "#5d7048", "#b98a3a", "#6b6258")[rng.integers(4)]
        napkin = tables.cloth(rng, 22, 32, "#e6dfd0", colour, ("stripes", "check")[rng.integers(2)])
        scene.add(napkin.turned("z", rng.uniform(-35, 35)).moved(-side * (out + 6.5), 7), "cloth")
    if rng.random() < 0.65:
        for x, y in ((-side * (out + 1.6), 11.5), (-side * (out - 3), 14.2))[: rng.integers(1, 3)]:
            scene.drop(_tomato(rng, rng.uniform(2.7, 3.4)).spun(rng), x, y, "wet")
    spoon = tableware.spoon(19).turned("z", 90 + rng.uniform(-12, 12))
    scene.drop(spoon, -side * (out + 2.2), -3.5, "metal")
    pull = 6 if wide else 0
    if rng.random() < 0.3:
        scene.shoot(
            height=(70, 84), distance=(40 + pull, 43 + pull), aim=(side * 1.2, 0, 4), lens=0.4
        )
    else:
        scene.shoot(
            height=(40, 56), distance=(37 + pull, 41 + pull), aim=(side * 1, 0, 4), lens=0.6
        )
