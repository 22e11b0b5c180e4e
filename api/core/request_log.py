"""One log line and one count a request, and what all log lines look like."""

import logging
import logging.config
import re
import time
from typing import Literal

from asgi_correlation_id import CorrelationIdMiddleware
from pythonjsonlogger.core import RESERVED_ATTRS
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.core.metrics import Metrics

_log = logging.getLogger("itadaki.requests")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TEXT = "%(levelname)s %(correlation_id)s %(message)s"
_JSON = "%(asctime)s %(levelname)s %(name)s %(correlation_id)s %(message)s"


def configure_logs(log_format: Literal["text", "json"]) -> None:
    """Send every log line to standard error, with the id of its request."""
    formatters = {
        "text": {"format": _TEXT},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": _JSON,
            "reserved_attrs": [*RESERVED_ATTRS, "color_message"],  # uvicorn's, for terminals
            "rename_fields": {
                "asctime": "time",
                "levelname": "level",
                "correlation_id": "request_id",
            },
        },
    }
    request_id = {"()": "asgi_correlation_id.CorrelationIdFilter", "default_value": "-"}
    handler = {
        "class": "logging.StreamHandler",
        "formatter": log_format,
        "filters": ["request_id"],
    }
    uvicorn = {"handlers": [], "propagate": True}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": formatters,
            "filters": {"request_id": request_id},
            "handlers": {"stderr": handler},
            "root": {"handlers": ["stderr"], "level": "INFO"},
            "loggers": {
                "uvicorn": uvicorn,
                "uvicorn.error": uvicorn,
                "uvicorn.access": {**uvicorn, "level": "WARNING"},  # RequestLog says more
            },
        }
    )


def with_request_ids(app: ASGIApp) -> ASGIApp:
    """Give every request an id, its own X-Request-ID if that is harmless, and answer with it."""
    return CorrelationIdMiddleware(
        app, header_name="X-Request-ID", validator=lambda sent: bool(_REQUEST_ID.fullmatch(sent))
    )


class RequestLog:
    """ASGI middleware: logs and counts each request; of a body nothing but its size."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        received, status = 0, 500

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        async def watching(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, counting, watching)
        finally:
            seconds = time.perf_counter() - started
            self._metrics.request(_route(scope), status, seconds)
            _log.info(
                "%s %r %d %.1f ms",
                scope["method"],
                scope["path"],
                status,
                seconds * 1000,
                extra={
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "seconds": round(seconds, 5),
                    "body_bytes": received,
                    "client": (scope.get("client") or ["-"])[0],
                },
            )


def _route(scope: Scope) -> str:
    """The path as it was declared, so that hostile paths do not make a label each."""
    return getattr(scope.get("route"), "path", "unmatched")
