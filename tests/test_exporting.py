"""What is exported is read again as it was."""

import csv
import io
import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import pytest
from conftest import dish_photo, encode
from hypothesis import HealthCheck, example, given
from hypothesis import settings as how

from itadaki.cli import main
from itadaki.cli.collection import _FORMATS
from itadaki.collection import create_collection
from itadaki.exporting import FORMATS, as_cell, export
from itadaki.importing import read_recipes
from itadaki.photos.images import decode, media_type
from itadaki.recipes.recipe import NewRecipe, has_title
from itadaki.recipes.texts import one_line
from itadaki.settings import Settings

PHOTOS = [encode(dish_photo(seed), kind) for seed, kind in enumerate(("JPEG", "PNG", "WEBP"))]
OTHERS = [encode(dish_photo(9), kind) for kind in ("GIF", "AVIF")]
ODD = [
    *('=HYPERLINK("http://x.example")', "+1 egg", "-2 eggs", "@x", "'=1", "''+", "'tis"),
    *("2 eggs", "1. Boil", "½ cup", "0x10", "1_000", "1.50", "'salt'", "[1]", "{'a': 1}", "#"),
    *(
        '"quoted"',
        "a; b | c",
        "a,b",
        "a\\nb",
        "tab\there",
        "crème brûlée",
        "cre\u0300me",
        "🍲 soup",
    ),
    *("R&D &amp; &lt;b&gt;", "<b>bold</b>", "a < b > c", "<3", "&nbsp", "a\u2028b", "日本の豆腐"),
    *("\u202eabc", "none", "null", "nan", "True", "---", "Soup: the best", "*stars* _and_ `code`"),
    *("crÃ¨me brÃ»lÃ©e", "Step 1", "1. Boil. 2. Eat.", "~~struck~~ not", "%% aside %%", "{{ x }}"),
    *(", Base", "- dash", "[ ] box", "• one • two", "Ingredients:", "[[a|b]]", "![](x.jpg)", "\\*"),
]
words = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=("Cs", "Co", "Cn")), min_size=1, max_size=30),
    st.lists(st.sampled_from(ODD), min_size=2, max_size=3).map(" ".join),
)
lines = words.map(one_line).filter(has_title)
recipes = st.builds(
    NewRecipe,
    title=lines,
    ingredients=st.lists(lines, max_size=4),
    instructions=st.lists(lines, max_size=4).map("\n".join),
    photo=st.sampled_from(PHOTOS + OTHERS),
    keywords=st.lists(lines, max_size=3),
    servings=words,
    prep_minutes=st.integers(0, 10_000),
    total_minutes=st.integers(0, 10_000),
)


def exported(settings: Settings, kind: str, target: Path) -> list[NewRecipe]:
    count, left_out = export(settings, kind, target, progress=False)
    with TemporaryDirectory() as room:
        found, unusable = read_recipes(target, Path(room), progress=False)
        assert (len(found), left_out, unusable) == (count, [], [])
        return [
            (one.title, one.ingredients, one.instructions, one.photo.read_bytes(), one.details())
            for one in found
        ]


@pytest.mark.parametrize("kind", FORMATS)
@how(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(some=st.lists(recipes, min_size=1, max_size=12))
@example(some=[NewRecipe(odd, [odd], odd, PHOTOS[0], keywords=[odd]) for odd in ODD])
@example(some=[NewRecipe("Soup", ["salt"], "Cook.", photo) for photo in OTHERS])
def test_a_round_trip_keeps_what_a_recipe_is(in_process, kind, some):
    with TemporaryDirectory() as folder:
        mine = Settings(_env_file=None, home=Path(folder), dataset="mine")
        create_collection(mine, "mine", some)
        found = exported(mine, kind, Path(folder) / "out")
    was = sorted(
        (one.title, one.ingredients, one.instructions, one.photo, one.keywords, one.total_minutes)
        for one in some
    )
    now = sorted((*texts, told["keywords"], told["total_minutes"]) for *texts, told in found)
    assert now == was


MARKS = {
    "schema-org": '"encodingFormat": "text/plain",',
    "mealie": '"encodingFormat": "text/plain",',
    "csv": "text/plain",
}
CLEANED = {
    "schema-org": ("crème", ["bold peas"], "Simmer."),
    "mealie": ("crème", ["bold peas"], "Simmer."),
    "csv": ("crème", ["<b>bold</b> peas"], "Step 1\nSimmer."),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_only_what_says_that_it_is_plain_is_taken_as_it_is(in_process, tmp_path, kind):
    was = "crÃ¨me", ["<b>bold</b> peas"], "Step 1\nSimmer."
    mine = Settings(_env_file=None, home=tmp_path, dataset="mine")
    create_collection(mine, "mine", [NewRecipe(*was, PHOTOS[0])])
    out = tmp_path / "out"
    assert exported(mine, kind, out)[0][:3] == was
    (file,) = (path for path in out.rglob("*.*") if path.suffix in (".json", ".csv"))
    written = file.read_bytes().decode()
    assert written.count(MARKS[kind]) == 1
    file.write_bytes(written.replace(MARKS[kind], "").encode())
    (found,), _ = read_recipes(out, tmp_path / "room", progress=False)
    assert (found.title, found.ingredients, found.instructions) == CLEANED[kind]


def test_a_table_keeps_blank_lines(tmp_path):
    mine = Settings(_env_file=None, home=tmp_path, dataset="mine")
    create_collection(mine, "mine", [NewRecipe("Soup", [], "Soak.\n\n  Boil.", PHOTOS[0])])
    assert exported(mine, "csv", tmp_path / "out")[0][2] == "Soak.\n\n  Boil."


def test_what_says_that_it_is_plain_but_is_not_as_written_is_cleaned(in_process, tmp_path):
    said = {"encodingFormat": "text/plain", "name": "Soup &amp; bread", "image": "x.jpg"}
    said |= {"recipeInstructions": "<p>Simmer.</p>", "recipeIngredient": "<li>peas</li>"}
    (tmp_path / "a.json").write_text(json.dumps({"@type": "Recipe", **said}))
    listed = {"recipeIngredient": ["**peas**"], "recipeInstructions": [{"text": None}], "slug": "b"}
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "b.json").write_text(json.dumps(said | {"name": "Mealie"} | listed))
    (tmp_path / "x.jpg").write_bytes(PHOTOS[0])
    (tmp_path / "b" / "original.jpg").write_bytes(PHOTOS[1])
    found, unusable = read_recipes(tmp_path, tmp_path / "room", progress=False)
    assert not unusable
    told = {one.title: (one.ingredients, one.instructions) for one in found}
    assert told == {"Soup & bread": (["peas"], "Simmer."), "Mealie": (["**peas**"], "")}


@pytest.fixture
def mine(tmp_path, monkeypatch) -> Settings:
    monkeypatch.setenv("ITADAKI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    settings = Settings(_env_file=None, home=tmp_path / "home", dataset="mine")
    told = {
        "keywords": ["soup", "quick & easy"],
        "servings": "4-6 people",
        "prep_minutes": 10,
        "cook_minutes": 20,
        "total_minutes": 30,
        "source": "https://kitchen.example/soup?a=1&b=2",
    }
    texts = ["500 g peas", "salt"], "Soak.\nBoil."
    create_collection(
        settings,
        "mine",
        [NewRecipe("Pea Soup", *texts, PHOTOS[0], author="Ada", **told)]
        + [NewRecipe(f"=Dish {i}", [], "", photo) for i, photo in enumerate(PHOTOS)],
    )
    return settings


@pytest.mark.parametrize("kind", FORMATS)
def test_details_go_out_and_come_in(in_process, mine, kind):
    (told,) = (found[-1] for found in exported(mine, kind, Path("o.zip")) if found[1])
    kept = exported(mine, kind, Path("folder"))
    assert sorted(map(repr, kept)) == sorted(map(repr, exported(mine, kind, Path("again.zip"))))
    assert told == {
        "keywords": ["soup", "quick & easy"],
        "servings": "4-6 people",
        "prep_minutes": 10,
        "cook_minutes": 20,
        "total_minutes": 30,
        "author": "" if kind == "mealie" else "Ada",  # Mealie has no place for it
        "source": "https://kitchen.example/soup?a=1&b=2",
    }


def test_mealie_finds_what_it_asks_for(tmp_path):
    """As its migration reads an archive, and its pages ask for pictures."""
    mine = Settings(_env_file=None, home=tmp_path, dataset="mine")
    titles = ["Crème brûlée", "Grüße & Co's 1,000", "豆腐", "?"]
    create_collection(mine, "mine", [NewRecipe(one, [], "", PHOTOS[0]) for one in titles])
    export(mine, "mealie", tmp_path / "out", progress=False)
    told = [json.loads(path.read_bytes()) for path in tmp_path.rglob("recipes/**/*.json")]
    assert [one["extras"] for one in told] == [{}] * 4
    assert {one["name"]: one["slug"] for one in told} == {
        "Crème brûlée": "creme-brulee",
        "Grüße & Co's 1,000": "grusse-co-s-1000",
        "豆腐": "dou-fu",
        "?": "recipe-4",
    }
    for folder in (tmp_path / "out" / "recipes").iterdir():
        images = {path.name: path for path in (folder / "images").iterdir()}
        assert images.pop("original.jpg").read_bytes() == PHOTOS[0]
        assert images.keys() == {"original.webp", "min-original.webp", "tiny-original.webp"}
        for path in images.values():
            assert media_type(path) == "image/webp" and decode(path).shape[2] == 3


def test_the_command(mine, capsys):
    assert tuple(FORMATS) == _FORMATS
    assert main(["export", "mine", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "4 recipes are in mine-csv.zip.\n"
    with zipfile.ZipFile("mine-csv.zip") as file:
        assert file.read("photos/pea-soup-1.jpg") == PHOTOS[0]
        assert file.read("photos/dish-1-3.png") == PHOTOS[1]
        table = file.read("recipes.csv").decode("utf-8-sig")
    assert [row[0] for row in csv.reader(io.StringIO(table))][1:3] == ["Pea Soup", "'=Dish 0"]

    assert main(["export", "mine", "--to", "out"]) == 0
    written = json.loads(Path("out/pea-soup-1/recipe.json").read_bytes())
    assert written["keywords"] == "soup, quick & easy" and written["totalTime"] == "PT30M"
    assert written["recipeInstructions"][0] == {"@type": "HowToStep", "text": "Soak."}
    assert Path("out/dish-2-4/full.webp").read_bytes() == PHOTOS[2]
    capsys.readouterr()
    assert main(["export", "mine", "--to", "out"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert main(["export", "nobody"]) == 1
    assert "There is no collection" in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir()) == ["home", "mine-csv.zip", "out"]


def test_a_photo_that_is_gone_is_said(mine, capsys):
    (photo,) = (mine.collection_folder / "Food Images").glob("pea-soup-1.jpg")
    photo.write_bytes(b"text")
    assert main(["export", "mine", "--to", "o.zip"]) == 0
    assert "3 recipes are in o.zip" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "''@"])
def test_no_cell_is_a_formula(text):
    assert as_cell(text) == f"'{text}"
    assert as_cell(f"a{text}") == f"a{text}" and as_cell("'tis") == "'tis"
