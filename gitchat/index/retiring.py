"""An index that goes, whoever has it open: what SQLite deletes stays in its pages and in its log.

Source: docs/format.md sections 7.11 and 18; sqlite.org/wal.html.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from gitchat.index import files
from gitchat.storage import gate
from gitchat.storage.ownfiles import OwnFile

WAIT_SECONDS = 30.0


def retire(directory: Path) -> None:
    """Remove all files of the index in ``directory``, which is ``chatroom/``; the next use builds it anew.

    Who has one open finds at its next question that it is gone, and who builds one that it is for nobody.
    Raises ConflictError, OSError.
    """
    with gate.hold(directory, WAIT_SECONDS, files.LOCK):
        for path in files.with_built(directory):
            with suppress(FileNotFoundError):
                OwnFile(directory, path.name).remove()
