"""HEIC and AVIF: what is read of them, and what is refused before a decoder sees it."""

import io
import struct

import numpy as np
import pillow_heif
import pytest
from conftest import dish_photo, encode
from PIL import Image
from test_images import STORED, four_corners

from itadaki.errors import ImageError, ImageTooLargeError, UnsupportedImageError
from itadaki.photos import heif_file
from itadaki.photos.heif_file import MAX_BOXES, heif
from itadaki.photos.images import (
    MAX_DECODED_PIXELS,
    decode,
    load_input,
    media_type,
    shown_everywhere,
)
from itadaki.photos.photo_file import photo_file

KINDS = ["HEIF", "AVIF"]


@pytest.fixture(autouse=True)
def _heic_can_be_written():
    pillow_heif.register_heif_opener()


def as_pillow(content: bytes) -> np.ndarray:
    """What Pillow's plugins make of the whole file, on white."""
    image = Image.open(io.BytesIO(content)).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(white, image).convert("RGB"))


def grid(rgb: np.ndarray, monkeypatch) -> bytes:
    """A HEIC in tiles, as phones write it."""
    monkeypatch.setattr(pillow_heif.options, "GRID_TILE_SIZE", 256)
    content = encode(rgb, "HEIF")
    assert b"grid" in content
    return content


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "picture",
    [
        dish_photo(3),
        dish_photo(3)[:101, :77],
        dish_photo(3)[..., 0],
        np.dstack([dish_photo(3), np.full((169, 274), 120, np.uint8)]),
    ],
    ids=["colour", "odd sides", "grey", "half transparent"],
)
def test_pixels_are_those_of_the_whole_file(kind, picture):
    content = encode(picture, kind)
    assert np.array_equal(decode(content), as_pillow(content))


def test_a_grid_is_put_together(monkeypatch):
    content = grid(dish_photo(4, (700, 600)), monkeypatch)
    assert np.array_equal(decode(content), as_pillow(content))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", STORED)
def test_turned_photos_come_upright(orientation, kind):
    exif = Image.Exif()
    exif[274] = orientation
    stored = np.ascontiguousarray(STORED[orientation](four_corners()))
    rgb = decode(encode(stored, kind, exif=exif.tobytes()))
    assert rgb.shape == (80, 120, 3)
    assert np.allclose(rgb[20, 30], (255, 0, 0), atol=12)
    assert np.allclose(rgb[20, 90], (0, 255, 0), atol=12)
    assert np.allclose(rgb[60, 30], (0, 0, 255), atol=12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_decoder_sees_nothing_but_the_picture(kind):
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    photo = dish_photo(5, (640, 480))
    content = encode(photo, kind, exif=exif, xmp=b"<x:xmpmeta a secret/>")
    file = photo_file(content, kind)
    assert b"a camera" in content and b"a secret" in content
    assert b"a camera" not in file.content and b"a secret" not in file.content
    assert decode(content).shape == photo.shape


def test_previews_are_left_out():
    content = encode(dish_photo(5, (640, 480)), "HEIF")
    picture = pillow_heif.open_heif(content)
    picture.info["thumbnails"] = [128]
    buffer = io.BytesIO()
    picture.save(buffer)
    assert len(pillow_heif.open_heif(buffer.getvalue()).info["thumbnails"]) == 1
    kept = heif(buffer.getvalue()).content
    assert not pillow_heif.open_heif(kept).info["thumbnails"]


@pytest.mark.parametrize(("kind", "named"), [("HEIF", "image/heic"), ("AVIF", "image/avif")])
def test_it_is_told_by_its_content(kind, named, tmp_path):
    (tmp_path / "dish.jpg").write_bytes(encode(dish_photo(1), kind))
    assert media_type(tmp_path / "dish.jpg") == named


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_same_dish_as_its_jpeg(kind):
    rgb = dish_photo(8, (1200, 900))
    of_jpeg = load_input(encode(rgb, "JPEG", quality=95))
    assert np.abs(load_input(encode(rgb, kind, quality=90)) - of_jpeg).mean() < 3


def test_recipes_keep_a_heic_as_a_jpeg(tmp_path):
    photo, path = dish_photo(2), tmp_path / "dish.heic"
    path.write_bytes(encode(photo, "HEIF"))
    kept = shown_everywhere(path)
    assert kept.startswith(b"\xff\xd8") and np.abs(decode(kept) - photo.astype(int)).mean() < 6
    jpeg = encode(photo)
    assert shown_everywhere(jpeg) is jpeg


def patched(content: bytes, kind: bytes, at: int, value: bytes) -> bytes:
    """A file with other bytes in its first box of a kind, counted from the box's content."""
    start = content.index(kind) + 4 + at
    return content[:start] + value + content[start + len(value) :]


def with_data_twice(content: bytes) -> bytes:
    """The picture that a file holds, twice in one item."""
    start = content.index(b"mdat") + 4
    length = len(content) - start
    place = content.index(b"iloc") + 4 + 4 + 2 + 2 + 2 + 2 + 2  # the first item's first extent
    twice = content[:place] + struct.pack(">II", start, 2 * length) + content[place + 8 :]
    head = struct.pack(">I", 8 + 2 * length) + b"mdat"
    return twice[: start - 8] + head + 2 * content[start:]


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_larger_than_it_says_is_refused(kind):
    """A decoder makes room for what the picture's own header says, not for what its box says."""
    content = encode(dish_photo(1, (2048, 1024)), kind)
    for width, height in ((64, 64), (2048, 64), (2**31, 2**31 - 1), (0, 0), (2049, 1024)):
        lie = patched(content, b"ispe", 4, struct.pack(">II", width, height))
        with pytest.raises(ImageError, match="another size than it says"):
            decode(lie)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_several_is_refused(kind):
    content = heif(encode(dish_photo(1), kind)).content
    twice = with_data_twice(content)
    with pytest.raises(ImageError, match="not one picture"):
        decode(twice)


def test_parts_are_bounded(monkeypatch):
    content = encode(dish_photo(1), "HEIF")
    boxes = content + struct.pack(">I4s", 8, b"free") * MAX_BOXES
    with pytest.raises(ImageError, match="more than 10,000 parts"):
        decode(boxes)
    monkeypatch.setattr(heif_file, "MAX_TILES", 8)
    with pytest.raises(ImageError, match="tiles"):
        decode(grid(dish_photo(4, (700, 600)), monkeypatch))


def test_tiles_cannot_be_the_same_bytes_again_and_again(monkeypatch):
    """Or a small file would be a large picture's worth of work."""
    rgb = np.zeros((768, 768, 3), np.uint8)
    rgb[:256, :256] = np.random.default_rng(0).integers(0, 256, (256, 256, 3))
    content = bytearray(heif(grid(rgb, monkeypatch)).content)
    places = content.index(b"iloc") + 4 + 8  # 14 bytes for each item, the grid first
    largest = content[places + 20 : places + 28]
    for tile in range(1, 10):
        content[places + 14 * tile + 6 : places + 14 * tile + 14] = largest
    with pytest.raises(ImageError, match="its end is missing"):
        decode(bytes(content))


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_pixels_are_refused_before_decoding(kind, monkeypatch):
    content = encode(dish_photo(1, (512, 512)), kind)
    monkeypatch.setattr("itadaki.photos.images.MAX_DECODED_PIXELS", 512 * 512 - 1)
    with pytest.raises(ImageTooLargeError, match="million pixels"):
        decode(content)
    assert MAX_DECODED_PIXELS == 25_000_000


def test_other_pictures_in_the_same_boxes_are_refused():
    content = encode(dish_photo(1), "HEIF")
    with pytest.raises(UnsupportedImageError, match="send a JPEG"):
        decode(content.replace(b"hvc1", b"jpeg"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_short_is_refused(kind):
    content = encode(dish_photo(1), kind)
    for share in (0.05, 0.3, 0.7, 0.95):
        with pytest.raises(ImageError):
            decode(content[: int(len(content) * share)])
