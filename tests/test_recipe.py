from dataclasses import fields
from pathlib import Path

import pytest
from conftest import dataset_recipe

from itadaki.importing.found import Found
from itadaki.recipes.recipe import DatasetRecipe, Edit, NewRecipe, Recipe, SearchResult

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
    found = Found("Pea Soup", ["500 g peas"], "Cook.", "cookbook.zip/soup.md", [Path("pea.jpg")])
    new = NewRecipe(found.title, found.ingredients, found.instructions, b"photo")
    kept = DatasetRecipe.from_metadata(KEPT)
    result = SearchResult.of(kept, 2, 5, 0.25, Path("/data/pea.jpg"))
    for recipe in (found, new, kept, result):
        assert isinstance(recipe, Recipe)
        assert [getattr(recipe, field.name) for field in fields(Recipe)] == [
            "Pea Soup",
            ["500 g peas"],
            "Cook.",
        ]
    assert all(getattr(result, f.name) == getattr(kept, f.name) for f in fields(DatasetRecipe))
    facts = result.rank, result.index, result.similarity, result.image_path
    assert facts == (2, 5, 0.25, Path("/data/pea.jpg"))


def test_an_edit_changes_what_it_names():
    before = dataset_recipe(1, ["salt"], title="Soup", instructions="Cook.")
    assert Edit().of(before) == NewRecipe("Soup", ["salt"], "Cook.", b"")
    edit = Edit(" Stew ", [], "", b"photo")
    assert edit.of(before) == NewRecipe("Stew", [], "", b"photo")


def test_a_source_may_give_anything_for_a_text():
    found = Found(5, [None, 2.5], None, "x.json", [])
    assert (found.title, found.ingredients, found.instructions) == ("5", ["None", "2.5"], "None")
