"""Whether words beside a photo move what is found towards them: "this, but with fish".

Each of the ten pictures of test_recipes/ is asked with two sides that another dish might have. Of
the first ten recipes found with the photo alone and with both are counted those whose title or
ingredients name what was asked for; and compared is how like the photo they still are. The dataset
is that of ITADAKI_DATASET; the figures are joined to those in
reports/measurements/photo_and_words.json.

python benchmarks/photo_and_words.py
"""

import numpy as np

from itadaki.evaluation.measurements import Measurements
from itadaki.index.filters import Filters
from itadaki.photos.images import load_input
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import PROJECT_ROOT
from itadaki.storage.files import write_json

FIGURES = PROJECT_ROOT / "reports" / "measurements" / "photo_and_words.json"
PHOTOS = PROJECT_ROOT / "test_recipes"
ASKED = {
    "1.jpg": ("mushroom", "ham"),
    "2.jpg": ("prawn", "chicken"),
    "3.jpg": ("chocolate", "raspberry"),
    "4.jpg": ("fish", "chicken"),
    "5.jpg": ("bacon", "apple"),
    "6.jpg": ("fish", "spinach"),
    "7.jpg": ("avocado", "tuna"),
    "8.jpg": ("lentil", "mushroom"),
    "9.jpg": ("chicken", "feta"),
    "10.jpg": ("lemon", "carrot"),
}
_FIRST = 10
_WEIGHTS = (0.7, 0.5, 0.3)  # of the photo; 0.5 is what is taken where none is given


def main() -> None:
    """Measure with the shipped model and store the figures."""
    system = RetrievalSystem.load("ft", build=True)
    rows: dict[str, list[tuple[float, float]]] = {}
    moved = dict.fromkeys(_WEIGHTS, 0)
    for name, sides in ASKED.items():
        photo = system.embed_input(load_input(PHOTOS / name))

        def looked_at(found: list, side: str, photo: np.ndarray = photo) -> tuple[float, float]:
            places = [result.index for result in found]
            naming = system.words.naming(side)[places].mean()
            return float(naming), float((system.bank.photo_embeddings[places] @ photo).mean())

        query, _ = system.expand(photo, Filters())
        alone = system.search_embedded(query, None, _FIRST)
        for side in sides:
            before = looked_at(alone, side)
            rows.setdefault("the photo alone", []).append(before)
            for weight in _WEIGHTS:
                both = system.search_embedded(query, f"with {side}", _FIRST, None, weight)
                after = looked_at(both, side)
                rows.setdefault(f"words, photo_weight {weight}", []).append(after)
                moved[weight] += after[0] > before[0]
            words = system.search_embedded(None, f"with {side}", _FIRST)
            rows.setdefault("the words alone", []).append(looked_at(words, side))
    found = {
        way: dict(zip(("naming it", "like the photo"), np.mean(values, axis=0), strict=True))
        for way, values in rows.items()
    }
    figures = {
        "queries": sum(map(len, ASKED.values())),
        "moved": {str(weight): count for weight, count in moved.items()},
        "first ten": found,
        "bank": system.bank.manifest["sha256"]["bank"],
    }
    print(system.dataset.source, figures)
    kept = Measurements().stored("photo_and_words") or {}
    write_json(FIGURES, kept | {system.dataset.source.split()[-1]: figures})


if __name__ == "__main__":
    main()
