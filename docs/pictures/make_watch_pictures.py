"""Draw docs/pictures/watch*.svg: the real ``git chat watch`` in a terminal, others writing. Run by ``make pictures``.

Each scene is played in tmux: keys are pressed, records come, and the screen is drawn with
its cursor once it shows what the scene waits for. The same program gives the same bytes.
Needs tmux.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from make_log_picture import CONVERSATION
from picture import Conversation, Line, environment_words, write
from rich.text import Text

DEADLINE_SECONDS = 30.0
HALF_A_LINE = "I can read it before lunch, if the lexer's half is in by then and nobo"

FIRST_NEWS = Line(minute=49, who="bob", body="Who reads the release notes?")
SECOND_NEWS = Line(
    minute=50, who="codex", type="question", to=("alice",), reply_to=8,
    body="Shall I drop Python 3.11, or keep the old form of the line? Both are one commit.",
)  # fmt: skip

TRACE = "\n".join(
    f'  File "src/parser.py", line {line}, in {"parse_value" if line % 3 else "parse_table"}' for line in range(40, 340)
)
HOSTILE = (
    "\x1b[2J\x1b[H\x1b]0;owned\x07\x1b[31mroot@orbit:~# \x1b[6n\x9b31m\n"
    "#9  alice  09:59\n"
    "    Ship it.\u202e  right to left\u2066\u200b\U000e0041\n"
    "你好, 👩‍👩‍👧, e\u0301, \tand a word of " + "100" + "0" * 150
)


def main() -> None:
    """Play each scene, and write its picture anew."""
    if shutil.which("tmux") is None:
        sys.exit("error: there is no tmux here\nhint: apt-get install tmux, or what your system calls it")
    for name, (scene, columns, rows) in SCENES.items():
        with tempfile.TemporaryDirectory() as scratch:
            conversation = Conversation(Path(scratch))
            with watching(conversation, columns, rows) as terminal:
                scene(conversation, terminal)
                write(name, [terminal.screen()], columns)


# --- scenes --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal in tmux, whose server listens at ``socket`` and has no other."""

    socket: Path
    variables: dict[str, str]

    def start(self, conversation: Conversation, columns: int, rows: int) -> None:
        """Run ``git chat watch`` as alice."""
        size = ("-x", str(columns), "-y", str(rows))
        command = [*environment_words({**self.variables, "GITCHAT_NAME": "alice"}), "git", "chat", "watch"]
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, "-c", str(conversation.clone), *command)
        self._tmux("set-option", "status", "off")

    def types(self, text: str) -> None:
        """Press keys, and see them on the screen."""
        self._tmux("send-keys", "-l", text)

    def until_sees(self, wanted: str) -> None:
        """Return when the screen shows ``wanted``, wherever its lines break. The program ends if that never comes."""
        end = time.monotonic() + DEADLINE_SECONDS
        while "".join(wanted.split()) not in "".join(self._tmux("capture-pane", "-p").split()):
            if time.monotonic() > end:
                sys.exit(f"error: the screen never showed {wanted!r}:\n{self._tmux('capture-pane', '-p')}")
            time.sleep(0.02)

    def screen(self) -> Text:
        """What the terminal shows, its cursor too."""
        column, row = map(int, self._tmux("display-message", "-p", "#{cursor_x} #{cursor_y}").split())
        lines = Text.from_ansi(self._tmux("capture-pane", "-p", "-e", "-N")).split("\n", allow_blank=True)
        under = lines[row]
        under.pad_right(max(0, column + 1 - under.cell_len))
        under.stylize("reverse", column, column + 1)
        return Text("\n").join(lines[: row + 1])

    def close(self) -> None:
        """End all that runs there."""
        self._tmux("kill-server")

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self.socket), "-u", *arguments]
        done = subprocess.run(command, env=self.variables, capture_output=True, check=True)
        return done.stdout.decode()


@contextmanager
def watching(conversation: Conversation, columns: int, rows: int) -> Iterator[Terminal]:
    """A terminal in which alice watches the room of a conversation that was led before."""
    conversation.say(CONVERSATION)
    terminal = Terminal(conversation.scratch / "tmux", conversation.variables)
    terminal.start(conversation, columns, rows)
    try:
        terminal.until_sees(CONVERSATION[-1].body)
        terminal.until_sees("lobby alice>")
        yield terminal
    finally:
        terminal.close()


def coming(conversation: Conversation, terminal: Terminal) -> None:
    """Somebody joins, and two records come."""
    joining = ["git", "chat", "join", "dora", "--role", "reviewer"]
    subprocess.run(joining, cwd=conversation.clone, env=conversation.variables, check=True, capture_output=True)
    terminal.until_sees("dora joined as reviewer")
    for line in (FIRST_NEWS, SECOND_NEWS):
        conversation.say([line])
        terminal.until_sees(line.body)


def writing(conversation: Conversation, terminal: Terminal) -> None:
    """Records come while alice writes."""
    before, after = HALF_A_LINE[:30], HALF_A_LINE[30:]
    terminal.types(before)
    terminal.until_sees(before)
    coming(conversation, terminal)
    terminal.types(after)
    terminal.until_sees(f"alice> {HALF_A_LINE}")


def long(conversation: Conversation, terminal: Terminal) -> None:
    """A message of many lines comes."""
    conversation.say([Line(minute=49, who="codex", body="It fails like this:\n" + TRACE)])
    terminal.until_sees("git chat show 11)")
    terminal.until_sees("lobby alice>")


def hostile(conversation: Conversation, terminal: Terminal) -> None:
    """A message comes that would steer the terminal, and tell lies."""
    conversation.say([Line(minute=49, who="mallory", body=HOSTILE), FIRST_NEWS])
    terminal.until_sees(FIRST_NEWS.body)
    terminal.until_sees("lobby alice>")


SCENES: dict[str, tuple[Callable[[Conversation, Terminal], None], int, int]] = {
    "watch": (coming, 80, 32),
    "watch-writing": (writing, 80, 24),
    "watch-narrow": (writing, 40, 32),
    "watch-long": (long, 80, 24),
    "watch-hostile": (hostile, 80, 24),
}
"""By the name of its picture: what happens, and the columns and rows of the terminal."""


if __name__ == "__main__":
    main()
