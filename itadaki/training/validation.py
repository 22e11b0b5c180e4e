"""How well the embeddings of an epoch retrieve, judged on photos that are not trained on."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from itadaki.evaluation.scores import Labels, retrieval_scores
from itadaki.training import losses
from itadaki.training.data import TrainingData


class Validation:
    """Retrieval among the validation photos, and among those of the classes left out."""

    def __init__(self, data: TrainingData) -> None:
        recipes = data.recipes
        self._validation, self._watched = data.validation, data.watched
        self._labels = _labels(recipes.iloc[data.validation])
        self._watched_labels = _labels(recipes.iloc[data.watched]) if len(data.watched) else None

    def scores(self, embed: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
        """Metrics of embeddings of dataset rows; the score is the geometric mean of two of them."""
        embeddings = embed(self._validation)
        scores = _scores(embeddings, self._labels)
        found = {f"validation {name}": value for name, value in scores.items()}
        ranking = [scores.get("MAP@R dish class", 0.0), scores.get("nDCG@10 title", 0.0)]
        found["score"] = float(np.sqrt(np.prod(ranking)))
        found["mean_distance"] = float(losses.mean_pairwise_distance(embeddings))
        if self._watched_labels:
            scores = _scores(embed(self._watched), self._watched_labels)
            found |= {f"left out {name}": value for name, value in scores.items()}
        return found


def _labels(recipes: pd.DataFrame) -> Labels:
    return Labels.of_texts(recipes["Title"], recipes["Ingredients"], recipes["dish_class"])


def _scores(embeddings: np.ndarray, labels: Labels) -> dict[str, float]:
    queries = np.arange(len(embeddings))
    per_query = retrieval_scores(lambda of: embeddings[of] @ embeddings.T, queries, labels)
    return {name: float(values.mean()) for name, values in per_query.items()}
