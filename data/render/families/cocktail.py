"""Cocktails: the right glass for each drink, its ice, its garnish and a bar's dim background.

The drink is an opaque glossy body that stands for glass and liquid together; clear glass is only
where the glass is empty (above the drink, the stem), since light through glass is noisy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from kit import fruit, noise, produce
from kit.geometry import (
    Mesh,
    blob,
    copies,
    disc_field,
    join,
    polygon,
    ramp,
    revolve,
    rounded_box,
    sheet,
    slab,
    smooth_path,
    tube,
)
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene

Rng = np.random.Generator


@dataclass
class Glass:
    """Inner radius by height as (z, radius) points, from the bottom of the drink to the rim."""

    wall: tuple[tuple[float, float], ...]
    level: float
    foot: float

    @property
    def rim(self) -> float:
        """Height of the rim."""
        return self.wall[-1][0]

    def radius(self, z: float | np.ndarray) -> np.ndarray:
        """Radius at a height."""
        zs, rs = np.array(self.curve()).T
        return np.interp(z, zs, rs)

    def curve(self) -> list[tuple[float, float]]:
        """The wall, smoothed."""
        p = smooth_path(self.wall, 10)
        keep = np.maximum.accumulate(p[:, 0])
        return [(float(z), float(r)) for z, r in zip(keep, p[:, 1], strict=True)]


GLASSES = {
    "highball": Glass(((0.9, 3.05), (1.1, 3.2), (7, 3.35), (14.6, 3.6)), 13.0, 0),
    "tumbler": Glass(((1.2, 3.9), (1.4, 4.05), (5, 4.25), (9.2, 4.4)), 7.4, 0),
    "martini": Glass(((7.6, 0.25), (8.0, 0.8), (10.5, 3.1), (13.9, 5.9)), 13.0, 3.7),
    "margarita": Glass(
        ((6.8, 0.5), (7.1, 1.9), (8.2, 2.6), (9.0, 2.8), (9.8, 4.4), (11.6, 5.8), (12.6, 6.1)),
        11.9,
        3.8,
    ),
    "balloon": Glass(
        ((7.2, 0.4), (7.6, 2.4), (9.2, 4.2), (11.4, 4.7), (13.6, 4.4), (17, 3.7)), 14.4, 3.8
    ),
    "hurricane": Glass(
        ((3.2, 0.5), (3.8, 2.1), (6.2, 3.1), (9, 2.75), (12, 2.95), (16.4, 4.0)), 15.6, 3.6
    ),
}
ICE_DRINKS = ("#e9efec", "#c8d4d2")


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def _drink(rng: Rng, glass: Glass, stops: tuple[str, ...], icy: bool, froth: str | None) -> Mesh:
    """The liquid: a colour for every height, ice shining through the wall, foam at the top."""
    s = _seed(rng)
    low = glass.wall[0][0]
    zs = np.linspace(low, glass.level, 140)
    prof = [(0.0, low), *zip(glass.radius(zs) - 0.03, zs, strict=True)]
    m = revolve(prof, 200, 1)
    z = (m.v[:, 2] - low) / (glass.level - low)
    wave = 0.05 * noise.fbm(m.v, 0.4, 2, seed=s)
    m = m.painted(ramp(z + wave, *stops))
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    sheen = 0.12 * np.cos(a - 2.2) + 0.06 * noise.fbm(m.v, 0.25, 2, seed=s + 1)
    m = m.shaded(1 + sheen)
    if icy:
        flat = np.stack([a * 3.4 + 0.25 * m.v[:, 2], m.v[:, 2] - 0.4 * np.sin(a * 3)], -1)
        d, ident = noise.cells(flat, 0.42, s)
        inside = noise.step(0.5, 0.42, d) * (ident > 0.25)
        edge = np.exp(-(((d - 0.44) / 0.05) ** 2)) * (ident > 0.25)
        m = m.tinted(inside * 0.3, "#ffffff").tinted(edge * 0.45, "#ffffff")
        m = m.tinted(noise.step(0.3, 0.1, d) * (ident > 0.25) * 0.2, "#5a4a40")
    if froth is not None:
        top = noise.step(0.86, 0.93, z + 0.3 * wave)
        m = m.tinted(top, froth)
    return m


def _surface(rng: Rng, glass: Glass, colour: str, rough: float, heap: float) -> Mesh:
    """The top of the drink with its meniscus; rough for foam, heap for crushed ice."""
    s, r = _seed(rng), float(glass.radius(glass.level))

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        rel = np.hypot(x, y) / r
        z = 0.12 * rel**8 + rough * noise.fbm(p, 1.4, 3, seed=s)
        return z + heap * np.clip(1 - rel**2, 0, 1) * (1 + 0.4 * noise.fbm(p, 0.6, 3, seed=s))

    m = disc_field(r - 0.02, height, 60, 160).painted(colour)
    return m.shaded(1 + 0.1 * noise.fbm(m.v, 1.6, 3, seed=s)).moved(z=glass.level)


def _clear(glass: Glass) -> tuple[Mesh, Mesh]:
    """(thin clear glass above the drink and as stem or base, the bright line of the rims)."""
    zs = np.linspace(glass.level - 0.05, glass.rim, 40)
    parts = [revolve(list(zip(glass.radius(zs), zs, strict=True)), 160, 1)]
    low, r0 = glass.wall[0]
    lines = [(glass.rim, float(glass.radius(glass.rim)), 0.075)]
    if glass.foot:
        f = glass.foot
        prof = [(f, 0.0), (f, 0.12), (f * 0.6, 0.28), (0.55, 0.6), (0.34, 1.4), (0.3, low * 0.6)]
        prof += [(0.36, low - 0.7), (max(r0, 0.5), low + 0.05)]
        parts.append(revolve(prof, 120, 6))
        lines += [(0.1, f, 0.09), (0.3, f * 0.55, 0.03)]
    else:
        parts.append(revolve([(0, 0.02), (r0, 0.02), (r0 + 0.05, 0.2), (r0 + 0.02, low)], 140, 4))
        lines += [(0.1, r0 - 0.05, 0.12), (low, r0 - 0.03, 0.06)]
    a = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    rings = []
    for z, r, thick in lines:
        path = np.stack([r * np.cos(a), r * np.sin(a), 0 * a + z], 1)
        rings.append(tube(path, thick, 8, closed=True))
    return join(parts), join(rings).painted("#c9d0cf")


def _ice(rng: Rng, size: float, stain: str) -> Mesh:
    """One ice cube, tinted by the drink, with clear and frosted zones."""
    m = rounded_box(*(size * rng.uniform(0.85, 1.1, 3)), 0.22 * size, 18)
    m = m.rough(0.05 * size, 0.9, seed=_seed(rng)).mottled(*ICE_DRINKS, freq=0.8, seed=_seed(rng))
    mix = noise.step(-0.5, 0.9, produce.fbm_of(m, 0.7, rng)) * 0.55 + 0.15
    return m.tinted(mix, stain)


def _wheel(rng: Rng, kind: str, radius: float) -> Mesh:
    """A slice of citrus standing upright, its cut towards the viewer."""
    flesh, rind = {
        "lime": ("#b4c66a", "#4f7f1e"),
        "orange": ("#e8922a", "#dd7410"),
        "lemon": ("#ecd058", "#e0b414"),
    }[kind]
    m = produce.citrus_slice(rng, radius, flesh, rind)
    return m.turned("z", rng.uniform(0, 360)).moved(z=-0.2).turned("x", 90)


def _hugging(m: Mesh, glass: Glass, z: float, degrees: float) -> Mesh:
    """A flat piece pressed against the inside of the wall, showing through it."""
    r = float(glass.radius(z))
    m = m.bent(r, "y").turned("x", 90)
    return m.moved(y=-r + 0.1, z=z).turned("z", degrees)


def _straw(rng: Rng, glass: Glass, colour: str) -> Mesh:
    """A striped paper straw leaning on the rim."""
    side = rng.choice([-1, 1])
    r = float(glass.radius(glass.rim))
    top = np.array([side * (r * 1.25), 0.9, glass.rim + 5.5])
    low = np.array([-side * r * 0.1, -0.2, glass.level - 0.6])
    t = np.linspace(0, 1, 90)[:, None]
    m = tube(low + (top - low) * t, 0.3, 14).painted("#f1ece2")
    a = np.arctan2(m.v[:, 1] - 0.5, m.v[:, 0])
    way = np.linalg.norm(m.v - low, axis=1)
    return m.tinted((np.sin(way * 3.2 + a) > 0.1) * 1.0, colour)


def _celery(rng: Rng, glass: Glass) -> tuple[Mesh, Mesh]:
    """A leafy stick of celery standing in the glass."""
    long = glass.rim - glass.level + 5.5
    t = np.linspace(0, 1, 40)
    path = np.stack([0.9 * t**2, 0 * t, t * long - 0.5], 1)
    m = tube(path, 0.85 - 0.3 * t, 22, flat=0.6)
    rib = np.sin(np.arctan2(m.v[:, 1], m.v[:, 0] - 0.9 * (m.v[:, 2] / long) ** 2) * 8)
    m = m.displaced(0.06 * rib).mottled("#93b04e", "#b3c878", "#cbd89a", freq=0.6, seed=_seed(rng))
    leaves = []
    for k in range(16):
        leaf = produce.herb_leaf(rng, rng.uniform(1.8, 3.0)).moved(x=1.0)
        leaf = leaf.turned("y", -rng.uniform(5, 75)).turned("z", 360 * k / 16 + rng.uniform(0, 20))
        leaves.append(leaf.moved(0.9, 0, long - 0.6 - rng.uniform(0, 1.4)))
    at = glass.level
    return m.moved(x=1.2, z=at), join(leaves).moved(x=1.2, z=at)


def _bean() -> Mesh:
    """A roasted coffee bean with its crease."""
    m = blob(0.62, 0.44, 0.3, 18)
    crease = np.exp(-(((m.v[:, 1] - 0.05 * np.sin(m.v[:, 0] * 5)) / 0.07) ** 2)) * (m.v[:, 2] > 0)
    m.v[:, 2] -= 0.1 * crease
    return m.mottled("#23120a", "#3a2012", freq=2).tinted(crease * 0.7, "#0f0704")


def _back_wall(rng: Rng) -> Mesh:
    """A dim, warm wall behind the table with soft lights, far out of focus."""
    tones = ("#3b2a22", "#2a3436", "#4b4338", "#5f5a52", "#33302f", "#6a5140")
    m = sheet(240, 60, lambda x, y: 0 * x, 220).turned("x", 90)
    m = m.painted(tones[rng.integers(len(tones))])
    m = m.shaded(1 + 0.35 * noise.fbm(m.v, 0.03, 2, seed=_seed(rng)))
    for _ in range(16):
        at = np.array([rng.uniform(-40, 40), rng.uniform(-20, 6)])
        d = np.hypot(m.v[:, 0] - at[0], m.v[:, 2] - at[1])
        tint = ("#e8b468", "#d98a3a", "#c9b48a", "#8a4a2a")[rng.integers(4)]
        size = rng.uniform(1.2, 3.6)
        m = m.tinted(noise.step(size * 1.3, size * 0.8, d) * rng.uniform(0.3, 0.85), tint)
    return m.moved(0, 52, 26)


def _recipe_of(recipe: Recipe) -> tuple[str, tuple[str, ...], str, str | None]:
    """(glass, colours from the bottom up, colour of the top, froth) of the drink."""
    if recipe.titled("mojito"):
        return "highball", ("#9fb573", "#bccb98", "#d3dcb8"), "#cdd8b0", None
    if recipe.titled("negroni"):
        return "tumbler", ("#8a160a", "#a8200c", "#c03a16"), "#a8240e", None
    if recipe.titled("margarita"):
        return "margarita", ("#c9cf8e", "#d6dba4", "#dfe3b8"), "#dbe0b0", None
    if recipe.titled("piña"):
        return "hurricane", ("#e6d9a8", "#efe5c2", "#f3ecd2"), "#f4eedb", "#f6f1e2"
    if recipe.titled("spritz"):
        return "balloon", ("#cf4a0e", "#de6a16", "#e8882a"), "#e07a20", None
    if recipe.titled("cosmopolitan"):
        return "martini", ("#a8203c", "#c23a52", "#cf5668"), "#cc5064", None
    if recipe.titled("espresso"):
        return "martini", ("#160a05", "#24120a", "#331a0e"), "#b98a58", "#b08050"
    if recipe.titled("sunrise"):
        return "highball", ("#a80f14", "#d0421a", "#e88a1e", "#eda62c", "#efb03a"), "#eeb040", None
    if recipe.titled("bloody"):
        return "highball", ("#7d1408", "#96200e", "#a82c14"), "#a02a12", None
    return "margarita", ("#a8152a", "#bd2a3c", "#cc4450"), "#cf4a56", None


def _serve(scene: Scene, recipe: Recipe, rng: Rng, x: float, y: float) -> Glass:
    """One glass of the drink, complete, standing at (x, y)."""
    kind, stops, top, froth = _recipe_of(recipe)
    glass = GLASSES[kind]
    icy, frozen = recipe.has("ice cubes"), recipe.has("crushed ice")
    rim_r, rim_z = float(glass.radius(glass.rim)), glass.rim
    parts: list[tuple[Mesh, str]] = []
    parts.append((_drink(rng, glass, stops, icy, froth), "glaze"))
    heap = 1.3 if recipe.titled("frozen") else 0.5 if frozen else 0.0
    rough = 0.12 if frozen else 0.03 if froth else 0.01
    parts.append((_surface(rng, glass, top, rough, heap), "cream" if frozen or froth else "glaze"))
    clear, lines = _clear(glass)
    parts += [(clear, "glass"), (lines, "glaze")]
    side = rng.choice([-1, 1])
    stain = stops[-1]
    if icy:
        r = float(glass.radius(glass.level))
        size = 2.9 if kind == "tumbler" else 2.4
        for px, py in spread(rng, max(r - size * 0.62, 0.3), 4 if kind == "tumbler" else 3):
            m = _ice(rng, size, stain).spun(rng, 40)
            parts.append((m.moved(px, py, glass.level + rng.uniform(-0.2, 0.5)), "glaze"))
    citrus = next((c for c in ("lime", "orange", "lemon") if recipe.has(f"1 {c}")), None)
    if citrus is not None:
        size = {"lime": 2.3, "orange": 3.1, "lemon": 2.5}[citrus]
        inside = (icy and kind != "highball") or recipe.titled("mojito")
        if inside:
            for k in range(3 if kind == "highball" else 2):
                z = glass.wall[0][0] + size + 0.4 + 3.2 * k
                m = produce.citrus_slice(
                    rng,
                    size,
                    *(("#b4c66a", "#4f7f1e") if citrus == "lime" else ("#e8922a", "#dd7410")),
                ).scaled(1, 1, 0.5)
                z = min(z, glass.level - size * 0.5)
                parts.append((_hugging(m, glass, z, rng.uniform(-55, 55)), "glaze"))
        m = _wheel(rng, citrus, size).turned("z", rng.uniform(-25, 25))
        drop = 0.45 * size if kind != "tumbler" else 0.2
        parts.append((m.moved(side * rim_r * 0.94, -0.3, rim_z + size * 0.9 - drop), "wet"))
    if recipe.has("mint leaves"):
        for _ in range(9):
            leaf = produce.basil_leaf(rng, rng.uniform(1.8, 2.6))
            leaf = leaf.scaled(1, 1, 0.3).moved(z=0.1)
            z = rng.uniform(glass.wall[0][0] + 1, glass.level - 1)
            parts.append((_hugging(leaf, glass, z, rng.uniform(-75, 75)), "glaze"))
        for k in range(3):
            sprig = fruit.mint_sprig(rng, 3.0).spun(rng, 25)
            parts.append(
                (sprig.moved(-side * 1.4 + 0.5 * k, -0.8 + 0.6 * k, rim_z - 0.2 + k), "leaf")
            )
    if recipe.has("coarse salt"):
        a = rng.uniform(0, 2 * np.pi, 900)
        z = rim_z + np.abs(rng.normal(0, 0.22, 900)) * -1 + 0.12
        r = rim_r + 0.06 + rng.normal(0, 0.05, 900)
        grain = rounded_box(0.17, 0.17, 0.17, 0.03, 2).painted("#eeeae2")
        spots = np.stack([r * np.cos(a), r * np.sin(a), z], 1)
        parts.append((copies(grain, spots, rng, 80, (0.5, 1.3)), "satin"))
    if recipe.has("wedge fresh pineapple"):
        o = polygon([(2.6, 0), (-1.3, 2.25), (-1.3, -2.25)], 72, smooth=False)
        m = slab(o, 0.9, 0.15, 24).mottled("#d9a728", "#eac24a", "#f2d470", freq=1)
        skin = noise.step(-0.9, -1.15, m.v[:, 0])
        m = m.tinted(skin, "#6a4a1c").turned("x", 90).turned("y", 150)
        parts.append((m.moved(side * rim_r, 0, rim_z + 1.0), "wet"))
        spikes = []
        for k in range(5):
            t = np.linspace(0, 1, 14)
            lean = (k - 2) * 0.7
            path = np.stack([lean * t**1.4, 0.2 * np.sin(k) * t, 5.5 * t - 0.4 * k * t], 1)
            spikes.append(tube(path, 0.55 * (1 - t) + 0.03, 10, flat=0.35))
        m = join(spikes).mottled("#2f5a24", "#4f7f38", "#6f9a50", freq=0.6)
        parts.append((m.moved(side * rim_r * 0.5, 0.6, rim_z - 0.8), "leaf"))
    if recipe.has("cocktail cherry"):
        m = fruit.cherry(rng, 1.15, True, "#a80f1c")
        parts.append((m.moved(side * rim_r * 0.75, -1.0, rim_z - 0.1), "glaze"))
    if recipe.has("coffee beans"):
        for k in range(3):
            m = (
                _bean()
                .turned("z", 120 * k + 20)
                .moved(0.75 * np.cos(2.1 * k), 0.75 * np.sin(2.1 * k))
            )
            parts.append((m.moved(z=glass.level + 0.12), "satin"))
    if recipe.has("stick celery"):
        stick, leaves = _celery(rng, glass)
        parts += [(stick, "moist"), (leaves, "leaf")]
    if recipe.has("black pepper"):
        p = spread(rng, 2.6, 60)
        spots = np.column_stack([p, np.full(60, glass.level + 0.05)])
        parts.append((copies(blob(0.09, detail=2).painted("#1a1411"), spots, rng), "satin"))
    if recipe.has("fresh strawberry"):
        m = fruit.strawberry(rng, 3.4).turned("y", side * 70)
        parts.append((m.moved(side * rim_r * 0.98, -0.4, rim_z + 0.4), "wet"))
    if kind in ("highball", "hurricane") and not recipe.has("stick celery"):
        colour = ("#b3262a", "#2f5f86", "#2c2c2c", "#3f7a4a")[rng.integers(4)]
        parts.append((_straw(rng, glass, colour), "matte"))
    if icy:
        count = 240
        z = rng.uniform(glass.wall[0][0] + 0.4, glass.level, count)
        a = rng.uniform(0, 2 * np.pi, count)
        r = glass.radius(z) - 0.02
        spots = np.stack([r * np.cos(a), r * np.sin(a), z], 1)
        pearl = blob(0.07, detail=3).painted(stain).shaded(1.35)
        parts.append((copies(pearl, spots, rng, 10, (0.4, 1.6)), "glaze"))
    for mesh, finish in parts:
        scene.add(mesh.moved(x, y), finish)
    return glass


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """One drink in front, sometimes a second behind, with fruit lying about."""
    scene.table("walnut", "oak", "slate", "marble", "concrete", "white", "blue")
    scene.add(_back_wall(rng), "matte", solid=False)
    glass = _serve(scene, recipe, rng, 0.0, 0.0)
    side = rng.choice([-1, 1])
    wide = float(max(r for _, r in glass.wall))
    if rng.random() < 0.45:
        _serve(scene, recipe, rng, side * (wide * 2 + 3.2), rng.uniform(9, 13))
    loose = next((c for c in ("lime", "orange", "lemon") if recipe.has(c)), None)
    if loose is not None:
        size = {"lime": 2.3, "orange": 3.2, "lemon": 2.6}[loose]
        flesh, rind = {
            "lime": ("#b4c66a", "#4f7f1e"),
            "orange": ("#e8922a", "#dd7410"),
            "lemon": ("#ecd058", "#e0b414"),
        }[loose]
        whole = blob(size * 1.1, size, size, 30).rough(0.05, 3, 2, _seed(rng)).painted(rind)
        whole = whole.shaded(1 + 0.1 * produce.fbm_of(whole, 0.6, rng))
        scene.add(produce.grounded(whole).moved(-side * (wide + 4.6), 5.5), "satin")
        for k in range(2):
            m = produce.citrus_slice(rng, size, flesh, rind).spun(rng, 4)
            scene.drop(m, -side * (wide + 2.5 + 1.4 * k), -3.0 + 2.2 * k, "wet", 0.1, 1.0)
    if recipe.has("mint"):
        for k in range(2):
            scene.drop(
                fruit.mint_sprig(rng, 2.8), side * (wide + 2.4 + k), -3.4 + 1.5 * k, "leaf", 0.3
            )
    if recipe.has("strawberr"):
        for k in range(3):
            m = fruit.strawberry(rng, rng.uniform(2.8, 3.4)).turned("z", rng.uniform(0, 360))
            scene.add(m.moved(-side * (wide + 1.2 + 1.2 * k), -3.6 + 2.8 * k), "wet")
    if recipe.has("coffee beans"):
        for px, py in spread(rng, 3.5, 16):
            m = produce.grounded(_bean().spun(rng, 60))
            scene.add(m.moved(-side * (wide + 1.5) + px, -2 + py), "satin")
    reach = glass.rim + (4.5 if glass.rim > 12 else 3.5)
    scene.shoot(
        height=(13, 25),
        distance=(reach * 2.2, reach * 2.35),
        aim=(0, 0, reach * 0.5),
        lens=0.8,
    )
