"""Whom ``git chat mcp --connect`` forwards to: an address that is given, or the server of this clone."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from gitchat.client.asking import Server
from gitchat.model.errors import ChatError, UserError
from gitchat.storage import gate
from gitchat.workspace.environment import Environment
from gitchat.workspace.process import read_secret

AUTO = "auto"

START_SECONDS = 30.0
"""How long a server may take to be there."""

LOOK_SECONDS = 0.05

ANSWER_SECONDS = 5.0


def forward(environment: Environment, connect: str, profile: str) -> None:
    """Forward standard input and output until the client goes away.

    Raises:
        UserError: ``bad-argument``, ``no-serve``, ``no-token``, ``not-serving``.
    """
    from gitchat.server.forwarding import Forwarder

    given = None if connect == AUTO else endpoint(connect, profile)

    def find() -> str:
        return given if given is not None else endpoint(_server_of(environment), profile)

    find()  # what is wrong with it is told at once
    Forwarder(find, _token(environment), sys.stdin.buffer, sys.stdout.buffer).run()


def endpoint(url: str, profile: str) -> str:
    """Where the tools of ``profile`` are, below an address that names no such place itself.

    Raises UserError ``bad-argument``.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise UserError(
            f"{url!r} is no address of a server",
            hint="git chat serve prints one, such as http://127.0.0.1:8080; or let it be found: --connect auto",
            code="bad-argument",
        )
    path = parts.path.rstrip("/")
    is_whole = "mcp" in path.split("/")
    return f"{parts.scheme}://{parts.netloc}{path}{'' if is_whole else f'/mcp/{profile}'}"


def _token(environment: Environment) -> str | None:
    """The token that stands in ``GITCHAT_TOKEN``, or in the file that ``GITCHAT_TOKEN_FILE`` names."""
    if token := read_secret("GITCHAT_TOKEN").strip():
        return token
    path = environment.variables.get("GITCHAT_TOKEN_FILE", "")
    if not path:
        return None
    try:
        with open(path, encoding="ascii") as file:
            return file.read(4096).strip()
    except (OSError, ValueError) as error:
        raise UserError(
            f"GITCHAT_TOKEN_FILE cannot be read: {error}",
            hint="put the token into that file, readable by you alone",
            code="no-token",
        ) from error


def _server_of(environment: Environment) -> str:
    """The address of a server of this clone, started now if none runs. Raises ChatError."""
    directory = environment.repository.directory
    if (found := _running(directory)) is not None:
        return found
    if find_spec("uvicorn") is None:
        from gitchat.cli import installing

        raise UserError(
            "no server runs on this clone, and here is none to be started",
            hint=installing.with_extra("serve"),
            code="no-serve",
        )
    with gate.hold(directory, START_SECONDS, "connect.lock"):  # two clients that start at once share one
        if (found := _running(directory)) is not None:
            return found
        environment.start_aside("serve", "--port", "0")
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if (found := _running(directory)) is not None:
                return found
            time.sleep(LOOK_SECONDS)
    raise _not_started()


def _running(directory: Path) -> str | None:
    """The address of a server that answers; one that was killed may still have its process's number."""
    from gitchat.serve.servefile import ServeFile

    for server in ServeFile(directory).running():
        with suppress(OSError):
            Server(server.address).opener().open(f"{server.address}/health", timeout=ANSWER_SECONDS).close()
            return server.address
    return None


def _not_started() -> ChatError:
    return UserError(
        f"git chat serve did not start within {START_SECONDS:.0f} s",
        hint="see what it says: git chat serve",
        code="not-serving",
    )
