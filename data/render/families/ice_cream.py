"""Ice cream: scoops in bowls, coupes or a long dish, or in waffle cones standing in cups."""

from __future__ import annotations

import numpy as np
from kit import fruit, noise, produce, tables, tableware
from kit.geometry import Mesh, blob, copies, join, revolve, rounded_box, tube
from kit.recipe import Recipe
from kit.stage import Scene

Rng = np.random.Generator
Part = tuple[Mesh, str]

FLAVOURS: dict[str, tuple[str, str, str]] = {
    "vanilla": ("#e9cf98", "#f2e0b4", "#f8eed0"),
    "chocolate": ("#2f170c", "#482616", "#5c3420"),
    "strawberry": ("#c8707c", "#d88e96", "#e2a6aa"),
    "mint": ("#8fbd94", "#a8cfaa", "#bcdcba"),
    "pistachio": ("#8f9c52", "#a6b06a", "#b8c082"),
    "caramel": ("#a3713a", "#bd8c52", "#cfa36c"),
    "mango": ("#d07f10", "#e0981f", "#e8ac3a"),
    "blueberry": ("#dccac4", "#e6d8d0", "#eee2da"),
}


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def _flavours(recipe: Recipe) -> tuple[str, ...]:
    """The kinds of ice cream, in the order of the scoops."""
    if recipe.titled("banana split", "neapolitan"):
        return ("vanilla", "chocolate", "strawberry")
    if recipe.titled("mint"):
        return ("mint",)
    found = [name for name in FLAVOURS if recipe.titled(name)]
    return (found[0],) if found else ("vanilla",)


def _scoop(rng: Rng, flavour: str, radius: float, recipe: Recipe) -> list[Part]:
    """A ball with the scoop's furrows, a ragged skirt and what is mixed in; centre at origin."""
    s = _seed(rng)
    m = blob(radius, radius, radius, 62)
    d = m.v / radius
    tear = noise.fbm(d * [1.0, 1.0, 3.2], 1.5, 4, gain=0.6, seed=s)
    pits = noise.step(0.25, 0.7, noise.fbm(d * [1, 1, 2.0], 3.2, 3, seed=s + 1))
    low = noise.step(-0.35, -0.62, d[:, 2] + 0.12 * noise.fbm(d, 1.6, 3, seed=s + 2))
    skirt = low * (0.16 + 0.14 * noise.fbm(d, 2.4, 3, seed=s + 3)) * radius
    m = m.displaced(radius * (0.075 * tear - 0.05 * pits) + skirt)
    m.v[:, 2] = np.maximum(m.v[:, 2], -0.72 * radius)
    m = m.mottled(*FLAVOURS[flavour], freq=0.5, seed=s + 4)
    m = m.shaded(1 + 0.08 * tear - 0.1 * pits)
    if flavour == "blueberry":
        vein = np.abs(noise.fbm(d * [1, 1, 1.8] + 0.3 * tear[:, None], 0.9, 3, seed=s + 5))
        m = m.tinted(noise.step(0.17, 0.04, vein) * 0.9, "#4a1f56")
        m = m.tinted(noise.step(0.3, 0.12, vein) * 0.35, "#8a5a92")
    if flavour == "strawberry":
        m = m.tinted(noise.step(0.5, 0.7, noise.fbm(d, 2.2, 3, seed=s + 6)) * 0.75, "#a8283a")
    if flavour == "caramel":
        vein = np.abs(noise.fbm(d * [1, 1, 2], 0.8, 3, seed=s + 5))
        m = m.tinted(noise.step(0.1, 0.03, vein) * 0.8, "#7a3f10")
    if flavour == "vanilla":
        m = m.tinted(noise.step(0.72, 0.8, noise.fbm(d, 13, 2, seed=s + 7)) * 0.5, "#5a4028")
    parts: list[Part] = [(m, "moist")]
    if flavour in ("mint", "pistachio"):
        colour = "#24100a" if flavour == "mint" else "#6f8030"
        n = m.normals()
        picks = rng.choice(len(m.v), 54 if flavour == "mint" else 40, replace=False)
        bits = []
        for k in picks[d[picks, 2] > -0.5]:
            size = rng.uniform(0.25, 0.75)
            b = rounded_box(size, size * 0.8, 0.3, 0.09, 4).painted(colour).jittered(rng, 0.15)
            bits.append(b.spun(rng, 90).moved(*(m.v[k] - n[k] * 0.05)))
        parts.append((join(bits), "satin"))
    return parts


def _sauce(rng: Rng, scoop: Mesh, colour: str, radius: float) -> Mesh:
    """The scoop's upper skin, swollen, with runs of sauce going down its sides."""
    s = _seed(rng)
    v = scoop.v
    a = np.arctan2(v[:, 1], v[:, 0])
    ring = np.stack([np.cos(a), np.sin(a)], 1)
    line = radius * (0.5 - 0.75 * np.abs(noise.fbm(ring * 1.6, 1.3, 3, seed=s)) ** 1.2)
    above = v[:, 2] - line
    body = noise.step(-0.05, 0.3, above)
    lip = np.exp(-(((above - 0.22) / 0.18) ** 2))
    m = scoop.displaced(0.1 * body + 0.1 * lip * body - 0.12 * (above < 0))
    keep = (above > -0.1)[m.f].all(1)
    return Mesh(m.v, m.f[keep], m.c).painted(colour)


def _cone(rng: Rng, length: float = 11.0, radius: float = 2.7) -> Mesh:
    """Waffle cone, tip at the origin, opening upwards, with its raised lattice and seam."""
    t = np.linspace(0.02, 1, 90)
    prof = [(radius * k**0.92, length * k) for k in t]
    prof += [(radius * 0.93, length), (radius * 0.7, length * 0.8), (0.02, length * 0.6)]
    m = revolve(prof, 140, 1)
    k = m.v[:, 2] / length
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    u = np.sin(a * 5 + k * 15) * 1.0
    w = np.sin(a * 5 - k * 15) * 1.0
    rib = np.maximum(noise.step(0.6, 0.95, u), noise.step(0.6, 0.95, w))
    m = m.mottled("#a8662a", "#c4843c", "#d39c54", freq=0.7, seed=_seed(rng))
    m = m.tinted((1 - rib) * 0.5, "#8f5420").displaced(0.16 * rib * (k > 0.05))
    seam = noise.step(0.25, 0.0, np.abs(a - k * 0.9 + 0.4))
    return m.tinted(seam * 0.35, "#7a441a").tinted(noise.step(0.94, 1.0, k) * 0.5, "#8a4e1e")


def _topping(recipe: Recipe, rng: Rng, ball: Mesh, radius: float) -> list[Part]:
    """What lies on a scoop: nuts, berries, mint, cream."""
    n = ball.normals()
    up = np.flatnonzero(n[:, 2] > 0.35)
    parts: list[Part] = []

    def stick(piece, count: int, finish: str, lift: float = 0.02):
        out = []
        for k in rng.choice(up, count, replace=False):
            out.append(piece().spun(rng, 40).moved(*(ball.v[k] + n[k] * lift)))
        parts.append((join(out), finish))

    if recipe.has("flaked almonds"):
        stick(lambda: fruit.almond_flake(rng, rng.uniform(0.9, 1.3)), 12, "satin")
    if recipe.has("hazelnuts"):
        stick(
            lambda: produce.cubes(rng, rng.uniform(0.4, 0.8), ("#a8743a", "#dcbc86"), 0.2),
            26,
            "satin",
            -0.1,
        )
    if recipe.has("pistachios"):
        stick(
            lambda: produce.cubes(rng, rng.uniform(0.3, 0.6), ("#5f7d2c", "#93aa55"), 0.2),
            40,
            "satin",
            -0.1,
        )
    if recipe.has("pecans"):
        tint = ("#5f3014", "#85491f", "#9c5f30")
        stick(lambda: fruit.walnut(rng, 2.0, tint), 4, "satin", -0.2)
    if recipe.has("coloured sprinkles"):
        for c in ("#c92f50", "#d8a81f", "#2f86c0", "#4c9a40"):
            stick(lambda c=c: produce.sprinkle(0.65, c), 9, "satin", 0.06)
    if recipe.titled("mint chocolate", "mango"):
        sprig = fruit.mint_sprig(rng, 1.9).moved(z=radius * 1.0)
        parts.append((sprig, "leaf"))
    return parts


def _piled(
    scene: Scene, recipe: Recipe, rng: Rng, where: list[tuple[float, float, float]], big: float
) -> None:
    """Scoops with their sauce and toppings at given centres."""
    kinds = _flavours(recipe)
    sauce = recipe.has("sauce", "caramel sauce")
    for k, (x, y, z) in enumerate(where):
        radius = big * rng.uniform(0.95, 1.05)
        tilt = rng.uniform(-14, 14)
        parts = _scoop(rng, kinds[k % len(kinds)], radius, recipe)
        parts = [(m.turned("z", k * 77).turned("x", tilt), f) for m, f in parts]
        ball = parts[0][0]
        if sauce and k in (0, len(where) - 1):
            colour = "#8a4a14" if recipe.has("caramel") else "#3a1a0c"
            parts.append((_sauce(rng, ball, colour, radius), "glaze"))
        parts += _topping(recipe, rng, ball, radius)
        for m, f in parts:
            scene.add(m.moved(x, y, z), f)


def _coupe(rng: Rng, colour: str, finish: str) -> tableware.Ware:
    """Footed dessert dish, wide and shallow."""
    p = [(0, 0.1), (3.6, 0), (3.8, 0.2), (1.4, 0.7), (0.8, 1.6), (1.0, 2.6), (4.2, 3.4), (6.4, 5.4)]
    p += [(6.9, 7.0), (6.75, 7.1), (6.2, 5.6), (4.0, 4.0), (0, 3.6)]
    m = revolve(p, 140, 8).painted(colour)
    return tableware.Ware(m, finish, 3.7, 5.5, 7.0)


def _banana(rng: Rng, length: float) -> Mesh:
    """Half of a peeled banana, cut face inward, bent along the dish."""
    t = np.linspace(-1, 1, 60)
    path = np.stack([t * length / 2, 1.4 * t**2, 0.9 * t**2], 1)
    m = tube(path, 1.45 * np.clip(1 - np.abs(t) ** 5, 0.12, 1) ** 0.7, 26)
    m = m.mottled("#d3b46a", "#e2c98a", "#ead8a4", freq=0.5, seed=_seed(rng))
    return m.rough(0.05, 1.0, seed=_seed(rng))


def _wafer(rng: Rng) -> Mesh:
    """Thin rolled or fan-shaped wafer."""
    from kit.geometry import polygon, slab

    a = np.radians(np.linspace(-26, 26, 14))
    arc = np.stack([np.sin(a), np.cos(a)], 1) * 6.2
    o = polygon(np.concatenate([[[0, 0]], arc])[::-1], 120, smooth=False) - [0, 3.6]
    m = slab(o, 0.35, 0.1, 24).mottled("#b57a36", "#cf9c58", freq=0.8, seed=_seed(rng))
    grid = np.maximum(np.sin(m.v[:, 0] * 5), np.sin(m.v[:, 1] * 5))
    return m.shaded(1 - 0.25 * noise.step(0.7, 1.0, grid)).moved(y=3.6)


def _cones(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """Two or three filled cones, each standing in a cup."""
    colour, finish = (
        ("#e4dfd4", "ceramic"),
        ("#50606a", "stoneware"),
        ("#8fa3a0", "stoneware"),
        ("#c98f7c", "ceramic"),
    )[rng.integers(4)]
    places = [(-6.6, 0.5), (0.4, -1.5), (7.0, 1.0)] if rng.random() < 0.6 else [(-4, 0), (4.4, -1)]
    for k, (x, y) in enumerate(places):
        prof = [(0, 0.1), (2.5, 0), (2.7, 0.2), (3.0, 4.0), (3.15, 6.3), (3.0, 6.4), (2.8, 4.0)]
        cup = revolve([*prof, (2.4, 0.6), (0, 0.5)], 110, 7).painted(colour)
        scene.add(cup.moved(x, y), finish)
        lean_x, lean_y = rng.uniform(-7, 7), rng.uniform(-3, 6)
        cone = _cone(rng, 12.5, 2.85)
        parts: list[Part] = [(cone, "crust")]
        count = 2 if rng.random() < 0.35 and len(places) < 3 else 1
        for j in range(count):
            scoop = _scoop(rng, _flavours(recipe)[0], 3.25 - 0.3 * j, recipe)
            scoop += _topping(recipe, rng, scoop[0][0], 3.25) if j == count - 1 else []
            z = 12.5 + 1.75 + 4.2 * j
            parts += [(m.turned("z", rng.uniform(0, 360)).moved(z=z), f) for m, f in scoop]
        for m, f in parts:
            m = m.turned("y", lean_x).turned("x", -lean_y).moved(x, y, 1.3)
            scene.add(m, f)
        if recipe.titled("strawberry") and k == 0:
            for _ in range(3):
                berry = fruit.strawberry(rng, rng.uniform(3.0, 3.6)).spun(rng)
                spot = rng.uniform([-11, -9.5], [11, -6])
                scene.drop(berry, *spot, "wet")
    if recipe.has("pistachios"):
        for _ in range(16):
            nut = blob(0.8, 0.5, 0.45, 10).mottled("#6f7a38", "#a3a860", freq=1.5, seed=_seed(rng))
            scene.drop(
                produce.grounded(nut).spun(rng, 20), *rng.uniform([-12, -10], [12, -5]), "satin"
            )
    scene.shoot(height=(10, 20), distance=(42, 45), aim=(0.2, 0, 9.4), lens=0.7)


def _split(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """Banana split in a long dish."""
    p = [(0, 0.1), (5.0, 0), (5.2, 0.2), (7.2, 2.0), (8.0, 4.0), (7.8, 4.1), (6.8, 2.3), (4, 0.8)]
    dish = revolve([*p, (0, 0.7)], 160, 8).painted("#e6e2d9").scaled(1.75, 0.82, 1)
    turn = rng.uniform(-14, 14)
    scene.add(dish.turned("z", turn), "ceramic")
    a = np.radians(turn)

    def at(x: float, y: float) -> tuple[float, float]:
        return x * np.cos(a) - y * np.sin(a), x * np.sin(a) + y * np.cos(a)

    for side in (-1, 1):
        m = _banana(rng, 23).scaled(1, side, 1)
        m = Mesh(m.v, m.f if side > 0 else m.f[:, ::-1], m.c).turned("x", -side * 25)
        x, y = at(0, side * 3.6)
        scene.add(m.turned("z", turn).moved(x, y, 3.1), "moist")
    _piled(scene, recipe, rng, [(*at(x, 0), 4.5) for x in (-6.2, 0, 6.2)], 3.15)
    for x in (-6.2, 0.0, 6.2):
        rosette = fruit.cream_rosette(rng, 1.5)
        scene.drop(rosette, *at(x, 0), "cream", 0.5, 0)
        scene.drop(fruit.cherry(rng, 0.95, True, "#9c0a16"), *at(x, 0.0), "glaze", 0.4, 0)
    scene.shoot(height=(30, 42), distance=(42, 45), aim=(0, 0, 4.4), lens=0.6)


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """Cones, a banana split, or scoops in a bowl or coupe with a spoon and a napkin."""
    scene.table()
    side = rng.choice([-1, 1])
    if rng.random() < 0.6:
        stripe = ("#a33b30", "#3f5f86", "#5d7048", "#b98a3a")[rng.integers(4)]
        napkin = tables.cloth(rng, 20, 30, "#ece6da", stripe, ("stripes", "check")[rng.integers(2)])
        scene.add(napkin.turned("z", rng.uniform(-35, 35)).moved(-side * 16, 8), "cloth")
    if recipe.has("waffle cones"):
        _cones(scene, recipe, rng)
        return
    if recipe.titled("banana split"):
        _split(scene, recipe, rng)
        return
    looks = (
        ("#e9e5dc", "ceramic"),
        ("#42525e", "stoneware"),
        ("#8fa3a0", "stoneware"),
        ("#2e3033", "stoneware"),
        ("#cfa79c", "ceramic"),
        ("#a9bcc4", "ceramic"),
    )
    colour, finish = looks[rng.integers(len(looks))]
    if rng.random() < 0.5:
        ware = scene.serve(_coupe(rng, colour, finish))
        base = 5.6
        view = (18, 30)
    else:
        ware = scene.serve(tableware.bowl(7.2, 4.8, colour, None, finish, 0.5))
        base = 3.2
        view = (28, 44)
    turn = np.radians(rng.uniform(-25, 25))
    ring = [turn + np.pi / 2 + k * 2 * np.pi / 3 for k in range(3)]
    where = [(3.4 * np.cos(k), 3.4 * np.sin(k), base + 1.2) for k in ring]
    if not recipe.titled("neapolitan") and rng.random() < 0.6:
        where.append((0.2, 0.1, base + 4.9))
    pool = FLAVOURS[_flavours(recipe)[0]][2]
    melt = blob(ware.inner * 0.95, ware.inner * 0.95, 1.0, 24).painted(pool)
    scene.add(melt.moved(z=base - 1.0), "wet")
    _piled(scene, recipe, rng, where, 3.1)
    if recipe.has("raspberries"):
        for _ in range(12):
            a, r = rng.uniform(0, 2 * np.pi), rng.uniform(3.5, 6.2)
            berry = fruit.raspberry(rng, rng.uniform(1.7, 2.1)).spun(rng)
            scene.drop(berry, r * np.cos(a), r * np.sin(a) - 0.4, "moist", 0.3, 0.4)
    if recipe.titled("blueberry"):
        for _ in range(22):
            a, r = rng.uniform(0, 2 * np.pi), rng.uniform(2.5, 6.2)
            berry = fruit.blueberry(rng, rng.uniform(0.65, 0.85)).spun(rng)
            scene.drop(berry, r * np.cos(a), r * np.sin(a) - 0.4, "satin", 0.3, 0.4)
    if recipe.has("wafer"):
        for k in (-1, 1):
            m = _wafer(rng).turned("x", 74).turned("z", k * 16)
            scene.add(m.moved(k * 1.5, 2.4, base + 2.4), "crust")
    if recipe.titled("dark chocolate"):
        bits = copies(
            produce.cubes(rng, 0.6, ("#a8743a", "#dcbc86"), 0.2),
            np.column_stack([rng.normal(0, 9, (24, 2)), np.full(24, 0.2)]),
            rng,
        )
        scene.add(bits, "satin")
    spoon = tableware.spoon(16).turned("z", 90 - side * rng.uniform(8, 30))
    scene.add(spoon.moved(side * 9.6, -2.5, 0.1), "metal")
    scene.shoot(height=view, distance=(26, 29), aim=(side * 0.4, 0, base + 1.4), lens=0.5)
