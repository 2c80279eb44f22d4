"""The tools of mcp-agent-collaboration at work: a topic is a room, and who joins one gets a token for all else.

Who has a token is that member, from whatever connection: there are clients that open a new one for each call. What is
kept of a token, in memory alone, is its hash. Consumed is what the member's cursor has passed: the record stays.
Source: docs/seeds.md.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import SYSTEM, Name, RoomName, Uid
from gitchat.model.participant import Participant
from gitchat.model.record import Entry
from gitchat.model.refs import cursor_ref
from gitchat.rooms.seat import Seat
from gitchat.server.desk import Ground
from gitchat.server.lives import Life
from gitchat.server.party import begin, end, name_of, slug_of, spelling_of
from gitchat.verbs import attendance
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment

TOKEN_BYTES = 24
"""192 bits: nobody guesses one."""


@dataclass(slots=True)
class Party:
    """An agent of this server: its name, in as many topics as it joined."""

    name: Name
    given: str
    """The name as it was spelled."""
    environment: Environment
    life: Life = field(default_factory=Life)


@dataclass(slots=True)
class Membership:
    """What a token stands for: an agent in a topic."""

    party: Party
    room: RoomName
    role: str
    unheard: set[Uid] = field(default_factory=set)
    """Own broadcasts that the sender did not want back."""
    emptied_at: object = None
    """How far the handing over had come when nothing was pending for it; None where that is not known."""
    when_over: set[Callable[[], object]] = field(default_factory=set)
    """Called, where a call acts, when the token holds no more: who waits with it need not wait any longer."""

    @property
    def name(self) -> Name:
        """The agent's name."""
        return self.party.name

    @property
    def chat(self) -> Room:
        """The topic, as the agent sees it."""
        return Room(self.party.environment, self.room, self.name)

    def hears(self, entry: Entry) -> bool:
        """Whether a record that reaches it is a message for it: no note of who left, nor what it kept from itself."""
        is_note = entry.record.author == SYSTEM and entry.record.type == "presence"
        return not is_note and entry.record.uid not in self.unheard


class Topics:
    """Who joined through one server, whatever its connections. All here is done where a call acts, but for ``of``."""

    def __init__(self) -> None:
        self._of_token: dict[bytes, Membership] = {}
        """By the token's hash."""
        self._parties: dict[Name, Party] = {}

    def of(self, token: str) -> Membership:
        """What a token stands for. In any thread. Raises UserError ``unknown-token``."""
        found = self._of_token.get(_hashed(token))
        if found is None:
            raise UserError(
                "unknown join_token; join the topic again",
                hint="a token holds until you leave, another join takes your name over, or the server ends",
                code="unknown-token",
            )
        found.party.life.heard()
        return found

    def awake(self, token: str) -> Membership:
        """As :meth:`of`, and who fell silent lives again. Raises UserError ``unknown-token``, ``name-taken``."""
        membership = self.of(token)
        membership.party.life.wake(membership.party.environment)
        return membership

    def lapse(self, is_open: Callable[[object], bool]) -> None:
        """Let rest whose tokens nobody has used for too long: they hold, and the names are free."""
        for party in list(self._parties.values()):
            if party.life.is_silent and not party.life.is_resting:
                party.life.rest(party.environment)

    def find(self, room: RoomName, name: Name) -> Membership | None:
        """The membership of a name in a topic, where it joined here."""
        return next((one for one in self._of_token.values() if (one.room, one.name) == (room, name)), None)

    def members(self, chat: Room) -> list[Participant]:
        """Who is in a topic, sorted by name: who lives there, and whose token holds, also while it is silent."""
        joined = {one.name for one in self._of_token.values() if one.room == chat.name}
        return [one for one in chat.environment.roll.known(chat.name) if one.is_present or one.name in joined]

    def has(self, chat: Room, name: Name) -> bool:
        """Whether ``name`` is among the :meth:`members`, without a look at all others."""
        if self.find(chat.name, name) is not None:
            return True
        presence = chat.environment.roll.find(name)
        one = presence.participant(chat.name) if presence is not None else None
        return one is not None and one.is_present

    def spelled(self, name: str) -> str:
        """A name as its agent spelled it, where it joined here."""
        party = self._parties.get(Name(name))
        return party.given if party is not None else name

    def pending(self, chat: Room, one: Participant, ground: Ground) -> int:
        """How many messages wait for somebody in a topic. Raises FormatError."""
        membership = self.find(chat.name, one.name)
        if membership is None:
            return chat.how_far(one.name).unread
        return sum(map(membership.hears, ground.unread(membership.chat, None, with_own=True).entries))

    def listed(self, chat: Room, ground: Ground) -> dict[str, Any]:
        """A topic in the list. What cannot be read has nothing pending that anybody could be given."""
        members, pending = self.members(chat), 0
        with suppress(ChatError):
            pending = sum(self.pending(chat, one, ground) for one in members)
        return {"topic": chat.name, "member_count": len(members), "pending_count": pending}

    def join(self, environment: Environment, room: RoomName, given: str, role: str) -> tuple[str, Membership]:
        """A new token for an agent in a topic, and what it stands for. Raises what :meth:`Room.join` raises."""
        name = name_of(given)
        party = self._parties.get(name) or Party(name, spelling_of(given), begin(environment, name))
        try:
            chat = Room(party.environment, room, name)
            party.life.heard()
            party.life.wake(party.environment)
            # Older broadcasts are not for who comes later; who was there goes on where it stopped.
            party.environment.hold(name, given=party.given)
            attendance.live(chat, role, since_now=not _was_here(chat))
        except BaseException:
            self._forget_unused(party)
            raise
        self._parties[name] = party
        membership = Membership(party, room, role)
        token = base64.urlsafe_b64encode(environment.random_bytes(TOKEN_BYTES)).decode()
        self._of_token[_hashed(token)] = membership
        return token, membership

    def end(self, membership: Membership) -> None:
        """Its tokens hold no more, and who has none left lives here no more."""
        self._of_token = {key: one for key, one in self._of_token.items() if one is not membership}
        for tell in list(membership.when_over):
            tell()
        self._forget_unused(membership.party)

    def _forget_unused(self, party: Party) -> None:
        if all(one.party is not party for one in self._of_token.values()):
            self._parties.pop(party.name, None)
            end(party.environment)

    def close(self) -> None:
        """The server ends: no token holds, and nobody lives here any more. Never fails."""
        for membership in list(self._of_token.values()):
            self.end(membership)


def topic_of(given: str) -> RoomName:
    """The room that a topic is. Raises UserError ``bad-name``."""
    return RoomName(slug_of(given, "topic", "build-123"))


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _was_here(chat: Room) -> bool:
    """Whether the name has a position in the room, its own or one that all clones share."""
    store = chat.environment.store
    return store.tip(cursor_ref(chat.name, chat.me)) is not None or Seat(store, chat.name, chat.me).is_taken
