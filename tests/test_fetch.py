import http.server
import socket
import threading
import time
from contextlib import suppress
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
        with suppress(OSError):
            self.wfile.write(body)

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
        ("to/http://x:99999999/", "only http and https"),
    ],
)
def test_what_is_not_fetched(host, tmp_path, path, says):
    with pytest.raises(FetchError, match=says):
        fetch_photo(f"{host}/{path}", tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.fixture
def raw_host(host, monkeypatch):
    """Starts servers that answer each connection as they are told; returns their addresses."""
    servers = []

    def start(answer):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def loop():
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client, suppress(OSError):
                    client.settimeout(20)
                    answer(client)

        threading.Thread(target=loop, daemon=True).start()
        return f"photos.example:{server.getsockname()[1]}"

    yield start
    for server in servers:
        server.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"


def dripping(head: bytes, drip: bytes, tail: bytes):
    """An answer that is right in the end, and takes ten seconds."""

    def answer(client):
        client.recv(65_536)
        client.sendall(head)
        for _ in range(200):
            client.sendall(drip)
            time.sleep(0.05)
        client.sendall(tail)

    return answer


SIZED = b"Content-Length: %d\r\n\r\n" % len(PHOTO)
CHUNK = b"\r\n%b\r\n0\r\n\r\n" % PHOTO


@pytest.mark.parametrize(
    "answer",
    [
        dripping(b"HTTP/1.1 200 ", b"x", b"\r\nContent-Type: image/jpeg\r\n" + SIZED + PHOTO),
        dripping(OK + b"X: ", b"x", b"\r\n" + SIZED + PHOTO),
        dripping(OK + b"X: ", b"x\r\n y", b"\r\n" + SIZED + PHOTO),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n", OK + SIZED + PHOTO),
        dripping(OK + b"Transfer-Encoding: chunked\r\n\r\n%x;" % len(PHOTO), b"x", CHUNK),
        dripping(OK + b"Content-Length: 200\r\n\r\n", b"x", b""),
        dripping(OK + b"\r\n", b"x", b""),
        dripping(b"", b"", b""),
    ],
    ids=["status", "header", "folded", "continue", "chunk", "body", "endless", "silence"],
)
def test_a_host_that_drips_is_left(raw_host, tmp_path, monkeypatch, answer):
    monkeypatch.setattr(fetch, "_SECONDS", 0.5)
    with pytest.raises(FetchError, match="takes longer"):
        fetch_photo(f"http://{raw_host(answer)}/x.jpg", tmp_path)


def test_a_handshake_that_drips_is_left(raw_host, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "_SECONDS", 0.5)
    # The head of a TLS record of 16 KB, of which a byte comes now and then.
    answer = dripping(b"\x16\x03\x03\x40\x00", b"\x02", b"")
    with pytest.raises(FetchError, match="takes longer"):
        fetch_photo(f"https://{raw_host(answer)}/x.jpg", tmp_path)


def test_redirects_share_one_deadline(raw_host, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "_SECONDS", 0.5)
    monkeypatch.setattr(fetch, "_MAX_REDIRECTS", 1000)

    def answer(client):
        client.recv(65_536)
        time.sleep(0.1)
        client.sendall(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")

    with pytest.raises(FetchError, match="takes longer"):
        fetch_photo(f"http://{raw_host(answer)}/x.jpg", tmp_path)


def test_a_name_that_is_looked_up_for_ever_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "_SECONDS", 0.2)
    end = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **b: [][: end.wait(10)])
    with pytest.raises(FetchError, match="takes longer"):
        fetch_photo("http://slow.example/x.jpg", tmp_path)
    end.set()


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 5_000 + b"\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nxxxxx",
        OK + b"X: y\r\n" * 1000 + b"\r\n",
        OK + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 " + b"9" * 5_000 + b" OK\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://\xff\x00/\r\n\r\n",
        b"\x1b[31m\r\n\r\n",
        b"",
    ],
)
def test_one_photo_s_failure_is_one_line(in_process, raw_host, host, tmp_path, answer):
    def answering(client):
        client.recv(65_536)
        client.sendall(answer)

    source = tmp_path / "table"
    source.mkdir()
    rows = f"title,photo\nOdd,http://{raw_host(answering)}/x.jpg\nSoup,{host}/soup.jpg\n"
    (source / "r.csv").write_text(rows)
    recipes, unusable = read_recipes(source, tmp_path / "one", fetch_photos=True, progress=False)
    assert [recipe.title for recipe in recipes] == ["Soup"]
    assert [one.origin for one in unusable] == ["r.csv, line 2"]
    assert unusable[0].reason.isprintable()


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        *[(ip, True) for ip in ("1.1.1.1", "93.184.216.34", "223.255.255.254", "192.0.1.1")],
        *[(ip, True) for ip in ("2606:4700::1111", "2a00:1450::1", "64:ff9b::101:101")],
        ("::ffff:1.1.1.1", True),
        *[(ip, False) for ip in ("192.0.0.9", "192.0.0.192", "192.88.99.1", "198.19.0.1")],
        *[(ip, False) for ip in ("0.1.2.3", "100.127.0.1", "172.31.0.1", "203.0.113.7")],
        *[(ip, False) for ip in ("224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255")],
        *[(ip, False) for ip in ("::", "::1", "::8.8.8.8", "fc00::1", "fe80::1", "fec0::1")],
        *[(ip, False) for ip in ("ff0e::1", "100::1", "4000::1", "5f00::1", "fe80::1%eth0")],
        *[(ip, False) for ip in ("2001:db8::1", "3fff::1", "2001:2::1", "2001:20::1", "2001::1")],
        *[(ip, False) for ip in ("2002:808:808::1", "64:ff9b:1::808:808", "64:ff9b::7f00:1")],
        *[(ip, False) for ip in ("64:ff9b::a00:1", "::ffff:10.0.0.1", "::ffff:0:8.8.8.8")],
        *[(ip, False) for ip in ("2606:4700::1111%1", "localhost", "")],
    ],
)
def test_which_addresses_are_public(address, is_public):
    assert fetch._is_public(address) == is_public


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
