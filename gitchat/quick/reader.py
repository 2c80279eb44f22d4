"""Who reads a room: by which position, what of it is its own, and what is for it."""

import time

from gitchat.quick import live, record, room, who
from gitchat.quick.objects import find_tip
from gitchat.quick.place import Place, read
from gitchat.quick.plain import is_slug
from gitchat.quick.settings import Settings
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchat.quick.record import Record

_SEATS_BYTES = 1024 * 1024


class Reader:
    """Who reads a room, by which position, and what of it is its own."""

    __slots__ = ("_place", "clone", "common", "cursor", "life", "me", "reached", "room", "sender", "where")

    def __init__(self, place: Place, settings: Settings, name: str, *, lives: bool = False) -> None:
        """Raises Unusual: more has to be known of it, or something noted."""
        self._place = place
        self.room = name
        self.sender = who.sender(place, settings, None)
        self.me = self.sender.name
        self.life = live.find(place, self.me)
        """What the file of its name says; None where it never joined."""
        self.common = find_tip(place, room.cursor_ref(name, self.me))
        """What all clones know of how far that name has read."""
        if self.sender.agent is None:
            self.cursor, self.clone = self.common, "-"
            self.where = self._as_person(settings, lives=lives)
        else:
            self.cursor = find_tip(place, room.seat_ref(name, self.me))
            self.clone = self.sender.agent.clone()
            self.where = ("clone NOT IN ('', ?)", self.clone)
            self._as_agent()
        self.reached = {self.me, *self.roles(name)}
        """What it is written to by."""

    def _as_person(self, settings: Settings, *, lives: bool) -> "tuple[str, str]":
        """What tells of others in the index. Raises Unusual where it may sit, or somebody else sits or lives."""
        address = self.sender.address
        if not address or address.endswith(who.NO_DOMAIN) or settings.get("chat.person") is not None:
            raise Unusual
        if find_tip(self._place, room.seat_ref(self.room, self.me)) is not None:
            raise Unusual
        if self.life is not None and not self.life.is_persons:
            raise Unusual
        if self.life is not None and not lives and live.is_lived_under(self._place, self.me):
            raise Unusual
        try:
            seats = read(self._place.common_dir + "/chatroom/seats", _SEATS_BYTES)
        except FileNotFoundError:
            seats = b""
        if f'"{self.me}"'.encode() in seats:
            raise Unusual
        return "(clone != '' OR email NOT IN ('', ?))", address

    def roles(self, name: str) -> "list[str]":
        """The role that it is written to by in the room ``name``, if it has one that is a word."""
        at = self.life.at(name) if self.life is not None else None
        role = at.role.replace(".", "") if at is not None else ""
        if not is_slug(role):
            return []
        if at is None or role != at.role:
            raise Unusual
        return [f"role:{role}"]

    def _as_agent(self) -> None:
        """Raise Unusual where it does not sit, or its use has to be noted."""
        from gitchat.quick.agent import USE_SECONDS  # for agents

        agent, now = self.sender.agent, int(time.time())
        assert agent is not None
        used, session = agent.sits(room.seat_ref(self.room, self.me), self.me, now)
        if abs(now - used) > USE_SECONDS or (agent.session and not session) or self.common not in (None, self.cursor):
            raise Unusual

    def refuse_others(self) -> None:
        """Raise Unusual where it may be that it marks nothing of what it reads."""
        if self.sender.agent is None:
            return  # nobody lives under a person's name who reads here
        variables = self._place.variables
        if variables.get("CODEX_THREAD_ID") != variables.get("CODEX_SESSION_ID", variables.get("CODEX_THREAD_ID")):
            raise Unusual  # a subagent's
        if self.life is not None and self.sender.agent.taken != self.me:
            raise Unusual

    def is_for(self, one: "Record") -> bool:
        """Whether that is unread for it, beyond its position."""
        is_loud = one.kind not in record.QUIET and not one.to
        return one.author != self.me and one.kind not in record.UNLISTED and (is_loud or bool(self.reached & {*one.to}))

    def is_own(self, one: "Record") -> bool:
        """Whether it wrote that. Raises Unusual: somebody else did, under its name."""
        if one.author != self.me:
            return False
        is_others = one.clone != "-" or one.address.strip().lower() != self.sender.address
        if one.clone not in ("-", self.clone) or (self.sender.agent is None and is_others):
            raise Unusual
        return True
