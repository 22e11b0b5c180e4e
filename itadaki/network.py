"""Whether a host can be reached, within a deadline that holds even while DNS hangs."""

import threading
import urllib.error
import urllib.request

from itadaki.errors import reason

REACH_SECONDS = 20.0


def why_unreachable(url: str, seconds: float = REACH_SECONDS) -> str | None:
    """Ask ``url`` once; return None if anything answered, else the reason in a few words.

    The request runs in a daemon thread because name resolution obeys no timeout of its own.
    """
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
    return why[0] if why else None
