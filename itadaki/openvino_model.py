"""Keras models run by OpenVINO, converted once and kept beside the ``.keras`` file."""

import json
import logging
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import openvino

from itadaki.cores import usable_cores
from itadaki.errors import ArtifactError, reason
from itadaki.files import sha256_of, write_json
from itadaki.fingerprint import code_fingerprint
from itadaki.images import IMAGE_SIZE
from itadaki.interrupt import temporary_folder

if TYPE_CHECKING:
    import keras

_FORMAT = 1
_PARITY = 0.9999
_log = logging.getLogger(__name__)


class OpenVinoModel:
    """An embedder converted from Keras; call it with a batch, from any thread.

    A photo that is alone is spread over all cores, because somebody waits for it. Photos beside
    others take one core each, which gives the most photos a second; so do those of a batch, one
    after another: a batch is no faster on a CPU, and a row shall not depend on its neighbours.

    Attributes:
        dimension: the length of an embedding.
    """

    def __init__(self, model: openvino.Model) -> None:
        self._model = model.clone()
        self._model.reshape([1, IMAGE_SIZE, IMAGE_SIZE, 3])
        self._alone = compiled(self._model, "LATENCY")
        self.dimension = int(model.output(0).get_partial_shape()[1].get_length())

    @classmethod
    def of(cls, path: Path, sha256: str) -> "OpenVinoModel":
        """Read a model's conversion, or convert it if there is none that fits.

        Args:
            path: the ``.keras`` file.
            sha256: its hash, under which the conversion is kept.

        Raises:
            ArtifactError: the file is damaged or no embedder, or its conversion gives other
                embeddings.
        """
        kept = path.with_name(f"{path.stem}.openvino-{sha256[:12]}.xml")
        if _is_whole(kept, sha256):
            return cls(openvino.Core().read_model(kept))
        _log.info("Converting the model %s, once; this takes up to a minute.", path.name)
        from itadaki.keras_model import load_model

        keras_model = load_model(path)
        model = convert(keras_model)
        converted = cls(model)
        _check_parity(keras_model, converted, path)
        try:
            _keep(model, kept, sha256, f"{path.stem}.openvino-*")
        except OSError as error:
            _log.warning(
                "The conversion cannot be kept, so it is made at every start: %s.", reason(error)
            )
        return converted

    def __call__(self, photos: np.ndarray, alone: bool = True) -> np.ndarray:
        """Embed preprocessed photos: float32 (n, 224, 224, 3) to float32 (n, dimension)."""
        if alone and len(photos) == 1:
            return self._alone(photos)
        return np.concatenate([self._beside_others(photo[None]) for photo in photos])

    @cached_property
    def _beside_others(self) -> Callable[[np.ndarray], np.ndarray]:
        return compiled(self._model, "THROUGHPUT")


def convert(model: "keras.Model") -> openvino.Model:
    """Convert a Keras model; its weights stay float32."""
    from itadaki.keras_model import traced

    # A SavedModel, which OpenVINO reads as well, takes Keras several times as long to write.
    # Shared weights would be gone with the Keras model.
    return openvino.convert_model(traced(model), share_weights=False)


def compiled(model: openvino.Model, hint: str) -> Callable[[np.ndarray], np.ndarray]:
    """Compile a model for this machine's processor, in float32.

    Args:
        model: what is compiled.
        hint: LATENCY spreads one call over all cores; THROUGHPUT gives each calling thread one.

    Returns:
        A function of the model's float32 input that several threads may call at once.
    """
    ready = openvino.Core().compile_model(
        model,
        "CPU",
        {
            "PERFORMANCE_HINT": hint,
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": usable_cores(),
            # A pinned thread waits for its core while another one idles.
            "ENABLE_CPU_PINNING": False,
        },
    )
    local = threading.local()

    def forward(photos: np.ndarray) -> np.ndarray:
        if not hasattr(local, "request"):
            local.request = ready.create_infer_request()
        return local.request.infer([photos], share_inputs=True)[0].copy()

    # OpenVINO's first inferences in a process, made by two threads at once, may wait for each
    # other for ever: one for the interpreter's lock, one for that of a C++ static.
    shape = model.input(0).get_partial_shape()
    forward(np.zeros([1 if side.is_dynamic else side.get_length() for side in shape], np.float32))
    return forward


def _is_whole(kept: Path, sha256: str) -> bool:
    try:
        return json.loads(kept.with_suffix(".json").read_text(encoding="utf-8")) == _facts(
            kept, sha256
        )
    except (OSError, ValueError):
        return False


def _keep(model: openvino.Model, kept: Path, sha256: str, old: str) -> None:
    """Write a conversion, the file that makes it count last, and remove older ones."""
    with temporary_folder(".openvino-", kept.parent) as folder:
        beside = folder / kept.name
        openvino.save_model(model, beside, compress_to_fp16=False)
        for path in kept.parent.glob(old):
            path.unlink(missing_ok=True)
        for suffix in (".bin", ".xml"):
            beside.with_suffix(suffix).replace(kept.with_suffix(suffix))
    write_json(kept.with_suffix(".json"), _facts(kept, sha256))


def _facts(kept: Path, sha256: str) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "openvino": openvino.__version__,
        "converted_by": code_fingerprint(convert),
        "model": sha256,
        "xml": sha256_of(kept),
        "bin": sha256_of(kept.with_suffix(".bin")),
    }


def _check_parity(model: "keras.Model", converted: OpenVinoModel, path: Path) -> None:
    """Refuse a conversion whose embeddings are not those of Keras, one by one and in a batch."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (6, 6, 6, 3)).astype(np.float32)
    photos = np.stack([cv2.resize(picture, (IMAGE_SIZE, IMAGE_SIZE)) for picture in coarse])
    expected = model(photos, training=False).numpy()
    singly = np.concatenate([converted(photo[None]) for photo in photos])
    for found in (singly, converted(photos)):
        cosine = (found * expected).sum(axis=1) / np.linalg.norm(expected, axis=1)
        if not cosine.min() >= _PARITY:
            raise ArtifactError(
                f"OpenVINO {openvino.__version__} runs {path.name} differently from Keras (cosine "
                f"{cosine.min():.5f}); uninstall openvino, or install another version of it."
            )
