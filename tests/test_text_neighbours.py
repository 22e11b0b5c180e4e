import numpy as np
import pytest

from itadaki.training import text_neighbours
from itadaki.training.recipe_texts import RecipeTexts
from itadaki.training.text_neighbours import INGREDIENT_SHARE, TextNeighbours

TITLES = ["Tomato Soup", "Tomato Soup", "Lentil Soup", "Lemon Cake", "Lemon Cake"]
INGREDIENTS = [["tomato"], ["tomato"], ["lentil"], [], ["lemon"]]
CLASSES = ["soup", "soup", "soup", "cake", None]


def neighbours(raw: np.ndarray | None = None) -> TextNeighbours:
    texts = RecipeTexts.of_words(TITLES, INGREDIENTS)
    raw = np.eye(5, dtype=np.float32) if raw is None else raw
    return TextNeighbours.of(texts, CLASSES, raw)


def similarities(found: TextNeighbours) -> np.ndarray:
    rows = np.arange(len(found.dish_class))
    return found.similarity(rows, rows)


def test_similarity_is_the_titles_and_where_both_have_them_the_ingredients():
    similarity = similarities(neighbours())
    np.testing.assert_allclose(similarity, similarity.T, atol=1e-6)
    assert np.diag(similarity).tolist() == [0] * 5
    assert similarity[3, 4] == pytest.approx(1)  # one has no ingredients: titles alone
    assert similarity[0, 3] == 0
    titles_alone = similarity[0, 2] / (1 - INGREDIENT_SHARE)
    assert 0 < titles_alone < 1  # "soup" is shared, "tomato" is not


def test_copies_of_a_photo_are_neither_positive_nor_negative():
    raw = np.eye(5, dtype=np.float32)
    raw[1] = raw[0]
    found = neighbours(raw)
    assert similarities(found)[0, 1] == 0 and found.positives[0, 1] == 0
    allowed = found.may_be_negative(np.array([0, 3]), np.arange(5))
    assert not allowed[0, 1]
    assert not allowed[0, 0]


def test_negatives_are_another_class_and_another_text():
    allowed = neighbours().may_be_negative(np.array([0, 3, 4]), np.arange(5))
    assert allowed.tolist() == [
        [False, False, False, True, True],  # soups are out by class, cakes are in
        [True, True, True, False, False],  # the other lemon cake is out by its text
        [True, True, True, False, False],  # without a class only texts and copies count
    ]


def test_the_negatives_that_are_kept_for_all_steps_are_those_of_a_single_question(monkeypatch):
    monkeypatch.setattr(text_neighbours, "_BLOCK", 2)
    found, rows = neighbours(), np.array([3, 0, 3])
    expected = found.may_be_negative(rows, np.arange(5))
    np.testing.assert_array_equal(found.negatives(rows), expected)
    assert expected.any() and not expected.all()


def test_recipes_of_one_class_are_no_negatives_though_they_share_no_word():
    titles, classes = ["Gazpacho", "Borscht", "Brownie", "Pavlova"], ["soup", "soup", None, None]
    texts = RecipeTexts.of_words(titles, [[]] * 4)
    found = TextNeighbours.of(texts, classes, np.eye(4, dtype=np.float32))
    allowed = found.may_be_negative(np.array([0, 2]), np.arange(4))
    assert allowed.tolist() == [[False, False, True, True], [True, True, False, True]]


def test_targets_share_a_row_between_itself_and_its_neighbours():
    found = neighbours()
    targets = found.targets(np.array([0, 3]), self_share=0.2)
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-5)
    assert targets[0, 0] == pytest.approx(0.2)
    similarity = similarities(found)
    ratio = similarity[0, 1] ** 2 / similarity[0, 2] ** 2
    assert targets[0, 1] / targets[0, 2] == pytest.approx(ratio, rel=1e-4)
    assert targets[1].tolist() == pytest.approx([0, 0, 0, 0.2, 0.8])


def test_positives_are_drawn_in_proportion_to_the_squared_similarity():
    found = neighbours()
    drawn = found.positive_of(np.zeros(4000, dtype=int), np.random.default_rng(0))
    weights = similarities(found)[0] ** 2
    np.testing.assert_allclose(
        np.bincount(drawn, minlength=5) / 4000, weights / weights.sum(), atol=0.03
    )


def test_a_recipe_without_neighbours_is_its_own_positive():
    texts = RecipeTexts.of_words(["Soup", "Soup", "Cake"], [[], [], []])
    found = TextNeighbours.of(texts, [None] * 3, np.eye(3, dtype=np.float32))
    assert found.positive_of(np.array([2]), np.random.default_rng(0)).tolist() == [2]
    assert found.targets(np.array([2]), 0.2).tolist() == [[0, 0, 1]]


def test_sentences_weigh_the_nearest_texts_by_a_softmax():
    angles = np.radians([0, 10, 30, 80, 180])
    title = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    texts = RecipeTexts(title, np.zeros_like(title), title, sentences=True)
    raw = np.eye(5, dtype=np.float32)
    raw[1] = raw[0]  # one photo twice
    found = TextNeighbours.of(texts, [None] * 5, raw)
    positives = found.positives.toarray()[0]
    assert positives[[0, 1, 4]].tolist() == [0, 0, 0]  # itself, its copy, and the opposite
    ratio = np.exp((np.cos(angles[2]) - np.cos(angles[3])) / 0.07)
    assert positives[2] / positives[3] == pytest.approx(ratio, rel=1e-3)
    assert positives.sum() == pytest.approx(1)
    # Alike are those within 60 degrees.
    allowed = found.may_be_negative(np.array([0]), np.arange(5))[0]
    assert allowed.tolist() == [False, False, False, True, True]
