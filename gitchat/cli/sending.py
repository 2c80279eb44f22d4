"""Sending what was typed, and saying what its sender should know."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from gitchat.cli import terminal, texts
from gitchat.cli.arriving import arrive
from gitchat.cli.naming import may_speak, tell_of_name
from gitchat.cli.options import in_room
from gitchat.cli.order import Order
from gitchat.cli.terminal import escape_line
from gitchat.model.answering import is_to_me, who_asked
from gitchat.model.attachment import File, safe_name
from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import EVERYBODY, RoomName, parse_locator, parse_recipients, parse_slug
from gitchat.model.question import ANSWER, choices_of, trailers_of
from gitchat.model.record import HANDOFF, Draft, Entry, Identity
from gitchat.model.refs import log_ref, seat_ref, told_branch
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.work.gathering import Gathered


def carry_out(environment: Environment, order: Order, asked: texts.Asked) -> Entry:
    """Send it, print its number, and say what its sender should know; the message. Raises ChatError."""
    if order.allow_secret:
        environment = environment.allowing_secret()
    environment.repository.refuse_mirror()
    name = arrive(environment, order.room) if not order.is_local else environment.room_name(order.room)
    # After the look: an agent's name steps aside for one in use.
    sender = environment.caller.identity(may_speak(environment, order.as_))
    writer = environment.writer(name)
    recipients = parse_recipients(order.to)
    type_ = parse_slug(order.type_, "type") if order.type_ is not None else None
    target = environment.log(name).find(parse_locator(order.reply_to)) if order.reply_to is not None else None
    if target is not None and not order.to:
        recipients = _answered(environment, name, target, sender, order.is_answer)
    files = _files(environment, order.attach)
    about = _about_code(environment, order.at)
    work = _work(environment, name, sender, order)
    if work is not None:
        asked, type_ = replace(asked, command=f"{asked.command} --work"), type_ or HANDOFF
    rooms = None if environment.store.tip(log_ref(name)) is not None else environment.store.rooms()
    with texts.given(environment, order.said, asked, default=_default_text(files, work)) as body:
        _check_json(body if order.json_body else "null")
        draft = Draft(
            body=body, to=recipients, type=type_, reply_to=target.record.uid if target else None,
            urgent=order.priority == "urgent", media="json" if order.json_body else None, files=files,
            **(about | _of_work(work)),
        )  # fmt: skip
        draft = replace(draft, extra=(*draft.extra, *trailers_of(order.choices)))
        if order.is_local:
            writer.describe(sender, stays_here=True)
        _sit_down(environment, name, sender)
        sent = writer.send(draft, sender, key=order.key)
    entry, trouble = _delivered(environment, name, sent.entry, order.sync_seconds)
    if not order.quiet or order.as_json:
        click.echo(_shown(entry, target, order.as_json, work), nl=not order.as_json, err=order.is_told_aside)
    if not order.quiet:
        for note in work.notes if work is not None else ():
            click.echo(f"note: {escape_line(note)}", err=True)
        _tell_of_answer(target, recipients, order)
        _tell_of_choices(environment, target, order)
        _tell_of_several(environment, name, recipients, sender)
        _tell_of_mistakes(environment, order, draft, name, rooms)
        if order.as_ is None:
            tell_of_name(environment)
    _hand_on(environment, entry, trouble, order.quiet)
    return entry


def _answered(
    environment: Environment, room: RoomName, target: Entry, sender: Identity, is_answer: bool
) -> tuple[str, ...]:
    """Whom an answer is for that names nobody: who asked me, and with ``is_answer`` who asked anybody."""
    if not is_answer:
        presence = environment.roll.find(sender.name)
        participant = presence.participant(room) if presence is not None else None
        if not is_to_me(target.record, sender.name, participant.role if participant is not None else None):
            return ()
    return who_asked(target.record, sender.name)


def _tell_of_answer(target: Entry | None, recipients: Sequence[str], order: Order) -> None:
    """Say whom an answer went to that named nobody."""
    if target is not None and recipients and not order.to:
        to = ", ".join(recipients)
        click.echo(f"to {to}, as {target.label} was not to everybody; else: --to {EVERYBODY}", err=True)


def _tell_of_choices(environment: Environment, target: Entry | None, order: Order) -> None:
    """Say that a reply answers nothing, where its question waits for one of its choices."""
    if target is None or order.type_ == ANSWER or not (choices := choices_of(target.record)):
        return
    given = f"{in_room(environment, target.room)} {target.label.removeprefix('#')} {shlex.quote(choices[0])}"
    click.echo(f"{target.label} waits for one of its choices: git chat answer{terminal.escape_line(given)}", err=True)


def _hand_on(environment: Environment, entry: Entry, trouble: ChatError | None, is_quiet: bool) -> None:
    """Have the message that was printed pushed. Raises ``trouble``, after which nothing more is said."""
    if entry.number is not None:
        return
    from gitchat.cli.delivering import hand_on  # for who has a remote

    sys.stdout.flush()  # what was said is seen before anything else is started
    hand_on(environment, entry.room, is_quiet=is_quiet or trouble is not None)
    if trouble is not None:
        raise trouble


def _sit_down(environment: Environment, room: RoomName, sender: Identity) -> None:
    """Let an agent sit that speaks before it has read; see Seating.sit_down."""
    if sender.clone is None:
        return
    from gitchat.presence.seats import Seats  # for who has a seat

    sitting = Seats(environment.repository.directory).of(sender.name)
    is_mine = sitting is not None and not sitting.is_over(environment.caller.session, environment.now().seconds)
    if not is_mine or environment.store.tip(seat_ref(room, sender.name)) is None:
        from gitchat.workspace.seating import Seating  # once for each room: it brings SQLite

        Seating(environment).sit_down(room, sender.name)


def _delivered(
    environment: Environment, room: RoomName, entry: Entry, seconds: float | None
) -> tuple[Entry, ChatError | None]:
    """The message after waiting for its number, where somebody asked for that or nobody stays; and why it has none."""
    if entry.number is not None:
        return entry, None
    if seconds is not None:
        from gitchat.cli.delivering import deliver  # for who waits

        return deliver(environment, room, entry, seconds)
    from gitchat.workspace.pushing import stays  # for who has a remote

    if stays(environment):
        return entry, None
    from gitchat.cli.delivering import push_now

    return push_now(environment, room, entry), None


def _tell_of_several(
    environment: Environment, room: RoomName, recipients: Sequence[str], sender: Identity
) -> None:  # fmt: skip
    """Say whom the message reaches, where a name that it is for is more than one, and whom it does not wake."""
    if recipients:
        from gitchat.cli.addressing import asleep, reached  # after the number was printed

        for line in [*reached(environment, room, recipients), *asleep(environment, recipients, sender)]:
            click.echo(line, err=True)


def _tell_of_mistakes(
    environment: Environment, order: Order, draft: Draft, room: RoomName, rooms: list[RoomName] | None
) -> None:
    """Say what may have been mistyped, though it was taken as it was typed; ``rooms`` were there before a new one."""
    from gitchat.cli import unheard  # after the number was printed

    lines = [*unheard.of_people(environment, room, order, draft.to), *unheard.of_type(order, draft.type)]
    if rooms is not None and order.room is not None:
        lines += unheard.of_room(order, room, rooms)
    for line in lines:
        click.echo(line, err=True)


def _work(environment: Environment, room: RoomName, sender: Identity, order: Order) -> Gathered | None:
    """The work that goes along; None without ``--work``."""
    if not order.is_work:
        return None
    from gitchat.cli.handing import gathered  # for who hands over work
    from gitchat.verbs.handing import refuse_with_code

    refuse_with_code(order.at)
    return gathered(environment, room, sender.origin, order.text)


def _of_work(work: Gathered | None) -> dict[str, Any]:
    """What a draft has of it."""
    if work is None:
        return {}
    return {"work": work.carried, "commit": work.commit, "branch": told_branch(work.branch)}


def _default_text(files: Sequence[File], work: Gathered | None) -> str:
    if files or work is None:
        return ", ".join(safe_name(file.name) for file in files)
    from gitchat.cli.handing import default_text

    return default_text(work)


def _shown(entry: Entry, target: Entry | None, as_json: bool, work: Gathered | None) -> str:
    """What names the message, or all of it; ``target`` is the one that it answers, ``work`` goes along."""
    if not as_json and work is not None:
        from gitchat.cli.handing import of_sent

        return of_sent(entry.label, work)
    if not as_json:
        return entry.label
    from gitchat.cli.render import json_line

    return json_line(entry, {target.record.uid: target.label} if target else {})


def _files(environment: Environment, paths: tuple[str, ...]) -> tuple[File, ...]:
    """What to attach. Standard input is the text's, so '-' is not taken for a file."""
    if "-" in paths:
        raise UserError(
            "standard input cannot be attached",
            hint="save it to a file and attach that; a file of this name is ./-",
            code="not-a-file",
        )
    if not paths:
        return ()
    from gitchat.rooms.files import read_file  # for who attaches

    limit_bytes = environment.max_attachment_bytes()
    return tuple(read_file(path, limit_bytes=limit_bytes) for path in paths)


def _about_code(environment: Environment, at: tuple[str, ...]) -> dict[str, Any]:
    """What the draft of a message about this code has besides. Raises UserError before anything is asked or written."""
    if not at:
        return {}
    from gitchat.work.anchoring import anchored  # for who says something about code

    found = anchored(environment.repository, at)
    return {"extra": found.extra, "commit": found.commit, "excerpts": found.excerpts}


def _check_json(body: str) -> None:
    import json

    try:
        json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"the text is not JSON: {error}", hint="check it: python3 -m json.tool FILE", code="not-json"
        ) from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")
