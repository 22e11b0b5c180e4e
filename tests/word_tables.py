"""Word tables for tests."""

import numpy as np

from itadaki.models.word_table import WordTable, grams_of, key_of

DIMENSION = 8


def table_of(words: list[str]) -> WordTable:
    rng = np.random.default_rng(0)
    vectors = rng.integers(-127, 128, (len(words), DIMENSION)).astype(np.int8)
    grams = np.zeros((64, DIMENSION), np.int8)
    for word, vector in zip(words, vectors, strict=True):
        for gram in grams_of(key_of(word)):
            grams[gram % 64] = vector
    ones = np.full(len(words), 4, np.float16)
    return WordTable(list(map(key_of, words)), vectors, ones, ones.copy(), grams)
