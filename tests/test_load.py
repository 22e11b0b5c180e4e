"""More requests than the service can answer, a kill in their midst, and a swap of the model."""

import asyncio
import json
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable

import aiohttp
import keras
import pytest
from conftest import dish_photo, encode, running_service

from itadaki.models.keras_model import save_model
from itadaki.retrieval import RetrievalSystem
from itadaki.variants import VARIANTS, Artifacts

SEARCH = "/api/v1/search/search"


@pytest.fixture(scope="module")
def url(environment):
    with running_service(environment) as service:
        yield str(service.client.base_url)


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


async def crowd(
    url: str, photo: bytes, size: int, until: Callable[[Counter], bool]
) -> tuple[Counter, set[str]]:
    """What so many clients are answered that each ask again at once, until that is enough.

    Returns:
        How often each status came, and all that was found.
    """
    seen, found = Counter(), set()

    async def client() -> None:
        while not until(seen):
            status, body = await ask(session, photo)
            seen[status] += 1
            if status == 200:
                found.add(recipes_of(body))

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, connector=connector) as session:
        await asyncio.gather(*(client() for _ in range(size)))
    return seen, found


def test_more_clients_than_places(url, soak):
    """Four times as many: some are refused, nothing breaks, and then the places are free again."""
    photo = encode(dish_photo(5))
    started = time.monotonic()

    def enough(seen: Counter) -> bool:
        long_enough = not soak or time.monotonic() - started > 60
        return long_enough and min(seen[200], seen[503]) >= 50

    async def run() -> tuple[Counter, set[str], tuple[int, bytes]]:
        seen, found = await crowd(url, photo, 150, enough)
        async with aiohttp.ClientSession(url) as session:
            async with session.get("/ready") as answer:
                assert await answer.json() == {"ready": True}
            return seen, found, await ask(session, photo)

    seen, found, (status, body) = asyncio.run(run())
    assert set(seen) == {200, 503} and status == 200
    assert found == {recipes_of(body)}


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

        clients = [asyncio.create_task(client()) for _ in range(connections)]
        while 503 not in answers:  # all places are taken
            await asyncio.sleep(0.05)
        answered = [(await ask(modest, photo))[0] for _ in range(searches)]
        until.set()
        await asyncio.gather(*clients)
    assert set(answers) == {200, 503}
    return answered


@pytest.mark.skipif(sys.platform != "linux", reason="needs a second address of this machine")
def test_a_modest_client_is_answered_beside_a_greedy_one(url, soak):
    searches = 250 if soak else 25
    answered = asyncio.run(greedy_and_modest(url, encode(dish_photo(5)), 60, searches))
    assert answered == [200] * searches


def test_kill_under_load_and_restart(environment, settings):
    photo = encode(dish_photo(5))

    def files() -> set:
        return {path.relative_to(settings.home) for path in settings.home.rglob("*")}

    before = files()
    with running_service(environment) as service:

        def killed(seen: Counter) -> bool:
            """In the midst of the work: seven of eight wait for an answer."""
            if seen.total() == 20:
                service.process.kill()
            return seen[0] > 0

        seen, found = asyncio.run(crowd(str(service.client.base_url), photo, 8, killed))
        assert service.process.wait(60) == -signal.SIGKILL
    assert set(seen) == {200, 0}
    assert files() == before
    with running_service(environment) as service:
        again = service.client.post(SEARCH, files={"image": ("a.jpg", photo, "image/jpeg")})
    assert {recipes_of(again.content)} == found


def recipes_of(body: bytes) -> str:
    """What a search found, without the addresses of the photos, which hold the port."""
    recipes = json.loads(body)["recipes"]
    return json.dumps([(recipe["id"], round(recipe["similarity"], 4)) for recipe in recipes])


@pytest.fixture
def other_home(settings, tmp_path):
    """A home with another model, a small one, and its bank, for the same recipes."""
    other = settings.model_copy(update={"home": tmp_path / "other", "backbone_weights": None})
    inputs = keras.Input((224, 224, 3))
    rows = keras.layers.Dense(1280)(keras.layers.GlobalAveragePooling2D()(inputs / 255))
    path = Artifacts(VARIANTS["raw"], other).model
    path.parent.mkdir(parents=True)
    save_model(keras.Model(inputs, keras.layers.UnitNormalization()(rows)), path)
    RetrievalSystem.load("raw", other, build=True)
    return other.home


def test_swap_under_load(environment, settings, other_home, copy, soak):
    photo = encode(dish_photo(5))
    home = copy.home
    key = "secret-of-the-test"
    ours = {"ITADAKI_HOME": str(home), "ITADAKI_API_KEY": key, "ITADAKI_BACKBONE_WEIGHTS": ""}
    headers = {"X-API-Key": key}

    def put(source) -> None:
        for path in home.joinpath("raw").iterdir():
            path.unlink()
        for path in source.joinpath("raw").iterdir():
            shutil.copy2(path, home / "raw")

    async def run(url: str) -> tuple[list, list, tuple]:
        answers, until = [], asyncio.Event()

        async def swaps() -> list[int]:
            swapped = []
            async with aiohttp.ClientSession(url, headers=headers) as session:
                for source in [other_home, settings.home] * (10 if soak else 2) + [other_home]:
                    await asyncio.to_thread(put, source)
                    async with session.post("/api/v1/admin/reload") as answer:
                        swapped.append(answer.status)
            until.set()
            return swapped

        async def client(session) -> None:
            while not until.is_set():
                answers.append(await ask(session, photo))

        async with aiohttp.ClientSession(url, headers=headers) as session:
            swapped, *_ = await asyncio.gather(swaps(), *(client(session) for _ in range(8)))
            last = await ask(session, photo)
        return swapped, answers, last

    with running_service({**environment, **ours}) as service:
        first = service.client.post(
            SEARCH, files={"image": ("a.jpg", photo, "image/jpeg")}, headers=headers
        )
        swapped, answers, last = asyncio.run(run(str(service.client.base_url)))
    print(f"\n{len(swapped)} swaps, {len(answers)} searches meanwhile")
    assert set(swapped) == {status for status, _ in answers} == {200}
    found = {recipes_of(body) for _, body in answers}
    assert found == {recipes_of(first.content), recipes_of(last[1])} and len(found) == 2
