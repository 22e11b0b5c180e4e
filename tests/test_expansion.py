"""What moves a query, on points that are placed by hand."""

import numpy as np
import pytest

from itadaki.index.expansion import STANDS_OUT, expanded


def unit(*degrees: float) -> np.ndarray:
    """Points on a circle, in the first two of three dimensions."""
    angles = np.deg2rad(degrees)
    zeros = np.zeros_like(angles)
    return np.stack([np.cos(angles), np.sin(angles), zeros], axis=1).astype(np.float32)


def degrees(point: np.ndarray) -> float:
    return float(np.rad2deg(np.arctan2(point[1], point[0])))


QUERY = unit(0)[0]
ROWS = unit(-20, 22, 24, 26)  # the nearest is alone on its side
ALIKE = np.tile(unit(60), (4, 1))


def order(query: np.ndarray) -> list[int]:
    return np.argsort(-(ROWS @ query)).tolist()


def test_what_most_of_the_best_have_in_common_comes_first():
    found = expanded(QUERY, ALIKE, ROWS)
    assert 0 < degrees(found) < 22
    assert order(found) == [1, 2, 3, 0]


def test_the_query_counts_as_much_as_all_that_it_found():
    assert degrees(expanded(QUERY, np.tile(unit(60), (2, 1)), unit(40, 40))) == pytest.approx(20)


def test_the_length_stays_1():
    found = expanded(QUERY, ALIKE, ROWS)
    assert np.linalg.norm(found) == pytest.approx(1)
    assert found.dtype == np.float32


def test_a_photo_that_stands_out_is_the_same_one_and_first():
    assert order(expanded(QUERY, unit(10, 60, 61, 62), ROWS))[0] == 0


def test_a_photo_that_is_barely_nearer_does_not_stand_out():
    nearer = np.rad2deg(np.arccos(np.cos(np.deg2rad(60)) + STANDS_OUT * 0.9))
    photos = unit(nearer, 60, 60, 60)
    assert np.array_equal(expanded(QUERY, photos, ROWS), expanded(QUERY, ALIKE, ROWS))


def test_copies_of_the_same_photo_stand_out_together():
    found = expanded(QUERY, unit(10, 60, 61, 10), ROWS)
    assert degrees(found) > degrees(expanded(QUERY, unit(10, 60, 61, 62), ROWS))


def test_where_nothing_is_found_the_query_stays():
    assert expanded(QUERY, np.zeros((0, 3)), np.zeros((0, 3))).tolist() == QUERY.tolist()


def test_a_single_row_draws_the_query_to_it():
    assert 0 < degrees(expanded(QUERY, unit(10), unit(10))) < 10


def test_rows_that_point_away_move_nothing():
    rows = unit(100, 100)
    assert expanded(QUERY, rows, rows).tolist() == QUERY.tolist()
