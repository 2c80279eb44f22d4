"""What is opened here, whoever acts: the repository that we are in, its store, index and logs.

Everything below gets these, the clock and randomness as arguments.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from gitchat.model import attachment
from gitchat.model.errors import ChatError, FormatError, StorageError
from gitchat.model.names import DEFAULT_ROOM, Oid, RoomName, Uid, parse_room, uid_from_random
from gitchat.model.record import DEFAULT_BODY_BYTES, MAX_BODY_BYTES, Moment
from gitchat.model.refs import log_ref, summaries_ref
from gitchat.quick import booted
from gitchat.quick.rules import is_suspect
from gitchat.storage import git
from gitchat.storage.store import Store, open_store
from gitchat.workspace.authorities import Authorities
from gitchat.workspace.config import Config, parse_setting
from gitchat.workspace.process import read_clock
from gitchat.workspace.repository import Repository

if TYPE_CHECKING:  # loaded by who needs them
    from gitchat.index.arrivals import Arrived
    from gitchat.index.chain import Chain
    from gitchat.index.database import Index
    from gitchat.model.secrets import Policy
    from gitchat.rooms.hints import Hints
    from gitchat.rooms.log import Log
    from gitchat.rooms.numbering import Numbering
    from gitchat.rooms.summaries import Summaries
    from gitchat.rooms.writing import Writer
    from gitchat.waking.watch import Changes

AGENTS_PATIENCE_SECONDS = 1.0
"""How long an agent waits for a long log to be counted: its answer shall come within five."""

PROGRAM = str(Path(__file__).parents[1] / "__main__.py")
"""The file that Python runs as ``git-chat``, where no script is at hand."""


@dataclass(frozen=True)
class Opened:
    """A repository and what is opened of it, each when it is first asked for, and for one thread."""

    cwd: str
    variables: Mapping[str, str]
    now: Callable[[], Moment] = field(default=read_clock)
    random_bytes: Callable[[int], bytes] = field(default=os.urandom)
    progress: Callable[[str, int | None], None] = field(default=lambda task, count: None)
    """Told what is done to how many messages, such as ``counting`` and 12,000, in a walk that may take long."""
    patience_seconds: float = math.inf
    """How long to wait for a long log to be taken into the index; who has less is told that it goes on without it."""
    warn: Callable[[str], None] = field(default=lambda words: None)
    """Told what of a text looks like a secret, where the repository's settings let it pass."""
    allows_secret: bool = False
    """Whether a person said that what looks like a secret is none."""

    @cached_property
    def repository(self) -> Repository:
        """Where we are."""
        return Repository(self.cwd, self.variables)

    @cached_property
    def authorities(self) -> Authorities:
        """Which remote gives the numbers of which room."""
        return Authorities(self.repository, lambda: self.store)

    @cached_property
    def store(self) -> Store:
        """The store of the repository here. Raises what open_store and Repository.location raise."""
        store = open_store(
            self.repository.location.common_dir,
            variables=git.scrub(self.variables),
            fsync=self.repository.config.get_bool("chat.fsync", True),
            sharing=self.repository.config.sharing(),
            maintain=lambda: self.start_aside("pack"),
            random_bytes=self.random_bytes,
        )
        with suppress(StorageError):  # what was lost cannot be written back now; reading it will say so
            store.heal()
        store.is_settled = booted.is_settled(str(store.directory))
        if not store.is_settled:
            from gitchat.rooms.aftermath import settle  # once after each start of the system

            with suppress(ChatError, OSError):  # who writes tries it again, and is told
                settle(store)
        return store

    @cached_property
    def index(self) -> Index:
        """The index of the logs here."""
        from gitchat.index.database import Index  # SQLite, which a plain send or log does without
        from gitchat.storage.line import Line

        line = Line(self.store.common_dir, git.scrub(self.variables))
        store = self.store
        index = Index(store.directory, store.read, partial(self.progress, "indexing"), line, store.raw_commit)
        index.builder.patience_seconds = self.patience_seconds
        index.builder.aside = self._count_aside
        return index

    @cached_property
    def hints(self) -> Hints:
        """What was seen of the rooms here when they were read last."""
        from gitchat.rooms.hints import Hints  # for who reads

        return Hints()

    def newest(self, name: RoomName) -> Chain:
        """The chain of a room for who asks of its newest records: mostly without the index. Raises as its Numbering."""
        from gitchat.rooms.near import near  # for who reads

        return near(self.numbering(name), self.index, self.hints)

    def told(self, oid: Oid) -> tuple[Oid, str | None] | None:
        """The parent of a commit, and the kind of its record, where we just wrote it or took it in; None of any other.

        Reads nothing, and opens no index.
        """
        spoken = self.store.spoken
        if spoken is not None and spoken[0] == oid:
            return spoken[1], None
        if "hints" in vars(self) and oid in self.hints.told:
            return self.hints.told[oid]
        return self.index.told(oid) if "index" in vars(self) else None

    def _count_aside(self, room: str, descriptor: int) -> None:
        """Have a room taken into the index by a process that has the turn from then on."""
        self.start_aside(
            "count", "--room", room, "--held", str(descriptor), keep_open=(descriptor,), is_awaited=True
        )  # fmt: skip

    def arrived(
        self, after: int = 0, epoch: str | None = None, limit: int | None = None, *, rooms: Iterable[RoomName] = ()
    ) -> Arrived:
        """As :meth:`Index.arrived`, where ``rooms`` are taken in first, and without what was taken back meanwhile.

        Raises what ``store`` raises.
        """
        totals: dict[RoomName, int] = {}

        def look(room: RoomName) -> int:
            if room not in totals:
                totals[room] = 0
                with suppress(FormatError):  # a damaged room hides no other
                    totals[room] = self.numbering(room).chain().total
            return totals[room]

        for room in rooms:
            look(room)
        found = self.index.arrived(after, epoch, limit)
        kept = [one for one in found.records if not one.place.is_pending or one.place.number <= look(one.room)]
        return found._replace(records=kept)

    def log(self, name: RoomName) -> Log:
        """The log of the room ``name`` of the repository here, to be read. Raises as :meth:`writer`."""
        from gitchat.rooms.log import Log  # for who reads

        numbering = self.numbering(name)
        self.max_body_bytes(), self.max_attachment_bytes()  # a setting that is wrong is told to readers, too
        return Log(numbering)

    def writer(self, name: RoomName) -> Writer:
        """What adds to that log; the same until a setting changes. Raises UserError ``bad-config``, as ``store``."""
        from gitchat.rooms.writing import Writer  # for who writes

        made_of = (self.repository.config, self.store)
        known = self._writers.get(name)
        if known is not None and known[0] is made_of[0] and known[1] is made_of[1]:
            return known[2]
        writer = Writer(
            self.numbering(name),
            clock=self.now,
            new_uid=self.new_uid,
            begins=lambda: self.follow(name),
            max_body_bytes=self.max_body_bytes(),
            max_attachment_bytes=self.max_attachment_bytes(),
            secrets=self.secrets(),
        )
        self._writers[name] = (*made_of, writer)
        return writer

    @cached_property
    def _writers(self) -> dict[RoomName, tuple[Config, Store, Writer]]:
        """What was made of which configuration and which store."""
        return {}

    def secrets(self) -> Policy:
        """What is done of what looks like a secret: ``chat.secrets``. Raises UserError ``bad-config``."""
        from gitchat.workspace.secrecy import policy  # for who writes

        return policy(self.repository.config, self.warn, is_allowed=self.allows_secret)

    def numbering(self, name: RoomName) -> Numbering:
        """What gives the log of the room ``name`` its numbers."""
        from gitchat.rooms.numbering import Numbering  # for who has a room at all

        return Numbering(
            self.store,
            name,
            index=lambda: self.index,
            tracking=lambda: self.authorities.tracking(log_ref(name), name),
            progress=partial(self.progress, "counting"),
            counts_itself=self.patience_seconds == math.inf,
        )

    def summaries(self, name: RoomName) -> Summaries:
        """The summaries of the room ``name``."""
        from gitchat.rooms.summaries import Summaries  # for who comes back

        tracking = self.authorities.tracking(summaries_ref(name), name)
        return Summaries(self.store, lambda: self.index, name, tracking)

    def follow(self, name: RoomName) -> None:
        """A room begins here: it follows the remote that the others follow."""
        remote = self.repository.arrives_at()
        if remote is not None:
            self.authorities.follow_others(name, remote)

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

    def max_work_bytes(self) -> int:
        """How much uncommitted work one message hands over: ``chat.maxWork``. Raises UserError ``bad-config``."""
        from gitchat.model.overlay import DEFAULT_BYTES  # for who hands over work

        return min(self.repository.config.get_bytes("chat.maxWork", DEFAULT_BYTES), attachment.MAX_BYTES)

    def room_name(self, given: str | None) -> RoomName:
        """``given``, else ``chat.room``, else ``lobby``. Raises UserError ``bad-name``, ``secret``."""
        if given is not None:
            if is_suspect(given.encode("utf-8", "replace")):  # seats and cursors are called by it, too
                from gitchat.workspace.secrecy import refuse_names  # for who names such a room

                refuse_names([given], self.secrets())
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
            from gitchat.rooms.refusing import no_such_room  # for who mistyped it

            raise no_such_room(name, rooms, may_fetch=self.is_new_clone())

    def changes(self, also: Callable[[], object] = lambda: None, *, logs_only: bool = False) -> Changes:
        """What wakes a reader when a room here changes; to be closed. Raises what ``store`` raises.

        ``also`` is compared like the rooms: another value of it wakes too, within a second. With ``logs_only`` nobody's
        reading wakes, and comparing costs no more where many have read.
        """
        from gitchat.waking.watch import Changes  # a library, for who waits

        def read_refs() -> object:
            store, follows = self.store, bool(self.authorities.all())
            if logs_only:
                return store.log_tips(), store.tracked_logs() if follows else (), also()
            return store.tips(), store.tracked() if follows else (), also()

        return Changes(self.repository.location.common_dir, read_refs=read_refs)

    def start_aside(self, *arguments: str, keep_open: tuple[int, ...] = (), is_awaited: bool = False) -> None:
        """Run ``git chat`` with these arguments in a process of its own, at low priority unless it ``is_awaited``.

        The descriptors ``keep_open`` stay open in it, and with them the kernel locks that they hold.
        """
        # Not -m: that imports, along the path that a stranger's project may be in, before our first line.
        command = [sys.executable, "-P", PROGRAM, *arguments]
        git.start_aside(command, cwd=self.cwd, variables=self.variables, keep_open=keep_open, is_awaited=is_awaited)
