"""Tacos: three folded tortillas side by side, open upwards and overfull, with lime and salsa."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import noise, produce, savoury, tables, tableware
from kit.geometry import Mesh, blob, circle, disc_field, join, rounded_box, slab, tube
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene

R = 7.4
BEND = 1.5
STEEP = np.radians(70)
Piece = Callable[[np.random.Generator], Mesh]


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 30))


def _rise(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(sideways, height) of a point s cm from the fold, measured along the folded tortilla."""
    bow = np.minimum(s / BEND, STEEP)
    rest = np.clip(s - BEND * STEEP, 0, None)
    return BEND * np.sin(bow) + rest * np.cos(STEEP), BEND * (1 - np.cos(bow)) + rest * np.sin(
        STEEP
    )


def _tortilla(rng: np.random.Generator, recipe: Recipe) -> Mesh:
    """A round folded to a U along x: crisp yellow shell, corn or pale flour with brown spots."""
    s = _seed(rng)
    crisp = recipe.has("crisp taco")
    m = slab(circle(R, 240, 0.015, s), 0.26 if crisp else 0.2, 0.09, 70)
    stops = ("#d9b878", "#e6cb92", "#efdcae")
    if crisp:
        stops = ("#c48a2a", "#d9a440", "#e5b95a")
    elif recipe.has("flour tortilla"):
        stops = ("#e2cfa6", "#eddfbd", "#f4ead0")
    m = m.mottled(*stops, freq=0.5, seed=s)
    fine = noise.fbm(m.v, 2.0, 3, seed=s + 1)
    m = m.shaded(1 + 0.07 * fine)
    if crisp:
        d, ident = noise.cells(m.v, 0.8, s + 2)
        bubble = noise.step(0.32, 0.1, d) * (ident > 0.5)
        m = m.displaced(0.12 * bubble).tinted(bubble * 0.5, "#a8661c")
    else:
        spot = noise.step(0.22, 0.5, noise.fbm(m.v, 0.6, 4, seed=s + 2))
        m = m.tinted(spot * 0.8, "#9c6428")
        burnt = noise.step(0.45, 0.7, noise.fbm(m.v, 0.9, 3, seed=s + 3))
        m = m.tinted(burnt * 0.7, "#52290c")
    soft = 0.25 if crisp else 0.75
    u, z = _rise(np.abs(m.v[:, 1]))
    skin = m.v[:, 2]
    flop = soft * noise.fbm(m.v[:, :2], 0.2, 3, seed=s + 4) * (np.abs(m.v[:, 1]) / R) * 1.4
    bow = np.minimum(np.abs(m.v[:, 1]) / BEND, STEEP)
    aside = np.sign(m.v[:, 1]) * (u + skin * np.sin(bow)) + flop
    v = np.stack([m.v[:, 0], aside, z - skin * np.cos(bow) + 0.26], 1)
    return Mesh(v, m.f[:, ::-1], m.c)


def _strand(
    rng: np.random.Generator, colour: str, length: float, thick: float, flat: float
) -> Mesh:
    t = np.linspace(-1, 1, 12)
    path = np.stack(
        [t * length / 2, rng.uniform(-0.5, 0.5) * (1 - t**2), 0.25 * np.sin(t * rng.uniform(1, 4))],
        1,
    )
    end = np.sqrt(np.clip(1.05 - t**6, 0.05, 1))
    return tube(path, thick * end, 8, flat=flat).painted(colour)


def _crumb(rng: np.random.Generator) -> Mesh:
    m = blob(*(rng.uniform(0.3, 0.6, 3)), detail=9).rough(0.14, 2.0, seed=_seed(rng))
    return m.mottled("#3d1c0d", "#6b3a1e", "#8a5230", freq=2, seed=_seed(rng))


def _meat(rng: np.random.Generator, colours: tuple[str, str, str], size: float) -> Mesh:
    m = rounded_box(*(size * rng.uniform([0.9, 0.7, 0.5], [1.4, 1.0, 0.8])), size * 0.18, 12)
    m = m.rough(0.1 * size, 1.6 / size, 3, seed=_seed(rng))
    m = m.mottled(*colours, freq=1.3 / size, seed=_seed(rng))
    sear = noise.step(0.15, 0.6, produce.fbm_of(m, 1.1, rng))
    return m.tinted(sear * 0.6, "#2b1208")


def _shred(rng: np.random.Generator) -> Mesh:
    tone = ("#8f552c", "#b37a48", "#6b3a1c", "#c4935f")[rng.integers(4)]
    m = _strand(rng, tone, rng.uniform(1.8, 3.6), rng.uniform(0.16, 0.34), 0.7)
    return m.rough(0.06, 2.2, seed=_seed(rng))


def _fish(rng: np.random.Generator) -> Mesh:
    m = rounded_box(rng.uniform(5.0, 6.5), 2.1, 1.8, 0.8, 30)
    m = m.rough(0.25, 0.7, 4, seed=_seed(rng)).rough(0.1, 2.6, seed=_seed(rng))
    return m.mottled("#a8641c", "#cf9038", "#e0ad5a", freq=0.9, seed=_seed(rng))


def _cauliflower(rng: np.random.Generator) -> Mesh:
    m = savoury.broccoli(rng, 3.2)
    tone = noise.fbm(m.v, 0.9, 3, seed=_seed(rng)) * 0.5 + 0.5
    up = m.v[:, 2] / 3.2
    m = m.painted("#e6c87c").tinted(tone * 0.5, "#d9a83c")
    return m.tinted(noise.step(0.62, 0.95, up + 0.2 * tone) * 0.7, "#8a4f16")


def _bean(rng: np.random.Generator) -> Mesh:
    return blob(0.62, 0.4, 0.38, 10).bent(0.9, "y").painted("#21130f")


def _corn(rng: np.random.Generator) -> Mesh:
    return blob(0.38, 0.32, 0.3, 8).mottled("#d99a14", "#f0c43a", freq=2, seed=1)


def _chilli(rng: np.random.Generator) -> Mesh:
    return produce.olive_ring(rng, 0.6, "#b31a0e").scaled(1, 1, 0.7)


def _dice(*colours: str) -> Piece:
    def one(rng: np.random.Generator) -> Mesh:
        return produce.cubes(rng, rng.uniform(0.6, 0.95), colours, 0.2)

    return one


def _strip(colour: str, length: float, thick: float, flat: float = 0.5) -> Piece:
    def one(rng: np.random.Generator) -> Mesh:
        return _strand(rng, colour, length * rng.uniform(0.7, 1.2), thick, flat)

    return one


BROWN = ("#4a2412", "#7a4526", "#9c6238")
RED = ("#6b1f0c", "#9c3a16", "#bd5a24")
GOLD = ("#a8682f", "#c98f4e", "#e0b27a")
# words of the recipe, piece, finish, how many in a taco, how high it lies (0 inside .. 1 on top)
FILLINGS: tuple[tuple[tuple[str, ...], Piece, str, int, float], ...] = (
    (("minced",), _crumb, "moist", 150, 0.0),
    (("skirt steak",), lambda r: _meat(r, BROWN, r.uniform(1.1, 1.6)), "moist", 46, 0.15),
    (("tacos al pastor",), lambda r: _meat(r, RED, r.uniform(1.1, 1.8)), "wet", 46, 0.1),
    (("carnitas",), _shred, "moist", 120, 0.15),
    (("chicken",), lambda r: _meat(r, GOLD, r.uniform(1.4, 2.0)), "moist", 32, 0.05),
    (("mushroom",), lambda r: produce.mushroom_slice(r, r.uniform(2.2, 3.0)), "moist", 34, 0.1),
    (("black bean",), _bean, "moist", 110, 0.0),
    (("sweetcorn",), _corn, "moist", 110, 0.2),
    (("iceberg",), _strip("#9fbf5a", 3.0, 0.24, 0.3), "leaf", 75, 0.45),
    (("red cabbage",), _strip("#6b2a5c", 3.2, 0.17), "moist", 90, 0.15),
    (("white cabbage",), _strip("#dfe3b8", 3.2, 0.17), "moist", 90, 0.1),
    (("green pepper",), lambda r: produce.pepper_strip(r, "#3f6f1c", 4.0), "wet", 10, 0.35),
    (("firm white fish",), _fish, "satin", 4, 0.5),
    (("prawns",), lambda r: produce.shrimp(r, 4.2), "wet", 6, 0.6),
    (("cauliflower",), _cauliflower, "satin", 9, 0.35),
    (("avocado",), lambda r: savoury.avocado_slice(r, 4.6), "moist", 5, 0.6),
    (("pineapple",), lambda r: produce.pineapple_piece(r, 1.5), "wet", 14, 0.7),
    (("tomatoes, diced",), _dice("#a81a0e", "#cf3a22"), "wet", 30, 0.75),
    (("white onion",), _dice("#e6e2d0", "#f4f1e6"), "moist", 32, 0.85),
    (("red onions",), lambda r: produce.onion_ring(r, 1.3, "#c22a72"), "wet", 13, 0.85),
    (("cheddar",), _strip("#e0981f", 2.6, 0.15, 0.8), "satin", 60, 0.95),
    (("feta",), _dice("#efe9da", "#f7f3ea"), "matte", 20, 0.95),
    (("red chilli,",), _chilli, "wet", 7, 1.0),
)


def _drizzle(rng: np.random.Generator, top: Callable[[np.ndarray], np.ndarray]) -> Mesh:
    """Soured cream run to and fro along the taco."""
    x = np.linspace(-5.6, 5.6, 140)
    y = 1.5 * np.sin(x * rng.uniform(2.0, 2.6) + rng.uniform(0, 6))
    path = np.column_stack([x, y, top(x) + 1.35 - 0.15 * y**2])
    return tube(path, 0.22 + 0.06 * np.sin(x * 3.1), 10).painted("#f4efe2")


def _taco(rng: np.random.Generator, recipe: Recipe) -> list[tuple[Mesh, str]]:
    """Shell and filling about the origin, the fold on z = 0 along x."""
    parts = [(_tortilla(rng, recipe), "crust" if recipe.has("crisp taco") else "matte")]

    def top(x: np.ndarray) -> np.ndarray:
        return _rise(np.sqrt(np.clip(R**2 - np.asarray(x, float) ** 2, 0.01, None)))[1] * 0.86

    core = blob(5.9, 1.9, 2.2, 30).rough(0.25, 0.8, seed=_seed(rng))
    core.v[:, 1] *= 0.75 + 0.13 * core.v[:, 2]
    parts.append((core.mottled("#3a1d10", "#5f3620", freq=1, seed=3).moved(z=2.8), "moist"))
    for words, piece, finish, count, layer in FILLINGS:
        if not recipe.has(*words):
            continue
        placed = []
        for k in range(count):
            x = 5.7 * ((k + rng.uniform(0.1, 0.9)) / count * 2 - 1) * 0.98
            if count > 12:
                x = rng.uniform(-5.7, 5.7)
            z = float(top(np.array(x))) - 0.55 + 1.15 * layer + rng.normal(0, 0.22)
            wide = float(np.interp(z, [0, 1.5, 6.5], [0.3, 1.3, 2.5])) * (1.05 - 0.45 * layer)
            y = rng.uniform(-1, 1) * wide
            m = piece(rng).jittered(rng, 0.09)
            m = m.turned("x", rng.uniform(-40, 40)).turned("y", rng.uniform(-30, 30))
            m = m.turned("z", rng.uniform(-40, 40) if count < 8 else rng.uniform(0, 360))
            placed.append(m.moved(x, y, z - 0.12 * y**2))
        parts.append((join(placed), finish))
    if recipe.has("soured cream"):
        parts.append((_drizzle(rng, top), "glaze"))
    if recipe.has("pumpkin seeds"):
        seeds = [
            blob(0.5, 0.26, 0.1, 8)
            .painted("#6f8038")
            .spun(rng, 40)
            .moved(x, y, float(top(x)) + 1.2)
            for x, y in rng.uniform((-5, -1.6), (5, 1.6), (16, 2))
        ]
        parts.append((join(seeds), "satin"))
    if recipe.has("coriander"):
        leaves = [
            produce.herb_leaf(rng, rng.uniform(1.2, 2.0))
            .spun(rng, 40)
            .moved(x, y, float(top(x)) + 0.75 + rng.uniform(0, 0.6))
            for x, y in rng.uniform((-5.4, -1.8), (5.4, 1.8), (15, 2))
        ]
        parts.append((join(leaves), "leaf"))
    return parts


def _half_lime(rng: np.random.Generator) -> list[tuple[Mesh, str]]:
    rind = blob(2.35, 2.35, 2.1, 24).mottled("#2f6b18", "#4f8f28", freq=2, seed=5)
    rind.v[:, 2] = np.minimum(rind.v[:, 2], 0.0)
    cut = produce.citrus_slice(rng, 2.3, "#b5cc62", "#4f8f28")
    return [(rind, "satin"), (cut.moved(z=-0.28), "wet")]


def _sauce_bowl(scene: Scene, rng: np.random.Generator, recipe: Recipe, x: float, y: float) -> None:
    """Salsa or guacamole in a small bowl on the table."""
    ware = scene.serve(tableware.any_bowl(rng, 4.6, 3.4), x, y)
    s = _seed(rng)
    green = recipe.has("avocado") or rng.random() < 0.35

    def height(gx: np.ndarray, gy: np.ndarray) -> np.ndarray:
        p = np.stack([gx, gy], -1)
        return 0.22 * noise.fbm(p, 0.7, 3, seed=s) + 0.12 * noise.fbm(p, 2, 2, seed=s)

    m = disc_field(ware.radius_at(2.5), height, 50, 130)
    tones = ("#6b7f2a", "#8fa33f", "#b3c064") if green else ("#7d160a", "#a8280f", "#c44a20")
    scene.add(m.mottled(*tones, freq=1.2, seed=s).moved(x, y, 2.5), "wet")
    for dx, dy in spread(rng, 3.2, 16):
        bit = (
            produce.herb_leaf(rng, 0.9) if rng.random() < 0.3 else _dice("#a81a0e", "#dfe0c0")(rng)
        )
        scene.drop(bit.scaled(0.7).spun(rng, 30), x + dx, y + dy, "moist", 0.4)


def build(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> None:
    """Three tacos in a row on a plate or board, leaning on each other, lime beside them."""
    scene.table()
    savoury.far_table(scene)
    if rng.random() < 0.5:
        ware = scene.serve(tableware.any_plate(rng, 15.5))
    else:
        ware = scene.serve(tableware.board(36, 27, int(rng.integers(99)), rng.random() < 0.5))
    z = ware.floor
    turn = float(rng.choice([-1, 1]) * rng.uniform(14, 62))
    gap = 6.3
    tip = rng.uniform(12, 22)
    for k in (-1, 0, 1):
        a = np.radians(turn + 90)
        x, y = gap * k * np.cos(a), gap * k * np.sin(a)
        slide = rng.normal(0, 0.7)
        x, y = x + slide * np.cos(a - np.pi / 2), y + slide * np.sin(a - np.pi / 2)
        lean = tip + rng.uniform(-4, 4)
        yaw = turn + rng.uniform(-5, 5)
        for mesh, finish in _taco(rng, recipe):
            m = mesh.turned("x", lean if np.sin(a) > 0 else -lean).turned("z", yaw)
            scene.add(m.moved(x, y, z + 0.3), finish)
    limes = 3 if recipe.has("lime") else 0
    side = float(rng.choice([-1, 1]))
    for k in range(limes):
        a = np.radians(-90 + side * (48 + 16 * k))
        x, y = 12.2 * np.cos(a), 11.0 * np.sin(a)
        low = float(scene.heights.at(np.array([x, y])))
        pitch, yaw = rng.uniform(-55, 10), rng.uniform(0, 360)
        for mesh, finish in _half_lime(rng):
            scene.add(mesh.turned("x", pitch).turned("z", yaw).moved(x, y, low + 1.9), finish)
    if rng.random() < 0.7:
        _sauce_bowl(scene, rng, recipe, -side * 15.5, 12.5)
    if rng.random() < 0.5:
        colour = ("#a33b30", "#3f5f86", "#b98a3a")[rng.integers(3)]
        napkin = tables.cloth(rng, 24, 34, "#ece6da", colour, ("stripes", "check")[rng.integers(2)])
        scene.add(napkin.turned("z", rng.uniform(-40, 40)).moved(side * 20, 13), "cloth")
    scene.shoot(height=(32, 52), distance=(43, 48), aim=(0, -0.3, 3.0), lens=0.55, fov=31)
