"""Make the word table of a text encoder from a sentence encoder: ``python -m tools.word_table``.

Needed once, not to serve or to train: the shipped text encoder holds the table. Each word of a
vocabulary is embedded by the sentence encoder, then PCA with partly levelled variances, a weight
by how rare the word is in recipes, and a line between words of food and others.
"""

import argparse
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from itadaki.models.word_table import WordTable, grams_of, key_of
from itadaki.recipes import glossary
from itadaki.recipes.dataset import load_dataset
from itadaki.settings import Settings

DIMENSION = 192
LEVELLING = 0.5
"""0 keeps the variances of the principal components, 1 makes them all alike."""
BUCKETS = 4096
GENERAL_WORDS = 9000
"""Frequent words of each language that are taken in, whether they are of food or not."""
LANGUAGES = ("en", "fr", "de", "es", "it")
_WORD = re.compile(r"[^\W\d_]{2,}")
_LATIN = re.compile(r"[a-zß-öø-ÿœ]{3,}")


def counts_in(texts: Iterable[str]) -> Counter[str]:
    """How many of the texts hold each word."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(_WORD.findall(text.lower())))
    return counts


def vocabulary(counts: Counter[str]) -> list[str]:
    """Words of recipes, then of the glossary, then frequent ones of five languages."""
    from wordfreq import top_n_list

    words = dict.fromkeys(
        word for word, count in counts.most_common() if count > 1 or len(word) > 3
    )
    words |= dict.fromkeys(glossary.written_forms())
    general = [top_n_list(language, GENERAL_WORDS) for language in LANGUAGES]
    for rank in range(GENERAL_WORDS):
        for words_of in general:
            if rank < len(words_of) and _LATIN.fullmatch(words_of[rank]):
                words.setdefault(words_of[rank])
    return list(words)


def table_of(
    words: Sequence[str], embedded: np.ndarray, counts: Counter[str], recipes: int
) -> WordTable:
    """The table of n words.

    Args:
        words: n words; the first of those with the same stem counts.
        embedded: float array (n, teacher's dimension).
        counts: how many recipes hold each word.
        recipes: how many there were.
    """
    first: dict[str, int] = {}
    for place, word in enumerate(words):
        first.setdefault(key_of(word), place)
    names, places = list(first), list(first.values())
    rows = embedded[places].astype(np.float32)
    rows -= rows.mean(axis=0)
    variances, axes = np.linalg.eigh(rows.T @ rows / len(rows))
    best = np.argsort(-variances)[:DIMENSION]
    vectors = rows @ (axes[:, best] * variances[best] ** (-LEVELLING / 2))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    of_stem: dict[str, int] = {}
    for word, count in counts.items():
        of_stem[key_of(word)] = max(count, of_stem.get(key_of(word), 0))
    held = np.array([of_stem.get(name, 0) for name in names])
    weights = np.maximum(0.3, np.log((recipes + 1) / (held + 5)))
    forms = {key_of(form) for form in glossary.written_forms()}
    of_food = np.array([name in forms for name in names]) | (held > 4)
    line = LogisticRegression(class_weight="balanced", C=10, max_iter=300).fit(vectors, of_food)
    food = line.decision_function(vectors)
    return WordTable(
        names,
        _bytes(vectors),
        weights.astype(np.float16),
        food.astype(np.float16),
        _bytes(gram_vectors(names, vectors)),
    )


def gram_vectors(words: Sequence[str], vectors: np.ndarray) -> np.ndarray:
    """For each bucket of letter groups a vector, so that a word's sum up to the word's."""
    places = [(row, gram % BUCKETS) for row, word in enumerate(words) for gram in grams_of(word)]
    at = np.array(places).T
    held = csr_matrix((np.ones(at.shape[1], np.float32), at), shape=(len(words), BUCKETS))
    normal = (held.T @ held).toarray()
    normal[np.diag_indices(BUCKETS)] += 3.0
    from scipy.linalg import solve

    return np.asarray(solve(normal, held.T @ vectors, assume_a="pos", overwrite_a=True))


def sentence_encoder(folder: Path) -> Callable[[list[str]], np.ndarray]:
    """The teacher: a folder that the package sentence-transformers can read."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder))
    return lambda texts: np.asarray(model.encode(texts, batch_size=64, show_progress_bar=True))


def _bytes(rows: np.ndarray) -> np.ndarray:
    largest = np.abs(rows).max(axis=1, keepdims=True)
    return np.round(rows * (127 / np.where(largest > 0, largest, 1))).astype(np.int8)


def main() -> None:
    """Write the table to an ``.npz`` that ``WordTable.of`` reads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("teacher", type=Path, help="folder of a sentence encoder, or an .npz with "
                        "its words and embedded")  # fmt: skip
    parser.add_argument("output", type=Path, help="the .npz to write")
    arguments = parser.parse_args()
    recipes = load_dataset(Settings()).recipes
    both = zip(recipes["Title"], recipes["Ingredients"], strict=True)
    texts = ["\n".join([title, *items]) for title, items in both]
    counts = counts_in(texts)
    if arguments.teacher.suffix == ".npz":
        with np.load(arguments.teacher, allow_pickle=False) as found:
            words, embedded = found["words"].tolist(), found["embedded"]
    else:
        words = vocabulary(counts)
        embedded = sentence_encoder(arguments.teacher)([f"query: {word}" for word in words])
    table = table_of(words, embedded, counts, len(texts))
    with arguments.output.open("wb") as file:
        np.savez_compressed(file, **table.arrays())
    print(f"{len(table.words)} words of {table.dimension} in {arguments.output}")


if __name__ == "__main__":
    main()
