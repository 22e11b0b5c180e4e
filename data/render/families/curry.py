"""Curry with rice: a thick sauce full of pieces beside a heap or a dome of rice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import noise, produce, tables, tableware
from kit.geometry import (
    Mesh,
    blob,
    copies,
    disc_field,
    join,
    polygon,
    rounded_box,
    slab,
    smooth_path,
    tube,
)
from kit.recipe import Recipe
from kit.scatter import on_surface, spread
from kit.stage import Scene

Rng = np.random.Generator
Sauce = tuple[str, str, str]

SAUCES: tuple[tuple[tuple[str, ...], Sauce], ...] = (
    (("green curry paste",), ("#76873a", "#95a252", "#b2b974")),
    (("red curry paste",), ("#a8401a", "#c45a26", "#d87c40")),
    (("japanese curry",), ("#472508", "#613512", "#7a4a1e")),
    (("spinach purée",), ("#24380f", "#3a5119", "#526826")),
    (("kashmiri",), ("#541708", "#76260f", "#93401c")),
    (("red lentils",), ("#b0741a", "#cb902c", "#dcab4c")),
    (("tikka",), ("#9c4018", "#bb5e26", "#cd7e42")),
    (("chickpeas",), ("#8a3f14", "#a8561f", "#bf7434")),
    (("coconut milk",), ("#c8861c", "#dba23c", "#e8bf6c")),
    ((), ("#b2760e", "#cc921e", "#dcae48")),
)


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def _rice(rng: Rng, reach: float, level: float, style: str, floor: float) -> Mesh:
    """The heap of rice: "half" of the dish or a moulded "dome", grain by grain."""
    s = _seed(rng)
    place = np.array([-0.42 * reach, 0.12 * reach]) if style == "dome" else np.zeros(2)
    size = 0.47 * reach

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        lump = noise.fbm(p, 0.4, 3, seed=s)
        if style == "dome":
            r = np.hypot(x - place[0], y - place[1]) / size
            return floor + 4.3 * np.clip(1 - r**3.2, 0, 1) ** 0.55 + 0.12 * lump
        inside = -x - 0.04 * reach + 0.8 * noise.fbm(p, 0.13, 2, seed=s + 1)
        rim = reach + 0.4 - np.hypot(x, y)
        edge = noise.step(0, 3.2, inside) * noise.step(0, 3.4, rim)
        return floor + (level - floor + 2.0) * edge + 0.3 * lump * edge

    m = disc_field(reach + 0.3, height, 120, 240)
    keep = m.v[:, 2] > max(level - 0.5, floor + 0.08)
    m = Mesh(m.v, m.f[keep[m.f].any(1)], m.c).painted("#d3cab8")
    grain = blob(0.4, 0.115, 0.11, 2).painted("#efe9dd")
    spots = on_surface(m, 3400, rng, floor) + rng.normal(0, 0.04, (3400, 3))
    return join([m, copies(grain, spots, rng, 55, (0.75, 1.15), 0.04)])


def _pool(rng: Rng, radius: float, colours: Sauce, oil: str, grainy: bool) -> Mesh:
    """The sauce: lumpy, with patches of oil that came out of it."""
    s = _seed(rng)

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        z = 0.2 * noise.fbm(p, 0.25, 3, seed=s) + 0.08 * noise.fbm(p, 1.0, 3, seed=s + 1)
        if grainy:
            d, ident = noise.cells(p, 1.7, s)
            z = z + 0.1 * np.sqrt(np.clip(1 - (d / (0.3 + 0.3 * ident)) ** 2, 0, 1))
        return z

    m = disc_field(radius, height, 120, 280).mottled(*colours, freq=0.5, seed=s)
    fine = noise.fbm(m.v, 1.6, 3, seed=s + 3)
    m = m.shaded(1 + 0.15 * fine)
    slick = noise.step(0.2, 0.4, noise.fbm(m.v, 0.55, 3, seed=s + 2))
    rim = noise.step(0.86, 0.98, np.hypot(m.v[:, 0], m.v[:, 1]) / radius)
    return m.tinted(np.maximum(slick * 0.5, rim * 0.45), oil)


def _dressed(m: Mesh, rng: Rng, colours: Sauce, share: float) -> Mesh:
    """A piece half covered by the sauce it has cooked in."""
    high = float(np.ptp(m.v[:, 2])) or 1.0
    low = 0.5 - m.v[:, 2] / high
    mask = noise.step(0.35, -0.15, low * -1 + 0.5 * produce.fbm_of(m, 0.9, rng) + 0.45 - share)
    return m.tinted(np.maximum(mask * 0.85, 0.35), colours[1])


def _meat(rng: Rng, colours: tuple[str, ...], char: float) -> Mesh:
    m = rounded_box(*rng.uniform([2.0, 1.5, 1.3], [3.1, 2.2, 1.8]), 0.55, 18)
    m = m.rough(0.22, 0.7, 4, seed=_seed(rng)).mottled(*colours, freq=0.8, seed=_seed(rng))
    burnt = noise.step(0.25, 0.6, produce.fbm_of(m, 0.8, rng))
    return produce.grounded(m.tinted(burnt * char, "#3a1608"))


def _chunk(rng: Rng, size: float, colours: tuple[str, ...]) -> Mesh:
    """A roughly cut piece of a boiled root or pumpkin."""
    m = rounded_box(*(size * rng.uniform(0.75, 1.25, 3)), size * 0.2, 12)
    m = m.rough(0.07 * size, 0.6, 2, seed=_seed(rng))
    return produce.grounded(m.mottled(*colours, freq=0.9, seed=_seed(rng)))


def _chickpea(rng: Rng) -> Mesh:
    m = blob(0.62, 0.55, 0.54, 14).rough(0.06, 1.5, seed=_seed(rng))
    m = m.displaced(-0.1 * np.exp(-((m.v[:, 1] / 0.12) ** 2)) * (m.v[:, 0] > 0))
    return produce.grounded(m.mottled("#b98a48", "#d6ac68", "#e3c183", freq=1.2, seed=2))


def _floret(rng: Rng) -> Mesh:
    """A floret of cauliflower: a crown of knobs on a stalk."""
    bits = [tube(np.array([[0, 0, 0], [0, 0, 0.7], [0, 0, 1.4]]), np.array([0.45, 0.55, 0.9]), 12)]
    for x, y in spread(rng, 1.05, 15):
        knob = blob(*rng.uniform(0.38, 0.55, 3), detail=9).rough(0.12, 2.2, seed=_seed(rng))
        bits.append(knob.moved(x, y, 1.75 - 0.45 * (x * x + y * y)))
    m = join(bits).mottled("#cdb172", "#e2cd98", "#ead9ae", freq=1.2, seed=_seed(rng))
    return produce.grounded(m.turned("x", rng.uniform(-60, 60)))


def _bean(rng: Rng) -> Mesh:
    t = np.linspace(-1, 1, 16)
    path = np.stack([2.2 * t, 0.35 * np.sin(t * 2 + rng.uniform(0, 6)), 0 * t], 1)
    m = tube(path, 0.34 * (1 - 0.25 * t**4), 10)
    return produce.grounded(m.mottled("#3d6b22", "#5b8a33", freq=1, seed=_seed(rng)))


def _pea(rng: Rng) -> Mesh:
    return produce.grounded(blob(0.4, detail=9).mottled("#5d8a24", "#7da838", freq=2, seed=4))


def _paneer(rng: Rng) -> Mesh:
    m = produce.cubes(rng, 1.75, ("#ecdcb8", "#f4ead0"), 0.12)
    seared = noise.step(0.55, 0.95, m.normals()[:, 2] + 0.5 * produce.fbm_of(m, 0.9, rng))
    return m.tinted(seared * 0.65, "#c58a3c")


def _tofu(rng: Rng) -> Mesh:
    m = produce.cubes(rng, 1.8, ("#d9b673", "#e8cf99"), 0.12)
    return m.tinted(noise.step(0.1, 0.6, produce.fbm_of(m, 0.8, rng)) * 0.6, "#b57a34")


def _cutlet(rng: Rng) -> list[Mesh]:
    """A breaded cutlet cut into fingers, side by side along x."""
    fingers = []
    for k in range(6):
        wide = 3.4 * (1 - 0.55 * ((k - 2.5) / 3.4) ** 2)
        m = rounded_box(1.75, wide * 2, 1.7, 0.5, 34)
        s = _seed(rng)
        crumb = noise.fbm(m.v, 2.4, 3, seed=s)
        crust = np.maximum(
            noise.step(0.55, 0.75, np.abs(m.v[:, 2])),
            noise.step(wide - 0.35, wide - 0.1, np.abs(m.v[:, 1])),
        )
        if k in (0, 5):
            crust = np.maximum(crust, noise.step(0.5, 0.8, m.v[:, 0] * (1 if k else -1)))
        m = m.mottled("#dcc09a", "#ead6b8", "#f1e4cd", freq=1.2, seed=s)
        m = m.displaced(0.2 * crumb * crust)
        tan = m.mottled("#8a4a12", "#b9742a", "#d69a4a", freq=1.6, seed=s + 1)
        m = m.painted((m.c * (1 - crust[:, None]) + tan.c * crust[:, None]).astype(np.float32))
        fingers.append(produce.grounded(m.turned("y", rng.uniform(-5, 5))).moved(x=2.0 * (k - 2.5)))
    return fingers


def _swirl(rng: Rng, turns: float) -> Mesh:
    """A thread of cream poured in a spiral."""
    a = np.linspace(0, turns * 2 * np.pi, 90)
    r = 0.4 + 0.42 * a / np.pi * (1 + 0.15 * np.sin(a * 1.7))
    path = np.stack([r * np.cos(a), r * np.sin(a), 0 * a], 1)
    wide = rng.uniform(0.16, 0.32, 90)
    wide = np.convolve(np.pad(wide, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    return tube(path, wide, 8, flat=0.3).painted("#f5eddc")


def _chilli(rng: Rng) -> Mesh:
    a = np.linspace(0, 2 * np.pi, 26, endpoint=False)
    path = np.stack([np.cos(a), np.sin(a) * 0.85, 0 * a], 1) * rng.uniform(0.4, 0.55)
    return produce.grounded(tube(path, 0.17, 8, closed=True).painted("#b9160d"))


Piece = Callable[[Rng], Mesh]
CHICKEN, LAMB = ("#a8692e", "#c98f50", "#dcb27c"), ("#3f1c0c", "#63321a", "#7d4826")
PIECES: tuple[tuple[tuple[str, ...], Piece, int, float], ...] = (
    (("chicken thighs",), lambda r: _meat(r, ("#96481a", "#b8682c", "#cc8a4c"), 0.85), 13, 0.45),
    (("chicken breasts",), lambda r: _meat(r, CHICKEN, 0.0), 9, 0.35),
    (("lamb",), lambda r: _meat(r, LAMB, 0.3), 11, 0.45),
    (("prawns",), lambda r: produce.shrimp(r, r.uniform(4.2, 5.0)), 9, 0.05),
    (("chickpeas",), _chickpea, 75, 0.25),
    (("paneer",), _paneer, 13, 0.1),
    (("tofu",), _tofu, 10, 0.15),
    (("pumpkin",), lambda r: _chunk(r, 2.0, ("#c8741a", "#dd9030", "#e6a850")), 8, 0.2),
    (("carrots",), lambda r: _chunk(r, 1.8, ("#c05c14", "#d87826", "#e28f42")), 7, 0.2),
    (("potatoes",), lambda r: _chunk(r, 2.1, ("#cfa03c", "#dfba64", "#e8cc88")), 8, 0.25),
    (("cauliflower",), _floret, 9, 0.2),
    (("green beans",), _bean, 13, 0.1),
    (("red pepper",), lambda r: produce.pepper_strip(r, "#b32012", r.uniform(3.5, 5)), 9, 0.1),
    (("250 g spinach",), lambda r: produce.spinach_leaf(r, r.uniform(3, 4.5)), 16, 0.1),
    (("peas",), _pea, 34, 0.1),
)


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """A plate or a shallow bowl shared by curry and rice."""
    scene.table()
    katsu = recipe.titled("katsu")
    colours = next(c for words, c in SAUCES if not words or recipe.has(*words))
    make = tableware.PLATE_COLOURS[rng.integers(len(tableware.PLATE_COLOURS))]
    if katsu or rng.random() < 0.4:
        ware = tableware.plate(15, *make, coupe=True)
        level = ware.floor + 0.75
    else:
        ware = tableware.bowl(12.6, 6.0, *make, 0.48)
        level = 3.9
    scene.serve(ware)
    reach = ware.radius_at(level)
    turn = rng.uniform(-150, -30) if katsu else rng.uniform(-190, 10)
    angle = np.radians(turn)
    style = "half" if katsu or rng.random() < 0.6 else "dome"
    oil = "#8e9a3c" if recipe.has("green curry paste") else "#b04a12"
    if recipe.has("spinach purée"):
        oil = "#5f7a2a"
    if katsu:
        oil = "#54300f"
    pool = _pool(rng, reach + 0.05, colours, oil, recipe.has("red lentils"))
    scene.add(pool.moved(z=level), "wet")
    floor = ware.floor if level < 2 else level - 1.2
    scene.add(_rice(rng, reach - 0.3, level, style, floor).turned("z", turn), "satin")

    def spots(count: int, far: float = 0.84) -> list[tuple[float, float]]:
        """Points on the sauce, clear of the rice, turned with the dish."""
        found = []
        for x, y in spread(rng, reach * far, count * 2 + 6):
            clear = x > 0.06 * reach
            if style == "dome":
                clear = np.hypot(x + 0.42 * reach, y - 0.12 * reach) > 0.6 * reach
            if clear:
                found.append(
                    (x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle))
                )
        return found[:count]

    for words, piece, count, share in PIECES:
        if not recipe.has(*words):
            continue
        for x, y in spots(count):
            m = _dressed(piece(rng).jittered(rng, 0.06), rng, colours, share).spun(rng, 14)
            scene.drop(m, x, y, "wet", 0.5)
    if katsu:
        for finger in _cutlet(rng):
            m = finger.moved(x=0, y=0).turned("z", turn + 90)
            x, y = m.v[:, 0].mean(), m.v[:, 1].mean()
            out = np.array([np.cos(angle), np.sin(angle)]) * 0.02 * reach
            scene.drop(m.moved(-x, -y), x + out[0], y + out[1], "crust", 0.15, 0.5)
    middle = np.mean(spots(14), axis=0)
    if recipe.has("double cream"):
        m = _swirl(rng, rng.uniform(2, 3)).turned("z", rng.uniform(0, 360))
        z = scene.heights.at(m.v[:, :2] + middle)
        m.v[:, 2] += z - level
        scene.add(m.moved(*middle, level + 0.06), "wet")
    if recipe.has("cumin seeds"):
        fat = disc_field(2.6, lambda x, y: 0.12 - 0.02 * (x**2 + y**2), 20, 60).painted("#c05a10")
        scene.add(fat.moved(*middle, level + 0.08), "wet")
        seed = produce.seed_grain(0.55, "#4a2a10")
        p = middle + rng.normal(0, 1.2, (60, 2))
        z = scene.heights.at(p)[:, None] + 0.03
        scene.add(copies(seed, np.concatenate([p, z], 1), rng, 20), "satin")
        for k in range(2):
            path = smooth_path([(-2.4, 0, 0), (-1, 0.5, 0.1), (1, 0.3, 0.1), (2.6, -0.4, 0)])
            pod = tube(path, np.linspace(0.5, 0.16, len(path)), 12, flat=0.7).painted("#6d0f0a")
            m = produce.grounded(pod.rough(0.08, 1.2, seed=_seed(rng)))
            scene.drop(m.spun(rng, 5), *(middle + [1.2 - 2 * k, 0.8 - k]), "wet", 0.3)
    if recipe.has("red chilli"):
        for x, y in spots(12, 0.7):
            scene.drop(_chilli(rng).spun(rng, 25), x, y, "wet", 0.1)
    if recipe.has("thai basil"):
        for x, y in np.asarray(middle) + rng.normal(0, 1.5, (6, 2)):
            scene.drop(
                produce.basil_leaf(rng, rng.uniform(2.8, 4)).spun(rng, 10), x, y, "leaf", 0.2
            )
    if recipe.has("coriander leaves"):
        for x, y in np.asarray(middle) + rng.normal(0, 2.0, (15, 2)):
            scene.drop(
                produce.herb_leaf(rng, rng.uniform(1.5, 2.4)).spun(rng, 15), x, y, "leaf", 0.1
            )
        flake = slab(polygon([(-0.35, 0), (0, -0.2), (0.4, 0), (0, 0.25)], 10), 0.05, 0.02, 3)
        p = rng.normal(0, reach * 0.35, (60, 2))
        z = scene.heights.at(p)[:, None] + 0.04
        scene.add(
            copies(flake.painted("#356f26"), np.concatenate([p, z], 1), rng, 30, (0.6, 1.4)), "leaf"
        )
    if recipe.has("lime"):
        for k in range(2):
            m = produce.citrus_slice(rng, 2.3, "#b9c95a", "#5d8a22").turned("x", 62)
            m = produce.grounded(m.turned("z", -turn * 0.2 + 20 * k))
            x, y = np.array([np.cos(angle + 1.5), np.sin(angle + 1.5)]) * reach * (0.7 - 0.07 * k)
            scene.drop(m, x, y, "wet", 0.5, 0.2)
    side = rng.choice([-1, 1])
    spoon = tableware.spoon().turned("z", 90 + rng.uniform(-8, 8))
    lift = 0.0
    if rng.random() < 0.6:
        tint = ("#a33b30", "#3f5f86", "#b98a3a", "#5d7048")[rng.integers(4)]
        napkin = tables.cloth(rng, 16, 30, "#e6ddcb", tint, ("stripes", "check")[rng.integers(2)])
        scene.add(napkin.turned("z", rng.uniform(-12, 12)).moved(side * 18.5, 2), "cloth")
        lift = 0.9
    scene.add(spoon.moved(side * 16.6, 0, lift), "metal")
    if rng.random() < 0.25:
        scene.shoot(height=(70, 84), distance=(46, 50), aim=(0, 0, 2), lens=0.4)
    else:
        scene.shoot(height=(38, 54), distance=(42, 47), aim=(0, -0.5, 2.2), lens=0.6)
