"""Standard input and output for a client, and a server elsewhere that answers it over HTTP: for who has no clone.

What the client says goes on as it is, in whichever revision of the protocol, and so does what it is answered and told.
Known here is only what carries it: the session, which is begun again when the server has lost it; that a server which
cannot be reached may be back in a moment; and that a call which was cut may have been done.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import Any, BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import Request

from gitchat.client.asking import LATER, PATIENCE_SECONDS, Server, error_of, pause
from gitchat.model.errors import ChatError, RemoteError, UserError
from gitchat.model.escape import escape_line, tame_line

Json = dict[str, Any]

SILENCE_SECONDS = 60.0
"""How long a stream may be silent; the server says something every 15 s."""

FAREWELL_SECONDS = 2.0
"""How long the end of the session may take when the client is gone."""

FAILED = -32000
"""The code of JSON-RPC for what went wrong between the two."""

_VERSION = "io.modelcontextprotocol/protocolVersion"
_CUT = "the server went away before it answered; what was asked may have been done: look before you ask again"
_LOST = (HTTPException, OSError, ValueError)


class NoSession(Exception):
    """The server does not know the session, or not any more."""


class Forwarder:
    """One client, and the server at whatever address ``find`` gives, which is asked again when it is not reached.

    ``find`` raises ChatError where there is none.
    """

    def __init__(self, find: Callable[[], str], token: str | None, source: BinaryIO, sink: BinaryIO) -> None:
        self._find = find
        self._url: str | None = None
        """Where the server was found."""
        self._token = token
        self._source = source
        self._sink = sink
        self._writing = threading.Lock()
        self._shaking = threading.Lock()
        self._greeting: Json | None = None
        """The client's ``initialize``, to begin another session with."""
        self._session: str | None = None
        self._version: str | None = None
        self._is_over = threading.Event()

    def run(self) -> None:
        """Forward until the client goes away."""
        for line in self._source:
            if line.strip():
                self._take(line)
        self._is_over.set()
        if self._session is not None:
            with suppress(*_LOST, ChatError):
                self._open("DELETE", None, FAREWELL_SECONDS).close()

    # --- from the client -----------------------------------------------------------------

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            self._write({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "this is no JSON"}})
            return
        if not isinstance(message, dict) or "method" not in message or "id" not in message:
            self._tell(message)
        elif message["method"] == "initialize":
            self._greeting, self._session, self._version = message, None, None
            self._answer(message)  # before anything else goes on
        else:
            threading.Thread(target=self._answer, args=(message,), daemon=True).start()

    def _tell(self, message: Any) -> None:
        """Hand on what wants no answer."""
        with suppress(*_LOST, ChatError, NoSession):
            self._open("POST", message, SILENCE_SECONDS).close()
        if isinstance(message, dict) and message.get("method") == "notifications/initialized":
            threading.Thread(target=self._listen, daemon=True).start()

    def _answer(self, message: Json) -> None:
        """Have a request answered, whatever happens."""
        try:
            self._ask(message)
        except ChatError as error:
            self._refuse(message, f"{error} ({error.hint})")
        except NoSession:
            self._refuse(message, "the server has ended this session; start it anew")
        except _LOST:
            self._refuse(message, _CUT)

    def _ask(self, message: Json) -> None:
        """Ask, and hand on all that comes until the answer is there. Raises ChatError, NoSession, _LOST."""
        session = self._session
        try:
            answer = self._reached(message)
        except NoSession:
            if session is None:
                raise
            self._begin_again(session)
            answer = self._reached(message)
        with answer:
            for said in _messages(answer):
                is_answer = said.get("id") == message["id"] and "method" not in said
                if is_answer and message is self._greeting:
                    self._note(answer, said)
                self._write(said)
                if is_answer:
                    return
        self._refuse(message, _CUT)

    def _reached(self, message: Json) -> HTTPResponse:
        """The beginning of an answer; a server that cannot be reached is tried again for some time."""
        end, tries = time.monotonic() + PATIENCE_SECONDS, 0
        while True:
            try:
                return self._open("POST", message, SILENCE_SECONDS)
            except _Unreached as unreached:
                if time.monotonic() + pause(tries) > end:
                    raise unreached.error from unreached
                self._is_over.wait(pause(tries))
                tries += 1

    # --- the session ---------------------------------------------------------------------

    def _note(self, answer: HTTPResponse, said: Json) -> None:
        self._session = answer.headers.get("Mcp-Session-Id")
        self._version = said.get("result", {}).get("protocolVersion")

    def _begin_again(self, lost: str) -> None:
        """Begin another session with the client's own greeting, unless somebody has since. Raises as _ask."""
        with self._shaking:
            if self._session != lost or self._greeting is None:
                return
            self._session = None
            with self._reached(self._greeting) as answer:
                for said in _messages(answer):
                    if said.get("id") == self._greeting["id"]:
                        self._note(answer, said)
                        break
            self._open("POST", {"jsonrpc": "2.0", "method": "notifications/initialized"}, SILENCE_SECONDS).close()

    def _listen(self) -> None:
        """Hand on what the server says without being asked, as long as the client is there."""
        tries = 0
        while not self._is_over.is_set():
            session = self._session
            try:
                with self._open("GET", None, SILENCE_SECONDS) as stream:
                    tries = 0
                    for said in _messages(stream):
                        self._write(said)
            except NoSession:
                if session is None:
                    return
                with suppress(ChatError, NoSession, *_LOST):
                    self._begin_again(session)
            except ChatError:
                return  # it has no such stream
            except _LOST:
                pass
            self._is_over.wait(pause(tries))
            tries += 1

    # --- over HTTP -----------------------------------------------------------------------

    def _open(self, method: str, message: Any, seconds: float) -> HTTPResponse:
        """The beginning of an answer. Raises NoSession, ChatError for a refusal, _Unreached, and what is in _LOST."""
        self._url = self._url or self._find()
        server = Server(self._url, self._token)
        data = json.dumps(message).encode() if message is not None else None
        headers = server.headers() | self._headers(method, message)
        request = Request(server.url, data, headers, method=method)
        try:
            opened: HTTPResponse = server.opener().open(request, timeout=seconds)
            return opened
        except HTTPError as error:
            with error:
                body = error.read()
            if error.code == 404 and "Mcp-Session-Id" in headers:
                raise NoSession from error
            refused = _refusal(error.code, body, server.url)
            if error.code in LATER:
                raise _Unreached(refused) from error
            raise refused from error
        except URLError as error:
            self._url = None
            raise _Unreached(server.unreachable(error.reason)) from error

    def _headers(self, method: str, message: Any) -> dict[str, str]:
        told = {"Accept": "application/json, text/event-stream" if method == "POST" else "text/event-stream"}
        if message is not None:
            told["Content-Type"] = "application/json"
        envelope = _envelope(message)
        if envelope is not None:
            params = message["params"]
            told |= {"Mcp-Protocol-Version": envelope, "Mcp-Method": str(message.get("method", ""))}
            named = params.get("name", params.get("uri"))
            return told | ({"Mcp-Name": named} if isinstance(named, str) and named.isascii() else {})
        if self._session is not None:
            told["Mcp-Session-Id"] = self._session
        if self._version is not None:
            told["Mcp-Protocol-Version"] = self._version
        return told

    # --- to the client -------------------------------------------------------------------

    def _refuse(self, message: Json, why: str) -> None:
        if message is self._greeting:
            print(f"git chat mcp: {escape_line(why)}", file=sys.stderr)
        self._write({"jsonrpc": "2.0", "id": message["id"], "error": {"code": FAILED, "message": tame_line(why)}})

    def _write(self, message: Json) -> None:
        with self._writing, suppress(BrokenPipeError):  # a client that is gone says so on our standard input
            self._sink.write(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            self._sink.flush()


class _Unreached(OSError):
    """Nothing was asked yet: it can be tried again."""

    def __init__(self, error: ChatError) -> None:
        super().__init__(str(error))
        self.error = error


def _messages(answer: HTTPResponse) -> Iterator[Json]:
    """What an answer holds: one message, or a stream of them. Raises what is in _LOST."""
    if answer.headers.get_content_type() != "text/event-stream":
        body = answer.read()
        if body:
            yield json.loads(body)
        return
    data: list[bytes] = []
    for line in answer:
        field, _, value = line.rstrip(b"\r\n").partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif not field and not value and data:
            text, data = b"\n".join(data), []
            if text:
                yield json.loads(text)


def _envelope(message: Any) -> str | None:
    """The revision that a message names itself, as those without a handshake do."""
    params = message.get("params") if isinstance(message, dict) else None
    meta = params.get("_meta") if isinstance(params, dict) else None
    version = meta.get(_VERSION) if isinstance(meta, dict) else None
    return version if isinstance(version, str) else None


def _refusal(status: int, body: bytes, url: str) -> ChatError:
    """What a status other than 200 means to who connects."""
    with suppress(ValueError, TypeError, KeyError):
        told = json.loads(body)
        if isinstance(told.get("error"), dict):
            return RemoteError(str(told["error"]["message"]), hint="see what the server said", code="server-failed")
    if status == 401:
        return UserError(
            f"{url} wants a token",
            hint="set GITCHAT_TOKEN, or GITCHAT_TOKEN_FILE to a file with it; git chat token add NAME makes one there",
            code="no-token",
        )
    if status in (404, 405):
        return RemoteError(
            f"there are no tools at {url}",
            hint="it may be another server, or an older one: git chat serve --url prints the address there",
            code="server-failed",
        )
    return error_of(status, body)
