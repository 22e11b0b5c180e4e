"""The embedder: photos in, embeddings out."""

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from itadaki.errors import ArtifactError, missing_extra
from itadaki.models.litert_model import load_converted
from itadaki.models.record import FINE_TUNED, check_record, origin_of_file
from itadaki.settings import Settings
from itadaki.storage.files import read_json_object, sha256_of, write_json
from itadaki.variants import Artifacts, require_model

if TYPE_CHECKING:
    import keras

_log = logging.getLogger(__name__)


class Embedder:
    """Runs a saved model: photos in, L2-normalised embeddings out. Safe to use from many threads.

    LiteRT runs the model's conversion, which is made once; TensorFlow is not imported again.

    Attributes:
        path: the ``.keras`` file.
        dimension: the length of an embedding.
        sha256: of the ``.keras`` file, which ties banks to this model.
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
        self._forward = load_converted(path, self.sha256)
        self.dimension = self._forward.dimension

    @cached_property
    def model(self) -> "keras.Model":
        """The Keras model itself, for looking at it."""
        with missing_extra("train"):
            from itadaki.models.keras_model import load_model

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

    def embed_with_food(
        self, photo: np.ndarray, alone: bool = True
    ) -> tuple[np.ndarray, bool | None]:
        """Embed one preprocessed photo, and tell whether it shows food at all.

        Args:
            photo: float32 array of shape (224, 224, 3), as ``embed`` takes them.
            alone: as ``embed`` has it.

        Returns:
            float32 array (dimension,) of length 1; and whether it is food, None where the model
            does not stand on the backbone that the detector was fitted to.
        """
        row, food = self._forward.with_food(photo, alone)
        return row, None if food is None else food > 0


def load_embedder(artifacts: Artifacts) -> Embedder:
    """Load a variant's embedder; raw's model is made from the backbone's weights when need be.

    Raises:
        ItadakiError: the model is missing, damaged or not its record's, or no weights can be
            found.
    """
    path = require_model(artifacts)
    if artifacts.variant.name == "raw":
        _make_raw_model(path, artifacts.settings)
    sha256 = sha256_of(path)
    check_record(artifacts, sha256)
    return Embedder(path, sha256)


def _make_raw_model(path: Path, settings: Settings) -> None:
    """Save the raw model unless it is there, made from the weights that are given now."""
    origin_path = path.with_suffix(".weights.json")
    given = settings.backbone_weights
    try:
        origin = read_json_object(origin_path)
    except ArtifactError:
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
    with missing_extra("train"):
        from itadaki.models.keras_model import build_backbone, raw_model, save_model

    backbone, origin = build_backbone(settings)
    save_model(raw_model(backbone), path)
    write_json(origin_path, origin)
