"""One pusher of a clone at a time: who talks to a remote, and who changes what may be pushed.

Source: docs/format.md section 12.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitchat.model.errors import ConflictError
from gitchat.storage import gate

LOCK_SECONDS = 10.0
"""How long to wait for another pusher, or for the packer, of this clone."""


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Be the only pusher of the clone whose ``chatroom/`` is ``directory``. Raises ConflictError ``sync-running``."""
    try:
        with gate.hold(directory, LOCK_SECONDS, "sync.lock"):
            yield
    except ConflictError as error:
        if error.code != "write-lock-held":
            raise
        raise ConflictError(
            "another process of this clone is syncing", hint="wait for it", code="sync-running"
        ) from error
