"""Handing over work that is not committed: what a message carries of it, and who may let it carry that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gitchat.model.errors import UserError
from gitchat.model.names import RoomName
from gitchat.model.record import Entry, Origin
from gitchat.model.refs import log_ref
from gitchat.storage.git import GitFailed
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.work.gathering import Gathered

WAIT_SECONDS = 30.0
"""How long who hands over or takes waits for another who does."""

SHARING = ("branches", "work", "handoff", "nothing")
"""What ``chat.share`` can say; the first where it says nothing."""


def gather(environment: Environment, room: RoomName, origin: Origin, paths: Sequence[str] = ()) -> Gathered:
    """What is changed here and not committed, or what of it is at ``paths``, for a message in ``room``.

    A person consents by asking for it. An agent may hand over what stays in this clone, or goes where its user said
    that it may: ``chat.share``.

    Raises:
        UserError: ``not-shared``, ``no-work-tree``, ``elsewhere``, ``not-looked``, and what gathering raises.
        ConflictError: ``write-lock-held``: another hands over or takes for too long.
    """
    from gitchat.work.gathering import gather as gather_there  # for who hands over work
    from gitchat.work.scratch import HANDING, scratch
    from gitchat.work.trees import current

    _refuse_bare(environment)
    _refuse_unshared(environment, room, origin)
    repository = environment.repository
    try:
        with scratch(repository, WAIT_SECONDS, *HANDING) as work:
            return gather_there(
                work,
                current(repository),
                paths=paths,
                cwd=environment.cwd,
                max_bytes=environment.max_work_bytes(),
                max_file_bytes=environment.max_attachment_bytes(),
            )
    except GitFailed as error:
        raise not_looked(error) from error


def diff(environment: Environment, entry: Entry) -> bytes:
    """What the work of ``entry`` changes, as ``git diff HEAD`` showed it to its giver: a stranger's text.

    Raises:
        UserError: ``no-work``, ``work-too-large``.
        FormatError: some of it is missing or damaged.
    """
    from gitchat.work.handed import handed

    found = handed(environment.store, entry.tree) if entry.record.hidden is None else None
    if found is None:
        raise no_work(environment, entry)
    try:
        options = ("-r", "-p", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
        return environment.repository.git("diff-tree", *options, found.base, found.work)
    except GitFailed as error:
        raise not_looked(error) from error


def typed(environment: Environment, entry: Entry) -> str:
    """How a command names a message."""
    return f"'{entry.label}'{'' if entry.room == environment.room_name(None) else f' --room {entry.room}'}"


def no_work(environment: Environment, entry: Entry) -> UserError:
    """The error for a message that hands over nothing, or nothing any more."""
    hidden = entry.record.hidden
    if hidden is not None:
        return UserError(
            f"{entry.label} hands over nothing any more: it was {hidden}",
            hint="ask who sent it for what is left of it",
            code="no-work",
        )
    return UserError(
        f"{entry.label} hands over no work",
        hint=f"see what it says: git chat show {typed(environment, entry)}",
        code="no-work",
    )


def not_looked(error: GitFailed) -> UserError:
    """The error for what git refuses to look at, in its own words."""
    return UserError(
        f"git cannot look at the work here: {str(error).removeprefix('fatal: ').partition(chr(10))[0] or 'no reason'}",
        hint="see what git says: git status",
        code="not-looked",
    )


def refuse_with_code(about: Sequence[object]) -> None:
    """Raise UserError ``work-and-code`` where a message that hands over work is about code, too: each of the two says
    which commit it means.
    """
    if about:
        raise UserError(
            "a message hands over work, or is about some lines of code",
            hint="send the work, and what it is about as a reply to that",
            code="work-and-code",
        )


def _refuse_bare(environment: Environment) -> None:
    if environment.party is not None:
        raise UserError(
            "your work is on your own machine, and this server is not",
            hint="in a clone of yours: git chat send --work TEXT; or push a branch",
            code="elsewhere",
        )
    refuse_bare(environment)


def refuse_bare(environment: Environment) -> None:
    """Raise UserError ``no-work-tree`` where there is none."""
    if environment.repository.location.is_bare:
        raise UserError(
            "a bare repository has no work tree",
            hint="go where you work: git clone . ../ELSEWHERE",
            code="no-work-tree",
        )


def _refuse_unshared(environment: Environment, room: RoomName, origin: Origin) -> None:
    """Raise UserError ``not-shared`` where an agent would push what its user did not say may be pushed."""
    if origin == "human":
        return
    share = environment.repository.config.get_choice("chat.share", SHARING)
    if share not in ("work", "handoff") and _is_pushed(environment, room):
        raise UserError(
            f"room '{room}' is pushed to others, and nobody said that your uncommitted work may be",
            hint="ask your user for it, who says so by: git config chat.share handoff; or commit it to a branch",
            code="not-shared",
        )


def _is_pushed(environment: Environment, room: RoomName) -> bool:
    """Whether what is said there goes to a remote, also when the room only begins by it."""
    authorities = environment.authorities
    if authorities.of(room) is not None:
        return True
    return environment.store.tip(log_ref(room)) is None and environment.repository.arrives_at() is not None
