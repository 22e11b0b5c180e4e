"""Uploads that nobody means well with: nothing of them is a 5xx, hangs, or is kept in memory."""

import asyncio
import io
import itertools
import json
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pillow_heif
import psutil
import pytest
from bombs import BOMBS
from conftest import dish_photo, encode, running_service
from PIL import Image

from benchmarks import attack
from itadaki.photos.images import MAX_MEMORY

SEARCH = "/api/v1/search/search"
LONGEST = 60.0  # seconds after which an answer hangs; --soak, for a quiet machine, asks for 2


@pytest.fixture(scope="module", autouse=True)
def longest(soak):
    global LONGEST
    LONGEST = 2.0 if soak else LONGEST


@pytest.fixture(scope="module")
def service(environment):
    with running_service({**environment, "ITADAKI_MAX_UPLOAD_MB": "2"}) as service:
        yield service


def sound_files() -> dict[str, bytes]:
    """Every supported format in its varieties."""
    rgb = dish_photo(9, (96, 64))
    alpha = np.dstack([rgb, np.full(rgb.shape[:2], 120, np.uint8)])
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [Image.fromarray(np.roll(rgb, 9 * i, 1)) for i in range(3)]
    animation = {"save_all": True, "append_images": frames[1:]}

    def animated(kind: str) -> bytes:
        buffer = io.BytesIO()
        frames[0].save(buffer, kind, **animation)
        return buffer.getvalue()

    pillow_heif.register_heif_opener()
    return {
        "jpeg": encode(rgb),
        "jpeg exif": encode(rgb, exif=exif, comment=b"hello"),
        "jpeg progressive": encode(rgb, progressive=True),
        "jpeg grey": encode(rgb[..., 0]),
        "jpeg cmyk": encode_cmyk(rgb),
        "png": encode(rgb, "PNG"),
        "png alpha": encode(alpha, "PNG"),
        "png 16 bit": encode(rgb[..., 0].astype(np.uint16) * 256, "PNG"),
        "png palette": encode_palette(rgb),
        "webp": encode(rgb, "WEBP"),
        "webp lossless": encode(alpha, "WEBP", lossless=True),
        "webp animation": animated("WEBP"),
        "gif": encode(rgb, "GIF"),
        "gif animation": animated("GIF"),
        "heic": encode(rgb, "HEIF", exif=exif.tobytes()),
        "heic alpha": encode(alpha, "HEIF"),
        "heic in tiles": tiled(dish_photo(9, (500, 300))),
        "avif": encode(rgb, "AVIF", exif=exif),
        "avif alpha": encode(alpha, "AVIF"),
        "avif animation": animated("AVIF"),
    }


def tiled(rgb: np.ndarray) -> bytes:
    """A HEIC in tiles, as phones write it."""
    whole, pillow_heif.options.GRID_TILE_SIZE = pillow_heif.options.GRID_TILE_SIZE, 256
    try:
        return encode(rgb, "HEIF")
    finally:
        pillow_heif.options.GRID_TILE_SIZE = whole


def encode_cmyk(rgb: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).convert("CMYK").save(buffer, "JPEG")
    return buffer.getvalue()


def encode_palette(rgb: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).convert("P").save(buffer, "PNG", transparency=3)
    return buffer.getvalue()


def mutated(file: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """One to four random damages: flips, cuts, lengths, splices, repetitions."""
    data = bytearray(file)
    for _ in range(rng.integers(1, 5)):
        if len(data) < 8:
            break
        at = int(
            rng.integers(len(data)) if rng.random() < 0.5 else rng.integers(min(64, len(data)))
        )
        match rng.integers(8):
            case 0:
                for _ in range(rng.integers(1, 40)):
                    data[rng.integers(len(data))] ^= 1 << rng.integers(8)
            case 1:
                del data[at:]
            case 2:
                del data[at : at + int(rng.integers(1, 64))]
            case 3:
                data[at:at] = rng.bytes(int(rng.integers(1, 64)))
            case 4:
                wrong = [b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff", b"\x00\x00\x40\x00"]
                data[at : at + 4] = wrong[rng.integers(4)]
            case 5:
                other = others[rng.integers(len(others))]
                data[:at] = other[:at]
            case 6:
                piece = data[at : at + int(rng.integers(1, 400))]
                data[at:at] = piece * int(rng.integers(1, 30))
            case 7:
                data[at : at + 2] = struct.pack(">H", int(rng.integers(1 << 16)))
    return bytes(data[:1_900_000])


def multipart(content: bytes, **changes: bytes) -> bytes:
    parts = {
        "open": b"--x\r\n",
        "disposition": b'Content-Disposition: form-data; name="image"; filename="a.jpg"',
        "type": b"\r\nContent-Type: image/jpeg",
        "close": b"\r\n--x--\r\n",
        **changes,
    }
    return b"".join(
        [*(parts[k] for k in ("open", "disposition", "type")), b"\r\n\r\n", content, parts["close"]]
    )


def hostile_bodies() -> dict[str, bytes]:
    """Forms that are wrong themselves, with a sound photo inside."""
    photo = encode(dish_photo(3, (64, 48)))
    field = b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nv\r\n'
    return {
        "not closed": multipart(photo, close=b""),
        "other boundary": multipart(photo, open=b"--y\r\n"),
        "no disposition": multipart(photo, disposition=b"X: y"),
        "no name": multipart(photo, disposition=b"Content-Disposition: form-data"),
        "a name of a megabyte": multipart(
            photo, disposition=b'Content-Disposition: form-data; name="' + b"n" * 1_000_000 + b'"'
        ),
        "a file name that climbs": multipart(
            photo,
            disposition=b"Content-Disposition: form-data; "
            b'name="image"; filename="../../../etc/passwd"',
        ),
        "a file name with a zero": multipart(
            photo, disposition=b'Content-Disposition: form-data; name="image"; filename="a\x00.jpg"'
        ),
        "a thousand headers": multipart(photo, type=b"\r\nX: y" * 1000),
        "an endless header": multipart(photo, type=b"\r\nX: " + b"y" * 1_900_000),
        "twenty thousand fields": field * 20_000 + multipart(photo),
        "two photos": multipart(photo, close=b"\r\n") + multipart(photo),
        "line breaks alone": b"\r\n" * 900_000,
        "dashes alone": b"-" * 1_900_000,
        "boundaries alone": b"--x\r\n" * 380_000,
        "half boundaries": b"\r\n--" * 470_000,
        "bytes of every value": multipart(bytes(range(256)) * 4000),
        "nothing": b"",
        "a type that lies": multipart(photo, type=b"\r\nContent-Type: text/html"),
        "a transfer encoding": multipart(photo, type=b"\r\nContent-Transfer-Encoding: base64"),
    }


def assert_held(answer: httpx.Response, what: str) -> None:
    assert answer.status_code < 500, (what, answer.status_code, answer.text)
    assert answer.elapsed.total_seconds() < LONGEST, (what, answer.elapsed)
    assert answer.json()["success"] is (answer.status_code == 200), (what, answer.text)


def post(client, content, kind="image/jpeg"):
    return client.post(SEARCH, files={"image": ("a.jpg", content, kind)})


@pytest.mark.parametrize("kind", sound_files())
def test_the_sound_files_are_sound(service, kind):
    assert post(service.client, sound_files()[kind]).status_code == 200


def test_mutated_files(service, soak):
    files = list(sound_files().values())
    count = 12_000 if soak else 600
    memory = psutil.Process(service.process.pid)
    seen, after_warm_up = {}, 0
    # Searches that come together have a network of their own, made ready a while after the start.
    with ThreadPoolExecutor(8) as clients:
        list(clients.map(lambda content: post(service.client, content), files * 4))
    for number in range(count):
        if number == count // 4:
            after_warm_up = memory.memory_info().rss
        rng = np.random.default_rng(number)
        answer = post(service.client, mutated(files[number % len(files)], files, rng))
        assert_held(answer, f"mutation {number}")
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
    grown = memory.memory_info().rss / after_warm_up
    print(f"\n{count} mutated files: {seen}; memory after / at a quarter: {grown:.3f}")
    assert set(seen) <= {200, 400, 413, 415} and seen[200] > count / 50 and seen[400] > count / 5
    assert grown < 1.05


def test_mutated_requests(service, soak):
    """Damages of the form around a sound photo, and lengths that are not its own."""
    address = (service.client.base_url.host, service.client.base_url.port)
    files = list(sound_files().values())
    count = 4_000 if soak else 200
    seen = {}
    for number in range(count):
        rng = np.random.default_rng(number)
        body = multipart(files[number % len(files)])
        head = (
            f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n"
        ).encode()
        if number % 2:
            body = mutated(body, [body], rng)
        else:
            head = mutated(head, [head], rng)
        length = len(body) + (int(rng.integers(-200, 200)) if number % 3 == 0 else 0)
        started = time.monotonic()
        # Where more is announced than comes, the service must not wait for it.
        half_close = length > len(body)
        request = head + f"Content-Length: {length}\r\n\r\n".encode() + body
        said = raw(address, request, half_close)
        assert time.monotonic() - started < LONGEST, number
        status = int(said.split()[1]) if said else 0
        seen[status] = seen.get(status, 0) + 1
        assert status < 500, (number, said)
    print(f"\n{count} mutated requests: {seen} (0: the connection was closed)")
    assert seen[200] and seen[400] and seen[422], seen
    assert post(service.client, sound_files()["jpeg"]).status_code == 200


def raw(address: tuple[str, int], request: bytes, half_close: bool = True) -> bytes:
    """The first bytes that come back, or nothing; a client that half-closes may hear nothing."""
    with socket.create_connection(address, timeout=LONGEST) as connection:
        try:
            connection.sendall(request)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            return connection.recv(200)
        except ConnectionError:
            return b""


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(service, name):
    answer = post(service.client, BOMBS[name]())
    assert_held(answer, name)
    if "limit" not in name:
        assert answer.status_code in (200, 400, 413)
    assert post(service.client, sound_files()["jpeg"]).status_code == 200


@pytest.mark.parametrize("name", hostile_bodies())
def test_hostile_forms(service, name):
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert_held(service.client.post(SEARCH, content=hostile_bodies()[name], headers=headers), name)


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 5000,
        'multipart/form-data; boundary="x',
        "application/x-www-form-urlencoded",
        "application/json",
        "text/plain; charset=utf-7",
        "",
    ],
)
def test_hostile_content_types(service, kind):
    body = multipart(encode(dish_photo(3, (64, 48))))
    assert_held(service.client.post(SEARCH, content=body, headers={"content-type": kind}), kind)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\nhello",
        b"POST %s HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: 5\r\nContent-Length: 50\r\n\r\nhello",
        b"POST %s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n",
        b"POST %s HTTP/1.1\r\nHost: localhost\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\nhello",
        b"POST %s HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"POST %s HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%%00%%ff HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
    ],
)
def test_requests_that_are_no_http(service, request_bytes):
    """Whatever comes back, or nothing: no 5xx, and the service goes on."""
    address = (service.client.base_url.host, service.client.base_url.port)
    started = time.monotonic()
    said = raw(address, request_bytes.replace(b"%s", SEARCH.encode()))
    assert time.monotonic() - started < LONGEST
    assert said == b"" or int(said.split()[1]) < 500, said
    assert post(service.client, sound_files()["jpeg"]).status_code == 200


def test_clients_that_hang_up(service):
    """Half a body, then silence and a closed connection, many times over."""
    address = (service.client.base_url.host, service.client.base_url.port)
    body = multipart(encode(dish_photo(3)))
    head = (
        f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    ).encode()
    for cut in itertools.islice(itertools.cycle([10, 200, len(body) // 2, len(body)]), 100):
        with socket.create_connection(address, timeout=LONGEST) as connection:
            connection.sendall(head + body[:cut])
    started = time.monotonic()
    while "itadaki_queue_depth 0.0" not in service.client.get("/metrics").text:
        assert time.monotonic() - started < LONGEST
    assert post(service.client, sound_files()["jpeg"]).status_code == 200


def test_what_an_attack_may_take_is_what_the_documents_say(environment, soak):
    """Each request of benchmarks/attack.py alone, then all by three clients at once."""
    if not soak:
        pytest.skip("takes minutes; --soak runs it")
    clients, megabytes, decoding, room = 3, 20, MAX_MEMORY / 1e6, 60
    with running_service(environment, ("itadaki", "serve")) as service:
        address = (service.client.base_url.host, service.client.base_url.port)
        process = psutil.Process(service.process.pid)
        watched = attack.Service(address, process)
        # As above, so that what searches themselves take is there.
        with ThreadPoolExecutor(8) as searching:
            photo = sound_files()["jpeg"]
            list(searching.map(lambda _: post(service.client, photo), range(50)))
        for row in attack.ROWS.values():
            for name, content in row.requests().items():
                before, used = watched.memory, watched.seconds
                watched.restart_peak()
                status = asyncio.run(attack.exchange(address, content))
                assert status == 200 or 400 <= status < 500, (name, status)
                assert watched.seconds - used < 2, name
                assert watched.peak - before < decoding + 2 * megabytes + room, name
            before = watched.memory
            watched.restart_peak()
            asyncio.run(row.run(address, 10))
            assert watched.peak - before < decoding + 3 * clients * megabytes + room
            assert set(row.statuses) <= {0, 200, 400, 413, 415, 503}, row.statuses
        assert post(service.client, photo).status_code == 200


def test_nothing_of_an_upload_is_logged(service):
    logged = service.log.read_text()
    assert "Traceback" not in logged and "passwd" not in logged and "filename" not in logged
    assert json.dumps("a.jpg") not in logged
