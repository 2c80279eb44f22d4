"""``git chat purge``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gitchat.cli import options, terminal
from gitchat.cli.naming import may_speak
from gitchat.model.errors import UserError
from gitchat.model.refs import log_ref
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.verbs.purging import Purged


@click.command("purge", short_help="Take the text of messages out of the history.")
@click.argument("numbers", metavar="N", nargs=-1, required=True)
@options.room
@click.option("--yes", "has_consent", is_flag=True, help="Agree to it, where nobody is asked.")
@click.option("--as", "as_", metavar="NAME", help="Do it under this name, which stands there from then on.")
@click.pass_obj
def command(
    environment: Environment, numbers: tuple[str, ...], room: str | None, has_consent: bool, as_: str | None
) -> None:
    """Take the text of messages out of the history, here and at the remote. Rotate a leaked secret first.

    Each N keeps its number, its sender, its date and its recipients; what it says and what is attached to it are gone.
    All other numbers stand. Other clones take it over by themselves with their next sync. Only a person purges.

    Out of reach are copies that a host keeps, forks, bundles, build servers, what models were sent, and clones that
    never sync. Answers and summaries that quote it are messages of their own. To hide a message and keep its bytes:
    git chat redact.

    \b
    Examples:
      git chat purge 12
      git chat purge 12 15 --room review --yes
      git chat verify --purged
    """
    from gitchat.verbs import purging
    from gitchat.verbs.room import Room  # brings SQLite

    chat = Room(environment, room, may_speak(environment, as_))
    purging.refuse_programs(chat, numbers)
    entries = purging.wanted(chat, numbers)
    for entry in entries:
        said = terminal.escape_line(" ".join(entry.record.body.split()))
        shown = said if len(said) <= SHOWN_CHARS else said[: SHOWN_CHARS - 1] + "…"
        files = f" ({len(entry.attachments)} attached)" if entry.attachments else ""
        click.echo(f"{entry.label} {terminal.escape_name(entry.record.author)}: {shown}{files}", err=True)
    _agree(has_consent, f"git chat purge --room {chat.name} {' '.join(map(terminal.escape_line, numbers))}")
    done = purging.purge(chat, entries)
    if done.remote is not None and done.tip is not None:
        from gitchat.clones.report import Report  # for whose room is elsewhere, too
        from gitchat.staying.knocking import knock_aside

        knock_aside(environment, done.remote, Report(done.remote, taken={log_ref(chat.name): done.tip}))
    _tell(done)


SHOWN_CHARS = 60


def _agree(has_consent: bool, again: str) -> None:
    """Ask, on a terminal. Raises UserError ``not-agreed`` where nobody agrees."""
    is_asked = not has_consent and sys.stdin.isatty() and sys.stderr.isatty()
    if not has_consent and not (is_asked and click.confirm("Purge it for everybody?", err=True)):
        raise UserError(
            "nothing was purged: nobody agreed to it", hint=f"agree to it: {again} --yes", code="not-agreed"
        )


def _tell(done: Purged) -> None:
    """Print what was done, what is left, and what cannot be seen from here."""
    room = done.entries[0].room
    labels = ", ".join(entry.label for entry in done.entries)
    where = f"here and at '{terminal.escape_line(done.remote)}'" if done.remote is not None else "here"
    for words in done.told:
        click.echo(f"note: {terminal.escape_line(words)}", err=True)
    click.echo(
        f"{labels} of room '{room}' {'is' if len(done.entries) == 1 else 'are'} purged {where}; all numbers stand"
    )
    if done.left:
        reached = f" by {terminal.escape_line(', '.join(done.holders[:3]))}" if done.holders else ""
        click.echo(f"git still keeps {done.left} old objects here{reached}; they go with: git gc --prune=now")
    else:
        click.echo("looked up in git's object database here: nothing of it is left")
    _warn_of_the_rest(done)


def _warn_of_the_rest(done: Purged) -> None:
    others = [f"'{terminal.escape_line(name)}'" for name in done.copies]
    unseen = [
        *([f"the store of '{terminal.escape_line(done.remote)}' until its own gc"] if done.remote is not None else []),
        "other clones until their next sync",
        *([f"the remote{'s' if len(others) > 1 else ''} {', '.join(others)}"] if others else []),
        "forks, bundles, backups, build servers, mails, and what models were sent",
    ]
    click.echo(f"not seen from here: {'; '.join(unseen)}")
    if done.old_names:
        names = ", ".join(map(terminal.escape_name, done.old_names[:5]))
        more = f" and {len(done.old_names) - 5} more" if len(done.old_names) > 5 else ""
        click.echo(
            f"warning: {names}{more} wrote within 30 days with a gitchat that knows of no purge: its next sync brings "
            "it all back; have it upgraded",
            err=True,
        )
    click.echo("look again when the others have synced: git chat verify --purged", err=True)
