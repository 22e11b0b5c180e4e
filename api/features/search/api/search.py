"""The routes of the search feature."""

import re
import time
from typing import Annotated

from fastapi import (
    APIRouter,
    Depends,
    File,
    Form,
    HTTPException,
    Path,
    Query,
    Request,
    UploadFile,
)
from fastapi.responses import FileResponse

from api.core.inference_queue import InferenceQueue
from api.core.request_scope import client_of
from api.features.search.schemas.search import (
    BatchResponse,
    RecipeResponse,
    SearchResponse,
    error,
)
from api.features.search.services.search_service import SearchService
from itadaki.errors import ImageError
from itadaki.index.filters import Filters
from itadaki.retrieval import SearchResult

router = APIRouter()
photo_router = APIRouter()

ERRORS = {
    400: error("The photo is empty, truncated or damaged."),
    408: error("The upload took too long."),
    413: error("The upload or the photo is too large."),
    415: error("Not a form, or not a JPEG, PNG, WebP or GIF."),
    422: error("A field is missing, unknown or out of range."),
    503: error("Too many searches wait; see Retry-After."),
}
NO_RECIPE = error("No such recipe, or no such collection.")
NO_COLLECTION = error("No such collection.")
COLLECTION = "One of /api/v1/collections; by default the service's own."
_APART = r"[,;\n]"
# To leave out both errs to the safe side; "half and half" is one.
_EXCLUDED_APART = _APART + r"|[/&+]|(?<!half)\s(?i:and|or|nor)\s"
_MAX_BATCH = 10
_TOP_K = "How many recipes."
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
_MINIMUM = "Recipes that are less similar are left out."


def _form_service(
    request: Request, collection: Annotated[str, Form(max_length=100, description=COLLECTION)] = ""
) -> SearchService:
    return request.app.state.collections.service(collection)


def _query_service(
    request: Request, collection: Annotated[str, Query(max_length=100, description=COLLECTION)] = ""
) -> SearchService:
    return request.app.state.collections.service(collection)


RecipeId = Annotated[
    int, Path(description="As a search tells it.", json_schema_extra={"example": 1})
]
FormService = Annotated[SearchService, Depends(_form_service)]
QueryService = Annotated[SearchService, Depends(_query_service)]


def _queue(request: Request) -> InferenceQueue:
    return request.app.state.inference_queue


def _form_filters(
    include: Annotated[str, Form(max_length=500, description=_INCLUDE)] = "",
    exclude: Annotated[str, Form(max_length=500, description=_EXCLUDE)] = "",
    min_similarity: Annotated[float, Form(ge=-1, le=1, description=_MINIMUM)] = -1.0,
    dish_class: Annotated[str, Form(max_length=500, description=_CLASSES)] = "",
) -> Filters:
    excluded = _listed(exclude, _EXCLUDED_APART)
    return Filters(_listed(include), excluded, min_similarity, _listed(dish_class))


def _query_filters(
    include: Annotated[str, Query(max_length=500, description=_INCLUDE)] = "",
    exclude: Annotated[str, Query(max_length=500, description=_EXCLUDE)] = "",
    min_similarity: Annotated[float, Query(ge=-1, le=1, description=_MINIMUM)] = -1.0,
    dish_class: Annotated[str, Query(max_length=500, description=_CLASSES)] = "",
) -> Filters:
    excluded = _listed(exclude, _EXCLUDED_APART)
    return Filters(_listed(include), excluded, min_similarity, _listed(dish_class))


def _listed(text: str, apart: str = _APART) -> tuple[str, ...]:
    return tuple(item.strip() for item in re.split(apart, text) if item.strip())


@router.post("/api/v1/search/search", responses={**ERRORS, 404: NO_COLLECTION}, tags=["search"])
async def search(
    request: Request,
    service: FormService,
    image: Annotated[UploadFile, File(description="A photo: JPEG, PNG, WebP or GIF.")],
    filters: Annotated[Filters, Depends(_form_filters)],
    top_k: Annotated[int, Form(ge=1, le=10, description=_TOP_K)] = 3,
) -> SearchResponse:
    """Find the recipes whose photos look most like the uploaded one."""
    return await _search(request, service, image, top_k, filters)


@router.post("/api/v1/search/batch", responses={**ERRORS, 404: NO_COLLECTION}, tags=["search"])
async def search_batch(
    request: Request,
    service: FormService,
    images: Annotated[
        list[UploadFile],
        File(min_length=1, max_length=_MAX_BATCH, description=f"1 to {_MAX_BATCH} photos."),
    ],
    filters: Annotated[Filters, Depends(_form_filters)],
    top_k: Annotated[int, Form(ge=1, le=10, description=_TOP_K)] = 3,
) -> BatchResponse:
    """Search with several photos, each for itself; one that cannot be read fails alone."""
    request.app.state.rate_limit.take(client_of(request.scope), len(images), noted=1)
    answers = []
    for image in images:
        try:
            answers.append(await _search(request, service, image, top_k, filters))
        except ImageError as wrong:
            answers.append(SearchResponse.failure(str(wrong)))
    return BatchResponse(results=answers)


async def _search(
    request: Request, service: SearchService, image: UploadFile, top_k: int, filters: Filters
) -> SearchResponse:
    started = time.perf_counter()
    photo = await image.read()
    await image.close()  # one copy in memory is enough while it waits
    found = await _queue(request).run(request, service.search, started, photo, top_k, filters)
    return _answer(request, service, found, started)


@router.get(
    "/api/v1/recipes/{recipe_id}/similar",
    responses={404: NO_RECIPE, 422: ERRORS[422], 503: ERRORS[503]},
    tags=["search"],
)
async def similar(
    request: Request,
    service: QueryService,
    recipe_id: RecipeId,
    filters: Annotated[Filters, Depends(_query_filters)],
    top_k: Annotated[int, Query(ge=1, le=10, description=_TOP_K)] = 3,
) -> SearchResponse:
    """More like this: the recipes that are most similar to one of the collection."""
    started = time.perf_counter()
    if service.recipe(recipe_id) is None:
        raise HTTPException(404, f"There is no recipe {recipe_id}.")
    found = await _queue(request).run(request, service.similar, recipe_id, top_k, filters)
    return _answer(request, service, found, started)


@router.get(
    "/api/v1/recipes/{recipe_id}",
    responses={404: NO_RECIPE},
    tags=["search"],
)
def recipe(request: Request, service: QueryService, recipe_id: RecipeId) -> RecipeResponse:
    """One recipe of the collection; its rank and similarity are 1."""
    found = service.recipe(recipe_id)
    if found is None:
        raise HTTPException(404, f"There is no recipe {recipe_id}.")
    return described(request, found, service.collection)


def _answer(
    request: Request, service: SearchService, found: list[SearchResult], started: float
) -> SearchResponse:
    return SearchResponse(
        recipes=[described(request, result, service.collection) for result in found],
        total_results=len(found),
        processing_time=round(time.perf_counter() - started, 4),
    )


def described(request: Request, result: SearchResult, collection: str | None) -> RecipeResponse:
    """A result as the API tells it; ``collection`` is None for the default one."""
    photo_url = request.url_for("photo", photo_id=result.id)
    if collection:
        photo_url = photo_url.include_query_params(collection=collection)
    return RecipeResponse(
        rank=result.rank,
        id=result.id,
        title=result.title,
        image_path=str(photo_url),
        ingredients=str(result.ingredients),
        instructions=result.instructions,
        similarity=result.similarity,
        ingredient_list=result.ingredients,
        dish_class=result.dish_class,
    )


@photo_router.get(
    "/api/v1/photos/{photo_id}",
    responses={404: NO_RECIPE},
    response_class=FileResponse,
    tags=["search"],
)
def photo(service: QueryService, photo_id: RecipeId) -> FileResponse:
    """A recipe's photo; search results link here."""
    found = service.photo(photo_id)
    if found is None:
        raise HTTPException(404, f"There is no photo {photo_id}.")
    path, media_type = found
    return FileResponse(path, media_type=media_type)
