"""``git chat serve``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec

import click

from gitchat.cli.terminal import escape_line
from gitchat.model.errors import UserError
from gitchat.model.names import suggest_slug
from gitchat.serve.choosing import Given, choose, not_needed
from gitchat.serve.servefile import ServeFile
from gitchat.serve.settings import PORTS, Profile, Settings
from gitchat.serve.tokens import CODE_SECONDS, Tokens
from gitchat.workspace.environment import Environment, here
from gitchat.workspace.naming import of_person

MODULES = ("prometheus_client", "starlette", "uvicorn", "websockets")
"""What the extra ``serve`` brings, as it is imported."""


@click.command("serve", short_help="Give these rooms over HTTP: a page, an API, tools.")
@click.argument("repositories", nargs=-1, metavar="[REPO]...")
@click.option("--host", metavar="ADDRESS", help="Where to listen.  [default: 127.0.0.1, this machine alone]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="0 is any free one.  [default: 8080, or the profile's]",
)
@click.option(
    "--profile", type=click.Choice(list(PORTS)), default="gitchat", show_default=True, help="Whose tools are at /mcp."
)
@click.option("--path", metavar="PATH", help="Where the tools are.  [default: /mcp]")
@click.option("--room", metavar="ROOM", help="The room of who names none.  [default: chat.room, else lobby]")
@click.option("--url", "is_url", is_flag=True, help="Print a fresh address of the server that runs here.")
@click.option("--open-browser", "opens", is_flag=True, help="Open the page.")
@click.option("--guests", is_flag=True, help="Who has no token may read.")
@click.option(
    "--cors", multiple=True, metavar="ORIGIN", help="Pages from there may ask, too, with a token; repeatable."
)
@click.option("--allow-host", "allow_hosts", multiple=True, metavar="NAME", help="It is called so, too; repeatable.")
@click.option("--tls-cert", metavar="FILE", help="A certificate, for https.")
@click.option("--tls-key", metavar="FILE", help="Its key.")
@click.option("--behind-proxy", multiple=True, metavar="CIDR", help="Proxies there tell who asks; repeatable.")
@click.option("--plain", is_flag=True, help="Beyond this machine without TLS: whoever is on the way reads along.")
@click.option("--git", "git", is_flag=True, help="/git/ is a remote for the rooms.")
@click.option("--audit", metavar="FILE", help="A line of JSON for each request, without its text.")
@click.option("--token-always", is_flag=True, help="Your own programs need a token, too.")
@click.option("--open", "is_open", is_flag=True, help="Every program of this machine may do all; loopback only.")
@click.pass_obj
def command(
    environment: Environment, /, repositories: tuple[str, ...], port: int | None, profile: Profile, is_url: bool,
    opens: bool, is_open: bool, **options: str | bool | tuple[str, ...] | None,
) -> int | None:  # fmt: skip
    """Give these rooms to people and programs that do not run git: as a page, over HTTP, to agents.

    It prints an address, for ten minutes and one browser. Your own programs need none of it; others need a token.

    \b
    Examples:
      git chat serve --open-browser
      git chat token add ana; git chat serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem
      git chat serve ~/one ~/two
      git chat serve --url
    """
    if is_url:
        _print_fresh(environment, port)
        return None
    _refuse_without_its_libraries()
    given = Given(port=port, profile=profile, open=is_open, **options)  # type: ignore[arg-type]
    environments = _environments(environment, repositories)
    first = next(iter(environments.values()))
    settings = choose(given, first.variables, first.repository.config)
    for name in not_needed(first.variables):
        click.echo(f"{name} is set, and not needed: the rooms are in the repository", err=True)
    if is_open:
        click.echo("every program of this machine may read and write here, whoever's it is (--open)", err=True)
    from gitchat.serve import running

    return running.run(environments, settings, lambda held: _tell(environments, held, opens))


def _refuse_without_its_libraries() -> None:
    missing = [module for module in MODULES if find_spec(module) is None]
    if missing:
        from gitchat.cli import installing

        raise UserError(
            f"git chat serve needs libraries that only the extra 'serve' brings: {', '.join(missing)}",
            hint=installing.with_extra("serve"),
            code="no-serve",
        )


def _environments(environment: Environment, repositories: tuple[str, ...]) -> Mapping[str, Environment]:
    """The repositories by what paths call them. Raises as Repository.location, and UserError ``bad-argument``."""
    found: dict[str, Environment] = {}
    for path in repositories or (environment.cwd,):
        directory = os.path.join(environment.cwd, os.path.expanduser(path))
        if not os.path.isdir(directory):
            raise UserError(
                f"there is no directory {path}",
                hint="see what it takes: git chat serve -h",
                code="bad-argument",
            )
        one = environment if not repositories else here(environment.progress, directory)
        name = suggest_slug(one.repository.worktree_name) or "repository"
        if name in found or any(one.repository.directory == other.repository.directory for other in found.values()):
            raise UserError(
                f"two of the repositories are called '{name}' in paths",
                hint="name each once; of two of one name, serve one by a link of another name",
                code="bad-argument",
            )
        found[name] = one
    return found


def _tell(environments: Mapping[str, Environment], settings: Settings, opens: bool) -> None:
    from gitchat.serve.running import address_of

    for place, (name, environment) in enumerate(environments.items()):
        address = _with_code(environment, address_of(settings, name, place == 0))
        click.echo(escape_line(address))
        if opens and place == 0:
            from gitchat.cli.browser import open_in_browser

            open_in_browser(environment, address)


def _print_fresh(environment: Environment, port: int | None) -> None:
    servers = ServeFile(environment.repository.directory).running()
    found = [server for server in servers if port in (None, server.port)]
    if not found:
        at = f" at port {port}" if port is not None and servers else ""
        raise UserError(f"no server runs here{at}", hint="start one: git chat serve", code="not-serving")
    click.echo(escape_line(_with_code(environment, found[0].address)))


def _with_code(environment: Environment, address: str) -> str:
    """``address`` for a browser: with a code for one use, where the person has a name to be let in under."""
    with suppress(UserError):
        now = environment.now().seconds
        tokens = Tokens(environment.repository.directory, random_bytes=environment.random_bytes)
        code, _ = tokens.add(now, "code", "name", of_person(environment.repository.config), expires=now + CODE_SECONDS)
        return f"{address}/#code={code}"
    return f"{address}/"
