"""How often each client may ask."""

import math
import time
from collections import deque
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from api.core.config import rate_limits

if TYPE_CHECKING:
    from limits import RateLimitItem

_FORGET_FROM = 1000  # clients


class RateLimit:
    """Counts what clients ask for in moving windows, by a clock that nobody can set."""

    def __init__(self, text: str) -> None:
        """Count within limits such as ``60/minute; 1000/day``; an empty text limits nothing."""
        self._windows = [_Window(limit) for limit in rate_limits(text)]

    def take(self, client: str, count: int = 1, noted: int = 0) -> None:
        """Note what a client asks for, all or nothing; see ``check``."""
        self.check(client, count, noted)
        self.note(client, count - noted)

    def check(self, client: str, count: int = 1, noted: int = 0) -> None:
        """Let pass what a client may ask for now.

        Args:
            client: who asks.
            count: how much at once.
            noted: how much of it was noted before.

        Raises:
            HTTPException: 429 with the seconds until it fits in; 422 if it never will.
        """
        for window in self._windows:
            amount, seconds = window.limit.amount, window.limit.get_expiry()
            said = f"At most {amount} requests in {seconds} seconds are answered"
            if count > amount:
                raise HTTPException(422, f"{said}; send at most {amount} photos at once.")
            if (wait := window.wait(client, count - noted)) > 0:
                wait = min(math.ceil(wait), seconds)
                raise HTTPException(
                    429, f"{said}; try again in {wait}.", {"Retry-After": str(wait)}
                )

    def note(self, client: str, count: int = 1) -> None:
        """Count requests of a client."""
        for window in self._windows:
            window.note(client, count)


class _Window:
    """The times of each client's last requests, as many as a limit allows."""

    def __init__(self, limit: "RateLimitItem") -> None:
        self.limit = limit
        self._times: dict[str, deque[float]] = {}
        self._forget_at = _FORGET_FROM

    def wait(self, client: str, count: int) -> float:
        """Seconds until so many more fit in; 0 or less if they do now."""
        times = self._times.get(client, ())
        over = len(times) + count - self.limit.amount  # so many must have left the window
        return times[over - 1] + self.limit.get_expiry() - time.monotonic() if over > 0 else 0

    def note(self, client: str, count: int) -> None:
        now = time.monotonic()
        times = self._times.setdefault(client, deque(maxlen=self.limit.amount))
        times.extend([now] * count)
        if len(self._times) > self._forget_at:
            since = now - self.limit.get_expiry()
            self._times = {who: when for who, when in self._times.items() if when[-1] > since}
            self._forget_at = max(_FORGET_FROM, 2 * len(self._times))
