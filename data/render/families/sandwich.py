"""Sandwiches: tin bread cut corner to corner with the fillings on show, or long filled rolls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import noise, produce, savoury, tables, tableware
from kit.geometry import Mesh, blob, circle, copies, join, polygon, rounded_box, slab, tube
from kit.recipe import Recipe
from kit.stage import Scene

Piece = Callable[[np.random.Generator], Mesh]
SIDE = 11.5
Part = tuple[Mesh, str]


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 30))


def _cut(m: Mesh, y: float, rng: np.random.Generator) -> Mesh:
    """The mesh cut off along a plane: what lies in front of y is pressed back on to it."""
    v = m.v.copy()
    v[:, 1] = np.maximum(v[:, 1], y - rng.uniform(0, 0.12))
    return Mesh(v, m.f, m.c.copy())


def _triangle(thick: float) -> Mesh:
    """Half a square slice, its long cut along y = 0, the right angle behind, crust edges soft."""
    h = SIDE / np.sqrt(2)
    pts = [(-h, 0), (h, 0), (h * 0.95, h * 0.08), (h * 0.09, h * 0.96), (-h * 0.09, h * 0.96)]
    pts.append((-h * 0.95, h * 0.08))
    o = polygon(pts, 300, smooth=False) - [0, h * 0.33]
    return slab(o, thick, 0.14, 60).moved(y=h * 0.33)


def _bread(rng: np.random.Generator, kind: str, toast: float, thick: float = 1.25) -> Mesh:
    """A triangle of bread: crust on the short sides, open crumb on the long cut."""
    s = _seed(rng)
    m = _triangle(thick)
    front = noise.step(0.3, 0.12, m.v[:, 1])
    m = savoury.crumbed(m, s, kind, toast)
    pale = savoury.CRUMBS[kind][1]
    hole = noise.step(0.25, 0.55, noise.fbm(m.v, 1.9, 3, seed=s + 7))
    m = m.tinted(front, pale).tinted(front * hole * 0.45, savoury.CRUMBS[kind][0])
    skin = noise.step(0.36, 0.5, np.abs(m.v[:, 2] / thick - 0.5))
    m = m.tinted(front * skin * min(1.0, toast * 1.2), "#a8682c")
    return m.displaced(-0.12 * front * hole)


def _along(
    rng: np.random.Generator, piece: Piece, count: int, half: float, y: float, tilt: float = 10
) -> Mesh:
    """Pieces side by side along the cut, one over the other."""
    parts = []
    for k in range(count):
        x = half * ((k + 0.5) / count * 2 - 1) + rng.normal(0, 0.15)
        m = piece(rng).jittered(rng, 0.07).turned("z", rng.uniform(0, 360))
        m = m.turned("y", -rng.uniform(0.4, 1) * tilt)
        parts.append(m.moved(x, y + rng.normal(0, 0.15), 0.12 * (k % 3)))
    return join(parts)


def _layer(rng: np.random.Generator, colours: tuple[str, ...], thick: float, bump: float) -> Mesh:
    """A triangular filling that looks out a little all round."""
    s = _seed(rng)
    m = _triangle(thick).scaled(0.99, 1.0, 1)
    m.v[:, 1] -= 0.1
    return m.mottled(*colours, freq=1.3, seed=s).rough(bump, 1.1, 4, seed=s)


def _ham(rng: np.random.Generator, colours: tuple[str, str, str], count: int = 3) -> Mesh:
    """Thin slices of meat or fish in loose waves, their folds standing at the front."""
    sheets = []
    h = SIDE / np.sqrt(2)
    for k in range(count):
        s = _seed(rng)
        m = _triangle(0.22).scaled(1.0, 0.98, 1)
        wave = noise.fbm(m.v * [1, 0.25, 0], 0.5, 2, seed=s)
        m.v[:, 2] += 0.34 * wave + 0.28 * k
        m.v[:, 1] -= 0.25 + 0.35 * np.clip(noise.fbm(m.v, 0.4, 2, seed=s + 1), 0, 1) * (
            m.v[:, 1] < h * 0.2
        )
        m = m.mottled(*colours, freq=0.6, seed=s)
        fat = noise.step(0.35, 0.6, noise.fbm(m.v * [0.5, 2, 1], 0.9, 3, seed=s + 2))
        sheets.append(m.tinted(fat * 0.5, "#eed6c4"))
    return join(sheets)


def _cheese(rng: np.random.Generator, colour: str, melted: bool) -> Mesh:
    s = _seed(rng)
    m = _triangle(0.42 if melted else 0.28)
    m.v[:, 1] -= 0.2
    if melted:
        front = noise.step(0.8, -0.1, m.v[:, 1])
        run = np.clip(noise.fbm(m.v * [1, 0, 0], 0.7, 2, seed=s), 0, 1)
        m.v[:, 2] -= front * run * 1.5
        m.v[:, 1] -= front * (0.2 + 0.35 * run)
    return m.painted(colour).shaded(1 + 0.06 * noise.fbm(m.v, 0.8, 3, seed=s))


def _frill(rng: np.random.Generator) -> Mesh:
    """Curly lettuce along the cut."""
    leaves = [
        savoury.lettuce(rng, rng.uniform(2.8, 3.4), 0.5).moved(x, 2.3 + 0.12 * abs(x), 0.1 * k)
        for k, x in enumerate((-5.0, -2.2, 0.6, 3.2, 5.6))
    ]
    return join(leaves)


def _cress(rng: np.random.Generator) -> Mesh:
    leaf = blob(0.3, 0.17, 0.06, 6).painted("#4f8a2c")
    stem = tube(np.array([[0, 0, 0], [0.5, 0.1, 0.1], [1.1, 0, 0.2]]), 0.06, 5).painted("#cfe0a0")
    sprout = join([stem, leaf.moved(1.2, 0.15, 0.2), leaf.turned("z", 50).moved(1.15, -0.15, 0.2)])
    x = rng.uniform(-7.2, 7.2, 210)
    y = np.abs(rng.normal(0, 0.6, 210)) - 0.5
    return copies(sprout, np.column_stack([x, y, rng.uniform(0, 0.6, 210)]), rng, 60)


def _mixed(rng: np.random.Generator, recipe: Recipe) -> Mesh:
    """Egg or tuna bound with mayonnaise, in lumps at the front."""
    egg = recipe.has("egg")
    tones = ("#e3cd8a", "#efe0ae", "#f5ecd0") if egg else ("#bd9878", "#d3b596", "#e6d2ba")
    base = _layer(rng, tones, 1.25, 0.2)
    lumps = []
    for _ in range(75):
        x, y = rng.uniform(-7.4, 7.4), rng.uniform(-0.25, 0.5)
        if egg:
            tone = ("#f2eee2", "#e8bb3c", "#f4f0e4")[rng.integers(3)]
            m = produce.cubes(rng, rng.uniform(0.45, 0.85), (tone, tone), 0.3)
        else:
            m = produce.cubes(rng, rng.uniform(0.5, 0.9), ("#b08a68", "#d8bd9f"), 0.4)
        lumps.append(m.spun(rng, 40).moved(x, y, rng.uniform(0.1, 0.9)))
    if recipe.has("sweetcorn"):
        corn = blob(0.4, 0.34, 0.3, 9).painted("#e3ad1f")
        p = np.column_stack(
            [rng.uniform(-7, 7, 40), rng.uniform(-0.4, 0.2, 40), rng.uniform(0.2, 1.1, 40)]
        )
        lumps.append(copies(corn, p, rng, 60))
    return join([base, *lumps])


def _cucumber(rng: np.random.Generator) -> Mesh:
    m = slab(circle(2.0, 90, 0.02, _seed(rng)), 0.3, 0.08, 20)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / 2.0
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    m = m.mottled("#cbd99c", "#dfe8bb", freq=1.2, seed=3)
    seeds = noise.step(0.5, 0.8, np.abs(np.cos(a * 4.5))) * noise.step(0.14, 0.06, np.abs(r - 0.42))
    return m.tinted(seeds * 0.7, "#eef0d2").tinted(noise.step(0.88, 0.95, r), "#2f5a1c")


def _egg_slice(rng: np.random.Generator) -> Mesh:
    m = slab(circle(2.1, 90, 0.03, _seed(rng)), 0.45, 0.12, 24)
    r = np.hypot(m.v[:, 0] - 0.1, m.v[:, 1]) / 2.1
    return m.painted("#f3efe4").tinted(noise.step(0.62, 0.57, r), "#e6b43a")


def _mozzarella(rng: np.random.Generator) -> Mesh:
    m = slab(circle(2.9, 100, 0.05, _seed(rng)), 0.75, 0.3, 24)
    return m.painted("#f1ead8").rough(0.05, 0.8, seed=_seed(rng))


def _tomato(rng: np.random.Generator) -> Mesh:
    return produce.tomato_slice(rng, 2.6, 0.5)


def _chicken(rng: np.random.Generator) -> Mesh:
    m = rounded_box(4.6, 2.6, 0.7, 0.3, 18).rough(0.1, 0.9, seed=_seed(rng))
    m = m.mottled("#dcbd92", "#ecd6b4", freq=0.9, seed=_seed(rng))
    return m.tinted(noise.step(0.7, 1.1, np.abs(m.v[:, 1])) * 0.7, "#a8662c")


def _pork(rng: np.random.Generator) -> Mesh:
    s = _seed(rng)
    m = slab(circle(2.9, 100, 0.1, s) * [1.15, 0.9], 0.45, 0.14, 26)
    r = np.hypot(m.v[:, 0] / 1.15, m.v[:, 1] / 0.9) / 2.9
    m = m.mottled("#a8714c", "#c4926b", "#d6ac88", freq=0.8, seed=s)
    return m.tinted(noise.step(0.82, 0.97, r), "#6b2612")


def _fillings(rng: np.random.Generator, recipe: Recipe) -> list[tuple[Mesh, str, float]]:
    """(mesh, finish, thickness) from below for a triangle, its cut at y = 0 looking to -y."""
    out: list[tuple[Mesh, str, float]] = []
    wide = 6.2

    def row(piece: Piece, count: int, finish: str, thick: float, y: float = 1.9) -> None:
        out.append((_cut(_along(rng, piece, count, wide, y), -0.15, rng), finish, thick))

    if recipe.has("cream cheese"):
        out.append((_layer(rng, ("#efe8d8", "#f5f0e4"), 0.4, 0.06), "cream", 0.35))
    if recipe.has("mustard") and not recipe.has("egg"):
        out.append((_layer(rng, ("#a87f1c", "#bf972e"), 0.2, 0.05), "wet", 0.12))
    if recipe.has("lettuce"):
        out.append((_frill(rng), "leaf", 0.55))
    if recipe.has("cucumber"):
        row(_cucumber, 7, "wet", 0.45, 1.3)
    if recipe.has("chicken"):
        row(_chicken, 6, "moist", 0.85)
    if recipe.has("cheddar"):
        out.append((_cheese(rng, "#e3a02c", recipe.titled("grilled")), "moist", 0.3))
    if recipe.has("gruy"):
        out.append((_cheese(rng, "#e6c878", False), "moist", 0.25))
    if recipe.has("cooked ham"):
        out.append((_ham(rng, ("#c9766b", "#dc968a", "#e8b0a2"), 3), "moist", 0.75))
    if recipe.has("pastrami"):
        out.append((_ham(rng, ("#7f2f26", "#a34a3c", "#b96a58"), 8), "moist", 2.3))
    if recipe.has("smoked salmon"):
        out.append((_ham(rng, ("#d9683a", "#e5835a", "#eda07c"), 4), "wet", 1.05))
    if recipe.has("cheddar") and recipe.titled("grilled"):
        out.append((_cheese(rng, "#e8aa34", True), "moist", 0.35))
    if recipe.titled("egg and", "tuna"):
        out.append((_mixed(rng, recipe), "moist", 1.15))
    if recipe.has("cress"):
        out.append((_cress(rng), "leaf", 0.35))
    if recipe.titled("club"):
        out.append((_bread(rng, "white", 0.9, 1.0), "crust", 1.0))
    if recipe.has("tomatoes"):
        row(_tomato, 5, "wet", 0.6)
    if recipe.has("bacon"):
        strips = [
            savoury.bacon(rng, 15).turned("z", rng.uniform(-7, 7)).moved(y=y)
            for y in (0.2, 1.5, 3.0)
        ]
        out.append((join(strips).scaled(0.95, 1, 1), "moist", 0.75))
    if recipe.has("gherkin"):
        row(savoury.pickle_slice, 7, "wet", 0.4, 1.2)
    if recipe.has("red onion"):
        row(lambda r: produce.onion_ring(r, 1.5), 6, "wet", 0.35, 1.2)
    if recipe.has("dill"):
        dill = [
            savoury.sprig(rng, 2.6).turned("z", -90 + rng.uniform(-50, 50)).moved(x, 0.2, 0.1)
            for x in rng.uniform(-6, 6, 7)
        ]
        green = join(dill)
        green = green.tinted(np.full(len(green.v), 0.5), "#4f8a2c")
        out.append((green, "leaf", 0.1))
    if recipe.has("mayonnaise") and not recipe.titled("egg and", "tuna"):
        out.append((_layer(rng, ("#efe6c8", "#f4eedb"), 0.3, 0.12), "glaze", 0.2))
    return out


def _half(rng: np.random.Generator, recipe: Recipe) -> tuple[list[Part], float]:
    """One triangular half standing on z = 0, and its height."""
    kind = "rye" if recipe.has("rye") else "brown" if recipe.has("brown bread") else "white"
    toast = 0.95 if recipe.titled("grilled") else 0.95 if recipe.has("toasted") else 0.15
    if recipe.titled("pastrami"):
        toast = 0.5
    parts: list[Part] = [(_bread(rng, kind, toast), "crust")]
    z = 1.22
    for mesh, finish, thick in _fillings(rng, recipe):
        parts.append((mesh.turned("x", rng.uniform(-0.8, 0.8)).moved(z=z), finish))
        z += thick
    lid = _bread(rng, kind, toast)
    parts.append((lid.turned("y", rng.uniform(-2, 2)).moved(z=z), "crust"))
    z += 1.3
    if recipe.titled("club"):
        pick = tube(np.array([[0, 2.4, z - 2], [0, 2.4, z + 1.6], [0, 2.4, z + 3.2]]), 0.13, 8)
        bead = blob(0.5, detail=12).painted("#a31c14").moved(0, 2.4, z + 3.2)
        olive = blob(1.0, 0.85, 0.85, 16).painted("#6f7428").moved(0, 2.4, z + 0.9)
        parts += [(pick.painted("#d3b27c"), "wood"), (bead, "satin"), (olive, "wet")]
    return parts, z


def _roll(rng: np.random.Generator, recipe: Recipe, length: float) -> tuple[Mesh, Mesh]:
    """(lower, upper) half of a baguette or ciabatta along x, crumb on the cut faces."""
    s = _seed(rng)
    flat = recipe.has("ciabatta")
    t = np.linspace(-1, 1, 150)
    path = np.stack([t * length / 2, 0.25 * np.sin(t * 2), 0 * t], 1)
    blunt = np.clip(1.02 - np.abs(t) ** (5 if flat else 3.2), 0.01, 1) ** 0.5
    m = tube(path, 4.3 * blunt, 70)
    m = m.scaled(1, 1, 0.72 if flat else 0.8)
    out = []
    for up in (False, True):
        h = m.copy()
        h = h.displaced(0.18 * noise.fbm(h.v, 0.25, 3, seed=s + up))
        if up and not flat:
            for x0 in (-5.5, 0, 5.5):
                line = h.v[:, 0] - x0 - 1.5 * h.v[:, 1] / 3
                gash = np.exp(-((line / 0.75) ** 2)) * noise.step(1.2, 2.4, h.v[:, 2])
                h.v[:, 2] -= 0.32 * gash
        inside = h.v[:, 2] < 0 if up else h.v[:, 2] > 0
        h.v[inside, 2] = 0
        tones = ("#a8621f", "#c98d42", "#ddb06a") if not flat else ("#c4924e", "#d8b07a", "#e6cba0")
        h = h.mottled(*tones, freq=0.45, seed=s + 2)
        crack = noise.step(0.3, 0.6, noise.fbm(h.v, 1.0, 4, seed=s + 3))
        h = h.tinted(crack * 0.5, "#7a4212")
        flour = noise.step(0.1, 0.6, noise.fbm(h.v, 0.5, 4, seed=s + 4)) * (h.v[:, 2] > 1)
        h = h.tinted(flour * (0.7 if flat else 0.25), "#f1e6d0")
        hole = noise.step(0.2, 0.55, noise.fbm(h.v, 1.2, 3, seed=s + 5))
        h = h.tinted(inside * 1.0, "#f0e2bd").tinted(inside * hole * 0.4, "#d9be86")
        h.v[:, 2] += np.where(inside, (0.12 if up else -0.12) * hole, 0)
        out.append(h)
    return out[0], out[1]


def _filled_roll(rng: np.random.Generator, recipe: Recipe) -> tuple[list[Part], float]:
    """A long roll along x, opened towards -y, the filling in overlapping rows."""
    length = 19 if recipe.has("ciabatta") else 23
    low, high = _roll(rng, recipe, length)
    base = float(-low.v[:, 2].min())
    parts: list[Part] = [(low.moved(z=base), "crust")]
    z = base
    half = length / 2 - 2.2

    def row(piece: Piece, count: int, finish: str, thick: float, y: float, tilt: float = 14):
        nonlocal z
        parts.append((_along(rng, piece, count, half, y, tilt).moved(z=z), finish))
        z += thick

    if recipe.has("rocket"):
        row(lambda r: produce.rocket_leaf(r, 5.5).turned("z", -90), 26, "leaf", 0.35, -2.2, 30)
    if recipe.has("pesto"):
        row(lambda r: blob(1.5, 2.2, 0.22, 14).painted("#4f6b22"), 14, "wet", 0.2, -1.4, 3)
    if recipe.has("cucumber"):
        row(_cucumber, 13, "wet", 0.35, -2.6, 20)
    if recipe.has("tomatoes"):
        row(_tomato, 7, "wet", 0.55, -2.0)
    if recipe.has("mozzarella"):
        row(_mozzarella, 7, "moist", 0.8, -1.9)
    if recipe.has("roast pork"):
        row(_pork, 9, "moist", 0.7, -1.7, 18)
    if recipe.has("avocado"):
        row(lambda r: savoury.avocado_slice(r, 5.0).turned("z", 0), 12, "moist", 0.6, -2.3, 16)
    if recipe.has("egg"):
        row(_egg_slice, 10, "moist", 0.6, -2.3, 20)
    if recipe.has("carrots"):

        def shred(r: np.random.Generator) -> Mesh:
            t = np.linspace(-1, 1, 10)
            p = np.stack([t * r.uniform(1.5, 2.6), r.uniform(-0.6, 0.6) * (1 - t**2), 0.3 * t], 1)
            return tube(p, 0.15, 6).painted("#d9691c")

        row(shred, 110, "wet", 0.5, -2.4, 40)
    if recipe.has("basil leaves"):
        row(lambda r: produce.basil_leaf(r, 3.8), 15, "leaf", 0.25, -3.0, 30)
    if recipe.has("coriander"):
        row(lambda r: produce.herb_leaf(r, r.uniform(1.8, 2.6)), 48, "leaf", 0.25, -3.0, 60)
    if recipe.has("red chilli"):
        row(lambda r: produce.olive_ring(r, 0.65, "#b31a0e"), 9, "wet", 0.1, -3.5, 40)
    parts.append((high.turned("x", -rng.uniform(13, 19)).moved(y=1.0, z=z + 0.1), "crust"))
    return parts, z + 4


def _put(scene: Scene, parts: list[Part], yaw: float, x: float, y: float, z: float) -> None:
    for mesh, finish in parts:
        scene.add(mesh.turned("z", yaw).moved(x, y, z), finish)


def build(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> None:
    """Two halves with the cut towards the camera, or one and a half long rolls."""
    scene.table()
    savoury.far_table(scene)
    if rng.random() < 0.55:
        ware = scene.serve(tableware.any_plate(rng, 14.5))
    else:
        ware = scene.serve(tableware.board(34, 25, int(rng.integers(99)), rng.random() < 0.5))
    z = ware.floor
    side = float(rng.choice([-1, 1]))
    if recipe.has("baguette", "ciabatta"):
        parts, top = _filled_roll(rng, recipe)
        _put(scene, parts, side * rng.uniform(6, 18), 0, -2.6, z)
        parts, _ = _filled_roll(rng, recipe)
        _put(scene, parts, side * rng.uniform(2, 14), 2.5 * side, 6.6, z)
        middle = 3.2
    else:
        parts, top = _half(rng, recipe)
        _put(scene, parts, side * rng.uniform(2, 12), -side * 3.2, -4.4, z)
        parts, top = _half(rng, recipe)
        if rng.random() < 0.5 and not recipe.has("chips"):
            _put(scene, parts, side * rng.uniform(-32, -18), side * 4.2, 2.2, z)
        else:
            _put(scene, parts, -side * rng.uniform(24, 38), side * 4.8, 1.2, z)
        middle = top * 0.5
    if recipe.has("chips"):
        savoury.heap_of_chips(scene, rng, -side * 5.4, 7.0, 40, 2.2, z + 3.5)
    elif recipe.has("lemon") and not recipe.has("1/2 lemon", "lemon juice"):
        scene.drop(produce.citrus_slice(rng, 2.6), -side * 9.0, -6.5, "wet")
    elif rng.random() < 0.7:
        for k in range(3):
            m = savoury.salad_leaf(rng, 6).spun(rng, 15)
            scene.drop(m, -side * (8.5 - 1.5 * k), 6.5 + 1.0 * k, "leaf", 0.3)
    if rng.random() < 0.6:
        colour = ("#a33b30", "#3f5f86", "#b98a3a")[rng.integers(3)]
        napkin = tables.cloth(rng, 24, 34, "#ece6da", colour, ("stripes", "check")[rng.integers(2)])
        scene.add(napkin.turned("z", rng.uniform(-40, 40)).moved(-side * 20, 14), "cloth")
    scene.shoot(height=(20, 33), distance=(38, 42), aim=(0, -0.5, z + middle), lens=0.6, fov=31)
