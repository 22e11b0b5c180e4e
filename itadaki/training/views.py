"""Views of one dataset's photos, as the frozen part of the backbone sees them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from itadaki.storage.files import derived_facts, note_derived, open_array, replacing
from itadaki.training.activations import ActivationCache, cut_above, forward_function

_BATCH = 64


class Views:
    """Activations and pooled features of n photos, view by view; see ``ActivationCache``.

    Attributes:
        tail: the backbone's blocks that phase 2 unfreezes, from activations to feature maps.
    """

    def __init__(
        self,
        folder: Path,
        backbone: keras.Model,
        layers_to_unfreeze: int,
        recipes: pd.DataFrame,
        plain: np.ndarray,
        augmented: np.ndarray,
        progress: bool,
    ) -> None:
        """Open the cache of a dataset's photos.

        Args:
            folder: holds the caches.
            backbone: EfficientNetB0 without its top.
            layers_to_unfreeze: where it is cut.
            recipes: n rows with image_path and photo_sha256.
            plain: int array, the rows of which the plain view is made.
            augmented: the same for the other views.
            progress: show bars.
        """
        cut = cut_above(backbone, layers_to_unfreeze)
        self.tail = keras.Model(backbone.get_layer(cut).output, backbone.output)
        self._cache = ActivationCache(
            folder,
            backbone,
            cut,
            [Path(path) for path in recipes["image_path"]],
            recipes["photo_sha256"].tolist(),
        )
        self._plain, self._augmented, self._progress = plain, augmented, progress

    def __len__(self) -> int:
        return self._cache.count

    def rows(self, view: int) -> np.ndarray:
        """The rows that a view is made of."""
        return self._augmented if view else self._plain

    def activations(self, view: int) -> np.ndarray:
        """Activations at the cut: float16, one a row; those of ``rows`` are made."""
        return self._cache.view(view, self.rows(view), self._progress)

    def fresh_activations(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Activations of new augmented views, computed now: float32, one a row."""
        return self._cache.fresh(rows, rng)

    def features(self, view: int) -> np.ndarray:
        """Pooled features of the frozen backbone: float32 (n, 1280), rows of length 1, or 0 where
        the view has none."""
        path = self._cache.folder / f"pooled-{view}.npy"
        shape = (self._cache.count, 1280)
        features = open_array(path, mapped=False) if derived_facts(path) else None
        if features is None or features.shape != shape:
            features = np.zeros(shape, np.float32)
        rows = self.rows(view)
        missing = rows[~features[rows].any(axis=1)]
        if len(missing) == 0:
            return features
        activations = self.activations(view)
        tail = forward_function(self.tail)

        def run(chunk: np.ndarray) -> None:
            pooled = tail(activations[chunk].astype(np.float32)).mean(axis=(1, 2))
            features[chunk] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)

        with ThreadPoolExecutor() as pool:
            list(pool.map(run, np.array_split(missing, -(-len(missing) // _BATCH))))
        with replacing(path) as beside:
            np.save(beside, features)
        note_derived(path, self._cache.folder.name)
        return features


class Joined:
    """The rows of several arrays, one array after another, without a copy of them all."""

    def __init__(self, parts: list[np.ndarray]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *map(len, parts)])

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Rows by their numbers: an array of int gives one row each."""
        rows = np.asarray(rows)
        found = np.empty((len(rows), *self._parts[0].shape[1:]), self._parts[0].dtype)
        of = np.searchsorted(self._starts, rows, side="right") - 1
        for number, part in enumerate(self._parts):
            chosen = of == number
            found[chosen] = part[rows[chosen] - self._starts[number]]
        return found
