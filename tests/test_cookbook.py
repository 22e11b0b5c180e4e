import csv
import importlib.util
import shutil
from pathlib import Path

from PIL import Image

from itadaki.recipes.dataset import load_dataset
from itadaki.recipes.source import SAMPLE_ROOT
from itadaki.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
RENDER = ROOT / "data" / "render"
PHOTOS = SAMPLE_ROOT / "Food Images" / "Food Images"
TEST_PHOTOS = ROOT / "test_recipes"


def read_rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def cookbook_of(root, count):
    """A copy of the first recipes of the cookbook that have a photo: its root and its rows."""
    rows = [r for r in read_rows(SAMPLE_ROOT / "recipes.csv") if photo_of(r).is_file()][:count]
    folder = root / "Food Images" / "Food Images"
    folder.mkdir(parents=True)
    for row in rows:
        shutil.copy(photo_of(row), folder)
    return folder, rows


def photo_of(row):
    return PHOTOS / f"{row['Image_Name']}.jpg"


def load_copy(root, rows):
    with (root / "recipes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    settings = Settings(_env_file=None, dataset=str(root), home=root / "home")
    return load_dataset(settings, progress=False)


def load_make_csv():
    spec = importlib.util.spec_from_file_location("make_csv", RENDER / "make_csv.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_texts_of_the_cookbook_are_whole():
    make_csv = load_make_csv()
    families = {
        path.stem: make_csv.parse(path.read_text(encoding="utf-8"))
        for path in (RENDER / "recipes").glob("*.txt")
    }
    assert len(families) >= 24
    recipes = [recipe for family in families.values() for recipe in family]
    assert len(recipes) >= 240
    slugs = [make_csv.slug(title) for title, _, _ in recipes]
    assert len(set(slugs)) == len(slugs)
    for title, ingredients, steps in recipes:
        assert len(ingredients) >= 4 and len(steps) >= 3, title
        assert all(step.endswith((".", "!")) for step in steps), title
    for family in families:
        assert (RENDER / "families" / f"{family}.py").is_file(), family


def test_the_csv_is_made_of_the_texts():
    make_csv = load_make_csv()
    texts = {
        make_csv.slug(title): (title, str(items), "\n".join(steps), path.stem)
        for path in (RENDER / "recipes").glob("*.txt")
        for title, items, steps in make_csv.parse(path.read_text(encoding="utf-8"))
    }
    rows = read_rows(SAMPLE_ROOT / "recipes.csv")
    assert texts == {
        r["Image_Name"]: (r["Title"], r["Ingredients"], r["Instructions"], r["Family"])
        for r in rows
    }


def test_every_photo_belongs_to_a_recipe_and_the_set_is_small():
    names = {r["Image_Name"] for r in read_rows(SAMPLE_ROOT / "recipes.csv")}
    photos = sorted(PHOTOS.glob("*"))
    assert {p.stem for p in photos} <= names
    for photo in photos:
        with Image.open(photo) as image:
            assert image.format == "JPEG" and min(image.size) >= 320, photo.name
    shipped = [p for folder in (SAMPLE_ROOT, TEST_PHOTOS) for p in folder.rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in shipped) < 12_000_000


def test_every_recipe_has_its_photo():
    rows = read_rows(SAMPLE_ROOT / "recipes.csv")
    assert [r["Title"] for r in rows if not photo_of(r).is_file()] == []
    assert all(
        (TEST_PHOTOS / row["file"]).is_file() for row in read_rows(TEST_PHOTOS / "answers.csv")
    )


def test_answers_name_ten_families_and_recipes_that_exist():
    known = {(r["Family"], r["Title"]) for r in read_rows(SAMPLE_ROOT / "recipes.csv")}
    answers = read_rows(TEST_PHOTOS / "answers.csv")
    assert [a["file"] for a in answers] == [f"{k}.jpg" for k in range(1, 11)]
    assert {(a["family"], a["title"]) for a in answers} <= known
    assert len({a["family"] for a in answers}) == 10
    assert all(int(a["view"]) > 0 for a in answers), "view 0 is in the cookbook itself"


def test_defects_of_the_cookbook_are_dropped_or_made_good(tmp_path):
    folder, rows = cookbook_of(tmp_path, 6)
    lost, cut, untitled, bare = rows[:4]
    (folder / photo_of(lost).name).unlink()
    photo = folder / photo_of(cut).name
    photo.write_bytes(photo.read_bytes()[:200])
    untitled["Title"] = ""
    bare["Ingredients"] = bare["Instructions"] = ""

    dataset = load_copy(tmp_path, rows)

    assert dataset.dropped == {"no file": 1, "not decodable": 1}
    recipes = dataset.recipes.set_index("Image_Name")
    assert len(recipes) == 4
    words = untitled["Image_Name"].split("-")
    assert recipes.loc[untitled["Image_Name"], "Title"].lower().split() == words
    assert recipes.loc[bare["Image_Name"], "Ingredients"] == []
    assert recipes.loc[bare["Image_Name"], "Instructions"] == ""


def test_no_two_photos_of_the_cookbook_are_copies(tmp_path):
    settings = Settings(_env_file=None, dataset="sample", home=tmp_path)
    recipes = load_dataset(settings, progress=False).recipes
    assert recipes["photo_group"].is_unique
