"""Which remote gives the numbers of which room: the settings ``chatroom.<room>.remote``, and the notes beside them.

A person who attaches a room gets a setting. A room that joined by itself has a note in
``chatroom/authorities`` alone. Where that was deleted, the refs of what was fetched say the same.
Source: docs/format.md sections 7.15 and 12.1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gitchat.model.names import RefName, RoomName, is_slug
from gitchat.model.refs import fetched_ref, log_ref, tracking_ref
from gitchat.storage.store import Store
from gitchat.workspace.config import bad_config
from gitchat.workspace.repository import Repository

if TYPE_CHECKING:
    from gitchat.clones.notes import Note, Notes
    from gitchat.model.layout import Layout


@dataclass(frozen=True)
class Authorities:
    """The authorities of the rooms of one repository. Reading raises UserError ``bad-config``."""

    repository: Repository
    store: Callable[[], Store]

    @property
    def notes(self) -> Notes:
        """Where the authorities stood when that was last agreed to."""
        from gitchat.clones.notes import Notes  # for who syncs

        return Notes(self.repository.directory)

    # --- reading -------------------------------------------------------------------

    def of(self, room: RoomName) -> str | None:
        """The remote that gives the numbers of ``room``. None where this clone does.

        What another process set meanwhile is seen: a sync beside us may have attached the room. Where two files tell
        all, what they told is known as long as they are the same: it is asked several times for each message.
        """
        look = self.look()
        known: tuple[object, dict[RoomName, str | None]] = self.__dict__.setdefault("_told", (look, {}))
        if look is None or known[0] != look:
            known = self.__dict__["_told"] = (look, {})
        if room not in known[1]:
            known[1][room] = self._of(room)
        return known[1][room]

    def _of(self, room: RoomName) -> str | None:
        setting = self._setting(room)
        if setting is not None:
            return setting or None
        noted = self._noted()
        if noted is None:
            return self._told_by_refs(room)
        return noted[room].remote or None if room in noted else None

    def all(self) -> dict[RoomName, str]:
        """The rooms that a remote numbers, and which one."""
        self.repository.forget_old_config()
        names = {*self.repository.config.subsections("chatroom", "remote")}
        noted = self._noted()
        if noted is not None:
            names |= noted.keys()
        elif self.repository.remotes():
            names |= {*self.store().rooms()}
        found = {RoomName(room): self.of(RoomName(room)) for room in sorted(names) if is_slug(room)}
        return {room: remote for room, remote in found.items() if remote is not None}

    def look(self) -> tuple[int, ...] | None:
        """What is another one whenever :meth:`all` may be; None where refs alone tell, which is not worth a look."""
        config, notes = self._files
        try:
            first = os.stat(config)
        except OSError:
            return None
        self.repository.forget_old_config(first)
        of_config = first.st_ino, first.st_size, first.st_mtime_ns
        try:
            second = os.stat(notes)
        except FileNotFoundError:
            return None if self.repository.remotes() else of_config
        except OSError:
            return None
        return *of_config, second.st_ino, second.st_size, second.st_mtime_ns

    @cached_property
    def _files(self) -> tuple[str, str]:
        return f"{self.repository.location.common_dir}/config", f"{self.repository.directory}/authorities"

    def is_set(self, room: RoomName) -> bool:
        """Whether the configuration says which remote ``room`` follows, and not the notes alone."""
        return bool(self._setting(room))

    def is_settled(self, room: RoomName) -> bool:
        """Whether ``room`` follows a remote, or somebody said that it does not."""
        return self._setting(room) is not None or room in (self._noted() or {}) or self.of(room) is not None

    def has_arrived(self, room: RoomName) -> bool:
        """Whether there is nothing to look for, or to say, before something is done in ``room``.

        True of most rooms, and quickly: it is asked before each message. Raises what ``store`` raises, too.
        """
        if self.repository.arrives_at() is None:
            return True
        store = self.store()
        is_here = store.is_damaged(log_ref(room)) or store.tip(log_ref(room)) is not None
        # The setting first: the notes bring more code than the rest of a send has to load.
        return is_here and (bool(self._setting(room)) or self._noted() is None or self.of(room) is not None)

    def tracking(self, ref: RefName, room: RoomName) -> RefName | None:
        """The copy of ``ref`` as the authority of ``room`` has it; None without an authority."""
        authority = self.of(room)
        return tracking_ref(authority, ref) if authority is not None else None

    def layout(self, remote: str) -> Layout:
        """What the refs of rooms are called at ``remote``: as the setting says, else as it was found there.

        Raises UserError ``bad-config``.
        """
        from gitchat.model.layout import PLAIN  # for who talks to a remote, as the next

        return self.known_layout(remote) or PLAIN

    def known_layout(self, remote: str) -> Layout | None:
        """As :meth:`layout`; None where nobody said it and nobody looked."""
        from gitchat.model.layout import BRANCHES, parse_prefix

        self.repository.forget_old_config()
        key = _prefix_key(remote)
        setting = self.repository.config.get(key)
        if setting is None:
            return self._noted_layout(remote)
        layout = parse_prefix(setting)
        if layout is None:
            raise bad_config(key, setting, f"{BRANCHES.prefix}, or another name of branches that ends in a slash")
        return layout

    def _noted_layout(self, remote: str) -> Layout | None:
        """What was noted last of what the refs of rooms are called at ``remote``; else as it is where they stand."""
        from gitchat.clones.address import parted

        noted = self.notes.read()
        if noted is None or remote in noted.layouts:
            return noted.layouts[remote] if noted is not None else None
        places = (note.address for note in noted.rooms.values() if note.remote == remote and note.address)
        return next((parted(place)[1] for place in places), None)

    def lay(self, remote: str, layout: Layout) -> None:
        """From now on the refs of rooms are called as in ``layout`` at ``remote``: a setting stays a setting.

        Raises as :meth:`attach`, and as Notes.put.
        """
        if self.repository.config.get(_prefix_key(remote)) is not None:
            self.repository.set_config(_prefix_key(remote), layout.prefix)
        self.notes.put_layout(remote, layout)

    def set_layout(self, remote: str, layout: Layout) -> None:
        """As :meth:`lay`, because a person says it."""
        self.repository.set_config(_prefix_key(remote), layout.prefix)
        self.lay(remote, layout)

    def _setting(self, room: RoomName) -> str | None:
        self.repository.forget_old_config()
        return self.repository.config.get(_key(room))

    def _noted(self) -> Mapping[RoomName, Note] | None:
        """What is noted of the rooms; None where nothing can be read. The same again while the file is the same."""
        try:
            status = os.stat(f"{self.repository.directory}/authorities")
        except OSError:
            return None  # without a look at the code that reads it: it is on the way of every message
        is_now = (status.st_ino, status.st_size, status.st_mtime_ns)
        known: tuple[tuple[int, int, int], Mapping[RoomName, Note] | None] | None = self.__dict__.get("_known")
        if known is None or known[0] != is_now:
            read = self.notes.read()
            known = (is_now, read.rooms if read is not None else None)
            self.__dict__["_known"] = known
        return known[1]

    def _told_by_refs(self, room: RoomName) -> str | None:
        """The remote of which refs here tell that ``room`` follows it.

        A version before this one left a tracking ref also of a room that was taken off its remote, and fetched to
        nowhere else.
        """
        log, store = log_ref(room), self.store
        for remote in self.repository.remotes():
            if store().tip(tracking_ref(remote, log)) is not None and store().tip(fetched_ref(remote, log)) is not None:
                return remote
        return None

    # --- writing -------------------------------------------------------------------

    def attach(self, room: RoomName, remote: str) -> None:
        """From now on ``remote`` gives the numbers of ``room``, because a person said so.

        Raises:
            StorageError: ``config-refused``: git could not write the setting.
        """
        self.repository.set_config(_key(room), remote)

    def follow_others(self, room: RoomName, remote: str) -> None:
        """Let ``room``, which begins here, follow ``remote`` from its first record on, if a room here does already.

        With the write lock held. Raises as Notes.put.
        """
        from gitchat.clones.notes import Note  # for who begins a room

        others = [other for other, authority in self.all().items() if authority == remote]
        if not others or self.is_settled(room):
            return
        notes = self.notes.all()
        places = [note.address for other in others if (note := notes.get(other)) is not None and note.remote == remote]
        self.notes.put({room: Note(remote, next(filter(None, places), ""))})

    def copy(self, room: RoomName, other: RoomName) -> None:
        """Let ``other``, which is to take the place of ``room``, follow whom that follows. Raises as ``detach``."""
        self.notes.put({other: self.notes.of(room)})
        remote = self._setting(room)
        if remote is not None:
            self.attach(other, remote)

    def rename(self, room: RoomName, remote: str) -> None:
        """The remote of ``room`` is called ``remote`` now: in the setting, where there is one. Raises as ``attach``."""
        if self._setting(room) is not None:
            self.attach(room, remote)

    def detach(self, room: RoomName) -> None:
        """From now on this clone gives the numbers of ``room``, and nothing but a person changes that.

        Raises as :meth:`attach`, and as Notes.put.
        """
        from gitchat.clones.notes import HERE  # for who detaches

        self._unset(room)  # first: until it is noted the old note still says what was so
        self.notes.put({room: HERE})

    def forget(self, room: RoomName) -> None:
        """Know nothing of ``room``, as if it had never been here. Raises as :meth:`detach`."""
        self._unset(room)
        self.notes.put({room: None})

    def _unset(self, room: RoomName) -> None:
        if self._setting(room) is not None:
            self.repository.set_config(_key(room), None)


def _key(room: RoomName) -> str:
    return f"chatroom.{room}.remote"


def _prefix_key(remote: str) -> str:
    return f"chatremote.{remote}.prefix"
