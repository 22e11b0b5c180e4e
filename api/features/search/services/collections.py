"""The collections that are served side by side: a bank each, and one model for all."""

import asyncio
import logging
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from api.core.config import ApiSettings
from api.core.errors import UnknownCollectionError
from api.core.inference_queue import InferenceQueue
from api.core.metrics import Metrics
from api.features.search.services.search_service import SearchService
from api.features.search.utils.model_loader import load_retrieval_system
from itadaki.collection import change_collection
from itadaki.errors import ArtifactError, CollectionError, DatasetError, ItadakiError
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import Settings

_LOOK_EVERY = 1.0  # seconds until a change that another process made is taken into service
_TRY_AGAIN_AFTER = 10.0
_log = logging.getLogger(__name__)


class Collections:
    """One search service for each collection; safe to use from several threads.

    Attributes:
        default: the name of the collection that is meant where none is named.
    """

    def __init__(self, settings: ApiSettings, metrics: Metrics, queue: InferenceQueue) -> None:
        """Load all collections.

        Args:
            settings: ``dataset`` is the default collection, ``collections`` are the others.
            metrics: what hears of searches.
            queue: where searches wait and run.

        Raises:
            ItadakiError: something is missing; the message says which command makes it.
        """
        others = [name for name in settings.collections if name != settings.dataset]
        name = Path(settings.dataset).name
        self.default = f"folder {name}" if name in others else name
        self._settings: dict[str, Settings] = {
            self.default: settings,
            **{name: settings.model_copy(update={"dataset": name}) for name in others},
        }
        self._metrics, self._queue = metrics, queue
        self._changing = threading.Lock()
        self._services = self._load()

    def reload(self) -> None:
        """Take what lies on disk now into service; raises ItadakiError if it cannot be."""
        with self._changing:
            services = self._load()
            for service in services.values():
                service.warm_up()
            self._services = services

    def warm_up(self) -> None:
        """Make ready what the first searches of some kinds would wait for."""
        for service in self._services.values():
            _warm_up(service)

    def names(self) -> list[str]:
        """All that are served, the default first."""
        return list(self._settings)

    def service(self, name: str = "") -> SearchService:
        """The service of a collection, or of the default one.

        Raises:
            UnknownCollectionError: there is none of this name.
        """
        try:
            return self._services[name or self.default]
        except KeyError:
            raise UnknownCollectionError(
                f"There is no collection {name!r}; /api/v1/collections lists them."
            ) from None

    def may_change(self, name: str) -> bool:
        """Whether recipes of a collection can be added, changed and removed."""
        return self._settings[name].collection_folder is not None

    def change(self, name: str, **what: Any) -> tuple[SearchService, list[int]]:
        """Change recipes of a collection, on disk and in service; see ``change_collection``.

        Returns:
            The service that knows the change, and the ids of the new recipes. If its system's
            index has not followed, ``refresh`` tries again.
        """
        with self._changing:
            system = self.service(name).system
            try:
                (system,), ids = change_collection(self._settings[name], [system], **what)
            except (ArtifactError, DatasetError) as error:
                raise CollectionError(f"Nothing has changed. {error}") from None
            return self._take(name, system), ids

    def refresh(self, name: str) -> None:
        """Take a collection into service anew if another process has changed it, or its index
        has not followed a change yet."""
        with self._changing:
            settings, old = self._settings[name], self.service(name).system
            if not old.is_on_disk(settings):
                new = load_retrieval_system(settings, like=old)
                self._take(name, new)
                _log.info("The collection %s was changed: %d recipes.", name, new.size)
            elif not old.index_has_followed:
                self._take(name, old.with_chosen_index(settings))
                _log.info("The index of the collection %s has followed.", name)

    def _take(self, name: str, system: RetrievalSystem) -> SearchService:
        service = self._served(system, name)
        self._services = {**self._services, name: service}
        with suppress(RuntimeError):  # without a thread to be had it is served all the same
            threading.Thread(target=_warm_up, args=(service,), daemon=True).start()
        return service

    def _load(self) -> dict[str, SearchService]:
        first, services = None, {}
        for name, settings in self._settings.items():
            if first and settings.collection_folder is None:
                raise CollectionError(
                    f"ITADAKI_COLLECTIONS names {name}, which was not imported; run: "
                    f"python -m itadaki import SOURCE --name {name}"
                )
            system = load_retrieval_system(settings, like=first)
            first = first or system
            services[name] = self._served(system, name)
        return services

    def _served(self, system: RetrievalSystem, name: str) -> SearchService:
        named = None if name == self.default else name
        return SearchService(system, self._metrics, self._queue, named)


def _warm_up(service: SearchService) -> None:
    """Nobody waits for it, so what fails is only logged; a search will say it, too."""
    try:
        service.warm_up()
    except Exception as error:
        expected = isinstance(error, ItadakiError)
        _log.error("Nothing was warmed up: %s", error, exc_info=None if expected else error)


async def watch(collections: Collections) -> None:
    """Look again and again whether another process has changed a collection, without end."""
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        for name in filter(collections.may_change, collections.names()):
            try:
                await asyncio.to_thread(collections.refresh, name)
            except Exception as error:
                expected = isinstance(error, ItadakiError)
                said = "The collection %s is served as it was: %s"
                _log.error(said, name, error, exc_info=None if expected else error)
                await asyncio.sleep(_TRY_AGAIN_AFTER)
