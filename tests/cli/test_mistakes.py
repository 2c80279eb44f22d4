"""What people type who know git, slack or irc: each mistake of ``mistakes.txt`` is told a command that leads on."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.conftest import Chatroom
from tests.world import Done, World

TABLE = Path(__file__).with_name("mistakes.txt")

REMOTE = ("sync", "push", "pull", "remote", "invite")
"""The verbs whose mistakes are made in a clone of a hub."""


@dataclass
class Mistake:
    """What is typed, what is said then, and what the command does that is told."""

    typed: str
    status: int = 0
    said: str = ""
    answer: str = ""
    leads: int | None = 0
    """The exit status of the answer; None for one that is not run to its end."""
    shows: str = ""


@dataclass
class Verb:
    """The mistakes of one verb."""

    name: str
    mistakes: list[Mistake] = field(default_factory=list)


def read() -> Iterator[Verb]:
    """The table."""
    verb: Verb | None = None
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        mark, _, rest = line.partition(" ")
        if mark == "==":
            if verb is not None:
                yield verb
            verb = Verb(rest.removesuffix(" =="))
        elif verb is not None and mark == "$":
            verb.mistakes.append(Mistake(rest))
        elif verb is not None and mark == "!":
            status, _, verb.mistakes[-1].said = rest.partition(" ")
            verb.mistakes[-1].status = int(status)
        elif verb is not None and mark == ">":
            verb.mistakes[-1].answer = rest
        elif verb is not None and mark == "=":
            status, _, verb.mistakes[-1].shows = rest.partition(" ")
            verb.mistakes[-1].leads = None if status == "-" else int(status)
    assert verb is not None
    yield verb


VERBS = list(read())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rooms in which all mistakes are made, to be copied."""
    room = Chatroom(World(tmp_path_factory.mktemp("mistakes")))
    room.say("Which parser?", author="bob")
    room.say("Which tests fail for you?", author="bob", to=("alice",), type="question")
    room.say("The second one", author="alice")
    room.say("A release on Friday", author="bob", room="plans")
    for name in ("bob", "omar"):
        room.chat("join", name, check=True)
    return room.path


@pytest.fixture
def mistaken(chatroom: Chatroom, made: Path) -> Chatroom:
    """A copy of those rooms."""
    shutil.copytree(made, chatroom.path, symlinks=True, dirs_exist_ok=True)
    return chatroom


UNDONE: list[str] = []


@pytest.mark.parametrize(
    "verb",
    [
        pytest.param(one, marks=[pytest.mark.xfail(strict=True)] if one.name in UNDONE else [], id=one.name)
        for one in VERBS
    ],
)
def test_a_mistake_is_told_what_leads_on(mistaken: Chatroom, verb: Verb) -> None:
    """The words and the exit status are those of the table; the command that is told is run, and does what it shall."""
    if verb.name in REMOTE:
        mistaken.world.git("init", "-q", "--bare", mistaken.world.root / "hub.git")
        mistaken.git("remote", "add", "origin", "../hub.git")
    wrong = [told for mistake in verb.mistakes if (told := _wrong(mistaken, mistake))]
    assert not wrong, "\n".join(wrong)


def _wrong(room: Chatroom, mistake: Mistake) -> str:
    """What is not as the table has it; nothing where all is."""
    done = room.chat(*shlex.split(mistake.typed))
    said = f"$ git chat {mistake.typed}\n{done.returncode} {done.stdout}{done.stderr}"
    is_told = done.returncode == mistake.status and mistake.said in done.stderr and mistake.answer in done.stderr
    if not is_told or (mistake.status and not any(line.startswith("hint: ") for line in done.stderr.splitlines())):
        return f"{said}! {mistake.status} {mistake.said}\n> {mistake.answer}\n"
    if mistake.leads is None:
        return ""
    led = _run(room, mistake.answer)
    if led.returncode != mistake.leads or mistake.shows not in led.stdout + led.stderr:
        return f"$ {mistake.answer}\n{led.returncode} {led.stdout}{led.stderr}= {mistake.leads} {mistake.shows}\n"
    return ""


def _run(room: Chatroom, line: str) -> Done:
    program, *words = shlex.split(line)
    assert program == "git", line
    return room.chat(*words[1:]) if words[0] == "chat" else room.git(*words, check=False)


def test_every_verb_has_three_mistakes() -> None:
    """Of each that a person types; and no answer goes unchecked."""
    from gitchat.cli import COMMANDS

    told = {verb.name: len(verb.mistakes) for verb in VERBS}
    assert [name for name in COMMANDS if told.get(name, 0) < 3] == []
    assert all(mistake.said and mistake.answer for verb in VERBS for mistake in verb.mistakes)
