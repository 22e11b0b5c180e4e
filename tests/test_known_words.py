"""Words and their weights, against scikit-learn's own TF-IDF."""

import subprocess
import sys

import numpy as np
import pytest

from itadaki.models.known_words import KnownWords, vectorizer

TEXTS = [
    "Crème brûlée with the best Vanilla, vanilla and VANILLA",
    "Tomato soup, tomato salad",
    "İstanbul pilav ﬁsh x2 don't",
    "",
    "the and of",
    "Salad of fish; vanilla_soup tomato3",
]


@pytest.mark.parametrize(("min_df", "max_df"), [(1, 1.0), (2, 1.0), (1, 0.4)])
def test_what_is_known_is_weighed_as_scikit_learn_does(min_df, max_df):
    fitted = vectorizer(min_df, max_df).fit([text for text in TEXTS if text])
    known = KnownWords.fit(TEXTS, min_df, max_df)
    others = [*TEXTS, "An unknown brulee with creme", "SOUP " * 50]
    found, expected = known.transform(others), fitted.transform(others)
    assert found.dtype == np.float32 and found.shape == expected.shape
    np.testing.assert_allclose(found.toarray(), expected.toarray(), atol=1e-6)


def test_where_no_word_occurs_often_enough_all_are_known():
    assert set(KnownWords.fit(["Tomato soup", "Lentil stew"], 2, 1.0).words) > {"tomato", "stew"}


def test_words_are_weighed_without_scikit_learn():
    code = (
        "import sys, numpy as np\n"
        "from itadaki.models.known_words import KnownWords\n"
        "rows = KnownWords(['soup'], np.ones(1)).transform(['Soup', 'stew'])\n"
        "assert rows.toarray().tolist() == [[1.0], [0.0]]\n"
        "sys.exit('sklearn' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
