"""``git chat setup``."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from gitchat.cli import options, terminal
from gitchat.model.errors import ChatError, UserError
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.setup.client import Client
    from gitchat.setup.place import Place
    from gitchat.setup.plan import Change

MAX_LINE_CHARS = 160
"""Some clients keep all they know on one line."""


@click.command("setup")
@click.argument("names", metavar="[CLIENT]...", nargs=-1)
@click.option("--user", "is_user", is_flag=True, help="For you in all repositories, and not for this work tree.")
@click.option("--local", "is_local", is_flag=True, help="For you in this work tree, in files that nobody commits.")
@click.option(
    "--allow/--no-allow",
    "allows",
    default=None,
    help="Let agents call our tools without being asked each time, or not. Without either a terminal is asked.",
)
@click.option(
    "--connect",
    metavar="URL",
    help="Let the client's server forward to a git chat serve: its address; or auto, the one of this clone.",
)
@click.option("--no-connect", "disconnects", is_flag=True, help="Let a server that forwards work in the clone again.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--remove", is_flag=True, help="Take out what was put in, and nothing else.")
@click.option("--print", "is_snippet", is_flag=True, help="Print what belongs in which file, to put in by hand.")
@click.option("--check", is_flag=True, help="Tell which files an older version wrote; exit with 1 if any.")
@options.color
@options.no_color
@click.pass_context
def command(
    context: click.Context,
    names: tuple[str, ...],
    is_user: bool,
    is_local: bool,
    allows: bool | None,
    connect: str | None,
    disconnects: bool,
    dry_run: bool,
    remove: bool,
    is_snippet: bool,
    check: bool,
    color: str | None,
) -> None:
    """Tell an agent's client of this room: server, hooks, note.

    claude, codex, gemini, opencode and qwen are written, and agy (Antigravity), which is
    untested: what is there stays, a copy is kept, and the change is shown. For cursor,
    vscode, copilot, zed and devin, --print tells what belongs in which file; untested.

    Without CLIENT, list the clients that are found here and what would be written.
    """
    from gitchat.setup import clients, plan
    from gitchat.setup.place import copies_for

    environment: Environment = context.obj
    if check and (remove or dry_run or is_snippet or allows is not None or connect or disconnects):
        raise click.UsageError("--check changes nothing: it goes with CLIENT, --user and --local alone")
    _refuse_pairs(is_named=bool(names), remove=remove, dry_run=dry_run, is_snippet=is_snippet)
    if is_user and is_local:
        raise click.UsageError("--local is for this work tree, and --user for all")
    _refuse_connection(connect, disconnects=disconnects, is_user=is_user, is_removal=remove)
    chosen = list(dict.fromkeys(map(clients.find, names)))
    if is_local:
        _refuse_without_local(chosen)
    if check:
        context.exit(_check(environment, chosen, is_user, is_local))
    place = replace(_place(environment, is_user, is_local), connect=connect, disconnects=disconnects)
    screen = terminal.screen_for(environment, color)
    if not chosen:
        _list(environment, place, screen)
        return
    if is_snippet:
        _print_snippets(chosen, place)
        return
    clients.refuse_unwritten(chosen)
    copies = copies_for(environment, is_user=is_user)
    change = plan.plan if dry_run else plan.carry_out
    askers = [] if remove else clients.askers(chosen, place, copies)
    if allows or (allows is None and askers and not dry_run and _agrees(askers)):
        place, askers = replace(place, is_allowed=True), []
    targets = clients.targets(chosen, place, is_removal=remove)
    changes = change(targets, copies, is_removal=remove)
    click.echo("".join(_shown(changes, place, screen, dry_run)), nl=False, color=True)
    if not remove:
        if not (dry_run or is_user):
            _put_guard(environment)
        _tell_what_is_left(chosen, place, screen)
        for client in askers:
            click.echo(f"- {client.title}: {_permission(client, place)}")


def _refuse_pairs(*, is_named: bool, remove: bool, dry_run: bool, is_snippet: bool) -> None:
    """Raise UsageError for options that do not go together, or not without a client."""
    if is_snippet and (remove or dry_run):
        raise click.UsageError("--print changes nothing, so it goes with neither --remove nor --dry-run")
    if not is_named and (remove or is_snippet):
        raise click.UsageError("name the client, such as claude, codex or gemini")


def _put_guard(environment: Environment) -> None:
    """Put the guard where the hooks look for it. Where it cannot be put yet, the first claim does."""
    from gitchat.workspace.guarding import put_guard

    with suppress(ChatError, OSError):
        put_guard(environment)


def _agrees(askers: list[Client]) -> bool:
    """Whether somebody is there to be asked, and wants agents to call our tools without being asked each time."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    for client in askers:
        click.echo(f"{client.title}: {client.permission}")
    return click.confirm("Let agents call the tools of gitchat without asking you each time, by the above?")


def _permission(client: Client, place: Place) -> str:
    command = f"git chat setup {client.name}{place.option} --allow"
    why = "It may ask before it calls our tools, and refuse where nobody can be asked."
    return f"{why} {command} writes {client.permission}."


def _check(environment: Environment, chosen: list[Client], is_user: bool, is_local: bool) -> int:
    """Tell of each client that is set up whether its files are of this version; 1 where one is not."""
    from gitchat.setup import upkeep
    from gitchat.setup.launch import connects_to

    at = [_place(environment, is_user, is_local)] if is_user or is_local else None
    status, found = 0, None
    for found in upkeep.standings(environment, chosen or None, at=at):
        for sentence in found.sentences:
            status = 1
            click.echo(terminal.escape_line(f"{found.client.name}: {sentence}"))
        if not found.sentences:
            connects = connects_to(found.server)
            to = f", forwards to {connects}" if connects else ""
            click.echo(terminal.escape_line(f"{found.client.name}: up to date: {', '.join(found.files)}{to}"))
    if found is None:
        click.echo("nothing is set up here: git chat setup lists the clients")
    return status


# --- what is meant -----------------------------------------------------------


def _refuse_connection(connect: str | None, *, disconnects: bool, is_user: bool, is_removal: bool) -> None:
    """Raise for what no server can forward to. Raises UserError ``bad-argument``."""
    if disconnects and (is_removal or connect is not None):
        raise click.UsageError("--no-connect lets a server work here: it goes with neither --connect nor --remove")
    if connect is None:
        return
    from gitchat.cli import connecting  # for who forwards
    from gitchat.server.toolset import GITCHAT

    if is_removal:
        raise click.UsageError("--remove takes out what forwards, too: leave --connect out")
    if connect != connecting.AUTO:
        connecting.endpoint(connect, GITCHAT)
    elif is_user:
        raise UserError(
            "--connect auto is the server of one clone, started where none runs, and --user is for all of them",
            hint="name the address of a server, or leave --user out: git chat setup CLIENT --connect auto",
            code="bad-argument",
        )


def _refuse_without_local(chosen: list[Client]) -> None:
    for client in chosen:
        if not client.has_local:
            raise UserError(
                f"{client.title} reads no file of a work tree that is yours alone",
                hint=f"for you in all repositories: git chat setup {client.name} --user",
                code="no-local-files",
            )


def _place(environment: Environment, is_user: bool, is_local: bool) -> Place:
    from gitchat.setup.place import in_work_tree, of_user

    return of_user(environment) if is_user else replace(in_work_tree(environment), is_local=is_local)


# --- what is shown -----------------------------------------------------------


def _list(environment: Environment, place: Place, screen: terminal.Screen) -> None:
    """Which clients are found here, and the files that each would have."""
    from gitchat.setup import clients
    from gitchat.setup.place import home

    own = None
    with suppress(ChatError):
        own = home(environment.variables)
    top = None if place.is_user else place.top
    for client in clients.CLIENTS:
        found = client.where_found(own, top, environment.variables.get("PATH"))
        said = f"found: {', '.join(found)}" if found else "not found"
        click.echo(f"{screen.style(f'{client.name:<9}', bold=bool(found))} {client.title}, {said}", color=True)
        untested = "" if client.is_run or not client.is_written else " (untested)"
        if client.is_written:
            click.echo(f"          {terminal.escape_line(_state(client, place))}{untested}")
        elif found:
            click.echo(f"          untested, so by hand: git chat setup {client.name} --print")


def _state(client: Client, place: Place) -> str:
    """The command that would write the client's files, or that they are written, and which."""
    from gitchat.setup import clients

    try:
        state = "is set up" if clients.is_set_up(client, place) else f"git chat setup {client.name}"
        return f"{state}: {', '.join(place.name(target.path) for target in client.targets(place))}"
    except ChatError as error:
        return f"cannot be set up: {error}"


def _print_snippets(chosen: list[Client], place: Place) -> None:
    for client in chosen:
        untested = "" if client.is_run else "  (untested)"
        for target in client.targets(place):
            click.echo(f"== {client.title}: {place.name(target.path)}{untested}")
            for edit in target.edits:
                click.echo(edit.snippet())


def _shown(changes: list[Change], place: Place, screen: terminal.Screen, dry_run: bool) -> Iterator[str]:
    for change in changes:
        name = place.name(change.path)
        yield from _difference(change, name, screen)
    for change in changes:
        name = place.name(change.path)
        done = "removed" if change.after is None else "written"
        would = "would be " if dry_run else ""
        state = "unchanged" if change.before == change.after else would + done
        backup = f"  (before: {place.name(change.backup)})" if change.backup else ""
        yield f"{state}: {terminal.escape_line(name)}{terminal.escape_line(backup)}\n"
        for note in change.notes:
            yield f"  {screen.style('note:', fg='yellow')} {terminal.escape_line(note)}\n"


def _difference(change: Change, name: str, screen: terminal.Screen) -> Iterator[str]:
    from gitchat.setup.nearness import around_the_change

    skipped, *sides = around_the_change(change.before or b"", change.after or b"")
    before, after = (side.decode("utf-8", "replace").splitlines() for side in sides)
    old, new = (
        "/dev/null" if side is None else f"{mark}/{name}" for mark, side in (("a", change.before), ("b", change.after))
    )
    shades = {"+": "green", "-": "red", "@": "cyan"}
    for place, line in enumerate(difflib.unified_diff(before, after, old, new, lineterm="")):
        line = terminal.escape(line)
        if len(line) > MAX_LINE_CHARS:
            line = line[: MAX_LINE_CHARS - 1] + "…"
        if place >= 2 and line.startswith("@@"):
            line = re.sub(r"(?<=[-+])\d+", lambda number: str(int(number[0]) + skipped), line)
        if place < 2:
            yield screen.style(line, bold=True) + "\n"
        elif line[:1] in shades:
            yield screen.style(line, fg=shades[line[:1]]) + "\n"
        else:
            yield line + "\n"


def _tell_what_is_left(chosen: list[Client], place: Place, screen: terminal.Screen) -> None:
    click.echo(f"\n{screen.style('Left for you:', bold=True)}", color=True)
    if place.connect is not None:
        click.echo("- Where that server wants a token, set GITCHAT_TOKEN or GITCHAT_TOKEN_FILE where a client starts.")
    for client in chosen:
        for sentence in client.approvals(place):
            click.echo(f"- {client.title}: {sentence}")
    if not place.launch.is_portable and not place.is_user:
        click.echo(
            f"- {terminal.escape_line(place.launch.words[0])} is a path of this machine, because git finds no git-chat "
            "in PATH: do not commit these files, or install it so that it is found and run this again."
        )
    if sys.stdout.isatty():
        click.echo(
            '- Your shell completes verbs, rooms and names after: eval "$(git chat completion bash)" (zsh, fish)'
        )
