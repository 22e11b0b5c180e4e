"""The word table: what words mean, learned once from a sentence encoder, looked up since."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from zlib import crc32

import numpy as np

from itadaki.recipes.glossary import Unit
from itadaki.recipes.ingredients import folded, stem

_FIELDS = ("words", "vectors", "weights", "food", "grams")


class WordTable:
    """A vector, a weight and how much it speaks of food for each word (static embeddings: Tulkens
    and van Dongen 2024, *Model2Vec*).

    Words are kept by their stems. One that it lacks is put together of its groups of letters
    (Bojanowski et al. 2017), so that each has a vector.

    Attributes:
        words: n words and phrases, as ``key_of`` writes them, each once.
        vectors: int8 array of shape (n, d).
        weights: float16 array (n,): how much a word counts beside others, more where it is rare.
        food: float16 array (n,): above zero for words of food, below for others.
        grams: int8 array (buckets, d), of groups of letters by their hash.
    """

    def __init__(
        self,
        words: Sequence[str],
        vectors: np.ndarray,
        weights: np.ndarray,
        food: np.ndarray,
        grams: np.ndarray,
    ) -> None:
        self.words = list(words)
        self.vectors, self.weights, self.food, self.grams = vectors, weights, food, grams

    @property
    def dimension(self) -> int:
        """Of the vectors."""
        return int(self.vectors.shape[1])

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {word: row for row, word in enumerate(self.words)}

    def row(self, word: str) -> int | None:
        """Where a word or phrase is; None where the table lacks it."""
        return self._rows.get(key_of(word))

    def vector(self, unit: Unit) -> np.ndarray:
        """The weighted vector of a word or phrase: float32 (d,)."""
        rows = self.rows(unit)
        if rows:
            mean = _unit(self.vectors[rows].astype(np.float32)).mean(axis=0)
            weighted: np.ndarray = mean * self.weights[rows].astype(np.float32).mean()
            return weighted
        said = key_of(" ".join(unit.words))
        buckets = [gram % len(self.grams) for gram in grams_of(said)]
        # What nobody has seen says little for certain.
        return _unit(self.grams[buckets].astype(np.float32).sum(axis=0))

    def rows(self, unit: Unit) -> list[int]:
        """The rows of what a unit means, or of its words where the glossary lacks it."""
        found = [self.row(name) for name in unit.concepts or unit.words]
        return [row for row in found if row is not None]

    def speaks_of_food(self, unit: Unit) -> float | None:
        """Above zero for food, below for other things; None for words that the table lacks."""
        rows = self.rows(unit)
        return float(self.food[rows].max()) if rows else None

    def encode(self, texts: Sequence[Sequence[Unit]]) -> np.ndarray:
        """Embed n texts, taken apart into units: float32 (n, d), rows of length 1 or 0."""
        rows = np.zeros((len(texts), self.dimension), np.float32)
        known: dict[Unit, np.ndarray] = {}
        for row, text in zip(rows, texts, strict=True):
            for unit in text:
                if unit not in known:
                    known[unit] = self.vector(unit)
                row += known[unit]
        return _unit(rows)

    def arrays(self) -> dict[str, np.ndarray]:
        """What a file keeps of it."""
        text = np.frombuffer("\n".join(self.words).encode(), np.uint8)
        values = (text, self.vectors, self.weights, self.food, self.grams)
        return {f"table_{name}": value for name, value in zip(_FIELDS, values, strict=True)}

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> "WordTable":
        """The opposite of ``arrays``.

        Raises:
            KeyError: an array is missing.
            ValueError: they do not fit together.
        """
        text, vectors, weights, food, grams = (arrays[f"table_{name}"] for name in _FIELDS)
        words = text.tobytes().decode().split("\n")
        shaped = vectors.ndim == grams.ndim == 2 and vectors.shape[1] == grams.shape[1]
        lengths = {len(words), len(vectors), len(weights), len(food)}
        types = vectors.dtype == grams.dtype == np.int8
        if not shaped or not types or len(lengths) > 1 or not len(grams):
            raise ValueError("its word table's shapes do not match")
        return cls(words, vectors, weights, food, grams)


def key_of(word: str) -> str:
    """By what a table knows a word or a phrase: its stems."""
    return " ".join(map(stem, folded(word).split()))


def grams_of(word: str) -> list[int]:
    """Hashes of all groups of three and four letters of a word, its ends marked."""
    marked = f"<{word}>"
    return [
        crc32(marked[start : start + size].encode())
        for size in (3, 4)
        for start in range(max(len(marked) - size + 1, 1))
    ]


def _unit(rows: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(length > 1e-6, length, 1), np.float32)
