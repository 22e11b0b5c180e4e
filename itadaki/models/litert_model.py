"""Keras models run by LiteRT, converted once and kept beside the ``.keras`` file."""

import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from itadaki.cores import usable_cores
from itadaki.errors import ArtifactError, StorageError
from itadaki.models.record import FOOD_RULE
from itadaki.photos.images import IMAGE_SIZE
from itadaki.storage.files import derived_facts, note_derived, replacing, sha256_of

if TYPE_CHECKING:
    import keras

_FORMAT = 2
_PARITY = 0.9999
_GREETING = b"Created TensorFlow Lite XNNPACK delegate"
_greeted = threading.Event()
_log = logging.getLogger(__name__)


class LiteRtModel:
    """A converted model; call it with a batch, from any thread.

    A photo that is alone is spread over all cores, because somebody waits for it. Photos beside
    others take one core each, which gives the most photos a second. Those of a batch come one
    after another: a batch is no faster on a CPU, and a row shall not depend on its neighbours.
    """

    def __init__(self, content: bytes) -> None:
        """Load a model that takes one float32 photo at a time; ``content`` is its file's bytes."""
        self._content = content
        self._alone = _Network(content, usable_cores())
        self._in_turn = threading.Lock()
        self._idle: list[_Network] = []
        self._places = threading.Semaphore(usable_cores())

    @property
    def dimension(self) -> int:
        """The length of an output's last axis."""
        return self._alone.dimension

    def __call__(self, photos: np.ndarray, alone: bool = True) -> np.ndarray:
        """Run photos through the model: float32 (n, ...) to float32 (n, ...).

        Args:
            photos: preprocessed.
            alone: nothing else is being embedded, so that each photo may take all cores.
        """
        return np.concatenate([self._run(photo[None], alone)[0] for photo in photos])

    def with_food(self, photo: np.ndarray, alone: bool = True) -> tuple[np.ndarray, float | None]:
        """Run one photo: its float32 output (...), and above 0 if it shows food.

        The number is None where the model cannot tell; see ``keras_model.converted``.
        """
        rows, food = self._run(photo[None], alone)
        return rows[0], food

    def _run(self, photo: np.ndarray, alone: bool) -> tuple[np.ndarray, float | None]:
        if alone and self._in_turn.acquire(blocking=False):
            try:
                return self._alone(photo)
            finally:
                self._in_turn.release()
        with self._places:
            try:
                network = self._idle.pop()
            except IndexError:
                network = _Network(self._content, 1)
            try:
                return network(photo)
            finally:
                self._idle.append(network)


class _Network:
    """An interpreter of a model, for one thread at a time."""

    def __init__(self, content: bytes, threads: int) -> None:
        with _without_greeting():
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        outputs = self._interpreter.get_output_details()
        by_length = sorted(outputs, key=lambda output: int(output["shape"][-1]))
        self._output, self.dimension = by_length[-1]["index"], int(by_length[-1]["shape"][-1])
        self._food = by_length[0]["index"] if len(outputs) == 2 else None

    def __call__(self, photo: np.ndarray) -> tuple[np.ndarray, float | None]:
        self._interpreter.set_tensor(self._input, photo)
        self._interpreter.invoke()
        food = None if self._food is None else float(self._interpreter.get_tensor(self._food)[0, 0])
        return np.asarray(self._interpreter.get_tensor(self._output)), food


def load_converted(path: Path, sha256: str) -> LiteRtModel:
    """Read an embedder's conversion, or convert it if there is none that fits.

    Args:
        path: the ``.keras`` file.
        sha256: its hash; a conversion of another model, or one that was changed, does not count.

    Raises:
        ArtifactError: the file is damaged or no embedder, its conversion gives other embeddings,
            or there is none and no TensorFlow to make it with.
    """
    kept = converted_path(path)
    facts = derived_facts(kept)
    made_with = {"format": _FORMAT, "food": sha256_of(FOOD_RULE)}
    if facts and {"source": sha256, **made_with}.items() <= facts.items():
        return LiteRtModel(kept.read_bytes())
    try:
        from itadaki.models.keras_model import converted_file, load_model
    except ModuleNotFoundError as error:
        raise ArtifactError(
            f"{kept} is missing or damaged. Take it from where {path.name} came from, with "
            f"{kept.name}.json; or install {error.name}, which makes it anew: in the project's "
            'folder run python -m pip install -e ".[train]"'
        ) from None

    model = load_model(path)
    _log.info("Converting %s for LiteRT, once.", path.name)
    content = converted_file(path, model)
    found = LiteRtModel(content)
    _check_parity(model, found, path)
    try:
        with replacing(kept) as beside:
            beside.write_bytes(content)
        note_derived(kept, sha256, **made_with)
    except StorageError as error:
        _log.warning("The conversion cannot be kept, so it is made at every start: %s", error)
    return found


def converted_path(path: Path) -> Path:
    """Where the conversion of a ``.keras`` file lies."""
    return path.with_suffix(".tflite")


def _check_parity(model: "keras.Model", converted: LiteRtModel, path: Path) -> None:
    """Refuse a conversion whose embeddings are not those of Keras, alone and beside others."""
    from keras import ops

    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (6, 6, 6, 3)).astype(np.float32)
    photos = np.stack([cv2.resize(picture, (IMAGE_SIZE, IMAGE_SIZE)) for picture in coarse])
    expected = ops.convert_to_numpy(model(photos, training=False))
    for found in (converted(photos), converted(photos, alone=False)):
        cosine = (found * expected).sum(axis=1) / np.linalg.norm(expected, axis=1)
        if not cosine.min() >= _PARITY:
            raise ArtifactError(
                f"LiteRT runs {path.name} differently from Keras (cosine {cosine.min():.5f}); "
                "install another version of ai-edge-litert."
            )


@contextmanager
def _without_greeting() -> Iterator[None]:
    """Leave out the line that LiteRT writes to the process's stderr with its first model.

    It has no switch, and in a log of JSON lines it is a fault. What else is written meanwhile is
    written again afterwards.
    """
    try:
        stderr = None if _greeted.is_set() else os.dup(2)
    except OSError:  # the process has none
        stderr = None
    if stderr is None:
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            _greeted.set()
            held.seek(0)
            for line in held:
                if _GREETING not in line:
                    os.write(2, line)
