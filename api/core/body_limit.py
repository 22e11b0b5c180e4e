"""Refuses request bodies that are too large, too slow, too many, or no form, as they stream in."""

import asyncio
import time
from collections import Counter

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.core.answer import failure
from api.core.request_scope import client_of

_NO_FORM = "Send a form, as multipart/form-data."
_CLOSE = {"Connection": "close"}  # what is still to come of the body is not wanted
_MAX_PARTS = 64  # of a form; the largest honest one has ten photos and seven fields
_MAX_CONTENT_TYPE = 1000  # bytes; parsing it takes time with the square of its length
_LINGER = 2.0  # seconds in which a refused body is read on, so that its sender hears the answer


class BodyLimit:
    """ASGI middleware that keeps bodies in memory, and within limits.

    The bytes are counted as they come, so that a missing or false Content-Length does not help.
    Only forms of multipart/form-data are let through: other parsers, and that one too when a body
    is made of boundaries, would hold the event loop for seconds.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_total: int, seconds: float) -> None:
        """Set the limits, in bytes and seconds, of one body, of all together, and of its way.

        Args:
            app: the application behind.
            max_bytes: a larger body is answered with 413.
            max_total: when the bodies in work hold more than this together, or those of one client
                more than half of it, the answer is 503.
            seconds: a body that takes longer is answered with 408.
        """
        self.app = app
        self.max_bytes, self.max_total, self.seconds = max_bytes, max(max_total, max_bytes), seconds
        self._most = max(max_bytes, self.max_total // 2)
        self._held: Counter[str] = Counter()
        # Uploads never touch the disk: a part is spooled to a file only beyond the limit above.
        MultiPartParser.spool_max_size = max_bytes + 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length, content_type = headers.get("content-length", ""), headers.get("content-type", "")
        declared = int(length) if length.isdecimal() else 0
        if len(content_type) > _MAX_CONTENT_TYPE:  # the application would parse it all the same
            await failure(415, _NO_FORM, _CLOSE)(scope, receive, send)
            return
        parts, client = _Parts(content_type), client_of(scope)
        deadline = time.monotonic() + self.seconds
        received = 0
        whole = False

        async def limited() -> Message:
            nonlocal received, whole
            if whole:  # what comes now says that the client has gone
                return await receive()
            message: Message = {}
            if declared <= self.max_bytes:
                try:
                    async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                        message = await receive()
                except TimeoutError:
                    said = f"The upload took longer than {self.seconds:g} seconds."
                    raise HTTPException(408, said, _CLOSE) from None
            body = message.get("body", b"")
            received += len(body)
            self._held[client] += len(body)
            whole = not message.get("more_body", False)
            refusal = None
            if max(received, declared) > self.max_bytes:
                said = f"The upload is larger than {self.max_bytes / 1e6:g} MB."
                refusal = HTTPException(413, said, _CLOSE)
            elif self._held.total() > self.max_total or self._held[client] > self._most:
                again = _CLOSE | {"Retry-After": "1"}
                refusal = HTTPException(503, "Too many uploads at once.", again)
            elif body:
                refusal = parts.refusal(body)
            if refusal:
                # At once, or those that wait beside it would be refused too.
                self._held[client] -= received
                received = 0
                if not whole:
                    await _linger(receive)
                raise refusal
            return message

        try:
            await self.app(scope, limited, send)
        finally:
            self._held[client] -= received
            if not self._held[client]:
                del self._held[client]


class _Parts:
    """Counts the parts of a form before anything parses it."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        is_form = kind == b"multipart/form-data"
        self._boundary = b"\r\n--" + options.get(b"boundary", b"") if is_form else b""
        self._left, self._before = _MAX_PARTS, b""

    def refusal(self, body: bytes) -> HTTPException | None:
        """Take the next bytes of the body; returns what to answer if it is not to be parsed."""
        if not self._boundary:
            return HTTPException(415, _NO_FORM, _CLOSE)
        # A boundary may come in two halves; the end of what was seen is too short to hold one.
        seen = self._before + body
        found = seen.count(self._boundary)
        self._left -= found
        # The parser steps over blanks behind a boundary one by one.
        padded = (found or seen.startswith(self._boundary[1:])) and any(
            self._boundary[1:] + blank in seen for blank in (b" ", b"\t")
        )
        self._before = seen[1 - len(self._boundary) :]
        if self._left < 0 or padded:
            return HTTPException(400, f"A form may have at most {_MAX_PARTS} parts.", _CLOSE)
        return None


async def _linger(receive: Receive) -> None:
    """Read and forget the rest of a body for a while: a reset connection would hide the answer."""
    try:
        async with asyncio.timeout(_LINGER):
            while (await receive()).get("more_body"):
                pass
    except TimeoutError:
        pass
