"""Noise removal for few-sample renders, guided by albedo and normals, in plain numpy."""

from __future__ import annotations

import numpy as np


def _box(x: np.ndarray, r: int) -> np.ndarray:
    k = 2 * r + 1
    for axis in (0, 1):
        pad = [(0, 0)] * x.ndim
        pad[axis] = (r + 1, r)
        s = np.cumsum(np.pad(x, pad, mode="edge"), axis=axis, dtype=np.float32)
        n = x.shape[axis]
        s = np.moveaxis(s, axis, 0)
        x = np.moveaxis((s[k : k + n] - s[:n]) / k, 0, axis)
    return x


def denoise(
    colour: np.ndarray,
    albedo: np.ndarray,
    normal: np.ndarray,
    reach: int = 5,
    strength: float = 0.55,
) -> np.ndarray:
    """Non-local means on the light (colour / albedo), stopped at albedo and normal edges.

    Dividing by albedo first keeps painted texture sharp: only the noise of the light is averaged.
    Two pixels weigh each other alike, so half of the offsets give the weights of all.
    """
    base = np.clip(albedo, 0, 1) + 0.04
    light = colour / base
    # fireflies: no pixel may outshine its second-brightest neighbourhood by much
    lum = light.mean(2)
    ring = np.stack(
        [np.roll(lum, s, (0, 1)) for s in ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1))]
    )
    cap = np.sort(ring, 0)[-2] * 1.1 + 0.02
    light = light * np.minimum(1, cap / np.maximum(lum, 1e-6))[..., None]
    t = np.log1p(light)
    total = light.copy()
    weight = np.ones(light.shape[:2] + (1,), np.float32)
    guide = np.concatenate([t, albedo, normal], 2).astype(np.float32)
    parts = (slice(0, 3), slice(3, 6), slice(6, 9))
    for dy in range(-reach, 1):
        for dx in range(-reach, reach + 1):
            if dx * dx + dy * dy > reach * reach + 1 or (dy == 0 and dx >= 0):
                continue
            step, back = (dy, dx), (-dy, -dx)
            d = (guide - np.roll(guide, step, (0, 1))) ** 2
            light_d, albedo_d, normal_d = (d[..., k].sum(2) for k in parts)
            e = _box(light_d, 1) / (0.27 * strength) + albedo_d / 0.06 + normal_d / 0.35
            w = np.exp(-e - (dx * dx + dy * dy) / (2 * (0.6 * reach) ** 2))[..., None]
            total += w * np.roll(light, step, (0, 1))
            weight += w
            w = np.roll(w, back, (0, 1))
            total += w * np.roll(light, back, (0, 1))
            weight += w
    return total / weight * base
