"""The routes of the search feature."""

import time
from typing import Annotated

from fastapi import APIRouter, File, Form, HTTPException, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from api.features.search.schemas.search import Health, RecipeResponse, SearchResponse
from api.features.search.services.search_service import SearchService

router = APIRouter()

_ERRORS = {
    400: {"model": SearchResponse, "description": "The photo is empty, truncated or damaged."},
    413: {"model": SearchResponse, "description": "The upload or the photo is too large."},
    415: {"model": SearchResponse, "description": "Not a JPEG, PNG, WebP or GIF."},
    422: {"model": SearchResponse, "description": "A field is missing or out of range."},
}


def _service(request: Request) -> SearchService:
    return request.app.state.search_service


@router.post("/api/v1/search/search", responses=_ERRORS, tags=["search"])
async def search(
    request: Request,
    image: Annotated[UploadFile, File(description="A photo: JPEG, PNG, WebP or GIF.")],
    top_k: Annotated[int, Form(ge=1, le=10, description="How many recipes.")] = 3,
) -> SearchResponse:
    """Find the recipes whose photos look most like the uploaded one."""
    started = time.perf_counter()
    photo = await image.read()
    found = await run_in_threadpool(_service(request).search, photo, top_k)
    recipes = [
        RecipeResponse(
            rank=result.rank,
            title=result.title,
            image_path=str(request.url_for("photo", photo_id=result.index)),
            ingredients=str(result.ingredients),
            instructions=result.instructions,
            similarity=result.similarity,
            ingredient_list=result.ingredients,
            dish_class=result.dish_class,
        )
        for result in found
    ]
    return SearchResponse(
        recipes=recipes,
        total_results=len(recipes),
        processing_time=round(time.perf_counter() - started, 4),
    )


@router.get(
    "/api/v1/photos/{photo_id}",
    responses={404: {"model": SearchResponse, "description": "No recipe has this number."}},
    response_class=FileResponse,
    tags=["search"],
)
def photo(request: Request, photo_id: int) -> FileResponse:
    """A recipe's photo; search results link here."""
    found = _service(request).photo(photo_id)
    if found is None:
        raise HTTPException(404, f"There is no photo {photo_id}.")
    path, media_type = found
    return FileResponse(path, media_type=media_type)


@router.get("/health", tags=["service"])
def health(request: Request) -> Health:
    """Which variant, dataset and bank are being served."""
    return _service(request).health()
