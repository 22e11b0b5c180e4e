"""Swaps what is served while the service runs."""

import asyncio
import logging
import signal

from api.features.search.services.collections import Collections
from itadaki.errors import CollectionError, ItadakiError

_log = logging.getLogger(__name__)


class Reloader:
    """Loads model and banks anew beside the ones that serve, and lets them take over if they are
    sound. Requests in work end with what they began with."""

    def __init__(self, collections: Collections) -> None:
        self._collections = collections
        self._running = asyncio.Lock()

    async def reload(self) -> None:
        """Take what lies on disk now into service.

        Raises:
            CollectionError: it cannot be loaded, or a reload is running already; what was served
                before still is.
        """
        if self._running.locked():
            raise CollectionError("A reload is running already.")
        async with self._running:
            try:
                await asyncio.to_thread(self._collections.reload)
            except ItadakiError as error:
                raise CollectionError(f"Nothing was swapped. {error}") from None
            except Exception as error:
                _log.exception("The reload failed for an unforeseen reason")
                raise CollectionError("Nothing was swapped; the log says why.") from error
            _log.info("Reloaded: %s", self._collections.service().health().bank.sha256[:12])

    def on_hangup(self) -> None:
        """Reload whenever the process gets SIGHUP, where the system has that."""
        try:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGHUP, self._start)
        except (AttributeError, NotImplementedError, RuntimeError, ValueError):
            _log.debug("No SIGHUP here: the service is reloaded over HTTP alone.")

    def _start(self) -> None:
        self._task = asyncio.ensure_future(self._logged())

    async def _logged(self) -> None:
        try:
            await self.reload()
        except CollectionError as error:
            _log.error("%s", error)
