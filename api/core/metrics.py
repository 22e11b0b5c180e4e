"""What Prometheus is told at /metrics."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SHARES = tuple(twentieth / 20 for twentieth in range(1, 21))


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "itadaki_requests", "Requests answered.", ["route", "status"], registry=self._registry
        )
        self._request_seconds = Histogram(
            "itadaki_request_seconds",
            "From a request's first byte to its answer's last.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._stage_seconds = Histogram(
            "itadaki_stage_seconds",
            "Stages of a search: wait in the queue, decode, embed, search.",
            ["stage"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._queue_depth = Gauge(
            "itadaki_queue_depth", "Searches that run or wait.", registry=self._registry
        )
        self._confidence = Histogram(
            "itadaki_confidence",
            "How near a photo's best recipe is: the share of the collection's own photos that "
            "have none as near.",
            buckets=_SHARES,
            registry=self._registry,
        )

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage of a search."""
        with self._stage_seconds.labels(name).time():
            yield

    def waited(self, since: float) -> None:
        """Note that a search's turn has come; ``since`` is by ``time.perf_counter``."""
        self._stage_seconds.labels("wait").observe(time.perf_counter() - since)

    def confidence(self, confidence: float) -> None:
        """Note how near the best recipe for a photo is, 0 to 1."""
        self._confidence.observe(confidence)

    def watch_queue(self, depth: Callable[[], int]) -> None:
        """Ask ``depth`` for the queue's depth whenever the metrics are read."""
        self._queue_depth.set_function(depth)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
