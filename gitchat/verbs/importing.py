"""What agent-chat kept in ``.chatroom/``, taken into a room. Source: docs/format.md section 22, docs/seeds.md."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gitchat.index.condition import Condition
from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import EVERYBODY, Name, Uid
from gitchat.model.record import STATUS, Draft, Identity, Record
from gitchat.rooms.adopting import Adopting
from gitchat.rooms.refusing import judge, sending_of
from gitchat.rooms.summaries import checked_scope
from gitchat.verbs.agentchat import MESSAGES, SUMMARIES, Problem, cursors_in, lines_of, place_of, record_of, uid_of
from gitchat.verbs.marking import set_cursor
from gitchat.verbs.standpoint import Standpoint
from gitchat.workspace.pushing import push_soon

_AT_ONCE = 200
"""How many messages are added in one step."""


@dataclass(slots=True)
class Imported:
    """What came of it."""

    messages: int = 0
    known: int = 0
    """Messages and summaries that the room had already."""
    summaries: int = 0
    cursors: int = 0
    problems: int = 0
    _unread: dict[str, tuple[int, Uid]] = field(default_factory=dict)


def import_chatroom(
    room: Standpoint,
    directory: Path,
    *,
    is_dry: bool = False,
    on_problem: Callable[[Problem], None],
    on_progress: Callable[[int | None], None] = lambda count: None,
) -> Imported:
    """Take in what ``directory`` has, which is a ``.chatroom`` or holds one, and is not in the room already.

    Where the room was empty, names are set to what they had read there. ``on_problem`` is called for each line that is
    not taken in; ``on_progress`` with how many lines were looked at, and None at the end. ``is_dry`` writes nothing.

    Raises:
        UserError: ``not-a-chatroom``, ``unreadable-file``, ``room-closed``, ``mirror``, and as Environment.writer.
    """
    room.environment.repository.refuse_mirror()
    place = place_of(directory)
    adopting = Adopting(
        room.environment.numbering(room.name),
        room.identity,
        room.environment.now,
        lambda: room.environment.follow(room.name),
    )
    result = Imported()

    def note(problem: Problem) -> None:
        result.problems += 1
        on_problem(problem)

    cursors = cursors_in(place, note) if room.records.chain().total == 0 else {}
    _take_messages(room, adopting, place / MESSAGES, result, cursors, note, on_progress, is_dry=is_dry)
    _take_summaries(room, place / SUMMARIES, result, note, is_dry=is_dry)
    on_progress(None)
    if is_dry:
        result.cursors = len(result._unread)
        return result
    _move_cursors(room, result)
    if result.messages or result.summaries:
        said = (
            f"imported {counted(result.messages, 'message')} and {counted(result.summaries, 'summary')} of agent-chat"
        )
        room.writer.send(Draft(body=said, kind=STATUS, type="import"), room.identity)
        push_soon(room.environment, room.name)
    return result


def counted(count: int, noun: str) -> str:
    """``1 message``, ``2 summaries``."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


# --- messages ---------------------------------------------------------------------


def _take_messages(
    room: Standpoint,
    adopting: Adopting,
    path: Path,
    result: Imported,
    cursors: dict[str, int],
    note: Callable[[Problem], None],
    on_progress: Callable[[int | None], None],
    *,
    is_dry: bool,
) -> None:
    batch: list[Record] = []
    refuse = _judging(room)

    def flush() -> None:
        added = len(adopting.unknown(batch)) if is_dry else adopting.add(batch)
        result.messages += added
        result.known += len(batch) - added
        batch.clear()

    for line, said in lines_of(path, note):
        try:
            record = record_of(said)
            refuse(record)
        except (UserError, ValueError) as error:
            note(_problem(path, line, error))
            continue
        batch.append(record)
        number = said.get("id")
        for name, last in cursors.items():
            if isinstance(number, int) and result._unread.get(name, (0, ""))[0] < number <= last:
                result._unread[name] = (number, record.uid)
        if len(batch) == _AT_ONCE:
            flush()
            on_progress(line)
    flush()


def _problem(path: Path, line: int, error: UserError | ValueError) -> Problem:
    """Why a line is left out."""
    if isinstance(error, UserError) and error.code == "secret":
        return Problem(path.name, line, f"in its text {str(error).partition(';')[0]}", is_secret=True)
    return Problem(path.name, line, str(error))


def _judging(room: Standpoint) -> Callable[[Record], None]:
    """What refuses, by a UserError, what nobody could say in the room. The settings are asked once."""
    secrets, max_body_bytes = room.environment.secrets(), room.environment.max_body_bytes()

    def refuse(record: Record) -> None:
        draft = Draft(body=record.body, to=record.to, type=record.type, media=record.media)
        sender = Identity(Name(record.author), record.email, "", "", "agent")
        judge(sending_of(room.name, draft, sender, max_body_bytes=max_body_bytes, secrets=secrets), secrets)

    return refuse


# --- summaries and cursors -----------------------------------------------------------


def _take_summaries(
    room: Standpoint, path: Path, result: Imported, note: Callable[[Problem], None], *, is_dry: bool
) -> None:
    """Add the summaries that are not there; each covers what had been said when it was written."""
    kept = room.environment.summaries(room.name)
    had = {one.uid for one in kept.list()}
    for line, said in lines_of(path, note):
        try:
            record = record_of({**said, "to": EVERYBODY})
            scope = checked_scope(str(said.get("scope") or EVERYBODY))
            room.environment.writer(room.name).check(Draft(body=record.body, extra=(("Chat-Scope", scope),)))
        except (UserError, ValueError) as error:
            note(_problem(path, line, error))
            continue
        uid = uid_of("summary", said)
        if uid in had:
            result.known += 1
            continue
        had.add(uid)
        result.summaries += 1
        if is_dry:
            continue
        chain = room.records.chain()
        earlier = chain.select(Condition("seconds <= ?", (record.written.seconds,)), limit=1, newest=True)
        reached = chain.commit_upto(earlier[0].number) if earlier else None
        mine = room.identity
        author = Identity(Name(record.author), record.email, mine.committer_name, mine.committer_email, mine.origin)
        kept.write(
            record.body, scope, covers=[reached] if reached is not None else [], upto=0, sender=author,
            now=room.environment.now(), uid=uid, written=record.written, extra=record.extra,
        )  # fmt: skip


def _move_cursors(room: Standpoint, result: Imported) -> None:
    """Set names to what they had read; one that somebody else holds now stays as it is."""
    uids = {uid for _, uid in result._unread.values()}
    places = room.records.chain().numbered(uids) if uids else {}
    for name, (_, uid) in result._unread.items():
        if uid in places:
            with suppress(ChatError):
                set_cursor(Standpoint(room.environment, room.name, name), places[uid].number)
                result.cursors += 1
