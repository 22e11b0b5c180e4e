"""Fruit tart: a fluted pastry case with cream or fruit purée and fruit laid out on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import fruit, noise, produce, tables, tableware
from kit.geometry import Mesh, blob, disc_field, grid_faces, join, smooth_path, tube
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene

Rng = np.random.Generator
Piece = Callable[[], Mesh]


def _seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def _shell(rng: Rng, radius: float, high: float) -> Mesh:
    """The baked case: fluted outside, a thick crimped rim, browned on its edges."""
    s = _seed(rng)
    n = max(18, round(radius * 3.4))
    sides = n * 16
    k = radius / 12
    prof = [(0.0, 0.0), (0.8, 0.0), (0.86, 0.0), (0.89, 0.12), (0.94, 0.5), (0.985, 0.88)]
    prof += [(1.0, 0.99), (0.985, 1.04), (0.955, 1.02), (0.93, 0.94), (0.9, 0.7), (0.86, 0.35)]
    p = smooth_path(prof, 7)
    a = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    wave = np.sqrt(np.abs(np.cos(a * n / 2))) * 2 - 1
    depth = 0.02 * noise.step(0.1, 0.7, p[:, 1])[:, None]
    r = p[:, :1] * radius * (1 + depth * wave)
    z = np.repeat(p[:, 1:] * high, sides, 1)
    v = np.stack([r * np.cos(a), r * np.sin(a), z], -1).reshape(-1, 3)
    m = Mesh(v, grid_faces(len(p), sides, wrap=True), np.zeros((len(v), 3), np.float32))
    m = m.mottled("#a06a2c", "#c08a44", "#d2a562", freq=0.6, seed=s)
    crown = noise.step(0.75, 1.02, v[:, 2] / high) * (0.6 + 0.7 * noise.fbm(v, 0.4, 3, seed=s + 1))
    m = m.tinted(crown * 0.7, "#8a4f1c")
    groove = np.tile(noise.step(0.2, -0.9, wave), len(p)) * (v[:, 2] < high * 0.97)
    return m.tinted(groove * 0.35, "#7a4a1c").rough(0.05 * k, 1.6, 4, seed=s)


def _bed(rng: Rng, recipe: Recipe, radius: float, low: float, swell: float) -> Mesh:
    """What the fruit lies on: custard, almond cream, purée or fruit syrup."""
    s = _seed(rng)
    if recipe.titled("cherry"):
        stops = ("#3a040a", "#5f0a12", "#7d141c")
    elif recipe.titled("apple", "plum", "apricot"):
        stops = ("#9c6426", "#bd8840", "#d3a660")
    else:
        stops = ("#c99c40", "#dcb85e", "#e6ca80")

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        p = np.stack([x, y], -1)
        dome = swell * np.clip(1 - (np.hypot(x, y) / radius) ** 2, 0, 1)
        return low + dome + 0.07 * noise.fbm(p, 0.5, 3, seed=s)

    return disc_field(radius, height, 60, 150).mottled(*stops, freq=0.6, seed=s)


def _apple(rng: Rng) -> Mesh:
    """Thin half-moon of baked apple, its arched edge caught by the heat."""
    m = fruit.fruit_slice(rng, rng.uniform(4.6, 5.2), ("#d0a04a", "#e2bf74"), "#a8661c", 0.34)
    burn = noise.step(0.1, 0.9, noise.fbm(m.v, 0.6, 3, seed=_seed(rng))) * (m.v[:, 1] > 0.3)
    return m.tinted(burn * 0.75, "#6b3410")


def _peach(rng: Rng) -> Mesh:
    m = fruit.fruit_slice(rng, rng.uniform(5.0, 5.6), ("#d8922e", "#e6b050"), "#b8481c", 1.0)
    return m.tinted(noise.step(-0.25, -0.6, m.v[:, 1]) * 0.55, "#a8341c")


def _plum(rng: Rng) -> Mesh:
    m = fruit.fruit_slice(rng, rng.uniform(4.0, 4.6), ("#8f2a22", "#b04a2c"), "#2f0d26", 1.0)
    return m.tinted(noise.step(-0.1, -0.5, m.v[:, 1]) * 0.5, "#c27a34")


def _mango(rng: Rng) -> Mesh:
    return fruit.fruit_slice(rng, rng.uniform(4.4, 5.0), ("#d88f14", "#e8ab30"), "#d07f10", 0.7)


def _apricot(rng: Rng) -> Mesh:
    """Half apricot with the round side up, wrinkled and browned by the oven."""
    m = blob(2.0, 1.85, 1.3, 24).mottled("#c8701a", "#dc8f2c", "#e6a644", freq=0.7, seed=_seed(rng))
    m = m.tinted(noise.step(0.2, 0.8, noise.fbm(m.v, 0.5, 3, seed=_seed(rng))) * 0.6, "#b8481a")
    m = m.tinted(
        noise.step(1.0, 1.3, m.v[:, 2] + 0.3 * produce.fbm_of(m, 0.9, rng)) * 0.7, "#6f3010"
    )
    groove = np.exp(-((m.v[:, 1] / 0.2) ** 2)) * (m.v[:, 2] > 0)
    return produce.grounded(m.displaced(-0.12 * groove).rough(0.06, 1.2, seed=_seed(rng)))


def _lattice(rng: Rng, radius: float, at: float) -> Mesh:
    """Woven strips of pastry, each going over and under the ones that it crosses."""
    strips = []
    step = 3.1
    for way in (0, 1):
        for k, off in enumerate(np.arange(-3, 4) * step):
            half = np.sqrt(max(radius**2 - off**2, 0))
            if half < 2:
                continue
            t = np.linspace(-half, half, 90)
            over = np.cos(np.pi * (t / step)) * (1 if (k + way) % 2 else -1)
            edge = noise.step(1.0, 0.82, np.abs(t) / half)
            path = np.stack([t, off + 0.15 * np.sin(t * 0.5 + k), at + 0.26 * over * edge], 1)
            strips.append(tube(path, 0.85, 16, flat=0.3).turned("z", 90 * way))
    m = join(strips)
    s = _seed(rng)
    m = m.mottled("#a8682a", "#c68f45", "#d8ab66", freq=0.5, seed=s)
    high = noise.step(at + 0.1, at + 0.5, m.v[:, 2])
    m = m.tinted(high * (0.5 + 0.6 * noise.fbm(m.v, 0.6, 3, seed=s + 1)) * 0.8, "#8a4a18")
    return m.rough(0.07, 1.4, 3, seed=s)


def _rings(
    scene: Scene,
    rng: Rng,
    centre: tuple[float, float],
    radii: list[tuple[float, int, Piece]],
    finish: str,
    turn: float,
    tilt: float,
    sink: float,
) -> None:
    """Pieces in circles, each turned outwards by `turn` and lying on its neighbour."""
    for far, count, piece in radii:
        start = rng.uniform(0, 360)
        for k in range(count):
            a = start + 360 / count * k + rng.normal(0, 50 / count)
            m = (
                piece()
                .jittered(rng, 0.08)
                .turned("x", tilt)
                .turned("z", a + turn + rng.normal(0, 5))
            )
            r = far + rng.normal(0, 0.06)
            x, y = r * np.cos(np.radians(a)), r * np.sin(np.radians(a))
            scene.drop(m, centre[0] + x, centre[1] + y, finish, sink, 0.35)


def _fill(
    scene: Scene, recipe: Recipe, rng: Rng, centre: tuple[float, float], inner: float
) -> None:
    """Lay the fruit on one tart whose bed has the radius `inner`."""
    cx, cy = centre

    def heap(piece: Piece, count: int, far: float, finish: str, sink: float, near: float = 0):
        for x, y in spread(rng, inner * far, count, inner * near):
            scene.drop(piece().jittered(rng, 0.1).spun(rng), cx + x, cy + y, finish, sink, 0.4)

    def half() -> Mesh:
        return fruit.strawberry(rng, rng.uniform(3.0, 3.5), calyx=False, cut=True)

    def whole() -> Mesh:
        m = fruit.strawberry(rng, rng.uniform(2.8, 3.4), calyx=False)
        return produce.grounded(m.turned("y", rng.uniform(50, 80)))

    if recipe.titled("kiwi"):
        _rings(scene, rng, centre, [(inner - 1.6, 20, whole)], "wet", 0, 0, 0.3)
        circles = [(inner - 4.6, 14, lambda: fruit.kiwi_slice(rng, 1.95))]
        _rings(scene, rng, centre, circles, "wet", -90, 16, 0.3)
        _rings(scene, rng, centre, [(inner - 7.4, 11, lambda: _mango(rng))], "wet", -70, 12, 0.3)
        for x, y in spread(rng, 2.3, 16):
            scene.drop(fruit.blueberry(rng).spun(rng), cx + x, cy + y, "satin", 0.25)
    elif recipe.titled("strawberry tart"):
        heap(whole, 46, 0.9, "wet", 0.25)
    elif recipe.titled("summer berry"):
        heap(half, 16, 0.86, "wet", 0.3)
        heap(lambda: fruit.raspberry(rng, rng.uniform(1.8, 2.2)), 34, 0.9, "moist", 0.3)
        heap(lambda: fruit.blueberry(rng, rng.uniform(0.65, 0.85)), 60, 0.92, "satin", 0.25)
    elif recipe.titled("french apple"):
        circles = [(inner - 1.7, 44, lambda: _apple(rng)), (inner - 4.6, 30, lambda: _apple(rng))]
        circles += [(inner - 7.3, 16, lambda: _apple(rng)), (inner - 9.4, 6, lambda: _apple(rng))]
        _rings(scene, rng, centre, circles, "wet", -62, 14, 0.3)
    elif recipe.titled("blueberry"):
        heap(lambda: fruit.blueberry(rng, rng.uniform(0.68, 0.95)), 250, 0.94, "satin", 0.25)
    elif recipe.titled("plum"):
        circles = [(inner - 1.6, 30, lambda: _plum(rng)), (inner - 4.2, 20, lambda: _plum(rng))]
        circles += [(inner - 6.8, 12, lambda: _plum(rng)), (inner - 9.0, 5, lambda: _plum(rng))]
        _rings(scene, rng, centre, circles, "wet", 100, -28, 0.35)
    elif recipe.titled("apricot"):
        circles = [
            (inner - 2.2, 15, lambda: _apricot(rng)),
            (inner - 6.0, 9, lambda: _apricot(rng)),
        ]
        circles += [(inner - 9.2, 3, lambda: _apricot(rng))]
        _rings(scene, rng, centre, circles, "wet", 0, 0, 0.6)
    elif recipe.titled("raspberry tartlets"):
        for far, count in ((inner - 1.0, 9), (inner - 2.5, 4)):
            piece = (far, count, lambda: fruit.raspberry(rng, rng.uniform(1.8, 2.1)))
            _rings(scene, rng, centre, [piece], "moist", 0, 0, 0.3)
        top = fruit.raspberry(rng, 2.0)
        scene.drop(top, cx, cy, "moist", 0.3)
        scene.drop(fruit.mint_sprig(rng, 1.7), cx + 0.3, cy, "leaf", 0.1, 0.2)
    elif recipe.titled("cherry"):
        heap(lambda: fruit.cherry(rng, rng.uniform(0.95, 1.15), False), 120, 0.94, "glaze", 0.35)
        lift = float(np.quantile(scene.heights.at(spread(rng, inner * 0.8, 60)), 0.7))
        scene.add(_lattice(rng, inner + 0.8, lift + 0.25).turned("z", rng.uniform(0, 90)), "satin")
    else:
        circles = [(inner - 2.0, 24, lambda: _peach(rng)), (inner - 5.2, 16, lambda: _peach(rng))]
        _rings(scene, rng, centre, circles, "wet", -68, 16, 0.3)
        for x, y in spread(rng, 3.4, 20):
            m = fruit.raspberry(rng, rng.uniform(1.8, 2.2), "#241022")
            scene.drop(m.spun(rng), cx + x, cy + y, "moist", 0.25)
    if recipe.has("flaked almonds"):
        heap(lambda: fruit.almond_flake(rng, rng.uniform(1.0, 1.5)), 40, 0.92, "satin", 0.1)
    if recipe.has("pistachio"):
        nut = ("#5f7d2c", "#93aa55")
        heap(lambda: produce.cubes(rng, rng.uniform(0.35, 0.6), nut), 70, 0.92, "satin", 0.05)
    if recipe.has("sprig mint"):
        for x, y in spread(rng, inner * 0.5, 3):
            scene.drop(fruit.mint_sprig(rng, 2.6), cx + x, cy + y, "leaf", 0.15, 0.2)


def _dust(mesh: Mesh, rng: Rng) -> Mesh:
    """Icing sugar on what faces up."""
    white = noise.step(0.2, 0.9, mesh.normals()[:, 2] + 0.6 * produce.fbm_of(mesh, 0.8, rng))
    return mesh.tinted(white * 0.7, "#efeae2")


def build(scene: Scene, recipe: Recipe, rng: Rng) -> None:
    """One whole tart, or several tartlets, on a plate, a board or a cake wire."""
    scene.table()
    small = recipe.has("tartlets")
    kind = rng.integers(3)
    if kind == 0:
        ware = scene.serve(tableware.round_board(16.5, int(rng.integers(99)), rng.random() < 0.4))
    elif kind == 1:
        colour, rim, finish = tableware.PLATE_COLOURS[rng.integers(len(tableware.PLATE_COLOURS))]
        ware = scene.serve(tableware.plate(17.5, colour, rim, finish, coupe=True))
    else:
        ware = scene.serve(tableware.board(37, 32, int(rng.integers(99)), rng.random() < 0.4))
    floor = ware.floor + (0.25 if kind == 1 else 0)
    if small:
        turn, radius, high = rng.uniform(0, 72), 4.6, 2.0
        a = np.radians(turn + 72 * np.arange(5))
        centres = [(8.0 * np.cos(k), 8.0 * np.sin(k)) for k in a]
    else:
        radius, high = rng.uniform(13.0, 13.8), rng.uniform(2.4, 2.9)
        centres = [(0.0, 0.0)]
    heaped = recipe.titled("blueberry", "summer", "cherry")
    for centre in centres:
        case = _shell(rng, radius, high)
        if recipe.has("icing sugar"):
            case = _dust(case, rng)
        scene.add(case.moved(*centre, floor), "crust")
        inner = radius * 0.9
        bed = _bed(rng, recipe, inner, high * (0.5 if heaped else 0.62), 0.9 if heaped else 0.3)
        scene.add(bed.moved(*centre, floor), "moist")
        _fill(scene, recipe, rng, centre, inner - 0.2)
    side = rng.choice([-1, 1])
    if rng.random() < 0.6:
        stripe = ("#a33b30", "#3f5f86", "#5d7048", "#b98a3a")[rng.integers(4)]
        napkin = tables.cloth(rng, 24, 34, "#ece6da", stripe, ("stripes", "check")[rng.integers(2)])
        scene.add(napkin.turned("z", rng.uniform(-35, 35)).moved(side * 24, 9), "cloth")
    if rng.random() < 0.35:
        scene.shoot(height=(72, 86), distance=(54, 58), aim=(0, 0, 2), lens=0.4)
    else:
        scene.shoot(height=(38, 54), distance=(47, 52), aim=(0, -0.8, 2), lens=0.7)
