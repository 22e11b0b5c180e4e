import sys

import numpy as np
import pytest

from itadaki.index import exact as search
from itadaki.index.exact import rescored, top_k
from itadaki.index.precision import reduced


def brute_force(bank, query, k, allowed):
    similarity = bank @ query
    order = sorted(np.flatnonzero(allowed), key=lambda i: (-similarity[i], i))
    return order[:k], similarity[order[:k]]


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("k", [1, 2, 5, 17, 60, 100])
@pytest.mark.parametrize("share", [1.0, 0.4, 0.02])
def test_equals_brute_force_with_ties(k, share):
    rng = np.random.default_rng(k)
    bank = unit(rng.normal(size=(60, 8)))
    bank[40:] = bank[rng.integers(0, 10, 20)]
    bank[:6] = bank[0]
    allowed = rng.random(60) < share
    for query in unit(rng.normal(size=(20, 8))):
        indices, similarities = top_k(bank, query, k, allowed)
        expected, expected_similarities = brute_force(bank, query, k, allowed)
        assert indices.tolist() == list(expected)
        assert similarities == pytest.approx(expected_similarities, abs=1e-6)


def test_points_at_known_angles():
    degrees = np.radians([0, 90, 30, 180, 30])
    bank = np.stack([np.cos(degrees), np.sin(degrees)], axis=1).astype(np.float32)
    indices, similarities = top_k(bank, bank[0], 4)
    assert indices.tolist() == [0, 2, 4, 1]
    assert similarities == pytest.approx([1, 3**0.5 / 2, 3**0.5 / 2, 0], abs=1e-6)


def test_all_rows_alike_come_in_order():
    assert top_k(np.ones((5, 1), np.float32), np.ones(1, np.float32), 3)[0].tolist() == [0, 1, 2]


def test_all_rows_alike_come_in_order_whatever_order_they_are_compared_again_in():
    bank = np.ones((5, 1), np.float32)
    assert rescored(np.array([4, 1, 3]), bank, bank[0], 2)[0].tolist() == [1, 3]


def test_rows_in_float32_need_no_package_beside_numpy(monkeypatch):
    monkeypatch.setitem(sys.modules, "numkong", None)
    bank = np.eye(3, dtype=np.float32)
    assert top_k(bank, bank[1], 1)[0].tolist() == [1]


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_nothing_allowed_finds_nothing(precision):
    bank = np.eye(3, dtype=np.float32)
    indices, similarities = top_k(reduced(bank, precision), bank[0], 2, np.zeros(3, bool))
    assert len(indices) == len(similarities) == 0


def test_k_must_be_positive():
    with pytest.raises(ValueError, match="at least 1"):
        top_k(np.eye(3), np.eye(3)[0], 0)


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_fewer_bits_find_the_same_after_the_best_are_compared_again(precision, monkeypatch):
    monkeypatch.setattr(search, "_PASS", 200)
    rng = np.random.default_rng(3)
    bank = unit(rng.normal(size=(500, 32)))
    small = reduced(bank, precision)
    for allowed in (None, rng.random(500) < 0.5, rng.random(500) < 0.05):
        for query in unit(rng.normal(size=(20, 32))):
            indices, found = top_k(small, query, 5, allowed, exact=bank)
            expected, similarities = top_k(bank, query, 5, allowed)
            assert indices.tolist() == expected.tolist()
            assert found == pytest.approx(similarities, abs=1e-6)
            rough = top_k(small, query, 5, allowed)[1]
            assert rough == pytest.approx(similarities, abs=0.02)
