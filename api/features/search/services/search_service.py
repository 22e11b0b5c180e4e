"""Search and photos, on top of the retrieval system."""

from pathlib import Path

from api.core.metrics import Metrics
from api.features.search.schemas.search import BankHealth, DatasetHealth, Health
from itadaki import __version__
from itadaki.filters import Filters
from itadaki.images import load_input, media_type
from itadaki.retrieval import RetrievalSystem, SearchResult


class SearchService:
    """Answers from one loaded retrieval system; safe to call from several threads."""

    def __init__(self, system: RetrievalSystem, metrics: Metrics) -> None:
        self._system, self._metrics = system, metrics

    def search(
        self, since: float, photo: bytes, top_k: int, filters: Filters
    ) -> list[SearchResult]:
        """Find recipes for an uploaded photo, and time each stage of it.

        Args:
            since: when the search began to wait for its turn, by ``time.perf_counter``.
            photo: the file's bytes.
            top_k: how many recipes.
            filters: what they must hold.

        Raises:
            ImageError: the photo cannot be read.
        """
        self._metrics.waited(since)
        with self._metrics.stage("decode"):
            pixels = load_input(photo)
        with self._metrics.stage("embed"):
            query = self._system.embedder.embed(pixels[None])[0]
        with self._metrics.stage("search"):
            found = self._system.find(query, top_k, filters)
        if found:
            self._metrics.first_similarity(found[0].similarity)
        return found

    def similar(self, index: int, top_k: int, filters: Filters) -> list[SearchResult]:
        """Find recipes like one of the collection; raises QueryError if there is none."""
        return self._system.search_similar_to(index, top_k, filters)

    def recipe(self, index: int) -> SearchResult | None:
        """One recipe, as a search that finds it with certainty would; None if there is none."""
        if index not in self._system.bank.recipes:
            return None
        return self._system.result(index, rank=1, similarity=1.0)

    def photo(self, index: int) -> tuple[Path, str] | None:
        """Path and media type of a recipe's photo; None if there is no such recipe or photo."""
        if index not in self._system.bank.recipes:
            return None
        path = self._system.photo_path(index).resolve()
        if not path.is_relative_to(self._system.dataset.root.resolve()) or not path.is_file():
            return None
        return path, media_type(path)

    def health(self) -> Health:
        """Describe what is loaded."""
        bank, dataset = self._system.bank, self._system.dataset
        return Health(
            version=__version__,
            variant=bank.variant.name,
            dataset=DatasetHealth(
                source=dataset.source,
                recipes=len(dataset.recipes),
                dropped=dataset.dropped,
                notice=dataset.notice,
            ),
            bank=BankHealth(
                rows=bank.embeddings.shape[0],
                dimension=bank.embeddings.shape[1],
                sha256=bank.manifest["sha256"]["bank"],
            ),
        )
