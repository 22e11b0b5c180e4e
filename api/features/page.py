"""The page for people, and the API's documentation."""

import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import fastapi_swagger
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.datastructures import Headers
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.core.request_scope import route_path
from api.features.texts import COOKIE, VARY, Texts, languages, texts_for

if TYPE_CHECKING:  # the first page loads it, not the start
    from jinja2 import Environment

_HERE = Path(__file__).resolve().parents[1]
_FILES = _HERE / "page"
_ASK_AGAIN = {"Cache-Control": "no-cache"}  # or a browser would mix files of two releases
_YEAR = 365 * 24 * 3600


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader

    return Environment(
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
    html = (
        _templates()
        .get_template(template)
        .render(
            t=texts,
            languages=languages(),
            # From the page's own place, because a proxy may serve it below a prefix that it strips.
            root="../" * (route_path(request.scope).count("/") - 1),
            other_language=lambda other: urlencode([*query, ("language", other)]),
            **values,
        )
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
    others = ("page.js", "recipe.js", "worker.js")
    modules = sorted(path.name for path in _FILES.glob("*.js") if path.name not in others)

    @app.get("/", include_in_schema=False)
    def page(request: Request) -> Response:
        return rendered(request, "page.html", modules=modules)

    @app.get("/manifest.webmanifest", include_in_schema=False)
    def manifest(request: Request) -> Response:
        content = json.dumps(_manifest(texts_for(request)), ensure_ascii=False)
        return Response(content, media_type="application/manifest+json", headers=_ASK_AGAIN)

    @app.get("/worker.js", include_in_schema=False)  # it may act only on what lies below it
    def worker() -> FileResponse:
        return FileResponse(_FILES / "worker.js", media_type="text/javascript", headers=_ASK_AGAIN)

    @app.post("/share", include_in_schema=False)
    def share() -> Response:
        """What a phone shares, if the page's worker is not there to take it: the page says so."""
        return Response(status_code=303, headers={"Location": "./?shared"})


def _manifest(texts: Texts) -> dict[str, Any]:
    """What makes the page an application; its addresses are seen from its own."""
    icons = [
        {"src": "page/logo.svg", "sizes": "any", "type": "image/svg+xml"},
        {"src": "page/icon-192.png", "sizes": "192x192", "type": "image/png"},
        {"src": "page/icon-512.png", "sizes": "512x512", "type": "image/png"},
    ]
    whole = {"src": "page/icon-maskable.png", "sizes": "512x512", "type": "image/png"}
    return {
        "name": "Itadaki",
        "short_name": "Itadaki",
        "description": texts("page.description"),
        "lang": texts.language,
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "theme_color": "#fbf6ee",
        "background_color": "#fbf6ee",
        "categories": ["food"],
        "icons": [*icons, {**whole, "purpose": "maskable"}],
        "share_target": {
            "action": "share",
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {
                "title": "title",
                "text": "text",
                "files": [{"name": "image", "accept": ["image/*"]}],
            },
        },
    }


_KINDS = {401: "locked", 404: "none", 422: "none", 429: "busy", 503: "busy"}


class ErrorPages:
    """ASGI middleware: what goes wrong with a page is told as a page, in the cook's language."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _wants_page(request := Request(scope)):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        said = b""

        async def turning(message: Message) -> None:
            nonlocal start, said
            if message["type"] == "http.response.start" and message["status"] >= 400:
                start = message
            elif start is None:
                await send(message)
            else:
                said += message.get("body", b"")
                if not message.get("more_body"):
                    await _problem(request, start, said)(scope, receive, send)

        await self.app(scope, receive, turning)


def _wants_page(request: Request) -> bool:
    is_api = route_path(request.scope).startswith("/api/")
    return not is_api and "text/html" in request.headers.get("accept", "")


def _problem(request: Request, start: Message, said: bytes) -> Response:
    texts, status = texts_for(request), start["status"]
    kind, code = _KINDS.get(status, "broken"), json.loads(said or "{}").get("errorCode")
    key = f"error.{code}" if f"error.{code}" in texts else "error.unforeseen"
    answer = rendered(request, "problem.html", status, texts, kind=kind, message=texts(key))
    for name, value in Headers(raw=start["headers"]).items():
        if name not in ("content-type", "content-length"):
            answer.headers[name] = value
    return answer


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
