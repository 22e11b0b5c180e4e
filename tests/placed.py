"""Points placed by hand, for tests of training that need no photos."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from itadaki.training.config import CONFIG_FT, CONFIG_TL, TrainingConfig
from itadaki.training.recipe_texts import RecipeTexts
from itadaki.training.text_neighbours import TextNeighbours
from itadaki.training.trainer import Trainer

TITLES = ["tomato soup", "tomato bisque", "lentil soup", "lentil broth", "onion soup", "leek soup"]
OTHERS = list("abcdef")
"""Dish classes by which no two are alike."""
PLACED = {"BATCH_SIZE": 3, "EMBEDDING_DIM": 4, "HIDDEN_DIM": 4, "VIEWS": 1, "DROPOUT": 0.0}
TRIPLETS = CONFIG_TL | PLACED | {"EPOCHS": 2, "START": "random"}
JOINT = CONFIG_FT | PLACED | {"PHASE_1_EPOCHS": 2, "PHASE_2_EPOCHS": 0}
JOINT |= {"FEATURE_SHARE": 0.0, "DISTILLATION_WEIGHT": 0.0, "BACKBONE_WEIGHT_DECAY": 0.0}
JOINT |= {"TEXTS": "words", "TEMPERATURE": 0.1, "SELF_SHARE": 0.2, "AVERAGING": 0.0}


class PlacedData:
    """Points on a half circle instead of features of photos, each with a text of its own."""

    def __init__(self, config: TrainingConfig, classes: list[str]) -> None:
        angles = np.linspace(0, np.pi, len(TITLES))
        points = np.stack([np.cos(angles), np.sin(angles), np.ones(len(TITLES))], axis=1)
        self.points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
        ingredients = [[] for _ in TITLES]
        recipes = {"Title": TITLES, "Ingredients": ingredients, "dish_class": classes}
        self.recipes = pd.DataFrame(recipes)
        self.dataset = SimpleNamespace(recipes=self.recipes)
        self.train = self.validation = np.arange(len(TITLES))
        self.watched = np.arange(0)
        self.texts = RecipeTexts.of_words(TITLES, ingredients)
        self.neighbours = TextNeighbours.of(
            self.texts, classes, np.eye(len(TITLES), dtype=np.float32)
        )

    def features(self, view: int) -> np.ndarray:
        return self.points

    def titles_and_ingredients(self, rows: np.ndarray) -> tuple[list[str], list[list[str]]]:
        chosen = self.recipes.iloc[rows]
        return chosen["Title"].tolist(), chosen["Ingredients"].tolist()


def trainer_of(config: dict, folder: Path, classes: list[str] = OTHERS) -> Trainer:
    checked = TrainingConfig.of(config)
    return Trainer(checked, PlacedData(checked, classes), None, folder, progress=False)


def train_placed(
    config: dict, folder: Path, classes: list[str] = OTHERS
) -> tuple[Trainer, pd.DataFrame]:
    trainer = trainer_of(config, folder, classes)
    return trainer, trainer.train()
