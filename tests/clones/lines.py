"""A slow line: what stands between a clone and a server, on this machine alone, and lets so many bytes through."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

TICK_SECONDS = 0.02
"""How long a part is on its way."""


@contextmanager
def slow_line(url: str, *, bytes_a_second: int, ends_after_bytes: int | None = None) -> Iterator[str]:
    """The address at which the server of ``url`` is reached over such a line, in both directions.

    With ``ends_after_bytes`` nothing more comes from the server after so many of a connection, and it stays open.
    """
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    there = (parts.hostname, parts.port)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # As of a modem: what is not sent yet waits at the sender, and not here.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        threading.Thread(target=_serve, args=(listening, there, bytes_a_second, ends_after_bytes), daemon=True).start()
        yield parts._replace(netloc=f"127.0.0.1:{listening.getsockname()[1]}").geturl()


def _serve(listening: socket.socket, there: tuple[str, int], rate: int, ends_after: int | None) -> None:
    with suppress(OSError):  # until the test is over
        while True:
            client, _ = listening.accept()
            server = socket.create_connection(there)
            for source, sink, most in ((client, server, None), (server, client, ends_after)):
                threading.Thread(target=_carry, args=(source, sink, rate, most), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket, rate: int, most: int | None) -> None:
    """Give ``sink`` what ``source`` says, at ``rate``, until one of them has ended."""
    carried, size = 0, max(1, int(rate * TICK_SECONDS))
    with suppress(OSError):
        while part := source.recv(size):
            if most is not None and carried >= most:
                return
            sink.sendall(part)
            carried += len(part)
            time.sleep(TICK_SECONDS)
        sink.shutdown(socket.SHUT_WR)
