"""Which photos are copies of one another, byte for byte or re-encoded."""

from collections.abc import Sequence

import cv2
import numpy as np

THUMBNAIL_SIDE = 16
MIN_CORRELATION = 0.97
"""On the Kaggle photos every pair looked at above it was one photo, saved or toned anew."""
MIN_CONTRAST = 10.0
"""Standard deviation, in grey levels; below it a thumbnail is blank and correlates by chance."""
_BLOCK = 512


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
    return _numbered([_same_bytes(hashes), _alike(thumbnails, np.arange(len(hashes)))], len(hashes))


def regroup(
    hashes: Sequence[str], thumbnails: np.ndarray, groups: np.ndarray, lost: Sequence[int]
) -> np.ndarray:
    """Number the photos as ``photo_groups`` does, after some came and some went.

    Only what can have changed is compared: a new photo with all others, and the photos of a group
    that lost one with each other.

    Args:
        hashes: a hash of each file's bytes.
        thumbnails: uint8 array of shape (n, 768), from ``thumbnail``.
        groups: int array of shape (n,), each photo's group before; -1 for a new photo.
        lost: the groups, as numbered before, that have photos no more.

    Returns:
        int64 array of shape (n,); a group's number is the index of its first photo.
    """
    pairs = [_same_bytes(hashes), _alike(thumbnails, np.flatnonzero(groups < 0))]
    whole = np.flatnonzero((groups >= 0) & ~np.isin(groups, lost))
    _, first, same = np.unique(groups[whole], return_index=True, return_inverse=True)
    pairs.append(np.stack([whole, whole[first[same]]]))
    for group in set(lost):
        left = np.flatnonzero(groups == group)
        near = _alike(thumbnails[left], np.arange(len(left)))
        pairs.append(left[near])
    return _numbered(pairs, len(hashes))


def _same_bytes(hashes: Sequence[str]) -> np.ndarray:
    _, first, same = np.unique(np.asarray(hashes), return_index=True, return_inverse=True)
    return np.stack([np.arange(len(hashes)), first[same]])


def _alike(thumbnails: np.ndarray, some: np.ndarray) -> np.ndarray:
    """The pairs of copies that some of the photos make with any: int array of shape (2, pairs)."""
    asked, lengths = _centred(thumbnails[some])
    plain = lengths > 0
    some, asked = some[plain], asked[plain] / lengths[plain, None]
    pairs = [np.empty((2, 0), np.int64)]
    for start in range(0, len(thumbnails) if len(some) else 0, _BLOCK):
        others, lengths = _centred(thumbnails[start : start + _BLOCK])
        near = (lengths > 0) & (asked @ others.T >= MIN_CORRELATION * lengths)
        rows, columns = np.nonzero(near)
        pairs.append(np.stack([some[rows], columns + start]))
    return np.concatenate(pairs, axis=1)


def _centred(thumbnails: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Thumbnails (float32) with mean 0, and their lengths, which are 0 for blank ones."""
    centred = thumbnails.astype(np.float32)
    centred -= centred.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("ij,ij->i", centred, centred))
    lengths[lengths < MIN_CONTRAST * np.sqrt(centred.shape[1])] = 0
    return centred, lengths


def _numbered(pairs: Sequence[np.ndarray], count: int) -> np.ndarray:
    from scipy.sparse import coo_array  # not by a service, which starts faster without
    from scipy.sparse.csgraph import connected_components

    rows, columns = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    _, first, group = np.unique(component, return_index=True, return_inverse=True)
    return first[group].astype(np.int64)
