"""``git chat join`` and ``git chat leave``: names that stay, and names that live as long as a command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from gitchat.model.names import Name
from tests.cli.conftest import Chatroom, Terminal, as_ordinary_user, read_only, refused
from tests.cli.programs import is_living, running
from tests.cli.test_log import NASTY, OBEYED
from tests.world import World


def state(room: Chatroom, name: str) -> str | None:
    """``living``, ``registered`` or ``away``, as ``who`` tells it; None for somebody unknown."""
    lines = room.chat("who", "--all", "--json", check=True).stdout.splitlines()
    return next((one["state"] for one in map(json.loads, lines) if one["name"] == name), None)


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that must come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


@contextmanager
def holding(room: Chatroom, name: str, script: str = "exec sleep 1000") -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives under ``name`` while a shell runs ``script``; the shell's pid is in the file ``pid``.

    Both have begun, and are gone afterwards.
    """
    ready = room.path / "ready"
    process = subprocess.Popen(
        ["git-chat", "join", name, "--", "sh", "-c", f"echo $$ > pid; touch ready; {script}"],
        cwd=room.path,
        env=room.world.variables,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(ready.exists)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


# --- registering -------------------------------------------------------------


def test_join_registers(chatroom: Chatroom) -> None:
    """Under my name or another; the line says that nobody lives under it."""
    assert chatroom.chat("join", check=True).stdout == "alice joined room 'lobby' as general (registered, not living)\n"
    done = chatroom.chat("join", "Codex", "--role", "review", "--can", "go", "--can", "c", check=True)
    assert done.stdout == "codex joined room 'lobby' as review (registered, not living)\n"
    assert (state(chatroom, "alice"), state(chatroom, "codex")) == ("registered", "registered")


def test_joining_again_changes_the_role(chatroom: Chatroom) -> None:
    """The role and the capabilities are new; when it joined stays."""
    first = json.loads(chatroom.chat("join", "codex", "--json", check=True).stdout)
    again = json.loads(chatroom.chat("join", "codex", "--role", "review", "--can", "go", "--json", check=True).stdout)
    assert (first["name"], first["role"], first["state"]) == ("codex", "general", "registered")
    assert (again["role"], again["capabilities"], again["joined_at"]) == ("review", ["go"], first["joined_at"])
    assert first["worktree"] == str(chatroom.path)
    assert first["branch"] == "main"


def test_role_is_an_address(chatroom: Chatroom) -> None:
    """Who joins with a role gets what is sent to it."""
    chatroom.say("look", author="bob", to=("role:review",))
    assert chatroom.chat("inbox").stdout == ""
    chatroom.chat("join", "--role", "review", check=True)
    assert "    look\n" in chatroom.chat("inbox").stdout


def test_join_without_a_role(chatroom: Chatroom) -> None:
    """A role may be blank."""
    assert chatroom.chat("join", "--role", "").stdout == "alice joined room 'lobby' (registered, not living)\n"


@pytest.mark.parametrize(
    ("words", "error", "hint", "status"),
    [
        (["al\nice"], r"name 'al\nice'", "'al-ice'", 1),
        (["system"], "name 'system' is reserved", "'system-1'", 1),
        (["--role", "a\nb"], r"role 'a\nb' is not one line", "such as 'review'", 1),
        (["--role", NASTY], "is not one line", "such as 'review'", 1),
        (["--can", "x" * 65], "capability", "such as 'review'", 1),
        (["--room", "nowhere"], "there is no room 'nowhere'", "rooms: lobby", 1),
        (["a", "b"], "takes no 'b'", "git chat join a", 2),
        (["codex", "--"], "no COMMAND after --", "git chat join -h", 2),
        (["codex", "--json", "--", "true"], "--json says who joined", "git chat join -h", 2),
    ],
)
def test_bad_input_is_refused(chatroom: Chatroom, words: list[str], error: str, hint: str, status: int) -> None:
    """What cannot be understood is refused, harmless to a terminal, and nobody has joined."""
    chatroom.say(author="bob")
    done = chatroom.chat("join", *words)
    refused(done, error, hint, status)
    assert OBEYED.search(done.stderr) is None
    assert [json.loads(line)["name"] for line in chatroom.chat("who", "--json").stdout.splitlines()] == ["bob"]


@pytest.mark.parametrize("words", ["join", "join codex -- true", "leave"])
def test_read_only_repository_cannot_be_joined(chatroom: Chatroom, words: str) -> None:
    """Where no file can be written the refusal names the cause."""
    chatroom.chat("join", check=True)
    chatroom.chat("join", "codex", check=True)
    user = as_ordinary_user()
    with read_only(chatroom.path):
        done = chatroom.chat(*words.split(), under=user)
    refused(done, "cannot write to", "ask its owner")


# --- leaving -----------------------------------------------------------------


def test_leaving_is_told_in_the_room(chatroom: Chatroom) -> None:
    """Who leaves is no participant, its role reaches nobody, and the others read of it."""
    chatroom.chat("join", "codex", "--role", "review", check=True)
    assert chatroom.chat("leave", "codex", check=True).stdout == "codex left room 'lobby'\n"
    assert state(chatroom, "codex") == "away"
    told = chatroom.newest()
    assert (told.author, told.body, told.type, told.to) == ("system", "codex left the chatroom", "presence", ())


def test_leaving_twice_changes_nothing(chatroom: Chatroom) -> None:
    """Who is not here cannot leave; that is said, and is no error."""
    chatroom.chat("join", check=True)
    assert json.loads(chatroom.chat("leave", "--json", check=True).stdout) == {"left": True}
    assert json.loads(chatroom.chat("leave", "--json", check=True).stdout) == {"left": False}
    assert chatroom.chat("leave", check=True).stdout == "nothing changed: alice was not in room 'lobby'\n"
    assert len(chatroom.entries()) == 1


def test_closed_room_can_be_left(chatroom: Chatroom) -> None:
    """Nothing can be written to it, so nothing is."""
    chatroom.say()
    chatroom.chat("join", check=True)
    chatroom.chat("room", "close", "lobby", check=True)
    assert chatroom.chat("leave", check=True).stdout == "alice left room 'lobby'\n"
    assert len(chatroom.entries()) == 1


def test_living_name_is_neither_joined_nor_left_by_others(chatroom: Chatroom) -> None:
    """A name that another process holds is refused, with who holds it."""
    with holding(chatroom, "codex"):
        refused(chatroom.chat("join", "codex"), "participant 'codex' is already active", "'codex-2'")
        refused(
            chatroom.chat("join", "codex", "--", "true"), "participant 'codex' is already active", "held by process"
        )
        refused(chatroom.chat("leave", "codex"), "'codex' is held by process", "end that process")


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "hi", "--as", "codex"],
        ["reply", "1", "hi", "--as", "codex"],
        ["summary", "write", "all done", "--as", "codex"],
        ["room", "title", "lobby", "A title", "--as", "codex"],
        ["cursor", "set", "1", "--as", "codex"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_nobody_else_speaks_under_a_living_name(held: Chatroom, arguments: list[str]) -> None:
    """It is refused, and nothing is stored: to a person, and to an agent of another session."""
    before = held.git("for-each-ref").stdout
    for variables in ({}, {"CLAUDECODE": "1"}, {"CLAUDECODE": "1", "GITCHAT_SESSION": "another"}):
        done = held.chat(*arguments, **variables)
        assert (done.returncode, done.stdout) == (3, "")
        assert "'codex' is held by process" in done.stderr
        assert "hint: " in done.stderr
    assert held.git("for-each-ref").stdout == before


def test_who_is_no_other_speaks_under_a_living_name(held: Chatroom) -> None:
    """Under one's own name, under one that nobody lives under, and as the session that lives there."""
    for name, variables in (("alice", {}), ("bob", {}), ("codex", {"GITCHAT_SESSION": _session_of(held, "codex")})):
        held.chat("send", "hi", "--as", name, check=True, **variables)
        assert held.newest().author == name


def test_a_person_speaks_at_each_of_its_terminals(chatroom: Chatroom) -> None:
    """While one of them waits as somebody, another one says something as the same."""
    chatroom.say("one", author="alex")
    with running(chatroom, "wait", "--as", "alex"):
        until(lambda: is_living(chatroom, "alex"))
        chatroom.chat("send", "hi", "--as", "alex", check=True)
        assert "held by" in chatroom.chat("send", "hi", "--as", "alex", CLAUDECODE="1").stderr


def _session_of(chatroom: Chatroom, name: str) -> str:
    known = chatroom.world.environment(chatroom.path).roll.find(Name(name))
    assert known is not None
    assert known.holder is not None
    return known.holder.session or ""


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chatroom]:
    """A room with one message, in whose clone a program lives as codex."""
    chatroom = Chatroom(World(tmp_path_factory.mktemp("held")))
    chatroom.say("one", author="bob")
    with holding(chatroom, "codex"):
        yield chatroom


# --- living while a command runs ---------------------------------------------


def test_name_lives_while_the_command_runs(chatroom: Chatroom) -> None:
    """It is living then, with place and process, and gone when the command ends."""
    script = "git chat who --json; echo name: $GITCHAT_NAME; git chat send hi"
    done = chatroom.chat("join", "codex", "--role", "review", "--", "sh", "-c", script, check=True)
    seen, name, number = done.stdout.splitlines()
    found = json.loads(seen)
    assert (found["name"], found["role"], found["state"]) == ("codex", "review", "living")
    assert found["worktree"] == str(chatroom.path)
    assert (name, number) == ("name: codex", "#1")
    assert done.stderr == "codex joined room 'lobby' as review (living while sh runs)\n"
    assert (chatroom.newest().author, state(chatroom, "codex")) == ("codex", "away")


def test_registered_name_stays_registered(chatroom: Chatroom) -> None:
    """Living for a while takes nothing from who joined to stay."""
    chatroom.chat("join", "codex", check=True)
    chatroom.chat("join", "codex", "--", "true", check=True)
    assert state(chatroom, "codex") == "registered"


def test_command_marks_for_its_name(chatroom: Chatroom) -> None:
    """What the command reads under the name that is held for it is read; a stranger's reading is not."""
    chatroom.say("one", author="bob")
    chatroom.say("two", author="bob")
    done = chatroom.chat("join", "codex", "--", "git", "chat", "read", "-n1", check=True)
    assert "not marked" not in done.stderr
    assert chatroom.chat("cursor", "codex").stdout == "codex  read to #1  1 unread\n"
    with holding(chatroom, "codex"):
        for variables in ({}, {"GITCHAT_SESSION": "another"}, {"GITCHAT_NAME": "codex"}):
            assert "not marked" in chatroom.chat("read", "--as", "codex", **variables).stderr
    assert chatroom.chat("cursor", "codex").stdout == "codex  read to #1  1 unread\n"


def test_streams_pass_through(chatroom: Chatroom) -> None:
    """The command reads our input and writes our output and errors."""
    script = "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data); sys.stderr.write('err')"
    done = chatroom.chat("join", "codex", "--", sys.executable, "-c", script, stdin=b"\0in\xff")
    assert done.stdout.encode("utf-8", "surrogateescape") == b"\0in\xff"
    assert done.stderr.endswith("err")


def test_command_has_its_own_options(chatroom: Chatroom) -> None:
    """What stands after ``--`` is the command's, another ``--`` too."""
    done = chatroom.chat("join", "codex", "--", "printf", "%s\n", "--role", "--", "-h", check=True)
    assert done.stdout == "--role\n--\n-h\n"


def test_own_name_needs_no_argument(chatroom: Chatroom) -> None:
    """Without NAME it is mine that is held."""
    assert chatroom.chat("join", "--", "sh", "-c", "echo $GITCHAT_NAME", check=True).stdout == "alice\n"


@pytest.mark.parametrize(
    ("program", "status"),
    [
        (["sh", "-c", "exit 0"], 0),
        (["sh", "-c", "exit 42"], 42),
        (["sh", "-c", "kill -9 $$"], 137),
        (["sh", "-c", "kill -TERM $$"], 143),
        (["sh", "-c", "kill -INT $$"], 130),
        (["no-such-program"], 127),
        (["./file.txt"], 126),
        (["/"], 126),
    ],
)
def test_status_is_the_commands(chatroom: Chatroom, program: list[str], status: int) -> None:
    """As a shell tells it: 128 and the signal's number, 127 not found, 126 not executable."""
    done = chatroom.chat("join", "codex", "--", *program)
    assert done.returncode == status
    assert ("error: the command" in done.stderr) == (status in (126, 127))
    assert state(chatroom, "codex") == "away"


def test_killed_holder_frees_its_name_at_once(chatroom: Chatroom) -> None:
    """After SIGKILL nobody has to notice or to wait: the next call has the name, though the command runs on."""
    with holding(chatroom, "codex") as holder:
        assert state(chatroom, "codex") == "living"
        holder.kill()
        holder.wait()
        os.kill(int((chatroom.path / "pid").read_text()), 0)
        assert state(chatroom, "codex") == "away"
        assert chatroom.chat("join", "codex", "--", "true").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signal_reaches_the_command(chatroom: Chatroom, number: signal.Signals) -> None:
    """What ends this process alone is passed on, and the command decides what comes of it."""
    script = f"trap 'echo > got; exit 7' {number.name.removeprefix('SIG')}; touch set; while :; do sleep 0.01; done"
    with holding(chatroom, "codex", script) as holder:
        until((chatroom.path / "set").exists)
        holder.send_signal(number)
        assert holder.wait(60) == 7
    assert (chatroom.path / "got").exists()


def test_interrupt_is_for_the_command(chatroom: Chatroom) -> None:
    """An interrupt from the keyboard goes to the whole group: we outlive it and give the command's own status."""
    with holding(chatroom, "codex", "trap 'exit 5' INT; touch set; while :; do sleep 0.01; done") as holder:
        # That the shell catches the signal, as /proc tells, is not enough: it does so before the trap is in force.
        until((chatroom.path / "set").exists)
        os.killpg(holder.pid, signal.SIGINT)
        assert holder.wait(60) == 5


def test_interrupt_of_us_alone_ends_nothing(chatroom: Chatroom) -> None:
    """As a shell we wait for the command, which did not get it."""
    with holding(chatroom, "codex", "while [ ! -e stop ]; do sleep 0.01; done; exit 6") as holder:
        holder.send_signal(signal.SIGINT)
        (chatroom.path / "stop").touch()
        assert holder.wait(60) == 6


def test_interactive_command_has_the_terminal(chatroom: Chatroom, terminal: Terminal) -> None:
    """A program that needs a terminal finds it."""
    assert (
        "yes" in terminal("git", "chat", "join", "codex", "--", "sh", "-c", "test -t 0 && test -t 1 && echo yes").stdout
    )


# --- two worktrees -----------------------------------------------------------


def test_name_is_one_in_all_worktrees(chatroom: Chatroom) -> None:
    """A name that is held in one worktree is taken in the other, which sees where."""
    tree = chatroom.world.root / "tree"
    chatroom.git("worktree", "add", "-q", "-b", "topic", tree)
    chatroom.world.chat("join", "zoe", cwd=tree, check=True)
    with holding(chatroom, "codex"):
        refused(chatroom.world.chat("join", "codex", cwd=tree), "'codex' is already active", f"in {chatroom.path}")
    [zoe] = [json.loads(line) for line in chatroom.chat("who", "--json").stdout.splitlines() if "zoe" in line]
    assert (zoe["worktree"], zoe["branch"]) == (str(tree), "topic")
