"""Roast chicken: the whole bird, breast up and legs tied, among what was roasted with it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kit import fruit, noise, produce, savoury, tables, tableware
from kit.geometry import Mesh, blob, copies, disc_field, join, revolve, smooth_path, torus, tube
from kit.recipe import Recipe
from kit.scatter import spread
from kit.stage import Scene

Field = Callable[[np.ndarray], np.ndarray]
Piece = Callable[[np.random.Generator], Mesh]


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 30))


def _surface(field: Field, low: np.ndarray, high: np.ndarray, step: float) -> Mesh:
    """The surface field = 0 (negative inside) by naive surface nets, pulled on to the zero."""
    axes = [np.arange(a, b + step, step) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    d = field(grid.reshape(-1, 3)).reshape(grid.shape[:3])
    inside = d < 0
    shape = np.array(d.shape) - 1
    total = np.zeros((*shape, 3))
    count = np.zeros(shape)
    corner = [np.array([i, j, k]) for i in (0, 1) for j in (0, 1) for k in (0, 1)]

    def part(a: np.ndarray, o: np.ndarray) -> np.ndarray:
        return a[tuple(slice(o[x], o[x] + shape[x]) for x in range(3))]

    for o in corner:
        for axis in range(3):
            if o[axis]:
                continue
            e = o.copy()
            e[axis] = 1
            a, b = part(d, o), part(d, e)
            cross = (a < 0) != (b < 0)
            t = np.where(cross, a / np.where(cross, a - b, 1), 0)
            total += np.where(cross[..., None], o + t[..., None] * (e - o), 0)
            count += cross
    used = count > 0
    index = np.full(tuple(shape), -1)
    index[used] = np.arange(int(used.sum()))
    cell = np.argwhere(used)
    v = np.array(low) + step * (cell + total[used] / count[used][:, None])
    faces = []
    for axis in range(3):
        b, c = (axis + 1) % 3, (axis + 2) % 3
        one = np.moveaxis(inside, axis, 0)
        flip = np.moveaxis(one[:-1] != one[1:], 0, axis)
        for p in np.argwhere(flip):
            if p[b] == 0 or p[c] == 0 or p[b] >= shape[b] or p[c] >= shape[c]:
                continue
            q = np.tile(p, (4, 1))
            q[1, b] -= 1
            q[2, [b, c]] -= 1
            q[3, c] -= 1
            ring = index[tuple(q.T)]
            faces.append(ring if inside[tuple(p)] else ring[::-1])
    quad = np.array(faces)
    f = np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
    for _ in range(2):
        eps = 0.05
        here = field(v)
        g = np.stack([field(v + eps * np.eye(3)[k]) - here for k in range(3)], 1) / eps
        v = v - g * (here / np.maximum((g**2).sum(1), 1e-6))[:, None] * 0.8
    return Mesh(v, f, np.full((len(v), 3), 0.5, np.float32))


def _oval(
    p: np.ndarray, at: tuple[float, ...], size: tuple[float, ...], tip: float = 0
) -> np.ndarray:
    """About the distance to an ellipsoid, turned by `tip` degrees about y."""
    q = p - np.array(at)
    if tip:
        c, s = np.cos(np.radians(tip)), np.sin(np.radians(tip))
        q = np.stack([c * q[:, 0] - s * q[:, 2], q[:, 1], s * q[:, 0] + c * q[:, 2]], 1)
    k = np.linalg.norm(q / np.array(size), axis=1)
    return (k - 1) * k / np.maximum(np.linalg.norm(q / np.array(size) ** 2, axis=1), 1e-6)


def _limb(
    p: np.ndarray, a: tuple[float, ...], b: tuple[float, ...], ra: float, rb: float
) -> np.ndarray:
    """Distance to a capsule that tapers from a to b."""
    a_, ab = np.array(a), np.array(b) - np.array(a)
    t = np.clip((p - a_) @ ab / (ab @ ab), 0, 1)
    return np.linalg.norm(p - a_ - t[:, None] * ab, axis=1) - (ra + (rb - ra) * t**0.8)


def _blend(a: np.ndarray, b: np.ndarray, k: float) -> np.ndarray:
    """Union with a soft crease of width k."""
    h = np.clip(k - np.abs(a - b), 0, None) / k
    return np.minimum(a, b) - h**2 * k / 4


KNEE, ANKLE = (0.2, 7.0, 5.2), (10.4, 2.5, 6.6)


def _bird_field(p: np.ndarray) -> np.ndarray:
    """A trussed chicken, tail to +x, breast up, 21 cm long; both sides alike."""
    q = p * [1, 1, 1]
    q[:, 1] = np.abs(q[:, 1])
    d = _oval(q, (-0.5, 0, 5.2), (9.3, 6.0, 4.9))
    breast = _oval(q, (-2.2, 2.5, 7.4), (7.0, 3.5, 3.5), -7)
    d = _blend(d, breast, 1.6)
    thigh = _oval(q, (2.6, 6.0, 4.6), (4.9, 2.9, 3.7), 12)
    d = _blend(d, thigh, 0.9)
    leg = _limb(q, KNEE, ANKLE, 2.75, 1.0)
    calf = _oval(q, (3.0, 6.2, 5.6), (4.6, 2.5, 2.7), 5)
    d = _blend(d, _blend(leg, calf, 1.0), 0.55)
    wing = _limb(q, (-6.2, 5.2, 6.2), (-2.4, 7.7, 3.6), 1.9, 1.45)
    tip = _limb(q, (-2.4, 7.7, 3.4), (-8.0, 7.6, 3.3), 1.35, 0.8)
    d = _blend(d, _blend(wing, tip, 0.5), 0.45)
    tail = _oval(q, (9.0, 0, 4.6), (2.2, 1.6, 1.2))
    return _blend(d, tail, 1.0)


def _leg_field(p: np.ndarray) -> np.ndarray:
    """One leg, thigh and drumstick, lying on its side, the bone to +x."""
    d = _oval(p, (-3.6, 0.8, 2.0), (4.4, 3.7, 2.1))
    d = _blend(d, _limb(p, (-0.5, -1.6, 2.0), (7.2, 0.4, 1.7), 2.3, 0.9), 1.4)
    return _blend(d, _oval(p, (0.8, -1.3, 2.1), (3.6, 2.2, 2.0)), 0.8)


def _tones(recipe: Recipe) -> tuple[str, str, str, str]:
    """(crease, middle, brown, burnt) of the skin."""
    if recipe.has("soy sauce"):
        return "#a8581f", "#8a4015", "#60280b", "#351308"
    if recipe.has("paprika"):
        return "#d18f3a", "#b8651f", "#8c4212", "#471c08"
    if recipe.has("honey"):
        return "#cf8c3c", "#b06420", "#7f3d10", "#3f1a08"
    return "#dba858", "#c27c2c", "#964f16", "#54260a"


def _skin(m: Mesh, rng: np.random.Generator, recipe: Recipe, tall: float) -> Mesh:
    """Roast colours: pale in the creases and below, brown on what faces the heat, pores, folds."""
    s = _seed(rng)
    pale, middle, brown, burnt = _tones(recipe)
    fold = np.abs(noise.fbm(m.v * [0.6, 1, 1], 0.55, 3, seed=s))
    pore = noise.fbm(m.v, 2.6, 2, seed=s + 1)
    m = m.displaced(-0.12 * noise.step(0.14, 0, fold) + 0.045 * pore)
    m = m.displaced(0.14 * noise.fbm(m.v, 0.4, 3, seed=s + 2))
    n = m.normals()
    wide = noise.fbm(m.v, 0.3, 4, seed=s + 3)
    heat = 0.55 * n[:, 2] + 0.45 * (m.v[:, 2] / tall) + 0.45 * wide
    m = m.painted(middle).tinted(noise.step(0.35, -0.25, heat), pale)
    m = m.tinted(noise.step(0.45, 1.0, heat) * 0.85, brown)
    spots = noise.fbm(m.v, 0.9, 4, seed=s + 4)
    m = m.tinted(noise.step(0.85, 1.3, heat + 0.35 * spots) * 0.75, burnt)
    m = m.tinted(noise.step(0.1, 0.7, spots) * 0.3, brown)
    m = m.tinted(noise.step(0.2, 0.6, pore) * 0.25, pale)
    if recipe.has("parsley, chopped", "rosemary, chopped"):
        d, ident = noise.cells(m.v + m.v[:, 2:3] * 0.7, 1.3, s)
        m = m.tinted((d < 0.2) * (ident > 0.3) * 0.85, "#2f4a18")
    return m


def _bird(rng: np.random.Generator, recipe: Recipe) -> list[tuple[Mesh, str]]:
    """The whole chicken standing on z = 0 with its leg bones and the twine round them."""
    m = _surface(_bird_field, np.array([-11, -10.5, -0.8]), np.array([13, 10.5, 12]), 0.3)
    stretch = rng.uniform([0.97, 0.95, 0.95], [1.04, 1.05, 1.05])
    m = _skin(m, rng, recipe, 11.0)
    parts = [(m, "glaze" if recipe.has("honey") else "moist")]
    for y in (-1, 1):
        end = np.array(ANKLE) * [1, y, 1]
        way = (end - np.array(KNEE) * [1, y, 1]) / 11.5
        path = smooth_path([end - way * 0.8, end + way * 0.6, end + way * 1.4], 6)
        bone = blob(0.8, 0.95, 0.85, 14).rough(0.12, 1.2, seed=_seed(rng))
        bone = bone.mottled("#c9a878", "#e3cda6", freq=1, seed=2).moved(*(end + way * 1.2))
        shank = np.linspace(0.85, 0.6, len(path))
        parts.append((tube(path, shank, 14).painted("#a8682f"), "moist"))
        parts.append((bone, "moist"))
    tie = torus(2.6, 0.22, 80, 8).scaled(0.5, 1.38, 1).turned("y", 96)
    tie = tie.moved(ANKLE[0] - 0.6, 0, ANKLE[2])
    parts.append((tie.painted("#d9c8a0"), "matte"))
    return [(p.scaled(*stretch).moved(z=-0.25), f) for p, f in parts]


def _leg(rng: np.random.Generator, recipe: Recipe) -> Mesh:
    """One roast leg with its bone."""
    m = _surface(_leg_field, np.array([-9, -5, -0.6]), np.array([9, 5.5, 5]), 0.26)
    m = _skin(m, rng, recipe, 4.2)
    bone = blob(0.9, 0.85, 0.75, 12).mottled("#c9a878", "#e3cda6", freq=1, seed=2)
    return produce.grounded(join([m, bone.moved(8.1, 0.6, 1.7)]))


def _tin(rng: np.random.Generator, x: float, y: float) -> tableware.Ware:
    """A roasting dish with rounded corners: white or terracotta stoneware, or dark steel."""
    tall = 5.0
    prof = [(0, 0), (0.88, 0), (0.93, 0.15), (1.0, tall), (1.01, tall + 0.2), (0.985, tall + 0.25)]
    prof += [(0.96, tall - 0.1), (0.9, 0.8), (0.86, 0.55), (0, 0.55)]
    m = revolve([(a * 10, z) for a, z in prof], 240, 6)
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    k = (np.abs(np.cos(a)) ** 6 + np.abs(np.sin(a)) ** 6) ** (-1 / 6)
    m.v[:, 0] *= k * x / 10
    m.v[:, 1] *= k * y / 10
    colour, finish = (
        ("#e6e0d2", "ceramic"),
        ("#8f4426", "stoneware"),
        ("#2a2a2b", "pan"),
        ("#41586b", "ceramic"),
    )[rng.integers(4)]
    m = m.painted(colour).shaded(1 + 0.06 * noise.fbm(m.v, 0.5, 3, seed=3))
    return tableware.Ware(m, finish, 0.57, min(x, y) * 0.88, tall)


def _platter(rng: np.random.Generator) -> tableware.Ware:
    """A large oval dish."""
    ware = tableware.any_plate(rng, 20)
    m = ware.mesh.scaled(1.08, 0.9, 1)
    return tableware.Ware(m, ware.finish, ware.floor, ware.inner, ware.rim)


def _half_lemon(rng: np.random.Generator) -> list[tuple[Mesh, str]]:
    rind = blob(2.7, 2.7, 2.6, 24).mottled("#d9a81c", "#e8c030", freq=2, seed=5)
    rind.v[:, 2] = np.minimum(rind.v[:, 2], 0.0)
    cut = produce.citrus_slice(rng, 2.65)
    brown = noise.step(0.1, 0.6, noise.fbm(cut.v, 0.7, 3, seed=_seed(rng)))
    return [(rind, "satin"), (cut.tinted(brown * 0.5, "#8f561a").moved(z=-0.28), "wet")]


def _garlic(rng: np.random.Generator) -> Mesh:
    """Half a head of garlic, cut side up."""
    m = blob(2.4, 2.4, 1.9, 30)
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    r = np.hypot(m.v[:, 0], m.v[:, 1]) / 2.4
    m.v[:, :2] *= (1 + 0.07 * np.cos(a * 9))[:, None]
    cut = m.v[:, 2] > 0.2
    m.v[cut, 2] = 0.2
    m = m.mottled("#cdbfa6", "#e3d8c2", freq=1, seed=3)
    clove = noise.step(0.3, 0.5, np.abs(np.cos(a * 4.5))) * noise.step(0.25, 0.35, r)
    m = m.tinted(cut * clove * noise.step(0.9, 0.8, r), "#d39a4c")
    return produce.grounded(m.tinted(cut * clove * (r < 0.75) * 0.5, "#a8682a"))


def _button(rng: np.random.Generator) -> Mesh:
    """A whole roast mushroom."""
    cap = blob(1.7, 1.7, 1.15, 20)
    cap.v[:, 2] = np.maximum(cap.v[:, 2], -0.25)
    cap = cap.mottled("#4f2d16", "#754824", "#91602f", freq=0.8, seed=_seed(rng))
    stem = blob(0.65, 0.65, 0.9, 10).mottled("#c9a878", "#d9c09a", freq=1, seed=2)
    m = join([cap, stem.moved(z=-0.6)]).turned("x", rng.uniform(-100, 40))
    return produce.grounded(m)


def _shallot(rng: np.random.Generator) -> Mesh:
    m = blob(2.0, 1.3, 1.25, 24)
    a = np.arctan2(m.v[:, 2], m.v[:, 1])
    m.v[:, 1:] *= (1 - 0.28 * np.clip(m.v[:, 0] / 2, 0, 1) ** 2)[:, None]
    line = noise.step(0.6, 0.95, np.cos(a * 11 + 0.3 * m.v[:, 0]))
    m = m.mottled("#8f4a3c", "#b5735a", "#cf9a78", freq=0.7, seed=_seed(rng))
    return produce.grounded(m.tinted(line * 0.4, "#5a2318").turned("y", rng.uniform(-25, 25)))


def _sprout(rng: np.random.Generator) -> Mesh:
    m = blob(1.35, 1.35, 1.3, 20)
    a = np.arctan2(m.v[:, 1], m.v[:, 0])
    layer = np.abs(np.sin(a * 2.5 + m.v[:, 2] * 2.0))
    m = m.displaced(0.12 * layer).mottled(
        "#4f7422", "#7a9a3c", "#a8bf68", freq=0.8, seed=_seed(rng)
    )
    char = noise.step(0.2, 0.6, produce.fbm_of(m, 0.7, rng))
    return produce.grounded(m.tinted(char * 0.6, "#4a2c10").tinted((layer < 0.12) * 0.5, "#cfdc9c"))


def _onion_wedge(rng: np.random.Generator) -> Mesh:
    m = fruit.fruit_slice(rng, 4.6, ("#c79aa6", "#ead5d6"), "#6b2140", 1.3)
    return m.tinted(noise.step(0.2, 0.6, produce.fbm_of(m, 0.6, rng)) * 0.5, "#5a2a18")


def _grape(rng: np.random.Generator) -> Mesh:
    m = blob(1.15, 1.0, 1.0, 16).mottled("#3f0f22", "#6b1c34", freq=0.8, seed=_seed(rng))
    return produce.grounded(m.shaded(rng.uniform(0.8, 1.3)))


def _berry(rng: np.random.Generator) -> Mesh:
    return produce.grounded(blob(0.68, detail=12).painted("#a3101c").shaded(rng.uniform(0.7, 1.1)))


def _pepper(rng: np.random.Generator) -> Mesh:
    return produce.pepper_strip(rng, "#b0220f", rng.uniform(5, 7.5)).scaled(1, 1, 1.5)


def _rocket(rng: np.random.Generator) -> Mesh:
    return produce.rocket_leaf(rng, rng.uniform(5, 7))


# words of the recipe, piece, finish, how many go round a whole bird
SIDES: tuple[tuple[tuple[str, ...], Piece, str, int], ...] = (
    (("rocket",), _rocket, "leaf", 95),
    (("red peppers",), _pepper, "wet", 34),
    (("red onions",), _onion_wedge, "moist", 22),
    (("potatoes",), lambda r: savoury.potato(r, r.uniform(3.4, 4.4)), "moist", 30),
    (("carrots",), lambda r: savoury.carrot(r, r.uniform(8, 11)), "moist", 15),
    (("mushrooms",), _button, "moist", 34),
    (("shallots",), _shallot, "moist", 15),
    (("broccoli",), lambda r: savoury.broccoli(r, r.uniform(3.8, 4.8)), "satin", 20),
    (("sprouts",), _sprout, "moist", 22),
    (("grapes",), _grape, "wet", 42),
    (("cherry tomatoes",), lambda r: produce.cherry_tomato(r, 1.4, False), "wet", 12),
    (("head garlic", "heads garlic"), _garlic, "moist", 3),
    (("cranberr",), _berry, "wet", 40),
)


def _round(
    scene: Scene, rng: np.random.Generator, recipe: Recipe, x: float, y: float, inner: float
) -> None:
    """The vegetables and fruit in the ring between bird and rim, then lemons and herbs."""
    for words, piece, finish, count in SIDES:
        if not recipe.has(*words):
            continue
        for px, py in spread(rng, 1.0, count, inner):
            if scene.heights.at(np.array([px * x, py * y])) > 4.4:
                continue
            m = piece(rng).jittered(rng, 0.08).spun(rng, 10)
            scene.drop(m, px * x, py * y, finish, 0.25, 0.5)
    if recipe.has("lemon"):
        for a in np.radians(rng.uniform(0, 360) + np.array([0, 120, 215])):
            px, py = 0.86 * x * np.cos(a), 0.84 * y * np.sin(a)
            z = float(scene.heights.at(np.array([px, py])))
            pitch, yaw = rng.uniform(5, 50), rng.uniform(-60, 60)
            for mesh, finish in _half_lemon(rng):
                m = mesh.turned("x", pitch).turned("z", yaw)
                scene.add(m.moved(px, py, min(z, 3.0) + 1.9), finish)
    if recipe.has("rosemary", "thyme"):
        for px, py in spread(rng, 1.0, 8, inner):
            m = savoury.sprig(rng, rng.uniform(6, 9), recipe.has("rosemary")).spun(rng, 10)
            scene.drop(m, px * x * 0.95, py * y * 0.95, "leaf", 0.3)
    if recipe.has("parsley leaves"):
        for px, py in spread(rng, 1.0, 34, 0):
            m = produce.herb_leaf(rng, rng.uniform(1.5, 2.3)).spun(rng, 20)
            scene.drop(m, px * x * 0.9, py * y * 0.9, "leaf", 0.2)
    if recipe.has("spring onion"):
        for px, py in spread(rng, 0.75, 60):
            m = produce.scallion_ring(rng, rng.uniform(0.4, 0.6)).spun(rng, 50)
            scene.drop(m, px * x, py * y, "moist", 0.2)
    if recipe.has("sesame"):
        p = spread(rng, 0.62, 160) * [x, y]
        z = scene.heights.at(p)[:, None] + 0.05
        grain = produce.seed_grain(0.36)
        scene.add(copies(grain, np.concatenate([p, z], 1), rng, 40), "satin")


def _round_legs(scene: Scene, rng: np.random.Generator, recipe: Recipe, x: float, y: float) -> None:
    """Lemon and rosemary over a tray of legs."""
    for px, py in spread(rng, 0.9, 7):
        m = savoury.sprig(rng, rng.uniform(6, 9)).spun(rng, 10)
        scene.drop(m, px * x, py * y, "leaf", 0.3)
    for px, py in ((0.75, 0.1), (-0.2, -0.85), (-0.15, 0.8)):
        scene.drop(produce.citrus_slice(rng, 2.6).spun(rng, 10), px * x, py * y, "wet", 0.3)


def build(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> None:
    """The bird in a roasting dish, on a platter or a board, seen from the leg side."""
    scene.table()
    savoury.far_table(scene)
    legs = recipe.titled("roast chicken legs")
    sides = sum(recipe.has(*words) for words, *_ in SIDES)
    if legs or (sides >= 1 and rng.random() < 0.5 and not recipe.has("rocket")):
        x, y = 18.0, 14.0
        ware = scene.serve(_tin(rng, x, y))
        juice = disc_field(1.0, lambda gx, gy: 0 * gx, 30, 200)
        a = np.arctan2(juice.v[:, 1], juice.v[:, 0])
        k = (np.abs(np.cos(a)) ** 6 + np.abs(np.sin(a)) ** 6) ** (-1 / 6)
        juice.v[:, 0] *= k * x * 0.885
        juice.v[:, 1] *= k * y * 0.885
        juice = juice.mottled("#5a3010", "#8a5420", "#a86f2e", freq=0.2, seed=_seed(rng))
        scene.add(juice.moved(z=0.75), "liquid")
        x, y = x * 0.86, y * 0.86
        yaw = float(rng.choice([0, 180])) + rng.uniform(-22, 22)
    else:
        ware = scene.serve(_platter(rng))
        x, y = 17.0, 14.0
        yaw = float(rng.choice([0, 180])) + rng.uniform(-35, 35)
    z = ware.floor
    if legs:
        for px, py in spread(rng, 1.0, 34):
            m = savoury.potato(rng, rng.uniform(3.2, 4.2)).spun(rng, 15)
            scene.drop(m, px * x * 0.95, py * y * 0.95, "moist", 0.3)
        for px, py, d in ((-9, 5, 20), (7, 6, -30), (-8, -5, 200), (1, 0, 75), (9, -5, 150)):
            m = _leg(rng, recipe).turned("z", d + rng.uniform(-15, 15))
            scene.drop(m, px, py, "wet", 0.35, 0.4)
        _round_legs(scene, rng, recipe, x, y)
    else:
        for mesh, finish in _bird(rng, recipe):
            scene.add(mesh.turned("z", yaw).moved(0, 0.5, z + 0.1), finish)
        _round(scene, rng, recipe, x, y, 0.72)
    if rng.random() < 0.5:
        colour = ("#a33b30", "#3f5f86", "#5d7048")[rng.integers(3)]
        napkin = tables.cloth(rng, 28, 38, "#ece6da", colour, ("stripes", "check")[rng.integers(2)])
        scene.add(
            napkin.turned("z", rng.uniform(-40, 40)).moved(rng.choice([-25, 25]), 15), "cloth"
        )
    scene.shoot(height=(28, 46), distance=(58, 64), aim=(0, -0.3, 4), lens=0.6, fov=33)
