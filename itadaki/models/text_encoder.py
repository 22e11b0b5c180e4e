"""The text encoder: recipe texts into the space of the photos' embeddings."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from itadaki.errors import ArtifactError, reason
from itadaki.models.word_table import WordTable
from itadaki.recipes.glossary import in_english, units
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.storage.files import replacing
from itadaki.variants import VARIANTS, Artifacts

if TYPE_CHECKING:  # importing scikit-learn takes as long as all the rest of a service's start
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    _Vectorizers = Mapping[str, TfidfVectorizer] | Callable[[], Mapping[str, TfidfVectorizer]]

_TOWER_PENALTY, _WORDS_PENALTY = 10.0, 3.0
_READ = 4000
"""Characters of an ingredient list that the table's part looks at."""

_WORD = r"(?u)\b[^\W\d_]{3,}\b"
_FIELDS = ("title", "ingredients")


class TextEncoder:
    """A linear map on the words of a title and of an ingredient list, then L2 norm.

    It needs neither TensorFlow nor Keras. The map is the sum of two: one on the TF-IDF of the
    words that training saw, and one on the vectors of a word table, which knows many more, also
    of other languages. Without a table, words that training did not see are passed over.

    Attributes:
        matrix: float32 array of shape (words, dimension), the titles' words first.
        table: the word table, if there is one.
        tower: float32 array of shape (2 * the table's dimension, dimension), for title and
            ingredients; with a table only.
    """

    def __init__(
        self,
        vectorizers: "_Vectorizers",
        matrix: np.ndarray,
        table: WordTable | None = None,
        tower: np.ndarray | None = None,
    ) -> None:
        """Join these; ``vectorizers`` may be a function that makes them when they are needed."""
        self._given_vectorizers = vectorizers
        # Rows that are not in a row are copied for each product with a sparse matrix.
        self.matrix = np.ascontiguousarray(matrix)
        self.table, self.tower = table, tower

    @cached_property
    def vectorizers(self) -> "dict[str, TfidfVectorizer]":
        """One for titles, one for ingredients."""
        given = self._given_vectorizers
        return dict(given() if callable(given) else given)

    @classmethod
    def fit(
        cls,
        titles: Sequence[str],
        ingredients: Sequence[Sequence[str]],
        targets: np.ndarray,
        table: WordTable | None = None,
    ) -> "TextEncoder":
        """Learn by ridge regression to put texts where a trained model has the recipes.

        The table's map comes first; the words' own rows learn what it leaves. Words of a single
        recipe teach nothing and are left out, as are ingredients that a fifth of the lists name.

        Args:
            titles: n titles.
            ingredients: n lists, which may be empty.
            targets: float32 array of shape (n, dimension), rows of length 1.
            table: what the words mean.
        """
        from sklearn.linear_model import Ridge

        vectorizers = {"title": vectorizer(min_df=2), "ingredients": vectorizer(3, 0.2)}
        for name, texts in zip(_FIELDS, (titles, _joined(ingredients)), strict=True):
            # Empty texts must not count: they would make every word look rare.
            known_texts = [text for text in texts if text]
            try:
                vectorizers[name].fit(known_texts)
            except ValueError:  # no word occurs often enough
                vectorizers[name] = vectorizer().fit([*known_texts, "food"])
        encoder = cls(vectorizers, np.zeros((0, targets.shape[1]), np.float32))
        left, said, tower = targets, list(titles), None
        if table:
            title, listed = encoder._table_vectors(titles, ingredients, table)
            # Once with the title alone: that is what a list that is missing or a search looks like.
            seen = np.vstack([np.hstack([title, listed]), np.hstack([title, 0 * listed])])
            wanted = np.vstack([targets, targets])
            known = seen.any(axis=1)
            ridge = Ridge(_TOWER_PENALTY, fit_intercept=False).fit(seen[known], wanted[known])
            tower = np.asarray(ridge.coef_.T, np.float32)
            left = targets - np.hstack([title, listed]) @ tower
            said = list(map(in_english, titles))
        rest = Ridge(_WORDS_PENALTY, fit_intercept=False, solver="sparse_cg", tol=1e-2, max_iter=40)
        matrix = np.asarray(rest.fit(encoder.vectors(said, ingredients), left).coef_.T, np.float32)
        return cls(vectorizers, matrix, table, tower)

    @staticmethod
    def _table_vectors(
        titles: Sequence[str], ingredients: Sequence[Sequence[str]], table: WordTable
    ) -> list[np.ndarray]:
        texts = (titles, [", ".join(items)[:_READ] for items in ingredients])
        return [table.encode([units(text) for text in part]) for part in texts]

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
        said = titles if self.table is None else list(map(in_english, titles))
        rows = np.asarray(self.vectors(said, ingredients) @ self.matrix, dtype=np.float32)
        if self.table is not None:
            assert self.tower is not None
            rows += np.hstack(self._table_vectors(titles, ingredients, self.table)) @ self.tower
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(length > 1e-6, length, 1)

    def coverage(self, titles: Sequence[str]) -> np.ndarray:
        """What part of each title's words is known, 0 to 1: float32 array of shape (n,).

        A title of unknown words says little about the dish even if one of them is known: *Tom
        Kha Soup* is not just any soup.
        """
        if table := self.table:
            shares = [
                np.mean([bool(table.rows(unit)) for unit in said]) if said else 0
                for said in map(units, titles)
            ]
            return np.array(shares, np.float32)
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
        if self.table is not None and self.tower is not None:
            arrays |= self.table.arrays() | {"tower": self.tower.astype(np.float16)}
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
                table = WordTable.of(arrays) if "tower" in arrays else None
                tower = arrays["tower"].astype(np.float32) if table else None
        except Exception as error:  # a damaged archive makes NumPy and zipfile raise their own
            raise ArtifactError(f"{path} is not a usable text encoder ({reason(error)}).") from None
        if (
            matrix.ndim != 2
            or len(matrix) != sum(map(len, words.values()))
            or any(weights[name].shape != (len(words[name]),) for name in _FIELDS)
            or (
                (table and tower is not None)
                and tower.shape != (2 * table.dimension, matrix.shape[1])
            )
        ):
            raise ArtifactError(f"{path} is not a usable text encoder (its shapes do not match).")

        def vectorizers() -> dict[str, "TfidfVectorizer"]:
            made = {name: vectorizer(vocabulary=words[name]) for name in _FIELDS}
            for name, one in made.items():
                one.idf_ = weights[name]
            return made

        return cls(vectorizers, matrix, table, tower)


def shipped_table() -> WordTable | None:
    """The word table that ft's text encoder in this checkout has, if there is one."""
    shipped = Artifacts(VARIANTS["ft"], Settings(_env_file=None, home=PROJECT_ROOT)).text_encoder
    return TextEncoder.load(shipped).table if shipped.exists() else None


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
