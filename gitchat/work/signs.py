"""What git's answers about work follow from, as digests: its version and settings, attributes, files as they stand.

Whatever is here differs when an answer might. What nobody can see from here, the program of a merge driver, makes an
answer one that is not kept; of a filter's program git itself believes that it stays as it is.
Source: docs/format.md section 17.10; gitattributes(5).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gitchat.model.paths import Path as GitPath
from gitchat.model.refs import REPLACED
from gitchat.work.scratch import Scratch
from gitchat.workspace.config import Config
from gitchat.workspace.repository import Repository

SETTLED_NS = 2_000_000_000
"""A file that is older than that when it is read will have another time when it changes, on any file system."""

ATTRIBUTES = b".gitattributes"

_IRRELEVANT = frozenset(
    {"advice", "alias", "branch", "chat", "chatremote", "chatroom", "color", "credential", "http", "remote", "url",
     "user"}
)  # fmt: skip
"""Sections of git's configuration that no merge, status or filter asks for: they change all the time."""

_VARIABLES = ("GIT_ATTR", "GIT_DIFF", "GIT_EXEC_PATH", "GIT_MERGE", "GIT_NO_REPLACE", "GIT_REPLACE")

_MOST_BYTES = 1024 * 1024


def of_all(work: Scratch, repository: Repository) -> str:
    """What all that git says here follows from, attributes of the project aside. Raises git.GitFailed, ChatError."""
    common, variables = repository.location.common_dir, repository.variables
    home = variables.get("XDG_CONFIG_HOME") or os.path.join(variables.get("HOME", ""), ".config")
    elsewhere = repository.config.get("core.attributesFile") or os.path.join(home, "git", "attributes")
    if elsewhere.startswith("~/"):
        elsewhere = os.path.join(variables.get("HOME", ""), elsewhere[2:])
    files = [common / "shallow", common / "info" / "grafts", common / "info" / "attributes", Path(elsewhere)]
    parts = [
        os.fsdecode(work.git("version")),
        *_settings(repository.config),
        *(f"{key}={value}" for key, value in sorted(variables.items()) if key.startswith(_VARIABLES)),
        *(str(_content(os.fsencode(path), follow=True)) for path in (*files, Path("/etc/gitattributes"))),
        os.fsdecode(work.git("for-each-ref", "--format=%(refname) %(objectname)", REPLACED)),
    ]
    return _digest(part.encode("utf-8", "surrogateescape") for part in parts)


def of_worktree(work: Scratch, top: Path, config: Config) -> str:
    """What git's configuration is in another worktree; blank where it cannot be another one. Raises git.GitFailed."""
    differs = config.get("extensions.worktreeConfig") not in (None, "false")
    if not differs and not any(key.startswith("includeif.") for key in config.keys()):  # noqa: SIM118 - no dict
        return ""
    listing = work.git("config", "--list", "-z", cwd=str(top))
    return _digest(part.encode("utf-8", "surrogateescape") for part in _settings(Config(listing)))


def _settings(config: Config) -> list[str]:
    keys = sorted(key for key in config.keys() if key.partition(".")[0] not in _IRRELEVANT)  # noqa: SIM118 - no dict
    return [f"{key}={value}" for key in keys for value in config.get_all(key)]


def has_drivers(config: Config) -> bool:
    """Whether merges may run programs, of which nobody sees that they changed."""
    return any(key.startswith("merge.") and key.endswith(".driver") for key in config.keys())  # noqa: SIM118 - no dict


def of_attributes(top: Path, paths: Iterable[GitPath]) -> str:
    """The files of attributes that may say something about ``paths``, as they stand in a worktree."""
    places = sorted({place for path in paths for place in _above(path)} | {b""})
    found = ((place, _content(os.path.join(os.fsencode(top), place, ATTRIBUTES))) for place in places)
    return _digest(part for place, content in found if content is not None for part in (place, content))


def of_files(top: Path, paths: Sequence[GitPath], began_ns: int) -> tuple[str, bool, int]:
    """How files stand: kind, size and times of each; whether all are settled; and when the last of them changed.

    They are settled when what changes after ``began_ns`` has another time. The last time is 0 where there are none.
    """
    newest, told = 0, []
    for path in paths:
        try:
            status = os.lstat(os.path.join(os.fsencode(top), path))
        except OSError:
            told.append(b"%s\0" % path)
            continue
        newest = max(newest, status.st_mtime_ns, status.st_ctime_ns)
        words = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
        told.append(path + b"\0" + " ".join(map(str, words)).encode())
    return _digest(told), newest + SETTLED_NS <= began_ns, newest


def of_bytes(told: bytes) -> str:
    """What git said."""
    return _digest((told,))


def _above(path: GitPath) -> Iterator[GitPath]:
    while b"/" in path:
        path = path.rpartition(b"/")[0]
        yield path


def _content(path: bytes, *, follow: bool = False) -> bytes | None:
    """A small regular file; of a larger one how it stands. None for none: of the project git follows no link either."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        if status.st_size > _MOST_BYTES:
            return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}".encode()
        return file.read()


def _digest(parts: Iterable[bytes]) -> str:
    """A digest of all parts, each with its length."""
    made = hashlib.sha256()
    for part in parts:
        made.update(b"%d " % len(part))
        made.update(part)
    return made.hexdigest()
