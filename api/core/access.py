"""Who may call the API, and how often."""

import hmac

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from api.core.answer import failure
from api.core.rate_limit import RateLimit
from api.core.request_scope import client_of, route_path

OPEN = (
    "/",
    "/page/{file:path}",
    "/manifest.webmanifest",
    "/worker.js",
    "/examples",
    "/examples/{name}",
    "/api/v1/photos/{photo_id}",  # the img element of a page cannot send a key
    "/health",
    "/ready",
    "/docs",
    "/openapi.json",
    "/swagger/{file:path}",
)
"""The routes that anybody may read; a key guards all others, those yet to be written included."""
_OPEN = [compile_path(path)[0] for path in OPEN]
_READING = ("GET", "HEAD")
_NOT_COUNTED = "/metrics"  # asked for again and again by whoever watches the service


class Access:
    """ASGI middleware: asks for the API key and counts what each client asks for.

    Both happen before anything of the body is read. Requests without the right key are counted for
    themselves: past the limit, a client's key is not even looked at, or it could go on guessing.
    """

    def __init__(self, app: ASGIApp, key: str | None, rate: RateLimit) -> None:
        self.app, self._key, self._rate = app, key.encode() if key else None, rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] != "lifespan":
            try:
                self._check(scope)
            except HTTPException as refusal:
                app = failure(refusal.status_code, refusal.detail, refusal.headers)
        await app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        path, client = route_path(scope), client_of(scope)
        if scope.get("method") in _READING and any(route.match(path) for route in _OPEN):
            return
        if self._key:
            without_key = f"{client} without the key"
            self._rate.check(without_key)
            if not hmac.compare_digest(_sent_key(Headers(scope=scope)), self._key):
                self._rate.note(without_key)
                said = "This service needs its API key, in the header X-API-Key."
                raise HTTPException(401, said, {"WWW-Authenticate": "Bearer"})
        if path != _NOT_COUNTED:
            self._rate.take(client)


def _sent_key(headers: Headers) -> bytes:
    bearer = headers.get("authorization", "")
    scheme, _, token = bearer.partition(" ")
    return (headers.get("x-api-key") or (token if scheme.lower() == "bearer" else "")).encode()
