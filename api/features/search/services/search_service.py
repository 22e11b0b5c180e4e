"""Search and photos, on top of the retrieval system."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from api.core.inference_queue import InferenceQueue
from api.core.metrics import Metrics
from api.features.search.schemas.search import BankHealth, DatasetHealth, Health
from api.features.search.utils.model_loader import warm_up
from itadaki import __version__
from itadaki.errors import UnknownRecipeError
from itadaki.photos.crop import Crop
from itadaki.photos.images import load_input, media_type
from itadaki.recipes.recipe import SearchResult
from itadaki.retrieval import Found, RetrievalSystem


class SearchService:
    """Answers from one loaded retrieval system; safe to call from several threads.

    Attributes:
        system: what is asked.
        collection: what requests must name to come here; None for the default collection.
    """

    def __init__(
        self,
        system: RetrievalSystem,
        metrics: Metrics,
        queue: InferenceQueue,
        collection: str | None = None,
    ) -> None:
        """Serve a system, with searches that wait and run in a queue."""
        self.system, self.collection = system, collection
        self._metrics, self._queue = metrics, queue

    def warm_up(self) -> None:
        """Make ready what the first searches of some kinds would wait for."""
        warm_up(self.system)

    def search(
        self,
        since: float,
        photos: Sequence[bytes],
        crop: Crop | None,
        *wanted: Any,
    ) -> Found:
        """Find recipes for uploaded photos of a dish, words, or both, and time each stage of it.

        Args:
            since: when the search began to wait for its turn, by ``time.perf_counter``.
            photos: the files' bytes.
            crop: the part of the first photo that is meant.
            wanted: what else ``RetrievalSystem.ask_input`` takes.

        Raises:
            ImageError: the photo cannot be read.
            DecodingBusyError: it is large, and others are being decoded.
            QueryError: nothing is asked, or nothing can be found by these words.
        """
        self._metrics.waited(since)
        seen = []
        for number, photo in enumerate(photos):
            with self._metrics.stage("decode"):
                pixels = load_input(photo, wait=False, crop=None if number else crop)
            with self._metrics.stage("embed"):
                seen.append(self.system.see_input(pixels, self._queue.depth <= 1))
        with self._metrics.stage("search"):
            found = self.system.ask_input(seen, *wanted)
        if found.confidence is not None:
            self._metrics.confidence(found.confidence)
        return found

    def row_of(self, recipe_id: int) -> int:
        """Where the system has a recipe; raises UnknownRecipeError if there is none."""
        row = self.system.row_of(recipe_id)
        if row is None:
            raise UnknownRecipeError(f"There is no recipe {recipe_id}.")
        return row

    def recipe(self, recipe_id: int) -> SearchResult:
        """One recipe, as a search that finds it with certainty would.

        Raises:
            UnknownRecipeError: there is none.
        """
        return self.system.result(self.row_of(recipe_id), rank=1, similarity=1.0)

    def photo(self, recipe_id: int) -> tuple[Path, str]:
        """Path and media type of a recipe's photo.

        Raises:
            UnknownRecipeError: there is no such recipe or photo.
        """
        path = self.system.photo_of(recipe_id)
        if path is None:
            raise UnknownRecipeError(f"There is no photo {recipe_id}.")
        return path, media_type(path)

    def health(self) -> Health:
        """Describe what is loaded."""
        bank, dataset = self.system.bank, self.system.dataset
        return Health(
            version=__version__,
            variant=self.system.variant.name,
            dataset=DatasetHealth(
                source=dataset.source,
                recipes=self.system.size,
                dropped=dataset.dropped,
                notice=dataset.notice,
            ),
            bank=BankHealth(
                rows=bank.embeddings.shape[0],
                dimension=bank.embeddings.shape[1],
                sha256=bank.manifest["sha256"]["bank"],
            ),
        )
