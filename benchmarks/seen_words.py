"""How often a photo's recipe has what the photo is said to look like.

Each test photo of the dataset that ITADAKI_DATASET names (each photo of the sample cookbook, which
no model was trained on) tells its five words; right is a word that its recipe's ingredient list
names. Beside it: the five words that the most lists name, told of every photo; and the photo's
words told of another one, which shows how much is the photo's. The figures are joined to
those in reports/measurements/seen_words.json.

python benchmarks/seen_words.py
"""

import time

import numpy as np

from itadaki.evaluation.measurements import Measurements
from itadaki.index.filters import RowFilter
from itadaki.index.seen_words import MOST
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import PROJECT_ROOT
from itadaki.storage.files import write_json

FIGURES = PROJECT_ROOT / "reports" / "measurements" / "seen_words.json"
_ASKED = 2000  # photos whose words are told, to take the time


def main() -> None:
    """Measure with the shipped model and store the figures."""
    system = RetrievalSystem.load("ft", build=True)
    system.learn_words()
    told = system.seen_words
    assert told is not None
    recipes, source = system.bank.recipes, system.dataset.source
    asked = [
        row
        for row, recipe in enumerate(recipes)
        if recipe.ingredients and (source == "sample" or recipe.split == "test")
    ]
    lists = RowFilter(recipes)
    listed = np.array([lists.naming(word) for word in told.words])
    row_of = {word: row for row, word in enumerate(told.words)}
    photos = np.asarray(system.bank.photo_embeddings[asked])
    words = np.array([[row_of[word] for word in told.of(photo)] for photo in photos])
    hits = listed[words, np.array(asked)[:, None]]
    of_others = listed[words, np.roll(asked, 1)[:, None]]
    common = np.argsort(-listed.sum(axis=1))[:MOST]
    started = time.process_time()
    for turn in range(_ASKED):
        told.of(photos[turn % len(photos)])
    found = {
        "photos": len(asked),
        "words": len(told.words),
        "precision": float(hits.mean()),
        "precision of the first": float(hits[:, 0].mean()),
        "precision for another photo's recipe": float(of_others.mean()),
        "different words told": len(np.unique(words)),
        "always the commonest": float(listed[common][:, asked].mean()),
        "the commonest": [told.words[row] for row in common],
        "any five at random": float(listed[:, asked].mean()),
        "milliseconds of CPU": (time.process_time() - started) / _ASKED * 1000,
        "bank": system.bank.manifest["sha256"]["bank"],
    }
    print(source, found)
    kept = Measurements().stored("seen_words") or {}
    write_json(FIGURES, kept | {source.split()[-1]: found})


if __name__ == "__main__":
    main()
