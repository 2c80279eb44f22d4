"""What a model reads: results of the tools as compact text, foreign text fenced.

A message is one line ``[12] codex -> all 14:03 question: text``; further lines of its text
are indented, so that nothing in a text can stand where a message, or the end of the fence,
begins. Invisible characters are made visible, and nothing opens a tag, of which clients
give many a meaning of their own. Times are UTC. Pure: JSON results in, text out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gitchat.model import offered
from gitchat.model.escape import tame_line, tame_name
from gitchat.model.overlay import told
from gitchat.quick.page import waits
from gitchat.server.claimtexts import ahead, listed, of_claiming
from gitchat.server.messagetexts import foreign, of_message, rest_of
from gitchat.server.phrases import WARNING, clipped, label_of, when
from gitchat.verbs.cutting import Measure
from gitchat.verbs.pending import words_of_aside

Json = dict[str, Any]

DEFAULT_CHARS = 16_000
"""How long an answer is when nobody says; clients warn at about 40,000."""


def fenced(messages: Sequence[Json], today: str) -> str:
    """Messages between the fence."""
    return "\n".join(["<chat>", *(of_message(message, today) for message in messages), "</chat>"])


def render(name: str, arguments: Json, result: Any, today: str, left: int = 0) -> str:
    """The text for the result of the tool ``name``; ``left`` messages are left out behind those of a list."""
    return _RENDERINGS[name](arguments, result, today, left)


def measure(name: str, arguments: Json, today: str) -> Measure:
    """How :func:`render` counts for the tool ``name``."""
    return Measure(
        message=lambda message: len(of_message(message, today)) + 1,
        summary=lambda summary: len(_summary(summary)) + 1,
        participant=lambda one: len(_participant(one)) + 2,
        around=lambda shell: len(render(name, arguments, shell, today)) + _AROUND_CHARS,
    )


_AROUND_CHARS = 180
"""The warning and the fence, and the lines that tell what is left out and why something is not marked."""


def with_notices(text: str, notices: Sequence[str]) -> str:
    """An answer, and what is told once besides: where the rooms here go."""
    return "\n".join([text, *(f"({tame_line(notice)})" for notice in notices)])


def of_error(message: str, hint: str) -> str:
    """An error and what to do next."""
    return f"error: {tame_line(message)}\nhint: {tame_line(hint)}"


def _read_messages(arguments: Json, result: list[Json], today: str, left: int) -> str:
    if not result:
        return "no messages"
    lines = [WARNING, fenced(result, today)]
    if arguments.get("id") is not None:
        lines += _delivery(result[0], today)
        lines += [_ENDED] if "ended" in result[0] else []
    elif left:
        lines.append(f"{left} more: {_read_after(label_of(result[-1]))}")
    return "\n".join(lines)


_ENDED = f"that was its end: your next {offered.CHECK_IN} or {offered.READ_UNREAD} marks it as read"


def _read_after(place: str) -> str:
    return f"{offered.READ_MESSAGES}(since_id={place})"


def _delivery(message: Json, today: str) -> list[str]:
    """Where a message has got to, a line each."""
    lines = _waiting(message, today)
    lines += _asides([{"handle": message["handle"], **message["aside"]}] if "aside" in message else [])
    if message.get("pushed"):
        lines.append(f"pushed: {tame_line(message['remote'])} has it")
    for key, deed in (("fetched_by", "fetched elsewhere"), ("read_by", "read")):
        if key in message:
            names = clipped(", ".join(message[key]))
            lines.append(f"{deed}, under the name{'s' if len(message[key]) > 1 else ''} {names}")
    return lines


def _unread(arguments: Json, result: Json, today: str, left: int) -> str:
    lines = [_sent({**result, "id": result["sent"]}, today)] if "sent" in result else _waiting(result, today)
    lines += _asides(result.get("set_aside", []))
    messages = result["messages"]
    if "counting" in result:
        lines.append(f"{tame_line(result['counting'])}: {_LAST_SAID if messages else _LATER}")
    if messages:
        lines += [WARNING, fenced(messages, today)]
    elif "counting" not in result:
        lines.append("nothing new; the time is up" if result.get("timed_out") else "nothing new")
    if result.get("more"):
        is_over = not messages or "more_characters" not in messages[-1]
        lines.append(f"{result['more']} more{': call again' if is_over else ' after it'}")
    if result.get("statuses"):
        lines.append(f"{result['statuses']} status records since: {_read_after(result['last_read_id'])}")
    if result.get("elsewhere"):
        lines.append(f"{result['elsewhere']} of these your name has read elsewhere")
    if result.get("not_marked"):
        lines.append(f"not marked as read: {tame_line(result['not_marked'])}")
    return "\n".join(lines)


_LATER = "call again in a moment"
_LAST_SAID = f"this was said last, and is not marked as read; {_LATER} for all that is new, with its numbers"


def _participants(arguments: Json, result: list[Json], today: str, left: int) -> str:
    joined = f"joined as {result_name(arguments)}. " if "name" in arguments else ""
    here = [_participant(one) for one in result if not one.get("elsewhere")]
    others = [_participant(one) for one in result if one.get("elsewhere")]
    said = f"{joined}here: {', '.join(here) or 'nobody'}"
    return f"{said}; living in other clones: {', '.join(others)}" if others else said


def result_name(arguments: Json) -> str:
    """The name that a caller gave, safe to repeat."""
    return tame_line(str(arguments.get("name", ""))).strip()


def _participant(one: Json) -> str:
    able = [tame_line(word) for word in one.get("capabilities", [])]
    has = f"has {tame_line(', '.join(one['claims']))}" if "claims" in one else ""
    others = sorted({tame_name(name) for found in one.get("conflicts", []) for name in found["with"]})
    meets = f"conflicts with {', '.join(others)}" if others else ""
    said = clipped(", ".join(filter(None, [tame_line(one["role"]), *able, has, meets])))
    name = tame_name(one["name"])
    return f"{name} ({said})" if said else name


def _handoff(arguments: Json, result: Json, today: str, left: int) -> str:
    people = [_participant(one) for one in result["participants"]]
    people += [f"{result['participants_left']} more"] if "participants_left" in result else []
    lines = [f"here: {', '.join(people) or 'nobody'}"]
    position = f"latest message: {result['latest_message_id']}"
    if result["cursor"] is not None:
        position += f"; you have read to {result['cursor']}; unread for you: {result['unread_count']}"
    lines += [position, *_waiting(result, today), *_asides(result.get("set_aside", []))]
    lines += [listed(result["claims"], today)] if "claims" in result else []
    lines += ahead(result, today)
    if "questions" in result:
        lines += ["open questions to you:", fenced(result["questions"], today)]
    lines.append(_summary(result["latest_summary"]))
    recent, others = result["recent_messages"], result.get("messages_left")
    lines += [WARNING] if recent else []
    lines += [f"({others} {'older ones' if recent else 'messages'} left out)"] if others else []
    lines += [fenced(recent, today)] if recent else []
    if result["unread_count"]:
        lines.append(f"next: {offered.READ_UNREAD}")
    return "\n".join(lines)


def _sent(result: Json, today: str) -> str:
    """That a message is stored, and whether it has got its number."""
    work = f" with {told(result['work'], None)}" if "work" in result else ""
    notes = "".join(f"\nnote: {tame_line(note)}" for note in result.get("notes", ()))
    if result["id"] is not None:
        return f"sent [{result['id']}]{work}{notes}"
    remote = tame_line(result["remote"]) if "remote" in result else None
    return f"sent [{result['handle']}]{work}, {''.join(_waiting(result, today)) or waits(None, remote)}{notes}"


def _waiting(result: Json, today: str) -> list[str]:
    """The line that tells what has no number yet, and why; none where nothing waits."""
    if "waiting" not in result:
        return []
    told = {"remote": None, "since": None, "why": "", "hint": None, **result["waiting"]}
    since = when(told["since"], today) if told["since"] is not None else None
    keys = ("remote", "hint", "fork")
    remote, hint, fork = (tame_line(told[key]) if told.get(key) is not None else None for key in keys)
    why, is_there = clipped(tame_line(told["why"])), "in_fork" in told
    return [waits(told["count"], remote, since=since, why=why, hint=hint, fork=fork, is_in_fork=is_there)]


def _asides(told: Sequence[Json]) -> list[str]:
    """A line for each message that the remote does not take."""
    return [
        line for one in told for line in words_of_aside(one["handle"], tame_line(one["remote"]), tame_line(one["why"]))
    ]


def _summary(result: Json | None) -> str:
    if result is None:
        return "no summary yet"
    scope = clipped(tame_line(result["scope"]))
    head = f"summary {label_of(result)} by {tame_name(result['from'])} for {scope}, {result['ts']}"
    return f"{head}:\n<chat>\n    {foreign(result['content'])}{rest_of(result)}\n</chat>"


def _rooms(arguments: Json, result: list[Json], today: str, left: int) -> str:
    return "\n".join(map(_room, result)) or "no rooms yet; the first message makes the lobby"


def _room(one: Json) -> str:
    if "error" in one:
        return f"{one['room']}: {one['status']}, {clipped(tame_line(one['error']))}"
    parts = [f"{one['room']}: {one['status']}, latest message {one['latest_id']}"]
    parts += [f"active {one['active']}"] if one["active"] else []
    parts += [f"unread for you {one['unread_count']}"] if "unread_count" in one else []
    parts += [f"title: {clipped(tame_line(one['title']))}"] if one["title"] else []
    return ", ".join(parts)


def _status(arguments: Json, result: Json, today: str, left: int) -> str:
    last = result["last_activity_ts"] or "never"
    counts = f"{result['participant_count']} here, {result['message_count']} messages, last activity {last}"
    return "\n".join([counts, *_waiting(result, today), *_asides(result.get("set_aside", []))])


def _closed(arguments: Json, result: Json, today: str, left: int) -> str:
    return "closed" if result["closed"] else "it was closed already"


def _position(arguments: Json, result: Json, today: str, left: int) -> str:
    return f"{result['name']} has read to {result['last_read_id']}"


_RENDERINGS: dict[str, Callable[[Json, Any, str, int], str]] = {
    offered.CHECK_IN: _unread,
    offered.CLAIM: lambda arguments, result, today, left: of_claiming(result, today, DEFAULT_CHARS),
    offered.CLOSE_ROOM: _closed,
    offered.GET_CURSOR: _position,
    offered.GET_HANDOFF: _handoff,
    offered.GET_STATUS: _status,
    offered.JOIN: _participants,
    offered.LEAVE: lambda arguments, result, today, left: "left" if result["left"] else "you were not here",
    offered.LIST_PARTICIPANTS: _participants,
    offered.LIST_ROOMS: _rooms,
    offered.OPEN_ROOM: lambda arguments, result, today, left: _room(result),
    offered.READ_LATEST_SUMMARY: lambda arguments, result, today, left: _summary(result),
    offered.READ_MESSAGES: _read_messages,
    offered.READ_UNREAD: _unread,
    offered.SEND_MESSAGE: lambda arguments, result, today, left: _sent(result, today),
    offered.SET_CURSOR: _position,
    offered.WRITE_SUMMARY: lambda arguments, result, today, left: f"summary {label_of(result)} written",
}
