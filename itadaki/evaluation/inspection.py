"""What to look at beside the scores: successes and failures, precision and recall, maps.

Photos are queries as they are, also where a search expands them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from itadaki.bank.bank import Bank
from itadaki.evaluation.scores import chunks, gallery_of

_RECALL = np.linspace(0, 1, 21)
_MAP_COMPONENTS = 50
_HELD_OUT = "test"  # the split whose photos ask


@dataclass(frozen=True)
class Found:
    """A held-out recipe as a query and what lies nearest to it, all as rows of the bank.

    Attributes:
        query: the recipe whose photo asks.
        neighbours: the rows found, nearest first.
        similarities: their cosines.
        hits: whether each is of the query's dish class.
    """

    query: int
    neighbours: np.ndarray
    similarities: np.ndarray
    hits: np.ndarray


def nearest(bank: Bank, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nearest recipes of every held-out one, for looking at successes and failures.

    Args:
        bank: what is searched; one recipe per photo.
        k: how many neighbours.

    Returns:
        Rows of the bank: queries of shape (q,) and neighbours of shape (q, k), nearest first,
        with their cosine similarities of shape (q, k).
    """
    gallery, photos, rows = gallery_of(bank)
    own = np.flatnonzero(bank.column("split")[gallery] == _HELD_OUT)
    neighbours, similarities = [], []
    for chunk in chunks(own):
        against_all = photos[chunk] @ rows.T
        against_all[np.arange(len(chunk)), chunk] = -np.inf
        order = np.argsort(-against_all, axis=1, kind="stable")[:, :k]
        neighbours.append(gallery[order])
        similarities.append(np.take_along_axis(against_all, order, axis=1))
    return gallery[own], np.concatenate(neighbours), np.concatenate(similarities)


def confident_mistakes(bank: Bank, count: int) -> list[tuple[int, int, float]]:
    """The held-out recipes whose nearest neighbour is of another dish class, surest first.

    Args:
        bank: what is searched.
        count: how many at most.

    Returns:
        Rows of the bank, query and neighbour, and their similarity.
    """
    queries, neighbours, similarities = nearest(bank, k=1)
    classes = _classes(bank)
    asked, found = classes[queries], classes[neighbours[:, 0]]
    wrong = (asked != "") & (found != "") & (asked != found)
    rows = np.flatnonzero(wrong)
    rows = rows[np.argsort(-similarities[rows, 0], kind="stable")][:count]
    return [(int(queries[i]), int(neighbours[i, 0]), float(similarities[i, 0])) for i in rows]


def best_and_worst(bank: Bank, count: int, k: int = 4) -> tuple[list[Found], list[Found]]:
    """The held-out photos whose k neighbours are most and least often of their dish class.

    Among equals come the ones whose first neighbour is the most similar, the surest successes and
    the surest failures. Each class is taken at most once on either side while there are others.

    Args:
        bank: what is searched.
        count: at most how many of either: a success has a hit, a failure a miss, and no photo is on
            both sides.
        k: how many neighbours count.
    """
    classes = _classes(bank)
    queries, neighbours, similarities = nearest(bank, min(k, len(bank.recipes) - 1))
    found = [
        Found(int(query), rows, scores, classes[rows] == classes[query])
        for query, rows, scores in zip(queries, neighbours, similarities, strict=True)
        if classes[query] and len(rows)
    ]
    surest = sorted(found, key=lambda one: -one.similarities[0])
    successes = [one for one in surest if one.hits.any()]
    best = _varied(sorted(successes, key=lambda one: -one.hits.mean()), classes, count)
    chosen = {one.query for one in best}
    others = [one for one in surest if one.query not in chosen and not one.hits.all()]
    worst = _varied(sorted(others, key=lambda one: one.hits.mean()), classes, count)
    return best, worst


def precision_recall(bank: Bank, count: int = 6) -> pd.DataFrame:
    """Precision at each level of recall for the dish classes with the most held-out photos.

    Each held-out photo ranks the whole collection without itself; its precision is interpolated,
    the best at this recall or beyond (Manning et al. 2008, chapter 8.4), and averaged by class.

    Returns:
        One column a class, the most frequent first, named with its number of queries; the index is
        the recall from 0 to 1.
    """
    classes = _classes(bank)
    gallery, photos, rows = gallery_of(bank)
    own = np.flatnonzero((bank.column("split")[gallery] == _HELD_OUT) & (classes[gallery] != ""))
    labels = classes[gallery]
    curves: dict[str, np.ndarray] = {}
    for name in pd.Series(labels[own]).value_counts().index:
        asked = own[labels[own] == name]
        relevant = labels == name
        if len(curves) == count or relevant.sum() < 2:
            break
        precisions = []
        for query in asked:
            similarities = photos[query] @ rows.T
            similarities[query] = -np.inf
            order = np.argsort(-similarities, kind="stable")[:-1]
            hits = relevant[order]
            precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
            best = np.maximum.accumulate(precision[::-1])[::-1]
            recall = np.cumsum(hits) / hits.sum()
            precisions.append(best[np.searchsorted(recall, _RECALL - 1e-9)])
        curves[f"{name} ({len(asked)})"] = np.mean(precisions, axis=0)
    return pd.DataFrame(curves, index=pd.Index(_RECALL, name="recall"))


def embedding_map(bank: Bank, classes: int = 10, limit: int = 1500, seed: int = 0) -> pd.DataFrame:
    """Places on a plane of the photos of the most frequent dish classes, neighbours kept together.

    t-SNE (van der Maaten and Hinton 2008) on the first principal components; distances between
    far groups mean nothing. Sealed photos are left out.

    Args:
        bank: whose photos.
        classes: how many, the most frequent.
        limit: at most so many photos, drawn evenly.
        seed: of the draw and of t-SNE.

    Returns:
        One row a photo, the index its row of the bank: x, y and dish class.
    """
    gallery, photos, _ = gallery_of(bank)
    open_to_all = bank.column("split")[gallery] != "sealed"
    labels = pd.Series(_classes(bank)[gallery]).where(open_to_all, "")
    frequent = labels[labels != ""].value_counts().index[:classes]
    rng = np.random.default_rng(seed)
    kept = rng.permutation(np.flatnonzero(labels.isin(frequent)))[:limit]
    components = min(_MAP_COMPONENTS, len(kept), photos.shape[1])
    reduced = PCA(components, random_state=seed).fit_transform(photos[kept])
    perplexity = min(30.0, (len(kept) - 1) / 3)
    plane = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced)
    columns = {"x": plane[:, 0], "y": plane[:, 1], "dish class": labels.to_numpy()[kept]}
    return pd.DataFrame(columns, index=gallery[kept])


def pair_similarities(bank: Bank, count: int = 4000, seed: int = 0) -> pd.DataFrame:
    """The cosine of pairs of photos drawn at random: similarity, and which pairs share a class.

    Photos without a dish class are left out, and so are sealed ones.
    """
    gallery, photos, _ = gallery_of(bank)
    classes = _classes(bank)[gallery]
    open_to_all = bank.column("split")[gallery] != "sealed"
    known = np.flatnonzero((classes != "") & open_to_all)
    drawn = (2, count if len(known) else 0)
    one, other = np.random.default_rng(seed).choice(known, size=drawn)
    one, other = one[one != other], other[one != other]
    same = classes[one] == classes[other]
    similarity = np.einsum("ij,ij->i", photos[one], photos[other])
    pairs = np.where(same, "of one dish class", "of two classes")
    return pd.DataFrame({"similarity": similarity, "pair": pairs})


def look(bank: Bank) -> dict[str, dict[Any, Any]]:
    """What the chapters draw of a bank, as columns: no photo, no text but the dish classes' names.

    Returns:
        ``embedding_map``, ``precision_recall`` and ``pair_similarities``; splits, how many recipes
        each has; and classes, the twenty most frequent.
    """
    recipes = pd.DataFrame({"split": bank.column("split"), "dish class": _classes(bank)})
    curves = precision_recall(bank)
    tables = {
        "map": embedding_map(bank).astype({"x": float, "y": float}).round(1),
        "precision_recall": curves.round(3).reset_index(),
        "pairs": pair_similarities(bank).astype({"similarity": float}).round(3),
        "splits": recipes["split"].value_counts().reset_index(),
        "classes": recipes["dish class"].value_counts().head(20).reset_index(),
    }
    return {name: table.to_dict("list") for name, table in tables.items()}


def _classes(bank: Bank) -> np.ndarray:
    return np.array([recipe.dish_class or "" for recipe in bank.recipes])


def _varied(ranked: list[Found], classes: np.ndarray, count: int) -> list[Found]:
    """The first ones, each class once, filled up with the others where there are too few."""
    taken: dict[str, Found] = {}
    for one in ranked:
        taken.setdefault(classes[one.query], one)
    first = list(taken.values())[:count]
    rest = [one for one in ranked if one not in first]
    return first + rest[: count - len(first)]
