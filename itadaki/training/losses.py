"""Losses and metrics on embeddings of length 1, whose cosine similarity is their product."""

import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must stand before TensorFlow is imported

from keras import ops

Tensor = Any
"""Of whatever backend Keras runs on; what NumPy holds will do, too."""


def mean_of(values: Tensor, counted: Tensor | None = None) -> Tensor:
    """The mean of those values that count; 0 where none does.

    Args:
        values: float tensor of shape (n,), n may be 0.
        counted: bool tensor of shape (n,); by default all count.
    """
    weights = ops.ones_like(values) if counted is None else ops.cast(counted, values.dtype)
    return ops.divide_no_nan(ops.sum(values * weights), ops.sum(weights))


def triplet_loss(
    positive_similarity: Tensor,
    negative_similarity: Tensor,
    margin: float | Tensor,
    counted: Tensor | None = None,
) -> Tensor:
    """Mean triplet loss on cosine distance (Schroff et al. 2015, FaceNet).

    The distance is 1 - similarity, so a triplet costs ``max(0, margin - positive + negative)``.

    Args:
        positive_similarity: float tensor of shape (n,), anchors against their positives.
        negative_similarity: float tensor of shape (n,), anchors against their negatives.
        margin: by how much the positive must be nearer, in cosine similarity.
        counted: bool tensor of shape (n,), the anchors that have a negative; by default all.

    Returns:
        A scalar, at least 0, and 0 where no anchor counts.
    """
    return mean_of(ops.relu(margin - positive_similarity + negative_similarity), counted)


def triplet_accuracy(
    positive_similarity: Tensor,
    negative_similarity: Tensor,
    counted: Tensor | None = None,
) -> Tensor:
    """Share of triplets whose positive is more similar to the anchor than the negative."""
    return mean_of(ops.cast(positive_similarity > negative_similarity, "float32"), counted)


def triplet_margin_accuracy(
    positive_similarity: Tensor,
    negative_similarity: Tensor,
    margin: float | Tensor,
    counted: Tensor | None = None,
) -> Tensor:
    """Share of triplets whose positive is more similar than the negative by over the margin."""
    return triplet_accuracy(positive_similarity - margin, negative_similarity, counted)


def soft_contrastive_loss(similarities: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """Cross-entropy between a softmax over similarities and graded targets.

    With one positive a row it is InfoNCE (van den Oord et al. 2018) and, between photos and
    texts, one direction of CLIP (Radford et al. 2021). Rows of targets that sum to 0 have no
    positive and cost nothing.

    Args:
        similarities: float tensor of shape (n, m).
        targets: float tensor of shape (n, m), at least 0; rows sum to 1 or to 0.
        temperature: what similarities are divided by.

    Returns:
        A scalar: the mean over the rows that have a positive.
    """
    cost = ops.categorical_crossentropy(targets, similarities / temperature, from_logits=True)
    # Such rows cost 0 as they are, but their gradient would push away from everything.
    return mean_of(cost, ops.any(targets > 0, axis=1))


def mean_distance(rows: Tensor, others: Tensor) -> Tensor:
    """Mean cosine distance of each row to its counterpart, a scalar from 0 to 2.

    Of features to those of a frozen network it is what distillation lowers (Romero et al. 2015).

    Args:
        rows: float tensor of shape (n, d).
        others: float tensor of shape (n, d).
    """
    return 1 - ops.mean(ops.sum(unit_rows(rows) * unit_rows(others), axis=1))


def unit_rows(rows: Tensor) -> Tensor:
    """Rows divided by their length; a row of zeros stays one.

    Args:
        rows: float tensor of shape (n, d).
    """
    # On JAX keras.ops.normalize gives a row of zeros a gradient that is no number.
    squares = ops.sum(ops.square(rows), axis=1, keepdims=True)
    return rows * ops.rsqrt(ops.maximum(squares, 1e-12))


def mean_pairwise_distance(embeddings: Tensor) -> Tensor:
    """Mean cosine distance of all pairs; near 0 the embeddings have collapsed to one point.

    Args:
        embeddings: float tensor of shape (n, d) with rows of length 1; of fewer than two it is 0.
    """
    count = float(len(embeddings))
    total = ops.sum(ops.square(ops.sum(embeddings, axis=0)))
    pairs = count * (count - 1)
    return ops.divide_no_nan(pairs - (total - count), pairs)
