"""The shape of every answer to a search, and of every error."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, field_serializer
from pydantic.alias_generators import to_camel


class Camel(BaseModel):
    """What is answered: names in snake_case here, in camelCase for clients."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Answer(Camel):
    """What a search answers, whatever it finds, and what says that something failed."""

    recipes: list[Any]
    total_results: int
    processing_time: float = Field(description="Seconds from the upload's arrival to the answer.")
    timestamp: datetime = Field(default_factory=lambda: datetime.now(UTC))
    success: bool = True
    error_message: str | None = None
    error_code: str | None = Field(
        None, description="What went wrong, in a word that stays the same: for programs."
    )

    @field_serializer("timestamp")
    def _milliseconds(self, timestamp: datetime) -> str:
        return timestamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @classmethod
    def failure(cls, message: str, code: str) -> Self:
        """The answer to a request that failed."""
        return cls(
            recipes=[],
            total_results=0,
            processing_time=0.0,
            success=False,
            error_message=message,
            error_code=code,
        )


CODES = {
    400: "bad_request",
    401: "key_needed",
    404: "not_found",
    405: "wrong_method",
    408: "slow_upload",
    409: "conflict",
    413: "large_upload",
    415: "no_form",
    416: "wrong_range",
    421: "unknown_host",
    422: "wrong_request",
    429: "too_often",
    499: "client_gone",
    500: "unforeseen",
    503: "busy",
    507: "no_room",
}
"""What an error is called for programs, by its status, where nothing more exact is known."""


def failure(
    status: int, message: str, headers: Mapping[str, str] | None = None, code: str = ""
) -> JSONResponse:
    """An answer in the shape of every error; ``code`` is by default that of the status."""
    body = Answer.failure(message, code or CODES.get(status, CODES[500 if status > 499 else 400]))
    return JSONResponse(body.model_dump(mode="json", by_alias=True), status, headers)
