"""The collections that are served, and changes of their recipes."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from api.core.answer import Camel
from api.core.inference_queue import InferenceQueue
from api.features.search.api.deps import ChangeQueueDep, CollectionsDep, RecipeId
from api.features.search.api.search import described
from api.features.search.schemas.search import (
    ERRORS,
    FORM_TYPE,
    MULTIPART,
    NO_RECIPE,
    PHOTO,
    CollectionName,
    Errors,
    RecipeResponse,
    Upload,
    error,
)
from api.features.search.services.collections import Collections
from api.features.search.services.search_service import SearchService
from itadaki.recipes.recipe import (
    DETAILS,
    MAX_DETAIL,
    MAX_SOURCE,
    MAX_TEXT,
    MAX_TITLE,
    VISIBLE,
    Edit,
)
from itadaki.recipes.recipe import NewRecipe as Recipe
from itadaki.recipes.texts import MAX_MINUTES

router = APIRouter(tags=["recipes"])
change_router = APIRouter(prefix="/api/v1/recipes", tags=["recipes"])

_CONFLICT = error(
    "The collection cannot be changed: it was not imported, or its bank on disk is not the one "
    "that is served.",
    "conflict",
)
_NO_ROOM = error("The service's disk is full, or it may not write there.", "no_room")
_CHANGE_ERRORS: Errors = {**ERRORS, 404: NO_RECIPE, 409: _CONFLICT, 507: _NO_ROOM}
# A change that is made is not answered as a failure, or it would be sent again.
_NOT_FOLLOWED = '199 itadaki "The change is made, but its index has not followed; the log says why"'
_WARNED = {
    "headers": {
        "Warning": {
            "description": "The change is made, but the index could not follow yet: searches are "
            "slower meanwhile.",
            "schema": {"type": "string"},
        }
    }
}


class CollectionResponse(Camel):
    """A collection that is served."""

    name: str = Field(description="What requests give as collection.")
    is_default: bool = Field(description="Meant where a request names no collection.")
    recipes: int
    may_change: bool = Field(
        description="Whether its recipes can be added, changed and removed; so it is with "
        "collections that were imported."
    )


_Minutes = Annotated[int, Field(ge=0, le=MAX_MINUTES)] | SkipJsonSchema[None]
_Title = Annotated[str, Field(max_length=MAX_TITLE, pattern=VISIBLE)]


class ChangedRecipe(BaseModel):
    """The form that changes a recipe."""

    model_config = ConfigDict(extra="forbid")

    photo: Upload | SkipJsonSchema[None] = Field(None, description=PHOTO)
    title: _Title = ""
    ingredients: str = Field("", max_length=MAX_TEXT, description="One ingredient a line.")
    instructions: str = Field("", max_length=MAX_TEXT, description="One step a line.")
    keywords: str = Field("", max_length=MAX_TEXT, description="Separated by commas.")
    servings: str = Field("", max_length=MAX_DETAIL, examples=["4"])
    prep_minutes: _Minutes = None
    cook_minutes: _Minutes = None
    total_minutes: _Minutes = None
    author: str = Field("", max_length=MAX_DETAIL)
    source: str = Field(
        "",
        max_length=MAX_SOURCE,
        description="An address on the web.",
        json_schema_extra={"pattern": r"^(https?://[^\s\"<>]+)?$"},
    )
    collection: CollectionName = ""

    def details(self) -> dict[str, Any]:
        """Those of ``DETAILS`` that are given."""
        given = {name: getattr(self, name) for name in DETAILS}
        given["keywords"] = [self.keywords] if self.keywords else None
        return {name: value for name, value in given.items() if value not in (None, "")}


class NewRecipe(ChangedRecipe):
    """The form that adds a recipe."""

    photo: Upload = Field(description=PHOTO)
    title: _Title = Field(examples=["Lemon Tart"])


@router.get("/api/v1/collections")
def collections(served: CollectionsDep) -> list[CollectionResponse]:
    """The collections that are served side by side."""
    return [
        CollectionResponse(
            name=name,
            is_default=name == served.default,
            recipes=served.service(name).system.size,
            may_change=served.may_change(name),
        )
        for name in served.names()
    ]


@change_router.post("", status_code=201, responses={**_CHANGE_ERRORS, 201: _WARNED})
async def add(
    request: Request,
    response: Response,
    served: CollectionsDep,
    queue: ChangeQueueDep,
    form: Annotated[NewRecipe, MULTIPART],
) -> RecipeResponse:
    """Add a recipe to a collection; it is found from now on.

    Changes of recipes are there only if the service has an API key.
    """
    photo = await form.photo.read()
    ingredients = form.ingredients.split("\n")
    recipe = Recipe(form.title, ingredients, form.instructions, photo, **form.details())
    service, ids = await _change(request, response, served, queue, form.collection, add=[recipe])
    answer = described(request, service.recipe(ids[0]), service.collection)
    named = {"collection": form.collection} if form.collection else {}
    location = request.url_for("recipe", recipe_id=ids[0]).include_query_params(**named)
    response.headers["Location"] = str(location)
    return answer


@change_router.put("/{recipe_id}", responses={**_CHANGE_ERRORS, 200: _WARNED})
async def update(
    request: Request,
    response: Response,
    served: CollectionsDep,
    queue: ChangeQueueDep,
    recipe_id: RecipeId,
    form: Annotated[ChangedRecipe, Form(default_factory=ChangedRecipe, media_type=FORM_TYPE)],
) -> RecipeResponse:
    """Change a recipe; a field that is left out or empty stays as it is."""
    edit = Edit(
        form.title or None,
        form.ingredients.split("\n") if form.ingredients else None,
        form.instructions or None,
        await form.photo.read() if form.photo else None,
        **form.details(),
    )
    edits = {recipe_id: edit}
    service, _ = await _change(request, response, served, queue, form.collection, edits=edits)
    return described(request, service.recipe(recipe_id), service.collection)


@change_router.delete("/{recipe_id}", status_code=204, responses={**_CHANGE_ERRORS, 204: _WARNED})
async def remove(
    request: Request,
    response: Response,
    served: CollectionsDep,
    queue: ChangeQueueDep,
    recipe_id: RecipeId,
    collection: Annotated[CollectionName, Query()] = "",
) -> None:
    """Remove a recipe; its id is never given again."""
    await _change(request, response, served, queue, collection, remove=[recipe_id])


async def _change(
    request: Request,
    response: Response,
    served: Collections,
    queue: InferenceQueue,
    collection: str,
    **what: Any,
) -> tuple[SearchService, list[int]]:
    name = collection or served.default
    served.service(name)  # an unknown one is said at once
    service, ids = await queue.run(request, lambda: served.change(name, **what))
    if not service.system.index_has_followed:
        response.headers["Warning"] = _NOT_FOLLOWED
    return service, ids
