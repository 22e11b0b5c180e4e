"""The retrieval system: the one interface that notebooks, command line and API share."""

from collections.abc import Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from itadaki.bank.bank import Bank, load_bank
from itadaki.bank.build import build_bank
from itadaki.errors import ArtifactError, QueryError, UnknownRecipeError
from itadaki.index.exact import similarities
from itadaki.index.expansion import CANDIDATES, expanded, same_photo
from itadaki.index.filters import Filters
from itadaki.index.index import ExactIndex, Index, StandInIndex, build_index, open_index
from itadaki.index.seen_words import SeenWords
from itadaki.index.words import SHARE, WordIndex
from itadaki.models.text_encoder import TextEncoder
from itadaki.photos.crop import Crop
from itadaki.photos.images import load_input
from itadaki.recipes.dataset import Dataset, load_dataset
from itadaki.recipes.recipe import SearchResult
from itadaki.settings import Settings
from itadaki.storage.files import read_json_object
from itadaki.storage.transaction import reading
from itadaki.variants import VARIANTS, Artifacts, Variant

if TYPE_CHECKING:
    import pandas as pd

    from itadaki.models.embedder import Embedder


_COMPARED = 100
"""Recipes that are compared both by words and by embeddings, beside those wanted."""
_MET = 0.5
"""Where a recipe meets the words so well, those that meet none of them are not made up for it."""
_LIKED, _DISLIKED = 0.5, 0.3  # beside what is asked for, which is 1 long (Rocchio 1971)


@dataclass(frozen=True)
class Found:
    """What a search found, and what is to be thought of it.

    Attributes:
        results: best first.
        is_food: whether one of the photos shows food at all; None without a photo, and where the
            model cannot tell.
        confidence: how near the best recipe is, 0 to 1: the share of the collection's own photos
            that have none as near. Below ``itadaki.bank.nearness.FAR`` even the closest are not
            very close. None where photos are not all that was asked with, or nothing was found.
        looks_like: dishes and ingredients that the photos point at, best first; none without a
            photo, without a text encoder, or before ``RetrievalSystem.learn_words``.
        named: for each result those of them that the recipe names.
    """

    results: list[SearchResult]
    is_food: bool | None = None
    confidence: float | None = None
    looks_like: tuple[str, ...] = ()
    named: Sequence[tuple[str, ...]] = ()


class RetrievalSystem:
    """Searches one variant's bank with photos.

    Attributes:
        embedder: turns photos into embeddings.
        bank: what is searched.
        dataset: where the recipes come from.
        text_encoder: puts words into the photos' space; None for variants without one.
        index: finds rows of the bank.
        words: finds what their texts say.
        seen_words: tells what photos look like; None before ``learn_words``.
    """

    def __init__(
        self,
        embedder: "Embedder",
        bank: Bank,
        dataset: Dataset,
        text_encoder: TextEncoder | None = None,
        index: Index | None = None,
    ) -> None:
        self.embedder = embedder
        self.bank = bank
        self.dataset = dataset
        self.text_encoder = text_encoder
        self.index = index or ExactIndex(bank)
        self.words = WordIndex(bank.recipes, text_encoder.table if text_encoder else None)
        self.seen_words: SeenWords | None = None
        self._row_of = {recipe.id: row for row, recipe in enumerate(bank.recipes)}

    @classmethod
    def load(
        cls,
        variant: str = "raw",
        settings: Settings | None = None,
        build: bool = False,
        like: "RetrievalSystem | None" = None,
    ) -> "RetrievalSystem":
        """Load a variant that is ready, or make it ready first.

        Args:
            variant: raw, tl, tl_hard or ft.
            settings: by default from the environment.
            build: build the bank if it is missing or does not match the dataset.
            like: a system of this variant for another dataset, whose model this one shares.

        Raises:
            ItadakiError: something is missing; the message says which command makes it.
        """
        settings = settings or Settings()
        artifacts, found = Artifacts(VARIANTS[variant], settings), None
        if like:
            embedder, encoder = like.embedder, like.text_encoder
        else:
            with ThreadPoolExecutor(1) as beside:
                # Compiling the model and checking the bank take equally long. Where there is no
                # bank, this is said now, not after seconds of converting the model.
                together = not build and artifacts.manifest.exists()
                loading = beside.submit(_models, artifacts) if together else None
                found = None if build else _dataset_and_bank(artifacts)
                embedder, encoder = loading.result() if loading else _models(artifacts)
        if build:
            dataset = load_dataset(settings)
            bank = build_bank(artifacts, dataset, embedder)
            build_index(bank, settings)
        elif found and found[1].manifest["sha256"]["model"] == embedder.sha256:
            dataset, bank = found
        else:
            dataset, bank = _dataset_and_bank(artifacts, embedder.sha256)
        return cls(embedder, bank, dataset, encoder, open_index(bank, settings))

    @property
    def variant(self) -> Variant:
        """What is served."""
        return self.bank.variant

    @property
    def size(self) -> int:
        """How many recipes are searched."""
        return len(self.bank.recipes)

    @property
    def index_has_followed(self) -> bool:
        """False while the chosen index lacks a change of the bank and another stands in for it."""
        return not isinstance(self.index, StandInIndex)

    def is_on_disk(self, settings: Settings) -> bool:
        """Whether disk still holds the bank that is searched; also while that cannot be read."""
        try:
            manifest = read_json_object(Artifacts(self.variant, settings).manifest)
        except ArtifactError:
            return True
        return manifest == self.bank.manifest

    def with_chosen_index(self, settings: Settings) -> "RetrievalSystem":
        """The same with the index that the settings choose, built anew from the bank.

        Raises:
            ItadakiError: a package is missing, or Qdrant does not answer.
        """
        build_index(self.bank, settings, progress=False)
        index = open_index(self.bank, settings)
        return RetrievalSystem(self.embedder, self.bank, self.dataset, self.text_encoder, index)

    def learn_words(self) -> None:
        """Have answers tell what photos look like, if there is a text encoder.

        That takes seconds at ten thousand recipes, so nobody waits for it who does not ask.
        """
        if self.text_encoder and self.seen_words is None:
            photos = self.bank.photo_embeddings
            self.seen_words = SeenWords(self.words, self.text_encoder, photos)

    def embed(self, photo: Any) -> np.ndarray:
        """Embed one photo (path, bytes, array or PIL image): float32 array (dimension,)."""
        return self.embed_input(load_input(photo))

    def embed_input(self, pixels: np.ndarray, alone: bool = True) -> np.ndarray:
        """Embed what ``load_input`` gave: float32 array (dimension,).

        Args:
            pixels: float32 array, the decoded photo.
            alone: whether nothing else is embedded meanwhile, so that all cores may be used.
        """
        row: np.ndarray = self.embedder.embed(pixels[None], alone)[0]
        return row

    def see_input(self, pixels: np.ndarray, alone: bool = True) -> tuple[np.ndarray, bool | None]:
        """``embed_input``, and whether the photo shows food; None where the model cannot tell."""
        return self.embedder.embed_with_food(pixels, alone)

    def _joined(
        self, photo: np.ndarray | None, words: str | None, photo_weight: float
    ) -> np.ndarray:
        query = np.zeros(self.bank.embeddings.shape[1], np.float32)
        if words:
            query += self._encoder().encode([words], [[words]])[0]
        if photo is not None:
            weight = photo_weight if words else 1.0
            query = weight * photo + (1 - weight) * query
        length = np.linalg.norm(query)
        return np.asarray(query / length if length > 0 else query, np.float32)

    def _encoder(self) -> TextEncoder:
        if self.text_encoder is None:
            raise QueryError(
                f"The variant {self.bank.variant.name} does not understand words; use ft."
            )
        return self.text_encoder

    def steered(
        self, query: np.ndarray | None, like: Sequence[int], unlike: Sequence[int]
    ) -> np.ndarray:
        """Move what is searched for towards some recipes, and away from others.

        Args:
            query: float32 array (dimension,) of length 1; None to start from the liked ones.
            like: ids of recipes.
            unlike: ids of recipes.

        Raises:
            QueryError: there is nothing to start from.
            UnknownRecipeError: there is no such recipe.
        """
        if query is None and not like:
            raise QueryError("Give a photo, words, or a recipe that it shall be like.")
        moved = np.zeros(self.bank.embeddings.shape[1], np.float32) if query is None else query
        for ids, weight in ((like, _LIKED), (unlike, -_DISLIKED)):
            if ids:
                rows = self.bank.photo_embeddings[self._rows_of(ids)]
                moved = moved + np.float32(weight) * rows.mean(axis=0)
        length = np.linalg.norm(moved)
        if length < 1e-6:
            raise QueryError("What it shall be like and unlike is the same; leave one out.")
        return np.asarray(moved / length)

    def _rows_of(self, ids: Sequence[int]) -> list[int]:
        missing = [recipe_id for recipe_id in ids if recipe_id not in self._row_of]
        if missing:
            raise UnknownRecipeError(f"There is no recipe {missing[0]}.")
        return [self._row_of[recipe_id] for recipe_id in ids]

    def ask(
        self,
        photos: Sequence[Any] = (),
        words: str | None = None,
        top_k: int = 3,
        filters: Filters | None = None,
        photo_weight: float = 0.5,
        crop: Crop | None = None,
        like: Sequence[int] = (),
        unlike: Sequence[int] = (),
        offset: int = 0,
    ) -> Found:
        """Find recipes by photos of one dish, by words, by recipes, or by all of them together.

        Args:
            photos: as ``search_similar_recipes`` takes one; their embeddings are averaged.
            words: names of dishes or ingredients, for variants with a text encoder.
            top_k: how many recipes to find.
            filters: what the recipes found must hold.
            photo_weight: 0 to 1, how much the photos count beside the words.
            crop: the part of the first photo that is meant.
            like: ids of recipes that what is found shall be more like; neither they nor others with
                the same photo are found again.
            unlike: ids of recipes that it shall be less like; as above.
            offset: how many of the best recipes to pass over.

        Raises:
            ImageError: a photo cannot be read.
            QueryError: nothing is asked, or it cannot be searched for.
            UnknownRecipeError: there is no such recipe.
        """
        parts = [load_input(each, crop=None if at else crop) for at, each in enumerate(photos)]
        return self.ask_input(
            [self.see_input(pixels) for pixels in parts],
            *(words, photo_weight, like, unlike, top_k, offset, filters),
        )

    def ask_input(
        self,
        seen: Sequence[tuple[np.ndarray, bool | None]],
        words: str | None,
        photo_weight: float,
        like: Sequence[int],
        unlike: Sequence[int],
        top_k: int,
        offset: int,
        filters: Filters | None,
    ) -> Found:
        """``ask`` with what ``see_input`` gave of each photo."""
        if top_k < 1:
            raise ValueError(f"top_k must be at least 1, not {top_k}.")
        filters = filters or Filters()
        left_out = [*like, *unlike]
        # Also where words alone are asked with, an unknown one is said.
        groups = {self.bank.recipes[row].photo_group for row in self._rows_of(left_out)}
        query: np.ndarray | None = None
        nearest: float | None = None
        looks_like: tuple[str, ...] = ()
        if seen:
            whole = np.sum([row for row, _ in seen], axis=0, dtype=np.float32)
            photo = np.asarray(whole / np.linalg.norm(whole))
            looks_like = self.seen_words.of(photo) if self.seen_words else ()
            query, nearest = self.expand(photo, filters, groups)
        if left_out and (like or not words or seen):
            query = self.steered(query, like, unlike)
            if not seen:
                query, _ = self.expand(query, filters, groups, photo=False)
        copies = sum(recipe.photo_group in groups for recipe in self.bank.recipes) if groups else 0
        most = offset + top_k + copies
        best = self.search_embedded(query, words, most, filters, photo_weight)
        kept = [each for each in best if each.photo_group not in groups]
        results = [
            replace(each, rank=offset + place)
            for place, each in enumerate(kept[offset : offset + top_k], 1)
        ]
        alone = bool(seen) and not (words or like or unlike)
        told = [is_food for _, is_food in seen if is_food is not None]
        confidence = None
        if alone and kept:
            confidence = self.bank.confidence(kept[0].similarity if nearest is None else nearest)
        return Found(
            results,
            any(told) if told else None,
            confidence,
            looks_like,
            self._named(looks_like, results),
        )

    def _named(
        self, words: tuple[str, ...], results: Sequence[SearchResult]
    ) -> list[tuple[str, ...]]:
        if not self.seen_words:
            return [() for _ in results]
        return self.seen_words.named_by(words, [result.index for result in results])

    def search_similar_recipes(
        self,
        query_image: Any = None,
        top_k: int = 3,
        unique_photos: bool = False,
        words: str | None = None,
        filters: Filters | None = None,
        photo_weight: float = 0.5,
    ) -> list[SearchResult]:
        """Find the recipes that are most similar to a photo, to words, or to both together.

        Words are looked for in titles and ingredients, too; the similarity of a result joins both.
        What follows "without", "no" or "-" is left out, in five languages.

        Args:
            query_image: a path, bytes, a uint8 RGB array or a PIL image.
            top_k: how many recipes to find.
            unique_photos: of recipes that share one photo, find only the first.
            words: names of dishes or ingredients, for variants with a text encoder.
            filters: what the recipes found must hold.
            photo_weight: of a photo and words together, how much the photo counts, 0 to 1.

        Raises:
            ImageError: the photo cannot be read.
            QueryError: the words cannot be searched for, or no recipe fits them.
            ValueError: top_k is less than 1.
        """
        filters = filters or Filters()
        if unique_photos:
            filters = replace(filters, unique_photos=True)
        photo = None if query_image is None else self.expand(self.embed(query_image), filters)[0]
        return self.search_embedded(photo, words, top_k, filters, photo_weight)

    def search_embedded(
        self,
        photo: np.ndarray | None,
        words: str | None,
        top_k: int,
        filters: Filters | None = None,
        photo_weight: float = 0.5,
    ) -> list[SearchResult]:
        """The same with an embedding in the place of the photo, which is not expanded.

        Args:
            photo: float32 array (dimension,) of length 1.
            words: as above, as all others.
            top_k: see there.
            filters: see there.
            photo_weight: see there.

        Raises:
            QueryError: nothing is asked, the words cannot be searched for, or no recipe fits them.
            ValueError: top_k is less than 1.
        """
        if not words:
            if photo is None:
                raise QueryError("Give a photo, words, or both.")
            return self.find(photo, top_k, filters)
        if top_k < 1:
            raise ValueError(f"top_k must be at least 1, not {top_k}.")
        self._encoder()
        if not photo_weight:
            photo = None
        reading = self.words.read(words, alone=photo is None)
        query = self._joined(photo, reading.wanted, photo_weight)
        share = SHARE if photo is None else SHARE * (1 - photo_weight)
        share = share if reading.units else 0
        filters = reading.filters(filters or Filters())
        allowed = self.words.rows(reading, filters)
        said = np.where(allowed, self.words.scores(reading), 0)
        wide = top_k + _COMPARED
        near = self.index.search(query, wide, filters)[0] if query.any() else ()
        best = np.argsort(-said, kind="stable")[:wide]
        rows = np.union1d(near, best[said[best] > 0]).astype(np.int64)
        rows = rows[allowed[rows]]
        if photo is None and said[rows].max(initial=0) >= _MET:
            rows = rows[said[rows] > 0]
        cosines = similarities(np.asarray(self.bank.embeddings[rows]), query)
        scores = share * said[rows] + (1 - share) * cosines
        return [
            self.result(int(rows[place]), rank, float(scores[place]))
            for rank, place in enumerate(np.lexsort((rows, -scores))[:top_k], 1)
            if scores[place] >= filters.min_similarity
        ]

    def search_similar_to(
        self, index: int, top_k: int = 3, filters: Filters | None = None
    ) -> list[SearchResult]:
        """Find the recipes that are most similar to one of the collection, its copies left out.

        Raises:
            QueryError: there is no such recipe.
        """
        if not 0 <= index < len(self.bank.recipes):
            raise QueryError(f"There is no recipe {index}.")
        group = self.bank.recipes[index].photo_group
        filters = replace(filters or Filters(), not_of_photo=group)
        query, _ = self.expand(self.bank.photo_embeddings[index], filters, photo=False)
        return self.find(query, top_k, filters)

    def find(
        self, query: np.ndarray, top_k: int, filters: Filters | None = None
    ) -> list[SearchResult]:
        """Find the rows that are most similar to an embedding.

        Args:
            query: float32 array of shape (dimension,) and length 1.
            top_k: how many.
            filters: what the recipes found must hold.
        """
        filters = filters or Filters()
        rows, similarities = self.index.search(query, top_k, filters)
        return [
            self.result(int(row), rank, float(similarity))
            for rank, (row, similarity) in enumerate(zip(rows, similarities, strict=True), 1)
            if similarity >= filters.min_similarity
        ]

    def expand(
        self,
        query: np.ndarray,
        filters: Filters,
        left_out: Set[int] = frozenset(),
        photo: bool = True,
    ) -> tuple[np.ndarray, float | None]:
        """Expand a query with what it finds, where rows hold texts beside photos.

        See ``itadaki.index.expansion``. Whatever asks with a photo searches for what this gives.

        Args:
            query: float32 array (dimension,) of length 1.
            filters: what the recipes found must hold.
            left_out: photo groups whose recipes do not count.
            photo: whether the query is a photo, which the collection may hold.

        Returns:
            float32 array (dimension,) of length 1, and the similarity of the nearest row to what
            was given; None where nothing was searched for or found.
        """
        bank = self.bank
        if bank.photo_embeddings is bank.embeddings:
            return query, None
        rows, similarities = self.index.search(query, CANDIDATES, filters)
        if left_out:
            rows = rows[[bank.recipes[row].photo_group not in left_out for row in rows]]
        same = np.zeros(len(rows), bool)
        if photo:
            same = same_photo(query, bank.photo_embeddings[rows])
        moved = expanded(query, bank.embeddings[rows], same)
        return moved, float(similarities[0]) if len(similarities) else None

    def result(self, index: int, rank: int, similarity: float) -> SearchResult:
        """Describe one row of the bank as a search result."""
        # A photo against itself may exceed 1 by a rounding.
        similarity = min(similarity, 1.0)
        recipe = self.bank.recipes[index]
        return SearchResult.of(recipe, rank, index, similarity, self.photo_path(index))

    def row_of(self, recipe_id: int) -> int | None:
        """The row of the bank of the recipe with this id; None if there is none."""
        return self._row_of.get(recipe_id)

    def photo_path(self, index: int) -> Path:
        """Where the photo of a row of the bank lies."""
        return self.dataset.root / self.bank.recipes[index].photo

    def photo_of(self, recipe_id: int) -> Path | None:
        """The photo of the recipe with this id; None if there is no such recipe, or no such file
        in the dataset's folder."""
        row = self.row_of(recipe_id)
        if row is None:
            return None
        path = self.photo_path(row).resolve()
        inside = path.is_relative_to(self.dataset.root.resolve())
        return path if inside and path.is_file() else None

    def display_results(self, query_image: Any, results: list[SearchResult]) -> None:
        """Show the query's photo beside the photos found, with titles and similarities."""
        from itadaki import plots

        plots.show(plots.search_results(query_image, results), self._told)

    @property
    def _told(self) -> str:
        """What is said below a figure of this collection's photos."""
        return f"{self.bank.variant.name}, {self.dataset.source}"

    def visualize_model_architecture(self) -> None:
        """Draw the model's stages, with the shape and the parameters of each."""
        from itadaki import plots

        plots.show(plots.architecture(self.embedder.model), f"the model of {self.variant.name}")

    def show_triplets(self, num_triplets: int = 3, seed: int = 0) -> None:
        """Show triplets by dish class, with their similarities in this variant's space.

        The anchor is a training recipe, the positive another of its dish class, and the negative
        the most similar recipe of another class.
        """
        from itadaki import plots
        from itadaki.training.triplets import hard_triplets

        triplets = hard_triplets(self.bank, num_triplets, seed)
        plots.show(plots.triplets(self, triplets), self._told)

    def evaluate_model(self, split: str = "test") -> "pd.DataFrame":
        """Score the bank as it is searched; see ``itadaki.evaluation.scores.evaluate``."""
        from itadaki.evaluation.scores import evaluate

        found = evaluate(self.bank, self.embedder, self.dataset.root, split)
        return found.get("search", found["photos"]).table()


def _models(artifacts: Artifacts) -> "tuple[Embedder, TextEncoder | None]":
    from itadaki.models.embedder import load_embedder

    path = artifacts.text_encoder
    return load_embedder(artifacts), TextEncoder.load(path) if path.exists() else None


def _dataset_and_bank(
    artifacts: Artifacts, model_sha256: str | None = None
) -> tuple[Dataset, Bank]:
    """Load both as they are at one moment, though a collection may be changing."""
    with reading(artifacts.bank_folder):
        dataset = load_dataset(artifacts.settings)
        return dataset, load_bank(artifacts, dataset, model_sha256)
