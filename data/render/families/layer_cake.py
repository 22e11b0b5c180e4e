"""Layer cake: stacked sponges with filling, cut open on a stand, or a slice on a plate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from kit import fruit, noise, produce, tables, tableware
from kit.geometry import Mesh, blob, copies, grid_faces, join, ramp, revolve, rgb, tube
from kit.recipe import Recipe
from kit.stage import Scene

Rng = np.random.Generator
Part = tuple[Mesh, str]
Band = tuple[float, str]


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


SPONGES: dict[str, tuple[str, str, str]] = {
    "vanilla": ("#b98a42", "#d6ae66", "#e6c98e"),
    "chocolate": ("#1f0d06", "#37190c", "#4d2614"),
    "carrot": ("#6f3f18", "#96602c", "#b5803f"),
    "velvet": ("#520a0c", "#741214", "#8c1f1c"),
    "coffee": ("#7a5024", "#9c7038", "#b58c52"),
    "matcha": ("#50641c", "#6c8230", "#879c48"),
}


@dataclass
class Spec:
    """What a cake is made of: sponge, bands of filling from below, icing and sizes."""

    sponge: str
    layers: int
    filling: tuple[Band, ...]
    icing: str | None
    radius: float
    high: float
    seed: int

    @property
    def pitch(self) -> float:
        """Height of one sponge with its filling."""
        return (self.high - (0.3 if self.icing else 0)) / self.layers


def _spec(recipe: Recipe, rng: Rng) -> Spec:
    """Read the cake off the recipe."""
    sponge, icing = "vanilla", "#e9dfc8"
    filling: tuple[Band, ...] = ((0.55, "#ece2cc"),)
    layers = 3
    if recipe.has("cocoa") and not recipe.titled("red velvet"):
        sponge = "chocolate"
    if recipe.titled("carrot"):
        sponge, layers = "carrot", 2
    if recipe.titled("red velvet"):
        sponge = "velvet"
    if recipe.titled("coffee"):
        sponge, layers, icing, filling = "coffee", 2, "#b98f5c", ((0.7, "#b98f5c"),)
    if recipe.titled("matcha"):
        sponge, layers = "matcha", 4
    if recipe.has("dark chocolate"):
        icing, filling = "#2f160b", ((0.6, "#96653e"),)
    if recipe.has("lemon curd"):
        filling = ((0.35, "#e0a818"), (0.3, "#ece2cc"))
    if recipe.has("pink vanilla"):
        icing, filling = "#dc95a2", ((0.55, "#dc95a2"),)
    if recipe.has("sour cherries"):
        filling = ((0.4, "#5f0a12"), (0.65, "#ece2cc"))
    if recipe.titled("strawberry"):
        filling = ((0.9, "#ece2cc"),)
    if recipe.has("jam"):
        layers, filling = 2, ((0.4, "#7d0a1c"), (0.85, "#ece2cc"))
    naked = recipe.titled("victoria")
    radius = rng.uniform(9.6, 10.6)
    high = rng.uniform(7.4, 8.2) if naked or layers == 2 else rng.uniform(8.8, 10.2)
    return Spec(sponge, layers, filling, None if naked else icing, radius, high, _seed(rng))


def _inside(spec: Spec, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear colours and relief of the cut cake at points: crumb, and bands of filling."""
    s = spec.seed
    crumb = noise.fbm(v, 1.1, 4, gain=0.65, seed=s)
    colour = ramp(crumb * 0.5 + 0.5, *SPONGES[spec.sponge])
    pores = noise.step(0.35, 0.75, noise.fbm(v, 2.6, 2, seed=s + 1))
    colour = colour * (1 - 0.3 * pores[:, None])
    relief = 0.09 * crumb - 0.07 * pores
    if spec.sponge == "carrot":
        fleck = noise.step(0.5, 0.65, noise.fbm(v * [1, 1, 2], 1.6, 2, seed=s + 2))
        colour = colour * (1 - fleck[:, None]) + rgb("#c8641a") * fleck[:, None]
    wavy = 0.13 * noise.fbm(v[:, :2], 0.35, 3, seed=s + 3)
    for k in range(1, spec.layers):
        low = k * spec.pitch + wavy - sum(h for h, _ in spec.filling) / 2
        for high, tint in spec.filling:
            mask = noise.step(low - 0.07, low + 0.05, v[:, 2])
            mask = mask * noise.step(low + high + 0.07, low + high - 0.05, v[:, 2])
            colour = colour * (1 - mask[:, None]) + rgb(tint) * mask[:, None]
            relief = relief * (1 - mask) + mask * (0.1 + 0.05 * crumb)
            low = low + high
    return colour.astype(np.float32), relief


def _skin(spec: Spec, a0: float, a1: float) -> Mesh:
    """Outer surface between two angles (degrees): side, rounded edge, top to the axis."""
    big, high, s = spec.radius, spec.high, spec.seed
    e = 0.55 if spec.icing else 0.9
    turn = np.linspace(0, np.pi / 2, 9)
    prof = [(big, z) for z in np.linspace(0, high - e, 46)]
    prof += [(big - e + e * np.cos(t), high - e + e * np.sin(t)) for t in turn[1:]]
    prof += [(r, high) for r in np.linspace(big - e, 0.02, 40)[1:]]
    p = np.array(prof)
    a = np.radians(np.linspace(a0, a1, max(30, int((a1 - a0) * 0.8))))
    v = np.stack(
        [p[:, :1] * np.cos(a), p[:, :1] * np.sin(a), np.repeat(p[:, 1:], len(a), 1)], -1
    ).reshape(-1, 3)
    m = Mesh(v, grid_faces(len(p), len(a)), np.zeros((len(v), 3), np.float32))
    r = np.hypot(v[:, 0], v[:, 1])
    side = noise.step(high - 0.2, high - 0.9, v[:, 2])
    if spec.icing is None:
        colour, relief = _inside(spec, v)
        m = m.painted(colour)
        baked = np.clip(1 - np.abs((v[:, 2] % spec.pitch) / spec.pitch - 0.5) * 1.4, 0, 1)
        dough = np.linalg.norm(colour - rgb(SPONGES[spec.sponge][1]), axis=1) < 0.25
        m = m.tinted(dough * side * baked * 0.55, "#8f5620")
        bulge = 0.25 * np.sin((v[:, 2] % spec.pitch) / spec.pitch * np.pi) * side
        ooze = 0.25 * (~dough) * side * (0.6 + 0.8 * noise.fbm(v, 0.4, 3, seed=s + 8))
        m = m.displaced(relief * side + bulge + ooze - 0.2 * side)
        top = noise.step(high - 0.6, high - 0.1, v[:, 2])
        m = m.tinted(top, "#a86a2a").tinted(
            top * (noise.fbm(v, 0.5, 3, seed=s) > 0.1) * 0.4, "#c98f48"
        )
        sugar = top * noise.step(-0.5, 0.3, noise.fbm(v, 1.0, 4, seed=s + 4)) * 0.9
        return m.tinted(sugar, "#f0ebe2").rough(0.05, 1.5, seed=s)
    swoop = np.sin(
        v[:, 2] * 3.4 + 1.3 * noise.fbm(v, 0.12, 2, seed=s) + np.arctan2(v[:, 1], v[:, 0])
    )
    swirl = np.sin(r * 2.6 - np.arctan2(v[:, 1], v[:, 0]) + 0.8 * noise.fbm(v, 0.15, 2, seed=s))
    relief = 0.06 * swoop * side + 0.07 * swirl * (1 - side) * noise.step(0.5, 2, r)
    relief = relief + 0.1 * noise.fbm(v, 0.35, 3, seed=s + 5)
    m = m.painted(spec.icing).displaced(relief)
    return m.shaded(1 + 0.06 * noise.fbm(v, 0.6, 3, seed=s + 6))


def _face(spec: Spec, at: float, left: bool) -> Mesh:
    """One plane of the cut at an angle (degrees), with the icing's edge all round it."""
    nr, nz = 110, 100
    r, z = np.meshgrid(
        np.linspace(0, spec.radius, nr), np.linspace(0, spec.high, nz), indexing="ij"
    )
    a = np.radians(at)
    e = 0.55 if spec.icing else 0.9
    out = np.clip(r - (spec.radius - e), 0, None)
    up = np.clip(z - (spec.high - e), 0, None)
    k = np.where(np.hypot(out, up) > e, e / np.maximum(np.hypot(out, up), 1e-6), 1)
    r = r - out * (1 - k)
    z = z - up * (1 - k)
    v = np.stack([r * np.cos(a), r * np.sin(a), z], -1).reshape(-1, 3)
    f = grid_faces(nr, nz)
    m = Mesh(v, f if left else f[:, ::-1], np.zeros((len(v), 3), np.float32))
    colour, relief = _inside(spec, v)
    m = m.painted(colour)
    if spec.icing:
        rr, zz = np.hypot(v[:, 0], v[:, 1]), v[:, 2]
        wob = 0.1 * noise.fbm(v, 0.5, 2, seed=spec.seed + 7)
        skin = np.maximum(
            noise.step(spec.radius - 0.5, spec.radius - 0.38, rr + wob),
            noise.step(spec.high - 0.5, spec.high - 0.38, zz + wob),
        )
        m = m.tinted(skin, spec.icing)
        relief = relief * (1 - skin)
    return m.displaced(relief)


def _allowed(a: float, a0: float, a1: float, margin: float) -> bool:
    """Whether an angle lies on the part of the cake that is there."""
    return (a - a0) % 360 > margin and (a - a0) % 360 < a1 - a0 - margin


def _candle(rng: Rng) -> list[Part]:
    from kit.geometry import smooth_path

    path = np.stack([np.zeros(40), np.zeros(40), np.linspace(0, 6, 40)], 1)
    m = tube(path, 0.32, 14)
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    colour = ("#5f9bc4", "#d8b23a", "#7fae5f", "#c8607a")[rng.integers(4)]
    m = m.painted("#ece6dc").tinted(np.sin(a + m.v[:, 2] * 2.4) > 0.2, colour)
    wick = tube(smooth_path([(0, 0, 5.9), (0.05, 0, 6.3), (0.12, 0, 6.6)]), 0.07, 6)
    flame = blob(0.3, 0.3, 0.75, 14).moved(x=0.1, z=7.1)
    flame.v[:, :2] *= (1 - 0.5 * np.clip((flame.v[:, 2:] - 7.0) / 0.8, 0, 1)) * 1.0
    return [(join([m, wick.painted("#2a2320")]), "satin"), (flame.painted("#fff0b0"), "matte")]


def _decor(recipe: Recipe, spec: Spec, a0: float, a1: float, rng: Rng) -> list[Part]:
    """What stands on the cake between two angles."""
    parts: list[Part] = []
    top, big = spec.high, spec.radius

    def ring(piece, count: int, far: float, finish: str, sink: float, margin: float, shift=0.0):
        for k in range(count):
            a = 360 / count * (k + shift)
            m = piece()
            if not _allowed(a, a0, a1, margin):
                continue
            x, y = far * big * np.cos(np.radians(a)), far * big * np.sin(np.radians(a))
            parts.append((m.turned("z", a).moved(x, y, top - sink), finish))

    def strewn(piece: Mesh, count: int, near: float, far: float, finish: str, lift: float):
        r = big * np.sqrt(rng.uniform(near**2, far**2, count))
        a = rng.uniform(0, 360, count)
        keep = np.array([_allowed(x, a0, a1, 3) for x in a])
        p = np.stack([r * np.cos(np.radians(a)), r * np.sin(np.radians(a)), 0 * a + top + lift], 1)
        if keep.any():
            parts.append((copies(piece, p[keep], rng, 20, (0.7, 1.3), 0.15), finish))

    icing = spec.icing or "#ece2cc"
    if recipe.has("rosettes", "swirls", "sour cherries", "coffee buttercream", "white buttercream"):
        ring(lambda: fruit.cream_rosette(rng, 1.5, icing), 14, 0.8, "cream", 0.15, 7)
    if recipe.titled("strawberry"):
        ring(lambda: fruit.cream_rosette(rng, 1.3, icing), 16, 0.83, "cream", 0.15, 7)
        stand = [fruit.strawberry(rng, rng.uniform(3.2, 3.8)).turned("y", -70) for _ in range(10)]
        ring(lambda: produce.grounded(stand.pop()), 9, 0.5, "wet", 0.15, 9, 0.5)
    if recipe.has("fresh cherries"):
        ring(lambda: fruit.cherry(rng, 1.2), 14, 0.8, "glaze", -1.0, 7)
    if recipe.has("walnut"):
        count, far = (14, 0.8) if recipe.titled("coffee") else (18, 0.84)
        lift = -1.1 if recipe.titled("coffee") else 0.1
        ring(lambda: fruit.walnut(rng, 2.4), count, far, "satin", lift, 6)
    if recipe.has("lemon curd"):
        half = [produce.citrus_slice(rng, 2.1).scaled(0.9).turned("y", -62) for _ in range(9)]
        ring(lambda: produce.grounded(half.pop()), 8, 0.52, "wet", 0.3, 9, 0.5)
    if recipe.has("chocolate shavings"):
        for _ in range(110):
            a, r = rng.uniform(0, 360), big * 0.66 * np.sqrt(rng.random())
            m = fruit.shaving(rng, rng.uniform(1.0, 2.4), ("#2c150b", "#4a2614")[rng.integers(2)])
            if _allowed(a, a0, a1, 6):
                x, y = r * np.cos(np.radians(a)), r * np.sin(np.radians(a))
                z = top + rng.uniform(0, 0.5) * (1 - r / big)
                parts.append((m.spun(rng, 30).moved(x, y, z), "satin"))
        if recipe.has("sour cherries"):
            for _ in range(260):
                a, z = rng.uniform(0, 360), rng.uniform(0.2, 4.5) * rng.random() ** 0.5
                m = fruit.shaving(rng, rng.uniform(0.8, 1.7), "#35190d").turned("y", 90)
                if _allowed(a, a0, a1, 4):
                    m = m.turned("x", rng.uniform(0, 180)).moved(big + 0.12, 0, z + 0.5)
                    parts.append((m.turned("z", a), "satin"))
    if recipe.titled("red velvet"):
        crumb = blob(0.2, 0.16, 0.14, 5).rough(0.05, 4).painted("#741214")
        strewn(crumb, 900, 0.8, 0.98, "matte", 0.08)
        ring(lambda: fruit.cream_rosette(rng, 1.3, icing), 12, 0.62, "cream", 0.1, 7)
    if recipe.has("raspberries"):
        for _ in range(70):
            a, r = rng.uniform(0, 360), big * 0.86 * np.sqrt(rng.random())
            m = fruit.raspberry(rng, rng.uniform(1.8, 2.2))
            if _allowed(a, a0, a1, np.degrees(np.arcsin(min(0.9 / max(r, 1), 1)))):
                x, y = r * np.cos(np.radians(a)), r * np.sin(np.radians(a))
                parts.append((m.spun(rng).moved(x, y, top + rng.uniform(-0.1, 0.5)), "moist"))
    if recipe.has("coloured sprinkles"):
        for colour in ("#c92f50", "#d8a81f", "#2f86c0", "#4c9a40", "#d8661c", "#efe9df"):
            strewn(produce.sprinkle(0.75, colour), 60, 0.0, 0.74, "satin", 0.1)
        ring(lambda: fruit.cream_rosette(rng, 1.2, icing), 20, 0.87, "cream", 0.1, 6)
        for k in range(8):
            a = 45 * k + 20
            x, y = 0.55 * big * np.cos(np.radians(a)), 0.55 * big * np.sin(np.radians(a))
            stick = _candle(rng)
            if _allowed(a, a0, a1, 8):
                parts.extend((m.moved(x, y, top - 0.3), f) for m, f in stick)
    return parts


def _cut(recipe: Recipe, spec: Spec, a0: float, a1: float, rng: Rng) -> list[Part]:
    """The cake between two angles, closed by two cut faces, with its decoration."""
    finish = "crust" if spec.icing is None else "satin" if spec.icing == "#2f160b" else "cream"
    parts = [(_skin(spec, a0, a1), finish)]
    parts += [(_face(spec, a0, True), "crust"), (_face(spec, a1, False), "crust")]
    if recipe.titled("strawberry"):
        for face, way in ((a0, -1), (a1, 1)):
            for k in range(1, spec.layers):
                for r in np.arange(1.6, spec.radius - 1.5, 2.1):
                    m = fruit.strawberry(rng, rng.uniform(1.7, 2.2), calyx=False, cut=True)
                    m = m.scaled(1, 0.75, 0.4).turned("x", 90 if way < 0 else -90)
                    m = m.moved(r, 0.1 * way, k * spec.pitch + rng.normal(0, 0.05))
                    parts.append((m.turned("z", face), "wet"))
    return parts + _decor(recipe, spec, a0, a1, rng)


def _stand(radius: float, foot: float, colour: str, finish: str) -> tableware.Ware:
    """A cake stand: foot, stem and a plate with a small rim."""
    r, h = radius, foot
    p = [(0, 0.2), (r * 0.4, 0), (r * 0.42, 0.2), (r * 0.2, 1.0), (1.6, h * 0.6), (2.4, h - 0.5)]
    p += [(r * 0.6, h), (r * 0.97, h + 0.2), (r, h + 0.7), (r * 0.98, h + 0.8), (r * 0.94, h + 0.5)]
    p += [(r * 0.6, h + 0.45), (0, h + 0.45)]
    return tableware.Ware(revolve(p, 160, 8).painted(colour), finish, h + 0.45, r * 0.9, h + 0.8)


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """A cake with a slice taken out, or the slice on a plate with the cake behind it."""
    scene.table()
    spec = _spec(recipe, rng)
    width = rng.uniform(40, 52)
    looks = (("#e9e4da", "ceramic"), ("#c8d2cc", "ceramic"), ("#8fa3a0", "stoneware"))
    colour, finish = looks[rng.integers(len(looks))]
    side = rng.choice([-1, 1])
    close = rng.random() < 0.4
    mid = 270 + side * rng.uniform(12, 30)
    cake = _cut(recipe, spec, mid + width / 2, mid + 360 - width / 2, rng)
    back = (side * 9.0, 19.0) if close else (0.0, 0.0)
    if rng.random() < 0.55:
        ware = _stand(spec.radius + 3, 5.0 if not close else 3.0, colour, finish)
    else:
        ware = tableware.round_board(spec.radius + 3.4, int(rng.integers(99)), rng.random() < 0.5)
    scene.serve(ware, *back)
    for m, f in cake:
        scene.add(m.moved(*back, ware.floor - 0.05), f)
    if close:
        plate = scene.serve(tableware.any_plate(rng, 10.5))
        turn = rng.uniform(-22, -4) if side > 0 else rng.uniform(184, 202)
        piece = _cut(recipe, spec, -18.0, 18.0, rng)
        a = np.radians(turn)
        for m, f in piece:
            m = m.turned("z", turn).moved(-5.6 * np.cos(a), -5.6 * np.sin(a), plate.floor)
            scene.add(m, f)
        fork = tableware.fork(17).turned("z", 90 + side * 12).moved(-side * 12.6, -1, 0.1)
        scene.add(fork, "metal")
        scene.shoot(height=(24, 34), distance=(36, 40), aim=(side * 0.6, 1.0, 4.4), lens=0.6)
        return
    if rng.random() < 0.6:
        stripe = ("#a33b30", "#3f5f86", "#5d7048", "#b98a3a")[rng.integers(4)]
        napkin = tables.cloth(rng, 24, 34, "#ece6da", stripe)
        scene.add(napkin.turned("z", rng.uniform(-40, 40)).moved(-side * 19, 4), "cloth")
    high = ware.floor + spec.high / 2
    scene.shoot(height=(22, 40), distance=(47, 52), aim=(0, -0.5, high - 0.4), lens=0.6)
