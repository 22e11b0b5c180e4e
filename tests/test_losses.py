import numpy as np
import pytest
import tensorflow as tf

from itadaki.training import losses


def at(*degrees: float) -> np.ndarray:
    """Points on the unit circle."""
    points = np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)
    return points.astype(np.float32)


# The positive is nearer; the negative is, by far; both are as near; and the negative by little.
ANCHOR, POSITIVE, NEGATIVE = at(0, 0, 0, 0), at(60, 90, 45, 60), at(90, 0, -45, 45)
NEAR, FAR = (ANCHOR * POSITIVE).sum(axis=1), (ANCHOR * NEGATIVE).sum(axis=1)
LITTLE = np.sqrt(0.5) - 0.5


def test_triplet_loss_of_points_at_known_angles():
    for margin in (0.3, 0.8):
        costs = [max(0, margin - 0.5), margin + 1, margin, margin + LITTLE]
        assert float(losses.triplet_loss(NEAR, FAR, margin)) == pytest.approx(np.mean(costs))
    assert float(losses.triplet_accuracy(NEAR, FAR)) == 0.25
    assert float(losses.triplet_margin_accuracy(NEAR, FAR, 0.3)) == 0.25
    assert float(losses.triplet_margin_accuracy(NEAR, FAR, 0.8)) == 0.0


def test_anchors_without_a_negative_do_not_count():
    counted = tf.constant([True, True, False, False])
    assert float(losses.triplet_loss(NEAR, FAR, 0.3, counted)) == pytest.approx((0 + 1.3) / 2)
    assert float(losses.triplet_accuracy(NEAR, FAR, counted)) == 0.5
    assert float(losses.triplet_margin_accuracy(NEAR, FAR, 0.3, counted)) == 0.5
    assert float(losses.mean_of(NEAR, counted)) == pytest.approx(0.25)


@pytest.mark.parametrize("count", [0, 3])
def test_without_any_triplet_loss_gradient_and_metrics_are_zero(count):
    near, far = tf.Variable(np.full(count, 0.2, "f4")), tf.Variable(np.full(count, 0.9, "f4"))
    counted = tf.zeros(count, tf.bool)
    with tf.GradientTape() as tape:
        loss = losses.triplet_loss(near, far, 0.3, counted)
    assert float(loss) == 0.0
    for gradient in tape.gradient(loss, [near, far]):
        np.testing.assert_array_equal(gradient, np.zeros(count))
    assert float(losses.triplet_accuracy(near, far, counted)) == 0.0
    assert float(losses.mean_of(near, counted)) == 0.0
    assert float(losses.triplet_loss(near[:0], far[:0], 0.3)) == 0.0


def test_soft_contrastive_loss_is_cross_entropy_over_the_temperature():
    similarities = tf.constant([[1.0, 0.0], [0.0, 0.5]])
    sure = tf.constant([[1.0, 0.0], [0.0, 1.0]])
    expected = [np.log(1 + np.exp(-1 / 0.5)), np.log(1 + np.exp(-0.5 / 0.5))]
    loss = losses.soft_contrastive_loss(similarities, sure, 0.5)
    assert float(loss) == pytest.approx(np.mean(expected), rel=1e-5)


def test_soft_contrastive_loss_shares_a_row_between_its_positives():
    similarities = tf.constant([[0.2, 0.9, -0.4]])
    log_softmax = np.log(np.exp([2, 9, -4]) / np.exp([2, 9, -4]).sum())
    loss = losses.soft_contrastive_loss(similarities, tf.constant([[0.25, 0.75, 0.0]]), 0.1)
    assert float(loss) == pytest.approx(-(0.25 * log_softmax[0] + 0.75 * log_softmax[1]), rel=1e-5)


def test_rows_without_a_positive_cost_nothing():
    similarities = tf.constant([[1.0, 0.0], [1.0, 0.0]])
    one = losses.soft_contrastive_loss(similarities[:1], tf.constant([[1.0, 0.0]]), 0.5)
    both = losses.soft_contrastive_loss(similarities, tf.constant([[1.0, 0.0], [0.0, 0.0]]), 0.5)
    assert float(both) == pytest.approx(float(one))
    none = losses.soft_contrastive_loss(similarities, tf.zeros((2, 2)), 0.5)
    assert float(none) == 0.0


def test_rows_without_a_positive_teach_nothing():
    similarities = tf.Variable([[1.0, 0.2], [0.3, 0.8]])
    with tf.GradientTape() as tape:
        loss = losses.soft_contrastive_loss(similarities, tf.constant([[0.25, 0.75], [0, 0]]), 0.5)
    softmax = np.exp([2.0, 0.4]) / np.exp([2.0, 0.4]).sum()
    expected = [(softmax - [0.25, 0.75]) / 0.5, [0, 0]]
    np.testing.assert_allclose(tape.gradient(loss, similarities), expected, atol=1e-6)


def test_mean_pairwise_distance_is_zero_when_collapsed_and_one_when_orthogonal():
    assert float(losses.mean_pairwise_distance(at(30, 30, 30))) == pytest.approx(0, abs=1e-6)
    assert float(losses.mean_pairwise_distance(at(0, 90))) == pytest.approx(1)
    # cos 60 = 0.5 twice and cos 120 = -0.5 once.
    assert float(losses.mean_pairwise_distance(at(0))) == 0.0
    assert float(losses.mean_pairwise_distance(at(0, 60, 120))) == pytest.approx(1 - 0.5 / 3)


def test_distance_is_one_minus_the_cosine_of_each_row_to_its_counterpart():
    rows = np.array([[3.0, 0.0], [1.0, 1.0]], np.float32)
    others = np.array([[0.5, 0.0], [0.0, 2.0]], np.float32)
    expected = 1 - (1 + np.cos(np.radians(45))) / 2
    assert float(losses.mean_distance(rows, others)) == pytest.approx(expected, abs=1e-6)
