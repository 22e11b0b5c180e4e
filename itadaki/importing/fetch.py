"""Fetches photos from the internet, and from nowhere else."""

import http.client
import ipaddress
import os
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from itadaki import __version__
from itadaki.errors import reason

MAX_BYTES = 20_000_000
_MAX_REDIRECTS = 5
_SECONDS = 60.0  # for one photo, from its host's name to its last byte, redirects and all
_CONNECT, _SILENCE = 10.0, 20.0  # seconds to connect, and without a byte
_HEADERS = {
    "User-Agent": f"itadaki/{__version__}",
    "Accept": "image/jpeg, image/png, image/webp, image/gif",
    "Connection": "close",
}
_TYPES = ("image/", "application/octet-stream", "binary/octet-stream")
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 303, 307, 308)

_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_CARRYING_IPV4 = [ipaddress.ip_network(net) for net in ("::ffff:0:0/96", "64:ff9b::/96")]
"""Of an address in these the last four bytes are an IPv4 address, which is the one that counts."""
_SPECIAL = [
    ipaddress.ip_network(net)
    for net in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
]
"""IANA's special-purpose registries among what is else global unicast: Python's own list differs
from version to version."""


class FetchError(Exception):
    """A photo was not fetched; the message is a clause that says why."""


def fetch_photo(address: str, folder: Path) -> Path:
    """Fetch a photo into a folder.

    Only http and https, only from public addresses, at most 20 MB, only what says that it is a
    picture, and in a minute, in which all is done: to look the host's name up, to connect, and to
    hear the last byte. Each host's name is resolved once, all its addresses are looked at, and the
    connection is made to one of these; redirects are treated likewise.

    Returns:
        The file.

    Raises:
        FetchError: it was not fetched.
    """
    deadline = time.monotonic() + _SECONDS
    try:
        content = _get(address, deadline)
    except Exception as error:  # a host may answer anything
        if late := _late(deadline):  # and what is hung up on looks as if it had broken off
            raise FetchError(late) from None
        if isinstance(error, FetchError):
            raise
        raise FetchError(f"it does not answer as it should ({reason(error)})") from None
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(".jpg", dir=folder)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return Path(name)


def _get(address: str, deadline: float) -> bytes:
    for _ in range(_MAX_REDIRECTS + 1):
        url, host, port = _parts(address)
        with _answer(url, host, port, deadline) as response:
            location = response.headers.get("Location")
            if response.status in _REDIRECTS and location:
                address = urljoin(address, location)
                continue
            content = _body(response)
            # A connection that was shut down in the middle looks like one that has ended.
            if late := _late(deadline):
                raise FetchError(late)
            return content
    raise FetchError(f"more than {_MAX_REDIRECTS} redirects")


def _parts(address: str) -> tuple[SplitResult, str, int]:
    """An address's parts, with its host's name in ASCII and its port."""
    try:
        url = urlsplit(address)
        port = url.port or _PORTS[url.scheme]
        host = (url.hostname or "").encode("idna").decode()
    except (KeyError, ValueError):
        raise FetchError("only http and https addresses are fetched") from None
    if not host or url.username is not None:
        raise FetchError("the address has no host, or a user's name")
    return url, host, port


@contextmanager
def _answer(
    url: SplitResult, host: str, port: int, deadline: float
) -> Iterator[http.client.HTTPResponse]:
    """What the host answers from one of its checked addresses, before its body is read."""
    with ExitStack() as stack:
        addresses = _public_addresses(host, port, deadline)
        connected = stack.enter_context(_connected(addresses, port, deadline))
        # Whatever waits for the host wakes up when the time is over, if one byte a second comes
        # or none. The other end of a duplicate is the same one, whatever TLS makes of the socket.
        line = stack.enter_context(connected.dup())
        timer = threading.Timer(max(0, deadline - time.monotonic()), _hang_up, [line])
        timer.daemon = True
        timer.start()
        stack.callback(timer.cancel)
        connected.settimeout(_SILENCE)
        if url.scheme == "https":
            context = ssl.create_default_context()
            connected = stack.enter_context(context.wrap_socket(connected, server_hostname=host))
        connection = http.client.HTTPConnection(host, port)
        connection.default_port, connection.auto_open = _PORTS[url.scheme], 0
        connection.sock = connected
        path = quote(url.path or "/", safe="/%:@!$&'()*+,;=~")
        query = quote(url.query, safe="/%:@!$&'()*+,;=~?[]|")
        connection.request("GET", f"{path}?{query}" if query else path, headers=_HEADERS)
        yield connection.getresponse()


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):  # the other side was quicker
        line.shutdown(socket.SHUT_RDWR)


@contextmanager
def _connected(addresses: list[str], port: int, deadline: float) -> Iterator[socket.socket]:
    error = OSError("it has no address")
    for address in addresses:
        if late := _late(deadline):
            raise FetchError(late)
        try:
            left = max(0.001, deadline - time.monotonic())
            connected = socket.create_connection((address, port), min(_CONNECT, left))
        except OSError as failure:
            error = failure
        else:
            with connected:
                yield connected
            return
    raise FetchError(f"it does not answer ({reason(error)})")


def _body(response: http.client.HTTPResponse) -> bytes:
    if response.status != 200:
        raise FetchError(f"the answer is {response.status}")
    kind = response.headers.get("Content-Type", "").lower()
    if not kind.startswith(_TYPES):
        raise FetchError(f"it is no picture but {kind or 'of no kind'}")
    if (response.length or 0) > MAX_BYTES:
        raise FetchError(f"it is larger than {MAX_BYTES // 10**6} MB")
    content = bytearray()
    while chunk := response.read1(65_536):
        content += chunk
        if len(content) > MAX_BYTES:
            raise FetchError(f"it is larger than {MAX_BYTES // 10**6} MB")
    if response.length:
        raise FetchError("it broke off")
    return bytes(content)


def _late(deadline: float) -> str | None:
    if time.monotonic() < deadline:
        return None
    return f"it takes longer than {_SECONDS:.0f} seconds"


def _public_addresses(host: str, port: int, deadline: float) -> list[str]:
    """All addresses of a host; raises FetchError unless every one is public."""
    answers: list[str] = []
    failures: list[Exception] = []

    def look_up() -> None:
        try:
            answers.extend(
                str(answer[4][0])
                for answer in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            )
        except (OSError, UnicodeError) as error:
            failures.append(error)

    # Nothing stops a look-up, so one that takes too long is left to itself.
    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(max(0, deadline - time.monotonic()))
    if thread.is_alive():
        raise FetchError(f"it takes longer than {_SECONDS:.0f} seconds to find {host}")
    if failures or not answers:
        raise FetchError(f"{host} is not found")
    addresses = list(dict.fromkeys(answers))
    for address in addresses:
        if not _is_public(address):
            raise FetchError(f"{host} is at {address}, which is no public address")
    return addresses


def _is_public(address: str) -> bool:
    """Whether this is a global unicast address that no registry keeps for something else."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if any(ip in network for network in _CARRYING_IPV4):
        ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.version == 6 and (ip not in _GLOBAL_UNICAST or ip.scope_id):
        return False
    return ip.is_global and not any(ip in network for network in _SPECIAL)
