"""The routes of the search feature."""

import time
from collections.abc import Sequence
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
    ids_in,
)
from api.features.search.services.search_service import SearchService
from itadaki.errors import ImageError
from itadaki.photos.crop import Crop
from itadaki.recipes.recipe import SearchResult
from itadaki.retrieval import Found

router = APIRouter(tags=["search"])
photo_router = APIRouter(tags=["search"])

_PHOTOS_ALONE: tuple[str, float, list[int], list[int]] = ("", 1.0, [], [])


@router.post("/api/v1/search/search", responses={**ERRORS, 404: NO_COLLECTION})
async def search(
    request: Request,
    collections: CollectionsDep,
    queue: SearchQueueDep,
    rate_limit: RateLimitDep,
    query: Annotated[PhotoQuery, MULTIPART],
) -> SearchResponse:
    """Find the recipes that are closest to photos of a dish, to words, or to both together.

    With `like` and `unlike` the next search goes on from what this one found.
    """
    service = collections.service(query.collection)
    photos = [query.image, *query.images] if query.image else query.images
    if len(photos) > 1:
        rate_limit.take(client_of(request.scope), len(photos), noted=1)
    return await _search(request, queue, service, photos, query, query)


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
            answers.append(await _search(request, queue, service, [image], query))
        except ImageError as wrong:
            answers.append(SearchResponse.failure(str(wrong), told(wrong).code))
    return BatchResponse(results=answers)


async def _search(
    request: Request,
    queue: InferenceQueue,
    service: SearchService,
    images: Sequence[UploadFile],
    query: SearchQuery,
    beside: PhotoQuery | None = None,
) -> SearchResponse:
    """Search with photos, and with what is asked beside them."""
    started, crop, wanted = time.perf_counter(), None, _PHOTOS_ALONE
    if beside:
        crop = Crop.of(beside.crop) if beside.crop else None
        steps = ids_in(beside.like), ids_in(beside.unlike)
        wanted = beside.words.strip(), beside.photo_weight, *steps
    photos = []
    for image in images:
        photos.append(await image.read())
        await image.close()  # one copy in memory is enough while it waits
    page = query.top_k, query.offset, query.filters()
    found = await queue.run(request, service.search, started, photos, crop, *wanted, *page)
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
    most = query.offset + query.top_k
    found = await queue.run(request, find, row, most, query.filters())
    return _answer(request, service, Found(found[query.offset :]), started)


@router.get("/api/v1/recipes/{recipe_id}", responses={404: NO_RECIPE})
def recipe(request: Request, service: ServiceDep, recipe_id: RecipeId) -> RecipeResponse:
    """One recipe of the collection; its rank and similarity are 1."""
    return described(request, service.recipe(recipe_id), service.collection)


def _answer(
    request: Request, service: SearchService, found: Found, started: float
) -> SearchResponse:
    named = found.named or [()] * len(found.results)
    return SearchResponse(
        recipes=[
            described(request, result, service.collection, words)
            for result, words in zip(found.results, named, strict=True)
        ],
        total_results=len(found.results),
        processing_time=round(time.perf_counter() - started, 4),
        is_food=found.is_food,
        confidence=found.confidence,
        looks_like=list(found.looks_like),
    )


def described(
    request: Request, result: SearchResult, collection: str | None, named: Sequence[str] = ()
) -> RecipeResponse:
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
        named=list(named),
        **result.details(),
    )


@photo_router.get(
    "/api/v1/photos/{photo_id}", responses={404: NO_RECIPE}, response_class=FileResponse
)
def photo(service: ServiceDep, photo_id: RecipeId) -> FileResponse:
    """A recipe's photo; search results link here."""
    path, media_type = service.photo(photo_id)
    return FileResponse(path, media_type=media_type)
