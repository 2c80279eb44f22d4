"""``git chat hook``."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from gitchat.cli import terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.commands import agent_hook
from gitchat.cli.grammar import Verbs
from gitchat.cli.naming import tell_of_name
from gitchat.workspace.environment import Environment
from gitchat.workspace.surroundings import hook_seconds, outside_the_hook

if TYPE_CHECKING:
    from gitchat.githooks.hooks import Hook

POSTED = ("commit", "merge", "checkout", "rewrite")
EVENTS = (*POSTED, "guard")


@click.group("hook", cls=Verbs)
def command() -> None:
    """Let git tell the room what happened: commits, merges, rebases.

    \b
    Examples:
      git chat hook install                commits, merges and rebases
      git chat hook install commit         commits alone
      git chat hook install guard          before a commit: who has claimed what is in it
      git chat hook status
      git config chat.hook.merge false     silent about merges here
      git chat log --commit HEAD~2         what was said about a commit
    """


for _client in agent_hook.COMMANDS:
    command.add_command(_client)


@command.command("install")
@click.argument("events", nargs=-1, type=click.Choice(EVENTS), metavar="[commit|merge|checkout|rewrite|guard]...")
@click.pass_obj
def install_hooks(environment: Environment, events: tuple[str, ...]) -> None:
    """Put our hooks where git looks for them: for commits, merges and rebases, or for those named.

    guard tells the room nothing: before a commit it says who has claimed a staged path, and with
    chat.claims=deny there is no commit then. Coordination, not protection: --no-verify passes by it.

    A hook that is there already stays: ours runs it first and ends with its exit status.
    Again: brings ours up to date.
    """
    from gitchat.githooks import hooks, kept

    done = hooks.install(environment, events or hooks.BY_DEFAULT)
    place = hooks.directory(environment)
    click.echo(f"installed in {terminal.escape_line(str(place.path))}: {_names(done)}")
    for hook in done:
        if hook.before is not None:
            click.echo(f"{hook.path.name} runs {kept.name_of(hook.before)} first, which was here before")
    if place.scope == "worktree":
        click.echo("this directory is in the work tree: who checks it out runs these hooks, if it has git-chat")
    elif place.scope == "machine":
        click.echo("core.hooksPath: every repository here runs these hooks; one without a room stays silent")
    tell_of_name(environment)


@command.command("uninstall")
@click.pass_obj
def uninstall_hooks(environment: Environment) -> None:
    """Take our hooks away, and put back what was there before, to the byte."""
    from gitchat.githooks import hooks

    taken = hooks.uninstall(environment)
    click.echo(f"taken away: {_names(taken)}" if taken else "no hook here is ours")


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a hook.")
@click.pass_obj
def show_hooks(environment: Environment, as_json: bool) -> None:
    """Show which hooks are ours, and what is switched off."""
    from gitchat.githooks import hooks

    for hook in hooks.look(environment):
        setting, is_on = _switch(environment, hook.event)
        if as_json:
            told = {
                "hook": hook.path.name, "event": hook.event, "path": str(hook.path), "state": hook.state,
                "before": str(hook.before) if hook.before else None, "is_current": hook.is_current, "is_on": is_on,
            }  # fmt: skip
            click.echo(terminal.escape_json(json.dumps(told, ensure_ascii=False)))
        else:
            click.echo(f"{hook.path.name:<16} {_described(hook, '' if is_on else setting)}")


def _switch(environment: Environment, event: str) -> tuple[str, bool]:
    """What switches the hooks of an event off, in words, and whether they are on. Raises UserError ``bad-config``."""
    if event == "guard":
        return "chat.claims is off", environment.repository.config.get("chat.claims") != "off"
    key = f"chat.hook.{event}"
    return f"{key} is false", environment.repository.config.get_bool(key, True)


def _described(hook: Hook, off: str) -> str:
    """How it stands, in words; ``off`` tells what switches it off, where something does."""
    renewed = f"git chat hook install{hook.operand}"
    words = {
        "installed": "installed" if hook.is_current else f"installed, not of this version: {renewed}",
        "absent": "not installed",
        "foreign": "not installed; another hook is there",
        "displaced": f"replaced by another program: {renewed}",
    }[hook.state]
    if hook.state == "installed" and hook.before is not None:
        from gitchat.githooks.kept import name_of

        words += f", after {name_of(hook.before)}"
    return words + (f" (off: {off})" if hook.state == "installed" and off else "")


def _names(hooks: Iterable[Hook]) -> str:
    return ", ".join(hook.path.name for hook in hooks)


@command.command("post")
@click.argument("event", type=click.Choice(POSTED))
@click.option("--head", metavar="LINES", help="Where HEAD stood: its id, perhaps the one before, and its full name.")
@click.option("-v", "--verbose", is_flag=True, help="Say what was posted or why not; the exit status tells, too.")
@click.pass_obj
def post_status(environment: Environment, event: str, head: str | None, verbose: bool) -> None:
    """Tell the room what git just did; what a hook calls.

    Says nothing, ends with 0 whatever happens, and gives up after 2 seconds.
    """
    if verbose:
        arrive(environment, None)
        label = _post(environment, event, head)
        click.echo(label or "nothing to tell")
        return
    with suppress(OSError):
        os.setsid()  # neither the end of the terminal nor ^C in it ends us half-way
    # A write that is cut off is buried by the next one, as after any kill: docs/format.md section 6.
    signal.signal(signal.SIGALRM, lambda number, frame: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, hook_seconds(environment.variables))
    # A hook fails nothing: a status that cannot be posted is lost, and --verbose tells why.
    with suppress(Exception):
        _post(environment, event, head)


def _post(environment: Environment, event: str, head: str | None) -> str | None:
    from gitchat.githooks import statuses

    rewritten = sys.stdin.read() if event == "rewrite" else ""
    sent = statuses.post(outside_the_hook(environment), event, head, rewritten)
    return sent.entry.label if sent is not None else None
