"""Fried eggs: in an iron pan or on a plate, with bacon, toast, beans, asparagus or a hash."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import noise, produce, savoury, tables, tableware
from kit.geometry import Mesh, blob, circle, copies, disc_field, join, slab, tube
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene

Piece = Callable[[np.random.Generator], Mesh]
# plates on which the white of an egg stands out
PLATES = (
    ("#4a5560", "#8b7a62", "stoneware"),
    ("#8fa3a0", "#6c5a45", "stoneware"),
    ("#2e3033", None, "stoneware"),
    ("#b9a68a", "#7a5a3a", "stoneware"),
    ("#3f5f78", None, "ceramic"),
    ("#7d8f78", "#4f5d4a", "stoneware"),
)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 30))


def _egg(rng: np.random.Generator, radius: float = 5.2, crisp: float = 1.0) -> Mesh:
    """One egg: uneven white, blistered brown lace at the rim, a tight domed yolk."""
    s = _seed(rng)
    off = rng.uniform(-0.14, 0.14, 2) * radius
    yolk = rng.uniform(1.75, 1.95)
    tall = rng.uniform(1.0, 1.25)

    def edge(a: np.ndarray) -> np.ndarray:
        p = np.stack([np.cos(a), np.sin(a)], 1)
        return radius * (1 + 0.2 * noise.fbm(p, 0.9, 4, seed=s))

    def rel_of(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        a = np.arctan2(y, x)
        return np.hypot(x, y) / edge(a.ravel()).reshape(a.shape)

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        rel = rel_of(x, y)
        d = np.hypot(x - off[0], y - off[1]) / yolk
        white = 0.22 + 0.14 * noise.fbm(p, 0.45, 3, seed=s)
        white = white + 0.3 * noise.step(2.0, 0.9, d + 0.2 * noise.value(p, 0.5, s))
        rim = noise.step(0.8, 0.93, rel)
        bubble, ident = noise.cells(p, 1.5, s + 1)
        lace = np.sqrt(np.clip(1 - (bubble / 0.42) ** 2, 0, 1)) * (ident > 0.25)
        white = white + crisp * rim * (0.16 * lace + 0.25 * np.clip(noise.value(p, 0.6, s), 0, 1))
        few, lone = noise.cells(p, 0.5, s + 2)
        white = white + 0.14 * np.sqrt(np.clip(1 - (few / 0.16) ** 2, 0, 1)) * (lone > 0.5)
        dome = tall * np.sqrt(np.clip(1 - d**2.2, 0, 1))
        z = white + dome + 0.1 * noise.step(1.12, 0.98, d)
        return z * np.sqrt(np.clip(1.02 - rel**14, 0, 1))

    m = disc_field(edge, height, 130, 320)
    x, y = m.v[:, 0], m.v[:, 1]
    rel = rel_of(x, y)
    d = np.hypot(x - off[0], y - off[1]) / yolk
    fine = noise.fbm(m.v, 0.8, 4, seed=s + 3)
    m = m.painted("#e8e3d5").tinted(noise.step(0.1, 0.7, fine) * 0.35, "#e3dcc4")
    m = m.tinted(noise.step(0.84, 1.0, rel + 0.1 * fine) * 0.85 * crisp, "#c48a3c")
    m = m.tinted(noise.step(0.93, 1.05, rel + 0.16 * fine) * 0.9 * crisp, "#6b3a12")
    m = m.tinted(noise.step(1.12, 1.0, d) * 0.4, "#f1d590")
    m = m.tinted(noise.step(1.02, 0.95, d), "#e58a0a")
    return m.tinted(noise.step(0.9, 0.2, d) * 0.7, "#f3a417")


def _sausage(rng: np.random.Generator) -> Mesh:
    s = _seed(rng)
    t = np.linspace(-1, 1, 70)
    path = np.stack([t * 4.6, 0.9 * (1 - t**2), 0 * t], 1)
    m = tube(path, 1.35 * np.sqrt(np.clip(1.015 - t**6, 0.01, 1)), 30)
    m = m.mottled("#6b3414", "#935325", "#b5763c", freq=0.5, seed=s)
    dark = noise.step(0.2, 0.55, noise.fbm(m.v * [0.5, 1, 1], 0.7, 4, seed=s + 1))
    return produce.grounded(m.tinted(dark * 0.7, "#321406").rough(0.05, 1.2, seed=s))


def _back_bacon(rng: np.random.Generator) -> Mesh:
    m = savoury.bacon(rng, 12).scaled(1, 1.25, 0.8)
    return produce.grounded(m.tinted(np.full(len(m.v), 0.35), "#b5604a"))


def _ham(rng: np.random.Generator) -> Mesh:
    s = _seed(rng)
    m = slab(circle(5.6, 200, 0.06, s) * [1.15, 0.85], 0.5, 0.18, 60)
    m = m.mottled("#c9766b", "#dc968a", "#e8b0a2", freq=0.35, seed=s)
    r = np.hypot(m.v[:, 0] / 1.15, m.v[:, 1] / 0.85) / 5.6
    fat = noise.step(0.88, 0.94, r) * noise.step(-0.2, 0.3, m.v[:, 1])
    m = m.tinted(fat * 0.9, "#eed8c2").tinted(noise.step(0.97, 1.02, r) * 0.6, "#8f4a2c")
    return produce.grounded(m.rough(0.05, 0.5, seed=s).bent(26, "y"))


def _tortilla(rng: np.random.Generator, radius: float = 7.2) -> Mesh:
    s = _seed(rng)
    m = slab(circle(radius, 200, 0.02, s), 0.25, 0.1, 60)
    m.v[:, 2] += 0.25 * noise.fbm(m.v, 0.2, 3, seed=s)
    m = m.mottled("#d0a04c", "#e2bc70", "#ecd092", freq=0.5, seed=s)
    brown = noise.step(0.25, 0.5, noise.fbm(m.v, 0.55, 4, seed=s + 1))
    return produce.grounded(m.tinted(brown * 0.75, "#8a5220"))


def _feta(rng: np.random.Generator) -> Mesh:
    return produce.cubes(rng, rng.uniform(0.5, 1.0), ("#ece6d6", "#f5f1e6"), 0.3)


def _salsa(rng: np.random.Generator, radius: float, chunks: int = 60) -> Mesh:
    """Thick cooked tomato with its lumps and skins."""
    s = _seed(rng)

    def edge(a: np.ndarray) -> np.ndarray:
        return radius * (1 + 0.12 * noise.fbm(np.stack([np.cos(a), np.sin(a)], -1), 1.4, 3, seed=s))

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        rel = np.hypot(x, y) / radius
        body = 0.55 * np.sqrt(np.clip(1.15 - rel**4, 0, 1))
        return body + 0.2 * noise.fbm(p, 0.5, 3, seed=s) + 0.14 * noise.fbm(p, 1.6, 2, seed=s + 1)

    m = disc_field(edge, height, 90, 260)
    m = m.mottled("#6b1408", "#962410", "#b8401a", freq=0.6, seed=s + 2)
    oil = noise.step(0.3, 0.6, noise.fbm(m.v, 0.35, 3, seed=s + 3))
    m = m.tinted(oil * 0.4, "#c9601c")
    lumps = []
    for x, y in spread(rng, radius * 0.9, chunks):
        c = produce.cubes(rng, rng.uniform(0.6, 1.1), ("#a3230f", "#c23a1c"), 0.35)
        lumps.append(c.spun(rng, 30).moved(x, y, 0.25))
    return join([m, *lumps])


def _beans(rng: np.random.Generator, count: int, size: float, colour: str) -> Mesh:
    """A heap of small beans round the origin."""
    bean = blob(0.62, 0.4, 0.38, 10).bent(0.9, "y").painted(colour)
    p = rng.normal(0, size, (count, 2))
    r2 = (p**2).sum(1)
    z = 0.3 + rng.uniform(0, 1, count) * 0.9 * np.exp(-r2 / (2 * size**2))
    return copies(bean, np.column_stack([p, z]), rng, 60, (0.85, 1.15), 0.12)


def _pile(
    scene: Scene,
    rng: np.random.Generator,
    piece: Piece,
    count: int,
    at: tuple[float, float],
    size: float,
    finish: str,
    sink: float = 0.3,
) -> None:
    """Pieces heaped about a point."""
    for dx, dy in rng.normal(0, size, (count, 2)):
        m = piece(rng).jittered(rng, 0.08).spun(rng, 18)
        scene.drop(m, at[0] + dx, at[1] + dy, finish, sink)


def _season(scene: Scene, recipe: Recipe, rng: np.random.Generator, reach: float) -> None:
    """Pepper, herbs and crumbs strewn over everything."""
    if recipe.has("black pepper"):
        p = rng.normal(0, reach * 0.45, (170, 2))
        z = scene.heights.at(p)[:, None] + 0.03
        grain = blob(0.09, detail=3).painted("#1f1812")
        scene.add(copies(grain, np.concatenate([p, z], 1), rng, 90, (0.5, 1.5)), "matte")
    if recipe.has("chilli flakes"):
        p = rng.normal(0, reach * 0.4, (70, 2))
        z = scene.heights.at(p)[:, None] + 0.04
        flake = slab(circle(0.2, 8), 0.06, 0.02, 2).painted("#a8200f")
        scene.add(copies(flake, np.concatenate([p, z], 1), rng, 50, (0.5, 1.4)), "moist")
    if recipe.has("chives"):
        for x, y in spread(rng, reach * 0.75, 60):
            scene.drop(produce.scallion_ring(rng, 0.22).spun(rng, 60), x, y, "moist")
    if recipe.has("feta"):
        for x, y in spread(rng, reach * 0.7, 34):
            scene.drop(_feta(rng).spun(rng, 30), x, y, "matte", 0.3)
    if recipe.has("parsley", "coriander"):
        for x, y in spread(rng, reach * 0.75, 26):
            leaf = produce.herb_leaf(rng, rng.uniform(1.3, 2.1)).spun(rng, 20)
            scene.drop(leaf, x, y, "leaf", 0.2)
    if recipe.has("parmesan"):
        for x, y in spread(rng, reach * 0.6, 13):
            o = circle(1, 40, 0.25, _seed(rng)) * [1.5, 0.8]
            m = slab(o, 0.1, 0.03, 8).painted("#ead79e").bent(rng.uniform(1.5, 3))
            scene.drop(produce.grounded(m).spun(rng, 12), x, y, "satin", 0.2)


def _lay_eggs(
    scene: Scene,
    rng: np.random.Generator,
    places: list[tuple[float, float]],
    size: float,
    sink: float = 0.08,
) -> None:
    for x, y in places:
        m = _egg(rng, size * rng.uniform(0.93, 1.06)).turned("z", rng.uniform(0, 360))
        scene.drop(m, x, y, "glaze", sink, 0.4)


def _in_pan(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> None:
    """Eggs in an iron pan, alone or on what was fried before them."""
    ware = tableware.pan(12.5, 4.0, ("#1d1c1b", "#262321")[rng.integers(2)])
    swing = rng.uniform(-60, 20) if rng.random() < 0.5 else rng.uniform(160, 215)
    scene.add(ware.mesh.turned("z", swing), ware.finish)
    reach = ware.inner
    count = 4 if recipe.has("4 eggs") else 3 if recipe.has("3 very", "3 eggs") else 2
    ring = []
    start = rng.uniform(0, 360)
    out = {2: 4.6, 3: 5.0, 4: 5.7}.get(count, 0)
    for k in range(count):
        a = np.radians(start + 360 / count * k)
        ring.append((out * np.cos(a), out * np.sin(a)))
    if recipe.has("chopped tomatoes"):
        scene.add(_salsa(rng, reach + 0.9, 120).moved(z=ware.floor + 0.6), "wet")
        for x, y in spread(rng, reach * 0.85, 16):
            m = produce.pepper_strip(rng, "#a81c0f", rng.uniform(3.5, 5.5)).spun(rng, 6)
            scene.drop(m, x, y, "wet", 0.6)
        size = 3.9
    elif recipe.has("potatoes"):
        for x, y in spread(rng, reach * 0.95, 120):
            m = savoury.potato(rng, rng.uniform(1.5, 2.0), 0.8).spun(rng, 30)
            scene.drop(m, x, y, "moist", 0.35)
        for x, y in spread(rng, reach * 0.9, 34):
            m = produce.cubes(rng, 1.2, ("#7a1c0c", "#a3381a"), 0.2).spun(rng, 30)
            scene.drop(m, x, y, "wet", 0.3)
        for x, y in spread(rng, reach * 0.85, 14):
            scene.drop(produce.pepper_strip(rng, "#4a7d20", 3.6).spun(rng, 15), x, y, "wet", 0.3)
        for x, y in spread(rng, reach * 0.85, 10):
            scene.drop(produce.onion_ring(rng, 1.5).spun(rng, 15), x, y, "wet", 0.3)
        size = 4.3
    elif recipe.has("spinach"):
        for x, y in spread(rng, reach * 0.92, 95):
            m = produce.spinach_leaf(rng, rng.uniform(3.2, 4.8)).spun(rng, 25).jittered(rng, 0.12)
            scene.drop(m, x, y, "moist", 0.5)
        for x, y in spread(rng, reach * 0.92, 46):
            piece = produce.mushroom_slice(rng, rng.uniform(2.4, 3.2))
            brown = piece.tinted(np.full(len(piece.v), 0.35), "#8a5424").spun(rng, 18)
            scene.drop(brown, x, y, "moist", 0.35)
        size = 4.9
    else:
        size = 5.6
    bare = size > 5.5
    _lay_eggs(scene, rng, ring, size, 0.08 if bare else 0.5)
    _season(scene, recipe, rng, reach)
    if rng.random() < 0.6:
        colour = ("#a33b30", "#3f5f86", "#5d7048")[rng.integers(3)]
        napkin = tables.cloth(rng, 26, 34, "#ece6da", colour, ("stripes", "check")[rng.integers(2)])
        scene.add(napkin.turned("z", rng.uniform(-40, 40)).moved(-20, 13), "cloth")
    scene.shoot(height=(44, 78), distance=(44, 49), aim=(0, -0.3, 2), lens=0.5)


def _on_plate(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> None:
    """Two eggs in front with their company behind and beside them."""
    colour, rim, finish = PLATES[rng.integers(len(PLATES))]
    ware = scene.serve(tableware.plate(15, colour, rim, finish, bool(rng.random() < 0.5)))
    z = ware.floor
    side = float(rng.choice([-1, 1]))
    kind = "brown" if recipe.has("brown bread") else "white"
    if recipe.has("avocado"):
        for x, turn in ((-5.6, 8), (5.6, -8)):
            toast = savoury.bread_slice(rng, 11, 11.5, 1.7, "brown", 0.7)
            toast = toast.turned("z", turn + rng.uniform(-6, 6))
            scene.drop(toast, x, 0.2, "crust")
            for k in range(9):
                m = savoury.avocado_slice(rng, 5.2).jittered(rng, 0.05)
                m = m.turned("z", 90 + rng.uniform(-14, 14))
                scene.drop(m, x - 3.6 + 0.9 * k, 0.4 + rng.normal(0, 0.4), "moist", 0.35)
            _lay_eggs(scene, rng, [(x, 0.2)], 4.5, 0.4)
        _pile(scene, rng, lambda r: produce.rocket_leaf(r, 5), 12, (0, 9.2), 1.6, "leaf")
        _season(scene, recipe, rng, 11)
        return
    if recipe.has("tortilla"):
        for x, y in ((-3.6, 1.6), (3.8, -1.6)):
            scene.drop(_tortilla(rng), x, y, "crust", 0.1, 0.5)
        for x, y in ((-3.4, 1.4), (3.6, -1.4)):
            salsa = _salsa(rng, 5.6, 40)
            scene.add(salsa.moved(x, y, float(scene.heights.at(np.array([x, y]))) - 0.1), "wet")
        for x, y in ((-1.0, -4.4), (6.2, 3.0), (-7.2, 4.4)):
            heap = _beans(rng, 40, 0.9, "#1f1312")
            scene.add(heap.moved(x, y, float(scene.heights.at(np.array([x, y]))) - 0.2), "wet")
        _lay_eggs(scene, rng, [(-3.4, 1.6), (3.7, -1.6)], 4.7, 0.35)
        _season(scene, recipe, rng, 9)
        return
    if recipe.has("asparagus"):
        for k in range(13):
            m = savoury.asparagus(rng, rng.uniform(15, 17)).jittered(rng, 0.08)
            m = m.turned("z", 78 * side + rng.uniform(-9, 9))
            scene.drop(m, (k % 9 - 4) * 1.35, 0.8 + rng.normal(0, 0.6), "moist", 0.2, 0.3)
        _lay_eggs(scene, rng, [(-3.9 * side, 0.6), (4.2 * side, -2.0)], 4.9, 0.35)
        _season(scene, recipe, rng, 9)
        return
    eggs = [(-4.4 * side, -3.2), (4.2 * side, -4.2)]
    if recipe.has("cooked ham"):
        scene.drop(_ham(rng).turned("z", 25), -4.5 * side, -2.0, "moist", 0.1)
        scene.drop(_ham(rng).turned("z", -20), -1.0 * side, 2.4, "moist", 0.1)
        eggs = [(-4.6 * side, -3.0), (0.8 * side, 1.8)]
        savoury.heap_of_chips(scene, rng, 6.6 * side, 1.0, 50, 2.6, z + 3.6)
        peas = blob(0.4, detail=9).painted("#4f8a26")
        p = rng.normal(0, 1.5, (90, 2)) + [1.5 * side, -7.4]
        p = np.column_stack([p, np.full(90, z + 0.35) + rng.uniform(0, 0.5, 90)])
        scene.add(copies(peas, p, rng, 30), "moist")
    if recipe.has("bread"):
        count = 1 if recipe.has("1 slice") else 2
        for k in range(count):
            toast = savoury.bread_slice(rng, 10, 9.5, 1.3, kind, 0.8)
            toast = toast.turned("x", 12 + 8 * k).turned("z", side * (18 + 14 * k))
            scene.drop(toast, (5.0 - 2.6 * k) * side, 6.4 - 0.8 * k, "crust", 0.1, 0.4)
    if recipe.has("streaky"):
        for k in range(4):
            m = savoury.bacon(rng, 13.5).turned("z", side * (58 + 9 * k) + rng.uniform(-6, 6))
            scene.drop(m, (-6.6 + 1.9 * k) * side, 3.6 + 0.3 * k, "moist", 0.25)
    if recipe.has("back bacon"):
        for k in range(2):
            m = _back_bacon(rng).turned("z", side * (100 + 12 * k))
            scene.drop(m, (-9.6 + 2.4 * k) * side, 1.2, "moist", 0.2)
    if recipe.has("sausages"):
        for k in range(2):
            m = _sausage(rng).turned("z", side * (62 + 6 * k))
            scene.drop(m, (-4.8 + 2.9 * k) * side, 5.0 + 0.6 * k, "moist")
    if recipe.has("baked beans"):
        pool = disc_field(3.9, lambda x, y: 0.25 * np.clip(1 - (x**2 + y**2) / 15, 0, 1), 30, 120)
        scene.add(pool.painted("#a8420f").moved(6.4 * side, 2.2, z + 0.2), "wet")
        scene.add(_beans(rng, 120, 1.6, "#c4681f").moved(6.4 * side, 2.2, z + 0.2), "wet")
    if recipe.has("mushroom"):
        at = (0.6 * side, 1.0)
        _pile(scene, rng, lambda r: produce.mushroom_slice(r, 2.7), 13, at, 1.9, "moist", 0.6)
    if recipe.has("tomato, halved"):
        m = produce.cherry_tomato(rng, 2.8)
        scene.drop(m, -0.2 * side, -8.0, "wet", 0.1)
    if recipe.has("cherry tomato"):
        for k in range(6):
            m = produce.cherry_tomato(rng, 1.35, half=k % 2 == 0)
            x, y = (0.2 + 0.9 * (k % 3)) * side, -8.6 + 2.2 * (k // 3) - 0.4 * (k % 3)
            scene.drop(m.spun(rng, 10), x * 1.9, y, "wet", 0.1)
    _lay_eggs(scene, rng, eggs, 5.0)
    _season(scene, recipe, rng, 9)


def build(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> None:
    """Eggs in a pan or on a plate, by what the recipe fries them with."""
    scene.table()
    savoury.far_table(scene)
    if recipe.titled("pan", "eggs fried in") or recipe.has("spinach", "chorizo"):
        _in_pan(scene, recipe, rng)
        return
    _on_plate(scene, recipe, rng)
    if rng.random() < 0.7:
        fork = tableware.fork().turned("z", 90 + rng.uniform(-8, 8))
        scene.add(fork.moved(-18.5, -1), "metal")
        knife = tableware.knife().turned("z", 90 + rng.uniform(-8, 8))
        scene.add(knife.moved(18.5, -1), "metal")
    scene.shoot(height=(38, 66), distance=(41, 45), aim=(0, -0.3, 1.5), lens=0.5)
