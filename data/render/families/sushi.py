"""Sushi: nigiri, gunkan and cut rolls in rows, with wasabi, ginger and soy sauce."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from kit import noise, produce, tableware
from kit.geometry import (
    Colour,
    Mesh,
    blob,
    circle,
    copies,
    disc_field,
    grid_faces,
    join,
    leaf,
    polygon,
    rounded_box,
    slab,
)
from kit.recipe import Recipe
from kit.scatter import on_surface
from kit.stage import Scene

Rng = np.random.Generator
Parts = list[tuple[Mesh, str]]
RICE = "#ebe5d8"


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def _grains(rng: Rng, places: np.ndarray) -> Mesh:
    """Cooked rice grains lying every way at the places."""
    grain = blob(0.33, 0.135, 0.13, 4).painted(RICE)
    return copies(grain, places, rng, 65, (0.8, 1.15), 0.035)


def _ball(rng: Rng, x: float = 5.8, y: float = 2.7, z: float = 2.0) -> Mesh:
    """The pressed oblong of rice under a nigiri."""
    m = rounded_box(x, y, z, 0.85, 22).moved(z=z / 2).rough(0.06, 0.8, seed=_seed(rng))
    return join([m.painted("#d9d1c0"), _grains(rng, on_surface(m, 420, rng))])


def _ribbon(loop: np.ndarray, width: float) -> Mesh:
    """A nori strip: the closed (y, z) or (x, y) loop swept along the third axis."""
    k = len(loop)
    w = np.linspace(-width / 2, width / 2, 9)
    v = np.stack([np.broadcast_to(w[:, None], (9, k)), *(loop.T[:, None] + 0 * w[:, None])], -1)
    m = Mesh(v.reshape(-1, 3), grid_faces(9, k, wrap=True), np.zeros((9 * k, 3), np.float32))
    return m.mottled("#0b130d", "#142018", "#1f2f24", freq=1.6, seed=7)


def _belt(rng: Rng, top: float) -> Mesh:
    """The strip of nori that ties a topping to its rice."""
    a = np.linspace(0, 2 * np.pi, 70, endpoint=False)
    p = np.stack([np.cos(a), np.sin(a)], 1)
    p = np.sign(p) * np.abs(p) ** 0.62 * [1.58, top / 2 + 0.05] + [0, top / 2]
    return _ribbon(p, rng.uniform(1.0, 1.3)).rough(0.03, 1.2, seed=_seed(rng))


def _fillet(rng: Rng, kind: str) -> Mesh:
    """The slice that is draped over the rice of a nigiri."""
    s = _seed(rng)
    x, y = rng.uniform(3.5, 3.9), rng.uniform(1.5, 1.65)
    thick = {"omelette": 1.05, "eel": 0.6, "prawn": 0.5}.get(kind, 0.62)
    skew = 0.0 if kind in ("omelette", "prawn") else rng.uniform(0.2, 0.6)
    pts = [(-x, -y * 0.75), (-x * 0.4, -y), (x * 0.5, -y), (x, -y * 0.7)]
    pts += [(x + skew, y * 0.5), (x * 0.5, y), (-x * 0.5, y), (-x + skew, y * 0.8)]
    o = polygon(pts, 150)
    if kind == "omelette":
        m = rounded_box(6.6, 3.0, thick, 0.25, 44).moved(z=thick / 2)
    else:
        m = slab(o, thick, 0.2, 34, dome=0.1)
    u, w = m.v[:, 0], m.v[:, 1]
    warp = noise.fbm(m.v, 0.35, 2, seed=s)
    if kind == "omelette":
        m = m.mottled("#dca22c", "#ecbf4c", "#f2cf6a", freq=0.8, seed=s)
        roll = np.abs(np.sin((m.v[:, 2] + 0.1 * warp) * 11))
        m = m.tinted(noise.step(0.35, 0.0, roll) * (np.abs(w) > 1.35) * 0.6, "#b87a1c")
        brown = noise.step(0.2, 0.6, noise.fbm(m.v, 0.6, 3, seed=s + 1))
        m = m.tinted(brown * 0.45 * (m.v[:, 2] > thick * 0.8), "#c08428")
    elif kind == "eel":
        m = m.mottled("#3f1c0a", "#6a3312", "#93511f", freq=0.7, seed=s)
        fibre = noise.fbm(m.v * [0.4, 2.2, 1], 1.2, 3, seed=s)
        m = m.tinted(noise.step(0.0, 0.6, fibre) * 0.5, "#b0702e").displaced(0.07 * fibre)
    elif kind == "prawn":
        m = m.mottled("#efd5c4", "#f6e7da", freq=0.8, seed=s)
        band = np.abs(np.sin((u + 0.5 * np.abs(w) + 0.3 * warp) * 2.3))
        m = m.tinted(noise.step(0.45, 0.85, band) * 0.8, "#e0703c")
        m = m.tinted(np.exp(-((w / 0.14) ** 2)) * 0.6, "#c98a6c")
        m.v[:, 2] -= 0.14 * np.exp(-((w / 0.2) ** 2)) * (m.v[:, 2] > 0.2)
    else:
        shades = {
            "salmon": ("#d9551f", "#e76d33", "#ee8850"),
            "tuna": ("#860f1c", "#a01c28", "#b8383c"),
        }[kind]
        line = np.abs(np.sin((u * 0.9 + 0.8 * np.abs(w - 0.3) ** 1.4 + 0.35 * warp) * 2.0))
        m = m.mottled(*shades, freq=0.5, seed=s)
        strong = 0.75 if kind == "salmon" else 0.22
        m = m.tinted(noise.step(0.22, 0.04, line) * strong, "#f7d2b4")
    m = m.rough(0.04, 0.8, seed=s)
    lift = 0.0 if kind == "omelette" else 1.0
    if lift:
        m = m.bent(rng.uniform(3.4, 4.2), "x").bent(rng.uniform(6.5, 8.5), "y")
    if kind == "prawn":
        fans = []
        for by in (-20, 20):
            fan = leaf(2.2, 1.1, 0.1, 0.1, 0.1, colours=("#b83a18", "#dd5f30"))
            fans.append(fan.moved(x=1.0).turned("z", by).moved(3.4, 0, -0.75))
        m = join([m, *fans])
    return m.jittered(rng, 0.05)


def _nigiri(rng: Rng, kind: str) -> Parts:
    """Rice with its topping, along x."""
    topping = _fillet(rng, kind).moved(z=1.86)
    parts: Parts = [(_ball(rng), "satin"), (topping, "moist" if kind == "omelette" else "wet")]
    if kind in ("omelette", "eel"):
        high = 3.02 if kind == "omelette" else 2.72
        parts.append((_belt(rng, high).moved(x=rng.uniform(-0.3, 0.3)), "satin"))
    if kind == "eel":
        spots = on_surface(topping, 40, rng, 2.0)
        parts.append((copies(produce.seed_grain(0.36), spots, rng, 30), "satin"))
    return parts


def _gunkan(rng: Rng) -> Parts:
    """An oval of rice in a nori wall, heaped with salmon roe."""
    a = np.linspace(0, 2 * np.pi, 110, endpoint=False)
    oval = np.stack([np.cos(a) * 3.0, np.sin(a) * 1.75], 1)
    oval *= (1 + 0.03 * noise.fbm(oval, 0.5, 2, seed=_seed(rng)))[:, None]
    wall = _ribbon(oval[:, ::-1], 3.0).turned("y", -90).turned("z", 90).moved(z=1.5)
    wall.v[:, 2] += 0.1 * noise.fbm(wall.v, 0.5, 2, seed=_seed(rng)) * (wall.v[:, 2] > 1.5)
    base = slab(oval * 0.97, 2.3, 0.3, 14).painted(RICE)
    spots = []
    for layer, reach in ((2.35, 0.9), (2.75, 0.86), (3.15, 0.7), (3.5, 0.42)):
        for _ in range(int(60 * reach)):
            t, r = rng.uniform(0, 2 * np.pi), np.sqrt(rng.random()) * reach
            spots.append((3.0 * r * np.cos(t), 1.75 * r * np.sin(t), layer + rng.normal(0, 0.08)))
    egg = blob(0.36, detail=8).painted("#e2561a")
    egg = egg.tinted(noise.step(0.1, 0.34, egg.v[:, 2] - egg.v[:, 0] * 0.4), "#f28a3a")
    return [(wall, "satin"), (base, "satin"), (copies(egg, np.array(spots), rng, 30), "wet")]


def _filling(rng: Rng, kind: str, size: float, height: float) -> Mesh:
    """One stick of filling seen at the cut, its top at `height`."""
    s = _seed(rng)
    ragged = kind in ("spinach", "chopped tuna", "mushroom")
    if kind in ("cucumber", "omelette", "carrot", "radish"):
        o = polygon([(-1, -0.9), (0.95, -1), (1, 0.9), (-0.9, 1)], 48, smooth=False) * size * 0.86
    else:
        o = circle(size, 48, 0.3 if ragged else 0.12, s)
    m = slab(o, 0.7, 0.1, 14)
    side = noise.step(0.55, 0.8, m.v[:, 0] / size)
    shades: dict[str, tuple[Colour, ...]] = {
        "cucumber": ("#b9cf86", "#d3e2a8"),
        "avocado": ("#a9b552", "#ccd07c"),
        "salmon": ("#dc5a24", "#ec8048"),
        "crab": ("#efe4da", "#f6efe8"),
        "chopped tuna": ("#8e1a1c", "#b83a2c", "#d06a4a"),
        "omelette": ("#e0aa34", "#f0c85c"),
        "carrot": ("#cc6018", "#e27f2c"),
        "radish": ("#d9b414", "#ecd040"),
        "mushroom": ("#3f2616", "#664226"),
        "spinach": ("#173f14", "#356f29"),
    }
    m = m.mottled(*shades[kind], freq=1.4 if not ragged else 2.4, seed=s)
    if kind == "cucumber":
        m = m.tinted(side, "#2f5f22")
    if kind == "crab":
        m = m.tinted(noise.step(0.5, 0.75, m.v[:, 0] / size), "#c8321c")
    if kind == "avocado":
        m = m.tinted(noise.step(0.75, 0.98, np.hypot(m.v[:, 0], m.v[:, 1]) / size), "#7f9a3a")
    m = m.rough(0.12 if ragged else 0.04, 1.4, seed=s).turned("z", rng.uniform(0, 360))
    return m.moved(z=height - 0.6)


def _roll(rng: Rng, kinds: Sequence[str], radius: float, inside_out: bool, coat: str) -> Parts:
    """One cut piece standing on z = 0, the cut side up."""
    h = rng.uniform(2.2, 2.5) if radius < 2 else rng.uniform(2.3, 2.6)
    wob = circle(1, 90, 0.05, _seed(rng))
    core = radius * (0.5 if radius < 2 else 0.56)
    body = slab(wob * radius * 0.97, h, 0.14, 16).painted("#ddd5c4")
    rice = [body]
    n = int(26 * radius**2)
    a, r = rng.uniform(0, 2 * np.pi, n), np.sqrt(rng.uniform(0.1, 1, n)) * radius * 0.93
    rice.append(
        _grains(rng, np.stack([r * np.cos(a), r * np.sin(a), h + rng.normal(0, 0.04, n)], 1))
    )
    parts: Parts = []
    if inside_out:
        a = rng.uniform(0, 2 * np.pi, int(60 * radius))
        z = rng.uniform(0.1, h, len(a))
        skin = np.stack([radius * np.cos(a), radius * np.sin(a), z], 1)
        rice.append(_grains(rng, skin))
        ring = _ribbon((circle(1, 70, 0.08, _seed(rng)) * core * 1.25)[:, ::-1], 0.6)
        ring = ring.turned("y", -90).turned("z", 90).moved(z=h - 0.13)
        parts.append((ring, "satin"))
        fill = slab(circle(core * 1.2, 50), 0.4, 0.05, 6).painted("#c9bf9f").moved(z=h - 0.28)
        rice.append(fill)
        m = int(95 * radius) if coat == "roe" else int(44 * radius)
        a = rng.uniform(0, 2 * np.pi, m)
        out = np.stack([(radius + 0.1) * np.cos(a), (radius + 0.1) * np.sin(a)], 1)
        spots = np.concatenate([out, rng.uniform(0.15, h, (m, 1))], 1)
        if coat == "roe":
            parts.append(
                (copies(blob(0.15, detail=4).painted("#e0661c"), spots, rng, 20, (0.8, 1.2)), "wet")
            )
        elif coat == "sesame":
            parts.append((copies(produce.seed_grain(0.36, "#d9b878"), spots, rng, 80), "satin"))
    else:
        loop = (wob * (radius + 0.02))[:, ::-1]
        wall = _ribbon(loop, h + 0.12).turned("y", -90).turned("z", 90).moved(z=h / 2 + 0.04)
        parts.append((wall, "satin"))
    parts.append((join(rice), "satin"))
    start = rng.uniform(0, 360)
    size = core * {1: 1.0, 2: 0.62, 3: 0.56, 4: 0.5, 5: 0.46}[len(kinds)]
    for k, kind in enumerate(kinds):
        t = np.radians(start + 360 * k / len(kinds))
        d = 0.0 if len(kinds) == 1 else core * (0.55 if len(kinds) < 4 else 0.68)
        m = _filling(rng, kind, size, h + 0.06).moved(d * np.cos(t), d * np.sin(t))
        parts.append((m.jittered(rng, 0.05), "moist"))
    return parts


def _lay(scene: Scene, parts: Parts, x: float, y: float, z: float) -> None:
    for mesh, finish in parts:
        scene.add(mesh.moved(x, y, z), finish)


def _turned(parts: Parts, axis: str, degrees: float) -> Parts:
    return [(m.turned(axis, degrees), f) for m, f in parts]


def _ginger(rng: Rng) -> Mesh:
    """A little heap of thin, folded slices of pickled ginger."""
    slices = []
    for k in range(13):
        m = leaf(
            rng.uniform(2.6, 3.6),
            rng.uniform(1.8, 2.4),
            rng.uniform(0.0, 0.12),
            rng.uniform(-0.1, 0.15),
            0.45,
            seed=_seed(rng),
            colours=("#e2a58f", "#efc3ae", "#f3d3bd"),
            vein="#f3d8c4",
        )
        m = produce.grounded(m.jittered(rng, 0.04).spun(rng, 12))
        slices.append(m.moved(rng.normal(0, 0.9), rng.normal(0, 0.7), 0.09 * k))
    return join(slices)


def _wasabi(rng: Rng) -> Mesh:
    m = blob(1.25, 1.15, 1.0, 26).rough(0.2, 0.9, 4, seed=_seed(rng))
    m = m.mottled("#8fa34e", "#a9bb66", "#bccb7c", freq=1.6, seed=_seed(rng))
    return produce.grounded(m).moved(z=-0.3)


def _soy(scene: Scene, x: float, y: float, z: float) -> None:
    """A small dish of soy sauce."""
    dish = tableware.bowl(3.9, 2.3, "#e7e2d8", "#31506f", "ceramic", 0.55)
    scene.add(dish.mesh.moved(x, y, z), dish.finish)
    pool = disc_field(dish.radius_at(1.4) + 0.05, lambda gx, gy: 0 * gx, 20, 90)
    scene.add(pool.painted("#1c0c05").moved(x, y, z + 1.4), "liquid")


def _tray(rng: Rng, x: float, y: float) -> tuple[Mesh, str, float]:
    """What the sushi lies on: a board, a slate or a lacquered tray."""
    kind = rng.integers(4)
    if kind == 0:
        ware = tableware.board(x, y, int(rng.integers(99)), bool(rng.random() < 0.3))
        return ware.mesh, "wood", ware.floor
    if kind == 1:
        m = rounded_box(x, y, 0.7, 0.12, 90).moved(z=0.35).rough(0.03, 0.8, seed=_seed(rng))
        return m.mottled("#212326", "#303336", "#3f4245", freq=0.5, seed=3), "stoneware", 0.7
    colour = ("#e9e5dc", "#3d4a52", "#b9c4bd")[rng.integers(3)]
    m = rounded_box(x, y, 1.2, 0.5, 90).moved(z=0.6)
    dip = np.maximum(np.abs(m.v[:, 0]) / x, np.abs(m.v[:, 1]) / y * 0.96) * 2
    m.v[:, 2] -= 0.35 * noise.step(0.94, 0.86, dip) * (m.v[:, 2] > 0.9)
    m = m.painted(colour).tinted(noise.step(0.95, 0.98, dip) * 0.7, "#7a5c3c")
    return m, "ceramic" if kind == 2 else "stoneware", 0.85


def _menu(recipe: Recipe) -> tuple[list[str], list[tuple[tuple[str, ...], float, bool, str]]]:
    """(nigiri toppings, rolls as fillings, radius, inside out, coat) that the recipe describes."""
    nigiri: list[str] = []
    rolls: list[tuple[tuple[str, ...], float, bool, str]] = []
    if recipe.titled("nigiri", "mixed"):
        nigiri = [k for k in ("salmon", "tuna", "prawn", "omelette", "eel") if recipe.has(k)]
    if recipe.titled("hosomaki", "mixed"):
        names = ("cucumber",) if recipe.titled("mixed") else ("salmon", "cucumber", "avocado")
        rolls = [((k,), 1.6, False, "") for k in names if recipe.has(k)]
    if recipe.titled("california"):
        rolls = [(("crab", "avocado", "cucumber"), 2.35, True, "sesame")]
    if recipe.titled("uramaki"):
        rolls = [(("chopped tuna", "cucumber", "chopped tuna"), 2.35, True, "roe")]
    if recipe.titled("futomaki"):
        rolls = [(("omelette", "spinach", "carrot", "radish", "mushroom"), 3.0, False, "")]
    return nigiri, rolls


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """Rows of sushi on a board or tray, with what goes with it."""
    scene.table("oak", "walnut", "slate", "pale", "concrete", "linen", "white")
    nigiri, rolls = _menu(recipe)
    tray, finish, floor = _tray(rng, 29, 20.5)
    turn = rng.uniform(-7, 7)
    scene.add(tray.turned("z", turn), finish)
    lean = rng.choice([-1, 1])
    rows: list[tuple[float, list[Parts], float]] = []
    if nigiri and rolls:
        kinds = nigiri * 2
        rows.append((4.6, [_turned(_nigiri(rng, k), "z", 68) for k in kinds], 4.0))
        rows.append((-1.2, [_turned(_gunkan(rng), "z", 70) for _ in range(4)], 4.2))
        rows.append((-6.2, [_roll(rng, *rolls[0]) for _ in range(5)], 3.5))
    elif nigiri:
        per = 4
        for y in (4.4, -4.6):
            pieces = [
                _turned(_nigiri(rng, nigiri[k % len(nigiri)]), "z", 90 - lean * rng.uniform(16, 24))
                for k in range(per)
            ]
            rows.append((y, pieces, rng.uniform(4.1, 4.5)))
    else:
        radius = rolls[0][1]
        step = radius * 2 + 0.5
        count = 4 if radius < 2 else 3
        ys = np.arange(-1.5, 2) * step if radius < 2 else np.array([-1, 0, 1]) * step
        if radius > 2.8:
            ys = np.array([-3.6, 3.6])
        for k, y in enumerate(ys[::-1]):
            pieces = [_roll(rng, *rolls[k % len(rolls)]) for _ in range(count)]
            rows.append((float(y), pieces, step))
    side = rng.choice([-1, 1])
    spin = np.radians(turn)

    def at(x: float, y: float) -> tuple[float, float]:
        return x * np.cos(spin) - y * np.sin(spin), x * np.sin(spin) + y * np.cos(spin)

    for y, pieces, step in rows:
        width = (len(pieces) - 1) * step
        for k, parts in enumerate(pieces):
            x = k * step - width / 2 - side * 2.7 + rng.normal(0, 0.15)
            parts = _turned(parts, "z", turn + rng.normal(0, 3))
            last = not nigiri and k == (len(pieces) - 1 if side > 0 else 0)
            if last and y == rows[-1][0]:
                r = rolls[0][1]
                parts = _turned(_turned(parts, "x", 72), "z", rng.uniform(-25, 25))
                _lay(scene, parts, *at(x + side * 0.6, y - 0.4), floor + r * 0.95)
                continue
            _lay(scene, parts, *at(x, y + rng.normal(0, 0.12)), floor)
    gx = side * 9.6
    if recipe.has("pickled ginger"):
        heap = _ginger(rng)
        x, y = at(gx, 6.0)
        scene.add(heap.turned("z", rng.uniform(0, 360)).moved(x, y, floor), "wet")
    if recipe.has("wasabi"):
        x, y = at(gx - side * 0.4, 1.6 if recipe.has("pickled ginger") else 5.5)
        scene.add(_wasabi(rng).moved(x, y, floor), "satin")
    if recipe.has("soy sauce, for dipping"):
        x, y = at(gx, -5.6)
        _soy(scene, x, y, floor)
    else:
        for k in range(2):
            green = leaf(7.5, 3.2, 0.06, 0.08, 0.3, 0, _seed(rng), ("#255f1e", "#478a35"))
            x, y = at(gx - side * 0.6 * k, 4.5 - 5 * k)
            green = produce.grounded(green).turned("z", 70 + rng.uniform(-30, 30))
            scene.drop(green, x, y, "leaf", 0.6)
    sticks = tableware.chopsticks(23, ("#3a1f14", "#1b1718", "#6d1712")[rng.integers(3)])
    sticks = sticks.turned("z", turn + rng.uniform(-5, 5))
    scene.add(sticks.moved(rng.uniform(-2, 2), -12.4), "wood")
    if rng.random() < 0.25:
        scene.shoot(height=(64, 76), distance=(48, 51), aim=(0, -0.5, 1), lens=0.4)
    else:
        scene.shoot(height=(38, 54), distance=(41, 45), aim=(0, -0.8, 1), lens=0.6)
