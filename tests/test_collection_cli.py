import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import dish_photo, encode

from itadaki.cli import main
from itadaki.recipes.dataset import load_dataset
from itadaki.settings import Settings


@pytest.fixture
def home(settings, tmp_path, monkeypatch):
    """A home with the session's raw model and no bank, that the command line uses."""
    home = tmp_path / "home"
    ignored = shutil.ignore_patterns("recipe_embeddings_*")
    shutil.copytree(settings.home / "raw", home / "raw", ignore=ignored)
    monkeypatch.setenv("ITADAKI_HOME", str(home))
    monkeypatch.setenv("ITADAKI_BACKBONE_WEIGHTS", str(settings.backbone_weights))
    return home


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "My Recipes"
    folder.mkdir()
    for i, title in enumerate(("Tomato Soup", "Rye Bread", "Apple Pie")):
        (folder / f"{i}.md").write_text(f"# {title}\n\n## Ingredients\n- salt\n")
        (folder / f"{i}.jpg").write_bytes(encode(dish_photo(i)))
    (folder / "notes.md").write_text("# Notes without a picture")
    return folder


def photo(tmp_path, seed) -> str:
    path = tmp_path / f"{seed}.png"
    path.write_bytes(encode(dish_photo(seed), "PNG"))
    return str(path)


def titles(home) -> list[str]:
    settings = Settings(_env_file=None, home=home, dataset="my-recipes")
    return load_dataset(settings, progress=False).recipes["Title"].tolist()


def test_a_cookbook_from_import_to_removal(home, source, tmp_path, capsys):
    assert main(["import", str(source)]) == 0
    said = capsys.readouterr().out
    assert "3 recipes are in the collection my-recipes" in said
    assert "serve --dataset my-recipes" in said
    assert "Not used (1):\n  notes.md: it has no photo" in said

    mine = ["--dataset", "my-recipes"]
    assert main(["build", "raw", *mine]) == 0
    bank = (
        home / "data" / "collections" / "my-recipes" / "raw" / "recipe_embeddings_database_raw.npy"
    )
    assert bank.exists() and not (home / "raw" / bank.name).exists()

    new = ["--title", "Lentil Stew", "--photo", photo(tmp_path, 7), "--ingredient", "lentils"]
    new += ["--keyword", "stew", "--keyword", "quick", "--servings", "4", "--total-minutes", "40"]
    new += ["--source", "https://stew.example"]
    assert main(["add", *new, "--ingredient", "2 carrots", *mine]) == 0
    assert capsys.readouterr().out == "4  Lentil Stew\n"

    def search(seed):
        assert main(["search", photo(tmp_path, seed), "--top-k", "1", "--json", *mine]) == 0
        return json.loads(capsys.readouterr().out)[0]

    found = search(7)
    assert (found["id"], found["title"]) == (4, "Lentil Stew")
    assert found["ingredients"] == ["lentils", "2 carrots"]
    assert found["keywords"] == ["stew", "quick"] and found["source"] == "https://stew.example"
    assert (found["servings"], found["total_minutes"], found["author"]) == ("4", 40, "")
    assert main(["update", "4", "--author", "Ada", "--servings", "", *mine]) == 0
    capsys.readouterr()
    found = search(7)
    assert (found["servings"], found["total_minutes"], found["author"]) == ("", 40, "Ada")
    by_keyword = ["search", photo(tmp_path, 8), "--keyword", "Stew", "--json", *mine]
    assert main(by_keyword) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == [4]

    assert main(["update", "1", "--title", "Pea Soup", "--photo", photo(tmp_path, 8), *mine]) == 0
    assert capsys.readouterr().out == "Recipe 1 is changed.\n"
    found = search(8)
    assert (found["id"], found["title"], found["ingredients"]) == (1, "Pea Soup", ["salt"])

    assert main(["remove", "2", "4", *mine]) == 0
    assert titles(home) == ["Pea Soup", "Apple Pie"]
    assert main(["search", photo(tmp_path, 7), *mine]) == 0
    assert "Lentil Stew" not in capsys.readouterr().out

    assert main(["add", str(source / "1.md"), *mine]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Taken without instructions (1):\n  Rye Bread\n")
    assert said.endswith("\n5  Rye Bread\n")
    assert main(["collections"]) == 0
    table = capsys.readouterr().out
    assert "my-recipes" in table and "3" in table and "raw" in table

    assert main(["import", str(source), "--name", "damaged"]) == 0
    (home / "data" / "collections" / "damaged" / "data.csv").write_bytes("é".encode("utf-16"))
    capsys.readouterr()
    assert main(["collections"]) == 1
    said = capsys.readouterr()
    assert "my-recipes" in said.out and "damaged" in said.out
    assert said.err.startswith("itadaki: damaged: ") and "is not in UTF-8" in said.err


def test_a_change_is_made_though_the_index_cannot_follow(
    home, source, tmp_path, monkeypatch, capsys, caplog
):
    ann = pytest.importorskip("itadaki.index.ann")
    monkeypatch.setenv("ITADAKI_INDEX", "ann")
    assert main(["import", str(source)]) == 0
    mine = ["--dataset", "my-recipes"]
    assert main(["build", "raw", *mine]) == 0

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ann, "build_graph", fail)
    new = ["--title", "Lentil Stew", "--photo", photo(tmp_path, 7)]
    capsys.readouterr()
    for command, says in (
        (["add", *new], "4  Lentil Stew\n"),
        (["update", "1", "--title", "Pea Soup"], "Recipe 1 is changed.\n"),
        (["remove", "2"], "1 recipes are removed.\n"),
    ):
        caplog.clear()
        assert main([*command, *mine]) == 0
        assert capsys.readouterr().out == says
        assert "No space left" in caplog.text and "build raw --dataset my-recipes" in caplog.text
        monkeypatch.undo()
        monkeypatch.setenv("ITADAKI_HOME", str(home))
        monkeypatch.setenv("ITADAKI_INDEX", "ann")
        assert main(["build", "raw", *mine]) == 0
        capsys.readouterr()
        monkeypatch.setattr(ann, "build_graph", fail)
    assert titles(home) == ["Pea Soup", "Apple Pie", "Lentil Stew"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["import", "nowhere"], "no file or folder"),
        (["import", ".", "--name", "Not A Name"], "cannot be called"),
        (["add", "--title", "x", "--dataset", "mine"], "--title and a --photo"),
        (["add", "--dataset", "mine"], "either a SOURCE"),
        (["add", "x", "--title", "y"], "either a SOURCE"),
        (["add", "--title", "x", "--photo", "nowhere.jpg"], "cannot be read"),
        (["update", "1", "--dataset", "sample"], "Say what shall change"),
        (["remove", "1", "--dataset", "sample"], "was not imported"),
    ],
)
def test_what_is_wrong_is_one_sentence(home, arguments, says, capsys):
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1


def test_a_source_without_a_usable_recipe_makes_nothing(home, source, capsys):
    for path in source.glob("*.jpg"):
        path.unlink()
    assert main(["import", str(source)]) == 1
    captured = capsys.readouterr()
    assert "Not used (4)" in captured.out and "nothing has changed" in captured.err
    assert not (home / "data" / "collections" / "my-recipes").exists()


@pytest.mark.parametrize("most", [0, 20, 2000])
def test_without_room_a_command_ends_with_a_sentence(home, source, tmp_path, most):
    """Files may have no more bytes than that, which is refused as a full disk is."""
    resource = pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-m", "itadaki", "import", str(source)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("itadaki: ")
    assert "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert not list((home / "data" / "collections").glob("*my-recipes*"))
