"""``git chat inbox``, to what is no terminal: as ``cli/commands/inbox`` prints it."""

import os

from gitchat.quick.log import listing
from gitchat.quick.place import Place
from gitchat.quick.said import Said
from gitchat.quick.settings import Settings
from gitchat.quick.unread import Asked, find_labels, unread
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_COUNT = 50


def inbox(place: Place, settings: Settings, words: "Sequence[str]") -> Said:
    """What is printed. Raises Unusual, and what says that something cannot be read: OSError, ValueError."""
    asked = Asked(words)
    reader, found = unread(place, settings, asked)
    limit = asked.count or DEFAULT_COUNT
    shown = found.found[:limit]
    find_labels(place, reader.room, found, [one for _, one in shown])
    given = f" --room {reader.room}" if asked.room is not None else ""
    notes = []
    if len(found.found) > limit:
        notes.append(f"{len(found.found) - limit} more: git chat inbox{given} -n {len(found.found)}\n")
    if found.statuses:
        commits = "1 commit" if found.statuses == 1 else f"{found.statuses} commits"
        notes.append(f"{commits} since: git chat log{given} --since {found.last_read}\n")
    if not shown and not notes and os.isatty(2):
        raise Unusual  # a person is told that there is nothing
    return Said("".join([*listing(shown, found.labels), "\n" if shown and notes else "", *notes]))
