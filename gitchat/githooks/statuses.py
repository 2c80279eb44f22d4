"""What a hook tells the room: one status record for what one git command did.

The subject of a commit, its author and the names of files are texts of strangers like
any message: data here, escaped where they are shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gitchat.githooks import hooks
from gitchat.model.errors import UserError
from gitchat.model.record import STATUS, Draft
from gitchat.model.refs import branch_of, told_branch
from gitchat.model.secrets import Policy
from gitchat.rooms.writing import Sent
from gitchat.storage.git import GitFailed
from gitchat.workspace.asking import ask_or_find_out
from gitchat.workspace.environment import Environment
from gitchat.workspace.pushing import push_soon

SUBJECT_CHARS = 200
LISTED_LINES = 50
"""How many files or commits a status names; of the others it tells how many."""

SECRET_SUBJECT, SECRET_LINE = "(a subject that looks like a secret)", "(a line that looks like a secret)"
"""What stands in the place of one: the commit may be gone tomorrow, and a record stays."""

_MOST_ARGUMENT_CHARS = 100_000
"""Linux takes 128 KiB in one argument of a program."""

_OID = re.compile("[0-9a-f]{40}([0-9a-f]{24})?")
_MOVED = re.compile("checkout: moving from ([^ ]+) to ([^ ]+)")


@dataclass(frozen=True, slots=True)
class Head:
    """Where HEAD stood when the hook ran; by the time it is told, the user may be elsewhere."""

    oid: str
    branch: str | None
    """None where HEAD was detached, and of a rebase by patches, which does not tell its hook."""
    since: str | None = None
    """The commit that HEAD came from, where a command made several."""


def read_head(environment: Environment, lines: str | None) -> Head | None:
    """``lines`` as a hook gives them: an id, perhaps the one before, and the full name of the branch.

    Without them HEAD as it is now. None when there is no commit, or the lines are no such thing.
    """
    try:
        asked = ("rev-parse", "HEAD", "--symbolic-full-name", "HEAD")
        text = lines or environment.repository.git(*asked).decode("utf-8", "replace")
    except GitFailed:
        return None
    oid, *since, ref = words if len(words := text.rstrip("\n").split("\n")) > 1 else [*words, ""]
    if len(since) > 1 or not all(_OID.fullmatch(word) for word in (oid, *since)):
        return None
    return Head(oid, branch_of(ref), since[0] if since else None)


def post(
    environment: Environment, event: str, lines: str | None = None, rewritten: str = "", *, may_look: bool = True
) -> Sent | None:
    """Tell the room what happened, or nothing when there is nothing to tell, or it is switched off.

    ``event`` is one of ``hooks.EVENTS``; ``lines`` as :func:`read_head` takes them; ``rewritten`` what git gives
    post-rewrite: a line for each commit, its old id and its new one.

    Where the room may be at the clone's remote, it is told by a process that looks there first and that nobody waits
    for, unless that is what we are (``may_look`` is false): None here, too.

    Raises:
        UserError: ``no-such-commit``, ``mirror``, ``room-closed``, ``no-name``; and as ``Repository.location``.
        StorageError: the disk refuses.
    """
    key = f"chat.hook.{event}"
    if not environment.repository.config.get_bool(key, True) or (lines is None and _is_in_series(environment)):
        return None
    head = read_head(environment, lines)
    try:
        draft = _kept(_draft(environment, event, head, rewritten), environment.secrets()) if head is not None else None
    except GitFailed as error:
        raise UserError(
            f"git cannot tell what happened: {error.stderr.removeprefix('fatal: ')}",
            hint="see what is wrong: git fsck --connectivity-only",
            code="no-such-commit",
        ) from error
    if draft is None or not _is_wanted(environment, key):
        return None
    environment.repository.refuse_mirror()
    room = environment.room_name(None)
    if (
        may_look
        and not environment.authorities.has_arrived(room)
        and _looks_first(environment, event, lines, rewritten)
    ):
        return None
    sent = environment.writer(room).send(draft, replace(environment.caller.identity(), origin="hook"))
    push_soon(environment, room, is_hook=True)
    if event != "checkout" and environment.repository.has_worktrees():
        ask_or_find_out(environment)
    return sent


def _kept(draft: Draft | None, secrets: Policy) -> Draft | None:
    """``draft`` without what looks like a secret. A hook that failed would be switched off, so it is left out here."""
    if draft is None or secrets.mode == "off":
        return draft
    lines = [secrets.without(line, SECRET_LINE) for line in draft.body.split("\n")]
    branch = secrets.without(draft.branch, "") if draft.branch is not None else None
    return replace(draft, body="\n".join(lines), branch=branch or None)


def _is_wanted(environment: Environment, key: str) -> bool:
    """Whether there is a room to tell. A hook of this repository begins one; one that the whole machine runs
    (``core.hooksPath`` of the user) does so only where it was asked to.
    """
    if environment.repository.config.get(key) is not None or environment.room_name(None) in environment.store.rooms():
        return True
    return hooks.directory(environment).scope != "machine"


def _looks_first(environment: Environment, event: str, lines: str | None, rewritten: str) -> bool:
    """Whether it is time to look for the room at the clone's remote: then that is begun, and all else is its."""
    from gitchat.clones.looking import Asker  # for who has a remote and no room
    from gitchat.workspace import arriving

    if not arriving.is_due(environment, Asker.HOOK, environment.room_name(None)):
        return False
    given = [] if lines is None else ["--head", lines]
    if len(rewritten) > _MOST_ARGUMENT_CHARS:  # the newest stand last, and are more than a status names
        rewritten = rewritten[-_MOST_ARGUMENT_CHARS:].partition("\n")[2]
    environment.start_aside("look", "--post", event, *given, "--rewritten", rewritten)
    return True


def _is_in_series(environment: Environment) -> bool:
    """Whether git is amid a rebase, an am, or a series of picks, which is told as one."""
    directory = environment.repository.location.git_dir
    return any((directory / name).exists() for name in ("rebase-merge", "rebase-apply", "sequencer"))


def _draft(environment: Environment, event: str, head: Head, rewritten: str) -> Draft | None:
    if event == "checkout":
        return _checkout(environment, head)
    if event == "rewrite":
        new = [words[1] for line in rewritten.splitlines() if len(words := line.split()) > 1]
        return _series(environment, "rebased", head, list(dict.fromkeys(reversed(new))))
    picked = _lines(environment, "rev-list", "--no-merges", f"{head.since}..{head.oid}") if head.since else []
    if event == "merge":
        return _series(environment, "merged", head, picked)
    return _series(environment, "made", head, picked) if len(picked) > 1 else _commit(environment, head)


def _commit(environment: Environment, head: Head) -> Draft:
    """One commit: its first line in a log, and then who wrote it and what it changed."""
    form = "--format=%h%x00%an%x00%s%x00"
    options = (
        "--root",
        "-r",
        "--always",
        "--abbrev",
        "--name-status",
        "--diff-merges=first-parent",
        "--encoding=UTF-8",
    )
    command = ("-c", "core.quotePath=false", "diff-tree", *options, form, head.oid, "--")
    told = environment.repository.git(*command).decode("utf-8", "replace")
    short, author, subject, changed = [*told.split("\0", 3), "", "", ""][:4]
    files = [line for line in changed.split("\n") if line]
    shown = _clipped(environment.secrets().without(subject, SECRET_SUBJECT))
    title = f"{short} {shown or '(no subject)'} ({_place(environment, head)}, {_count(len(files), 'file')})"
    return _status(environment, title, "commit", head, [f"by {author}", *files])


def _series(environment: Environment, verb: str, head: Head, oids: Sequence[str]) -> Draft | None:
    """Several commits, the newest first. None when there are none."""
    if not all(_OID.fullmatch(oid) for oid in oids):
        return None
    one = ("log", "--no-walk=unsorted", "--no-show-signature", "--encoding=UTF-8", "--format=%h %s")
    tip = _lines(environment, *one, head.oid, "--")
    listed = _lines(environment, *one, *oids[:LISTED_LINES], "--") if oids else []
    where = _place(environment, head)
    subject = _clipped(environment.secrets().without("".join(tip[:1]), SECRET_SUBJECT))
    title = f"{verb} {_count(len(oids), 'commit')}: {subject} ({where})"
    kind = {"rebased": "rewrite", "merged": "merge"}.get(verb, "commit")
    listed += [""] * (len(oids) - len(listed))
    return _status(environment, title, kind, head, listed) if oids else None


def _checkout(environment: Environment, head: Head) -> Draft | None:
    """Another branch, as HEAD's reflog tells it: the hook itself is not told which, and also runs for the same one."""
    where = _place(environment, head)
    if head.since is not None and set(head.since) == {"0"}:
        name = environment.repository.worktree_name
        return _draft_of(f"began worktree {name} ({where})", "checkout", head)
    moved = _MOVED.fullmatch("".join(_lines(environment, "log", "-g", "-1", "--format=%gs", "HEAD")))
    if moved is None or moved[1] == moved[2]:
        return None
    return _draft_of(f"went from {moved[1]} to {moved[2]} ({where})", "checkout", head)


def _status(environment: Environment, title: str, kind: str, head: Head, lines: Sequence[str]) -> Draft:
    secrets = environment.secrets()  # looked at before a half of one is cut off
    shown = [title, "", *(_clipped(secrets.without(line, SECRET_LINE)) for line in lines[:LISTED_LINES])]
    if len(lines) > LISTED_LINES:
        shown.append(f"and {len(lines) - LISTED_LINES} more")
    return _draft_of("\n".join(shown), kind, head, commit=head.oid)


def _draft_of(body: str, kind: str, head: Head, commit: str | None = None) -> Draft:
    return Draft(body=body, kind=STATUS, type=kind, commit=commit, branch=told_branch(head.branch))


def _place(environment: Environment, head: Head) -> str:
    """The branch and the worktree: ``on main in project``."""
    return f"{'on ' + head.branch + ' ' if head.branch else ''}in {environment.repository.worktree_name}"


def _lines(environment: Environment, *arguments: str) -> list[str]:
    # Not splitlines: a subject may hold what Unicode takes for the end of a line.
    told = environment.repository.git(*arguments).decode("utf-8", "replace")
    return told.removesuffix("\n").split("\n") if told else []


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _clipped(text: str) -> str:
    """One line of a stranger's text, no longer than a line of a listing needs."""
    return text if len(text) <= SUBJECT_CHARS else text[: SUBJECT_CHARS - 1] + "…"
