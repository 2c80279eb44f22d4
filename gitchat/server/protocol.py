"""The protocol's two eras: what a request must carry, how a connection opens, and what an answer is wrapped in.

The handshake era (``initialize``, 2024-11-05 to 2025-11-25) and the later one (``_meta`` on
every request, 2026-07-28). The first request decides, for the connection. Pure: no lines, no
loop, no rooms. Source: docs/decisions/0004; modelcontextprotocol.io/specification.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from gitchat import __version__

Json = dict[str, Any]

HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
LATER_VERSION = "2026-07-28"

_VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
_CLIENT_KEY = "io.modelcontextprotocol/clientInfo"
_SERVER_KEY = "io.modelcontextprotocol/serverInfo"

PARSE_ERROR = -32700
INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32600, -32601, -32602, -32603
UNSUPPORTED_VERSION = -32022

_SERVER = {"name": "gitchat", "version": __version__}


class Request(NamedTuple):
    """What a client asks, and expects an answer to under this id."""

    id: int | str
    method: str
    params: Json


Handler = Callable[[Request], Awaitable[Json]]
"""Answers requests of one method with a result. Raises Refused."""


class Refused(Exception):
    """A request that is answered with an error of the protocol."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.error: Json = {"code": code, "message": message} | ({"data": data} if data is not None else {})


def malformed() -> Refused:
    """What is raised for parameters of the wrong shape."""
    return Refused(INVALID_PARAMS, "Invalid request parameters", "")


def uri_of(request: Request) -> str:
    """The resource that a request is about. Raises Refused."""
    uri = request.params.get("uri")
    if not isinstance(uri, str):
        raise malformed()
    return uri


def client_name(said: Any) -> str:
    """What a client calls itself in its ``clientInfo``; blank when it does not say."""
    return _word(said, "name")


def _word(said: Any, key: str) -> str:
    word = said.get(key) if isinstance(said, dict) else None
    return word if isinstance(word, str) else ""


class HandshakeEra:
    """``initialize`` opens the connection; after it requests and results come bare."""

    def __init__(self, instructions: str, *, has_channel: bool) -> None:
        self._instructions = instructions
        self._has_channel = has_channel
        self._is_open = False
        self._client_name = ""
        self._client_version = ""

    def check(self, request: Request) -> None:
        """Raise Refused for a request of the other era, or one that comes too early."""
        if request.method == "initialize":
            return
        if _has_envelope(request):
            raise Refused(INVALID_REQUEST, "this connection serves the handshake protocol era")
        if not self._is_open and request.method != "ping":
            raise Refused(INVALID_PARAMS, "Invalid request parameters: initialize comes first", "")

    async def initialize(self, request: Request) -> Json:
        """Open the connection, in the version that the client asks for or else the newest of this era."""
        asked = request.params.get("protocolVersion")
        if not isinstance(asked, str):
            raise malformed()
        self._is_open = True
        self._client_name = client_name(request.params.get("clientInfo"))
        self._client_version = _word(request.params.get("clientInfo"), "version")
        channel: Json = {"experimental": {"claude/channel": {}}} if self._has_channel else {}
        return {
            "protocolVersion": asked if asked in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1],
            "capabilities": _capabilities(has_lists_that_change=False) | channel,
            "serverInfo": _SERVER,
            "instructions": self._instructions,
        }

    def client_name(self, request: Request) -> str:
        """What the client calls itself."""
        return self._client_name

    def client_version(self, request: Request) -> str:
        """Which version of itself the client says it is; blank where it does not."""
        return self._client_version

    async def ping(self, request: Request) -> Json:
        """Say that we are there."""
        return {}

    def wrapped(self, method: str, result: Json) -> Json:
        """``result`` as this era's clients expect it."""
        return result


class LaterEra:
    """Every request names its version, and every result tells whose it is and how long it holds."""

    def __init__(self, instructions: str) -> None:
        self._instructions = instructions

    def check(self, request: Request) -> None:
        """Raise Refused for a request of the other era, or of a version that is not spoken here."""
        meta = request.params.get("_meta")
        supported = {"supported": [LATER_VERSION]}
        if request.method == "initialize":
            raise Refused(
                UNSUPPORTED_VERSION,
                f"connection is serving the {LATER_VERSION} protocol; the initialize handshake is not accepted",
                supported | {"requested": str(request.params.get("protocolVersion"))[:40]},
            )
        if not isinstance(meta, dict) or not isinstance(meta.get(_VERSION_KEY), str):
            raise Refused(INVALID_PARAMS, f"params._meta must be an object carrying {_VERSION_KEY!r}")
        if meta[_VERSION_KEY] != LATER_VERSION:
            raise Refused(
                UNSUPPORTED_VERSION, "Unsupported protocol version", supported | {"requested": meta[_VERSION_KEY][:40]}
            )
        if not isinstance(meta.get(_CAPABILITIES_KEY), dict):
            raise Refused(INVALID_PARAMS, f"params._meta is missing the required envelope key: {_CAPABILITIES_KEY}")

    def client_name(self, request: Request) -> str:
        """What the client calls itself in this request."""
        return client_name(request.params["_meta"].get(_CLIENT_KEY))

    def client_version(self, request: Request) -> str:
        """Which version of itself the client says it is in this request; blank where it does not."""
        return _word(request.params["_meta"].get(_CLIENT_KEY), "version")

    async def discover(self, request: Request) -> Json:
        """What we are and can; nothing has to be opened."""
        return {
            "supportedVersions": [LATER_VERSION],
            "capabilities": _capabilities(has_lists_that_change=True),
            "instructions": self._instructions,
        }

    def wrapped(self, method: str, result: Json) -> Json:
        """``result`` as this era's clients expect it."""
        lists = {"ttlMs": 0, "cacheScope": "private"} if method in _CACHED else {}
        meta = {**result.pop("_meta", {}), _SERVER_KEY: _SERVER}
        return {**result, **lists, "resultType": "complete", "_meta": meta}


Era = HandshakeEra | LaterEra


def era_of(first: Request, instructions: str, *, has_channel: bool) -> Era:
    """The era of a connection, which its first request decides. Clients of the later one take no channels.

    ``instructions`` are what its client is told of the server before any tool.
    """
    if _has_envelope(first) and first.method != "initialize" and not has_channel:
        return LaterEra(instructions)
    return HandshakeEra(instructions, has_channel=has_channel)


def _has_envelope(request: Request) -> bool:
    meta = request.params.get("_meta")
    return isinstance(meta, dict) and _VERSION_KEY in meta


def _capabilities(*, has_lists_that_change: bool) -> Json:
    changing = {"listChanged": has_lists_that_change}
    return {"prompts": changing, "resources": changing | {"subscribe": True}, "tools": changing}


_CACHED = frozenset(
    {"server/discover", "tools/list", "resources/list", "resources/templates/list", "resources/read", "prompts/list"}
)
"""Results that tell how long they hold: not at all, because every answer is cheap."""
