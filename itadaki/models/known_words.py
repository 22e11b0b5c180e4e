"""TF-IDF by words that are known, as scikit-learn fits it, without loading scikit-learn.

Loading it takes a second and 96 MB, for a service that asks for the words of one title.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

_WORD = r"(?u)\b[^\W\d_]{3,}\b"


class KnownWords:
    """Words of three letters or more, and how much each counts.

    Attributes:
        words: n words, without accents and capitals.
        idf: float64 array (n,), their inverse document frequencies.
    """

    def __init__(self, words: Sequence[str], idf: np.ndarray) -> None:
        self.words, self.idf = list(words), idf
        self._column = {word: column for column, word in enumerate(self.words)}

    @classmethod
    def fit(cls, texts: Sequence[str], min_df: int, max_df: float) -> "KnownWords":
        """Learn the words of texts; where none occurs often enough, all of them.

        Args:
            texts: what is learned from; empty ones do not count, else every word would look rare.
            min_df: words that fewer texts hold are left out.
            max_df: words that a larger share of the texts hold are left out.
        """
        known = [text for text in texts if text]
        try:
            fitted = vectorizer(min_df, max_df).fit(known)
        except ValueError:
            fitted = vectorizer().fit([*known, "food"])
        return cls(fitted.get_feature_names_out().tolist(), fitted.idf_)

    def in_text(self, text: str) -> list[str]:
        """All words of a text, known or not, in their order, but for English stop words."""
        found: list[str] = vectorizer().build_analyzer()(text)
        return found

    def transform(self, texts: Sequence[str]) -> "csr_matrix":
        """What a fitted ``vectorizer`` gives: float32 (texts, n), rows of length 1, or 0."""
        from scipy.sparse import csr_matrix

        starts, columns, values = [0], list[int](), list[float]()
        for text in texts:
            plain = unicodedata.normalize("NFKD", text.lower())
            plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
            found = Counter(
                column
                for word in re.findall(_WORD, plain)
                if (column := self._column.get(word)) is not None
            )
            weights = [(1 + math.log(n)) * self.idf[column] for column, n in found.items()]
            length = math.sqrt(sum(weight * weight for weight in weights))
            columns += found
            values += [weight / length for weight in weights]
            starts.append(len(columns))
        shape = (len(starts) - 1, len(self.words))
        return csr_matrix((np.array(values, np.float32), columns, starts), shape)


def vectorizer(
    min_df: int = 1, max_df: float = 1.0, dtype: DTypeLike = np.float32
) -> "TfidfVectorizer":
    """TF-IDF of English words of three letters or more, rows of length 1.

    Args:
        min_df: words that fewer texts hold are left out.
        max_df: words that a larger share of the texts hold are left out.
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
        dtype=dtype,
    )
