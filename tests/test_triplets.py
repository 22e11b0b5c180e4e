import numpy as np

from itadaki.training import triplets

# One anchor at 0 degrees, candidates at 10, 30, 60, 90 and 170 degrees.
ANGLES = np.array([10, 30, 60, 90, 170])
SIMILARITIES = np.cos(np.radians(ANGLES))[None].astype(np.float32)
ALL = np.ones((1, 5), dtype=bool)


def only(*angles: int) -> np.ndarray:
    return np.isin(ANGLES, angles)[None]


def test_hardest_negative_is_the_most_similar_that_is_allowed():
    assert triplets.hardest_negatives(SIMILARITIES, ALL) == [0]
    assert triplets.hardest_negatives(SIMILARITIES, only(60, 90, 170)) == [2]


def test_semi_hard_negative_is_the_hardest_behind_the_positive():
    positive = np.cos(np.radians([45])).astype(np.float32)
    assert triplets.semi_hard_negatives(SIMILARITIES, positive, ALL) == [2]
    assert triplets.semi_hard_negatives(SIMILARITIES, positive, only(10, 30)) == [1]
    as_near = SIMILARITIES[:, 2]  # the one at 60 degrees is not behind it
    assert triplets.semi_hard_negatives(SIMILARITIES, as_near, ALL) == [3]
    assert triplets.semi_hard_negatives(SIMILARITIES, as_near + 1, ALL) == [0]


def test_random_negatives_draw_all_that_are_allowed_alike():
    rng = np.random.default_rng(0)
    rows = np.repeat(only(30, 90), 4000, axis=0)
    drawn = np.bincount(triplets.random_negatives(rows, rng), minlength=5) / 4000
    np.testing.assert_allclose(drawn, [0, 0.5, 0, 0.5, 0], atol=0.03)


def test_one_of_each_draws_all_candidates_alike():
    rng = np.random.default_rng(0)
    many = np.repeat([[3, -1, 1, 4]], 4000, axis=0)
    drawn = np.bincount(triplets.one_of_each(many, rng), minlength=5) / 4000
    np.testing.assert_allclose(drawn, [0, 1 / 3, 0, 1 / 3, 1 / 3], atol=0.03)


def test_distance_weighted_draws_follow_the_inverse_density_of_distances():
    rng = np.random.default_rng(0)
    draws, dimension = 20000, 4
    distance = np.maximum(2 * np.sin(np.radians(ANGLES) / 2), 0.5)
    density = distance ** (dimension - 2) * (1 - distance**2 / 4) ** ((dimension - 3) / 2)
    weight = np.where(distance < 1.4, 1 / density, 0)
    many, allowed = (np.repeat(a, draws, axis=0) for a in (SIMILARITIES, ALL))
    drawn = triplets.distance_weighted_negatives(many, allowed, dimension, rng)
    np.testing.assert_allclose(
        np.bincount(drawn, minlength=5) / draws, weight / weight.sum(), atol=0.015
    )
    far = triplets.distance_weighted_negatives(SIMILARITIES, only(170), dimension, rng)
    assert far == [4]


def test_distance_weights_of_many_dimensions_also_count_how_round_the_sphere_is():
    distance = 2 * np.sin(np.radians([60, 85]) / 2)
    weight = 1 / (distance**10 * (1 - distance**2 / 4) ** 4.5)
    many = np.repeat(1 - distance[None] ** 2 / 2, 20000, axis=0)
    rng = np.random.default_rng(0)
    drawn = triplets.distance_weighted_negatives(many, many > -1, 12, rng)
    np.testing.assert_allclose(drawn.mean(), weight[1] / weight.sum(), atol=0.015)


def test_no_allowed_candidate_gives_minus_one():
    none = np.zeros((1, 5), dtype=bool)
    rng = np.random.default_rng(0)
    assert triplets.random_negatives(none, rng) == [-1]
    assert triplets.hardest_negatives(SIMILARITIES, none) == [-1]
    assert triplets.semi_hard_negatives(SIMILARITIES, np.array([0.5]), none) == [-1]
    assert triplets.distance_weighted_negatives(SIMILARITIES, none, 8, rng) == [-1]
    assert triplets.one_of_each(np.array([[-1, -1]]), rng) == [-1]
