"""Burgers: a domed bun stacked high with patty, cheese, leaves and slices that stick out."""

from __future__ import annotations

import numpy as np
from kit import noise, produce, savoury, tables, tableware
from kit.geometry import (
    Mesh,
    blob,
    circle,
    disc_field,
    join,
    polygon,
    revolve,
    rounded_box,
    slab,
    torus,
    tube,
)
from kit.recipe import Recipe
from kit.stage import Scene

R = 5.7
Layer = tuple[Mesh, str, float]


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 30))


def _bun(rng: np.random.Generator, recipe: Recipe) -> tuple[list[tuple[Mesh, str]], Mesh]:
    """(the lid's parts, the base): brown and shining above, pale where the cut shows."""
    s = _seed(rng)
    tall = rng.uniform(3.7, 4.3)
    if recipe.has("ciabatta"):
        tall = 3.0
    profile = [(0, 0.1), (R * 0.8, 0.1), (R * 0.95, 0.15), (R * 1.0, 0.75), (R * 0.985, 1.35)]
    profile += [(R * 0.87, tall * 0.66), (R * 0.62, tall * 0.9), (R * 0.3, tall), (0, tall * 1.02)]
    top = revolve(profile, 180, 10)
    top = top.displaced(0.22 * noise.fbm(top.v, 0.16, 2, seed=s))
    stops = ("#7a3c10", "#a35d1c", "#bf7c30")
    if recipe.has("wholemeal"):
        stops = ("#5c3314", "#7c4a20", "#976336")
    if recipe.has("soft white", "ciabatta"):
        stops = ("#b57a38", "#cf9c58", "#dfb87a")
    top = top.mottled(*stops, freq=0.35, seed=s).rough(0.03, 1.6, seed=s)
    h = top.v[:, 2] / tall
    line = h + 0.05 * noise.fbm(top.v, 0.5, 3, seed=s + 1)
    top = top.tinted(noise.step(0.38, 0.14, line) * 0.85, "#e2b878")
    top = top.tinted(noise.step(0.08, 0.03, h), "#eed9a8")
    glossy = recipe.has("brioche", "sesame")
    parts = [(top, "moist" if glossy else "crust")]
    if recipe.has("sesame"):
        grain = produce.seed_grain(0.42, "#ecdcb0").moved(z=0.05)
        parts.append((savoury.strewn(top, grain, 190, rng, 0.25), "satin"))
    if recipe.has("wholemeal"):
        flake = slab(circle(0.28, 14), 0.07, 0.02, 3).scaled(1.2, 0.8, 1).painted("#d6b988")
        parts.append((savoury.strewn(top, flake, 120, rng, 0.35), "matte"))
    if recipe.has("ciabatta", "soft white"):
        white = noise.step(0.25, 0.7, noise.fbm(top.v, 0.5, 4, seed=s + 2)) * noise.step(0.4, 1, h)
        parts[0] = (top.tinted(white * 0.75, "#f2e8d6"), "crust")
    under = [(0, 0), (R * 0.86, 0), (R * 0.97, 0.3), (R, 0.9), (R * 0.97, 1.45)]
    base = revolve([*under, (R * 0.93, 1.6), (0, 1.6)], 180, 8)
    base = base.mottled(*stops, freq=0.4, seed=s + 3)
    cut = noise.step(1.0, 1.4, base.v[:, 2] + 0.1 * noise.fbm(base.v, 0.8, 3, seed=s))
    base = base.tinted(cut, "#ecd3a0").rough(0.06, 0.9, 4, seed=s + 4)
    return parts, base


def _patty(rng: np.random.Generator, recipe: Recipe) -> Layer:
    """The thing in the middle, by what the recipe is made of."""
    s = _seed(rng)
    if recipe.has("halloumi"):
        slices = []
        for k in range(3):
            m = rounded_box(10.5, 4.3, 1.3, 0.3, 40).mottled("#e3cf9a", "#efe2b8", freq=0.6, seed=s)
            brown = noise.step(0.1, 0.6, noise.fbm(m.v, 0.4, 3, seed=s + k))
            m = savoury.grilled(m.tinted(brown * 0.6, "#c98f3c"), 1.9, 0, "#4a2410")
            m = m.rough(0.06, 0.8, seed=s + k).turned("z", rng.uniform(-8, 8))
            slices.append(m.moved(y=(k - 1) * 3.9, z=0.65 + 0.12 * (k % 2)))
        return join(slices), "moist", 1.4
    if recipe.has("haddock", "chicken"):
        fish = recipe.has("haddock")
        o = circle(6.5, 220, 0.16, s) * ([1.1, 0.86] if fish else [1.04, 0.98])
        m = slab(o, 2.0, 1.0, 60, 0.25)
        amp = 0.1 if fish else 0.3
        m = m.rough(amp, 0.9, 4, seed=s).rough(0.14, 3.2, 3, seed=s + 1)
        m = m.mottled("#7f3f10", "#b56f22", "#d39a45", freq=1.3, seed=s + 2)
        return m, "satin", 2.1
    beans = recipe.has("bean")
    m = slab(circle(R * 1.06, 240, 0.05, s), 1.75, 0.8, 60)
    m = m.rough(0.26, 0.75, 4, seed=s).rough(0.16, 2.4, 3, seed=s + 1)
    if beans:
        m = m.mottled("#1d1210", "#3a241a", "#6b4a2c", freq=1.1, seed=s + 2)
        corn = blob(0.5, 0.33, 0.3, 10).painted("#1a0f10")
        return join([m, savoury.strewn(m, corn, 150, rng, -0.5)]), "moist", 1.75
    m = m.mottled("#241008", "#43210f", "#633719", freq=1.0, seed=s + 2)
    if recipe.has("teriyaki"):
        return m.shaded(0.8), "wet", 1.75
    return m, "moist", 1.75


def _cheese(rng: np.random.Generator, colour: str) -> Mesh:
    """A square slice melted over the patty below it, corners hanging down."""
    o = polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)], 240, smooth=False) * 5.5
    m = slab(o, 0.28, 0.1, 60)
    s = _seed(rng)
    r = np.hypot(m.v[:, 0], m.v[:, 1])
    edge = R * 0.97 + 0.25 * noise.fbm(m.v, 0.4, 2, seed=s)
    over = np.clip(r - edge, 0, None)
    scale = np.where(over > 0, (edge + 0.24 * over) / np.maximum(r, 1e-6), 1)
    m.v[:, :2] *= scale[:, None]
    m.v[:, 2] += -0.88 * over - 0.35 * (np.clip(r / edge, 0, 1) ** 8)
    m = m.painted(colour).shaded(1 + 0.07 * noise.fbm(m.v, 0.5, 3, seed=s))
    return m.rough(0.05, 0.6, seed=s + 1).turned("z", rng.uniform(20, 70))


def _ooze(rng: np.random.Generator, colour: str, radius: float, thick: float = 0.4) -> Mesh:
    """Sauce pressed out all round, with drops that begin to run."""
    s = _seed(rng)
    a = np.linspace(0, 2 * np.pi, 260, endpoint=False)
    ring = np.stack([np.cos(a), np.sin(a)], 1)
    n = noise.fbm(ring, 1.6, 3, seed=s)
    out = radius + 0.35 * n
    run = np.clip(noise.fbm(ring, 3.2, 2, seed=s + 1) - 0.15, 0, 1)
    path = np.column_stack([ring * out[:, None], -0.8 * run])
    m = tube(path, np.clip(thick * (0.45 + 1.0 * n) + 0.25 * run, 0.08, 1), 16, closed=True)
    return m.painted(colour).shaded(1 + 0.05 * noise.fbm(m.v, 0.8, 2, seed=s))


def _ring_of(rng: np.random.Generator, piece, count: int, out: float, lean: float = 4) -> Mesh:
    """Pieces laid round the axis, overlapping like roof tiles."""
    start = rng.uniform(0, 360)
    parts = []
    for k in range(count):
        m = piece(rng).jittered(rng, 0.06).turned("z", rng.uniform(0, 360))
        m = m.turned("y", lean).moved(x=out * rng.uniform(0.92, 1.08))
        parts.append(m.turned("z", start + 360 / count * k + rng.uniform(-8, 8)))
    return join(parts).moved(z=0.15)


def _slaw(rng: np.random.Generator) -> Mesh:
    strands = []
    for k in range(150):
        t = np.linspace(-1, 1, 12)
        bow = rng.uniform(-0.9, 0.9)
        path = np.stack([t * rng.uniform(1.2, 2.6), bow * (1 - t**2), 0.3 * np.sin(t * 3)], 1)
        m = tube(path, 0.15, 6, flat=0.6).painted("#d9702a" if k % 4 == 0 else "#e6e2c2")
        a, r = rng.uniform(0, 2 * np.pi), 5.7 * np.sqrt(rng.uniform(0.1, 1))
        m = m.jittered(rng, 0.08).turned("y", rng.uniform(-14, 14)).turned("z", rng.uniform(0, 360))
        strands.append(m.moved(r * np.cos(a), r * np.sin(a), rng.uniform(0.15, 1.0)))
    return join(strands)


def _crumbles(rng: np.random.Generator) -> Mesh:
    """Blue cheese that has slumped over the patty."""
    lumps = []
    for _ in range(46):
        a, r = rng.uniform(0, 2 * np.pi), 5.9 * np.sqrt(rng.uniform(0, 1))
        m = produce.cubes(rng, rng.uniform(0.9, 1.6), ("#eae2c6", "#f4eeda"), 0.35)
        m = m.tinted(noise.step(0.2, 0.5, produce.fbm_of(m, 1.6, rng)) * 0.8, "#5b7278")
        lumps.append(m.spun(rng, 30).moved(r * np.cos(a), r * np.sin(a), -0.3 * (r > 5.4)))
    return join(lumps)


def _pineapple(rng: np.random.Generator) -> Mesh:
    m = torus(3.6, 1.9, 120, 30).scaled(1, 1, 0.34)
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    fibre = noise.fbm(np.stack([a * 7, np.hypot(m.v[:, 0], m.v[:, 1]) * 0.5, 0 * a], 1), 1.2, 3)
    m = m.painted("#e3ae2c").shaded(1 + 0.2 * fibre).displaced(0.1 * fibre)
    return savoury.grilled(m, 1.8, 20, "#5c2f0c").moved(z=0.6)


def _beetroot(rng: np.random.Generator) -> Mesh:
    m = slab(circle(2.6, 90, 0.03, _seed(rng)), 0.5, 0.12, 20)
    r = np.hypot(m.v[:, 0], m.v[:, 1])
    return m.painted("#5a0a24").shaded(1 + 0.25 * np.cos(r * 7))


def _layers(rng: np.random.Generator, recipe: Recipe) -> list[Layer]:
    """Everything between base and lid, from below."""
    out: list[Layer] = []
    if recipe.has("hummus"):
        out.append((_ooze(rng, "#d3b27c", R * 0.9), "cream", 0.25))
    if recipe.has("ketchup", "barbecue sauce", "chipotle"):
        tone = "#a3140a" if recipe.has("ketchup") else "#5a1d0c"
        out.append((_ooze(rng, tone, R * 0.94, 0.3), "glaze", 0.2))
    if recipe.has("slaw"):
        out.append((_slaw(rng), "wet", 1.0))
    if recipe.has("lettuce"):
        leaves = [savoury.lettuce(rng, rng.uniform(6.4, 7.2)).moved(z=0.4 * k) for k in (0, 1)]
        out.append((join(leaves), "leaf", 0.75))
    if recipe.has("rocket"):

        def rocket(r: np.random.Generator) -> Mesh:
            return produce.rocket_leaf(r, r.uniform(5, 6.5)).turned("x", r.uniform(-25, 25))

        leaves = [
            rocket(rng).turned("z", rng.uniform(-30, 30)).moved(x=4.2).turned("z", k * 15)
            for k in range(24)
        ]
        out.append((join(leaves).moved(z=0.15), "leaf", 0.6))
    if recipe.has("beetroot"):
        out.append((_ring_of(rng, _beetroot, 5, 3.6), "wet", 0.6))
    for k in range(2 if recipe.titled("double") else 1):
        out.append(_patty(rng, recipe))
        if recipe.has("cheddar", "gruy", "leicester"):
            colour = "#e09a1e" if k == 0 else "#d9701a"
            colour = "#ecd184" if recipe.has("gruy") else colour
            out.append((_cheese(rng, colour), "moist", 0.2))
    if recipe.has("blue cheese"):
        out.append((_crumbles(rng), "moist", 0.75))
    if recipe.has("pineapple"):
        out.append((_pineapple(rng), "wet", 1.2))
    if recipe.has("bacon"):
        strips = [
            savoury.bacon(rng, 15).turned("z", d + rng.uniform(-8, 8)).moved(y=y)
            for d, y in ((8, -2.4), (-10, 0.6), (75, 0))
        ]
        out.append((join(strips), "moist", 0.7))
    if recipe.has("mushroom"):
        rings = [_ring_of(rng, produce.mushroom_slice, 11, r, 12) for r in (5.2, 3.2)]
        out.append((join([rings[0], rings[1].moved(z=0.4)]), "moist", 1.0))
    if recipe.has("beef tomato"):
        slices = _ring_of(rng, lambda r: produce.tomato_slice(r, 3.1, 0.55), 3, 2.9)
        out.append((slices, "wet", 0.75))
    if recipe.has("red pepper"):
        strips = [
            produce.pepper_strip(rng, "#a81e10", 7).turned("z", 90).moved(x=4.0).turned("z", k * 30)
            for k in range(12)
        ]
        out.append((join(strips), "wet", 0.6))
    if recipe.has("red onion"):
        rings = [
            produce.onion_ring(rng, rng.uniform(2.2, 3.2))
            .scaled(1, 1, 1.5)
            .moved(rng.uniform(-2.4, 2.4), rng.uniform(-2.8, 2.4), 0.2 * k)
            for k in range(6)
        ]
        out.append((join(rings), "wet", 0.6))
    if recipe.has("gherkin"):
        out.append((_ring_of(rng, savoury.pickle_slice, 8, 4.5, 6), "wet", 0.5))
    if recipe.has("avocado"):
        out.append(
            (_ring_of(rng, lambda r: savoury.avocado_slice(r, 5.0), 9, 4.2, 8), "moist", 0.9)
        )
    if recipe.has("fried egg"):
        m = produce.fried_egg(rng, 6.6)
        r = np.hypot(m.v[:, 0], m.v[:, 1])
        m.v[:, 2] -= 0.5 * np.clip(r - R, 0, 2)
        out.append((m.moved(y=-2.6), "glaze", 0.55))
    if recipe.has("mayonnaise", "tartare"):
        out.append((_ooze(rng, "#efe6c8", R * 0.9, 0.4), "glaze", 0.3))
    if recipe.has("slaw"):
        out.append((_slaw(rng), "wet", 0.9))
    return out


def _burger(
    scene: Scene, recipe: Recipe, rng: np.random.Generator, x: float, y: float, z: float
) -> float:
    """One burger standing at (x, y) on height z; returns the height of its top."""
    lid, base = _bun(rng, recipe)
    scene.add(base.moved(x, y, z), "crust")
    z += 1.55
    lean = rng.uniform(-3, 3)
    for mesh, finish, thick in _layers(rng, recipe):
        lean = lean * 0.8 + rng.uniform(-1.2, 1.2)
        m = mesh.turned("z", rng.uniform(-15, 15)).turned("y", lean)
        scene.add(m.moved(x + rng.normal(0, 0.12), y + rng.normal(0, 0.12), z), finish)
        z += thick
    egg = recipe.has("fried egg")
    tilt = 24 if egg else rng.uniform(2, 7)
    for mesh, finish in lid:
        m = mesh.turned("x", -tilt).turned("y", lean)
        scene.add(m.moved(x, y + 2.6 * egg, z + 0.9 * egg), finish)
    return z + 4


def _dip(scene: Scene, rng: np.random.Generator, x: float, y: float, z: float, colour: str) -> None:
    """A small bowl of sauce."""
    ware = tableware.bowl(3.4, 3.0, "#e9e5dc")
    scene.serve(_lifted(ware, z), x, y)

    def height(gx: np.ndarray, gy: np.ndarray) -> np.ndarray:
        return 0.06 * noise.fbm(np.stack([gx, gy], -1), 0.6)

    m = disc_field(ware.radius_at(2.2), height)
    scene.add(m.painted(colour).moved(x, y, z + 2.2), "glaze")


def _lifted(ware: tableware.Ware, z: float) -> tableware.Ware:
    """The ware lifted to stand on height z."""
    return tableware.Ware(
        ware.mesh.moved(z=z), ware.finish, ware.floor + z, ware.inner, ware.rim + z
    )


def build(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> None:
    """One burger in front, chips, a second burger or a dip behind it."""
    scene.table()
    savoury.far_table(scene)
    if rng.random() < 0.5:
        ware = scene.serve(tableware.any_plate(rng, 14))
        z = ware.floor
    else:
        make = tableware.round_board if rng.random() < 0.4 else tableware.board
        size = (15.5,) if make is tableware.round_board else (34, 25)
        ware = scene.serve(make(*size, int(rng.integers(99)), rng.random() < 0.4))
        z = ware.floor
        if rng.random() < 0.6:
            paper = tableware.baking_paper(22, 20, int(rng.integers(99)), "#e2d6bf")
            scene.add(paper.moved(z=z).turned("z", rng.uniform(-20, 20)), "matte")
            z += 0.2
    side = rng.choice([-1, 1])
    if recipe.has("chips"):
        top = _burger(scene, recipe, rng, -side * 3.0, -1.0, z)
        savoury.heap_of_chips(scene, rng, side * 7.5, 2.5, 46, 2.4, z + 4.2)
        centre = side * 0.8
    elif rng.random() < 0.45:
        top = _burger(scene, recipe, rng, -side * 3.0, -2.0, z)
        _burger(scene, recipe, rng, side * 7.5, 8.0, z)
        centre = side * 0.2
    else:
        top = _burger(scene, recipe, rng, 0, -0.5, z)
        centre = 0.0
        if recipe.has("lemon"):
            m = produce.citrus_slice(rng, 2.6)
            scene.drop(m, side * 8.0, -2.5, "wet")
            scene.drop(produce.citrus_slice(rng, 2.6), side * 8.6, -0.5, "wet", 0.3)
        else:
            for k in range(3):
                m = produce.cherry_tomato(rng, 1.3, half=k == 1)
                scene.drop(m, side * (8.2 + 0.5 * k), 1.5 - 2.3 * k, "wet")
    if recipe.has("ketchup", "mayonnaise") and not recipe.has("slaw"):
        red = recipe.has("ketchup")
        _dip(scene, rng, side * 17.0, 11.0, 0, "#9c140a" if red else "#efe6c8")
    if rng.random() < 0.6:
        colour = ("#a33b30", "#3f5f86", "#5d7048")[rng.integers(3)]
        napkin = tables.cloth(rng, 24, 34, "#ece6da", colour, ("stripes", "check")[rng.integers(2)])
        scene.add(napkin.turned("z", rng.uniform(-40, 40)).moved(-side * 20, 12), "cloth")
    wide = 45 if recipe.has("chips") else 43 if abs(centre) > 0 else 36
    scene.shoot(
        height=(17, 29),
        distance=(wide - 2, wide + 2),
        aim=(centre, 0, top * 0.47),
        lens=0.6,
        fov=30,
    )
