"""What a line means that a person writes while watching a room. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitchat.model.errors import UserError
from gitchat.model.names import Handle, Number, RoomName, parse_locator, parse_recipients, parse_room

HELP = """\
What you write is sent when you press Enter. A line that begins with / is a command:
  /to NAME...        send to these from now on; role:ROLE for a role; /to all for everybody
  /reply N TEXT      answer message N, to who asked
  /room ROOM         watch and write in another room
  /read              mark what was shown as read
  /help              these lines
  /quit              end, as Ctrl-D does
A line that shall begin with / begins with //.
"""


@dataclass(frozen=True, slots=True)
class Say:
    """Send a message."""

    text: str
    reply_to: Number | Handle | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Send to these from now on; to everybody when there are none."""

    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """Go to another room."""

    room: RoomName


@dataclass(frozen=True, slots=True)
class MarkRead:
    """Mark what was shown."""


@dataclass(frozen=True, slots=True)
class ShowHelp:
    """Tell what can be written."""


@dataclass(frozen=True, slots=True)
class Quit:
    """End."""


Order = Say | Address | Move | MarkRead | ShowHelp | Quit


def parse(line: str) -> Order | None:
    """What ``line`` asks for; None for a blank one. Nothing that looks like a command is ever sent as text.

    Raises:
        UserError: ``bad-command``, ``bad-name``, ``bad-number``.
    """
    if not line.strip():
        return None
    if not line.startswith("/"):
        return Say(line)
    if line.startswith("//"):
        return Say(line[1:])
    word, _, rest = line[1:].partition(" ")
    rest = rest.strip()
    match word:
        case "to" if rest:
            return Address(parse_recipients(tuple(re.split(r"[\s,]+", rest))))
        case "reply" if " " in rest:
            number, _, text = rest.partition(" ")
            return Say(text.strip(), parse_locator(number))
        case "room" if rest:
            return Move(parse_room(rest))
        case "read" if not rest:
            return MarkRead()
        case "help" if not rest:
            return ShowHelp()
        case "quit" if not rest:
            return Quit()
        case "to" | "reply" | "room":
            usage = {"to": "/to NAME...", "reply": "/reply N TEXT", "room": "/room ROOM"}[word]
            raise UserError(f"/{word} lacks something", hint=usage, code="bad-command")
    raise UserError(
        f"there is no command /{word[:40]}; nothing was sent",
        hint="/help lists them; to send a line that begins with /, begin it with //",
        code="bad-command",
    )
