import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import ndcg_score

from itadaki.errors import ItadakiError
from itadaki.evaluation.scores import (
    Labels,
    among_one_another,
    average_precision_at_r,
    confidence_interval,
    evaluate,
    gallery_of,
    ndcg,
    random_crop,
    recall_scores,
    retrieval_scores,
    text_vectors,
)
from itadaki.index.filters import Filters


@pytest.mark.parametrize(
    ("ranked", "expected"),
    [
        ([1, 1, 0, 0], 1.0),
        ([1, 0, 1, 0], 0.5),
        ([0, 1, 1, 0], (1 / 2) / 2),
        ([0, 0, 1, 1], 0.0),
        ([1, 0, 1, 1, 0], (1 + 2 / 3) / 3),
    ],
)
def test_average_precision_at_r_by_hand(ranked, expected):
    assert average_precision_at_r(np.array(ranked, bool)) == pytest.approx(expected)


def test_ndcg_by_hand():
    gains = np.array([0.0, 1.0, 0.5])
    ideal = 1 / np.log2(2) + 0.5 / np.log2(3)
    assert ndcg(np.array([0.9, 0.8, 0.1]), gains, 2) == pytest.approx((1 / np.log2(3)) / ideal)
    assert ndcg(np.array([0.1, 0.9, 0.8]), gains, 2) == pytest.approx(1)


def test_ndcg_equals_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(20):
        similarities, gains = rng.random(50), rng.random(50) * (rng.random(50) < 0.3)
        expected = ndcg_score(gains[None], similarities[None], k=10)
        assert ndcg(similarities, gains, 10) == pytest.approx(expected)


def test_ndcg_of_a_gallery_smaller_than_the_depth():
    assert ndcg(np.array([0.2, 0.1]), np.array([1.0, 0.0]), 10) == pytest.approx(1)


def test_retrieval_scores_by_hand():
    """Five recipes on a line; the query is the first, and its own row must not count."""
    places = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    labels = Labels(
        np.array(["soup", "cake", "soup", None, "soup"], dtype=object),
        csr_matrix(np.array([[1, 0], [0, 1], [1, 0], [0, 1], [0, 1]], float)),
        csr_matrix(np.array([[1, 0], [0, 0], [0, 1], [1, 0], [0, 0]], float)),
    )
    scores = retrieval_scores(
        lambda of: -np.abs(places[of][:, None] - places), np.array([0]), labels
    )
    assert scores["P@1 dish class"].tolist() == [0.0]
    assert scores["P@10 dish class"] == pytest.approx([2 / 3])
    assert scores["MAP@R dish class"] == pytest.approx([(1 / 2) / 2])
    assert scores["nDCG@10 title"] == pytest.approx([1 / np.log2(3)])
    assert scores["nDCG@10 ingredients"] == pytest.approx([1 / np.log2(3)])


def test_queries_without_label_are_left_out():
    labels = Labels(
        np.array([None, "soup", "cake"], dtype=object), csr_matrix((3, 2)), csr_matrix((3, 2))
    )
    assert retrieval_scores(lambda of: np.zeros((len(of), 3)), np.arange(3), labels) == {}


def test_recall_by_hand():
    similarities = np.array([[0.9, 0.1, 0.2], [0.5, 0.4, 0.6], [0.3, 0.2, 0.1]])
    scores = recall_scores(similarities, np.array([0, 1, 2]))
    assert scores["recall@1 re-crop"].tolist() == [1, 0, 0]
    assert scores["recall@5 re-crop"].tolist() == [1, 1, 1]


def test_text_vectors_are_cosines():
    vectors = text_vectors(["tomato soup", "Tomato Soups", "", "chocolate cake", "Tomato soup!"])
    cosine = (vectors @ vectors.T).toarray()
    assert cosine[0, 4] == pytest.approx(1) and cosine[0, 3] == 0
    assert not cosine[2].any()
    assert text_vectors(["", ""]).shape[0] == 2


def test_common_words_are_left_out():
    texts = ["salt beets", "salt beets", "salt kale", "salt leeks", *[""] * 20]
    vectors = text_vectors(texts, common=0.5)
    cosine = (vectors @ vectors.T).toarray()
    assert cosine[0, 1] == pytest.approx(1) and cosine[0, 2] == 0


def test_interval_holds_the_mean_and_shrinks():
    rng = np.random.default_rng(1)
    few, many = rng.random(30), rng.random(3000)
    low, high = confidence_interval(few)
    assert low < few.mean() < high
    narrow = confidence_interval(many)
    assert narrow[1] - narrow[0] < (high - low) / 4
    assert confidence_interval(np.ones(5)) == (1, 1)


def test_random_crop_stays_inside():
    rgb = np.arange(60 * 80 * 3, dtype=np.uint32).reshape(60, 80, 3).astype(np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(50):
        height, width, _ = random_crop(rgb, rng).shape
        assert 30 <= height <= 48 and 40 <= width <= 64


def test_evaluation_of_a_bank(system):
    table = system.evaluate_model()
    assert {"P@1 dish class", "MAP@R dish class", "nDCG@10 title", "recall@10 re-crop"} <= set(
        table.index
    )
    assert ((table["low"] <= table["score"]) & (table["score"] <= table["high"])).all()
    assert table[["score", "random order"]].to_numpy().min() >= 0
    again = system.evaluate_model()
    assert table.equals(again)


def test_copies_are_neither_query_nor_answer(system):
    """Forty recipes, the last two with one photo: 39 photos make the gallery."""
    found = evaluate(system.bank, system.embedder, system.dataset.root, "train", progress=False)
    assert found["photos"].gallery == 39
    assert found.keys() == {"photos", "split"}
    assert found["split"].gallery == len(found["photos"].per_query["recall@1 re-crop"])


def test_what_is_evaluated_is_what_a_search_finds(fused_system, monkeypatch):
    """The gallery ``search`` ranks as a search does where rows hold more than photos."""
    for module in ("evaluation.scores", "retrieval"):  # fewer than there are photos
        monkeypatch.setattr(f"itadaki.{module}.CANDIDATES", 25)
    bank, photos = fused_system.bank, fused_system.bank.photo_embeddings
    root = fused_system.dataset.root
    found = evaluate(bank, fused_system.embedder, root, "train", progress=False)

    gallery = gallery_of(bank)[0]
    labels = Labels.of([bank.recipes[i] for i in gallery])
    expected = []
    for place, row in enumerate(gallery):
        if bank.recipes[row].split != "train":
            continue
        others = Filters(unique_photos=True, not_of_photo=bank.recipes[row].photo_group)
        similarities = np.full(len(gallery), -np.inf)
        query, _ = fused_system.expand(photos[row], others)
        for result in fused_system.find(query, len(photos), others):
            similarities[np.flatnonzero(gallery == result.index)] = result.similarity
        gains = (labels.title[place] @ labels.title.T).toarray()[0]
        kept = np.arange(len(gallery)) != place
        if gains[kept].any():
            expected.append(ndcg(similarities[kept], gains[kept], 10))
    assert found["search"].per_query["nDCG@10 title"] == pytest.approx(expected)
    assert np.abs(found["fused"].per_query["nDCG@10 title"] - expected).max() > 0.01


def test_empty_split_is_named(system):
    with pytest.raises(ItadakiError, match="nosuch"):
        evaluate(system.bank, system.embedder, system.dataset.root, "nosuch")


def test_a_query_without_anything_relevant_scores_zero():
    assert average_precision_at_r(np.zeros(5, bool)) == 0
    assert ndcg(np.arange(5.0), np.zeros(5), 10) == 0


def test_recipes_that_search_one_another_leave_themselves_out():
    angles = np.radians([0, 10, 30, 40])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    nothing = [[]] * len(rows)
    alike = Labels.of_texts(["a"] * 2 + ["b"] * 2, nothing, ["a", "a", "b", "b"])
    crossed = Labels.of_texts(["a", "b"] * 2, nothing, ["a", "b"] * 2)
    assert among_one_another(rows, alike)["P@1 dish class"] == [1, 1, 1]
    assert among_one_another(rows, crossed)["P@1 dish class"] == [0, 0, 0]
