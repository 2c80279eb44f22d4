"""Participants as frozen values, and what joining and leaving make of them.

Pure: no disk, no clock; whether somebody lives is for the kernel to say (gitchat.presence) and
comes in as an argument. Source: docs/format.md section 7.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitchat.model.errors import UserError
from gitchat.model.names import Name, RoomName
from gitchat.model.session import Session

MAX_WORD_CHARS = 64
"""The longest role, capability or client: as long as a slug may be."""

MAX_CAPABILITIES = 16

MAX_LABEL_CHARS = 128
"""The longest name that a participant has outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who took a name. For people to look at, but for ``session``; no decision rests on a pid."""

    pid: int
    host: str
    worktree: str
    """The absolute path of the worktree, or of the git directory when it is bare."""
    branch: str | None = None
    """None when ``HEAD`` is detached."""
    client: str | None = None
    """The agent's program, such as ``claude``; None for a person."""
    session: str | None = None
    """The key that its session is kept by; all processes of one have one name."""
    keys: Session = field(default_factory=Session)
    """All that it knew of its session."""
    label: str | None = None
    """What it is called where it came from, such as ``Beta``: one line of at most :data:`MAX_LABEL_CHARS`."""
    given: str | None = None
    """How its name is spelled there, such as ``beta-01TYEi4M``; as long at most."""

    @property
    def of_session(self) -> Session:
        """The session that it is of. Who wrote no keys (version 0.1.0) wrote its id."""
        return self.keys or Session(id=self.session)

    def called(self, label: str | None, given: str | None) -> Holder:
        """The same one, called and spelled so outside; None is as before.

        Raises:
            UserError: ``bad-label`` for what is no printable line, or too long.
        """
        for text in (label, given):
            if text is not None and (len(text) > MAX_LABEL_CHARS or not text.isprintable()):
                raise UserError(
                    f"{text[:MAX_LABEL_CHARS]!r} is not one line of at most {MAX_LABEL_CHARS} characters",
                    hint="give a name of a few words",
                    code="bad-label",
                )
        return replace(self, label=label or self.label, given=given or self.given)

    def __str__(self) -> str:
        branch = f"on branch {self.branch}" if self.branch else "on no branch"
        return f"process {self.pid} on host {self.host}, in {self.worktree} {branch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What a name is in one room. Times are seconds since the epoch."""

    role: str
    """One line of at most :data:`MAX_WORD_CHARS` printable characters; blank for none."""
    capabilities: tuple[str, ...]
    joined_at: int
    last_seen: int
    is_registered: bool
    """Whether it joined for as long as it does not leave, and not only while a process lives."""
    left_at: int | None = None
    """When it left; for a holder that died, when it was last seen by whoever took the name next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A name as one room knows it. Times are seconds since the epoch."""

    name: Name
    room: RoomName
    role: str
    capabilities: tuple[str, ...]
    joined_at: int
    last_seen: int
    is_living: bool
    """Whether a process holds the name, and joined this room."""
    is_registered: bool
    left_at: int | None
    holder: Holder | None
    """Who took the name last."""

    @property
    def is_present(self) -> bool:
        """Whether it is in the room: living or registered. A killed holder is not."""
        return self.is_living or self.is_registered


@dataclass(frozen=True, slots=True)
class Presence:
    """All that is known of a name. The methods give what it becomes; nothing changes in place."""

    name: Name
    is_living: bool = False
    holder: Holder | None = None
    held_at: int = 0
    rooms: Mapping[RoomName, Membership] = field(default_factory=dict)

    def participant(self, room: RoomName) -> Participant | None:
        """The name as ``room`` knows it; None when it never joined."""
        at = self.rooms.get(room)
        if at is None:
            return None
        return Participant(
            name=self.name,
            room=room,
            role=at.role,
            capabilities=at.capabilities,
            joined_at=at.joined_at,
            last_seen=at.last_seen,
            is_living=self.is_living and at.left_at is None,
            is_registered=at.is_registered,
            left_at=at.left_at,
            holder=self.holder,
        )

    def member(self, room: RoomName) -> Participant:
        """The name as ``room`` knows it. Raises KeyError when it never joined."""
        participant = self.participant(room)
        if participant is None:
            raise KeyError(room)
        return participant

    def taken_by(self, holder: Holder, now: int) -> Presence:
        """After ``holder`` took the name: where the last one was a member by living, it is none any more."""
        rooms = {
            room: at if at.is_registered or at.left_at is not None else replace(at, left_at=at.last_seen)
            for room, at in self.rooms.items()
        }
        return replace(self, holder=holder, held_at=now, rooms=rooms)

    def joined(self, room: RoomName, new: Membership) -> Presence:
        """After joining ``room``. Who is a member stays one since it joined, and stays registered."""
        old = self.rooms.get(room)
        if old is not None and old.left_at is None:
            new = replace(
                new,
                joined_at=old.joined_at,
                last_seen=max(old.last_seen, new.last_seen),
                is_registered=old.is_registered or new.is_registered,
            )
        return replace(self, rooms={**self.rooms, room: new})

    def left(self, room: RoomName, now: int) -> Presence:
        """After leaving ``room``; the same when it is no member."""
        at = self.rooms.get(room)
        if at is None or at.left_at is not None:
            return self
        return replace(self, rooms={**self.rooms, room: replace(at, is_registered=False, left_at=now)})

    def without(self, rooms: Collection[RoomName] | None) -> Presence:
        """With nothing remembered of these rooms; None: of any, nor of who took the name."""
        kept = {room: at for room, at in self.rooms.items() if rooms is not None and room not in rooms}
        return replace(self, rooms=kept) if kept else Presence(self.name)

    def touched(self, room: RoomName, now: int) -> Presence:
        """Seen in ``room`` at ``now``; the same when it is no member, or was seen later."""
        at = self.rooms.get(room)
        if at is None or at.left_at is not None or at.last_seen >= now:
            return self
        return replace(self, rooms={**self.rooms, room: replace(at, last_seen=now)})


def new_membership(role: str, capabilities: Sequence[str], now: int, *, is_registered: bool) -> Membership:
    """A membership that begins at ``now``.

    Raises:
        UserError: ``bad-role``, ``bad-capability`` for what is not a short printable line.
    """
    for field_name, words in (("role", [role]), ("capability", capabilities)):
        for word in words:
            if len(word) > MAX_WORD_CHARS or not word.isprintable():
                raise UserError(
                    f"{field_name} {word[:MAX_WORD_CHARS]!r} is not one line of at most {MAX_WORD_CHARS} characters",
                    hint="use a word or two, such as 'review'",
                    code=f"bad-{field_name}",
                )
    if len(capabilities) > MAX_CAPABILITIES:
        raise UserError(
            f"{len(capabilities)} capabilities are too many",
            hint=f"name at most {MAX_CAPABILITIES}",
            code="bad-capability",
        )
    return Membership(
        role=role, capabilities=tuple(capabilities), joined_at=now, last_seen=now, is_registered=is_registered
    )
