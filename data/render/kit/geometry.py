"""Coloured triangle meshes and the builders that make food shapes (centimetres, z up)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from . import noise

Colour = str | Sequence[float]


def rgb(colour: Colour) -> np.ndarray:
    """Linear RGB of "#rrggbb" or of an sRGB triple in 0..1."""
    if isinstance(colour, str):
        h = colour.lstrip("#")
        colour = [int(h[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    c = np.asarray(colour, dtype=np.float32)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4).astype(np.float32)


def ramp(t: np.ndarray, *colours: Colour) -> np.ndarray:
    """Linear colours along evenly spaced stops, t in 0..1 (clipped)."""
    stops = np.stack([rgb(c) for c in colours])
    x = np.clip(np.asarray(t, dtype=np.float32), 0, 1) * (len(stops) - 1)
    i = np.minimum(x.astype(int), len(stops) - 2)
    w = (x - i)[..., None]
    return stops[i] * (1 - w) + stops[i + 1] * w


def rotation(axis: str, degrees: float) -> np.ndarray:
    """3x3 rotation about "x", "y" or "z"."""
    a = np.radians(degrees)
    c, s = np.cos(a), np.sin(a)
    return np.array(
        {
            "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
            "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
            "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
        }[axis]
    )


@dataclass
class Mesh:
    """Vertices, triangles and one linear RGB colour per vertex."""

    v: np.ndarray
    f: np.ndarray
    c: np.ndarray

    def copy(self) -> Mesh:
        """An independent copy."""
        return Mesh(self.v.copy(), self.f.copy(), self.c.copy())

    def moved(self, x: float = 0, y: float = 0, z: float = 0) -> Mesh:
        """Copy shifted by (x, y, z)."""
        return Mesh(self.v + np.array([x, y, z]), self.f, self.c.copy())

    def scaled(self, x: float, y: float | None = None, z: float | None = None) -> Mesh:
        """Copy scaled about the origin, uniformly if only x is given."""
        s = np.array([x, x if y is None else y, x if z is None else z])
        return Mesh(self.v * s, self.f, self.c.copy())

    def turned(self, axis: str, degrees: float) -> Mesh:
        """Copy rotated about an axis through the origin."""
        return Mesh(self.v @ rotation(axis, degrees).T, self.f, self.c.copy())

    def spun(self, rng: np.random.Generator, tilt: float = 0) -> Mesh:
        """Copy turned at random about z, tilted first by up to `tilt` degrees."""
        m = self.turned("x", rng.uniform(-tilt, tilt)).turned("y", rng.uniform(-tilt, tilt))
        return m.turned("z", rng.uniform(0, 360))

    def painted(self, colour: Colour | np.ndarray) -> Mesh:
        """Copy in one colour, or with a linear (N, 3) array as colours."""
        if isinstance(colour, np.ndarray) and colour.ndim == 2:
            return Mesh(self.v, self.f, np.asarray(colour, np.float32))
        return Mesh(self.v, self.f, np.tile(rgb(colour), (len(self.v), 1)))

    def mottled(
        self, *colours: Colour, freq: float = 1.0, octaves: int = 4, seed: int = 0, gain: float = 1
    ) -> Mesh:
        """Copy coloured by noise along a ramp of colours."""
        t = noise.fbm(self.v, freq, octaves, seed=seed) * 0.75 * gain + 0.5
        return self.painted(ramp(t, *colours))

    def tinted(self, mask: np.ndarray, colour: Colour) -> Mesh:
        """Copy blended towards a colour where the mask (per vertex, 0..1) is high."""
        w = np.clip(mask, 0, 1)[:, None]
        return Mesh(self.v, self.f, (self.c * (1 - w) + rgb(colour) * w).astype(np.float32))

    def shaded(self, factor: np.ndarray | float) -> Mesh:
        """Copy with colours multiplied (keeps them below 0.95)."""
        k = np.asarray(factor, np.float32)
        return Mesh(self.v, self.f, np.clip(self.c * (k[:, None] if k.ndim else k), 0, 0.95))

    def normals(self) -> np.ndarray:
        """Smooth unit vertex normals."""
        a, b, c = (self.v[self.f[:, k]] for k in range(3))
        fn = np.cross(b - a, c - a)
        n = np.zeros_like(self.v)
        for axis in range(3):
            for k in range(3):
                n[:, axis] += np.bincount(self.f[:, k], fn[:, axis], len(self.v))
        return n / np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-9)

    def displaced(self, amount: np.ndarray) -> Mesh:
        """Copy pushed along the normals by an amount per vertex."""
        return Mesh(self.v + self.normals() * np.asarray(amount)[:, None], self.f, self.c.copy())

    def rough(self, amp: float, freq: float, octaves: int = 3, seed: int = 0) -> Mesh:
        """Copy with noise displacement along the normals."""
        return self.displaced(amp * noise.fbm(self.v, freq, octaves, seed=seed))

    def bent(self, radius: float, axis: str = "x") -> Mesh:
        """Copy rolled downwards about a horizontal axis, `radius` above the bend's centre."""
        v = self.v.copy()
        k = 1 if axis == "x" else 0
        a = v[:, k] / radius
        z = v[:, 2]
        v[:, k], v[:, 2] = (radius + z) * np.sin(a), (radius + z) * np.cos(a) - radius
        return Mesh(v, self.f, self.c.copy())

    def jittered(self, rng: np.random.Generator, amount: float = 0.1) -> Mesh:
        """Copy with one random brightness and slight hue change: no two pieces are alike."""
        k = (1 + rng.normal(0, amount)) * (1 + rng.normal(0, amount * 0.3, 3))
        return Mesh(self.v, self.f, np.clip(self.c * k, 0.003, 0.92).astype(np.float32))


def join(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh out of many."""
    off = np.cumsum([0] + [len(m.v) for m in meshes[:-1]])
    return Mesh(
        np.concatenate([m.v for m in meshes]),
        np.concatenate([m.f + o for m, o in zip(meshes, off, strict=True)]),
        np.concatenate([m.c for m in meshes]),
    )


def grid_faces(rows: int, cols: int, wrap: bool = False) -> np.ndarray:
    """Triangles of a rows x cols vertex grid, the columns closed if wrap."""
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(cols if wrap else cols - 1), indexing="ij")
    a, b = (r * cols + c).ravel(), (r * cols + (c + 1) % cols).ravel()
    d, e = a + cols, b + cols
    return np.concatenate([np.stack([a, b, e], 1), np.stack([a, e, d], 1)])


def _grey(v: np.ndarray, f: np.ndarray) -> Mesh:
    return Mesh(np.asarray(v, float), f, np.full((len(v), 3), 0.5, np.float32))


def smooth_path(
    points: Sequence[Sequence[float]], per: int = 8, closed: bool = False
) -> np.ndarray:
    """Catmull-Rom curve through the points with `per` samples per span."""
    p = np.asarray(points, float)
    q = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, per, endpoint=False)[None, :, None]
    a, b, c, d = (q[k : len(q) - 3 + k, None] for k in range(4))
    s = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    s = s.reshape(-1, p.shape[1])
    return s if closed else np.concatenate([s, p[-1:]])


def revolve(profile: Sequence[Sequence[float]], sides: int = 128, per: int = 6) -> Mesh:
    """Surface of revolution of a smoothed (radius, z) profile; go bottom, outside, rim, inside.

    Repeat a point to make a sharper corner. per=1 keeps the profile as given.
    """
    p = smooth_path(profile, per) if per > 1 else np.asarray(profile, float)
    a = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    r = np.maximum(p[:, :1], 1e-4)
    v = np.stack([r * np.cos(a), r * np.sin(a), np.repeat(p[:, 1:], sides, 1)], -1).reshape(-1, 3)
    return _grey(v, grid_faces(len(p), sides, wrap=True))


def tube(
    path: np.ndarray,
    radius: float | np.ndarray,
    sides: int = 8,
    closed: bool = False,
    flat: float = 1.0,
) -> Mesh:
    """Swept round section along a path (K, 3); flat < 1 squashes it (tagliatelle, onion)."""
    p = np.asarray(path, float)
    k = len(p)
    r = np.broadcast_to(np.asarray(radius, float), (k,))
    if closed:
        t = np.roll(p, -1, 0) - np.roll(p, 1, 0)
    else:
        t = np.gradient(p, axis=0)
    t /= np.maximum(np.linalg.norm(t, axis=1, keepdims=True), 1e-9)
    up = np.array([0.0, 0.0, 1.0])
    n = up - t * (t @ up)[:, None]
    weak = np.linalg.norm(n, axis=1) < 0.2
    n[weak] = np.array([1.0, 0, 0]) - t[weak] * t[weak, :1]
    n /= np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-9)
    b = np.cross(t, n)
    a = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = n[:, None] * (np.cos(a) * flat)[None, :, None] + b[:, None] * np.sin(a)[None, :, None]
    v = p[:, None] + ring * r[:, None, None]
    rows = k
    if not closed:
        first, last = np.repeat(p[:1, None], sides, 1), np.repeat(p[-1:, None], sides, 1)
        v = np.concatenate([first, v, last])
        rows += 2
    f = grid_faces(rows, sides, wrap=True)
    if closed:
        i = np.arange(sides)
        e, s = (k - 1) * sides + i, i
        e2, s2 = (k - 1) * sides + (i + 1) % sides, (i + 1) % sides
        f = np.concatenate([f, np.stack([e, e2, s2], 1), np.stack([e, s2, s], 1)])
    return _grey(v.reshape(-1, 3), f)


def torus(big: float, small: float, sides: int = 96, ring: int = 40) -> Mesh:
    """A ring lying flat, centred on the origin."""
    a = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    path = np.stack([big * np.cos(a), big * np.sin(a), 0 * a], 1)
    return tube(path, small, ring, closed=True)


def rounded_box(x: float, y: float, z: float, radius: float = 0.2, res: int = 10) -> Mesh:
    """Box of the given full sizes with rounded edges, centred on the origin."""
    half = np.array([x, y, z]) / 2
    r = min(radius, half.min() * 0.999)
    u = np.linspace(-1, 1, res + 1)
    u = np.sign(u) * np.abs(u) ** 0.7
    g = np.stack(np.meshgrid(u, u, indexing="ij"), -1).reshape(-1, 2)
    one = np.ones((len(g), 1))
    faces, verts = [], []
    base = grid_faces(res + 1, res + 1)
    for axis in range(3):
        for sign in (-1, 1):
            p = np.insert(g, axis, sign * one[:, 0], axis=1)
            flip = (sign > 0) == (axis != 1)
            faces.append((base[:, ::-1] if flip else base) + len(verts) * len(g))
            verts.append(p)
    p = np.concatenate(verts) * half
    inner = np.clip(p, -(half - r), half - r)
    d = p - inner
    d /= np.maximum(np.linalg.norm(d, axis=1, keepdims=True), 1e-9)
    v = inner + d * r
    key, inverse = np.unique(np.round(v, 5), axis=0, return_inverse=True)
    f = inverse.reshape(-1)[np.concatenate(faces)]
    return _grey(key, f)


def blob(x: float, y: float | None = None, z: float | None = None, detail: int = 24) -> Mesh:
    """Ellipsoid with the given radii from a cube sphere of even triangles."""
    m = rounded_box(2, 2, 2, 0.999, detail)
    d = m.v / np.linalg.norm(m.v, axis=1, keepdims=True)
    y = x if y is None else y
    return _grey(d * np.array([x, y, x if z is None else z]), m.f)


def slab(
    outline: np.ndarray, thickness: float, bevel: float = 0.08, rings: int = 8, dome: float = 0
) -> Mesh:
    """Slice with a star-shaped (K, 2) outline and rounded rim, resting on z = 0.

    dome > 0 swells the top, dome < 0 makes a cup.
    """
    o = np.asarray(outline, float)
    size = np.linalg.norm(o, axis=1).mean()
    b = min(bevel, thickness / 2)
    turn = np.linspace(0, np.pi, 7)
    inset, z = [1.0 - b / size], [0.0]
    s = np.linspace(0.02, 1 - b / size, rings)
    prof = [(k, 0.0) for k in s]
    prof += [
        (1 - b / size + b / size * np.sin(t), thickness / 2 - (thickness / 2) * np.cos(t))
        for t in turn[1:-1]
    ]
    prof += [(k, thickness) for k in s[::-1]]
    del inset, z
    p = np.array(prof)
    v = np.concatenate(
        [p[:, None, :1] * o[None], np.broadcast_to(p[:, None, 1:], (len(p), len(o), 1))], 2
    )
    v[..., 2] += dome * (1 - p[:, None, 0] ** 2) * (p[:, None, 1] / thickness if dome > 0 else 1)
    v = v.reshape(-1, 3)
    m = _grey(v, grid_faces(len(p), len(o), wrap=True))
    return m.moved(z=-v[:, 2].min())


def circle(radius: float, points: int = 48, wobble: float = 0, seed: int = 0) -> np.ndarray:
    """Outline of a disc, its radius varied by noise of relative size `wobble`."""
    a = np.linspace(0, 2 * np.pi, points, endpoint=False)
    d = np.stack([np.cos(a), np.sin(a)], 1)
    return d * radius * (1 + wobble * noise.fbm(d, 1.3, 3, seed=seed))[:, None]


def polygon(
    points: Sequence[Sequence[float]], samples: int = 64, smooth: bool = True
) -> np.ndarray:
    """Evenly sampled closed outline through the given points, counter-clockwise."""
    p = smooth_path(points, 12, closed=True) if smooth else np.asarray(points, float)
    q = np.concatenate([p, p[:1]])
    s = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(q, axis=0), axis=1))])
    t = np.linspace(0, s[-1], samples, endpoint=False)
    return np.stack([np.interp(t, s, q[:, k]) for k in (0, 1)], 1)


def wedge(radius: float, height: float, degrees: float, bevel: float = 0.15) -> Mesh:
    """Cake or cheese wedge, tip at the origin side, centred on its middle, on z = 0."""
    a = np.radians(np.linspace(-degrees / 2, degrees / 2, 24))
    pts = np.concatenate([[[0, 0]], np.stack([np.cos(a), np.sin(a)], 1) * radius])
    o = polygon(pts, 160, smooth=False) - np.array([radius * 0.62, 0])
    return slab(o, height, bevel, 24)


def disc_field(
    radius: float | Callable[[np.ndarray], np.ndarray],
    height: Callable[[np.ndarray, np.ndarray], np.ndarray],
    rings: int = 120,
    sides: int = 300,
) -> Mesh:
    """Height field z = height(x, y) over a disc (or over radius(angle)): sauce, cheese, soup."""
    a = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    rad = radius(a) if callable(radius) else np.full(sides, radius)
    s = np.sqrt(np.linspace(0, 1, rings)) * 0.5 + np.linspace(0, 1, rings) * 0.5
    x, y = s[:, None] * rad * np.cos(a), s[:, None] * rad * np.sin(a)
    z = np.broadcast_to(height(x, y), x.shape)
    v = np.stack([x, y, z], -1).reshape(-1, 3)
    return _grey(v, grid_faces(rings, sides, wrap=True)[:, ::-1])


def sheet(
    x: float, y: float, height: Callable[[np.ndarray, np.ndarray], np.ndarray], res: int = 120
) -> Mesh:
    """Height field over a rectangle centred on the origin: cloth, nori, lasagne."""
    nx, ny = res, max(2, int(res * y / x))
    gx, gy = np.meshgrid(np.linspace(-x / 2, x / 2, nx), np.linspace(-y / 2, y / 2, ny))
    v = np.stack([gx, gy, np.broadcast_to(height(gx, gy), gx.shape)], -1).reshape(-1, 3)
    return _grey(v, grid_faces(ny, nx))


def leaf(
    length: float,
    width: float,
    bend: float = 0.3,
    fold: float = 0.25,
    wave: float = 0.1,
    lobes: int = 0,
    seed: int = 0,
    colours: Sequence[Colour] = ("#2f6b1f", "#4f8f2e"),
    vein: Colour = "#8fb563",
) -> Mesh:
    """Bent leaf along x with a midrib, side veins and a wavy edge; lobes for rocket or parsley."""
    nu, nv = 44, 25
    u, w = np.meshgrid(np.linspace(0, 1, nu), np.linspace(-1, 1, nv), indexing="ij")
    half = width / 2 * np.sin(np.pi * np.clip(u, 0.001, 1) ** 0.75) ** 0.8
    if lobes:
        half = half * (0.55 + 0.45 * np.abs(np.cos(np.pi * lobes * u)) ** 0.7)
    half = half + width * 0.015
    x, y = u * length, w * half
    p = np.stack([x, y, 0 * x], -1)
    side = np.abs(np.sin((u * 7 - np.abs(w) * 1.6) * np.pi))
    z = bend * length * (np.sin(np.pi * u) * 0.5 - 0.25 * u) + fold * width * np.abs(w) * np.sin(
        np.pi * u
    )
    z = z + wave * width * noise.fbm(p, 2.2 / length * 2, 2, seed=seed) * np.abs(w) ** 1.5 * 2
    z = z - 0.02 * width * (1 - side) * (np.abs(w) < 0.95)
    m = _grey(np.stack([x - length / 2, y, z], -1).reshape(-1, 3), grid_faces(nu, nv)[:, ::-1])
    t = noise.fbm(p, 3 / length, 3, seed=seed + 5).ravel() * 0.5 + 0.5
    m = m.painted(ramp(t, *colours))
    rib = np.exp(-((y / (0.035 * width)) ** 2)) + 0.35 * noise.step(0.18, 0.0, side)
    return m.tinted(rib.ravel() * 0.7, vein)


def copies(
    mesh: Mesh,
    places: np.ndarray,
    rng: np.random.Generator,
    tilt: float = 30,
    size: tuple[float, float] = (0.85, 1.15),
    shade: float = 0.08,
) -> Mesh:
    """Many copies at places (N, 3), each turned, tilted, sized and shaded at random."""
    n = len(places)
    q = rng.normal(size=(n, 3)) * np.radians(tilt) * 0.6
    yaw = rng.uniform(0, 2 * np.pi, n)
    cy, sy = np.cos(yaw), np.sin(yaw)
    cx, sx, ct, st = np.cos(q[:, 0]), np.sin(q[:, 0]), np.cos(q[:, 1]), np.sin(q[:, 1])
    zero, one = np.zeros(n), np.ones(n)
    rz = np.stack([cy, -sy, zero, sy, cy, zero, zero, zero, one], 1).reshape(n, 3, 3)
    rx = np.stack([one, zero, zero, zero, cx, -sx, zero, sx, cx], 1).reshape(n, 3, 3)
    ry = np.stack([ct, zero, st, zero, one, zero, -st, zero, ct], 1).reshape(n, 3, 3)
    rot = rz @ rx @ ry
    s = rng.uniform(*size, n)[:, None, None]
    v = np.einsum("nij,kj->nki", rot, mesh.v) * s + np.asarray(places)[:, None]
    f = mesh.f[None] + (np.arange(n) * len(mesh.v))[:, None, None]
    c = mesh.c[None] * (1 + rng.normal(0, shade, (n, 1, 1)) + rng.normal(0, shade / 4, (n, 1, 3)))
    return Mesh(v.reshape(-1, 3), f.reshape(-1, 3), np.clip(c, 0.003, 0.93).reshape(-1, 3))
