import importlib.util
from pathlib import Path

RENDER = Path(__file__).resolve().parents[1] / "data" / "render"


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
