"""How well raw and ft do on pictures unlike the photos that ft was trained on.

Each of the 242 rendered pictures of the sample cookbook searches the others; right is what belongs
to its family of dishes. The pictures of test_recipes/ search them all. Photos alone are compared.
The figures go to reports/measurements/sample_cookbook.json, which ``tools/report.py`` reads. Raw
needs ImageNet weights: from ITADAKI_BACKBONE_WEIGHTS, or by a download.

python benchmarks/sample_cookbook.py
"""

import csv
from pathlib import Path

import numpy as np

from itadaki.bank.embedding import embed_photos
from itadaki.models.embedder import Embedder, load_embedder
from itadaki.models.keras_model import frozen_backbone
from itadaki.recipes.source import SAMPLE_ROOT
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.storage.files import write_json
from itadaki.variants import VARIANTS, Artifacts

TESTS = PROJECT_ROOT / "test_recipes"


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def embedded(paths: list[Path], embedder: Embedder) -> np.ndarray:
    """One row a picture."""
    return np.concatenate([rows for _, rows, _ in embed_photos(paths, embedder)])


def measure(embedder: Embedder) -> dict[str, float | str]:
    """Precision by family, and how many test pictures have their family among the first three."""
    recipes, answers = read(SAMPLE_ROOT / "recipes.csv"), read(TESTS / "answers.csv")
    folder = SAMPLE_ROOT / "Food Images" / "Food Images"
    rows = embedded([folder / f"{recipe['Image_Name']}.jpg" for recipe in recipes], embedder)
    family = np.array([recipe["Family"] for recipe in recipes])
    similarities = rows @ rows.T
    np.fill_diagonal(similarities, -np.inf)
    order = np.argsort(-similarities, axis=1)
    hits = family[order] == family[:, None]
    queries = embedded([TESTS / answer["file"] for answer in answers], embedder)
    first = family[np.argsort(-(queries @ rows.T), axis=1)[:, :3]]
    found = sum(
        answer["family"] in three.tolist() for answer, three in zip(answers, first, strict=True)
    )
    return {
        "P@1": float(hits[:, 0].mean()),
        "P@5": float(hits[:, :5].mean()),
        "tests": f"{found} of {len(answers)}",
    }


def main() -> None:
    """Measure both ends of the ladder and store the figures."""
    settings = Settings()
    frozen_backbone(settings)
    found = {}
    for name in ("raw", "ft"):
        embedder = load_embedder(Artifacts(VARIANTS[name], settings))
        found[name] = measure(embedder) | {"model": embedder.sha256}
        print(name, found[name])
    path = PROJECT_ROOT / "reports" / "measurements" / "sample_cookbook.json"
    write_json(path, {"dataset": "sample", "variants": found})


if __name__ == "__main__":
    main()
