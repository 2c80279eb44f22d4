"""Who acts here, and in what: the caller, the clone and the names of the repository that is opened.

An Environment is one process's surroundings, or those of one of several that it acts for. Where we are is its
:class:`Repository`, who we are its :class:`Caller`, whose names we live under its :class:`Holding`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from gitchat.model.errors import ChatError, StorageError, UserError
from gitchat.model.names import Name, Oid, RoomName
from gitchat.storage import git
from gitchat.workspace.identity import Caller
from gitchat.workspace.opened import Opened
from gitchat.workspace.party import Party
from gitchat.workspace.process import has_terminal, read_variables

if TYPE_CHECKING:  # loaded by who needs them
    from gitchat.presence.holding import Held, Holding
    from gitchat.presence.roll import Roll
    from gitchat.workspace.clone import Clone


@dataclass(frozen=True)
class Environment(Opened):
    """One process's surroundings, and what they mean for gitchat.

    Made from the real ones by :func:`here`; a test gives its own.
    """

    _: KW_ONLY
    is_terminal: bool
    """Whether a person is at a terminal: standard input, output or error is one."""
    acts_as_anyone: bool = False
    """Whether a process that joined may go on acting under any name that nobody else lives under: the contract's rule,
    while everybody else is one participant from then on."""
    is_subagent: bool = False
    """Whether a session's subagent acts, where its client tells it otherwise than by variables."""
    party: Party | None = None
    """Whom this process acts for, where it is not itself: see :meth:`holding`."""

    @cached_property
    def caller(self) -> Caller:
        """Who we are."""
        return Caller(
            self.repository, self.variables, self.is_terminal,
            roll=lambda: self.roll, now=self.now, clone=lambda: self.clone.id(), spoken_elsewhere=self._is_elsewhere,
            is_told_subagent=self.is_subagent, party=self.party,
        )  # fmt: skip

    def _is_elsewhere(self, name: Name) -> bool:
        """Whether an agent of another clone goes by ``name`` these days, in a room here."""
        from gitchat.workspace.elsewhere import speaks  # for a new name: it brings SQLite

        store = self.store
        with suppress(ChatError):
            chains = [self.numbering(room).chain() for room in store.rooms() if self.authorities.of(room) is not None]
            return speaks(name, chains, here=self.clone.known(), now=self.now().seconds, read=store.read)
        return False

    @cached_property
    def clone(self) -> Clone:
        """Which clone this is."""
        from gitchat.workspace.clone import Clone  # for who has a seat

        common_dir = self.repository.location.common_dir
        return Clone(common_dir, store=lambda: self.store, new_id=self.new_uid, roll=lambda: self.roll)

    @cached_property
    def sat(self) -> dict[tuple[RoomName, Name], tuple[int, object]]:
        """In which second, and by which look at the seats, who acts here was last seen to sit; see Seating.sit_down."""
        return {}

    @cached_property
    def unclaimed(self) -> dict[RoomName, Oid]:
        """Up to where it was seen of logs that nothing is claimed there; see workspace/claimed."""
        return {}

    # --- names -------------------------------------------------------------------

    @cached_property
    def roll(self) -> Roll:
        """The names of this clone. Raises as Repository.location."""
        from gitchat.presence.roll import Roll  # for who asks who is here

        if self.party is not None:
            return Roll(self.repository.directory, holding=self.party.holding)
        return Roll(self.repository.directory)

    def holding(
        self,
        holding: Holding,
        *,
        client: str = "http",
        session: str | None = None,
        name: Name | None = None,
        email: str | None = None,
        is_person: bool = False,
        acts_as_anyone: bool = True,
    ) -> Environment:
        """These surroundings for one of several that a process acts for, which lives under the names of ``holding``.

        It shares the store, the index and the repository, and so the one thread that may use them; they are opened
        here. The arguments are those of :class:`Party`. Raises what :attr:`store` raises.
        """
        party = Party(holding, client, session, name, email, is_person)
        made = replace(self, party=party, acts_as_anyone=acts_as_anyone, is_terminal=False, is_subagent=False)
        shared = ("repository", "store", "index", "clone", "authorities", "hints")
        vars(made).update({opened: getattr(self, opened) for opened in shared})
        return made

    def hold(self, name: Name, *, label: str | None = None, given: str | None = None) -> Held:
        """Live under ``name`` until this process ends; the same when it does so already.

        ``label`` is what it is called outside, ``given`` how its name is spelled there; see Holder.

        Raises:
            UserError: ``name-taken`` while another process lives under it; ``bad-label``, ``secret``.
        """
        from gitchat.workspace.secrecy import refuse_names  # for who joins

        refuse_names(filter(None, (name, label, given)), self.secrets())
        held = self.held().get(name)
        if held is None:
            return self.roll.hold(name, self.caller.holder().called(label, given), self.now().seconds)
        held.call(label, given)
        return held

    def held(self) -> dict[Name, Held]:
        """The names that our party lives under; those of our session, where a server has several without parties."""
        here = self.roll.held_here()
        if self.party is not None:
            return here
        return {name: held for name, held in here.items() if self.caller.is_of_session(held.holder)}

    # --- staying, and processes aside -----------------------------------------------------------------

    def allowing_secret(self) -> Environment:
        """These surroundings for a person who says that what looks like a secret is none; nothing is opened in them.

        Raises:
            UserError: ``person-only`` for an agent, whom nobody asked.
        """
        if self.caller.origin != "human":
            raise UserError(
                "only a person can say that what looks like a secret is none",
                hint="leave it out, and say where it is kept; or ask a person to send it",
                code="person-only",
            )
        return replace(self, allows_secret=True)

    def start_shell(self, command: str, told: Mapping[str, str], text: str) -> None:
        """Run a command of the user's by ``sh``, as git does an editor. That it cannot be started is no error.

        Nobody waits for it. ``told`` are more variables, ``text`` is its input.
        """
        variables, given = {**self.variables, **told}, text.encode("utf-8", "replace")
        git.start_aside(["sh", "-c", command], cwd=self.cwd, variables=variables, stdin=given)

    def syncs_by_itself(self) -> bool:
        """Whether who stays here keeps the rooms in step with their remotes: ``chat.sync`` is not ``manual``.

        Raises:
            UserError: ``bad-config``.
        """
        return self.repository.syncs_by_itself()

    @property
    def is_ci(self) -> bool:
        """Whether this is a job of a build server: ``CI`` is set, as all of them do."""
        return self.variables.get("CI", "").lower() not in ("", "0", "false", "no")


def here(
    progress: Callable[[str, int | None], None] = lambda task, count: None,
    cwd: str | None = None,
    warn: Callable[[str], None] = lambda words: None,
) -> Environment:
    """The surroundings of this process, in ``cwd``; ``progress`` is told of long walks, ``warn`` of what may be wrong.

    Raises:
        StorageError: ``no-directory``.
    """
    return Environment(
        cwd=cwd or current_directory(),
        variables=read_variables(),
        is_terminal=has_terminal(),
        progress=progress,
        warn=warn,
    )


def current_directory() -> str:
    """Where this process is. Raises StorageError ``no-directory``."""
    try:
        return os.getcwd()
    except FileNotFoundError as error:
        raise StorageError(
            "the current directory does not exist any more", hint="change to an existing directory", code="no-directory"
        ) from error
