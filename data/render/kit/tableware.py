"""Plates, bowls, boards, pans, glasses and cutlery. Each stands on z = 0 at the origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import noise
from .geometry import Colour, Mesh, join, ramp, revolve, rounded_box, smooth_path, tube


@dataclass
class Ware:
    """A vessel: its mesh and finish, the height of its floor and the radius of its well."""

    mesh: Mesh
    finish: str
    floor: float
    inner: float
    rim: float

    def radius_at(self, z: float) -> float:
        """Inner radius at height z, for liquids that must meet the wall."""
        r = np.hypot(self.mesh.v[:, 0], self.mesh.v[:, 1])
        up = self.mesh.normals()
        inward = (self.mesh.v[:, :2] * up[:, :2]).sum(1) < -1e-4 * r
        zs, rs = self.mesh.v[inward, 2], r[inward]
        return float(rs[np.argsort(np.abs(zs - z))[:40]].mean())


PLATE_COLOURS: tuple[tuple[Colour, Colour | None, str], ...] = (
    ("#efece6", None, "ceramic"),
    ("#e9e6df", "#3f5f86", "ceramic"),
    ("#dcd3c2", "#a9825a", "stoneware"),
    ("#4a5560", "#8b7a62", "stoneware"),
    ("#8fa3a0", "#6c5a45", "stoneware"),
    ("#efe7d6", "#7a4b2c", "ceramic"),
    ("#c9d3cd", None, "stoneware"),
    ("#2e3033", None, "stoneware"),
)


def _glazed(m: Mesh, colour: Colour, rim: Colour | None, at: np.ndarray, speck: float) -> Mesh:
    m = m.painted(colour)
    m = m.shaded(1 + 0.05 * noise.fbm(m.v, 0.35, 3, seed=3))
    if speck:
        m = m.tinted(
            noise.step(0.5, 0.62, noise.fbm(m.v, 2.6, 2, seed=11)) * speck * 0.35, "#4a3c30"
        )
    if rim is not None:
        m = m.tinted(at, rim)
    return m


def plate(
    radius: float = 13.5,
    colour: Colour = "#efece6",
    rim: Colour | None = None,
    finish: str = "ceramic",
    coupe: bool = False,
) -> Ware:
    """Dinner plate with a flat well and sloping rim, or rimless (coupe)."""
    r = radius
    if coupe:
        top = [(r, 2.2), (r * 0.985, 2.32), (r * 0.93, 1.75), (r * 0.8, 0.95), (r * 0.6, 0.75)]
        under = [(r * 0.5, 0), (r * 0.62, 0.0), (r * 0.8, 0.45), (r * 0.94, 1.3)]
        inner = r * 0.8
    else:
        top = [(r, 1.85), (r * 0.985, 2.0), (r * 0.88, 1.65), (r * 0.74, 1.15), (r * 0.69, 0.75)]
        under = [(r * 0.5, 0), (r * 0.64, 0.0), (r * 0.72, 0.5), (r * 0.95, 1.45)]
        inner = r * 0.68
    m = revolve([(0, 0.15), *under, *top, (r * 0.5, 0.62), (0, 0.62)], 160, 8)
    rr = np.hypot(m.v[:, 0], m.v[:, 1])
    m = _glazed(m, colour, rim, noise.step(r * 0.955, r * 0.975, rr), finish == "stoneware")
    return Ware(m, finish, 0.64, inner, 2.0)


def bowl(
    radius: float = 9.5,
    depth: float = 7.5,
    colour: Colour = "#efece6",
    rim: Colour | None = None,
    finish: str = "ceramic",
    foot: float = 0.45,
    outside: Colour | None = None,
) -> Ware:
    """Deep bowl with a foot ring; depth is its whole height."""
    r, d = radius, depth
    out = [(r * foot, 0), (r * foot, 0), (r * foot, 0.7), (r * 0.72, d * 0.25), (r * 0.93, d * 0.6)]
    lip = [(r, d * 0.97), (r * 0.99, d), (r * 0.965, d * 0.97)]
    ins = [(r * 0.9, d * 0.62), (r * 0.7, d * 0.3), (r * 0.4, d * 0.14), (0, d * 0.12)]
    m = revolve([(0, 0.3), (r * foot * 0.8, 0.3), *out, *lip, *ins], 160, 8)
    at = noise.step(d * 0.955, d * 0.975, m.v[:, 2])
    n = m.normals()
    outer = (m.v * n)[:, :2].sum(1) > 0
    m = _glazed(m, colour, None, at, finish == "stoneware")
    if outside is not None:
        m = m.tinted(outer * 1.0, outside)
    if rim is not None:
        m = m.tinted(at, rim)
    return Ware(m, finish, d * 0.13, r * 0.6, d)


def any_plate(rng: np.random.Generator, radius: float = 13.5) -> Ware:
    """A plate of a random make."""
    colour, rim, kind = PLATE_COLOURS[rng.integers(len(PLATE_COLOURS))]
    return plate(radius, colour, rim, kind, coupe=bool(rng.random() < 0.5))


def any_bowl(rng: np.random.Generator, radius: float = 9.5, depth: float = 7.5) -> Ware:
    """A bowl of a random make."""
    colour, rim, kind = PLATE_COLOURS[rng.integers(len(PLATE_COLOURS))]
    return bowl(radius, depth, colour, rim, kind)


def _wooden(m: Mesh, seed: int, dark: bool = False) -> Mesh:
    p = m.v * np.array([0.06, 0.9, 0.9])
    t = noise.fbm(p + 0.4 * noise.fbm(m.v, 0.1, 2, seed=seed)[:, None], 1.0, 4, seed=seed)
    stops = ("#3f2616", "#60402a", "#7d5638") if dark else ("#93653a", "#b98652", "#d0a36d")
    return m.painted(ramp(t * 0.6 + 0.5, *stops))


def round_board(radius: float = 17, seed: int = 0, dark: bool = False) -> Ware:
    """Round wooden board."""
    p = [(0, 0), (radius, 0), (radius, 0), (radius, 1.5), (radius, 1.5), (radius * 0.98, 1.6)]
    rows = [(radius * k, 1.6) for k in np.linspace(0.97, 0, 120)]
    m = revolve(p, 300, 4)
    m = join([m, revolve([(radius * 0.98, 1.6), *rows], 300, 1)])
    return Ware(_wooden(m, seed, dark), "wood", 1.6, radius, 1.6)


def board(x: float = 36, y: float = 26, seed: int = 0, dark: bool = False) -> Ware:
    """Rectangular wooden board, 1.8 cm thick."""
    m = rounded_box(x, y, 1.8, 0.35, 130).moved(z=0.9)
    return Ware(_wooden(m, seed, dark), "wood", 1.8, min(x, y) / 2, 1.8)


def pan(radius: float = 13, depth: float = 4.5, colour: Colour = "#1d1c1b") -> Ware:
    """Iron pan with a handle towards +x."""
    r = radius
    prof = [(0, 0), (r * 0.86, 0), (r * 0.9, 0.1), (r, depth), (r * 0.98, depth + 0.1)]
    prof += [(r * 0.95, depth - 0.2), (r * 0.87, 0.6), (r * 0.82, 0.4), (0, 0.4)]
    hand = smooth_path([(r * 0.97, 0, depth * 0.8), (r * 1.5, 0, depth), (r * 2.1, 0, depth + 1)])
    m = join([revolve(prof, 160, 6), tube(hand, np.linspace(1.0, 1.3, len(hand)), 16, flat=0.45)])
    m = m.painted(colour)
    return Ware(m.shaded(1 + 0.3 * noise.fbm(m.v, 1.2, 3, seed=5)), "pan", 0.42, r * 0.84, depth)


def baking_paper(x: float = 30, y: float = 30, seed: int = 0, colour: Colour = "#d9c8a8") -> Mesh:
    """Crumpled baking paper at z = 0 (finish "matte")."""
    from .geometry import sheet

    def height(gx: np.ndarray, gy: np.ndarray) -> np.ndarray:
        p = np.stack([gx, gy], -1)
        edge = np.maximum(np.abs(gx) / x, np.abs(gy) / y) * 2
        crease = np.abs(noise.fbm(p, 0.16, 3, seed=seed))
        return 0.06 + 0.25 * crease + 0.9 * noise.step(0.86, 1.05, edge) * (0.5 + crease)

    m = sheet(x, y, height, 160).painted(colour)
    return m.shaded(1 + 0.06 * noise.fbm(m.v, 0.5, 3, seed=seed))


def glass(radius: float = 3.6, height: float = 11, foot: bool = False) -> Ware:
    """Clear tumbler, or stemmed glass (foot); finish "glass" is a thin sheet without refraction."""
    r, h = radius, height
    if foot:
        p = [(r * 0.9, 0), (r * 0.9, 0.1), (r * 0.2, 0.4), (0.35, 1), (0.35, h * 0.45)]
        p += [(r * 0.6, h * 0.52), (r, h * 0.7), (r * 0.95, h)]
        return Ware(revolve(p, 96, 8), "glass", h * 0.5, r * 0.9, h)
    p = [(0, 0.05), (r * 0.8, 0.05), (r * 0.84, 0.15), (r * 0.92, h * 0.5), (r, h)]
    return Ware(revolve(p, 96, 8), "glass", 0.5, r * 0.84, h)


def chopsticks(length: float = 23, colour: Colour = "#3a1f14") -> Mesh:
    """A pair side by side along x, lying on z = 0 (finish "wood")."""
    pair = []
    for y, turn in ((-0.6, 1.0), (0.6, -1.2)):
        path = np.stack([np.linspace(-length / 2, length / 2, 30), np.zeros(30), np.zeros(30)], 1)
        stick = tube(path, np.linspace(0.2, 0.4, 30), 10).moved(y=y, z=0.4).turned("z", turn)
        pair.append(stick)
    m = join(pair).painted(colour)
    return m.tinted((m.v[:, 0] > length * 0.34) * 1.0, "#b08a4e")


def spoon(length: float = 19) -> Mesh:
    """Table spoon along x, bowl at +x, lying on z = 0 (finish "metal", colour steel)."""
    hand = smooth_path(
        [(-length / 2, 0, 0.5), (-length / 4, 0, 0.9), (length / 6, 0, 0.6), (length / 4, 0, 0.5)]
    )
    stem = tube(hand, np.linspace(0.75, 0.35, len(hand)), 12, flat=0.3)
    u, a = np.meshgrid(np.linspace(0, 1, 16), np.linspace(0, 2 * np.pi, 40), indexing="ij")
    x, y = u * np.cos(a) * 3.2, u * np.sin(a) * 2.0
    from .geometry import grid_faces

    v = np.stack([x + length / 4 + 3, y, 0.1 + 0.75 * u**2], -1).reshape(-1, 3)
    dish = Mesh(v, grid_faces(16, 40), np.zeros((len(v), 3), np.float32))
    return join([stem, dish]).painted("#c9c6c0")


def fork(length: float = 19) -> Mesh:
    """Table fork along x, tines at +x, lying on z = 0 (finish "metal")."""
    e = length / 2
    hand = smooth_path([(-e, 0, 0.5), (-e * 0.4, 0, 0.9), (e * 0.3, 0, 0.5), (e * 0.5, 0, 0.4)])
    parts = [tube(hand, np.linspace(0.8, 0.4, len(hand)), 12, flat=0.3)]
    for y in (-0.9, -0.3, 0.3, 0.9):
        path = smooth_path(
            [(e * 0.44, y * 0.3, 0.45), (e * 0.55, y, 0.35), (e * 0.8, y, 0.5), (e, y * 0.95, 0.95)]
        )
        parts.append(tube(path, np.linspace(0.32, 0.12, len(path)), 8, flat=0.5))
    return join(parts).painted("#c9c6c0")


def knife(length: float = 22) -> Mesh:
    """Table knife along x, blade at +x, lying on z = 0 (finish "metal")."""
    e = length / 2
    hand = smooth_path([(-e, 0, 0.45), (-e * 0.5, 0, 0.5), (0, 0, 0.45)])
    blade = smooth_path([(0, 0, 0.4), (e * 0.4, 0.1, 0.35), (e * 0.85, 0.2, 0.3), (e, 0.5, 0.3)])
    thin = np.interp(np.linspace(0, 1, len(blade)), [0, 0.1, 0.8, 1], [0.4, 0.95, 0.95, 0.1])
    parts = [tube(hand, np.linspace(0.75, 0.6, len(hand)), 12, flat=0.5)]
    parts.append(tube(blade, thin, 14, flat=0.12))
    return join(parts).painted("#c9c6c0")
