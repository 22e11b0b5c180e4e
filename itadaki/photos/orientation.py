"""How a photo is turned: what EXIF, XMP and the boxes of a HEIC say, and what brings it upright."""

import re
import struct
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress

import numpy as np

_MAX_TEXT = 1_000_000  # bytes that a compressed text may unpack to
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
_HEX_PROFILE = b"Raw profile type exif"  # how ImageMagick wrote EXIF into a PNG
_XMP_TEXT = b"XML:com.adobe.xmp"

UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda rgb: rgb[:, ::-1],
    3: lambda rgb: rgb[::-1, ::-1],
    4: lambda rgb: rgb[::-1],
    5: lambda rgb: rgb.swapaxes(0, 1),
    6: lambda rgb: np.rot90(rgb, -1),
    7: lambda rgb: rgb[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}
"""What brings a stored picture upright, by EXIF orientation (TIFF 6.0, tag 274)."""


def orientation_of(steps: Iterable[tuple[bytes, int]]) -> int:
    """The EXIF orientation that does the same as the turns of a HEIC, one after another.

    Args:
        steps: ``irot`` with quarters anticlockwise, or ``imir`` with 0 for top and bottom and 1 for
            left and right exchanged.
    """
    corners = np.arange(4).reshape(2, 2)
    turned = corners
    for kind, value in steps:
        if kind == b"irot":
            turned = np.rot90(turned, value)
        else:
            turned = turned[:, ::-1] if value else turned[::-1]
    same = (n for n, upright in UPRIGHT.items() if np.array_equal(upright(corners), turned))
    return next(same, 1)


class Orientation:
    """Finds how a photo is turned: EXIF says it, and where it does not, XMP does."""

    def __init__(self) -> None:
        self._exif: int | None = None
        self._xmp: int | None = None

    @property
    def value(self) -> int:
        return self._exif or self._xmp or 1

    def segment(self, segment: memoryview) -> None:
        """Look at an APP1 segment of a JPEG."""
        if bytes(segment[:6]) == b"Exif\0\0" and self._exif is None:
            self._exif = _exif_orientation(bytes(segment[6:]))
        elif segment[: len(_XMP_SEGMENT)] == _XMP_SEGMENT:
            self._xmp = _xmp_orientation(segment)

    def chunk(self, kind: bytes, content: memoryview) -> None:
        """Look at a chunk of a PNG or WebP."""
        if kind in (b"eXIf", b"EXIF"):
            self._exif = _exif_orientation(content)
        elif kind == b"XMP ":
            self._xmp = _xmp_orientation(content)
        elif kind == b"iTXt" and bytes(content[:18]) == _XMP_TEXT + b"\0":
            packed, text = content[18], bytes(content[20:]).split(b"\0", 2)[-1]
            self._xmp = _xmp_orientation(_unpacked(text) if packed else text)
        elif kind == b"zTXt" and bytes(content[:22]) == _HEX_PROFILE + b"\0":
            lines = _unpacked(content[23:]).split(b"\n")[3:]
            with suppress(ValueError):
                self._exif = _exif_orientation(bytes.fromhex(b"".join(lines).decode()))


def _unpacked(packed: bytes | memoryview) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, _MAX_TEXT)
    except zlib.error:
        return b""


def _xmp_orientation(packet: bytes | memoryview) -> int | None:
    found = _XMP_ORIENTATION.search(packet)
    return int(found[1]) if found else None


def _exif_orientation(tiff: bytes | memoryview) -> int | None:
    """The value of tag 274 in the first directory; None if it has none."""
    tiff = memoryview(tiff)
    while bytes(tiff[:6]) == b"Exif\0\0":
        tiff = tiff[6:]
    order = {b"II": "<", b"MM": ">"}.get(bytes(tiff[:2]))
    if order is None or len(tiff) < 10:
        return None
    (at,) = struct.unpack_from(order + "I", tiff, 4)
    if at + 2 > len(tiff):
        return None
    (entries,) = struct.unpack_from(order + "H", tiff, at)
    directory = tiff[at + 2 : at + 2 + 12 * entries]
    for tag, kind, count, value in struct.iter_unpack(
        order + "HHI4s", directory[: len(directory) // 12 * 12]
    ):
        if tag == 274 and count == 1 and kind in (3, 4):
            return int(struct.unpack_from(order + ("H" if kind == 3 else "I"), value)[0])
    return None
