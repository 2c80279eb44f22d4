"""Figures for Prometheus: how many requests of which kind, how long they took, who is here."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client import generate_latest as written

from gitchat.serve.served import Seen, Served

_FACES = ("rooms", "messages", "agents", "search", "events", "session")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The figures of one server."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, served: Served) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "gitchat_requests", "Requests that were answered.", ["face", "method", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "gitchat_request_seconds", "From a request to its answer; without streams.", ["face"],
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._sent = Counter("gitchat_sent_bytes", "Bytes of answers.", registry=self._registry)
        self._written = Counter("gitchat_written", "Records that were written.", registry=self._registry)
        living = Gauge("gitchat_sessions", "Names that live through this server.", registry=self._registry)
        living.set_function(lambda: sessions(served))
        ProcessCollector(registry=self._registry)

    def __call__(self, seen: Seen) -> None:
        """Count what came of a request."""
        face = face_of(seen.asked.path)
        method = "WS" if seen.asked.is_websocket else seen.asked.method if seen.asked.method in _METHODS else "other"
        self._requests.labels(face, method, str(seen.status)).inc()
        if face not in ("ws", "events", "mcp"):
            self._seconds.labels(face).observe(seen.seconds)
        self._sent.inc(seen.sent_bytes)
        if seen.wrote is not None:
            self._written.inc()

    def text(self) -> bytes:
        """All of them, in the form of ``content_type``."""
        return written(self._registry)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def face_of(path: str) -> str:
    """What is asked for, as one of a few words: a path of somebody's own invention is no word."""
    first, _, rest = path.strip("/").partition("/")
    if first == "api":
        word = rest.removeprefix("v1/").partition("/")[0]
        return word if word in _FACES else "api"
    if first in ("ws", "mcp", "git", "health", "metrics", "static"):
        return first
    return "page" if first in ("", "r") else "other"


def sessions(served: Served) -> int:
    """How many names live through the server."""
    return sum(len(hub.holdings.living()) for hub in served.hubs.values())
