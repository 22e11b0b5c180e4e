"""The words that a photo points at, and which recipes name them."""

import numpy as np
import pytest
from conftest import dataset_recipe, dish_photo

from itadaki.index.seen_words import MOST, SeenWords
from itadaki.index.words import WordIndex
from itadaki.retrieval import RetrievalSystem

DIMENSION = 64
RECIPES = [
    dataset_recipe(row, ingredients, title=title)
    for row, (title, ingredients) in enumerate(
        [
            ("Tomato Soup", ["4 tomatoes", "basil", "salt", "1 onion"]),
            ("Spaghetti with Tomatoes", ["spaghetti", "basil", "onions", "salt"]),
            ("Chocolate Cake", ["chocolate", "flour", "2 eggs", "salt"]),
            ("Lemon Cake", ["2 lemons", "flour", "2 eggs", "salt"]),
        ]
        * 5
    )
]


class Directions:
    """An encoder for which each word has a direction of its own."""

    def encode(self, titles, ingredients):
        assert ingredients == [[title] for title in titles]
        rows = [
            np.random.default_rng(list(title.encode())).normal(size=DIMENSION) for title in titles
        ]
        found = np.array(rows, np.float32).reshape(-1, DIMENSION)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def told() -> SeenWords:
    photos = np.random.default_rng(0).normal(size=(len(RECIPES), DIMENSION)).astype(np.float32)
    photos /= np.linalg.norm(photos, axis=1, keepdims=True)
    return SeenWords(WordIndex(RECIPES, None), Directions(), photos)


def test_a_photo_points_at_what_it_is_near_to(told):
    for word in ("tomato", "chocolate", "basil"):
        (photo,) = Directions().encode([word], [[word]])
        words = told.of(photo)
        assert words[0] == word and len(words) == len(set(words)) == MOST


def test_only_words_of_the_recipes_are_told_and_none_that_say_nothing(told):
    assert {"tomato", "soup", "spaghetti", "cake", "egg"} <= set(told.words)
    assert not {"salt", "salmon", "gluten", "fresh"} & set(told.words)


def test_of_words_that_are_equally_near_the_common_one_is_told(told):
    usual = told._mean @ np.linalg.pinv(told._directions.T)
    words = told.of(usual.astype(np.float32))
    assert set(words) <= {"tomato", "basil", "onion", "cake", "flour", "egg"}


def test_recipes_name_words_in_titles_and_lists_whatever_their_endings(told):
    words = ("tomato", "cake", "basil")
    assert told.named_by(words, [1, 3]) == [("tomato", "basil"), ("cake",)]


def test_a_bank_without_known_words_tells_none():
    unknown = [dataset_recipe(row, ["xyzzy"], title="Plugh") for row in range(5)]
    photos = np.eye(5, DIMENSION, dtype=np.float32)
    for recipes, rows in ((unknown, photos), ([], photos[:0])):
        told = SeenWords(WordIndex(recipes, None), Directions(), rows)
        assert told.of(photos[0]) == () and told.named_by((), [0][: len(recipes)]) in ([()], [])


def test_an_answer_tells_them_once_they_are_learned(system, monkeypatch):
    photo = dish_photo(9)
    knowing = RetrievalSystem(system.embedder, system.bank, system.dataset)
    knowing.learn_words()  # of a variant without words
    assert knowing.seen_words is None and knowing.ask([photo]).looks_like == ()
    monkeypatch.setattr(Directions, "table", None, raising=False)
    monkeypatch.setitem(globals(), "DIMENSION", system.bank.embeddings.shape[1])
    knowing = RetrievalSystem(system.embedder, system.bank, system.dataset, Directions())
    before = knowing.ask([photo], top_k=4)
    assert before.looks_like == () and list(before.named) == [()] * 4
    knowing.learn_words()
    found = knowing.ask([photo], top_k=4)
    assert found.results == before.results and len(found.looks_like) == MOST
    assert len(found.named) == 4
    for result, named in zip(found.results, found.named, strict=True):
        said = " ".join([result.title, *result.ingredients]).lower()
        assert all((word in said) == (word in named) for word in ("tomato", "carrot", "lemon")
                   if word in found.looks_like)  # fmt: skip
    assert knowing.ask(like=[result.id]).looks_like == ()
