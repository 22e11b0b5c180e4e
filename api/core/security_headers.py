"""Headers that tell browsers to trust the page with nothing it does not need."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.core.request_scope import route_path

_POLICY = (
    "default-src 'none'; script-src 'self'{inline}; style-src 'self'{inline}; "
    "img-src 'self' blob: data:; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_STRICT, _DOCS = _POLICY.format(inline=""), _POLICY.format(inline=" 'unsafe-inline'")


class SecurityHeaders:
    """ASGI middleware: adds the headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # FastAPI starts Swagger with a script inside the page.
        policy = _DOCS if scope["type"] == "http" and route_path(scope) == "/docs" else _STRICT

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = policy
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Permissions-Policy"] = "geolocation=(), microphone=()"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
            await send(message)

        await self.app(scope, receive, adding if scope["type"] == "http" else send)
