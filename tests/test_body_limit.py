import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api.core.body_limit import BodyLimit


async def read(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


def app_of(max_bytes=1000, max_total=5000, seconds=5.0):
    app = Starlette(routes=[Route("/", read, methods=["POST"])])
    app.add_middleware(BodyLimit, max_bytes=max_bytes, max_total=max_total, seconds=seconds)
    return app


async def post(app, chunks, headers=(), pause=0.0) -> tuple[int, str]:
    """Send a body chunk by chunk, with a pause before each; returns status and answer."""
    left, said = list(chunks), []

    async def receive():
        await asyncio.sleep(pause)
        if not left:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message):
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": list(headers)}
    scope |= {"query_string": b"", "root_path": "", "http_version": "1.1"}
    await app(scope, receive, send)
    return said[0]["status"], said[1]["body"].decode()


def test_body_within_the_limit():
    assert asyncio.run(post(app_of(), [b"x" * 500, b"x" * 500])) == (200, "1000")


def test_body_over_the_limit_by_its_bytes():
    assert asyncio.run(post(app_of(), [b"x" * 500, b"x" * 501]))[0] == 413


def test_a_declared_length_is_believed_only_when_it_is_too_large():
    too_long, too_short = [(b"content-length", b"1001")], [(b"content-length", b"3")]
    assert asyncio.run(post(app_of(), [b"x"], too_long))[0] == 413
    assert asyncio.run(post(app_of(), [b"x" * 1001], too_short))[0] == 413


@pytest.mark.parametrize("length", [b"-1", b"1e9", b"many", b""])
def test_a_length_that_is_none_does_not_matter(length):
    assert asyncio.run(post(app_of(), [b"x"], [(b"content-length", length)])) == (200, "1")


def test_a_body_that_does_not_come():
    status, _ = asyncio.run(post(app_of(seconds=0.2), [b"x"] * 100, pause=0.05))
    assert status == 408


def test_bodies_in_work_are_bounded_together_and_give_their_room_back():
    app = app_of(max_bytes=1000, max_total=2500)

    async def three_and_one() -> list[int]:
        slow = [post(app, [b"x" * 900, b"x"], pause=0.1) for _ in range(3)]
        together = [status for status, _ in await asyncio.gather(*slow)]
        return [*sorted(together), (await post(app, [b"x" * 900]))[0]]

    assert asyncio.run(three_and_one()) == [200, 200, 503, 200]
