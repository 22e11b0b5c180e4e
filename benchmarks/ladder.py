"""Train and measure the whole ladder of variants, as the comparison in reports/ shows it.

Every rung is trained with each seed and measured once on the test split. The collection's
embeddings come from the cached activations, so on two cores a rung takes minutes on frozen
features, and an hour or two where blocks are fine-tuned; the re-cropped photos go through the
exported model. Runs that were interrupted go on where they stopped, and what is measured already is
not done again. What the chapters draw of a run (a map, precision and recall, the collection in
numbers) is kept beside the scores, without any photo or recipe's text.

python benchmarks/ladder.py --also FOLDER_OR_COLLECTION ... [--seeds 3] [--only raw tl tl_hard]

ft is trained on the recipes of --also too, as what ships is on Recipes5k; nothing is scored there.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from itadaki.bank.bank import Bank
from itadaki.bank.fusion import fused_rows
from itadaki.evaluation.comparison import about, save_measurement
from itadaki.evaluation.cross_modal import text_retrieval
from itadaki.evaluation.inspection import look
from itadaki.evaluation.scores import Evaluation, evaluate
from itadaki.models.embedder import Embedder
from itadaki.models.keras_model import frozen_backbone, raw_model, save_model
from itadaki.recipes.dataset import Dataset, load_beside, load_dataset, recipes_of
from itadaki.settings import Settings
from itadaki.training.config import (
    CONFIG_FT,
    CONFIG_PHASES,
    CONFIG_TL,
    CONFIG_TL_HARD,
    SEED_CONFIGS,
    TrainingConfig,
    as_in_the_seed,
)
from itadaki.training.data import TrainingData
from itadaki.training.loop import CollapseError
from itadaki.training.run import TrainingRun
from itadaki.variants import VARIANTS

_ADDED = ("DISTILLATION_WEIGHT", "AVERAGING", "FEATURE_SHARE")
"""What the shipped model has beside its texts, in the order in which rungs add it."""


def _without(*knobs: str) -> dict[str, Any]:
    return {knob: value for knob, value in CONFIG_FT.items() if knob not in knobs}


RUNGS = {
    "tl_seed": ("tl", as_in_the_seed(SEED_CONFIGS["tl"])),
    "tl": ("tl", CONFIG_TL),
    "tl_hard_seed": ("tl_hard", as_in_the_seed(SEED_CONFIGS["tl_hard"])),
    "tl_hard": ("tl_hard", CONFIG_TL_HARD),
    "ft_seed": ("ft", as_in_the_seed(SEED_CONFIGS["ft"])),
    "ft_phases": ("ft", CONFIG_PHASES),
    "ft_texts": ("ft", _without(*_ADDED)),
    "ft_distilled": ("ft", _without(*_ADDED[1:])),
    "ft_averaged": ("ft", _without(*_ADDED[2:])),
    "ft_joined": ("ft", CONFIG_FT),  # as ft, but of this kitchen alone
    "ft": ("ft", CONFIG_FT),
}


def measure_raw(settings: Settings, dataset: Dataset) -> tuple[dict[str, Evaluation], dict]:
    """Measure the frozen backbone, which has neither seed nor training."""
    backbone = frozen_backbone(settings)
    config = TrainingConfig.of(CONFIG_TL)
    photos = TrainingData(dataset, config, settings, backbone).features(0)
    bank = Bank(VARIANTS["raw"], photos, photos, recipes_of(dataset), {})
    return _evaluated(bank, raw_model(backbone), dataset, "test"), {"look": look(bank)}


def measure(
    variant: str,
    config: dict[str, Any],
    seed: int,
    settings: Settings,
    dataset: Dataset,
    also: Sequence[Dataset] = (),
    split: str = "test",
) -> tuple[dict[str, Evaluation], dict]:
    """Train a variant and score it on a split; one that collapses is scored as it lies."""
    started = time.monotonic()
    run = TrainingRun(VARIANTS[variant], config, settings, dataset, seed, also=also)
    collapsed = None
    try:
        run.train()
    except CollapseError as error:
        collapsed = str(error)
    seconds = time.monotonic() - started
    rows = run.data.view_rows(0)
    photos = np.zeros((len(dataset.recipes), run.trainer.config.embedding_dim), np.float32)
    photos[rows] = run.trainer.embed(rows)
    embeddings = photos
    if encoder := run.trainer.text_encoder:
        embeddings = np.zeros_like(photos)
        embeddings[rows] = fused_rows(photos[rows], encoder, *run.data.titles_and_ingredients(rows))
    bank = Bank(VARIANTS[variant], embeddings, photos, recipes_of(dataset), {})
    found = _evaluated(bank, run.trainer.embedder_model(variant), dataset, split)
    checked = run.trainer.config.model_dump(by_alias=True)
    facts = {"config": checked, "seconds": round(seconds), "history": run.trainer.history}
    facts["collapsed"] = collapsed
    if split == "test":
        facts["look"] = look(bank)
    facts["also"] = {one.source: one.sha256 for one in also}
    if encoder:
        texts = np.zeros_like(photos)
        texts[rows] = encoder.encode(*run.data.titles_and_ingredients(rows))
        listed = run.data.recipes["Ingredients"].iloc[rows].map(bool).to_numpy()
        queries = np.flatnonzero(listed & (run.data.recipes["split"].iloc[rows] == split))
        facts["text_retrieval"] = text_retrieval(photos[rows], texts[rows], queries)
    return found, facts


def _evaluated(
    bank: Bank, model: keras.Model, dataset: Dataset, split: str
) -> dict[str, Evaluation]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        save_model(model, path)
        return evaluate(bank, Embedder(path), dataset.root, split)


def main() -> None:
    """Measure what has no measurement yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=["raw", *RUNGS], default=["raw", *RUNGS])
    parser.add_argument("--also", nargs="*", default=[])
    options = parser.parse_args()
    if "ft" in options.only and not options.also:
        parser.error(
            "ft is trained on other kitchens, too: name them with --also, or take ft_joined, which "
            "is not."
        )

    settings = Settings()
    dataset = load_dataset(settings)
    also = [load_beside(settings, source) for source in options.also]
    folder = settings.home / "reports" / "measurements"
    for seed in range(options.seeds):
        for name in options.only:
            stored = folder / f"{name}-seed{seed}.npz"
            if (stored.exists() and "look" in about(stored)) or (name == "raw" and seed):
                continue
            if name == "raw":
                found, facts = measure_raw(settings, dataset)
            else:
                beside = also if name == "ft" else []
                found, facts = measure(*RUNGS[name], seed, settings, dataset, beside)
            facts |= {"dataset": dataset.sha256, "dataset_source": dataset.source}
            print(save_measurement(found, folder, name, seed, facts), file=sys.stderr)


if __name__ == "__main__":
    main()
