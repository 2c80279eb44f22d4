"""A model for agents' clients that does what a script says and keeps what it was asked: on loopback, in three forms.

It tells two conversations apart: the main one, and that of a subagent, whose task holds the word :data:`SUBTASK`.
"""

from __future__ import annotations

import http.server
import itertools
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.clients.dialects import DIALECTS, Answer, Call, Dialect, Json

__all__ = ["SUBTASK", "Call", "Gate", "Request", "Script", "Step", "serving"]

SUBTASK = "SUBTASK"
GATE_SECONDS = 240.0
"""How long a model waits for a test: longer than any test waits for a model."""


@dataclass(frozen=True)
class Request:
    """What the model was asked, as it would have read it."""

    is_sub: bool
    """Whether a subagent asked."""
    conversation: str
    """What the client calls the conversation; ``/clear`` begins another one."""
    texts: tuple[str, ...]
    """All that it holds but for the client's own prompt: texts, calls, results of tools, context of hooks."""
    new: str
    """What of it the request before in this conversation did not hold, a line break between two."""
    ready: frozenset[str]
    """The tools that the model can call without a search for them."""
    at_seconds: float

    @property
    def whole(self) -> str:
        """All that it holds."""
        return "\n".join(self.texts)


Step = Answer | Callable[[Request], Answer]
"""What the model does when it is asked, or what decides it then, and may take its time."""


class Gate:
    """A step at which the model thinks until the test lets it go on."""

    def __init__(self, step: Answer) -> None:
        self._step = step
        self._reached, self._opened = threading.Event(), threading.Event()

    def __call__(self, asked: Request) -> Answer:
        self._reached.set()
        self._opened.wait(GATE_SECONDS)
        return self._step

    def wait(self) -> None:
        """Wait until the model is here."""
        assert self._reached.wait(GATE_SECONDS), "the model was never asked so far"

    def open(self) -> None:
        """Let the model go on."""
        self._opened.set()


class Script:
    """What each conversation does: its steps one after the other, and then the last one for ever."""

    def __init__(self, main: Sequence[Step], sub: Sequence[Step] = ()) -> None:
        self._steps = {False: list(main), True: list(sub)}
        self._done = {False: 0, True: 0}
        self._turn = threading.Lock()
        self._asked: list[Request] = []

    def next(self, *, is_sub: bool) -> Step:
        """The next step of a conversation."""
        with self._turn:
            place = min(self._done[is_sub], len(self._steps[is_sub]) - 1)
            self._done[is_sub] += 1
            return self._steps[is_sub][place]

    def restart(self) -> None:
        """Begin anew with the first steps."""
        with self._turn:
            self._done = {False: 0, True: 0}

    def go_on(self, *main: Step) -> None:
        """Do these steps from now on."""
        self._set(main, is_sub=False)

    def go_on_as_sub(self, *sub: Step) -> None:
        """Do these steps in subagents from now on."""
        self._set(sub, is_sub=True)

    def _set(self, steps: Sequence[Step], *, is_sub: bool) -> None:
        with self._turn:
            self._steps[is_sub], self._done[is_sub] = list(steps), 0

    @property
    def asked(self) -> list[Request]:
        """What was asked in the main conversations until now."""
        return self._of(is_sub=False)

    @property
    def asked_by_sub(self) -> list[Request]:
        """What subagents asked until now."""
        return self._of(is_sub=True)

    def _of(self, *, is_sub: bool) -> list[Request]:
        with self._turn:
            return [request for request in self._asked if request.is_sub == is_sub]

    def note(self, conversation: str, texts: tuple[str, ...], ready: frozenset[str], *, is_sub: bool) -> Request:
        """Keep a request."""
        with self._turn:
            seen: Counter[str] = Counter()
            for before in self._asked:
                if (before.is_sub, before.conversation) == (is_sub, conversation):
                    seen = Counter(before.texts)
            new = [text for text in texts if _is_taken(seen, text)]
            request = Request(is_sub, conversation, texts, "\n".join(new), ready, time.time())
            self._asked.append(request)
        return request


def _is_taken(seen: Counter[str], text: str) -> bool:
    """Whether ``text`` is more than what was seen; what was seen is used up."""
    seen[text] -= 1
    return seen[text] < 0


@contextmanager
def serving(script: Script, listening: socket.socket | None = None) -> Iterator[str]:
    """The address of a model that follows ``script``; it takes over the socket that it is given."""
    numbers = itertools.count(1)

    class Answering(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            pass

        def do_GET(self) -> None:
            self._answer(b"{}", "application/json")

        def do_HEAD(self) -> None:
            self._answer(b"", "application/json")

        def do_POST(self) -> None:
            asked = json.loads(self._body() or b"{}")
            text = "{}"
            for dialect in DIALECTS:
                if dialect.path in self.path and "count_tokens" not in self.path:
                    is_stream = bool(asked.get("stream")) or "stream" in self.path
                    text = dialect.write(asked, _decide(script, dialect, asked), next(numbers), is_stream)
            is_stream = text.startswith(("event:", "data:"))
            self._answer(text.encode(), "text/event-stream" if is_stream else "application/json")

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            body = b""
            while length := int(self.rfile.readline(), 16):
                body += self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _answer(self, body: bytes, kind: str) -> None:
            try:
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:  # the client was interrupted, or killed
                self.close_connection = True

    address = listening.getsockname() if listening else ("127.0.0.1", 0)
    server = http.server.ThreadingHTTPServer(address, Answering, bind_and_activate=listening is None)
    if listening:
        server.socket.close()
        server.socket = listening
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _decide(script: Script, dialect: Dialect, asked: Json) -> Answer:
    if dialect.is_own(asked):
        return dialect.own_answer
    is_sub = SUBTASK in dialect.opening(asked)
    ready = frozenset(tool.get("name", "") for tool in asked.get("tools") or () if not tool.get("defer_loading"))
    request = script.note(dialect.conversation(asked), tuple(dialect.texts(asked)), ready, is_sub=is_sub)
    step = script.next(is_sub=is_sub)
    return step(request) if callable(step) else step
