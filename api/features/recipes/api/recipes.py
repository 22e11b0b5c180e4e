"""The routes that list the collections and change their recipes."""

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, HTTPException, Query, Request, Response, UploadFile
from pydantic import StringConstraints

from api.core.collections import Collections
from api.core.inference_queue import InferenceQueue
from api.features.recipes.schemas.recipes import CollectionResponse
from api.features.search.api.search import COLLECTION, ERRORS, NO_RECIPE, RecipeId, described
from api.features.search.schemas.search import RecipeResponse, error
from api.features.search.services.search_service import SearchService
from itadaki.collection import MAX_TEXT, MAX_TITLE, VISIBLE, Edit, Recipe
from itadaki.index.index import StandInIndex

router = APIRouter(tags=["recipes"])
change_router = APIRouter(prefix="/api/v1/recipes", tags=["recipes"])

_CONFLICT = error(
    "The collection cannot be changed: it was not imported, or its bank on disk is not the one "
    "that is served."
)
_NO_ROOM = error("The service's disk is full, or it may not write there.")
_CHANGE_ERRORS = {**ERRORS, 404: NO_RECIPE, 409: _CONFLICT, 507: _NO_ROOM}
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
_INGREDIENTS = "One ingredient a line."
_PHOTO = "A photo: JPEG, PNG, WebP or GIF."

_TITLE = StringConstraints(max_length=MAX_TITLE, pattern=VISIBLE)
_TEXT = StringConstraints(max_length=MAX_TEXT)


@router.get("/api/v1/collections")
def collections(request: Request) -> list[CollectionResponse]:
    """The collections that are served side by side."""
    served: Collections = request.app.state.collections
    return [
        CollectionResponse(
            name=name,
            is_default=name == served.default,
            recipes=len(served.service(name).system.bank.recipes),
            may_change=served.may_change(name),
        )
        for name in served.names()
    ]


@change_router.post("", status_code=201, responses={**_CHANGE_ERRORS, 201: _WARNED})
async def add(
    request: Request,
    response: Response,
    photo: Annotated[UploadFile, File(description=_PHOTO)],
    title: Annotated[str, _TITLE, Form(examples=["Lemon Tart"])],
    ingredients: Annotated[str, _TEXT, Form(description=_INGREDIENTS)] = "",
    instructions: Annotated[str, _TEXT, Form(description="One step a line.")] = "",
    collection: Annotated[str, Form(max_length=100, description=COLLECTION)] = "",
) -> RecipeResponse:
    """Add a recipe to a collection; it is found from now on.

    Changes of recipes are there only if the service has an API key.
    """
    recipe = Recipe(title, ingredients.split("\n"), instructions, await photo.read())
    service, ids = await _change(request, response, collection, add=[recipe])
    answer = _recipe(request, service, ids[0])
    response.headers["Location"] = str(
        request.url_for("recipe", recipe_id=ids[0]).include_query_params(
            **({"collection": collection} if collection else {})
        )
    )
    return answer


@change_router.put("/{recipe_id}", responses={**_CHANGE_ERRORS, 200: _WARNED})
async def update(
    request: Request,
    response: Response,
    recipe_id: RecipeId,
    photo: Annotated[UploadFile, File(description=_PHOTO)] = None,
    title: Annotated[str, _TITLE, Form()] = "",
    ingredients: Annotated[str, _TEXT, Form(description=_INGREDIENTS)] = "",
    instructions: Annotated[str, _TEXT, Form()] = "",
    collection: Annotated[str, Form(max_length=100, description=COLLECTION)] = "",
) -> RecipeResponse:
    """Change a recipe; a field that is left out or empty stays as it is."""
    edit = Edit(
        title or None,
        ingredients.split("\n") if ingredients else None,
        instructions or None,
        await photo.read() if photo else None,
    )
    service, _ = await _change(request, response, collection, edits={recipe_id: edit})
    return _recipe(request, service, recipe_id)


@change_router.delete("/{recipe_id}", status_code=204, responses={**_CHANGE_ERRORS, 204: _WARNED})
async def remove(
    request: Request,
    response: Response,
    recipe_id: RecipeId,
    collection: Annotated[str, Query(max_length=100, description=COLLECTION)] = "",
) -> None:
    """Remove a recipe; its id is never given again."""
    await _change(request, response, collection, remove=[recipe_id])


async def _change(
    request: Request, response: Response, collection: str, **what: Any
) -> tuple[SearchService, list[int]]:
    served: Collections = request.app.state.collections
    queue: InferenceQueue = request.app.state.change_queue
    name = collection or served.default
    served.service(name)  # an unknown one is said at once
    service, ids = await queue.run(request, lambda: served.change(name, **what))
    if isinstance(service.system.index, StandInIndex):
        response.headers["Warning"] = _NOT_FOLLOWED
    return service, ids


def _recipe(request: Request, service: SearchService, recipe_id: int) -> RecipeResponse:
    found = service.recipe(recipe_id)
    if found is None:
        raise HTTPException(404, f"There is no recipe {recipe_id}.")
    return described(request, found, service.collection)
