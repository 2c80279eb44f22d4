"""A server that outlives its client lets go: usually its standard input ends, but somebody else may hold that open.

A process that the client started may have inherited the other end of the pipe. Then the kernel tells of the client's
own process (workspace/ancestry); where it does not, the server stays until its input ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from gitchat.workspace.ancestry import Descent
from gitchat.workspace.client import is_known_in_handshakes, named_in_handshake

LOOK_SECONDS = 5.0
"""How long a client can be gone unnoticed."""


def end_with_client(client_name: str, end: Callable[[], object]) -> None:
    """Call ``end`` once the client that shook hands as ``client_name`` is gone, from a thread that waits for it."""
    client = named_in_handshake(client_name)
    if client is None or not is_known_in_handshakes(client_name):
        return
    descent = Descent.of(client, counts_parent=False)
    if descent.program is not None:
        threading.Thread(target=_wait, args=(descent, end), name="gitchat-client", daemon=True).start()


def _wait(descent: Descent, end: Callable[[], object]) -> None:
    pause = threading.Event()
    while not descent.is_over():
        pause.wait(LOOK_SECONDS)
    end()
