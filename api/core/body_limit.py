"""Refuses request bodies over a limit while they stream in."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware: a body of more than ``max_bytes`` is answered with 413.

    The bytes are counted as they come, so that a missing or false Content-Length does not help.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        received = 0

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if max(received, declared) > self.max_bytes:
                raise HTTPException(
                    413, f"The upload is larger than {self.max_bytes // 1_000_000} MB."
                )
            return message

        length = dict(scope["headers"]).get(b"content-length", b"")
        declared = int(length) if length.isdigit() else 0
        await self.app(scope, counting, send)
