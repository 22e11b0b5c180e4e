import pytest

from itadaki.recipes.glossary import in_english, kinds_of, units


def concepts(text: str) -> list[str]:
    return [unit.concepts[0] if unit.concepts else "" for unit in units(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zwiebelsuppe", ["onion", "soup"]),
        ("soupe à l'oignon", ["onion", "soup"]),
        ("zuppa di cipolle", ["onion", "soup"]),
        ("sopa de cebollas", ["onion", "soup"]),
        ("Onion Soups", ["onion", "soup"]),
        ("Schweinefleisch mit Klößen", ["pork", "dumpling"]),
        ("Kaesekuchen", ["cheesecake"]),
        ("shrimps", ["prawn"]),
        ("IceCream", ["ice cream"]),
        ("pommes de terre sautées", ["potato", "stir fry"]),
    ],
)
def test_words_of_five_languages_mean_the_same(text, expected):
    assert sorted(concepts(text)) == sorted(expected)


def test_an_english_word_is_not_taken_for_a_foreign_one():
    assert concepts("Pan-fried pork") == ["", "fried", "pork"]
    assert concepts("pan con tomate") == ["bread", "tomato"]


def test_words_without_parts_that_mean_something_stay_whole():
    assert [unit.words for unit in units("Flourless lattice collard")] == [
        ("flourless",),
        ("lattice",),
        ("collard",),
    ]


def test_small_words_are_passed_over():
    assert units("something with the very best recipe") == []


def test_english_is_left_as_it_is_said():
    assert in_english("Prawns on toast") == "prawns toast"
    assert in_english("crevettes sur pain") == "prawn bread"


def test_kinds_are_named():
    assert "gazpacho" in kinds_of("soup")
    assert kinds_of("gazpacho") == ()


def test_a_word_of_a_hundred_thousand_letters_is_read_at_once():
    assert len(units("suppe" * 20_000)) == 1
