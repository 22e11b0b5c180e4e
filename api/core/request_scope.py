"""What a request's ASGI scope says, in one way for everything that asks."""

import ipaddress

from starlette._utils import get_route_path  # the one that Starlette's own routes ask
from starlette.types import Scope


def route_path(scope: Scope) -> str:
    """The path that routes are matched by, without the prefix that the service runs under.

    It is the same before a request was routed and after, when a mount has put its own path into
    the scope.
    """
    prefix = scope.get("app_root_path", scope.get("root_path", ""))
    return get_route_path({**scope, "root_path": prefix})


def client_of(scope: Scope) -> str:
    """The client's address; of IPv6 the /64 network, which one client has to itself."""
    host = scope["client"][0] if scope.get("client") else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    if address.ipv4_mapped:  # where one socket listens for both
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
