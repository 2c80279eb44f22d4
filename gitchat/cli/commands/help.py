"""``git chat help``."""

from __future__ import annotations

import click


@click.command("help")
@click.argument("verb", nargs=-1)
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
