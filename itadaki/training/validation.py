"""How well the embeddings of an epoch retrieve, judged on photos that are not trained on."""

from collections.abc import Callable

import numpy as np

from itadaki.evaluation.scores import Labels, retrieval_scores
from itadaki.training import losses
from itadaki.training.data import TrainingData


class Validation:
    """Retrieval of the validation photos, and of those of the classes left out.

    They search all photos of the dataset that training may see, nearly as ``evaluate`` has the
    whole collection searched. Among the few held-out photos alone the best epoch comes too early:
    what is learned of a training recipe's text helps to find it, too.
    """

    def __init__(self, data: TrainingData) -> None:
        trained = data.train[data.train < len(data.dataset.recipes)]
        self._gallery = np.concatenate([trained, data.validation, data.watched])
        self._labels = Labels.of_texts(
            *data.titles_and_ingredients(self._gallery),
            data.recipes["dish_class"].iloc[self._gallery],
        )
        ends = np.cumsum([len(trained), len(data.validation), len(data.watched)])
        self._validation = np.arange(ends[0], ends[1])
        self._watched = np.arange(ends[1], ends[2])

    def scores(self, embed: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
        """Metrics of embeddings of dataset rows; the score is the geometric mean of two of them."""
        embeddings = embed(self._gallery)
        scores = self._of(embeddings, self._validation)
        found = {f"validation {name}": value for name, value in scores.items()}
        ranking = [scores.get("MAP@R dish class", 0.0), scores.get("nDCG@10 title", 0.0)]
        found["score"] = float(np.sqrt(np.prod(ranking)))
        found["mean_distance"] = float(losses.mean_pairwise_distance(embeddings[self._validation]))
        if len(self._watched):
            scores = self._of(embeddings, self._watched)
            found |= {f"left out {name}": value for name, value in scores.items()}
        return found

    def _of(self, embeddings: np.ndarray, queries: np.ndarray) -> dict[str, float]:
        per_query = retrieval_scores(
            lambda of: embeddings[of] @ embeddings.T, queries, self._labels
        )
        return {name: float(values.mean()) for name, values in per_query.items()}
