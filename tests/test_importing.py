import base64
import csv
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import unicodedata
import warnings
import zipfile
from pathlib import Path

import pytest
from conftest import dish_photo, encode, write_dataset
from sources import write, zipped

from itadaki import importing
from itadaki.errors import CollectionError, ItadakiError, RecipeError
from itadaki.importing import (
    archive,
    budget,
    fetch,
    front_matter,
    read_recipes,
    reader,
    table,
)
from itadaki.importing import page as web_page
from itadaki.recipes.recipe import (
    MAX_DETAIL,
    MAX_KEYWORD,
    MAX_KEYWORDS,
    MAX_SOURCE,
    MAX_TEXT,
    MAX_TITLE,
    NewRecipe,
)

PHOTO = encode(dish_photo(1))
WEBP = encode(dish_photo(2), "WEBP")


@pytest.fixture
def read_beside(tmp_path):
    """Reads a source as an import does, in a process beside; returns recipes by title, and the
    reasons for the rest by origin."""

    def reading(source):
        recipes, unusable = read_recipes(source, tmp_path / "workspace", progress=False)
        for recipe in recipes:
            content = recipe.photo if isinstance(recipe.photo, bytes) else recipe.photo.read_bytes()
            assert content in (PHOTO, WEBP)
        return {r.title: r for r in recipes}, {one.origin: one.reason for one in unusable}

    return reading


@pytest.fixture
def read(read_beside, in_process):
    """The same in this process."""
    return read_beside


JSON_LD = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "WebSite", "name": "Somebody's kitchen"},
        {
            "@type": ["Recipe", "NewsArticle"],
            "name": "Beetroot &amp; Apple Soup",
            "image": [
                {"@type": "ImageObject", "url": "https://kitchen.example/up/beet%20soup.jpg?w=9"}
            ],
            "recipeIngredient": ["3 beetroots", "1 apple", None],
            "recipeInstructions": [
                {
                    "@type": "HowToSection",
                    "name": "Soup",
                    "itemListElement": [
                        {"@type": "HowToStep", "text": "Boil the beetroots."},
                        {"@type": "HowToStep", "text": "Blend with the apple."},
                    ],
                }
            ],
        },
    ],
}
MICRODATA = """<!doctype html><html><head><meta charset="iso-8859-1"></head><body>
<div itemscope itemtype="http://schema.org/Recipe"><h1 itemprop="name">Cr\xe8me Caramel</h1>
<img itemprop="image" src="Images/7F/creme.jpg"><p itemprop="recipeIngredient">4 eggs</p>
<p itemprop="recipeIngredient">1/2 l milk</p>
<div itemprop="recipeInstructions">Beat.<br>Bake.</div></div></body></html>"""


def page(data) -> str:
    script = json.dumps(data)
    return f'<html><head><script type="application/ld+json">{script}</script></head></html>'


def test_saved_pages(read, tmp_path):
    source = write(
        tmp_path / "pages",
        {
            "Beetroot.html": page(JSON_LD),
            "Beetroot_files/beet soup.jpg": PHOTO,
            "Beetroot_files/other.jpg": b"advertisement",
            "Beetroot_files/code.js": "let a = 1",
            "paprika/creme.html": MICRODATA.encode("latin-1"),
            "paprika/Images/7F/creme.jpg": PHOTO,
            "index.html": "<html><body>All my recipes</body></html>",
            "remote.html": page({**JSON_LD["@graph"][1], "@context": "https://schema.org"}),
            "escape.html": page(
                {
                    "@context": "https://schema.org",
                    "@type": "Recipe",
                    "name": "Escape",
                    "image": "../secret.jpg",
                }
            ),
        },
    )
    (tmp_path / "secret.jpg").write_bytes(PHOTO)
    recipes, unusable = read(source)
    soup = recipes["Beetroot & Apple Soup"]
    assert soup.ingredients == ["3 beetroots", "1 apple"]
    assert soup.instructions == "Soup\nBoil the beetroots.\nBlend with the apple."
    creme = recipes["Crème Caramel"]
    assert creme.ingredients == ["4 eggs", "1/2 l milk"] and creme.instructions.startswith("Beat.")
    assert unusable["index.html"] == "it holds no schema.org recipe"
    assert unusable["escape.html"] == "its picture ../secret.jpg is not there"


def test_a_photo_that_is_only_on_the_internet_is_listed_not_fetched(read, tmp_path, monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", None)
    source = write(tmp_path / "pages", {"soup.html": page(JSON_LD)})
    recipes, unusable = read(source)
    assert not recipes
    assert "https://kitchen.example/up/beet%20soup.jpg?w=9" in unusable["soup.html"]
    assert "--fetch-photos" in unusable["soup.html"]


def test_json_files(read, tmp_path):
    one = JSON_LD["@graph"][1] | {"image": "soup.jpg"}
    many = [one | {"name": "First </script>"}, {"x": [one | {"name": "Second"}]}]
    source = write(
        tmp_path / "json",
        {
            "many.json": json.dumps(many),
            "soup.jpg": PHOTO,
            "broken.json": "{",
            "package.json": '{"name": "no recipe"}',
            "list.json": '[1, null, "x"]',
        },
    )
    recipes, unusable = read(source)
    assert recipes.keys() == {"First", "Second"}
    assert unusable.keys() == {"broken.json", "package.json", "list.json"}
    assert "no JSON" in unusable["broken.json"]


@pytest.mark.parametrize(
    "data",
    [
        {"slug": 1, "recipe_ingredient": [1, None, {}], "name": "x"},
        {"slug": "x", "recipe_ingredient": [{"food": 3}], "recipe_instructions": [[]]},
        {"recipes": [1], "recipes_ingredients": [{}], "recipe_instructions": [None]},
        {"name": 5, "steps": [{"instruction": 1, "ingredients": [None], "order": "a"}]},
        {"@type": "Recipe", "name": 5, "image": 5, "recipeIngredient": 5},
        {"@type": ["Recipe", 7], "name": "x", "image": ["x.jpg"], "recipeInstructions": [[[]], 1]},
        {"@type": "Recipe", "name": {"@value": "x"}, "image": {"url": {"url": "x.jpg"}}},
        [[[[]]]],
    ],
)
def test_odd_json_is_listed_and_stops_nothing(read, tmp_path, data):
    files = {"odd.json": json.dumps(data), "soup.md": "# Soup", "soup.jpg": PHOTO, "x.jpg": PHOTO}
    recipes, unusable = read(write(tmp_path / "odd", files))
    assert "Soup" in recipes and len(recipes) + len(unusable) == 2


def test_nextcloud_cookbook(read, tmp_path):
    recipe = {
        "@context": "http://schema.org",
        "@type": "Recipe",
        "id": "267",
        "name": "Baked bananas",
        "image": "https://example.com/gone.jpg",
        "imageUrl": "/apps/cookbook/webapp/recipes/267/image?size=full",
        "recipeYield": 5,
        "prepTime": "PT0H15M",
        "tool": [],
        "recipeIngredient": ["3 ripe bananas", "100g sugar"],
        "recipeInstructions": ["Peel the bananas", "Bake them"],
        "nutrition": {"@type": "NutritionInformation"},
    }
    files = {
        "Recipes/Baked bananas/recipe.json": json.dumps(recipe),
        "Recipes/Baked bananas/full.jpg": PHOTO,
        "Recipes/Baked bananas/thumb.jpg": b"small",
        "Recipes/Baked bananas/thumb16.jpg": b"tiny",
        "Recipes/No photo/recipe.json": json.dumps(recipe | {"name": "No photo", "image": ""}),
    }
    source = write(tmp_path, {"Recipes.zip": zipped(files)}) / "Recipes.zip"
    recipes, unusable = read(source)
    assert recipes["Baked bananas"].ingredients == ["3 ripe bananas", "100g sugar"]
    assert recipes["Baked bananas"].instructions == "Peel the bananas\nBake them"
    assert unusable == {"Recipes/No photo/recipe.json": "it has no photo"}


def test_mealie_backup(read, tmp_path):
    def row(recipe, position, **fields):
        return {"recipe_id": recipe, "position": position, "title": None, **fields}

    ids = ["11111111111141118111111111111111", "2" * 32]
    database = {
        "alembic_version": [{"version_num": "44e8d670719d"}],
        "recipes": [
            {
                "id": ids[0],
                "slug": "oat-bread",
                "name": "Oat Bread",
                "image": "aBcD",
                "org_url": None,
            },
            {"id": ids[1], "slug": "plain", "name": "Plain", "image": None},
        ],
        "ingredient_foods": [{"id": "f1", "name": "oats", "plural_name": None}],
        "ingredient_units": [{"id": "u1", "name": "gram", "abbreviation": "g"}],
        "recipes_ingredients": [
            row(ids[0], 1, food_id=None, unit_id=None, quantity=1.0, note="a pinch of salt"),
            row(ids[0], 0, food_id="f1", unit_id="u1", quantity=250.0, note="rolled"),
        ],
        "recipe_instructions": [
            row(ids[0], 1, text="Bake.", summary=""),
            row(ids[0], 0, text="Knead."),
        ],
    }
    files = {
        "database.json": json.dumps(database),
        "data/recipes/11111111-1111-4111-8111-111111111111/images/original.webp": WEBP,
        "data/recipes/11111111-1111-4111-8111-111111111111/images/tiny-original.webp": b"tiny",
        "data/templates/recipes.md": "# {{ recipe.name }}",
        "data/users/profile.webp": b"me",
    }
    source = write(tmp_path, {"mealie_2025.01.01.zip": zipped(files)}) / "mealie_2025.01.01.zip"
    recipes, unusable = read(source)
    bread = recipes["Oat Bread"]
    assert bread.ingredients == ["250 gram oats rolled", "a pinch of salt"]
    assert bread.instructions == "Knead.\nBake."
    assert unusable["database.json, Plain"] == "it has no photo"


def test_mealie_recipes(read, tmp_path):
    ingredient = {
        "quantity": 2.5,
        "unit": {"name": "cup"},
        "food": {"name": "flour"},
        "note": "",
        "title": None,
        "reference_id": "a2e3",
    }
    exported = {
        "id": "x",
        "group_id": "g",
        "name": "Export",
        "slug": "export",
        "image": "1",
        "recipe_ingredient": [
            ingredient,
            {**ingredient, "food": None, "unit": None, "note": "salt"},
        ],
        "recipe_instructions": [{"id": "s", "title": "Dough", "text": "Mix."}],
    }
    from_api = {
        "groupId": "g",
        "name": "Api",
        "slug": "api",
        "recipeIngredient": [ingredient],
        "recipeInstructions": [{"title": "", "text": "Mix."}],
    }
    source = write(
        tmp_path / "mealie",
        {
            "recipes/export/export.json": json.dumps(exported),
            "recipes/export/images/original.webp": WEBP,
            "api/api.json": json.dumps(from_api),
            "api/original.webp": WEBP,
        },
    )
    recipes, unusable = read(source)
    assert recipes["Export"].ingredients == ["2.5 cup flour", "2.5 salt"]
    assert recipes["Export"].instructions == "Dough\nMix."
    assert recipes["Api"].ingredients == ["2.5 cup flour"] and not unusable


def test_tandoor(read, tmp_path):
    def item(food, amount=0, unit=None, **fields):
        return {
            "food": food and {"name": food, "plural_name": None, "ignore_shopping": False},
            "unit": unit and {"name": unit, "plural_name": None, "description": None},
            "amount": amount,
            "note": None,
            "order": 0,
            "is_header": False,
            "no_amount": False,
            **fields,
        }

    recipe = {
        "name": "Pierogi",
        "description": "",
        "keywords": [{"name": "polish"}],
        "steps": [
            {
                "name": "Filling",
                "instruction": "Boil the potatoes.",
                "ingredients": [
                    item("potatoes", "500.0000000000000000", "g", order=1),
                    item(None, note="For the dough", is_header=True, order=2),
                    item("salt", no_amount=True, note="coarse", order=3),
                ],
                "time": 20,
                "order": 1,
                "show_as_header": True,
            },
            {"name": "", "instruction": "Fold.", "ingredients": [], "time": 0, "order": 0},
        ],
        "working_time": 60,
        "internal": True,
        "nutrition": None,
        "servings": 4,
        "source_url": None,
    }
    inner = zipped({"recipe.json": json.dumps(recipe), "image.jpg": PHOTO})
    bare = zipped({"recipe.json": json.dumps(recipe | {"name": "Bare"})})
    source = write(tmp_path, {"export.zip": zipped({"1.zip": inner, "2.zip": bare})}) / "export.zip"
    recipes, unusable = read(source)
    lines = ["500 g potatoes", "For the dough", "salt coarse"]
    assert recipes["Pierogi"].ingredients == lines
    assert recipes["Pierogi"].instructions == "Fold.\nFilling\nBoil the potatoes."
    assert unusable == {"2.zip/recipe.json": "it has no photo"}


def test_paprika(read, tmp_path):
    recipe = {
        "uid": "E0B1",
        "name": "Chili",
        "ingredients": "500 g beans\n\n2 chilies; chopped\n",
        "directions": "Soak.\nCook.",
        "notes": "Better the next day.",
        "photo": "x.jpg",
        "photo_data": base64.b64encode(encode(dish_photo(1, (20, 20)))).decode(),
        "photos": [{"filename": "y.jpg", "name": "1", "data": base64.b64encode(PHOTO).decode()}],
        "image_url": "https://example.com/chili.jpg",
        "categories": [],
    }
    bare = {
        "name": "Bare",
        "ingredients": "",
        "directions": "",
        "photo_data": None,
        "image_url": "",
    }
    files = {
        "Chili.paprikarecipe": gzip.compress(json.dumps(recipe).encode()),
        "Bare.paprikarecipe": gzip.compress(json.dumps(bare).encode()),
        "Broken.paprikarecipe": b"broken",
    }
    name = "My Recipes.paprikarecipes"
    recipes, unusable = read(write(tmp_path, {name: zipped(files)}) / name)
    assert recipes["Chili"].ingredients == ["500 g beans", "2 chilies; chopped"]
    assert recipes["Chili"].instructions == "Soak.\nCook.\n\nBetter the next day."
    assert unusable["Bare.paprikarecipe"] == "it has no photo"
    assert "no recipe of Paprika" in unusable["Broken.paprikarecipe"]


MARKDOWN = {
    "heading.md": """# Grandma's *Stew*

![the stew](pictures/stew.jpg)

Serves four.

## Ingredients

### For the stew
- 1 kg beef
- 2 carrots,
  peeled

### To serve
* bread

## Directions

1. Brown the beef.
2. Stew it.

## Notes
Freezes well.
""",
    "front.md": """---
title: Porridge
image: /pictures/porridge.png
ingredients: [oats, milk]
---
Boil the oats in the milk.
""",
    "embed.md": """# Tartiflette
![[tarte.jpg|300]]

## Ingrédients
1 reblochon
500 g de pommes de terre

## Préparation
Au four.
""",
    "Bare List.md": "- 2 eggs\n- butter\n\nFry them.\n",
    "none.md": "# No picture\n\nNothing here.",
    "pictures/stew.jpg": PHOTO,
    "pictures/porridge.png": WEBP,
    "pictures/deep/tarte.jpg": PHOTO,
    "Bare List.jpg": PHOTO,
    "notes.docx": "not for us",
}


def test_markdown(read, tmp_path):
    recipes, unusable = read(write(tmp_path / "md", MARKDOWN))
    stew = recipes["Grandma's Stew"]
    groups = ["For the stew", "1 kg beef", "2 carrots, peeled", "To serve", "bread"]
    assert stew.ingredients == groups
    assert stew.instructions == "Brown the beef.\nStew it."
    assert recipes["Porridge"].ingredients == ["oats", "milk"]
    assert recipes["Porridge"].instructions == "Boil the oats in the milk."
    assert recipes["Tartiflette"].ingredients == ["1 reblochon", "500 g de pommes de terre"]
    assert recipes["Tartiflette"].instructions == "Au four."
    assert recipes["Bare List"].ingredients == ["2 eggs", "butter"]
    assert recipes["Bare List"].instructions == "Fry them."
    assert unusable["none.md"] == "it has no photo"
    said = "not a kind of file that recipes are read from; save it as Markdown"
    assert unusable["notes.docx"] == said


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_table(read, tmp_path, encoding):
    table = (
        "Photo file;Recipe name;Ingredients;Method\r\n"
        'brulee.jpg;Crème brûlée;4 eggs | cream;"Beat.\nBake; then burn."\r\n'
        "sub/pie;Pie;\"['flour', 'apples']\";Bake.\r\n"
        "gone.jpg;Gone;;\r\n"
        ";;;\r\n"
        "notes.jpg;Broken photo;;\r\n"
    )
    source = write(
        tmp_path / "table",
        {
            "recipes.csv": table.encode(encoding),
            "photos/brulee.jpg": PHOTO,
            "sub/pie.png": WEBP,
            "notes.jpg": b"text",
            "other.csv": "a,b\n1,2\n",
        },
    )
    recipes, unusable = read(source)
    assert recipes["Crème brûlée"].ingredients == ["4 eggs", "cream"]
    assert recipes["Crème brûlée"].instructions == "Beat.\nBake; then burn."
    assert recipes["Pie"].ingredients == ["flour", "apples"]
    assert unusable["recipes.csv, line 5"] == "its picture gone.jpg is not there"
    assert "notes.jpg cannot be used" in unusable["recipes.csv, line 7"]
    assert unusable["other.csv"] == "it has no column for the photo and for the title"


def test_kaggle_s_own_layout(read, tmp_path):
    rows = [
        {
            "Title": "Pho",
            "Ingredients": "['noodles']",
            "Instructions": "Boil.",
            "Image_Name": "pho-1",
        }
    ]
    recipes, unusable = read(write_dataset(tmp_path / "kaggle", rows, {"pho-1": PHOTO}))
    assert recipes["Pho"].ingredients == ["noodles"] and not unusable


def test_one_file_is_a_source_too(read, tmp_path):
    folder = write(tmp_path / "md", MARKDOWN)
    recipes, unusable = read(folder / "heading.md")
    assert recipes.keys() == {"Grandma's Stew"} and not unusable


def test_archives_inside_a_folder(read, tmp_path):
    source = write(
        tmp_path / "mixed",
        {
            "a.zip": zipped({"soup.md": "# Soup", "soup.jpg": PHOTO}),
            "b.zip": b"PK broken",
            "c.zip": zipped({"inner.tar": b"x"}),
        },
    )
    recipes, unusable = read(source)
    assert recipes.keys() == {"Soup"}
    assert "cannot be unpacked" in unusable["b.zip"]
    assert "archive in an archive" in unusable["c.zip/inner.tar"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar(read, tmp_path, mode):
    path = tmp_path / "cookbook.tar"
    with tarfile.open(path, mode) as file:
        for name, content in {"soup.md": b"# Soup", "soup.jpg": PHOTO}.items():
            info = tarfile.TarInfo(f"recipes/{name}")
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    recipes, _ = read(path)
    assert recipes.keys() == {"Soup"}


def link(kind) -> tarfile.TarInfo:
    info = tarfile.TarInfo("link.jpg")
    info.type, info.linkname = kind, "/etc/passwd"
    return info


def without_content(value: object) -> str:
    """The name of a case: an archive's bytes hold the time at which it was made."""
    return value if isinstance(value, str) else ""


def hostile_tar(member: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        file.addfile(member)
    return buffer.getvalue()


def zip_with_link() -> bytes:
    info = zipfile.ZipInfo("link.jpg")
    info.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def pax_bomb() -> bytes:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 5_000_000
    return gzip.compress(info.tobuf() + bytes(info.size))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("slip.zip", zipped({"../../evil.jpg": PHOTO}), "leads out of it"),
        ("absolute.zip", zipped({"/tmp/evil.jpg": PHOTO}), "leads out of it"),
        ("windows.zip", zipped({"C:\\evil.jpg": PHOTO}), "leads out of it"),
        ("backslash.zip", zipped({"..\\..\\evil.jpg": PHOTO}), "leads out of it"),
        ("slip.tgz", hostile_tar(tarfile.TarInfo("../evil.jpg")), "leads out of it"),
        ("symlink.zip", zip_with_link(), "link or a device"),
        ("symlink.paprikarecipes", zip_with_link(), "link or a device"),
        ("symlink.melarecipes", zip_with_link(), "link or a device"),
        ("mealie.zip", zipped({"database.json": bytes(5_000_000)}), "far more than it should"),
        ("symlink.tgz", hostile_tar(link(tarfile.SYMTYPE)), "link or a device"),
        ("hardlink.tgz", hostile_tar(link(tarfile.LNKTYPE)), "link or a device"),
        ("device.tgz", hostile_tar(link(tarfile.CHRTYPE)), "link or a device"),
        ("bomb.zip", zipped({"a.jpg": bytes(5_000_000)}), "far more than it should"),
        ("nested.zip", zipped({"a.zip": zipped({"a": bytes(5_000_000)})}), "far more"),
        ("bomb.tgz", pax_bomb(), "far more than it should"),
        ("many.zip", zipped({str(i): b"" for i in range(30)}), "holds more than"),
        ("cut.zip", zipped({"a.jpg": PHOTO})[:-30], "cannot be unpacked"),
        ("cut.tgz", hostile_tar(tarfile.TarInfo("a"))[:-30], "cannot be unpacked"),
        ("text.tar", b"not a tar", "cannot be unpacked"),
    ],
    ids=without_content,
)
def test_hostile_archives_are_refused(read, tmp_path, monkeypatch, name, content, says):
    monkeypatch.setattr(budget, "MAX_FILES", 20)
    monkeypatch.setattr(budget, "ALWAYS_ALLOWED", 1_000_000)
    with pytest.raises(CollectionError, match=says):
        read(write(tmp_path / "in", {name: content}) / name)
    outside = {path.name for path in tmp_path.rglob("*")} - {name, "in"}
    assert not [path for path in outside if "evil" in path]


def tar_of(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for name in names:
            info = tarfile.TarInfo("a.md")
            info.pax_headers = {"path": name}  # which may be anything
            file.addfile(info)
    return buffer.getvalue()


def zip_of(*members: tuple[str, bytes | str]) -> bytes:
    """A zip of names that zipfile itself would refuse to write, or warn of."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as file:
        warnings.simplefilter("ignore")
        for name, content in members:
            info = zipfile.ZipInfo()
            info.filename = name
            with file.open(info, "w") as member:
                member.write(content if isinstance(content, bytes) else content.encode())
    return buffer.getvalue()


SOUP = [("soup.md", "# Soup"), ("soup.jpg", PHOTO)]


@pytest.mark.parametrize(
    ("name", "content", "listed"),
    [
        ("nameless.zip", zip_of(("", "x"), *SOUP), {"": "it has no name"}),
        ("long.zip", zip_of(("a" * 260 + ".md", "x"), *SOUP), {"a" * 260 + ".md": "too long"}),
        ("twice.zip", zip_of(*SOUP, ("soup.md", "# Stew")), {"soup.md": "exists"}),
        ("below.zip", zip_of(*SOUP, ("soup.md/x.md", "x")), {"soup.md/x.md": "cannot be unpacked"}),
        ("deep.zip", zip_of(("a/" * 101 + "x.md", "x"), *SOUP), {"a/" * 101 + "x.md": "deep"}),
        ("inner.zip", zip_of(("1.zip", zipped({"a": PHOTO})[:-9]), *SOUP), {"1.zip": "archive"}),
        ("worse.zip", zip_of(("1.zip", zip_with_link()), *SOUP), {"1.zip": "link or a device"}),
        ("null.tar", tar_of("a\0b.md"), {"a\ufffdb.md": "no file can have its name"}),
    ],
    ids=without_content,
)
def test_members_that_cannot_be_files_are_listed(read, tmp_path, name, content, listed):
    files = {name: content, "stew.md": "# Stew", "stew.jpg": PHOTO}
    recipes, unusable = read(write(tmp_path / "in", files))
    assert "Stew" in recipes and ("Soup" in recipes or name == "null.tar")
    assert unusable.keys() == {f"{name}/{origin}" for origin in listed}
    for origin, reason in listed.items():
        assert reason in unusable[f"{name}/{origin}"].lower()


def paprika(size: int) -> bytes:
    return gzip.compress(json.dumps({"name": "x" * size, "photo_data": "AAAA"}).encode())


def test_one_budget_for_all_that_is_unpacked_at_any_depth(read, tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "ALWAYS_ALLOWED", 2_500_000)
    monkeypatch.setattr(budget, "MAX_RATIO", 1)
    inside = {f"{i}.paprikarecipe": paprika(1_000_000) for i in range(3)}
    inside["photo.paprikarecipe"] = paprika(10)
    files = {"x.paprikarecipes": zipped(inside), **dict(SOUP)}
    recipes, unusable = read(write(tmp_path / "in", files))
    assert recipes.keys() == {"Soup"}
    refused = [origin for origin, reason in unusable.items() if "far more than it should" in reason]
    assert refused == ["x.paprikarecipes/2.paprikarecipe", "x.paprikarecipes/photo.paprikarecipe"]


KNOWN = '<link rel="canonical" href="https://www.chefkoch.de/rezepte/1/x.html">'
ALIASES = "\n".join(
    ["a0: &a0 [x, x, x]", *(f"a{i}: &a{i} [{f'*a{i - 1}, ' * 9}]" for i in range(1, 9))]
)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.md", f"---\n{ALIASES}\ntitle: *a8\n---\nx", "aliases"),
        ("x.md", "---\ntitle: " + "[" * 50_000 + "\n---\nx", "nested too deeply"),
        ("x.md", "---\na: " + "b" * 100_000 + "\n---\nx", "front matter has more than"),
        ("x.md", "---" + "\n" * 500_000, "no photo"),
        ("x.md", "a" * 1_000_001, "larger than 1 MB"),
        ("x.html", "<a " * 200_000, "more than 100,000 tags"),
        ("x.html", KNOWN + "<meta " * 85_000, "it takes more than"),
        ("x.html", "x" * 30_000_001, "larger than 30 MB"),
        ("x.json", "[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("x.json", '{"a": ' + "1" * 5_000 + "}", "no JSON"),
        ("x.csv", "title,photo\n" + "a" * (table._MAX_CELL + 1) + ",b", "no CSV from here on"),
        ("x.csv", "title,photo\n" + "a" * 301 + ",soup.jpg", "at most 300 characters"),
        ("x.csv", f"title,photo,method\na,soup.jpg,{'b' * 100_001}", "at most 100,000"),
    ],
)
def test_a_file_that_would_cost_much_is_listed(
    read_beside, tmp_path, monkeypatch, name, content, says
):
    monkeypatch.setattr(reader, "SECONDS", 3)
    monkeypatch.setattr(reader, "SECONDS_PER_MB", 1)
    recipes, unusable = read_beside(write(tmp_path / "in", {name: content, **dict(SOUP)}))
    assert recipes.keys() == {"Soup"}
    assert len(unusable) == 1 and says in unusable.popitem()[1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
def test_a_file_that_takes_too_much_memory_is_listed(read_beside, tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "MAX_MEMORY", 1_000_000_000)
    files = {"x.json": "[" + "[]," * 13_000_000 + "[]]", **dict(SOUP)}
    recipes, unusable = read_beside(write(tmp_path / "in", files))
    assert recipes.keys() == {"Soup"} and "GB of memory" in unusable["x.json"]


REPEATED = """
import math
import resource
import time
from pathlib import Path

from itadaki.errors import RecipeError
from itadaki.index.filters import ingredient_terms
from itadaki.importing import found, front_matter, json_ld, markdown_lines, page, page_pictures
from itadaki.importing import picture_names, plain, words
from itadaki.importing import schema_org, schema_text
from itadaki.recipes.recipe import NewRecipe

spaces = [chr(code) for code in range(0x3001) if chr(code).isspace()]
parts = ["<a", "&amp;", "&", "amp;", "/*", ",", "{}", "</p>", "((", "• ", "1. ", "1. 2. ", "-1x1"]
parts += ["-300x200", "-scaled", ".jpg", "data:", "a=/b&", "--sf-img-1:url(", "var(", "url: "]
parts += ["saved from url=(1)", "step ", "step 1 ", "<!--", "\\\\n", '"\\\\', "a", "A"]
parts += ["1", "_", "-", ".", "é", "\u0301\u0323", ";", "|", "[", "(", "![[", "<", "'"]
parts += ["{{<", "{%", "{{", "{:", "%%", "<img ", "<br ", "![a](", "[^", ": ", "- ", "@", "@{"]
for part in [*parts, "0x", '"', "\\\\", "\\0", "{", "-1", "//", "../", *spaces]:
    print(repr(part), flush=True)
    # For each alone, so that many quick ones on a busy machine come to nothing.
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + 3, -1))
    text = part * 30_000
    ingredient_terms([text[:20_000]]), ingredient_terms([f"a{text[:20_000]}b"])
    for one in (text, f"a{text}b", f"{text}\\n---{text}"):
        found.lines(one)
        found.lines(f"[{one[:40_000]}]")
        found.amount(one)
        found.Photos(Path("nowhere"), Path("nowhere")).find(one, Path("nowhere/x"))
        found.Photos(Path("nowhere"), Path("nowhere")).find(f"http://{one}", Path("nowhere/x"))
        front_matter.split(f"---{one}")
        front_matter._by_line(one)
        words.part_of(one), words.part_named(one), words.is_label(one), words.fields([one])
        markdown_lines._prepared(one)
        plain.ingredients(one), plain.steps(one), list(plain.references(one))
        found.details(keywords=one, servings=one, prep_minutes=one, author=one, source=one)
        found.details(source=f"http://{one}", prep_minutes=f"P{one}")
        try:
            NewRecipe(one, [one], one, b"")
        except RecipeError:
            pass
        one = one[:40_000]
        for alone in (True, False):
            schema_text.text_lines(one, alone)
        schema_text.ingredient_lines(one)
        schema_text.without_labels([one])
        schema_text.embedded(f"[{one}]")
        for json in (one, f"[{one}", f"{{}}{one}"):
            try:
                json_ld.read_values(json)
            except (ValueError, RecursionError):  # the reader lists it as nested too deeply
                pass
        picture_names.picture_key(one)
        # Of a host, urlsplit puts marks in order, in square time.
        picture_names.picture_paths(f"https://{one[:15_000]}?{one}")
        picture_names.data_uri(one), picture_names.data_uri(f"data:image/png{one}")
        picture_names.is_saved_folder(one)
        page_pictures._STYLED.findall(one), page_pictures._USE.findall(one)
        page_pictures._MAIN.search(one), page_pictures._SIDE.search(one)
        page._SAVED_FROM.findall(one), page._INSIDE.sub("", one)
        schema_org._WORD.findall(one)
"""


def test_what_looks_at_foreign_text_is_linear():
    """Thirty thousand times the same, over which a square expression takes many seconds."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", REPEATED], capture_output=True)
    assert done.returncode == 0, (done.stdout.decode()[-50:], done.stderr.decode()[-2000:])


def test_what_is_no_file_of_the_folder_is_listed(read, tmp_path):
    source = write(tmp_path / "in", {"a.md": "# Soup\n![](soup.jpg)", "soup.jpg": PHOTO})
    write(
        tmp_path, {"secret.jpg": PHOTO, "elsewhere/x.md": "# Elsewhere", "elsewhere/x.jpg": PHOTO}
    )
    for name in ("pipe.md", "pipe.jpg"):
        os.mkfifo(source / name)
    (source / "leak.md").write_text("# Leak\n![](leak.jpg)")
    (source / "leak.jpg").symlink_to(tmp_path / "secret.jpg")
    (source / "zero.jpg").symlink_to("/dev/zero")
    (source / "loop.jpg").symlink_to("loop.jpg")
    (source / "loop.md").write_text("# Loop\n![](loop.jpg)")
    (source / "linked").symlink_to(tmp_path / "elsewhere")
    (source / "inside.jpg").symlink_to("soup.jpg")
    (source / "inside.md").write_text("# Inside\n![](inside.jpg)")
    recipes, unusable = read(source)
    assert recipes.keys() == {"Soup", "Inside"}
    for name in ("leak", "loop"):
        assert unusable[f"{name}.md"] == f"its picture {name}.jpg is not there"
    for name in ("pipe.md", "pipe.jpg", "leak.jpg", "zero.jpg", "loop.jpg", "linked"):
        assert "no file of this folder" in unusable[name]
    with pytest.raises(CollectionError, match="no file or folder"):
        read(source / "pipe.md")


def test_a_photo_of_gigabytes_is_listed(read, tmp_path):
    source = write(tmp_path / "in", {"x.md": "# X", "x.jpg": b"", **dict(SOUP)})
    with (source / "x.jpg").open("wb") as file:
        file.truncate(1_000_000_000)
    recipes, unusable = read(source)
    assert recipes.keys() == {"Soup"} and "more than 100 MB" in unusable["x.md"]


def test_what_is_listed_is_fit_for_a_terminal(tmp_path):
    source = write(tmp_path / "in", {"a\x1b[31m\n\u202eb.md": "# A", **dict(SOUP)})
    Path(os.fsdecode(os.fsencode(source) + b"/\xff.md")).write_text("# B")
    _, unusable = read_recipes(source, tmp_path / "workspace", progress=False)
    listed = [f"{one.origin}: {one.reason}" for one in unusable]
    assert listed == ["a\ufffd[31m\ufffd\ufffdb.md: it has no photo", "\ufffd.md: it has no photo"]
    assert all(line.encode().decode().isprintable() for line in listed)


def test_names_are_found_however_their_accents_are_written(read, tmp_path):
    composed, apart = "Crème.jpg", unicodedata.normalize("NFD", "Crème.jpg")
    assert composed != apart
    files = {"x.csv": f"title,photo\nCrème,{composed}\n", f"photos/{apart}": PHOTO}
    recipes, _ = read(write(tmp_path / "in", files))
    assert recipes.keys() == {"Crème"}


@pytest.mark.parametrize(
    "title", ["\u200b\u200d", "\u2060\ufeff", "\u202e \u2066", "\x01", "\u3164"]
)
def test_a_title_that_nobody_sees_is_none(read, tmp_path, title):
    files = {"x.csv": f"title,photo\n{title},soup.jpg\n", **dict(SOUP)}
    recipes, unusable = read(write(tmp_path / "in", files))
    assert recipes.keys() == {"Soup"} and unusable == {"x.csv, line 2": "it has no title"}
    with pytest.raises(RecipeError, match="needs a title"):
        NewRecipe(title, [], "", PHOTO)
    assert NewRecipe(f"{title}Crème 🫕 \u200f", [], "", PHOTO).title


def test_a_child_that_does_not_start_is_said_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ItadakiError, match="does not start"):
        read_recipes(write(tmp_path / "in", dict(SOUP)), tmp_path / "w", progress=False)


def test_the_working_directory_s_modules_are_not_run(tmp_path, monkeypatch):
    source = write(tmp_path / "in", {"yaml.py": "open('ran', 'w')", **dict(SOUP)})
    (source / "soup.md").write_text("---\ntitle: Soup\n---\n")
    monkeypatch.chdir(source)
    recipes, _ = read_recipes(source, tmp_path / "workspace", progress=False)
    assert [recipe.title for recipe in recipes] == ["Soup"] and not (source / "ran").exists()


def test_the_document_names_the_bounds():
    megabytes = {end: limit for end, (_, limit) in reader._READERS.items()}
    text = Path(__file__).parents[1].joinpath("docs", "own-recipes.md").read_text(encoding="utf-8")
    for row in (
        f"{reader.SECONDS} seconds of processor time, and {reader.SECONDS_PER_MB} more for each MB",
        f"by the clock {({6: 'six'})[reader._PATIENCE]} times as long",
        f"| {reader.MAX_MEMORY // 10**9} GB, on Linux",
        f"| a page | {megabytes['.html']} MB, and {web_page._MAX_TAGS:,} tags |",
        f"| a JSON file, a Paprika recipe | {megabytes['.json']} MB |",
        f"| {megabytes['.md']} MB, its front matter {front_matter.MAX_FACTS:,} characters and no",
        f"| {megabytes['.csv']} MB, a cell of it {table._MAX_CELL:,} characters |",
        f"| a photo | {importing._MAX_PHOTO // 10**6} MB |",
        f"| {budget.ALWAYS_ALLOWED // 10**6} MB and {budget.MAX_RATIO} times the size",
        f"more than {budget.MAX_BYTES // 10**9} GB nor",
        f"{budget.MAX_FILES:,} files, {archive._MAX_DEPTH} folders deep |",
        f"a title of {MAX_TITLE} characters, ingredients and instructions of {MAX_TEXT:,} each; "
        f"{MAX_KEYWORDS} keywords of {MAX_KEYWORD} characters, servings and author of {MAX_DETAIL}"
        f", an address of {MAX_SOURCE:,} |",
        f"{fetch._SECONDS:.0f} seconds, {fetch.MAX_BYTES // 10**6} MB, {fetch._MAX_REDIRECTS} redi",
        f"{importing._MAX_FETCHES} photos are tried for a recipe |",
    ):
        assert row in text
    of_one_size = (".json", ".paprikarecipe", ".melarecipe", ".kreml")
    assert len({megabytes[end] for end in of_one_size}) == 1
    assert megabytes[".txt"] == megabytes[".mmf"] == 10 and megabytes[".cook"] == megabytes[".md"]


def test_a_source_that_is_not_there(read, tmp_path):
    with pytest.raises(CollectionError, match="no file or folder"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("field", ["title", "ingredients", "instructions"])
def test_texts_that_are_too_long_are_listed_and_the_rest_is_read(in_process, tmp_path, field):
    long = {"title": "t" * 301, "ingredients": "a\n" * 50_001, "instructions": "i" * 100_001}
    rows = [{"title": "Soup", "ingredients": "salt", "instructions": "Cook."} for _ in range(2)]
    rows[0][field] = long[field]
    (tmp_path / "x.jpg").write_bytes(encode(dish_photo(1)))
    with (tmp_path / "recipes.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["title", "ingredients", "instructions", "photo"])
        writer.writeheader()
        writer.writerows({**row, "photo": "x.jpg"} for row in rows)
    recipes, unusable = read_recipes(tmp_path, tmp_path / "work", progress=False)
    assert len(recipes) == 1
    assert len(unusable) == 1 and f"The {field} may have at most" in unusable[0].reason
