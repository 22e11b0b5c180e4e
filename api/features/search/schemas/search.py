"""What the search endpoints answer."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_serializer
from pydantic.alias_generators import to_camel

_EXAMPLE = {
    "recipes": [
        {
            "rank": 1,
            "id": 5821,
            "title": "Caramel Apple Cupcakes",
            "imagePath": "http://127.0.0.1:8000/api/v1/photos/5821",
            "ingredients": "['4 tart apples', '200 g sugar', '2 eggs']",
            "instructions": "Heat the oven to 180 °C. Grate the apples ...",
            "similarity": 0.6209537386894226,
            "ingredientList": ["4 tart apples", "200 g sugar", "2 eggs"],
            "dishClass": "cake",
        }
    ],
    "totalResults": 1,
    "processingTime": 0.04,
    "timestamp": "2025-07-18T04:15:30.946Z",
    "success": True,
    "errorMessage": None,
}


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class RecipeResponse(_Camel):
    """One recipe found."""

    rank: int = Field(description="1 for the most similar recipe.")
    id: int = Field(description="The recipe's number in its collection, which never changes.")
    title: str
    image_path: str = Field(description="URL of the recipe's photo.")
    ingredients: str = Field(
        description="The ingredients as the string of a Python list; '[]' if there are none."
    )
    instructions: str = Field(description="May be empty.")
    similarity: float = Field(description="Cosine similarity of the two photos, -1 to 1.")
    ingredient_list: list[str] = Field(description="The ingredients as a JSON list.")
    dish_class: str | None = Field(description="What the title says the dish is.")


class SearchResponse(_Camel):
    """The answer to a search, and the shape of every error."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    recipes: list[RecipeResponse]
    total_results: int
    processing_time: float = Field(description="Seconds from the upload's arrival to the answer.")
    timestamp: datetime = Field(default_factory=lambda: datetime.now(UTC))
    success: bool = True
    error_message: str | None = None

    @field_serializer("timestamp")
    def _milliseconds(self, timestamp: datetime) -> str:
        return timestamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @classmethod
    def failure(cls, message: str) -> "SearchResponse":
        """The answer to a request that failed."""
        return cls(
            recipes=[], total_results=0, processing_time=0.0, success=False, error_message=message
        )


def error(description: str) -> dict[str, Any]:
    """How OpenAPI tells of an error: its shape, and what it may say."""
    example = _EXAMPLE | {
        "recipes": [],
        "totalResults": 0,
        "processingTime": 0.0,
        "success": False,
        "errorMessage": description,
    }
    content = {"application/json": {"example": example}}
    return {"model": SearchResponse, "description": description, "content": content}


class BatchResponse(_Camel):
    """The answers to several photos, in their order."""

    results: list[SearchResponse]


class DatasetHealth(_Camel):
    """Where the recipes come from."""

    source: str
    recipes: int
    dropped: dict[str, int] = Field(description="Rows left out, by reason.")
    notice: str | None = Field(description="What a user must be told about the source.")


class BankHealth(_Camel):
    """The embedding bank that is searched."""

    rows: int
    dimension: int
    sha256: str


class Health(_Camel):
    """What is being served."""

    status: str = "ok"
    version: str
    variant: str
    dataset: DatasetHealth
    bank: BankHealth
