"""The one decoder and the one preprocessing of photos, for training, bank and service."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps

from itadaki.errors import (
    DecodingBusyError,
    ImageError,
    ImageTooLargeError,
    UnsupportedImageError,
    reason,
)
from itadaki.photos.crop import Crop
from itadaki.photos.orientation import UPRIGHT
from itadaki.photos.photo_file import HEAD, PhotoFile, format_of, photo_file

IMAGE_SIZE = 224
PREPROCESSING = "half-crop-224-rgb-0..255/1"
"""Names what ``preprocess`` does; banks built with another name are refused."""

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}
"""The formats that are read, by Pillow's names, with their media types."""

KINDS = "JPEG, PNG, WebP, GIF, HEIC or AVIF"
"""The formats that are read, as a user is told of them."""

MAX_PIXELS = 64_000_000
MAX_DECODED_PIXELS = 25_000_000
"""Of what cannot be decoded at a reduced scale: all formats but JPEG, and JPEGs in many scans."""
MAX_SIDE = 65_535
MAX_MEMORY = 160_000_000
"""Bytes that decoding one photo may take, and that all large ones in work may take together."""

_SMALL = 16_000_000  # bytes; what takes less is not counted and waits for nobody
_REDUCED_SIDE = 2 * IMAGE_SIZE
_STRIP = 1 << 20  # pixels brought to RGB at once: blocks so large go back to the system
_DAMAGED = "The photo is truncated or damaged; send it anew, or another."
_WHITE = (255, 255, 255, 255)


class _Memory:
    """What the large decodes in work take together."""

    def __init__(self) -> None:
        self._taken, self._given_back = 0, threading.Condition()

    @contextmanager
    def taken(self, amount: int, wait: bool) -> Iterator[None]:
        amount = amount if amount > _SMALL else 0
        with self._given_back:
            if amount and not self._given_back.wait_for(
                lambda: self._taken + amount <= MAX_MEMORY, None if wait else 0
            ):
                raise DecodingBusyError("Other large photos are being decoded; try again.")
            self._taken += amount
        try:
            yield
        finally:
            with self._given_back:
                self._taken -= amount
                self._given_back.notify_all()


_memory = _Memory()


def decode(source: bytes | Path, wait: bool = True, crop: Crop | None = None) -> np.ndarray:
    """Decode a photo to RGB.

    The orientation is applied, transparency is laid on white, CMYK and grey become RGB, 16 bits
    become 8, an animation gives its first frame, and a big photo is reduced, a JPEG while it is
    decoded, by a factor that still leaves at least 448 pixels on each side.

    Args:
        source: the file, or its bytes.
        wait: wait for memory while other large photos have it, instead of giving up.
        crop: the part that is meant; the photo is reduced less then.

    Returns:
        uint8 array of shape (height, width, 3).

    Raises:
        UnsupportedImageError: not a JPEG, PNG, WebP, GIF, HEIC or AVIF.
        ImageTooLargeError: more pixels than ``MAX_PIXELS`` or ``MAX_DECODED_PIXELS``, more than
            ``MAX_SIDE`` on a side, or more memory than ``MAX_MEMORY``, read from the header.
        DecodingBusyError: other large photos have the memory, and ``wait`` is false.
        ImageError: the file is truncated or corrupt.
    """
    if isinstance(source, Path):
        source = _read(source)
    kind = format_of(source[:HEAD])
    if kind is None:
        raise _why_unreadable(source)
    file = photo_file(source, kind)
    width, height = file.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise _too_large(f"has {width} x {height} pixels", f"{MAX_PIXELS // 10**6} million")
    image, memory = None, file.memory
    reduced = _REDUCED_SIDE if crop is None else min(2.0, 1 / min(crop[2:])) * _REDUCED_SIDE
    if file.format not in _OWN:
        image = _opened(file)
        # JPEG's own scaled decoding; other formats ignore it.
        image.draft("RGB", (int(reduced), int(reduced)))
        width, height = image.size
        if file.format == "JPEG":
            memory += width * height * (1 if image.mode == "L" else 4)
    pixels = file.size[0] * file.size[1] if file.in_full else width * height
    if pixels > MAX_DECODED_PIXELS:
        raise _too_large(
            f"has {pixels / 1e6:.0f} million pixels", f"{MAX_DECODED_PIXELS // 10**6} million"
        )
    factor = max(1, int(min(width, height) / reduced))
    memory += 3 * width * height // factor**2
    if memory > MAX_MEMORY:
        needed = f"takes {memory / 1e6:.0f} million bytes to decode"
        raise _too_large(needed, f"{MAX_MEMORY // 10**6} million")
    rgb = None
    with _memory.taken(memory, wait):
        try:
            rgb = _reduced(image or _OWN[file.format](file), width, height, factor)
        except MemoryError:
            raise DecodingBusyError("There is no memory to decode the photo; try again.") from None
        except Exception:  # a decoder fed with damaged bytes may raise almost anything
            pass
        image = None
    if rgb is None:  # raised here, because that error's frames hold what was decoded
        raise ImageError(_DAMAGED)
    if file.window:
        left, top, right, bottom = file.window
        rgb = rgb[top // factor : -(-bottom // factor), left // factor : -(-right // factor)]
    turn = UPRIGHT.get(file.orientation)
    rgb = np.ascontiguousarray(turn(rgb)) if turn else rgb
    return crop.of_photo(rgb) if crop else rgb


def media_type(path: Path) -> str:
    """Return the media type that a photo's content says, whatever its name ends in."""
    head = _read(path, HEAD)
    kind = format_of(head)
    if kind is None:
        raise _why_unreadable(head)
    return MEDIA_TYPES[kind]


def shown_everywhere(photo: bytes | Path) -> bytes | Path:
    """A photo as recipes keep it: a HEIC, which few browsers show, as a JPEG as ``decode`` has it.

    Raises:
        ImageError: it cannot be read.
    """
    if format_of(photo[:HEAD] if isinstance(photo, bytes) else _read(photo, HEAD)) != "HEIF":
        return photo
    quality = [cv2.IMWRITE_JPEG_QUALITY, 92]
    return cv2.imencode(".jpg", decode(photo)[..., ::-1], quality)[1].tobytes()


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


def load_rgb(photo: Any, wait: bool = True, crop: Crop | None = None) -> np.ndarray:
    """Decode a photo given as a path, bytes, a PIL image or an array.

    Args:
        photo: ``str`` or ``Path``, ``bytes``, ``PIL.Image.Image``, or a uint8 array of shape
            (height, width), (height, width, 3) RGB or (height, width, 4) RGBA.
        wait: as ``decode`` has it.
        crop: the part that is meant.

    Returns:
        uint8 array of shape (height, width, 3), RGB.

    Raises:
        ImageError: the photo cannot be read; the message says why.
        DecodingBusyError: other large photos have the memory, and ``wait`` is false.
    """
    match photo:
        case bytes() | bytearray() | memoryview():
            return decode(bytes(photo), wait, crop)
        case str() | Path():
            return decode(Path(photo), wait, crop)
        case Image.Image():
            try:
                rgb = np.asarray(_on_white(ImageOps.exif_transpose(photo)))
            except Exception:  # Pillow decodes only now, and what it raises is anything
                raise ImageError(_DAMAGED) from None
        case np.ndarray():
            if photo.dtype != np.uint8 or not _is_picture(photo.shape):
                raise ImageError(
                    f"An array must be uint8 of shape (height, width[, 3 or 4]), "
                    f"not {photo.dtype} of shape {photo.shape}."
                )
            rgb = np.asarray(_on_white(Image.fromarray(photo)))
        case _:
            raise ImageError(
                f"A photo is a path, bytes, an array or a PIL image, not a {type(photo)}."
            )
    return crop.of_photo(rgb) if crop else rgb


def load_input(photo: Any, wait: bool = True, crop: Crop | None = None) -> np.ndarray:
    """``load_rgb`` and ``preprocess`` in one: any photo to a float32 array (224, 224, 3)."""
    return preprocess(load_rgb(photo, wait, crop))


def _is_picture(shape: tuple[int, ...]) -> bool:
    return min(shape, default=0) > 0 and (
        len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))
    )


def _opened(file: PhotoFile) -> Image.Image:
    """Have Pillow read the header, and nothing more."""
    try:
        return Image.open(io.BytesIO(file.content), formats=[file.format])
    except Exception:  # as above
        raise ImageError(_DAMAGED) from None


class _WebP:
    """A WebP's first frame, on its canvas.

    OpenCV calls the same library as Pillow and gets the same pixels, but in half the memory, and
    without keeping all other threads waiting.
    """

    def __init__(self, file: PhotoFile) -> None:
        self._width, self._height = file.size
        self._left, self._upper = file.place
        pixels = cv2.imdecode(np.frombuffer(file.content, np.uint8), cv2.IMREAD_UNCHANGED)
        if pixels is None:
            raise ValueError("its pixels cannot be read")
        self._pixels = pixels
        is_opaque = pixels.shape[2] == 3
        self._order = cv2.COLOR_BGR2RGB if is_opaque else cv2.COLOR_BGRA2RGBA

    def crop(self, box: tuple[int, int, int, int]) -> Image.Image:
        """Whole rows of the canvas, as ``Image.crop`` gives them."""
        _, top, _, bottom = box
        rows = self._pixels[max(0, top - self._upper) : max(0, bottom - self._upper)]
        part = Image.fromarray(cv2.cvtColor(rows, self._order)) if len(rows) else None
        if part and self._pixels.shape[:2] == (self._height, self._width):
            return part
        canvas = Image.new("RGB", (self._width, bottom - top), "white")
        if part:
            canvas.paste(_on_white(part), (self._left, max(0, self._upper - top)))
        return canvas


class _Heif:
    """A HEIC's picture, which libheif decodes; Pillow's own copy of it would cost memory."""

    def __init__(self, file: PhotoFile) -> None:
        # Only those who send one shall wait for it.
        import pillow_heif

        picture = pillow_heif.open_heif(file.content)
        self._pixels = np.asarray(picture)

    def crop(self, box: tuple[int, int, int, int]) -> Image.Image:
        """Whole rows, as ``Image.crop`` gives them."""
        _, top, _, bottom = box
        return Image.fromarray(np.ascontiguousarray(self._pixels[top:bottom]))


_OWN: dict[str, type[_WebP | _Heif]] = {"WEBP": _WebP, "HEIF": _Heif}
"""What decodes the formats that Pillow does not decode, or not as well."""


def _reduced(
    picture: Image.Image | _WebP | _Heif, width: int, height: int, factor: int
) -> np.ndarray:
    """A picture in RGB, a big one averaged over squares; every later step costs a fraction then.

    It is done strip by strip, because RGB on white takes several times the memory of the picture.
    """
    step = max(1, _STRIP // (width * factor)) * factor
    boxes = ((0, top, width, min(top + step, height)) for top in range(0, height, step))
    strips = (_on_white(picture.crop(box)) for box in boxes)
    if factor > 1:
        strips = (strip.reduce(factor) for strip in strips)
    return np.concatenate([np.asarray(strip) for strip in strips])


def _read(path: Path, count: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except FileNotFoundError:
        raise ImageError(f"There is no file {path}.") from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {reason(error)}.") from None


def _too_large(what: str, limit: str) -> ImageTooLargeError:
    return ImageTooLargeError(f"The photo {what}; of this kind at most {limit} are accepted.")


def _why_unreadable(head: bytes) -> ImageError:
    works = f"Send a {KINDS}."
    if not head:
        return ImageError(f"The photo is empty. {works}")
    return UnsupportedImageError(f"This is not a photo in a supported format. {works}")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # Pillow clips 16-bit grey instead of scaling it.
        grey = (np.asarray(image).clip(0, 65535) // 257).astype(np.uint8)
        image = Image.fromarray(grey)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image)
    return image if image.mode == "RGB" else image.convert("RGB")
