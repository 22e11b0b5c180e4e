from types import SimpleNamespace

import numpy as np
import pytest
from word_tables import table_of

from itadaki.errors import QueryError
from itadaki.index.asked import asked
from itadaki.index.filters import Filters
from itadaki.index.words import WordIndex

RECIPES = {
    "Tomato Soup": ["4 tomatoes", "1 onion"],
    "Tomato Soup with Croutons": ["4 tomatoes", "bread"],
    "Prawn Tacos": ["12 prawns", "4 tortillas"],
    "Beef Tacos": ["300 g minced beef", "4 tortillas"],
    "Spaghetti with Clams": ["400 g spaghetti", "1 kg clams"],
    "Cake without Flour": ["3 eggs", "200 g almonds"],
    "Okonomiyaki": ["cabbage", "2 eggs"],
}


@pytest.fixture
def index() -> WordIndex:
    recipes = [
        SimpleNamespace(title=title, ingredients=ingredients, keywords=[], photo_group=row)
        for row, (title, ingredients) in enumerate(RECIPES.items())
    ]
    table = table_of(["motor", "charger", "grandma", "soup"])
    table.food[:] = [-1, -1, -1, 1]
    table.weights[:2] = 8  # no recipe says so
    return WordIndex(recipes, table)


def found(index: WordIndex, words: str, filters: Filters | None = None) -> list[str]:
    """Titles from the best on, of those that meet any of the words."""
    reading = index.read(words)
    allowed = index.rows(reading, reading.filters(filters or Filters()))
    scores = np.where(allowed, index.scores(reading), 0)
    return [list(RECIPES)[row] for row in np.argsort(-scores, kind="stable") if scores[row] > 0]


@pytest.mark.parametrize(
    ("words", "wanted", "unwanted"),
    [
        ("sushi without fish", "sushi", ("fish",)),
        ("tomato soup -cream", "tomato soup", ("cream",)),
        ("cake without nuts or eggs with jam", "cake with jam", ("nut", "egg")),
        ("gâteau sans noix", "gateau", ("walnut", "nut")),
        ("salade pas d'oignons", "salade", ("onion",)),
        ("Kuchen ohne Eier", "kuchen", ("egg",)),
        ("tortilla sin cebolla", "tortilla", ("onion",)),
        ("pizza senza mozzarella", "pizza", ("mozzarella",)),
        ("gluten-free bread", "bread", ("gluten",)),
        ("glutenfreies Brot", "brot", ("gluten",)),
        ("no onion soup", "soup", ("onion",)),
        ("no-bake cheesecake", "no-bake cheesecake", ()),
        ("stir-fry", "stir-fry", ()),
        ("vegetarian chili", "vegetarian chili", ("meat", "fish", "shellfish")),
        ("végétalien", "vegetalien", ("meat", "fish", "shellfish", "dairy", "egg", "honey")),
    ],
)
def test_what_is_not_wanted_is_understood(words, wanted, unwanted):
    assert asked(words).wanted == wanted
    assert asked(words).unwanted == unwanted


def test_every_title_finds_its_recipe_first(index):
    assert [found(index, title)[0] for title in RECIPES] == list(RECIPES)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("shrimp tacos", "Prawn Tacos"),
        ("tomatoe soop", "Tomato Soup"),
        ("tomatosoup", "Tomato Soup"),
        ("Tomatensuppe", "Tomato Soup"),
        ("pasta with seafood", "Spaghetti with Clams"),
        ("okonomiyakis", "Okonomiyaki"),
        ("tacos de gambas", "Prawn Tacos"),
        ("minced beef", "Beef Tacos"),
    ],
)
def test_what_people_type_finds_what_they_mean(index, words, first):
    assert found(index, words)[0] == first


def test_what_is_not_wanted_is_not_found(index):
    assert found(index, "tacos without seafood") == ["Beef Tacos"]
    assert found(index, "Tacos ohne Rindfleisch") == ["Prawn Tacos"]
    # Its ingredients do not say so, its title does.
    assert found(index, "tomato soup without croutons") == ["Tomato Soup"]


def test_filters_hold_for_words(index):
    assert found(index, "tacos", Filters(exclude=("beef",))) == ["Prawn Tacos"]


@pytest.mark.parametrize(
    "words", ["xqzwv", "charger", "motor charger motor soup", "motor oil", "the with", "!!!"]
)
def test_what_cannot_be_eaten_is_said(index, words):
    with pytest.raises(QueryError, match="fits these words"):
        index.read(words)


def test_a_word_of_other_things_does_not_spoil_a_dish(index):
    assert found(index, "grandma's tomato soup")[0] == "Tomato Soup"


def test_only_leaving_out_is_refused_but_beside_a_photo(index):
    with pytest.raises(QueryError, match="Say what to look for"):
        index.read("without nuts")
    assert index.read("without eggs", alone=False).unwanted == ("egg",)


def test_ten_thousand_words_are_read_in_no_time(index):
    index.scores(index.read("soup " * 2_000))
