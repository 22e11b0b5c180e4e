"""Reads how a photo's file is built, and leaves out of it what no decoder need see.

Profiles, comments, previews, later frames and a video behind the picture cost a decoder time and
memory as their author pleases. Of all that only the orientation is used, and it is read here. What
is not pixels is counted before anything is decoded.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from itadaki.errors import ImageError, damaged
from itadaki.photos.heif_file import brands_of, heif
from itadaki.photos.orientation import Orientation

HEAD = 128
"""Bytes at the beginning of a file that tell its format."""
MAX_PARTS = 10_000
"""Segments of a JPEG, chunks of a PNG or WebP, blocks of a GIF before its picture."""
MAX_TABLES = 200_000
"""Bytes of a JPEG that are neither pixels nor metadata."""
MAX_SCANS = 60
MAX_VISITS = 600_000_000
"""Coefficients that the scans of a JPEG go over, all together."""

_LONGEST_STEP = 1 << 20  # bytes that are looked at at once
_COEFFICIENT = 2  # bytes
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1"}

_FILL = re.compile(rb"\xff+")

_WITHIN_SCAN = np.zeros(256, bool)  # what may come after 0xFF among a scan's pixels
_WITHIN_SCAN[[0x00, *range(0xD0, 0xD8)]] = True
_BARE = {0x00, 0x01, *range(0xD0, 0xD9)}  # markers without a length
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_TABLES = {0xC4, 0xCC, 0xDB, 0xDC, 0xDD}
_START_OF_SCAN, _END = 0xDA, 0xD9


@dataclass(frozen=True)
class PhotoFile:
    """What decoding needs of a file.

    Attributes:
        format: JPEG, PNG, WEBP, GIF, HEIF or AVIF.
        content: a file of the first picture alone.
        size: width and height.
        memory: bytes that decoding takes, for a JPEG beside the decoded picture.
        orientation: as EXIF has it, 1 to 8.
        in_full: whether decoding at a reduced scale would be no less work.
        place: left and upper edge at which an animation's first frame lies.
        window: left, upper, right and lower edge of what is shown, where that is not all.
    """

    format: str
    content: bytes
    size: tuple[int, int]
    memory: int
    orientation: int = 1
    in_full: bool = True
    place: tuple[int, int] = (0, 0)
    window: tuple[int, int, int, int] | None = None


def format_of(head: bytes) -> str | None:
    """The format that a file's first ``HEAD`` bytes say, None if it is not one that is read."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    brands = brands_of(head)
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else None


def photo_file(content: bytes, kind: str) -> PhotoFile:
    """Take a file apart that is of a kind as ``format_of`` says it.

    Raises:
        ImageError: it is damaged, or has more parts than any camera writes.
    """
    readers = {
        "JPEG": _jpeg,
        "PNG": _png,
        "WEBP": _webp,
        "GIF": _gif,
        "HEIF": _heif,
        "AVIF": _heif,
    }
    try:
        return readers[kind](content)
    except (struct.error, LookupError):
        raise damaged("its header cannot be read") from None


def _counted(number: int) -> None:
    if number > MAX_PARTS:
        raise damaged(f"its file has more than {MAX_PARTS:,} parts")


class _Frame:
    """The header of a JPEG's picture: what its components take when they are kept whole."""

    def __init__(self, marker: int, header: bytes) -> None:
        self.progressive = marker in _PROGRESSIVE
        height, width, count = struct.unpack_from(">HHB", header, 1)
        sampling = {}
        for at in range(6, 6 + 3 * count, 3):
            sampling[header[at]] = (header[at + 1] >> 4, header[at + 1] & 15)
        widest = max((h for h, _ in sampling.values()), default=0)
        highest = max((v for _, v in sampling.values()), default=0)
        if not all(0 < factor <= 4 for pair in sampling.values() for factor in pair):
            raise damaged("its header cannot be read")
        self.size = width, height
        across, down = -(-width // (8 * widest)), -(-height // (8 * highest))
        self.coefficients = {c: 64 * across * h * down * v for c, (h, v) in sampling.items()}

    def visits(self, scan: bytes) -> int:
        """Coefficients that a scan goes over, by its header."""
        components = scan[1 : 1 + 2 * scan[0] : 2]
        return sum(self.coefficients.get(c, 0) for c in components)

    def is_whole(self, scan: bytes) -> bool:
        """Whether a scan holds all components, so that none is kept for a later one."""
        return scan[0] >= len(self.coefficients) and not self.progressive


def _jpeg(data: bytes) -> PhotoFile:
    view, values = memoryview(data), np.frombuffer(data, np.uint8)
    parts: list[bytes | memoryview] = [b"\xff\xd8"]
    frame, orientation, in_full = None, Orientation(), False
    scans = visits = tables = number = 0
    position = 2
    while (position := data.find(b"\xff", position)) >= 0:
        _counted(number := number + 1)
        position = _after_fill(data, position)
        if position == len(data):
            break
        marker, position = data[position], position + 1
        if marker == _END:
            parts.append(b"\xff\xd9")
            break
        if marker in _BARE:
            continue
        length = struct.unpack_from(">H", data, position)[0]
        segment = view[position + 2 : position + length]
        if length < 2 or len(segment) < length - 2:
            raise damaged("its header cannot be read")
        whole = (bytes([0xFF, marker]), view[position : position + length])
        position += length
        if marker in _FRAMES:
            if frame:
                raise damaged("it has two headers")
            frame = _Frame(marker, bytes(segment))
            parts += whole
        elif marker == _START_OF_SCAN:
            header = bytes(segment)
            if not frame or not header:
                raise damaged("its header cannot be read")
            scans, visits = scans + 1, visits + frame.visits(header)
            if scans == 1:
                in_full = not frame.is_whole(header)
            if scans > MAX_SCANS or (scans > 1 and visits > MAX_VISITS):
                raise ImageError(f"The photo is damaged: a JPEG with {scans} scans or more.")
            parts += whole
            while (end := _scan_end(values, position)) < len(data):
                parts.append(view[position:end])
                position = _after_fill(data, end) - 1
                if not _WITHIN_SCAN[data[position + 1]]:
                    break
                _counted(number := number + 1)  # were only fill bytes
            else:
                parts.append(view[position:])
                break
        elif marker in _TABLES or _tells_colours(marker, segment):
            if (tables := tables + length) > MAX_TABLES:
                raise damaged(f"its tables are larger than {MAX_TABLES:,} bytes")
            parts += whole
        elif marker == 0xE1:
            orientation.segment(segment)
    if frame is None or not scans:
        raise damaged("its header cannot be read")
    memory = _COEFFICIENT * sum(frame.coefficients.values()) if in_full else 0
    return PhotoFile("JPEG", b"".join(parts), frame.size, memory, orientation.value, in_full)


def _after_fill(data: bytes, position: int) -> int:
    run = _FILL.match(data, position)
    return run.end() if run else position


def _tells_colours(marker: int, segment: memoryview) -> bool:
    """Whether libjpeg takes from this segment what the components mean."""
    return (marker == 0xE0 and bytes(segment[:5]) == b"JFIF\0") or (
        marker == 0xEE and bytes(segment[:5]) == b"Adobe"
    )


def _scan_end(values: np.ndarray, start: int) -> int:
    """Where the pixels of a scan end: at fill bytes, at the next marker, or with the file."""
    step = 1 << 10  # grows, so that thousands of short pieces are not a look at all the file each
    while start < len(values):
        block = values[start : start + step + 1]
        marked = np.flatnonzero(block[:-1] == 0xFF)
        ends = marked[~_WITHIN_SCAN[block[marked + 1]]]
        if len(ends):
            return start + int(ends[0])
        start, step = start + step, min(2 * step, _LONGEST_STEP)
    return len(values)


def _png(data: bytes) -> PhotoFile:
    view = memoryview(data)
    kept: dict[bytes, memoryview] = {}
    pixels: list[memoryview] = []
    orientation = Orientation()
    for kind, content, whole in _png_chunks(view):
        if kind == b"IDAT":
            pixels.append(content)
        elif kind in (b"IHDR", b"PLTE", b"tRNS"):
            kept.setdefault(kind, whole)
        else:
            orientation.chunk(kind, content)
    width, height, bits, colour = struct.unpack_from(">IIBB", kept.get(b"IHDR", b""), 8)
    if not pixels:
        raise damaged("it has no pixels")
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 4)
    in_memory = 4 if channels > 1 else -(-bits // 8)
    row = -(-width * channels * bits // 8)
    merged = b"".join(pixels)
    check = zlib.crc32(merged, zlib.crc32(b"IDAT"))
    parts: list[bytes | memoryview] = [
        data[:8],
        *kept.values(),
        struct.pack(">I4s", len(merged), b"IDAT"),
        merged,
        struct.pack(">II4sI", check, 0, b"IEND", zlib.crc32(b"IEND")),
    ]
    memory = in_memory * width * height + 2 * row
    return PhotoFile("PNG", b"".join(parts), (width, height), memory, orientation.value)


def _png_chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview, memoryview]]:
    """Kind, content and whole of each chunk; of the last one what there is."""
    position, number = 8, 0
    while position + 8 <= len(view):
        _counted(number := number + 1)
        length, kind = struct.unpack_from(">I4s", view, position)
        end = position + 12 + length
        if kind == b"IEND":
            return
        yield kind, view[position + 8 : end - 4], view[position:end]
        position = end


def _webp(data: bytes) -> PhotoFile:
    view = memoryview(data)
    orientation, canvas, place = Orientation(), (0, 0), None
    picture: dict[bytes, memoryview] = {}
    for kind, chunk in _riff_chunks(view, 12):
        if kind == b"VP8X":
            canvas = _three_bytes(chunk, 4) + 1, _three_bytes(chunk, 7) + 1
        elif kind == b"ANMF":
            if not picture:
                place = 2 * _three_bytes(chunk, 0), 2 * _three_bytes(chunk, 3)
                picture = dict(_riff_chunks(chunk, 16))
        elif kind in (b"ALPH", b"VP8 ", b"VP8L"):
            picture.setdefault(kind, chunk)
        else:
            orientation.chunk(kind, chunk)
    lossless, lossy, alpha = (picture.get(kind) for kind in (b"VP8L", b"VP8 ", b"ALPH"))
    if lossless:
        (bits,) = struct.unpack_from("<I", lossless, 1)
        width, height = (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
        parts, each = [_riff(b"VP8L", lossless)], 8
    elif lossy:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", lossy, 6))
        parts, each = [_riff(b"VP8 ", lossy)], 6
        if alpha:
            sides = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
            parts, each = [_riff(b"VP8X", b"\x10\0\0\0" + sides), _riff(b"ALPH", alpha), *parts], 9
    else:
        raise damaged("it has no picture")
    content = b"RIFF" + struct.pack("<I", 4 + sum(map(len, parts))) + b"WEBP" + b"".join(parts)
    memory = each * width * height
    if place:
        width, height = max(canvas[0], place[0] + width), max(canvas[1], place[1] + height)
    return PhotoFile(
        "WEBP", content, (width, height), memory, orientation.value, place=place or (0, 0)
    )


def _riff_chunks(view: memoryview, position: int) -> Iterator[tuple[bytes, memoryview]]:
    number = 0
    while position + 8 <= len(view):
        _counted(number := number + 1)
        kind, length = struct.unpack_from("<4sI", view, position)
        yield kind, view[position + 8 : position + 8 + length]
        position += 8 + length + length % 2


def _riff(kind: bytes, content: bytes | memoryview) -> bytes:
    return b"".join([kind, struct.pack("<I", len(content)), content, bytes(len(content) % 2)])


def _three_bytes(content: memoryview, at: int) -> int:
    return int.from_bytes(content[at : at + 3], "little")


def _gif(data: bytes) -> PhotoFile:
    """Leaves out all extensions but the one that says which colour is transparent."""
    position = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    kept, number = [data[:position]], 0
    while (introducer := data[position]) != 0x2C:
        _counted(number := number + 1)
        if introducer == 0x3B:
            raise damaged("it has no picture")
        start, position = position, position + 1
        if introducer != 0x21:
            continue
        label, position = data[position], position + 1
        while length := data[position]:
            _counted(number := number + 1)
            position += 1 + length
        position += 1
        if label == 0xF9:
            kept[1:] = [data[start:position]]
    canvas_width, canvas_height = struct.unpack_from("<HH", data, 6)
    left, top, width, height = struct.unpack_from("<HHHH", data, position + 1)
    size = max(canvas_width, left + width), max(canvas_height, top + height)
    content = b"".join([*kept, memoryview(data)[position:]])
    return PhotoFile("GIF", content, size, memory=size[0] * size[1])


def _heif(data: bytes) -> PhotoFile:
    return PhotoFile(**heif(data)._asdict())
