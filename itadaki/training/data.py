"""What training reads: rows of the split, views of their photos, and what their texts say."""

import logging
from collections.abc import Sequence

import keras
import numpy as np
import pandas as pd

from itadaki.errors import ItadakiError
from itadaki.recipes.dataset import Dataset
from itadaki.settings import Settings
from itadaki.training.config import TrainingConfig
from itadaki.training.recipe_texts import RecipeTexts
from itadaki.training.text_neighbours import COPY_SIMILARITY, TextNeighbours
from itadaki.training.views import Joined, Views

_HELD_OUT = ("validation", "test", "sealed")
_log = logging.getLogger(__name__)


class TrainingData:
    """One recipe per photo of the training and validation splits, and the views of their photos.

    Attributes:
        dataset: where they come from; its recipes are the first rows.
        recipes: rows of the dataset, and then of those that are trained on beside it.
        train: int64 array, rows that are trained on.
        validation: int64 array, rows that choices are made on.
        watched: int64 array, rows whose dish class is left out of training and validation.
        tail: the backbone's blocks that phase 2 unfreezes, from activations to feature maps.
        texts: what the training rows' texts say, in their order.
        neighbours: text similarities of the training rows, in their order.
    """

    def __init__(
        self,
        dataset: Dataset,
        config: TrainingConfig,
        settings: Settings,
        backbone: keras.Model,
        progress: bool = True,
        also: Sequence[Dataset] = (),
    ) -> None:
        """Run the frozen part of the backbone over what has no features yet.

        Args:
            dataset: what is trained on, validated and tested with.
            config: the knobs.
            settings: the home that holds the caches, and the sentence encoder.
            backbone: EfficientNetB0 without its top.
            progress: show bars.
            also: datasets that are trained on beside it, whatever their splits, and never scored.

        Raises:
            ItadakiError: there are too few photos, or no such sentence encoder.
        """
        self.dataset = dataset
        folder = settings.home / "data" / "activations"
        kept, self._parts = [], []
        for one in (dataset, *also):
            recipes = one.recipes
            first = recipes["photo_group"].to_numpy() == np.arange(len(recipes))
            if one is dataset:
                # With the test photos, which only a measurement reads: it needs no second pass.
                augmented = np.flatnonzero(first & (recipes["split"] == "train").to_numpy())
            else:
                recipes = recipes.assign(split="train")
                augmented = np.flatnonzero(first)
            plain = np.flatnonzero(first)
            layers = config.layers_to_unfreeze
            self._parts.append(Views(folder, backbone, layers, recipes, plain, augmented, progress))
            kept.append(recipes.assign(first=first))
        self.tail = self._parts[0].tail
        self.recipes = pd.concat(kept, ignore_index=True)
        self._pooled: list[np.ndarray] = []
        split = self.recipes["split"].to_numpy()
        first = self.recipes["first"].to_numpy() & ~self._held_out_copies()
        left_out = self.recipes["dish_class"].isin(config.left_out_classes).to_numpy()
        self.train = np.flatnonzero(first & ~left_out & (split == "train"))
        self.validation = np.flatnonzero(first & ~left_out & (split == "validation"))
        own = np.arange(len(split)) < len(dataset.recipes)
        self.watched = np.flatnonzero(first & left_out & own & ~np.isin(split, ["test", "sealed"]))
        if len(self.train) < config.batch_size or len(self.validation) < 2:
            raise ItadakiError(
                f"This dataset has {len(self.train)} training and {len(self.validation)} "
                f"validation photos, too few to train on with BATCH_SIZE {config.batch_size}."
            )
        titles, ingredients = self.titles_and_ingredients(self.train)
        keywords = self.recipes["Keywords"].iloc[self.train]
        listed = [[*items, *words] for items, words in zip(ingredients, keywords, strict=True)]
        texts = None
        if config.texts == "sentences":
            texts = RecipeTexts.of_sentences(titles, listed, settings, progress)
        self.texts = texts or RecipeTexts.of_words(titles, listed)
        self.neighbours = TextNeighbours.of(
            self.texts,
            self.recipes["dish_class"].iloc[self.train].tolist(),
            self.features(0)[self.train],
        )

    def _held_out_copies(self) -> np.ndarray:
        """Which photos of other datasets are copies of photos that are held out: bool (n,)."""
        found = np.zeros(len(self.recipes), bool)
        count = len(self.dataset.recipes)
        if count == len(found):
            return found
        held_out = self.dataset.recipes["split"].isin(_HELD_OUT).to_numpy()
        features = self.features(0)
        against = features[:count][held_out].T
        for start in range(count, len(found), 1024):
            block = slice(start, start + 1024)
            found[block] = (features[block] @ against).max(axis=1) > COPY_SIMILARITY
        _log.info("%d photos look like held-out ones and are not trained on.", found.sum())
        return found

    def titles_and_ingredients(self, rows: np.ndarray) -> tuple[list[str], list[list[str]]]:
        """Titles and ingredient lists of rows."""
        chosen = self.recipes.iloc[rows]
        return chosen["Title"].tolist(), chosen["Ingredients"].tolist()

    def activations(self, view: int) -> Joined:
        """Activations at the cut: float16, one a row; see ``view_rows``."""
        return Joined([part.activations(view) for part in self._parts])

    def fresh_activations(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Activations of new augmented views, computed now: float32, one a row."""
        starts = np.cumsum([0, *map(len, self._parts)])
        of = np.searchsorted(starts, rows, side="right") - 1
        found = np.empty((len(rows), *self.tail.input.shape[1:]), np.float32)
        for number in np.unique(of):
            chosen = of == number
            own = rows[chosen] - starts[number]
            found[chosen] = self._parts[number].fresh_activations(own, rng)
        return found

    def view_rows(self, view: int) -> np.ndarray:
        """The dataset's rows that a view is made of; augmented ones are of training photos only."""
        return self._parts[0].rows(view)

    def features(self, view: int) -> np.ndarray:
        """Pooled features of the frozen backbone: float32 (n, 1280), rows of length 1, or 0 where
        the view has none."""
        while len(self._pooled) <= view:
            found = [part.features(len(self._pooled)) for part in self._parts]
            self._pooled.append(np.concatenate(found) if len(found) > 1 else found[0])
        return self._pooled[view]
