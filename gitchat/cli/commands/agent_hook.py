"""``git chat hook claude|codex|gemini EVENT``: what an agent's client runs at the edges of a turn, for who types it.

What a client runs comes to the same ``agenthook`` without this: ``gitchat.__main__``.
"""

from __future__ import annotations

import click

from gitchat import agenthook


def _command(client: str, shown: str) -> click.Command:
    """The command of one client. Whatever it is given, its exit status is 0, or 2 to wake somebody."""

    @click.command(
        client,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        help=f"What {shown} runs as a hook: session-start, prompt, tool, stop, session-end"
        f"{', wait' if client == 'claude' else ''}.\n\nJSON on standard input and output; silent without news.",
    )
    @click.argument("event", default="")
    @click.pass_context
    def command(context: click.Context, event: str) -> None:
        context.exit(agenthook.run(context.obj, client, event))

    return command


claude = _command("claude", "Claude Code")
codex = _command("codex", "Codex")
gemini = _command("gemini", "Gemini CLI")


COMMANDS = (claude, codex, gemini)
"""What ``git chat hook`` takes in."""
