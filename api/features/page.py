"""The page for people, and the API's documentation."""

from pathlib import Path
from typing import Any

import fastapi_swagger
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles

_FILES = Path(__file__).resolve().parents[1] / "page"
_ASK_AGAIN = {"Cache-Control": "no-cache"}  # or a browser would mix files of two releases


class _PageFiles(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(_ASK_AGAIN)
        return response


def add_page(app: FastAPI) -> None:
    """Serve the page at the root, and its files."""
    app.mount("/page", _PageFiles(directory=_FILES))

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(_FILES / "index.html", headers=_ASK_AGAIN)


def add_docs(app: FastAPI) -> None:
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
