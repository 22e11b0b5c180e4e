"""Paella: saffron rice in its wide two-handled pan, the rest laid on it in a wheel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import noise, produce, tables
from kit.geometry import (
    Mesh,
    blob,
    copies,
    disc_field,
    grid_faces,
    join,
    polygon,
    revolve,
    rounded_box,
    slab,
    smooth_path,
    tube,
)
from kit.recipe import Recipe
from kit.scatter import on_surface, spread
from kit.stage import Scene

Rng = np.random.Generator


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def _pan(rng: Rng, r: float) -> tuple[list[tuple[Mesh, str]], float]:
    """The paella pan with its loop handles; returns its parts and its depth."""
    deep = 3.6
    prof = [(0, 0), (r * 0.84, 0), (r * 0.88, 0.15), (r, deep), (r * 1.012, deep + 0.12)]
    prof += [(r * 0.985, deep), (r * 0.955, deep * 0.7), (r * 0.87, 0.5), (r * 0.8, 0.3), (0, 0.3)]
    body = revolve(prof, 220, 8)
    steel = rng.random() < 0.5
    body = body.painted("#8d8a86" if steel else "#1f1d1c")
    body = body.shaded(1 + 0.25 * noise.fbm(body.v, 0.9, 3, seed=_seed(rng)))
    grip = [(0.97, 0.16, 0.85), (1.09, 0.17, 1.0), (1.16, 0.1, 1.1), (1.17, 0, 1.12)]
    points = [(r * x, r * y, deep * z) for x, y, z in grip]
    points += [(x, -y, z) for x, y, z in points[-2::-1]]
    loop = tube(smooth_path(points, 8), 0.55, 14)
    hands = join([loop, loop.turned("z", 180)])
    red = steel and rng.random() < 0.6
    hands = hands.painted("#8f1c14" if red else "#6f6c68" if steel else "#1a1918")
    return [(body, "pan"), (hands, "ceramic" if red else "pan")], deep


def _rice(rng: Rng, radius: float, level: float, black: bool) -> Mesh:
    """Plump short grains, stained by saffron or by ink, toasted at the rim."""
    s = _seed(rng)

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        dip = noise.step(0.8, 1.0, np.hypot(x, y) / radius)
        bump = 0.28 * noise.fbm(p, 0.22, 3, seed=s) + 0.1 * noise.fbm(p, 0.9, 2, seed=s + 1)
        return level + 0.3 * (1 - (x * x + y * y) / radius**2) + bump - 0.25 * dip

    colours = ("#8f4f10", "#b8771a", "#cf942e")
    grain_hues = ("#c98a1c", "#dba534", "#e6bd5c", "#bd6a1c")
    if black:
        colours = ("#0d0b0b", "#191615", "#27211f")
        grain_hues = ("#1b1817", "#282321", "#151212", "#332c28")
    m = disc_field(radius, height, 110, 260).mottled(*colours, freq=0.5, seed=s)
    spots = on_surface(m, 6200, rng) + rng.normal(0, 0.03, (6200, 3))
    tone = noise.fbm(spots, 0.25, 3, seed=s + 2) + 0.35 * rng.normal(size=len(spots))
    rank = np.clip(((tone + 1) * 2).astype(int), 0, 3)
    parts = [m]
    for k, hue in enumerate(grain_hues):
        grain = blob(0.37, 0.17, 0.16, 2).painted(hue)
        parts.append(copies(grain, spots[rank == k], rng, 50, (0.8, 1.15), 0.06))
    m = join(parts)
    rim = noise.step(0.9, 1.0, np.hypot(m.v[:, 0], m.v[:, 1]) / radius)
    burnt = noise.step(0.1, 0.7, noise.fbm(m.v, 0.5, 3, seed=s + 3))
    return m.tinted(rim * burnt * 0.7, "#4f2409")


def _chicken(rng: Rng) -> Mesh:
    """A browned piece of thigh with crisp skin."""
    m = blob(*(rng.uniform(0.9, 1.1, 3) * [1.95, 1.4, 1.0]), 34).rough(0.4, 0.42, 4, _seed(rng))
    m = m.rough(0.06, 2.0, 2, seed=_seed(rng))
    m = m.mottled("#8a4416", "#b76c28", "#d29448", freq=0.6, seed=_seed(rng))
    crisp = noise.step(0.1, 0.55, produce.fbm_of(m, 0.8, rng, 4))
    return produce.grounded(m.tinted(crisp * 0.8, "#5a260c"))


def _pork(rng: Rng) -> Mesh:
    m = rounded_box(*rng.uniform([1.7, 1.4, 1.2], [2.4, 1.9, 1.6]), 0.45, 16)
    m = m.rough(0.18, 0.8, 4, seed=_seed(rng)).mottled("#6b3416", "#96562a", "#b9804c", freq=0.8)
    return produce.grounded(m.tinted(noise.step(0.2, 0.6, produce.fbm_of(m, 0.9, rng)), "#4a200c"))


def _cod(rng: Rng) -> Mesh:
    m = rounded_box(*rng.uniform([2.2, 1.7, 1.0], [3.0, 2.2, 1.3]), 0.45, 24)
    flake = np.sin(m.v[:, 0] * 4.2 + 0.6 * np.sin(m.v[:, 1]) + produce.fbm_of(m, 0.5, rng))
    m = m.displaced(0.09 * flake).mottled("#dccba8", "#eee3ca", "#f4eddc", freq=0.7)
    m = m.tinted(noise.step(-0.5, -0.95, flake) * 0.4, "#b99a66")
    return produce.grounded(m.tinted(noise.step(0.1, 0.7, produce.fbm_of(m, 0.6, rng)), "#d9a856"))


def _shell(
    rng: Rng, outline: np.ndarray, deep: float, outside: tuple[str, ...], lining: str
) -> Mesh:
    """One half of a shell, a cup open to +z with its hinge at the low-x end."""
    m = slab(outline, 0.14, 0.05, 26, dome=-deep)
    under = m.normals()[:, 2] < 0
    rel = np.hypot(m.v[:, 0] - outline[:, 0].min(), m.v[:, 1])
    m = m.mottled(*outside, freq=0.8, seed=_seed(rng))
    rib = np.sin(rel * 8)
    m = m.shaded(1 + 0.25 * rib)
    return m.tinted(~under * 0.92, lining).displaced(0.025 * rib * under)


def _mussel(rng: Rng) -> Mesh:
    """An open mussel: two blue-black shells and the orange meat."""
    pts = [(-2.5, 0), (-1.4, -0.9), (0.6, -1.35), (2.2, -0.8), (2.5, 0.2), (1.4, 1.15), (-0.9, 0.8)]
    o = polygon(pts, 90)
    dark = ("#0c0d14", "#181b28", "#2a2c38")
    low = _shell(rng, o, 0.85, dark, "#a9adb8")
    top = _shell(rng, o, 0.85, dark, "#b4b7c0").moved(x=2.3)
    top = top.turned("y", -rng.uniform(50, 85)).moved(x=-2.3, z=0.5)
    meat = blob(1.5, 0.75, 0.5, 22).rough(0.16, 1.0, seed=_seed(rng))
    meat = meat.mottled("#b8651c", "#d98a34", "#e6a85a", freq=0.9, seed=2).moved(x=0.2, z=0.6)
    frill = noise.step(0.3, 0.6, meat.v[:, 1])
    m = join([low, top, meat.tinted(frill * 0.6, "#3a2416")])
    return produce.grounded(m.scaled(0.86))


def _clam(rng: Rng) -> Mesh:
    pts = [(-1.5, 0), (-0.9, -1.25), (0.6, -1.35), (1.45, 0), (0.6, 1.35), (-0.9, 1.25)]
    o = polygon(pts, 90)
    pale = ("#9c8058", "#c4a878", "#e2d0aa")
    low = _shell(rng, o, 0.75, pale, "#ece3d6")
    top = _shell(rng, o, 0.75, pale, "#ece3d6").moved(x=1.4)
    top = top.turned("y", -rng.uniform(55, 90)).moved(x=-1.4, z=0.5)
    meat = blob(0.85, 0.8, 0.35, 16).rough(0.12, 1.2, seed=_seed(rng))
    meat = meat.mottled("#c98a4c", "#e3b57c", "#edd0a0", freq=1.5, seed=1).moved(z=0.5)
    return produce.grounded(join([low, top, meat]))


def _prawn(rng: Rng, size: float) -> Mesh:
    """A whole prawn in its shell, with head, legs and feelers."""
    body = produce.shrimp(rng, size).shaded(0.9)
    a = -0.35 * np.pi
    r = size * 0.33
    at = np.array([r * np.cos(a), r * np.sin(a)])
    head = blob(size * 0.2, size * 0.125, size * 0.115, 20).rough(0.05, 1.5, seed=_seed(rng))
    head = head.mottled("#a8300f", "#cf5522", "#e07a40", freq=1.2, seed=_seed(rng))
    head = head.turned("z", np.degrees(a) - 90).moved(at[0] - 0.1 * size, at[1] - 0.08 * size)
    head = head.moved(z=float(body.v[:, 2].mean()))
    eye = blob(0.17, detail=5).painted("#120c0a")
    tip = at + np.array([-0.24, -0.1]) * size
    eyes = [eye.moved(*(tip + [0.1, k]), 0.2 * size) for k in (-0.15, 0.25)]
    feelers = []
    for k in range(2):
        path = smooth_path(
            [
                (*tip, 0.5),
                (tip[0] - 1.2, tip[1] - 0.6 + k, 1.0),
                (tip[0] - 2.6, tip[1] + 0.5 + 1.4 * k, 0.7),
            ]
        )
        feelers.append(tube(path, np.linspace(0.09, 0.05, len(path)), 6).painted("#b8421c"))
    red = body.tinted(np.full(len(body.v), 0.35), "#c8461a")
    return produce.grounded(join([red, head, *eyes, *feelers]))


def _squid(rng: Rng) -> Mesh:
    a = np.linspace(0, 2 * np.pi, 50, endpoint=False)
    r = rng.uniform(1.1, 1.6) * (1 + 0.1 * np.sin(2 * a + rng.uniform(0, 6)))
    path = np.stack([r * np.cos(a), r * np.sin(a), 0.12 * np.sin(3 * a)], 1)
    m = tube(path, 0.36, 12, closed=True).mottled("#d9bd90", "#ecdab8", "#f3e8d2", freq=0.8)
    return produce.grounded(m.tinted(noise.step(0.2, 0.8, produce.fbm_of(m, 0.9, rng)), "#cf9a58"))


def _chorizo(rng: Rng) -> Mesh:
    return produce.sausage_slice(rng, rng.uniform(1.3, 1.6), 0.15, 0.7).scaled(1, 1, 1.8)


def _bean(rng: Rng, flat: float = 0.6) -> Mesh:
    t = np.linspace(-1, 1, 18)
    path = np.stack([rng.uniform(1.9, 2.6) * t, 0.4 * np.sin(t * 2 + rng.uniform(0, 6)), 0 * t], 1)
    m = tube(path, 0.5 * (1 - 0.2 * t**4), 10, flat=flat)
    return produce.grounded(m.mottled("#3f5a1c", "#5d7a2c", "#7a9240", freq=0.9, seed=_seed(rng)))


def _pulse(rng: Rng, size: float, colours: tuple[str, ...]) -> Mesh:
    m = blob(size, size * 0.72, size * 0.62, 12).rough(0.06, 1.2, seed=_seed(rng))
    return produce.grounded(m.mottled(*colours, freq=1.2, seed=3))


def _artichoke(rng: Rng) -> Mesh:
    """Half a heart, cut side up, its leaves as rings."""
    o = polygon([(-1.7, 0), (-1.0, -1.25), (0.8, -1.4), (2.1, 0), (0.8, 1.4), (-1.0, 1.25)], 90)
    m = slab(o, 0.95, 0.3, 30)
    rel = np.hypot(m.v[:, 0] + 0.9, m.v[:, 1] * 1.1)
    ring = np.sin(rel * 7.5)
    m = m.mottled("#8c8a48", "#b3ac68", "#cdc48a", freq=0.8, seed=_seed(rng))
    m = m.tinted(noise.step(0.2, 0.9, ring) * 0.65, "#5a5c26").displaced(0.05 * ring)
    return produce.grounded(m.tinted(noise.step(0.1, 0.5, produce.fbm_of(m, 0.7, rng)), "#8a5a22"))


def _asparagus(rng: Rng) -> Mesh:
    """One spear along x, its tip at the low-x end."""
    t = np.linspace(0, 1, 40)
    path = np.stack([9.0 * t - 4.5, 0.2 * np.sin(t * 4), 0 * t], 1)
    thick = 0.5 * np.interp(t, [0, 0.04, 0.16, 0.3, 1], [0.2, 0.6, 1.0, 0.85, 1.0])
    m = tube(path, thick, 14).mottled("#4a6a24", "#66883a", "#84a050", freq=0.8, seed=_seed(rng))
    scale = np.sin(m.v[:, 0] * 6 + 2 * np.arctan2(m.v[:, 1], m.v[:, 2]))
    tip = noise.step(-1.8, -3.4, m.v[:, 0])
    m = m.displaced(0.07 * scale * tip).tinted(tip * noise.step(0, 0.8, scale) * 0.6, "#3a3f2c")
    return produce.grounded(m.tinted(noise.step(2.5, 4.5, m.v[:, 0]) * 0.5, "#c3c795"))


def _lemon(rng: Rng) -> Mesh:
    """A wedge of lemon, its edge of flesh up."""
    long, wide, open_by = 2.5, 1.8, np.radians(rng.uniform(32, 40))
    x = np.linspace(-0.995, 0.995, 50)
    side = np.linspace(0.02, 1, 18)
    arc = np.linspace(-open_by, open_by, 24)
    rad = np.concatenate([side, np.ones(24), side[::-1]])
    ang = np.concatenate([np.full(18, -open_by), arc, np.full(18, open_by)]) - np.pi / 2
    r = wide * np.sqrt(1 - x**2)[:, None] * rad[None]
    v = np.stack(
        [np.broadcast_to(long * x[:, None], r.shape), r * np.cos(ang), r * np.sin(ang)], -1
    )
    m = Mesh(v.reshape(-1, 3), grid_faces(50, 60, wrap=True), np.zeros((3000, 3), np.float32))
    share = np.broadcast_to(rad[None], r.shape).ravel()
    skin = np.zeros(60)
    skin[18:42] = 1
    skin = np.broadcast_to(skin[None], r.shape).ravel()
    m = m.mottled("#d9b738", "#ead068", freq=1.6, seed=_seed(rng))
    m = m.tinted(noise.step(0.14, 0.06, share) * 0.8, "#f2ead0")
    m = m.tinted(noise.step(0.82, 0.88, share), "#f2ead0").tinted(skin, "#dfb014")
    end = noise.step(0.9, 0.99, np.abs(m.v[:, 0]) / long)
    return produce.grounded(m.tinted(end, "#dfb014"))


Piece = Callable[[Rng], Mesh]
SCATTERED: tuple[tuple[tuple[str, ...], Piece, str, int, float, float], ...] = (
    (("squid, in rings",), _squid, "moist", 15, 0.78, 0.5),
    (("chicken thighs", "small chicken"), _chicken, "moist", 13, 0.74, 0.5),
    (("pork shoulder",), _pork, "moist", 16, 0.76, 0.5),
    (("cod",), _cod, "moist", 11, 0.72, 0.5),
    (("chorizo",), _chorizo, "wet", 18, 0.8, 0.35),
    (("artichoke",), _artichoke, "moist", 11, 0.74, 0.4),
    (("green beans", "flat green beans"), _bean, "moist", 24, 0.84, 0.4),
    (
        ("mushroom", "brown mushrooms"),
        lambda r: produce.mushroom_slice(r, r.uniform(2.6, 3.4)).shaded(0.75),
        "moist",
        26,
        0.82,
        0.3,
    ),
    (
        ("cherry tomatoes",),
        lambda r: produce.cherry_tomato(r, r.uniform(1.15, 1.4)),
        "wet",
        15,
        0.8,
        0.35,
    ),
    (("black olives",), lambda r: produce.olive_ring(r, 0.85), "wet", 18, 0.82, 0.3),
    (
        ("green pepper, in strips",),
        lambda r: produce.pepper_strip(r, "#4f6f20", r.uniform(4, 5.5)),
        "wet",
        11,
        0.8,
        0.3,
    ),
    (
        ("butter beans",),
        lambda r: _pulse(r, 0.75, ("#cdb080", "#e3cfa4", "#eddfbf")),
        "moist",
        26,
        0.84,
        0.35,
    ),
    (
        ("cooked chickpeas",),
        lambda r: _pulse(r, 0.6, ("#b98a48", "#d6ac68", "#e3c183")),
        "moist",
        70,
        0.88,
        0.3,
    ),
    (("clams",), _clam, "satin", 15, 0.8, 0.4),
    (("peas",), lambda r: _pulse(r, 0.42, ("#55802a", "#76a040")), "moist", 85, 0.9, 0.3),
)
WHEEL: tuple[tuple[tuple[str, ...], Piece, str, int, float, float], ...] = (
    (
        ("red pepper",),
        lambda r: produce.pepper_strip(r, "#a81c10", r.uniform(5, 6.5)),
        "wet",
        9,
        0.56,
        0.3,
    ),
    (("asparagus",), _asparagus, "moist", 12, 0.6, 0.3),
    (("mussels",), _mussel, "wet", 9, 0.74, 0.4),
    (("prawns",), lambda r: _prawn(r, r.uniform(5.0, 5.6)), "wet", 9, 0.42, 0.3),
    (("lemon",), _lemon, "wet", 5, 0.87, 0.3),
)


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """A whole paella in its pan on the table."""
    scene.table()
    radius = rng.uniform(15.0, 15.8)
    parts, deep = _pan(rng, radius)
    spin = rng.uniform(-40, 40)
    for mesh, finish in parts:
        scene.add(mesh.turned("z", spin), finish)
    level = deep * 0.62
    black = recipe.has("squid ink")
    reach = radius * 0.95
    scene.add(_rice(rng, reach, level, black), "moist")
    for words, piece, finish, count, share, sink in SCATTERED:
        if recipe.has(*words):
            for x, y in spread(rng, reach * share, int(count * rng.uniform(0.85, 1.1))):
                m = piece(rng).jittered(rng, 0.06).spun(rng, 12)
                scene.drop(m, x, y, finish, sink)
    start = rng.uniform(0, 360)
    for words, piece, finish, count, share, sink in WHEEL:
        if not recipe.has(*words):
            continue
        start += 19
        for k in range(count):
            turn = start + 360 * k / count + rng.normal(0, 4)
            out = reach * share * (1 + rng.normal(0, 0.04))
            a = np.radians(turn)
            m = piece(rng).jittered(rng, 0.05).turned("x", rng.uniform(-6, 6))
            across = 90 if piece is _lemon else 0
            m = m.turned("z", turn + across + rng.normal(0, 10))
            scene.drop(m, out * np.cos(a), out * np.sin(a), finish, sink, 0.6)
    if recipe.has("garlic, whole"):
        bulb = revolve(
            [(0, 0), (1.5, 0.1), (2.2, 1.1), (1.3, 2.2), (0.4, 2.7), (0.3, 3.4), (0, 3.4)]
        )
        a = np.arctan2(bulb.v[:, 1], bulb.v[:, 0])
        bulb.v[:, :2] *= (1 + 0.09 * np.abs(np.sin(4 * a)))[:, None]
        bulb = bulb.mottled("#a87a4a", "#d2b386", "#e3cfae", freq=0.7, seed=_seed(rng))
        scene.drop(bulb, 0, 0, "satin", 0.5)
    if recipe.has("rosemary"):
        for _ in range(2):
            bits = []
            for t in np.linspace(-1, 1, 34):
                for s in (-1, 1):
                    needle = tube(
                        np.array([[0, 0, 0], [0.5, 0.1, 0.15], [1.1, 0.35, 0.2]]),
                        np.array([0.1, 0.14, 0.05]),
                        6,
                        flat=0.6,
                    )
                    needle = needle.turned("z", s * rng.uniform(35, 65)).moved(x=t * 3.4)
                    bits.append(needle)
            stem = tube(np.array([[-3.6, 0, 0], [0, 0.1, 0.1], [3.8, 0, 0]]), 0.12, 6)
            m = join([*bits, stem]).mottled("#2c4423", "#4a6638", freq=1.2).spun(rng, 5)
            scene.drop(produce.grounded(m), *rng.normal(0, 3, 2), "leaf", 0.2)
    if recipe.has("parsley"):
        flake = slab(polygon([(-0.4, 0), (0, -0.25), (0.45, 0), (0, 0.3)], 10), 0.05, 0.02, 3)
        p = spread(rng, reach * 0.85, 150)
        z = scene.heights.at(p)[:, None] + 0.05
        m = copies(flake.painted("#35702a"), np.concatenate([p, z], 1), rng, 40, (0.6, 1.5), 0.15)
        scene.add(m, "leaf")
    if rng.random() < 0.55:
        tint = ("#a33b30", "#3f5f86", "#b98a3a", "#5d7048")[rng.integers(4)]
        napkin = tables.cloth(rng, 26, 34, "#e8e0d0", tint, ("stripes", "check")[rng.integers(2)])
        place = (rng.choice([-24, 24]), rng.uniform(6, 14))
        scene.add(napkin.turned("z", rng.uniform(-30, 30)).moved(*place), "cloth")
    if rng.random() < 0.4:
        scene.shoot(height=(72, 86), distance=(56, 60), aim=(0, 0, 2), lens=0.35)
    else:
        scene.shoot(height=(40, 56), distance=(49, 54), aim=(0, -0.8, 2), lens=0.6)
