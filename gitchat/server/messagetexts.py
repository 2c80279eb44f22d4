"""One message as a model reads it: a line, and its text, which nothing else can be taken for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitchat.model import offered
from gitchat.model.escape import tame, tame_line, tame_name
from gitchat.model.overlay import told
from gitchat.server.phrases import clipped, label_of, when
from gitchat.verbs import at_json
from gitchat.verbs.cutting import text_of

Json = dict[str, Any]

EXCERPT_CHARS = 4_000
"""How much code is shown of one message."""


def foreign(text: str, indent: str = "    ") -> str:
    """A text of somebody else: its first line as it is, the others indented, nothing hidden in it."""
    shown = tame(text.replace("\r\n", "\n").replace("\r", "\n"))
    first, *rest = shown.split("\n")
    return "\n".join([first, *(f"{indent}{line}".rstrip() for line in rest)])


def of_message(message: Json, today: str) -> str:
    """One message. ``today`` is the date (UTC) of which only the time is told."""
    place = f"[{label_of(message)}]"
    notes = [
        "urgent" if message.get("priority") == "urgent" else "",
        message.get("kind", ""),
        message.get("type", ""),
        f"was {message['was']}" if "was" in message else "",
        f"re {message['reply_to']}{_was(message, 'reply_to_was')}" if "reply_to" in message else "",
        f"in {message['room']}" if "room" in message else "",
        "by a person" if message.get("origin") == "human" else "",
        f"at {' and '.join(map(at_json.words, message['at']))}" if "at" in message else "",
        _attached(message.get("attachments", [])),
        _handed(message),
        f"from character {message['skipped_characters'] + 1:,} on" if "skipped_characters" in message else "",
    ]
    said = ", ".join(clipped(tame_line(note)) for note in notes if note)
    to = clipped(tame_line(message["to"]))
    head = f"{place} {tame_name(message['from'])} -> {to} {when(message['ts'], today)}{' ' + said if said else ''}"
    return f"{head}: {foreign(text_of(message))}{rest_of(message)}{_excerpts(message)}{_choices(message)}"


def _choices(message: Json) -> str:
    """The line with what can be answered; it stands where no line of a text does."""
    if "choices" not in message:
        return ""
    choices = " | ".join(map(tame_line, message["choices"]))
    return f"\n  (answer with type=answer, reply_to={label_of(message)}: {choices})"


def rest_of(form: Json) -> str:
    """The line that tells what is missing of a text, further out than any line of the text itself."""
    if "more_characters" not in form:
        return ""
    rest = form.get("rest") or f"{offered.READ_MESSAGES}(id={label_of(form)})"
    return f"\n  (+{form['more_characters']:,} characters: {tame_line(rest)})"


def _excerpts(message: Json) -> str:
    """The code that a message is about, as it was: indented like its text, each line with its number."""
    said, left = "", EXCERPT_CHARS
    for one in message.get("at", []):
        if "excerpt" not in one:
            continue
        said += f"\n    {clipped(tame_line(one['path']))} as it was:"
        for number, line in enumerate(one["excerpt"]["text"].split("\n")[:-1], one["excerpt"]["first"]):
            mark = ">" if one["lines"][0] <= number <= one["lines"][1] else " "
            shown = f"\n    {mark} {number} {tame_line(line)}".rstrip()
            left -= len(shown)
            if left < 0:
                return f"{said}\n    ..."
            said += shown
    return said


def _was(message: Json, key: str) -> str:
    return f" (was {message[key]})" if key in message else ""


def _attached(files: Sequence[Json]) -> str:
    return f"attached {', '.join(file['name'] for file in files)}" if files else ""


def _handed(message: Json) -> str:
    """What work a message hands over, and what to type."""
    if "work" not in message:
        return ""
    place = message["id"] if message.get("id") is not None else message.get("handle", "")
    room = f" --room {message['room']}" if "room" in message else ""
    return f"{told(message['work'], message.get('branch'))} (git chat take {place}{room})"
