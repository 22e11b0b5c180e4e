"""Views of a photo as a stranger's phone might have taken it, for training."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from itadaki.photos.images import load_rgb, preprocess

_SEED = 2025
_TURN = 20.0  # degrees
_MIN_AREA, _MAX_AREA = 0.3, 1.0


def views(paths: Sequence[Path], rows: Sequence[int], number: int) -> np.ndarray:
    """Views of photos, each by a seed of its own.

    Args:
        paths: n photos.
        rows: n numbers, which with the view's decide what it is.
        number: 0 for the photos as the bank sees them, else an augmented view.

    Returns:
        uint8 array of shape (n, 224, 224, 3), as ``preprocess`` has it.
    """
    found = []
    for path, row in zip(paths, rows, strict=True):
        rgb = load_rgb(path)
        if number:
            rgb = augmented_view(rgb, np.random.default_rng((_SEED, number, row)))
        found.append(preprocess(rgb).astype(np.uint8))
    return np.stack(found)


def augmented_view(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another photo of the same dish: other crop, angle, light, focus and compression.

    A window of 30 to 100% of the area with sides 3:4 to 4:3 (the random resized crop of Szegedy
    et al. 2015), mirrored half of the time, then by chance turned by up to 20 degrees, in other
    light (brightness, contrast, saturation, white balance), blurred, noisy, or compressed anew.

    Args:
        rgb: uint8 array of shape (height, width, 3).
        rng: decides everything.

    Returns:
        uint8 array of shape (h, w, 3), at most as large as the photo.
    """
    view = _window(rgb, rng)
    if rng.random() < 0.5:
        view = cv2.flip(view, 1)
    if rng.random() < 0.4:
        view = _turned(view, rng.uniform(-_TURN, _TURN))
    if rng.random() < 0.8:
        view = _relit(view, rng)
    if rng.random() < 0.25:
        view = cv2.GaussianBlur(view, (0, 0), rng.uniform(0.004, 0.012) * max(view.shape))
    if rng.random() < 0.2:
        noise = rng.uniform(4, 16) * rng.standard_normal(view.shape, dtype=np.float32)
        view = (view + noise).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 70))]
        _, compressed = cv2.imencode(".jpg", view[..., ::-1], quality)
        decoded = cv2.imdecode(compressed, cv2.IMREAD_COLOR)
        assert decoded is not None
        view = decoded[..., ::-1]
    return np.ascontiguousarray(view)


def _window(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = rgb.shape[:2]
    area = height * width * rng.uniform(_MIN_AREA, _MAX_AREA)
    ratio = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
    columns = int(np.clip(round((area * ratio) ** 0.5), 1, width))
    rows = int(np.clip(round((area / ratio) ** 0.5), 1, height))
    top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
    return rgb[top : top + rows, left : left + columns]


def _turned(rgb: np.ndarray, degrees: float) -> np.ndarray:
    height, width = rgb.shape[:2]
    rotation = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.15)
    return cv2.warpAffine(rgb, rotation, (width, height), borderMode=cv2.BORDER_REFLECT_101)


def _relit(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lamp light, dusk or a bright window: gamma, white balance, contrast and saturation."""
    grey = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    saturation = rng.uniform(0.6, 1.4)
    rgb = cv2.addWeighted(rgb, saturation, grey, 1 - saturation, 0)
    gains = rng.uniform(0.75, 1.2) * np.array([rng.uniform(0.9, 1.1), 1, rng.uniform(0.85, 1.15)])
    levels = gains * (np.arange(256)[:, None] / 255) ** np.exp(rng.uniform(-0.4, 0.4))
    middle = levels[int(grey.mean())].mean()
    levels = middle + (levels - middle) * rng.uniform(0.75, 1.25)
    return cv2.LUT(rgb, (levels * 255).clip(0, 255).astype(np.uint8)[None])
