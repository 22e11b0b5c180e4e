import json
from pathlib import Path

import numpy as np
import pytest

from itadaki.errors import ItadakiError
from itadaki.models.sentence_encoder import sentence_embeddings
from itadaki.settings import Settings
from itadaki.training.recipe_texts import RecipeTexts

# Letters are counted, and what was asked is noted in the model's folder.
LIBRARY = """
import json
from pathlib import Path
import numpy as np

class SentenceTransformer:
    def __init__(self, name):
        self.folder = Path(name)
        if not self.folder.is_dir():
            raise OSError("We couldn't connect to the hub")

    def encode(self, texts, normalize_embeddings, show_progress_bar):
        with (self.folder / "asked.jsonl").open("a") as file:
            file.write(json.dumps(texts) + chr(10))
        rows = np.array([[text.count(letter) for letter in "abc"] for text in texts], float)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
"""


@pytest.fixture
def asking(tmp_path, monkeypatch) -> Settings:
    """Settings whose sentence encoder is a stand-in for the library."""
    library, folder = tmp_path / "library" / "sentence_transformers", tmp_path / "encoder"
    for made in (library, folder):
        made.mkdir(parents=True)
    (library / "__init__.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(library.parent))
    return Settings(_env_file=None, home=tmp_path, sentence_encoder=folder)


def asked(settings: Settings) -> list[list[str]]:
    lines = (settings.sentence_encoder / "asked.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_each_text_is_embedded_once_and_kept(asking):
    rows = sentence_embeddings(["ab", "", "c", "ab"], asking, False)
    np.testing.assert_allclose(
        rows, [[0.5**0.5, 0.5**0.5, 0], [0, 0, 0], [0, 0, 1], [0.5**0.5, 0.5**0.5, 0]], rtol=1e-6
    )
    assert rows.dtype == np.float32
    again = sentence_embeddings(["c", "abc", "ab"], asking, False)
    np.testing.assert_array_equal(again[[0, 2]], rows[[2, 0]])
    assert asked(asking) == [["ab", "c"], ["abc"]]


def test_kept_embeddings_that_are_damaged_are_made_again(asking):
    rows = sentence_embeddings(["ab", "c"], asking, False)
    (kept,) = (asking.home / "data" / "sentences").glob("*.npz")
    kept.write_bytes(kept.read_bytes()[:-40])
    np.testing.assert_array_equal(sentence_embeddings(["ab", "c"], asking, False), rows)
    assert len(asked(asking)) == 2


def test_without_an_encoder_words_serve_and_it_is_said(asking, caplog):
    nowhere = asking.model_copy(update={"sentence_encoder": None})
    texts = RecipeTexts.of_sentences(["a"], [["b"]], nowhere, False)
    assert texts is None
    assert "couldn't connect" in caplog.text and "itadaki[sentences]" in caplog.text


def test_a_folder_that_is_named_must_hold_one(asking):
    wrong = asking.model_copy(update={"sentence_encoder": Path("nowhere")})
    with pytest.raises(ItadakiError, match=r"nowhere cannot be used as a sentence encoder \(We"):
        sentence_embeddings(["a"], wrong, False)


def test_titles_and_ingredients_are_embedded_apart(asking):
    texts = RecipeTexts.of_sentences(["aa", "c"], [["b", "a"], []], asking, False)
    assert texts.sentences
    np.testing.assert_allclose(texts.title, [[1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(texts.ingredients, [[0.5**0.5, 0.5**0.5, 0], [0, 0, 0]], rtol=1e-6)
    np.testing.assert_array_equal(texts.dense, np.hstack([texts.title, texts.ingredients]))
