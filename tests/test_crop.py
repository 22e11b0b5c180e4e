"""The part of a photo that is meant."""

import numpy as np
import pillow_heif
import pytest
from conftest import dish_photo, encode
from PIL import Image

from itadaki.errors import QueryError
from itadaki.photos.crop import Crop
from itadaki.photos.images import decode, load_input, load_rgb, preprocess
from itadaki.recipes.source import SAMPLE_ROOT


def two_dishes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two dishes, and a photo of both side by side."""
    left, right = dish_photo(3, (600, 600)), dish_photo(8, (600, 600))
    return left, right, np.hstack([left, right])


def test_each_half_of_a_photo_of_two_dishes_is_one_of_them():
    left, right, both = two_dishes()
    assert np.array_equal(load_rgb(both, crop=Crop(0, 0, 0.5, 1)), left)
    assert np.array_equal(load_rgb(both, crop=Crop.of("0.5,0,0.5,1")), right)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_a_crop_is_of_the_upright_photo(kind):
    pillow_heif.register_heif_opener()
    rgb = np.zeros((80, 120, 3), np.uint8)
    rgb[:, :60] = (255, 0, 0)
    exif = Image.Exif()
    exif[274] = 6
    stored = np.ascontiguousarray(np.rot90(rgb))
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encode(stored, kind, exif=exif.tobytes(), **options)
    left = decode(content, crop=Crop(0, 0, 0.4, 1))
    assert left.shape == (80, 48, 3) and np.allclose(left, (255, 0, 0), atol=14)


def test_a_small_part_of_a_large_photo_keeps_its_detail():
    """The whole is reduced to twice what the model sees, a quarter of it to less than that."""
    photo = encode(np.tile(dish_photo(3, (1200, 1200)), (2, 2, 1)), quality=95)
    assert decode(photo).shape == (600, 600, 3)
    part = decode(photo, crop=Crop(0.5, 0.5, 0.5, 0.5))
    assert part.shape[0] >= 448
    whole = preprocess(dish_photo(3, (1200, 1200)))
    assert np.abs(load_input(photo, crop=Crop(0.5, 0.5, 0.5, 0.5)) - whole).mean() < 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0,0,1",
        "0,0,1,1,1",
        "a,b,c,d",
        "0;0;1;1",
        "nan,0,1,1",
        "0,0,inf,1",
        "-0.1,0,0.5,0.5",
        "0.6,0,0.5,1",
        "0,0.6,1,0.5",
        "0,0,0,1",
        "0,0,0.5,-0.5",
        "0.5,0.5,0.01,0.5",
    ],
)
def test_nonsense_is_refused(text):
    with pytest.raises(QueryError, match="crop"):
        Crop.of(text)


def test_roundings_at_the_edge_are_taken_off():
    crop = Crop.of("0.3333, 0, 0.6668, 1")
    assert crop.x + crop.width == pytest.approx(1, abs=1e-9)
    assert crop.of_photo(dish_photo(1)).shape[0] == 169


def test_a_crop_never_is_empty():
    tiny = np.zeros((1, 3, 3), np.uint8)
    assert min(Crop(0.98, 0.98, 0.02, 0.02).of_photo(tiny).shape) > 0


def test_two_dishes_of_the_cookbook_are_two_inputs():
    folder = SAMPLE_ROOT / "Food Images" / "Food Images"
    one, other = (load_rgb(path) for path in sorted(folder.iterdir())[:121:120])
    high = min(one.shape[0], other.shape[0])
    both = np.hstack([one[:high], other[:high]])
    share = one.shape[1] / both.shape[1]
    left = load_input(both, crop=Crop(0, 0, share, 1))
    assert np.abs(left - preprocess(one[:high])).mean() < 2
    assert np.abs(left - preprocess(other[:high])).mean() > 10
