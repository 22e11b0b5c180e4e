"""The dishes and ingredients that a photo itself points at, in the space of photos and texts."""

import numpy as np

from itadaki.index.words import WordIndex
from itadaki.models.text_encoder import TextEncoder
from itadaki.recipes.glossary import is_basic, units, written_forms

MOST = 5
"""Words that are told of a photo."""
_PRIOR = 1.0
"""How much the logarithm of a word's share of the recipes counts beside how far the photo lies in
its direction, in standard deviations. On validation the first five are right more often with more
(0.28 of them at 0.5, 0.37 at 1, 0.41 at 2, the five commonest words 0.36), but the same few words
are told of every photo (217 of 244 words are told at all, 137, 56)."""
_COMMON, _FEWEST = 0.005, 3  # recipes that name a word, as a share and at least
_SAMPLE = 1024  # photos that tell what is usual
_NO_FOOD = (
    "baked barbecue boiled braised breaded candied creamy crispy fried fresh frozen glazed "
    "homemade hot cold marinated pickled raw salted smoked sour spicy steamed stuffed sweet "
    "toasted whole roast mashed sliced dairy lactose gluten wheat vegetarian vegan"
)
"""What the glossary has beside the names of dishes and ingredients."""


class SeenWords:
    """Tells what a photo looks like in words that the recipes of a bank use.

    Attributes:
        words: m names of dishes and ingredients in English, as the glossary has them.
    """

    def __init__(self, index: WordIndex, encoder: TextEncoder, photos: np.ndarray) -> None:
        """Embed the words of a bank.

        Args:
            index: of the bank's recipes.
            encoder: puts words where the photos are.
            photos: float32 array of shape (n, d), the bank's photos.
        """
        count = len(photos)
        known = {name for form in written_forms() for unit in units(form) for name in unit.concepts}
        named = {
            name: int(np.count_nonzero(index.naming(name)))
            for name in sorted(known.difference(_NO_FOOD.split()))
            if not is_basic(name)
        }
        fewest = max(_FEWEST, _COMMON * count)
        self.words = [name for name, recipes in named.items() if recipes >= fewest]
        self._index = index
        self._directions = encoder.encode(self.words, [[name] for name in self.words])
        sample = photos[np.unique(np.linspace(0, count - 1, _SAMPLE).astype(int))] if count else ()
        usual = np.asarray(sample).reshape(-1, photos.shape[1]) @ self._directions.T
        if self.words:
            self._mean, self._spread = usual.mean(axis=0), np.maximum(usual.std(axis=0), 1e-6)
            self._prior = _PRIOR * np.log([named[name] / count for name in self.words])

    def of(self, photo: np.ndarray) -> tuple[str, ...]:
        """What a photo points at most, best first: of its embedding, float32 array (d,)."""
        if not self.words:
            return ()
        scores = (self._directions @ photo - self._mean) / self._spread + self._prior
        return tuple(self.words[row] for row in np.argsort(-scores, kind="stable")[:MOST])

    def named_by(self, words: tuple[str, ...], rows: list[int]) -> list[tuple[str, ...]]:
        """Which of the words each of some recipes has in its title or among its ingredients."""
        naming = {word: self._index.naming(word)[rows] for word in words}
        return [tuple(word for word in words if naming[word][at]) for at in range(len(rows))]
