import io
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
import numpy as np
import pytest
from conftest import dish_photo, encode
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from itadaki.errors import (
    DecodingBusyError,
    ImageError,
    ImageTooLargeError,
    UnsupportedImageError,
)
from itadaki.photos import images
from itadaki.photos.images import (
    MAX_PIXELS,
    _on_white,
    decode,
    load_input,
    load_rgb,
    media_type,
    preprocess,
)
from itadaki.photos.photo_file import MAX_PARTS


def four_corners() -> np.ndarray:
    """Red top left, green top right, blue bottom left, white bottom right; wider than high."""
    rgb = np.zeros((80, 120, 3), np.uint8)
    rgb[:40, :60], rgb[:40, 60:] = (255, 0, 0), (0, 255, 0)
    rgb[40:, :60], rgb[40:, 60:] = (0, 0, 255), (255, 255, 255)
    return rgb


# What turns the upright picture into the stored one, by EXIF orientation (TIFF 6.0, tag 274).
STORED = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", STORED)
def test_every_exif_orientation_comes_upright(orientation, kind):
    exif = Image.Exif()
    exif[274] = orientation
    stored = np.ascontiguousarray(STORED[orientation](four_corners()))
    options = {"lossless": True} if kind == "WEBP" else {}
    rgb = decode(encode(stored, kind, exif=exif, **options))
    assert rgb.shape == (80, 120, 3)
    for (y, x), colour in {
        (20, 30): (255, 0, 0),
        (20, 90): (0, 255, 0),
        (60, 30): (0, 0, 255),
        (60, 90): (255, 255, 255),
    }.items():
        assert np.allclose(rgb[y, x], colour, atol=4)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_alpha_is_laid_on_white(kind):
    rgba = np.zeros((50, 50, 4), np.uint8)
    rgba[..., 0] = 200
    rgba[:, 25:, 3] = 255
    rgb = decode(encode(rgba, kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert tuple(rgb[25, 5]) == (255, 255, 255)
    assert tuple(rgb[25, 45]) == (200, 0, 0)


def test_half_transparent_red_is_pink():
    rgba = np.full((8, 8, 4), (255, 0, 0, 128), np.uint8)
    assert np.allclose(decode(encode(rgba, "PNG"))[4, 4], (255, 127, 127), atol=1)


def test_palette_with_transparency_is_laid_on_white():
    image = Image.new("P", (20, 20), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(0, (0, 0, 10, 20))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=0)
    rgb = decode(buffer.getvalue())
    assert tuple(rgb[5, 2]) == (255, 255, 255)
    assert tuple(rgb[5, 15]) == (0, 0, 255)


def test_cmyk_becomes_rgb():
    image = Image.new("CMYK", (40, 40), (0, 255, 255, 0))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    assert np.allclose(decode(buffer.getvalue())[20, 20], (255, 0, 0), atol=6)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_grey_becomes_rgb(kind):
    rgb = decode(encode(np.full((30, 40), 99, np.uint8), kind))
    assert rgb.shape == (30, 40, 3)
    assert np.abs(rgb.astype(int) - 99).max() <= 1


def test_sixteen_bits_are_scaled_to_eight():
    grey = np.repeat(np.linspace(0, 65535, 64).astype(np.uint16)[None], 8, axis=0)
    rgb = decode(encode(grey, "PNG"))
    assert rgb[0, 0, 0] == 0 and rgb[0, -1, 0] == 255
    assert abs(int(rgb[0, 32, 1]) - 129) <= 1


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP"):
        buffer = io.BytesIO()
        frames[0].save(buffer, kind, save_all=True, append_images=frames[1:])
        assert np.allclose(decode(buffer.getvalue())[15, 15], (255, 0, 0), atol=4)


def test_big_jpeg_is_decoded_at_reduced_scale_with_nearly_the_same_input():
    rgb = dish_photo(3, (4000, 3000))
    content = encode(rgb, quality=90)
    reduced = decode(content)
    assert min(reduced.shape[:2]) >= 448
    assert max(reduced.shape[:2]) < 1200
    assert np.abs(preprocess(reduced) - preprocess(rgb)).mean() < 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_truncated_photo_is_refused(kind):
    content = encode(dish_photo(1), kind)
    for share in (0.02, 0.3, 0.7):
        with pytest.raises(ImageError) as caught:
            decode(content[: int(len(content) * share)])
        assert not isinstance(caught.value, ImageTooLargeError)
    assert caught.value.__context__ is None  # or its frames would hold what was decoded


@pytest.mark.parametrize(
    ("content", "kind", "says"),
    [
        (b"", ImageError, "empty"),
        (b"hello, world", UnsupportedImageError, "JPEG, PNG, WebP, GIF, HEIC or AVIF"),
        (b"%PDF-1.7 " + bytes(90), UnsupportedImageError, "JPEG, PNG, WebP, GIF, HEIC or AVIF"),
        (b"\0\0\0\x18ftypheic" + bytes(90), ImageError, "damaged"),
        (b"\0\0\0\x18ftypavif" + bytes(90), ImageError, "damaged"),
        (b"\xff\xd8\xff\xe0", ImageError, "damaged"),
    ],
)
def test_what_is_no_photo_is_named(content, kind, says):
    with pytest.raises(kind, match=says):
        decode(content)


def test_too_many_pixels_are_refused_before_decoding():
    side = int(MAX_PIXELS**0.5) + 10
    content = encode(np.zeros((side, side), np.uint8), "PNG")
    assert len(content) < 200_000
    with pytest.raises(ImageTooLargeError, match="million"):
        decode(content)


def test_formats_are_told_by_content_not_by_name(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(four_corners(), "PNG"))
    assert media_type(path) == "image/png"
    assert np.array_equal(decode(path), four_corners())


def test_input_of_the_model():
    x = load_input(encode(four_corners(), "PNG"))
    assert x.shape == (224, 224, 3) and x.dtype == np.float32
    assert np.allclose(x[10, 10], (255, 0, 0)) and np.allclose(x[-10, -10], 255)


@pytest.mark.parametrize("turn", [lambda a: a, lambda a: a.transpose(1, 0, 2)])
def test_long_side_is_cut_to_the_geometric_mean(turn):
    """Of 90 x 40 pixels the middle 60 x 40 remain: 15 are cut at each end."""
    rgb = np.zeros((40, 90, 3), np.uint8)
    rgb[:, 15:-15, 1] = 255
    assert (preprocess(turn(rgb))[..., 1] == 255).all()
    rgb[:, 15] = rgb[:, -16] = 0
    assert (turn(preprocess(turn(rgb)))[:, [0, -1], 1] == 0).all()


def test_square_and_tiny_photos_are_kept_whole():
    for shape in ((224, 224, 3), (1, 1, 3), (1, 9, 3)):
        rgb = np.full(shape, 7, np.uint8)
        assert preprocess(rgb).shape == (224, 224, 3) and (preprocess(rgb) == 7).all()


def test_every_kind_of_source_gives_the_same(tmp_path):
    rgb = four_corners()
    path = tmp_path / "photo.png"
    path.write_bytes(encode(rgb, "PNG"))
    sources = [path, str(path), path.read_bytes(), rgb, Image.fromarray(rgb), Image.open(path)]
    assert all(np.array_equal(load_rgb(source), rgb) for source in sources)


@pytest.mark.parametrize(
    "photo",
    [
        np.zeros((10, 10, 3), np.float32),
        np.zeros((10, 10, 2), np.uint8),
        np.zeros((0, 10, 3), np.uint8),
        np.zeros(10, np.uint8),
        None,
        42,
        "no/such/file.jpg",
    ],
)
def test_unusable_sources_are_refused(photo):
    with pytest.raises(ImageError):
        load_rgb(photo)


def test_scans_of_a_progressive_jpeg_are_bounded():
    photo = encode(dish_photo(1), progressive=True)
    last = photo[photo.rindex(b"\xff\xda") : -2]
    assert decode(photo[:-2] + 20 * last + b"\xff\xd9").shape == (169, 274, 3)
    with pytest.raises(ImageError, match="scans"):
        decode(photo[:-2] + 200 * last + b"\xff\xd9")


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("WEBP", {}), ("GIF", {}), ("JPEG", {"progressive": True})]
)
def test_what_must_be_decoded_in_full_has_a_lower_limit(kind, options):
    grey = np.zeros((5200, 5200), np.uint8)
    with pytest.raises(ImageTooLargeError, match="at most 25 million"):
        decode(encode(grey, kind, **options))
    assert decode(encode(grey, "JPEG")).shape == (650, 650, 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_big_pictures_are_reduced_and_still_turned(kind):
    rgb = dish_photo(2, (2740, 1690))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn right by 90 degrees
    found = decode(encode(rgb, kind, exif=exif))
    expected = np.rot90(rgb, -1)
    assert found.shape[0] > found.shape[1] and min(found.shape[:2]) >= 448
    difference = cv2.resize(found, (56, 91)) - cv2.resize(expected, (56, 91)).astype(int)
    assert np.abs(difference).mean() < 6


def png(*chunks: tuple[bytes, bytes], size: tuple[int, int] = (8, 8)) -> bytes:
    """A PNG of black pixels in 16 bits and with alpha, with chunks before them."""
    header = struct.pack(">IIBBBBB", *size, 16, 6, 0, 0, 0)
    pixels = zlib.compress(bytes((8 * size[0] + 1) * size[1]), 9)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def animation(canvas: int, frame: np.ndarray, at: int = 0, **options) -> bytes:
    """An animated WebP of one frame on a larger canvas."""

    def sides(*lengths: int) -> bytes:
        return b"".join(length.to_bytes(3, "little") for length in lengths)

    height, width = frame.shape[:2]
    place = sides(at // 2, at // 2, width - 1, height - 1, 0) + b"\x00"
    chunks = [
        (b"VP8X", b"\x12\0\0\0" + sides(canvas - 1, canvas - 1)),
        (b"ANIM", bytes(6)),
        (b"ANMF", place + encode(frame, "WEBP", **options)[12:]),
    ]
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(c)) + c for kind, c in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_what_lies_behind_a_jpeg_does_not_count():
    """A phone appends a video to its motion photos, and a map of lights to others."""
    photo = encode(dish_photo(1), progressive=True)
    video = b"\xff\xda\x00\x08" * 500
    assert np.array_equal(decode(photo + video), decode(photo))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_a_truncated_pil_image_is_an_image_error(kind):
    content = encode(dish_photo(1), kind)
    with pytest.raises(ImageError, match="truncated"):
        load_rgb(Image.open(io.BytesIO(content[: len(content) // 2])))


def test_orientation_in_xmp_and_in_an_old_profile_is_used():
    rgb = four_corners()
    xmp = '<rdf:Description tiff:Orientation="6"/>'
    exif = Image.Exif()
    exif[274] = 6
    profile = f"\nexif\n{len(exif.tobytes()):8}\n{exif.tobytes().hex()}\n"
    packed, named = PngInfo(), PngInfo()
    packed.add_itxt("XML:com.adobe.xmp", xmp, zip=True)
    named.add_text("Raw profile type exif", profile, zip=True)
    photos = [
        encode(rgb, "PNG", pnginfo=packed),
        encode(rgb, "PNG", pnginfo=named),
        encode(rgb, "WEBP", lossless=True, xmp=xmp.encode()),
        encode(rgb, xmp=xmp.encode(), quality=100, subsampling=0),
    ]
    for photo in photos:
        assert np.allclose(decode(photo), np.rot90(rgb, -1), atol=40)


def test_honest_metadata_changes_nothing():
    rgb = dish_photo(4)
    plain = encode(rgb)
    exif = Image.Exif()
    exif[271], exif[0x9286] = "camera", "x" * 60_000
    profile = bytes(300_000)  # in five segments
    rich = encode(rgb, exif=exif, icc_profile=profile, comment=b"hello", xmp=b"x" * 60_000)
    filled = rich[:2] + b"\xff" * 900 + rich[2:-2] + b"\xff" * 900 + rich[-2:]
    restarted = encode(rgb, restart_marker_blocks=1)
    for photo in (rich, filled, restarted, restarted.replace(b"\xff\xd3", b"\xff\xff\xff\xd3")):
        assert np.array_equal(decode(photo), decode(plain))


def test_colours_of_jpegs_are_told_as_before():
    """What Adobe's marker says of CMYK and RGB is kept."""
    rgb = dish_photo(4)
    for photo in (encode(rgb, keep_rgb=True), encode_as("CMYK", rgb), encode_as("L", rgb)):
        with Image.open(io.BytesIO(photo)) as image:
            assert np.array_equal(decode(photo), np.asarray(image.convert("RGB")))


def encode_as(mode: str, rgb: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).convert(mode).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize("options", [{}, {"lossless": True}])
def test_webp_has_pillows_pixels(options):
    rgba = np.dstack([dish_photo(4), np.full((169, 274), 90, np.uint8)])
    for picture in (rgba, rgba[..., :3]):
        photo = encode(picture, "WEBP", **options)
        with Image.open(io.BytesIO(photo)) as image:
            assert np.array_equal(decode(photo), load_rgb(image.copy()))


def test_a_frame_smaller_than_its_animation_lies_on_white():
    frame = np.full((10, 20, 4), (200, 0, 0, 128), np.uint8)
    for canvas, at in ((60, 8), (2000, 500)):
        photo = animation(canvas, frame, at, lossless=True)
        with Image.open(io.BytesIO(photo)) as image:
            whole = _on_white(image.copy()).reduce(max(1, canvas // 448))
        assert np.abs(decode(photo).astype(int) - np.asarray(whole)).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_transparency_on_white_and_then_reduced_is_as_the_other_way_round(mode):
    rng = np.random.default_rng(3)
    rgb = cv2.resize(dish_photo(3), (1900, 1350))
    image = Image.fromarray(rgb)
    options = {}
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.fromarray(rng.integers(0, 256, (1350, 1900), np.uint8)))
        image = image.convert(mode)
    else:
        image = image.convert(mode)
        options = {"transparency": 3 if mode == "P" else tuple(int(c) for c in rgb[5, 5])}
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1, **options)
    buffer.seek(0)
    whole = _on_white(Image.open(buffer)).reduce(3)
    assert np.abs(decode(buffer.getvalue()).astype(int) - np.asarray(whole)).max() <= 1


@cache
def many_parts() -> dict[str, bytes]:
    """Small photos, or none, in files of more parts than are looked at."""
    jpeg, gif = encode(four_corners()), encode(four_corners(), "GIF")
    webp = encode(np.full((4, 4, 4), 90, np.uint8), "WEBP", lossless=True)
    comment = b"\x21\xfe" + b"\x01x" * MAX_PARTS + b"\0"
    first = gif.index(b"\x2c", 13 + (3 << (gif[10] & 7) + 1))
    chunk = b"xxxx" + bytes(4)
    return {
        "jpeg": jpeg[:2] + segment(0xEF, b"") * MAX_PARTS + jpeg[2:],
        "jpeg with fill bytes": jpeg[:-2] + b"\xff\xff\x00" * MAX_PARTS + jpeg[-2:],
        "jpeg with tables": jpeg[:2] + segment(0xDB, (b"\0" + b"\1" * 64) * 900) * 4 + jpeg[2:],
        "png": png(*[(b"iCCP", b"k\0\0" + zlib.compress(bytes(1000)))] * MAX_PARTS),
        "png in pieces": png(*[(b"IDAT", b"")] * MAX_PARTS),
        "gif": gif[:first] + comment + gif[first:],
        "webp": webp[:4]
        + struct.pack("<I", len(webp) + 8 * MAX_PARTS)
        + webp[8:]
        + chunk * MAX_PARTS,
    }


@pytest.mark.parametrize("name", many_parts())
def test_parts_of_a_file_are_bounded(name):
    with pytest.raises(ImageError, match=r"more than 10,000 parts|tables are larger"):
        decode(many_parts()[name])


@cache
def costly() -> dict[str, bytes]:
    """Photos below the limits of pixels that take more memory than a photo may."""
    four = [encode_as("CMYK", np.zeros((8, 8, 3), np.uint8))]
    jpeg = bytearray(four[0])
    frame, scan = jpeg.index(b"\xff\xc0"), jpeg.index(b"\xff\xda")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 5000, 5000)
    one = b"\xff\xda\x00\x08\x01" + bytes(jpeg[scan + 5 : scan + 7]) + b"\x00\x3f\x00"
    webp = bytearray(encode(np.zeros((8, 8, 4), np.uint8), "WEBP", lossless=True))
    webp[21:25] = struct.pack("<I", 4999 | (4599 << 14))
    return {
        "four scans": bytes(jpeg[:scan]) + one + bytes(9) + b"\xff\xd9",
        "webp": bytes(webp),
        "a wide row": png(size=(65_000, 384)),
    }


@pytest.mark.parametrize("name", costly())
def test_memory_is_counted_before_decoding(name):
    with pytest.raises(ImageTooLargeError, match="million bytes to decode"):
        decode(costly()[name])


def test_a_picture_as_thin_as_a_line_is_refused():
    with pytest.raises(ImageTooLargeError, match="100000 x 1 pixels"):
        decode(png(size=(100_000, 1)))


def test_large_photos_take_turns_and_small_ones_do_not_wait(monkeypatch):
    large, small = png(size=(2100, 2099)), encode(four_corners())
    monkeypatch.setattr(images, "MAX_MEMORY", 30_000_000)
    begun, go_on = threading.Event(), threading.Event()
    reduced = images._reduced

    def slow(*arguments):
        begun.set()
        assert go_on.wait(300)
        return reduced(*arguments)

    monkeypatch.setattr(images, "_reduced", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(decode, large)
        assert begun.wait(300)
        monkeypatch.setattr(images, "_reduced", reduced)
        assert decode(small, wait=False).shape == (80, 120, 3)
        with pytest.raises(DecodingBusyError):
            decode(large, wait=False)
        second = pool.submit(decode, large)
        time.sleep(0.2)
        assert not second.done()
        go_on.set()
        assert first.result().shape == second.result().shape == (525, 525, 3)
    assert decode(large, wait=False).shape == (525, 525, 3)
