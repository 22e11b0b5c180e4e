"""Runs searches on a few threads of their own, with a bounded queue in front."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from fastapi import Request

T = TypeVar("T")

_LOOK_EVERY = 0.25  # seconds between looks whether a waiting client has gone


class BusyError(Exception):
    """As many searches are waiting as may; the client should come again later."""


class ClientGoneError(Exception):
    """The client hung up before its turn came."""


class InferenceQueue:
    """A fixed number of threads and of places to wait for one.

    Attributes:
        depth: searches that run or wait.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        """Start the threads.

        Args:
            threads: searches that run at the same time.
            waiting: searches that may wait for a thread; the next one is refused.
        """
        self.depth = 0
        self._places = threads + waiting
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="search")

    async def run(self, request: Request, work: Callable[..., T], *arguments: Any) -> T:
        """Do the work in its turn; a client that hangs up while it waits loses its place.

        Raises:
            BusyError: no place is free.
            ClientGoneError: the client has gone.
        """
        if self.is_full:
            raise BusyError
        self.depth += 1
        future = self._executor.submit(work, *arguments)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        waiting = asyncio.wrap_future(future)
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=_LOOK_EVERY)
            if done:
                return waiting.result()
            if await request.is_disconnected() and future.cancel():
                raise ClientGoneError

    @property
    def is_full(self) -> bool:
        """Whether the next search would be refused."""
        return self.depth >= self._places

    def close(self) -> None:
        """Finish what runs and wait for it."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _leave(self) -> None:
        self.depth -= 1
