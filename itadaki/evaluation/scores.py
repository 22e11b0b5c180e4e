"""How well a bank retrieves: held-out photos as queries, the whole collection as gallery."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.stats import bootstrap
from tqdm.auto import tqdm

from itadaki.bank.bank import Bank
from itadaki.bank.embedding import BATCH_SIZE
from itadaki.errors import ItadakiError
from itadaki.index.expansion import CANDIDATES, expanded, same_photo
from itadaki.models.known_words import vectorizer
from itadaki.photos.images import load_rgb, preprocess
from itadaki.recipes.recipe import DatasetRecipe

if TYPE_CHECKING:
    from itadaki.models.embedder import Embedder

_CHUNK = 256
_RESAMPLES = 2000
_SEED = 0  # of the intervals, the crops and the random order
_DEPTH = 10
# Salt, oil, cups and tablespoons would make any two recipes alike: with them a random order
# reaches two thirds of the raw model's nDCG by ingredients, without them less than half.
_COMMON = 0.1


@dataclass(frozen=True)
class Evaluation:
    """Scores of one variant on one split.

    Attributes:
        per_query: for each metric the score of every query that it applies to.
        random: the same metrics for a random order of the gallery, averaged.
        split: which recipes were the queries.
        gallery: how many recipes were searched.
        classes: the dish class of every query that the class metrics apply to.
    """

    per_query: dict[str, np.ndarray]
    random: dict[str, float]
    split: str
    gallery: int
    classes: list[str] = field(default_factory=list)

    def table(self) -> pd.DataFrame:
        """One row a metric: score, 95% bootstrap interval, score of a random order, queries."""
        rows = []
        for metric, scores in self.per_query.items():
            low, high = confidence_interval(scores)
            rows.append((metric, scores.mean(), low, high, self.random[metric], len(scores)))
        columns = ["metric", "score", "low", "high", "random order", "queries"]
        return pd.DataFrame(rows, columns=columns).set_index("metric")


def confidence_interval(scores: np.ndarray) -> tuple[float, float]:
    """95% percentile bootstrap interval of a mean over queries (Efron 1979)."""
    if len(scores) < 2 or np.ptp(scores) == 0:
        return float(scores.mean()), float(scores.mean())
    interval = bootstrap(
        (scores,), np.mean, n_resamples=_RESAMPLES, method="percentile", rng=_SEED
    ).confidence_interval
    return float(interval.low), float(interval.high)


def evaluate(
    bank: Bank,
    embedder: "Embedder",
    root: Path,
    split: str = "test",
    progress: bool = True,
) -> dict[str, Evaluation]:
    """Score a bank with the held-out recipes of one split as queries.

    A query is a photo alone. It searches up to four galleries: ``photos``, the whole collection by
    its photos; ``fused``, the same with the texts in the rows, where the bank has them; ``search``,
    these with the query expanded as a search does; and ``split``, only the photos of the split
    itself. One recipe stands for each photo, and a query's own is left out, so that no copy is ever
    an answer. The metrics are precision at 1 and 10 and MAP@R (Musgrave et al. 2020) by dish class,
    nDCG at 10 with graded relevance from the TF-IDF cosine of titles and, apart from it, of
    ingredients, and, over the whole collection, the recall of a recipe from a re-cropped photo of
    itself.

    Args:
        bank: what is searched.
        embedder: the model that the bank was built with; embeds the re-cropped photos.
        root: the dataset's root, for the photos.
        split: train, validation, test or sealed.
        progress: show a bar while photos are embedded.

    Raises:
        ItadakiError: the split holds no recipe.
    """
    gallery, photos, fused = gallery_of(bank)
    queries = np.flatnonzero(bank.column("split")[gallery] == split)
    if len(queries) == 0:
        raise ItadakiError(f"No recipe of this dataset is in the {split} split.")
    recipes = [bank.recipes[i] for i in gallery.tolist()]
    labels = Labels.of(recipes)
    rows = {"photos": photos}
    if bank.photo_embeddings is not bank.embeddings:
        rows["fused"] = fused
    paths = [root / recipes[i].photo for i in queries]
    crops = _embed_crops(paths, embedder, progress)
    rng = np.random.default_rng(_SEED)

    def scored(
        rows: np.ndarray,
        queries: np.ndarray,
        labels: Labels,
        crops: np.ndarray | None,
        expand: bool = False,
    ) -> Evaluation:
        asked = photos if crops is not None else rows

        def similarities(of: np.ndarray) -> np.ndarray:
            against_all = asked[of] @ rows.T
            if not expand:
                return np.asarray(against_all)
            against_all[np.arange(len(of)), of] = -np.inf
            return np.asarray(_expanded(asked[of], against_all, photos, rows) @ rows.T)

        def random_order(of: np.ndarray) -> np.ndarray:
            return rng.random((len(of), len(rows)), dtype=np.float32)

        per_query = retrieval_scores(similarities, queries, labels)
        random = retrieval_scores(random_order, queries, labels)
        if crops is not None:
            against_all = crops @ rows.T
            if expand:
                against_all = _expanded(crops, against_all, photos, rows) @ rows.T
            per_query |= recall_scores(against_all, queries)
            random |= recall_scores(random_order(queries), queries)
        floor = {name: float(scores.mean()) for name, scores in random.items()}
        shared = pd.Series(labels.dish_class).duplicated(keep=False).to_numpy()
        classes = labels.dish_class[queries][shared[queries] & pd.notna(labels.dish_class[queries])]
        return Evaluation(per_query, floor, split, len(rows), classes.tolist())

    found = {name: scored(of, queries, labels, crops) for name, of in rows.items()}
    if "fused" in rows:
        found["search"] = scored(rows["fused"], queries, labels, crops, expand=True)
    within = Labels(labels.dish_class[queries], labels.title[queries], labels.ingredients[queries])
    found["split"] = scored(photos[queries], np.arange(len(queries)), within, None)
    return found


def _expanded(
    asked: np.ndarray, against_all: np.ndarray, photos: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Queries expanded as a search expands a photo; similarities of -inf are not found."""
    moved = np.empty_like(asked)
    for place, (query, similarities) in enumerate(zip(asked, against_all, strict=True)):
        best = np.argsort(-similarities, kind="stable")[:CANDIDATES]
        best = best[np.isfinite(similarities[best])]
        moved[place] = expanded(query, rows[best], same_photo(query, photos[best]))
    return moved


def gallery_of(bank: Bank) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One row per photo: the bank's rows, their photos' embeddings, and what is searched."""
    groups = bank.column("photo_group")
    gallery = np.flatnonzero(groups == np.arange(len(groups)))
    photos, rows = np.asarray(bank.photo_embeddings), np.asarray(bank.embeddings)
    return gallery, photos[gallery], rows[gallery]


@dataclass(frozen=True)
class Labels:
    """What says which recipes are alike, apart from their photos.

    Attributes:
        dish_class: object array of shape (n,), None where the title names no dish.
        title: sparse array of shape (n, terms), rows of length 1 or 0.
        ingredients: the same; rows of recipes without ingredients are 0.
    """

    dish_class: np.ndarray
    title: csr_matrix
    ingredients: csr_matrix

    @classmethod
    def of(cls, recipes: Sequence[DatasetRecipe]) -> "Labels":
        """Label recipes by their texts."""
        return cls.of_texts(
            [recipe.title for recipe in recipes],
            [recipe.ingredients for recipe in recipes],
            [recipe.dish_class for recipe in recipes],
        )

    @classmethod
    def of_texts(
        cls,
        titles: Iterable[str],
        ingredients: Iterable[Sequence[str]],
        classes: Iterable[str | None],
    ) -> "Labels":
        """Label recipes of which these are the titles, the ingredients and the dish classes."""
        return cls(
            np.array([*classes], dtype=object),
            text_vectors([*titles]),
            text_vectors([" ".join(listed) for listed in ingredients], _COMMON),
        )


def text_vectors(texts: list[str], common: float = 1.0) -> csr_matrix:
    """TF-IDF vectors of length 1, so that a product of two is their cosine; 0 for an empty text.

    Args:
        texts: n texts.
        common: words that a larger share of the texts that are not empty hold are left out.

    Returns:
        Sparse float array of shape (n, terms).
    """
    words = vectorizer(max_df=common, dtype=np.float64)
    try:
        # Empty texts must not count: they would make every word look rare.
        return words.fit([text for text in texts if text]).transform(texts)
    except ValueError:  # no text holds a word that counts
        return csr_matrix((len(texts), 1), dtype=np.float64)


def retrieval_scores(
    similarities: Callable[[np.ndarray], np.ndarray], queries: np.ndarray, labels: Labels
) -> dict[str, np.ndarray]:
    """Score the ranking that the similarities give, for each query that a metric applies to.

    Args:
        similarities: maps q gallery indices to a float array (q, n), each query against all.
        queries: int array, the queries' indices in the gallery.
        labels: of the n recipes of the gallery.

    Returns:
        Arrays of scores by metric. Class metrics are taken over the recipes that have a class,
        from queries whose class has another member; nDCG over the recipes that have the text,
        from queries that share a word with another.
    """
    classed = np.array([label is not None for label in labels.dish_class])
    with_ingredients = np.diff(labels.ingredients.indptr) > 0
    scores: dict[str, list[float]] = {
        "P@1 dish class": [],
        "P@10 dish class": [],
        "MAP@R dish class": [],
        "nDCG@10 title": [],
        "nDCG@10 ingredients": [],
    }
    for chunk in chunks(queries):
        against_all = similarities(chunk)
        against_all[np.arange(len(chunk)), chunk] = -np.inf
        title_gains = (labels.title[chunk] @ labels.title.T).toarray()
        ingredient_gains = (labels.ingredients[chunk] @ labels.ingredients.T).toarray()
        for i, query in enumerate(chunk):
            others = np.ones(len(classed), dtype=bool)
            others[query] = False
            if classed[query]:
                kept = classed & others
                relevant = (labels.dish_class == labels.dish_class[query])[kept]
                if relevant.any():
                    ranked = relevant[np.argsort(-against_all[i][kept], kind="stable")]
                    scores["P@1 dish class"].append(float(ranked[0]))
                    scores["P@10 dish class"].append(float(ranked[:_DEPTH].mean()))
                    scores["MAP@R dish class"].append(average_precision_at_r(ranked))
            for name, gains, kept in (
                ("nDCG@10 title", title_gains[i], others),
                ("nDCG@10 ingredients", ingredient_gains[i], others & with_ingredients),
            ):
                if gains[kept].any():
                    scores[name].append(ndcg(against_all[i][kept], gains[kept], _DEPTH))
    return {name: np.array(values) for name, values in scores.items() if values}


def among_one_another(rows: np.ndarray, labels: Labels) -> dict[str, list[float]]:
    """Score recipes that search one another, each its own left out, without any split.

    Args:
        rows: float32 array (n, d), rows of length 1.
        labels: of the n recipes.

    Returns:
        For each metric of ``retrieval_scores`` its mean over the queries, and the ends of its 95%
        interval.
    """
    scores = retrieval_scores(lambda of: rows[of] @ rows.T, np.arange(len(rows)), labels)
    return {
        metric: [float(values.mean()), *confidence_interval(values)]
        for metric, values in scores.items()
    }


def average_precision_at_r(ranked: np.ndarray) -> float:
    """MAP@R of one query (Musgrave et al. 2020): precision at each hit among the first R, over R.

    Args:
        ranked: bool array, whether each gallery item is relevant, best first; R are. If none is,
            the score is 0.
    """
    r = max(1, int(ranked.sum()))
    first = ranked[:r]
    return float((np.cumsum(first) / np.arange(1, r + 1) * first).sum() / r)


def ndcg(similarities: np.ndarray, gains: np.ndarray, depth: int) -> float:
    """nDCG of one query with linear gains (Järvelin and Kekäläinen 2002).

    Args:
        similarities: float array of shape (n,), what ranks the gallery.
        gains: float array of shape (n,), the graded relevance; if all are 0, so is the score.
        depth: how many of the first results count.
    """
    depth = min(depth, len(gains))
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    best = np.argpartition(-similarities, depth - 1)[:depth]
    best = best[np.lexsort((best, -similarities[best]))]
    ideal = np.sort(np.partition(gains, -depth)[-depth:])[::-1]
    return float((gains[best] * discounts).sum() / ((ideal * discounts).sum() or 1.0))


def recall_scores(similarities: np.ndarray, queries: np.ndarray) -> dict[str, np.ndarray]:
    """Whether each query's own recipe is among the first 1, 5 and 10.

    Args:
        similarities: float array of shape (q, n), a changed photo of each query against all.
        queries: int array of shape (q,), the right answers' indices in the gallery.
    """
    own = similarities[np.arange(len(queries)), queries]
    rank = (similarities > own[:, None]).sum(axis=1)
    return {f"recall@{k} re-crop": (rank < k).astype(float) for k in (1, 5, 10)}


def random_crop(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cut a window of half to four fifths of each side, and mirror it half of the time."""
    height, width = (max(1, int(side * rng.uniform(0.5, 0.8))) for side in rgb.shape[:2])
    top = rng.integers(rgb.shape[0] - height + 1)
    left = rng.integers(rgb.shape[1] - width + 1)
    window = rgb[top : top + height, left : left + width]
    return cv2.flip(window, 1) if rng.random() < 0.5 else window


def chunks(queries: np.ndarray) -> Iterator[np.ndarray]:
    """A few hundred queries at a time, whose similarities to all fit in memory."""
    for start in range(0, len(queries), _CHUNK):
        yield queries[start : start + _CHUNK]


def _embed_crops(photos: list[Path], embedder: "Embedder", progress: bool) -> np.ndarray:
    rng = np.random.default_rng(_SEED)
    embeddings = []
    with tqdm(
        total=len(photos), desc="Embedding re-crops", unit="photo", disable=not progress
    ) as bar:
        for start in range(0, len(photos), BATCH_SIZE):
            batch = photos[start : start + BATCH_SIZE]
            crops = np.stack([preprocess(random_crop(load_rgb(photo), rng)) for photo in batch])
            embeddings.append(embedder.embed(crops))
            bar.update(len(batch))
    return np.concatenate(embeddings)
