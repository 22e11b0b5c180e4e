"""The text encoder: recipe texts into the space of the photos' embeddings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itadaki.errors import ArtifactError, reason
from itadaki.models.known_words import KnownWords
from itadaki.models.word_table import WordTable
from itadaki.recipes.glossary import in_english, units
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.storage.files import replacing
from itadaki.variants import VARIANTS, Artifacts

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_TOWER_PENALTY, _WORDS_PENALTY = 10.0, 3.0
_READ = 4000
"""Characters of an ingredient list that the table's part looks at."""

_FIELDS = ("title", "ingredients")


class TextEncoder:
    """A linear map on the words of a title and of an ingredient list, then L2 norm.

    It needs neither TensorFlow nor Keras. The map is the sum of two: one on the TF-IDF of the
    words that training saw, and one on the vectors of a word table, which knows many more, also
    of other languages. Without a table, words that training did not see are passed over.

    Attributes:
        words: those of titles and of ingredients.
        matrix: float32 array of shape (words, dimension), the titles' words first.
        table: the word table, if there is one.
        tower: float32 array of shape (2 * the table's dimension, dimension), for title and
            ingredients; with a table only.
    """

    def __init__(
        self,
        words: Mapping[str, KnownWords],
        matrix: np.ndarray,
        table: WordTable | None = None,
        tower: np.ndarray | None = None,
    ) -> None:
        """Join these; ``words`` are those of titles and of ingredients, by these names."""
        self.words = dict(words)
        # Rows that are not in a row are copied for each product with a sparse matrix.
        self.matrix = np.ascontiguousarray(matrix)
        self.table, self.tower = table, tower

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

        words = {
            "title": KnownWords.fit(titles, 2, 1.0),
            "ingredients": KnownWords.fit(_joined(ingredients), 3, 0.2),
        }
        encoder = cls(words, np.zeros((0, targets.shape[1]), np.float32))
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
        return cls(words, matrix, table, tower)

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
            self.words[name].transform(part) for name, part in zip(_FIELDS, parts, strict=True)
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
        title = self.words["title"]
        known = set(title.words)
        words = map(title.in_text, titles)
        shares = [np.mean([word in known for word in said]) if said else 0 for said in words]
        return np.array(shares, np.float32)

    def save(self, path: Path) -> None:
        """Write words, weights and matrix (as float16) to an ``.npz`` without pickles."""
        arrays: dict[str, Any] = {"matrix": self.matrix.astype(np.float16)}
        for name, known in self.words.items():
            words = np.array(known.words, str)
            arrays |= {f"{name}_words": words, f"{name}_idf": known.idf.astype(np.float32)}
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

        known = {name: KnownWords(words[name], weights[name]) for name in _FIELDS}
        return cls(known, matrix, table, tower)


def shipped_table() -> WordTable | None:
    """The word table that ft's text encoder in this checkout has, if there is one."""
    shipped = Artifacts(VARIANTS["ft"], Settings(_env_file=None, home=PROJECT_ROOT)).text_encoder
    return TextEncoder.load(shipped).table if shipped.exists() else None


def _joined(ingredients: Sequence[Sequence[str]]) -> list[str]:
    return [" ".join(items) for items in ingredients]
