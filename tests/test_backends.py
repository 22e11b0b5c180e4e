"""Training on another backend of Keras than TensorFlow, as a machine with a GPU has it."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from itadaki.errors import ArtifactError
from itadaki.models import child
from itadaki.models.keras_model import converted, converted_file, save_model
from itadaki.models.litert_model import LiteRtModel

TESTS = Path(__file__).parent


def test_losses_steps_and_averages_are_those_of_tensorflow_on_jax():
    chosen = "joint_loss or triplet_loss_is or average_over or own_rates"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-k", chosen]
    files = [TESTS / f"test_{name}.py" for name in ("objectives", "loop", "learner")]
    done = subprocess.run(
        [*command, *files],
        cwd=TESTS.parent,
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert done.stdout.split()[0] == "." * 6, done.stdout


@pytest.fixture
def tiny(tmp_path) -> tuple[Path, keras.Model]:
    photos = keras.Input((224, 224, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(photos)
    model = keras.Model(photos, keras.layers.Dense(3)(pooled))
    save_model(model, tmp_path / "tiny.keras")
    return tmp_path / "tiny.keras", model


def test_a_model_is_converted_in_a_process_of_tensorflow_where_keras_has_another(tiny, monkeypatch):
    path, model = tiny
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    content = converted_file(path, model)
    photo = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)
    expected = LiteRtModel(converted(model))(photo)
    np.testing.assert_allclose(LiteRtModel(content)(photo), expected, rtol=1e-5)


def test_without_tensorflow_a_conversion_says_so(tiny, monkeypatch):
    path, model = tiny
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    path.write_bytes(b"no model")
    with pytest.raises(ArtifactError, match=r"tiny\.keras cannot be converted.*usable"):
        converted_file(path, model)
    monkeypatch.setattr(child.sys, "executable", "/bin/false")
    with pytest.raises(ArtifactError, match="its process ended with 1"):
        converted_file(path, model)
