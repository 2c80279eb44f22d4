"""The page about Python does what it says, the examples work, and a type checker believes both."""

from __future__ import annotations

import inspect
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gitchat.tools
from gitchat import Room
from tests.verbs.tools.conftest import doomed
from tests.world import World

TOP = Path(__file__).parents[3]
PAGE = TOP / "docs" / "python.md"
EXAMPLES = TOP / "examples"
RUNNER = Path(__file__).parent / "page.py"


class Programs:
    """A repository with an agent's settings, and the examples as programs in it."""

    def __init__(self, world: World, path: Path) -> None:
        self.world = world
        self.path = path
        self._processes: list[subprocess.Popen[str]] = []

    def start(self, example: str, *arguments: str) -> subprocess.Popen[str]:
        """An example, under way."""
        process = doomed(
            subprocess.Popen(
                [sys.executable, EXAMPLES / example, *arguments],
                cwd=self.path,
                env=self.world.variables,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
        )
        self._processes.append(process)
        return process

    def run(self, example: str, *arguments: str) -> str:
        """What an example prints."""
        return self.world.run(sys.executable, EXAMPLES / example, *arguments, cwd=self.path).stdout

    def chat(self, *arguments: str) -> str:
        """What ``git chat`` prints."""
        return self.world.chat(*arguments, cwd=self.path, check=True).stdout

    def log(self) -> list[dict[str, Any]]:
        """The records of the lobby."""
        return [json.loads(line) for line in self.chat("log", "--json", "-n", "1000").splitlines()]

    def kill(self) -> None:
        """End what was started."""
        for process in self._processes:
            process.kill()
            process.communicate()


@pytest.fixture
def programs(world: World, path: Path) -> Iterator[Programs]:
    """The examples, ready to be started."""
    made = Programs(world, path)
    yield made
    made.kill()


# --- the page ------------------------------------------------------------------


def test_the_page_about_python_tells_the_truth(world: World, path: Path) -> None:
    """Every block runs, and gives what stands there."""
    done = world.run(sys.executable, "-P", RUNNER, PAGE, cwd=path, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("text", "is_true"),
    [
        ("```python\n>>> 1 + 1\n2\n```\n", True),
        ("```python\nx = 1\n```\ntext\n```python\n>>> x\n1\n```\n", True),
        ("```python\n>>> 1 + 1\n3\n```\n", False),
        ("```python\n>>> undefined\n```\n", False),
        ("```python\nraise ValueError\n```\n", False),
        ("no block at all\n", False),
    ],
)
def test_the_runner_of_pages_can_fail(world: World, tmp_path: Path, text: str, is_true: bool) -> None:
    """A wrong result, an error, or a page without Python."""
    page = tmp_path / "page.md"
    page.write_text(text)
    assert (world.run(sys.executable, "-P", RUNNER, page, check=False).returncode == 0) is is_true


def test_the_page_names_everything_public() -> None:
    """No verb of Room is left out, and the tools stand there with their defaults."""
    page = PAGE.read_text()
    reference = page[page.index("## Reference: Room") :]
    for verb in (name for name in vars(Room) if not name.startswith("_")):
        assert f"`{verb}" in reference or f"Room.{verb}(" in reference, verb
    for tool in gitchat.tools.__all__:
        parameters = inspect.signature(getattr(gitchat.tools, tool)).parameters.values()
        shown = [
            one.name if one.default is one.empty else f"{one.name}={json.dumps(one.default)}" for one in parameters
        ]
        line = (
            f"`{tool}({', '.join(shown)})`".replace("=null", "=None")
            .replace("=true", "=True")
            .replace("=false", "=False")
        )
        assert line in reference


def test_everything_public_is_described() -> None:
    """Room's verbs and the tools have docstrings; ``help`` is the longer reference."""
    described: list[Callable[..., Any]] = [getattr(gitchat.tools, tool) for tool in gitchat.tools.__all__]
    described += [value for name, value in vars(Room).items() if not name.startswith("_")]
    assert [one for one in described if not inspect.getdoc(one)] == []


# --- the examples --------------------------------------------------------------


def test_every_question_is_answered_once(programs: Programs) -> None:
    """The agent's loop wakes for them, passes over the rest, and leaves when nothing comes any more."""
    oracle = programs.start("answer_questions.py", "oracle", "1000")
    for number in range(3):
        programs.chat("send", "--as", "ann", "--type", "question", f"why {number}?")
        programs.chat("send", "--as", "ann", "just saying")
    with Room.open(programs.path, name="ann").environment.changes() as changes:
        assert changes.wait_until(lambda: len(answers(programs)) == 3, 60)
    assert oracle.poll() is None
    oracle.send_signal(signal.SIGKILL)
    oracle.wait()
    programs.chat("send", "--as", "ann", "--type", "question", "why 3?")
    programs.run("answer_questions.py", "oracle", "0.01")
    assert sorted(answers(programs)) == [f"why {number}?" for number in range(4)]
    assert programs.log()[-1]["content"] == "oracle left the chatroom"


def test_an_agent_that_was_killed_before_it_marked_answers_nothing_twice(programs: Programs) -> None:
    """Its answer is there, and the question still unread: what a kill between the two leaves."""
    programs.chat("send", "--as", "ann", "--type", "question", "why?")
    programs.run("answer_questions.py", "oracle", "0.01")
    programs.world.git("update-ref", "-d", "refs/chatroom/rooms/lobby/cursors/oracle", cwd=programs.path)
    programs.run("answer_questions.py", "oracle", "0.01")
    assert answers(programs) == ["why?"]


def answers(programs: Programs) -> list[str]:
    """For every answer, its question."""
    log = programs.log()
    contents = {one["id"]: one["content"] for one in log}
    return [contents[one["reply_to"]] for one in log if one.get("type") == "answer"]


def test_a_nightly_summary_covers_what_came_since_the_last(programs: Programs) -> None:
    """It counts, lists open questions, and is not written when there is nothing new."""
    programs.chat("send", "--as", "ann", "--type", "question", "who has the lexer?")
    programs.chat("send", "--as", "bob", "--type", "question", "and the parser?")
    programs.chat("send", "--as", "bob", "--type", "answer", "--reply-to", "1", "I do.")
    assert programs.run("nightly_handoff.py", "night-shift") == "summary 1\n"
    assert programs.run("nightly_handoff.py", "night-shift") == ""
    programs.chat("send", "--as", "ann", "good morning")
    assert programs.run("nightly_handoff.py", "night-shift") == "summary 2\n"
    texts = [summary.text for summary in Room.open(programs.path, name="zoe").summaries()]
    assert texts == ["3 messages: bob 2, ann 1\nOpen: #2 and the parser?", "1 messages: ann 1"]


def test_a_watcher_prints_what_is_said_in_its_rooms(programs: Programs) -> None:
    """From when it says that it watches; escape sequences of others do not reach the terminal."""
    programs.chat("send", "--as", "ann", "before")
    watcher = programs.start("watch_rooms.py", "lobby", "plans")
    assert watcher.stdout is not None
    assert watcher.stdout.readline() == "watching lobby, plans\n"
    programs.chat("send", "--as", "ann", "red \x1b[31mtext")
    assert watcher.stdout.readline() == "  lobby #2 ann: red  [31mtext\n"
    programs.chat("send", "--as", "ann", "--room", "plans", "Friday?")
    assert watcher.stdout.readline() == "  plans #1 ann: Friday?\n"
    watcher.send_signal(signal.SIGINT)
    assert watcher.wait(60) == 130


def test_two_agents_talk_over_mcp(programs: Programs) -> None:
    """Each has a server of its own; the question wakes one, the answer the other, and the room has it all."""
    printed = programs.run("two_agents.py", ".", ".")
    assert "claude reads | [1] codex -> claude " in printed
    assert "codex reads | [2] claude -> codex " in printed
    assert [(one["from"], one.get("type")) for one in programs.log()] == [
        ("codex", "question"), ("claude", "answer"), ("system", "presence"),
    ]  # fmt: skip


# --- types ---------------------------------------------------------------------


@pytest.mark.slow
def test_a_type_checker_believes_the_examples(tmp_path: Path) -> None:
    """mypy in strict mode, as a user would run it; and a slip in a copy of one is found."""

    def errors(*files: Path) -> str:
        command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), *map(str, files)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout

    assert errors(*sorted(EXAMPLES.glob("*.py"))).startswith("Success")
    slip = tmp_path / "slip.py"
    lines = ["from gitchat import Room", "import gitchat.tools as s", "Room.open().send('hello', to=5)", "s.leave(5)"]
    slip.write_text("\n".join([*lines, ""]))
    found = errors(slip)
    assert 'slip.py:3: error: Argument "to"' in found
    assert "slip.py:4: error: Argument 1" in found
