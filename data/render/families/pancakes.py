"""Pancakes: a leaning stack with syrup running down its side, or crêpes folded in quarters."""

from __future__ import annotations

import numpy as np
from kit import fruit, noise, produce, savoury, tables, tableware
from kit.geometry import Mesh, circle, copies, disc_field, join, polygon, slab
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene

R = 6.6


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 30))


def _pancake(rng: np.random.Generator, recipe: Recipe, thick: float, radius: float) -> Mesh:
    """One thick pancake: browned faces with a paler ring, cream-coloured porous side."""
    s = _seed(rng)
    m = slab(circle(radius, 260, 0.035, s), thick, thick * 0.48, 56, 0.12)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / radius
    m.v[:, 2] -= rng.uniform(0.05, 0.3) * np.clip(r - 0.6, 0, 1) ** 2 * 3
    m.v[:, 2] += 0.1 * noise.fbm(m.v, 0.25, 2, seed=s)
    n = np.abs(m.normals()[:, 2])
    side, face = ("#e9c98a", ("#a35c1e", "#c07c34", "#d39a52"))
    if recipe.has("cocoa"):
        side, face = ("#4f2a17", ("#24110a", "#381c10", "#4a2817"))
    elif recipe.has("wholemeal"):
        side, face = ("#c99c60", ("#7f4818", "#9c6229", "#b57d3f"))
    elif recipe.titled("japanese"):
        side, face = ("#f3dfa6", ("#c07f33", "#d39a4c", "#dfae63"))
    m = m.mottled(*face, freq=0.32, octaves=5, seed=s + 1)
    lace = noise.step(0.15, 0.55, noise.fbm(m.v, 1.1, 3, seed=s + 2))
    m = m.tinted(lace * 0.35, face[2])
    edge = r + 0.05 * noise.fbm(m.v, 0.6, 3, seed=s + 3)
    ring = np.exp(-(((edge - 0.9) / 0.035) ** 2))
    m = m.tinted(ring * 0.5, face[0])
    pale = np.maximum(noise.step(0.92, 0.98, edge), noise.step(0.75, 0.4, n))
    m = m.tinted(pale * 0.95, side)
    pores = noise.step(0.25, 0.6, noise.fbm(m.v, 2.2, 3, seed=s + 4)) * pale
    m = m.displaced(-0.07 * pores + 0.03 * noise.fbm(m.v, 1.5, 3, seed=s + 5))
    m = m.tinted(pores * 0.35, face[1])
    if recipe.titled("blueberry"):
        stain, ident = noise.cells(m.v + 3.3 * np.round(m.v[:, 2:3]), 0.42, s)
        spot = noise.step(0.3, 0.18, stain + 0.05 * lace) * (ident > 0.35)
        m = m.tinted(spot * 0.85, "#2f1a3f").displaced(0.12 * spot)
    return produce.grounded(m)


def _pour(rng: np.random.Generator, radius: float, colours: tuple[str, str], high: float) -> Mesh:
    """Syrup over the top of a stack with tongues that run down its side (top at z = 0)."""
    s = _seed(rng)
    count = int(rng.integers(5, 8))
    start = rng.uniform(0, 6)
    at = start + np.arange(count) * 2 * np.pi / count + rng.normal(0, 0.22, count)
    at = np.append(at, -np.pi / 2 + rng.uniform(-0.5, 0.5))
    length = rng.uniform(0.35, 1.0, len(at)) * high
    wide = rng.uniform(0.09, 0.2, len(at))

    def reach(a: np.ndarray) -> np.ndarray:
        ring = np.stack([np.cos(a), np.sin(a)], -1)
        d = np.abs((a[..., None] - at + np.pi) % (2 * np.pi) - np.pi)
        tongue = ((length + radius * 0.22) * np.exp(-((d / wide) ** 4))).max(-1)
        return radius * (0.8 + 0.07 * noise.fbm(ring, 1.5, 3, seed=s)) + tongue

    m = disc_field(reach, lambda x, y: 0 * x, 130, 420)
    x, y = m.v[:, 0], m.v[:, 1]
    a, t = np.arctan2(y, x), np.hypot(x, y)
    rel = t / reach(a)
    bulge = 0.15 * np.sqrt(np.clip(1 - rel**6, 0, 1)) + 0.14 * np.exp(-(((rel - 0.94) / 0.06) ** 2))
    bend = 0.75
    turn = np.clip((t - radius + bend) / bend, 0, np.pi / 2)
    down = np.clip(t - radius + bend - bend * np.pi / 2, 0, None)
    out = np.minimum(t, radius - bend) + (bend + bulge) * np.sin(turn)
    ripple = 0.12 * np.sin(down * 5.2)
    z = (bend + bulge) * np.cos(turn) - bend - down
    v = np.stack([(out + ripple) * np.cos(a), (out + ripple) * np.sin(a), z], 1)
    m = Mesh(v, m.f, m.c).painted(colours[0])
    return m.tinted(noise.step(0.8, 1.0, rel) * 0.7, colours[1])


def _puddle(rng: np.random.Generator, radius: float, colours: tuple[str, str]) -> Mesh:
    s = _seed(rng)

    def edge(a: np.ndarray) -> np.ndarray:
        return radius * (1 + 0.22 * noise.fbm(np.stack([np.cos(a), np.sin(a)], -1), 1.2, 3, seed=s))

    m = disc_field(edge, lambda x, y: 0 * x, 60, 260)
    rel = np.hypot(m.v[:, 0], m.v[:, 1]) / edge(np.arctan2(m.v[:, 1], m.v[:, 0]))
    m.v[:, 2] = 0.2 * np.sqrt(np.clip(1 - rel**4, 0, 1))
    return m.painted(colours[0]).tinted(noise.step(0.85, 1.0, rel) * 0.8, colours[1])


def _banana(rng: np.random.Generator) -> Mesh:
    m = slab(circle(1.55, 70, 0.04, _seed(rng)), 0.65, 0.16, 18)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / 1.55
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    m = m.painted("#efdfae").tinted(noise.step(0.55, 0.35, r) * 0.5, "#dcc084")
    seed = noise.step(0.6, 0.9, np.abs(np.cos(a * 1.5))) * noise.step(0.12, 0.06, np.abs(r - 0.22))
    return m.tinted(seed * 0.7, "#6b4a26").tinted(noise.step(0.9, 1, r) * 0.6, "#d9bf7c")


def _cream(rng: np.random.Generator, radius: float, colour: str = "#f5f0e4") -> Mesh:
    """A soft dollop pulled to a peak."""
    s = _seed(rng)

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        rel = np.hypot(x, y) / radius
        a = np.arctan2(y, x)
        fold = 0.16 * np.sin(a * 2 + rel * 6.5 + s % 6)
        body = np.sqrt(np.clip(1 - rel**2.4, 0, 1))
        return radius * (0.62 * body + fold * body * rel * 1.4 + 0.25 * np.clip(0.35 - rel, 0, 1))

    return disc_field(radius, height, 60, 180).painted(colour)


def _crepe(rng: np.random.Generator) -> Mesh:
    """A thin crêpe folded twice to a quarter, its rounded edge frilled, tip at -x."""
    s = _seed(rng)
    sheets = []
    for k in range(4):
        span = np.radians(rng.uniform(82, 94))
        a = np.linspace(-span / 2, span / 2, 40)
        arc = np.stack([np.cos(a), np.sin(a)], 1) * (9.6 + rng.uniform(-0.5, 0.3))
        o = polygon(np.concatenate([[[0, 0]], arc]), 260, smooth=False) - [6.2, 0]
        m = slab(o, 0.16, 0.06, 60)
        r = np.hypot(m.v[:, 0] + 6.2, m.v[:, 1])
        fold = np.clip((np.abs(np.arctan2(m.v[:, 1], m.v[:, 0] + 6.2)) - 0.5) / 0.3, 0, 1)
        m.v[:, 2] += 0.33 * k * (1 - 0.75 * fold) + 0.16 * noise.fbm(m.v, 0.35, 3, seed=s + k)
        m.v[:, 2] += 0.3 * noise.step(8.2, 9.7, r) * (noise.value(m.v, 0.7, s + k) + 0.3)
        m = m.mottled("#dba654", "#e8c078", "#f0d59c", freq=0.3, seed=s + k)
        brown = noise.step(0.1, 0.5, noise.fbm(m.v, 0.55, 4, seed=s + 9 + k))
        m = m.tinted(brown * 0.75, "#a5642a")
        d, ident = noise.cells(m.v, 0.9, s + k)
        ring = np.exp(-(((d - 0.25 * ident) / 0.07) ** 2))
        m = m.tinted(ring * 0.5 * (ident > 0.4), "#8f501e")
        m = m.tinted(noise.step(9.0, 9.6, r) * 0.4, "#9c5c22")
        sheets.append(m)
    return join(sheets)


def _crepes(scene: Scene, rng: np.random.Generator) -> None:
    """Three folded crêpes laid like a fan, sugar and lemon on them."""
    ware = scene.serve(tableware.any_plate(rng, 14.5))
    turn = rng.uniform(-20, 20)
    for k, d in enumerate((126, 54, 90)):
        m = _crepe(rng).jittered(rng, 0.04).turned("z", d + turn)
        a = np.radians(d + turn)
        scene.add(
            m.moved(3.6 * np.cos(a), 3.6 * np.sin(a) - 2.6, ware.floor + 0.15 + 0.5 * k), "satin"
        )
    for x, y in ((-4.4, -5.6), (-1.8, -7.4), (5.2, -5.0)):
        scene.drop(produce.citrus_slice(rng, 2.5).spun(rng, 6), x, y, "wet", 0.2)
    p = rng.normal(0, 4.2, (900, 2))
    z = scene.heights.at(p)[:, None] + 0.05
    grain = produce.cubes(rng, 0.13, ("#f4f0e6", "#fbf9f4"), 0.1)
    scene.add(copies(grain, np.concatenate([p, z], 1), rng, 90), "satin")
    scene.shoot(height=(38, 56), distance=(37, 40), aim=(0, -0.5, 1.5), lens=0.6)


def _topping(scene: Scene, recipe: Recipe, rng: np.random.Generator, x: float, y: float) -> None:
    """What lies on the stack and round its foot."""

    def strew(piece, count: int, reach: float, finish: str, sink: float = 0.25) -> None:
        for dx, dy in rng.normal(0, reach, (count, 2)):
            m = piece(rng).jittered(rng, 0.06).spun(rng, 18)
            scene.drop(m, x + dx, y + dy, finish, sink)

    def round_foot(piece, count: int, finish: str) -> None:
        for _ in range(count):
            a = -np.pi / 2 + rng.choice([-1, 1]) * rng.uniform(0.25, 1.5)
            r = rng.uniform(R + 1.4, R + 3.2)
            m = piece(rng).jittered(rng, 0.06).spun(rng, 12)
            scene.drop(m, x + r * np.cos(a), y + r * np.sin(a), finish, 0.2)

    if recipe.has("yoghurt"):
        scene.drop(_cream(rng, 3.9), x, y, "cream", 0.6)
    if recipe.has("whipping cream"):
        scene.drop(_cream(rng, 3.4), x - 0.6, y + 0.8, "cream", 0.6)
    if recipe.has("banana"):
        for dx, dy in spread(rng, 3.9, 10):
            m = _banana(rng).jittered(rng, 0.04).spun(rng, 8)
            scene.drop(m, x + dx, y + dy, "moist", 0.35)
        round_foot(_banana, 4, "moist")
    if recipe.has("apple"):
        for k in range(11):
            m = fruit.fruit_slice(rng, 5.2, ("#d39a3c", "#e3b45c"), "#8f2a16").turned("z", 90)
            r = 3.4 if k < 8 else 1.0
            m = m.jittered(rng, 0.07).moved(x=0).turned("z", k * 45 + rng.uniform(-15, 15))
            a = np.radians(k * 45)
            scene.drop(m, x + r * np.cos(a), y + r * np.sin(a), "wet", 0.35)
    if recipe.has("bacon"):
        for d, dx in ((62, -1.8), (98, 0.2), (128, 1.6)):
            m = savoury.bacon(rng, 13.5).bent(11, "y").turned("z", d + rng.uniform(-8, 8))
            scene.drop(m, x + dx, y, "moist", 0.3, 0.3)
    if recipe.has("strawberr"):
        strew(lambda r: fruit.strawberry(r, r.uniform(2.9, 3.5)), 5, 1.9, "wet")
        strew(lambda r: fruit.strawberry(r, 3.2, False, True), 4, 2.2, "wet")
        round_foot(lambda r: fruit.strawberry(r, 3.1, cut=r.random() < 0.4), 4, "wet")
    if recipe.has("raspberr"):
        mixed = recipe.has("blackberr")
        strew(lambda r: fruit.raspberry(r, r.uniform(1.7, 2.0)), 7 if mixed else 13, 1.9, "moist")
        round_foot(lambda r: fruit.raspberry(r, 1.8), 6, "moist")
    if recipe.has("blackberr"):
        scene.fill = 0.34  # dark fruit in honey needs more light from the room
        strew(lambda r: fruit.raspberry(r, 2.0, "#1f1226"), 4, 2.3, "moist")
        round_foot(lambda r: fruit.raspberry(r, 2.0, "#1f1226"), 3, "moist")
    if recipe.has("blueberr"):
        many = 22 if recipe.titled("blueberry") else 9
        strew(lambda r: fruit.blueberry(r, r.uniform(0.6, 0.8)), many, 2.0, "satin")
        round_foot(lambda r: fruit.blueberry(r, r.uniform(0.6, 0.8)), many // 2, "satin")
    if recipe.has("walnut"):
        strew(fruit.walnut, 8, 2.4, "satin")
        round_foot(fruit.walnut, 3, "satin")
    if recipe.has("mint"):
        scene.drop(fruit.mint_sprig(rng, 2.6), x + 0.5, y - 0.5, "leaf", 0.3)
    if recipe.titled("butter "):
        pat = produce.cubes(rng, 2.9, ("#efcf6a", "#f5df92"), 0.25).scaled(1, 1, 0.5)
        scene.drop(pat.turned("z", rng.uniform(15, 70)), x - 0.3, y - 0.6, "moist", 0.2)
    if recipe.has("icing sugar"):
        p = rng.normal(0, 3.4, (1500, 2))
        z = scene.heights.at(p + [x, y])[:, None] + 0.03
        flake = slab(circle(0.09, 6), 0.03, 0.01, 2).painted("#f7f4ee")
        scene.add(copies(flake, np.concatenate([p + [x, y], z], 1), rng, 30), "matte")


def build(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> None:
    """A stack in the middle of its plate with what the recipe pours and heaps on it."""
    scene.table()
    savoury.far_table(scene)
    if recipe.titled("lemon"):
        _crepes(scene, rng)
        return
    ware = scene.serve(tableware.any_plate(rng, 13.5))
    tall = recipe.titled("japanese")
    count = 3 if tall else int(rng.integers(5, 8))
    thick, radius = (3.0, 5.4) if tall else (1.3, R)
    z = ware.floor + 0.03
    wander = np.zeros(2)
    sauce = None
    if recipe.has("maple", "honey"):
        sauce = ("#6b2f08", "#b9742a") if recipe.has("maple") else ("#b0711a", "#d79a3a")
    if recipe.has("caramel"):
        sauce = ("#8f4a12", "#bd7a34")
    if recipe.has("dark chocolate"):
        sauce = ("#1d0c06", "#341a0f")
    finish = "glaze" if recipe.has("dark chocolate") else "liquid"
    if sauce is not None:
        scene.add(_puddle(rng, R + 1.5, sauce).moved(z=ware.floor - 0.1), finish)
    for _ in range(count):
        m = _pancake(rng, recipe, thick * rng.uniform(0.9, 1.1), radius * rng.uniform(0.95, 1.04))
        wander = wander * 0.7 + rng.normal(0, 0.32 if not tall else 0.5, 2)
        m = m.jittered(rng, 0.04).spun(rng, 1.5).moved(*wander, z)
        scene.add(m, "crust")
        z += thick * 0.95
    if sauce is not None:
        over = _pour(rng, radius + 0.2, sauce, thick * count * 0.85)
        scene.add(over.moved(*(wander * 0.6), z + 0.1), finish)
    _topping(scene, recipe, rng, *wander)
    if rng.random() < 0.6:
        fork = tableware.fork() if rng.random() < 0.6 else tableware.knife()
        scene.add(
            fork.turned("z", 90 + rng.uniform(-14, 14)).moved(rng.choice([-17, 17]), -1), "metal"
        )
    if rng.random() < 0.6:
        colour = ("#a33b30", "#3f5f86", "#b98a3a")[rng.integers(3)]
        napkin = tables.cloth(rng, 24, 34, "#ece6da", colour, ("stripes", "check")[rng.integers(2)])
        scene.add(
            napkin.turned("z", rng.uniform(-40, 40)).moved(rng.choice([-20, 20]), 14), "cloth"
        )
    if recipe.has("maple") and rng.random() < 0.7:
        jug = tableware.bowl(3.4, 5.0, "#e9e5dc", foot=0.7)
        scene.add(jug.mesh.moved(13, 13), jug.finish)
        pour = disc_field(jug.radius_at(4.0), lambda x, y: 0 * x, 20, 60).painted("#5a2606")
        scene.add(pour.moved(13, 13, 4.0), "liquid")
    scene.shoot(height=(20, 36), distance=(34, 38), aim=(0, 0, z * 0.55), lens=0.6, fov=32)
