"""Score raw and ft on the sealed half of the test photos: once, when all is decided.

What was found goes to reports/measurements/sealed.json; where that file is there, the photos were
read, and are not read again.

python -m benchmarks.sealed
"""

import sys

from itadaki.evaluation.comparison import IN_SHORT
from itadaki.evaluation.scores import evaluate
from itadaki.models.keras_model import frozen_backbone
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.storage.files import write_json


def main() -> None:
    """Score both, and keep the means with their intervals."""
    path = PROJECT_ROOT / "reports" / "measurements" / "sealed.json"
    if path.exists():
        sys.exit(f"The sealed photos were read already: {path}")
    settings = Settings()
    frozen_backbone(settings)
    found: dict = {}
    for name in ("raw", "ft"):
        system = RetrievalSystem.load(name, settings)
        scores = evaluate(system.bank, system.embedder, system.dataset.root, "sealed")
        for gallery, short in IN_SHORT.items():
            if gallery in scores:
                means = scores[gallery].table()[["score", "low", "high"]]
                found[name + short] = dict(zip(means.index, means.to_numpy().tolist(), strict=True))
    found |= {"dataset": system.dataset.sha256, "model": system.embedder.sha256}
    write_json(path, found)
    print(path)


if __name__ == "__main__":
    main()
