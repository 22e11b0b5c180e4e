"""Doughnuts: fried rings and filled balls, glazed, iced, sugared or strewn, a few on a plate."""

from __future__ import annotations

import numpy as np
from kit import noise, produce, tables, tableware
from kit.geometry import Mesh, blob, copies, join, rounded_box, torus
from kit.recipe import Recipe
from kit.scatter import poisson
from kit.stage import Scene

BIG, SMALL = 2.75, 1.75


def _fried(m: Mesh, seed: int, dark: bool) -> Mesh:
    stops = ("#4a2614", "#5f331b", "#754325") if dark else ("#8f4f1c", "#b9722f", "#d1924a")
    n = noise.fbm(m.v, 0.5, 4, seed=seed)
    m = m.mottled(*stops, freq=0.55, seed=seed)
    if not dark:
        belt = np.exp(-(((m.v[:, 2] + 0.1 * n) / 0.34) ** 2))
        out = np.hypot(m.v[:, 0], m.v[:, 1]) > BIG
        m = m.tinted(belt * out * 0.85, "#ecd09a")
    return m.rough(0.05, 1.6, 4, seed=seed)


def _dough(rng: np.random.Generator, shape: str, dark: bool) -> Mesh:
    s = int(rng.integers(1 << 30))
    if shape == "ball":
        m = blob(4.0, 4.0, 2.35, 46)
    else:
        m = torus(BIG, SMALL, 150, 60).scaled(1, 1, 0.88)
    m = m.displaced(0.16 * noise.fbm(m.v, 0.22, 2, seed=s))
    if shape == "cake":
        a = np.arctan2(m.v[:, 1], m.v[:, 0])
        r = np.hypot(m.v[:, 0], m.v[:, 1])
        crack = np.exp(-(((r - BIG - 0.25 * noise.value(m.v, 0.7, s)) / 0.28) ** 2))
        m.v[:, 2] -= 0.28 * crack * (m.v[:, 2] > 0) * (1 + 0.4 * np.sin(a * 9))
        m = m.rough(0.07, 1.2, 4, seed=s)
    return _fried(m, s, dark)


def _icing(rng: np.random.Generator, dough: Mesh, colour: str, low: float, thick: float) -> Mesh:
    """The dough's upper skin, swollen, with a dripping lower edge."""
    s = int(rng.integers(1 << 30))
    v = dough.v
    a = np.arctan2(v[:, 1], v[:, 0])
    ring = np.stack([np.cos(a), np.sin(a)], 1)
    inside = np.hypot(v[:, 0], v[:, 1]) < BIG
    line = low + 0.38 * noise.fbm(ring * 1.5, 1.4, 3, seed=s) + inside * 0.1
    above = v[:, 2] - line
    body = noise.step(-0.02, 0.35, above)
    lip = np.exp(-(((above - 0.28) / 0.2) ** 2))
    m = dough.displaced(thick * body + 0.1 * lip * body - 0.12 * (above < 0))
    keep = (above > -0.12)[m.f].all(1)
    wavy = noise.fbm(v, 0.3, 2, seed=s)
    out = Mesh(m.v, m.f[keep], m.c).painted(colour)
    return out.shaded(1 + 0.06 * wavy)


def _strew(
    rng: np.random.Generator, top: Mesh, pieces: list[Mesh], count: int, tilt: float = 14
) -> Mesh:
    """Pieces lying on the upper side of a mesh, spread evenly."""
    n = top.normals()
    used = np.unique(top.f)
    good = used[(n[used, 2] > 0.45)]
    picks = rng.permutation(good)[: count * 12]
    chosen: list[int] = []
    gap = 0.5 if count < 100 else 0.3
    for k in picks:
        if all(np.sum((top.v[k] - top.v[j]) ** 2) > gap**2 for j in chosen):
            chosen.append(int(k))
        if len(chosen) >= count:
            break
    groups = np.array_split(np.array(chosen), len(pieces))
    out = []
    for piece, group in zip(pieces, groups, strict=True):
        if not len(group):
            continue
        for k in group:
            m = piece.turned("z", rng.uniform(0, 360)).jittered(rng, 0.08)
            m = m.turned("x", rng.uniform(-tilt, tilt))
            nx, ny, nz = n[k]
            m = m.turned("y", np.degrees(np.arctan2(nx, nz))).turned(
                "x", -np.degrees(np.arcsin(np.clip(ny, -1, 1)))
            )
            out.append(m.moved(*(top.v[k] + n[k] * 0.06)))
    return join(out)


def _stripes(rng: np.random.Generator, top: Mesh, colour: str) -> Mesh:
    """Thin icing lines piped to and fro over the top."""
    from kit.geometry import tube

    n = top.normals()
    used = np.unique(top.f)
    used = used[n[used, 2] > 0.1]
    grid = top.v[used]
    lines = []
    for y in np.arange(-3.9, 4, 0.95):
        x = np.linspace(-4.4, 4.4, 120)
        p = np.stack([x, y + 0.35 * np.sin(x * 0.6 + y)], 1)
        d = ((p[:, None] - grid[None, :, :2]) ** 2).sum(2)
        near = np.sqrt(d.min(1)) < 0.22
        z = grid[d.argmin(1), 2]
        for part in np.split(np.arange(120), np.where(np.diff(near.astype(int)) != 0)[0] + 1):
            if near[part[0]] and len(part) > 6:
                path = np.column_stack([p[part], z[part] + 0.05])
                lines.append(tube(path, 0.14, 8))
    return join(lines).painted(colour).turned("z", 0)


def _style(recipe: Recipe) -> dict[str, object]:
    icing = None
    if recipe.has("dark chocolate", "cocoa icing"):
        icing = "#2f1509"
    if recipe.has("milk chocolate"):
        icing = "#5f3018"
    if recipe.has("strawberr", "raspberry icing", "pink"):
        icing = "#e88ba4"
    if recipe.has("white chocolate", "lemon icing", "vanilla icing"):
        icing = "#f4ead6"
    if recipe.has("matcha"):
        icing = "#8c9657"
    if recipe.has("caramel", "maple"):
        icing = "#bd7a33"
    if recipe.has("blueberr"):
        icing = "#7a4f8c"
    return {"icing": icing}


def _one(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> list[tuple[Mesh, str]]:
    """One doughnut with its coating, around the origin."""
    dark = recipe.titled("chocolate cake", "devil")
    shape = "ball" if recipe.has("filling", "jam", "custard") else "ring"
    if recipe.has("baking powder"):
        shape = "cake"
    dough = _dough(rng, shape, dark)
    parts = [(dough, "crust")]
    icing = _style(recipe)["icing"]
    top = dough
    if isinstance(icing, str):
        top = _icing(rng, dough, icing, 0.1, 0.17)
        parts.append((top, "glaze"))
    elif recipe.has("sugar glaze"):
        top = _icing(rng, dough.copy(), "#e3bd85", -0.5, 0.05)
        top = Mesh(top.v, top.f, dough.c * 0.9 + 0.05)
        parts.append((top, "glaze"))
    if recipe.has("sprinkles", "sugar strands"):
        colours = ("#e23b5a", "#f4c52e", "#3d9bd6", "#56b04b", "#f07f2a", "#fbf6ee")
        pieces = [produce.sprinkle(0.75, c) for c in colours]
        parts.append((_strew(rng, top, pieces, 130), "satin"))
    if recipe.has("icing sugar", "powdered sugar") and icing is None:
        white = noise.step(0.1, 0.75, dough.normals()[:, 2] + 0.5 * produce.fbm_of(dough, 0.9, rng))
        parts[0] = (dough.tinted(white * 0.95, "#f6f3ee").rough(0.03, 3), "matte")
    if recipe.has("cinnamon") and icing is None:
        grain = copies(blob(0.06, detail=3).painted("#efdcbc"), np.zeros((1, 3)), rng)
        keep = rng.permutation(len(dough.v))[:3500]
        n = dough.normals()
        spots = dough.v[keep] + n[keep] * 0.02
        parts.append((copies(grain, spots, rng, 80, (0.6, 1.5), 0.15), "satin"))
        parts[0] = (dough.tinted(np.full(len(dough.v), 0.4), "#a8642c"), "matte")
    if recipe.has("almonds", "hazelnuts", "peanuts", "pistachios"):
        tint = ("#7b8645", "#a8ab6c") if recipe.has("pistachio") else ("#c99a5c", "#ecd2a2")
        nuts = [produce.cubes(rng, rng.uniform(0.3, 0.5), tint, 0.1) for _ in range(6)]
        parts.append((_strew(rng, top, nuts, 90, 60), "satin"))
    if recipe.has("coconut"):
        flake = rounded_box(0.75, 0.2, 0.05, 0.02, 3).painted("#f5f0e6")
        parts.append((_strew(rng, top, [flake.bent(0.5, "y"), flake], 170, 50), "matte"))
    if recipe.has("bacon"):
        bits = [
            rounded_box(0.9, 0.45, 0.14, 0.06, 8).rough(0.1, 1.5, seed=k).painted(c)
            for k, c in enumerate(("#7a2416", "#9c3a22", "#c98a68"))
        ]
        parts.append((_strew(rng, top, bits, 42, 30), "moist"))
    if recipe.has("stripes", "drizzle"):
        line = "#f6efe2" if icing in ("#2f1509", "#5f3018", "#7a4f8c") else "#3a1a0c"
        parts.append((_stripes(rng, top, line), "glaze"))
    if recipe.has("jam", "custard"):
        red = recipe.has("jam")
        dot = blob(0.95, 0.85, 0.5, 20).rough(0.15, 1.0, seed=int(rng.integers(99)))
        dot = dot.painted("#8f0d16" if red else "#f0cf6a")
        place = (3.3, -1.9, 0.9) if icing is None else (3.5, -1.6, -0.3)
        parts.append((dot.moved(*place), "wet"))
    return parts


def build(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> None:
    """Three to six doughnuts on a plate, a board or paper, one often leaning on the rest."""
    scene.table()
    low = 0.0
    if rng.random() < 0.65:
        ware = scene.serve(tableware.any_plate(rng, 14.5))
        low = ware.floor + (0.3 if rng.random() < 0 else 0.1)
    else:
        ware = scene.serve(tableware.board(38, 28, int(rng.integers(99)), rng.random() < 0.4))
        paper = tableware.baking_paper(30, 24, int(rng.integers(99)), "#ece3d2")
        scene.add(paper.moved(z=ware.floor).turned("z", rng.uniform(-12, 12)), "matte")
        low = ware.floor + 0.25
    spin = rng.uniform(0, 360)
    layouts = (
        [(0, -4.8), (4.9, 3.6), (-4.9, 3.6)],
        [(-4.8, -3.4), (4.8, -3.4), (0, 4.9)],
        [(-4.9, -4.4), (4.9, -4.6), (4.7, 5), (-4.8, 5)],
    )
    base = layouts[rng.integers(len(layouts))]
    a = np.radians(spin if len(base) == 4 else rng.uniform(-15, 15))
    places = [(x * np.cos(a) - y * np.sin(a), x * np.sin(a) + y * np.cos(a), 0.0) for x, y in base]
    stack = rng.random() < 0.65
    for x, y, _ in places:
        tilt = rng.uniform(-4, 4)
        for mesh, finish in _one(scene, recipe, rng):
            turned = mesh.turned("z", rng.uniform(-1, 1)).turned("x", tilt)
            scene.add(turned.moved(x, y, low + 1.5 + (0.5 if recipe.has("filling") else 0)), finish)
    if stack:
        lean = rng.uniform(8, 16)
        up = 4.6 + (0.9 if recipe.has("filling") else 0)
        for mesh, finish in _one(scene, recipe, rng):
            scene.add(mesh.turned("x", lean).moved(0.4, 0.6, low + up), finish)
    if rng.random() < 0.6:
        colour = ("#a33b30", "#3f5f86", "#b98a3a")[rng.integers(3)]
        napkin = tables.cloth(rng, 24, 34, "#ece6da", colour, ("stripes", "check")[rng.integers(2)])
        scene.add(
            napkin.turned("z", rng.uniform(-40, 40)).moved(rng.choice([-20, 20]), 12), "cloth"
        )
    if recipe.has("sprinkles"):
        spots = poisson(rng, 22, 2.5, 40, inner=15)
        z = scene.heights.at(spots)[:, None] + 0.1
        bits = copies(produce.sprinkle(0.75, "#e23b5a"), np.concatenate([spots, z], 1), rng, 4)
        scene.add(bits, "satin")
    scene.shoot(height=(34, 58), distance=(40, 46), aim=(0, -0.5, 2.2), lens=0.6)
