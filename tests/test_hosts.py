import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from api.core.config import ApiSettings
from api.core.hosts import Hosts
from api.main import create_app


def ask(*hosts: str, reached_at: str = "192.168.1.20", allowed=(), version="1.1"):
    """The status of a request with these Host headers, and the address made from them."""

    def address(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(request.url_for("address")))

    app = Starlette(routes=[Route("/", address)])
    app.add_middleware(
        Hosts, allowed=ApiSettings(_env_file=None, allowed_hosts=allowed).allowed_hosts
    )

    async def reached(scope, receive, send):
        if scope["type"] == "http":
            headers = [(b"host", host.encode("latin-1")) for host in hosts]
            scope |= {"headers": headers, "server": (reached_at, 8000), "http_version": version}
        await app(scope, receive, send)

    answer = TestClient(reached).get("/")
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    ("host", "reached_at", "allowed"),
    [
        ("localhost:8000", "127.0.0.1", []),
        ("LocalHost", "::1", []),
        ("localhost.:8000", "127.0.0.1", []),
        ("127.0.0.1:8000", "172.17.0.2", []),  # a port that a container publishes
        ("127.8.9.1", "127.0.0.1", []),
        ("[::1]:8000", "::1", []),
        ("192.168.1.20:8000", "192.168.1.20", []),  # a phone in the same network
        ("[fd00::5]:8000", "fd00:0::5", []),
        ("[fe80::5]:8000", "fe80::5%eth0", []),
        ("cooks.example", "10.0.0.1", ["cooks.example"]),
        ("COOKS.example:443", "10.0.0.1", ["Cooks.Example"]),
        ("a.cooks.example", "10.0.0.1", ["*.cooks.example"]),
        ("203.0.113.9", "10.0.0.1", ["203.0.113.9"]),
        ("[fd00::9]", "10.0.0.1", ["fd00::9"]),
        ("anything.example", "10.0.0.1", ["*"]),
    ],
)
def test_hosts_that_are_answered(host, reached_at, allowed):
    status, said = ask(host, reached_at=reached_at, allowed=allowed)
    assert status == 200 and said == f"http://{host}/"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("evil.example:8000", []),
        ("localhost.evil.example", []),
        ("evil-localhost", []),
        ("127.0.0.1.evil.example", []),
        ("raspberrypi.local", []),
        ("0.0.0.0:8000", []),
        ("[::]:8000", []),
        ("203.0.113.9", []),
        ("2130706433", []),
        ("cooks.example.evil.example", ["cooks.example"]),
        ("evilcooks.example", ["cooks.example", "*.cooks.example"]),
        ("cooks.example", ["*.cooks.example"]),
    ],
)
def test_other_hosts_are_refused_with_the_setting_that_allows_them(host, allowed):
    status, said = ask(host, allowed=allowed)
    assert status == 421
    assert "ITADAKI_ALLOWED_HOSTS" in said and '"success":false' in said


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        ["localhost", "evil.example"],
        [""],
        ["localhost:port"],
        ["localhost/evil.example"],
        ["evil.example@localhost"],
        ["localhost evil.example"],
        ["k\u00f6che.example"],
        ["[::1"],
        ["a" * 60_000],
    ],
)
def test_what_names_no_host_is_refused(hosts):
    status, said = ask(*hosts, allowed=["*"])
    assert status == 400 and "Host" in said


def test_http_1_0_needs_no_host():
    assert ask(version="1.0") == (200, "http://192.168.1.20:8000/")


@pytest.mark.parametrize(
    "host", ["https://cooks.example", "cooks.example:443", "*cooks", "a b", ""]
)
def test_what_cannot_be_a_host_is_refused_at_the_start(host):
    with pytest.raises(ValueError, match="without port"):
        ApiSettings(_env_file=None, allowed_hosts=[host])


@pytest.mark.parametrize("path", ["/", "/health", "/api/v1/collections", "/page/page.js", "/docs"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_nothing_is_answered_to_a_rebound_name(method, path):
    app = create_app(ApiSettings(_env_file=None, cors_origins=["*"]))
    asked = {"Origin": "http://evil.example:8000", "Access-Control-Request-Method": "GET"}
    client = TestClient(app, base_url="http://127.0.0.1:8000", headers=asked)
    answer = client.request(method, path, headers={"Host": "evil.example:8000"})
    assert answer.status_code == 421 and answer.json()["success"] is False
    assert "access-control-allow-origin" not in answer.headers
