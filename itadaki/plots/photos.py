"""Photos: of results, triplets, neighbours and mistakes, in a grid."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from itadaki.plots.card import card
from itadaki.plots.style import INK, LINE, MUTED, NEGATIVE, POSITIVE, QUERY, styled

if TYPE_CHECKING:
    from itadaki.bank.bank import Bank
    from itadaki.evaluation.inspection import Found
    from itadaki.recipes.recipe import SearchResult
    from itadaki.training.triplets import Triplet


class Collection(Protocol):
    """A bank and where its photos lie."""

    @property
    def bank(self) -> "Bank": ...

    def photo_path(self, index: int) -> Path: ...


@styled
def search_results(query_image: Any, results: Sequence["SearchResult"]) -> Figure:
    """The query's photo and, as cards beside it, the photos found with title and similarity."""
    columns = max(1, min(5, len(results)))
    rows = max(1, -(-len(results) // columns))
    figure = plt.figure(figsize=(2.5 + 2.0 * columns, 0.2 + 2.75 * rows))
    grid = figure.add_gridspec(rows, 1 + columns, width_ratios=[1.3, *[1] * columns])
    asked = figure.add_subplot(grid[0, 0])
    card(asked, query_image, "Query", note=" ", colour=QUERY)
    for place, result in enumerate(results):
        axis = figure.add_subplot(grid[place // columns, 1 + place % columns])
        card(
            axis,
            result.image_path,
            f"{result.rank}  {result.title}",
            note=result.dish_class or "",
            similarity=result.similarity,
        )
    return figure


@styled
def photo_grid(photos: Sequence[Any], titles: Sequence[str], columns: int = 5) -> Figure:
    """Photos in a grid, each above its title."""
    rows = -(-len(photos) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(2.2 * columns, 2.65 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, photo, title in zip(axes.flat, photos, titles, strict=False):
        card(axis, photo, title)
    return figure


@styled
def triplets(system: Collection, found: Sequence["Triplet"]) -> Figure:
    """Each triplet as a row: anchor, positive and hardest negative, and the gap between them."""
    figure, axes = plt.subplots(
        len(found), 4, figsize=(9.6, 2.75 * len(found)), squeeze=False, width_ratios=[1, 1, 1, 1.1]
    )
    recipes = system.bank.recipes
    for row, triplet in zip(axes, found, strict=True):
        for axis, role, index, similarity, colour in (
            (row[0], "Anchor", triplet.anchor, None, INK),
            (row[1], "Positive", triplet.positive, triplet.positive_similarity, POSITIVE),
            (row[2], "Negative", triplet.negative, triplet.negative_similarity, NEGATIVE),
        ):
            recipe = recipes[index]
            card(
                axis,
                system.photo_path(index),
                recipe.title,
                note=f"{role}: {recipe.dish_class}",
                similarity=similarity,
                colour=colour,
            )
        _gap(row[3], triplet.positive_similarity, triplet.negative_similarity)
    return figure


def _gap(axis: Axes, positive: float, negative: float) -> None:
    """Two similarities on one scale, and which is larger."""
    low, high = sorted((positive, negative))
    axis.set(xlim=(min(0.0, low) - 0.05, 1.05), ylim=(-0.9, 1.2))
    axis.hlines(0, *axis.get_xlim(), color=LINE, linewidth=2)
    right = positive > negative
    axis.hlines(0, low, high, color=POSITIVE if right else NEGATIVE, linewidth=5, alpha=0.5)
    axis.plot(positive, 0, "o", color=POSITIVE, markersize=10)
    axis.plot(negative, 0, "o", color=NEGATIVE, markersize=10)
    axis.annotate("similarity 0", (0, -0.28), ha="center", color=MUTED, fontsize=8)
    axis.annotate("1", (1, -0.28), ha="center", color=MUTED, fontsize=8)
    axis.set_title(f"gap {positive - negative:+.2f}", loc="center", y=0.62)
    told = "the positive is nearer" if right else "the negative is nearer: to be learned"
    axis.text(0.5, 0.58, told, transform=axis.transAxes, ha="center", fontsize=8.5, color=MUTED)
    axis.axis("off")


@styled
def mistakes(system: Collection, pairs: Sequence[tuple[int, int, float]]) -> Figure:
    """Each query above its nearest neighbour, with their dish classes and similarity.

    Args:
        system: whose photos are shown.
        pairs: at least one, from ``itadaki.evaluation.scores.confident_mistakes``.
    """
    recipes = system.bank.recipes
    figure, axes = plt.subplots(2, len(pairs), figsize=(2.2 * len(pairs), 5.4), squeeze=False)
    for (above, below), (query, found, similarity) in zip(axes.T, pairs, strict=True):
        for axis, row, colour, seen in (
            (above, query, QUERY, None),
            (below, found, NEGATIVE, similarity),
        ):
            recipe = recipes[row]
            card(
                axis, system.photo_path(row), recipe.title, note=recipe.dish_class or "",
                similarity=seen, colour=colour,
            )  # fmt: skip
    return figure


@styled
def successes_and_failures(
    system: Collection, best: Sequence["Found"], worst: Sequence["Found"]
) -> Figure:
    """Queries with their neighbours, the best on the left and the worst on the right.

    A green frame: of the query's dish class; a red one: of another.
    """
    sides = [(best, "Most hits", POSITIVE), (worst, "Fewest hits", NEGATIVE)]
    rows = max(1, len(best), len(worst))
    k = max((len(one.neighbours) for one in [*best, *worst]), default=1)
    figure = plt.figure(figsize=(2.6 * (1 + k), 1.58 * rows + 0.4))
    halves = figure.subfigures(1, 2, squeeze=False, wspace=0.02)[0]
    for half, (found, title, colour) in zip(halves, sides, strict=True):
        half.suptitle(title, color=colour)
        _neighbours(half, system, found, rows, k)
    return figure


def _neighbours(
    figure: SubFigure, system: Collection, found: Sequence["Found"], rows: int, k: int
) -> None:
    axes = figure.subplots(rows, 1 + k, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    recipes = system.bank.recipes
    for row, one in zip(axes, found, strict=False):
        asked = recipes[one.query]
        card(row[0], system.photo_path(one.query), asked.title, colour=QUERY, small=True)
        for axis, index, similarity, hit in zip(
            row[1:], one.neighbours, one.similarities, one.hits, strict=False
        ):
            title = f"{similarity:.2f}  {recipes[int(index)].title}"
            colour = POSITIVE if hit else NEGATIVE
            card(axis, system.photo_path(int(index)), title, colour=colour, small=True)


@styled
def hardest_negatives(
    recipes: pd.DataFrame,
    anchors: np.ndarray,
    near: np.ndarray,
    similarities: np.ndarray,
    allowed: np.ndarray,
) -> Figure:
    """Anchors, each with the training photos that lie nearest to it.

    A red frame: a negative that pushes; a grey one: the texts say that it is the same dish, so
    that it may not be a negative.

    Args:
        recipes: with the columns Title and image_path.
        anchors: rows of it, int array of shape (a,).
        near: rows of it, int array of shape (a, k), nearest first.
        similarities: float array of shape (a, k).
        allowed: bool array of shape (a, k), whether each may be a negative.
    """
    rows, columns = len(anchors), 1 + near.shape[1]
    figure, axes = plt.subplots(rows, columns, figsize=(1.6 * columns, 1.85 * rows), squeeze=False)
    titles, photos = recipes["Title"].to_numpy(), recipes["image_path"].to_numpy()
    for row, anchor, others, nearness, may in zip(
        axes, anchors, near, similarities, allowed, strict=True
    ):
        card(row[0], photos[anchor], titles[anchor], colour=QUERY, small=True)
        for axis, other, similarity, pushes in zip(row[1:], others, nearness, may, strict=True):
            title = f"{similarity:.2f}  {titles[other]}"
            colour = NEGATIVE if pushes else MUTED
            card(axis, photos[other], title, colour=colour, small=True)
    keys = (
        ("anchor", QUERY),
        ("negative", NEGATIVE),
        ("masked: too alike by its text or class", MUTED),
    )
    figure.legend(
        handles=[Line2D([], [], color=colour, linewidth=3, label=name) for name, colour in keys],
        loc="outside upper left",
        ncols=3,
    )
    return figure
