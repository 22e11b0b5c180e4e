"""The FastAPI application: ``cd api && python -m uvicorn main:app``, or ``itadaki serve``."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Timer
from typing import Any

# Until all is imported, none of which is garbage: looking for some takes a fifth of the start.
gc.disable()

# Started from api/ without an installed package, the project's root is not on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fastapi import Depends, FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import APIKeyHeader
from pydantic import ValidationError
from pydantic_settings import SettingsError

from api.core.access import Access
from api.core.body_limit import BodyLimit
from api.core.config import ApiSettings
from api.core.errors import ErrorShape, StartupErrors, add_error_handlers
from api.core.hosts import Hosts
from api.core.inference_queue import InferenceQueue
from api.core.known_fields import only_known_fields
from api.core.memory import give_large_blocks_back
from api.core.metrics import Metrics
from api.core.rate_limit import RateLimit
from api.core.request_log import RequestLog, configure_logs, with_request_ids
from api.core.security_headers import SecurityHeaders
from api.features import examples, recipe_page, recipes, service
from api.features.page import ErrorPages, add_docs, add_page
from api.features.search.api import search
from api.features.search.schemas.search import ERRORS, Errors, error
from api.features.search.services.collections import Collections, watch
from api.features.search.services.reload import Reloader
from itadaki import __version__
from itadaki.cores import usable_cores
from itadaki.settings import setting_problem

_WARM_UP_AFTER = 1.0  # seconds in which a service that was started for a search has answered it
_MEGABYTE = 1_000_000


def create_app(settings: ApiSettings | None = None) -> FastAPI:
    """Build the application; the model is loaded when it starts, not here."""
    settings = settings or ApiSettings()
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logs(settings.log_format)
        give_large_blocks_back()
        # One more than cores: while one search is decoded or compared, the others' networks go on.
        threads = settings.inference_threads or usable_cores() + 1
        queue = InferenceQueue(threads, settings.queue_length)
        metrics.watch_queue(lambda: queue.depth)
        app.state.inference_queue = queue
        app.state.change_queue = InferenceQueue(1, settings.queue_length)
        app.state.collections = Collections(settings, metrics, queue)
        app.state.reloader = Reloader(app.state.collections)
        app.state.reloader.on_hangup()
        watching = asyncio.create_task(watch(app.state.collections))
        later = Timer(_WARM_UP_AFTER, app.state.collections.warm_up)
        later.daemon = True
        later.start()
        yield
        later.cancel()
        watching.cancel()
        app.state.change_queue.close()
        queue.close()

    app = FastAPI(
        title="Itadaki",
        version=__version__,
        description="Show it a photo of a dish, it finds the recipes.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
        dependencies=[Depends(only_known_fields)],
        responses={422: ERRORS[422]},
    )
    app.state.metrics, app.state.rate_limit = metrics, RateLimit(settings.rate_limit)
    _add_middleware(app, settings)
    add_error_handlers(app)
    guarded = _guards(settings)
    app.include_router(search.router, **guarded)
    app.include_router(recipes.router, **guarded)
    app.include_router(search.photo_router)
    app.include_router(recipe_page.router)
    app.include_router(service.router)
    app.include_router(examples.router)
    app.include_router(service.metrics_router, **guarded)
    if settings.api_key:
        app.include_router(recipes.change_router, **guarded)
        app.include_router(service.admin_router, **guarded)
    add_page(app)
    if settings.docs:
        add_docs(app)
    app.openapi()  # which no request shall wait for
    return app


def _add_middleware(app: FastAPI, settings: ApiSettings) -> None:
    """The last one added is the first to see a request."""
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.max_upload_mb * _MEGABYTE,
        max_total=settings.max_uploads_mb * _MEGABYTE,
        seconds=settings.upload_seconds,
    )
    key = settings.api_key.get_secret_value() if settings.api_key else None
    app.add_middleware(Access, key=key, rate=app.state.rate_limit)
    app.add_middleware(ErrorPages)
    if settings.cors_origins:
        # The key is a header that scripts set; cookies and other credentials are never allowed.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["X-API-Key", "Authorization", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After", "Warning"],
        )
    app.add_middleware(Hosts, allowed=settings.allowed_hosts)
    app.add_middleware(ErrorShape)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestLog, metrics=app.state.metrics)
    app.add_middleware(with_request_ids)
    app.add_middleware(StartupErrors)


def _guards(settings: ApiSettings) -> dict[str, Any]:
    """Tell OpenAPI what ``Access`` asks for, which it does itself before a body is read."""
    responses: Errors = {}
    dependencies = []
    if settings.api_key:
        said = "This service needs its API key, in the header X-API-Key."
        responses[401] = error(said, "key_needed")
        dependencies.append(Security(APIKeyHeader(name="X-API-Key", auto_error=False)))
    if settings.rate_limit:
        responses[429] = error("Too often; see Retry-After.", "too_often")
    return {"responses": responses, "dependencies": dependencies}


try:
    app = create_app()
except (ValidationError, SettingsError) as wrong:
    sys.exit(setting_problem(wrong))
gc.freeze()
gc.enable()
