"""What an agent is told of its own work by its hooks alone: that the base moved under it, once for each tip.

Names, counts, and paths that it changed itself; no word that a stranger wrote.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitchat.staying.told import Told
from gitchat.storage.git import GitFailed
from gitchat.work.moved import Moved, MovedFile
from gitchat.workspace import asking
from gitchat.workspace.environment import Environment

SEE = "See: git chat conflicts"

_SHOWN = 3
_MOST_CHARS = 100


def sentences(environment: Environment, told: Told) -> list[str]:
    """What is new of that for the worktree we are in. Never fails."""
    repository = environment.repository
    noted = MovedFile(repository.directory).of(repository.worktree)
    said = _of_rest(environment, told)
    if noted is None:
        return said
    if noted.meeting and not _has(environment, noted.tip) and told.is_first(f"base {noted.tip}"):
        said.append(_of_base(noted))
    for name, paths in sorted((noted.others or {}).items()):
        if told.is_first(f"meets {name} {' '.join(paths)}"):
            said.append(f"{_files(len(paths))} that you changed cannot be merged with {name}'s{_shown(paths)}. {SEE}")
    return said


def _of_rest(environment: Environment, told: Told) -> list[str]:
    """That nobody looks unasked for a while: who hears of nothing would believe that all merges."""
    if not asking.is_resting(environment):
        return []
    from gitchat.verbs.unasked import why_not  # where somebody has to be told

    why = why_not(environment)
    return [f"{why}. {SEE}"] if why is not None and told.is_first(f"rest {why.partition(':')[2]}") else []


def _has(environment: Environment, tip: str) -> bool:
    """Whether the work here has what the base had when that was noted."""
    try:
        environment.repository.git("merge-base", "--is-ancestor", tip, "HEAD")
    except GitFailed:
        return False
    return True


def _of_base(noted: Moved) -> str:
    count, commits = len(noted.meeting), f"{noted.behind} commit{'' if noted.behind == 1 else 's'}"
    changes = "changes" if noted.behind == 1 else "change"
    what = f"{_ascii(noted.base)} moved: {commits} {changes} {_files(count)} that you changed"
    if noted.conflicts:
        conflicts = "conflicts" if noted.conflicts == 1 else "conflict"
        what += f", {noted.conflicts} {conflicts}{_shown(noted.meeting[: noted.conflicts])}"
    older = f" (fetched for you; your {_ascii(noted.base)} is older)" if noted.is_ahead_of_users else ""
    return f"{what}. {SEE}{older}"


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _shown(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f" ({', '.join(map(_ascii, paths[:_SHOWN]))}{more})"


def _ascii(text: str) -> str:
    """``text`` in printable ASCII, cut."""
    shown = "".join(one if " " <= one <= "~" else "?" for one in text)
    return shown if len(shown) <= _MOST_CHARS else f"{shown[: _MOST_CHARS - 3]}..."
