"""Writes a summary of what was said since the last one, for instance from cron:

    0 6 * * *  cd /srv/project && python nightly_handoff.py night-shift

Prints its number; writes nothing when nothing was said.
"""

import sys
from collections import Counter
from collections.abc import Sequence

from gitchat import Entry, Room


def first_words(text: str) -> str:
    """The beginning of a stranger's text, on one line."""
    return "".join(character if character.isprintable() else " " for character in text[:100])


def digest(entries: Sequence[Entry]) -> str:
    """Who wrote how much, and which questions nobody answered."""
    authors = Counter(entry.record.author for entry in entries)
    answered = {entry.record.reply_to for entry in entries}
    is_open = [entry for entry in entries if entry.record.type == "question" and entry.record.uid not in answered]
    lines = [f"{len(entries)} messages: " + ", ".join(f"{name} {count}" for name, count in authors.most_common())]
    lines += [f"Open: {entry.label} {first_words(entry.record.body)}" for entry in is_open]
    return "\n".join(lines)


def main(name: str) -> None:
    """Add the summary."""
    room = Room.open(name=name)
    handoff = room.handoff(since=1000)
    entries = handoff.since if handoff.summary else room.log(limit=1000).entries
    if not entries or entries[-1].number is None:
        return
    room.set_cursor(entries[-1].number)  # a summary covers what its writer has read, and not what came meanwhile
    print(f"summary {room.summarize(digest(entries)).number}")


if __name__ == "__main__":
    main(sys.argv[1])
