"""Amounts for more or fewer servings, and lines that are better left alone."""

import time
from fractions import Fraction

import pytest

from itadaki.recipes.amounts import scaled


@pytest.mark.parametrize(
    ("line", "factor", "expected"),
    [
        ("200 g flour", 2, "400 g flour"),
        ("200g flour", Fraction(1, 3), "67g flour"),
        ("1 1/2 cups sugar", 2, "3 cups sugar"),
        ("1½ cups sugar", Fraction(1, 2), "¾ cups sugar"),
        ("½ onion, chopped", 3, "1 ½ onion, chopped"),
        ("1 onion", Fraction(2, 3), "⅔ onion"),
        ("1,5 l de bouillon", 2, "3 l de bouillon"),
        ("0,75 l de lait", 2, "1,5 l de lait"),
        ("2.5 kg beef", 2, "5 kg beef"),
        ("2-3 carrots", 2, "4-6 carrots"),
        ("2 à 3 carottes", 2, "4 à 6 carottes"),
        ("4 to 6 tablespoons oil", Fraction(1, 2), "2 to 3 tablespoons oil"),
        ("about 3 eggs", 2, "about 6 eggs"),
        ("200g/7oz butter", 2, "400g/14oz butter"),
        ("1 cup (240 ml) milk", 2, "2 cup (480 ml) milk"),
        ("1 cup plus 2 tablespoons sugar", 2, "2 cup plus 4 tablespoons sugar"),
        ("2 (14-oz) cans tomatoes", 2, "4 (14-oz) cans tomatoes"),
        ("2 x 400 g tins of beans", 2, "4 x 400 g tins of beans"),
        ("1 9-inch pie crust", 2, "2 9-inch pie crust"),
        ("4 carrots, cut into 2 cm pieces", 2, "8 carrots, cut into 2 cm pieces"),
        ("7 cloves", Fraction(1, 4), "1 ¾ cloves"),
        ("3 eggs", Fraction(1, 7), "0.43 eggs"),
        ("1 egg", 1, "1 egg"),
    ],
)
def test_amounts_that_can_be_read_are_scaled(line, factor, expected):
    assert scaled(line, Fraction(factor)) == expected


@pytest.mark.parametrize(
    "line",
    [
        "salt",
        "a pinch of salt",
        "half a red onion",
        "1,000 grains of rice",
        "7-up",
        "9-inch pie crust",
        "9 inch pie crust",
        "2% milk",
        "180°C warm stock",
        "2 chicken breasts (about 500 g)",
        "3 cans beans, 400 g each",
        "1/0 onion",
        "x" * 301,
        "1 egg" + " " * 300,
        "",
    ],
)
def test_what_cannot_be_read_stays_as_it_is(line):
    assert scaled(line, Fraction(2)) is None


@pytest.mark.parametrize("part", ["1 ", "1/", "½", "1-", "1 cup plus ", "(", "1,1", "about "])
def test_no_line_takes_long(part):
    started = time.process_time()
    for length in (10, 100, 299):
        scaled((part * 300)[:length], Fraction(2))
    assert time.process_time() - started < 0.5
