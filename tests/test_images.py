import io

import cv2
import numpy as np
import pytest
from conftest import dish_photo, encode
from PIL import Image

from itadaki.errors import ImageError, ImageTooLargeError, UnsupportedImageError
from itadaki.images import MAX_PIXELS, decode, load_input, load_rgb, media_type, preprocess


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


@pytest.mark.parametrize(
    ("content", "kind", "says"),
    [
        (b"", ImageError, "empty"),
        (b"hello, world", UnsupportedImageError, "JPEG, PNG, WebP or GIF"),
        (b"%PDF-1.7 " + bytes(90), UnsupportedImageError, "JPEG, PNG, WebP or GIF"),
        (b"\0\0\0\x18ftypheic" + bytes(90), UnsupportedImageError, "HEIC"),
        (b"\0\0\0\x18ftypavif" + bytes(90), UnsupportedImageError, "AVIF"),
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
