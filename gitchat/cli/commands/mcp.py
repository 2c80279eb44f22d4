"""``git chat mcp``."""

from __future__ import annotations

import signal
import sys

import click

from gitchat.model.errors import UserError
from gitchat.server.toolset import GITCHAT, PROFILES, toolset_of
from gitchat.workspace.environment import Environment


@click.command("mcp", short_help="Serve this room to an agent, over MCP.")
@click.option("--json", "as_json", is_flag=True, help="Answer with the JSON of the contract, for programs.")
@click.option("--channel", is_flag=True, help="Push messages into a Claude Code session that loads us as a channel.")
@click.option(
    "--tools",
    type=click.Choice(["all", "core"]),
    default="all",
    show_default=True,
    help="core: the six that an agent needs, where room for tools is short.",
)
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default=GITCHAT,
    show_default=True,
    help="The tools of mcp-agent-collaboration or agents-mcp-server, for an agent that was told to use those.",
)
@click.option(
    "--user-wide",
    "is_user_wide",
    is_flag=True,
    help="The client starts it in every repository: in one where you never used gitchat, join no room of the remote.",
)
@click.option(
    "--connect",
    metavar="URL",
    help="Forward to a git chat serve: its address; or auto, the one of this clone, which is started when none runs.",
)
@click.option("--sdk", is_flag=True, help="Serve with the MCP SDK instead of gitchat's own loop: slower to start.")
@click.pass_obj
def command(
    environment: Environment, as_json: bool, channel: bool, tools: str, profile: str, is_user_wide: bool,
    connect: str | None, sdk: bool,
) -> None:  # fmt: skip
    """Serve this room to an agent, over MCP on standard input and output.

    Not for typing: an agent's client starts it. To add it to a client:

    \b
      claude mcp add gitchat -- git-chat mcp
      codex mcp add gitchat -- git-chat mcp
    """
    if profile != GITCHAT and (as_json or tools != "all"):
        raise UserError(
            f"--json and --tools choose among gitchat's own tools, and --profile {profile} has others",
            hint=f"leave them out: git chat mcp --profile {profile}",
            code="bad-argument",
        )
    if sys.stdin.isatty():
        raise UserError(
            "git chat mcp talks to an agent's client, and there is nobody but you",
            hint="add it to a client: claude mcp add gitchat -- git-chat mcp; or pipe JSON lines into it",
            code="not-for-typing",
        )
    if connect is not None:
        if as_json or channel or is_user_wide or sdk or tools != "all":
            raise UserError(
                "with --connect the server decides how it answers",
                hint="leave the other options out: git chat mcp --connect URL [--profile PROFILE]",
                code="bad-argument",
            )
        from gitchat.cli import connecting  # for who forwards

        connecting.forward(environment, connect, profile)
        return
    toolset = toolset_of(profile, is_core=tools == "core")
    if sdk:
        # The SDK's reader waits in the kernel; a handler of Python's would not get it out of there.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        from gitchat.server import sdk as face
        from gitchat.server.service import Service

        service = Service(as_data=as_json, toolset=toolset, is_user_wide=is_user_wide)
        face.serve(service, has_channel=channel)
    else:
        from gitchat.server import front

        front.serve(as_data=as_json, toolset=toolset, has_channel=channel, is_user_wide=is_user_wide)
