"""From linear light to a finished photograph: exposure, white balance, tone curve, JPEG size."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter


def develop(
    light: np.ndarray, rng: np.random.Generator, size: int, key: float = 0.42
) -> Image.Image:
    """Expose on the picture's middle, balance warm, apply a filmic curve and scale down.

    key is the wanted mean brightness of the middle of the picture: 0.3 moody, 0.5 airy.
    """
    h, w = light.shape[:2]
    lum = light @ np.array([0.2126, 0.7152, 0.0722])
    middle = lum[h // 6 : -h // 6, w // 6 : -w // 6]
    mean = np.exp(np.log(middle + 1e-3).mean()) * 0.5 + np.median(middle) * 0.5
    gain = key * rng.uniform(0.93, 1.07) * 0.5 / max(mean, 1e-3)
    bright = 0.85 / max(np.quantile(middle, 0.9), 1e-3)
    gain = np.sqrt(gain * bright * key / 0.44)
    gain = min(gain, 1.5 / np.quantile(lum, 0.985))
    warm = rng.uniform(0.0, 0.05)
    x = light * gain * np.array([1 + warm, 1.0, 1 - warm * 1.3])
    yy, xx = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    x = x * (1 - 0.1 * (xx**2 + yy**2))[..., None]
    x = (np.maximum(x, 0) * 0.9) ** 1.12
    film = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)
    film = film / film_white()
    srgb = np.where(
        film <= 0.0031308, film * 12.92, 1.055 * np.maximum(film, 1e-6) ** (1 / 2.4) - 0.055
    )
    grey = srgb.mean(2, keepdims=True)
    srgb = np.clip(grey + (srgb - grey) * 1.06, 0, 1)
    img = Image.fromarray((srgb * 255 + 0.5).astype(np.uint8))
    scale = size / min(w, h)
    img = img.resize((round(w * scale), round(h * scale)), Image.Resampling.LANCZOS)
    return img.filter(ImageFilter.UnsharpMask(radius=1.0, percent=45, threshold=2))


def film_white(top: float = 3.0) -> float:
    """Value of the tone curve at `top`, so that this light comes out white."""
    return (top * (2.51 * top + 0.03)) / (top * (2.43 * top + 0.59) + 0.14)
