"""What the search endpoints take and answer."""

import re
from typing import Annotated, Any

from fastapi import Form, UploadFile
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from api.core.answer import Answer, Camel
from itadaki.errors import QueryError
from itadaki.index.filters import Filters
from itadaki.photos.images import KINDS

_EXAMPLE: JsonDict = {
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
            "keywords": ["dessert", "autumn"],
            "servings": "12",
            "prepMinutes": 20,
            "cookMinutes": 25,
            "totalMinutes": 45,
            "author": "",
            "source": "",
            "named": ["apple"],
        }
    ],
    "totalResults": 1,
    "processingTime": 0.04,
    "timestamp": "2025-07-18T04:15:30.946Z",
    "isFood": True,
    "confidence": 0.41,
    "looksLike": ["cupcake", "apple", "caramel", "cream", "cinnamon"],
    "success": True,
    "errorMessage": None,
    "errorCode": None,
}


_TEXT = 500  # characters
_APART = r"[,;\n]"
# To leave out both errs to the safe side; "half and half" is one.
_EXCLUDED_APART = _APART + r"|[/&+]|(?<!half)\s(?i:and|or|nor)\s"
_MAX_BATCH = 10

_COLLECTION = "One of /api/v1/collections; by default the service's own."
CollectionName = Annotated[str, Field(max_length=100, description=_COLLECTION)]
# Swagger UI offers to choose several files only where it reads binary.
_FILE = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
Upload = Annotated[UploadFile, WithJsonSchema(_FILE)]
PHOTO = f"A photo: {KINDS}."
_AT_LEAST_ONE = "At least one of image, images, words and like."
_INCLUDE = (
    "Ingredients that a recipe must name, separated by commas; singular, plural and accents do not "
    "matter. Families such as nuts, dairy, fish or meat are found by their members."
)
_EXCLUDE = (
    "Ingredients that it must not name, separated by commas, or families: nuts, dairy, gluten, "
    "egg, fish, shellfish, soy, sesame, pork, meat, alcohol. What may be made with them is left "
    "out, too, and so are recipes that list no ingredients. This is no allergy filter: it reads "
    "words, and a recipe may hold what its words do not tell."
)
_CLASSES = "Kinds of dish, separated by commas; a recipe must be one of them."
_KEYWORDS = (
    "Keywords, separated by commas; a recipe must have each of them. Neither case nor accents "
    "matter."
)
_MORE_PHOTOS = 4
_MAX_IDS = 10
_IDS = "^[0-9, ]*$"
_CROP = (
    "The part of the photo that is meant, where it shows more than one dish: x, y, width and "
    "height as shares of the upright photo's, so that 0.5,0,0.5,1 is its right half. Of several "
    "photos it is the first's."
)
_LIKE = (
    "Ids of recipes that the answer shall be more like, separated by commas, also without a photo "
    "and words. They are not found again."
)
_UNLIKE = (
    "Ids of recipes that it shall be less like, separated by commas. They are not found again."
)
_IS_FOOD = (
    "Whether the photo, or one of several, shows food at all; what was found is answered all the "
    "same. null without a photo, or where the model does not stand on the backbone that this was "
    "fitted to."
)
_CONFIDENCE = (
    "How near the closest recipe is, 0 to 1: the share of the collection's own photos that have "
    "none as near. Below 0.05 even the closest are not very close. null where photos are not all "
    "that was asked with, or nothing was found."
)
_LOOKS_LIKE = (
    "Dishes and ingredients that the photos themselves point at, best first, in English. Empty "
    "without a photo, where the model knows no words, and in a service's first seconds."
)
_NAMED = "Those of looksLike that the recipe has in its title or among its ingredients."
_SIMILARITY = (
    "How near the recipe is to what was asked for, -1 to 1: of a photo the cosine similarity, once "
    "it was moved towards what the best recipes for it have in common; words said count beside it."
)
_MINIMUM = "Recipes that are less similar are left out."
FORM_TYPE = "multipart/form-data"
MULTIPART = Form(media_type=FORM_TYPE)


class SearchQuery(BaseModel):
    """How many recipes are asked for, and what they must hold."""

    model_config = ConfigDict(extra="forbid")

    top_k: int = Field(3, ge=1, le=10, description="How many recipes.")
    collection: CollectionName = ""
    include: str = Field("", max_length=_TEXT, description=_INCLUDE)
    exclude: str = Field("", max_length=_TEXT, description=_EXCLUDE)
    min_similarity: float = Field(-1.0, ge=-1, le=1, description=_MINIMUM)
    dish_class: str = Field("", max_length=_TEXT, description=_CLASSES)
    offset: int = Field(
        0, ge=0, le=1000, description="How many of the best recipes to pass over; for more of them."
    )
    keywords: str = Field("", max_length=_TEXT, description=_KEYWORDS)

    def filters(self) -> Filters:
        """What the library looks for."""
        excluded = _listed(self.exclude, _EXCLUDED_APART)
        classes = _listed(self.dish_class)
        keywords = _listed(self.keywords)
        return Filters(_listed(self.include), excluded, self.min_similarity, classes, keywords)


def ids_in(text: str) -> list[int]:
    """Numbers of recipes, separated by commas.

    Raises:
        QueryError: they are too many.
    """
    found = [int(each) for each in re.findall("[0-9]{1,15}", text)]
    if len(found) > _MAX_IDS:
        raise QueryError(f"At most {_MAX_IDS} recipes can be liked or disliked at once.")
    return found


def _listed(text: str, apart: str = _APART) -> tuple[str, ...]:
    return tuple(item.strip() for item in re.split(apart, text) if item.strip())


def _without_blanks(sent: Any) -> Any:
    """A form whose file is left out may send an empty text in its place."""
    return [each for each in sent if each != ""] if isinstance(sent, list) else sent


class _Asked(BaseModel):
    image: Upload | SkipJsonSchema[None] = Field(None, description=f"{PHOTO} {_AT_LEAST_ONE}")
    words: str = Field(
        "", max_length=_TEXT, description=f"Names of dishes or ingredients. {_AT_LEAST_ONE}"
    )
    photo_weight: float = Field(
        0.5,
        ge=0,
        le=1,
        description="How much the photo counts where there are words, too; they have the rest.",
    )
    images: Annotated[list[Upload], BeforeValidator(_without_blanks)] = Field(
        [], max_length=_MORE_PHOTOS, description="More photos of the same dish."
    )
    crop: str = Field("", max_length=_TEXT, description=_CROP)
    like: str = Field("", max_length=_TEXT, pattern=_IDS, description=_LIKE)
    unlike: str = Field("", max_length=_TEXT, pattern=_IDS, description=_UNLIKE)


class _Photos(BaseModel):
    images: list[Upload] = Field(
        min_length=1, max_length=_MAX_BATCH, description=f"1 to {_MAX_BATCH} photos."
    )


# The fields of the base that is named last come first.
class PhotoQuery(SearchQuery, _Asked):
    """The form of a search."""


class BatchQuery(SearchQuery, _Photos):
    """The form of a search with several photos."""


class RecipeResponse(Camel):
    """One recipe found."""

    rank: int = Field(description="1 for the most similar recipe.")
    id: int = Field(description="The recipe's number in its collection, which never changes.")
    title: str
    image_path: str = Field(description="URL of the recipe's photo.")
    ingredients: str = Field(
        description="The ingredients as the string of a Python list; '[]' if there are none."
    )
    instructions: str = Field(description="May be empty.")
    similarity: float = Field(description=_SIMILARITY)
    ingredient_list: list[str] = Field(description="The ingredients as a JSON list.")
    dish_class: str | None = Field(description="What the title says the dish is.")
    keywords: list[str] = Field(description="May be empty.")
    servings: str = Field(description="As the recipe has it; may be empty.")
    prep_minutes: int = Field(description="0 where the recipe does not say; so the other times.")
    cook_minutes: int
    total_minutes: int
    author: str = Field(description="May be empty.")
    source: str = Field(description="The address that the recipe comes from; may be empty.")
    named: list[str] = Field([], description=_NAMED)


class SearchResponse(Answer):
    """The answer to a search, and the shape of every error."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    recipes: list[RecipeResponse]
    is_food: bool | None = Field(None, description=_IS_FOOD)
    confidence: float | None = Field(None, description=_CONFIDENCE)
    looks_like: list[str] = Field([], description=_LOOKS_LIKE)


def error(description: str, code: str) -> dict[str, Any]:
    """How OpenAPI tells of an error: its shape, and what it may say, to people and to programs."""
    example = _EXAMPLE | {
        "recipes": [],
        "totalResults": 0,
        "processingTime": 0.0,
        "isFood": None,
        "confidence": None,
        "looksLike": [],
        "success": False,
        "errorMessage": description,
        "errorCode": code,
    }
    content = {"application/json": {"example": example}}
    return {"model": SearchResponse, "description": description, "content": content}


Errors = dict[int | str, dict[str, Any]]
ERRORS: Errors = {
    400: error("The photo is empty, truncated or damaged.", "unreadable_photo"),
    408: error("The upload took too long.", "slow_upload"),
    413: error("The upload or the photo is too large.", "large_photo"),
    415: error(f"Not a form, or not a {KINDS}.", "unknown_format"),
    422: error("A field is missing, unknown or out of range.", "wrong_request"),
    503: error("Too many searches wait; see Retry-After.", "busy"),
}
NO_RECIPE = error("No such recipe, or no such collection.", "unknown_recipe")
NO_COLLECTION = error("No such collection.", "unknown_collection")


class BatchResponse(Camel):
    """The answers to several photos, in their order."""

    results: list[SearchResponse]


class DatasetHealth(Camel):
    """Where the recipes come from."""

    source: str
    recipes: int
    dropped: dict[str, int] = Field(description="Rows left out, by reason.")
    notice: str | None = Field(description="What a user must be told about the source.")


class BankHealth(Camel):
    """The embedding bank that is searched."""

    rows: int
    dimension: int
    sha256: str


class Health(Camel):
    """What is being served."""

    status: str = "ok"
    version: str
    variant: str
    dataset: DatasetHealth
    bank: BankHealth
