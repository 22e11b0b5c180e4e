"""Pizza: a blistered crust, sauce, melted cheese and the toppings that the recipe names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import noise, produce, tables, tableware
from kit.geometry import Mesh, blob, circle, copies, disc_field, rounded_box, slab
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene


def _dough(rng: np.random.Generator, radius: float, base: str, cheese: float) -> Mesh:
    """The whole round from rim to rim: crust, a ring of sauce, cheese in between."""
    s = int(rng.integers(1 << 30))
    colours = {
        "tomato": ("#7d160a", "#a32a10", "#bb441c"),
        "pesto": ("#3d5a1c", "#587a2a", "#6f9038"),
        "white": ("#e6d8b4", "#efe4c6", "#f4ecd6"),
        "bbq": ("#4a1c0e", "#642812", "#7a3518"),
    }[base]

    def edge(a: np.ndarray) -> np.ndarray:
        p = np.stack([np.cos(a), np.sin(a)], -1)
        return radius * (1 + 0.035 * noise.fbm(p, 1.1, 4, seed=s))

    def parts(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        p = np.stack([x, y], -1)
        warp = p + 0.8 * np.stack([noise.value(p, 0.35, s), noise.value(p, 0.35, s + 1)], -1)
        rel = np.hypot(x, y) / edge(np.arctan2(y, x))
        start = 0.81 + 0.025 * noise.fbm(p, 0.35, 2, seed=s + 2)
        rim = noise.step(start, start + 0.05, rel)
        k = np.clip((rel - start) / (1.0 - start), 0, 1)
        bubble = noise.fbm(p, 0.33, 3, seed=s + 3)
        hump = np.sqrt(np.clip(1 - (2 * k - 0.85) ** 2 / 1.33, 0, 1)) * rim
        hump = hump * (0.75 + 0.6 * bubble) * noise.step(1.01, 0.93, rel)
        patch = noise.fbm(warp, 0.3, 4, seed=s + 4)
        melt = noise.step(0.62 - cheese, 0.78 - cheese, patch * 0.5 + 0.5)
        melt = (cheese > 0) * melt * noise.step(0.86, 0.78, rel + 0.03 * patch)
        fine = noise.fbm(p, 1.2, 3, seed=s + 5)
        return {"rel": rel, "rim": rim, "hump": hump, "melt": melt, "fine": fine, "patch": patch}

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        q = parts(x, y)
        z = 0.4 + q["hump"] + 0.045 * q["fine"] * (1 - q["rim"]) + 0.03 * q["fine"] * q["rim"]
        blister = noise.step(0.25, 0.7, q["patch"])
        z = z + q["melt"] * (0.16 + 0.12 * blister + 0.05 * q["fine"])
        return z * np.sqrt(np.clip(1 - ((q["rel"] - 0.87) / 0.131) ** 2, 0, 1)) ** (q["rel"] > 0.87)

    m = disc_field(edge, height, 170, 430)
    q = parts(m.v[:, 0], m.v[:, 1])
    p = m.v
    m = m.mottled(*colours, freq=0.7, seed=s + 6)
    m = m.tinted(noise.step(0.35, 0.8, q["fine"]) * 0.5, colours[0])
    m = m.tinted(q["melt"] * (0.92 - 0.25 * noise.step(0.1, 0.8, q["fine"])), "#f6d58c")
    thin = q["melt"] * (1 - q["melt"]) * 3
    m = m.tinted(thin * 0.5, "#df9a4c")
    brown = noise.step(0.3, 0.75, noise.fbm(p, 0.5, 4, seed=s + 7)) * q["melt"]
    m = m.tinted(brown * 0.75, "#d58a30")
    spot = noise.step(0.35, 0.65, noise.fbm(p, 0.8, 3, seed=s + 8)) * q["melt"]
    m = m.tinted(spot * 0.8, "#8f4414")
    m = m.tinted(q["rim"], "#d9a25c")
    tan = noise.step(-0.35, 0.55, noise.fbm(p, 0.35, 4, seed=s + 9) + 0.35 * (q["hump"] - 0.9))
    m = m.tinted(q["rim"] * tan * 0.8, "#b8712f")
    char = noise.step(0.25, 0.6, noise.fbm(p, 0.75, 3, seed=s + 10)) * noise.step(0.5, 1, q["hump"])
    m = m.tinted(q["rim"] * char * 0.9, "#351609")
    crown = noise.step(0.45, 1.1, q["hump"] + 0.25 * q["patch"]) * q["rim"]
    m = m.tinted(crown * 0.55, "#a35c22")
    flour = noise.step(0.35, 0.8, noise.fbm(p, 0.6, 4, seed=s + 11)) * q["rim"]
    return m.tinted(flour * 0.22, "#f1e6d0")


def _pool(rng: np.random.Generator, radius: float) -> Mesh:
    """A melted disc of mozzarella."""
    s = int(rng.integers(1 << 30))

    def edge(a: np.ndarray) -> np.ndarray:
        return radius * (1 + 0.45 * noise.fbm(np.stack([np.cos(a), np.sin(a)], -1), 1.1, 4, seed=s))

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        rel = np.hypot(x, y) / edge(np.arctan2(y, x).ravel()).reshape(x.shape)
        p = np.stack([x, y], -1)
        return 0.3 * np.clip(1 - rel**2, 0, 1) + 0.06 * noise.fbm(p, 0.6, 3, seed=s)

    m = disc_field(edge, height, 40, 90).painted("#f2e2bd")
    rel = np.hypot(m.v[:, 0], m.v[:, 1]) / radius
    m = m.tinted(noise.step(0.7, 1.1, rel) * 0.4, "#e8bf7c")
    toast = noise.step(0.35, 0.75, noise.fbm(m.v, 0.7, 3, seed=s + 3))
    return m.tinted(toast * 0.55, "#c98a3a")


def _prosciutto(rng: np.random.Generator) -> Mesh:
    s = int(rng.integers(1 << 30))
    m = slab(circle(1, 120, 0.12, s) * [3.6, 1.6], 0.09, 0.03, 34)
    v = m.v
    fat = noise.fbm(v * [0.4, 1.6, 1], 0.6, 3, seed=s)
    m = m.mottled("#a8443c", "#c4655a", "#d78a7c", freq=0.6, seed=s)
    m = m.tinted(noise.step(0.3, 0.5, fat) * 0.7, "#f0d4c4")
    rim = noise.step(1.1, 1.5, np.abs(v[:, 1]) + 0.2 * fat) * (v[:, 1] > 0)
    m = m.tinted(rim * 0.9, "#f2dccb")
    m.v[:, 2] += 0.55 * np.sin(v[:, 0] * 1.7 + fat) + 0.5 * noise.fbm(v, 0.35, 2, seed=s)
    m.v[:, 0] *= 0.72
    return produce.grounded(m)


def _artichoke(rng: np.random.Generator) -> Mesh:
    m = blob(1.5, 0.9, 0.55, 26)
    layer = np.sin(m.v[:, 0] * 5 + 2.5 * np.abs(m.v[:, 1]))
    m = m.displaced(0.12 * layer).mottled("#a9a05a", "#c9bf7e", "#ddd3a0", seed=3)
    return produce.grounded(m.tinted(noise.step(0.3, 0.9, layer) * 0.5, "#6f7035"))


def _anchovy(rng: np.random.Generator) -> Mesh:
    t = np.linspace(-1, 1, 40)
    path = np.stack([t * 3.2, 0.5 * np.sin(t * 2 + rng.uniform(0, 6)), 0 * t], 1)
    from kit.geometry import tube

    m = tube(path, 0.62 * (1 - 0.6 * t**2), 12, flat=0.4)
    stripe = noise.step(-0.1, 0.3, m.v[:, 1] - 0.5 * np.sin(m.v[:, 0] / 3 * 2))
    return produce.grounded(m.painted("#6b3d2a").tinted(stripe * 0.5, "#a9765a").rough(0.04, 2))


def _sausage(rng: np.random.Generator) -> Mesh:
    m = blob(*(rng.uniform(0.6, 1.0, 3) * [1, 1, 0.75]), detail=18)
    m = m.rough(0.22, 1.1, 4, seed=int(rng.integers(1 << 30)))
    return produce.grounded(m.mottled("#5f3018", "#8a4d2a", "#a96b42", freq=1.5, seed=5))


def _chicken(rng: np.random.Generator) -> Mesh:
    m = rounded_box(*rng.uniform([1.6, 1.1, 0.7], [2.3, 1.6, 1.0]), 0.3, 16)
    m = m.rough(0.14, 1.0, 4, seed=int(rng.integers(1 << 30)))
    return produce.grounded(m.mottled("#b8793f", "#dcb07a", "#ecd0a4", freq=0.9, seed=8))


def _courgette(rng: np.random.Generator) -> Mesh:
    m = slab(circle(1.7, 80, 0.03, 3), 0.3, 0.1, 20)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / 1.7
    m = m.mottled("#d3d79a", "#e5e6b8", freq=1.5, seed=2)
    m = m.tinted(noise.step(0.88, 0.96, r), "#3f6b26")
    bars = noise.step(0.5, 0.8, np.sin(m.v[:, 0] * 4.5))
    return produce.grounded(m.tinted(bars * 0.7 * (r < 0.97), "#5a3a1a").bent(rng.uniform(4, 9)))


def _mushroom(rng: np.random.Generator) -> Mesh:
    """A slice fried golden, its gills dark."""
    m = produce.mushroom_slice(rng, rng.uniform(2.9, 3.8))
    fried = noise.step(-0.5, 0.7, produce.fbm_of(m, 0.8, rng))
    return m.tinted(np.full(len(m.v), 0.4), "#d39a4e").tinted(fried * 0.45, "#94561f")


def _gorgonzola(rng: np.random.Generator) -> Mesh:
    m = _pool(rng, rng.uniform(0.9, 1.5)).mottled("#d9c68e", "#eaddb0", "#f2e9c8", freq=0.8)
    vein = noise.step(0.1, 0.4, produce.fbm_of(m, 1.1, rng))
    return m.tinted(vein * 0.85, "#4a6460")


def _corn(rng: np.random.Generator) -> Mesh:
    return produce.grounded(blob(0.36, 0.3, 0.27, 8).mottled("#e2a516", "#f3c83a", freq=2, seed=1))


def _spinach(rng: np.random.Generator) -> Mesh:
    """A wilted leaf, pressed flat by the oven."""
    m = produce.spinach_leaf(rng, rng.uniform(3.2, 4.6)).scaled(1, 1, 0.35)
    return produce.grounded(m.shaded(1.25))


def _caper(rng: np.random.Generator) -> Mesh:
    return produce.grounded(blob(0.36, 0.3, 0.3, 10).mottled("#4c5a22", "#6f7d38", freq=3, seed=1))


Piece = Callable[[np.random.Generator], Mesh]

TOPPINGS: tuple[tuple[tuple[str, ...], Piece, str, int, float, float], ...] = (
    (
        ("mozzarella ball", "buffalo", "fresh mozzarella"),
        lambda r: _pool(r, r.uniform(1.6, 2.5)),
        "moist",
        11,
        0.75,
        0.5,
    ),
    (("prosciutto",), _prosciutto, "moist", 8, 0.66, 0.3),
    (("cooked ham",), produce.ham_piece, "moist", 26, 0.78, 0.3),
    (
        ("pepperoni", "salami"),
        lambda r: produce.sausage_slice(r, r.uniform(1.7, 2.0)),
        "moist",
        26,
        0.78,
        0.35,
    ),
    (("aubergine", "courgette"), _courgette, "moist", 14, 0.74, 0.3),
    (
        ("mushroom",),
        _mushroom,
        "moist",
        36,
        0.78,
        0.3,
    ),
    (
        ("sliced tomato", "ripe tomato"),
        lambda r: produce.tomato_slice(r, 2.2, 0.35),
        "wet",
        9,
        0.7,
        0.4,
    ),
    (("chicken",), _chicken, "moist", 30, 0.78, 0.2),
    (("sausage",), _sausage, "moist", 26, 0.78, 0.2),
    (("pineapple",), produce.pineapple_piece, "moist", 26, 0.78, 0.25),
    (("artichoke",), _artichoke, "moist", 11, 0.74, 0.2),
    (("gorgonzola", "blue cheese"), _gorgonzola, "moist", 22, 0.77, 0.5),
    (
        ("red pepper", "sweet pepper"),
        lambda r: produce.pepper_strip(r, "#bd2413", r.uniform(4.5, 6.5)),
        "wet",
        15,
        0.74,
        0.2,
    ),
    (
        ("green pepper",),
        lambda r: produce.pepper_strip(r, "#4a7d20", r.uniform(4.5, 6.5)),
        "wet",
        14,
        0.74,
        0.2,
    ),
    (
        ("cherry tomato",),
        lambda r: produce.cherry_tomato(r, r.uniform(1.2, 1.5)),
        "wet",
        21,
        0.74,
        0.25,
    ),
    (("anchov",), _anchovy, "wet", 9, 0.62, 0.2),
    (("red onion",), lambda r: produce.onion_ring(r, r.uniform(1.3, 2.4)), "wet", 18, 0.76, 0.2),
    (("black olive",), produce.olive_ring, "wet", 24, 0.78, 0.2),
    (("green olive",), lambda r: produce.olive_ring(r, 0.8, "#6f7428"), "wet", 20, 0.78, 0.2),
    (("sweetcorn",), _corn, "moist", 110, 0.78, 0.2),
    (("caper",), _caper, "moist", 34, 0.76, 0.2),
    (("spinach",), _spinach, "moist", 30, 0.74, 0.4),
)


def build(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> None:
    """A whole pizza on a board or plate, with what the ingredients say on it."""
    radius = rng.uniform(14.2, 15.2)
    scene.table()
    kind = rng.integers(3)
    if kind == 0:
        ware = scene.serve(tableware.round_board(17.5, int(rng.integers(99)), rng.random() < 0.4))
    elif kind == 1:
        colour, rim, finish = tableware.PLATE_COLOURS[rng.integers(len(tableware.PLATE_COLOURS))]
        ware = scene.serve(tableware.plate(18.5, colour, rim, finish, coupe=True))
    else:
        ware = scene.serve(tableware.board(40, 38, int(rng.integers(99)), rng.random() < 0.4))
    base = "tomato"
    if recipe.has("pesto"):
        base = "pesto"
    elif recipe.has("barbecue sauce"):
        base = "bbq"
    elif recipe.has("crème fraîche", "creme fraiche", "white sauce", "ricotta"):
        base = "white"
    fresh = recipe.has("buffalo", "fresh mozzarella")
    many = 0.42 if base == "white" else 0.31
    cheese = 0.0 if not recipe.has("mozzarella", "cheese", "gorgonzola") else 0.2 if fresh else many
    dough = _dough(rng, radius, base, cheese)
    scene.add(dough.moved(z=ware.floor - 0.05 + (0.3 if kind == 1 else 0)), "crust")
    for words, piece, finish, count, reach, sink in TOPPINGS:
        if not recipe.has(*words):
            continue
        for x, y in spread(rng, radius * reach, int(count * rng.uniform(0.85, 1.1))):
            item = piece(rng).jittered(rng, 0.06).spun(rng, 5)
            scene.drop(item, x, y, finish, sink)
    if recipe.has("egg"):
        scene.drop(produce.fried_egg(rng, 4.2), rng.uniform(-1, 1), rng.uniform(-1, 1), "wet", 0.5)
    if recipe.has("rocket"):
        for x, y in spread(rng, radius * 0.6, 46):
            leaf = produce.rocket_leaf(rng, rng.uniform(4, 6.5)).jittered(rng, 0.12).spun(rng, 18)
            scene.drop(leaf, x, y, "leaf", 0.12)
    if recipe.has("basil leaves", "basil leaf"):
        for x, y in spread(rng, radius * 0.62, int(rng.integers(9, 14))):
            leaf = produce.basil_leaf(rng, rng.uniform(2.6, 4.4)).jittered(rng, 0.1).spun(rng, 8)
            scene.drop(leaf, x, y, "leaf", 0.25)
    if recipe.has("oregano", "parsley", "thyme"):
        flecks = spread(rng, radius * 0.8, 90)
        z = scene.heights.at(flecks)[:, None] + 0.04
        flake = slab(circle(0.16, 8), 0.04, 0.01, 2).painted("#3f5a22")
        scene.add(copies(flake, np.concatenate([flecks, z], 1), rng, 40, (0.5, 1.3), 0.2), "leaf")
    if recipe.has("parmesan", "pecorino"):
        for x, y in spread(rng, radius * 0.68, 16):
            o = circle(1, 40, 0.25, int(rng.integers(1 << 30))) * [1.3, 0.75]
            shaving = slab(o, 0.08, 0.03, 8).painted("#eeddaa").bent(rng.uniform(1.5, 3))
            scene.drop(produce.grounded(shaving).spun(rng, 12), x, y, "satin", 0.15)
    if rng.random() < 0.5:
        napkin = tables.cloth(
            rng, 26, 36, "#e8e2d6", ("#a33b30", "#3f5f86", "#5d7048")[rng.integers(3)]
        )
        scene.add(
            napkin.turned("z", rng.uniform(-30, 30)).moved(rng.choice([-27, 27]), 10), "cloth"
        )
    if rng.random() < 0.3:
        scene.shoot(height=(76, 88), distance=(58, 63), aim=(0, 0, 2), lens=0.3)
    else:
        scene.shoot(height=(38, 56), distance=(49, 56), aim=(0, -0.8, 2), lens=0.7)
