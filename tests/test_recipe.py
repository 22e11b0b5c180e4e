from dataclasses import fields, replace
from pathlib import Path

import pytest
from conftest import dataset_recipe

from itadaki.errors import RecipeError
from itadaki.importing.found import Found, details
from itadaki.recipes.recipe import (
    DETAILS,
    MAX_DETAIL,
    MAX_KEYWORD,
    MAX_KEYWORDS,
    MAX_SOURCE,
    DatasetRecipe,
    Edit,
    NewRecipe,
    Recipe,
    SearchResult,
)
from itadaki.recipes.texts import MAX_MINUTES, minutes

KEPT = {
    "image_name": "pea-soup-7",
    "image_path": "Food Images/pea-soup-7.jpg",
    "title": "Pea Soup",
    "ingredients": ["500 g peas"],
    "instructions": "Cook.",
    "photo_group": 3,
    "dish_class": "soup",
    "split": "test",
    "id": 7,
    "photo_sha256": "ab" * 32,
    "keywords": ["soup", "quick"],
    "servings": "4-6 people",
    "prep_minutes": 10,
    "cook_minutes": 80,
    "total_minutes": 90,
    "author": "Ada",
    "source": "https://soup.example/pea",
}


def test_what_a_bank_keeps_is_read_and_written_by_the_same_names():
    recipe = DatasetRecipe.from_metadata(KEPT)
    assert recipe.photo == KEPT["image_path"]
    assert [getattr(recipe, name) for name in KEPT if name != "image_path"] == [
        value for name, value in KEPT.items() if name != "image_path"
    ]
    assert list(recipe.metadata().items()) == list(KEPT.items())
    with pytest.raises(KeyError, match="split"):
        DatasetRecipe.from_metadata({name: KEPT[name] for name in KEPT if name != "split"})


def test_a_recipe_is_one_from_its_source_to_the_answer():
    kept = DatasetRecipe.from_metadata(KEPT)
    texts = "Pea Soup", ["500 g peas"], "Cook."
    found = Found(*texts, "cookbook.zip/soup.md", [Path("pea.jpg")], **kept.details())
    new = NewRecipe(*texts, b"photo", **found.details())
    result = SearchResult.of(kept, 2, 5, 0.25, Path("/data/pea.jpg"))
    for recipe in (found, new, kept, result):
        assert isinstance(recipe, Recipe)
        assert [getattr(recipe, field.name) for field in fields(Recipe)] == [
            "Pea Soup",
            ["500 g peas"],
            "Cook.",
            *(KEPT[name] for name in DETAILS),
        ]
    assert all(getattr(result, f.name) == getattr(kept, f.name) for f in fields(DatasetRecipe))
    facts = result.rank, result.index, result.similarity, result.image_path
    assert facts == (2, 5, 0.25, Path("/data/pea.jpg"))


def test_an_edit_changes_what_it_names():
    before = dataset_recipe(1, ["salt"], title="Soup", instructions="Cook.")
    assert Edit().of(before) == NewRecipe("Soup", ["salt"], "Cook.", b"")
    edit = Edit(" Stew ", [], "", b"photo")
    assert edit.of(before) == NewRecipe("Stew", [], "", b"photo")
    told = replace(before, keywords=["soup"], servings="4", cook_minutes=5)
    edit = Edit(keywords=[], cook_minutes=0, author="Ada")
    assert edit.of(told) == NewRecipe("Soup", ["salt"], "Cook.", b"", servings="4", author="Ada")


def test_details_are_brought_into_one_form():
    new = NewRecipe(
        "Soup",
        [],
        "",
        b"",
        keywords=["Crème, soup;soup\r\nquick  one\x07", "CREME"],
        servings=" 4-6\n people ",
        author="Ada\x00",
        source=" https://soup.example/a?b=c#d ",
    )
    assert new.keywords == ["Crème", "soup", "quick one"]
    assert (new.servings, new.author) == ("4-6 people", "Ada")
    assert new.source == "https://soup.example/a?b=c#d"


@pytest.mark.parametrize(
    ("details", "says"),
    [
        ({"keywords": [str(i) for i in range(MAX_KEYWORDS + 1)]}, "at most 100 keywords, not 101"),
        ({"keywords": ["x" * (MAX_KEYWORD + 1)]}, "longest keyword may have at most 100 char"),
        ({"servings": "x" * (MAX_DETAIL + 1)}, "servings may have at most 200 characters"),
        ({"author": "x" * (MAX_DETAIL + 1)}, "author may have at most 200 characters"),
        ({"source": "https://x.example/" + "x" * MAX_SOURCE}, "source may have at most 2,000"),
        ({"source": "javascript:alert(1)"}, "begins with http"),
        ({"source": "grandma"}, "begins with http"),
        ({"total_minutes": -1}, "from 0 to 1,000,000 minutes"),
        ({"prep_minutes": MAX_MINUTES + 1}, "from 0 to 1,000,000 minutes"),
    ],
)
def test_details_that_cannot_be_kept_are_refused(details, says):
    with pytest.raises(RecipeError, match=says):
        NewRecipe("Soup", [], "", b"", **details)


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("PT1H30M", 90),
        ("P0DT0H45M0S", 45),
        ("P1DT2H", 1560),
        ("pt15m", 15),
        (45, 45),
        ("45", 45),
        (7.0, 7),
        ("1 hour 15 minutes", 75),
        ("1 hr 5 mins", 65),
        ("1 h 30", 90),
        ("1h30", 90),
        ("1:30", 90),
        ("20-25 min", 25),
        ("1,5 Std.", 90),
        ("2 Stunden 10 Min.", 130),
        ("2 heures", 120),
        ("2 days", 2880),
        ("overnight", 0),
        ("PT", 0),
        ("", 0),
        (None, 0),
        (True, 0),
        (-5, 0),
        ("P99999W", 0),
        ("9" * 400, 0),
        ({"a": 1}, 0),
        (float("nan"), 0),
    ],
)
def test_times_are_understood_or_not_said(said, means):
    assert minutes(said) == means


def test_of_a_source_s_details_what_is_none_is_left_out():
    given = details(
        keywords=[["a, b"], {"name": "Café"}, None, "cafe", "x" * 101, {"@id": "c"}],
        servings=["", {"@type": "QuantitativeValue", "value": 4}, "4 servings"],
        author=[{"@type": "Person", "name": "Ada"}, "Bob", "Ada"],
        source=["grandma", "javascript:x", {"@id": "https://x.example/1"}],
        cook_minutes="PT5M",
    )
    assert given == {
        "keywords": ["a", "b", "Café", "c"],
        "servings": "4",
        "author": "Ada, Bob",
        "source": "https://x.example/1",
        "prep_minutes": 0,
        "cook_minutes": 5,
        "total_minutes": 0,
    }
    assert NewRecipe("Soup", [], "", b"", **given).details() == given
    none = details()
    assert none == details(keywords=3 * [["x"] * 0], author="x" * 201, servings=True, source=5)
    assert not any(none.values())


def test_a_source_may_give_anything_for_a_text():
    found = Found(5, [None, 2.5], None, "x.json", [])
    assert (found.title, found.ingredients, found.instructions) == ("5", ["None", "2.5"], "None")
