"""The FastAPI application: ``cd api && python -m uvicorn main:app``, or ``itadaki serve``."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Timer
from typing import Any

# Started from api/ without an installed package, the project's root is not on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fastapi_swagger
from fastapi import Depends, FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.security import APIKeyHeader
from pydantic import ValidationError
from pydantic_settings import SettingsError
from starlette.staticfiles import StaticFiles

from api.core.access import Access
from api.core.body_limit import BodyLimit
from api.core.collections import Collections, watch
from api.core.config import ApiSettings
from api.core.errors import ErrorShape, StartupErrors, add_error_handlers
from api.core.hosts import Hosts
from api.core.inference_queue import InferenceQueue
from api.core.known_fields import close_forms, only_known_fields
from api.core.memory import give_large_blocks_back
from api.core.metrics import Metrics
from api.core.rate_limit import RateLimit
from api.core.reload import Reloader
from api.core.request_log import RequestLog, configure_logs, with_request_ids
from api.core.security_headers import SecurityHeaders
from api.features.examples.api.examples import router as examples_router
from api.features.recipes.api.recipes import change_router
from api.features.recipes.api.recipes import router as collections_router
from api.features.search.api.search import ERRORS, photo_router
from api.features.search.api.search import router as search_router
from api.features.search.schemas.search import error
from api.features.search.services.search_service import SearchService
from api.features.service.api.service import admin_router, metrics_router
from api.features.service.api.service import router as service_router
from itadaki import __version__
from itadaki.cores import usable_cores
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import setting_problem

_PAGE = Path(__file__).with_name("page")
_WARM_UP_AFTER = 1.0  # seconds in which a service that was started for a search has answered it
_ASK_AGAIN = {"Cache-Control": "no-cache"}  # or a browser would mix files of two releases


class _PageFiles(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(_ASK_AGAIN)
        return response


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

        def serve(system: RetrievalSystem, collection: str | None) -> SearchService:
            return SearchService(system, metrics, lambda: queue.depth > 1, collection)

        app.state.metrics, app.state.inference_queue = metrics, queue
        app.state.change_queue = InferenceQueue(1, settings.queue_length)
        app.state.collections = Collections(settings, serve)
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
    megabyte = 1_000_000
    # The last one added is the first to see a request.
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.max_upload_mb * megabyte,
        max_total=settings.max_uploads_mb * megabyte,
        seconds=settings.upload_seconds,
    )
    app.state.rate_limit = RateLimit(settings.rate_limit)
    key = settings.api_key and settings.api_key.get_secret_value()
    app.add_middleware(Access, key=key, rate=app.state.rate_limit)
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
    app.add_middleware(RequestLog, metrics=metrics)
    app.add_middleware(with_request_ids)
    app.add_middleware(StartupErrors)
    add_error_handlers(app)
    guarded = _guards(settings)
    app.include_router(search_router, **guarded)
    app.include_router(collections_router, **guarded)
    app.include_router(photo_router)
    app.include_router(service_router)
    app.include_router(examples_router)
    app.include_router(metrics_router, **guarded)
    if settings.api_key:
        app.include_router(change_router, **guarded)
        app.include_router(admin_router, **guarded)
    app.mount("/page", _PageFiles(directory=_PAGE))

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(_PAGE / "index.html", headers=_ASK_AGAIN)

    if settings.docs:
        _add_docs(app)
    close_forms(app.openapi())
    return app


def _guards(settings: ApiSettings) -> dict[str, Any]:
    """Tell OpenAPI what ``Access`` asks for, which it does itself before a body is read."""
    responses, dependencies = {}, []
    if settings.api_key:
        responses[401] = error("This service needs its API key, in the header X-API-Key.")
        dependencies.append(Security(APIKeyHeader(name="X-API-Key", auto_error=False)))
    if settings.rate_limit:
        responses[429] = error("Too often; see Retry-After.")
    return {"responses": responses, "dependencies": dependencies}


def _add_docs(app: FastAPI) -> None:
    """Serve Swagger from an installed package, so that it works without internet."""
    swagger = Path(fastapi_swagger.__file__).with_name("resources")
    app.mount("/swagger", StaticFiles(directory=swagger))

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title="Itadaki",
            swagger_js_url="swagger/swagger-ui-bundle.js",
            swagger_css_url="swagger/swagger-ui.css",
            swagger_favicon_url="swagger/favicon-32x32.png",
            swagger_ui_parameters={
                "defaultModelsExpandDepth": -1
            },  # each is shown where it is used
        )


try:
    app = create_app()
except (ValidationError, SettingsError) as wrong:
    sys.exit(setting_problem(wrong))
