"""Dumplings: pleated half-moons, purses and little hats, steamed, boiled or fried."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import noise, produce, tables, tableware
from kit.geometry import (
    Mesh,
    blob,
    circle,
    copies,
    disc_field,
    grid_faces,
    join,
    polygon,
    ramp,
    revolve,
    rounded_box,
    slab,
    smooth_path,
    tube,
)
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene
from kit.tableware import Ware

Rng = np.random.Generator
DOUGHS = {
    "wheat": ("#c4a26a", "#d9bf8c", "#e8d6ae"),
    "clear": ("#d39c84", "#e0bda9", "#e9d3c5"),
    "green": ("#7c9450", "#98ab68", "#b3c088"),
    "yellow": ("#cfa84e", "#e0bf6c", "#ead08c"),
}


# plates on which pale dough stands out
PLATES = (
    ("#4a5560", "#8b7a62", "stoneware"),
    ("#6d8481", "#6c5a45", "stoneware"),
    ("#2e3033", None, "stoneware"),
    ("#35506b", "#b9a68a", "ceramic"),
    ("#7a4a36", "#3f2a20", "stoneware"),
)


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def _skin(m: Mesh, rng: Rng, dough: str, filling: str | None) -> Mesh:
    """Dough colour; a thin skin lets the filling shine through."""
    m = m.mottled(*DOUGHS[dough], freq=0.6, seed=_seed(rng))
    if filling is not None:
        patch = noise.step(0.0, 0.7, noise.fbm(m.v, 0.7, 3, seed=_seed(rng)))
        high = float(m.v[:, 2].max())
        m = m.tinted(patch * 0.38 * noise.step(0.8, 0.4, m.v[:, 2] / high), filling)
        m = m.tinted(noise.step(0.5, 0.0, m.v[:, 2] / high) * 0.3, "#a8763c")
    return m.jittered(rng, 0.03)


def _moon(
    rng: Rng,
    dough: str,
    filling: str | None,
    size: tuple[float, float, float] = (4.0, 1.75, 2.7),
    bend: float = 0.7,
    pleats: int = 6,
    frill: float = 0.16,
) -> Mesh:
    """A folded wrapper standing on its belly, its pressed edge on top; bend curls it to a hat."""
    nu, nv = 110, 60
    u = np.linspace(-1, 1, nu)[:, None]
    a = np.linspace(-np.pi / 2, 1.5 * np.pi, nv, endpoint=False)[None]
    end = np.clip(1 - u**2, 0, 1)
    wide, high = size[1] * end**0.62 + 0.12, size[2] * (0.3 + 0.7 * end**0.5)
    c, s = np.cos(a), np.sin(a)
    up = s > 0
    y = wide * np.sign(c) * np.abs(c) ** np.where(up, 1.9, 0.8)
    z = high * np.where(up, 0.36 + 0.64 * s, 0.36 + 0.36 * s)
    rise = noise.step(0.35, 0.95, z / high)
    crease = np.abs(np.sin(u * np.pi * pleats / 2 + 0.3))
    phase = rng.uniform(0, 6)
    y = y + rise * frill * np.sin(u * np.pi * pleats + phase)
    y = y + np.where(c < 0, -1, 0.25) * rise * 0.5 * frill * crease * wide
    z = z - rise * frill * 0.7 * (1 - crease) + 0 * y
    y = y + np.sign(c) * 0.1 * noise.step(0.75, 1, z / high)
    arc = size[0] / max(bend, 0.05)
    t = u * bend
    x = (arc + y) * np.sin(t)
    y = (arc + y) * np.cos(t) - arc
    v = np.stack([x, y, np.maximum(z, 0.14)], -1).reshape(-1, 3)
    m = Mesh(v, grid_faces(nu, nv, wrap=True)[:, ::-1], np.zeros((nu * nv, 3), np.float32))
    m = m.displaced(0.07 * noise.fbm(m.v, 0.5, 3, seed=_seed(rng)))
    fold = (rise * (1 - crease)).ravel()
    return produce.grounded(_skin(m, rng, dough, filling).shaded(1 - 0.4 * fold))


def _fried(m: Mesh, rng: Rng, high: float) -> Mesh:
    """Brown crust on the base, up to `high`."""
    edge = m.v[:, 2] + 0.35 * produce.fbm_of(m, 0.8, rng)
    m = m.tinted(noise.step(high, high * 0.45, edge), "#c48433")
    m = m.tinted(noise.step(high * 0.7, 0.0, edge) * 0.85, "#864615")
    spot = noise.step(0.1, 0.5, produce.fbm_of(m, 1.1, rng)) * noise.step(high, 0, edge)
    return m.tinted(spot * 0.7, "#54280c")


def _purse(rng: Rng, dough: str, size: float = 1.0, folds: int = 14) -> Mesh:
    """A gathered purse with a twisted knot."""
    prof = [(0, 0), (1.9, 0), (2.35, 0.3), (2.62, 0.95), (2.3, 1.75), (1.3, 2.35), (0.62, 2.55)]
    prof += [(0.5, 2.85), (0.42, 3.0), (0.12, 2.9), (0, 2.75)]
    m = revolve(prof, 150, 8)
    a, z = np.arctan2(m.v[:, 1], m.v[:, 0]), m.v[:, 2]
    r = np.hypot(m.v[:, 0], m.v[:, 1])
    wave = np.abs(np.sin((a + 0.5 * z + 0.12 * np.sin(3 * a)) * folds / 2)) ** 0.7
    depth = noise.step(0.5, 2.2, z) * np.clip(r, 0, 1.2) * 0.3
    k = 1 - depth * (1 - wave) / np.maximum(r, 0.3)
    m.v[:, :2] *= k[:, None]
    m.v[:, 2] -= 0.2 * depth * (1 - wave)
    m = m.displaced(0.1 * noise.fbm(m.v, 0.35, 2, seed=_seed(rng))).scaled(size)
    m = _skin(m, rng, dough, None)
    return produce.grounded(m.tinted(depth * (1 - wave) * 1.1, "#b39a6c"))


def _siu_mai(rng: Rng) -> Mesh:
    """An open cup of thin dough, filled to the brim, with a pea."""
    prof = [(0, 0), (1.55, 0), (1.85, 0.4), (1.8, 1.3), (1.95, 2.3), (2.1, 2.75), (1.95, 2.6)]
    m = revolve([*prof, (1.75, 2.2)], 130, 8)
    a, z = np.arctan2(m.v[:, 1], m.v[:, 0]), m.v[:, 2]
    wave = np.sin(a * 9 + 1.2 * np.sin(2 * a + rng.uniform(0, 6)))
    ruffle = noise.step(0.6, 2.7, z) * 0.16 * wave
    m.v[:, :2] *= (1 + ruffle)[:, None]
    m.v[:, 2] += noise.step(1.6, 2.7, z) * 0.14 * np.sin(a * 4 + 1)
    m = _skin(m, rng, "yellow", None).shaded(1 - 1.2 * np.clip(-ruffle, 0, 0.2))
    s = _seed(rng)

    def lumps(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        return 2.75 - 0.14 * (x * x + y * y) + 0.2 * noise.fbm(p, 1.1, 3, seed=s)

    meat = disc_field(1.9, lumps, 40, 110).mottled("#a8765a", "#c79a7c", "#dbb89c", freq=1.3)
    pea = blob(0.5, detail=12).painted("#6f9a2c").moved(z=2.95)
    return join([m, meat, pea])


def _manti(rng: Rng) -> Mesh:
    """A tiny square parcel, its four corners pinched together."""
    m = revolve([(0, 0), (1.05, 0), (1.25, 0.3), (0.95, 0.85), (0.4, 1.15), (0, 1.4)], 72, 6)
    a, z = np.arctan2(m.v[:, 1], m.v[:, 0]), m.v[:, 2]
    ridge = np.abs(np.cos(2 * a)) ** 3
    m.v[:, :2] *= (0.82 + (0.1 + 0.42 * noise.step(0.3, 1, z)) * ridge)[:, None]
    return produce.grounded(_skin(m.rough(0.07, 0.9, seed=_seed(rng)), rng, "wheat", "#8a5a40"))


def _pierogi(rng: Rng) -> Mesh:
    """A flat half-moon with a crimped rim, glossy and spotted with brown from the butter."""
    t = np.linspace(0, np.pi, 26)
    arc = np.stack([3.9 * np.cos(t), 3.0 * np.sin(t) - 1.1], 1)
    o = polygon([*arc, (-2.4, -1.45), (0, -1.55), (2.4, -1.45)], 200)
    m = slab(o, 0.3, 0.14, 40, dome=1.35)
    size = np.linalg.norm(o, axis=1).mean()
    rel = np.hypot(m.v[:, 0], m.v[:, 1]) / size
    a = np.arctan2(m.v[:, 1] + 1.1, m.v[:, 0])
    rim = noise.step(0.62, 1.0, rel) * (m.v[:, 1] > -1.2)
    m.v[:, 2] += 0.15 * rim * np.sin(a * 26) - 0.3 * rim * (m.v[:, 2] > 0.35)
    m = m.rough(0.07, 0.5, seed=_seed(rng))
    m = _skin(m, rng, "wheat", None)
    brown = noise.step(0.15, 0.65, produce.fbm_of(m, 0.6, rng))
    return produce.grounded(m.tinted(brown * 0.6, "#b87a30").tinted(rim * 0.2, "#c99a54"))


def _steamer(rng: Rng, radius: float) -> tuple[Mesh, Ware]:
    """A bamboo basket with its slatted floor; returns the slats and the wall as a ware."""
    r = radius
    prof = [(r - 0.6, 0), (r, 0), (r, 0), (r, 4.2), (r, 4.2), (r - 0.6, 4.2), (r - 0.6, 4.2)]
    wall = revolve([*prof, (r - 0.6, 0.2)], 200, 8)
    bands = [
        revolve([(r, z), (r + 0.35, z), (r + 0.35, z), (r + 0.35, z + 1.1), (r, z + 1.1)], 200, 6)
        for z in (0.1, 3.2)
    ]
    m = join([wall, *bands])
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    p = np.stack([a * 1.5, m.v[:, 2] * 2.2, 0 * a], -1)
    t = noise.fbm(p, 1.0, 4, seed=_seed(rng))
    m = m.painted(ramp(t * 0.5 + 0.5, "#9a6a30", "#bd8c4a", "#d3a868"))
    slats = []
    for k, x in enumerate(np.arange(-r + 1, r, 1.55)):
        long = 2 * np.sqrt(max((r - 0.7) ** 2 - x * x, 1))
        s = rounded_box(1.25, long, 0.4, 0.12, 16).moved(x=x, z=1.5)
        s = s.mottled("#a87a3c", "#c79a58", "#dab478", freq=0.6, seed=k)
        slats.append(s.jittered(rng, 0.06))
    return join(slats), Ware(m, "wood", 1.7, r - 0.7, 4.2)


def _dip(scene: Scene, rng: Rng, recipe: Recipe, x: float, y: float, z: float) -> None:
    """A small dish with the dipping sauce."""
    dish = tableware.bowl(3.3, 2.2, "#e7e2d8", "#31506f", "ceramic", 0.55)
    scene.add(dish.mesh.moved(x, y, z), dish.finish)
    red = recipe.has("chilli sauce")
    pool = disc_field(dish.radius_at(1.4) + 0.05, lambda gx, gy: 0.03 * np.sin(gx * 2), 30, 90)
    pool = pool.painted("#a8240c" if red else "#2a1208")
    scene.add(pool.moved(x, y, z + 1.4), "liquid")
    if not red:
        for dx, dy in spread(rng, 1.7, 7):
            ring = produce.scallion_ring(rng, 0.32).spun(rng, 10)
            scene.add(ring.moved(x + dx, y + dy, z + 1.35), "moist")


def _onion(rng: Rng) -> Mesh:
    a = np.linspace(0, rng.uniform(1.5, 3.5), 22)
    r = rng.uniform(1.0, 1.8)
    path = np.stack([r * np.cos(a), r * np.sin(a), 0.15 * np.sin(a * 3)], 1)
    m = tube(path - path.mean(0), 0.15, 8, flat=0.7)
    return produce.grounded(m.mottled("#7a4316", "#a9682a", "#c68c46", freq=1.2, seed=_seed(rng)))


def _cabbage(rng: Rng, radius: float) -> Mesh:
    """The leaf or paper that lines the basket."""
    s = _seed(rng)

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        return 0.12 + 0.2 * np.abs(noise.fbm(p, 0.35, 3, seed=s)) + 0.01 * np.hypot(x, y)

    def edge(a: np.ndarray) -> np.ndarray:
        p = np.stack([np.cos(a), np.sin(a)], -1)
        return radius * (0.93 + 0.06 * noise.fbm(p, 2.0, 3, seed=s))

    m = disc_field(edge, height, 80, 220)
    m = m.mottled("#8fa552", "#b3c27c", "#cfd6a4", freq=0.4, seed=s)
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    vein = np.abs(np.sin(a * 5 + 0.6 * noise.fbm(m.v, 0.3, 2, seed=s)))
    return m.tinted(noise.step(0.14, 0.0, vein) * 0.7, "#e3e6c6")


def _blanket(rng: Rng, scene: Scene, radius: float, colours: tuple[str, ...], thick: float) -> Mesh:
    """Yoghurt or soured cream spooned over what already lies there."""
    s = _seed(rng)

    def edge(a: np.ndarray) -> np.ndarray:
        p = np.stack([np.cos(a), np.sin(a)], -1)
        return radius * (1 + 0.28 * noise.fbm(p, 1.1, 3, seed=s))

    m = disc_field(edge, lambda x, y: 0 * x, 70, 200)
    grid = np.stack([m.v[:, :2] + d for d in rng.normal(0, 0.45, (14, 2))])
    rel = np.hypot(m.v[:, 0], m.v[:, 1]) / edge(np.arctan2(m.v[:, 1], m.v[:, 0]))
    swell = thick * np.clip(1 - rel**4, 0, 1) + 0.12 * noise.fbm(m.v, 0.5, 3, seed=s)
    m.v[:, 2] = scene.heights.at(grid).mean(0) + swell - 0.2
    return m.mottled(*colours, freq=0.6, seed=s)


Maker = Callable[[Rng], Mesh]


def _maker(recipe: Recipe) -> tuple[Maker, float]:
    """What one dumpling of the recipe looks like, and how far apart they sit."""
    if recipe.titled("soup"):
        return (lambda r: _purse(r, "wheat", r.uniform(0.98, 1.08))), 5.6
    if recipe.titled("siu mai"):
        return (lambda r: _siu_mai(r).scaled(r.uniform(0.96, 1.06))), 4.9
    if recipe.titled("manti"):
        return _manti, 2.2
    if recipe.titled("pierogi"):
        return _pierogi, 5.0
    if recipe.titled("mandu"):
        return (lambda r: _moon(r, "wheat", "#c0602c", (5.6, 1.7, 2.7), 2.3, 4, 0.1)), 5.4
    if recipe.titled("wontons"):
        return (lambda r: _moon(r, "wheat", "#b07a60", (4.4, 1.35, 2.6), 1.9, 5, 0.42)), 4.2
    if recipe.titled("prawn"):
        return (lambda r: _moon(r, "clear", "#dd8460", (3.4, 1.9, 2.9), 0.8, 10, 0.13)), 5.4
    if recipe.titled("spinach"):
        return (lambda r: _moon(r, "green", "#3f5f2a", (3.9, 1.9, 2.8), 0.7, 8, 0.17)), 5.4
    return (lambda r: _fried(_moon(r, "wheat", "#9aa065"), r, 2.0)), 0.0


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """Dumplings on a plate, in a bowl with their sauce or in a bamboo steamer."""
    scene.table("oak", "walnut", "slate", "concrete", "linen", "blue", "marble")
    make, gap = _maker(recipe)
    side = rng.choice([-1, 1])
    basket = recipe.has("bamboo basket", "for the basket") or "bamboo basket" in recipe.instructions
    shape = PLATES[rng.integers(len(PLATES))]
    finish = "moist"
    if basket:
        radius = 11.8
        slats, ware = _steamer(rng, radius)
        scene.serve(ware)
        scene.add(slats, "wood")
        scene.add(_cabbage(rng, radius - 0.8).moved(z=ware.floor), "leaf")
        ring = [
            (6.9 * np.cos(t), 6.9 * np.sin(t))
            for t in np.linspace(0, 2 * np.pi, 7 if gap > 5 else 8, endpoint=False)
        ]
        for x, y in [(0.0, 0.0), *ring]:
            if rng.random() < 0.08:
                continue
            m = make(rng).turned("z", rng.uniform(-35, 35) + 180 * rng.integers(2))
            scene.drop(m, x + rng.normal(0, 0.15), y + rng.normal(0, 0.15), finish, 0.35, 0.3)
        _dip(scene, rng, recipe, side * 13.6, -11.2, 0)
    elif recipe.titled("wontons", "manti"):
        ware = scene.serve(tableware.bowl(11.6, 5.6, *shape, 0.48))
        level = 2.6
        if recipe.titled("wontons"):
            pool = disc_field(ware.radius_at(level) + 0.05, lambda x, y: 0 * x, 80, 200)
            pool = pool.mottled("#3f0c05", "#6d1608", "#942a0c", freq=0.5, seed=_seed(rng))
            d, ident = noise.cells(pool.v, 0.8, _seed(rng))
            pool = pool.tinted((d < 0.15 + 0.3 * ident) * 0.5, "#c2521a")
            scene.add(pool.moved(z=level), "liquid")
            finish = "wet"
        count, reach = (70, 8.0) if recipe.titled("manti") else (13, 6.9)
        for x, y in spread(rng, reach, count):
            tilt = 25 if recipe.titled("manti") else 12
            scene.drop(make(rng).spun(rng, tilt), x, y, finish, 0.3, 0.5)
    else:
        ware = scene.serve(tableware.plate(13.4, *shape, coupe=bool(rng.random() < 0.6)))
        brown_up = recipe.titled("gyoza", "pan-fried")
        if recipe.titled("pierogi"):
            places = [(x, y, rng.uniform(0, 360)) for x, y in spread(rng, 7.2, 9)]
            places += [(x, y, rng.uniform(0, 360)) for x, y in spread(rng, 3.4, 3)]
        elif recipe.titled("mandu") or rng.random() < 0.4:
            n = 8 if gap else 9
            turns = np.linspace(0, 360, n, endpoint=False) + rng.uniform(0, 40)
            out = 7.4
            places = [
                (out * np.cos(np.radians(t)), out * np.sin(np.radians(t)), t + (90 if gap else 70))
                for t in turns
            ]
            _dip(scene, rng, recipe, 0, 0, ware.floor)
        else:
            lean = rng.uniform(-18, 18)
            places = [
                (x + 0.25 * y * np.sign(lean), y, lean + rng.normal(0, 4))
                for y in (5.4, 1.8, -1.8, -5.4)
                for x in (-4.2, 4.2)
            ]
            places += [(rng.normal(0, 0.6), y, lean + 60) for y in (2.4, -2.6)]
        for x, y, turn in places:
            m = make(rng)
            if brown_up:
                m = produce.grounded(m.turned("x", 112 + rng.uniform(-8, 8)))
            m = m.turned("z", turn)
            scene.drop(m, x + rng.normal(0, 0.15), y + rng.normal(0, 0.15), finish, 0.3, 0.6)
        if not recipe.titled("pierogi") and scene.heights.at(np.array([0.0, 0.0])) > 2.3:
            _dip(scene, rng, recipe, side * 13.2, -11.0, 0)
    if recipe.titled("manti"):
        white = ("#e6ddcb", "#efe9dc", "#f3efe6")
        scene.add(_blanket(rng, scene, 5.6, white, 0.6), "cream")
        for _ in range(7):
            a, r = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 3.6)
            path = smooth_path(
                [(r * np.cos(a + k) * 1.1, r * np.sin(a + k), 0) for k in (0, 0.5, 1.1, 1.7)]
            )
            path[:, 2] = scene.heights.at(path[:, :2]) + 0.02
            wide = rng.uniform(0.15, 0.35) * (1 - np.linspace(-1, 1, len(path)) ** 2) + 0.08
            scene.add(tube(path, wide, 8, flat=0.3).painted("#b8400c"), "wet")
    if recipe.titled("pierogi"):
        white = ("#e9e1d0", "#f1ebdf", "#f5f1e8")
        scene.add(_blanket(rng, scene, 2.5, white, 0.9).moved(side * 0.8, 0.4), "cream")
        for x, y in rng.normal(0, 3.2, (60, 2)):
            scene.drop(_onion(rng).spun(rng, 20), x, y, "wet", 0.1)
    if recipe.has("chives", "dried mint", "chilli flakes", "with its flakes"):
        red = recipe.has("chilli flakes", "with its flakes")
        bit = slab(circle(0.2, 9), 0.07, 0.02, 2).painted("#a81a0c" if red else "#3d7a26")
        p = spread(rng, 7.5, 120)
        z = scene.heights.at(p)[:, None] + 0.05
        scene.add(copies(bit, np.concatenate([p, z], 1), rng, 50, (0.6, 1.4)), "moist")
    if recipe.has("sesame seeds"):
        p = spread(rng, 8.6, 150)
        z = scene.heights.at(p)[:, None] + 0.05
        scene.add(copies(produce.seed_grain(0.34), np.concatenate([p, z], 1), rng, 40), "satin")
    if recipe.has("spring onion") and not basket:
        for x, y in spread(rng, 8.0, 40):
            ring = produce.scallion_ring(rng, rng.uniform(0.3, 0.45)).spun(rng, 40)
            scene.drop(ring, x, y, "moist")
    if recipe.titled("pierogi", "manti"):
        fork = tableware.fork().turned("z", 90 + rng.uniform(-8, 8))
        scene.add(fork.moved(side * 15.6, 0), "metal")
    else:
        dark = ("#3a1f14", "#1b1718", "#6d1712")[rng.integers(3)]
        sticks = tableware.chopsticks(23, dark).turned("z", 90 + side * rng.uniform(4, 14))
        scene.add(sticks.moved(-side * 14.6, -1), "wood")
    if rng.random() < 0.45:
        tint = ("#a33b30", "#3f5f86", "#5d7048")[rng.integers(3)]
        napkin = tables.cloth(rng, 24, 30, "#e6ddcb", tint)
        scene.add(napkin.turned("z", rng.uniform(-30, 30)).moved(side * 16, 13), "cloth")
    if rng.random() < 0.25:
        scene.shoot(height=(66, 80), distance=(45, 49), aim=(0, 0, 2), lens=0.4)
    else:
        scene.shoot(height=(36, 52), distance=(40, 44), aim=(0, -0.6, 1.8), lens=0.6)
