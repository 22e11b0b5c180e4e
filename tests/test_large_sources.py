"""Sources with many recipes cost as much as they have recipes, not the square of that."""

import sys
from pathlib import Path

import pytest
from conftest import dish_photo, encode
from sources import write

from itadaki.importing import markdown, page
from itadaki.importing.found import Guess, Photos
from itadaki.importing.schema_org import Described, once

PHOTO = encode(dish_photo(1))
PAGE = """<script type="application/ld+json">{"@type": "Recipe", "name": "Soup", "recipeIngredient":
["salt"], "image": "https://kitchen.example/%d/hero.jpg"}</script>"""


def notes_beside_their_pictures(count):
    return {f"{n}.md": f"# Soup {n}" for n in range(count)} | {
        f"{n}.jpg": PHOTO for n in range(count)
    }


def notes_whose_picture_is_gone(count):
    here = {f"{n}/index.md": "# Soup\n![](photo.jpg)" for n in range(count)}
    return here | {f"{n}/{'photo.jpg' if n % 2 else 'x.txt'}": PHOTO for n in range(count)}


def a_site_with_a_folder_for_pictures(count):
    notes = {f"posts/{n}.md": f"# Soup\n![](/img/{n}/photo.jpg)" for n in range(count)}
    return notes | {f"static/img/{n}/photo.jpg": PHOTO for n in range(count)}


def pages_with_pictures_of_one_name(count):
    pages = {f"{n}.html": PAGE % n for n in range(count)}
    return pages | {f"{n}_files/hero.jpg": PHOTO for n in range(count)}


def pages_with_pictures_in_one_folder(count):
    pages = {f"{n}.html": PAGE.replace("hero", f"hero-{n}") % n for n in range(count)}
    return pages | {f"hero-{n}.jpg": PHOTO for n in range(count)}


SOURCES = {
    notes_beside_their_pictures: (markdown.read, 1),
    notes_whose_picture_is_gone: (markdown.read, 0.5),
    a_site_with_a_folder_for_pictures: (markdown.read, 1),
    pages_with_pictures_of_one_name: (page.read_page, 1),
    pages_with_pictures_in_one_folder: (page.read_page, 1),
}


def looked_up(source: Path, reading) -> tuple[int, int]:
    """How many pictures are found for all texts of a source, and how many calls of functions of
    ours and of pathlib's that takes."""
    photos = Photos(source, source / "workspace")
    calls = 0

    def count(frame, event, _):
        nonlocal calls
        name = frame.f_code.co_filename
        calls += event == "call" and ("importing" in name or "pathlib" in name)

    found = 0
    for path in sorted(path for path in source.rglob("*") if path.suffix in (".md", ".html")):
        sys.setprofile(count)
        try:
            recipes = list(reading(path, path.name, photos))
        finally:
            sys.setprofile(None)
        found += sum(isinstance(one.photos[0], Path | Guess) for one in recipes)
    return found, calls


def test_a_page_of_many_recipes_costs_as_little_for_each(monkeypatch):
    compared = 0
    is_same = Described.is_same

    def counting(self, *others):
        nonlocal compared
        compared += 1
        return is_same(self, *others)

    monkeypatch.setattr(Described, "is_same", counting)
    many = [Described(f"Soup {n}", [f"{n} peas"], ["Cook."], [], {}) for n in range(2000)]
    again = [Described(f"Soup {n}", [f"{n} peas"], [], ["x.jpg"], {}) for n in range(2000)]
    found = once([*many, *again])
    assert [(one.name, one.images) for one in found] == [
        (f"Soup {n}", ["x.jpg"]) for n in range(2000)
    ]
    assert compared <= 4000


@pytest.mark.parametrize("made", SOURCES, ids=lambda made: made.__name__)
def test_a_look_up_costs_as_little_in_a_large_source(tmp_path, made):
    reading, share = SOURCES[made]
    costs = []
    for count in (20, 80):
        source = write(tmp_path / str(count), made(count))
        looked_up(source, reading)  # what is loaded the first time
        found, calls = looked_up(source, reading)
        costs.append(calls / count)
        assert found == share * count
    assert costs[1] < 1.1 * costs[0]
