"""Procedural noise sampled at arbitrary 3-D points, deterministic by seed."""

from __future__ import annotations

import numpy as np

_SIZE = 64
_LATTICE = np.random.default_rng(20240607).random((_SIZE,) * 3).astype(np.float32).ravel()


def _offset(seed: int) -> np.ndarray:
    return np.random.default_rng(seed & 0xFFFFFFFF).random(3) * _SIZE


def _corners(q: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lattice index below and above q along one axis, and the smooth share of the upper one."""
    base = np.floor(q)
    t = q - base
    i = base.astype(np.int32) & (_SIZE - 1)
    return i, (i + 1) & (_SIZE - 1), t * t * (3 - 2 * t)


def value(p: np.ndarray, freq: float = 1.0, seed: int = 0) -> np.ndarray:
    """Smooth value noise in [-1, 1] at points p (..., 2 or 3)."""
    p = np.asarray(p, dtype=np.float32)
    offset = _offset(seed).astype(np.float32)
    x0, x1, tx = _corners(p[..., 0] * freq + offset[0])
    y0, y1, ty = _corners(p[..., 1] * freq + offset[1])
    z0, z1, tz = _corners(p[..., 2] * freq + offset[2] if p.shape[-1] == 3 else offset[2:])
    x0, x1, y0, y1 = x0 * _SIZE**2, x1 * _SIZE**2, y0 * _SIZE, y1 * _SIZE
    ux, uy = 1 - tx, 1 - ty

    def plane(z: np.ndarray) -> np.ndarray:
        near, far = y0 + z, y1 + z
        a = _LATTICE[x0 + near] * ux + _LATTICE[x1 + near] * tx
        b = _LATTICE[x0 + far] * ux + _LATTICE[x1 + far] * tx
        return a * uy + b * ty

    return (plane(z0) * (1 - tz) + plane(z1) * tz) * 2 - 1


def fbm(
    p: np.ndarray, freq: float = 1.0, octaves: int = 4, gain: float = 0.5, seed: int = 0
) -> np.ndarray:
    """Sum of `octaves` noises of doubling frequency, about in [-1, 1]."""
    total, amp, norm = 0.0, 1.0, 0.0
    for k in range(octaves):
        total = total + amp * value(p, freq * 2.03**k, seed + 101 * k)
        norm += amp
        amp *= gain
    return total / norm * 1.4


def cells(p: np.ndarray, freq: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Worley noise in the xy plane: (distance to the nearest point, a random value per cell)."""
    q = np.asarray(p, dtype=np.float32)[..., :2] * freq + _offset(seed)[:2].astype(np.float32)
    base = np.floor(q).astype(np.int32)
    best = np.full(q.shape[:-1], 9.0, np.float32)
    ident = np.zeros_like(best)
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            cx, cy = base[..., 0] + dx, base[..., 1] + dy
            k = (cx % _SIZE) * _SIZE * _SIZE + (cy % _SIZE) * _SIZE
            d = np.hypot(cx + _LATTICE[k] - q[..., 0], cy + _LATTICE[k + 1] - q[..., 1])
            near = d < best
            best = np.where(near, d, best)
            ident = np.where(near, _LATTICE[k + 2], ident)
    return best, ident


def step(lo: float, hi: float, x: np.ndarray) -> np.ndarray:
    """Smoothstep of x from 0 at lo to 1 at hi (lo may exceed hi)."""
    t = np.clip((np.asarray(x) - lo) / (hi - lo), 0, 1)
    return t * t * (3 - 2 * t)
