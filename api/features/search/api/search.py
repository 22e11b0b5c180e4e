"""The routes of the search feature."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request, UploadFile
from fastapi.responses import FileResponse

from api.core.errors import told
from api.core.inference_queue import InferenceQueue
from api.core.request_scope import client_of
from api.features.search.api.deps import (
    CollectionsDep,
    RateLimitDep,
    RecipeId,
    SearchQueueDep,
    ServiceDep,
)
from api.features.search.schemas.search import (
    ERRORS,
    MULTIPART,
    NO_COLLECTION,
    NO_RECIPE,
    BatchQuery,
    BatchResponse,
    PhotoQuery,
    RecipeResponse,
    SearchQuery,
    SearchResponse,
)
from api.features.search.services.search_service import SearchService
from itadaki.errors import ImageError
from itadaki.recipes.recipe import SearchResult

router = APIRouter(tags=["search"])
photo_router = APIRouter(tags=["search"])


@router.post("/api/v1/search/search", responses={**ERRORS, 404: NO_COLLECTION})
async def search(
    request: Request,
    collections: CollectionsDep,
    queue: SearchQueueDep,
    query: Annotated[PhotoQuery, MULTIPART],
) -> SearchResponse:
    """Find the recipes that are closest to a photo, to words, or to both together."""
    service, words = collections.service(query.collection), query.words.strip()
    return await _search(request, queue, service, query.image, query, words, query.photo_weight)


@router.post("/api/v1/search/batch", responses={**ERRORS, 404: NO_COLLECTION})
async def search_batch(
    request: Request,
    collections: CollectionsDep,
    queue: SearchQueueDep,
    rate_limit: RateLimitDep,
    query: Annotated[BatchQuery, MULTIPART],
) -> BatchResponse:
    """Search with several photos, each for itself; one that cannot be read fails alone."""
    service = collections.service(query.collection)
    rate_limit.take(client_of(request.scope), len(query.images), noted=1)
    answers = []
    for image in query.images:
        try:
            answers.append(await _search(request, queue, service, image, query))
        except ImageError as wrong:
            answers.append(SearchResponse.failure(str(wrong), told(wrong).code))
    return BatchResponse(results=answers)


async def _search(
    request: Request,
    queue: InferenceQueue,
    service: SearchService,
    image: UploadFile | None,
    query: SearchQuery,
    words: str = "",
    photo_weight: float = 1.0,
) -> SearchResponse:
    started, photo = time.perf_counter(), None
    if image:
        photo = await image.read()
        await image.close()  # one copy in memory is enough while it waits
    wanted = photo, words, photo_weight, query.top_k, query.filters()
    found = await queue.run(request, service.search, started, *wanted)
    return _answer(request, service, found, started)


@router.get(
    "/api/v1/recipes/{recipe_id}/similar",
    responses={404: NO_RECIPE, 422: ERRORS[422], 503: ERRORS[503]},
)
async def similar(
    request: Request,
    collections: CollectionsDep,
    queue: SearchQueueDep,
    recipe_id: RecipeId,
    query: Annotated[SearchQuery, Query()],
) -> SearchResponse:
    """More like this: the recipes that are most similar to one of the collection."""
    started = time.perf_counter()
    service = collections.service(query.collection)
    row = service.row_of(recipe_id)
    find = service.system.search_similar_to
    found = await queue.run(request, find, row, query.top_k, query.filters())
    return _answer(request, service, found, started)


@router.get("/api/v1/recipes/{recipe_id}", responses={404: NO_RECIPE})
def recipe(request: Request, service: ServiceDep, recipe_id: RecipeId) -> RecipeResponse:
    """One recipe of the collection; its rank and similarity are 1."""
    return described(request, service.recipe(recipe_id), service.collection)


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
        **result.details(),
    )


@photo_router.get(
    "/api/v1/photos/{photo_id}", responses={404: NO_RECIPE}, response_class=FileResponse
)
def photo(service: ServiceDep, photo_id: RecipeId) -> FileResponse:
    """A recipe's photo; search results link here."""
    path, media_type = service.photo(photo_id)
    return FileResponse(path, media_type=media_type)
