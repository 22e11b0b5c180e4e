"""The one decoder and the one preprocessing of photos, for training, bank and service."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps

from itadaki.errors import ImageError, ImageTooLargeError, UnsupportedImageError, reason

IMAGE_SIZE = 224
PREPROCESSING = "half-crop-224-rgb-0..255/1"
"""Names what ``preprocess`` does; banks built with another name are refused."""

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}
"""Pillow's names of the formats that are read, with their media types."""
_OPENERS = [name for name in MEDIA_TYPES if name != "MPO"]  # opened by Pillow's JPEG reader

MAX_PIXELS = 64_000_000
MAX_DECODED_PIXELS = 25_000_000
"""Of what cannot be decoded at a reduced scale: all formats but JPEG, and progressive JPEG."""

_MAX_SCANS, _USUAL_SCANS = 60, 4  # usual are one, and one each of a thumbnail and a gain map
_REDUCED_SIDE = 2 * IMAGE_SIZE
_WHITE = (255, 255, 255, 255)


def decode(source: bytes | Path) -> np.ndarray:
    """Decode a photo to RGB.

    EXIF orientation is applied, transparency is laid on white, CMYK and grey become RGB, 16 bits
    become 8, an animation gives its first frame, and a big photo is reduced, a JPEG while it is
    decoded, by a factor that still leaves at least 448 pixels on each side.

    Returns:
        uint8 array of shape (height, width, 3).

    Raises:
        UnsupportedImageError: not a JPEG, PNG, WebP or GIF.
        ImageTooLargeError: more pixels than ``MAX_PIXELS`` or ``MAX_DECODED_PIXELS``, read from the
            header.
        ImageError: the file is truncated or corrupt.
    """
    if isinstance(source, Path):
        source = _read(source)
    image = _open(source)
    whole = image.width * image.height
    # JPEG's own scaled decoding; other formats ignore it.
    image.draft("RGB", (_REDUCED_SIDE, _REDUCED_SIDE))
    if image.format in ("JPEG", "MPO"):
        # Each scan of a progressive JPEG goes over the whole picture, and takes as little as 42
        # bytes: ten megabytes of them would keep a core busy for an hour.
        scans = _scans(source)
        if scans > _MAX_SCANS:
            raise ImageError(f"The photo is damaged: a JPEG with {scans} scans.")
        in_full = "progressive" in image.info or scans > _USUAL_SCANS
        pixels = whole if in_full else image.width * image.height
    else:
        pixels = whole
    if pixels > MAX_DECODED_PIXELS:
        raise ImageTooLargeError(_too_large(pixels, MAX_DECODED_PIXELS))
    try:
        upright = _reduced(image)
        ImageOps.exif_transpose(upright, in_place=True)
        return _to_rgb(upright)
    except Exception:  # a decoder fed with damaged bytes may raise almost anything
        raise ImageError("The photo is truncated or damaged; send it anew, or another.") from None


def media_type(path: Path) -> str:
    """Return the media type that a photo's content says, whatever its name ends in."""
    return MEDIA_TYPES[_open(path).format]


def preprocess(rgb: np.ndarray) -> np.ndarray:
    """Bring a decoded photo to the size and type that Keras' EfficientNetB0 takes.

    The long side is cut around the middle to the geometric mean of both, and what is left is
    squeezed to a square. This is half-way between squeezing the whole photo, which distorts the
    dish, and cropping it to a square, which loses its rim; on the validation split of the Kaggle
    photos it retrieves better than either.

    Args:
        rgb: uint8 array of shape (height, width, 3).

    Returns:
        float32 array of shape (224, 224, 3) with values 0..255.
    """
    height, width = rgb.shape[:2]
    side = round((height * width) ** 0.5)
    rows, columns = min(height, side), min(width, side)
    top, left = (height - rows) // 2, (width - columns) // 2
    window = rgb[top : top + rows, left : left + columns]
    method = cv2.INTER_AREA if min(rows, columns) >= IMAGE_SIZE else cv2.INTER_LINEAR
    return cv2.resize(window, (IMAGE_SIZE, IMAGE_SIZE), interpolation=method).astype(np.float32)


def load_rgb(photo: Any) -> np.ndarray:
    """Decode a photo given as a path, bytes, a PIL image or an array.

    Args:
        photo: ``str`` or ``Path``, ``bytes``, ``PIL.Image.Image``, or a uint8 array of shape
            (height, width), (height, width, 3) RGB or (height, width, 4) RGBA.

    Returns:
        uint8 array of shape (height, width, 3), RGB.

    Raises:
        ImageError: the photo cannot be read; the message says why.
    """
    match photo:
        case bytes() | bytearray() | memoryview():
            return decode(bytes(photo))
        case str() | Path():
            return decode(Path(photo))
        case Image.Image():
            return _to_rgb(ImageOps.exif_transpose(photo))
        case np.ndarray():
            if photo.dtype != np.uint8 or not _is_picture(photo.shape):
                raise ImageError(
                    f"An array must be uint8 of shape (height, width[, 3 or 4]), "
                    f"not {photo.dtype} of shape {photo.shape}."
                )
            return _to_rgb(Image.fromarray(photo))
    raise ImageError(f"A photo is a path, bytes, an array or a PIL image, not a {type(photo)}.")


def load_input(photo: Any) -> np.ndarray:
    """``load_rgb`` and ``preprocess`` in one: any photo to a float32 array (224, 224, 3)."""
    return preprocess(load_rgb(photo))


def _is_picture(shape: tuple[int, ...]) -> bool:
    return min(shape, default=0) > 0 and (
        len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))
    )


def _scans(jpeg: bytes) -> int:
    """How many times the marker of a scan occurs; bytes.count takes five times as long."""
    values = np.frombuffer(jpeg, np.uint8)
    return int(np.count_nonzero((values[:-1] == 0xFF) & (values[1:] == 0xDA)))


def _reduced(image: Image.Image) -> Image.Image:
    """A big picture averaged over squares; every later step then costs a fraction."""
    factor = min(image.size) // _REDUCED_SIDE
    if factor < 2 or image.mode not in ("L", "RGB", "LA", "RGBA") or "transparency" in image.info:
        return image
    return image.reduce(factor)


def _open(source: bytes | Path) -> Image.Image:
    """Read the header of a photo, and nothing more."""
    try:
        image = Image.open(
            io.BytesIO(source) if isinstance(source, bytes) else source, formats=_OPENERS
        )
    except FileNotFoundError:
        raise ImageError(f"There is no file {source}.") from None
    except Image.DecompressionBombError:
        raise ImageTooLargeError(_too_large(2 * Image.MAX_IMAGE_PIXELS, MAX_PIXELS)) from None
    except (OSError, SyntaxError, ValueError):
        head = source[:64] if isinstance(source, bytes) else _read(source, 64)
        raise _why_unreadable(head) from None
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise ImageTooLargeError(_too_large(pixels, MAX_PIXELS))
    return image


def _read(path: Path, count: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except FileNotFoundError:
        raise ImageError(f"There is no file {path}.") from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {reason(error)}.") from None


def _too_large(pixels: int, limit: int) -> str:
    return (
        f"The photo has {pixels / 1e6:.0f} million pixels or more; at most {limit // 10**6} "
        "million are accepted of this kind of file."
    )


def _why_unreadable(head: bytes) -> ImageError:
    works = "Send a JPEG, PNG, WebP or GIF."
    if not head:
        return ImageError(f"The photo is empty. {works}")
    if head[4:8] == b"ftyp":
        return UnsupportedImageError(f"HEIC and AVIF photos are not supported. {works}")
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8")) or (
        head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    ):
        return ImageError("The photo is truncated or damaged: its header cannot be read.")
    return UnsupportedImageError(f"This is not a photo in a supported format. {works}")


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):
        # Pillow clips 16-bit grey instead of scaling it.
        grey = (np.asarray(image).clip(0, 65535) // 257).astype(np.uint8)
        image = Image.fromarray(grey)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
