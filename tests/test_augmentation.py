import numpy as np
import pytest
from conftest import dish_photo

from itadaki.photos.augmentation import augmented_view


@pytest.mark.parametrize("size", [(274, 169), (1, 1), (3, 200), (1200, 900)])
def test_a_view_is_a_photo_no_larger_than_the_original(size):
    rgb = dish_photo(1, size)
    for seed in range(30):
        view = augmented_view(rgb, np.random.default_rng(seed))
        assert view.dtype == np.uint8
        assert view.ndim == 3
        assert view.shape[2] == 3
        assert 1 <= view.shape[0] <= rgb.shape[0]
        assert 1 <= view.shape[1] <= rgb.shape[1]


def test_the_same_seed_gives_the_same_view_and_another_another():
    rgb = dish_photo(2)
    views = [augmented_view(rgb, np.random.default_rng(seed)) for seed in (5, 5, 6)]
    np.testing.assert_array_equal(views[0], views[1])
    assert views[0].shape != views[2].shape or (views[0] != views[2]).any()


def test_the_original_is_left_as_it_was():
    rgb = dish_photo(3)
    before = rgb.copy()
    for seed in range(10):
        augmented_view(rgb, np.random.default_rng(seed))
    np.testing.assert_array_equal(rgb, before)
