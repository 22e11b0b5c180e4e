"""Procedural noise sampled at arbitrary 3-D points, deterministic by seed."""

from __future__ import annotations

import numpy as np

_SIZE = 64
_LATTICE = np.random.default_rng(20240607).random((_SIZE,) * 3).astype(np.float32).ravel()


def _offset(seed: int) -> np.ndarray:
    return np.random.default_rng(seed & 0xFFFFFFFF).random(3) * _SIZE


def _points(p: np.ndarray) -> np.ndarray:
    p = np.asarray(p, dtype=np.float32)
    if p.shape[-1] == 2:
        p = np.concatenate([p, np.zeros_like(p[..., :1])], axis=-1)
    return p


def value(p: np.ndarray, freq: float = 1.0, seed: int = 0) -> np.ndarray:
    """Smooth value noise in [-1, 1] at points p (..., 2 or 3)."""
    q = _points(p) * freq + _offset(seed).astype(np.float32)
    base = np.floor(q)
    t = q - base
    t = t * t * (3 - 2 * t)
    i = base.astype(np.int32) % _SIZE
    j = (i + 1) % _SIZE
    x0, x1 = i[..., 0] * _SIZE * _SIZE, j[..., 0] * _SIZE * _SIZE
    y0, y1 = i[..., 1] * _SIZE, j[..., 1] * _SIZE
    z0, z1 = i[..., 2], j[..., 2]
    tx, ty, tz = t[..., 0], t[..., 1], t[..., 2]
    a = _LATTICE[x0 + y0 + z0] * (1 - tx) + _LATTICE[x1 + y0 + z0] * tx
    b = _LATTICE[x0 + y1 + z0] * (1 - tx) + _LATTICE[x1 + y1 + z0] * tx
    c = _LATTICE[x0 + y0 + z1] * (1 - tx) + _LATTICE[x1 + y0 + z1] * tx
    d = _LATTICE[x0 + y1 + z1] * (1 - tx) + _LATTICE[x1 + y1 + z1] * tx
    return ((a * (1 - ty) + b * ty) * (1 - tz) + (c * (1 - ty) + d * ty) * tz) * 2 - 1


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
