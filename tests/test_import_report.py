"""What an import tells of a source: duplicates, each file, progress, and nothing left behind."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from conftest import dish_photo, encode

from itadaki.cli import main
from itadaki.collection import change_collection, create_collection
from itadaki.importing import recipes_in
from itadaki.importing.duplicates import Duplicates
from itadaki.importing.found import Taken
from itadaki.recipes.dataset import load_dataset, recipes_of
from itadaki.recipes.recipe import NewRecipe
from itadaki.settings import Settings

PHOTO = encode(dish_photo(1))
RESAVED = encode(dish_photo(1), quality=60)
OTHER = encode(dish_photo(2))


def recipe(title: str, photo: bytes = PHOTO, source: str = "") -> NewRecipe:
    return NewRecipe(title, ["salt"], "Cook.", photo, source=source)


def test_the_same_recipe_is_told_by_title_and_photo_or_by_its_address():
    known, at = Duplicates(), "https://www.kitchen.example/soup"
    assert known.check(recipe("Soup", source=at), "a.html", "a.html") is None
    same = "it has the same title and photo as a.html"
    assert known.check(recipe("SOUP"), "b", "b") == same
    assert known.check(recipe("Soup", RESAVED), "c", "c") == same
    assert known.check(recipe("Soup", OTHER), "d", "d") is None
    assert known.check(recipe("Stew"), "e", "e") is None
    address = "it comes from the same address as a.html"
    moved = "http://kitchen.example/soup/?utm_source=x#step-2"
    assert known.check(recipe("Renamed", OTHER, moved), "f", "f") == address
    assert known.check(recipe("Other page", OTHER, f"{at}?id=2"), "g", "g") is None


def test_several_recipes_of_one_page_are_no_duplicates():
    known, at = Duplicates(), "https://kitchen.example/three"
    for title in ("One", "Two", "Three"):
        assert known.check(recipe(title, OTHER, at), f"p.html, {title}", "p.html") is None
    assert known.check(recipe("Four", PHOTO, at), "again.html", "again.html") is None
    told = known.check(recipe("Two", PHOTO, at), "again.html", "again.html")
    assert told and told.startswith("it comes from the same address as p.html")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("ITADAKI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "cookbook"
    files = {
        "soup.md": "# Soup\n\n![](soup.jpg)\n\n## Ingredients\n- salt\n\n## Method\nCook.\n",
        "soup.jpg": PHOTO,
        "copy/soup.md": "---\nsource: https://k.example\n---\n# Soup\n",
        "copy/soup.jpg": RESAVED,
        "bare.md": "# Bare\n",
        "alone.jpg": OTHER,
        "empty.csv": "title,photo\n",
        "notes.docx": "x",
        "style.css": "x",
        "=cmd.pdf": "x",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with zipfile.ZipFile(folder / "more.zip", "w") as file:
        file.writestr("stew.md", "# Stew\n")
        file.writestr("stew.png", OTHER)
    return folder


def rows_of(report: Path) -> dict[str, tuple[str, str, str]]:
    rows = json.loads(report.read_text(encoding="utf-8"))
    found = {row["origin"]: (row["status"], row["title"], row["reason"]) for row in rows}
    assert len(found) == len(rows)
    return found


def test_every_file_is_accounted_for_once(home, source, tmp_path, capsys):
    report = tmp_path / "report.json"
    assert main(["import", str(source), "--name", "mine", "--report", str(report)]) == 0
    rows = rows_of(report)
    files = {p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file()}
    assert rows.keys() == files - {"more.zip"} | {"more.zip/stew.md", "more.zip/stew.png"}
    assert rows["copy/soup.md"][:2] == ("taken", "Soup")
    assert rows["soup.md"] == ("taken", "Soup", "it has the same title and photo as copy/soup.md")
    assert rows["more.zip/stew.md"][:2] == ("taken", "Stew")
    assert rows["bare.md"] == ("skipped", "", "it has no photo")
    assert rows["empty.csv"] == ("skipped", "", "it holds no recipe")
    assert rows["soup.jpg"] == rows["more.zip/stew.png"] == ("taken", "", "a recipe's photo")
    assert rows["alone.jpg"] == ("skipped", "", "a picture that no recipe was given")
    assert rows["style.css"] == ("skipped", "", "a file that comes with others")
    said = capsys.readouterr().out
    assert "Taken, though duplicates (1):\n  soup.md: it has the same title and photo" in said
    assert "Taken without ingredients (2):\n  Soup\n  Stew\n" in said
    assert "Beside these, 1: a picture that no recipe was given" in said
    assert "a recipe's photo" not in said

    with_csv = ["--dry-run", "--skip-duplicates", "--report", str(tmp_path / "r.csv")]
    assert main(["import", str(source), "--name", "second", *with_csv]) == 0
    said = capsys.readouterr().out
    assert "Duplicates, skipped (1):\n  soup.md: " in said
    assert "2 recipes would be in the collection second; nothing was made." in said
    assert not (home / "data" / "collections" / "second").exists()
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.reader(file))
    assert table[0] == ["origin", "status", "title", "reason"]
    assert {row[0].removeprefix("'") for row in table[1:]} == rows.keys()
    assert ["'=cmd.pdf", "skipped", "", "not a kind of file that recipes are read from"] in table


def test_texts_of_a_recipe_that_are_kept_nowhere_are_listed(home, tmp_path, capsys):
    recipe = "# Soup\n![](soup.jpg)\nOf my aunt.\n## Ingredients\n- peas\n## Method\n1. Cook.\n"
    whole = recipe.replace("Of my aunt.\n", "")
    texts = {"a": f"{recipe}## Chef's notes\nHot.\nOr cold.\n", "b": whole.replace("Soup", "B")}
    folder = tmp_path / "notes"
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text)
    (folder / "soup.jpg").write_bytes(PHOTO)
    report = tmp_path / "report.json"
    assert main(["import", str(folder), "--name", "mine", "--report", str(report)]) == 0
    rows = rows_of(report)
    assert rows["a.md"] == ("taken", "Soup", "left out: introduction, Chef's notes")
    assert rows["b.md"] == ("taken", "B", "")
    said = capsys.readouterr().out
    assert "Taken without some of their texts (1):\n  a.md: introduction, Chef's notes\n" in said


def test_what_is_in_the_collection_is_not_added_again(home, source, tmp_path, capsys):
    mine = Settings(_env_file=None, home=home, dataset="mine")
    create_collection(mine, "mine", [recipe("Stew", OTHER), recipe("Other", OTHER)])
    add = ["add", str(source), "--dataset", "mine"]
    assert main([*add, "--skip-duplicates", "--dry-run"]) == 0
    assert "1 recipes would be added; nothing has changed." in capsys.readouterr().out
    assert len(load_dataset(mine, progress=False).recipes) == 2
    assert main([*add, "--skip-duplicates"]) == 0
    said = capsys.readouterr().out
    assert "more.zip/stew.md: it has the same title and photo as recipe 1, Stew" in said
    titles = load_dataset(mine, progress=False).recipes["Title"].tolist()
    assert titles == ["Stew", "Other", "Soup"]
    assert main([*add, "--skip-duplicates"]) == 1
    assert "No recipe of" in capsys.readouterr().err

    dataset = load_dataset(mine, progress=False)
    known = Duplicates(recipes_of(dataset), dataset.root)
    assert "recipe 3, Soup" in known.check(recipe("New", OTHER, "http://k.example/"), "x", "x")
    change_collection(mine, remove=[3])


def test_a_report_is_called_what_it_is(home, source, tmp_path, capsys):
    assert main(["import", str(source), "--name", "mine", "--report", str(tmp_path / "x.txt")]) == 1
    assert "must be called .json or .csv" in capsys.readouterr().err


def test_progress_is_shown_from_the_start_and_ends_at_all_files(source, tmp_path, capfd):
    shown = recipes_in(source, tmp_path / "room")
    assert "Reading: 0file" in capfd.readouterr().err or next(shown)
    assert sum(isinstance(one, Taken) for one in shown) >= 2
    said = capfd.readouterr().err
    assert re.search(r"Reading: 100%.*12/12", said) and re.search(r"Checking photos: 100%", said)


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_import_leaves_nothing_unpacked(kind, tmp_path, monkeypatch):
    source = tmp_path / "big.zip"
    with zipfile.ZipFile(source, "w") as file:
        for number in range(4_000):
            file.writestr(f"folder-{number}/{number}.md", "# Soup")
    home = tmp_path / "home"
    work = home / "data" / "collections" / ".work"
    process = subprocess.Popen(
        [sys.executable, "-m", "itadaki", "import", str(source), "--name", "mine"],
        env={**os.environ, "ITADAKI_HOME": str(home)},
        stderr=subprocess.DEVNULL,
    )
    while not list(work.glob("run-*/unpacked/folder-0")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(kind)
    process.wait()
    monkeypatch.setenv("ITADAKI_HOME", str(home))
    if kind == signal.SIGKILL:
        time.sleep(1)  # its child notices
        assert main(["collections"]) == 0  # the next start
    assert not list(work.glob("run-*/unpacked")), "nor does a child write on"
    assert not (work.parent / "mine").exists()
