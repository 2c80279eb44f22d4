"""The screen of ``git chat status``: its words and their order, for both ways.

Whoever prints it says how a line is cut, and what of it is in which style. Pure: all texts in here are safe to show.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Protocol

    class Look(Protocol):
        """How it looks where it is printed."""

        def clip(self, line: str) -> str:
            """A line cut to the screen."""

        def title(self, text: str) -> str:
            """What begins a part, in its style."""

        def name(self, text: str) -> str:
            """A participant's name, in its style."""


FOR_ME, NEWEST, OTHERS = 2, 5, 3
"""How many urgent messages (and open questions), newest records and other rooms are shown: together one screen."""

COLUMNS = 100
"""How long a line is where there is no terminal: an overview is no place for whole messages."""

INDENT = "  "


class Seen:
    """What is going on in a room."""

    __slots__ = (
        "active", "asks_me", "given", "here", "is_closed", "is_new_clone", "me", "message_count", "newest",
        "other_rooms", "question_count", "questions", "room", "summary", "title", "told", "unread", "urgent",
        "urgent_count",
    )  # fmt: skip

    def __init__(self, room: str, me: str, given: str) -> None:
        self.room = room
        self.me = me
        self.given = given
        """The options for commands that it names, each with a blank before it."""
        self.title = ""
        self.is_closed = False
        self.active: str | None = None
        """How long ago the last record is; None in a room without any."""
        self.message_count = self.unread = 0
        self.here: list[tuple[str, str]] = []
        """Who is here, each with the role, which may be empty."""
        self.told: list[str] = []
        """What has to be told besides, a line each."""
        self.questions: list[tuple[str, str]] = []
        """The newest open questions, oldest first: what they are told apart by, and as they are shown."""
        self.question_count = 0
        self.asks_me = False
        """Whether one of them names whom it asks: who asks everybody waits for nobody in particular."""
        self.urgent: list[tuple[str, str]] = []
        """The oldest unread urgent messages, oldest first, likewise."""
        self.urgent_count = 0
        self.newest: list[str] = []
        """The newest records, oldest first, as they are shown."""
        self.summary: tuple[str, str, int, str] | None = None
        """The newest one: its label, how long ago it is, how many messages came since, and its first line."""
        self.other_rooms: list[tuple[str, int, bool, str]] = []
        """The most recently active first: its name, its newest number, whether it is closed, its title."""
        self.is_new_clone = False


def lines(seen: Seen, look: "Look") -> "Iterator[str]":
    """At most 24 lines, each no longer than the screen is wide."""
    yield from _head(seen, look)
    questions = seen.questions[-FOR_ME:]
    repeated = sum(one in questions for one in seen.urgent)  # once is enough
    urgent = [one for one in seen.urgent if one not in questions][:FOR_ME]
    yield from _records(look, "unanswered", [text for _, text in questions], seen.question_count - len(questions))
    yield from _records(look, "urgent", [text for _, text in urgent], seen.urgent_count - len(urgent) - repeated)
    yield from _records(look, "newest", seen.newest)
    if seen.summary is not None:
        label, age, since, text = seen.summary
        messages = f"{since} message{'' if since == 1 else 's'}"
        yield _title(look, f"summary {label}, {age}, {messages} since:")
        yield _line(look, INDENT + text)
    yield from _others(seen, look)
    yield from (_line(look, f"next: {text}") for text in _next(seen))


def _line(look: "Look", text: str) -> str:
    return look.clip(text) + "\n"


def _title(look: "Look", text: str) -> str:
    return _line(look, look.title(text))


def _head(seen: Seen, look: "Look") -> "Iterator[str]":
    title = f": {seen.title}" if seen.title else ""
    yield _title(look, f"{seen.room}{title}{' (closed)' if seen.is_closed else ''}")
    if seen.active is not None:
        noun = "message" if seen.message_count == 1 else "messages"
        counted = f"{seen.message_count} {noun}, the last {seen.active}; {seen.unread} unread for {seen.me}"
        yield _line(look, counted)
    if seen.here:
        names = (f"{look.name(name)} ({role})" if role else look.name(name) for name, role in seen.here)
        yield _line(look, f"here: {', '.join(names)}")
    for text in seen.told:
        yield _line(look, text)


def _records(look: "Look", title: str, shown: "Sequence[str]", more: int = 0) -> "Iterator[str]":
    if shown:
        yield _title(look, f"{title}, and {more} more:" if more else f"{title}:")
        for text in shown:
            yield _line(look, INDENT + text)


def _others(seen: Seen, look: "Look") -> "Iterator[str]":
    rooms = seen.other_rooms
    if rooms:
        yield _title(look, "other rooms:")
    for name, count, is_closed, title in rooms[:OTHERS]:
        yield _line(look, f"{INDENT}{name}  #{count}{'  (closed)' if is_closed else ''}{'  ' + title if title else ''}")
    if len(rooms) > OTHERS:
        yield _line(look, f"{INDENT}and {len(rooms) - OTHERS} more: git chat rooms")


def _next(seen: Seen) -> "Iterator[str]":
    """What to type next."""
    if seen.asks_me:
        yield f"git chat answer{seen.given}"
    elif seen.unread:
        yield f"git chat inbox{seen.given}"
    elif seen.message_count:
        yield f"git chat handoff{seen.given}"
    else:
        if seen.is_new_clone:
            yield "git chat sync, if others write here"
        yield f'git chat send{seen.given} "hello"'


def claims(
    own: "Iterable[tuple[str, str, str | None]]", others: "Iterable[tuple[str, str, str]]"
) -> "list[str]":  # fmt: skip
    """One's own claims in a line, and in another those of others that are of files which one changed.

    ``own``: what it is of, until when, and whose end it waits for, if it does. ``others``: who, what, and its label.
    """
    mine = [f"{what} {f'until {until}' if name is None else f'when {name} is done'}" for what, until, name in own]
    theirs = [f"{name} has {what} ({label})" for name, what, label in others]
    return [
        *([f"yours: {'; '.join(mine)}"] if mine else []),
        *([f"claimed, and you changed it: {'; '.join(theirs)}"] if theirs else []),
    ]


def conflicts(told: "Iterable[tuple[str, Sequence[str], str, bool]]") -> "list[str]":
    """What will not merge, in a line: the paths, with whom, the label of who tells so, and whether that is long ago."""
    shown = [
        f"{paths or 'some files'} with {', '.join(names)} ({label}{', perhaps over by now' if is_old else ''})"
        for paths, names, label, is_old in told
    ]
    return [f"will not merge: {'; '.join(shown)}"] if shown else []


def behind(base: str, count: int, met: int) -> str:
    """That the base is ahead by so many commits, ``met`` files of which one changed oneself."""
    meeting = f", of {met} files that you changed" if met > 1 else ", of a file that you changed" if met else ""
    return f"{count} behind {base}{meeting}"


def told(
    *, doorbell: "Iterable[str]" = (), claims: "Iterable[str]" = (), ahead: "Iterable[str]" = (),
    looks: "Iterable[str]" = (), waiting: "Iterable[str]" = (), aside: "Iterable[str]" = (),
) -> "list[str]":  # fmt: skip
    """What has to be told besides, in its order."""
    return [*doorbell, *claims, *ahead, *looks, *waiting, *aside]


def waits(
    count: "int | None",
    remote: "str | None",
    *,
    since: "str | None" = None,
    why: str = "",
    hint: "str | None" = None,
    fork: "str | None" = None,
    is_in_fork: bool = False,
) -> str:
    """That something waits for the remote that numbers it, of what is safe to show.

    ``count`` None is one message, which was named before.
    ``remote`` None is one that nothing goes to by itself, ``since`` None one that nothing is known to be wrong with;
    ``fork`` is where it goes instead.
    """
    number = f"{count} " if count is not None else ""
    verb = "waits" if count is None or count == 1 else "wait"
    if is_in_fork:
        return f"{number}{verb} in your fork ({fork}), until somebody pulls it from there who may push"
    if since is not None:
        text = f"{number}{verb} for {remote or 'the remote'} since {since}: {why}"
        return f"{text}; {hint}" if hint is not None else text
    if remote is None:
        return f"{number}pending: {hint or 'git chat sync'}"
    whose = "its" if count is None or count == 1 else "their"
    return f"{number}on {whose} way to {f'your fork ({fork})' if fork is not None else remote}"
