import numpy as np
import pytest

from itadaki.errors import ArtifactError
from itadaki.models.text_encoder import TextEncoder

TITLES = ["Tomato Soup", "Tomato Salad", "Lentil Soup", "Lentil Salad"]
INGREDIENTS = [["4 tomatoes", "1 onion"], ["2 tomatoes"], ["lentils"], []]


@pytest.fixture
def encoder() -> TextEncoder:
    encoder = TextEncoder.fit(TITLES, INGREDIENTS, 8)
    encoder.matrix[:] = np.random.default_rng(0).normal(size=encoder.matrix.shape)
    return encoder


def test_rows_have_length_one_or_are_zero_where_no_word_is_known(encoder):
    rows = encoder.encode(["Tomato soup, hot", "Zzz", ""], [[], ["qqq"], []])
    assert rows.shape == (3, 8)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 0, 0], atol=1e-6)


def test_fitted_it_keeps_the_similarities_of_tfidf():
    fitted = TextEncoder.fit(TITLES, [[]] * 4, 8)
    vectors = fitted.vectors(TITLES, [[]] * 4)
    rows = fitted.encode(TITLES, [[]] * 4)
    np.testing.assert_allclose(rows @ rows.T, (vectors @ vectors.T).toarray(), atol=1e-5)
    # Each title shares one of its two words, of equal weight, with two others.
    expected = [[1, 0.5, 0.5, 0], [0.5, 1, 0, 0.5], [0.5, 0, 1, 0.5], [0, 0.5, 0.5, 1]]
    np.testing.assert_allclose(rows @ rows.T, expected, atol=1e-5)


def test_a_title_is_the_sum_of_its_words_rows(encoder):
    words = encoder.vectorizers["title"].vocabulary_
    assert sorted(words) == ["lentil", "salad", "soup", "tomato"]
    # Both words are in half of the titles, so they weigh the same.
    expected = encoder.matrix[words["tomato"]] + encoder.matrix[words["soup"]]
    row = encoder.encode(["Tomato Soup"], [[]])[0]
    np.testing.assert_allclose(row, expected / np.linalg.norm(expected), rtol=1e-5)


def test_saved_and_loaded_it_encodes_the_same_up_to_float16(encoder, tmp_path):
    path = tmp_path / "encoder.npz"
    encoder.save(path)
    loaded = TextEncoder.load(path)
    before, after = (e.encode(TITLES, INGREDIENTS) for e in (encoder, loaded))
    np.testing.assert_allclose((before * after).sum(axis=1), 1, atol=1e-5)


def test_a_loaded_encoder_can_be_saved_again(encoder, tmp_path):
    encoder.save(tmp_path / "first.npz")
    TextEncoder.load(tmp_path / "first.npz").save(tmp_path / "second.npz")
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", None])
def test_a_damaged_or_missing_file_is_an_artifact_error(tmp_path, content):
    path = tmp_path / "encoder.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArtifactError, match="text encoder"):
        TextEncoder.load(path)


def test_texts_without_any_repeated_word_still_give_an_encoder():
    encoder = TextEncoder.fit(["Soup", "Cake"], [[], []], 4)
    assert encoder.matrix.shape[1] == 4
