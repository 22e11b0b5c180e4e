from typing import get_args

import numpy as np
import pytest
from scipy.sparse import csr_matrix, identity

from itadaki.training.config import CONFIG_TL, Sampling, TrainingConfig
from itadaki.training.miners import Miner
from itadaki.training.text_neighbours import TextNeighbours

# Six photos on a circle. Those at 0 and 60 degrees read alike; no others do.
ANGLES = np.array([0, 10, 30, 60, 100, 170])
POINTS = np.stack([np.cos(np.radians(ANGLES)), np.sin(np.radians(ANGLES))], axis=1)
BATCH = np.array([0, 1, 2, 4, 5])  # the text's neighbour of 0 is not among them
DRAWS = 200


def miner_of(points=POINTS, classes=range(6), **knobs) -> Miner:
    words = np.eye(6, dtype=np.float32)
    words[3] = words[0]
    alike = csr_matrix(words @ words.T - np.eye(6, dtype=np.float32))
    neighbours = TextNeighbours(
        words,
        np.zeros_like(words),
        alike,
        identity(6, dtype=bool, format="csr"),
        np.array(classes),
    )
    config = CONFIG_TL | {name.upper(): value for name, value in knobs.items()}
    miner = Miner(TrainingConfig.of(config), neighbours)
    miner.begin_epoch(lambda places: points[places])
    return miner


def drawn(miner: Miner, batch: np.ndarray = BATCH) -> set[int]:
    """The negatives of the first anchor, the photo at 0 degrees."""
    rng = np.random.default_rng(0)
    return {int(miner.mine(batch, rng)[1][0]) for _ in range(DRAWS)}


@pytest.mark.parametrize(
    ("knobs", "places"),
    [
        ({"sampling": "random"}, {1, 2, 4, 5}),  # all but itself and what reads alike
        ({"sampling": "hard_negative", "hardest": 1}, {1}),
        ({"sampling": "hard_negative", "hardest": 2}, {1, 2}),
        ({"sampling": "hard_negative", "hardest": 3}, {1, 2, 4}),
        ({"sampling": "batch_hard"}, {1}),
        ({"sampling": "semi_hard"}, {4}),  # the nearest behind the positive at 60 degrees
        ({"sampling": "distance_weighted"}, {1, 2}),  # beyond 89 degrees only if nothing is nearer
    ],
)
def test_each_sampling_takes_its_own_negatives(knobs, places):
    assert drawn(miner_of(**knobs)) == places


def test_hard_and_random_negatives_come_from_all_photos_and_others_from_the_batch():
    alone = np.array([0, 5])
    assert drawn(miner_of(sampling="random"), alone) == {-1, 1, 2, 4, 5}  # it may draw only 0 and 3
    assert drawn(miner_of(sampling="hard_negative", hardest=1), alone) == {1}
    assert drawn(miner_of(sampling="batch_hard"), alone) == {5}
    assert drawn(miner_of(sampling="semi_hard"), alone) == {5}


def test_the_bank_is_that_of_the_epochs_beginning_and_a_batch_is_embedded_now():
    points = {"now": POINTS}
    miners = {
        sampling: miner_of(sampling=sampling, **knobs)
        for sampling, knobs in {"hard_negative": {"hardest": 1}, "batch_hard": {}}.items()
    }
    for miner in miners.values():
        miner.begin_epoch(lambda places: points["now"][places])
    moved = POINTS.copy()
    moved[[1, 5]] = POINTS[[5, 1]]
    points["now"] = moved
    assert drawn(miners["hard_negative"]) == {1}
    assert drawn(miners["batch_hard"]) == {5}
    miners["hard_negative"].begin_epoch(lambda places: points["now"][places])
    assert drawn(miners["hard_negative"]) == {5}


def test_what_is_of_the_anchors_class_is_no_negative():
    classes = [7, 7, 2, 3, 4, 5]
    assert drawn(miner_of(sampling="hard_negative", hardest=1, classes=classes)) == {2}


@pytest.mark.parametrize("sampling", get_args(Sampling))
def test_where_no_negative_is_allowed_none_is_taken(sampling):
    assert drawn(miner_of(sampling=sampling, classes=[7] * 6)) == {-1}


def test_positives_are_the_texts_neighbours_wherever_they_are():
    positives, _ = miner_of().mine(BATCH, np.random.default_rng(0))
    assert positives.tolist() == [3, 1, 2, 4, 5]  # the others have none but themselves


def test_positives_of_the_batch_leave_its_others_as_negatives_unmasked():
    miner = miner_of(positives="batch_text", sampling="random", classes=[7] * 6)
    batch = np.array([0, 1, 3, 5])
    positives, _ = miner.mine(batch, np.random.default_rng(0))
    assert (positives[0], positives[2]) == (3, 0)
    assert drawn(miner, batch) == {1, 5}
