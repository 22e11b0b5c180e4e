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

    @field_serializer("timestamp")
    def _milliseconds(self, timestamp: datetime) -> str:
        return timestamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @classmethod
    def failure(cls, message: str) -> Self:
        """The answer to a request that failed."""
        return cls(
            recipes=[], total_results=0, processing_time=0.0, success=False, error_message=message
        )


def failure(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An answer in the shape of every error."""
    body = Answer.failure(message)
    return JSONResponse(body.model_dump(mode="json", by_alias=True), status, headers)
