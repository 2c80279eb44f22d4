"""Draw docs/pictures/log.svg: what the real ``git chat log`` prints on a terminal. Run by ``make pictures``.

A short conversation is written into a scratch repository with fixed times and uids, the
installed program is run in a pseudo-terminal, and its output is drawn by rich. The same
program gives the same bytes.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from gitchat.environment import Environment
from gitchat.names import RoomName, Uid
from gitchat.record import Draft, Moment

PICTURE = Path(__file__).with_name("log.svg")
COLUMNS, LINES = 92, 60
NINE_O_CLOCK = 1_794_906_000  # Tuesday, 17 November 2026, 09:00 UTC
THEME = TerminalTheme(
    (0x1B, 0x20, 0x28),
    (0xD6, 0xDB, 0xE1),
    [
        *((0x1B, 0x20, 0x28), (0xF4, 0x70, 0x67), (0x6B, 0xC4, 0x6D), (0xDA, 0xAA, 0x3F)),
        *((0x6C, 0xB6, 0xFF), (0xDC, 0xBD, 0xFB), (0x56, 0xC7, 0xC7), (0xD6, 0xDB, 0xE1)),
    ],
)
FONTS = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One record of the conversation."""

    minute: int
    who: str
    body: str
    to: tuple[str, ...] = ()
    kind: str = "message"
    type: str | None = None
    reply_to: int | None = None
    urgent: bool = False


CONVERSATION = [
    Line(minute=2, who="alice", body="Morning! Today: the config parser, then the release."),
    Line(minute=3, who="bob", type="question", body="Who works on src/parser.py? I would like to rename Token."),
    Line(
        minute=3, who="codex", to=("bob",), type="answer", reply_to=2,
        body="I do, in the worktree 'parser'. Please wait for my commit: all but two tests are green.",
    ),
    Line(minute=21, who="codex", kind="status", body="committed 4f1c2ab on parser: Read quoted keys with escapes"),
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
        variables = sealed_variables(Path(scratch))
        clone, worktree = make_repository(Path(scratch), variables)
        write_conversation({"alice": clone, "bob": clone, "codex": worktree}, variables)
        shown = run_in_terminal(["git", "chat", "log"], clone, variables)
    PICTURE.write_text(draw("git chat log", shown), encoding="utf-8")
    print(f"wrote {os.path.relpath(PICTURE)}")


def sealed_variables(home: Path) -> dict[str, str]:
    """An environment that holds nothing of this machine but the program itself."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_PAGER": "cat",
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def make_repository(scratch: Path, variables: Mapping[str, str]) -> tuple[Path, Path]:
    """A repository with one commit, and a second worktree of it."""
    clone, worktree = scratch / "orbit", scratch / "parser"
    identity = ("-c", "user.name=Alice", "-c", "user.email=alice@example.com")
    for arguments in (
        ("init", "-q", "-b", "main", str(clone)),
        ("-C", str(clone), *identity, "commit", "-q", "--allow-empty", "-m", "Begin"),
        ("-C", str(clone), "worktree", "add", "-q", str(worktree)),
    ):
        subprocess.run(["git", *arguments], env=dict(variables), check=True)
    return clone, worktree


def write_conversation(places: Mapping[str, Path], variables: Mapping[str, str]) -> None:
    """Send CONVERSATION, each line from its writer's own worktree."""
    sent: list[Uid] = []
    for number, line in enumerate(CONVERSATION, start=1):
        environment = Environment(
            cwd=str(places[line.who]),
            variables=variables,
            is_terminal=line.who != "codex",
            now=lambda line=line: Moment(NINE_O_CLOCK + 60 * line.minute),  # type: ignore[misc]
            random_bytes=lambda count, number=number: bytes([number]) * count,  # type: ignore[misc]
        )
        draft = Draft(
            body=line.body,
            kind=line.kind,
            to=line.to,
            type=line.type,
            reply_to=sent[line.reply_to - 1] if line.reply_to else None,
            urgent=line.urgent,
        )
        stored = environment.log(RoomName("lobby")).send(draft, environment.identity(line.who))
        sent.append(stored.entry.record.uid)


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


def draw(command: str, output: str) -> str:
    """The picture of a terminal in which ``command`` has printed ``output``; refers to no other file."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    prompt = ("$ ", "bold green")
    console.print(Text.assemble(prompt, (command, "bold")))
    console.print(Text.from_ansi(output.rstrip("\n")))
    console.print(Text.assemble(prompt))
    svg = console.export_svg(title="~/orbit", theme=THEME, unique_id="log")
    svg = re.sub(r"<!--.*?-->\s*|@font-face \{.*?\}\s*|font-variant-east-asian: .*?;\s*", "", svg, flags=re.DOTALL)
    return re.sub(r"font-family: [^;]*Fira Code[^;]*;", f"font-family: {FONTS};", svg)


if __name__ == "__main__":
    main()
