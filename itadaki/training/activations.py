"""Cached activations: the frozen part of the backbone runs once per view of a photo."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path

import keras
import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from itadaki.cores import usable_cores
from itadaki.errors import ArtifactError
from itadaki.models.keras_model import batch_function, converted, on_tensorflow
from itadaki.models.litert_model import LiteRtModel
from itadaki.photos import augmentation
from itadaki.photos.augmentation import augmented_view
from itadaki.photos.images import PREPROCESSING, load_rgb, preprocess
from itadaki.storage.files import (
    derived_facts,
    mapped_for_writing,
    note_derived,
    open_array,
    replacing,
)
from itadaki.storage.fingerprint import code_fingerprint

_BATCH, _BATCH_ON_GPU = 4, 64


def cut_above(backbone: keras.Model, layers: int) -> str:
    """Name the last frozen layer: above it stand whole blocks, as near to ``layers`` as can be.

    Of EfficientNetB0, 40 names block6b_add, which leaves 46; the next block's end leaves 31.
    """
    names = [layer.name for layer in backbone.layers]
    ends = {name.split("_")[0]: place for place, name in enumerate(names) if "block" in name}
    above = {place: len(names) - 1 - place for place in ends.values()}
    return str(names[min(above, key=lambda place: abs(above[place] - layers))])


class ActivationCache:
    """Activations at the cut of several views of photos, as float16 files on disk.

    View 0 is the photo as the bank sees it; the others are augmented, each photo's by a seed of
    its own. A view that was interrupted goes on after its last complete chunk.
    """

    def __init__(
        self,
        folder: Path,
        backbone: keras.Model,
        cut: str,
        paths: Sequence[Path],
        hashes: Sequence[str],
    ) -> None:
        """Open a cache for n photos; the same backbone and photos find the same files again.

        Args:
            folder: holds the caches.
            backbone: EfficientNetB0 without its top.
            cut: the last layer that is run; see ``cut_above``.
            paths: the photos.
            hashes: of their files' bytes.
        """
        views = code_fingerprint(augmentation)
        digest = hashlib.sha256(f"{views} {PREPROCESSING} {cut}\n".encode())
        for weights in backbone.get_weights():
            digest.update(np.ascontiguousarray(weights).tobytes())
        digest.update("\n".join(hashes).encode())
        self.folder = folder / digest.hexdigest()[:16]
        self._backbone, self._cut = backbone, cut
        self._paths = list(paths)

    @property
    def count(self) -> int:
        """How many photos there are."""
        return len(self._paths)

    def view(self, number: int, rows: np.ndarray, progress: bool = True) -> np.ndarray:
        """Activations of one view, computed where they are missing.

        Args:
            number: 0 for the plain photo, else an augmented view.
            rows: int array, the photos that are needed; the others' activations may be 0.
            progress: show a bar.

        Returns:
            float16 memory map of shape (n, height, width, channels).
        """
        path = self.folder / f"view-{number}.npy"
        shape = (len(self._paths), *self._backbone.get_layer(self._cut).output.shape[1:])
        done_path = path.with_suffix(".done.npy")
        self.folder.mkdir(parents=True, exist_ok=True)
        complete = path.with_name(path.name + ".json")
        if not _is_whole(path, done_path, shape) or (complete.exists() and not derived_facts(path)):
            complete.unlink(missing_ok=True)
            mapped_for_writing(path, np.float16, shape).flush()
            _note(done_path, np.zeros(shape[0], dtype=bool))
        done = open_array(done_path, mapped=False)
        missing = np.asarray(rows)[~done[rows]]
        if len(missing):
            out = mapped_for_writing(path)
            complete.unlink(missing_ok=True)
            self._fill(out, done, done_path, number, missing, progress)
            note_derived(path, self.folder.name)
        return open_array(path)

    def fresh(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Activations of new augmented views, not kept: float32."""
        photos = [preprocess(augmented_view(load_rgb(self._paths[row]), rng)) for row in rows]
        return self._forward(np.stack(photos))

    @cached_property
    def _forward(self) -> Callable[[np.ndarray], np.ndarray]:
        frozen = keras.Model(self._backbone.input, self._backbone.get_layer(self._cut).output)
        return forward_function(frozen)

    def _fill(
        self,
        out: np.memmap,
        done: np.ndarray,
        done_path: Path,
        number: int,
        missing: np.ndarray,
        progress: bool,
    ) -> None:
        size = _BATCH if on_tensorflow() else _BATCH_ON_GPU
        with tqdm(
            total=len(missing),
            desc=f"View {number} through the frozen blocks",
            unit="photo",
            disable=not progress,
        ) as bar:
            for start in range(0, len(missing), 64 * size):
                chunk = missing[start : start + 64 * size]
                batches = np.array_split(chunk, -(-len(chunk) // size))
                for rows, found in zip(batches, self._activations(number, batches), strict=True):
                    out[rows] = found
                    bar.update(len(rows))
                out.flush()
                done[chunk] = True
                _note(done_path, done)

    def _activations(self, number: int, batches: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """Of a view of some photos, batch by batch."""
        forward = self._forward  # compiled once, before the threads ask for it
        asked = [([self._paths[row] for row in rows], rows, number) for rows in batches]
        if on_tensorflow():
            with ThreadPoolExecutor(usable_cores()) as pool:
                yield from pool.map(lambda of: forward(_pixels(augmentation.views(*of))), asked)
        else:
            # A GPU asks for more views than threads make, which wait for Python's lock: 600 a
            # second on sixteen cores.
            of_processes = Parallel(usable_cores(), return_as="generator")
            made = of_processes(delayed(augmentation.views)(*of) for of in asked)
            yield from map(forward, map(_pixels, made))


def _pixels(views: np.ndarray) -> np.ndarray:
    return views.astype(np.float32)


def _note(path: Path, done: np.ndarray) -> None:
    with replacing(path) as beside:
        np.save(beside, done)


def _is_whole(path: Path, done_path: Path, shape: tuple[int, ...]) -> bool:
    try:
        view, done = open_array(path), open_array(done_path)
    except ArtifactError:
        return False
    right = view.shape == shape and view.dtype == np.float16
    return right and done.shape == shape[:1] and done.dtype == np.bool_


def forward_function(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """A part of a model as a function of a float32 batch that several threads may call at once.

    LiteRT runs it, but Keras where it has another backend: that has a GPU.
    """
    if on_tensorflow():
        return partial(LiteRtModel(converted(model)), alone=False)
    return batch_function(model, _BATCH_ON_GPU)
