"""Placing things: even random points, and a height map on which pieces come to rest."""

from __future__ import annotations

import numpy as np

from .geometry import Mesh


def poisson(
    rng: np.random.Generator, radius: float, gap: float, limit: int = 400, inner: float = 0
) -> np.ndarray:
    """Points (N, 2) in a disc (or annulus from `inner`), no two closer than gap, random order."""
    kept: list[np.ndarray] = []
    for _ in range(limit * 30):
        r = np.sqrt(rng.uniform((inner / radius) ** 2, 1)) * radius
        a = rng.uniform(0, 2 * np.pi)
        p = np.array([r * np.cos(a), r * np.sin(a)])
        if all(np.hypot(*(p - q)) >= gap for q in kept):
            kept.append(p)
            if len(kept) >= limit:
                break
    return np.array(kept).reshape(-1, 2)


def spread(rng: np.random.Generator, radius: float, count: int, inner: float = 0) -> np.ndarray:
    """`count` points in a disc, as evenly spaced as best-candidate sampling makes them."""
    kept = np.empty((0, 2))
    for _ in range(count):
        r = np.sqrt(rng.uniform((inner / radius) ** 2, 1, 24)) * radius
        a = rng.uniform(0, 2 * np.pi, 24)
        cand = np.stack([r * np.cos(a), r * np.sin(a)], 1)
        if len(kept):
            d = np.linalg.norm(cand[:, None] - kept[None], axis=2).min(1)
            cand = cand[d.argmax()][None]
        kept = np.concatenate([kept, cand[:1]])
    return kept


class HeightMap:
    """What lies where: the highest surface over a square of the table around the origin."""

    def __init__(self, half: float = 24, cell: float = 0.12) -> None:
        self.half, self.cell = half, cell
        n = int(2 * half / cell)
        self.z = np.zeros((n, n), np.float32)

    def _index(self, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        i = ((np.asarray(xy) + self.half) / self.cell).astype(int)
        i = np.clip(i, 0, len(self.z) - 1)
        return i[..., 0], i[..., 1]

    def at(self, xy: np.ndarray) -> np.ndarray:
        """Height under points (..., 2)."""
        return self.z[self._index(np.asarray(xy))]

    def raise_by(self, mesh: Mesh) -> None:
        """Record a mesh that stays where it is."""
        a, b, c = (mesh.v[mesh.f[:, k]] for k in range(3))
        span = np.abs(a - b).max(1).max() if len(a) else 0
        k = int(np.clip(span / self.cell, 1, 6))
        flat = self.z.reshape(-1)
        for i in range(k + 1):
            for j in range(k + 1 - i):
                p = a + (b - a) * (i / k) + (c - a) * (j / k)
                row, column = self._index(p[:, :2])
                np.maximum.at(flat, row * len(self.z) + column, p[:, 2].astype(np.float32))

    def slope(self, x: float, y: float, reach: float) -> tuple[float, float]:
        """Mean slope (dz/dx, dz/dy) over +-reach around a point."""
        h = self.at(np.array([[x + reach, y], [x - reach, y], [x, y + reach], [x, y - reach]]))
        return float(h[0] - h[1]) / (2 * reach), float(h[2] - h[3]) / (2 * reach)

    def rest(self, mesh: Mesh, x: float, y: float, sink: float = 0.0, lean: float = 0.7) -> Mesh:
        """The mesh moved to (x, y), leant to the slope below and lowered until it touches.

        sink in 0..1 lets it settle: the share of its underside allowed below the surface.
        """
        reach = max(float(np.ptp(mesh.v[:, :2], axis=0).max()) / 2.5, self.cell)
        sx, sy = np.clip(self.slope(x, y, reach), -0.7, 0.7)
        m = mesh.turned("y", -np.degrees(np.arctan(sx)) * lean)
        m = m.turned("x", np.degrees(np.arctan(sy)) * lean)
        m = m.moved(x, y)
        need = self.at(m.v[:, :2]) - m.v[:, 2]
        low = m.v[:, 2] < np.quantile(m.v[:, 2], 0.5) + 1e-6
        return m.moved(z=float(np.quantile(need[low], 1 - sink)))


def on_surface(mesh: Mesh, count: int, rng: np.random.Generator, floor: float = 0.1) -> np.ndarray:
    """Random points (count, 3) on a mesh, even by area, none below `floor` or on undersides."""
    a, b, c = (mesh.v[mesh.f[:, k]] for k in range(3))
    cross = np.cross(b - a, c - a)
    area = np.linalg.norm(cross, axis=1)
    area = area * (cross[:, 2] > -0.6 * area) * (a[:, 2] > floor)
    pick = rng.choice(len(area), count, p=area / area.sum())
    u, w = rng.random((2, count, 1))
    flip = u + w > 1
    u, w = np.where(flip, 1 - u, u), np.where(flip, 1 - w, w)
    return a[pick] + (b - a)[pick] * u + (c - a)[pick] * w
