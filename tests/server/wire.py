"""An MCP client by hand: JSON lines to a server's process, and whatever comes back."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

DEADLINE_SECONDS = 60.0
"""How long a test waits for what must come. Only a defect makes it pass."""

Json = dict[str, Any]
Found = TypeVar("Found")

HANDSHAKE = {"capabilities": {}, "clientInfo": {"name": "by-hand", "version": "1"}}


class Wire:
    """A server's process and both ends of its pipes. It leads a process group of its own, so that it dies whole."""

    def __init__(self, command: Sequence[str], cwd: Path, variables: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.process.stdin is not None
        self._stdin = self.process.stdin
        self._ids = itertools.count(1000)
        self._news = threading.Condition()
        self.lines: list[bytes] = []
        """Every line that the server printed, as it printed it."""
        self.stderr = b""
        self._unread: list[Json] = []
        self._threads = [threading.Thread(target=read, daemon=True) for read in (self._read_stdout, self._read_stderr)]
        for thread in self._threads:
            thread.start()

    def _read_stdout(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line)
                # What is no JSON object shows in `lines`, where every test of it looks.
                try:
                    self._unread.append(json.loads(line))
                except ValueError:
                    self._unread.append({"method": "not JSON", "line": line})
                self._news.notify_all()

    def _read_stderr(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.stderr += line

    # --- talking ---------------------------------------------------------------

    def send(self, message: Json | bytes) -> None:
        """One line: an object, or these very bytes."""
        raw = message if isinstance(message, bytes) else json.dumps(message).encode()
        self._stdin.write(raw + b"\n")
        self._stdin.flush()

    def begin(self, method: str, params: Json | None = None) -> int:
        """Send a request, and return its id without waiting."""
        number = next(self._ids)
        self.send({"jsonrpc": "2.0", "id": number, "method": method} | ({"params": params} if params else {}))
        return number

    def begin_call(self, tool: str, *, token: str | None = None, **arguments: Any) -> int:
        """Send a tool call, and return its id without waiting; with ``token`` it asks for progress."""
        meta = {"_meta": {"progressToken": token}} if token else {}
        return self.begin("tools/call", {"name": tool, "arguments": arguments} | meta)

    def notify(self, method: str, params: Json | None = None) -> None:
        """Send a notification."""
        self.send({"jsonrpc": "2.0", "method": method} | ({"params": params} if params else {}))

    def shake_hands(self, revision: str = "2025-11-25") -> Json:
        """Initialize; the result."""
        result: Json = self.request("initialize", HANDSHAKE | {"protocolVersion": revision})["result"]
        self.notify("notifications/initialized")
        return result

    # --- listening -------------------------------------------------------------

    def take(self, is_wanted: Callable[[Json], bool]) -> Json:
        """The first unread message that is wanted, as soon as it is there; it is then read."""
        end = time.monotonic() + DEADLINE_SECONDS
        with self._news:
            while True:
                for place, message in enumerate(self._unread):
                    if is_wanted(message):
                        return self._unread.pop(place)
                left = end - time.monotonic()
                assert left > 0, f"nothing came; unread: {self._unread}; errors: {self.stderr.decode()}"
                assert self.process.poll() is None or self._threads[0].is_alive(), (
                    f"the server has ended: {self.stderr.decode()}"
                )
                self._news.wait(min(left, 0.5))

    def answer(self, number: Any) -> Json:
        """The whole answer to the request ``number``."""
        return self.take(lambda message: "id" in message and message["id"] == number)

    def notification(self, method: str) -> Json:
        """The parameters of the next notification of this method."""
        params: Json = self.take(lambda message: message.get("method") == method)["params"]
        return params

    def pending(self, method: str) -> list[Json]:
        """The notifications of this method that came and were not read."""
        with self._news:
            return [message["params"] for message in self._unread if message.get("method") == method]

    def request(self, method: str, params: Json | None = None) -> Json:
        """A request and its whole answer."""
        return self.answer(self.begin(method, params))

    def call(self, tool: str, **arguments: Any) -> Json:
        """The result of a tool call."""
        result: Json = self.answer(self.begin_call(tool, **arguments))["result"]
        return result

    def text(self, tool: str, **arguments: Any) -> str:
        """The text of a tool call."""
        text: str = self.call(tool, **arguments)["content"][0]["text"]
        return text

    def data(self, tool: str, **arguments: Any) -> Any:
        """The JSON of a tool call, for a server that gives it."""
        return json.loads(self.text(tool, **arguments))

    # --- ending ----------------------------------------------------------------

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all processes of the server."""
        os.killpg(self.process.pid, number)

    def hang_up(self) -> int:
        """Close its input, and return the status that it ends with."""
        self._stdin.close()
        return self.ended()

    def ended(self) -> int:
        """The status, once the process has ended and all its output is read."""
        status = self.process.wait(DEADLINE_SECONDS)
        for thread in self._threads:
            thread.join(DEADLINE_SECONDS)
            assert not thread.is_alive(), "somebody still holds the server's output"
        return status

    def kill(self) -> None:
        """End it, whatever it does."""
        with suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)
        self.process.wait(DEADLINE_SECONDS)
        with suppress(BrokenPipeError):
            self._stdin.close()


def eventually(find: Callable[[], Found]) -> Found:
    """What ``find`` gives as soon as it is true."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not (found := find()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found
