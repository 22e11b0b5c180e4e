from dataclasses import replace

import numpy as np
import pytest
from conftest import dataset_recipe
from scipy.sparse import csr_matrix

from itadaki import plots
from itadaki.bank.bank import Bank
from itadaki.errors import ItadakiError
from itadaki.evaluation.comparison import save_measurement
from itadaki.evaluation.inspection import (
    best_and_worst,
    embedding_map,
    look,
    pair_similarities,
    precision_recall,
)
from itadaki.evaluation.measurements import Measurements
from itadaki.evaluation.scores import Evaluation
from itadaki.training.text_neighbours import TextNeighbours, nearest_and_mask
from itadaki.variants import VARIANTS


def bank_of(degrees: list[float], classes: list[str | None], tested: list[int]) -> Bank:
    """Recipes as points on a circle, so that every similarity can be told by hand."""
    angles = np.deg2rad(degrees)
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    recipes = [
        dataset_recipe(i, dish_class=name, split="test" if i in tested else "train")
        for i, name in enumerate(classes)
    ]
    return Bank(VARIANTS["raw"], rows, rows, recipes, {})


@pytest.fixture
def bank() -> Bank:
    """Soups at 0 to 20 degrees, cakes at 90 to 100 and one among the soups, a stray at 180."""
    degrees = [0, 10, 20, 90, 100, 9, 180]
    classes = ["soup", "soup", "soup", "cake", "cake", "cake", None]
    return bank_of(degrees, classes, tested=[0, 3, 5])


def test_best_and_worst_are_told_by_the_neighbours_classes(bank):
    best, worst = best_and_worst(bank, count=1, k=1)
    assert (best[0].query, best[0].neighbours.tolist(), best[0].hits.all()) == (3, [4], True)
    # Recipe 5 lies nearer to a wrong neighbour than recipe 0 does: it is the surest failure.
    assert (worst[0].query, worst[0].neighbours.tolist(), worst[0].hits.any()) == (5, [1], False)
    assert worst[0].similarities[0] == pytest.approx(np.cos(np.deg2rad(1)))


def test_no_query_is_on_both_sides(bank):
    best, worst = best_and_worst(bank, count=5, k=2)
    assert {one.query for one in best}.isdisjoint(one.query for one in worst)
    assert all(one.hits.any() for one in best) and not any(one.hits.all() for one in worst)


def test_precision_recall_by_hand(bank):
    curves = precision_recall(bank, count=2)
    assert list(curves) == ["cake (2)", "soup (1)"]
    # From recipe 0 the order is 5 (cake), 1 (soup), 2 (soup): precision 2/3 at every recall.
    assert curves["soup (1)"].tolist() == pytest.approx([2 / 3] * 21)
    # Recipe 3 finds 4 first and 5 fourth, recipe 5 finds 3 fourth and 4 fifth.
    assert curves["cake (2)"].iloc[0] == pytest.approx((1 + 2 / 5) / 2)
    assert curves["cake (2)"].iloc[-1] == pytest.approx((2 / 4 + 2 / 5) / 2)


def test_the_map_holds_the_frequent_classes_and_is_bounded():
    rng = np.random.default_rng(0)
    classes = ["soup"] * 30 + ["cake"] * 20 + ["pie"] * 3 + [None] * 10
    bank = bank_of(rng.uniform(0, 360, len(classes)).tolist(), classes, tested=[0])
    points = embedding_map(bank, classes=2, limit=40)
    assert len(points) == 40 and np.isfinite(points[["x", "y"]]).all(axis=None)
    assert set(points["dish class"]) == {"soup", "cake"}
    assert points["dish class"].tolist() == [classes[row] for row in points.index]
    again = embedding_map(bank, classes=2, limit=40)
    assert points.index.equals(again.index) and np.allclose(points[["x", "y"]], again[["x", "y"]])


def test_what_chapters_draw_is_kept_beside_the_scores(bank, tmp_path):
    (tmp_path / "reports" / "measurements").mkdir(parents=True)
    found = {"photos": Evaluation({"P@1": np.ones(3)}, {"P@1": 0.1}, "test", len(bank.recipes))}
    facts = {"dataset": "d", "dataset_source": "x", "history": [{"epoch": 0, "loss": 1.0}]}
    for seed in (0, 1):
        told = facts | {"look": look(bank)}
        save_measurement(found, tmp_path / "reports" / "measurements", "raw", seed, told)
    run = Measurements(tmp_path).run("raw")
    assert run.history["seed"].tolist() == [0, 1]
    assert run.scores.loc["P@1", ["score", "random order"]].tolist() == [1, 0.1]
    assert "2 seeds" in run.told_of_seeds and "2 seeds" not in run.told
    assert set(run.map["dish class"]) == {"soup", "cake"}
    assert run.precision_recall.index.name == "recall" and "cake (2)" in run.precision_recall
    assert set(run.pairs["pair"]) == {"of one dish class", "of two classes"}
    assert run.splits["count"].sum() == len(bank.recipes)
    drawn = [plots.embedding_map(run.map), plots.precision_recall(run.precision_recall)]
    drawn.append(plots.similarity_of_pairs(run.pairs))
    for figure in drawn:
        plots.close(figure)
    with pytest.raises(ItadakiError, match="--only tl"):
        Measurements(tmp_path).run("tl")


def test_pairs_are_of_open_photos_that_have_a_class(bank):
    assert set(pair_similarities(bank)["pair"]) == {"of one dish class", "of two classes"}
    for classes in ({0: "soup"}, {}):  # a photo and itself are no pair
        recipes = [
            replace(recipe, dish_class=classes.get(row), split="train" if row else "sealed")
            for row, recipe in enumerate(bank.recipes)
        ]
        recipes[1] = replace(recipes[1], dish_class=classes.get(0))
        hidden = Bank(bank.variant, bank.embeddings, bank.embeddings, recipes, {})
        pairs = pair_similarities(hidden)
        assert pairs.empty
        plots.close(plots.similarity_of_pairs(pairs))


def test_a_sealed_photo_is_on_no_map(bank):
    sealed = [replace(bank.recipes[0], split="sealed"), *bank.recipes[1:]]
    rows = bank.embeddings
    assert 0 in embedding_map(bank).index
    assert 0 not in embedding_map(Bank(bank.variant, rows, rows, sealed, {})).index


def test_the_nearest_say_whether_they_may_be_negatives():
    rows = np.array([[1, 0], [0.9, 0.1], [0.5, 0.5], [0, 1]], np.float32)
    words = np.eye(4, dtype=np.float32)
    words[1] = words[0]
    neighbours = TextNeighbours(
        words,
        np.zeros_like(words),
        csr_matrix((4, 4), dtype=np.float32),
        csr_matrix(np.eye(4, dtype=bool)),
        np.array([0, -1, 0, 1]),
    )
    near, nearness, allowed = nearest_and_mask(rows, neighbours, np.array([0]), k=3)
    assert near.tolist() == [[1, 2, 3]]
    assert nearness[0].tolist() == pytest.approx([0.9, 0.5, 0.0])
    assert allowed.tolist() == [[False, False, True]], "alike by text, by class, and neither"
