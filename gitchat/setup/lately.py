"""What a session's start was last told of its client's files, kept with all that this was judged by.

A session waits for its start, and to judge the files is to load all that can write them. So the answer is kept in
``chatroom/upkeep/CLIENT``, and holds while nothing that it follows from is another: the files, by their status or, of
one that its client writes all the time, by what stands in our places of it; the variables that say where they are; this
program. Disposable, and looked at anew once a day all the same. Source: docs/format.md section 7.28.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from gitchat import __version__
from gitchat.model.errors import ChatError
from gitchat.storage.ownfiles import OwnFile
from gitchat.workspace.environment import Environment

QUICK_BYTES = 1 << 20
"""Files above this are not looked at: a session must not wait for a client's memories."""

KEPT_SECONDS = 86_400

SETTLED_SECONDS = 2
"""A file that changed so lately can change once more without another status."""

VARIABLES = ("HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "QWEN_HOME", "XDG_CONFIG_HOME")
"""Those that say where the clients' files are."""

_MAX_BYTES = 1 << 20


def stale(environment: Environment) -> str | None:
    """As :func:`gitchat.setup.upkeep.judged`: what a session is told of its client's files, or None."""
    client = environment.caller.client
    if client is None:
        return None
    memory = OwnFile(environment.repository.directory, f"upkeep/{client}")
    asked, now = _asked(environment), environment.now().seconds
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        kept = json.loads(memory.read(_MAX_BYTES))
        if kept["asked"] == asked and 0 <= now - kept["at"] < KEPT_SECONDS and _is_the_same(kept):
            sentence = kept["sentence"]
            return sentence if isinstance(sentence, str) else None
    from gitchat.setup import upkeep  # all that can be written, and what writes it

    judged = upkeep.judged(environment, client, QUICK_BYTES)
    with suppress(OSError, ValueError, RecursionError):
        files = {path: status_of(path) for path in judged.files}
        if all(status is None or is_settled(status, now) for status in files.values()):
            kept = {
                "asked": asked,
                "at": now,
                "files": files,
                "parts": [[path, keys, part_of(path, keys)] for path, keys in judged.parts],
                "sentence": judged.sentence,
            }
            memory.replace(json.dumps(kept).encode())
    return judged.sentence


def _asked(environment: Environment) -> dict[str, Any]:
    """Who asks, from where, and by which program."""
    variables = environment.variables
    try:
        top = str(environment.repository.worktree)
    except ChatError:
        top = ""
    return {
        "version": [__version__, status_of(os.path.dirname(__file__)), sys.executable],
        "program": shutil.which("git-chat", path=variables.get("PATH")),
        "top": top,
        "variables": [variables.get(name) for name in VARIABLES],
    }


def _is_the_same(kept: Mapping[str, Any]) -> bool:
    """Whether all that it was judged by is as it was. Raises as what reads it."""
    return all(status_of(path) == status for path, status in kept["files"].items()) and all(
        part_of(path, keys) == part for path, keys, part in kept["parts"]
    )


def status_of(path: str) -> list[int] | None:
    """What is another number when the file that ``path`` leads to was changed; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def is_settled(status: Sequence[int], now_seconds: int) -> bool:
    """Whether a file of this status was not changed just now."""
    return max(status[-2:]) < (now_seconds - SETTLED_SECONDS) * 10**9


def part_of(path: str, keys: Iterable[str]) -> str | None:
    """A digest of what stands at ``keys`` in a JSON file; ``large`` where it is too large, and None without one.

    A digest, for other servers' entries have keys in them, of which no copy is kept.

    Raises:
        OSError, ValueError, RecursionError: it does not read.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ValueError(path)
            data = file.read(QUICK_BYTES + 1)
        if len(data) > QUICK_BYTES:
            return "large"
        content = json.loads(data.decode("utf-8-sig")) if data.strip() else {}
        for key in keys:
            content = content.get(key) if isinstance(content, dict) else None
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()
    return None
