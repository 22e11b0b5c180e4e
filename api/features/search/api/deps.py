"""What routes ask for: the parts of the running application."""

from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request

from api.core.inference_queue import InferenceQueue
from api.core.metrics import Metrics
from api.core.rate_limit import RateLimit
from api.features.search.schemas.search import CollectionName
from api.features.search.services.collections import Collections
from api.features.search.services.reload import Reloader
from api.features.search.services.search_service import SearchService

_FIRST = {"example": 1}


def _part(name: str) -> Any:
    async def part(request: Request) -> Any:
        return getattr(request.app.state, name)

    return Depends(part)


CollectionsDep = Annotated[Collections, _part("collections")]
SearchQueueDep = Annotated[InferenceQueue, _part("inference_queue")]
ChangeQueueDep = Annotated[InferenceQueue, _part("change_queue")]
MetricsDep = Annotated[Metrics, _part("metrics")]
RateLimitDep = Annotated[RateLimit, _part("rate_limit")]
ReloaderDep = Annotated[Reloader, _part("reloader")]


async def _service(
    collections: CollectionsDep, collection: Annotated[CollectionName, Query()] = ""
) -> SearchService:
    return collections.service(collection)


ServiceDep = Annotated[SearchService, Depends(_service)]
"""That of the collection that the address names."""
RecipeId = Annotated[int, Path(description="As a search tells it.", json_schema_extra=_FIRST)]
