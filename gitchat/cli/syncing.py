"""What sync, push and pull do: rounds with a remote, and what they tell."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from gitchat.cli import terminal
from gitchat.cli.statusline import StatusLine, status_line
from gitchat.model.errors import ConflictError, UserError
from gitchat.model.names import RoomName, parse_room
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.clones.report import Report
    from gitchat.clones.sync import Remote
    from gitchat.model.layout import Layout

remote = click.argument("remote", required=False)
yes = click.option("--yes", "has_consent", is_flag=True, help="Agree that messages here get new numbers.")
dry_run = click.option("-n", "--dry-run", is_flag=True, help="Only tell what would be done.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print a report as JSON.")


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the command line agrees to; see Consent, which is made of it."""

    has_consent: bool = False
    """That messages here get new numbers."""
    retries: bool = False
    """That what the remote did not take is tried once more."""
    restores: bool = False
    """That a room which was deleted at the remote is brought back."""
    has_moved: bool = False
    """That the rooms stand at the remote's present address now."""
    layout: Layout | None = None
    """What the remote shall call the refs of rooms; None where nothing was said of it."""
    takes_purges: bool = False
    """That what was purged at the remote goes here, too."""
    takes: RoomName | None = None
    """The room that follows what stands at the remote now, whatever it followed before."""


def bring_together(
    environment: Environment,
    given: str | None,
    room: str | None,
    agreement: Agreement,
    *,
    pushes: bool,
    as_json: bool,
    is_dry_run: bool = False,
) -> None:
    """Sync the rooms, attach those that are new to the remote, and tell what was done.

    Raises:
        RemoteError: the remote cannot be reached, or refused something.
        WouldRenumber: and nobody at a terminal agreed.
        OtherPlace, OtherPushPlace: something else stands at the remote than before.
        UserError: ``no-remote``: rooms follow a remote that there is not.
        FormatError: ``newer-format``: a room was fetched, and cannot be pushed by this version.
    """
    from gitchat.workspace.remotes import follow_renamed, missing, open_remote

    environment.repository.refuse_mirror()
    renamed = follow_renamed(environment)
    name = environment.repository.remote_name(given)
    chosen = parse_room(room) if room is not None else None
    elsewhere = {one: authority for one, authority in environment.authorities.all().items() if authority != name}
    lost = missing(environment)
    if chosen in elsewhere and chosen not in lost:
        raise _follows_another(chosen, elsewhere[chosen])
    with status_line() as line:
        tell = line.show if line is not None else None
        remote = open_remote(environment, name, tell, is_typed=True, layout=agreement.layout)
        if is_dry_run:
            report = remote.preview(chosen, pushes=pushes)
        else:
            if agreement.retries:
                _bring_back(environment, name, chosen)
            report = _settle(environment, remote, chosen, agreement, pushes, line)
            _after(environment, name, report, has_pushed=pushes and report.refusal is None)
    if chosen is not None and not _is_anywhere(environment, chosen, report):
        environment.refuse_unknown_room(chosen)
    if chosen in report.staying:
        raise ConflictError(_stays(chosen), hint=f"share it: git chat room share {chosen}", code="stays-here")
    warn(report.alarms, report.notes)
    if not as_json:
        for one in report.staying:
            click.echo(f"{_stays(one)}: git chat room share {one}")
        _tell_of_others({room: to for room, to in elsewhere.items() if room not in lost}, renamed)
    # Of rooms that are left alone it is not said that they are the same.
    show(
        report,
        as_json=as_json,
        is_dry_run=is_dry_run,
        is_brief=not as_json and bool(elsewhere or report.alarms or report.staying),
    )
    _refuse_what_is_left(environment, report, lost)


def _follows_another(room: RoomName, remote: str) -> ConflictError:
    return ConflictError(
        f"room '{room}' follows '{remote}'",
        hint=f"sync with that one: git chat sync {remote}; or leave it: git chat remote detach {room}",
        code="attached",
    )


def _bring_back(environment: Environment, remote: str, room: RoomName | None) -> None:
    """Let what is set aside, of one room or of all that follow ``remote``, be pending again."""
    from gitchat.rooms import aside  # for who tries again

    followers = [one for one, authority in environment.authorities.all().items() if authority == remote]
    for one in followers if room is None else [room]:
        for entry in environment.log(one).asides():
            for kept in aside.kept(environment.store, one):
                if kept.oid == entry.oid:
                    aside.bring_back(environment.store, one, kept)


def _after(environment: Environment, remote: str, report: Report, *, has_pushed: bool) -> None:
    """Do what belongs to a round.

    The remote was heard: what the last look found is old, and, where it took what we had, what was wrong is over.
    """
    from gitchat.clones.trouble import TroubleFile  # for who syncs
    from gitchat.staying.branches import Branches
    from gitchat.staying.knocking import knock_aside
    from gitchat.staying.turns import spend
    from gitchat.workspace.arriving import was_heard

    spend(environment, remote, report.pushes)
    knock_aside(environment, remote, report)
    Branches(environment, remote, only_named=True).look(report)
    was_heard(environment, remote)
    if has_pushed:
        TroubleFile(environment.repository.directory, remote).clear()


def _stays(room: RoomName) -> str:
    return f"room '{room}' stays here"


def _tell_of_others(elsewhere: dict[RoomName, str], renamed: dict[RoomName, str]) -> None:
    for room, authority in renamed.items():
        click.echo(f"{room}: its remote is called '{terminal.escape_line(authority)}' now, and is followed")
    for room, authority in elsewhere.items():
        shown = terminal.escape_line(authority)
        click.echo(f"{room}: follows '{shown}' and is left alone: git chat sync {shown}")


def _refuse_what_is_left(environment: Environment, report: Report, lost: dict[RoomName, str]) -> None:
    """Raise for what was not done although the round went well: the first that there is."""
    from gitchat.rooms.refusing import newer_format

    refusal = report.refusal
    if refusal is not None:
        raise refusal
    for room, asked in report.newer.items():
        raise newer_format(room, asked)
    for room, authority in lost.items():
        names = environment.repository.remotes()  # one at least: we have synced with it
        raise UserError(
            f"room '{room}' follows the remote '{authority}', and there is no such remote here",
            hint=f"remotes: {', '.join(names)}; follow one: git config chatroom.{room}.remote {names[0]}",
            code="no-remote",
        )


def _settle(
    environment: Environment,
    remote: Remote,
    room: RoomName | None,
    agreement: Agreement,
    pushes: bool,
    line: StatusLine | None,
) -> Report:
    """Rounds until all is done; a person at a terminal is asked about each room that would be renumbered."""
    from gitchat.clones.place import Standing
    from gitchat.clones.report import Consent, WouldRenumber
    from gitchat.clones.settling import settle
    from gitchat.workspace.guarding import refresh_after

    agreed: set[RoomName] = set()
    brings_back = {Standing.EMPTY} if pushes else set()
    consent = Consent(
        renumbers=lambda name: agreement.has_consent or name in agreed,
        takes=lambda name: name == agreement.takes,
        has_moved=agreement.has_moved,
        goes_anywhere=True,
        takes_purges=agreement.takes_purges,
        brings_back=frozenset(brings_back | ({Standing.GONE} if agreement.restores else set())),
    )

    def again() -> None:
        if line is not None:
            line.show("somebody else pushed first; again ...")

    while True:
        try:
            report = settle(remote, room, consent=consent, pushes=pushes, random=environment.random, again=again)
            refresh_after(environment, has_come=any(report.fetched.values()))
            return report
        except WouldRenumber as error:
            if not (sys.stdin.isatty() and sys.stderr.isatty()):
                raise
            if line is not None:
                line.clear()
            if not click.confirm(f"{terminal.escape_line(str(error))}. Go on?", err=True):
                raise
            agreed.add(error.room)


def _is_anywhere(environment: Environment, room: RoomName, report: Report) -> bool:
    return room in report.fetched or room in environment.store.rooms()


def show(report: Report, *, as_json: bool, is_dry_run: bool = False, is_brief: bool = False) -> None:
    """Print what was done, or would be; brief: nothing when that is nothing."""
    rooms = sorted({room for counts in (report.fetched, report.pushed) for room, count in counts.items() if count})
    if is_brief and not rooms and not report.attached and not report.in_fork:
        return
    if as_json:
        click.echo(terminal.json_text(_to_json(report, is_dry_run)))
        return
    fetched, pushed = ("to fetch", "to push") if is_dry_run else ("fetched", "pushed")
    for room in rooms:
        renumbered = report.renumbered.get(room)
        note = f" ({renumbered} would get new numbers)" if renumbered is not None else ""
        click.echo(f"{room}: {report.fetched.get(room, 0)} {fetched}, {report.pushed.get(room, 0)} {pushed}{note}")
    for room, fork in report.in_fork.items():
        click.echo(f"{room}: waits in your fork '{terminal.escape_line(fork)}', until somebody pulls it who may push")
    if not rooms and not report.refused and not report.in_fork:
        click.echo(f"nothing new: {report.remote} and this clone have the same messages")


def warn(alarms: list[str], notes: Sequence[str] = ()) -> None:
    """Say what is wrong with a remote's log, and what was done here because somebody did it there."""
    for word, words in [*(("warning", one) for one in alarms), *(("note", one) for one in notes)]:
        click.echo(f"{word}: {terminal.escape_line(words)}", err=True)


def _to_json(report: Report, is_dry_run: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "remote": report.remote,
        "fetched": _counts(report.fetched),
        "pushed": _counts(report.pushed),
        "refused": [{"ref": one.ref, "words": one.words} for one in report.refused],
        "alarms": report.alarms,
        "attached": report.attached,
        "newer_format": report.newer,
        "staying": report.staying,
    }
    shown |= {key: value for key, value in (("in_fork", report.in_fork), ("notes", report.notes)) if value}
    return shown | ({"dry_run": True, "renumbered": report.renumbered} if is_dry_run else {})


def _counts(counts: dict[RoomName, int]) -> dict[RoomName, int]:
    return {room: count for room, count in counts.items() if count}
