"""Which photos are copies of one another, byte for byte or re-encoded."""

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

THUMBNAIL_SIDE = 16
MIN_CORRELATION = 0.97
"""On the Kaggle photos every pair looked at above it was one photo, saved or toned anew."""
MIN_CONTRAST = 10.0
"""Standard deviation, in grey levels; below it a thumbnail is blank and correlates by chance."""


def thumbnail(rgb: np.ndarray) -> np.ndarray:
    """Shrink a decoded photo to a uint8 vector of 16 x 16 x 3 values, for ``photo_groups``."""
    size = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).ravel()


def photo_groups(hashes: Sequence[str], thumbnails: np.ndarray) -> np.ndarray:
    """Number the photos so that copies of one photo share a number.

    Two photos are copies if their bytes are the same, or if their thumbnails correlate at 0.97 or
    more; this holds along chains.

    Args:
        hashes: a hash of each file's bytes.
        thumbnails: uint8 array of shape (n, 768), from ``thumbnail``.

    Returns:
        int64 array of shape (n,); a group's number is the index of its first photo.
    """
    count = len(hashes)
    _, first, same = np.unique(np.asarray(hashes), return_index=True, return_inverse=True)
    pairs = [np.stack([np.arange(count), first[same]])]
    centred = thumbnails.astype(np.float32)
    contrast = centred.std(axis=1)
    centred -= centred.mean(axis=1, keepdims=True)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    plain = np.flatnonzero(contrast >= MIN_CONTRAST)
    centred = centred[plain]
    for start in range(0, len(plain), 1024):
        near = np.argwhere(centred[start : start + 1024] @ centred.T >= MIN_CORRELATION)
        pairs.append(np.stack([plain[near[:, 0] + start], plain[near[:, 1]]]))
    rows, columns = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    _, first, group = np.unique(component, return_index=True, return_inverse=True)
    return first[group].astype(np.int64)
