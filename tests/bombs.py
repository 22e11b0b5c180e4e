"""Small files that unpack to something huge; each is made when it is needed, some in seconds."""

import struct
import zlib
from functools import cache

import numpy as np
import pillow_heif
from conftest import dish_photo, encode


@cache
def black(kind: str, **options) -> bytes:
    pillow_heif.register_heif_opener()
    return encode(np.zeros((4900, 4900), np.uint8), kind, **options)


def small_it_says(kind: str) -> bytes:
    whole = black(kind)
    place = whole.index(b"ispe") + 8
    return whole[:place] + struct.pack(">II", 64, 64) + whole[place + 8 :]


def chunk(kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def png(width: int, height: int, *extra: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(min(50_000_000, 3 * width * height)), 9)
    parts = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def of_200_mb(kind: bytes) -> bytes:
    return png(64, 64, chunk(kind, b"k\0\0" + zlib.compress(bytes(200_000_000), 9)))


def huge_gif() -> bytes:
    gif = bytearray(encode(dish_photo(1, (64, 64)), "GIF"))
    gif[6:10] = b"\xff\xff\xff\xff"
    return bytes(gif)


def huge_webp() -> bytes:
    vp8x = b"VP8X" + struct.pack("<I", 10) + b"\x02\x00\x00\x00" + b"\xff\x3f\x00" * 2
    webp = b"WEBP" + vp8x + b"ANIM" + struct.pack("<I", 6) + bytes(6)
    return b"RIFF" + struct.pack("<I", len(webp)) + webp


def with_scans(count: int) -> bytes:
    progressive = black("JPEG", progressive=True)
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    return progressive[:-2] + count * scan + b"\xff\xd9"


BOMBS = {
    "heic at the limit": lambda: black("HEIF"),
    "avif at the limit": lambda: black("AVIF"),
    "heic of 64 by 64 that is larger": lambda: small_it_says("HEIF"),
    "avif of 64 by 64 that is larger": lambda: small_it_says("AVIF"),
    "png of 144 million pixels": lambda: png(12000, 12000),
    "png of 2 billion by 2 billion": lambda: png(2**31 - 1, 2**31 - 1),
    "png as thin as a line": lambda: png(2**20, 1),
    "png at the limit": lambda: png(4999, 4999),
    "png with a text of 200 MB": lambda: of_200_mb(b"zTXt"),
    "png with a profile of 200 MB": lambda: of_200_mb(b"iCCP"),
    "gif of 65535 by 65535": huge_gif,
    "webp of 16384 by 16384": huge_webp,
    "jpeg at the limit": lambda: black("JPEG", progressive=True),
    "jpeg at the limit with 50 scans": lambda: with_scans(50),
    "jpeg with 40,000 scans": lambda: with_scans(40_000),
}
