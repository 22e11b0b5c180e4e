"""Single pieces of food that many dishes share. Each lies on z = 0 at the origin."""

from __future__ import annotations

import numpy as np

from . import noise
from .geometry import (
    Colour,
    Mesh,
    blob,
    circle,
    join,
    leaf,
    polygon,
    ramp,
    rounded_box,
    slab,
    smooth_path,
    tube,
)

Rng = np.random.Generator


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def grounded(mesh: Mesh) -> Mesh:
    """The mesh lifted or lowered so that its lowest vertex is at z = 0."""
    return mesh.moved(z=-float(mesh.v[:, 2].min()))


def mushroom_slice(rng: Rng, size: float = 3.0) -> Mesh:
    """Lengthwise slice of a button mushroom: pale flesh, brown skin and gills (finish "satin")."""
    pts = [(0.17, -0.5), (0.19, -0.16), (0.34, -0.13), (0.5, -0.14), (0.55, 0.06), (0.36, 0.36)]
    pts += [(0, 0.48)] + [(-x, y) for x, y in pts[::-1]]
    o = polygon(pts, 90) * size
    m = slab(o, 0.34, 0.1, 16)
    x, y = m.v[:, 0] / size, m.v[:, 1] / size
    outer = np.hypot(x / 0.56, (y - 0.02) / 0.48)
    m = m.mottled("#d6bd95", "#eadbbb", freq=2, seed=_seed(rng))
    m = m.tinted(noise.step(0.86, 1.0, outer) * (y > -0.12), "#8a6442")
    gill = np.exp(-(((y + 0.02 - 0.16 * np.abs(x)) / 0.045) ** 2)) * (np.abs(x) > 0.13)
    m = m.tinted(gill * (np.abs(x) < 0.46) * 0.85, "#6b4a30")
    m = m.tinted(noise.step(0.1, 0.7, noise.fbm(m.v, 0.9, 2, seed=_seed(rng))) * 0.5, "#a9763f")
    return grounded(m.bent(size * rng.uniform(1.5, 4), "y").rough(0.03, 2.5, seed=_seed(rng)))


def basil_leaf(rng: Rng, length: float = 4.0) -> Mesh:
    """Glossy basil leaf (finish "leaf")."""
    m = leaf(
        length,
        length * rng.uniform(0.55, 0.68),
        rng.uniform(0.05, 0.3),
        rng.uniform(-0.15, 0.22),
        0.16,
        seed=_seed(rng),
        colours=("#1f5a17", "#3a8226", "#4f9a34"),
        vein="#7fae55",
    )
    return grounded(m)


def herb_leaf(rng: Rng, length: float = 1.6) -> Mesh:
    """Lobed leaf: parsley, coriander (finish "leaf")."""
    m = leaf(
        length,
        length * 0.8,
        rng.uniform(0, 0.4),
        rng.uniform(-0.1, 0.3),
        0.3,
        lobes=3,
        seed=_seed(rng),
        colours=("#2c6a20", "#4c9136"),
        vein="#6fa552",
    )
    return grounded(m)


def rocket_leaf(rng: Rng, length: float = 6.0) -> Mesh:
    """Long lobed rocket leaf (finish "leaf")."""
    m = leaf(
        length,
        length * 0.3,
        rng.uniform(0.1, 0.5),
        rng.uniform(-0.1, 0.4),
        0.5,
        lobes=4,
        seed=_seed(rng),
        colours=("#285f1d", "#4a8f31", "#5fa040"),
        vein="#a9c98a",
    )
    return grounded(m)


def spinach_leaf(rng: Rng, length: float = 5.0) -> Mesh:
    """Wilted dark leaf (finish "moist")."""
    m = leaf(
        length,
        length * 0.6,
        0.15,
        0.1,
        0.9,
        seed=_seed(rng),
        colours=("#173f14", "#25591c", "#356f29"),
        vein="#5f9150",
    )
    return grounded(m)


def tomato_slice(rng: Rng, radius: float = 2.6, thick: float = 0.5) -> Mesh:
    """Slice of tomato with seed chambers (finish "wet")."""
    m = slab(circle(radius, 120, 0.05, _seed(rng)), thick, 0.15, 26)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / radius
    a = np.arctan2(m.v[:, 1], m.v[:, 0]) + rng.uniform(0, 6)
    n = int(rng.integers(5, 8))
    sector = np.abs(np.cos(a * n / 2))
    chamber = noise.step(0.35, 0.55, sector) * noise.step(0.3, 0.4, r) * noise.step(0.84, 0.76, r)
    m = m.mottled("#c2281a", "#d8412b", freq=1.2, seed=_seed(rng))
    m = m.tinted(chamber * 0.8, "#b83312").tinted(noise.step(0.22, 0.0, r) * 0.7, "#e8a184")
    d, _ = noise.cells(m.v, 2.6, _seed(rng))
    m = m.tinted(chamber * noise.step(0.32, 0.18, d), "#e8c46a")
    m = m.tinted(noise.step(0.9, 0.99, r), "#a8170f")
    m.v[:, 2] -= chamber * 0.1 * (m.v[:, 2] > thick * 0.6)
    return grounded(m)


def cherry_tomato(rng: Rng, radius: float = 1.35, half: bool = True) -> Mesh:
    """Cherry tomato, halved with the cut up, or whole (finish "wet")."""
    if not half:
        m = blob(radius, radius, radius * 0.94, 20).painted("#c3200f")
        top = noise.step(radius * 0.8, radius * 0.94, m.v[:, 2])
        return grounded(m.tinted(top * 0.7, "#d8641e"))
    m = blob(radius, radius * 0.95, radius * 0.9, 26).painted("#bf2012")
    cut = m.v[:, 2] > 0.05
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / radius
    scale = np.where(cut & (r > 0.01), np.sqrt(np.clip(r**2 + (m.v[:, 2] / radius) ** 2, 0, 1)), 1)
    m.v[:, :2] *= np.where(cut, 0.98 / np.maximum(scale, 0.4) * 1.0, 1)[:, None]
    m.v[cut, 2] = 0.05
    lobes = np.abs(np.cos(np.arctan2(m.v[:, 1], m.v[:, 0]) * 1.5))
    chamber = noise.step(0.4, 0.6, lobes) * noise.step(0.25, 0.35, r) * noise.step(0.85, 0.7, r)
    m = m.tinted(cut * 0.5, "#dd4a30").tinted(cut * chamber * 0.8, "#c44a14")
    d, _ = noise.cells(m.v, 3.2, _seed(rng))
    m = m.tinted(cut * chamber * noise.step(0.3, 0.2, d), "#eccb78")
    return grounded(m)


def pepper_strip(rng: Rng, colour: Colour = "#c22a1a", length: float = 4.5) -> Mesh:
    """Curved strip of sweet pepper (finish "wet")."""
    bow = rng.uniform(0.5, 1.3)
    t = np.linspace(-1, 1, 28)
    path = np.stack([t * length / 2, bow * (1 - t**2), 0.06 * np.sin(t * 5)], 1)
    m = tube(path, np.full(28, 0.48), 14, flat=0.5).painted(colour)
    pale = noise.step(0.0, -0.25, m.v[:, 1] - bow * (1 - (m.v[:, 0] / length * 2) ** 2))
    m = m.tinted(pale * 0.35, "#f0c9a0").rough(0.04, 1.5, seed=_seed(rng))
    return grounded(m)


def onion_ring(rng: Rng, radius: float = 1.9, colour: Colour = "#8d2f5c") -> Mesh:
    """Thin ring or arc of onion, purple outside, white inside (finish "wet")."""
    arc = rng.uniform(1.1, 2.0) * np.pi
    a = np.linspace(0, arc, 46)
    r = radius * (
        1 + 0.12 * noise.fbm(np.stack([np.cos(a), np.sin(a)], 1), 0.8, 2, seed=_seed(rng))
    )
    path = np.stack([r * np.cos(a), r * np.sin(a) * rng.uniform(0.7, 1), 0.1 * np.sin(2 * a)], 1)
    m = tube(path - path.mean(0), 0.17, 10)
    out = m.normals()[:, :2] * (m.v[:, :2] + path.mean(0)[:2])
    m = m.painted("#e9dbe0").tinted(noise.step(0.0, 0.8, out.sum(1) / radius), colour)
    return grounded(m)


def olive_ring(rng: Rng, radius: float = 0.8, colour: Colour = "#221a1c") -> Mesh:
    """Ring of a stoned olive (finish "wet")."""
    a = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    path = np.stack([np.cos(a), np.sin(a), 0 * a], 1) * radius * 0.72
    m = tube(path, radius * 0.32, 12, closed=True, flat=0.9)
    m = m.painted(colour).tinted(noise.step(0.05, 0.2, m.normals()[:, 2]) * 0.35, "#5b4a3c")
    return grounded(m.rough(0.03, 2, seed=_seed(rng)))


def sausage_slice(rng: Rng, radius: float = 1.9, cup: float = 0.28, char: float = 0.5) -> Mesh:
    """Slice of pepperoni or salami, cupped and charred at the rim (finish "wet")."""
    s = _seed(rng)
    m = slab(circle(radius, 110, 0.04, s), 0.24, 0.09, 26)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / radius
    m = m.mottled("#8e1f12", "#b13420", "#c04a2c", freq=1.4, seed=s)
    fat, ident = noise.cells(m.v + 0.15 * noise.value(m.v, 3, s)[:, None], 3.4, s)
    m = m.tinted(noise.step(0.3, 0.18, fat) * (ident > 0.35) * 0.75, "#e0a37c")
    m = m.tinted(noise.step(0.86, 1.0, r + 0.12 * noise.fbm(m.v, 1.2, 2, seed=s)) * char, "#3a0f08")
    ruffle = 0.5 + 0.5 * noise.value(m.v, 0.5, s)
    m.v[:, 2] += cup * r**3 * ruffle + 0.03 * noise.fbm(m.v, 2.2, 2, seed=s)
    return grounded(m)


def ham_piece(rng: Rng, size: float = 2.4) -> Mesh:
    """Square piece of cooked ham, slightly rolled (finish "moist")."""
    o = polygon([(-1, -1), (1, -0.9), (0.95, 1), (-0.9, 0.95)], 60, smooth=False) * size / 2
    m = slab(o, 0.22, 0.06, 14).mottled("#d98c82", "#e8a79b", "#f0bcae", freq=0.9, seed=_seed(rng))
    m = m.tinted(noise.step(0.3, 0.6, noise.fbm(m.v, 0.7, 3, seed=_seed(rng))) * 0.4, "#b8553f")
    return grounded(m.bent(size * rng.uniform(0.9, 2)).rough(0.05, 0.9, seed=_seed(rng)))


def pineapple_piece(rng: Rng, size: float = 2.2) -> Mesh:
    """Wedge of pineapple with its fibres (finish "wet")."""
    pts = [(-0.32, -0.35), (0.32, -0.35), (0.62, 0.5), (0.2, 0.62), (-0.2, 0.62), (-0.62, 0.5)]
    m = slab(polygon(pts, 70) * size * 0.8, 0.75, 0.16, 18)
    fibre = noise.fbm(m.v * [3.0, 0.6, 1.0], 1.3, 3, seed=_seed(rng))
    m = m.painted(ramp(fibre * 0.5 + 0.5, "#d79a1c", "#ecbd3a", "#f5d566"))
    m = m.tinted(noise.step(0.35, 0.8, fbm_of(m, 0.8, rng)) * 0.35, "#a8651a")
    return grounded(m.displaced(0.06 * fibre))


def fbm_of(mesh: Mesh, freq: float, rng: Rng, octaves: int = 3) -> np.ndarray:
    """Noise at a mesh's vertices with a seed drawn from rng."""
    return noise.fbm(mesh.v, freq, octaves, seed=_seed(rng))


def scallion_ring(rng: Rng, radius: float = 0.42) -> Mesh:
    """Little cut ring of spring onion (finish "moist")."""
    a = np.linspace(0, 2 * np.pi, 22, endpoint=False)
    path = np.stack([np.cos(a), np.sin(a) * rng.uniform(0.7, 1.0), 0 * a], 1) * radius
    h = rng.uniform(0.2, 0.34)
    m = tube(path, h / 2, 8, closed=True, flat=1.0)
    n = m.normals()
    green = ("#3f8a2a", "#6fb23f", "#b9d98a")[rng.integers(3)]
    m = m.painted(green)
    return grounded(
        m.tinted(noise.step(0.2, 0.9, -(n[:, :2] * m.v[:, :2]).sum(1)) * 0.6, "#dcebb5")
    )


def half_egg(rng: Rng, length: float = 5.0, yolk: str = "soft", skin: Colour = "#f3eee2") -> Mesh:
    """Boiled egg cut lengthwise, cut side up: "soft" (jammy orange) or "hard" (finish "wet")."""
    m = blob(length / 2, length * 0.385, length * 0.385, 44)
    m.v[:, 1:] *= 1 - 0.11 * m.v[:, :1] / (length / 2)
    x, y = m.v[:, 0], m.v[:, 1]
    a, b = length / 2, length * 0.385 * (1 - 0.11 * x / (length / 2))
    cut = m.v[:, 2] > 0
    r = np.sqrt((x / a) ** 2 + (y / b) ** 2)
    direction = np.sqrt(np.clip(r, 1e-3, None))
    m.v[:, :2] = np.where(cut[:, None], m.v[:, :2] / direction[:, None] ** 0.5, m.v[:, :2])
    m.v[cut, 2] = 0.0
    x, y = m.v[:, 0] + 0.02 * length, m.v[:, 1]
    ry = np.hypot(x / (length * 0.27), y / (length * 0.255))
    ry = ry + 0.05 * noise.fbm(m.v, 0.8, 2, seed=_seed(rng))
    m = m.painted(skin).tinted(cut * 0.9, "#f6f3ea")
    inside = noise.step(1.03, 0.95, ry) * cut
    core, edge = ("#e8830f", "#f2a531") if yolk == "soft" else ("#eec04a", "#e9b640")
    m = m.tinted(inside, edge).tinted(noise.step(0.85, 0.3, ry) * cut, core)
    m.v[:, 2] -= (0.03 if yolk == "soft" else -0.02) * length * noise.step(1.0, 0.7, ry) * cut
    return grounded(m)


def fried_egg(rng: Rng, radius: float = 5.0) -> Mesh:
    """Fried egg: frilled white with a browned edge and a domed yolk (finish "glaze")."""
    from .geometry import disc_field

    s = _seed(rng)
    off = np.array([rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1)]) * radius
    ry = radius * rng.uniform(0.36, 0.4)

    def edge(a: np.ndarray) -> np.ndarray:
        p = np.stack([np.cos(a), np.sin(a)], 1)
        return radius * (1 + 0.16 * noise.fbm(p, 1.0, 4, seed=s))

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        a = np.arctan2(y, x)
        rel = np.hypot(x, y) / edge(a.ravel()).reshape(a.shape)
        d = np.hypot(x - off[0], y - off[1])
        white = 0.32 * (1 - rel**6) + 0.12 * noise.fbm(p, 0.7, 3, seed=s)
        white += 0.22 * np.exp(-((d / (1.5 * ry)) ** 2)) + 0.25 * noise.step(0.85, 1.0, rel)
        dome = 1.25 * np.sqrt(np.clip(1 - (d / ry) ** 2, 0, 1))
        return np.maximum(white * (d > 0), white + dome * 0.9)

    m = disc_field(edge, height, 110, 260)
    x, y = m.v[:, 0], m.v[:, 1]
    rel = np.hypot(x, y) / edge(np.arctan2(y, x))
    d = np.hypot(x - off[0], y - off[1])
    m = m.painted("#f4f1e8")
    brown = noise.step(0.82, 1.02, rel + 0.1 * noise.fbm(m.v, 0.9, 3, seed=s + 2))
    m = m.tinted(brown * 0.9, "#b9792f")
    m = m.tinted(noise.step(ry * 1.02, ry * 0.96, d), "#f0a012")
    m = m.tinted(noise.step(ry * 0.7, ry * 0.1, d) * 0.5, "#f7b52a")
    return grounded(m)


def shrimp(rng: Rng, size: float = 4.0) -> Mesh:
    """Cooked peeled prawn curled on its side, with the tail fan (finish "wet")."""
    a = np.linspace(-0.35 * np.pi, 1.2 * np.pi, 80)
    k = np.linspace(0, 1, 80)
    r = size * 0.33 * (1 - 0.28 * k)
    path = np.stack([r * np.cos(a), r * np.sin(a), 0.05 * size * np.sin(a)], 1)
    thick = size * (0.155 - 0.1 * k**1.3) * np.minimum(1, (k + 0.02) * 14) ** 0.5
    ridge = 1 - 0.09 * np.abs(np.sin(k * 6.5 * np.pi)) ** 6
    body = tube(path, thick * ridge, 20)
    t = np.repeat(np.concatenate([[0], k, [1]]), 20)
    bands = np.abs(np.sin(t * 6.5 * np.pi)) ** 4
    body = body.mottled("#f2d5c2", "#f6e2d3", freq=2 / size, seed=_seed(rng))
    outer = noise.step(-0.3, 0.8, (body.normals()[:, :2] * body.v[:, :2]).sum(1) / (size * 0.33))
    body = body.tinted(outer * (0.5 + 0.5 * bands), "#e8703f").tinted(
        noise.step(0.9, 1, t), "#d2431f"
    )
    end, way = path[-1], path[-1] - path[-3]
    turn = np.degrees(np.arctan2(way[1], way[0]))
    fans = []
    for spread_by in (-28, 28):
        fan = leaf(size * 0.3, size * 0.14, 0.1, 0.1, 0.1, colours=("#cf3f1c", "#e46a3a"))
        fan = fan.moved(x=size * 0.13).turned("z", turn + spread_by)
        fans.append(fan.moved(*end))
    return grounded(join([body, *fans]))


def citrus_slice(
    rng: Rng, radius: float = 2.6, flesh: Colour = "#f0c62c", rind: Colour = "#e8b60e"
) -> Mesh:
    """Slice of lemon, lime or orange (finish "wet")."""
    m = slab(circle(radius, 144, 0.02, _seed(rng)), 0.4, 0.12, 30)
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / radius
    a = np.arctan2(m.v[:, 1], m.v[:, 0]) + rng.uniform(0, 1)
    wall = np.abs(np.sin(a * 4.5))
    cell = noise.fbm(np.stack([r * 3, a * 9, 0 * r], -1), 2, 2, seed=_seed(rng))
    m = m.painted(flesh).shaded(1 + 0.18 * cell)
    pith = np.maximum(noise.step(0.85, 0.89, r), noise.step(0.1, 0.06, r))
    pith = np.maximum(pith, noise.step(0.1 / np.maximum(r, 0.1) * 1.4, 0.0, wall))
    return grounded(m.tinted(pith, "#f4edd2").tinted(noise.step(0.95, 0.98, r), rind))


def cubes(rng: Rng, size: float, colours: tuple[Colour, ...], round_by: float = 0.12) -> Mesh:
    """One rounded, slightly crooked cube with mottled colour (tofu, carrot, feta, bread)."""
    s = size * rng.uniform(0.85, 1.15, 3)
    m = rounded_box(*s, round_by * size, 10).mottled(*colours, freq=1.5 / size, seed=_seed(rng))
    return grounded(m.rough(0.03 * size, 1.6 / size, seed=_seed(rng)))


def seed_grain(length: float = 0.32, colour: Colour = "#ead9ae") -> Mesh:
    """Small grain for copies(): sesame, rice (about length 0.6), poppy (finish "satin")."""
    m = blob(length / 2, length * 0.29, length * 0.2, 6).painted(colour)
    m.v[:, 1] *= 1 - 0.35 * m.v[:, 0] / (length / 2)
    return m


def sprinkle(length: float = 0.7, colour: Colour = "#e84a7a") -> Mesh:
    """Sugar strand for copies() (finish "satin")."""
    path = np.stack([np.linspace(-1, 1, 6) * length / 2, np.zeros(6), np.zeros(6)], 1)
    return tube(path, 0.105 * np.array([0.75, 1, 1, 1, 1, 0.75]), 8).painted(colour)


def noodle(
    rng: Rng,
    start: np.ndarray,
    length: float,
    radius: float,
    wave: float = 0.25,
    curl: float = 0.25,
    floor: float = 0.0,
    reach: float = 7.0,
    height: float = 1.0,
) -> np.ndarray:
    """Path of one noodle wandering within `reach` of the axis, between floor and floor + height."""
    n = int(length / 0.25)
    seed = _seed(rng)
    t = np.arange(n) * 0.25
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(
        curl
        * 0.25
        * (noise.fbm(np.stack([t, 0 * t], 1), 0.12, 2, seed=seed) * 2 + rng.choice([-1, 1]))
    )
    p = np.empty((n, 3))
    at = np.asarray(start, float)[:2].copy()
    for k in range(n):
        d = np.array([np.cos(heading[k]), np.sin(heading[k])])
        nxt = at + d * 0.25
        out = np.hypot(*nxt)
        if out > reach:
            nxt *= reach / out
        at = nxt
        p[k, :2] = at
    side = np.stack([-np.gradient(p[:, 1]), np.gradient(p[:, 0])], 1)
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-6)
    p[:, :2] += side[:, ::-1] * (wave * radius * 2 * np.sin(t * 2.4 + rng.uniform(0, 6)))[:, None]
    layer = rng.uniform(0, 1)
    lift = layer + 0.35 * noise.fbm(np.stack([t, 0 * t], 1), 0.25, 2, seed=seed + 1)
    mound = np.clip(1 - (np.hypot(p[:, 0], p[:, 1]) / (reach * 1.05)) ** 2, 0, 1)
    p[:, 2] = floor + np.clip(lift, 0, 1.2) * height * (0.25 + 0.75 * mound)
    k = np.ones(5) / 5
    for axis in range(3):
        p[:, axis] = np.convolve(np.pad(p[:, axis], 2, mode="edge"), k, mode="valid")
    return smooth_path(p[::2], 3)
