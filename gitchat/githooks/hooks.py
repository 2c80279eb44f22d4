"""The hooks that git runs here: which of them are ours, putting them there, taking them away.

What a hook does stands in ``hooks/``, one shell file each. Somebody else's hook is kept
(:mod:`gitchat.githooks.kept`) and run first by ours: it may be no shell script, and lines
appended to one are not reached where it ends with ``exec`` or ``exit``, as that of
pre-commit does. husky rewrites its own directory and calls its scripts by their names, so
there our lines are appended to the user's script.

Source: githooks(5); git-config(1), core.hooksPath.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gitchat.githooks import kept
from gitchat.model.errors import ConflictError, UserError
from gitchat.storage.refusals import storage_error
from gitchat.workspace.environment import Environment
from gitchat.workspace.guarding import put_guard

EVENTS = {
    "commit": ("post-commit", "post-applypatch"),
    "merge": ("post-merge",),
    "checkout": ("post-checkout",),
    "rewrite": ("post-rewrite",),
    "guard": ("pre-commit",),
}
"""What can be told, and the hooks that tell it: ``chat.hook.<event>`` switches each off. And ``guard``, which tells the
room nothing, but who commits what others have claimed: ``chat.claims`` switches it off."""

BY_DEFAULT = ("commit", "merge", "rewrite")
"""Who looks at which branch is asked more often than it is worth a record: ``git chat who`` tells it."""

_SHEBANG = b"#!/bin/sh\n"
_BEGIN = re.compile(rb"^# gitchat hook \d+: ", re.MULTILINE)
_END = b" # gitchat hook ends\n"
_MOVED_ASIDE = (".legacy", ".old")
"""What pre-commit and lefthook append to the name of a hook that they find when they install theirs."""

_PROGRAM = "program=''\n"
_KEPT = "kept=hooks.before-gitchat "

State = Literal["installed", "absent", "foreign", "displaced"]


@dataclass(frozen=True, slots=True)
class Directory:
    """Where git looks for hooks. ``path`` is absolute, and may not exist yet."""

    path: Path
    scope: Literal["repository", "worktree", "machine"]
    """Who else runs what is there: nobody, who has these files, or every repository that is set up so."""
    is_husky: bool
    """Whether husky writes what git runs; ``path`` is then where the user's scripts are."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook as it stands there now."""

    event: str
    path: Path
    state: State
    """``foreign``: somebody else's alone; ``displaced``: somebody else's, put over ours after we were installed."""
    before: Path | None
    """What runs first: the hook that was there before, where it is kept."""
    is_current: bool
    """Whether ours is what this version would install."""

    @property
    def operand(self) -> str:
        """What ``git chat hook install`` has to be told, with a blank before it, for ours to be there."""
        return "" if self.event in BY_DEFAULT else f" {self.event}"


def directory(environment: Environment) -> Directory:
    """Where git looks for hooks here.

    Raises:
        UserError: ``hooks-off`` when ``core.hooksPath`` is no directory; and as ``Repository.location``.
    """
    top = environment.repository.worktree
    # From the top: a relative core.hooksPath counts from where hooks are run.
    answer = environment.repository.git("-C", str(top), "rev-parse", "--git-path", "hooks")
    path = Path(os.path.normpath(top / os.fsdecode(answer).removesuffix("\n")))
    if path.exists() and not path.is_dir():
        raise UserError(
            f"git runs no hooks here: core.hooksPath is {path}, which is no directory",
            hint="see who set it: git config --show-origin core.hooksPath; and: git config --unset core.hooksPath",
            code="hooks-off",
        )
    is_husky = path.name == "_" and (path / "h").is_file()
    path = path.parent if is_husky else path
    return Directory(path, _scope(environment, path), is_husky)


def _scope(environment: Environment, path: Path) -> Literal["repository", "worktree", "machine"]:
    real = Path(os.path.realpath(path))
    if real.is_relative_to(environment.repository.location.common_dir):
        return "repository"
    return "worktree" if real.is_relative_to(os.path.realpath(environment.repository.worktree)) else "machine"


def look(environment: Environment) -> list[Hook]:
    """All hooks that could be ours, in a fixed order. Raises as :func:`directory`, StorageError."""
    place = directory(environment)
    return [_look(place, event, name) for event, names in EVENTS.items() for name in names]


def _look(place: Directory, event: str, name: str) -> Hook:
    path = place.path / name
    before = kept.find(path)
    content = _read(path)
    if content is None and not os.path.lexists(path):
        return Hook(event, path, "absent", before, is_current=False)
    if content is None or not _is_ours(content):
        return Hook(event, path, "displaced" if before else "foreign", before, is_current=False)
    block = _appended(place, name)
    is_alone = content == _text(place, name) and os.access(path, os.X_OK)
    return Hook(event, path, "installed", before, is_current=is_alone or (place.is_husky and block in content))


def install(environment: Environment, events: Collection[str]) -> list[Hook]:
    """Put the hooks of ``events`` there, and return how they stand then. Again: brings ours up to date.

    Every step leaves a hook that runs, so that a kill between two of them harms nothing.

    Raises:
        UserError: ``hooks-off``.
        ConflictError: ``hook-displaced`` when another program replaced ours, and both it and what we kept are there.
        StorageError: the directory cannot be written to.
    """
    place = directory(environment)
    done: list[Hook] = []
    for event in events:
        for name in EVENTS[event]:
            hook = _look(place, event, name)
            with _told(hook.path):
                place.path.mkdir(parents=True, exist_ok=True)
                _install(place, hook)
            done.append(_look(place, event, name))
    if "guard" in events:
        put_guard(environment)
    with _told(place.path):
        kept.link_neighbours(place.path, [name for names in EVENTS.values() for name in names])
    return done


def _install(place: Directory, hook: Hook) -> None:
    content = _read(hook.path)
    _clear_copies(hook.path)
    if hook.state == "displaced" and hook.before is not None and not kept.is_same(hook.path, hook.before):
        was = kept.name_of(hook.before)
        raise ConflictError(
            f"another program put its hook over ours: {hook.path}; what ours ran before is {was}",
            hint=f"see what of both is wanted, remove the other, and install again: rm '{hook.before}'",
            code="hook-displaced",
        )
    if hook.state == "installed" and content is not None and not _is_ours_alone(content):
        without = _without_block(content)
        _write(hook.path, without + _appended(place, hook.path.name))
    elif place.is_husky and content is not None and hook.state == "foreign":
        _write(hook.path, content + _appended(place, hook.path.name))
    else:
        if hook.state == "foreign":
            kept.keep(hook.path)
        kept.take_over(hook.path)
        _write(hook.path, _text(place, hook.path.name), mode=0o755)
        kept.clear_former(hook.path)


def uninstall(environment: Environment) -> list[Hook]:
    """Take ours away and put back what was there, to the byte; return what was taken away, as it stood.

    Raises:
        UserError: ``hooks-off``.
        StorageError: the directory cannot be written to.
    """
    found = look(environment)
    for hook in found:
        with _told(hook.path):
            _clear_copies(hook.path)
            if hook.state == "displaced" and hook.before is not None and kept.is_same(hook.path, hook.before):
                hook.before.unlink()
    installed = [hook for hook in found if hook.state == "installed"]
    for hook in installed:
        with _told(hook.path):
            content = _read(hook.path) or b""
            if not _is_ours_alone(content):
                _write(hook.path, _without_block(content))
            elif hook.before is not None:
                kept.put_back(hook.path, hook.before)
            else:
                hook.path.unlink()
    with _told(kept.directory_of(found[0].path.parent)):
        kept.tidy(found[0].path.parent)
    return installed


def our_part(path: Path) -> bytes:
    """Our lines of the hook at ``path`` as a script of their own. Raises StorageError."""
    content = _read(path) or b""
    begin, end = _BEGIN.search(content), content.find(_END)
    return _SHEBANG + content[begin.start() : end + len(_END)] if begin is not None else b""


def shell_text(name: str) -> str:
    """The shell file of the hook ``name``, as it is shipped."""
    inside = Path(__file__).with_name("shell") / name  # in a wheel
    path = inside if inside.exists() else Path(__file__).parents[2] / "hooks" / name
    return path.read_text(encoding="utf-8")


def _text(place: Directory, name: str) -> bytes:
    # A hook that others run too must not hold a path of this machine: it finds git-chat in PATH.
    program = "" if place.scope == "worktree" else _program()
    directory = shlex.quote(kept.directory_of(place.path).name)
    text = shell_text(name).replace(_KEPT, f"kept={directory} ").replace(_PROGRAM, f"program={shlex.quote(program)}\n")
    return text.encode("utf-8", "surrogateescape")


def _program() -> str:
    """The absolute path of ``git-chat``, so that a hook finds it in any environment; empty when there is none."""
    beside = Path(sys.executable).with_name("git-chat")
    return str(beside) if beside.exists() else shutil.which("git-chat") or ""


def _appended(place: Directory, name: str) -> bytes:
    """What is appended to a script: ours without its first line, after one line feed of our own."""
    return b"\n" + _text(place, name).removeprefix(_SHEBANG)


def _without_block(content: bytes) -> bytes:
    begin = _BEGIN.search(content)
    end = content.find(_END)
    if begin is None or end < begin.start():
        return content
    return content[: begin.start() - 1] + content[end + len(_END) :]


def _is_ours(content: bytes) -> bool:
    return _BEGIN.search(content) is not None


def _is_ours_alone(content: bytes) -> bool:
    return content.startswith(_SHEBANG + b"# gitchat hook ")


def _clear_copies(path: Path) -> None:
    """Remove ours where another program moved it when it put its own hook there, to run it from there or never."""
    for suffix in _MOVED_ASIDE:
        copy = path.with_name(path.name + suffix)
        if _is_ours_alone(_read(copy) or b""):
            copy.unlink()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        return b""
    except OSError as error:
        raise storage_error(error, path) from error


def _write(path: Path, content: bytes, mode: int | None = None) -> None:
    """Put ``content`` in the place of ``path`` at once; without ``mode`` with the permissions that it has."""
    target = path if mode is not None else Path(os.path.realpath(path))
    fresh = target.with_name(f"{target.name}.gitchat-new")
    fresh.write_bytes(content)
    fresh.chmod(mode if mode is not None else target.stat().st_mode & 0o7777)
    fresh.replace(target)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise storage_error(error, path) from error
