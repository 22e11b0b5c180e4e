import logging

import keras
import numpy as np
import pytest
from conftest import dish_photo

import itadaki.models.keras_model
from itadaki.errors import ArtifactError, ItadakiError, WeightsError
from itadaki.models.embedder import load_embedder
from itadaki.models.keras_model import (
    BACKBONE,
    build_backbone,
    frozen_backbone,
    load_model,
    save_model,
)
from itadaki.photos.images import load_input
from itadaki.settings import Settings
from itadaki.variants import VARIANTS, Artifacts, served_variant


@pytest.fixture
def sealed(monkeypatch, tmp_path) -> Settings:
    """A machine without weights and without a way to download them."""
    monkeypatch.setattr(itadaki.models.keras_model, "why_unreachable", lambda url: "sealed")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return Settings(_env_file=None, home=tmp_path)


def batch(count=3) -> np.ndarray:
    """Photos like those that the untrained backbone's statistics were made from."""
    return np.stack([load_input(dish_photo(i)) for i in range(count)])


def tiny_embedder() -> keras.Model:
    inputs = keras.Input((224, 224, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, keras.layers.UnitNormalization()(keras.layers.Dense(8)(pooled)))


@pytest.fixture(scope="module")
def embedder(settings):
    return load_embedder(Artifacts(VARIANTS["raw"], settings))


def test_raw_model_is_frozen_and_normalised(embedder):
    assert embedder.dimension == 1280
    assert not embedder.model.trainable_weights
    embeddings = embedder.embed(batch())
    assert embeddings.shape == (3, 1280) and embeddings.dtype == np.float32
    assert np.linalg.norm(embeddings, axis=1) == pytest.approx(1, abs=1e-5)


def test_raw_model_is_the_pooled_backbone(embedder):
    features = embedder.model.get_layer(BACKBONE)(batch(), training=False).numpy()
    pooled = features.mean(axis=(1, 2))
    expected = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    assert (embedder.embed(batch()) * expected).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_saved_model_equals_the_original(tmp_path):
    model = tiny_embedder()
    save_model(model, tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded(batch()), model(batch()))


def test_equal_models_give_the_same_bytes(tmp_path):
    models = []
    for name in ("a", "b"):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        models.append(tiny_embedder())
        save_model(models[-1], tmp_path / f"{name}.keras")
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()
    photos = batch()
    assert np.array_equal(load_model(tmp_path / "a.keras")(photos), models[1](photos))


def test_photo_by_photo_equals_a_batch(embedder):
    single = np.concatenate([embedder.embed(photo[None]) for photo in batch()])
    assert (single * embedder.embed(batch())).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_backbone_of_the_fine_tuned_model_comes_last_with_a_warning(sealed, embedder, caplog):
    assert served_variant(sealed).name == "raw"
    fine_tuned = Artifacts(VARIANTS["ft"], sealed).model
    model = load_model(embedder.path)
    model.get_layer(BACKBONE).layers[-2].trainable = True  # as fine-tuning leaves the last blocks
    save_model(model, fine_tuned)
    assert served_variant(sealed).name == "ft"
    with caplog.at_level(logging.WARNING):
        stand_in = load_embedder(Artifacts(VARIANTS["raw"], sealed))
    assert "not the frozen baseline" in caplog.text
    assert np.array_equal(stand_in.embed(batch()), embedder.embed(batch()))
    # Also before it was saved and loaded, as training uses it.
    backbone, origin = build_backbone(sealed)
    assert origin == {"source": "fine-tuned"}
    with pytest.raises(WeightsError, match="ITADAKI_BACKBONE_WEIGHTS"):
        frozen_backbone(sealed)
    assert not any(layer.trainable for layer in backbone.layers), "whatever fine-tuning unfroze"
    expected = embedder.model.get_layer(BACKBONE)(batch())
    np.testing.assert_allclose(backbone(batch()), expected, atol=1e-5)
    caplog.clear()
    load_embedder(Artifacts(VARIANTS["raw"], sealed))
    assert "not the frozen baseline" in caplog.text, "a stand-in must never go unnoticed"


def test_raw_model_is_made_anew_for_other_weights(copy, tmp_path, no_conversion):
    kept = load_embedder(Artifacts(VARIANTS["raw"], copy))
    other = tmp_path / "other.weights.h5"
    backbone = kept.model.get_layer(BACKBONE)
    backbone.set_weights([weight * 1.01 for weight in backbone.get_weights()])
    backbone.save_weights(other)
    changed = copy.model_copy(update={"backbone_weights": other})
    assert load_embedder(Artifacts(VARIANTS["raw"], changed)).sha256 != kept.sha256


def test_without_weights_one_sentence_says_how_to_give_them(sealed):
    with pytest.raises(WeightsError, match="ITADAKI_BACKBONE_WEIGHTS"):
        build_backbone(sealed)


@pytest.mark.parametrize("content", [None, b"no weights"])
def test_unusable_weights_are_named(sealed, tmp_path, content):
    path = tmp_path / "w.weights.h5"
    if content:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"w\.weights\.h5"):
        build_backbone(sealed.model_copy(update={"backbone_weights": path}))


@pytest.mark.parametrize("name", ["tl", "tl_hard", "ft"])
def test_untrained_variants_say_so(name, sealed):
    with pytest.raises(ItadakiError, match=f"variant {name} has no model yet"):
        load_embedder(Artifacts(VARIANTS[name], sealed))


def test_damaged_model_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"PK\x03\x04 no model")
    with pytest.raises(ArtifactError, match="not a usable Keras model"):
        load_model(path)


def test_model_that_is_no_embedder_is_refused(tmp_path):
    inputs = keras.Input((5,))
    path = tmp_path / "model.keras"
    save_model(keras.Model(inputs, keras.layers.Dense(2)(inputs)), path)
    with pytest.raises(ArtifactError, match="does not turn photos"):
        load_model(path)


@pytest.mark.parametrize("function", [lambda x: x[:, 0, 0], keras.ops.max], ids=["own", "named"])
def test_model_with_code_inside_is_refused(tmp_path, function):
    inner_inputs = keras.Input((224, 224, 3))
    inner = keras.Model(inner_inputs, keras.layers.Lambda(function)(inner_inputs))
    inputs = keras.Input((224, 224, 3))
    path = tmp_path / "model.keras"
    save_model(keras.Model(inputs, inner(inputs)), path)
    with pytest.raises(ArtifactError, match="Lambda layer"):
        load_model(path)
