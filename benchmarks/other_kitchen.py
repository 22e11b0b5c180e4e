"""Score models on photos of another kitchen, which they must not have been trained on.

The dataset's photos search one another; its keywords say which are the same dish, as they do in
Recipes5k. What is found goes to reports/measurements/other_kitchen.json.

python benchmarks/other_kitchen.py FOLDER [--variants raw ft] [--home FOLDER]
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from itadaki.bank.embedding import embed_photos
from itadaki.evaluation.scores import Labels, among_one_another, text_vectors
from itadaki.models.embedder import load_embedder
from itadaki.models.keras_model import frozen_backbone
from itadaki.models.record import read_record
from itadaki.recipes.dataset import load_beside
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.storage.files import write_json
from itadaki.variants import VARIANTS, Artifacts


def main() -> None:
    """Embed all photos with each model, and score them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset")
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=["raw", "ft"])
    parser.add_argument("--home", type=Path, help="of the models")
    options = parser.parse_args()
    settings = Settings(**({"home": options.home} if options.home else {}))
    frozen_backbone(settings)
    dataset = load_beside(settings, options.dataset)
    recipes = dataset.recipes
    recipes = recipes[recipes["photo_group"] == np.arange(len(recipes))]
    dishes = [keywords[0] if keywords else None for keywords in recipes["Keywords"]]
    labels = Labels(
        np.array(dishes, dtype=object),
        text_vectors(recipes["Title"].tolist()),
        text_vectors([" ".join(items) for items in recipes["Ingredients"]], 0.1),
    )
    found: dict = {"dataset": dataset.source, "photos": len(recipes)}
    for name in options.variants:
        artifacts = Artifacts(VARIANTS[name], settings)
        if dataset.sha256 in read_record(artifacts).get("also", {}).values():
            sys.exit(f"{name} was trained on {dataset.source}: its scores would say nothing.")
        photos = [Path(path) for path in recipes["image_path"]]
        parts = [rows for _, rows, _ in embed_photos(photos, load_embedder(artifacts))]
        rows = np.concatenate(parts)
        found[name] = among_one_another(rows, labels)
        print(name, {metric: round(value[0], 4) for metric, value in found[name].items()})
    write_json(PROJECT_ROOT / "reports" / "measurements" / "other_kitchen.json", found)


if __name__ == "__main__":
    main()
