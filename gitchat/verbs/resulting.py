"""What a command gave that somebody ran, told in the room: a status of type ``result``."""

from __future__ import annotations

import os
import re
import shlex
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from gitchat.index.condition import Condition, signed_by
from gitchat.model.errors import ChatError
from gitchat.model.escape import escape, escape_line
from gitchat.model.names import is_name, suggest_slug
from gitchat.model.record import STATUS, Draft, Entry, address_of
from gitchat.model.refs import bases, told_branch
from gitchat.model.secrets import Policy
from gitchat.storage.git import GitFailed
from gitchat.verbs.standpoint import Standpoint, entries_at, touch
from gitchat.workspace.files import changed

RESULT = "result"
"""The type of such a status."""

COMMAND_CHARS = 200
TAIL_LINES, TAIL_BYTES = 20, 4096
"""How much is told of the command, and of the end of what it printed when it failed."""

SECRET_TAIL = "(its last lines look like a secret)"
SECRET_COMMAND = "(a command that looks like a secret)"

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,1000}(?:\x07|\x1b\\)|[@-Z\\-_])")
"""What colours and moves on a terminal."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a command runs on."""

    commit: str | None
    """What is checked out; None before the first commit."""
    branch: str | None
    changes: int | None
    """How many files differ from it, new ones too; None where there is no work tree."""


def ground(room: Standpoint) -> Ground:
    """What stands in the work tree now. Raises what Repository.location raises."""
    repository = room.environment.repository
    commit, changes = None, None
    with suppress(ChatError):
        commit = repository.commit("HEAD")
    if not repository.location.is_bare:
        with suppress(GitFailed):
            changes = len(changed(repository))
    return Ground(commit, repository.branch(), changes)


def tell_result(
    room: Standpoint,
    on: Ground,
    command: Sequence[str],
    status: int,
    *,
    seconds: float,
    output: bytes,
    to: tuple[str, ...] = (),
) -> Entry:
    """Tell what ``command`` gave, that ran ``on`` what stood here: its exit status, or a signal's number below 0.

    When it failed, so are the last lines of its ``output``, unless something there looks like a secret. Without ``to``
    it is addressed to whoever made the commit, if that is in the base and nothing else was changed.

    Raises what Writer.send raises.
    """
    room.environment.repository.refuse_mirror()
    secrets = room.environment.secrets()
    words = escape_line(shlex.join(command))
    if secrets.mode != "off" and secrets.look(words.encode("utf-8", "replace")) is not None:
        words = SECRET_COMMAND
    words = words if len(words) <= COMMAND_CHARS else words[:COMMAND_CHARS] + "..."
    lines = [f"{_outcome(status)}: {words}, {_where(on)}, {_time(seconds)}"]
    if status != 0:
        lines += ["", *tail] if (tail := last_lines(output, secrets)) else []
    draft = Draft(
        body="\n".join(lines),
        kind=STATUS,
        type=RESULT,
        to=to or (_blamed(room, on) if status != 0 else ()),
        commit=on.commit,
        branch=told_branch(on.branch),
    )
    room.seating.sit_down(room.name, room.me)
    sent = room.writer.send(draft, room.identity)
    touch(room)
    return sent.entry


def _outcome(status: int) -> str:
    if status < 0:
        with suppress(ValueError):
            return f"killed by {signal.Signals(-status).name}"
        return f"killed by signal {-status}"
    return f"failed with {status}" if status else "passed"


def _where(on: Ground) -> str:
    if on.commit is None:
        return "no commit yet"
    if on.changes is None:
        return f"on {on.commit[:9]}"
    files = f"{on.changes} file{'' if on.changes == 1 else 's'} changed"
    return f"on {on.commit[:9]}, {files if on.changes else 'worktree clean'}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def last_lines(output: bytes, secrets: Policy) -> list[str]:
    """The last lines of an output as text that does nothing on a terminal; of a line that was written over, its end.

    All that is at hand of the output is looked through, so that no part of a key is left that began before.
    """
    if secrets.mode != "off" and secrets.look(output) is not None:
        return [SECRET_TAIL]
    text = _SEQUENCE.sub("", output.decode("utf-8", "replace").replace("\r\n", "\n"))
    lines = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.rstrip().split("\n")]
    kept: list[str] = []
    left = TAIL_BYTES
    for line in reversed(lines[-TAIL_LINES:]):
        shown = escape(line)
        left -= len(shown.encode("utf-8", "replace")) + 1
        if left < 0:
            break
        kept.append(shown)
    return kept[::-1] if any(kept) else []


# --- whom a failure of the base is told --------------------------------------------


def _blamed(room: Standpoint, on: Ground) -> tuple[str, ...]:
    """Who made the commit, as the room calls them, if it is in the base and nothing else was changed; nobody else."""
    if on.commit is None or on.changes or not _is_in_base(room, on):
        return ()
    try:
        told = room.environment.repository.git("show", "-s", "--format=%an%x00%ae", on.commit)
    except GitFailed:
        return ()
    author, _, email = os.fsdecode(told).strip("\n").partition("\0")
    address = address_of(email)
    if address in room.environment.caller.addresses():
        return ()
    chain = room.records.chain()
    people = Condition.all_of([signed_by([address]), Condition("clone IS NULL")]) if address else None
    known = entries_at(room, chain.select(people, limit=1, newest=True)) if people is not None else []
    name = known[0].record.author if known else suggest_slug(author)
    return (name,) if name is not None and is_name(name) and name != room.me else ()


def _is_in_base(room: Standpoint, on: Ground) -> bool:
    """Whether the base has the commit, as far as this clone knows."""
    repository = room.environment.repository
    told = repository.config.get("chat.base")
    remotes = dict.fromkeys(filter(None, (repository.first_remote(), *repository.remotes())))
    for name in [told] if told else bases(list(remotes), None):
        try:
            repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except GitFailed:
            continue
        try:
            repository.git("merge-base", "--is-ancestor", str(on.commit), f"{name}^{{commit}}")
        except GitFailed:
            return False
        return True
    return False
