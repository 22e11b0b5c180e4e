"""The embedder: photos in, embeddings out, by the fastest runtime that is installed."""

import json
import logging
from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from itadaki.files import sha256_of, write_json
from itadaki.settings import Settings
from itadaki.training_record import check_record
from itadaki.variants import Variant, require_model

if TYPE_CHECKING:
    import keras

FINE_TUNED = {"source": "fine-tuned"}
"""The origin of a raw model whose backbone is the fine-tuned one."""
_log = logging.getLogger(__name__)


class Embedder:
    """Runs a saved model: photos in, L2-normalised embeddings out. Safe to use from many threads.

    With OpenVINO the model is converted once and TensorFlow is never imported again; without it
    Keras runs the model itself.

    Attributes:
        path: the ``.keras`` file.
        dimension: the length of an embedding.
        sha256: of the ``.keras`` file, which ties banks to this model.
        runtime: OpenVINO or TensorFlow.
    """

    def __init__(self, path: Path, sha256: str | None = None) -> None:
        """Load a model, or its conversion where there is one already.

        Args:
            path: the ``.keras`` file.
            sha256: its hash, if it is known.

        Raises:
            ArtifactError: the file is damaged, or is no embedder of 224 x 224 photos.
        """
        self.path, self.sha256 = path, sha256 or sha256_of(path)
        self._forward: Callable[[np.ndarray, bool], np.ndarray]
        if find_spec("openvino"):
            from itadaki.openvino_model import OpenVinoModel

            model = OpenVinoModel.of(path, self.sha256)
            self._forward, self.dimension, self.runtime = model, model.dimension, "OpenVINO"
        else:
            from itadaki.keras_model import keras_forward

            self._forward = keras_forward(self.model)
            self.dimension, self.runtime = int(self.model.output_shape[-1]), "TensorFlow"

    @cached_property
    def model(self) -> "keras.Model":
        """The Keras model itself, for looking at it."""
        from itadaki.keras_model import load_model

        return load_model(self.path)

    def embed(self, photos: np.ndarray, alone: bool = True) -> np.ndarray:
        """Embed a batch of preprocessed photos.

        Args:
            photos: float32 array of shape (n, 224, 224, 3) with values 0..255, RGB.
            alone: nothing else is being embedded, so that a single photo may take all cores.

        Returns:
            float32 array of shape (n, dimension); each row has length 1.
        """
        return self._forward(photos, alone)


def load_embedder(variant: Variant, settings: Settings) -> Embedder:
    """Load a variant's embedder; raw's model is made from the backbone's weights when need be.

    Raises:
        ItadakiError: the model is missing, damaged or not its record's, or no weights can be
            found.
    """
    path = require_model(variant, settings)
    if variant.name == "raw":
        _make_raw_model(path, settings)
    sha256 = sha256_of(path)
    check_record(variant, settings, sha256)
    return Embedder(path, sha256)


def _make_raw_model(path: Path, settings: Settings) -> None:
    """Save the raw model unless it is there, made from the weights that are given now."""
    origin_path = path.with_suffix(".weights.json")
    given = settings.backbone_weights
    try:
        origin = json.loads(origin_path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        origin = None
    if path.exists() and (not given or origin == origin_of_file(given)):
        if origin == FINE_TUNED:
            _log.warning(
                "The raw model holds the backbone of the fine-tuned one: this is not the frozen "
                "baseline. Delete %s/%s once ImageNet weights can be had.",
                path.parent.name,
                path.name,
            )
        return
    from itadaki.keras_model import build_backbone, raw_model, save_model

    backbone, origin = build_backbone(settings)
    save_model(raw_model(backbone), path)
    write_json(origin_path, origin)


def origin_of_file(path: Path) -> dict[str, str]:
    """What is noted of weights that came from a file."""
    return {"source": "file", "sha256": sha256_of(path) if path.is_file() else "missing"}
