"""Taking work that somebody handed over, and putting it back: the verbs, without what only who takes has to load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitchat.verbs.standpoint import Standpoint

if TYPE_CHECKING:
    from gitchat.verbs.taking import Took
    from gitchat.work.taken import Taken


def take(
    room: Standpoint,
    locator: int | str,
    *,
    merge: bool = False,
    index: bool = True,
    worktree: str | None = None,
    force: bool = False,
) -> Took:
    """Put the work that a message hands over into this worktree, or into a new one at ``worktree``, and say so to its
    giver. All is checked first: where something refuses, no file was touched.

    With ``merge`` what git cannot merge gets conflict markers; without ``index`` nothing of it is staged. ``force``
    takes what programs act by without being asked to, and links out of the repository; a person's word only.

    Raises:
        UserError: ``no-work``, ``unsafe-work``, ``risky-work``, ``person-only``, ``no-work-tree``, ``no-commit``,
            ``unmerged``, ``directory-exists``, ``not-looked``, ``secret``; ``half-taken``: another taking was cut off
            here, and what it wrote was changed since.
        ConflictError: ``work-conflicts``, ``work-in-the-way``, ``worktree-locked``, ``write-lock-held``.
        FormatError: some of the work is missing or damaged.
    """
    from gitchat.verbs import taking

    return taking.take(room, locator, merge=merge, index=index, worktree=worktree, force=force)


def undo(room: Standpoint) -> Taken:
    """Put back in this worktree what was there before the last taking, and return what that was.

    Raises:
        UserError: ``nothing-taken``; ``changed-since``: somebody changed, or committed, some of it since.
        ConflictError: ``worktree-locked``, ``write-lock-held``.
    """
    from gitchat.verbs import untaking

    return untaking.undo(room)
