import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import dish_photo

from itadaki import embedder as embedder_module
from itadaki import openvino_model
from itadaki.embedder import Embedder
from itadaki.errors import ArtifactError
from itadaki.files import write_json
from itadaki.images import load_input
from itadaki.keras_model import save_model

START = """
import sys
import numpy as np
from pathlib import Path
from itadaki.embedder import Embedder
photos = np.load(sys.argv[2])
np.save(sys.argv[3], Embedder(Path(sys.argv[1])).embed(photos))
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""


@pytest.fixture
def path(tmp_path):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((224, 224, 3))
    maps = keras.layers.Conv2D(8, 9, strides=8, activation="swish")(inputs / 255)
    rows = keras.layers.Dense(16)(keras.layers.GlobalAveragePooling2D()(maps))
    path = tmp_path / "model.keras"
    save_model(keras.Model(inputs, keras.layers.UnitNormalization()(rows)), path)
    return path


@pytest.fixture(scope="module")
def photos():
    return np.stack([load_input(dish_photo(i)) for i in range(5)])


def kept(path):
    return sorted(file.suffix for file in path.parent.glob("model.openvino-*"))


@pytest.mark.parametrize("count", [1, 5])
def test_embeddings_are_those_of_keras(path, photos, count):
    embedder = Embedder(path)
    assert (embedder.runtime, embedder.dimension) == ("OpenVINO", 16)
    expected = embedder.model(photos[:count]).numpy()
    np.testing.assert_allclose(embedder.embed(photos[:count]), expected, atol=1e-5)


def test_a_converted_model_starts_without_tensorflow(path, photos, tmp_path):
    expected = Embedder(path).embed(photos)
    assert kept(path) == [".bin", ".json", ".xml"]
    np.save(tmp_path / "photos.npy", photos)
    arguments = [path, tmp_path / "photos.npy", tmp_path / "rows.npy"]
    subprocess.run([sys.executable, "-c", START, *map(str, arguments)], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "rows.npy"), expected, atol=1e-6)


def test_a_damaged_conversion_is_made_anew(path, photos):
    expected = Embedder(path).embed(photos)
    weights = next(path.parent.glob("*.bin"))
    whole = weights.read_bytes()
    weights.write_bytes(b"\0" * len(whole))
    np.testing.assert_allclose(Embedder(path).embed(photos), expected, atol=1e-6)
    assert weights.read_bytes() == whole


@pytest.mark.parametrize("changed", ["openvino.__version__", "_FORMAT", "convert"])
def test_a_conversion_made_in_another_way_does_not_fit(tmp_path, monkeypatch, changed):
    def other(model):
        return model

    kept = tmp_path / "model.xml"
    for suffix in (".xml", ".bin"):
        kept.with_suffix(suffix).write_bytes(b"made")
    write_json(kept.with_suffix(".json"), openvino_model._facts(kept, "a" * 64))
    assert openvino_model._is_whole(kept, "a" * 64)
    monkeypatch.setattr(f"itadaki.openvino_model.{changed}", other if changed == "convert" else "9")
    assert not openvino_model._is_whole(kept, "a" * 64)


def test_another_model_gets_its_own_conversion_and_the_old_one_goes(path):
    Embedder(path)
    before = {file.name for file in path.parent.glob("model.openvino-*")}
    model = keras.models.load_model(path)
    model.set_weights([weight * 1.5 for weight in model.get_weights()])
    save_model(model, path)
    Embedder(path)
    after = {file.name for file in path.parent.glob("model.openvino-*")}
    assert len(after) == 3 and not before & after


def test_a_conversion_that_differs_from_keras_is_refused(path, monkeypatch):
    from itadaki import openvino_model

    monkeypatch.setattr(
        openvino_model.OpenVinoModel,
        "__call__",
        lambda self, photos: np.full((len(photos), 16), 0.25, np.float32),
    )
    with pytest.raises(ArtifactError, match="differently from Keras"):
        Embedder(path)
    assert not kept(path)


def test_without_openvino_keras_runs_the_model(path, photos, monkeypatch):
    expected = Embedder(path).embed(photos)
    monkeypatch.setattr(embedder_module, "find_spec", lambda name: None)
    embedder = Embedder(path)
    assert embedder.runtime == "TensorFlow"
    np.testing.assert_allclose(embedder.embed(photos), expected, atol=1e-5)
