"""``git chat token``."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import click

from gitchat.cli import terminal
from gitchat.cli.grammar import Verbs
from gitchat.model.errors import UserError
from gitchat.model.names import parse_name, parse_room
from gitchat.model.record import address_of
from gitchat.serve.tokens import Role, Token, Tokens
from gitchat.workspace.environment import Environment

_SECONDS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}


@click.group("token", cls=Verbs, short_help="Let others in whom git chat serve does not know.")
def command() -> None:
    """Let programs and colleagues in whom git chat serve does not know.

    Who has a token acts under its name, over HTTP alone. Only a hash of it is kept: it is shown once.

    \b
    Examples:
      git chat token add build-bot
      git chat token add ana --email ana@example.com --expires 30d
      git chat token add visitor --guest --room release
      git chat token list
      git chat token revoke build-bot
    """


@command.command("add")
@click.argument("name")
@click.option("--email", metavar="ADDRESS", help="The author's address of what is written with it.")
@click.option("--guest", "role", flag_value="guest", help="It only reads.")
@click.option("--admin", "role", flag_value="admin", help="It also sees figures.")
@click.option("--any-name", "role", flag_value="any-name", help="It acts under any name that nobody else lives under.")
@click.option("--metrics", "role", flag_value="metrics", help="It sees figures and nothing else.")
@click.option("--room", "rooms", multiple=True, metavar="ROOM", help="It sees this room alone; repeatable.")
@click.option("--expires", metavar="TIME", help="When it ends by itself: 12h, 30d, 8w.  [default: never]")
@click.pass_obj
def add_token(
    environment: Environment,
    name: str,
    email: str | None,
    role: Role | None,
    rooms: tuple[str, ...],
    expires: str | None,
) -> None:
    """Make a token for NAME, and print it. It is not kept, and cannot be shown again."""
    now = environment.now().seconds
    address = address_of(email) if email is not None and "@" in email else None
    if email is not None and address is None:
        raise UserError(
            f"{email!r} is no address", hint="give one such as ana@example.com, or leave --email out", code="bad-email"
        )
    ends = now + _parsed(expires) if expires is not None else None
    seen = tuple(parse_room(room) for room in rooms) or None
    secret, token = tokens_of(environment).add(
        now, "token", role or "name", parse_name(name), email=address, rooms=seen, expires=ends
    )
    click.echo(secret)
    click.echo(f"token {token.id} of {token.name}{_until(token)}; nobody can show it again", err=True)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_tokens(environment: Environment, as_json: bool) -> None:
    """List the tokens, and which browsers were let in. None of them can be told from it."""
    for token in tokens_of(environment).all(environment.now().seconds):
        if token.kind == "code":
            continue
        if as_json:
            shown = {
                "id": token.id, "kind": token.kind, "name": token.name, "role": token.role, "email": token.email,
                "rooms": token.rooms, "created": _when(token.created),
                "expires": _when(token.expires) if token.expires is not None else None,
            }  # fmt: skip
            click.echo(terminal.json_text({key: value for key, value in shown.items() if value is not None}))
        else:
            role = "" if token.role == "name" else f", {token.role}"
            rooms = f", {' '.join(token.rooms)} only" if token.rooms is not None else ""
            kind = "a browser" if token.kind == "page" else "a token"
            click.echo(f"{token.id}  {token.name}  {kind}{role}{rooms}, of {_when(token.created)[:10]}{_until(token)}")


@command.command("revoke")
@click.argument("which", metavar="NAME|ID")
@click.pass_obj
def revoke_token(environment: Environment, which: str) -> None:
    """End what a name has, or one token: at once, also in a server that runs, and in browsers let in by it."""
    for token in tokens_of(environment).revoke(which, environment.now().seconds):
        click.echo(f"ended: {token.id} of {token.name}")


def tokens_of(environment: Environment) -> Tokens:
    """The credentials of the repository here. Raises as Repository.location."""
    return Tokens(environment.repository.directory, random_bytes=environment.random_bytes)


def _parsed(text: str) -> int:
    """A time such as ``30d`` in seconds. Raises UserError ``bad-date``."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})([hdw])", text.strip().lower())
    if found is None:
        raise UserError(
            f"--expires {text!r} is no time", hint="say hours, days or weeks: 12h, 30d, 8w", code="bad-date"
        )
    return int(found[1]) * _SECONDS[found[2]]


def _until(token: Token) -> str:
    return f", until {_when(token.expires)[:16].replace('T', ' ')} UTC" if token.expires is not None else ""


def _when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
