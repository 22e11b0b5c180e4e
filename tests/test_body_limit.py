import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api.core.body_limit import BodyLimit


async def read(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


def app_of(max_bytes=1000, max_total=5000, seconds=60.0):
    app = Starlette(routes=[Route("/", read, methods=["POST"])])
    app.add_middleware(BodyLimit, max_bytes=max_bytes, max_total=max_total, seconds=seconds)
    return app


FORM = (b"content-type", b"multipart/form-data; boundary=b0undary")


async def post(app, chunks, headers=(), pause=0.0, kind=FORM, client="a") -> tuple[int, str]:
    """Send a body chunk by chunk, with a pause before each; returns status and answer."""
    left, said = list(chunks), []

    async def receive():
        await asyncio.sleep(pause)
        if not left:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message):
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [kind, *headers]}
    scope |= {"client": (client, 1), "query_string": b"", "root_path": "", "http_version": "1.1"}
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
        slow = [post(app, [b"x" * 900, b"x"], pause=0.1, client=client) for client in "abc"]
        together = [status for status, _ in await asyncio.gather(*slow)]
        return [*sorted(together), (await post(app, [b"x" * 900]))[0]]

    assert asyncio.run(three_and_one()) == [200, 200, 503, 200]


def test_one_client_has_at_most_half_of_the_room():
    app = app_of(max_bytes=1000, max_total=4000)

    async def greedy_and_modest() -> tuple[list[int], int]:
        slow = [post(app, [b"x" * 900, b"x"], pause=0.1) for _ in range(4)]
        *greedy, modest = await asyncio.gather(
            *slow, post(app, [b"x" * 900, b"x"], pause=0.1, client="b")
        )
        return sorted(status for status, _ in greedy), modest[0]

    assert asyncio.run(greedy_and_modest()) == ([200, 200, 503, 503], 200)


@pytest.mark.parametrize(
    "kind",
    [
        b"application/x-www-form-urlencoded",
        b"text/plain",
        b"multipart/mixed; boundary=x",
        b"",
        b'multipart/form-data; boundary=x; a="' + b";" * 60_000,  # takes long to parse
    ],
)
def test_only_forms_are_read(kind):
    status, said = asyncio.run(post(app_of(), [b"&" * 500], kind=(b"content-type", kind)))
    assert status == 415 and "multipart/form-data" in said


def test_a_second_content_type_does_not_help():
    other = [(b"content-type", b"multipart/form-data; boundary=other")]
    assert asyncio.run(post(app_of(), [PART * 65], other))[0] == 400


PART = b"\r\n--b0undary"


@pytest.mark.parametrize("size", [1, 7, 12, 13, 5000])
def test_parts_are_counted_however_they_come(size):
    def status(body: bytes) -> int:
        chunks = [body[at : at + size] for at in range(0, len(body), size)]
        return asyncio.run(post(app_of(), chunks))[0]

    assert status(PART * 64) == 200
    assert status(PART * 65) == 400
    assert status(b"x" + PART + b"\r\n" + b" " * 10 + PART[1:] + b"\r\n") == 200
    assert status(b"x" + PART + b" \r\n") == 400
    assert status(b"x" + PART + b"\t\r\n") == 400
