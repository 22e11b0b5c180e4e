"""Keywords, servings, times, author and source: from a source to the answer."""

import base64
import csv
import gzip
import json
import shutil

import pytest
from conftest import dataset_recipe, dish_photo, encode, write_dataset

from itadaki.collection import change_collection, create_collection
from itadaki.errors import ArtifactError
from itadaki.importing import read_recipes
from itadaki.index.filters import Filters, RowFilter
from itadaki.recipes.dataset import load_dataset, recipes_of
from itadaki.recipes.recipe import DETAILS, Edit, NewRecipe
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import Settings
from itadaki.variants import VARIANTS, Artifacts

PHOTO = encode(dish_photo(1))
TOLD = {
    "keywords": ["soup", "Quick & easy", "father's day"],
    "servings": "4-6 people",
    "prep_minutes": 15,
    "cook_minutes": 60,
    "total_minutes": 75,
    "author": "Ada",
    "source": "https://kitchen.example/soup?id=1",
}
NOTHING = {
    **dict.fromkeys(DETAILS, ""),
    "keywords": [],
    **dict.fromkeys(("prep_minutes", "cook_minutes", "total_minutes"), 0),
}
OLD_COLUMNS = ("Id", "Title", "Ingredients", "Instructions", "Image_Name")


def recipe(seed: int, **details) -> NewRecipe:
    return NewRecipe(f"Soup {seed}", ["salt"], "Cook.", encode(dish_photo(seed)), **details)


@pytest.fixture
def mine(tmp_path) -> Settings:
    settings = Settings(_env_file=None, home=tmp_path / "home", dataset="mine")
    create_collection(settings, "mine", [recipe(0, **TOLD), recipe(1), recipe(2)])
    return settings


def details(settings: Settings) -> list[dict]:
    dataset = load_dataset(settings, progress=False)
    return [recipe.details() for recipe in recipes_of(dataset)]


def without_details(settings: Settings) -> None:
    """Make a collection what it was before recipes had details."""
    table = settings.collection_folder / "data.csv"
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, OLD_COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def test_a_collection_keeps_and_changes_them(mine):
    assert details(mine) == [TOLD, NOTHING, NOTHING]
    edit = Edit(keywords=["stew"], cook_minutes=0, source="")
    change_collection(mine, add=[recipe(3, author="Bob")], edits={1: edit}, remove=[2])
    changed = TOLD | {"keywords": ["stew"], "cook_minutes": 0, "source": ""}
    assert details(mine) == [changed, NOTHING, NOTHING | {"author": "Bob"}]
    frame = load_dataset(mine, progress=False).recipes
    assert frame["Keywords"].tolist() == [["stew"], [], []]
    assert frame["Total_Minutes"].tolist() == [75, 0, 0]


def test_a_collection_from_before_them_is_read_and_gets_their_columns_when_it_needs_them(mine):
    without_details(mine)
    assert details(mine) == [NOTHING] * 3
    table = mine.collection_folder / "data.csv"
    change_collection(mine, edits={2: Edit(title="New")}, add=[recipe(3)])
    assert table.read_text(encoding="utf-8").splitlines()[0] == ",".join(OLD_COLUMNS)
    change_collection(mine, add=[recipe(4, **TOLD | {"author": ""})], edits={3: Edit(servings="2")})
    told = [NOTHING, NOTHING, NOTHING | {"servings": "2"}, NOTHING, TOLD | {"author": ""}]
    assert details(mine) == told
    with table.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert "Author" not in header and header[-1] == "Source"
    assert {len(row) for row in rows} == {len(header)}


def test_banks_follow_and_one_that_does_not_fit_is_said(mine, model_home):
    shutil.copytree(model_home, mine.home, dirs_exist_ok=True)
    system = RetrievalSystem.load("raw", mine, build=True)
    assert [one.details() for one in system.bank.recipes] == [TOLD, NOTHING, NOTHING]
    (system,), _ = change_collection(mine, [system], edits={2: Edit(keywords=["bread"])})
    again = RetrievalSystem.load("raw", mine)
    assert again.bank.recipes == system.bank.recipes
    found = again.search_similar_recipes(PHOTO, 3, filters=Filters(keywords=("BREAD",)))
    assert [(one.id, one.keywords) for one in found] == [(2, ["bread"])]

    table = mine.collection_folder / "data.csv"
    by_hand = table.read_text(encoding="utf-8").replace("bread", "cake")
    table.write_text(by_hand, encoding="utf-8")
    dataset = load_dataset(mine, progress=False)
    assert dataset.sha256 == system.dataset.sha256
    with pytest.raises(ArtifactError, match=r"other keywords.*build raw.*no photo is embedded"):
        RetrievalSystem.load("raw", mine)
    with pytest.raises(ArtifactError, match="other keywords"):
        change_collection(mine, [system], edits={1: Edit(title="x")})
    rebuilt = RetrievalSystem.load("raw", mine, build=True)
    assert rebuilt.bank.recipes[1].keywords == ["cake"]


def test_a_bank_from_before_them_asks_for_a_build(mine, model_home):
    shutil.copytree(model_home, mine.home, dirs_exist_ok=True)
    RetrievalSystem.load("raw", mine, build=True)
    path = Artifacts(VARIANTS["raw"], mine).manifest
    manifest = json.loads(path.read_text())
    del manifest["sha256"]["details"]
    path.write_text(json.dumps(manifest | {"metadata_by": "another"}))
    with pytest.raises(ArtifactError, match=r"another way than today's; run: .*build raw"):
        RetrievalSystem.load("raw", mine)
    path.write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"run: python -m itadaki build raw"):
        RetrievalSystem.load("raw", mine)


def test_they_are_no_part_of_what_models_and_measurements_are_tied_to(tmp_path):
    """Kaggle's table has none; one that has keywords is the same dataset with the same split."""
    rows = [{"Title": f"Dish {i}", "Image_Name": f"dish-{i}"} for i in range(3)]
    photos = {f"dish-{i}": encode(dish_photo(i)) for i in range(3)}
    plain = write_dataset(tmp_path / "plain", rows, photos)
    told = write_dataset(tmp_path / "told", rows, photos)
    (table,) = told.glob("*.csv")
    lines = table.read_text(encoding="utf-8").splitlines()
    keywords = ["Keywords", '"[\'quick & easy\', ""father\'s day""]"', "a; b", ""]
    table.write_text("\n".join(map(",".join, zip(lines, keywords, strict=True))), encoding="utf-8")
    one, other = (
        load_dataset(Settings(_env_file=None, home=tmp_path / r.name, dataset=str(r)), False)
        for r in (plain, told)
    )
    assert other.recipes["Keywords"].tolist() == [["quick & easy", "father's day"], ["a", "b"], []]
    assert one.recipes["Keywords"].tolist() == [[], [], []]
    assert one.sha256 == other.sha256 and one.details_sha256 != other.details_sha256
    assert one.recipes["split"].tolist() == other.recipes["split"].tolist()


def test_rows_are_found_by_keyword():
    keywords = [["Crème brûlée", "quick"], [], ["QUICK", "soup"]]
    recipes = [dataset_recipe(row, keywords=some) for row, some in enumerate(keywords)]
    rows = RowFilter(recipes).rows
    assert rows(Filters(keywords=("quick",))).tolist() == [True, False, True]
    assert rows(Filters(keywords=("creme  BRULEE",))).tolist() == [True, False, False]
    assert rows(Filters(keywords=("quick", "soup"))).tolist() == [False, False, True]
    assert rows(Filters(keywords=("quic",))).tolist() == [False] * 3
    assert rows(Filters()) is None


SCHEMA = {
    "@context": "https://schema.org",
    "@type": "Recipe",
    "name": "Soup",
    "image": "soup.jpg",
    "recipeIngredient": ["salt"],
    "recipeInstructions": "Cook.",
    "keywords": "soup, Quick & easy",
    "recipeCategory": ["father's day", "Soup"],
    "recipeYield": ["4-6 people", "6"],
    "prepTime": "PT15M",
    "cookTime": "PT1H",
    "totalTime": "PT1H15M",
    "author": [{"@type": "Person", "name": "Ada"}],
    "url": "https://kitchen.example/soup?id=1",
}
MEALIE = {
    "slug": "soup",
    "name": "Soup",
    "recipe_ingredient": ["salt"],
    "recipe_instructions": [{"text": "Cook."}],
    "tags": [{"name": "soup", "slug": "soup"}, {"name": "Quick & easy"}],
    "recipe_category": [{"name": "father's day"}],
    "recipe_yield": "4-6 people",
    "prep_time": "15 minutes",
    "perform_time": "1 hour",
    "total_time": "1 hour 15 minutes",
    "org_url": "https://kitchen.example/soup?id=1",
}
MEALIE_BACKUP = {
    "recipes": [{**MEALIE, "id": "1" * 32}],
    "recipes_ingredients": [],
    "recipe_instructions": [],
    "tags": [{"id": "t1", "name": "soup"}, {"id": "t2", "name": "Quick & easy"}],
    "categories": [{"id": "c1", "name": "father's day"}],
    "recipes_to_tags": [{"recipe_id": "1" * 32, "tag_id": t} for t in ("t1", "t2", "t3")],
    "recipes_to_categories": [{"recipe_id": "1" * 32, "category_id": "c1"}],
}
TANDOOR = {
    "name": "Soup",
    "steps": [{"instruction": "Cook.", "ingredients": []}],
    "keywords": [{"name": name} for name in TOLD["keywords"]],
    "servings": 4,
    "servings_text": "4-6 people",
    "working_time": 15,
    "waiting_time": 60,
    "source_url": "https://kitchen.example/soup?id=1",
}
PAPRIKA = {
    "name": "Soup",
    "photo_data": base64.b64encode(PHOTO).decode(),
    "categories": TOLD["keywords"],
    "servings": "4-6 people",
    "prep_time": "15 mins",
    "cook_time": "1 hr",
    "total_time": "1 hr 15 mins",
    "source": "Ada's kitchen",
    "source_url": "https://kitchen.example/soup?id=1",
}
TABLE = (
    "title;photo;tags;servings;prep time;cook time;total time;author;source url\n"
    'Soup;soup.jpg;"soup, Quick & easy, father\'s day";4-6 people;15 min;1 h;1:15;Ada;'
    "https://kitchen.example/soup?id=1\n"
)
MARKDOWN = """---
tags: [soup, Quick & easy, father's day]
servings: 4-6 people
prep_time: 15 min
cook_time: 1 h
total_time: 75
author: Ada
source: https://kitchen.example/soup?id=1
image: soup.jpg
---
# Soup
"""
SOURCES = {
    "soup.json": SCHEMA,
    "soup.html": f'<script type="application/ld+json">{json.dumps(SCHEMA)}</script>',
    "export/soup.json": MEALIE,
    "database.json": MEALIE_BACKUP,
    "tandoor/recipe.json": TANDOOR,
    "soup.paprikarecipe": gzip.compress(json.dumps(PAPRIKA).encode()),
    "soup.csv": TABLE,
    "soup.md": MARKDOWN,
}


@pytest.mark.parametrize("name", SOURCES)
def test_they_are_read_where_a_source_has_them(name, in_process, tmp_path):
    source, content = tmp_path / "source", SOURCES[name]
    path = source / name
    path.parent.mkdir(parents=True)
    content = json.dumps(content) if isinstance(content, dict) else content
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    images = source / "data/recipes/11111111-1111-1111-1111-111111111111/images"
    images.mkdir(parents=True)
    for picture in ("soup.jpg", "export/images/original.jpg", "tandoor/image.jpg"):
        (source / picture).parent.mkdir(parents=True, exist_ok=True)
        (source / picture).write_bytes(PHOTO)
    (images / "original.jpg").write_bytes(PHOTO)
    (found,), unusable = read_recipes(source, tmp_path / "room", progress=False)
    assert not unusable
    has_author = name.startswith(("soup.json", "soup.html", "soup.csv", "soup.md"))
    wanted = TOLD if has_author else TOLD | {"author": ""}
    wanted = wanted | {"total_minutes": 0} if name.startswith("tandoor") else wanted
    assert found.details() == wanted
