import numpy as np
import pytest

from itadaki.filters import Filters, RowFilter

INGREDIENTS = [
    ["2 EGGS, beaten", "1 tbsp olive  oil"],
    ["1 eggplant", "vegetable oil"],
    ["3 tomatoes", "licorice"],
    ["2 cups berries", "olives", "oil"],
    [],
    ["1 egg", "half-and-half", "extra virgin olive oil"],
]
GROUPS = [0, 0, 2, 3, 4, 2]
CLASSES = ["omelette", "curry", None, "tart", "tart", "omelette"]


@pytest.fixture(scope="module")
def row_filter():
    return RowFilter(
        {
            row: {"ingredients": names, "dish_class": CLASSES[row], "photo_group": GROUPS[row]}
            for row, names in enumerate(INGREDIENTS)
        }
    )


def fitting(row_filter, **asked):
    rows = row_filter.rows(Filters(**asked))
    return list(range(len(INGREDIENTS))) if rows is None else np.flatnonzero(rows).tolist()


@pytest.mark.parametrize(
    ("ingredient", "rows"),
    [
        ("egg", [0, 5]),
        ("Tomato", [2]),
        ("berry", [3]),
        ("olive oil", [0, 5]),
        ("virgin olive oil", [5]),
        ("half-and-half", [5]),
        ("half and half", [5]),
        ("rice", []),
        ("olive egg", []),
        ("%", []),
    ],
)
def test_an_ingredient_is_whole_words_in_singular_or_plural(row_filter, ingredient, rows):
    assert fitting(row_filter, include=(ingredient,)) == rows
    assert fitting(row_filter, exclude=(ingredient,)) == sorted(set(range(6)) - set(rows))


def test_filters_are_joined(row_filter):
    assert fitting(row_filter) == [0, 1, 2, 3, 4, 5]
    assert fitting(row_filter, include=("oil", "egg")) == [0, 5]
    assert fitting(row_filter, include=("oil",), exclude=("egg",)) == [1, 3]
    assert fitting(row_filter, dish_classes=("tart", "curry")) == [1, 3, 4]
    assert fitting(row_filter, dish_classes=("tart",), include=("oil",)) == [3]


def test_copies_of_a_photo(row_filter):
    assert fitting(row_filter, not_of_photo=0) == [2, 3, 4, 5]
    assert fitting(row_filter, unique_photos=True) == [0, 2, 3, 4]


def test_recipes_without_ingredients():
    bare = RowFilter({0: {"ingredients": [], "dish_class": None, "photo_group": 0}})
    assert bare.rows(Filters(include=("egg",))).tolist() == [False]
    assert bare.rows(Filters(exclude=("egg",))) is None
