import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from api.core.access import Access
from api.core.config import ApiSettings

SEARCH = "/api/v1/search/search"


def client_of(address="203.0.113.7", **settings) -> TestClient:
    app = Starlette(
        routes=[Route("/{path:path}", lambda _: PlainTextResponse("in"), methods=["GET", "POST"])]
    )
    app.add_middleware(Access, settings=ApiSettings(_env_file=None, **settings))
    return TestClient(app, client=(address, 5000))


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
    client = client_of(api_key="right-key")
    answer = client.post(SEARCH, headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert "X-API-Key" in answer.json()["errorMessage"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/health", 200),
        ("/ready", 200),
        ("/api/v1/photos/3", 200),
        ("/metrics", 401),
        ("/api/v1/recipes/3", 401),
        ("/api/v1/admin/reload", 401),
    ],
)
def test_what_the_key_guards(path, status):
    assert client_of(api_key="right-key").get(path).status_code == status


def test_key_is_asked_for_behind_a_prefix_too():
    inner = client_of(api_key="right-key").app

    async def under_root_path(scope, receive, send):  # as uvicorn --root-path does
        scope = {**scope, "root_path": "/recipes", "path": f"/recipes{scope['path']}"}
        await inner(scope, receive, send)

    client = TestClient(under_root_path)
    assert client.post(SEARCH).status_code == 401
    assert client.get("/health").status_code == 200


def test_rate_is_limited_for_each_client():
    app = client_of(rate_limit="3/minute").app
    one, other = (TestClient(app, client=(host, 1)) for host in ("203.0.113.7", "203.0.113.8"))
    assert [one.post(SEARCH).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = one.post(SEARCH)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert "At most 3 requests in 60 seconds" in refused.json()["errorMessage"]
    assert other.post(SEARCH).status_code == 200
    assert one.get("/api/v1/photos/3").status_code == 200  # ten of these follow every search


def test_one_client_has_a_whole_ipv6_network():
    app = client_of(rate_limit="1/minute").app
    same, too, another = (
        TestClient(app, client=(host, 1)) for host in ("2001:db8::1", "2001:db8::2", "2001:db9::1")
    )
    assert [c.post(SEARCH).status_code for c in (same, too, another)] == [200, 429, 200]


@pytest.mark.parametrize("limit", ["many", "3/fortnight", "0x3/minute"])
def test_rate_that_is_none_is_refused_at_the_start(limit):
    with pytest.raises(ValueError, match="60/minute"):
        ApiSettings(_env_file=None, rate_limit=limit)
