import numpy as np
import pytest
from word_tables import table_of

from itadaki.models.word_table import WordTable
from itadaki.recipes.glossary import units


@pytest.fixture
def table() -> WordTable:
    return table_of(["soup", "ice cream", "quokka"])


def encode(table: WordTable, text: str) -> np.ndarray:
    return table.encode([units(text)])[0]


def test_what_means_the_same_has_the_same_vector(table):
    soups = [encode(table, text) for text in ("soup", "Soups", "la soupe", "Suppen", "zuppa")]
    np.testing.assert_array_equal(soups, [soups[0]] * len(soups))
    np.testing.assert_allclose(encode(table, "gelato"), encode(table, "ice cream"))


def test_a_text_is_the_weighted_sum_of_its_words(table):
    table.weights[:] = [3, 1, 1]
    expected = 3 * encode(table, "soup") + encode(table, "gelato")
    np.testing.assert_allclose(
        encode(table, "gelato soup"), expected / np.linalg.norm(expected), rtol=1e-5
    )


def test_an_unknown_word_is_near_the_word_whose_letters_it_has(table):
    assert table.rows(units("quokkka")[0]) == []
    near = encode(table, "quokkka") @ encode(table, "quokka")
    assert near > 0.9 > encode(table, "quokkka") @ encode(table, "soup")


def test_nothing_said_is_a_row_of_zeros(table):
    assert not table.encode([units("with the")]).any()


def test_arrays_give_the_same_table(table):
    again = WordTable.of(table.arrays())
    np.testing.assert_array_equal(encode(again, "soup"), encode(table, "soup"))


@pytest.mark.parametrize("name", ["table_words", "table_vectors", "table_food", "table_grams"])
def test_arrays_that_do_not_fit_are_refused(table, name):
    arrays = table.arrays()
    with pytest.raises(ValueError, match="word table"):
        WordTable.of(arrays | {name: arrays[name][:0]})
