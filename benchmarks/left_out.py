"""How well ft finds dish classes that it never saw, beside the frozen backbone.

ft is trained once more, with seed 0 and without any photo of a few dish classes, neither of the
dataset's nor of --also's. Then all photos of these classes but those of the test and sealed splits
search one another, by themselves alone. The figures go to reports/measurements/left_out.json. A run
that was interrupted goes on where it stopped.

python benchmarks/left_out.py --also FOLDER_OR_COLLECTION ...
"""

import argparse

from itadaki.evaluation.scores import Labels, among_one_another
from itadaki.models.keras_model import frozen_backbone
from itadaki.recipes.dataset import load_beside, load_dataset
from itadaki.settings import PROJECT_ROOT, Settings
from itadaki.storage.files import write_json
from itadaki.training.config import CONFIG_FT
from itadaki.training.run import TrainingRun
from itadaki.variants import VARIANTS

CLASSES = ("taco", "pizza", "pancakes", "burger", "doughnut", "curry", "muffin")


def main() -> None:
    """Train, score, and store the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--also", nargs="*", default=[])
    options = parser.parse_args()
    settings = Settings()
    frozen_backbone(settings)
    dataset = load_dataset(settings)
    also = [load_beside(settings, source) for source in options.also]
    config = CONFIG_FT | {"LEFT_OUT_CLASSES": CLASSES}
    run = TrainingRun(VARIANTS["ft"], config, settings, dataset, 0, also=also)
    run.train()
    rows = run.data.watched
    recipes = run.data.recipes.iloc[rows]
    labels = Labels.of_texts(recipes["Title"], recipes["Ingredients"], recipes["dish_class"])
    found: dict = {
        "dataset": dataset.sha256,
        "also": [one.source for one in also],
        "classes": CLASSES,
        "photos": len(rows),
    }
    for name, photos in (("raw", run.data.features(0)[rows]), ("ft", run.trainer.embed(rows))):
        found[name] = among_one_another(photos, labels)
        print(name, {metric: round(value[0], 4) for metric, value in found[name].items()})
    write_json(PROJECT_ROOT / "reports" / "measurements" / "left_out.json", found)


if __name__ == "__main__":
    main()
