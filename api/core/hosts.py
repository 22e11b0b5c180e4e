"""By which names the service may be called."""

import ipaddress
import re
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from api.core.answer import failure

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{0,5})?")


class Hosts:
    """ASGI middleware: refuses requests for another host.

    Answers hold absolute addresses with the host that was asked for. And a browser that was told
    that the name of a page elsewhere means this machine (DNS rebinding) would let that page read
    whatever is answered to its name; an address cannot be rebound.
    """

    def __init__(self, app: ASGIApp, allowed: Sequence[str]) -> None:
        """Answer to localhost, to the address of each connection, and to the allowed hosts.

        Args:
            app: the application behind.
            allowed: names or addresses, ``*.example.com`` for all names below one, ``*`` for any.
        """
        self.app = app
        self._allowed = {"localhost", *(_plain(name) for name in allowed if "*" not in name)}
        self._below = tuple(name[1:] for name in allowed if name.startswith("*"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] != "lifespan":
            hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
            if len(hosts) != 1 or not (host := _HOST.fullmatch(hosts[0])):
                if hosts or scope.get("http_version") != "1.0":  # which had no such header
                    app = failure(400, "A request must say in one header Host what it asks.")
            elif not self._is_ours(name := _plain(host[1]), scope):
                app = failure(
                    421,
                    f"This service does not answer to the host {name}. If it should, whoever runs "
                    "it must put that into ITADAKI_ALLOWED_HOSTS.",
                )
        await app(scope, receive, send)

    def _is_ours(self, host: str, scope: Scope) -> bool:
        if host in self._allowed or host.endswith(self._below):
            return True
        if host == _plain(str((scope.get("server") or [""])[0])):
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def _plain(host: str) -> str:
    """A name or an address as it is compared: without brackets, zone, or a dot at its end."""
    host = host.lower().strip("[]").partition("%")[0].removesuffix(".")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host
