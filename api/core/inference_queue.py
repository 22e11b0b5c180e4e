"""Runs searches on a few threads of their own, with a bounded queue in front."""

import asyncio
import os
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request

from api.core.request_scope import client_of

T = TypeVar("T")

_LOOK_EVERY = 0.25  # seconds between looks whether a waiting client has gone
_ABOUT = 1.0  # seconds that a client who asked is counted, for it may ask again
_COSTLY = 0.1  # processor seconds of a search, five times of a usual one
_REMEMBERED = 10.0  # seconds that a client is known for a costly one
_GIVE_WAY = 10  # added to the threads' niceness: a tenth of the processor where others want it


class BusyError(Exception):
    """As many searches are waiting as may; the client should come again later."""


class ClientGoneError(Exception):
    """The client hung up before its turn came."""


@dataclass(eq=False)
class _Search:
    client: str
    work: Callable[[], Any]
    answer: asyncio.Future[Any]


class InferenceQueue:
    """A fixed number of threads and of places to wait for one, shared evenly by the clients.

    The next turn is of the client of whom the fewest run; several such take turns. A client has as
    many threads as the number of clients about leaves to each, and never all, so that another one's
    search need not wait for long ones to end. Who asks for costly searches has them done in threads
    that give way to the others' (on Linux, where a thread has a priority of its own). Where no
    place is free, a client that would hold fewer than the one that holds the most takes its last.

    Attributes:
        depth: searches that run or wait.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        """Start the threads.

        Args:
            threads: searches that run at the same time, those of one client on one less.
            waiting: searches that may wait for a thread; the next one is refused.
        """
        self.depth = 0
        self._places = threads + waiting
        self._threads, self._most = threads, max(1, threads - 1)
        self._lock = threading.Lock()
        self._closed = False
        self._running: Counter[str] = Counter()
        self._asked: dict[str, float] = {}  # when a client last did
        self._costly: dict[str, float] = {}  # until when a client counts as costly
        self._waiting: dict[str, deque[_Search]] = {}
        self._executors = {
            False: ThreadPoolExecutor(threads, "search"),
            True: ThreadPoolExecutor(self._most, "costly-search", _give_way),
        }

    async def run(self, request: Request, work: Callable[..., T], *arguments: Any) -> T:
        """Do the work in its turn; a client that hangs up while it waits loses its place.

        Raises:
            BusyError: no place is free, or another client had the better right to it.
            ClientGoneError: the client has gone.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        search = _Search(client_of(request.scope), lambda: work(*arguments), answer)
        self._enter(search)
        try:
            with self._lock:
                self._wake()
            while True:
                done, _ = await asyncio.wait({answer}, timeout=_LOOK_EVERY)
                if done:
                    return answer.result()
                if await request.is_disconnected() and self._withdraw(search):
                    raise ClientGoneError
        finally:
            # At once, for what waits holds its photo, which no other bound counts any more.
            self._withdraw(search)
            answer.cancel()

    @property
    def is_full(self) -> bool:
        """Whether all places are taken."""
        return self.depth >= self._places

    def close(self) -> None:
        """Finish what runs and wait for it."""
        with self._lock:
            self._closed = True
            waiting = [one for searches in self._waiting.values() for one in searches]
        for search in waiting:
            search.answer.cancel()
        for executor in self._executors.values():
            executor.shutdown(wait=True, cancel_futures=True)

    def _enter(self, search: _Search) -> None:
        with self._lock:
            displaced = None
            if self.is_full:
                displaced = self._last_of_the_greediest(search.client)
                self._take_out(displaced)
            self._waiting.setdefault(search.client, deque()).append(search)
            self._asked[search.client] = time.monotonic()
            self.depth += 1
        if displaced:
            displaced.answer.set_exception(BusyError())

    def _last_of_the_greediest(self, client: str) -> _Search:
        greediest = max(self._waiting, key=self._held, default=None)
        if greediest is None or self._held(greediest) <= self._held(client) + 1:
            raise BusyError
        return self._waiting[greediest][-1]

    def _held(self, client: str) -> int:
        return self._running[client] + len(self._waiting.get(client, ()))

    def _withdraw(self, search: _Search) -> bool:
        """Take a search out of the queue; False if it does not wait any more."""
        with self._lock:
            waits = search in self._waiting.get(search.client, ())
            if waits:
                self._take_out(search)
        return waits

    def _take_out(self, search: _Search) -> None:
        searches = self._waiting[search.client]
        searches.remove(search)
        if not searches:
            del self._waiting[search.client]
        self.depth -= 1

    def _wake(self) -> None:
        """Have a thread of each kind look for work, if there may be some for it; holds the lock."""
        for costly in {self._is_costly(client) for client in self._waiting}:
            self._executors[costly].submit(self._next, costly)

    def _next(self, costly: bool) -> None:
        """Do the search whose turn it is, in a thread; none is left if clients have gone."""
        with self._lock:
            clients = [client for client in self._waiting if self._is_costly(client) is costly]
            client = min(clients, key=self._running.__getitem__, default=None)
            if client is None and not self._closed:  # it was costly when this thread was woken
                self._wake()
            if client is None or self._running[client] >= self._share():
                return
            searches = self._waiting.pop(client)
            search = searches.popleft()
            if searches:
                self._waiting[client] = searches  # behind the others
            self._running[client] += 1
            if not self._closed:  # the client had fewer threads while others were about
                self._wake()
        started = time.thread_time()
        try:
            answer = search.work()
        except BaseException as error:
            self._leave(search, started, search.answer.set_exception, error)
        else:
            self._leave(search, started, search.answer.set_result, answer)

    def _share(self) -> int:
        """The threads that one client may have, for as long as the others who are about ask."""
        recent = time.monotonic() - _ABOUT
        self._asked = {
            client: at
            for client, at in self._asked.items()
            if at > recent or self._running[client] or client in self._waiting
        }
        return max(1, min(self._most, self._threads // len(self._asked)))

    def _is_costly(self, client: str) -> bool:
        return self._costly.get(client, 0.0) > time.monotonic()

    def _leave(
        self, search: _Search, started: float, tell: Callable[[Any], None], outcome: Any
    ) -> None:
        now = time.monotonic()
        costly = time.thread_time() - started > _COSTLY
        with self._lock:
            self._running -= Counter({search.client: 1})
            self.depth -= 1
            if costly:
                self._costly = {client: end for client, end in self._costly.items() if end > now}
                self._costly[search.client] = now + _REMEMBERED
            if not self._closed:  # what could not have another thread before
                self._wake()

        def told() -> None:
            if not search.answer.done():  # or nobody waits for it any more
                tell(outcome)

        search.answer.get_loop().call_soon_threadsafe(told)


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere it would be the whole process
        thread = threading.get_native_id()
        niceness = os.getpriority(os.PRIO_PROCESS, thread) + _GIVE_WAY
        os.setpriority(os.PRIO_PROCESS, thread, min(niceness, 19))
