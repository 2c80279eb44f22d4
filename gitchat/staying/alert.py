"""Calling a person who watches when something is said to it: by a command of its own, and the terminal's bell.

Both are off until somebody asks for them: where agents talk, a person is named many times an hour, and what beeps or
pops up cannot be taken back. The command is the user's, from git's configuration, as an editor is. What others wrote
stands in its input and its variables, and never in the line that a shell reads.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitchat.model.answering import is_to_me
from gitchat.model.escape import escape, escape_line, escape_name
from gitchat.model.record import UNLISTED_KINDS, Entry
from gitchat.staying.follow import News
from gitchat.verbs.room import Room

TEXT_CHARS = 200
"""How much of a message stands in a variable: a line for a small window."""


class Alert:
    """Calls whoever watches ``room``. For the thread that has the room."""

    def __init__(self, room: Room) -> None:
        """Raises UserError ``bad-config``."""
        config = room.environment.repository.config
        self._room = room
        self._command = config.get("chat.notify") or ""
        self._has_bell = config.get_bool("chat.notifyBell", False)

    def tell(self, news: Iterable[News]) -> str:
        """Run the command once for all of ``news`` that is to me; what is to be printed where a terminal has a bell.

        Never waits for the command, which sees the newest of them.
        """
        if not (self._command or self._has_bell):
            return ""
        role = self._role()
        mine = [
            one
            for one in news
            if isinstance(one, Entry)
            and one.record.kind not in UNLISTED_KINDS
            and is_to_me(one.record, self._room.me, role)
        ]
        if not mine:
            return ""
        if self._command:
            self._run(mine[-1], len(mine))
        return "\a" if self._has_bell else ""

    def _role(self) -> str | None:
        known = self._room.environment.roll.find(self._room.me)
        member = known.participant(self._room.name) if known is not None else None
        return member.role if member is not None and member.is_present else None

    def _run(self, entry: Entry, count: int) -> None:
        record = entry.record
        told = {
            "GITCHAT_NOTIFY_COUNT": str(count),
            "GITCHAT_NOTIFY_FROM": escape_name(record.author),
            "GITCHAT_NOTIFY_MESSAGE": entry.label,
            "GITCHAT_NOTIFY_ROOM": entry.room,
            "GITCHAT_NOTIFY_TEXT": escape_line(record.body)[:TEXT_CHARS],
            "GITCHAT_NOTIFY_TYPE": record.type or "",
        }
        self._room.environment.start_shell(self._command, told, escape(record.body))
