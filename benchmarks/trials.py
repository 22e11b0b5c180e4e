"""Try ft's knobs one by one, and keep how each does on the validation split.

Each trial is trained with seed 0, with fewer epochs than what ships, and scored as the
test split is, with the validation photos as queries. A trial that was interrupted goes on, and what
is in reports/measurements/trials.json already is not tried again.

python -m benchmarks.trials [--also FOLDER_OR_COLLECTION ...] [--only NAME ...] [--encoder FOLDER]
"""

import argparse
import json
import sys
from dataclasses import replace

from benchmarks.ladder import measure
from itadaki.recipes.dataset import Dataset, load_beside, load_dataset
from itadaki.settings import PROJECT_ROOT, Settings, find_path
from itadaki.storage.files import write_json
from itadaki.training.config import CONFIG_FT

SILENT = "without keywords"
TRIALS: dict[str, dict] = {
    "the knobs as they ship": {},
    "texts by TF-IDF": {"TEXTS": "words", "VIEWS": 12},
    "no triplets": {"TRIPLET_WEIGHT": 0.0},
    "triplets as much as texts": {"TRIPLET_WEIGHT": 1.0},
    "features half as near": {"DISTILLATION_WEIGHT": 0.5},
    "features twice as near": {"DISTILLATION_WEIGHT": 2.0},
    "photos with texts alone": {"PHOTO_WEIGHT": 0.0},
    "photos with photos as much": {"PHOTO_WEIGHT": 1.0},
    "less dropout": {"DROPOUT": 0.2},
    "more of the target its own": {"SELF_SHARE": 0.3},
    "a lower temperature": {"TEMPERATURE": 1 / 22},
    "larger steps": {"FINE_TUNING_LEARNING_RATE": 2.2e-3, "BACKBONE_LEARNING_RATE": 5.5e-4},
    "one more block unfrozen": {"LAYERS_TO_UNFREEZE": 54},
    "two more blocks unfrozen": {"LAYERS_TO_UNFREEZE": 68},
    "batches of 256": {
        "BATCH_SIZE": 256,
        "FINE_TUNING_LEARNING_RATE": 2e-3,
        "BACKBONE_LEARNING_RATE": 5e-4,
    },
    "five times the weight decay": {"WEIGHT_DECAY": 0.1, "BACKBONE_WEIGHT_DECAY": 0.1},
    SILENT: {"VIEWS": 12},
}
"""What the ladder's rungs do not tell: they leave out other kitchens, averaging, distillation and
the joined features one after the other. Where a trial names VIEWS, two cores had time for so
many."""
SHORT = {"PHASE_1_EPOCHS": 4, "PHASE_2_EPOCHS": 12}
"""Of all trials alike, since on two cores each takes its time."""
GALLERIES = ("photos", "fused", "search")


def without_keywords(dataset: Dataset) -> Dataset:
    """The same recipes as if no source had told any."""
    recipes = dataset.recipes.assign(Keywords=[[] for _ in range(len(dataset.recipes))])
    return replace(dataset, read=lambda: recipes, details_sha256=SILENT)


def main() -> None:
    """Try what has not been tried yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=list(TRIALS), default=list(TRIALS))
    parser.add_argument("--also", nargs="*", default=[])
    parser.add_argument("--encoder", type=find_path, help="a sentence encoder to be tried, too")
    options = parser.parse_args()
    settings = Settings()
    dataset = load_dataset(settings)
    also = [load_beside(settings, source) for source in options.also]
    path = PROJECT_ROOT / "reports" / "measurements" / "trials.json"
    tried = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def attempt(name: str, settings: Settings, read: list[Dataset]) -> None:
        if name in tried:
            return
        knobs = TRIALS.get(name, {})
        config = CONFIG_FT | SHORT | knobs
        found, facts = measure("ft", config, 0, settings, read[0], read[1:], "validation")
        tried[name] = {
            "knobs": knobs,
            "also": [one.source for one in also],
            "seconds": facts["seconds"],
            "scores": {
                gallery: {
                    metric: float(values.mean())
                    for metric, values in found[gallery].per_query.items()
                }
                for gallery in GALLERIES
            },
        }
        write_json(path, tried)
        print(name, json.dumps(tried[name]["scores"], indent=1), file=sys.stderr)

    read = [dataset, *also]
    for name in options.only:
        without = [without_keywords(one) for one in read] if name == SILENT else read
        attempt(name, settings, without)
    if encoder := options.encoder:
        other = settings.model_copy(update={"sentence_encoder": encoder})
        attempt(f"texts by {encoder.name}", other, read)


if __name__ == "__main__":
    main()
