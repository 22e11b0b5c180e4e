import asyncio
import gc
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable

import pytest

from api.core import inference_queue
from api.core.inference_queue import BusyError, ClientGoneError, InferenceQueue

PATIENCE = 60.0  # seconds


class Client:
    """Stands in for a request of which only the connection matters."""

    def __init__(self, address: str = "203.0.113.7", gone: bool = False) -> None:
        self.scope, self.gone = {"client": (address, 1)}, gone

    async def is_disconnected(self) -> bool:
        return self.gone


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def settled(queue: InferenceQueue, depth: int) -> None:
    await until(lambda: queue.depth == depth)


def test_what_waits_is_bounded_and_the_next_is_refused_at_once():
    async def scenario() -> None:
        queue, gate = InferenceQueue(threads=1, waiting=1), threading.Event()
        running = [asyncio.create_task(queue.run(Client(), gate.wait, PATIENCE)) for _ in range(2)]
        await settled(queue, 2)
        with pytest.raises(BusyError):
            await queue.run(Client(), gate.wait, PATIENCE)
        gate.set()
        assert await asyncio.gather(*running) == [True, True]
        await settled(queue, 0)
        assert await queue.run(Client(), lambda: "again") == "again"
        queue.close()

    asyncio.run(scenario())


def test_a_client_that_hangs_up_frees_its_place_and_its_work_is_not_done():
    async def scenario() -> None:
        queue, gate, did = InferenceQueue(threads=1, waiting=1), threading.Event(), []
        first = asyncio.create_task(queue.run(Client(), gate.wait, PATIENCE))
        await settled(queue, 1)
        with pytest.raises(ClientGoneError):
            await queue.run(Client(gone=True), did.append, 1)
        await settled(queue, 1)
        gate.set()
        await first
        queue.close()
        assert did == []

    asyncio.run(scenario())


def test_an_error_of_the_work_reaches_the_caller_and_frees_the_place():
    async def scenario() -> None:
        queue = InferenceQueue(threads=1, waiting=0)
        with pytest.raises(ZeroDivisionError):
            await queue.run(Client(), lambda: 1 // 0)
        await settled(queue, 0)
        queue.close()

    asyncio.run(scenario())


class Photo:
    """Unlike bytes it can be asked whether anything holds it still."""


@pytest.mark.parametrize("how", ["hung up", "cancelled", "displaced"])
def test_a_search_that_leaves_the_queue_takes_its_photo_along(how):
    async def scenario() -> None:
        queue, gate = InferenceQueue(threads=1, waiting=1), threading.Event()
        first = asyncio.create_task(queue.run(Client(), gate.wait, PATIENCE))
        await settled(queue, 1)
        photo = Photo()
        kept = weakref.ref(photo)
        leaving = asyncio.create_task(queue.run(Client(gone=how == "hung up"), id, photo))
        del photo
        await settled(queue, 2)
        if how == "cancelled":
            leaving.cancel()
        if how == "displaced":
            other = asyncio.create_task(queue.run(Client("203.0.113.8"), lambda: "done"))
        await asyncio.wait({leaving})
        assert how == "cancelled" or leaving.exception()
        del leaving
        gc.collect()
        assert kept() is None and queue.depth == (2 if how == "displaced" else 1)
        gate.set()
        assert await first
        if how == "displaced":
            assert await other == "done"
        await settled(queue, 0)
        queue.close()

    asyncio.run(scenario())


def test_turns_go_round_among_clients():
    async def scenario() -> list[str]:
        queue, gate, did = InferenceQueue(threads=1, waiting=20), threading.Event(), []
        searches = [asyncio.create_task(queue.run(Client("a"), gate.wait, PATIENCE))]
        await settled(queue, 1)
        for client in "aaaaabbbcc":
            searches.append(asyncio.create_task(queue.run(Client(client), did.append, client)))
            await settled(queue, len(searches))
        gate.set()
        await asyncio.gather(*searches)
        queue.close()
        return did

    assert "".join(asyncio.run(scenario())) == "abcabcabaa"


def test_no_client_has_all_threads():
    async def scenario() -> list[str]:
        queue, gate, did = InferenceQueue(threads=2, waiting=20), threading.Event(), []
        first = asyncio.create_task(queue.run(Client("a"), gate.wait, PATIENCE))
        second = asyncio.create_task(queue.run(Client("a"), did.append, "a"))
        await settled(queue, 2)
        await queue.run(Client("b"), did.append, "b")
        gate.set()
        await asyncio.gather(first, second)
        queue.close()
        return did

    assert "".join(asyncio.run(scenario())) == "ba"


def test_the_next_thread_is_for_the_client_of_whom_the_fewest_run():
    async def scenario() -> list[str]:
        queue, did = InferenceQueue(threads=3, waiting=20), []
        gates = {client: threading.Event() for client in "acd"}
        searches = [
            asyncio.create_task(queue.run(Client(client), gate.wait, PATIENCE))
            for client, gate in gates.items()
        ]
        await settled(queue, 3)
        for client in "aabb":
            searches.append(asyncio.create_task(queue.run(Client(client), did.append, client)))
            await settled(queue, len(searches))
        gates["c"].set()
        await asyncio.gather(*searches[-2:])
        for gate in gates.values():
            gate.set()
        await asyncio.gather(*searches)
        queue.close()
        return did

    assert "".join(asyncio.run(scenario())) == "bbaa"


def test_who_holds_most_places_gives_way_and_only_then():
    async def scenario() -> None:
        queue, gate = InferenceQueue(threads=1, waiting=3), threading.Event()

        async def enter(client: str) -> asyncio.Task:
            work = queue.run(Client(client), lambda: gate.wait(PATIENCE) and client)
            task = asyncio.create_task(work)
            for _ in range(20):  # turns of the loop: what it displaces hears of it, too
                await asyncio.sleep(0)
            return task

        greedy = [await enter("greedy") for _ in range(4)]
        assert isinstance((await enter("greedy")).exception(), BusyError) and queue.is_full
        modest = [await enter("modest")]
        assert [task.done() for task in greedy] == [False, False, False, True]
        with pytest.raises(BusyError):
            greedy[3].result()
        modest.append(await enter("modest"))
        assert [task.done() for task in greedy] == [False, False, True, True]
        for client in ("modest", "greedy"):  # both hold two
            with pytest.raises(BusyError):
                (await enter(client)).result()
        assert queue.depth == 4
        gate.set()
        assert await asyncio.gather(*greedy[:2], *modest) == ["greedy"] * 2 + ["modest"] * 2
        displaced = await asyncio.gather(*greedy[2:], return_exceptions=True)
        assert [type(error) for error in displaced] == [BusyError] * 2
        await settled(queue, 0)
        queue.close()

    asyncio.run(scenario())


def test_closing_ends_what_waits():
    async def scenario() -> None:
        queue, gate = InferenceQueue(threads=1, waiting=2), threading.Event()
        running, waiting = (
            asyncio.create_task(queue.run(Client(), gate.wait, PATIENCE)) for _ in range(2)
        )
        await settled(queue, 2)
        gate.set()
        queue.close()
        assert await running is True
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(scenario())


def test_a_client_has_fewer_threads_while_another_is_about(monkeypatch):
    monkeypatch.setattr(inference_queue, "_ABOUT", PATIENCE)

    async def most_at_once(others: str, expected: int) -> int:
        queue, gate, running, most = InferenceQueue(threads=4, waiting=20), threading.Event(), 0, 0
        lock = threading.Lock()

        def work() -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            gate.wait(PATIENCE)
            with lock:
                running -= 1

        for other in others:
            await queue.run(Client(other), str)
        searches = [asyncio.create_task(queue.run(Client("a"), work)) for _ in range(4)]
        await until(lambda: most >= expected)
        await asyncio.sleep(0.2)  # in which one too many would begin
        gate.set()
        await asyncio.gather(*searches)
        queue.close()
        return most

    for others, expected in (("", 3), ("b", 2), ("bcde", 1)):
        assert asyncio.run(most_at_once(others, expected)) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_costly_searches_are_done_by_threads_that_give_way(monkeypatch):
    monkeypatch.setattr(inference_queue, "_REMEMBERED", PATIENCE)

    def niceness(seconds: float = 0.0) -> int:
        until = time.thread_time() + seconds
        while time.thread_time() < until:
            pass
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    async def scenario() -> list[int]:
        queue = InferenceQueue(threads=2, waiting=20)
        costly, modest = Client("a"), Client("b")
        asked = [(costly, 0.0), (costly, 0.2), (costly, 0.0), (modest, 0.0)]
        said = [await queue.run(client, niceness, seconds) for client, seconds in asked]
        queue.close()
        return said

    own = niceness()
    assert asyncio.run(scenario()) == [own, own, min(own + 10, 19), own]


def test_who_is_not_costly_any_more_when_its_turn_comes_is_not_forgotten(monkeypatch):
    """A thread that gives way may come late to what it was woken for."""

    async def scenario() -> str:
        queue, late, client = InferenceQueue(threads=2, waiting=20), threading.Event(), Client()
        monkeypatch.setattr(queue, "_is_costly", lambda _: not late.is_set())
        busy = queue._executors[True].submit(late.wait, PATIENCE)
        search = asyncio.create_task(queue.run(client, lambda: "done"))
        await settled(queue, 1)
        late.set()
        assert busy.result()
        async with asyncio.timeout(PATIENCE):
            said = await search
        queue.close()
        return said

    assert asyncio.run(scenario()) == "done"
