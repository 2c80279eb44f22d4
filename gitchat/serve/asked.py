"""A request or a WebSocket's handshake as the guard looks at it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from gitchat.serve.settings import is_loopback

CONNECTION = "gitchat.connection"
"""Where the state of a scope has what all requests of one connection share."""

_FORWARDED = ("forwarded", "via", "x-real-ip")
_OF_BROWSERS = ("origin", "cookie", "referer")
_OF_NODE = "sec-fetch-mode"
"""What Node's ``fetch`` sends with each request, and no browser without ``Sec-Fetch-Site``."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, and by whom as far as the headers say. A header that was sent twice holds a comma."""

    method: str
    """``GET`` for a WebSocket."""
    path: str
    """Below the address of the repository."""
    scheme: str
    """``http`` or ``https``, as the client sees it."""
    headers: Mapping[str, str]
    query: str
    client: tuple[str, int] | None
    """Where it comes from; None where that is not known."""
    server: tuple[str, int] | None
    """The end of ours that it has reached."""
    is_websocket: bool = False
    found: dict[str, int] | None = None
    """Whose socket is at the other end, as soon as that was found out for an earlier request of the same connection;
    None where no connection is known. It is nobody else's as long as the connection lasts.
    """

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Asked:
        """That of an ASGI scope."""
        headers: dict[str, str] = {}
        for key, value in scope["headers"]:
            name, text = key.decode("latin-1").lower(), value.decode("latin-1")
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
        scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "http"), scope.get("scheme", "http"))
        client, server = scope.get("client"), scope.get("server")
        return cls(
            scope.get("method", "GET"),
            scope["path"],
            scheme,
            headers,
            scope.get("query_string", b"").decode("latin-1"),
            (client[0], client[1]) if client else None,
            (server[0], server[1]) if server and server[1] is not None else None,
            scope["type"] == "websocket",
            scope.get("state", {}).get(CONNECTION),
        )

    @property
    def host(self) -> str:
        """What the client calls us by, without the port; blank where it does not say."""
        return split_host(self.headers.get("host", ""))[0]

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing by its method."""
        return self.method in ("GET", "HEAD", "OPTIONS")

    @property
    def is_forwarded(self) -> bool:
        """Whether somebody says to ask for somebody else."""
        return any(name in _FORWARDED or name.startswith("x-forwarded-") for name in self.headers)

    @property
    def is_of_a_browser(self) -> bool:
        """Whether it has what a browser sends along, and a program does not."""
        is_named = self.headers.get("user-agent", "").startswith("Mozilla/")
        return is_named or any(
            name in _OF_BROWSERS or (name.startswith("sec-fetch-") and name != _OF_NODE) for name in self.headers
        )

    @property
    def is_from_here(self) -> bool:
        """Whether it comes from a program of this machine that calls us by a name of this machine."""
        return (
            self.client is not None and is_loopback(self.client[0]) and is_loopback(self.host) and not self.is_forwarded
        )

    def query_names(self) -> dict[str, str]:
        """The parameters of the address; one that is there twice has its last value."""
        return dict(parse_qsl(self.query, keep_blank_values=True, max_num_fields=None))


def split_host(text: str) -> tuple[str, int | None]:
    """A ``Host``, or the end of an origin: the name in lower case without brackets, blank for what is none; a port."""
    text = text.strip().lower()
    if text.startswith("["):
        name, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return "", None
        port = rest[1:]
    else:
        name, _, port = text.partition(":")
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5):
        return "", None
    return name.rstrip("."), int(port) if port else None
