"""What is opened here: the store, the index, logs, names and remotes of the repository we are in.

An Environment is one process's surroundings. Where we are is its :class:`Repository`, who we
are its :class:`Caller`. Everything below gets these, the clock and randomness as arguments.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from gitchat.model import attachment
from gitchat.model.errors import StorageError, UserError
from gitchat.model.names import DEFAULT_ROOM, Name, RoomName, Uid, parse_room, uid_from_random
from gitchat.model.record import DEFAULT_BODY_BYTES, MAX_BODY_BYTES, Moment
from gitchat.model.refs import log_ref
from gitchat.storage import git
from gitchat.storage.store import Store, open_store
from gitchat.workspace.authorities import Authorities
from gitchat.workspace.client import as_client_sees
from gitchat.workspace.config import parse_setting
from gitchat.workspace.identity import Caller
from gitchat.workspace.process import has_terminal, read_clock, read_variables
from gitchat.workspace.repository import Repository

if TYPE_CHECKING:  # loaded by who needs them
    from gitchat.index.database import Index
    from gitchat.presence.roll import Held, Roll
    from gitchat.rooms.log import Log
    from gitchat.rooms.numbering import Numbering
    from gitchat.rooms.writing import Writer
    from gitchat.waking.watch import Changes

HOOK_SECONDS = 2.0
"""How long what a git hook started may take. Who waits longer for a lock waits for somebody who is stuck."""


@dataclass(frozen=True)
class Environment:
    """One process's surroundings, and what they mean for gitchat.

    Made from the real ones by :func:`here`; a test gives its own.
    """

    cwd: str
    variables: Mapping[str, str]
    is_terminal: bool
    """Whether a person is at a terminal: standard input, output or error is one."""
    acts_as_anyone: bool = False
    """Whether a process that joined may go on acting under any name that nobody else lives under: the contract's rule,
    while everybody else is one participant from then on."""
    now: Callable[[], Moment] = field(default=read_clock)
    random_bytes: Callable[[int], bytes] = field(default=os.urandom)
    progress: Callable[[str, int | None], None] = field(default=lambda task, count: None)
    """Told what is done to how many messages, such as ``counting`` and 12,000, in a walk that may take long."""

    @cached_property
    def repository(self) -> Repository:
        """Where we are."""
        return Repository(self.cwd, self.variables)

    @cached_property
    def caller(self) -> Caller:
        """Who we are."""
        return Caller(self.repository, self.variables, self.is_terminal, roll=lambda: self.roll, now=self.now)

    @cached_property
    def authorities(self) -> Authorities:
        """Which remote gives the numbers of which room."""
        return Authorities(self.repository)

    # --- rooms -------------------------------------------------------------------

    @cached_property
    def store(self) -> Store:
        """The store of the repository here. Raises what open_store and Repository.location raise."""
        store = open_store(
            self.repository.location.common_dir,
            variables=git.scrub(self.variables),
            fsync=self.repository.config.get_bool("chat.fsync", True),
            maintain=lambda: self.start_aside("pack"),
            random_bytes=self.random_bytes,
        )
        with suppress(StorageError):  # what was lost cannot be written back now; reading it will say so
            store.heal()
        return store

    @cached_property
    def index(self) -> Index:
        """The index of the logs here."""
        from gitchat.index.database import Index  # SQLite, which a plain send or log does without

        return Index(self.store.directory, self.store.read, partial(self.progress, "indexing"))

    def log(self, name: RoomName) -> Log:
        """The log of the room ``name`` of the repository here, to be read. Raises as :meth:`writer`."""
        from gitchat.rooms.log import Log  # for who reads

        numbering = self.numbering(name)
        self.max_body_bytes(), self.max_attachment_bytes()  # a setting that is wrong is told to readers, too
        return Log(numbering)

    def writer(self, name: RoomName) -> Writer:
        """What adds to that log. Raises UserError ``bad-config`` and what ``store`` raises."""
        from gitchat.rooms.writing import Writer  # for who writes

        return Writer(
            self.numbering(name),
            clock=self.now,
            new_uid=self.new_uid,
            max_body_bytes=self.max_body_bytes(),
            max_attachment_bytes=self.max_attachment_bytes(),
        )

    def numbering(self, name: RoomName) -> Numbering:
        """What gives the log of the room ``name`` its numbers."""
        from gitchat.rooms.numbering import Numbering  # for who has a room at all

        return Numbering(
            self.store,
            name,
            index=lambda: self.index,
            tracking=lambda: self.authorities.tracking(log_ref(name), name),
            progress=partial(self.progress, "counting"),
        )

    def new_uid(self) -> Uid:
        """A uid that nobody has."""
        return uid_from_random(self.random_bytes(10))

    def random(self) -> float:
        """A random number of at least 0 and less than 1."""
        return int.from_bytes(self.random_bytes(4)) / 2**32

    def max_body_bytes(self) -> int:
        """The longest text that may be sent: ``chat.maxBody``. Raises UserError ``bad-config``."""
        return min(self.repository.config.get_bytes("chat.maxBody", DEFAULT_BODY_BYTES), MAX_BODY_BYTES)

    def max_attachment_bytes(self) -> int:
        """The largest file that may be attached: ``chat.maxAttachment``. Raises UserError ``bad-config``."""
        limit = self.repository.config.get_bytes("chat.maxAttachment", attachment.DEFAULT_BYTES)
        return min(limit, attachment.MAX_BYTES)

    def room_name(self, given: str | None) -> RoomName:
        """``given``, else ``chat.room``, else ``lobby``. Raises UserError ``bad-name``."""
        if given is not None:
            return parse_room(given)
        configured = self.repository.config.get("chat.room")
        return parse_setting("chat.room", configured, parse_room) if configured is not None else DEFAULT_ROOM

    def is_new_clone(self) -> bool:
        """Whether there is a remote and no room yet, so that others may have one there."""
        return bool(self.repository.remotes()) and not self.store.rooms()

    def refuse_unknown_room(self, name: RoomName) -> None:
        """Raise UserError ``no-such-room`` when no room here is called ``name``."""
        rooms = self.store.rooms()
        if name not in rooms and not self.store.is_damaged(log_ref(name)):
            raise UserError(
                f"there is no room '{name}' here",
                hint=(
                    f"rooms: {', '.join(rooms)}"
                    if rooms
                    else f'begin it: git chat send --room {name} "hello"'
                    + ("; or fetch it: git chat sync" if self.is_new_clone() else "")
                ),
                code="no-such-room",
            )

    def changes(self, also: Callable[[], object] = lambda: None) -> Changes:
        """What wakes a reader when a room here changes; to be closed. Raises what ``store`` raises.

        ``also`` is compared like the rooms: another value of it wakes too, within a second.
        """
        from gitchat.waking.watch import Changes  # a library, for who waits

        def read_refs() -> object:
            return self.store.tips(), self.store.tracked() if self.authorities.all() else (), also()

        return Changes(self.repository.location.common_dir, read_refs=read_refs)

    # --- names -------------------------------------------------------------------

    @cached_property
    def roll(self) -> Roll:
        """The names of this clone. Raises as Repository.location."""
        from gitchat.presence.roll import Roll  # for who asks who is here

        return Roll(self.repository.directory)

    def hold(self, name: Name) -> Held:
        """Live under ``name`` until this process ends; the same when it does so already.

        Raises:
            UserError: ``name-taken`` while another process lives under it.
        """
        held = self.held().get(name)
        return held or self.roll.hold(name, self.caller.holder(), self.now().seconds)

    def held(self) -> dict[Name, Held]:
        """The names that this process lives under in our session; a server may have others for other sessions."""
        here = self.roll.held_here()
        return {name: held for name, held in here.items() if self.caller.is_of_session(held.holder)}

    # --- staying, and processes aside -----------------------------------------------------------------

    def syncs_by_itself(self) -> bool:
        """Whether who stays here keeps the rooms in step with their remotes: ``chat.sync`` is not ``manual``.

        Raises:
            UserError: ``bad-config``.
        """
        return self.repository.config.get_choice("chat.sync", ("batch", "manual")) == "batch"

    def start_aside(self, *arguments: str) -> None:
        """Run ``git chat`` with these arguments in a process of its own, which nobody waits for."""
        # -P: without it Python would look for "gitchat" in the current directory first, which is a stranger's.
        git.start_aside([sys.executable, "-P", "-m", "gitchat", *arguments], cwd=self.cwd, variables=self.variables)

    # --- other surroundings ------------------------------------------------------

    def outside_the_hook(self) -> Environment:
        """These surroundings without what git exports to a hook for one command: the index, author and date of a
        commit, which are not ours. Which repository it is stays.
        """
        kept = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR")
        repository = {name: self.variables[name] for name in kept if name in self.variables}
        return replace(self, variables={**git.scrub(self.variables), **repository}, is_terminal=False)

    def hook_seconds(self) -> float:
        """How long what a hook started may take: ``GITCHAT_HOOK_SECONDS``, else 2."""
        try:
            return max(0.001, float(self.variables.get("GITCHAT_HOOK_SECONDS", "")))
        except ValueError:
            return HOOK_SECONDS

    def in_session(self, session: str, name: Name) -> Environment:
        """These surroundings for a process that goes by ``name``, and for what it starts."""
        return replace(self, variables={**self.variables, "GITCHAT_NAME": name, "GITCHAT_SESSION": session})

    def in_client(self, client: str, session: str = "", thread: str = "", project: str = "") -> Environment:
        """These surroundings as a shell of ``client`` has them in this session, for its hook or a call of its server.

        These may run elsewhere, and without the client's variables; the name has to be the one of the shell all the
        same. ``thread`` is the conversation, where it is a subagent's; ``project`` the session's directory, if told.
        """
        project = project or (self.variables.get("CLAUDE_PROJECT_DIR", "") if client == "claude" else "")
        variables = as_client_sees(self.variables, client, session, thread)
        return replace(self, variables=variables, cwd=project if os.path.isdir(project) else self.cwd)


def here(progress: Callable[[str, int | None], None] = lambda task, count: None, cwd: str | None = None) -> Environment:
    """The surroundings of this process, in ``cwd``; ``progress`` is told of long walks.

    Raises:
        StorageError: ``no-directory``.
    """
    try:
        cwd = cwd or os.getcwd()
    except FileNotFoundError as error:
        raise StorageError(
            "the current directory does not exist any more", hint="change to an existing directory", code="no-directory"
        ) from error
    return Environment(cwd=cwd, variables=read_variables(), is_terminal=has_terminal(), progress=progress)
