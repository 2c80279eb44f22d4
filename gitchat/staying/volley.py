"""Volleys: short messages that two agents send each other in turn, and how they slow wake-ups.

Two agents could still thank each other for ever, each message waking the other. So when
nothing but short messages goes back and forth between two agents, each further one wakes
later than the one before it, and who is woken is told why. It is judged by the log alone:
a person, a third participant, a type, an attachment or a few sentences end it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitchat.model.names import Name, is_slug
from gitchat.model.record import MESSAGE, Entry

VOLLEY_LENGTH = 6
"""So many short messages in turn are a volley: a question, an answer, thanks, and the same again."""

VOLLEY_CHARS = 200
"""What is longer says something."""

FIRST_PAUSE_SECONDS = 30
LONGEST_PAUSE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Volley:
    """Short messages that two agents sent each other in turn, nobody else between them."""

    other: str
    length: int
    last_seconds: int
    """When the last one was committed."""

    @property
    def pause_seconds(self) -> int:
        """How long after the last message the next wake-up comes: twice as long for each one more."""
        return int(min(FIRST_PAUSE_SECONDS * 2 ** (self.length - VOLLEY_LENGTH), LONGEST_PAUSE_SECONDS))

    def __str__(self) -> str:
        return (
            f"slowed to one wake-up in {self.pause_seconds} s: the last {self.length} messages are short ones, in "
            f"turn with {shown(self.other)}; an acknowledgement needs no answer (--type ack wakes nobody)"
        )


def volley(entries: Sequence[Entry], me: Name) -> Volley | None:
    """The volley that ``entries`` end with, oldest first; None when they end with something else."""
    run: list[Entry] = []
    for entry in reversed(entries):
        is_in_turn = not run or _speaker(entry) != _speaker(run[-1])
        is_of_the_two = len(run) < 2 or _speaker(entry) == _speaker(run[-2])
        if not (_is_short(entry) and is_in_turn and is_of_the_two):
            break
        run.append(entry)
    speakers = list(dict.fromkeys(_speaker(entry) for entry in run))
    others = [name for name, _ in speakers if name != me] or [me]
    if len(run) < VOLLEY_LENGTH or me not in [name for name, _ in speakers] or len(speakers) != 2:
        return None
    return Volley(others[0], len(run), run[0].committed_seconds)


def _speaker(entry: Entry) -> tuple[str, str | None]:
    """Who said it: of one name, another clone is another."""
    return entry.record.author, entry.record.clone


def _is_short(entry: Entry) -> bool:
    record = entry.record
    return (
        record.kind == MESSAGE
        and record.origin != "human"
        and record.type in (None, "ack")
        and not record.urgent
        and not entry.attachments
        and len(record.body) <= VOLLEY_CHARS
    )


def shown(author: str) -> str:
    """A name that anybody can have written, as part of what an agent is told."""
    return author if is_slug(author) else "somebody"
