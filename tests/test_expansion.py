"""What moves a query, on points that are placed by hand."""

import numpy as np
import pytest

from itadaki.index.expansion import EXPANDING, STANDS_OUT, expanded, same_photo


def unit(*degrees: float) -> np.ndarray:
    """Points on a circle, in the first two of three dimensions."""
    angles = np.deg2rad(degrees)
    zeros = np.zeros_like(angles)
    return np.stack([np.cos(angles), np.sin(angles), zeros], axis=1).astype(np.float32)


def degrees(point: np.ndarray) -> float:
    return float(np.rad2deg(np.arctan2(point[1], point[0])))


QUERY = unit(0)[0]
ROWS = unit(-20, 22, 24, 26)  # the nearest is alone on its side


def moved(rows: np.ndarray, same: int | None = None) -> np.ndarray:
    """The query expanded with rows, of which one may be of the same photo."""
    return expanded(QUERY, rows, np.arange(len(rows)) == same)


def order(query: np.ndarray) -> list[int]:
    return np.argsort(-(ROWS @ query)).tolist()


def test_what_most_of_the_best_have_in_common_comes_first():
    found = moved(ROWS)
    assert 0 < degrees(found) < 22
    assert order(found) == [1, 2, 3, 0]


def test_the_query_counts_as_much_as_all_that_it_found():
    assert degrees(moved(unit(40, 40, 40))) == pytest.approx(20)


def test_a_row_counts_by_the_third_power_of_its_similarity():
    found = moved(unit(0, 60))
    common = unit(0)[0] + 0.5**3 * unit(60)[0]
    assert degrees(found) == pytest.approx(degrees(common) / 2, abs=1e-3)


def test_only_the_first_rows_count():
    many = np.concatenate([np.repeat(unit(10), EXPANDING, axis=0), unit(*[60] * 30)])
    assert degrees(moved(many)) == pytest.approx(5, abs=1e-3)


def test_the_length_stays_1():
    found = moved(ROWS)
    assert np.linalg.norm(found) == pytest.approx(1)
    assert found.dtype == np.float32


def test_the_row_of_the_same_photo_counts_once_more():
    assert order(moved(ROWS, same=0))[0] == 0


@pytest.mark.parametrize("rows", [np.zeros((0, 3), np.float32), unit(100, 100)])
def test_where_nothing_is_near_the_query_stays(rows):
    assert moved(rows).tolist() == QUERY.tolist()


def beyond(gap: float) -> float:
    """The angle of a photo that is nearer by so much than one at 60 degrees."""
    return float(np.rad2deg(np.arccos(0.5 + gap)))


@pytest.mark.parametrize(
    ("photos", "same"),
    [
        ((60, 10, 61), [1]),
        ((beyond(STANDS_OUT * 1.1), 60, 61), [0]),
        ((beyond(STANDS_OUT * 0.9), 60, 61), []),
        ((10, 60, 10), [0, 2]),  # a copy
        ((70, 80, 90), []),  # the nearest, yet far
        ((10, 10), []),  # nothing that it could stand out from
        ((), []),
    ],
)
def test_a_photo_that_stands_out_is_the_same(photos, same):
    assert np.flatnonzero(same_photo(QUERY, unit(*photos))).tolist() == same
