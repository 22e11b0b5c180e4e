"""Every failure leaves the API in the seed's error shape, with a sentence."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.core.collections import UnknownCollectionError
from api.core.inference_queue import BusyError, ClientGoneError
from api.core.reload import ReloadError
from api.core.request_scope import route_path
from api.features.search.schemas.search import SearchResponse
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

_CLIENT_GONE = 499  # nginx's number; nobody reads the answer
_log = logging.getLogger(__name__)


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
    """Register the handlers for wrong requests, unreadable photos and the unforeseen."""

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
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

    @app.exception_handler(RequestValidationError)
    async def wrong_request(request: Request, error: RequestValidationError) -> JSONResponse:
        return failure(422, " ".join(_sentence(problem) for problem in error.errors()))

    @app.exception_handler(ImageError)
    async def wrong_image(request: Request, error: ImageError) -> JSONResponse:
        status = {UnsupportedImageError: 415, ImageTooLargeError: 413}.get(type(error), 400)
        return failure(status, str(error))

    @app.exception_handler(QueryError)
    async def wrong_query(request: Request, error: QueryError) -> JSONResponse:
        return failure(422, str(error))

    @app.exception_handler(IndexUnavailableError)
    async def no_index(request: Request, error: IndexUnavailableError) -> JSONResponse:
        _log.error("%s", error)
        return failure(503, "The index does not answer; try again.", {"Retry-After": "1"})

    @app.exception_handler(CollectionError)
    async def wrong_change(request: Request, error: CollectionError) -> JSONResponse:
        status = {UnknownRecipeError: 404, RecipeError: 422}.get(type(error), 409)
        return failure(status, str(error))

    @app.exception_handler(BusyFolderError)
    async def changed_elsewhere(request: Request, error: BusyFolderError) -> JSONResponse:
        said = "The collection is being changed by another process; try again."
        return failure(503, said, {"Retry-After": "5"})

    @app.exception_handler(StorageError)
    async def no_room(request: Request, error: StorageError) -> JSONResponse:
        _log.error("%s", error)
        return failure(507, "The service's disk is full, or it may not write there.")

    @app.exception_handler(OSError)
    async def refused(request: Request, error: OSError) -> JSONResponse:
        if is_about_storage(error):
            return await no_room(request, storage_error(error))
        raise error

    @app.exception_handler(UnknownCollectionError)
    async def no_collection(request: Request, error: UnknownCollectionError) -> JSONResponse:
        return failure(404, str(error))

    @app.exception_handler(BusyError)
    async def busy(request: Request, error: BusyError) -> JSONResponse:
        return failure(503, "Too many requests are waiting; try again.", {"Retry-After": "1"})

    @app.exception_handler(DecodingBusyError)
    async def no_memory(request: Request, error: DecodingBusyError) -> JSONResponse:
        return failure(503, str(error), {"Retry-After": "1"})

    @app.exception_handler(ClientGoneError)
    async def gone(request: Request, error: ClientGoneError) -> JSONResponse:
        return failure(_CLIENT_GONE, "The client has gone.")

    @app.exception_handler(ReloadError)
    async def not_reloaded(request: Request, error: ReloadError) -> JSONResponse:
        return failure(409, str(error))

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
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


def failure(status: int, message: str, headers: dict | None = None) -> JSONResponse:
    """An answer in the shape of every error."""
    body = SearchResponse.failure(message)
    return JSONResponse(body.model_dump(mode="json", by_alias=True), status, headers)
