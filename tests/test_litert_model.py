import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import keras
import numpy as np
import pytest
from conftest import dish_photo

from itadaki.errors import ArtifactError, StorageError
from itadaki.models import litert_model
from itadaki.models.embedder import Embedder
from itadaki.models.keras_model import save_model
from itadaki.models.litert_model import converted_path
from itadaki.photos.images import load_input

START = """
import sys
import numpy as np
from pathlib import Path
from itadaki.models.embedder import Embedder
photos = np.load(sys.argv[2])
print("before", file=sys.stderr, flush=True)
np.save(sys.argv[3], Embedder(Path(sys.argv[1])).embed(photos))
print("after", file=sys.stderr, flush=True)
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""


@pytest.fixture
def path(tiny_model, tmp_path):
    """A copy of a model and of its conversion."""
    return shutil.copytree(tiny_model.parent, tmp_path / "model") / tiny_model.name


@pytest.fixture
def bare(path):
    """A model that is not converted yet."""
    converted_path(path).unlink()
    return path


@pytest.fixture(scope="module")
def photos():
    return np.stack([load_input(dish_photo(i)) for i in range(5)])


def test_embeddings_are_those_of_keras(path, photos):
    embedder = Embedder(path)
    expected = embedder.model(photos).numpy()
    assert embedder.dimension == 16
    for alone in (True, False):
        found = embedder.embed(photos, alone)
        assert (found * expected).sum(axis=1).min() > 0.9999


def test_a_row_depends_neither_on_its_neighbours_nor_on_the_threads(path, photos):
    embedder = Embedder(path)
    whole = embedder.embed(photos)
    with ThreadPoolExecutor(5) as pool:
        beside = list(pool.map(lambda photo: embedder.embed(photo[None], False), photos))
    alone = [embedder.embed(photo[None]) for photo in photos]
    np.testing.assert_array_equal(np.concatenate(beside), whole)
    np.testing.assert_array_equal(np.concatenate(alone), whole)


def test_a_converted_model_starts_without_tensorflow_and_without_a_word(path, photos, tmp_path):
    expected = Embedder(path).embed(photos)
    np.save(tmp_path / "photos.npy", photos)
    arguments = [path, tmp_path / "photos.npy", tmp_path / "rows.npy"]
    command = [sys.executable, "-c", START, *map(str, arguments)]
    said = subprocess.run(command, check=True, capture_output=True)
    assert (said.stdout, said.stderr) == (b"", b"before\nafter\n")
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), expected)


@pytest.mark.parametrize("damage", [lambda whole: b"\0" * len(whole), lambda whole: whole[:-100]])
def test_a_damaged_conversion_is_made_anew(path, photos, damage):
    expected = Embedder(path).embed(photos)
    whole = converted_path(path).read_bytes()
    converted_path(path).write_bytes(damage(whole))
    np.testing.assert_array_equal(Embedder(path).embed(photos), expected)
    assert converted_path(path).read_bytes() == whole


def test_a_damaged_conversion_without_tensorflow_is_told(path, monkeypatch):
    converted_path(path).write_bytes(b"TFL3")
    monkeypatch.setitem(sys.modules, "itadaki.models.keras_model", None)
    with pytest.raises(ArtifactError, match=r"model\.tflite is missing or damaged.*\[train\]"):
        Embedder(path)


def test_another_model_is_converted_anew(path, photos):
    before = Embedder(path).embed(photos)
    model = keras.models.load_model(path)
    rng = np.random.default_rng(0)
    model.set_weights([rng.permuted(weight, axis=0) for weight in model.get_weights()])
    save_model(model, path)
    embedder = Embedder(path)
    found = embedder.embed(photos)
    assert (found * embedder.model(photos).numpy()).sum(axis=1).min() > 0.9999
    assert (found * before).sum(axis=1).max() < 0.999


def test_a_conversion_that_differs_from_keras_is_refused(bare, monkeypatch):
    monkeypatch.setattr(
        litert_model.LiteRtModel,
        "__call__",
        lambda self, photos, alone=True: np.full((len(photos), 16), 0.25, np.float32),
    )
    with pytest.raises(ArtifactError, match="differently from Keras"):
        Embedder(bare)
    assert not converted_path(bare).exists()


def test_a_read_only_folder_is_no_obstacle(bare, photos, monkeypatch, caplog):
    @contextmanager
    def full(path):
        raise StorageError("No room.")
        yield

    monkeypatch.setattr(litert_model, "replacing", full)
    assert Embedder(bare).embed(photos).shape == (5, 16)
    assert "cannot be kept" in caplog.text
