import asyncio
import threading

import pytest

from api.core.inference_queue import BusyError, ClientGoneError, InferenceQueue


class Client:
    """Stands in for a request of which only the connection matters."""

    def __init__(self, gone: bool = False) -> None:
        self.gone = gone

    async def is_disconnected(self) -> bool:
        return self.gone


async def settled(queue: InferenceQueue, depth: int) -> None:
    for _ in range(200):
        if queue.depth == depth:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"depth is {queue.depth}, not {depth}")


def test_what_waits_is_bounded_and_the_next_is_refused_at_once():
    async def scenario() -> None:
        queue, gate = InferenceQueue(threads=1, waiting=1), threading.Event()
        running = [asyncio.create_task(queue.run(Client(), gate.wait, 20)) for _ in range(2)]
        await settled(queue, 2)
        with pytest.raises(BusyError):
            await queue.run(Client(), gate.wait, 20)
        gate.set()
        assert await asyncio.gather(*running) == [True, True]
        await settled(queue, 0)
        assert await queue.run(Client(), lambda: "again") == "again"
        queue.close()

    asyncio.run(scenario())


def test_a_client_that_hangs_up_frees_its_place_and_its_work_is_not_done():
    async def scenario() -> None:
        queue, gate, did = InferenceQueue(threads=1, waiting=1), threading.Event(), []
        first = asyncio.create_task(queue.run(Client(), gate.wait, 20))
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
