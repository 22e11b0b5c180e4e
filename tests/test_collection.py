import codecs
import csv
import io
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import dish_photo, encode
from kill_collection import PixelEmbedder, pixel_system

from itadaki.bank.bank import load_bank
from itadaki.bank.build import build_bank
from itadaki.collection import (
    change_collection,
    collections,
    create_collection,
)
from itadaki.errors import (
    ArtifactError,
    CollectionError,
    DatasetError,
    ImageError,
    IndexUnavailableError,
    RecipeError,
    UnknownRecipeError,
)
from itadaki.index.filters import Filters
from itadaki.index.index import ExactIndex, StandInIndex, build_index, open_index
from itadaki.models.embedder import load_embedder
from itadaki.recipes.dataset import load_dataset
from itadaki.recipes.recipe import MAX_TEXT, MAX_TITLE, Edit, NewRecipe
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import Settings
from itadaki.storage.transaction import _MAX_DEPTH, _MAX_JOURNAL
from itadaki.variants import VARIANTS, Artifacts

FT = VARIANTS["ft"]
NAMES = ("Tomato Soup", "Lentil Soup", "Carrot Cake", "Green Salad", "Lemon Cake", "Rye Bread")


def recipe(seed: int, title: str | None = None, photo: bytes | None = None) -> NewRecipe:
    return NewRecipe(
        title or f"{NAMES[seed % len(NAMES)]} {seed}",
        [f"{seed} onions", 'salt, "coarse"', "200 g lentils"],
        f"Cut.\nCook for {seed} minutes.",
        photo or encode(dish_photo(seed), quality=90),
    )


@pytest.fixture
def mine(tmp_path) -> Settings:
    """A collection of eight recipes; the fifth and the sixth share a photo, saved twice."""
    settings = Settings(_env_file=None, home=tmp_path / "home", dataset="mine")
    recipes = [recipe(i) for i in range(8)]
    recipes[5] = recipe(5, photo=encode(dish_photo(4), quality=70))
    create_collection(settings, "mine", recipes)
    return settings


def built_from_scratch(settings: Settings, variant: str, tmp_path, number: int, embedder):
    """The bank that a full build makes of a collection's table and photos alone."""
    other = settings.model_copy(update={"home": tmp_path / f"scratch-{number}"})
    shutil.copytree(settings.home, other.home)
    folder = other.collection_folder
    for path in folder.iterdir():
        if path.name not in ("data.csv", "collection.json", "Food Images"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    dataset = load_dataset(other, progress=False)
    return dataset, build_bank(
        Artifacts(VARIANTS[variant], other), dataset, embedder, progress=False
    )


def assert_same(system: RetrievalSystem, dataset, bank):
    ours = system.dataset.recipes.drop(columns="image_path")
    pd.testing.assert_frame_equal(ours, dataset.recipes.drop(columns="image_path"))
    assert system.dataset.sha256 == dataset.sha256
    assert system.dataset.details_sha256 == dataset.details_sha256
    assert system.bank.recipes == bank.recipes
    np.testing.assert_array_equal(system.bank.photo_embeddings, bank.photo_embeddings)
    np.testing.assert_array_equal(system.bank.embeddings, bank.embeddings)
    assert system.bank.manifest.keys() == bank.manifest.keys()
    for part in ("model", "bank", "dataset", "details"):
        assert system.bank.manifest["sha256"][part] == bank.manifest["sha256"][part]


CHANGES = [
    {"add": [recipe(20)]},
    {"add": [recipe(21, "Linsensuppe mit Würstchen"), recipe(22), recipe(23)], "remove": [3]},
    {"add": [recipe(24, photo=encode(dish_photo(22), quality=60))]},  # a copy of a new photo
    {"remove": [5]},  # the first of two copies
    {"edits": {2: Edit(title="Beef Stew"), 7: Edit(photo=encode(dish_photo(30)))}},
    {"edits": {7: Edit(ingredients=["1 egg"], instructions="Boil.")}, "add": [recipe(31)]},
    {"edits": {9: Edit(photo=encode(dish_photo(22), quality=80))}, "remove": [10, 1]},
    {"edits": {2: Edit(keywords=["stew"], total_minutes=90), 7: Edit(author="Ada")}},
]


@pytest.mark.parametrize("variant", ["raw", "ft"])
def test_changes_give_what_a_full_build_gives(variant, model_home, mine, tmp_path):
    shutil.copytree(model_home, mine.home, dirs_exist_ok=True)
    embedder = load_embedder(Artifacts(VARIANTS[variant], mine))
    system = RetrievalSystem.load(variant, mine, build=True)
    assert (system.bank.manifest["rows_of"] == "fused") == (variant == "ft")
    for number, change in enumerate(CHANGES):
        (system,), _ = change_collection(mine, [system], **change)
        assert_same(system, *built_from_scratch(mine, variant, tmp_path, number, embedder))
    again = load_dataset(mine, progress=False)
    bank = load_bank(Artifacts(VARIANTS[variant], mine), again, embedder.sha256)
    assert_same(system, again, bank)


def test_ids_stay_and_are_never_given_again(mine):
    system = pixel_system(mine)
    (system,), (first,) = change_collection(mine, [system], add=[recipe(20)])
    assert first == 9
    (system,), _ = change_collection(mine, [system], remove=[2, first])
    (system,), (second,) = change_collection(mine, [system], add=[recipe(21)])
    assert second == 10
    ids = [recipe.id for recipe in system.bank.recipes]
    assert ids == [1, 3, 4, 5, 6, 7, 8, 10]
    assert system.bank.recipes[system.row_of(3)].title == "Carrot Cake 2"
    assert system.row_of(2) is None and system.row_of(first) is None


def test_only_new_photos_are_embedded(mine):
    system = pixel_system(mine)
    system.embedder.count = 0
    new, edits = [recipe(seed) for seed in (20, 21, 22)], {1: Edit(title="New")}
    change_collection(mine, [system], new, edits, remove=[2])
    assert system.embedder.count == 3


def test_photos_follow_their_recipes(mine):
    photos = mine.collection_folder / "Food Images"
    content = encode(dish_photo(40))
    change_collection(mine, edits={1: Edit(photo=content)}, remove=[2], add=[recipe(20)])
    names = sorted(path.name for path in photos.iterdir())
    assert "lentil-soup-1-2.jpg" not in names and "carrot-cake-20-9.jpg" in names
    assert len(names) == 8
    assert (photos / "tomato-soup-0-1.jpg").read_bytes() == content


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"remove": [99]}, UnknownRecipeError),
        ({"edits": {99: Edit(title="x")}}, UnknownRecipeError),
        ({"edits": {1: Edit(title="x")}, "remove": [1]}, UnknownRecipeError),
        ({"remove": range(1, 9)}, CollectionError),
        ({"edits": {1: Edit(title="  ")}}, CollectionError),
        ({"edits": {1: Edit(photo=b"no photo")}}, ImageError),
        ({"add": [recipe(1, photo=b"no photo"), recipe(2)]}, ImageError),
    ],
)
def test_what_cannot_be_done_changes_nothing(mine, change, error):
    system = pixel_system(mine)
    before = {p: p.read_bytes() for p in mine.collection_folder.rglob("*") if p.is_file()}
    with pytest.raises(error):
        change_collection(mine, [system], **change)
    after = {p: p.read_bytes() for p in mine.collection_folder.rglob("*") if p.is_file()}
    assert after == before


def test_other_datasets_are_not_changed(recipes_root, tmp_path):
    settings = Settings(_env_file=None, home=tmp_path, dataset=str(recipes_root))
    with pytest.raises(CollectionError, match=r"itadaki import SOURCE --name NAME"):
        change_collection(settings, remove=[1])


def test_changes_at_once_are_made_one_after_another(mine):
    system = pixel_system(mine)
    failures = []

    def add(seed):
        try:
            change_collection(mine, [system], add=[recipe(seed)])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=add, args=(50 + i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    dataset = load_dataset(mine, progress=False)
    assert sorted(dataset.recipes["recipe_id"]) == list(range(1, 13))
    bank = load_bank(Artifacts(FT, mine), dataset, PixelEmbedder.sha256)
    assert {f"{NAMES[i % 6]} {i}" for i in range(50, 54)} < set(dataset.recipes["Title"])
    assert len(bank.recipes) == 12


def test_killed_at_any_moment_all_is_old_or_all_is_new(tmp_path, soak):
    script = Path(__file__).with_name("kill_collection.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), *(["--all"] if soak else [])],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(script.parents[1])},
    )
    assert done.returncode == 0, done.stderr
    outcomes = done.stdout.split()
    assert set(outcomes) == {"old", "new", "done"}, done.stdout
    assert outcomes.count("old") > 5 and outcomes.count("new") > 5
    assert outcomes[-1] == "done"


def test_a_bank_that_does_not_fit_stops_the_change(mine):
    system = pixel_system(mine)
    change_collection(mine, add=[recipe(20)])  # without the bank
    with pytest.raises(ArtifactError, match="build ft"):
        change_collection(mine, [system], add=[recipe(21)])
    assert len(load_dataset(mine, progress=False).recipes) == 9


def test_a_build_does_not_undo_a_change_that_was_made_meanwhile(mine):
    system = pixel_system(mine)
    change_collection(mine, [system], add=[recipe(20)])
    with pytest.raises(ArtifactError, match="changed while"):
        build_bank(Artifacts(FT, mine), system.dataset, system.embedder, force=True, progress=False)
    now = load_dataset(mine, progress=False)
    assert len(load_bank(Artifacts(FT, mine), now, PixelEmbedder.sha256).recipes) == 9


def test_the_index_follows(mine):
    pytest.importorskip("usearch")
    mine = mine.model_copy(update={"index": "ann"})
    system = pixel_system(mine)
    build_index(system.bank, mine, progress=False)
    (system,), (new_id,) = change_collection(mine, [system], add=[recipe(20)], remove=[1])
    assert not isinstance(system.index, ExactIndex)
    found = system.search_similar_recipes(recipe(20).photo, top_k=8)
    assert found[0].id == new_id and len(found) == 8
    assert 1 not in {result.id for result in found}
    opened = open_index(system.bank, mine)
    query = system.embed(recipe(20).photo)
    assert opened.search(query, 1, Filters())[0].tolist() == [found[0].index]


@pytest.mark.parametrize(
    "error", [IndexUnavailableError("It is away."), ArtifactError("Odd."), OSError(28, "No space")]
)
def test_a_change_is_made_though_the_index_cannot_follow(mine, monkeypatch, caplog, error):
    ann = pytest.importorskip("itadaki.index.ann")
    mine = mine.model_copy(update={"index": "ann"})
    system = pixel_system(mine)
    build_index(system.bank, mine, progress=False)

    def fail(*_):
        raise error

    monkeypatch.setattr(ann, "build_graph", fail)
    (system,), (new_id,) = change_collection(mine, [system], add=[recipe(20)], remove=[1])
    assert isinstance(system.index, StandInIndex)
    assert "build ft --dataset mine" in caplog.text and str(error) in caplog.text
    assert load_dataset(mine, progress=False).recipes["recipe_id"].tolist()[-1] == new_id
    assert system.search_similar_recipes(recipe(20).photo)[0].id == new_id
    monkeypatch.undo()
    (system,), _ = change_collection(mine, [system], remove=[2])
    assert not isinstance(system.index, StandInIndex)


def test_the_rest_of_a_table_edited_by_hand_is_kept(mine):
    table = mine.collection_folder / "data.csv"
    lines = table.read_text(encoding="utf-8").replace("Id,Title", "Note,Id,Title", 1)
    lines = lines.replace("\n1,", '\n"see, mum",1,', 1)
    lines = "".join(
        line if line.startswith(("Note", '"see')) or not line[:1].isdigit() else f",{line}"
        for line in lines.splitlines(keepends=True)
    )
    table.write_text(lines + ",77,Without a photo,[],,nowhere\n", encoding="utf-8")
    dataset = load_dataset(mine, progress=False)
    assert (len(dataset.recipes), dataset.dropped) == (8, {"no file": 1})
    change_collection(mine, add=[recipe(20)], remove=[3])
    text = table.read_text(encoding="utf-8")
    assert '"see, mum",1,Tomato Soup 0' in text and ",77,Without a photo" in text
    assert ",78,Carrot Cake 20" in text
    table.write_text(text.replace(",78,", ",1,"), encoding="utf-8")
    with pytest.raises(DatasetError, match="each once"):
        load_dataset(mine, progress=False)


def test_names_of_collections(mine):
    assert collections(mine) == ["mine"]
    with pytest.raises(CollectionError, match="already"):
        create_collection(mine, "mine", [recipe(1)])
    for name in ("kaggle", "sample", "../up", "", "Big", ".hidden"):
        with pytest.raises(CollectionError, match="cannot be called"):
            create_collection(mine, name, [recipe(1)])


def test_a_collection_that_fails_half_way_is_not_there(mine):
    def recipes():
        yield recipe(1)
        raise CollectionError("no more")

    (mine.collections_folder / ".git" / "refs").mkdir(parents=True)
    with pytest.raises(CollectionError, match="no more"):
        create_collection(mine, "other", recipes())
    assert (mine.collections_folder / ".git" / "refs").exists()
    assert collections(mine) == ["mine"]
    assert [path.name for path in mine.collections_folder.glob("*other*")] == []


def test_what_is_accepted_can_be_changed_again(mine):
    longest = NewRecipe("x" * MAX_TITLE, ["a"] * (MAX_TEXT // 2), '",\n' * (MAX_TEXT // 3), b"")
    longest = replace(longest, photo=encode(dish_photo(20)))
    _, (new_id,) = change_collection(mine, add=[longest])
    change_collection(mine, edits={new_id: Edit(title="y"), 1: Edit(title="z")}, remove=[2])
    recipes = load_dataset(mine, progress=False).recipes.set_index("recipe_id")
    assert recipes.loc[new_id, "Ingredients"] == longest.ingredients
    assert recipes.loc[new_id, "Instructions"] == longest.instructions
    change_collection(mine, remove=[new_id])


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (("x" * (MAX_TITLE + 1), [], ""), "title may have at most 300 characters, not 301"),
        (("x", ["a"] * (MAX_TEXT // 2 + 1), ""), "ingredients may have at most 100,000"),
        (("x", [], "x" * (MAX_TEXT + 1)), "instructions may have at most 100,000"),
    ],
)
def test_longer_texts_are_refused(texts, says):
    with pytest.raises(RecipeError, match=says):
        NewRecipe(*texts, b"")


def test_the_bounds_are_documented():
    text = (Path(__file__).parents[1] / "docs" / "own-recipes.md").read_text(encoding="utf-8")
    assert f"A title may have {MAX_TITLE} characters" in text
    assert f"instructions {MAX_TEXT:,} each" in text
    assert f"at most {_MAX_DEPTH} folders deep, in at most {_MAX_JOURNAL // 10**6} MB" in text


def test_a_recipe_from_before_the_bounds_stands_in_nobodys_way(mine):
    """Thirty thousand short lines were once accepted, and locked their collection."""
    table = mine.collection_folder / "data.csv"
    with table.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow([9, "Long", ["x" * 9] * 30_000, "", "tomato-soup-0-1"])
    change_collection(mine, add=[recipe(20)], edits={1: Edit(title="New")}, remove=[2])
    with pytest.raises(RecipeError, match="ingredients may have"):
        change_collection(mine, edits={9: Edit(title="Longer")})
    change_collection(mine, edits={9: Edit(title="Short", ingredients=["x"])})
    change_collection(mine, remove=[9])


def by_hand(change):
    return lambda text: change(text).encode()


READ = {
    "byte order mark": by_hand(lambda text: "\ufeff" + text),
    "line ends of Windows": by_hand(lambda text: text.replace("\n", "\r\n")),
    "line ends of old": by_hand(lambda text: text.replace("\n", "\r")),
    "blank lines": by_hand(lambda text: "\n\n" + text.replace("\n1,", "\n\n\n1,") + "\n\n"),
    "lines of commas": by_hand(lambda text: text + ",,,,\n,,,,\n"),
    "no line end": by_hand(lambda text: text.rstrip("\n")),
    "two columns of one name": by_hand(
        lambda text: re.sub(
            r"(?m)^(\d.*)$", r"\1,left,right", text.replace("Source\n", "Source,Note,Note\n")
        )
    ),
    "other order": lambda text: (
        pd.read_csv(io.StringIO(text))[["Image_Name", "Instructions", "Title", "Ingredients", "Id"]]
        .to_csv(index=False)
        .encode()
    ),
}


def flat(number: int) -> NewRecipe:
    return NewRecipe(f"Dish {number}", ["salt"], "Cook.", encode(dish_photo(number)))


@pytest.fixture
def plain(tmp_path) -> Settings:
    """A collection of four recipes whose table has a line each."""
    settings = Settings(_env_file=None, home=tmp_path / "home", dataset="mine")
    create_collection(settings, "mine", [flat(number) for number in range(1, 5)])
    return settings


@pytest.mark.parametrize("kind", READ)
def test_a_table_that_a_spreadsheet_saved_is_read_and_changed(plain, kind):
    table = plain.collection_folder / "data.csv"
    content = READ[kind](table.read_text(encoding="utf-8"))
    table.write_bytes(content)
    assert len(load_dataset(plain, progress=False).recipes) == 4
    change_collection(plain, add=[flat(7)])
    change_collection(plain, edits={1: Edit(title="New")}, remove=[3])
    recipes = load_dataset(plain, progress=False).recipes
    assert recipes["recipe_id"].tolist() == [1, 2, 4, 5]
    assert recipes["Title"].tolist() == ["New", "Dish 2", "Dish 4", "Dish 7"]
    assert recipes["Ingredients"].tolist() == [["salt"]] * 4
    now = table.read_bytes()
    assert now.startswith(codecs.BOM_UTF8) == content.startswith(codecs.BOM_UTF8)
    lost = content.count(b"left,right") - now.count(b"left,right")
    assert lost == (kind == "two columns of one name"), "only recipe 3 takes its notes along"


REFUSED = {
    "semicolons": (by_hand(lambda text: text.replace(",", ";")), "UTF-8 with commas"),
    "UTF-16": (lambda text: text.encode("utf-16"), "is not in UTF-8"),
    "Latin-1": (lambda text: text.replace("Dish", "Dîner").encode("latin-1"), "is not in UTF-8"),
    "no Id": (by_hand(lambda text: text.replace("Id,", "Number,")), "lacks the column Id"),
    "no Title": (by_hand(lambda text: text.replace("Title", "Name", 1)), "lacks the columns Title"),
    "an Id twice": (by_hand(lambda text: text.replace("\n2,", "\n1,")), "each once"),
    "no number": (by_hand(lambda text: text.replace("\n2,", "\n2.0,")), "whole numbers"),
    "a short line": (by_hand(lambda text: text + "Dish 7\n"), "whole numbers"),
    "a long line": (
        by_hand(lambda text: text + "7" + ",a" * 14 + "\n"),
        "not a readable CSV",
    ),
    "long lines": (
        by_hand(lambda text: re.sub(r"(?m)^(\d.*)$", r"\1,x", text)),
        "more fields in its rows",
    ),
    "an open quote": (by_hand(lambda text: text + '7,"a,b'), "not a readable CSV"),
    "nothing": (by_hand(lambda text: ""), "is empty"),
    "blank": (by_hand(lambda text: "\n\n\n"), "is empty"),
    "a head": (by_hand(lambda text: text.split("\n")[0]), "No recipe"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_table_that_cannot_be_read_is_refused_in_a_sentence(plain, kind):
    change, says = REFUSED[kind]
    table = plain.collection_folder / "data.csv"
    content = change(table.read_text(encoding="utf-8"))
    table.write_bytes(content)
    with pytest.raises(DatasetError, match=says):
        load_dataset(plain, progress=False)
    with pytest.raises(DatasetError, match=says):
        change_collection(plain, remove=[1])
    assert table.read_bytes() == content


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "null",
        '"x"',
        "",
        "{}",
        "{",
        '{"next_id": "9"}',
        '{"next_id": true}',
        '{"next_id": -1}',
        '{"next_id": 1e300}',
        "[" * 100_000,
    ],
)
def test_damaged_facts_of_a_collection_are_said(plain, content):
    (plain.collection_folder / "collection.json").write_text(content)
    assert len(load_dataset(plain, progress=False).recipes) == 4
    with pytest.raises(CollectionError, match=r"collection\.json is damaged. It must hold"):
        change_collection(plain, add=[flat(7)])
