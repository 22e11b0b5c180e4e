import errno
import socket
import time

from itadaki import network
from itadaki.network import REACH_SECONDS, why_unreachable


def test_refused_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "refused" in why_unreachable(f"http://127.0.0.1:{port}", 5)


def test_silence_ends_at_the_deadline():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        reason = why_unreachable(f"http://127.0.0.1:{silent.getsockname()[1]}", 0.5)
        assert time.monotonic() - started < REACH_SECONDS / 2, "it waited for more than it was told"
    assert reason


def test_a_host_that_cannot_be_reached_is_asked_once_for_a_while(monkeypatch):
    asked = []

    def refuse(url, timeout):
        asked.append(url)
        raise OSError(errno.ECONNREFUSED, "Connection refused")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr(network, "_unreachable", {})
    assert why_unreachable("https://nobody.example") == why_unreachable("https://nobody.example")
    assert len(asked) == 1
    monkeypatch.setattr(network, "_HOLDS", 0.0)
    why_unreachable("https://nobody.example")
    assert len(asked) == 2
