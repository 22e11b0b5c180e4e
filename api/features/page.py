"""The page for people, and the API's documentation."""

from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import fastapi_swagger
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader
from starlette.staticfiles import StaticFiles

from api.core.request_scope import route_path
from api.features.texts import COOKIE, VARY, Texts, languages, texts_for

_HERE = Path(__file__).resolve().parents[1]
_FILES = _HERE / "page"
_ASK_AGAIN = {"Cache-Control": "no-cache"}  # or a browser would mix files of two releases
_YEAR = 365 * 24 * 3600
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


class _PageFiles(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(_ASK_AGAIN)
        return response


def rendered(
    request: Request, template: str, status: int = 200, texts: Texts | None = None, **values: Any
) -> Response:
    """A template as an answer, in the language of whoever asks."""
    texts = texts or texts_for(request)
    query = [pair for pair in request.query_params.multi_items() if pair[0] != "language"]
    html = _TEMPLATES.get_template(template).render(
        t=texts,
        languages=languages(),
        # From the page's own place, because a proxy may serve it below a prefix that it strips.
        root="../" * (route_path(request.scope).count("/") - 1),
        other_language=lambda other: urlencode([*query, ("language", other)]),
        **values,
    )
    headers = {**_ASK_AGAIN, "Vary": VARY, "ETag": f'"{sha256(html.encode()).hexdigest()[:32]}"'}
    if status == 200 and headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    answer = HTMLResponse(html, status, headers)
    if request.query_params.get("language") == texts.language:
        answer.set_cookie(COOKIE, texts.language, max_age=_YEAR, samesite="lax")
    return answer


def add_page(app: FastAPI) -> None:
    """Serve the page at the root, and its files."""
    app.mount("/page", _PageFiles(directory=_FILES))
    modules = sorted(path.name for path in _FILES.glob("*.js") if path.name != "page.js")

    @app.get("/", include_in_schema=False)
    def page(request: Request) -> Response:
        return rendered(request, "page.html", modules=modules)


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
