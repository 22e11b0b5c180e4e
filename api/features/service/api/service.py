"""The routes that tell how the service itself is, and change what it serves."""

from fastapi import APIRouter, HTTPException, Request, Response

from api.features.search.schemas.search import Health, SearchResponse

router = APIRouter(tags=["service"])


@router.get("/health")
def health(request: Request) -> Health:
    """The process lives; which variant, dataset and bank it serves."""
    return request.app.state.search_service.health()


@router.get(
    "/ready",
    responses={503: {"model": SearchResponse, "description": "The queue of searches is full."}},
)
async def ready(request: Request) -> dict[str, bool]:
    """A search sent now would be taken; balancers ask this before they send one."""
    if request.app.state.inference_queue.is_full:
        raise HTTPException(503, "The queue of searches is full.", {"Retry-After": "1"})
    return {"ready": True}


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Counts and latencies in Prometheus' text format."""
    return Response(request.app.state.metrics.text(), media_type="text/plain; version=0.0.4")


@router.post(
    "/api/v1/admin/reload",
    responses={
        403: {"model": SearchResponse, "description": "The service runs without an API key."},
        409: {"model": SearchResponse, "description": "What lies on disk cannot be served."},
    },
)
async def reload(request: Request) -> Health:
    """Take the model and bank that lie on disk now into service, without a pause.

    If they cannot be served the old ones stay. The signal SIGHUP does the same.
    """
    if request.app.state.settings.api_key is None:
        raise HTTPException(403, "Set ITADAKI_API_KEY to reload over HTTP, or send SIGHUP.")
    await request.app.state.reloader.reload()
    return request.app.state.search_service.health()
