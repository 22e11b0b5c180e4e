"""Refuses request bodies that are too large, too slow, or too many, while they stream in."""

import asyncio
import time

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CLOSE = {"Connection": "close"}  # what is still to come of the body is not wanted
_LINGER = 2.0  # seconds in which a refused body is read on, so that its sender hears the answer


class BodyLimit:
    """ASGI middleware that keeps bodies in memory, and within limits.

    The bytes are counted as they come, so that a missing or false Content-Length does not help.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_total: int, seconds: float) -> None:
        """Set the limits, in bytes and seconds, of one body, of all together, and of its way.

        Args:
            app: the application behind.
            max_bytes: a larger body is answered with 413.
            max_total: when the bodies in work hold more than this together, the answer is 503.
            seconds: a body that takes longer is answered with 408.
        """
        self.app = app
        self.max_bytes, self.max_total, self.seconds = max_bytes, max(max_total, max_bytes), seconds
        self._held = 0
        # Uploads never touch the disk: a part is spooled to a file only beyond the limit above.
        MultiPartParser.spool_max_size = max_bytes + 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"")
        declared = int(length) if length.isdigit() else 0
        deadline = time.monotonic() + self.seconds
        received = 0
        whole = False

        async def limited() -> Message:
            nonlocal received, whole
            if whole:  # what comes now says that the client has gone
                return await receive()
            message = {}
            if declared <= self.max_bytes:
                try:
                    async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                        message = await receive()
                except TimeoutError:
                    said = f"The upload took longer than {self.seconds:g} seconds."
                    raise HTTPException(408, said, _CLOSE) from None
            size = len(message.get("body", b""))
            received += size
            self._held += size
            whole = not message.get("more_body", False)
            too_large = max(received, declared) > self.max_bytes
            too_many = self._held > self.max_total
            if too_large or too_many:
                self._held -= received  # at once, or those that wait beside it would be refused too
                received = 0
                await _linger(receive)
            if too_large:
                said = f"The upload is larger than {self.max_bytes / 1e6:g} MB."
                raise HTTPException(413, said, _CLOSE)
            if too_many:
                raise HTTPException(503, "Too many uploads at once.", _CLOSE | {"Retry-After": "1"})
            return message

        try:
            await self.app(scope, limited, send)
        finally:
            self._held -= received


async def _linger(receive: Receive) -> None:
    """Read and forget the rest of a body for a while: a reset connection would hide the answer."""
    try:
        async with asyncio.timeout(_LINGER):
            while (await receive()).get("more_body"):
                pass
    except TimeoutError:
        pass
