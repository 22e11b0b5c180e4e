import csv
from pathlib import Path

import pytest

from itadaki.recipes.dish_class import DISH_CLASSES, dish_class


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Tomato Soup with Grilled Cheese Croutons", "soup"),
        ("Chicken Noodle Casserole", "gratin"),
        ("Chicken and Green Bean Coconut Curry", "curry"),
        ("Caramelized Pistachio, Walnut, and Almond Tart", "pie"),
        ("Crisp Winter Lettuces with Sweet-and-Sharp Dressing", "salad"),
        ("Cider-Braised Pork Shoulder", "pork"),
        ("Roast Leg of Lamb with Salsa Verde", "lamb"),
        ("Blueberry Cobblers", "crumble"),
        ("No-Churn Almond Ice Cream", "frozen dessert"),
        ("Ice Cream Sandwiches", "frozen dessert"),
        ("Crêpes Suzette", "pancakes"),
        ("Green Beans with Lemon", "beans"),
        ("Spaghetti alla Carbonara", "pasta"),
        ("Pierogi (Potato and Mushroom)", "dumplings"),
        ("Lamb Chops, Grilled", "ribs and chops"),
        ("Cookies", "cookies"),
        ("Honey and Mustard Roast Chicken", "chicken"),
        ("California Rolls with Sesame", "sushi"),
        ("Grilled Ham and Cheese Toastie", "sandwich"),
        ("Salade Niçoise", "salad"),
        ("Mustard-Seed-Crusted Prime Rib Roast", "beef"),
        ("Crab Cakes", "shellfish"),
        ("Carrot Cake", "cake"),
        ("Cauliflower Steaks", "vegetables"),
        ("Turkey Drumsticks", "turkey and duck"),
        ("Fish Tacos de la Casa", "taco"),
        ("Ragout of Lamb and Spring Vegetables", "stew"),
        ("Steak and Broccolini", "beef"),
        ("Turkey and Gravy", "turkey and duck"),
        ("Spaghetti and Meatballs", "pasta"),
        ("Turkey and Apricot Meatloaf", "meatballs"),
        ("Macaroni and Cheese", "pasta"),
        ("Chicken (or Turkey) Salad", "salad"),
        ("Skordalia (Garlic Dip)", "dip"),
        ("Walnut Sablés", "cookies"),
        ("Green Energy", None),
        ("Parmesan Crisps", None),
        ("Spiced Popcorn with Pecans", None),
        ("The Dude", None),
        ("", None),
    ],
)
def test_head_noun_of_the_title(title, expected):
    assert dish_class(title) == expected


def test_classes_are_distinct():
    assert len(set(DISH_CLASSES)) == len(DISH_CLASSES)


@pytest.mark.parametrize(
    "title", ["cake " * 100_000, "a-" * 100_000, "(" * 100_000, ", and" * 50_000]
)
def test_no_title_is_too_long(title):
    assert dish_class(title) in {*DISH_CLASSES, None}


def drawn(name: str) -> list[tuple[str, str | None]]:
    """Real titles that were drawn at random, with the class that a person gave them."""
    with (Path(__file__).parent / "dish_class_titles.csv").open(encoding="utf-8") as file:
        return [
            (row["title"], row["dish_class"] or None)
            for row in csv.DictReader(file)
            if row["draw"] == name
        ]


@pytest.mark.parametrize(
    ("draw", "titles", "right", "wrong"),
    [
        # Two fifths were without a class under the first rules, which were right on 65% of it, and
        # on 80% of each of the others. "fresh" was labelled when the rules had been mended by the
        # other two: they were right on 87% of it, before its own mistakes were looked at.
        ("stratified", 150, 0.96, 0.02),
        ("random", 100, 0.94, 0.04),
        ("fresh", 100, 0.87, 0.08),
    ],
)
def test_most_real_titles_get_the_class_that_a_cook_gives(draw, titles, right, wrong):
    labelled = drawn(draw)
    assert len(labelled) == titles
    given = [(dish_class(title), label) for title, label in labelled]
    assert sum(found == label for found, label in given) >= right * titles
    assert sum(found not in (label, None) for found, label in given) <= wrong * titles


def test_labels_are_classes():
    labels = {label for draw in ("stratified", "random", "fresh") for _, label in drawn(draw)}
    assert labels <= {*DISH_CLASSES, None}
