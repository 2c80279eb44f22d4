"""A bare repository beside the clone that holds its rooms and nothing else: what ``/git/`` shows to other hosts.

git cannot keep objects from who pushes and fetches. Refs can be hidden, but whoever knows the id of a commit of the
project (records tell some) can push a room's log with it as a parent, or a delta against it, and fetch that room with
all the code; see docs/decisions/0013-a-repository-for-the-rooms.md. What is not in this repository cannot leave it.

``chatroom/exchange.git`` follows the clone before each request, and what is pushed into it is handed on to the clone by
``serve/receiving``, which git runs as its ``proc-receive`` hook, before anything is promised. It can be deleted at any
time while nobody serves. Source: gitnamespaces(7) on security; githooks(5) on proc-receive.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from gitchat.model.refs import ROOMS_PREFIX
from gitchat.storage import gate, git

LIMIT_BYTES = 512 * 1024 * 1024
"""How much one push may bring: more than the largest message that gitchat writes (8 attachments of 100 MiB are not)."""

FOLLOW_SECONDS = 60.0
"""How long the clone is followed at most; a first time copies all rooms."""

PACK_AFTER = 500
"""So many times that it followed, git is asked whether there is too much unpacked; a question costs 5 ms."""


class Exchange:
    """The repository at ``chatroom/exchange.git`` of the clone with this git common directory."""

    def __init__(self, common_dir: Path, variables: Mapping[str, str], limit_bytes: int = LIMIT_BYTES) -> None:
        self._common_dir = common_dir
        self._variables = git.scrub(variables)
        self.path = common_dir / "chatroom" / "exchange.git"
        self.limit_bytes = limit_bytes
        self._followed = 0

    def follow(self) -> None:
        """Bring it up to the clone's rooms, making it when it is missing and making it again when it is damaged.

        Raises:
            ConflictError: another server does the same for too long.
            StorageError: the disk or its permissions refuse.
            git.GitFailed: git cannot read the clone's rooms.
        """
        with gate.hold(self.path.parent, FOLLOW_SECONDS, "exchange.lock"):
            try:
                self._fetch()
            except git.GitFailed:
                self._discard()  # it is a copy: what a kill or a full disk left is not worth mending
                self._fetch()
            self._followed += 1
            if self._followed % PACK_AFTER == 0:
                self._git("gc", "--auto", "--quiet")

    def settings(self) -> list[str]:
        """git's settings for who is let in, as options: they stand in no file that somebody else could have written."""
        return _options(
            {
                "core.hooksPath": str(self.path / "hooks"),
                "gc.autoDetach": "false",
                "http.getAnyFile": "false",
                "http.uploadPack": "true",
                "http.receivePack": "true",
                "receive.autoGC": "false",
                "receive.fsckObjects": "true",
                "receive.maxInputSize": str(self.limit_bytes),
                "receive.procReceiveRefs": "refs",
                "receive.advertiseAtomic": "false",
                "receive.advertisePushOptions": "false",
            }
        )

    @property
    def variables(self) -> dict[str, str]:
        """The environment for git there, without what points it to another repository or protocol."""
        return {key: value for key, value in self._variables.items() if key != "GIT_PROTOCOL"}

    def _fetch(self) -> None:
        if not (self.path / "HEAD").exists():
            self._make()
        self._write_hook()
        self._git(
            "fetch", "--quiet", "--prune", "--no-tags", "--no-auto-maintenance", "--no-write-fetch-head",
            "--recurse-submodules=no", "--", str(self._common_dir), f"+{ROOMS_PREFIX}*:{ROOMS_PREFIX}*",
        )  # fmt: skip

    def _make(self) -> None:
        # Ids are made in one way in both, or nothing could be fetched.
        kind = self._git("rev-parse", "--show-object-format", git_dir=self._common_dir).strip().decode("ascii")
        words = ("init", "--bare", "--quiet", "--template=", f"--object-format={kind}", str(self.path))
        git.run(words, cwd=str(self._common_dir), variables=self.variables)

    def _write_hook(self) -> None:
        """Write the hook that hands on what is pushed; for this Python, which an upgrade may have moved."""
        # -P: the working directory, which is this repository, is no place to import from.
        text = f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m gitchat.serve.receiving\n"
        place = self.path / "hooks" / "proc-receive"
        if place.exists() and place.read_text(encoding="utf-8") == text:
            return
        place.parent.mkdir(exist_ok=True)
        new = place.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        os.chmod(new, 0o755)
        new.replace(place)

    def _discard(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def _git(self, *arguments: str, git_dir: Path | None = None) -> bytes:
        words = [f"--git-dir={git_dir or self.path}", *_options({"gc.autoDetach": "false"}), *arguments]
        where = str(self._common_dir)
        return git.run(words, cwd=where, variables=self.variables, timeout_seconds=FOLLOW_SECONDS).stdout


def _options(settings: Mapping[str, str]) -> list[str]:
    return [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
