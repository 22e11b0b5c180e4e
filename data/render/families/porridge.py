"""Porridge: a bowl of creamy oats with fruit in rows and heaps, nuts, seeds and honey."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import fruit, noise, produce, tables, tableware
from kit.geometry import (
    Mesh,
    blob,
    circle,
    copies,
    disc_field,
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


def _oats(rng: Rng, radius: float, colours: tuple[str, str, str], spice: bool) -> list[Mesh]:
    """The porridge: a lumpy cream and the flakes that show in it."""
    s = _seed(rng)

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        warp = p + 0.35 * np.stack([noise.value(p, 0.9, s), noise.value(p, 0.9, s + 1)], -1)
        d, ident = noise.cells(warp, 1.25, s)
        flake = np.sqrt(np.clip(1 - (d / (0.3 + 0.35 * ident)) ** 2, 0, 1))
        dome = 0.75 * np.clip(1 - (x * x + y * y) / radius**2, 0, 1) ** 0.8
        swirl = 0.22 * noise.fbm(warp, 0.22, 3, seed=s + 2)
        return dome + swirl + 0.16 * flake * (0.4 + 0.6 * ident) + 0.05 * noise.fbm(p, 1.5, 2)

    m = disc_field(radius, height, 150, 320).mottled(*colours, freq=0.7, seed=s)
    d, ident = noise.cells(m.v, 1.25, s)
    m = m.tinted(noise.step(0.45, 0.75, d) * 0.25, colours[0])
    m = m.shaded(1 + 0.06 * noise.fbm(m.v, 1.8, 3, seed=s + 4))
    if spice:
        dust = noise.step(0.05, 0.7, noise.fbm(m.v, 0.5, 4, seed=s + 3))
        fine = noise.step(0.0, 0.5, noise.fbm(m.v, 3.2, 2, seed=s + 5))
        m = m.tinted(dust * fine * 0.7, "#8a4a1c")
    p = spread(rng, radius * 0.97, 10)
    p = np.concatenate([p, rng.normal(0, radius * 0.55, (260, 2))])
    p = p[np.hypot(*p.T) < radius * 0.96]
    z = height(p[:, 0], p[:, 1]) + 0.02
    flake = slab(polygon([(-0.42, 0), (0, -0.3), (0.42, -0.03), (0, 0.32)], 18), 0.09, 0.03, 4)
    crease = np.exp(-((flake.v[:, 1] / 0.06) ** 2))
    flake = flake.painted(colours[2]).tinted(crease * 0.5, colours[0])
    return [m, copies(flake, np.column_stack([p, z]), rng, 25, (0.7, 1.2), 0.07)]


def _banana(rng: Rng) -> Mesh:
    """Round or slanting slice of banana with its three rows of seeds."""
    o = circle(1.65, 70, 0.05, _seed(rng)) * [rng.uniform(1.0, 1.3), 1]
    m = slab(o, 0.5, 0.14, 30)
    r = np.hypot(m.v[:, 0] / 1.15, m.v[:, 1]) / 1.65
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    m = m.mottled("#e2cd8c", "#eddca6", "#f2e6bc", freq=1.1, seed=_seed(rng))
    core = noise.step(0.5, 0.42, r)
    m = m.tinted(core * 0.45, "#d6b870")
    star = noise.step(0.55, 0.9, np.cos(3 * a)) * np.exp(-(((r - 0.22) / 0.13) ** 2))
    dots = noise.step(0.1, 0.6, produce.fbm_of(m, 2.5, rng))
    m = m.tinted(star * (0.4 + 0.5 * dots), "#6a4a24")
    ring = np.exp(-(((r - 0.5) / 0.035) ** 2))
    return produce.grounded(m.tinted(ring * 0.35, "#c4a25c").rough(0.03, 1.5, seed=_seed(rng)))


def _fig(rng: Rng) -> Mesh:
    """A quarter of a fig, its pink inside up."""
    pts = [(-2.2, 0), (-1.1, -0.9), (0.5, -1.25), (1.7, -0.7)]
    pts += [(2.0, 0), (1.7, 0.7), (0.5, 1.25), (-1.1, 0.9)]
    o = polygon(pts, 120)
    m = slab(o, 1.2, 0.5, 34)
    rel = _share(m, o)
    top = noise.step(0.75, 1.05, m.v[:, 2])
    m = m.mottled("#2c1526", "#4a2238", "#5f3350", freq=0.9, seed=_seed(rng))
    m = m.tinted(top * noise.step(0.97, 0.9, rel), "#e6d4b0")
    m = m.tinted(top * noise.step(0.84, 0.7, rel), "#b8384a")
    d, _ = noise.cells(m.v, 3.4, _seed(rng))
    seeds = top * noise.step(0.8, 0.7, rel) * noise.step(0.35, 0.15, d)
    m = m.tinted(seeds * 0.9, "#e8c07a")
    m = m.tinted(top * noise.step(0.3, 0.1, rel) * 0.6, "#7a1f34")
    m.v[:, 2] -= 0.12 * seeds
    return produce.grounded(m.bent(5, "x"))


def _mango(rng: Rng) -> Mesh:
    return produce.cubes(rng, 1.5, ("#dd8a14", "#eda52a", "#f2b848"), 0.2)


def _hazelnut(rng: Rng) -> Mesh:
    m = blob(0.72, 0.66, 0.66, 14).rough(0.05, 1.4, seed=_seed(rng))
    m.v[:, 0] *= 1 + 0.12 * (m.v[:, 0] > 0)
    m = m.mottled("#c08a4c", "#dbb077", "#e6c492", freq=1.0, seed=_seed(rng))
    return produce.grounded(m.tinted(noise.step(0.2, 0.5, produce.fbm_of(m, 1.2, rng)), "#7a4620"))


def _peanut(rng: Rng) -> Mesh:
    m = blob(0.75, 0.42, 0.3, 14).mottled("#c99a58", "#dfbb80", freq=1.2, seed=_seed(rng))
    return produce.grounded(m.rough(0.04, 1.5))


def _pistachio(rng: Rng) -> Mesh:
    m = produce.cubes(rng, rng.uniform(0.45, 0.85), ("#6f8a34", "#93a852", "#7a5a4c"), 0.25)
    return m.scaled(1.3, 0.8, 0.8)


def _pear(rng: Rng) -> Mesh:
    """A lengthwise slice of pear."""
    half = [(-2.9, 0), (-2.3, -0.75), (-0.9, -0.95), (0.7, -1.75), (2.2, -1.55), (2.9, 0)]
    o = polygon([*half, *[(x, -y) for x, y in half[-2:0:-1]]], 110)
    m = slab(o, 0.4, 0.12, 28)
    m = m.mottled("#dccb92", "#e9dcae", "#f0e6c2", freq=0.9, seed=_seed(rng))
    side = noise.step(0.1, 0.02, m.v[:, 2]) + noise.step(0.93, 1.0, _share(m, o))
    m = m.tinted(np.clip(side, 0, 1) * 0.9, "#9a9a3c")
    core = np.hypot((m.v[:, 0] - 0.9) / 0.75, m.v[:, 1] / 0.42)
    return produce.grounded(m.tinted(noise.step(1.15, 0.85, core) * 0.4, "#b99a5c"))


def _share(m: Mesh, outline: np.ndarray) -> np.ndarray:
    """How far out each vertex is within a star-shaped outline, 1 at its edge."""
    a = np.arctan2(outline[:, 1], outline[:, 0])
    order = np.argsort(a)
    edge = np.interp(
        np.arctan2(m.v[:, 1], m.v[:, 0]),
        a[order],
        np.linalg.norm(outline, axis=1)[order],
        period=2 * np.pi,
    )
    return np.hypot(m.v[:, 0], m.v[:, 1]) / edge


def _apple(rng: Rng) -> Mesh:
    return fruit.fruit_slice(rng, rng.uniform(5.0, 5.8), ("#dfc07c", "#ecd7a2"), "#9c2018", 0.5)


Piece = Callable[[Rng], Mesh]
# Fruit laid in its own sector: words, piece, finish, count, sink, whether it lies in a fan.
FRUIT: tuple[tuple[tuple[str, ...], Piece, str, int, float, bool], ...] = (
    (("bananas",), _banana, "moist", 8, 0.25, True),
    (
        ("strawberries",),
        lambda r: fruit.strawberry(r, r.uniform(2.7, 3.3), cut=True),
        "wet",
        8,
        0.3,
        True,
    ),
    (("kiwi",), lambda r: fruit.kiwi_slice(r, 2.0), "wet", 5, 0.25, True),
    (("red apples",), _apple, "wet", 9, 0.25, True),
    (("ripe pears",), _pear, "wet", 6, 0.25, True),
    (("ripe figs",), _fig, "moist", 8, 0.3, True),
    (("ripe mango",), _mango, "wet", 26, 0.25, False),
    (
        ("raspberries",),
        lambda r: fruit.raspberry(r, r.uniform(1.5, 1.9)).spun(r, 50),
        "moist",
        17,
        0.25,
        False,
    ),
    (
        ("blueberries",),
        lambda r: fruit.blueberry(r, r.uniform(0.66, 0.85)),
        "satin",
        38,
        0.2,
        False,
    ),
    (("walnuts",), lambda r: fruit.walnut(r, r.uniform(2.0, 2.4)), "satin", 11, 0.25, False),
    (
        ("pecans",),
        lambda r: fruit.walnut(r, 2.4, ("#5a2c12", "#7d4420", "#9a6034")).scaled(1.1, 0.75, 0.9),
        "satin",
        11,
        0.25,
        False,
    ),
    (("hazelnuts",), _hazelnut, "satin", 17, 0.25, False),
    (("roasted peanuts",), _peanut, "satin", 26, 0.2, False),
    (("pistachios",), _pistachio, "satin", 46, 0.15, False),
    (("flaked almonds",), fruit.almond_flake, "satin", 34, 0.1, False),
    (
        ("coconut flakes",),
        lambda r: fruit.shaving(r, r.uniform(1.6, 2.4), "#efe8da"),
        "satin",
        20,
        0.15,
        False,
    ),
    (
        ("dark chocolate",),
        lambda r: fruit.shaving(r, r.uniform(1.2, 2.0)),
        "satin",
        24,
        0.15,
        False,
    ),
)


def _drizzle(scene: Scene, rng: Rng, reach: float, colour: str) -> Mesh:
    """Honey or syrup run to and fro over everything."""
    turn = rng.uniform(0, 360)
    points = []
    for k in range(9):
        x = -reach * 0.75 + 1.5 * reach * k / 8
        points.append((x, (1 if k % 2 else -1) * reach * rng.uniform(0.25, 0.6), 0.0))
    path = smooth_path(points, 22)
    a = np.radians(turn)
    x, y = path[:, 0].copy(), path[:, 1].copy()
    path[:, 0], path[:, 1] = x * np.cos(a) - y * np.sin(a), x * np.sin(a) + y * np.cos(a)
    z = scene.heights.at(path[:, :2])
    path[:, 2] = np.convolve(np.pad(z, 4, mode="edge"), np.ones(9) / 9, mode="valid") + 0.08
    wide = 0.16 + 0.1 * np.abs(noise.fbm(path, 0.3, 2, seed=_seed(rng)))
    return tube(path, wide, 8, flat=0.5).painted(colour)


def _sow(scene: Scene, rng: Rng, mesh: Mesh, count: int, reach: float, finish: str) -> None:
    """Seeds scattered over the bowl, denser on one side."""
    a = rng.uniform(0, 2 * np.pi)
    p = rng.normal(0, reach * 0.42, (count, 2)) + 0.2 * reach * np.array([np.cos(a), np.sin(a)])
    p = p[np.hypot(*p.T) < reach * 0.94]
    z = scene.heights.at(p) + 0.05
    scene.add(copies(mesh, np.column_stack([p, z]), rng, 35, (0.8, 1.2)), finish)


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """A bowl of porridge, a spoon, often a napkin and some loose fruit."""
    scene.table()
    make = tableware.PLATE_COLOURS[rng.integers(len(tableware.PLATE_COLOURS))]
    radius = rng.uniform(10.6, 11.4)
    ware = scene.serve(tableware.bowl(radius, 6.4, *make, 0.45))
    level = 4.7
    reach = ware.radius_at(level)
    colours = ("#c0a47a", "#dcc6a0", "#e8d8b8")
    if recipe.has("cocoa powder"):
        colours = ("#5f3c26", "#7d5438", "#96704e")
    elif recipe.has("coconut milk", "oat milk"):
        colours = ("#c9b491", "#e3d3b4", "#eee2ca")
    for m in _oats(rng, reach + 0.05, colours, recipe.has("cinnamon")):
        scene.add(m.moved(z=level - 0.1), "moist")
    present = [row for row in FRUIT if recipe.has(*row[0])]
    turn = rng.uniform(0, 360)
    slots = len(present)
    for k, (_, piece, finish, count, sink, fan) in enumerate(present):
        angle = np.radians(turn + 360 * k / slots)
        if fan:
            span = min(1.9 * np.pi / slots, count * 0.34)
            few = max(3, round(count * min(1.0, 2.2 / slots + 0.25)))
            for t in np.linspace(-span / 2, span / 2, few):
                out = reach * rng.uniform(0.56, 0.64)
                x, y = out * np.cos(angle + t), out * np.sin(angle + t)
                m = piece(rng).jittered(rng, 0.05).turned("y", rng.uniform(6, 16))
                m = m.turned("z", np.degrees(angle + t) + rng.normal(0, 9))
                scene.drop(m, x, y, finish, sink, 0.6)
            continue
        if slots == 1:
            places = rng.normal(0, reach * 0.3, (count, 2))
        else:
            middle = 0.46 * reach * np.array([np.cos(angle), np.sin(angle)])
            places = middle + rng.normal(0, reach * 0.19, (count, 2))
        for x, y in places:
            if np.hypot(x, y) > reach * 0.88:
                continue
            scene.drop(piece(rng).jittered(rng, 0.07).spun(rng, 14), x, y, finish, sink, 0.8)
    if recipe.has("peanut butter"):
        m = blob(2.1, 1.8, 0.75, 30).rough(0.28, 0.55, 3, seed=_seed(rng))
        m = m.mottled("#8f5a24", "#ad7434", "#c08a48", freq=0.7, seed=_seed(rng))
        scene.drop(produce.grounded(m), *rng.normal(0, 0.5, 2), "wet", 0.5)
    if recipe.has("pumpkin seeds"):
        _sow(scene, rng, produce.seed_grain(0.95, "#56702c"), 46, reach, "satin")
    if recipe.has("chia seeds"):
        _sow(scene, rng, produce.seed_grain(0.26, "#26221f"), 320, reach, "satin")
    if recipe.has("honey", "maple syrup", "brown sugar"):
        gold = "#a85f10" if recipe.has("honey") else "#7a3c0c"
        scene.add(_drizzle(scene, rng, reach, gold), "glaze")
    side = rng.choice([-1, 1])
    lift = 0.0
    if rng.random() < 0.65:
        tint = ("#a33b30", "#3f5f86", "#b98a3a", "#5d7048")[rng.integers(4)]
        napkin = tables.cloth(rng, 17, 30, "#ece6da", tint, ("stripes", "check")[rng.integers(2)])
        scene.add(napkin.turned("z", rng.uniform(-15, 15)).moved(side * 16, 2), "cloth")
        lift = 0.9
    spoon = tableware.spoon().turned("z", 90 + rng.uniform(-12, 12))
    scene.add(spoon.moved(side * 13.6, -0.5, lift), "metal")
    loose = [row for row in present if row[0][0] in ("blueberries", "raspberries", "hazelnuts")]
    if loose:
        for x, y in rng.normal(0, 1.6, (6, 2)):
            m = loose[0][1](rng).spun(rng, 20)
            scene.drop(m, -side * 13.2 + x, -6 + 1.6 * y, loose[0][2], 0, 0)
    if rng.random() < 0.4:
        scene.shoot(height=(72, 86), distance=(38, 42), aim=(0, 0, 4), lens=0.35)
    else:
        scene.shoot(height=(40, 56), distance=(34, 38), aim=(0, -0.4, 4), lens=0.55)
