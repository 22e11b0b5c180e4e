"""Who may call the API, and how often."""

import hmac
import ipaddress
import time

from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.core.config import ApiSettings, rate_limits
from api.core.errors import failure
from api.core.paths import route_path

_GUARDED = ("/api/", "/metrics")
_OPEN = ("/api/v1/photos/",)  # the img element of a page cannot send a key


class Access:
    """ASGI middleware: asks for the API key and counts each client's searches.

    Both happen before anything of the body is read. The key guards the API and the metrics, not
    the page, the photos, and what tells whether the service is alive.
    """

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self.app = app
        self._key = settings.api_key and settings.api_key.get_secret_value().encode()
        self._limits = rate_limits(settings.rate_limit)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self.app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        path = route_path(scope)
        if not path.startswith(_GUARDED) or path.startswith(_OPEN):
            return None
        if self._key and not hmac.compare_digest(_sent_key(Headers(scope=scope)), self._key):
            return failure(
                401,
                "This service needs its API key, in the header X-API-Key.",
                {"WWW-Authenticate": "Bearer"},
            )
        if path.startswith("/api/"):
            return self._too_often(_address(scope))
        return None

    def _too_often(self, client: str) -> Response | None:
        for limit in self._limits:
            if not self._limiter.hit(limit, client):
                reset, _ = self._limiter.get_window_stats(limit, client)
                seconds = max(1, round(reset - time.time() + 0.5))
                return failure(
                    429,
                    f"At most {limit.amount} requests in {limit.get_expiry()} seconds are "
                    f"answered; try again in {seconds}.",
                    {"Retry-After": str(seconds)},
                )
        return None


def _sent_key(headers: Headers) -> bytes:
    bearer = headers.get("authorization", "")
    scheme, _, token = bearer.partition(" ")
    return (headers.get("x-api-key") or (token if scheme.lower() == "bearer" else "")).encode()


def _address(scope: Scope) -> str:
    """The client's address; of IPv6 the /64 network, which one client has to itself."""
    host = scope["client"][0] if scope.get("client") else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
