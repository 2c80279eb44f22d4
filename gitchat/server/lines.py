"""The client's end of the connection: its lines come in, our messages go out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator

from gitchat.server.protocol import Json

MAX_LINE_BYTES = 32 * 1024 * 1024
"""The longest message that is taken; a content has at most 1 MiB."""


class Lines:
    """Two descriptors that are the client's alone: one to read what it says, one to write what it hears.

    A line may be read in one thread while another writes.
    """

    def __init__(self, source: int, output: int) -> None:
        self._source = source
        self._output = output

    def received(self) -> Iterator[bytes | None]:
        """The client's lines until it hangs up, each as it comes; None for one that is too long."""
        buffer = bytearray()
        is_skipping = False
        while part := os.read(self._source, 1 << 16):
            buffer += part
            *lines, rest = buffer.split(b"\n") if b"\n" in part else [buffer]
            for line in lines:
                yield None if is_skipping or len(line) > MAX_LINE_BYTES else bytes(line)
                is_skipping = False
            buffer = bytearray(rest)
            if len(buffer) > MAX_LINE_BYTES:
                buffer.clear()
                is_skipping = True

    def send(self, message: Json) -> None:
        """Tell the client ``message``, a line. Without a client there is nothing left to do: the process ends."""
        data = json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode("ascii") + b"\n"
        try:
            while data:
                data = data[os.write(self._output, data) :]
        except OSError:
            os._exit(0)  # the client is gone


def of_standard_streams() -> Lines:
    """Standard input and output, taken away from the rest of this process.

    Whatever prints, and every program that is started, must not get at the client's lines.
    """
    output = os.dup(1)
    source = os.dup(0)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return Lines(source, output)


def message_of(line: bytes | None) -> Json | None:
    """The message on a line.

    None where there is none that could be answered: what cannot be read as a message, and has no id to answer to,
    is passed over as the SDK does.
    """
    try:
        message = json.loads(line) if line is not None else None
    except (ValueError, RecursionError):
        message = None
    if isinstance(message, dict):
        return message
    if line is None or line.strip():
        print("git chat mcp: passed over a line that is no JSON-RPC message", file=sys.stderr)
    return None
