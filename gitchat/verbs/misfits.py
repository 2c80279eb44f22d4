"""Why work does not fit where somebody would take it, as the errors that he sees; nothing was touched."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path as Place
from typing import TYPE_CHECKING

from gitchat.model.errors import ChatError, ConflictError, UserError
from gitchat.model.overlay import shown
from gitchat.model.paths import Path
from gitchat.model.record import Entry
from gitchat.verbs.handing import typed
from gitchat.verbs.standpoint import Standpoint
from gitchat.work import standing

if TYPE_CHECKING:
    from gitchat.work.handed import Handed

_SHOWN = 5
"""How many paths an error names."""


def explained(
    error: standing.Misfit, entry: Entry, room: Standpoint, top: Place, *, made_as: str | None = None
) -> ChatError:
    """The error for work of ``entry`` that does not fit into the worktree at ``top``, which was ``made_as`` somebody
    typed it, where it was made for that alone.
    """
    again = f"git chat take {typed(room.environment, entry)}"
    apart = f"{again} --worktree ../{top.name}-{entry.record.author}"
    paths = listed(error.paths)
    if isinstance(error, standing.NoHead):
        return UserError(
            "there is no commit here yet that work could be put on",
            hint="make the first: git commit --allow-empty -m begin",
            code="no-commit",
        )
    if isinstance(error, standing.Unmerged):
        return UserError(
            f"git waits here for somebody to merge {paths}; nothing was touched",
            hint="end that first: git status",
            code="unmerged",
        )
    if isinstance(error, standing.InTheWay):
        return ConflictError(
            f"what nobody committed stands in the way: {paths}; nothing was touched",
            hint=f"commit or stash it: git stash push --include-untracked; or: {apart}",
            code="work-in-the-way",
        )
    if isinstance(error, standing.StagedConflicts):
        return ConflictError(
            f"what is staged of it cannot be merged with what is committed here: {paths}; nothing was touched",
            hint=f"stage nothing of it: {again} --no-index",
            code="work-conflicts",
        )
    is_mendable = isinstance(error, standing.Conflicts) and error.is_mendable
    if made_as is not None:
        return ConflictError(
            f"it cannot be merged with what is committed here, and what it stands on is not here: {paths}",
            hint=f"fetch that first: git fetch --all; or with conflict markers: "
            f"{again} --worktree {shlex.quote(made_as)} --merge"
            if is_mendable
            else "fetch that first: git fetch --all",
            code="work-conflicts",
        )
    return ConflictError(
        f"it cannot be merged with what is committed here: {paths}; nothing was touched",
        hint=f"with conflict markers: {again} --merge; or apart: {apart}" if is_mendable else f"apart: {apart}",
        code="work-conflicts",
    )


def refuse_unsafe(room: Standpoint, entry: Entry, found: Handed) -> list[str]:
    """What is left out of it. Raises UserError ``unsafe-work`` for what nobody writes who means well."""
    submodules = [one for one in found.overlay.left_out if one.endswith("is a submodule")]
    others = [one for one in found.overlay.left_out if one not in submodules]
    if others:
        raise UserError(
            f"{entry.label} is not to be taken: {'; '.join(others[:_SHOWN])}",
            hint=f"see who sent it: git chat show {typed(room.environment, entry)}",
            code="unsafe-work",
        )
    return [f"left out: {one}" for one in submodules]


def refuse_risks(room: Standpoint, entry: Entry, risks: Sequence[tuple[Path, str]], force: bool) -> None:
    """Raise UserError ``risky-work``, or ``person-only`` where an agent would ``force`` it."""
    if not risks:
        return
    told_risks = "; ".join(f"{shown(path)} {why}" for path, why in risks[:_SHOWN])
    if not force:
        raise UserError(
            f"in {entry.label} {told_risks}",
            hint=f"look at it: git chat show {typed(room.environment, entry)} --diff; "
            "a person can take it with --force",
            code="risky-work",
        )
    if room.environment.caller.origin != "human":
        raise UserError(
            f"only a person can take what is acted upon: in {entry.label} {told_risks}",
            hint=f"ask your user to: git chat take {typed(room.environment, entry)} --force",
            code="person-only",
        )


def listed(paths: Sequence[Path]) -> str:
    """The first of these paths, and how many more there are; still to be escaped."""
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(map(shown, paths[:_SHOWN])) + more


def quoted(paths: Sequence[Path]) -> str:
    """The first of these paths as a shell takes them."""
    return " ".join(shlex.quote(shown(path)) for path in paths[:_SHOWN]) + (" ..." if len(paths) > _SHOWN else "")
