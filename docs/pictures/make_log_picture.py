"""Draw docs/pictures/log.svg: what the real ``git chat log`` prints on a terminal. Run by ``make pictures``.

A short conversation is written into a scratch repository with fixed times and uids, the
installed program is run in a pseudo-terminal, and its output is drawn by rich. The same
program gives the same bytes.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Mapping
from pathlib import Path

from picture import Conversation, Line, prompt, write
from rich.text import Text

COLUMNS, LINES = 92, 60

CONVERSATION = [
    Line(minute=2, who="alice", body="Morning! Today: the config parser, then the release."),
    Line(minute=3, who="bob", type="question", body="Who works on src/parser.py? I would like to rename Token."),
    Line(
        minute=3, who="codex", to=("bob",), type="answer", reply_to=2,
        body="I do, in the worktree 'parser'. Please wait for my commit: all but two tests are green.",
    ),
    Line(
        minute=21, who="codex", kind="status", type="commit",
        body="4f1c2ab Read quoted keys with escapes (on parser in parser, 2 files)",
    ),
    Line(
        minute=22, who="codex", to=("role:reviewer",), type="review_request",
        body="Ready to look at: the branch 'parser', 3 commits.\n"
        "  src/parser.py   quoted keys, better errors\n"
        "  tests/          41 cases, two of them were bugs",
    ),
    Line(
        minute=34, who="alice", to=("codex",), type="review_result", reply_to=5,
        body="Reads well. One thing: an unclosed quote should name its line.",
    ),
    Line(minute=36, who="codex", to=("alice",), reply_to=6, body="Done, with a test. Merged."),
    Line(
        minute=41, who="bob", urgent=True, type="blocker",
        body="CI is red on main since the merge: Python 3.11 does not know 'type X = ...'. "
        "Please push nothing else.",
    ),
    Line(minute=42, who="codex", to=("bob",), reply_to=8, body="My line. The fix is on its way."),
    Line(minute=47, who="bob", reply_to=8, body="Green again, main is open. Thanks, all!"),
]  # fmt: skip


def main() -> None:
    """Write the picture anew."""
    with tempfile.TemporaryDirectory() as scratch:
        conversation = Conversation(Path(scratch))
        conversation.say(CONVERSATION)
        shown = run_in_terminal(["git", "chat", "log"], conversation.clone, conversation.variables)
    write("log", [prompt("git chat log"), Text.from_ansi(shown.rstrip("\n")), prompt()], COLUMNS)


def run_in_terminal(command: list[str], directory: Path, variables: Mapping[str, str]) -> str:
    """What ``command`` prints on a terminal of COLUMNS x LINES."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    with subprocess.Popen(command, cwd=directory, env=dict(variables), stdin=inner, stdout=inner, stderr=inner) as run:
        os.close(inner)
        output = b""
        while chunk := read_terminal(outer):
            output += chunk
    os.close(outer)
    if run.returncode:
        sys.exit(f"error: {' '.join(command)} ended with {run.returncode}:\n{output.decode()}")
    return output.decode().replace("\r\n", "\n")


def read_terminal(descriptor: int) -> bytes:
    """The next bytes, or none when the program has ended (which Linux reports as an error)."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


if __name__ == "__main__":
    main()
