"""What training reads: rows of the split, views of their photos, and what their texts say."""

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
from scipy.sparse import csr_matrix, vstack
from scipy.special import softmax

from itadaki.errors import ItadakiError
from itadaki.models.text_encoder import TextEncoder
from itadaki.recipes.dataset import Dataset
from itadaki.settings import Settings
from itadaki.storage.files import derived_facts, note_derived, open_array, replacing
from itadaki.training.activations import ActivationCache, cut_above, forward_function
from itadaki.training.config import TrainingConfig
from itadaki.training.text_neighbours import TextNeighbours

_BATCH = 64
_LOOK_ALIKES, _LOOK_ALIKE_TEMPERATURE = 20, 0.05


class TrainingData:
    """One recipe per photo of the training and validation splits, and the views of their photos.

    Attributes:
        dataset: where they come from.
        train: int64 array, rows of the dataset that are trained on.
        validation: int64 array, rows that choices are made on.
        watched: int64 array, rows whose dish class is left out of training and validation.
        tail: the backbone's blocks that phase 2 unfreezes, from activations to feature maps.
        encoder: the text encoder, fitted to the training texts and not trained yet.
        neighbours: text similarities of the training rows, in their order.
    """

    def __init__(
        self,
        dataset: Dataset,
        config: TrainingConfig,
        settings: Settings,
        backbone: keras.Model,
        progress: bool = True,
    ) -> None:
        recipes = dataset.recipes
        self.dataset, self._config, self._progress = dataset, config, progress
        first = recipes["photo_group"].to_numpy() == np.arange(len(recipes))
        left_out = recipes["dish_class"].isin(config.left_out_classes).to_numpy()
        split = recipes["split"].to_numpy()
        self.train = np.flatnonzero(first & ~left_out & (split == "train"))
        self.validation = np.flatnonzero(first & ~left_out & (split == "validation"))
        self.watched = np.flatnonzero(first & left_out & (split != "test"))
        self._views_of = np.flatnonzero(first & (split == "train"))
        # With the test photos, which only a measurement reads: it then needs no second pass.
        self._plain_of = np.flatnonzero(first)
        if len(self.train) < config.batch_size or len(self.validation) < 2:
            raise ItadakiError(
                f"This dataset has {len(self.train)} training and {len(self.validation)} "
                f"validation photos, too few to train on with BATCH_SIZE {config.batch_size}."
            )
        cut = cut_above(backbone, config.layers_to_unfreeze)
        self.tail = keras.Model(backbone.get_layer(cut).output, backbone.output)
        self._cache = ActivationCache(
            settings.home / "data" / "activations",
            backbone,
            cut,
            [Path(path) for path in recipes["image_path"]],
            recipes["photo_sha256"].tolist(),
        )
        self._pooled: list[np.ndarray] = []
        titles, ingredients = self.texts(self.train)
        self.encoder = TextEncoder.fit(titles, ingredients, config.embedding_dim)
        plain = self.features(0)[self.train]
        self.neighbours = TextNeighbours.of(
            self.encoder,
            titles,
            ingredients,
            recipes["dish_class"].iloc[self.train].tolist(),
            plain,
        )

    @cached_property
    def look_alikes(self) -> csr_matrix:
        """The frozen backbone's nearest training photos of each training photo, copies left out.

        Sparse float32 array of shape (n, n), in the training rows' order; rows are the softmax of
        the nearest photos' cosine similarities and sum to 1.
        """
        raw = self.features(0)[self.train]
        near = min(_LOOK_ALIKES, len(raw) - 1)
        blocks = []
        for start in range(0, len(raw), 1024):
            similarities = raw[start : start + 1024] @ raw.T
            similarities[self.neighbours.copies[start : start + 1024].toarray()] = -1
            columns = np.argpartition(-similarities, near - 1, axis=1)[:, :near]
            weights = softmax(
                np.take_along_axis(similarities, columns, axis=1) / _LOOK_ALIKE_TEMPERATURE, axis=1
            )
            starts = np.arange(len(columns) + 1) * near
            blocks.append(
                csr_matrix((weights.ravel(), columns.ravel(), starts), (len(columns), len(raw)))
            )
        return vstack(blocks, format="csr")

    def texts(self, rows: np.ndarray) -> tuple[list[str], list[list[str]]]:
        """Titles and ingredient lists of rows of the dataset."""
        chosen = self.dataset.recipes.iloc[rows]
        return chosen["Title"].tolist(), chosen["Ingredients"].tolist()

    def activations(self, view: int) -> np.ndarray:
        """Activations at the cut: float16, one a row of the dataset; see ``view_rows``."""
        return self._cache.view(view, self.view_rows(view), self._progress)

    def fresh_activations(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Activations of new augmented views, computed now: float32, one a row."""
        return self._cache.fresh(rows, rng)

    def view_rows(self, view: int) -> np.ndarray:
        """The rows that a view is made of: augmented views are of training photos only."""
        return self._views_of if view else self._plain_of

    def features(self, view: int) -> np.ndarray:
        """Pooled features of the frozen backbone: float32 (rows of the dataset, 1280), rows of
        length 1, or 0 where the view has none."""
        while len(self._pooled) <= view:
            self._pooled.append(self._pool(len(self._pooled)))
        return self._pooled[view]

    def _pool(self, view: int) -> np.ndarray:
        path = self._cache.folder / f"pooled-{view}.npy"
        shape = (len(self.dataset.recipes), 1280)
        features = open_array(path, mapped=False) if derived_facts(path) else None
        if features is None or features.shape != shape:
            features = np.zeros(shape, np.float32)
        rows = self.view_rows(view)
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
