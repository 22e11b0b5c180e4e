"""Saved pages, and the cases of ``tests/cases``: each folder is a source, of one kind."""

import base64
import json
import socket
from pathlib import Path

import pytest
from conftest import dish_photo, encode

from itadaki.importing import read_recipes, reader

CASES = Path(__file__).parent / "cases"
PHOTO, OTHER = encode(dish_photo(1)), encode(dish_photo(2))
PEAS = ["300 g peas", "1 onion"]
STEPS = ["Simmer.", "Blend."]


@pytest.fixture
def read(tmp_path):
    """Reads a source; returns recipes by title, and the reasons for the rest by origin."""

    def reading(source):
        recipes, unusable = read_recipes(source, tmp_path / "workspace", progress=False)
        by_title = {recipe.title: recipe for recipe in recipes}
        assert len(by_title) == len(recipes)
        return by_title, {one.origin: one.reason for one in unusable}

    return reading


def soup(photo="pea.jpg", ingredients=PEAS, steps=STEPS):
    return photo, ingredients, steps


PEA, BEAN, BEET, LEEK = "Pea soup", "Bean soup", "Beet soup", "Leek soup"
RIGHT = {
    "01": {PEA: soup()},
    "02": {PEA: soup()},
    "04": {PEA: soup(steps=["Cook", *STEPS])},
    "06": {PEA: soup()},
    "07": {PEA: soup()},
    "08": {
        PEA: soup(ingredients=[*PEAS, "salt"]),
        BEAN: soup(ingredients=["300 g beans", "1 onion", "salt"]),
        BEET: soup(ingredients=["300 g beets", "1 onion", "salt"]),
    },
    "09": {PEA: soup(), BEAN: soup(steps=["Simmer", "Blend"]), BEET: soup()},
    "10": {PEA: soup()},
    "11": {PEA: soup("pea_files/pea.jpg")},
    "12": {PEA: soup()},
    "13": {PEA: soup(), BEAN: soup(), BEET: soup(), LEEK: soup()},
    "14": {PEA: soup()},
    "15": {PEA: soup(), BEAN: soup("bean.jpg", ["300 g beans"])},
    "22": {"Soup with beans": soup("Soup with beans_files/hero.jpg")},
    "24": {BEAN: soup("bean-soup/photo.jpg", ["beans"], ["Simmer."])},
    "26": {PEA: soup("Pea soup_files/pea-1024x683.jpg")},
    "27": {PEA: soup(None), BEAN: soup(None, ["beans"], [])},
    "28": {PEA: soup("Pea soup_files/abc123.jpeg")},
    "29": {PEA: soup()},
    "33": {PEA: soup()},
    "34": {PEA: soup(), BEAN: soup()},
    "35": {
        PEA: soup(ingredients=["1 onion (< 100 g)", "2 carrots (> 50 g)", "potatoes <3 cm"]),
    },
    "36": {
        'Pea & Ham "soup"': soup(
            ingredients=["1½ cups peas", "½ onion", "1⁄4 tsp salt", "2 tbsp oil – olive"]
        )
    },
    "37": {LEEK: soup()},
    "38": {PEA: soup(), BEAN: soup(), BEET: soup()},
    "39": {PEA: soup(), BEAN: soup()},
    "60": {PEA: soup(None, PEAS, ["Simmer."])},
    "71": {
        title: soup(ingredients=[], steps=[])
        for title in ("../../etc/passwd", "🍲🍲", "<b>Bold</b> soup", "=HYPERLINK(1)")
    },
    "72": {},
    "73": {},
}
LISTED = {
    "22": {"Soup.html": "its picture hero.jpg was not saved with it"},
    "24": {"pea-soup/index.md": "its picture photo.jpg is not there"},
    "37": dict.fromkeys(["a.html", "b.html", "c.html"], "it has no photo"),
    "71": {"t.csv, line 2": "at most 300 characters"},
    "72": dict.fromkeys(
        [f"soup.{end}" for end in "crumb docx enex melarecipe mhtml mmf pdf rtk".split()]
        + [f"soup.{end}" for end in "txt webarchive xlsx yaml".split()],
        "not a kind of file",
    ),
    "73": {
        **dict.fromkeys(["b.bmp", "t.tiff", "x.jxl"], "not a kind of file"),
        "t.csv, line 2": "HEIC and AVIF photos are not supported",
        "t.csv, line 3": "HEIC and AVIF photos are not supported",
        "t.csv, line 4": "not a photo in a supported format",
        "t.csv, line 5": "not a photo in a supported format",
        "t.csv, line 6": "The photo has 30 million pixels",
        "t.csv, line 7": "truncated or damaged",
        "t.csv, line 8": "hardly any pixels",
        "t.csv, line 9": "not a photo in a supported format",
    },
}


@pytest.mark.parametrize("number", RIGHT)
def test_a_case_is_read_as_is_right(read, number):
    (source,) = CASES.glob(f"{number}-*")
    recipes, unusable = read(source)
    told = {
        title: (recipe.ingredients, recipe.instructions.splitlines())
        for title, recipe in recipes.items()
    }
    right = RIGHT[number]
    assert told == {title: texts for title, (_, *texts) in right.items()} or told == {
        title: tuple(texts) for title, (_, *texts) in right.items()
    }
    for title, (photo, *_) in right.items():
        if photo:
            assert recipes[title].photo == (source / photo).resolve()
    listed = LISTED.get(number, {})
    if number == "72":  # what is read of these is tested with its format
        unusable.pop("soup.cook", None)
    assert unusable.keys() == listed.keys()
    for origin, reason in listed.items():
        assert reason in unusable[origin]


def test_a_picture_inside_a_file_is_that_which_the_file_names(read):
    recipes, _ = read(next(CASES.glob("27-*")))
    red = (CASES / "26-wordpress-size-suffix/Pea soup_files/pea-1024x683.jpg").read_bytes()
    assert len(recipes[PEA].photo.read_bytes()) > 10_000
    assert recipes[PEA].photo != recipes[BEAN].photo
    recipes, _ = read(next(CASES.glob("60-*")))
    assert recipes[PEA].photo.read_bytes() == red
