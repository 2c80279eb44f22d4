"""``git chat help``."""

from __future__ import annotations

import click


def _offered(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The commands, for Tab; after a group its own."""
    shown = context.find_root()
    for word in context.params.get("verb") or ():
        found = shown.command.get_command(shown, word) if isinstance(shown.command, click.Group) else None
        if found is None:
            return []
        shown = click.Context(found, parent=shown, info_name=word)
    group = shown.command
    names = group.list_commands(shown) if isinstance(group, click.Group) else []
    return [name for name in names if name.startswith(incomplete)]


@click.command("help")
@click.argument("verb", nargs=-1, shell_complete=_offered)
@click.pass_context
def command(context: click.Context, verb: tuple[str, ...]) -> None:
    """Show what a command does, and what it takes.

    The same as -h after it. The manual page: git chat --help.

    \b
    Examples:
      git chat help
      git chat help send
      git chat help room rename
    """
    shown = context.find_root()
    for place, word in enumerate(verb):
        group = shown.command
        if not isinstance(group, click.Group):
            raise click.UsageError(f"Got unexpected extra argument ({' '.join(verb[place:])})")
        name, found, _ = group.resolve_command(shown, [word])
        assert found is not None
        shown = click.Context(found, parent=shown, info_name=name)
    click.echo(shown.get_help())
