"""Every failure leaves the API in the seed's error shape, with a sentence."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.features.search.schemas.search import SearchResponse
from itadaki.errors import ImageError, ImageTooLargeError, UnsupportedImageError

_log = logging.getLogger(__name__)


def add_error_handlers(app: FastAPI) -> None:
    """Register the handlers for wrong requests, unreadable photos and the unforeseen."""

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        return _failure(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def wrong_request(request: Request, error: RequestValidationError) -> JSONResponse:
        return _failure(422, " ".join(_sentence(problem) for problem in error.errors()))

    @app.exception_handler(ImageError)
    async def wrong_image(request: Request, error: ImageError) -> JSONResponse:
        status = {UnsupportedImageError: 415, ImageTooLargeError: 413}.get(type(error), 400)
        return _failure(status, str(error))

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        _log.exception("Unforeseen error", exc_info=error)
        return _failure(500, "Something went wrong in Itadaki; the log says what.")


def _sentence(problem: dict) -> str:
    field = problem["loc"][-1]
    if problem["type"] == "missing":
        return f"The field {field} is missing."
    message = problem["msg"]
    return f"The field {field} is not usable: {message[:1].lower()}{message[1:]}."


def _failure(status: int, message: str, headers: dict | None = None) -> JSONResponse:
    body = SearchResponse.failure(message)
    return JSONResponse(body.model_dump(mode="json", by_alias=True), status, headers)
