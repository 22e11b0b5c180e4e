import numpy as np
import pytest
from word_tables import table_of

from itadaki.errors import ArtifactError
from itadaki.models.text_encoder import TextEncoder

TITLES = ["Tomato Soup", "Tomato Salad", "Lentil Soup", "Lentil Salad"]
INGREDIENTS = [["4 tomatoes", "1 onion"], ["2 tomatoes"], ["lentils"], []]


@pytest.fixture
def encoder() -> TextEncoder:
    encoder = TextEncoder.fit(TITLES, INGREDIENTS, np.zeros((4, 8), np.float32))
    encoder.matrix[:] = np.random.default_rng(0).normal(size=encoder.matrix.shape)
    return encoder


def test_rows_have_length_one_or_are_zero_where_no_word_is_known(encoder):
    rows = encoder.encode(["Tomato soup, hot", "Zzz", ""], [[], ["qqq"], []])
    assert rows.shape == (3, 8)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 0, 0], atol=1e-6)


def test_fitted_it_comes_near_to_where_the_texts_belong():
    targets = np.eye(4, 8, dtype=np.float32)
    rows = TextEncoder.fit(TITLES, INGREDIENTS, targets).encode(TITLES, INGREDIENTS)
    assert (rows @ targets.T).argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_a_title_is_the_sum_of_its_words_rows(encoder):
    words = {word: row for row, word in enumerate(encoder.words["title"].words)}
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
    encoder = TextEncoder.fit(["Soup", "Cake"], [[], []], np.eye(2, 4, dtype=np.float32))
    assert encoder.matrix.shape[1] == 4


def test_fitted_to_targets_it_meets_them_and_knows_words_of_the_table_alone():
    table = table_of(["tomato", "soup", "salad", "lentil", "onion", "okra"])
    targets = np.eye(4, 6, dtype=np.float32)
    fitted = TextEncoder.fit(TITLES * 30, [[]] * 120, np.tile(targets, (30, 1)), table)
    rows = fitted.encode(TITLES, [[]] * 4)
    assert (rows @ targets.T).argmax(axis=1).tolist() == [0, 1, 2, 3]
    # No title said so: the words' own rows cannot know it.
    assert not fitted.vectors(["okra"], [[]]).nnz
    assert fitted.encode(["okra"], [[]]).any()
    np.testing.assert_allclose(fitted.encode(["soupe à la tomate"], [[]])[0], rows[0], atol=1e-5)


def test_with_a_table_it_is_saved_and_loaded_whole(tmp_path):
    table = table_of(["tomato", "soup", "salad", "lentil"])
    fitted = TextEncoder.fit(TITLES, INGREDIENTS, np.eye(4, dtype=np.float32), table)
    fitted.save(tmp_path / "encoder.npz")
    loaded = TextEncoder.load(tmp_path / "encoder.npz")
    before, after = (e.encode(TITLES, INGREDIENTS) for e in (fitted, loaded))
    np.testing.assert_allclose((before * after).sum(axis=1), 1, atol=1e-4)
    assert loaded.coverage(["Soupe de Tomates", "Tomato Zzz"]).tolist() == [1, 0.5]


def test_a_table_that_does_not_fit_its_map_is_refused(tmp_path):
    table = table_of(["tomato", "soup"])
    fitted = TextEncoder.fit(TITLES, INGREDIENTS, np.eye(4, dtype=np.float32), table)
    fitted.tower = fitted.tower[:-1]
    fitted.save(tmp_path / "encoder.npz")
    with pytest.raises(ArtifactError, match="shapes"):
        TextEncoder.load(tmp_path / "encoder.npz")
