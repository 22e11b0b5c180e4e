"""The second look at candidates, on points that are placed by hand."""

import numpy as np
import pytest

from itadaki.index.reranking import STANDS_OUT, reranked


def unit(*degrees: float) -> np.ndarray:
    """Points on a circle, in the first two of three dimensions."""
    angles = np.deg2rad(degrees)
    zeros = np.zeros_like(angles)
    return np.stack([np.cos(angles), np.sin(angles), zeros], axis=1).astype(np.float32)


QUERY = unit(0)[0]


def test_what_most_of_the_best_have_in_common_comes_first():
    rows = unit(-20, 22, 24, 26)  # the nearest is alone on its side
    photos = np.tile(unit(60), (4, 1))
    assert reranked(QUERY, photos, rows).tolist() == [1, 2, 3, 0]


def test_a_photo_that_stands_out_is_the_same_one_and_first():
    rows = unit(-20, 22, 24, 26)
    photos = unit(10, 60, 61, 62)
    assert reranked(QUERY, photos, rows).tolist() == [0, 1, 2, 3]


def test_a_photo_that_is_barely_nearer_does_not_stand_out():
    nearer = np.rad2deg(np.arccos(np.cos(np.deg2rad(60)) + STANDS_OUT * 0.9))
    photos = unit(nearer, 60, 60, 60)
    assert reranked(QUERY, photos, unit(-20, 22, 24, 26))[0] == 1


def test_copies_of_the_same_photo_stand_out_together():
    photos = unit(10, 60, 10, 61)
    assert set(reranked(QUERY, photos, unit(-20, 22, 24, 26))[:2]) == {0, 2}


@pytest.mark.parametrize("count", [0, 1])
def test_few_candidates_are_enough(count):
    found = reranked(QUERY, unit(*[10] * count).reshape(-1, 3), unit(*[10] * count).reshape(-1, 3))
    assert found.tolist() == list(range(count))


def test_candidates_that_point_away_expand_nothing():
    rows = unit(100, 120)
    assert reranked(QUERY, rows, rows).tolist() == [0, 1]
