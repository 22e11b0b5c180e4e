"""What is seen of the photos: which can be used, their hashes, thumbnails and copies."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from itadaki.cores import usable_cores
from itadaki.errors import ImageError
from itadaki.photos import images
from itadaki.photos.images import decode
from itadaki.recipes import copies
from itadaki.recipes.copies import THUMBNAIL_SIDE, photo_groups, thumbnail
from itadaki.storage.fingerprint import code_fingerprint

_PIXELS = THUMBNAIL_SIDE * THUMBNAIL_SIDE * 3
LOOK = np.dtype(
    [("name", "S32"), ("sha256", "S64"), ("group", "<i8"), ("thumbnail", "u1", (_PIXELS,))]
)
"""What is kept of a recipe's photo; of its name a hash."""


def looks_of(
    names: Sequence[str], hashes: Sequence[str], groups: np.ndarray, thumbnails: np.ndarray
) -> np.ndarray:
    """What a cache keeps of recipes' photos, from one value of each: array of ``LOOK``."""
    looks = np.empty(len(names), LOOK)
    looks["name"], looks["sha256"] = hashed(names), hashes
    looks["group"], looks["thumbnail"] = groups, thumbnails
    return looks


def hashed(names: Iterable[str]) -> np.ndarray:
    """Hashes of photos' names, as ``LOOK`` has them."""
    hashes = [hashlib.sha256(name.encode()).hexdigest()[:32].encode() for name in names]
    return np.array(hashes, "S32")


def looking_rules() -> str:
    """Identify the code that looks at photos."""
    return code_fingerprint(images, copies, _look_at)


def look_at(photo: Path | bytes) -> tuple[str, np.ndarray]:
    """A photo's hash and thumbnail; raises ImageError."""
    content = photo if isinstance(photo, bytes) else photo.read_bytes()
    return hashlib.sha256(content).hexdigest(), thumbnail(decode(content))


def look_at_all(
    names: Sequence[str], photo_folder: Path, known: Mapping[bytes, np.void], progress: bool
) -> tuple[np.ndarray, dict[str, int]]:
    """What is seen of the photos that can be used, and how many cannot, by reason.

    Args:
        names: the photos' names.
        photo_folder: where they lie.
        known: what was seen before, by the name's hash; it is not looked at again.
        progress: show a bar.
    """

    from tqdm.auto import tqdm

    def look(name: str, key: bytes) -> tuple[str, np.ndarray] | str:
        seen = known.get(key)
        if seen is None:
            return _look_at(name, photo_folder)
        return seen["sha256"].decode(), seen["thumbnail"]

    with ThreadPoolExecutor(usable_cores()) as pool:
        seen = list(
            tqdm(
                pool.map(look, names, hashed(names).tolist()),
                total=len(names),
                desc="Checking photos",
                unit="photo",
                disable=not progress,
            )
        )
    dropped = Counter(look for look in seen if isinstance(look, str))
    usable = [(n, *look) for n, look in zip(names, seen, strict=True) if not isinstance(look, str)]
    hashes = [sha256 for _, sha256, _ in usable]
    thumbnails = np.array([pixels for *_, pixels in usable], np.uint8).reshape(-1, _PIXELS)
    groups = photo_groups(hashes, thumbnails)
    looks = looks_of([name for name, *_ in usable], hashes, groups, thumbnails)
    return looks, dict(sorted(dropped.items()))


def _look_at(name: str, photo_folder: Path) -> tuple[str, np.ndarray] | str:
    """A photo's hash and thumbnail, or the reason why it cannot be used."""
    if name == "#NAME?":
        return "#NAME?"
    path = photo_folder / f"{name}.jpg"
    # A name from a CSV must not lead out of the photo folder.
    if not name or path.parent != photo_folder or not path.is_file():
        return "no file"
    try:
        content = path.read_bytes()
        return hashlib.sha256(content).hexdigest(), thumbnail(decode(content))
    except (ImageError, OSError):
        return "not decodable"
