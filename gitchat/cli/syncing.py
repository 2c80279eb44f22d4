"""What sync, push and pull do: rounds with a remote, and what they tell."""

from __future__ import annotations

import json
import random
import sys
import time
from typing import TYPE_CHECKING

import click

from gitchat.cli import terminal
from gitchat.environment import Environment
from gitchat.errors import RemoteError
from gitchat.names import RoomName, parse_room

if TYPE_CHECKING:
    from gitchat.sync import Report

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0

remote = click.argument("remote", required=False)
yes = click.option("--yes", "has_consent", is_flag=True, help="Agree that messages here get new numbers.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print a report as JSON.")


def bring_together(
    environment: Environment, given: str | None, room: str | None, *, has_consent: bool, pushes: bool, as_json: bool
) -> None:
    """Sync the rooms, attach those that are new to the remote, and tell what was done.

    Raises:
        RemoteError: the remote cannot be reached, or refused something.
    """
    environment.refuse_mirror()
    name = environment.remote_name(given)
    chosen = parse_room(room) if room is not None else None
    reports = _rounds(environment, name, chosen, has_consent, pushes=pushes)
    for attached in sorted({one for report in reports for one in report.attached}):
        environment.attach(attached, name)
    last = reports[-1]
    pulled, pushed = _totals(reports)
    if as_json:
        click.echo(terminal.escape_json(json.dumps(_to_json(name, pulled, pushed, last), ensure_ascii=False)))
    else:
        for alarm in [alarm for report in reports for alarm in report.alarms]:
            click.echo(f"warning: {terminal.escape_line(alarm)}", err=True)
        for one in sorted({*pulled, *pushed}):
            click.echo(f"{one}: {pulled.get(one, 0)} fetched, {pushed.get(one, 0)} pushed")
        if not pulled and not pushed and not last.refused:
            click.echo(f"nothing new: {name} and this clone have the same messages")
    if last.refused:
        first = last.refused[0]
        raise RemoteError(
            f"'{name}' did not take {first.ref}: {first.words}",
            hint="nothing is lost: it stays pending; try again later: git chat sync",
            code="push-refused",
        )


def _rounds(
    environment: Environment, name: str, room: RoomName | None, has_consent: bool, *, pushes: bool
) -> list[Report]:
    """Rounds until the remote took everything, or said no for another reason than that somebody was quicker."""
    from gitchat.sync import ROUNDS

    remote = environment.remote(name)
    remote.refuse_follower()
    reports: list[Report] = []
    pause = FIRST_PAUSE_SECONDS
    for _ in range(ROUNDS):
        reports.append(remote.round(room, has_consent=has_consent, pushes=pushes))
        if not reports[-1].is_late:
            break
        if sys.stderr.isatty():
            click.echo("somebody else pushed first; again ...", err=True)
        time.sleep(random.uniform(0, pause))  # so that two who collided do not collide again
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    return reports


def _totals(reports: list[Report]) -> tuple[dict[str, int], dict[str, int]]:
    pulled: dict[str, int] = {}
    pushed: dict[str, int] = {}
    for report in reports:
        for total, counts in ((pulled, report.fetched), (pushed, report.pushed)):
            for room, count in counts.items():
                if count:
                    total[room] = total.get(room, 0) + count
    return pulled, pushed


def _to_json(name: str, pulled: dict[str, int], pushed: dict[str, int], last: Report) -> dict[str, object]:
    return {
        "remote": name,
        "fetched": pulled,
        "pushed": pushed,
        "refused": [{"ref": one.ref, "words": one.words} for one in last.refused],
        "alarms": last.alarms,
    }
