"""Asking a ``git chat serve``: one request after the other, by the standard library, again while that helps."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from gitchat.model.errors import ChatError, ConflictError, RemoteError, UserError

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

Json = dict[str, Any]

PATIENCE_SECONDS = 30.0
"""How long a request is tried again while the server is not reached, or has no room."""

PAUSES_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Between tries; the last one over and over."""

REQUEST_SECONDS = 60.0
"""How long one request may take."""

LATER = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may go through."""

_API = "/api/v1"


class Server:
    """A server at an address, and the token that it is asked with."""

    def __init__(self, url: str, token: str | None = None, room: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.room = room
        """The room of each request; None is the server's."""
        self._token = token

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine; then no proxy is asked, which would make a stranger of its own user."""
        host = urlsplit(self.url).hostname or ""
        return host in ("localhost", "::1") or host.startswith("127.")

    def opener(self) -> OpenerDirector:
        """What opens its addresses."""
        from urllib.request import ProxyHandler, build_opener

        return build_opener(ProxyHandler({})) if self.is_here else build_opener()

    def headers(self) -> dict[str, str]:
        """Who asks."""
        told = {"User-Agent": "gitchat-client"}
        return told | ({"Authorization": f"Bearer {self._token}"} if self._token is not None else {})

    def socket_url(self, path: str, **query: str) -> str:
        """The address of a WebSocket."""
        room = {"room": self.room} if self.room is not None else {}
        return f"ws{self.url.removeprefix('http')}{path}?{urlencode({**query, **room})}"

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """What it answers; tried again for PATIENCE_SECONDS while it is not reached, or asks for patience.

        Raises:
            UserError, ConflictError: it refuses; message, hint and code are its own.
            RemoteError: ``unreachable``, ``server-failed``.
        """
        end, tries = time.monotonic() + PATIENCE_SECONDS, 0
        while True:
            try:
                return await asyncio.to_thread(self._try, method, path, body)
            except Later as later:
                seconds = later.seconds if later.seconds is not None else pause(tries)
                if time.monotonic() + seconds > end:
                    raise later.error from later
                tries += 1
                await asyncio.sleep(seconds)

    def _try(self, method: str, path: str, body: Mapping[str, Any] | None) -> Json:
        """One try, in a thread. Raises ChatError, and Later."""
        from http.client import HTTPException
        from urllib.error import HTTPError, URLError
        from urllib.request import Request

        room = {"room": self.room} if self.room is not None else {}
        data = json.dumps({**room, **body}).encode() if body is not None else None
        query = f"?{urlencode(room)}" if room and method == "GET" else ""
        headers = self.headers() | ({"Content-Type": "application/json"} if data is not None else {})
        request = Request(self.url + _API + path + query, data, headers, method=method)
        try:
            with self.opener().open(request, timeout=REQUEST_SECONDS) as answer:
                answered: Json = json.load(answer)
                return answered
        except HTTPError as error:
            with error:
                refused = error_of(error.code, error.read())
            if error.code in LATER:
                raise Later(refused, _seconds(error.headers.get("Retry-After"))) from error
            raise refused from error
        except (URLError, HTTPException, OSError, ValueError) as error:
            raise Later(self.unreachable(error)) from error

    def unreachable(self, error: object) -> RemoteError:
        """That it is not reached, and why."""
        return RemoteError(
            f"{self.url} cannot be reached: {error}",
            hint="start it with git chat serve, or correct the address",
            code="unreachable",
        )


class Later(Exception):
    """A try that may go through in ``seconds``; None is in a moment."""

    def __init__(self, error: ChatError, seconds: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.seconds = seconds


class _Told(NamedTuple):
    """The three fields of an error."""

    error: str
    hint: str
    code: str


def error_of(status: int, body: bytes) -> ChatError:
    """The error that an answer with ``status`` tells."""
    try:
        fields = json.loads(body)
        told = _Told(*(str(fields[key]) for key in _Told._fields))
    except (ValueError, TypeError, KeyError):  # a proxy's words
        return RemoteError(
            f"the server answered with {status}", hint="see its log, or that of a proxy before it", code="server-failed"
        )
    if status == 409:
        return ConflictError(told.error, hint=told.hint, code=told.code)
    kind = UserError if status < 500 else RemoteError
    return kind(told.error, hint=told.hint, code=told.code)


def pause(tries: int) -> float:
    """How many seconds to wait after so many tries."""
    return PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS) - 1)]


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdecimal() else None
