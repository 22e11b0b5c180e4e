"""Keras models: EfficientNetB0 with ImageNet weights, and how embedders are saved and loaded."""

import json
import logging
import os
import re
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from itadaki.errors import ArtifactError, WeightsError, reason
from itadaki.models import food
from itadaki.models.child import run_module
from itadaki.models.record import FINE_TUNED, origin_of_file
from itadaki.network import why_unreachable
from itadaki.photos.images import IMAGE_SIZE
from itadaki.settings import Settings
from itadaki.storage.files import replacing
from itadaki.variants import VARIANTS, Artifacts

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must stand before TensorFlow is imported

import keras
import numpy as np

BACKBONE = "efficientnetb0"

_IMAGENET_URL = "https://storage.googleapis.com/keras-applications/"
_SAVED_ON = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold
_log = logging.getLogger(__name__)
logging.getLogger("tensorflow").setLevel(logging.WARNING)  # it tells where it writes each file
logging.getLogger("absl").setLevel(logging.ERROR)  # the converter's wishes


def converted(model: keras.Model) -> bytes:
    """Convert a model for LiteRT, for one input at a time; the same model gives the same bytes.

    An embedder on the backbone that ``food`` was fitted to has a second output, of shape (1, 1):
    above 0 where the photo shows food. It is read off the blocks that no training changes, so it
    costs next to nothing, and a model that is trained anew needs no new fit.

    Weights stay float32: halved, they move one in sixty first results on the Kaggle recipes.
    """
    import tensorflow as tf  # not at the top: Keras may run on another backend without it

    outputs = food.joined(model, BACKBONE) or model
    forward = tf.function(
        lambda photos: outputs(photos, training=False),
        input_signature=[tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)],
        autograph=False,
    )
    # With a trackable object, Keras' variables would not become constants.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([forward.get_concrete_function()])
    return bytes(converter.convert())


def converted_file(path: Path, model: keras.Model) -> bytes:
    """``converted`` of a file and the model in it, also where Keras runs without TensorFlow.

    Raises:
        ArtifactError: there is no TensorFlow to convert it with.
    """
    if on_tensorflow():
        return converted(model)
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "model.tflite"
        # A process has one backend, and the GPU is taken.
        elsewhere = {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""}
        if why := run_module(__name__, str(path), str(answer), **elsewhere):
            raise ArtifactError(f"{path.name} cannot be converted for LiteRT ({why}).")
        return answer.read_bytes()


def on_tensorflow() -> bool:
    """Whether TensorFlow runs Keras here, which is what converts models for LiteRT."""
    return bool(keras.backend.backend() == "tensorflow")


def compiles() -> bool:
    """Whether Keras shall compile with XLA: JAX is slow without, TensorFlow on two cores with."""
    return bool(keras.backend.backend() == "jax")


def batch_function(model: keras.Model, size: int) -> Callable[[np.ndarray], np.ndarray]:
    """A model as a function of a batch of any size, which threads may call in turn.

    Args:
        model: of one input and one output.
        size: so many go through at once, always, since some backends compile it for each size.
    """
    model.jit_compile = compiles()
    in_turn = threading.Lock()

    def run(part: np.ndarray) -> np.ndarray:
        missing = size - len(part)
        padded = np.concatenate([part, np.zeros((missing, *part.shape[1:]), part.dtype)])
        with in_turn:
            found: np.ndarray = model.predict_on_batch(padded)
        return found[: len(part)]

    def forward(batch: np.ndarray) -> np.ndarray:
        parts = np.split(batch, range(size, len(batch), size))
        return np.concatenate([run(part) for part in parts])

    return forward


def load_model(path: Path) -> keras.Model:
    """Load a ``.keras`` file in Keras' safe mode.

    Raises:
        ArtifactError: the file is damaged, holds a Lambda layer, which is code, or is no embedder
            of 224 x 224 photos.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if _has_lambda(json.loads(archive.read("config.json"))):
                raise ValueError("it holds a Lambda layer")
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a damaged archive makes Keras, h5py and zipfile raise their own
        raise ArtifactError(
            f"{path} is not a usable Keras model ({reason(error)}); delete it and build it anew."
        ) from None
    if model.input_shape != (None, IMAGE_SIZE, IMAGE_SIZE, 3) or len(model.output_shape) != 2:
        raise ArtifactError(f"{path} does not turn photos of 224 x 224 pixels into embeddings.")
    return model


def _has_lambda(config: Any) -> bool:
    match config:
        case {"class_name": "Lambda"}:
            return True
        case dict():
            return any(map(_has_lambda, config.values()))
        case list():
            return any(map(_has_lambda, config))
    return False


def save_model(model: keras.Model, path: Path) -> None:
    """Save a model as ``.keras``, atomically; the same model gives the same bytes.

    Keras writes the time and some objects' memory addresses into the archive, which would give
    each save a SHA-256 of its own.
    """
    with replacing(path) as beside:
        model.save(beside)
        with zipfile.ZipFile(beside) as archive:
            members = {name: archive.read(name) for name in sorted(archive.namelist())}
        members["metadata.json"] = (
            f'{{"keras_version": "{keras.__version__}", "date_saved": "1980-01-01@00:00:00"}}'
        ).encode()
        numbers: dict[bytes, bytes] = {}
        members["config.json"] = re.sub(
            rb'(?<="shared_object_id": )\d+',
            lambda address: numbers.setdefault(address[0], b"%d" % len(numbers)),
            members["config.json"],
        )
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
            for name, content in members.items():
                archive.writestr(zipfile.ZipInfo(name, _SAVED_ON), content)


def raw_model(backbone: keras.Model) -> keras.Model:
    """Backbone, global average pooling, L2 norm: (n, 224, 224, 3) to (n, 1280)."""
    photos = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3), name="photo")
    pooled = keras.layers.GlobalAveragePooling2D(name="pooling")(backbone(photos))
    embedding = keras.layers.UnitNormalization(name="embedding")(pooled)
    return keras.Model(photos, embedding, name="recipe_image_retrieval_raw")


def build_backbone(settings: Settings) -> tuple[keras.Model, dict[str, str]]:
    """EfficientNetB0 without its top, frozen: (n, 224, 224, 3) to (n, 7, 7, 1280).

    Its ImageNet weights come from ``ITADAKI_BACKBONE_WEIGHTS``, else from Keras (its cache or a
    download), else from the backbone inside the fine-tuned model.

    Returns:
        The model, and where its weights come from.

    Raises:
        WeightsError: none of these is there; the message says how to give one.
    """
    given = settings.backbone_weights
    if given:
        backbone, origin = _backbone_from_file(given), origin_of_file(given)
    elif backbone := _backbone_from_keras():
        origin = {"source": "imagenet"}
    else:
        backbone, origin = _backbone_from_fine_tuned(settings), FINE_TUNED
    backbone.trainable = False
    return backbone, origin


def frozen_backbone(settings: Settings) -> keras.Model:
    """``build_backbone`` for a comparison, in which nothing may stand in for ImageNet weights.

    Raises:
        WeightsError: only the fine-tuned model's backbone is there, or none.
    """
    backbone, origin = build_backbone(settings)
    if origin == FINE_TUNED:
        raise WeightsError(
            "ImageNet weights are neither here nor to be had, so that raw would be the fine-tuned "
            "model's own backbone: name them in ITADAKI_BACKBONE_WEIGHTS."
        )
    return backbone


def efficientnet(weights: Path | str | None) -> keras.Model:
    """EfficientNetB0 without its top, with weights from a file, Keras' imagenet, or random."""
    return keras.applications.EfficientNetB0(
        include_top=False,
        weights=str(weights) if weights else None,
        input_shape=(IMAGE_SIZE, IMAGE_SIZE, 3),
        name=BACKBONE,
    )


def _backbone_from_file(path: Path) -> keras.Model:
    if not path.is_file():
        raise WeightsError(f"ITADAKI_BACKBONE_WEIGHTS names {path}, but there is no such file.")
    try:
        return efficientnet(path)
    except Exception as error:  # Keras and h5py raise their own kinds for a wrong file
        raise WeightsError(
            f"{path} does not hold weights of EfficientNetB0 without its top ({reason(error)})."
        ) from None


def _backbone_from_keras() -> keras.Model | None:
    keras_home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    cached = (keras_home / "models" / "efficientnetb0_notop.h5").exists()
    if not cached and why_unreachable(_IMAGENET_URL):
        return None
    try:
        return efficientnet("imagenet")
    except Exception as error:  # the download raises a bare Exception
        _log.warning("Keras' ImageNet weights cannot be used: %s.", reason(error))
        return None


def _backbone_from_fine_tuned(settings: Settings) -> keras.Model:
    path = Artifacts(VARIANTS["ft"], settings).model
    if not path.exists():
        raise WeightsError(
            "There are no weights for EfficientNetB0: Keras' cannot be downloaded here and no "
            "fine-tuned model is present. Set ITADAKI_BACKBONE_WEIGHTS to a file with its "
            "ImageNet weights without the top (.weights.h5)."
        )
    try:
        # The layer itself: set_weights on a new one would leave its Normalization as it was.
        backbone = load_model(path).get_layer(BACKBONE)
    except ValueError as error:
        raise ArtifactError(f"{path} holds no EfficientNetB0 backbone: {reason(error)}.") from None
    _log.warning(
        "ImageNet weights cannot be had, so the backbone of the fine-tuned model stands in: this "
        "is not the frozen baseline, and its scores must not be compared with it."
    )
    backbone.trainable = True  # or the caller's False would change nothing below: it is said so
    return backbone


def _main(path: str, answer: str) -> None:
    try:
        Path(answer).write_bytes(converted(load_model(Path(path))))
    except Exception as error:  # the parent says it in a sentence of its own
        print(reason(error))
        sys.exit(1)


if __name__ == "__main__":
    _main(*sys.argv[1:])
