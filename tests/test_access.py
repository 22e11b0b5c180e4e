import asyncio
import http.client
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
import uvicorn
from conftest import listening
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient, WebSocketDenialResponse

from api.core import rate_limit
from api.core.access import OPEN, Access
from api.core.config import ApiSettings
from api.core.rate_limit import RateLimit
from api.main import create_app

SEARCH = "/api/v1/search/search"
KEY = {"X-API-Key": "right-key"}


def client_of(address="203.0.113.7", key=None, rate="") -> TestClient:
    app = Starlette(
        routes=[Route("/{path:path}", lambda _: PlainTextResponse("in"), methods=["GET", "POST"])]
    )
    app.add_middleware(Access, key=key, rate=RateLimit(rate))
    return TestClient(app, client=(address, 5000))


def others(client: TestClient, *addresses: str) -> list[TestClient]:
    return [TestClient(client.app, client=(address, 1)) for address in addresses]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "wrong-key"}, 401),
        ({"X-API-Key": "right-key"}, 200),
        ({"Authorization": "Bearer right-key"}, 200),
        ({"Authorization": "Basic right-key"}, 401),
        ({"X-API-Key": "right-k\u00e9y".encode()}, 401),
    ],
)
def test_key(headers, status):
    client = client_of(key="right-key")
    answer = client.post(SEARCH, headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert "X-API-Key" in answer.json()["errorMessage"]


def app_of_tomorrow() -> FastAPI:
    """The application with routes that nobody has thought of yet."""
    app = create_app(ApiSettings(_env_file=None, api_key=KEY["X-API-Key"]))
    for path in ("/tomorrow", "/api/v1/photos/{photo_id}/original", "/health/detailed"):
        app.add_api_route(path, lambda: "secret")
    app.add_api_route("/api/v1/photos/{photo_id}", lambda: "gone", methods=["DELETE"])
    app.mount("/files", StaticFiles(directory="."))

    @app.websocket("/api/v1/live")
    async def live(websocket):
        await websocket.accept()

    return app


def methods_and_paths(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every route of an application; a mount as a file in it."""
    for route in app.routes:
        # FastAPI keeps the routes of an included router behind one entry.
        for one in getattr(route, "effective_route_contexts", lambda route=route: [route])():
            if getattr(one, "methods", None):
                yield from ((method, one.path) for method in one.methods)
            elif one.path != "/api/v1/live":
                yield "GET", f"{one.path}/{{file:path}}"


def behind(app: FastAPI, prefix: str) -> AbstractContextManager[tuple[str, int]]:
    """The application behind uvicorn, under a prefix, without a model."""
    config = uvicorn.Config(app, root_path=prefix, lifespan="off", ws="none", log_config=None)
    return listening(config)


@pytest.fixture(scope="module", params=["", "/recipes", "/api", "/health", "/page/"])
def address(request):
    with behind(app_of_tomorrow(), request.param) as address:
        yield address


def status(address, method: str, path: str, headers: dict = {}) -> int:  # noqa: B006
    """What a request is answered with, its path sent as it is written."""
    connection = http.client.HTTPConnection(*address, timeout=60)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_every_route_is_closed_unless_it_was_opened(address):
    open_routes = {(method, path) for method in ("GET", "HEAD") for path in OPEN}
    seen = set(methods_and_paths(app_of_tomorrow()))
    assert {("POST", "/api/v1/admin/reload"), ("GET", "/tomorrow")} <= seen
    assert {("GET", path) for path in OPEN} <= seen
    for method, path in seen:
        here = path.replace("{file:path}", "no.txt")
        here = "/".join("3" if part.startswith("{") else part for part in here.split("/"))
        without_key = status(address, method, here)
        assert (without_key == 401) is ((method, path) not in open_routes), (method, path)
        assert status(address, method, here, KEY) != 401, (method, path)
        assert status(address, method, here, {"X-API-Key": "wrong-key"}) == without_key


@pytest.mark.parametrize(
    "path",
    [
        "//api/v1/collections",
        "/api//v1/collections",
        "/./api/v1/collections",
        "/API/v1/collections",
        "/api/v1/collections/",
        "/api/v1/collections?x=/health",
        "/api/v1/collections#/health",
        "/api/v1/collections;/health",
        "/%61pi/v1/collections",
        "/api%2Fv1%2Fcollections",
        "/api%252Fv1%252Fcollections",
        "/page/../api/v1/collections",
        "/page/..%2F..%2Fmain.py",
        "/api/v1/photos/..%2Fcollections",
        "/recipes/api/v1/collections",
        "/metrics/",
        "http://127.0.0.1/api/v1/collections",
    ],
)
def test_no_other_spelling_opens_a_route(address, path):
    for method in ("GET", "HEAD", "POST", "OPTIONS", "TRACE", "get"):
        assert status(address, method, path) in (400, 401, 404, 405), method


def test_a_redirect_to_a_closed_route_is_closed(address):
    assert status(address, "GET", "/api/v1/collections/") == 401
    assert status(address, "GET", "/api/v1/collections/", KEY) == 307


def test_the_key_is_asked_for_before_the_body_is_read(address):
    with socket.create_connection(address, timeout=60) as connection:
        head = f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000000\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 401")


def test_a_websocket_is_closed_too():
    client = TestClient(app_of_tomorrow())
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        client.websocket_connect("/api/v1/live"),
    ):
        pass
    assert refused.value.status_code == 401


def test_the_documents_ask_for_the_key_where_the_service_does():
    app = create_app(ApiSettings(_env_file=None, api_key="right-key"))
    for path, operations in app.openapi()["paths"].items():
        for operation in operations.values():
            assert ("security" in operation) is (path not in OPEN), path


def test_under_a_prefix_only_the_documentation_may_run_scripts_of_its_own():
    client = TestClient(create_app(ApiSettings(_env_file=None)), base_url="http://localhost")
    client.app.mount("/files", StaticFiles(directory="docs", check_dir=False))
    for root in ("", "/recipes"):
        client = TestClient(client.app, base_url="http://localhost", root_path=root)
        for path, inline in (("/docs", True), ("/", False), ("/files/docs", False)):
            policy = client.get(root + path).headers["content-security-policy"]
            assert ("unsafe-inline" in policy) is inline, root + path


def test_under_a_prefix_a_wrong_method_is_told_all_that_may_be_done():
    app = create_app(ApiSettings(_env_file=None, api_key="right-key"))
    for root in ("", "/recipes"):
        client = TestClient(app, base_url="http://localhost", root_path=root, headers=KEY)
        answer = client.patch(f"{root}/api/v1/recipes/1")
        assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, PUT")


def test_rate_is_limited_for_each_client():
    one, other = others(client_of(rate="3/minute"), "203.0.113.7", "203.0.113.8")
    assert [one.post(SEARCH).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = one.post(SEARCH)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert "At most 3 requests in 60 seconds" in refused.json()["errorMessage"]
    assert other.post(SEARCH).status_code == 200
    assert one.get("/api/v1/photos/3").status_code == 200  # ten of these follow every search
    assert one.get("/metrics").status_code == 200


@pytest.mark.parametrize(
    ("addresses", "statuses"),
    [
        (("2001:db8::1", "2001:db8::2", "2001:db9::1"), [200, 429, 200]),
        (("::ffff:203.0.113.7", "203.0.113.7", "::ffff:203.0.113.8"), [200, 429, 200]),
        (("fe80::1%eth0", "fe80::2%eth0", "a name"), [200, 429, 200]),
    ],
)
def test_one_client_has_a_whole_ipv6_network(addresses, statuses):
    clients = others(client_of(rate="1/minute"), *addresses)
    assert [client.post(SEARCH).status_code for client in clients] == statuses


def test_requests_without_the_right_key_are_counted():
    access = Access(PlainTextResponse("in"), "right-key", RateLimit("5/minute"))

    async def ask(key: str, path: str = SEARCH, address: str = "203.0.113.7") -> int:
        said = []

        async def send(message):
            said.append(message)

        headers = [(b"x-api-key", key.encode())] if key else []
        scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
        await access(scope | {"client": (address, 1)}, None, send)
        return said[0]["status"]

    async def scenario() -> None:
        statuses = [await ask(f"guess-{number}" if number else "") for number in range(2000)]
        assert statuses == [401] * 5 + [429] * 1995
        # Or the right key could still be found: it alone would be answered otherwise.
        assert await ask("right-key") == await ask("right-key", "/metrics") == 429
        other = [await ask("right-key", address="203.0.113.8") for _ in range(6)]
        assert other == [200] * 5 + [429]
        assert await ask("right-key", "/metrics", "203.0.113.8") == 200

    asyncio.run(scenario())


class Clock:
    """Stands in for the module time."""

    def __init__(self) -> None:
        self.passed, self.wall = 1000.0, 1_800_000_000.0

    def monotonic(self) -> float:
        return self.passed

    def time(self) -> float:
        return self.wall + self.passed


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate_limit, "time", clock)
    return clock


def retry_after(client: TestClient) -> int:
    """0 if the request is answered."""
    answer = client.post(SEARCH)
    return int(answer.headers["retry-after"]) if answer.status_code == 429 else 0


def test_a_request_that_comes_when_it_was_told_to_is_answered(clock):
    client, seen = client_of(rate="2/minute; 3/hour"), []
    for passed in (0, 10, 10, 40, 20, 0, 3520, 0.5, 0.5):
        clock.passed += passed
        seen.append(retry_after(client))
    assert seen == [0, 0, 40, 0, 3520, 3520, 0, 10, 9]


def test_a_clock_that_is_set_back_changes_nothing(clock):
    client = client_of(rate="1/minute")
    assert retry_after(client) == 0
    clock.wall -= 365 * 24 * 3600
    assert retry_after(client) == 60
    clock.passed += 60
    assert retry_after(client) == 0


def test_clients_that_come_no_more_are_forgotten(clock):
    limit = RateLimit("1/minute")
    for number in range(5000):
        limit.take(f"client {number}")
        clock.passed += 0.01
    with pytest.raises(HTTPException):  # 50 seconds are no minute
        limit.take("client 0")
    clock.passed += 60
    for number in range(5001):
        limit.take(f"another {number}")
    assert len(limit._windows[0]._times) == 5001


@pytest.mark.parametrize("limit", ["many", "3/fortnight", "0x3/minute", "0/minute"])
def test_rate_that_is_none_is_refused_at_the_start(limit):
    with pytest.raises(ValueError, match="60/minute"):
        ApiSettings(_env_file=None, rate_limit=limit)
