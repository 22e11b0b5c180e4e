"""Fetches photos from the internet, and from nowhere else."""

import ipaddress
import os
import socket
import tempfile
import time
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import urllib3

from itadaki import __version__
from itadaki.errors import reason

MAX_BYTES = 20_000_000
_MAX_REDIRECTS = 5
_SECONDS = 60.0  # for one photo, redirects and all
_TIMEOUT = urllib3.Timeout(connect=10, read=20)
_HEADERS = {
    "User-Agent": f"itadaki/{__version__}",
    "Accept": "image/jpeg, image/png, image/webp, image/gif",
    "Accept-Encoding": "identity",
}
_TYPES = ("image/", "application/octet-stream", "binary/octet-stream")
_TUNNELS = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "2002::/16", "2001::/32")]
"""IPv6 networks that carry an IPv4 address inside, which may be any."""


class FetchError(Exception):
    """A photo was not fetched; the message is a clause that says why."""


def fetch_photo(address: str, folder: Path) -> Path:
    """Fetch a photo into a folder.

    Only http and https, only from public addresses, at most 20 MB, only what says that it is a
    picture, and in a minute. Each host's name is resolved once, all its addresses are looked at,
    and the connection is made to one of these; redirects are treated likewise.

    Returns:
        The file.

    Raises:
        FetchError: it was not fetched.
    """
    deadline = time.monotonic() + _SECONDS
    content = _get(address, deadline)
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(".jpg", dir=folder)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return Path(name)


def _get(address: str, deadline: float) -> bytes:
    for _ in range(_MAX_REDIRECTS + 1):
        with _Connection(address) as response:
            if location := response.get_redirect_location():
                address = urljoin(address, location)
                continue
            return _body(response, deadline)
    raise FetchError(f"more than {_MAX_REDIRECTS} redirects")


class _Connection:
    """One request to one of a host's checked addresses."""

    def __init__(self, address: str) -> None:
        try:
            url = urlsplit(address)
            port = url.port or {"http": 80, "https": 443}[url.scheme]
            host = (url.hostname or "").encode("idna").decode()
        except (KeyError, ValueError):
            raise FetchError("only http and https addresses are fetched") from None
        if not host or url.username is not None:
            raise FetchError("the address has no host, or a user's name")
        checked = _public_addresses(host, port)
        options = {"port": port, "timeout": _TIMEOUT, "retries": False, "maxsize": 1}
        if url.scheme == "https":
            options |= {"server_hostname": host, "assert_hostname": host}
            self._pools = [urllib3.HTTPSConnectionPool(ip, **options) for ip in checked]
        else:
            self._pools = [urllib3.HTTPConnectionPool(ip, **options) for ip in checked]
        self._path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        self._headers = _HEADERS | {"Host": url.netloc}

    def __enter__(self) -> urllib3.BaseHTTPResponse:
        error = Exception("it has no address")
        for pool in self._pools:
            try:
                self._response = pool.urlopen(
                    "GET",
                    self._path,
                    headers=self._headers,
                    redirect=False,
                    preload_content=False,
                    decode_content=False,
                )
                return self._response
            except urllib3.exceptions.HTTPError as failure:
                error = failure
        raise FetchError(f"it does not answer ({reason(error)})")

    def __exit__(self, *_: object) -> None:
        self._response.close()
        for pool in self._pools:
            pool.close()


def _body(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    if response.status != 200:
        raise FetchError(f"the answer is {response.status}")
    kind = response.headers.get("Content-Type", "").lower()
    if not kind.startswith(_TYPES):
        raise FetchError(f"it is no picture but {kind or 'of no kind'}")
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > MAX_BYTES:
        raise FetchError(f"it is larger than {MAX_BYTES // 10**6} MB")
    content = bytearray()
    try:
        while chunk := response.read1(65_536, decode_content=False):
            content += chunk
            if len(content) > MAX_BYTES:
                raise FetchError(f"it is larger than {MAX_BYTES // 10**6} MB")
            if time.monotonic() > deadline:
                raise FetchError(f"it takes longer than {_SECONDS:.0f} seconds")
    except urllib3.exceptions.HTTPError as error:
        raise FetchError(f"it broke off ({reason(error)})") from None
    return bytes(content)


def _public_addresses(host: str, port: int) -> list[str]:
    """All addresses of a host; raises FetchError unless every one is public."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FetchError(f"{host} is not found") from None
    addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    for address in addresses:
        if not _is_public(address):
            raise FetchError(f"{host} is at {address}, which is no public address")
    return addresses


def _is_public(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if ip.version == 6:
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif any(ip in tunnel for tunnel in _TUNNELS):
            return False
    return ip.is_global and not ip.is_multicast
