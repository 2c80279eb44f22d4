"""What the pictures share: a sealed repository, a conversation with fixed times and uids, a drawn terminal."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from gitchat.model.names import RoomName, Uid
from gitchat.model.record import Draft, Moment
from gitchat.workspace.environment import Environment

HERE = Path(__file__).parent
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


@dataclass(slots=True)
class Conversation:
    """The room of a new repository below ``scratch``: people write from the clone, agents from a second worktree."""

    scratch: Path
    variables: dict[str, str] = field(init=False)
    """An environment that holds nothing of this machine but the program itself."""
    clone: Path = field(init=False)
    worktree: Path = field(init=False)
    _sent: list[Uid] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.variables = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.scratch),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_PAGER": "cat",
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }
        self.clone, self.worktree = self.scratch / "orbit", self.scratch / "parser"
        identity = ("-c", "user.name=Alice", "-c", "user.email=alice@example.com")
        for arguments in (
            ("init", "-q", "-b", "main", str(self.clone)),
            ("-C", str(self.clone), *identity, "commit", "-q", "--allow-empty", "-m", "Begin"),
            ("-C", str(self.clone), "worktree", "add", "-q", str(self.worktree)),
        ):
            subprocess.run(["git", *arguments], env=self.variables, check=True)

    def say(self, lines: Iterable[Line]) -> None:
        """Send each line, at its minute after nine."""
        for line in lines:
            self._sent.append(self._send(line, len(self._sent) + 1))

    def _send(self, line: Line, number: int) -> Uid:
        is_agent = line.who == "codex"
        environment = Environment(
            cwd=str(self.worktree if is_agent else self.clone),
            variables=self.variables,
            is_terminal=not is_agent,
            now=lambda: Moment(NINE_O_CLOCK + 60 * line.minute),
            random_bytes=lambda count: bytes([number]) * count,
        )
        draft = Draft(
            body=line.body,
            kind=line.kind,
            to=line.to,
            type=line.type,
            reply_to=self._sent[line.reply_to - 1] if line.reply_to else None,
            urgent=line.urgent,
        )
        return environment.writer(RoomName("lobby")).send(draft, environment.caller.identity(line.who)).entry.record.uid


def prompt(command: str = "") -> Text:
    """A shell's prompt, with what was typed there."""
    return Text.assemble(("$ ", "bold green"), (command, "bold"))


def write(name: str, parts: Iterable[Text], columns: int) -> None:
    """Draw a terminal that shows ``parts``, each on lines of its own, as ``<name>.svg``; it refers to no other file."""
    console = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for part in parts:
        console.print(part)
    svg = console.export_svg(title="~/orbit", theme=THEME, unique_id=name)
    svg = re.sub(r"<!--.*?-->\s*|@font-face \{.*?\}\s*|font-variant-east-asian: .*?;\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;]*Fira Code[^;]*;", f"font-family: {FONTS};", svg)
    picture = HERE / f"{name}.svg"
    picture.write_text(svg, encoding="utf-8")
    print(f"wrote {os.path.relpath(picture)}")


def environment_words(variables: Mapping[str, str]) -> list[str]:
    """A command's beginning that gives it ``variables`` and no others."""
    return ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]
