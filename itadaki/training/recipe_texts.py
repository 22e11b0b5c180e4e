"""What the texts of recipes say, as vectors: of meaning where there is a sentence encoder, else of
words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from itadaki.models.known_words import KnownWords
from itadaki.models.sentence_encoder import sentence_embeddings
from itadaki.settings import Settings

Vectors: TypeAlias = np.ndarray | csr_matrix

_MEANINGS = 384  # dimensions of latent semantic analysis, as many as a small sentence encoder has
_INGREDIENT_WEIGHT = 0.25


@dataclass(frozen=True)
class RecipeTexts:
    """The texts of n recipes.

    Attributes:
        title: float32 of shape (n, d), rows of length 1 or 0, whose products are similarities.
        ingredients: the same of ingredients and keywords; rows of recipes without any are 0.
        dense: float32 array of shape (n, m), what a text tower maps into the photos' space.
        sentences: whether a sentence encoder said so, and not TF-IDF.
    """

    title: Vectors
    ingredients: Vectors
    dense: np.ndarray
    sentences: bool

    @classmethod
    def of_words(cls, titles: Sequence[str], ingredients: Sequence[Sequence[str]]) -> "RecipeTexts":
        """By TF-IDF, and its latent semantic analysis (Deerwester et al. 1990) for the tower.

        Words of a single recipe teach nothing and are left out, as are ingredients that a fifth
        of the lists name.
        """
        title = _tf_idf(titles, 2, 1.0)
        listed = _tf_idf([" ".join(items) for items in ingredients], 3, 0.2)
        stacked = hstack([title, _INGREDIENT_WEIGHT * listed], format="csr", dtype=np.float32)
        rank = min(_MEANINGS, *(size - 1 for size in stacked.shape))
        if rank > 0:
            svd = TruncatedSVD(rank, algorithm="arpack", random_state=0)
            dense = normalize(svd.fit_transform(stacked))
        else:
            dense = stacked.toarray()
        return cls(title, listed, dense.astype(np.float32), sentences=False)

    @classmethod
    def of_sentences(
        cls,
        titles: Sequence[str],
        ingredients: Sequence[Sequence[str]],
        settings: Settings,
        progress: bool,
    ) -> "RecipeTexts | None":
        """By the sentence encoder that the settings mean; None where it is not to be had.

        Raises:
            ItadakiError: the settings name a folder that holds none.
        """
        listed = [", ".join(items) for items in ingredients]
        embedded = sentence_embeddings([*titles, *listed], settings, progress)
        if embedded is None:
            return None
        title, ingredient = np.split(embedded, 2)
        return cls(title, ingredient, np.hstack([title, ingredient]), sentences=True)


def _tf_idf(texts: Sequence[str], min_df: int, max_df: float) -> csr_matrix:
    return KnownWords.fit(texts, min_df, max_df).transform(texts)
