"""What git runs when somebody pushed over HTTP: judges each ref, and hands on to the clone what may go there.

The ``proc-receive`` hook of ``serve/exchange``, in a process of its own. git has checked and stored the objects in the
exchange by then, and reports to who pushed what is said here of each ref: accepted is what stands in the clone.
Source: githooks(5), proc-receive; docs/format.md section 2.1.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gitchat.model.names import RefName
from gitchat.model.refs import is_cursor, is_of_a_room, log_ref, room_of, work_of
from gitchat.storage import git
from gitchat.workspace.process import read_variables

HAND_ON_SECONDS = 120.0
"""How long the clone may take to store what was pushed."""

RECEIVE_QUIETLY = "git -c core.hooksPath=/dev/null -c receive.autoGC=false -c gc.auto=0 receive-pack"
"""How the clone takes it: its user's hooks are for the user's own pushes, and its upkeep is done by other commands."""


@dataclass(frozen=True, slots=True)
class Command:
    """One ref that somebody wants to move."""

    old: str
    """What it is, as far as they know; all zeros where it is not there."""
    new: str
    """What it is to be; all zeros to delete it."""
    ref: RefName

    @property
    def is_new(self) -> bool:
        """Whether the ref is to be made."""
        return not self.old.strip("0")

    @property
    def deletes(self) -> bool:
        """Whether the ref is to be deleted."""
        return not self.new.strip("0")


def main() -> int:
    """Speak with git on standard input and output; 0 whenever each ref got its answer."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    list(_lines(source))  # version=1 and what this git can do
    _write(sink, [b"version=1"])
    commands = [_parsed(line) for line in _lines(source)]
    refusals = _judged(commands)
    refusals |= _handed_on([one for one in commands if one.ref not in refusals])
    said = (f"ng {one.ref} {refusals[one.ref]}" if one.ref in refusals else f"ok {one.ref}" for one in commands)
    _write(sink, [line.encode("utf-8", "surrogateescape") for line in said])
    return 0


def _judged(commands: Iterable[Command]) -> dict[RefName, str]:
    """Why a ref may not move as it is asked to, for each that may not."""
    verdicts = ((one.ref, _refusal(one)) for one in commands)
    return {ref: why for ref, why in verdicts if why is not None}


def _refusal(command: Command) -> str | None:
    ref = command.ref
    is_work = work_of(ref) is not None
    if not is_of_a_room(ref) and not is_work:
        return "only the logs, summaries and cursors of rooms, and shared work, are taken here"
    if command.deletes:
        return None if is_cursor(ref) or is_work else "a room is not deleted from afar"
    if _git_says("rev-parse", "--quiet", "--verify", f"{command.new}^0") != command.new:
        return "it is no commit"
    if ref == log_ref(room_of(ref)) and not command.is_new and not _goes_on(command):
        return "a log only moves on; fetch first"
    return None


def _goes_on(command: Command) -> bool:
    return _git_says("merge-base", "--is-ancestor", command.old, command.new) is not None


def _handed_on(commands: list[Command]) -> dict[RefName, str]:
    """Move the refs of the clone from their old values to the new ones; why not, for each that did not move."""
    if not commands:
        return {}
    leases = [f"--force-with-lease={one.ref}:{'' if one.is_new else one.old}" for one in commands]
    specs = [f"{'' if one.deletes else one.new}:{one.ref}" for one in commands]
    clone = Path.cwd().resolve().parents[1]
    try:
        told = _git(
            "push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no",
            f"--receive-pack={RECEIVE_QUIETLY}", *leases, "--", str(clone), *specs,
        ).stdout  # fmt: skip
    except git.GitFailed as error:  # some were refused, or all
        told = error.stdout
    moved = set(_moved(told.decode("utf-8", "surrogateescape").splitlines()))
    return {one.ref: "it was moved by somebody else meanwhile; fetch first" for one in commands if one.ref not in moved}


def _moved(lines: Iterable[str]) -> Iterator[str]:
    """The refs that ``git push --porcelain`` says are now as they were to be."""
    for line in lines:
        flag, _, rest = line.partition("\t")
        if flag in (" ", "*", "+", "-", "="):
            yield rest.partition("\t")[0].partition(":")[2]


def _git_says(*arguments: str) -> str | None:
    """What git prints here; None when it fails."""
    try:
        return _git(*arguments).stdout.decode("ascii").strip()
    except git.GitFailed:
        return None


def _git(*arguments: str) -> git.Done:
    # GIT_DIR, which git sets for its hooks, is the exchange; the objects that were pushed are in it by now.
    return git.run(arguments, cwd=".", variables=read_variables(), timeout_seconds=HAND_ON_SECONDS)


def _parsed(line: bytes) -> Command:
    old, new, ref = line.decode("utf-8", "surrogateescape").split(" ", 2)
    return Command(old, new, RefName(ref))


def _lines(source: BinaryIO) -> Iterator[bytes]:
    """The packet lines up to the next flush. Source: gitprotocol-common(5)."""
    while size := int(source.read(4) or b"0000", 16):
        yield source.read(size - 4).rstrip(b"\n")


def _write(sink: BinaryIO, lines: Iterable[bytes]) -> None:
    sink.writelines(b"%04x%s" % (len(line) + 4, line) for line in lines)
    sink.write(b"0000")
    sink.flush()


if __name__ == "__main__":
    sys.exit(main())
