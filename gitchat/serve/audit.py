"""The audit: a line of JSON for each request, without any text of a message."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from gitchat.model.errors import StorageError
from gitchat.model.record import Moment
from gitchat.serve.served import Seen


class Audit:
    """The file at ``path``, which is added to. It is made for its owner alone; a whole line is written at once."""

    def __init__(self, path: str, now: Callable[[], int]) -> None:
        """Raises StorageError ``no-audit``: a server that was to write down what is done does nothing without it."""
        self._now = now
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, 0o600)
        except OSError as error:
            raise StorageError(
                f"cannot write the audit to {path}: {error.strerror}",
                hint="name another file: git chat serve --audit FILE",
                code="no-audit",
            ) from error

    def __call__(self, seen: Seen) -> None:
        """Write down what came of a request. A full disk ends no request: what it costs is the line."""
        asked, actor = seen.asked, seen.actor
        line = {
            "time": Moment(self._now()).utc,
            "peer": asked.client[0] if asked.client else None,
            "who": actor.key,
            "name": actor.name,
            "method": "WS" if asked.is_websocket else asked.method,
            "path": asked.path,
            "status": seen.status,
            "bytes": seen.sent_bytes,
            "ms": round(seen.seconds * 1000, 1),
        }
        if seen.wrote is not None:
            line["room"], line["number"] = seen.wrote
        text = json.dumps({key: value for key, value in line.items() if value is not None})
        try:
            os.write(self._file, f"{text}\n".encode())
        except OSError:
            return

    def close(self) -> None:
        """Write no more."""
        os.close(self._file)
