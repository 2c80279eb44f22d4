"""Fetching branches that others told of, for who keeps a clone in step: copies of our own, and nothing else moves.

After a round that brought something the branches are looked for; where one is new, a look at conflicts is asked for.
Source: docs/format.md section 12.30.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from gitchat.model.errors import ChatError, FormatError
from gitchat.model.names import Oid, RefName
from gitchat.model.refs import HEADS, copies_prefix, copy_ref, known_prefix
from gitchat.storage.git import GitFailed
from gitchat.workspace import asking

if TYPE_CHECKING:
    from gitchat.clones.report import Report
    from gitchat.clones.wire import Wire
    from gitchat.verbs.room import Room
    from gitchat.workspace.environment import Environment

EVERY_SECONDS = 600.0
"""How often they are looked for where no record came that would tell of one."""

LEAST_SECONDS = 10.0
"""How long after a look the next one comes at the soonest, however much is said."""

LIMIT_SECONDS = 30.0
"""How long they may keep us from the rooms."""


class Branches:
    """The copies of branches of ``remote``. For one thread, which holds the keeper's lock."""

    def __init__(self, environment: Environment, remote: str, *, only_named: bool = False) -> None:
        """With ``only_named`` nothing is asked for where nobody told of a branch."""
        self._environment = environment
        self._remote = remote
        self._only_named = only_named
        self._looked: float | None = None
        self._seen: object = None
        """What others shared when it was looked last."""

    def look(self, done: Report | ChatError) -> None:
        """After a round: fetch what is due, and ask for a look at conflicts where something is new. Never fails."""
        if isinstance(done, ChatError):
            return
        with suppress(ChatError, GitFailed, OSError):
            self._clear()
            has_come = any(done.fetched.values())
            is_new = self._fetch() if self._is_due(has_come=has_come) else False
            shared = self._shared()
            is_first = self._seen is None
            is_new |= not is_first and shared != self._seen
            self._seen = shared
            if (is_new or has_come or is_first) and self._note_wanted() and is_new:
                asking.ask(self._environment)

    def _is_due(self, *, has_come: bool) -> bool:
        if not self._environment.repository.config.get_bool("chat.fetchBranches", True):
            return False
        past = time.monotonic() - self._looked if self._looked is not None else None
        return past is None or past >= (LEAST_SECONDS if has_come else EVERY_SECONDS)

    def _fetch(self) -> bool:
        """Bring the copies up to date; whether one of them moved. Raises RemoteError, UserError, StorageError."""
        from gitchat.workspace.remotes import wire_to  # for who fetches

        self._looked = time.monotonic()
        store = self._environment.store
        named = self._named()
        if self._only_named and not named:
            return False
        wanted = self._wanted(named)
        known = dict(store.backend.list_refs(copies_prefix(self._remote)))
        wire = wire_to(self._environment, self._remote, limit_seconds=LIMIT_SECONDS)
        there = self._there(wire, wanted)
        gone = {ref: oid for ref, oid in known.items() if ref not in there}
        for ref, oid in gone.items():
            store.remove(ref, oid, f"gitchat: gone at {self._remote}, or no one's work any more")
        new = {ref: oid for ref, oid in there.items() if known.get(ref) != oid}
        if new:
            prefix = copies_prefix(self._remote)
            wire.fetch_branches({RefName(HEADS + ref.removeprefix(prefix)): ref for ref in new})
        return bool(new or gone)

    def _there(self, wire: Wire, wanted: list[str]) -> Mapping[RefName, Oid]:
        """Where the remote has the branches ``wanted``; what stands below another of them is left out."""
        if not wanted:
            return {}
        listed = wire.listed(*(HEADS + branch for branch in wanted))
        found = {branch: listed[RefName(HEADS + branch)] for branch in wanted if HEADS + branch in listed}
        return {copy_ref(self._remote, branch): oid for branch, oid in found.items()}

    def _named(self) -> list[str]:
        """The branches that were told of, the newest first."""
        from gitchat.verbs.afar import branches_named  # for who keeps

        named: list[str] = []
        for room in self._rooms():
            with suppress(FormatError):
                named += branches_named(room)
        return named

    def _wanted(self, named: list[str]) -> list[str]:
        """The branches to fetch: the base, and those that were told of."""
        from gitchat.verbs.afar import MOST_BRANCHES  # for who keeps

        base = self._base()
        wanted = [*([base] if base is not None else []), *named]
        return [one for one in dict.fromkeys(wanted) if not set(one) & set("*?[\\")][:MOST_BRANCHES]

    def _base(self) -> str | None:
        """The branch of the remote that is the base, as far as git knows it here."""
        repository, prefix = self._environment.repository, known_prefix(self._remote)
        told = repository.config.get("chat.base") or f"{prefix}HEAD"
        with suppress(GitFailed):
            full = repository.git("rev-parse", "--symbolic-full-name", "--end-of-options", told).decode()
            ref = full.removeprefix("--end-of-options\n").strip("\n")
            return ref.removeprefix(prefix) if ref.startswith(prefix) else None
        return None

    def _rooms(self) -> list[Room]:
        from gitchat.verbs.room import Room  # for who keeps

        following = self._environment.authorities.all()
        return [Room(self._environment, room) for room in self._environment.store.rooms()
                if following.get(room) == self._remote]  # fmt: skip

    def _shared(self) -> dict[RefName, Oid]:
        from gitchat.verbs.afar import shares_there  # for who keeps

        return {ref: oid for room in self._rooms() for ref, oid in shares_there(room).items()}

    def _clear(self) -> None:
        """Remove from the remote what clones shared that are gone, where this one pushes."""
        if not self._only_named and not self._environment.syncs_by_itself():
            return
        from gitchat.verbs.sharing import clear_deserted  # for who keeps

        for room in self._rooms():
            with suppress(ChatError):
                clear_deserted(room)

    def _note_wanted(self) -> bool:
        from gitchat.verbs.room import Room
        from gitchat.verbs.unasked import note_wanted  # for who keeps

        return note_wanted(Room(self._environment))
