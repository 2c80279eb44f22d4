"""``git chat status``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from gitchat.cli import claims, dates, options, reading, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.render import Renderer
from gitchat.cli.terminal import Screen, escape_line
from gitchat.doorbell.server import EXTRA
from gitchat.model.errors import ChatError
from gitchat.model.names import Name
from gitchat.model.record import Entry, Moment
from gitchat.quick import page
from gitchat.quick.ago import relative
from gitchat.verbs import as_json as forms
from gitchat.verbs.pending import words_of, words_of_aside
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:  # brings SQLite, which the help can do without
    from gitchat.verbs.room import Status

ASIDES = 1
"""Of how many records that were set aside more is told than how many they are."""


@click.command("status")
@options.room
@click.option("--as", "as_", metavar="NAME", help="What is going on for NAME.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@options.date
@options.color
@options.no_color
@click.pass_obj
def command(
    environment: Environment,
    room: str | None,
    as_: str | None,
    as_json: bool,
    date_style: str | None,
    color: str | None,
) -> None:
    """Show on one screen what is going on here, and mark nothing.

    Who is here, what is unread, urgent or unanswered for you, the newest messages and
    summary, and the other rooms.
    """
    from gitchat.verbs.room import Room
    from gitchat.workspace.doorbells import nats_missing

    chosen = Room(environment, arrive(environment, room), as_)
    chosen.refuse_unknown()
    style = dates.chosen_style(environment, date_style, sys.stdout.isatty()) or "human"
    status = chosen.status(recent=page.NEWEST)
    if as_json:
        click.echo(terminal.json_text(forms.of_status(status)))
        return
    for line in reading.of_namesakes(chosen.me, status.namesakes) if status.namesakes else []:
        click.echo(line, err=True)
    screen = terminal.screen_for(environment, color)
    given = options.in_room(environment, chosen.name) + (f" --as {chosen.me}" if as_ is not None else "")
    missing = None
    with suppress(ChatError):  # a setting that is wrong is doctor's to tell
        missing = nats_missing(environment)
    renderer = Renderer(replace(screen, width=None), style, environment.now())
    seen = _seen(status, chosen.me, given, renderer)
    seen.told, seen.is_new_clone = _told(status, missing, renderer.now), environment.is_new_clone()
    sys.stdout.writelines(page.lines(seen, _Look(replace(screen, width=screen.width or page.COLUMNS))))


@dataclass(frozen=True, slots=True)
class _Look:
    """How the page looks on a screen."""

    screen: Screen

    def clip(self, line: str) -> str:
        return self.screen.clip(line)

    def title(self, text: str) -> str:
        return self.screen.style(text, bold=True)

    def name(self, text: str) -> str:
        return self.screen.name(text)


def _seen(status: Status, me: Name, given: str, renderer: Renderer) -> page.Seen:
    """A status in words that are safe to show."""
    room = status.room
    seen = page.Seen(room.name, me, given)
    seen.title, seen.is_closed = escape_line(room.title or ""), room.is_closed
    if room.active_seconds is not None:
        seen.active = relative(renderer.now.seconds - room.active_seconds)
    seen.message_count, seen.unread = status.message_count, status.unread
    seen.here = [
        (escape_line(one.name), escape_line(one.role) if one.role.strip() else "") for one in status.participants
    ]
    seen.questions, seen.question_count = _told_apart(status.questions, renderer), status.question_count
    seen.asks_me = any(entry.record.to for entry in status.questions)
    seen.urgent, seen.urgent_count = _told_apart(status.urgent, renderer), status.urgent_count
    seen.newest = [text for _, text in _told_apart(status.recent, renderer)]
    if status.summary is not None:
        age = relative(renderer.now.seconds - status.summary.written.seconds)
        text = " ".join(escape_line(status.summary.text.strip().partition("\n")[0]).split())
        seen.summary = status.summary.label, age, status.since, text
    seen.other_rooms = [
        (other.name, other.count, other.is_closed, escape_line(other.title or "")) for other in status.other_rooms
    ]
    return seen


def _told_apart(entries: Sequence[Entry], renderer: Renderer) -> list[tuple[str, str]]:
    shown = (text.removesuffix("\n") for text in renderer.oneline(entries))
    return [(entry.oid, text) for entry, text in zip(entries, shown, strict=True)]


def _told(status: Status, missing: str | None, now: Moment) -> list[str]:
    """What has to be told besides: of the doorbell that is set and ``missing``, claims, conflicts, what waits."""
    doorbell = []
    if missing is not None:
        from gitchat.cli.installing import with_extra  # for who is told

        doorbell = [f"no doorbell: {missing}: {with_extra(EXTRA)}"]
    waiting = []
    if status.pending is not None:
        waiting = [words_of(status.pending, escape_line, lambda seconds: dates.since(seconds, now))]
    aside: list[str] = []
    for entry in status.asides[:ASIDES]:
        if entry.aside is not None:
            aside += words_of_aside(entry.handle, escape_line(entry.aside.remote), escape_line(entry.aside.why))
    if len(status.asides) > ASIDES:
        aside.append(f"and {len(status.asides) - ASIDES} more set aside: git chat log")
    return page.told(
        doorbell=doorbell,
        claims=claims.summed_up(status.claims, status.meeting, now),
        ahead=claims.ahead(status.conflicts, status.behind, status.me),
        looks=[status.not_looked] if status.not_looked is not None else [],
        waiting=waiting,
        aside=aside,
    )
