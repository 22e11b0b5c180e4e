"""The routes that tell how the service itself is, and change what it serves."""

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import PlainTextResponse

from api.features.search.api.deps import CollectionsDep, MetricsDep, ReloaderDep, SearchQueueDep
from api.features.search.schemas.search import Health, error

router = APIRouter(tags=["service"])
metrics_router = APIRouter(tags=["service"])
admin_router = APIRouter(prefix="/api/v1/admin", tags=["service"])


@router.get("/health")
def health(collections: CollectionsDep) -> Health:
    """The process lives; which variant, dataset and bank it serves."""
    return collections.service().health()


@router.get("/ready", responses={503: error("The queue of searches is full.", "busy")})
async def ready(queue: SearchQueueDep) -> dict[str, bool]:
    """The queue of searches has a place; balancers ask this before they send one."""
    if queue.is_full:
        raise HTTPException(503, "The queue of searches is full.", {"Retry-After": "1"})
    return {"ready": True}


@metrics_router.get("/metrics", response_class=PlainTextResponse)
async def metrics(metrics: MetricsDep) -> Response:
    """Counts and latencies in Prometheus' text format."""
    return Response(metrics.text(), media_type="text/plain; version=0.0.4")


@admin_router.post(
    "/reload", responses={409: error("What lies on disk cannot be served.", "conflict")}
)
async def reload(reloader: ReloaderDep, collections: CollectionsDep) -> Health:
    """Take the model and the banks that lie on disk now into service, without a pause.

    If they cannot be served the old ones stay. The signal SIGHUP does the same. Over HTTP this is
    there only if the service has an API key.
    """
    await reloader.reload()
    return collections.service().health()
