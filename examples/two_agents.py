"""Two agents settle a question over MCP, each with a server of its own, as their clients would start it:

    python two_agents.py PARSER_WORKTREE LEXER_WORKTREE

Prints what is asked of a server, and what the model gets to read. What the models would say is fixed here.
"""

import asyncio
import os
import sys
import textwrap

from mcp import Client, StdioServerParameters
from mcp.types import TextContent


class Agent:
    """A connection to the server of one agent."""

    def __init__(self, name: str, worktree: str) -> None:
        self.name = name
        server = StdioServerParameters(command="git", args=["chat", "mcp"], cwd=worktree, env=dict(os.environ))
        self.client = Client(server)

    async def call(self, tool: str, **arguments: object) -> None:
        """Call a tool under the agent's name; print the call, and the answer when it is there."""
        said = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        print(f"{self.name} calls {tool}({said})", flush=True)
        answer = await self.client.call_tool(tool, {"name": self.name, **arguments})
        # The server has escaped what others wrote, so it can be printed.
        text = "\n".join(part.text for part in answer.content if isinstance(part, TextContent))
        print(textwrap.indent(text, f"  {self.name} reads | "), flush=True)


async def main(parser_worktree: str, lexer_worktree: str) -> None:
    """The conversation. Whoever waits for an answer is woken by it."""
    codex, claude = Agent("codex", parser_worktree), Agent("claude", lexer_worktree)
    async with codex.client, claude.client:
        await codex.call("join", role="parser", since="now")
        await claude.call("join", role="lexer", since="now")
        asking = codex.call("check_in", content="What is in a token?", type="question", to="claude", wait_seconds=60)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asking)
            await claude.call("check_in", wait_seconds=60)
            await claude.call("send_message", content="Kind, text, line, column.", type="answer", to="codex")
        await claude.call("write_summary", content="A token has kind, text, line and column.")
        await claude.call("leave")
        await codex.call("get_handoff")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
