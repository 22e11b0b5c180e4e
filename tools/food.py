"""Fits the rule that tells whether a photo shows food at all, and writes it where it ships.

The features are those of the frozen backbone's first blocks, which no variant changes. Food are
photos of the dataset's training split, and every second picture of the sample cookbook; other
things are what ``tools.not_food`` draws and collects, each folder and each kind of drawing a kind.
The cut lies where as many food photos are turned away as is said, among those that the rule of
their fold had not seen; a fold of other things is whole kinds, so what is said to be caught is of
kinds that the rule never saw. Photos of other kitchens are only measured.

python -m tools.not_food FOLDER
ITADAKI_DATASET=kaggle ITADAKI_BACKBONE_WEIGHTS=FILE python -m tools.food FOLDER [KITCHEN ...]
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from itadaki.errors import ImageError
from itadaki.models import food
from itadaki.models.keras_model import build_backbone, converted
from itadaki.models.litert_model import LiteRtModel
from itadaki.models.record import FOOD_RULE
from itadaki.photos.images import load_input
from itadaki.recipes.source import SAMPLE_ROOT, layout, locate
from itadaki.recipes.splits import assign_splits
from itadaki.settings import Settings
from itadaki.storage.files import write_json
from tools.not_food import drawn

PHOTOS = 3_000
"""Of the training split, that the rule is fitted to."""
TURNED_AWAY = 0.025
FOLDS = 5
DRAWN = 40
REGULARISATION = 0.01


def features(model: LiteRtModel, pictures: list[Any]) -> np.ndarray:
    """One row a picture that can be read: float32 (n, 192)."""

    def one(picture: Any) -> np.ndarray | None:
        try:
            return model(load_input(picture)[None], alone=False)
        except ImageError:
            return None

    with ThreadPoolExecutor(2) as pool:
        rows = [row for row in pool.map(one, pictures) if row is not None]
    return np.concatenate(rows)


def other_things(model: LiteRtModel, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features of all that is no food, and the kind of each."""
    kinds: dict[str, list[Any]] = {}
    for kind, picture in drawn(DRAWN):
        kinds.setdefault(kind, []).append(picture)
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        kinds[inner.name] = sorted(path for path in inner.rglob("*") if path.is_file())
    rows = {kind: features(model, pictures) for kind, pictures in kinds.items()}
    names = [kind for kind, found in rows.items() for _ in found]
    return np.concatenate(list(rows.values())), np.array(names)


def fitted(eaten: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and bias of a rule on rows of length 1."""
    rows = np.concatenate([eaten, other])
    scaler = StandardScaler().fit(rows)
    rule = LogisticRegression(C=REGULARISATION, max_iter=5000, class_weight="balanced")
    rule.fit(scaler.transform(rows), np.repeat([1, 0], [len(eaten), len(other)]))
    weights = rule.coef_[0] / scaler.scale_
    return weights, float(rule.intercept_[0] - weights @ scaler.mean_)


def folds(eaten: np.ndarray, other: np.ndarray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What rules say of the photos and kinds that they were not fitted to."""
    rng = np.random.default_rng(0)
    fold_of_food = rng.integers(0, FOLDS, len(eaten))
    names = rng.permutation(np.unique(kinds))
    fold_of_kind = dict(zip(names.tolist(), (np.arange(len(names)) % FOLDS).tolist(), strict=True))
    fold_of_other = np.array([fold_of_kind[kind] for kind in kinds.tolist()])
    of_food, of_other = np.empty(len(eaten)), np.empty(len(other))
    for fold in range(FOLDS):
        kept, unseen = fold_of_food != fold, fold_of_other == fold
        weights, bias = fitted(eaten[kept], other[~unseen])
        of_food[~kept] = eaten[~kept] @ weights + bias
        of_other[unseen] = other[unseen] @ weights + bias
    return of_food, of_other


def training_photos(settings: Settings) -> list[Path]:
    """Some photos of the training split, told by their own names alone.

    So no photo need be looked at first; in turn a copy of a test photo may be among them.
    """
    _, folder = layout(locate(settings)[0])
    photos = sorted(folder.glob("*.jpg"))
    splits = assign_splits([photo.stem for photo in photos], np.arange(len(photos)))
    train = [photo for photo, split in zip(photos, splits, strict=True) if split == "train"]
    order = np.random.default_rng(0).permutation(len(train))
    return [train[place] for place in order[:PHOTOS]]


def kitchens(folders: list[Path]) -> Iterator[tuple[str, list[Path]]]:
    """Name and photos of each folder of food photos."""
    for folder in folders:
        yield folder.name, sorted(folder.rglob("*.jpg"))[:1500]


def main(folder: Path, foreign: list[Path]) -> None:
    """Fit, measure, write."""
    settings = Settings()
    backbone, _ = build_backbone(settings)
    model = LiteRtModel(converted(food.trunk(backbone)))
    chosen = training_photos(settings)
    cookbook = sorted(SAMPLE_ROOT.rglob("*.jpg"))
    eaten = features(model, chosen)
    rendered = features(model, cookbook)
    other, kinds = other_things(model, folder)
    learned = np.concatenate([eaten, rendered[::2]])
    of_food, of_other = folds(learned, other, kinds)
    cut = float(np.quantile(of_food[: len(eaten)], TURNED_AWAY))
    weights, bias = fitted(learned, other)
    measured: dict[str, Any] = {
        "turned away": {
            "training photos, out of their folds": float(np.mean(of_food[: len(eaten)] <= cut)),
            "the cookbook's other pictures": float(np.mean(rendered[1::2] @ weights + bias <= cut)),
        },
        "caught, of kinds out of their folds": float(np.mean(of_other <= cut)),
        "caught by kind": {
            str(kind): round(float(np.mean(of_other[kinds == kind] <= cut)), 3)
            for kind in np.unique(kinds)
        },
    }
    for name, paths in kitchens(foreign):
        rows = features(model, list(paths))
        measured["turned away"][name] = float(np.mean(rows @ weights + bias <= cut))
    rule = {
        "cut": food.CUT,
        "trunk_sha256": food.trunk_sha256(backbone),
        "weights": [round(float(weight), 5) for weight in weights],
        "bias": round(bias - cut, 5),
        "fitted_to": {"food": len(learned), "other things": len(other)},
        "measured": measured,
    }
    write_json(FOOD_RULE, rule)
    print(measured)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
