"""Whether the service may listen where it is told to."""

import errno
import os
import socket
from typing import Any

from itadaki.errors import ItadakiError, reason

_PROBLEMS = {
    errno.EADDRINUSE: "Port {port} is in use by another program; choose another one with --port.",
    errno.EACCES: "Port {port} is only for the administrator; choose one from 1024 on with --port.",
    errno.EADDRNOTAVAIL: "{host} is not an address of this machine; --host takes one of its own, "
    "or 0.0.0.0 for all.",
}
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def check_address(host: str, port: int) -> None:
    """Listen for a moment, as the server will.

    uvicorn would say what is wrong only once everything is loaded, and in its own words.

    Raises:
        ItadakiError: that is not possible; the message says why.
    """
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError):
        raise ItadakiError(
            f"There is no host {host!r}; --host takes an address of this machine, such as "
            "127.0.0.1, or 0.0.0.0 for all."
        ) from None
    failures = [error for one in found if (error := _failure(one))]
    for error in failures:
        if error.errno in _NOT_HERE and len(failures) < len(found):
            continue  # localhost, where there is no IPv6: asyncio does without, too
        problem = _PROBLEMS.get(error.errno or 0, "{host}, port {port}: {reason}.")
        raise ItadakiError(problem.format(host=host, port=port, reason=reason(error)))


def _failure(found: tuple[Any, ...]) -> OSError | None:
    """Why nobody can listen at an address that ``getaddrinfo`` found."""
    family, kind, protocol, _, address = found
    try:
        with socket.socket(family, kind, protocol) as listening:
            if os.name == "posix":  # as asyncio does, or the last one's end would be in the way
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen()
    except OSError as error:
        return error
    return None
