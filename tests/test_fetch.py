import http.server
import socket
import threading
import time
from typing import ClassVar

import pytest
from conftest import dish_photo, encode

from itadaki.importing import fetch, read_recipes
from itadaki.importing.fetch import FetchError, fetch_photo

PHOTO = encode(dish_photo(1))


class Host(http.server.BaseHTTPRequestHandler):
    """A host of photos, and of what else one may meet."""

    seen: ClassVar[list[str]] = []

    def do_GET(self):
        self.seen.append(f"{self.headers['Host']}{self.path}")
        status, kind, headers, body = 200, "image/jpeg", {}, PHOTO
        match self.path.split("?")[0].strip("/").split("/"):
            case ["gone.jpg"]:
                status = 404
            case ["page.jpg"]:
                kind, body = "text/html", b"<html>"
            case ["huge.jpg"]:
                headers["Content-Length"] = str(fetch.MAX_BYTES + 1)
            case ["endless.jpg"]:
                body = bytes(fetch.MAX_BYTES + 1)
            case ["drip.jpg"]:
                body = None
            case ["to", *target]:
                to = "/".join(target)
                status, headers["Location"] = 302, to if ":" in to else f"/{to}"
            case ["loop.jpg"]:
                status, headers["Location"] = 302, "/loop.jpg"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            if body is None:
                for _ in range(50):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.05)
            else:
                self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *arguments):
        pass


@pytest.fixture
def host(monkeypatch):
    """A server on this machine, which passes for a public one called photos.example."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    Host.seen.clear()
    is_public = fetch._is_public
    monkeypatch.setattr(fetch, "_is_public", lambda ip: ip == "127.0.0.1" or is_public(ip))
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda name, *rest, **more: real(
            "127.0.0.1" if name == "photos.example" else name, *rest, **more
        ),
    )
    yield f"http://photos.example:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_photo_is_fetched(host, tmp_path):
    path = fetch_photo(f"{host}/a/photo.jpg?size=1", tmp_path)
    assert path.read_bytes() == PHOTO
    assert Host.seen == [f"{host.removeprefix('http://')}/a/photo.jpg?size=1"]


def test_redirects_are_followed(host, tmp_path):
    assert fetch_photo(f"{host}/to/photo.jpg", tmp_path).read_bytes() == PHOTO
    assert fetch_photo(f"{host}/to/{host}/photo.jpg", tmp_path).read_bytes() == PHOTO


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("gone.jpg", "404"),
        ("page.jpg", "no picture but text/html"),
        ("huge.jpg", "larger than 20 MB"),
        ("endless.jpg", "larger than 20 MB"),
        ("loop.jpg", "redirects"),
        ("to/http://127.0.0.2/x.jpg", "no public address"),
        ("to/http://localhost.invalid/x.jpg", "not found"),
        ("to/http://169.254.169.254/latest/meta-data", "no public address"),
        ("to/file:///etc/passwd", "only http and https"),
    ],
)
def test_what_is_not_fetched(host, tmp_path, path, says):
    with pytest.raises(FetchError, match=says):
        fetch_photo(f"{host}/{path}", tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_host_that_drips_is_left(host, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "_SECONDS", 0.3)
    started = time.monotonic()
    with pytest.raises(FetchError, match="takes longer"):
        fetch_photo(f"{host}/drip.jpg", tmp_path)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/x",
        "http://localhost/x",
        "http://10.1.2.3/x",
        "http://192.168.0.1:8000/x",
        "http://172.16.0.1/x",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/x",
        "http://0.0.0.0/x",
        "http://224.0.0.1/x",
        "http://2130706433/x",
        "http://0x7f.1/x",
        "http://[::1]/x",
        "http://[fd00::1]/x",
        "http://[fe80::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://[64:ff9b::7f00:1]/x",
        "http://[2002:7f00:1::]/x",
        "ftp://93.184.216.34/x",
        "http://user:word@93.184.216.34/x",
        "http:///x",
        "http://[::1/x",
        "gopher://x",
    ],
)
def test_private_addresses_are_never_asked(address, tmp_path, monkeypatch):
    def connect(*arguments, **options):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(FetchError):
        fetch_photo(address, tmp_path)


def test_one_private_address_among_public_ones_is_enough_to_refuse(tmp_path, monkeypatch):
    answers = [(socket.AF_INET, 1, 6, "", (ip, 80)) for ip in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **b: answers)
    with pytest.raises(FetchError, match=r"10\.0\.0\.1, which is no public address"):
        fetch_photo("http://rebinding.example/x", tmp_path)


def test_the_connection_is_made_to_the_address_that_was_checked(host, tmp_path, monkeypatch):
    port = int(host.rsplit(":", 1)[1])
    asked = []

    def rebinding(name, *rest, **more):
        asked.append(name)
        first = name == "photos.example" and asked.count(name) == 1
        ip = "127.0.0.1" if first or name == "127.0.0.1" else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    assert fetch_photo(f"{host}/photo.jpg", tmp_path).read_bytes() == PHOTO
    assert asked.count("photos.example") == 1


def test_import_fetches_only_when_told(host, tmp_path):
    source = tmp_path / "table"
    source.mkdir()
    rows = [f"Soup {i},{host}/soup.jpg" for i in range(6)]
    (source / "r.csv").write_text("\n".join(["title,photo", *rows, f"Gone,{host}/gone.jpg"]))
    recipes, unusable = read_recipes(source, tmp_path / "one", progress=False)
    assert not recipes and len(unusable) == 7 and not Host.seen
    recipes, unusable = read_recipes(source, tmp_path / "two", fetch_photos=True, progress=False)
    assert [recipe.title for recipe in recipes] == [f"Soup {i}" for i in range(6)]
    assert recipes[0].photo.read_bytes() == PHOTO
    assert "404" in unusable[0].reason
