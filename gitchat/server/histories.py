"""What was said, as agents-mcp-server tells it: channels, groups, direct messages. Marks nothing, for nobody.

A channel is a room; a group's broadcasts and direct messages stand in the default room. What is limited by age, size
and number (:class:`Retention`) is what is shown: records are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitchat.index.condition import LISTED, Condition, addressed_to, authored_by
from gitchat.model.errors import UserError
from gitchat.model.escape import tame_line
from gitchat.model.names import EVERYBODY, SYSTEM, Name, RoomName
from gitchat.model.record import MESSAGE, Entry
from gitchat.server.messagetexts import foreign
from gitchat.server.party import name_of, slug_of
from gitchat.verbs.room import Room
from gitchat.verbs.standpoint import entries_at
from gitchat.workspace.environment import Environment

Json = dict[str, Any]

MAX_LIMIT = 1000
"""The most that a history gives; more would not be read."""

_SAID = Condition.all_of(
    [LISTED, Condition("kind = ?", (MESSAGE,)), Condition("NOT (author = ? AND type IS 'presence')", (SYSTEM,))]
)
"""What somebody said: not that somebody left."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What a history shows at most; None for no limit."""

    age_seconds: float | None = None
    body_bytes: int | None = None
    count: int | None = None

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Retention:
        """As ``AGENTS_HISTORY_MAX_AGE_MS``, ``_MAX_BYTES`` and ``_MAX_MSGS_PER_SUBJECT`` say; 0 and nonsense: none."""

        age_ms = _limit(variables.get("AGENTS_HISTORY_MAX_AGE_MS", ""))
        return cls(
            age_ms / 1000 if age_ms else None,
            _limit(variables.get("AGENTS_HISTORY_MAX_BYTES", "")),
            _limit(variables.get("AGENTS_HISTORY_MAX_MSGS_PER_SUBJECT", "")),
        )

    def of_newest(self, entries: Sequence[Entry], now: int) -> list[Entry]:
        """Those of ``entries`` (oldest first, the newest of their subject last) that are shown."""
        shown: list[Entry] = []
        left = self.body_bytes
        for entry in reversed(entries[-self.count :] if self.count else entries):
            if self.age_seconds is not None and now - entry.record.written.seconds > self.age_seconds:
                break
            if left is not None:
                left -= len(entry.record.body.encode())
                if left < 0:
                    break
            shown.append(entry)
        return shown[::-1]


def _limit(given: str) -> int | None:
    return (int(given) or None) if re.fullmatch("[0-9]{1,15}", given) else None


class Histories:
    """What was said in a clone, for anybody."""

    def __init__(self, environment: Environment, spelled: Callable[[str], str]) -> None:
        self._environment = environment
        self._spelled = spelled
        self._retention = Retention.of(environment.variables)

    def _newest(self, room: RoomName | None, condition: Condition, limit: int) -> list[Entry]:
        if not 1 <= limit <= MAX_LIMIT:
            raise UserError(f"limit must be between 1 and {MAX_LIMIT}", hint="leave it out for 50", code="bad-argument")
        chat = Room(self._environment, room)
        places = chat.records.chain().select(Condition.all_of([_SAID, condition]), limit=limit, newest=True)
        return self._retention.of_newest(entries_at(chat, places), self._environment.now().seconds)

    def _line(self, entry: Entry) -> str:
        author = tame_line(self._spelled(entry.record.author))
        return f"[{entry.record.written.utc[11:19]}] {author}: {foreign(entry.record.body)}"

    def _text(self, head: str, entries: Sequence[Entry]) -> str:
        return "\n".join([f"{head} ({len(entries)}):", *map(self._line, entries)])

    def _form(self, entry: Entry, *, with_recipient: bool = False) -> Json:
        record = entry.record
        form: Json = {
            "id": entry.handle if entry.number is None else entry.number,
            "timestamp": record.written.utc,
            "from": self._spelled(record.author),
        }
        form |= {"to": ",".join(map(self._spelled, record.to))} if with_recipient else {}
        return form | {"content": record.body}

    def of_channel(self, channel: str, limit: int, detailed: bool) -> str | Json:
        """The newest messages of a channel."""
        room = channel_of(channel)
        to_all = Condition("recipients = ''") if room == self._environment.room_name(None) else Condition("")
        entries = self._newest(room, to_all, limit)
        if not entries:
            return f"No messages in #{room}"
        if detailed:
            return {"channel": room, "count": len(entries), "messages": [self._form(entry) for entry in entries]}
        return self._text(f"#{room} history", entries)

    def channels(self) -> str:
        """The channels that have messages."""
        default = self._environment.room_name(None)
        counted = [
            (room, Room(self._environment, room).records.chain().count_of(_SAID))
            for room in self._environment.store.rooms()
            if room != default
        ]
        lines = [f"- #{room} ({count} messages)" for room, count in counted if count]
        return "\n".join([f"Active channels ({len(lines)}):", *lines]) if lines else "No channels with messages yet."

    def of_group(self, group: str, limit: int) -> str:
        """The newest broadcasts to a group; to ``all``, those to everybody."""
        role = slug_of(group, "group", "research")
        to = Condition("recipients = ''") if role == EVERYBODY else addressed_to(f"role:{role}")
        entries = self._newest(None, to, limit)
        return self._text(f"Group '{role}' history", entries) if entries else f"No history for group '{role}'"

    def of_pair(self, name: str, other: str, limit: int, detailed: bool) -> str | Json:
        """The newest direct messages between two agents."""
        one, two = name_of(name), name_of(other)
        either = Condition.any_of([_from_to(one, two), _from_to(two, one)])
        entries = self._newest(None, either, limit)
        if not entries:
            return f"No DM history with {tame_line(self._spelled(two))}"
        if detailed:
            messages = [self._form(entry, with_recipient=True) for entry in entries]
            return {"with_agent": self._spelled(two), "count": len(entries), "messages": messages}
        return self._text(f"DM history with {tame_line(self._spelled(two))}", entries)


def _from_to(author: Name, to: Name) -> Condition:
    return Condition.all_of([authored_by(author), addressed_to(to)])


def channel_of(given: str) -> RoomName:
    """The room that a channel is: ``#eng`` and ``eng`` are one. Raises UserError ``bad-name``."""
    return RoomName(slug_of(given.strip().lstrip("#"), "channel", "general"))
