"""What is said to somebody who gave a name or a number that is not there: the command that was probably meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from gitchat.cli.retyping import Here, names, rooms, typed
from gitchat.model.errors import ChatError, Mistyped
from gitchat.model.spelling import near


def next_step(error: Mistyped, arguments: Sequence[str], here: Here) -> str:
    """What to do after ``error``: the command with the word that was probably meant, or else the error's own hint."""
    words = list(arguments)
    place = next((place for place, word in enumerate(words) if _value(word) == error.word), None)
    if place is None:
        return error.hint
    if error.code == "bad-number":
        return _next_number(error, words, place, here)
    if error.code == "bad-range":
        return _narrowed(error.word, [*words[:place], *words[place + 1 :]], here) or error.hint
    if likest := near(error.word, error.known, 1):
        return f"{typed([*_with(words, place, likest[0])])}; {error.hint}"
    without = [*words[:place], *words[place + 1 :]]
    if words[place - 1].startswith("-") or "=" in words[place]:
        return error.hint
    if error.code == "no-remote" and error.word in rooms(here):
        return typed([*without, "--room", error.word])
    return f"{error.hint}; or leave it out: {typed([*without])}"


def _next_number(error: Mistyped, words: list[str], place: int, here: Here) -> str:
    """What names the messages that a word may stand for, in a command that takes a number."""
    verb = words[0]
    if verb == "reply":
        number = next((word for word in words[1:] if re.fullmatch(r"#?[0-9]+", word)), None)
        said = [word for word in words[1:] if word != number]
        return typed([verb, number or _newest(words, here), " ".join(said)])
    if error.word in rooms(here):
        return f"git chat log --room {error.word}"
    if error.word in names(here):
        return f"git chat log --from {error.word}"
    newest = _newest(words, here)
    return f"{error.hint}; the newest: {typed([*_with(words, place, newest)])}" if newest != "0" else error.hint


def _narrowed(word: str, words: list[str], here: Here) -> str | None:
    """The listing that was probably meant by a name: of a room, of what somebody wrote."""
    for option, known in (("--room", rooms(here)), ("--from", names(here))):
        if word in known:
            return typed([*words, option, word])
    likest = near(word, rooms(here), 1)
    return typed([*words, "--room", *likest]) if likest else None


def _newest(words: list[str], here: Here) -> str:
    """The number of the newest message in the room that a command names; 0 where there is none."""
    named = next((words[place + 1] for place, word in enumerate(words[:-1]) if word == "--room"), None)
    with suppress(ChatError):
        environment = here()
        return str(environment.log(environment.room_name(named)).overview().count)
    return "0"


def _value(word: str) -> str:
    """What a word gives: the value of an option that stands in it, or itself."""
    return word.partition("=")[2] if word.startswith("--") and "=" in word else word


def _with(words: list[str], place: int, value: str) -> list[str]:
    """The words with another value at a place."""
    option, equals, _ = words[place].partition("=") if words[place].startswith("--") else ("", "", "")
    return [*words[:place], f"{option}{equals}{value}", *words[place + 1 :]]
