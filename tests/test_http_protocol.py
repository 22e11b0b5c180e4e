import asyncio
import re
import socket
import threading
import time
from contextlib import contextmanager
from typing import ClassVar

import pytest
import uvicorn
from conftest import listening

from api.core.http_protocol import BoundedProtocol
from api.features.search.schemas.search import SearchResponse

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
gate = threading.Event()  # open: /held is answered


class Watched(BoundedProtocol):
    head_seconds = answer_seconds = 60.0
    of: ClassVar[dict] = {}  # by the addresses of client and server

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.begun, self.lost = threading.Event(), threading.Event()

    def connection_made(self, transport):
        super().connection_made(transport)
        self.of[self.client, self.server] = self

    def on_message_begin(self):
        super().on_message_begin()
        self.begun.set()

    def connection_lost(self, exc):
        super().connection_lost(exc)
        self.lost.set()


def wait_until(what: str, connection) -> None:
    """Wait until the service has seen a head begin, or has lost the connection."""
    deadline = time.monotonic() + 60
    ends = connection.getsockname(), connection.getpeername()
    while not (protocol := Watched.of.get(ends)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert getattr(protocol, what).wait(60)


class Impatient(Watched):
    head_seconds = answer_seconds = 1.0


async def app(scope, receive, send):
    """Answers with the length of the body, /early without having read it, /much with a lot."""
    if scope["path"] == "/slow":
        await asyncio.sleep(0.1)
    while scope["path"] == "/held" and not gate.is_set():
        await asyncio.sleep(0.01)
    length, more = 0, scope["path"] != "/early"
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    said = str(length).encode() if scope["path"] != "/much" else bytes(50_000_000)
    headers = [(b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


@contextmanager
def connections(protocol):
    """Opens connections to the application behind a protocol, until the block ends."""
    config = uvicorn.Config(app, http=protocol, ws="none", lifespan="off", log_level="error")
    with listening(config) as address:
        yield lambda: socket.create_connection(address, timeout=60)


@pytest.fixture(scope="module")
def connect():
    with connections(Watched) as connect:
        yield connect


@pytest.fixture
def connection(connect):
    gate.clear()
    with connect() as connection:
        yield connection
        gate.set()


@pytest.fixture(scope="module")
def connect_impatient():
    with connections(Impatient) as connect:
        yield connect


@pytest.fixture
def impatient(connect_impatient):
    """A connection to a service that waits for a second where it may wait."""
    gate.clear()
    with connect_impatient() as connection:
        yield connection
        gate.set()


def said(connection) -> bytes:
    """Everything until the service hangs up."""
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def answer(connection) -> bytes:
    """The next answer, with its head and the one digit of its body."""
    part = b""
    while not re.search(rb"\r\n\r\n\d", part):
        part += connection.recv(1)
    return part


def flood(connection, piece: bytes) -> int:
    """Send for ever; returns how many bytes went before the service hung up."""
    sent = 0
    try:
        while sent < 100_000_000:
            sent += connection.send(piece)
    except ConnectionError:
        pass
    return sent


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"GET /", b"a" * 10_000),
        (b"GET / HTTP/1.1\r\nX: ", b"y" * 10_000),
        (b"GET / HTTP/1.1\r\n", b"X: y\r\n" * 1000),
        (HEAD + b"\r\n5\r\nhello\r\n0\r\n", b"X: y\r\n" * 1000),
        (HEAD + b"\r\n5;x=", b"y" * 10_000),
    ],
    ids=["path", "header", "headers", "trailers", "chunk extension"],
)
def test_what_is_not_body_may_not_go_on_for_ever(connection, start, piece):
    connection.sendall(start)
    assert flood(connection, piece) < 20_000_000  # most of it lies in the system's buffers


def test_a_head_that_is_too_large_is_told_so(connection):
    connection.sendall(b"GET / HTTP/1.1\r\n")
    wait_until("begun", connection)
    connection.sendall(b"X: " + b"y" * 70_000)
    assert said(connection).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "request_bytes",
    [b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nA b: c\r\n\r\n"],
)
def test_what_is_no_http_is_told_so_in_the_shape_of_every_error(connection, request_bytes):
    connection.sendall(request_bytes)
    head, _, body = said(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ") and b"connection: close" in head
    assert b"content-type: application/json" in head
    assert b"content-length: %d" % len(body) in head
    answer = SearchResponse.model_validate_json(body)
    assert not answer.success and answer.error_message == "Invalid HTTP request received."


@pytest.mark.parametrize("start", [b"", b"G", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_head_that_does_not_come_ends_the_connection(impatient, start):
    started = time.monotonic()
    impatient.sendall(start)
    assert said(impatient) == b""
    assert time.monotonic() - started > 0.6


def test_large_and_slow_bodies_are_none_of_its_business(impatient):
    impatient.sendall(HEAD + b"\r\n")
    for _ in range(4):
        impatient.sendall(b"F4240\r\n" + b"x" * 1_000_000 + b"\r\n")
        time.sleep(0.4)
    impatient.sendall(b"5\r\nhello\r\n" * 10_000 + b"0\r\n\r\n")
    assert said(impatient).endswith(b"4050000")


def test_a_body_that_nobody_reads_must_end(impatient):
    head = HEAD.replace(b"/", b"/early", 1).replace(b"close", b"keep-alive") + b"\r\n"
    impatient.sendall(head)
    started = time.monotonic()
    with pytest.raises(ConnectionError):
        while time.monotonic() - started < 60:
            impatient.sendall(b"1\r\nx\r\n")
            time.sleep(0.05)
    assert time.monotonic() - started > 0.6


def test_an_answer_that_is_not_taken_ends_the_connection(impatient):
    impatient.sendall(b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_until("lost", impatient)
    assert len(said(impatient)) < 50_000_000


def test_requests_one_after_another_each_have_a_head_of_their_own(connection):
    for _ in range(5):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 60_000 + b"\r\n\r\n")
        assert answer(connection).startswith(b"HTTP/1.1 200")


def get(path: str, last: bool = False) -> bytes:
    end = "Connection: close\r\n" if last else ""
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n{end}\r\n".encode()


def test_requests_may_come_before_the_answers_to_those_before_them(connection):
    """The second lot comes while the first one waits, and is not read until that is answered."""
    connection.sendall(get("/slow") * 10)
    assert answer(connection).startswith(b"HTTP/1.1 200")
    connection.sendall(get("/slow") * 11 + get("/slow", last=True))
    assert said(connection).count(b"HTTP/1.1 200") == 21


def test_more_waiting_requests_than_anybody_needs_end_the_connection(connection):
    connection.sendall(get("/held") * 50)
    assert said(connection).count(b"HTTP/1.1 200") == 0


def test_nothing_is_read_while_requests_wait(impatient):
    """Nor is a head that was begun behind them late meanwhile."""
    impatient.sendall(get("/held") * 8 + b"GET / HTTP/1.1\r\nHo")
    wait_until("begun", impatient)
    time.sleep(1.5)  # longer than a head may take
    impatient.sendall(b"st: a\r\nConnection: close\r\n\r\n")
    gate.set()
    assert said(impatient).count(b"HTTP/1.1 200") == 9


def test_what_is_no_http_does_not_answer_an_earlier_request(connection):
    connection.sendall(get("/held") + b"\0\0\0\r\n\r\n")
    assert b"400" not in said(connection)
