"""Whether a host can be reached, within a deadline that holds even while DNS hangs."""

import threading
import time
import urllib.error
import urllib.request

from itadaki.errors import reason

REACH_SECONDS = 20.0

_HOLDS = 120.0  # seconds in which a host that could not be reached is not asked again
_unreachable: dict[str, tuple[float, str]] = {}


def why_unreachable(url: str, seconds: float = REACH_SECONDS) -> str | None:
    """Ask ``url``; return None if anything answered, else the reason in a few words.

    The reason holds for two minutes, so that one command waits once.
    The request runs in a daemon thread because name resolution obeys no timeout of its own.
    """
    asked_at, known = _unreachable.get(url, (0.0, ""))
    if known and time.monotonic() - asked_at < _HOLDS:
        return known
    why = [f"no answer within {seconds:.0f} seconds"]

    def ask() -> None:
        try:
            urllib.request.urlopen(url, timeout=seconds).close()
            why.clear()
        except urllib.error.HTTPError:
            why.clear()
        except (OSError, ValueError) as error:
            why[:] = [reason(error)]

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    if not why:
        return None
    _unreachable[url] = time.monotonic(), why[0]
    return why[0]
