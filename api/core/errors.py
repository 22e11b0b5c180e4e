"""Every failure leaves the API in the seed's error shape, with a sentence."""

import logging
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.core.answer import failure
from api.core.inference_queue import BusyError, ClientGoneError
from api.core.request_scope import route_path
from itadaki.errors import (
    BusyFolderError,
    CollectionError,
    DecodingBusyError,
    ImageError,
    ImageTooLargeError,
    IndexUnavailableError,
    ItadakiError,
    QueryError,
    RecipeError,
    StorageError,
    UnknownRecipeError,
    UnsupportedImageError,
    is_about_storage,
    requirement,
    storage_error,
)

_log = logging.getLogger(__name__)


class UnknownCollectionError(Exception):
    """No collection of this name is served."""


class _Told(NamedTuple):
    """How an error is told: its status, its own words unless there are others, and its code
    unless that of the status is exact enough."""

    status: int
    code: str = ""
    says: str = ""
    retry_after: int = 0
    is_logged: bool = False


_EXPECTED: dict[type[Exception], _Told] = {
    ImageError: _Told(400, "unreadable_photo"),
    UnknownCollectionError: _Told(404, "unknown_collection"),
    UnknownRecipeError: _Told(404, "unknown_recipe"),
    CollectionError: _Told(409),
    ImageTooLargeError: _Told(413, "large_photo"),
    UnsupportedImageError: _Told(415, "unknown_format"),
    QueryError: _Told(422, "wrong_query"),
    RecipeError: _Told(422, "wrong_recipe"),
    # nginx's number; nobody reads the answer
    ClientGoneError: _Told(499, says="The client has gone."),
    BusyError: _Told(503, says="Too many requests are waiting; try again.", retry_after=1),
    DecodingBusyError: _Told(503, retry_after=1),
    BusyFolderError: _Told(
        503, says="The collection is being changed by another process; try again.", retry_after=5
    ),
    IndexUnavailableError: _Told(
        503, says="The index does not answer; try again.", retry_after=1, is_logged=True
    ),
    StorageError: _Told(
        507, says="The service's disk is full, or it may not write there.", is_logged=True
    ),
}
"""Of an error that is none of these, its nearest base counts."""


def told(error: Exception) -> _Told:
    """How one of the expected errors is told."""
    return next(_EXPECTED[kind] for kind in type(error).__mro__ if kind in _EXPECTED)


class StartupErrors:
    """ASGI middleware: a start that fails for a reason the user can mend ends with its sentence.

    Starlette would hand the server the whole traceback instead.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        held: list[Message] = []

        async def holding(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                held.append(message)
            else:
                await send(message)

        try:
            await self.app(scope, receive, holding)
        except ItadakiError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
        except BaseException:
            for message in held:
                await send(message)
            raise


class ErrorShape:
    """ASGI middleware: puts errors that others have said in plain text into the shape of ours.

    So it is with what Starlette says of a bad Range, or to a preflight that may not be.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        said = b""

        async def shaping(message: Message) -> None:
            nonlocal start, said
            if message["type"] == "http.response.start" and message["status"] >= 400:
                headers = Headers(raw=message.get("headers", []))
                if headers.get("content-type", "").startswith("text/plain"):
                    start = message
                    return
            if start is None:
                await send(message)
                return
            said += message.get("body", b"")
            if not message.get("more_body"):
                await _shaped(start, said.decode(errors="replace"))(scope, receive, send)

        await self.app(scope, receive, shaping)


def _shaped(start: Message, said: str) -> JSONResponse:
    status, headers = start["status"], MutableHeaders(raw=list(start["headers"]))
    for name in ("content-type", "content-length"):
        del headers[name]
    answer = failure(status, f"{said.removesuffix('.') or HTTPStatus(status).phrase}.")
    answer.raw_headers += headers.raw
    return answer


def add_error_handlers(app: FastAPI) -> None:
    """Have every error answered in its shape, whether it was foreseen or not."""
    for kind in _EXPECTED:
        app.add_exception_handler(kind, _expected)
    app.add_exception_handler(OSError, _refused_by_the_system)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _wrong_request)
    app.add_exception_handler(Exception, _unforeseen)


async def _expected(request: Request, error: Exception) -> JSONResponse:
    how = told(error)
    if how.is_logged:
        _log.error("%s", error)
    headers = {"Retry-After": str(how.retry_after)} if how.retry_after else None
    return failure(how.status, how.says or str(error), headers, how.code)


async def _refused_by_the_system(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, OSError) and is_about_storage(error):
        return await _expected(request, storage_error(error))
    raise error


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    detail, path = str(error.detail).removesuffix("."), request.url.path
    if detail == HTTPStatus(error.status_code).phrase:
        said = {
            404: f"There is nothing at {path}",
            405: f"{request.method} does not work at {path}",
        }
        detail = said.get(error.status_code, f"{detail}: {request.method} {path}")
    headers = dict(error.headers or {})
    if "Allow" in headers:  # Starlette names the methods of one route, though there are more
        headers["Allow"] = _methods(request) or headers["Allow"]
    return failure(error.status_code, f"{detail}.", headers)


async def _wrong_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Of a field that may be left out, pydantic says, too, that it is not None.
    problems = [problem for problem in error.errors() if problem["type"] != "none_required"]
    return failure(422, " ".join(map(_sentence, problems)))


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    _log.exception("Unforeseen error", exc_info=error)
    return failure(500, "Something went wrong in Itadaki; the log says what.")


def _methods(request: Request) -> str:
    """What may be done at a path, by all of its routes; empty if it is not documented."""
    for path, operations in request.app.openapi()["paths"].items():
        if compile_path(path)[0].match(route_path(request.scope)):
            return ", ".join(sorted(map(str.upper, operations)))
    return ""


def _sentence(problem: dict[str, Any]) -> str:
    where = problem["loc"]
    field = where[1] if len(where) > 1 else where[0]  # the first tells query, path and body apart
    if problem["msg"].startswith("Value error, Expected UploadFile"):
        return f"The field {field} must be a file, not text."
    return f"The field {field} {requirement(problem)}."
