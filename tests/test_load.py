"""More requests than the service can answer, a kill in their midst, and a swap of the model."""

import asyncio
import json
import shutil
import signal
import sys
import time
from collections import Counter

import aiohttp
import keras
import numpy as np
import pytest
from conftest import dish_photo, encode, running_service

from itadaki.retrieval import RetrievalSystem

SEARCH = "/api/v1/search/search"


def form(photo: bytes) -> aiohttp.FormData:
    data = aiohttp.FormData()
    data.add_field("image", photo, filename="a.jpg", content_type="image/jpeg")
    return data


async def ask(session: aiohttp.ClientSession, photo: bytes) -> tuple[int, bytes]:
    """One search; a status of 0 says that the connection broke."""
    try:
        async with session.post(SEARCH, data=form(photo)) as answer:
            if answer.status == 503:
                assert int(answer.headers["retry-after"]) >= 1
            return answer.status, await answer.read()
    except aiohttp.ClientError:
        return 0, b""


async def clients(url: str, photo: bytes, count: int, until: asyncio.Event, answers: list) -> None:
    """So many clients that each ask again as soon as they are answered."""

    async def client() -> None:
        while not until.is_set():
            answers.append(await ask(session, photo))

    async with aiohttp.ClientSession(url) as session:
        await asyncio.gather(*(client() for _ in range(count)))


async def capacity(url: str, photo: bytes, seconds: float) -> float:
    """Searches a second that eight clients get."""
    answers, until = [], asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, until.set)
    started = time.monotonic()
    await clients(url, photo, 8, until, answers)
    assert {status for status, _ in answers} == {200}
    return len(answers) / (time.monotonic() - started)


async def overload(url: str, photo: bytes, rate: float, seconds: float) -> tuple[Counter, float]:
    """Send so many a second whatever comes back; also how long the service takes to recover."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, connector=connector) as session:
        tasks, started = [], time.monotonic()
        while (now := time.monotonic() - started) < seconds:
            while len(tasks) < rate * now:
                tasks.append(asyncio.create_task(ask(session, photo)))
            await asyncio.sleep(0.005)
        seen = Counter(status for status, _ in await asyncio.gather(*tasks))
        ended = time.monotonic()
        while (await ask(session, photo))[0] != 200:
            await asyncio.sleep(0.01)
        return seen, time.monotonic() - ended


def test_four_times_the_capacity(environment, soak):
    photo = encode(dish_photo(5))

    async def run(url: str):
        at_most = await capacity(url, photo, 5)
        return at_most, *await overload(url, photo, 4 * at_most, 60 if soak else 4)

    with running_service(environment) as service:
        at_most, seen, recovery = asyncio.run(run(str(service.client.base_url)))
        assert service.client.get("/ready").json() == {"ready": True}
    print(f"\ncapacity {at_most:.0f}/s, at four times that {dict(seen)}, recovery {recovery:.3f} s")
    assert set(seen) == {200, 503}
    assert recovery < 1


async def greedy_and_modest(url: str, photo: bytes, connections: int, searches: int) -> list[int]:
    """What a client is answered that searches once at a time, from an address of its own, while
    another one asks over so many connections without a pause."""
    until, answers = asyncio.Event(), []
    everybody = aiohttp.TCPConnector(limit=0)
    of_its_own = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with (
        aiohttp.ClientSession(url, connector=everybody) as greedy,
        aiohttp.ClientSession(url, connector=of_its_own) as modest,
    ):

        async def client() -> None:
            while not until.is_set():
                answers.append((await ask(greedy, photo))[0])

        crowd = [asyncio.create_task(client()) for _ in range(connections)]
        while 503 not in answers:  # all places are taken
            await asyncio.sleep(0.05)
        statuses = [(await ask(modest, photo))[0] for _ in range(searches)]
        until.set()
        await asyncio.gather(*crowd)
    assert set(answers) == {200, 503}
    return statuses


@pytest.mark.skipif(sys.platform != "linux", reason="needs a second address of this machine")
def test_a_modest_client_is_answered_beside_a_greedy_one(environment, soak):
    searches = 250 if soak else 25
    with running_service(environment) as service:
        url = str(service.client.base_url)
        statuses = asyncio.run(greedy_and_modest(url, encode(dish_photo(5)), 60, searches))
    assert statuses == [200] * searches


def test_kill_under_load_and_restart(environment, settings):
    photo = encode(dish_photo(5))

    async def run(url: str, kill) -> list:
        answers, until = [], asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.call_later(1, kill)
        loop.call_later(1.5, until.set)
        await clients(url, photo, 8, until, answers)
        return answers

    def files() -> set:
        return {path.relative_to(settings.home) for path in settings.home.rglob("*")}

    before = files()
    with running_service(environment) as service:
        answers = asyncio.run(run(str(service.client.base_url), service.process.kill))
        assert service.process.wait(10) == -signal.SIGKILL
    assert {status for status, _ in answers} == {200, 0}
    assert files() == before
    expected = {recipes_of(body) for status, body in answers if status == 200}
    with running_service(environment) as service:
        again = service.client.post(SEARCH, files={"image": ("a.jpg", photo, "image/jpeg")})
    assert {recipes_of(again.content)} == expected


def recipes_of(body: bytes) -> str:
    """What a search found, without the addresses of the photos, which hold the port."""
    recipes = json.loads(body)["recipes"]
    return json.dumps([(recipe["id"], round(recipe["similarity"], 4)) for recipe in recipes])


@pytest.fixture
def other_home(settings, tmp_path):
    """A home with another model and its bank, for the same recipes."""
    weights = tmp_path / "other.weights.h5"
    backbone = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(224, 224, 3)
    )
    backbone.load_weights(settings.backbone_weights)
    kernel = backbone.get_layer("top_conv").kernel
    kernel.assign(kernel * np.random.default_rng(0).uniform(0, 2, kernel.shape))
    backbone.save_weights(weights)
    other = settings.model_copy(update={"home": tmp_path / "other", "backbone_weights": weights})
    RetrievalSystem.load("raw", other, build=True)
    return other.home


def test_swap_under_load(environment, settings, other_home, tmp_path, soak):
    photo = encode(dish_photo(5))
    home = shutil.copytree(settings.home, tmp_path / "home")
    key = "secret-of-the-test"
    ours = {"ITADAKI_HOME": str(home), "ITADAKI_API_KEY": key, "ITADAKI_BACKBONE_WEIGHTS": ""}
    headers = {"X-API-Key": key}

    def put(source) -> None:
        for path in home.joinpath("raw").iterdir():
            path.unlink()
        for path in source.joinpath("raw").iterdir():
            shutil.copy2(path, home / "raw")

    async def run(url: str) -> tuple[list, list]:
        answers, until = [], asyncio.Event()

        async def swaps() -> list[int]:
            statuses = []
            async with aiohttp.ClientSession(url, headers=headers) as session:
                for source in [other_home, settings.home] * (10 if soak else 2) + [other_home]:
                    await asyncio.to_thread(put, source)
                    async with session.post("/api/v1/admin/reload") as answer:
                        statuses.append(answer.status)
            until.set()
            return statuses

        async def client(session) -> None:
            while not until.is_set():
                answers.append(await ask(session, photo))

        async with aiohttp.ClientSession(url, headers=headers) as session:
            statuses, *_ = await asyncio.gather(swaps(), *(client(session) for _ in range(8)))
            last = await ask(session, photo)
        return statuses, answers, last

    with running_service({**environment, **ours}) as service:
        first = service.client.post(
            SEARCH, files={"image": ("a.jpg", photo, "image/jpeg")}, headers=headers
        )
        statuses, answers, last = asyncio.run(run(str(service.client.base_url)))
    print(f"\n{len(statuses)} swaps, {len(answers)} searches meanwhile")
    assert set(statuses) == {200}
    assert {status for status, _ in answers} == {200}
    found = {recipes_of(body) for _, body in answers}
    assert found == {recipes_of(first.content), recipes_of(last[1])} and len(found) == 2
