"""Proof that a server starts: the very command of a client's entry, called as a client calls it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from gitchat.storage.variables import without_secrets

LIMIT_SECONDS = 20.0
"""As long as the more patient clients wait for a server to start."""

_END_SECONDS = 5.0

_REQUESTS = (
    {
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "gitchat-doctor", "version": "1"},
        },
    },
    {"method": "notifications/initialized"},
    {"id": 2, "method": "tools/list"},
)


class NoAnswer(Exception):
    """The server did not do what a client asks of it; the text says what came instead."""


def tools_of(command: Sequence[str], *, cwd: str, variables: Mapping[str, str]) -> int:
    """How many tools the server lists that ``command`` starts. It is ended again, and takes no name.

    Raises:
        NoAnswer: it cannot be started, ends, is silent for 20 seconds or says something else.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=without_secrets(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise NoAnswer(f"{command[0]}: {error.strerror}") from error
    assert process.stdin
    assert process.stdout
    try:
        with suppress(BrokenPipeError):  # what it printed before it ended says more
            for request in _REQUESTS:
                process.stdin.write(json.dumps({"jsonrpc": "2.0", **request}).encode() + b"\n")
            process.stdin.flush()
        return _tools_in(_lines(process.stdout.fileno(), time.monotonic() + LIMIT_SECONDS))
    finally:
        with suppress(BrokenPipeError):
            process.stdin.close()  # which ends it
        _end(process)
        process.stdout.close()


def _tools_in(lines: Iterator[bytes]) -> int:
    said = ""
    for line in lines:
        try:
            answer: Any = json.loads(line)
        except ValueError:
            said = said or line.decode("utf-8", "replace").strip()
            continue
        if isinstance(answer, dict) and answer.get("id") == 2:
            tools = answer.get("result", {}).get("tools")
            if isinstance(tools, list):
                return len(tools)
            raise NoAnswer(f"it answers {json.dumps(answer.get('error'))}")
    raise NoAnswer(said or "it ends without an answer")


def _lines(descriptor: int, deadline: float) -> Iterator[bytes]:
    """What it prints, line by line, until it prints no more. Raises NoAnswer at the deadline."""
    rest = b""
    while True:
        if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise NoAnswer(f"no answer in {LIMIT_SECONDS:.0f} seconds")
        part = os.read(descriptor, 65536)
        if not part:
            yield from [rest] if rest else []
            return
        *whole, rest = (rest + part).split(b"\n")
        yield from whole


def _end(process: subprocess.Popen[bytes]) -> None:
    """See it end, and after a while make it."""
    for signalled in (process.terminate, process.kill):
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            signalled()
    process.wait()
