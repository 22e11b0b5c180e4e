"""Green salad: a heap of dressed leaves in a bowl or on a plate, with what the recipe adds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import fruit, noise, produce, tables, tableware
from kit.geometry import Mesh, blob, circle, copies, disc_field, grid_faces, leaf, slab, tube
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene

Rng = np.random.Generator
Piece = Callable[[Rng], Mesh]


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def _frilled(
    rng: Rng,
    length: float,
    width: float,
    colours: tuple[str, str, str],
    frill: float = 0.3,
    rib: float = 0.5,
) -> Mesh:
    """Lettuce leaf: pale juicy rib, broad blade, an edge ruffled in and out of its plane."""
    nu, nv = 56, 37
    s = _seed(rng)
    u, w = np.meshgrid(np.linspace(0, 1, nu), np.linspace(-1, 1, nv), indexing="ij")
    half = width / 2 * (0.2 + 0.8 * np.sin(np.pi * np.clip(u, 0, 1) ** 0.85) ** 0.55)
    half = half * np.sqrt(np.clip(1 - np.clip((u - 0.8) / 0.2, 0, 1) ** 2 * 0.95, 0.05, 1))
    p = np.stack([u * length, w * half, 0 * u], -1)
    out = np.maximum(np.abs(w), np.clip((u - 0.62) / 0.38, 0, 1)) ** 2.2
    wave = noise.fbm(p + w[..., None] * 3, 0.75, 3, seed=s)
    ruffle = np.sin(u * 19 + 2.6 * noise.value(p, 0.35, s) + w) + wave
    x = u * length + 0.12 * length * wave * out * 0.5
    y = w * half * (1 + 0.16 * wave * out)
    cup = rng.uniform(0.12, 0.4) * width * (w * half / width * 2) ** 2
    z = cup + rng.uniform(0.02, 0.24) * length * np.sin(np.pi * u * rng.uniform(0.6, 1.0))
    z = z + frill * out * ruffle + 0.07 * noise.fbm(p, 0.9, 2, seed=s + 4)
    v = np.stack([x - length / 2, y, z], -1).reshape(-1, 3)
    m = Mesh(v, grid_faces(nu, nv)[:, ::-1], np.zeros((len(v), 3), np.float32))
    base, blade, edge = colours
    m = m.painted(blade).shaded(1 + 0.2 * noise.fbm(p, 0.6, 3, seed=s + 1).ravel())
    m = m.tinted((out * (0.8 + 0.5 * wave)).ravel() * 0.85, edge)
    stem = np.exp(-((w * half / (0.1 * width * (1.2 - u))) ** 2)) * (1 - 0.55 * u)
    veins = noise.step(0.72, 1.0, np.sin((u * 8 - np.abs(w) * 2.4) * np.pi)) * 0.35 * (1 - out)
    m = m.tinted(np.clip(stem * (0.4 + rib) + veins, 0, 1).ravel(), base)
    return produce.grounded(m.turned("y", rng.uniform(-12, 12)))


def _spinach(rng: Rng) -> Mesh:
    n = rng.uniform(4.2, 6)
    m = leaf(
        n,
        n * 0.62,
        rng.uniform(0, 0.25),
        rng.uniform(-0.05, 0.3),
        0.3,
        seed=_seed(rng),
        colours=("#1f5a1c", "#2f7526", "#478b34"),
        vein="#86b066",
    )
    return produce.grounded(m)


def _lambs(rng: Rng) -> Mesh:
    """A rosette of small spoon-shaped leaves."""
    from kit.geometry import join

    parts = []
    for k in range(int(rng.integers(4, 7))):
        n = rng.uniform(2.8, 4.2)
        m = leaf(
            n, n * 0.44, 0.35, 0.2, 0.2, seed=_seed(rng), colours=("#2b661d", "#4c8c30", "#67a844")
        )
        m = m.moved(x=n * 0.5).turned("y", -rng.uniform(5, 50)).turned("z", k * 67)
        parts.append(m)
    return produce.grounded(join(parts))


COS = ("#c9d096", "#6f9538", "#3c7020")
CRISP = ("#c3cf8c", "#7ba03c", "#4c8226")
BUTTER = ("#ccd396", "#90ae4e", "#669434")
OAK = ("#bccb84", "#67912e", "#3a6d1e")
ENDIVE = ("#d8dcaa", "#a7ba60", "#64922e")
RADICCHIO = ("#f0dfe0", "#8a1f3c", "#5e1230")


def _leaves(recipe: Recipe) -> list[tuple[Piece, str, int]]:
    """What the bed is made of: pieces with finish and count."""
    if recipe.has("rocket"):
        return [(lambda r: produce.rocket_leaf(r, r.uniform(5.5, 8.5)), "leaf", 120)]
    if recipe.has("baby spinach"):
        return [(_spinach, "leaf", 85)]
    if recipe.has("lamb's lettuce"):
        return [(_lambs, "leaf", 46)]
    if recipe.has("radicchio"):
        return [
            (lambda r: _frilled(r, r.uniform(6, 9), r.uniform(5, 7), ENDIVE, 0.6), "leaf", 26),
            (lambda r: _frilled(r, r.uniform(6, 8), r.uniform(5, 6), RADICCHIO, 0.2), "leaf", 20),
        ]
    if recipe.has("cos lettuce"):
        return [
            (lambda r: _frilled(r, r.uniform(6, 9), r.uniform(3.6, 5), COS, 0.22, 0.7), "leaf", 62)
        ]
    kind = BUTTER if recipe.has("butter") else OAK if recipe.has("oak leaf") else CRISP
    frill = 0.25 if kind is BUTTER else 0.45
    return [
        (lambda r: _frilled(r, r.uniform(6, 9.5), r.uniform(5, 7.5), kind, frill, 0.4), "leaf", 54)
    ]


def _cucumber(rng: Rng) -> Mesh:
    m = slab(circle(1.9, 110, 0.03, _seed(rng)), 0.3, 0.09, 24)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / 1.9
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    m = m.mottled("#cbdc9c", "#dde8b8", freq=0.9, seed=_seed(rng))
    seed = noise.step(0.2, 0.8, np.cos(a * 15 + 2)) * np.exp(-(((r - 0.38) / 0.1) ** 2))
    m = m.tinted(noise.step(0.6, 0.4, r) * 0.4, "#bcd08a").tinted(seed, "#eef0cf")
    return produce.grounded(m.tinted(noise.step(0.88, 0.97, r), "#27501a"))


def _radish(rng: Rng) -> Mesh:
    m = slab(circle(rng.uniform(1.0, 1.35), 80, 0.04, _seed(rng)), 0.22, 0.07, 16)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / 1.2
    m = m.mottled("#efe9e2", "#faf5ee", freq=1.3, seed=_seed(rng))
    return produce.grounded(m.tinted(noise.step(0.8, 0.93, r), "#c01f4e"))


def _carrot(rng: Rng) -> Mesh:
    t = np.linspace(0, 1, 16)
    path = np.stack([t * 4, 0.5 * np.sin(t * rng.uniform(2, 5)), 0.3 * np.sin(t * 4)], 1)
    return produce.grounded(tube(path, 0.2, 6, flat=0.6).painted("#d9711c").jittered(rng, 0.1))


def _crouton(rng: Rng) -> Mesh:
    m = produce.cubes(rng, 1.6, ("#9c6224", "#c08a42", "#d8b070"), 0.16)
    toasted = noise.step(0.1, 0.6, produce.fbm_of(m, 0.9, rng))
    return produce.grounded(m.tinted(toasted * 0.7, "#8d5120").rough(0.09, 2.2, seed=_seed(rng)))


def _parmesan(rng: Rng) -> Mesh:
    return fruit.shaving(rng, rng.uniform(2.2, 3.6), "#d8c288").scaled(1, 1.3, 1)


def _feta(rng: Rng) -> Mesh:
    m = produce.cubes(rng, rng.uniform(1.2, 1.9), ("#d3cdb9", "#e2dcca"), 0.16)
    return produce.grounded(m.rough(0.28, 0.9, 4, seed=_seed(rng)))


def _olive(rng: Rng) -> Mesh:
    m = blob(1.05, 0.78, 0.76, 14).painted("#2b1a22").jittered(rng, 0.2)
    return produce.grounded(m.tinted((m.v[:, 0] > 0.93) * 0.8, "#7a5f4c"))


def _bean(rng: Rng) -> Mesh:
    t = np.linspace(-1, 1, 24)
    path = np.stack([t * rng.uniform(2.8, 3.8), rng.uniform(-0.8, 0.8) * t**2, 0 * t], 1)
    m = tube(path, 0.36 * np.clip(1 - t**6, 0.1, 1), 10).mottled("#3f6f22", "#5c8f34", seed=3)
    return produce.grounded(m)


def _tuna(rng: Rng) -> Mesh:
    m = blob(*rng.uniform(0.6, 1.5, 2), 0.5, 14).rough(0.25, 0.9, 3, seed=_seed(rng))
    fibre = noise.fbm(m.v * [0.4, 3, 1], 1.2, 2, seed=_seed(rng))
    return produce.grounded(m.painted("#caa184").shaded(1 + 0.25 * fibre).displaced(0.07 * fibre))


def _bacon(rng: Rng) -> Mesh:
    m = produce.cubes(rng, 1.0, ("#7d2a1a", "#a5472e", "#d9a184"), 0.14).scaled(1.4, 0.7, 0.6)
    return produce.grounded(m.rough(0.1, 1.5, seed=_seed(rng)))


def _avocado(rng: Rng) -> Mesh:
    m = fruit.fruit_slice(rng, 6.0, ("#c5cf72", "#d9dd92"), "#55772a", 0.8)
    return m.tinted(noise.step(0.0, -0.9, m.v[:, 1]) * 0.5, "#e6dd9c")


def _orange(rng: Rng) -> Mesh:
    return produce.citrus_slice(rng, rng.uniform(2.2, 2.7), "#e07f14", "#eea13c")


def _pear(rng: Rng) -> Mesh:
    return fruit.fruit_slice(rng, 6.2, ("#dccb97", "#e8dbb6"), "#8a8c30", 0.55)


def _chicken(rng: Rng) -> Mesh:
    from kit.geometry import polygon

    o = polygon([(-2.4, -0.9), (0, -1.1), (2.4, -0.7), (2.5, 0.8), (0, 1.1), (-2.4, 0.9)], 80)
    m = slab(o, 0.75, 0.2, 22).mottled("#e5cba6", "#f1e0c4", freq=0.8, seed=_seed(rng))
    m = m.tinted(noise.step(0.5, 1.0, m.v[:, 1] + 0.2 * produce.fbm_of(m, 0.8, rng)), "#9a5a24")
    return produce.grounded(m.rough(0.06, 1.2, seed=_seed(rng)))


def _pea(rng: Rng) -> Mesh:
    return produce.grounded(blob(0.45, detail=8).painted("#5f9a2c"))


def _corn(rng: Rng) -> Mesh:
    return produce.grounded(blob(0.42, 0.36, 0.32, 8).mottled("#e2a516", "#f3c83a", freq=2, seed=1))


def _pumpkin_seed(rng: Rng) -> Mesh:
    return produce.grounded(blob(0.55, 0.3, 0.13, 8).mottled("#5c6a2c", "#7f8a48", freq=2, seed=2))


def _nut(rng: Rng) -> Mesh:
    return produce.cubes(rng, rng.uniform(0.5, 0.9), ("#b98448", "#e2c48f"), 0.2)


EXTRAS: tuple[tuple[tuple[str, ...], Piece, str, int, float, float], ...] = (
    (("chicken breast",), _chicken, "moist", 11, 0.62, 0.3),
    (("cucumber",), _cucumber, "wet", 20, 0.82, 0.25),
    (("orange",), _orange, "wet", 11, 0.78, 0.3),
    (("avocado",), _avocado, "moist", 14, 0.66, 0.25),
    (("pear",), _pear, "moist", 15, 0.8, 0.25),
    (("green beans",), _bean, "moist", 26, 0.75, 0.25),
    (
        ("cherry tomato",),
        lambda r: produce.cherry_tomato(r, r.uniform(1.1, 1.45)).turned("x", r.uniform(-25, 40)),
        "wet",
        17,
        0.86,
        0.3,
    ),
    (
        ("strawberr",),
        lambda r: fruit.strawberry(r, r.uniform(2.6, 3.4), cut=True),
        "wet",
        20,
        0.85,
        0.3,
    ),
    (
        ("mushroom",),
        lambda r: produce.mushroom_slice(r, r.uniform(2.6, 3.6)),
        "moist",
        20,
        0.82,
        0.25,
    ),
    (("radish",), _radish, "moist", 30, 0.86, 0.25),
    (("carrot",), _carrot, "moist", 46, 0.82, 0.25),
    (("red onion",), lambda r: produce.onion_ring(r, r.uniform(1.3, 2.3)), "wet", 12, 0.8, 0.2),
    (("tuna",), _tuna, "moist", 26, 0.34, 0.25),
    (("black olive",), _olive, "wet", 15, 0.84, 0.25),
    (("feta",), _feta, "satin", 20, 0.75, 0.2),
    (("goat's cheese", "blue cheese"), _feta, "satin", 16, 0.8, 0.25),
    (("croutons",), _crouton, "crust", 24, 0.82, 0.2),
    (("bacon",), _bacon, "moist", 40, 0.8, 0.2),
    (("walnut",), lambda r: fruit.walnut(r, r.uniform(1.9, 2.4)), "satin", 18, 0.82, 0.2),
    (("hazelnut",), _nut, "satin", 34, 0.82, 0.2),
    (("parmesan",), _parmesan, "satin", 22, 0.78, 0.15),
    (
        ("flaked almonds",),
        lambda r: fruit.almond_flake(r, r.uniform(1.0, 1.5)),
        "satin",
        46,
        0.84,
        0.2,
    ),
    (("peas",), _pea, "moist", 90, 0.84, 0.1),
    (("sweetcorn",), _corn, "moist", 90, 0.84, 0.1),
    (("pumpkin seeds",), _pumpkin_seed, "satin", 46, 0.82, 0.1),
    (("mint",), lambda r: fruit.mint_sprig(r, r.uniform(1.8, 2.6)), "leaf", 9, 0.7, 0.2),
    (("coriander",), lambda r: produce.herb_leaf(r, r.uniform(1.4, 2.2)), "leaf", 26, 0.8, 0.1),
)


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """A bowl or a plate heaped with leaves and additions, servers or a cloth beside it."""
    scene.table()
    deep = rng.random() < 0.7 and not recipe.has("tuna")
    if deep:
        kind = rng.integers(3)
        if kind == 0:
            ware = tableware.bowl(13.2, 7.6, "#b98652", None, "wood", 0.5)
            t = noise.fbm(ware.mesh.v * [0.5, 0.5, 2.2], 0.45, 4, seed=_seed(rng))
            ware.mesh = ware.mesh.shaded(1 + 0.28 * t)
        else:
            ware = tableware.any_bowl(rng, 13, 7)
        scene.serve(ware)
        level, swell, grow = 5.3, 2.6, 0.95
        reach = ware.radius_at(level) + 0.05
    else:
        ware = scene.serve(tableware.any_plate(rng, 15.5))
        level, swell, grow = 0.9, 3.0, 0.92
        reach = ware.inner * 1.02
    s = _seed(rng)

    def mound(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        dome = swell * np.clip(1 - (np.hypot(x, y) / reach) ** 2, 0, 1)
        return level + dome * (0.85 + 0.3 * noise.fbm(p, 0.25, 2, seed=s)) - 0.3

    bed = disc_field(reach, mound, 50, 120).mottled("#35601f", "#4a7a2c", "#6c9a3c", seed=s)
    scene.add(bed, "leaf")
    for piece, finish, count in _leaves(recipe):
        for x, y in spread(rng, reach * grow, count):
            tip = piece(rng).jittered(rng, 0.1)
            out = np.hypot(x, y) / reach
            tip = tip.turned("y", -rng.uniform(-8, 20)).turned("x", rng.uniform(-22, 22))
            turn = np.degrees(np.arctan2(y, x)) + rng.normal(0, 50 if out > 0.5 else 120)
            scene.drop(tip.turned("z", turn), x, y, finish, 0.35, 0.35)
    for words, piece, finish, count, far, sink in EXTRAS:
        if not recipe.has(*words):
            continue
        for x, y in spread(rng, reach * far, int(count * rng.uniform(0.85, 1.15))):
            item = piece(rng).jittered(rng, 0.07).spun(rng, 22)
            scene.drop(item, x, y, finish, sink, 0.8)
    if recipe.has("boiled egg"):
        turn = rng.uniform(0, 360)
        for k in range(5):
            a = np.radians(turn + 72 * k)
            egg = produce.half_egg(rng, 5.0, "hard").turned("z", rng.uniform(0, 360))
            scene.drop(egg, 0.62 * reach * np.cos(a), 0.62 * reach * np.sin(a), "wet", 0.4)
    if recipe.has("pepper", "oregano", "chives"):
        p = spread(rng, reach * 0.9, 110)
        z = scene.heights.at(p)[:, None] + 0.05
        fleck = slab(circle(0.17, 8), 0.05, 0.02, 2)
        fleck = fleck.painted("#2a231c" if recipe.has("black pepper") else "#4a7a28")
        scene.add(copies(fleck, np.concatenate([p, z], 1), rng, 50, (0.5, 1.4), 0.2), "leaf")
    if rng.random() < 0.55:
        colour = ("#a33b30", "#3f5f86", "#5d7048", "#b98a3a")[rng.integers(4)]
        napkin = tables.cloth(rng, 24, 34, "#ece6da", colour, ("stripes", "check")[rng.integers(2)])
        side = rng.choice([-1, 1])
        scene.add(napkin.turned("z", rng.uniform(-35, 35)).moved(side * 21, 8), "cloth")
    if rng.random() < 0.3:
        scene.shoot(height=(72, 86), distance=(46, 50), aim=(0, 0, 4), lens=0.4)
    else:
        scene.shoot(
            height=(38, 55), distance=(42, 47), aim=(0, -0.6, 4.5 if deep else 2.5), lens=0.6
        )
