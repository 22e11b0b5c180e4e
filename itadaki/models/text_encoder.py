"""The text encoder: recipe texts into the space of the photos' embeddings."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from itadaki.errors import ArtifactError, reason
from itadaki.storage.files import replacing

if TYPE_CHECKING:  # importing scikit-learn takes as long as all the rest of a service's start
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    _Vectorizers = Mapping[str, TfidfVectorizer] | Callable[[], Mapping[str, TfidfVectorizer]]

INGREDIENT_WEIGHT = 0.25
"""How much the words of an ingredient list count beside those of a title."""

_WORD = r"(?u)\b[^\W\d_]{3,}\b"
_FIELDS = ("title", "ingredients")


class TextEncoder:
    """A linear map on the TF-IDF of a title and of an ingredient list, then L2 norm.

    It needs neither TensorFlow nor Keras. Words that the training texts did not hold are passed
    over.

    Attributes:
        matrix: float32 array of shape (words, dimension), the titles' words first.
    """

    def __init__(self, vectorizers: "_Vectorizers", matrix: np.ndarray) -> None:
        """Join both; ``vectorizers`` may be a function that makes them when they are needed."""
        self._given_vectorizers = vectorizers
        self.matrix = matrix

    @cached_property
    def vectorizers(self) -> "dict[str, TfidfVectorizer]":
        """One for titles, one for ingredients."""
        given = self._given_vectorizers
        return dict(given() if callable(given) else given)

    @classmethod
    def fit(
        cls, titles: Sequence[str], ingredients: Sequence[Sequence[str]], dimension: int
    ) -> "TextEncoder":
        """Learn the words of the training texts, and their map by latent semantic analysis.

        The map is where training starts (Deerwester et al. 1990: the singular vectors of TF-IDF,
        which keep its products as well as so many dimensions can). Words of a single recipe teach
        nothing and are left out, as are ingredients that a fifth of the lists name.
        """
        vectorizers = {"title": vectorizer(min_df=2), "ingredients": vectorizer(3, 0.2)}
        for name, texts in zip(_FIELDS, (titles, _joined(ingredients)), strict=True):
            # Empty texts must not count: they would make every word look rare.
            known = [text for text in texts if text]
            try:
                vectorizers[name].fit(known)
            except ValueError:  # no word occurs often enough
                vectorizers[name] = vectorizer().fit([*known, "food"])
        titles_words, ingredient_words = (len(vectorizers[name].vocabulary_) for name in _FIELDS)
        weights = np.repeat([1, INGREDIENT_WEIGHT], [titles_words, ingredient_words])
        encoder = cls(vectorizers, np.zeros((len(weights), dimension), np.float32))
        vectors = encoder.vectors(titles, ingredients).multiply(weights.astype(np.float32)).tocsr()
        rank = min(dimension, *(size - 1 for size in vectors.shape))
        if rank > 0:
            from sklearn.decomposition import TruncatedSVD

            svd = TruncatedSVD(rank, algorithm="arpack", random_state=0).fit(vectors)
            encoder.matrix[:, :rank] = (svd.components_ * weights).T
        return encoder

    def vectors(self, titles: Sequence[str], ingredients: Sequence[Sequence[str]]) -> "csr_matrix":
        """TF-IDF of n recipes: float32 of shape (n, words), titles and ingredients each of length
        1, or 0 where the text is empty or unknown."""
        from scipy.sparse import hstack

        parts = (titles, _joined(ingredients))
        stacked = [
            self.vectorizers[name].transform(part)
            for name, part in zip(_FIELDS, parts, strict=True)
        ]
        return hstack(stacked, format="csr", dtype=np.float32)

    def encode(self, titles: Sequence[str], ingredients: Sequence[Sequence[str]]) -> np.ndarray:
        """Embed recipe texts.

        Args:
            titles: n titles, or what a user searches for in words.
            ingredients: n lists of ingredients, which may be empty.

        Returns:
            float32 array of shape (n, dimension); rows have length 1, or 0 where no word is known.
        """
        rows = np.asarray(self.vectors(titles, ingredients) @ self.matrix, dtype=np.float32)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(length > 1e-6, length, 1)

    def coverage(self, titles: Sequence[str]) -> np.ndarray:
        """What part of each title's words is known, 0 to 1: float32 array of shape (n,).

        A title of unknown words says little about the dish even if one of them is known: *Tom
        Kha Soup* is not just any soup.
        """
        title = self.vectorizers["title"]
        known = set(title.get_feature_names_out())
        words = map(title.build_analyzer(), titles)
        shares = [np.mean([word in known for word in said]) if said else 0 for said in words]
        return np.array(shares, np.float32)

    def save(self, path: Path) -> None:
        """Write words, weights and matrix (as float16) to an ``.npz`` without pickles."""
        arrays: dict[str, Any] = {"matrix": self.matrix.astype(np.float16)}
        for name, one in self.vectorizers.items():
            words = one.get_feature_names_out().astype(str)
            arrays |= {f"{name}_words": words, f"{name}_idf": one.idf_.astype(np.float32)}
        with replacing(path) as beside, beside.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> "TextEncoder":
        """Read what ``save`` wrote.

        Raises:
            ArtifactError: the file is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                matrix = arrays["matrix"].astype(np.float32)
                words = {name: arrays[f"{name}_words"].tolist() for name in _FIELDS}
                weights = {name: arrays[f"{name}_idf"].astype(np.float64) for name in _FIELDS}
        except Exception as error:  # a damaged archive makes NumPy and zipfile raise their own
            raise ArtifactError(f"{path} is not a usable text encoder ({reason(error)}).") from None
        if (
            matrix.ndim != 2
            or len(matrix) != sum(map(len, words.values()))
            or any(weights[name].shape != (len(words[name]),) for name in _FIELDS)
        ):
            raise ArtifactError(f"{path} is not a usable text encoder (its shapes do not match).")

        def vectorizers() -> dict[str, "TfidfVectorizer"]:
            made = {name: vectorizer(vocabulary=words[name]) for name in _FIELDS}
            for name, one in made.items():
                one.idf_ = weights[name]
            return made

        return cls(vectorizers, matrix)


def vectorizer(
    min_df: int = 1,
    max_df: float = 1.0,
    vocabulary: list[str] | None = None,
    dtype: DTypeLike = np.float32,
) -> "TfidfVectorizer":
    """TF-IDF of English words of three letters or more, rows of length 1.

    Args:
        min_df: words that fewer texts hold are left out.
        max_df: words that a larger share of the texts hold are left out.
        vocabulary: the words, where they are known.
        dtype: of the vectors.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        stop_words="english",
        token_pattern=_WORD,
        sublinear_tf=True,
        strip_accents="unicode",
        min_df=min_df,
        max_df=max_df,
        vocabulary=vocabulary,
        dtype=dtype,
    )


def _joined(ingredients: Sequence[Sequence[str]]) -> list[str]:
    return [" ".join(items) for items in ingredients]
