"""``git chat snd``."""

from __future__ import annotations

import shlex
import sys
from typing import NoReturn

import click

from gitchat.model.errors import ChatError, RemoteError, UserError
from gitchat.model.escape import escape_line
from gitchat.model.names import EVERYBODY
from gitchat.workspace.environment import Environment

FAILED_STATUS = 2
"""What was to be sent could not be; that it was typed wrongly is 1."""

PATIENCE_SECONDS = 5.0
"""How long a server may take to answer: a script waits."""

USAGE = """\
usage:
  git chat snd AGENT MESSAGE...       a direct message
  git chat snd -t AGENT MESSAGE...    the same
  git chat snd -g GROUP MESSAGE...    to all of a group
  git chat snd --human ...            begin the message with [HUMAN]
  git chat snd --tail                 print what is said, and send nothing"""


@click.command(
    "snd",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    short_help="Send as agents-mcp-server's snd did.",
)
@click.option("-t", "to_agent", is_flag=True, help="AGENT follows, as without it.")
@click.option("-g", "to_group", is_flag=True, help="GROUP follows: all that have it as their role.")
@click.option("--human", is_flag=True, help="Begin the message with [HUMAN].")
@click.option("--tail", is_flag=True, help="Print what is said in all rooms, until Ctrl-C; send and mark nothing.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[AGENT|GROUP] MESSAGE...")
@click.pass_obj
def command(
    environment: Environment, to_agent: bool, to_group: bool, human: bool, tail: bool, words: tuple[str, ...]
) -> None:
    """Send a message with the arguments and exit statuses that snd of agents-mcp-server has.

    For scripts that call it: examples/seeds/snd is a program of that name. It goes to the default room of the
    repository here, or to the server whose address is GITCHAT_URL (GITCHAT_TOKEN, if it wants one), and is from human,
    or from SND_FROM. The status is 1 where it was typed wrongly, and 2 where it could not be sent.

    \b
    Examples:
      git chat snd reviewer "The parser is ready"
      git chat snd -g team "Standup in five minutes"
      git chat snd --tail
    """
    try:
        if tail:
            _tail(environment)
        else:
            _send(environment, list(words), to_agent=to_agent, to_group=to_group, is_human=human)
    except ChatError as error:
        _end(f"[snd] failed: {escape_line(str(error))}\nhint: {escape_line(error.hint)}", FAILED_STATUS)


def _send(environment: Environment, words: list[str], *, to_agent: bool, to_group: bool, is_human: bool) -> None:
    if not words and not (to_agent or to_group):
        _end(USAGE, 1)
    if "--human" in words:  # wherever it stands, as there
        words = [word for word in words if word != "--human"]
        is_human = True
    if words and words[0].startswith("-"):
        _end(f"snd: there is no option {escape_line(words[0])}\nhint: {_meant(words)}", 1)
    if len(words) < 2:
        _end(_too_few(words, "-g" if to_group else "-t" if to_agent else None), 1)
    target, text = words[0], " ".join(words[1:])
    text = f"[HUMAN] {text}" if is_human else text
    to = (EVERYBODY if target == EVERYBODY else f"role:{_slug(target)}") if to_group else _slug(target)
    _deliver(environment, _slug(environment.variables.get("SND_FROM") or "human"), to, text)
    click.echo(f"[snd] -> {'g:' if to_group else ''}{escape_line(target)}: {escape_line(text)}", err=True)


def _too_few(words: list[str], option: str | None) -> str:
    """The other one's words, and what leads on; who types so without an option may have meant send."""
    named = shlex.join([option, *words] if option is not None else words)
    if option is None:
        return f"snd: need <agent> <message...>\nhint: to everybody: git chat send {escape_line(named)}"
    what = "group" if option == "-g" else "agent"
    hint = f'git chat snd {escape_line(named)} "hello"' if words else "git chat snd -h"
    return f"snd: {option} requires <{what}> and a message\nhint: {hint}"


def _meant(words: list[str]) -> str:
    """What stands for an option that there is not: ours of another name, or one of send."""
    option, _, value = words[0].partition("=")
    rest = shlex.join([*([value] if value else []), *words[1:]])
    if option == "--group":
        return f"git chat snd -g {escape_line(rest)}"
    return f"git chat send --to {escape_line(rest)}" if option in ("--to", "--agent") else "git chat snd -h"


def _slug(given: str) -> str:
    from gitchat.model.names import parse_slug, suggest_slug

    try:
        return suggest_slug(given) or parse_slug(given, "name")
    except UserError as error:
        _end(f"snd: {escape_line(str(error))}\nhint: {escape_line(error.hint)}", 1)


def _deliver(environment: Environment, sender: str, to: str, text: str) -> None:
    """Send it to the server that is named, else into the repository here. Raises ChatError."""
    url = environment.variables.get("GITCHAT_URL", "")
    if url:
        import asyncio

        from gitchat.client.asking import Server
        from gitchat.workspace.process import read_secret

        body = {"from": sender, "to": to, "message": text, "key": environment.new_uid()}
        server = Server(url, read_secret("GITCHAT_TOKEN").strip() or None)

        async def ask() -> None:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await server.ask("POST", "/messages", body)

        try:
            asyncio.run(ask())
        except TimeoutError as error:
            raise RemoteError(
                f"{url} does not answer",
                hint="start it with git chat serve, or correct the address",
                code="unreachable",
            ) from error
        return
    from gitchat.cli.arriving import arrive
    from gitchat.verbs.room import Room

    room = Room(environment, arrive(environment, None), sender)
    why_not = room.why_not_act()
    if why_not is not None:
        raise UserError(f"cannot send as '{sender}': {why_not}", hint="name another with SND_FROM", code="name-held")
    room.send(text, to=to)


def _tail(environment: Environment) -> None:
    """Print each message that comes, a line each, as AGENTS_LOG_FILE has them. Raises ChatError."""
    from gitchat.server.polling import latest, since

    if environment.variables.get("GITCHAT_URL"):
        _end("snd: --tail reads the repository here: leave GITCHAT_URL out", 1)
    with environment.changes() as changes:
        last = latest(environment)
        while True:
            found, last = since(environment, last, 100, lambda came: True)
            for came in found:
                record = came.entry.record
                place = came.to_agent or came.channel or ""
                way = f"#{place} {record.author}" if came.kind == "CHANNEL" else f"{record.author} -> {place}"
                line = f"[{record.written.utc[11:19]}] [{came.kind}] {way}: {record.body}"
                click.echo(escape_line(line))
            sys.stdout.flush()
            if len(found) < 100:
                changes.wait()


def _end(text: str, status: int) -> NoReturn:
    click.echo(text, err=True)
    raise click.exceptions.Exit(status)
