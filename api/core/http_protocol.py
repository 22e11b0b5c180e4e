"""uvicorn's HTTP protocol, with bounds on what the application never hears of."""

import asyncio
from collections import deque
from typing import Any

from httptools import HttpParserError
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.core.answer import failure

_MAX_HEAD = 65_536
_MAX_WAITING = 16  # requests behind the one that is answered
_LINGER = 1.0  # seconds for a refused client to read why
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class _Flow(FlowControl):
    """Reads nothing while requests wait for the answers to those before them."""

    def __init__(self, transport: asyncio.Transport, waiting: deque[Any]) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


class BoundedProtocol(HttpToolsProtocol):
    """Hangs up on clients that send heads without end, send none, or do not take their answers.

    uvicorn would keep any length of headers and any number of requests in memory, and such
    connections for ever.
    """

    head_seconds = 10.0  # for a head to come, and for the rest of a body that nobody reads
    answer_seconds = 30.0  # for the next 64 kB of an answer to go

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._spare = _MAX_HEAD  # bytes that may still come and are not a body's
        self._deadlines: dict[str, asyncio.TimerHandle] = {}

    def connection_made(  # type: ignore[override]  # as in uvicorn, no other transport comes
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self.flow = _Flow(transport, self.pipeline)
        self._expect("head", self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        for what in list(self._deadlines):
            self._came(what)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._spare -= len(data)
        super().data_received(data)
        if self._spare < 0 and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(_TOO_LARGE)
            # Closed at once, the connection would be reset and the answer lost.
            self.transport.pause_reading()
            self.loop.call_later(_LINGER, self.transport.close)

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= _MAX_WAITING:
            raise HttpParserError  # ends the parsing of what else has come
        self._spare = _MAX_HEAD  # the read that it began in is not counted
        self._expect("head", self.head_seconds)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._came("head")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        # Once for itself, once for the framing of small chunks.
        self._spare += 2 * len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._came("rest of the body")
        super().on_message_complete()

    def on_response_complete(self) -> None:
        if self.cycle.more_body:
            self._expect("rest of the body", self.head_seconds)
        super().on_response_complete()

    def pause_writing(self) -> None:
        self._expect("answer taken", self.answer_seconds)
        super().pause_writing()

    def resume_writing(self) -> None:
        self._came("answer taken")
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        cycle = self.cycle
        if cycle and not cycle.response_complete and (self.pipeline or not cycle.more_body):
            self.transport.abort()  # it would be taken for the answer to an earlier request
            return
        body = failure(400, msg).body
        head = [
            b"HTTP/1.1 400 Bad Request",
            b"content-type: application/json",
            b"content-length: %d" % len(body),
            b"connection: close",
        ]
        self.transport.write(b"\r\n".join([*head, b"", body]))
        self.transport.close()

    def _expect(self, what: str, seconds: float) -> None:
        self._came(what)
        self._deadlines[what] = self.loop.call_later(seconds, self._overdue, what, seconds)

    def _overdue(self, what: str, seconds: float) -> None:
        if what == "head" and self.pipeline:  # it may have come, but nothing is read yet
            self._expect(what, seconds)
        else:
            self.transport.abort()

    def _came(self, what: str) -> None:
        if deadline := self._deadlines.pop(what, None):
            deadline.cancel()
