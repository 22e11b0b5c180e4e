"""Steak with vegetables: seared beef, whole or sliced pink, and two heaps of vegetables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import noise, produce, savoury, tables, tableware
from kit.geometry import (
    Mesh,
    blob,
    circle,
    copies,
    disc_field,
    join,
    polygon,
    rounded_box,
    slab,
    tube,
)
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene

Piece = Callable[[np.random.Generator], Mesh]
CUTS = {
    "ribeye": [(-6.6, -1.5), (-3.5, -4.2), (1.5, -4.3), (5.6, -2.6), (6.6, 0.8), (4, 3.6)]
    + [(0, 4.3), (-4.5, 3.6), (-6.6, 1.4)],
    "sirloin": [(-8, -2.2), (-4, -3.6), (1, -3.4), (5.5, -2.6), (8, -0.8), (7.6, 1.6)]
    + [(4, 3.0), (-1, 3.7), (-6, 3.7), (-8.2, 1.6)],
    "t-bone": [(-7.5, -3.5), (-3, -6), (2, -5.6), (6, -3.4), (7.4, 0.5), (5, 4.4), (0, 5.8)]
    + [(-5, 5.4), (-8, 2)],
}


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 30))


def _seared(m: Mesh, rng: np.random.Generator, bars: bool) -> Mesh:
    """The crust of a fried or grilled steak: deep browns, paler grain, glistening hollows."""
    s = _seed(rng)
    grain = noise.fbm(m.v * [0.5, 1.3, 1.0], 0.9, 4, seed=s)
    fine = noise.fbm(m.v, 2.4, 3, seed=s + 1)
    m = m.displaced(0.16 * grain + 0.06 * fine)
    n = np.abs(m.normals()[:, 2])
    wide = noise.fbm(m.v, 0.35, 3, seed=s + 2)
    m = m.mottled("#3a1a0d", "#5f2f18", "#804726", freq=0.45, octaves=5, seed=s + 3)
    m = m.tinted(noise.step(0.1, 0.6, grain + 0.4 * fine) * 0.5, "#9c6038")
    m = m.tinted(noise.step(0.15, 0.6, wide + 0.4 * fine) * 0.65, "#26110a")
    side = noise.step(0.65, 0.2, n)
    m = m.tinted(side * 0.6, "#8a4f3a")
    if bars:
        m = savoury.grilled(m, 2.0, 38 + rng.uniform(-6, 6), "#150a06")
    return m


def _whole(rng: np.random.Generator, recipe: Recipe) -> list[tuple[Mesh, str]]:
    """One steak of the cut that the recipe names, with its fat and bone."""
    bars = recipe.has("t-bone", "herb butter", "ribeye")
    s = _seed(rng)
    if recipe.has("fillet"):
        m = slab(circle(4.3, 200, 0.05, s), 4.2, 1.1, 60, 0.3)
        n = np.abs(m.normals()[:, 2])
        m = _seared(m, rng, False)
        band = noise.step(0.6, 0.2, n) * noise.step(1.5, 0.7, np.abs(m.v[:, 2] - 2.1))
        m = m.tinted(band * 0.6, "#94503c")
        return [(m, "moist")]
    name = "t-bone" if recipe.has("t-bone") else "ribeye" if recipe.has("ribeye") else "sirloin"
    o = polygon(CUTS[name], 300) * rng.uniform(0.95, 1.04)
    if rng.random() < 0.5:
        o = o[::-1] * [-1, 1]
    thick = 1.4 if recipe.has("thin sirloin") else rng.uniform(2.3, 2.8)
    m = slab(o, thick, 0.75, 70, 0.2)
    ring = np.linalg.norm(m.v[:, None, :2] - o[None, ::6], axis=2).min(1)
    m = _seared(m, rng, bars)
    back = noise.step(0.0, 1.5, m.v[:, 1] + 0.8 * noise.fbm(m.v, 0.3, 2, seed=s))
    soft = noise.fbm(m.v, 0.8, 3, seed=s + 1)
    if name != "t-bone":
        fat = noise.step(0.9, 0.45, ring + 0.25 * soft) * back
        m = m.tinted(fat * 0.85, "#d3a565").tinted(
            fat * noise.step(0.0, 0.6, soft) * 0.6, "#96602a"
        )
    if name == "ribeye":
        seam = np.abs(m.v[:, 1] - 1.2 - 0.22 * m.v[:, 0] + 0.7 * noise.fbm(m.v, 0.35, 2, seed=s))
        m = m.tinted(noise.step(0.5, 0.15, seam) * (m.v[:, 0] > -4.5) * 0.75, "#c79558")
    marble = np.abs(noise.fbm(m.v, 0.55, 3, seed=s + 4))
    m = m.tinted(noise.step(0.05, 0.0, marble) * 0.45, "#b98a58")
    parts = [(m, "moist")]
    if name == "t-bone":
        stem = np.array([[-7.6, 1.2, 1.5], [-3, 0.8, 1.6], [2, 0.6, 1.6], [4.6, 0.2, 1.5]])
        cross = np.array([[-7.0, -3.6, 1.5], [-7.6, 0, 1.6], [-7.2, 4.4, 1.5]])
        bone = join([tube(stem, np.array([1.1, 0.7, 0.6, 0.4]), 14), tube(cross, 1.05, 14)])
        bone = bone.rough(0.14, 1.0, seed=s).mottled("#b08a5c", "#d6bd90", "#e6d3ae", seed=s)
        parts.append((bone, "moist"))
    return parts


def _slices(rng: np.random.Generator, count: int, long: float) -> list[Mesh]:
    """Slices of one thick steak, stood slightly over: brown rind, grey edge, pink middle."""
    out = []
    for k in range(count):
        u = (k + 0.5) / count * 2 - 1
        y = long * (1 - 0.35 * u**2) * rng.uniform(0.94, 1.05)
        m = rounded_box(1.15 * rng.uniform(0.85, 1.2), y, 3.0, 0.5, 34)
        s = _seed(rng)
        deep = np.minimum(y / 2 - np.abs(m.v[:, 1]), 1.5 - np.abs(m.v[:, 2]))
        deep = deep + 0.14 * noise.fbm(m.v, 0.9, 3, seed=s)
        face = noise.step(0.4, 0.75, np.abs(m.normals()[:, 0]))
        fibre = noise.fbm(m.v * [1, 1.8, 0.9], 1.5, 3, seed=s + 1)
        m = m.mottled("#3a1a0d", "#57290f", "#754022", freq=0.8, seed=s + 2)
        m = m.tinted(face * noise.step(0.1, 0.25, deep), "#8f5a44")
        m = m.tinted(face * noise.step(0.3, 0.75, deep), "#b5494a")
        m = m.tinted(face * noise.step(0.7, 1.3, deep) * 0.8, "#a83238")
        m = m.shaded(1 + 0.16 * fibre * face)
        out.append(m.displaced(0.06 * fibre).turned("y", rng.uniform(48, 60)))
    return out


def _mash(rng: np.random.Generator, radius: float) -> Mesh:
    s = _seed(rng)

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        rel = np.hypot(x, y) / radius
        fold = np.sin(np.arctan2(y, x) * 2 + rel * 9) * 0.22
        return (2.2 + fold) * np.sqrt(np.clip(1 - rel**3, 0, 1)) + 0.18 * noise.fbm(
            p, 0.6, 4, seed=s
        )

    m = disc_field(radius, height, 70, 180).mottled("#e0c888", "#ecdba6", "#f3e8c4", seed=s)
    return m.rough(0.05, 1.6, seed=s)


def _cob(rng: np.random.Generator) -> Mesh:
    """A piece of corn on the cob, browned here and there."""
    length, rows = 7.0, 14
    grain = blob(0.42, 0.36, 0.34, 8)
    core = tube(np.array([[-length / 2, 0, 0], [0, 0, 0], [length / 2, 0, 0]]), 1.55, 24)
    parts = [core.painted("#d9b860")]
    tone = float(rng.uniform(0.2, 0.6))
    for k in range(rows):
        for x in np.arange(-length / 2 + 0.35, length / 2, 0.62):
            a = 2 * np.pi * k / rows
            dark = rng.random() < 0.2 + 0.3 * tone * (np.sin(a + 1) > 0)
            m = grain.painted("#9c5f16" if dark else "#e8b82a").jittered(rng, 0.08)
            parts.append(m.turned("x", np.degrees(a)).moved(x, -1.75 * np.sin(a), 1.75 * np.cos(a)))
    return produce.grounded(join(parts))


def _courgette(rng: np.random.Generator) -> Mesh:
    m = slab(circle(2.0, 80, 0.03, 3) * [1.5, 1], 0.55, 0.14, 24)
    r = np.hypot(m.v[:, 0] / 1.5, m.v[:, 1]) / 2.0
    m = m.mottled("#c3c987", "#dde0aa", freq=1.5, seed=2)
    m = m.tinted(noise.step(0.9, 0.97, r), "#3a6322")
    return produce.grounded(savoury.grilled(m, 1.25, 10, "#3d230e"))


def _pea(rng: np.random.Generator) -> Mesh:
    return produce.grounded(blob(0.45, detail=9).painted("#5a932c").shaded(rng.uniform(0.8, 1.15)))


def _chunk(rng: np.random.Generator) -> Mesh:
    return savoury.potato(rng, rng.uniform(2.3, 2.9))


def _boiled(rng: np.random.Generator) -> Mesh:
    m = blob(1.9, 1.55, 1.45, 20).rough(0.1, 0.7, seed=_seed(rng))
    return produce.grounded(m.mottled("#d3ae5c", "#e3c67c", "#ecd79c", freq=0.7, seed=_seed(rng)))


def _fried_onion(rng: np.random.Generator) -> Mesh:
    m = produce.onion_ring(rng, rng.uniform(1.3, 2.1), "#7a4316")
    return m.tinted(np.full(len(m.v), 0.7), "#a8682a")


def _fried_mushroom(rng: np.random.Generator) -> Mesh:
    m = produce.mushroom_slice(rng, rng.uniform(2.4, 3.0))
    return m.tinted(np.full(len(m.v), 0.35), "#8a5424")


# words of the recipe, piece, finish, count, spread of the heap, laid side by side along one way
SIDES: tuple[tuple[tuple[str, ...], Piece, str, int, float, bool], ...] = (
    (("asparagus",), lambda r: savoury.asparagus(r, r.uniform(13, 15)), "moist", 11, 1.6, True),
    (("green beans",), lambda r: savoury.green_bean(r, r.uniform(8, 10)), "wet", 26, 1.5, True),
    (("carrots",), lambda r: savoury.carrot(r, r.uniform(8, 10)), "wet", 9, 1.7, True),
    (("potatoes, in chunks",), _chunk, "moist", 22, 2.4, False),
    (("small potatoes",), _boiled, "moist", 9, 2.1, False),
    (("broccoli",), lambda r: savoury.broccoli(r, r.uniform(3.6, 4.6)), "satin", 9, 2.1, False),
    (("mushroom",), _fried_mushroom, "moist", 24, 1.9, False),
    (("courgette",), _courgette, "moist", 12, 2.3, False),
    (("red pepper",), lambda r: produce.pepper_strip(r, "#a81c0f", 5.5), "wet", 13, 2.0, False),
    (("red onion",), lambda r: produce.onion_ring(r, r.uniform(1.6, 2.4)), "wet", 9, 2.0, False),
    (("peas",), _pea, "moist", 130, 1.6, False),
    (("sweetcorn",), _cob, "moist", 3, 2.6, True),
    (("cherry tomatoes",), lambda r: produce.cherry_tomato(r, 1.4, False), "wet", 9, 1.9, False),
)


def _sauce(rng: np.random.Generator, radius: float, colours: tuple[str, str, str]) -> Mesh:
    """A flat pool of gravy or cream sauce with an uneven rim."""
    s = _seed(rng)

    def edge(a: np.ndarray) -> np.ndarray:
        return radius * (1 + 0.25 * noise.fbm(np.stack([np.cos(a), np.sin(a)], -1), 1.2, 3, seed=s))

    m = disc_field(edge, lambda x, y: 0 * x, 50, 200)
    rel = np.hypot(m.v[:, 0], m.v[:, 1]) / edge(np.arctan2(m.v[:, 1], m.v[:, 0]))
    m.v[:, 2] = 0.22 * np.sqrt(np.clip(1 - rel**4, 0, 1))
    return m.mottled(*colours, freq=0.4, seed=s)


def _drape(scene: Scene, m: Mesh, x: float, y: float, lift: float, finish: str) -> None:
    """Lay a flat pool over whatever is below it."""
    v = m.v + [x, y, 0]
    v[:, 2] += scene.heights.at(v[:, :2]) + lift
    scene.add(Mesh(v, m.f, m.c), finish)


def _dress(scene: Scene, recipe: Recipe, rng: np.random.Generator, x: float, y: float) -> None:
    """What goes on top of the meat."""
    if recipe.has("cream, for the sauce"):
        pool = _sauce(rng, 5.2, ("#a87f50", "#c29a68", "#d3b080"))
        _drape(scene, pool, x - 0.8, y - 1.2, 0.02, "glaze")
        p = rng.normal(0, 2.6, (150, 2)) + [x, y]
        z = scene.heights.at(p)[:, None] + 0.05
        corn = blob(0.17, detail=4).painted("#1d1510")
        scene.add(copies(corn, np.concatenate([p, z], 1), rng, 60, (0.6, 1.4)), "matte")
    if recipe.has("herb butter"):
        pat = slab(circle(1.7, 70, 0.03, 1), 0.8, 0.25, 16).painted("#e8cf78")
        d, ident = noise.cells(pat.v, 2.2, _seed(rng))
        pat = pat.tinted((d < 0.25) * (ident > 0.3) * 0.9, "#3f6b20")
        _drape(scene, _sauce(rng, 2.6, ("#c99a3a", "#d9b04c", "#e3c066")), x, y, -0.1, "liquid")
        scene.drop(pat, x, y, "moist", 0.3)
    if recipe.has("chimichurri"):
        for dx, dy in spread(rng, 1.0, 130):
            m = produce.herb_leaf(rng, rng.uniform(0.5, 0.9)).spun(rng, 40).jittered(rng, 0.12)
            scene.drop(m, x + dx * 6.2, y - 0.6 + dy * 1.5, "wet", 0.2)
        for dx, dy in spread(rng, 1.0, 22):
            m = produce.cubes(rng, 0.35, ("#a81a0e", "#c2301a"), 0.2)
            scene.drop(m.spun(rng, 40), x + dx * 6, y - 0.6 + dy * 1.5, "wet", 0.2)
    if recipe.has("onions, in rings") and not recipe.has("red onion"):
        for dx, dy in rng.normal(0, 1, (30, 2)) * [2.6, 1.4]:
            scene.drop(_fried_onion(rng).spun(rng, 20), x + dx, y + dy, "wet", 0.35)
    if recipe.has("rosemary", "thyme"):
        m = savoury.sprig(rng, 7, recipe.has("rosemary")).turned("z", rng.uniform(-40, 40))
        scene.drop(m, x + 0.5, y, "leaf", 0.3)
    if recipe.has("parmesan"):
        for dx, dy in spread(rng, 1.0, 18):
            o = circle(1, 40, 0.25, _seed(rng)) * [1.6, 0.85]
            m = slab(o, 0.1, 0.03, 8).painted("#ead79e").bent(rng.uniform(1.5, 3))
            scene.drop(produce.grounded(m).spun(rng, 15), x + dx * 6, y + dy * 4, "satin", 0.2)
    if recipe.has("parsley leaves"):
        for dx, dy in spread(rng, 5, 12):
            leaf = produce.herb_leaf(rng, rng.uniform(1.4, 2.0)).spun(rng, 20)
            scene.drop(leaf, x + dx, y + dy, "leaf", 0.2)
    if not recipe.has("chimichurri"):
        p = rng.normal(0, 1, (90, 2)) * [3.4, 1.8] + [x, y]
        z = scene.heights.at(p)[:, None] + 0.04
        flake = produce.cubes(rng, 0.2, ("#efe9dd", "#f7f3ea"), 0.1)
        scene.add(copies(flake, np.concatenate([p, z], 1), rng, 60, (0.5, 1.2)), "satin")


def build(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> None:
    """Meat in front, the vegetables in heaps behind and beside it."""
    scene.table()
    savoury.far_table(scene)
    sliced = recipe.titled("sliced", "flank")
    if recipe.has("t-bone") or (sliced and rng.random() < 0.5):
        ware = scene.serve(tableware.board(37, 28, int(rng.integers(99)), rng.random() < 0.5))
    else:
        ware = scene.serve(tableware.any_plate(rng, 15))
    z = ware.floor
    side = float(rng.choice([-1, 1]))
    x, y = -1.4 * side, -4.0
    if not recipe.has("cream, for the sauce"):
        scene.add(
            _sauce(rng, 5.6, ("#4a1f10", "#6b3018", "#7f4222")).moved(x, y, z - 0.1), "liquid"
        )
    if recipe.has("for the mash"):
        scene.drop(_mash(rng, 5.2), 5.6 * side, 4.2, "cream", 0.3)
    if recipe.has("rocket"):
        many = 60 if sliced else 16
        for dx, dy in spread(rng, 1.0, many):
            m = produce.rocket_leaf(rng, rng.uniform(5, 7)).spun(rng, 25).jittered(rng, 0.12)
            at = (dx * 10, dy * 8) if sliced else (-6.5 * side + dx * 3, 4.5 + dy * 2.5)
            scene.drop(m, *at, "leaf", 0.3)
    spots = [(-5.2 * side, 4.4), (5.0 * side, 5.0), (8.4 * side, -1.0)]
    if recipe.has("for the mash"):
        spots = [(-5.2 * side, 4.4), (0.4 * side, 7.6)]
    if recipe.has("chips"):
        savoury.heap_of_chips(scene, rng, 4.4 * side, 5.2, 52, 2.5, z + 3.6)
        spots = [(-6.4 * side, 4.2)]
    heaps = [row for row in SIDES if recipe.has(*row[0])]
    for (_, piece, finish, count, size, ordered), (hx, hy) in zip(heaps, spots, strict=False):
        way = side * rng.uniform(20, 50) * (1 if hx * side > 0 else -1)
        for dx, dy in rng.normal(0, size, (count, 2)):
            m = piece(rng).jittered(rng, 0.07)
            m = m.turned("z", way + rng.uniform(-14, 14)) if ordered else m.spun(rng, 14)
            if scene.heights.at(np.array([hx + dx, hy + dy * 0.85])) > z + 3.0:
                continue
            if ordered:
                a = np.radians(way + 90)
                dx, dy = dy * 0.3 + dx * np.cos(a), dx * np.sin(a) * 0.8
            scene.drop(m, hx + dx, hy + dy * 0.85, finish, 0.3, 0.5)
    if sliced:
        y = -2.4
        pieces = _slices(rng, 8, 6.8 if recipe.titled("tagliata") else 5.6)
        low = float(np.median(scene.heights.at(np.array([[x + d, y] for d in (-4, -2, 0, 2, 4)]))))
        for k, m in enumerate(pieces):
            m = produce.grounded(m).turned("z", rng.uniform(-6, 6))
            scene.add(
                m.moved(x + (k - 3.5) * 1.85, y + 0.02 * (k - 3.5) ** 2, low * 0.7 + z * 0.3),
                "moist",
            )
    else:
        yaw = rng.uniform(-25, 25)
        lift = 0.05
        for mesh, finish in _whole(rng, recipe):
            m = mesh.turned("x", 4).turned("z", yaw)
            scene.add(m.moved(x, y, z + lift + 0.2), finish)
        if recipe.has("fillet"):
            for mesh, finish in _whole(rng, recipe):
                scene.add(mesh.turned("z", 80).moved(x + 8.0 * side, y + 1.6, z + 0.1), finish)
    _dress(scene, recipe, rng, x, y)
    if rng.random() < 0.75:
        fork = tableware.fork().turned("z", 90 + rng.uniform(-8, 8))
        scene.add(fork.moved(-19, -1), "metal")
        knife = tableware.knife().turned("z", 90 + rng.uniform(-8, 8))
        scene.add(knife.moved(19, -1), "metal")
    if rng.random() < 0.5:
        colour = ("#a33b30", "#3f5f86", "#5d7048")[rng.integers(3)]
        napkin = tables.cloth(rng, 26, 36, "#ece6da", colour, ("stripes", "check")[rng.integers(2)])
        scene.add(
            napkin.turned("z", rng.uniform(-40, 40)).moved(rng.choice([-22, 22]), 15), "cloth"
        )
    scene.shoot(height=(34, 56), distance=(39, 43), aim=(0, -0.4, 2), lens=0.55)
