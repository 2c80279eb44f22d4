"""What a round with a remote did, and what somebody has to agree to before it does it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gitchat.clones.answer import Pushed
from gitchat.clones.place import Standing
from gitchat.model.errors import ConflictError, RemoteError
from gitchat.model.layout import BRANCHES, PLAIN, Layout
from gitchat.model.names import Handle, Oid, RefName, RoomName
from gitchat.model.refs import LOCAL_PREFIX, room_of, room_of_log, summaries_ref

Agreed = Callable[[RoomName], bool]
"""Whether somebody agreed that the records of a room here get new numbers."""


def nobody(room: RoomName) -> bool:
    """Nobody agreed to anything."""
    return False


def cleaning(remote: str, layout: Layout) -> str:
    """The command that removes what only a clone should have from ``remote``, whose rooms stand as in ``layout``."""
    name = shlex.quote(remote)
    patterns = f"'{LOCAL_PREFIX}*'" + f" '{PLAIN.prefix}*'" * (not layout.is_plain)
    return f"git push {name} --delete $(git ls-remote {name} {patterns} | cut -f2)"


def leftovers(remote: str, layout: Layout) -> str:
    """That ``remote`` has such refs, and is no clone."""
    return (
        f"'{remote}' has refs of a clone, as git push --mirror leaves them, and version 0.1.0 refuses it for that; "
        f"to remove them: {cleaning(remote, layout)}"
    )


class WouldRenumber(ConflictError):
    """Messages of ``room`` here would lose the numbers that were shown, and nobody agreed to that."""

    def __init__(self, remote: str, room: RoomName, count: int) -> None:
        which = f"{count} message{'s' if count != 1 else ''}" if count else "the messages"
        super().__init__(
            f"the remote '{remote}' has a room '{room}' of its own: {which} here would get new numbers",
            hint=f"agree to it: git chat sync {remote} --yes; or keep it apart: git chat sync --room OTHER",
            code="would-renumber",
        )
        self.room = room


class OtherPlace(ConflictError):
    """What stands at a remote is not the log that ``room`` follows, and nobody agreed to go on with it."""

    def __init__(
        self, remote: str, room: RoomName, standing: Standing, address: str, *, is_same: bool, upto: int
    ) -> None:
        """``address`` as two are compared; ``is_same`` is whether it is the one that we knew.

        ``upto`` is the last number that both logs have in common.
        """
        where = (
            f"another repository stands at '{remote}'" if is_same else f"'{remote}' is at another address ({address})"
        )
        what = {
            Standing.PARTED: f"room '{room}' goes another way there since #{upto}",
            Standing.STRANGER: f"it has another room '{room}'",
            Standing.GONE: f"room '{room}' is not there",
            Standing.EMPTY: "no room is there",
        }[standing]
        moved = f"if the rooms moved there: git chat remote move {remote}; " * (standing is not Standing.STRANGER)
        super().__init__(
            f"{where}, and {what}; nothing was joined or pushed",
            hint=f"{moved}to take the numbers there: git chat remote attach {room} {remote} --yes; "
            f"to number here: git chat remote detach {room} --yes",
            code="another-place",
        )
        self.room = room


class OtherPushPlace(ConflictError):
    """What is pushed to a remote would go to another place than the one that is fetched from."""

    def __init__(self, remote: str, fetched: str, pushed: str, rooms: Iterable[RoomName] = ()) -> None:
        """``fetched`` and ``pushed`` are addresses as two are compared; ``rooms`` follow the remote already."""
        name = shlex.quote(remote)
        follow = "".join(f"git config chatroom.{room}.remote chat; " for room in rooms)
        super().__init__(
            f"'{remote}' fetches from {fetched} and its push URL is {pushed}, which has not the rooms that were "
            "fetched; nothing was pushed",
            hint="give the place where the rooms shall stand a name of its own: "
            f'git remote add chat "$(git remote get-url {name})"; {follow}git chat sync chat',
            code="another-place",
        )


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person agreed to; by default to nothing, as nobody who is not there can."""

    renumbers: Agreed = nobody
    """That the records of a room here get new numbers."""
    takes: Agreed = nobody
    """That a room follows what stands at its remote now, also where that is another log than before."""
    has_moved: bool = False
    """That the rooms stand at the remote's present address now."""
    goes_anywhere: bool = False
    """That a room of which nothing was seen yet follows its remote to another address."""
    brings_back: frozenset[Standing] = frozenset()
    """That what the remote has no more is pushed again."""
    takes_purges: bool = False
    """That what was purged at the remote goes here, too, where somebody wants to be asked."""


@dataclass(slots=True)
class Report:
    """What a round did, or some of them together."""

    remote: str
    layout: Layout = PLAIN
    """What the remote calls the refs of rooms."""
    has_seen: bool = False
    """Whether something of a room was seen there before."""
    fetched: dict[RoomName, int] = field(default_factory=dict)
    """How many records came in."""
    pushed: dict[RoomName, int] = field(default_factory=dict)
    """How many records the remote accepted."""
    renumbered: dict[RoomName, int] = field(default_factory=dict)
    """How many records here get new numbers; told by a preview alone."""
    refused: list[Pushed] = field(default_factory=list)
    alone: dict[RoomName, Handle] = field(default_factory=dict)
    """Rooms of which just one record is pending, which the remote refused: which one."""
    give_up: dict[RoomName, str] = field(default_factory=dict)
    """Rooms of which the remote refused the summaries that are pending: the command that gives these up here."""
    alarms: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was done here because somebody did it at the remote."""
    attached: list[RoomName] = field(default_factory=list)
    taken: dict[RefName, Oid] = field(default_factory=dict)
    """Where the remote let a log or summaries be: what others may not have yet."""
    begun: list[RoomName] = field(default_factory=list)
    """Rooms that it had not before."""
    accepted: int = 0
    """How many refs the remote took, cursors and summaries among them."""
    staying: list[RoomName] = field(default_factory=list)
    """Rooms with which nothing was done, because they are for this clone alone."""
    newer: dict[RoomName, int] = field(default_factory=dict)
    """Rooms that were fetched and not pushed, because they ask their writers to know a later format: which one."""
    blocked: dict[RoomName, str] = field(default_factory=dict)
    """Rooms whose log or summaries the remote cannot take, since a ref of no room's is in the way; what deletes it."""
    denial: str = ""
    """Why nothing may be pushed, in the remote's words; empty where something may be, as far as is known."""
    in_fork: dict[RoomName, str] = field(default_factory=dict)
    """Rooms whose remote does not take what is said here, so that it waits in our fork: which remote that is."""
    pushes: int = 0
    """How often the remote was asked to take something."""
    is_overtaken: bool = False
    """Whether somebody wrote here while a room was being attached, which another round has to push first."""

    @property
    def is_late(self) -> bool:
        """Whether somebody else was quicker, so that another round may do."""
        return self.is_overtaken or any(one.is_late for one in self.refused)

    @property
    def refusal(self) -> RemoteError | None:
        """Why the remote did not take a ref: the first that did not come too late.

        ``push-denied``, where nothing may be pushed; ``ref-refused``, ``push-refused``.

        None when it took all.
        """
        for blocked, remedy in self.blocked.items():
            return RemoteError(
                f"'{self.remote}' cannot take room '{blocked}': a ref of no room's is in the way",
                hint=f"nothing is lost: it stays pending; delete that ref: {remedy}; then: git chat sync {self.remote}",
                code="ref-refused",
            )
        if not self.refused:
            return None
        kept = "nothing is lost: it stays pending"
        if self.denial:
            return RemoteError(
                f"'{self.remote}' lets you read and not push: {self.denial}",
                hint=f"{kept}; ask who runs '{self.remote}' to let you push, and then: git chat sync {self.remote}",
                code="push-denied",
            )
        first = next((one for one in self.refused if not one.is_late), self.refused[0])
        said = f"'{self.remote}' did not take {self.layout.there(first.ref)}: {first.words}"
        room = room_of_log(first.ref)
        if first.ref == summaries_ref(room_of(first.ref)) and room_of(first.ref) in self.give_up:
            return self._refused_summaries(room_of(first.ref), first.words)
        if room is not None and room in self.alone:
            kept += f"; if it is because of the message: git chat unsend --room {room} {self.alone[room]}"
        if first.is_about_addresses:
            return RemoteError(said, hint=f"{kept}; {self._own_address()}", code="ref-refused")
        if first.is_unwanted:
            return RemoteError(said, hint=f"{kept}; {self._ways(room_of(first.ref))}", code="ref-refused")
        return RemoteError(said, hint=f"{kept}; try again later: git chat sync", code="push-refused")

    def _own_address(self) -> str:
        """What can be done where the host looks at who wrote the commits. No made-up address is left by now."""
        return (
            "messages carry git's user.name and user.email as committer; give the ones that the host knows, such as "
            f"git config user.email YOU@EXAMPLE.ORG, and let agents write under it, too: "
            f"git config chat.authorEmail user; then: git chat sync {self.remote}"
        )

    def _ways(self, room: RoomName) -> str:
        """What can be done where the host takes no ref of such a name."""
        name = self.remote
        ask = f"ask who runs '{name}' to allow {self.layout.prefix}*, and then: git chat sync {name}"
        if not self.layout.is_plain:
            return ask
        verb = f"move {name}" if self.has_seen else f"attach {room} {name}"
        return (
            f"if it takes branches only: git chat remote {verb} --prefix {BRANCHES.prefix} "
            f"(its list of branches shows them then, and its CI may start); or {ask}"
        )

    def _refused_summaries(self, room: RoomName, words: str) -> RemoteError:
        return RemoteError(
            f"'{self.remote}' did not take the summaries of room '{room}' that are pending: {words}",
            hint="no message is held up by it; if it is because of what one of them says, copy what shall stay: "
            f"git chat summary log --room {room}; take them all back: {self.give_up[room]}; and write it anew: "
            f'git chat summary write --room {room} "..."',
            code="push-refused",
        )

    def add(self, later: Report) -> None:
        """Take in what the next round did."""
        for total, counts in ((self.fetched, later.fetched), (self.pushed, later.pushed)):
            for room, count in counts.items():
                total[room] = total.get(room, 0) + count
        self.layout, self.has_seen = later.layout, later.has_seen
        self.taken |= later.taken
        self.begun += later.begun
        self.accepted += later.accepted
        self.denial = later.denial
        self.in_fork = later.in_fork
        self.pushes += later.pushes
        self.refused = later.refused
        self.alone = later.alone
        self.give_up = later.give_up
        self.alarms += [alarm for alarm in later.alarms if alarm not in self.alarms]  # most hold for each round
        self.notes += later.notes
        self.attached += later.attached
        self.newer = later.newer
        self.blocked = later.blocked
        self.staying = later.staying
        self.is_overtaken = later.is_overtaken
