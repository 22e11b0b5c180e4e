"""Bread: loaves, sticks, plaits, rolls, flat bread and pretzels, whole or cut open."""

from __future__ import annotations

import numpy as np
from kit import fruit, noise, produce, tables, tableware
from kit.geometry import Mesh, blob, copies, grid_faces, join, polygon, slab, smooth_path, tube
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene

Rng = np.random.Generator
Stops = tuple[str, str, str]

WHITE: Stops = ("#8f5420", "#b87a38", "#d2a05a")
CRUSTY: Stops = ("#5f2f10", "#94561f", "#bd8038")
EGGY: Stops = ("#5a2a0c", "#8f4f18", "#bd7a2c")
BRUNE: Stops = ("#4a2814", "#6f4122", "#8f5a32")
RYE: Stops = ("#24130b", "#3d2214", "#573420")
CUT, EAR = "#c99552", "#4f260e"


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def _crusty(m: Mesh, stops: Stops, seed: int, fine: float = 0.05) -> Mesh:
    """Oven colours: darker where it is high, mottled, with small blisters."""
    n = m.normals()
    t = 0.5 + 0.35 * noise.fbm(m.v, 0.3, 4, seed=seed)
    m = m.mottled(*stops, freq=0.3, seed=seed)
    m = m.tinted(np.clip(t * noise.step(0.2, 0.95, n[:, 2]), 0, 1) * 0.5, stops[0])
    m = m.tinted(noise.step(0.15, -0.6, n[:, 2]) * 0.5, stops[2])
    blister = noise.step(0.45, 0.8, noise.fbm(m.v, 1.8, 3, seed=seed + 1))
    m = m.tinted(blister * 0.35, stops[0])
    return m.rough(fine, 1.3, 4, seed=seed + 2)


def _loaf(rng: Rng, x: float, y: float, z: float, detail: int = 96, square: float = 0.85) -> Mesh:
    """A hearth loaf: swollen upper side, flat base on z = 0, slightly irregular."""
    m = blob(1, 1, 1, detail)
    d = m.v
    r = np.hypot(d[:, 0], d[:, 1])
    full = np.where(r > 1e-6, np.clip(r, 1e-6, 1) ** square / np.maximum(r, 1e-6), 1)
    v = np.stack([d[:, 0] * full * x, d[:, 1] * full * y, d[:, 2] * z], 1)
    v[:, 2] = np.where(v[:, 2] < 0, v[:, 2] * 0.42, v[:, 2])
    m = Mesh(v, m.f, m.c)
    m = m.displaced(0.05 * min(x, y) * noise.fbm(m.v, 0.8 / min(x, y), 3, seed=_seed(rng)))
    return produce.grounded(m)


def _slash(m: Mesh, path: np.ndarray, wide: float, deep: float, inside: str, ear: str) -> Mesh:
    """A cut along a path (K, 2) on the upper side: opened crumb between raised dark ears."""
    d = np.full(len(m.v), 9.0)
    t = np.zeros(len(m.v))
    for k in range(len(path)):
        e = np.hypot(m.v[:, 0] - path[k, 0], m.v[:, 1] - path[k, 1])
        near = e < d
        d, t = np.where(near, e, d), np.where(near, k / max(len(path) - 1, 1), t)
    width = wide * np.clip(np.sin(np.pi * (0.06 + 0.88 * t)), 0.1, 1)
    up = noise.step(0.1, 0.4, m.normals()[:, 2])
    rel = d / width
    gap = noise.step(1.0, 0.7, rel) * up
    lip = np.exp(-(((rel - 1.15) / 0.22) ** 2)) * up
    tear = noise.fbm(m.v, 1.4, 3, seed=7)
    m = m.displaced(lip * deep * 0.9 - gap * deep * (0.7 + 0.4 * tear))
    return m.tinted(gap * (0.85 - 0.25 * tear), inside).tinted(lip * 0.8, ear)


def _floured(m: Mesh, rng: Rng, amount: float, rings: bool = False) -> Mesh:
    """Flour on the upper side, in the broken rings of a proving basket if wanted."""
    s = _seed(rng)
    p = noise.fbm(m.v, 1.1, 4, seed=s)
    up = noise.step(0.1, 0.7, m.normals()[:, 2])
    mask = noise.step(-0.5, 0.6, p) * up
    if rings:
        patch = noise.fbm(m.v, 0.22, 3, seed=s + 1)
        ring = np.sin(np.hypot(m.v[:, 0], m.v[:, 1]) * 6.2 + 1.6 * patch)
        mask = mask * noise.step(-0.25, 0.55, patch) * (0.55 + 0.45 * noise.step(-0.4, 0.5, ring))
    return m.tinted(mask * amount, "#e9e0d0")


def _crumb(m: Mesh, mask: np.ndarray, stops: Stops, holes: float, seed: int) -> Mesh:
    """Paint and pit the cut faces (mask 0..1) of a loaf or a slice."""
    n = noise.fbm(m.v, 0.9, 4, seed=seed)
    soft = m.mottled(*stops, freq=0.7, seed=seed)
    d, ident = noise.cells(m.v + 0.3 * n[:, None], 1.2, seed)
    hole = noise.step(0.34, 0.12, d) * (ident > 1 - holes)
    fine = noise.step(0.35, 0.7, noise.fbm(m.v, 2.6, 2, seed=seed + 1))
    soft = soft.shaded(1 - 0.4 * hole - 0.18 * fine)
    w = mask[:, None]
    out = Mesh(m.v, m.f, (m.c * (1 - w) + soft.c * w).astype(np.float32))
    return out.displaced(-mask * (0.22 * hole + 0.07 * fine))


def _slice(
    rng: Rng, outline: np.ndarray, thick: float, crust: Stops, crumb: Stops, holes: float
) -> Mesh:
    """A slice lying flat: crumb with holes inside a rim of crust."""
    s = _seed(rng)
    m = slab(outline, thick, 0.12, 62)
    k = len(outline)
    rows = len(m.v) // k
    size = np.linalg.norm(outline, axis=1).mean()
    flat = np.hypot(m.v[:, 0], m.v[:, 1]).reshape(rows, k) / np.linalg.norm(outline, axis=1)
    edge = (1 - flat) * size
    mask = noise.step(0.16, 0.34, edge + 0.1 * noise.fbm(m.v, 0.9, 2, seed=s).reshape(rows, k))
    m = m.mottled(*crust, freq=0.8, seed=s)
    return _crumb(m, mask.ravel(), crumb, holes, s)


def _cut_loaf(
    rng: Rng, outline: np.ndarray, length: float, crust: Stops, crumb: Stops, holes: float
) -> Mesh:
    """Loaf of constant section along x with the cut face at -x, resting on z = 0."""
    s = _seed(rng)
    rows = 90
    t = np.linspace(0, 1, rows)
    taper = 1 - 0.1 * noise.step(0.86, 1.0, t)
    k = len(outline)
    wob = 1 + 0.025 * noise.fbm(np.stack([t * length, 0 * t], 1), 0.25, 3, seed=s)
    body = outline[None] * (taper * wob)[:, None, None]
    x = np.repeat((t * length - length / 2)[:, None], k, 1)
    v = np.stack([x, body[..., 0], body[..., 1]], -1)
    f = grid_faces(rows, k, wrap=True)
    side = Mesh(v.reshape(-1, 3), f, np.zeros((rows * k, 3), np.float32))
    if (side.normals()[:, 1] * side.v[:, 1]).mean() < 0:
        side = Mesh(side.v, f[:, ::-1], side.c)
    side = _crusty(side, crust, s)
    face = _slice(rng, outline, 0.3, crust, crumb, holes)
    order = np.stack([-face.v[:, 2] - length / 2 + 0.15, face.v[:, 0], face.v[:, 1]], 1)
    parts = [side, Mesh(order, face.f[:, ::-1], face.c)]
    end = slab(body[-1], 0.5, 0.4, 24)
    end = Mesh(
        np.stack([end.v[:, 2] + length / 2 - 0.25, end.v[:, 0], end.v[:, 1]], 1), end.f, end.c
    )
    parts.append(_crusty(end, crust, s + 3))
    return produce.grounded(join(parts))


def _tin_outline(w: float, h: float, crown: float) -> np.ndarray:
    """Section of a tin loaf: straight sides, mushrooming crown."""
    half = [(0, -h / 2), (w * 0.44, -h / 2), (w * 0.47, -h * 0.42), (w * 0.5, h * 0.16)]
    half += [(w * 0.56, h * 0.3), (w * 0.53, h * 0.44), (w * 0.34, h * 0.5 + crown * 0.7)]
    pts = half + [(0, h * 0.5 + crown)] + [(-x, y) for x, y in half[:0:-1]]
    return polygon(pts, 200)


def _arch(w: float, h: float) -> np.ndarray:
    """Section of a hearth loaf: flat base, round back."""
    pts = [(-w * 0.44, -h * 0.42), (0, -h * 0.45), (w * 0.44, -h * 0.42), (w * 0.5, -h * 0.12)]
    pts += [(w * 0.38, h * 0.32), (0, h * 0.5), (-w * 0.38, h * 0.32), (-w * 0.5, -h * 0.12)]
    return polygon(pts, 200)


def _strew(scene: Scene, piece: Mesh, spots: np.ndarray, rng: Rng, finish: str) -> None:
    """Seeds or oats stuck on whatever lies highest at the spots."""
    z = scene.heights.at(spots)[:, None] + 0.03
    scene.add(copies(piece, np.concatenate([spots, z], 1), rng, 30, (0.8, 1.2), 0.12), finish)


def _slices(
    scene: Scene, rng: Rng, make, count: int, start: tuple[float, float], step: tuple[float, float]
) -> None:
    """Slices falling over one another in a row."""
    for k in range(count):
        m = make().jittered(rng, 0.03).turned("z", rng.uniform(-14, 14))
        x, y = start[0] + step[0] * k, start[1] + step[1] * k
        scene.drop(m, x, y, "crust", 0.02, 1.0)


def _sourdough(scene: Scene, rng: Rng) -> None:
    m = _crusty(_loaf(rng, 12.4, 10.4, 6.6), CRUSTY, _seed(rng), 0.09)
    m = _floured(m, rng, 0.7, rings=True)
    t = np.linspace(-1, 1, 50)
    if rng.random() < 0.5:
        m = _slash(m, np.stack([t * 9.2, 0.6 - 1.6 * (1 - t**2)], 1), 1.25, 0.45, CUT, EAR)
        for k in range(6):
            y = np.linspace(0, 1, 20)
            leaf = np.stack([-5.5 + 2.1 * k + 1.1 * y, 2.2 + 2.6 * y], 1)
            m = _slash(m, leaf, 0.4, 0.22, CUT, EAR)
    else:
        for way in (0, 1):
            for off in (-2.5, 2.5):
                cut = np.stack([t * 7.2, off + 0 * t], 1)[:, :: 1 if way else -1]
                m = _slash(m, cut, 0.9, 0.38, CUT, EAR)
    scene.add(m.turned("z", rng.uniform(-20, 20)).moved(-2, 2.5, 1.7), "crust")
    outline = _arch(16, 8.0)
    crumb = ("#b58e58", "#d0b07c", "#e0c698")
    _slices(
        scene,
        rng,
        lambda: _slice(rng, outline, 1.3, CRUSTY, crumb, 0.7).scaled(0.8),
        2,
        (6.5, -9.0),
        (4.5, 1.4),
    )


def _stick(rng: Rng, length: float) -> Mesh:
    m = _loaf(rng, length / 2, 2.9, 3.1, 120, 0.8)
    m = _crusty(m, CRUSTY, _seed(rng), 0.04)
    for k in np.linspace(-0.72, 0.72, 5):
        t = np.linspace(-1, 1, 30)
        cut = np.stack([k * length / 2 + t * length * 0.085, t * 1.1], 1)
        m = _slash(m, cut, 0.95, 0.38, "#d2a868", "#54290e")
    return _floured(m, rng, 0.3)


def _baguettes(scene: Scene, rng: Rng) -> None:
    turn = rng.uniform(14, 32) * rng.choice([-1, 1])
    for y in (-6.0, 0.2, 6.4):
        m = _stick(rng, rng.uniform(32, 35)).turned("z", turn + rng.uniform(-5, 5))
        scene.add(m.moved(rng.uniform(-2, 2), y, 1.7), "crust")
    m = _stick(rng, 31).turned("z", turn - 28)
    scene.add(m.moved(0, 1.0, 5.6), "crust")


def _tin(scene: Scene, rng: Rng, rye: bool) -> None:
    outline = _tin_outline(10.5, 8.5, 0.8) if rye else _tin_outline(11, 9, 2.2)
    crust = RYE if rye else WHITE
    crumb: Stops = ("#4a2c18", "#654024", "#7d5434") if rye else ("#d2b482", "#e2cba0", "#ecdcba")
    holes = 0.35 if rye else 0.25
    turn = rng.uniform(18, 38)
    m = _cut_loaf(rng, outline, 17, crust, crumb, holes).turned("z", turn)
    scene.add(m.moved(4.5, 4.5, 1.8), "crust")
    for k in range(4):
        s = _slice(rng, outline, 1.15, crust, crumb, holes)
        up = Mesh(np.stack([-s.v[:, 2], s.v[:, 0], s.v[:, 1]], 1), s.f[:, ::-1], s.c)
        up = up.turned("y", -(46 + 11 * k)).turned("z", turn + rng.uniform(-5, 5))
        a = np.radians(turn)
        back = 9.9 + 1.75 * k
        up = produce.grounded(up)
        scene.add(up.moved(4.5 - back * np.cos(a), 4.5 - back * np.sin(a), 1.8), "crust")
    if rye:
        a = np.radians(turn)
        along, over = rng.uniform(-8.2, 8.2, 260), rng.uniform(-4.0, 4.0, 260)
        x = 4.5 + along * np.cos(a) - over * np.sin(a)
        y = 4.5 + along * np.sin(a) + over * np.cos(a)
        spots = np.stack([x, y], 1)
        green = blob(0.5, 0.28, 0.13, 7).mottled("#5c6a2c", "#7f8a48", freq=2, seed=2)
        grey = blob(0.45, 0.2, 0.14, 7).mottled("#8f8368", "#bfb394", freq=2, seed=3)
        _strew(scene, green, spots[:120], rng, "satin")
        _strew(scene, grey, spots[120:], rng, "satin")


def _focaccia(scene: Scene, rng: Rng) -> None:
    """Flat square loaf with deep dimples, oil, rosemary and salt."""
    from kit.geometry import sheet

    s = _seed(rng)
    w, h = 28.0, 21.0
    g = [(x, y) for x in np.arange(-12, 12.1, 3.1) for y in np.arange(-8.6, 8.7, 2.9)]
    dents = np.array(g) + rng.normal(0, 0.55, (len(g), 2))

    def dent(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        low = np.zeros(x.shape)
        for px, py in dents:
            low = np.maximum(low, np.exp(-(((x - px) ** 2 + (y - py) ** 2) / 0.75)))
        return low

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        edge = np.maximum(np.abs(x) / w, np.abs(y) / h) * 2
        drop = np.sqrt(np.clip(1 - np.clip((edge - 0.86) / 0.14, 0, 1) ** 2, 0, 1))
        z = 2.6 + 0.55 * noise.fbm(p, 0.22, 3, seed=s) + 0.06 * noise.fbm(p, 1.4, 3, seed=s)
        return (z - 1.5 * dent(x, y)) * drop

    m = sheet(w, h, height, 300)
    corner = np.maximum(np.abs(m.v[:, 0]) / w, np.abs(m.v[:, 1]) / h) * 2
    round_by = np.clip(np.abs(m.v[:, 0]) / w * np.abs(m.v[:, 1]) / h * 4 - 0.72, 0, 1)
    m.v[:, :2] *= (1 - 0.35 * round_by)[:, None]
    low = dent(m.v[:, 0], m.v[:, 1])
    m = m.mottled("#b07428", "#cf9a48", "#e0b66c", freq=0.4, seed=s)
    brown = noise.step(2.5, 3.3, m.v[:, 2] + 0.5 * noise.fbm(m.v, 0.7, 3, seed=s + 1))
    m = m.tinted(brown * 0.8, "#8a4a16").tinted(noise.step(0.4, 0.9, low) * 0.6, "#d8b052")
    m = m.tinted(noise.step(0.86, 1.0, corner) * 0.7, "#7d4414")
    turn = rng.uniform(-22, 22)
    scene.add(m.turned("z", turn).moved(z=1.8), "moist")
    needle = tube(smooth_path([(-0.9, 0, 0), (0, 0, 0.12), (0.9, 0, 0)], 5), 0.13, 6)
    for x, y in spread(rng, 10.5, 26):
        sprig = join([needle.turned("z", a).moved(0.6, 0, 0) for a in (-40, -15, 10, 35, 70)])
        sprig = sprig.painted("#3f5a28").jittered(rng, 0.15).spun(rng, 10)
        scene.drop(sprig, x * 1.15, y * 0.8, "leaf", 0.2)
    from kit.geometry import rounded_box

    salt = rounded_box(0.28, 0.24, 0.12, 0.04, 3).painted("#eeeae2")
    _strew(scene, salt, spread(rng, 11, 90) * [1.1, 0.8], rng, "satin")


def _challah(scene: Scene, rng: Rng) -> None:
    """Three strands plaited, thick in the middle, glossy with egg."""
    t = np.linspace(0, 1, 220)
    strands = []
    for k in range(3):
        ph = t * 2 * np.pi * 2.6 + k * 2 * np.pi / 3
        fat = np.clip(np.sin(np.pi * (0.04 + 0.92 * t)), 0.05, 1) ** 0.55
        x = (t - 0.5) * 29
        path = np.stack([x, 2.9 * np.sin(ph) * fat, 3.0 + 1.15 * np.sin(2 * ph) * fat], 1)
        m = tube(path, 2.75 * fat, 40, flat=0.92)
        s = _seed(rng)
        ridge = noise.fbm(m.v, 0.3, 3, seed=s)
        m = _crusty(m.displaced(0.14 * ridge), EGGY, s, 0.03)
        strands.append(m)
    m = join(strands)
    m = m.tinted(noise.step(0.4, -0.5, m.normals()[:, 2]) * 0.55, "#cf9a4c")
    m.v[:, 2] = np.maximum(m.v[:, 2], 0.1)
    turn = rng.uniform(-24, 24)
    scene.add(m.turned("z", turn).moved(z=1.7), "satin")
    a = np.radians(turn)
    along, over = rng.uniform(-12.5, 12.5, 420), rng.normal(0, 2.2, 420)
    spots = np.stack(
        [along * np.cos(a) - over * np.sin(a), along * np.sin(a) + over * np.cos(a)], 1
    )
    _strew(scene, produce.seed_grain(0.42), spots, rng, "satin")


def _rolls(scene: Scene, rng: Rng) -> None:
    """A dozen round rolls grown together, three by four."""
    turn = rng.uniform(-20, 20)
    tops = []
    for i in range(4):
        for j in range(3):
            m = _loaf(rng, 3.75, 3.75, 4.3, 40, 0.8)
            s = _seed(rng)
            m = _crusty(m, ("#7a3f14", "#a8682a", "#cf9c58"), s, 0.02)
            side = noise.step(0.55, 0.1, m.normals()[:, 2])
            m = m.tinted(side * 0.75, "#e0c08a").jittered(rng, 0.06)
            x, y = (i - 1.5) * 6.5 + rng.normal(0, 0.2), (j - 1) * 6.5 + rng.normal(0, 0.2)
            scene.add(m.moved(x, y, 1.7).turned("z", turn), "satin")
            tops.append((x, y))
    a = np.radians(turn)
    spots = np.concatenate([np.array(c) + rng.normal(0, 1.25, (48, 2)) for c in tops])
    spots = spots @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    _strew(scene, blob(0.17, 0.14, 0.13, 5).painted("#20222a"), spots, rng, "satin")


def _soda(scene: Scene, rng: Rng) -> None:
    m = _loaf(rng, 11.2, 10.8, 7.2, 96, 0.75)
    s = _seed(rng)
    m = m.displaced(0.3 * noise.fbm(m.v, 0.45, 4, gain=0.6, seed=s))
    m = _crusty(m, ("#6b421e", "#94653a", "#b58a58"), s, 0.12)
    t = np.linspace(-9.2, 9.2, 60)
    m = _slash(m, np.stack([t, 0.4 * np.sin(t * 0.3)], 1), 1.3, 1.0, "#c6a070", "#5f3818")
    m = _slash(m, np.stack([0.3 * np.sin(t * 0.3), t], 1), 1.3, 1.0, "#c6a070", "#5f3818")
    m = _floured(m, rng, 0.6)
    scene.add(m.turned("z", rng.uniform(15, 70)).moved(z=1.7), "matte")
    from kit.geometry import circle

    oat = slab(circle(1, 18, 0.1, 5) * [0.5, 0.34], 0.1, 0.04, 4).painted("#cdb083")
    _strew(scene, oat, spread(rng, 9, 150), rng, "matte")
    _strew(scene, oat, rng.normal(0, 12, (40, 2)), rng, "matte")


def _walnut(scene: Scene, rng: Rng) -> None:
    outline = _arch(12.5, 8.2)
    crumb: Stops = ("#94683a", "#ad8250", "#c09868")
    turn = rng.uniform(20, 36)
    loaf = _loaf(rng, 12.5, 7.0, 7.4)
    loaf = _floured(_crusty(loaf, BRUNE, _seed(rng)), rng, 0.55)
    t = np.linspace(-8.5, 8.5, 60)
    loaf = _slash(loaf, np.stack([t, 0.5 * np.sin(t * 0.25)], 1), 1.5, 0.6, "#b58a58", "#38190a")
    scene.add(loaf.turned("z", turn).moved(3, 4, 1.8), "crust")

    def cut() -> Mesh:
        m = _slice(rng, outline, 1.25, BRUNE, crumb, 0.3)
        bits = []
        for x, y in spread(rng, 3.6, 9):
            nut = fruit.walnut(rng, rng.uniform(1.2, 1.8)).spun(rng, 30)
            bits.append(nut.moved(x * 1.3, y * 0.8, 0.85))
        return join([m, *bits])

    _slices(scene, rng, cut, 3, (-10.5, -6.5), (6.2, -0.6))
    for _ in range(6):
        nut = fruit.walnut(rng, rng.uniform(2.2, 2.8)).spun(rng, 20)
        scene.drop(nut, *rng.uniform([8, -12], [17, -6]), "satin")


def _pretzel(rng: Rng) -> Mesh:
    """Rope crossed twice, its ends pressed on the arc; brown, split and salted."""
    pts = [(-3.0, -4.3), (-1.6, -2.2), (0.7, 0.2), (3.4, 2.6), (6.1, 1.5), (5.8, -2.6), (2.9, -5.0)]
    pts += [(0, -5.7), (-2.9, -5.0), (-5.8, -2.6), (-6.1, 1.5), (-3.4, 2.6), (-0.7, 0.2)]
    pts += [(1.6, -2.2), (3.0, -4.3)]
    lift = [1.5, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 1.9, 1.6, 1.6]
    path = smooth_path([(x, y, z) for (x, y), z in zip(pts, lift, strict=True)], 14)
    t = np.linspace(-1, 1, len(path))
    m = tube(path, 0.62 + 0.62 * np.exp(-((t / 0.34) ** 2)), 26)
    s = _seed(rng)
    m = _crusty(m, ("#431a08", "#6f3210", "#94501f"), s, 0.03)
    cut = np.stack([np.linspace(-2.9, 2.9, 40), -5.75 + 0.075 * np.linspace(-2.9, 2.9, 40) ** 2], 1)
    m = _slash(m, cut, 0.7, 0.25, "#dcbf8a", "#7a3f18")
    return produce.grounded(m)


def _pretzels(scene: Scene, rng: Rng) -> None:
    from kit.geometry import rounded_box

    salt = rounded_box(0.36, 0.3, 0.26, 0.06, 3).painted("#eeeae2")
    places = [(-7.6, 4.6), (7.4, 5.2), (0.4, -5.2)]
    for x, y in places:
        m = _pretzel(rng).turned("z", rng.uniform(-30, 30))
        scene.add(m.moved(x, y, 1.9), "satin")
        keep = rng.choice(np.flatnonzero(m.normals()[:, 2] > 0.5), 46, replace=False)
        spots = m.v[keep] + [x, y, 1.98]
        scene.add(copies(salt, spots, rng, 40, (0.6, 1.2)), "satin")


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """The loaf that the title names, on a board, with flour, a cloth or a knife."""
    scene.table()
    if rng.random() < 0.7:
        scene.serve(tableware.board(42, 32, int(rng.integers(99)), rng.random() < 0.45))
    else:
        base = tables.cloth(
            rng, 44, 36, "#d9d0bd", ("#a33b30", "#3f5f86", "#6b6258")[rng.integers(3)]
        )
        scene.add(base.moved(z=0.7), "cloth")
    if recipe.titled("sourdough"):
        _sourdough(scene, rng)
    elif recipe.titled("french baguettes"):
        _baguettes(scene, rng)
    elif recipe.titled("soft white tin", "dark rye"):
        _tin(scene, rng, recipe.titled("dark rye"))
    elif recipe.titled("rosemary focaccia"):
        _focaccia(scene, rng)
    elif recipe.titled("braided"):
        _challah(scene, rng)
    elif recipe.has("poppy seed"):
        _rolls(scene, rng)
    elif recipe.titled("irish soda"):
        _soda(scene, rng)
    elif recipe.titled("wholemeal walnut"):
        _walnut(scene, rng)
    else:
        _pretzels(scene, rng)
    side = rng.choice([-1, 1])
    if rng.random() < 0.5:
        stripe = ("#a33b30", "#3f5f86", "#5d7048", "#b98a3a")[rng.integers(4)]
        napkin = tables.cloth(rng, 24, 34, "#ece6da", stripe, ("stripes", "check")[rng.integers(2)])
        scene.add(napkin.turned("z", rng.uniform(-35, 35)).moved(side * 27, 8), "cloth")
    if recipe.titled("rosemary", "bavarian") and rng.random() < 0.5:
        scene.shoot(height=(68, 82), distance=(56, 60), aim=(0, 0, 2), lens=0.4)
    else:
        scene.shoot(height=(26, 46), distance=(49, 55), aim=(0, 0, 3.6), lens=0.65)
