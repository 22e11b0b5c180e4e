"""Ramen: wavy noodles in a deep bowl of broth, toppings laid over them in groups."""

from __future__ import annotations

import numpy as np
from kit import noise, produce, tableware
from kit.geometry import Mesh, blob, circle, copies, disc_field, join, polygon, sheet, slab, tube
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene

BROTHS = (
    (("miso",), ("#a8712f", "#c58f48", "#d8aa66")),
    (("tonkotsu", "pork bone", "soy milk", "creamy"), ("#d3b583", "#e3cca0", "#eddcb9")),
    (("curry",), ("#9c5a12", "#b8741c", "#cf9030")),
    (("chilli paste", "gochujang", "kimchi"), ("#8f2a0e", "#b03c14", "#c9581f")),
    (("soy sauce",), ("#4f2a10", "#6d3d18", "#865024")),
    ((), ("#b08a42", "#caa55c", "#dcbe7c")),
)


def _broth(rng: np.random.Generator, recipe: Recipe, radius: float) -> Mesh:
    s = int(rng.integers(1 << 30))
    colours = next(c for words, c in BROTHS if not words or recipe.has(*words))

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        d, ident = noise.cells(p, 0.75, s)
        drop = np.sqrt(np.clip(1 - (d / (0.12 + 0.28 * ident)) ** 2, 0, 1))
        return 0.03 * noise.fbm(p, 0.3, 2, seed=s) + 0.05 * drop

    m = disc_field(radius, height, 120, 260)
    m = m.mottled(*colours, freq=0.35, seed=s)
    d, ident = noise.cells(m.v, 0.75, s)
    size = 0.12 + 0.28 * ident
    oil = "#d8581a" if recipe.has("chilli oil", "chilli paste", "gochujang") else "#dca23a"
    rim = np.exp(-(((d - size) / 0.05) ** 2))
    return m.tinted((d < size) * 0.45, oil).tinted(rim * 0.35, "#f1d48a")


def _noodles(rng: np.random.Generator, level: float, reach: float, pale: bool) -> Mesh:
    strands = []
    for _ in range(84):
        start = rng.normal(0, reach * 0.45, 2)
        path = produce.noodle(
            rng, start, rng.uniform(14, 26), 0.17, 0.6, 0.3, level - 0.55, reach, 1.9
        )
        m = tube(path, 0.175, 7).painted("#ecd08a" if not pale else "#eedfb4")
        strands.append(m.jittered(rng, 0.05))
    return join(strands)


def _chashu(rng: np.random.Generator) -> Mesh:
    s = int(rng.integers(1 << 30))
    m = slab(circle(3.4, 140, 0.06, s), 0.6, 0.18, 44)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / 3.4
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    warp = 0.06 * noise.fbm(m.v, 0.6, 3, seed=s)
    spiral = (r + warp - a / (2 * np.pi) * 0.42) % 0.42 / 0.42
    m = m.mottled("#9c5c3c", "#bd7e5a", "#cf9a78", freq=1.1, seed=s)
    fibre = noise.fbm(np.stack([r * 8, a * 2, 0 * r], -1), 1.2, 3, seed=s)
    m = m.shaded(1 + 0.16 * fibre)
    fat = noise.step(0.52, 0.62, spiral) * noise.step(0.97, 0.85, spiral)
    m = m.tinted(fat * 0.85, "#ecd3b4")
    m = m.tinted(noise.step(0.87, 0.99, r + warp), "#5a2a12")
    sear = noise.step(0.2, 0.7, noise.fbm(m.v, 0.5, 3, seed=s + 1))
    return produce.grounded(m.tinted(sear * 0.5, "#6b3416").rough(0.05, 1.2, seed=s))


def _naruto(rng: np.random.Generator) -> Mesh:
    a = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    o = np.stack([np.cos(a), np.sin(a)], 1) * (1.9 * (1 + 0.06 * np.cos(a * 14)))[:, None]
    m = slab(o, 0.45, 0.12, 50)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / 1.9
    t = np.arctan2(m.v[:, 1], m.v[:, 0])
    line = np.abs((r - (t + np.pi) / (2 * np.pi) * 0.34 + 0.17) % 0.34 - 0.17)
    pink = noise.step(0.075, 0.045, line) * noise.step(0.72, 0.66, r) * (r > 0.08)
    return produce.grounded(m.painted("#f5efe6").tinted(pink, "#e2517e"))


def _nori(rng: np.random.Generator, w: float, h: float) -> Mesh:
    s = int(rng.integers(1 << 30))

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 0.25 * noise.fbm(np.stack([x, y], -1), 0.25, 3, seed=s)

    m = sheet(w, h, height, 60)
    return m.mottled("#0d1a10", "#17291a", "#24382a", freq=1.6, seed=s).bent(14, "y")


def _menma(rng: np.random.Generator) -> Mesh:
    from kit.geometry import rounded_box

    m = rounded_box(4.2, 0.85, 0.4, 0.12, 16).mottled("#a8742f", "#c99a55", freq=0.9, seed=4)
    return produce.grounded(m.bent(rng.uniform(4, 12), "y").rough(0.05, 1.5))


def _pak_choi(rng: np.random.Generator) -> Mesh:
    from kit.geometry import leaf

    leaves = []
    for k in range(4):
        m = leaf(
            6.5,
            3.0,
            0.25,
            0.35,
            0.35,
            seed=int(rng.integers(9999)),
            colours=("#255f1e", "#3f8430"),
            vein="#bcd39a",
        )
        stem = noise.step(0.2, -1.6, m.v[:, 0] + 0.5 * np.abs(m.v[:, 1]))
        m = m.tinted(stem, "#d9e6bd")
        leaves.append(
            m.turned("z", rng.uniform(-16, 16)).moved(y=(k - 1.5) * 0.9, z=0.25 * (k % 2))
        )
    return produce.grounded(join(leaves))


def _sprout(rng: np.random.Generator) -> Mesh:
    t = np.linspace(0, 1, 24)
    path = np.stack([t * 4.2, np.sin(t * rng.uniform(2, 5)) * 0.6, 0.2 * np.sin(t * 4)], 1)
    m = tube(path, 0.17 * (1 - 0.7 * t**3), 8).painted("#efe9d6")
    return produce.grounded(join([m, blob(0.3, 0.22, 0.2, 8).painted("#e3cf78")]))


def _ajitama(rng: np.random.Generator) -> Mesh:
    return produce.half_egg(rng, 5.2, "soft", "#c99a66" if rng.random() < 0.6 else "#f1e8d6")


def _chicken(rng: np.random.Generator) -> Mesh:
    o = polygon([(-2.6, -1), (0, -1.3), (2.6, -0.8), (2.7, 0.9), (0, 1.2), (-2.5, 1)], 90)
    m = slab(o, 0.75, 0.2, 26).mottled("#e5cba6", "#f1e0c4", freq=0.8, seed=2)
    m = m.tinted(noise.step(0.7, 1.1, m.v[:, 1] + 0.2 * produce.fbm_of(m, 0.8, rng)), "#a9642a")
    return produce.grounded(m.rough(0.05, 1.2, seed=5))


def _minced(rng: np.random.Generator) -> Mesh:
    m = blob(*rng.uniform(0.3, 0.6, 3), detail=10).rough(0.14, 1.6, 3, seed=int(rng.integers(999)))
    return produce.grounded(m.mottled("#5b2e18", "#84492a", "#a2683f", freq=2, seed=3))


def _kimchi(rng: np.random.Generator) -> Mesh:
    from kit.geometry import leaf

    m = leaf(
        3.4,
        2.6,
        0.2,
        0.15,
        0.45,
        seed=int(rng.integers(9999)),
        colours=("#b8401a", "#d97a3a", "#e8b47a"),
        vein="#efd8b0",
    )
    return produce.grounded(m)


def build(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> None:
    """A bowl of ramen with its toppings in sectors, chopsticks beside it."""
    scene.table("oak", "walnut", "slate", "pale", "concrete", "linen", "blue")
    shades = (
        ("#1f2022", "#8b6a45", "stoneware"),
        ("#efece6", "#2f4d7a", "ceramic"),
        ("#7d1f16", "#1c1a19", "ceramic"),
        ("#5d6f73", "#6c5a45", "stoneware"),
        ("#ded5c3", "#8a6a48", "stoneware"),
    )
    colour, rim, finish = shades[rng.integers(len(shades))]
    inside = "#efe9dc" if colour == "#7d1f16" else colour
    ware = tableware.bowl(11, 8, inside, rim, finish, 0.42, outside=colour)
    scene.serve(ware)
    level = 6.1
    reach = ware.radius_at(level)
    scene.add(_broth(rng, recipe, reach + 0.05).moved(z=level), "liquid")
    scene.add(_noodles(rng, level, reach - 1.2, recipe.has("rice noodles")), "moist")

    spots = list(range(6))
    start = rng.uniform(0, 360)

    def sector(k: int, out: float) -> tuple[float, float]:
        a = np.radians(start + 60 * k)
        return reach * out * np.cos(a), reach * out * np.sin(a)

    def lay(piece, count: int, finish: str, out: float, step: float, sink: float, tilt: float = 8):
        if not spots:
            return
        cx, cy = sector(spots.pop(0), out)
        for k in range(count):
            off = (k - (count - 1) / 2) * step
            a = np.arctan2(cy, cx) + np.pi / 2
            m = piece(rng).jittered(rng, 0.05).turned("x", rng.uniform(-tilt, tilt))
            m = m.turned("z", np.degrees(a) + rng.uniform(-25, 25))
            x, y = cx + off * np.cos(a), cy + off * np.sin(a)
            scene.drop(m, x, y, finish, sink, 0.8)

    def heap(piece, count: int, finish: str, out: float, size: float, sink: float = 0.2):
        if not spots:
            return
        cx, cy = sector(spots.pop(0), out)
        for x, y in rng.normal(0, size, (count, 2)):
            m = piece(rng).jittered(rng, 0.08).spun(rng, 25)
            scene.drop(m, cx + x, cy + y, finish, sink)

    if recipe.has("nori"):
        a = np.radians(rng.uniform(60, 120))
        for k in range(2):
            m = _nori(rng, 6.5, 7.5).turned("x", 68).turned("z", np.degrees(a) - 90 + 14 * k)
            scene.add(
                m.moved(
                    (reach - 0.7) * np.cos(a) + 1.6 * k, (reach - 0.7) * np.sin(a), level + 1.5
                ),
                "satin",
                solid=False,
            )
    if recipe.has("pork belly", "chashu"):
        lay(_chashu, 2, "moist", 0.42, 2.6, 0.35)
    if recipe.has("chicken breast", "chicken thigh"):
        lay(_chicken, 4, "moist", 0.42, 1.3, 0.3)
    if recipe.has("egg"):
        lay(_ajitama, 2, "wet", 0.52, 4.2, 0.45, 4)
    if recipe.has("prawn"):
        lay(lambda r: produce.shrimp(r, 4.6), 4, "wet", 0.5, 2.3, 0.3)
    if recipe.has("minced"):
        heap(_minced, 70, "moist", 0.2, 1.3)
    if recipe.has("tofu"):
        heap(lambda r: produce.cubes(r, 1.6, ("#efe4c8", "#f6efdc")), 9, "moist", 0.5, 1.4)
    if recipe.has("pak choi"):
        lay(_pak_choi, 2, "moist", 0.5, 2.4, 0.35)
    if recipe.has("spinach"):
        heap(lambda r: produce.spinach_leaf(r, 4.5), 9, "moist", 0.55, 1.0, 0.3)
    if recipe.has("mushroom"):
        heap(lambda r: produce.mushroom_slice(r, 3.0), 10, "moist", 0.52, 1.3, 0.3)
    if recipe.has("sweetcorn"):
        corn = blob(0.42, 0.36, 0.32, 8).mottled("#e2a516", "#f6cf45", freq=2, seed=1)
        heap(lambda r: produce.grounded(corn.copy()), 75, "moist", 0.5, 1.1)
    if recipe.has("bamboo shoots"):
        lay(_menma, 6, "moist", 0.52, 0.8, 0.2)
    if recipe.has("bean sprouts"):
        heap(_sprout, 34, "moist", 0.5, 1.1, 0.2)
    if recipe.has("kimchi"):
        heap(_kimchi, 11, "wet", 0.5, 1.1, 0.3)
    if recipe.has("fish cake"):
        lay(_naruto, 2, "moist", 0.55, 2.4, 0.3)
    if recipe.has("butter"):
        m = produce.cubes(rng, 2.0, ("#f3d877", "#f7e294"), 0.2).scaled(1, 1, 0.6)
        scene.drop(m.spun(rng, 8), 0.6, 0.2, "moist", 0.2)
    if recipe.has("spring onion"):
        cx, cy = sector(spots[0], 0.3) if spots else (0.0, 0.0)
        for k, (x, y) in enumerate(spread(rng, reach * 0.8, 56)):
            if k > 16:
                x, y = cx + rng.normal(0, 1.0), cy + rng.normal(0, 1.0)
            scene.drop(
                produce.scallion_ring(rng, rng.uniform(0.3, 0.48)).spun(rng, 50), x, y, "moist"
            )
    if recipe.has("sesame seeds"):
        p = spread(rng, reach * 0.8, 110)
        z = scene.heights.at(p)[:, None] + 0.05
        scene.add(copies(produce.seed_grain(0.34), np.concatenate([p, z], 1), rng, 40), "satin")
    if recipe.has("chilli flakes", "fresh chilli", "dried chilli"):
        p = spread(rng, reach * 0.75, 60)
        z = scene.heights.at(p)[:, None] + 0.05
        bit = slab(circle(0.2, 9), 0.06, 0.02, 2).painted("#b01f10")
        scene.add(copies(bit, np.concatenate([p, z], 1), rng, 50, (0.5, 1.4)), "moist")
    side = rng.choice([-1, 1])
    sticks = tableware.chopsticks(24, ("#3a1f14", "#1b1718", "#8a5a2c")[rng.integers(3)])
    scene.add(sticks.turned("z", 90 + side * rng.uniform(4, 16)).moved(side * 7.4, -3, 8.0), "wood")
    if rng.random() < 0.25:
        scene.shoot(height=(74, 84), distance=(43, 46), aim=(0, 0, 5), lens=0.4)
    else:
        scene.shoot(height=(42, 56), distance=(37, 42), aim=(0, -0.4, 5), lens=0.6)
