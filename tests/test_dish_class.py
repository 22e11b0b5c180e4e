import pytest

from itadaki.dish_class import DISH_CLASSES, dish_class


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Tomato Soup with Grilled Cheese Croutons", "soup"),
        ("Chicken Noodle Casserole", "gratin"),
        ("Chicken and Green Bean Coconut Curry", "curry"),
        ("Caramelized Pistachio, Walnut, and Almond Tart", "pie"),
        ("Crisp Winter Lettuces with Sweet-and-Sharp Dressing", None),
        ("Cider-Braised Pork Shoulder", "pork"),
        ("Roast Leg of Lamb with Salsa Verde", "lamb"),
        ("Blueberry Cobblers", "crumble"),
        ("No-Churn Almond Ice Cream", "frozen dessert"),
        ("Ice Cream Sandwiches", "sandwich"),
        ("Crêpes Suzette", "pancakes"),
        ("Green Beans with Lemon", "beans"),
        ("Spaghetti alla Carbonara", "pasta"),
        ("Pierogi (Potato and Mushroom)", "dumplings"),
        ("Lamb Chops, Grilled", "ribs and chops"),
        ("Cookies", "cookies"),
        ("The Dude", None),
        ("", None),
    ],
)
def test_head_noun_of_the_title(title, expected):
    assert dish_class(title) == expected


def test_classes_are_distinct():
    assert len(set(DISH_CLASSES)) == len(DISH_CLASSES)
