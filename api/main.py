"""The FastAPI application: ``cd api && python -m uvicorn main:app``, or ``itadaki serve``."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

# Started from api/ without an installed package, the project's root is not on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse

from api.core.body_limit import BodyLimit
from api.core.config import ApiSettings
from api.core.errors import StartupErrors, add_error_handlers
from api.core.inference_queue import InferenceQueue
from api.features.search.api.search import router
from api.features.search.services.search_service import SearchService
from api.features.search.utils.model_loader import load_retrieval_system
from itadaki import __version__

_PAGE = Path(__file__).with_name("index.html")


def create_app(settings: ApiSettings | None = None) -> FastAPI:
    """Build the application; the model is loaded when it starts, not here."""
    settings = settings or ApiSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.search_service = SearchService(load_retrieval_system(settings))
        app.state.inference_queue = InferenceQueue(
            settings.inference_threads, settings.queue_length
        )
        yield
        app.state.inference_queue.close()

    app = FastAPI(
        title="Itadaki",
        version=__version__,
        description="Show it a photo of a dish, it finds the recipes.",
        lifespan=lifespan,
    )
    app.add_middleware(BodyLimit, max_bytes=settings.max_upload_mb * 1_000_000)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["GET", "POST"]
        )
    app.add_middleware(StartupErrors)
    add_error_handlers(app)
    app.include_router(router)

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(_PAGE)

    return app


app = create_app()
