"""Cookies: a batch of biscuits piled on a plate, a board, paper or a cooling rack."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import noise, produce, tables, tableware
from kit.geometry import Mesh, blob, circle, copies, join, polygon, rounded_box, slab, tube
from kit.recipe import Recipe
from kit.scatter import poisson, spread
from kit.stage import Scene

Rng = np.random.Generator
Part = tuple[Mesh, str]

PALE = ("#b9803a", "#d0a058", "#e0bb7c")
GOLD = ("#9c6228", "#bd8442", "#d2a062")
BROWN = ("#6f3f1c", "#8f5a2c", "#a9753f")
DARK = ("#1d0c06", "#33180c", "#482614")


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def _round(rng: Rng, stops: tuple[str, str, str], crack: float, thick: float = 1.15) -> Mesh:
    """A baked round: domed, its top cracked and wrinkled, its rim darker."""
    s = _seed(rng)
    radius = rng.uniform(3.7, 4.3)
    m = slab(circle(radius, 150, 0.06, s), thick, 0.5, 46, 0.35)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / radius
    up = noise.step(thick * 0.4, thick * 0.9, m.v[:, 2])
    p = m.v[:, :2] + 0.5 * np.stack([noise.value(m.v, 0.6, s), noise.value(m.v, 0.6, s + 1)], 1)
    web = np.abs(noise.fbm(p, 0.42, 3, seed=s + 2))
    gap = noise.step(0.1, 0.0, web) * up * noise.step(1.0, 0.75, r)
    lump = noise.fbm(m.v, 0.5, 3, seed=s + 3) * 0.16 + noise.fbm(m.v, 1.9, 3, seed=s + 4) * 0.06
    m = m.mottled(*stops, freq=0.7, seed=s + 5).displaced(
        lump * (0.3 + 0.7 * up) - 0.2 * crack * gap
    )
    edge = noise.step(0.72, 1.0, r + 0.08 * noise.fbm(m.v, 0.5, 2, seed=s + 6))
    m = m.tinted(edge * 0.65, stops[0]).tinted((1 - up) * 0.4, stops[0])
    return m.tinted(gap * 0.45 * crack, stops[2])


def _studs(
    rng: Rng, base: Mesh, pieces: list[Mesh], count: int, depth: float, inner: float = 0.85
) -> Mesh:
    """Pieces pressed into the upper side of a biscuit."""
    n = base.normals()
    reach = np.hypot(base.v[:, 0], base.v[:, 1]).max() * inner
    spots = spread(rng, reach, count)
    out = []
    for k, (x, y) in enumerate(spots):
        d = (base.v[:, 0] - x) ** 2 + (base.v[:, 1] - y) ** 2 + 9 * (n[:, 2] < 0.3)
        i = int(d.argmin())
        m = pieces[k % len(pieces)].jittered(rng, 0.1).spun(rng, 24)
        out.append(m.moved(*(base.v[i] - n[i] * depth)))
    return join(out)


def _chunk(rng: Rng, size: float, colour: str) -> Mesh:
    m = rounded_box(size, size * 0.8, size * 0.7, size * 0.22, 8).rough(
        0.1 * size, 1.2, 3, _seed(rng)
    )
    return m.painted(colour).shaded(1 + 0.12 * noise.fbm(m.v, 2, 2, seed=_seed(rng)))


def _chip(rng: Rng, recipe: Recipe) -> list[Part]:
    """Drop cookie with chips, chunks, raisins or buttons."""
    if recipe.has("cocoa"):
        base = _round(rng, DARK, 0.8)
        pieces = [_chunk(rng, rng.uniform(0.8, 1.3), "#e2d2ac") for _ in range(6)]
        return [(base, "crust"), (_studs(rng, base, pieces, 13, 0.15), "satin")]
    if recipe.has("raisins"):
        base = _round(rng, BROWN, 0.4)
        flake = slab(circle(1, 20, 0.1, 5) * [0.42, 0.3], 0.08, 0.03, 5)
        oats = [flake.painted(c).bent(1.2) for c in ("#b5884a", "#c49c60", "#a3763a")]
        raisin = blob(0.55, 0.38, 0.32, 10).rough(0.14, 2.2, 3).painted("#2a120e")
        return [
            (base, "crust"),
            (_studs(rng, base, oats, 42, 0.02, 0.92), "matte"),
            (_studs(rng, base, [raisin], 13, 0.05), "moist"),
        ]
    if recipe.has("coloured chocolate buttons"):
        base = _round(rng, PALE, 0.5)
        tints = ("#b3202c", "#d8981a", "#2a6fb0", "#3f8a34", "#c8591a", "#5f3018", "#d8b41c")
        discs = [blob(0.72, 0.72, 0.36, 14).painted(c) for c in tints]
        return [(base, "crust"), (_studs(rng, base, discs, 11, 0.06), "glaze")]
    base = _round(rng, GOLD, 0.6)
    pieces = [_chunk(rng, rng.uniform(0.7, 1.25), "#2a1209") for _ in range(6)]
    return [(base, "crust"), (_studs(rng, base, pieces, 17, 0.12), "satin")]


def _peanut(rng: Rng) -> list[Part]:
    """Round marked crosswise with a fork."""
    m = _round(rng, GOLD, 0.5, 1.3)
    up = m.v[:, 2] > 0.7
    near = noise.step(3.4, 2.4, np.hypot(m.v[:, 0], m.v[:, 1])) * up
    lines = noise.step(0.1, 0.75, np.sin(m.v[:, 0] * 5.2)) * (np.abs(m.v[:, 1]) < 2.6)
    cross = noise.step(0.1, 0.75, np.sin(m.v[:, 1] * 5.2)) * (np.abs(m.v[:, 0]) < 2.6)
    dent = np.maximum(lines * (np.abs(m.v[:, 0]) < 1.9), cross * (np.abs(m.v[:, 1]) < 1.9)) * near
    m.v[:, 2] -= 0.26 * dent + 0.12 * near
    m = m.tinted(dent * 0.55, "#7f4a1c")
    nuts = [_chunk(rng, 0.5, "#d8b478") for _ in range(3)]
    return [(m, "crust"), (_studs(rng, m, nuts, 12, 0.1), "satin")]


def _shortbread(rng: Rng) -> list[Part]:
    """Thick pale finger with two rows of fork holes and sugar on it."""
    s = _seed(rng)
    m = rounded_box(8.2, 2.7, 1.6, 0.25, 64).moved(z=0.8)
    m = m.mottled("#c08f48", "#d6ae68", "#e4c489", freq=0.6, seed=s)
    x, y = m.v[:, 0], m.v[:, 1]
    top = m.v[:, 2] > 1.4
    d = np.hypot((x + 0.45) % 0.9 - 0.45, np.abs(y) - 0.6)
    hole = noise.step(0.26, 0.12, d) * top * (np.abs(x) < 3.4)
    m.v[:, 2] -= 0.5 * hole
    m = m.tinted(hole * 0.7, "#8a5622")
    edge = np.maximum(np.abs(x) / 4.1, np.abs(y) / 1.35)
    m = m.tinted(noise.step(0.86, 1.0, edge) * 0.55, "#a06a2a").rough(0.07, 1.7, 4, seed=s)
    grain = rounded_box(0.14, 0.14, 0.14, 0.03, 2).painted("#efe6d4")
    p = np.stack([rng.uniform(-3.9, 3.9, 130), rng.uniform(-1.2, 1.2, 130)], 1)
    places = np.concatenate([p, np.full((130, 1), 1.63)], 1)
    return [(m, "crust"), (copies(grain, places, rng, 60), "satin")]


def _thumbprint(rng: Rng) -> list[Part]:
    m = _round(rng, PALE, 0.35, 1.6).scaled(0.85, 0.85, 1.05)
    r = np.hypot(m.v[:, 0], m.v[:, 1])
    m.v[:, 2] -= 0.75 * noise.step(2.1, 1.1, r) * (m.v[:, 2] > 0.8)
    jam = blob(1.75, 1.65, 0.5, 24).rough(0.12, 0.9, 3, seed=_seed(rng)).painted("#7f0a18")
    jam = jam.tinted(noise.step(0.3, 0.8, produce.fbm_of(jam, 1.6, rng)) * 0.5, "#b8202c")
    return [(m, "crust"), (jam.moved(z=1.15), "glaze")]


def _heart_outline() -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x, y + 2.5], 1)[::-1] * 0.25


def _star_outline() -> np.ndarray:
    a = np.linspace(0, 2 * np.pi, 10, endpoint=False) + np.pi / 2
    r = np.where(np.arange(10) % 2 == 0, 4.5, 2.5)
    return polygon(np.stack([r * np.cos(a), r * np.sin(a)], 1), 160)


def _iced(rng: Rng) -> list[Part]:
    """Cut-out heart or star under a flood of icing with sprinkles."""
    o = _heart_outline() if rng.random() < 0.5 else _star_outline()
    s = _seed(rng)
    m = slab(o, 0.75, 0.2, 34).mottled(*PALE, freq=0.7, seed=s)
    m = m.tinted((m.v[:, 2] < 0.5) * 0.5, "#9c6228").rough(0.04, 1.5, seed=s)
    colour = ("#d98a9c", "#ece4d6", "#c9607c")[rng.integers(3)]
    ice = slab(o * 0.9, 0.26, 0.13, 30, 0.05).painted(colour)
    rel = np.hypot(ice.v[:, 0], ice.v[:, 1]) / np.interp(
        np.arctan2(ice.v[:, 1], ice.v[:, 0]),
        *np.array(sorted(zip(np.arctan2(o[:, 1], o[:, 0]), np.hypot(*(o * 0.9).T), strict=True))).T,
    )
    ice.v[:, 2] += 0.08 * np.exp(-(((rel - 0.92) / 0.05) ** 2)) * (ice.v[:, 2] > 0.1)
    parts = [(m, "crust"), (ice.moved(z=0.68), "glaze")]
    if rng.random() < 0.7:
        tints = ("#b02a4c", "#d8a81f", "#2f86c0", "#4c9a40", "#efe9df")
        bits = [produce.sprinkle(0.6, c) for c in tints]
        parts.append((_studs(rng, ice.moved(z=0.68), bits, 34, -0.04, 0.55), "satin"))
    return parts


def _person(rng: Rng) -> list[Part]:
    """Gingerbread man with icing lines, eyes and buttons."""
    half = [(0, 5.2), (1.2, 4.9), (1.6, 3.9), (1.1, 2.9), (1.3, 2.5), (3.4, 2.7), (4.1, 2.0)]
    half += [(3.5, 1.2), (1.6, 0.9), (1.6, -0.6), (2.6, -3.6), (2.2, -4.6), (1.1, -4.5), (0, -1.9)]
    pts = half + [(-x, y) for x, y in half[-2:0:-1]]
    o = polygon([(x, y - 1.0) for x, y in pts[::-1]], 220)
    s = _seed(rng)
    m = slab(o, 0.8, 0.25, 40).mottled("#6b3514", "#8a4a20", "#a3622f", freq=0.7, seed=s)
    m = m.rough(0.05, 1.4, 4, seed=s)
    top = 0.8

    def line(points: list[tuple[float, float]]) -> Mesh:
        from kit.geometry import smooth_path

        path = smooth_path([(x, y - 1.0, top) for x, y in points], 8)
        return tube(path, 0.14, 8)

    ice = [line([(-0.7, 3.6), (0, 3.25), (0.7, 3.6)])]
    for side in (-1, 1):
        ice.append(blob(0.18, detail=8).moved(side * 0.55, 3.3, top))
        cuff = [(2.9, 1.25), (3.1, 1.7), (2.9, 2.1), (3.1, 2.6)]
        ice.append(line([(side * x, y) for x, y in cuff]))
        hem = [(1.2, -3.9), (1.6, -3.6), (2.0, -3.8), (2.4, -3.4)]
        ice.append(line([(side * x, y) for x, y in hem]))
    for y in (1.9, 0.9, -0.1):
        ice.append(blob(0.27, 0.27, 0.2, 10).moved(0, y - 1.0, top))
    return [(m, "crust"), (join(ice).painted("#efe9dd"), "satin")]


def _crinkle(rng: Rng) -> list[Part]:
    """Dark round burst open through a crust of icing sugar."""
    s = _seed(rng)
    m = slab(circle(rng.uniform(3.5, 3.9), 170, 0.05, s), 1.7, 0.8, 60, 0.5).painted("#2a120a")
    p = m.v + 0.6 * np.stack([noise.value(m.v, 0.7, s + k) for k in range(3)], 1)
    d, ident = noise.cells(p + [0, 0, 0], 0.62, s)
    web = np.abs(noise.fbm(p, 0.5, 2, seed=s + 4))
    plate = noise.step(0.05, 0.16, web) * noise.step(0.72, 0.55, d)
    m = m.displaced(0.14 * plate + 0.05 * noise.fbm(m.v, 1.5, 3, seed=s))
    dust = 0.9 + 0.2 * noise.fbm(m.v, 1.4, 3, seed=s + 5)
    return [(m.tinted(np.clip(plate * dust, 0, 1) * 0.93, "#e9e4da"), "matte")]


def _cookie(rng: Rng, recipe: Recipe) -> list[Part]:
    """One biscuit of the recipe's kind, lying on z = 0."""
    kinds: tuple[tuple[bool, Callable[[Rng], list[Part]]], ...] = (
        (recipe.has("crinkle"), _crinkle),
        (recipe.has("peanut"), _peanut),
        (recipe.has("shortbread"), _shortbread),
        (recipe.has("jam"), _thumbprint),
        (recipe.has("sugar cookie"), _iced),
        (recipe.has("gingerbread"), _person),
    )
    for match, make in kinds:
        if match:
            return make(rng)
    return _chip(rng, recipe)


def _settle(scene: Scene, parts: list[Part], x: float, y: float, sink: float) -> None:
    """Let a biscuit of several parts come to rest as one piece."""
    whole = scene.heights.rest(join([m for m, _ in parts]), x, y, sink, 0.9)
    at = 0
    for m, finish in parts:
        v = whole.v[at : at + len(m.v)]
        at += len(m.v)
        scene.add(Mesh(v, m.f, m.c), finish)


def _rack(x: float, y: float) -> Mesh:
    """Wire cooling rack, its wires at z = 1.6."""
    wires = []
    for k in np.arange(-x / 2, x / 2 + 0.1, 1.7):
        wires.append(tube(np.array([[k, -y / 2, 1.5], [k, 0, 1.5], [k, y / 2, 1.5]]), 0.13, 6))
    for k in (-y / 2, 0, y / 2):
        wires.append(tube(np.array([[-x / 2, k, 1.3], [0, k, 1.3], [x / 2, k, 1.3]]), 0.2, 8))
    return join(wires).painted("#8d8a86")


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """Seven to a dozen biscuits, some leaning on others, crumbs about them."""
    scene.table()
    kind = rng.integers(4)
    reach = 10.0
    if kind == 0:
        scene.serve(tableware.any_plate(rng, 15))
        reach = 8.2
    elif kind == 1:
        ware = scene.serve(tableware.board(38, 29, int(rng.integers(99)), rng.random() < 0.4))
        paper = tableware.baking_paper(31, 24, int(rng.integers(99)), "#ddd0b8")
        scene.add(paper.moved(z=ware.floor).turned("z", rng.uniform(-12, 12)), "matte")
    elif kind == 2:
        scene.add(_rack(36, 30).turned("z", rng.uniform(-15, 15)), "pan")
    else:
        scene.serve(tableware.round_board(16, int(rng.integers(99)), rng.random() < 0.5))
    flat = recipe.has("gingerbread", "sugar cookie")
    spots = poisson(rng, reach, 7.4 if flat else 6.3, 8)
    for x, y in spots:
        parts = _cookie(rng, recipe)
        turn = rng.uniform(-35, 35) if flat else rng.uniform(0, 360)
        turned = [(m.jittered(rng, 0.04).turned("z", turn), f) for m, f in parts]
        _settle(scene, turned, x, y, 0.02)
    more = spread(rng, reach * 0.55, int(rng.integers(3, 5) + (0 if flat else 1)))
    for x, y in more:
        parts = _cookie(rng, recipe)
        turn = rng.uniform(-40, 40) if flat else rng.uniform(0, 360)
        turned = [(m.jittered(rng, 0.04).turned("z", turn), f) for m, f in parts]
        _settle(scene, turned, x, y, 0.03)
    if not flat:
        colours = DARK if recipe.has("cocoa") else GOLD
        crumb = blob(0.16, 0.12, 0.1, 4).rough(0.04, 5).painted(colours[1])
        p = rng.normal(0, 9, (70, 2))
        z = scene.heights.at(p)[:, None] + 0.06
        scene.add(copies(crumb, np.concatenate([p, z], 1), rng, 60, (0.5, 1.8), 0.2), "crust")
    if rng.random() < 0.6:
        stripe = ("#a33b30", "#3f5f86", "#5d7048", "#b98a3a")[rng.integers(4)]
        napkin = tables.cloth(rng, 24, 34, "#ece6da", stripe, ("stripes", "check")[rng.integers(2)])
        side = rng.choice([-1, 1])
        scene.add(napkin.turned("z", rng.uniform(-35, 35)).moved(side * 21, 10), "cloth")
    if rng.random() < 0.3:
        scene.shoot(height=(68, 84), distance=(46, 50), aim=(0, 0, 2), lens=0.4)
    else:
        scene.shoot(height=(34, 52), distance=(41, 46), aim=(0, -0.6, 2), lens=0.65)
