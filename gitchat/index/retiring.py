"""An index that goes, whoever has it open: what SQLite deletes stays in its pages and in its log.

Source: docs/format.md sections 7.11 and 18; sqlite.org/wal.html.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from gitchat.storage import gate
from gitchat.storage.ownfiles import OwnFile

WAIT_SECONDS = 30.0

_FILE = re.compile(r"index\.[0-9]{1,9}\.db(-wal|-shm|-journal)?")


def retire(directory: Path) -> None:
    """Remove all files of the index in ``directory``, which is ``chatroom/``; the next use builds it anew.

    Who has one open finds at its next question that it is gone. Raises ConflictError, OSError.
    """
    with gate.hold(directory, WAIT_SECONDS, "index.lock"):
        for path in sorted(directory.glob("index.*")):
            if _FILE.fullmatch(path.name):
                with suppress(FileNotFoundError):
                    OwnFile(directory, path.name).remove()
