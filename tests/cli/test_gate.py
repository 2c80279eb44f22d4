"""The gate before the hooks of agents: nothing is started behind it while nothing came, and whatever comes is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import LOG, Chatroom
from tests.cli.programs import until
from tests.needed import missing
from tests.world import Done

TOP = Path(__file__).parents[2]
SCRIPT = TOP / "scripts" / "git-chat-hook"
SESSION = "0b7e2c1a-5f5e-4a1c-9d9e-1f2d3c4b5a69"

SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"]]


def installed(chatroom: Chatroom, program: str) -> Path:
    """Where a program of ours is installed."""
    found = shutil.which(program, path=chatroom.world.variables["PATH"])
    assert found is not None
    return Path(found)


class Gate:
    """The gate as a client runs it, beside a ``git-chat`` that notes that it was started, and is the real one."""

    def __init__(self, chatroom: Chatroom, shell: list[str]) -> None:
        found = shutil.which(shell[0]) or shutil.which(shell[0], path=str(TOP / ".tools" / "shells"))
        if found is None:
            missing(f"there is no {shell[0]}: make tools")
        self.chatroom = chatroom
        directory = chatroom.world.root / "installed"
        directory.mkdir()
        self._shell = [found, *shell[1:]]
        self._script = shutil.copy(SCRIPT, directory / "git-chat-hook")
        self._started = directory / "started"
        self.program = program = directory / "git-chat"
        program.write_text(f'#!/bin/sh\necho "$@" >> "{self._started}"\nexec {installed(chatroom, "git-chat")} "$@"\n')
        program.chmod(0o755)

    def run(self, event: str = "tool", client: str = "claude", cwd: Path | None = None, **given: Any) -> Done:
        """One hook."""
        said = json.dumps({"session_id": SESSION, "cwd": "/somewhere"} | given).encode()
        return self.chatroom.world.run(
            *self._shell, self._script, client, event, cwd=cwd or self.chatroom.path, stdin=said, check=False
        )

    def told(self, event: str = "tool", **given: Any) -> int:
        """How many unread messages a hook told of."""
        done = self.run(event, **given)
        assert (done.returncode, done.stderr) == (0, "")
        _, _, rest = done.stdout.rpartition("gitchat: ")
        return int(rest.split()[0]) if "unread" in rest else 0

    def is_closed(self, event: str = "tool", **given: Any) -> bool:
        """Whether a hook ends without starting anything, and says nothing."""
        self._started.unlink(missing_ok=True)
        done = self.run(event, **given)
        assert (done.returncode, done.stderr) == (0, "")
        return not self._started.exists() and done.stdout == ""


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def gate(chatroom: Chatroom, request: pytest.FixtureRequest) -> Gate:
    """The gate, in each shell."""
    return Gate(chatroom, request.param)


@pytest.fixture
def dash_gate(chatroom: Chatroom) -> Gate:
    """The gate in the shell of Debian."""
    return Gate(chatroom, ["dash"])


# --- nothing came ----------------------------------------------------------------


def test_it_closes_after_a_look_and_opens_for_a_message(gate: Gate) -> None:
    """Each message is told once, and between them nothing is started."""
    gate.chatroom.say("first", author="bob")
    assert gate.told() == 1
    assert gate.is_closed()
    assert gate.is_closed("prompt")
    assert gate.is_closed()
    gate.chatroom.say("second", author="bob")
    assert gate.told() == 2
    assert gate.is_closed()


def test_what_was_told_at_work_holds_up_the_end_once(gate: Gate) -> None:
    """Stopping is an occasion of its own, with a stamp of its own."""
    gate.chatroom.say("hello", author="bob")
    assert gate.told() == 1
    assert gate.is_closed()
    assert json.loads(gate.run("stop").stdout)["hookSpecificOutput"]["hookEventName"] == "Stop"
    assert gate.is_closed("stop")


def test_a_run_of_codex_without_a_terminal_starts_nothing_at_its_end(gate: Gate) -> None:
    """Its transcript says so; at a terminal, and where none is told, it is looked."""
    gate.chatroom.say("hello", author="bob")
    transcript = gate.chatroom.world.root / "roll out.jsonl"
    for source, is_closed in (("exec", True), ("cli", False)):
        line = f'{{"type":"session_meta","payload":{{"id":"0199","source":"{source}"}}}}\n{{"text":"\\"exec\\""}}\n'
        transcript.write_text(line)
        assert gate.is_closed("stop", client="codex", transcript_path=str(transcript)) == is_closed
    assert not gate.is_closed("stop", client="codex", transcript_path=str(transcript.parent / "none"), session_id="b")


def test_nobody_waits_for_what_is_done_at_a_session_s_end(gate: Gate, tmp_path: Path) -> None:
    """A client ends only after its hooks. All that it said gets there."""
    gate.chatroom.say("hello", author="bob")
    go_on, got = tmp_path / "go on", tmp_path / "got"
    os.mkfifo(go_on)
    gate.program.write_text(f'#!/bin/sh\ncat "{go_on}" >/dev/null\ncat >"{got}.new" && mv "{got}.new" "{got}"\n')
    done = gate.run("session-end", client="codex", reason="exit", more="x" * 5000)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not got.exists()
    go_on.write_text("")
    until(got.exists)
    assert json.loads(got.read_bytes())["more"] == "x" * 5000
    assert list((gate.chatroom.path / ".git").glob("chatroom/gate/*")) == []


def test_where_no_room_ever_was_nothing_is_started(gate: Gate) -> None:
    """Whoever set it up for all repositories pays nothing in those without a room, and nothing is made there."""
    gate.chatroom.git("pack-refs", "--all")
    assert gate.is_closed()
    assert gate.is_closed("stop")
    assert not (gate.chatroom.path / ".git" / "chatroom").exists()


def test_outside_of_a_repository_it_is_silent(gate: Gate) -> None:
    """A client runs its hooks everywhere."""
    assert gate.is_closed(cwd=gate.chatroom.world.root)


def test_a_subagent_pays_nothing_while_its_session_has_news(gate: Gate) -> None:
    """It is told nothing, and takes nothing from its session."""
    gate.chatroom.say("hello", author="bob")
    subagent = {"agent_id": "a86d0b896f3180407"}
    assert gate.told(**subagent) == 0
    assert gate.is_closed(**subagent)
    assert gate.told() == 1


def test_a_session_that_begins_is_always_told_who_it_is(gate: Gate) -> None:
    """Also while nothing came."""
    gate.chatroom.say("hello", author="bob")
    assert gate.told() == 1
    assert gate.is_closed()
    for _ in range(2):
        assert "you are claude-repo" in gate.run("session-start").stdout


# --- whatever comes is told -----------------------------------------------------------


def by_fetch(chatroom: Chatroom, message: Callable[[Chatroom], object]) -> None:
    """A plain ``git fetch`` into the room's ref, without gitchat."""
    other = chatroom.world.root / "other.git"
    chatroom.git("clone", "-q", "--mirror", chatroom.path, other)
    before = chatroom.tip
    message(chatroom)
    chatroom.git("push", "-q", other, f"{LOG}:{LOG}")
    chatroom.git("update-ref", LOG, before)
    chatroom.git("fetch", "-q", other, f"+{LOG}:{LOG}")


def by_update_ref(chatroom: Chatroom, message: Callable[[Chatroom], object]) -> None:
    """The ref is set by hand."""
    before = chatroom.tip
    message(chatroom)
    after = chatroom.tip
    chatroom.git("update-ref", LOG, before)
    chatroom.git("update-ref", LOG, after)


def by_packing(chatroom: Chatroom, message: Callable[[Chatroom], object]) -> None:
    """All refs are packed right after it."""
    message(chatroom)
    chatroom.git("pack-refs", "--all", "--prune")


@pytest.mark.parametrize("way", [by_fetch, by_update_ref, by_packing])
def test_a_message_that_comes_without_us_is_told_at_the_next_tool_call(
    dash_gate: Gate, way: Callable[[Chatroom, Callable[[Chatroom], object]], None]
) -> None:
    """Git's own files are looked at, and none of ours."""
    dash_gate.chatroom.say("mine", author="claude-repo")
    assert dash_gate.told() == 0
    assert dash_gate.is_closed()
    way(dash_gate.chatroom, lambda chatroom: chatroom.say("hello", author="bob"))
    assert dash_gate.told() == 1


def test_what_waits_for_its_remote_is_told_at_once_and_no_more_when_it_gets_its_number(dash_gate: Gate) -> None:
    """An agent beside the sender hears of it while the remote is away; what comes from elsewhere then is told, too."""
    chatroom = dash_gate.chatroom
    hub, away = chatroom.world.root / "hub.git", chatroom.world.root / "away.git"
    chatroom.git("init", "-q", "--bare", hub)
    chatroom.git("remote", "add", "origin", hub)
    chatroom.chat("send", "--as", "bob", "first", check=True)
    chatroom.chat("sync", check=True)
    other = chatroom.world.root / "other"
    chatroom.git("clone", "-q", hub, other)
    assert dash_gate.told() == 1
    hub.rename(away)
    for count in (2, 3):
        chatroom.chat("send", "--as", "bob", f"pending {count}", check=True)
        assert dash_gate.told() == count
        assert dash_gate.told() == 0
    away.rename(hub)
    for text in ("from elsewhere", "and more", "and the last"):
        chatroom.world.chat("send", "--as", "carol", "--sync", text, cwd=other, check=True)
    chatroom.chat("read", "--as", "claude-repo", CLAUDECODE="1", check=True)  # the pending ones are read
    chatroom.chat("sync", check=True)
    assert dash_gate.told() == 3
    assert dash_gate.told() == 0
    assert chatroom.chat("log", "--oneline").stdout.count("~") == 0


def test_what_comes_while_something_waits_for_the_remote_is_told(dash_gate: Gate) -> None:
    """Our own log does not move then; that which tracks the remote's does."""
    chatroom = dash_gate.chatroom
    hub, other = chatroom.world.root / "hub.git", chatroom.world.root / "other"
    chatroom.git("init", "-q", "--bare", hub)
    chatroom.git("remote", "add", "origin", hub)
    chatroom.chat("send", "--as", "bob", "first", check=True)
    chatroom.chat("sync", check=True)
    chatroom.git("clone", "-q", hub, other)
    chatroom.git("config", "chat.sync", "manual")
    chatroom.chat("send", "--as", "bob", "pending", check=True)
    assert dash_gate.told() == 2
    assert dash_gate.told() == 0
    tip = chatroom.tip
    chatroom.world.chat("send", "--as", "carol", "--sync", "from elsewhere", cwd=other, check=True)
    chatroom.chat("pull", check=True)
    assert chatroom.tip == tip
    assert dash_gate.told() == 3
    assert dash_gate.is_closed()


def test_in_a_repository_with_reftable(chatroom: Chatroom) -> None:
    """Nothing before the first room, the first message, and a message that ``update-ref`` brings."""
    chatroom.world.use_newer_git()
    chatroom.path = chatroom.world.repository("tables", "--ref-format=reftable")
    gate = Gate(chatroom, ["dash"])
    assert gate.is_closed()
    chatroom.chat("send", "--as", "bob", "first", check=True)
    assert gate.told() == 1
    assert gate.told() == 0  # the seat that the first look took is a ref, too, and here one list tells of all
    assert gate.is_closed()
    before = chatroom.git("rev-parse", LOG).stdout.strip()
    chatroom.chat("send", "--as", "bob", "second", check=True)
    after = chatroom.git("rev-parse", LOG).stdout.strip()
    assert gate.told() == 2
    chatroom.git("update-ref", LOG, before)
    assert gate.told() == 0
    assert gate.is_closed()
    chatroom.git("update-ref", LOG, after)
    assert not gate.is_closed()


def test_in_a_linked_worktree(dash_gate: Gate) -> None:
    """The refs are those of the main one."""
    linked = dash_gate.chatroom.world.root / "linked"
    dash_gate.chatroom.git("worktree", "add", "-q", linked)
    dash_gate.chatroom.say("hello", author="bob")
    assert dash_gate.told(cwd=linked) == 1
    assert dash_gate.is_closed(cwd=linked)
    dash_gate.chatroom.say("hello again", author="bob")
    assert dash_gate.told(cwd=linked) == 2


def test_a_volley_that_is_slowed_is_looked_at_until_its_pause_is_over(dash_gate: Gate) -> None:
    """No ref moves when it is, so that the gate stays open."""
    for number in range(8):
        dash_gate.chatroom.say("thanks", author="bob" if number % 2 else "claude-repo")
    for _ in range(2):
        assert "slowed" in json.loads(dash_gate.run("stop").stdout)["systemMessage"]


# --- never in the way -------------------------------------------------------------------


@pytest.mark.parametrize("session", ["../../refs/heads/main", "a b", "x" * 300, "", "née", 7])
def test_a_session_that_names_no_file_is_looked_at_each_time(dash_gate: Gate, session: Any) -> None:
    """Nothing is written anywhere else than among the stamps."""
    dash_gate.chatroom.say("hello", author="bob")
    head = dash_gate.chatroom.git("rev-parse", "main").stdout
    for _ in range(2):
        assert not dash_gate.is_closed(session_id=session)
    assert dash_gate.chatroom.git("rev-parse", "main").stdout == head
    gate = dash_gate.chatroom.path / ".git" / "chatroom" / "gate"
    assert not gate.exists() or not list(gate.iterdir())


def test_what_the_client_says_arrives_whole(dash_gate: Gate) -> None:
    """More than a pipe holds, and the event by the client's own name behind it."""
    dash_gate.chatroom.say("hello", author="bob")
    done = dash_gate.run(tool_response="\\ \n%s $HOME " * 100_000, hook_event_name="PostToolBatch")
    assert json.loads(done.stdout)["hookSpecificOutput"]["hookEventName"] == "PostToolBatch"
    assert dash_gate.is_closed()
    assert dash_gate.is_closed(tool_response="x" * 1_000_000)


@pytest.mark.parametrize(
    ("client", "variables", "starts"),
    [
        ("claude", {"CLAUDE_CODE_ENTRYPOINT": "sdk-cli"}, False),
        ("claude", {}, False),
        ("claude", {"CLAUDE_CODE_ENTRYPOINT": "cli", "CLAUDE_CODE_MESSAGING_SOCKET": "/tmp/s"}, False),
        ("codex", {"CLAUDE_CODE_ENTRYPOINT": "cli"}, False),
        ("claude", {"CLAUDE_CODE_ENTRYPOINT": "cli"}, True),
    ],
)
def test_nobody_waits_who_need_not(chatroom: Chatroom, client: str, variables: dict[str, str], starts: bool) -> None:
    """A headless run ends when its model ends, and who has an inbox is rung there."""
    directory = chatroom.world.root / "installed"
    directory.mkdir()
    script = shutil.copy(SCRIPT, directory / "git-chat-hook")
    (directory / "git-chat").write_text("#!/bin/sh\necho started\n")
    (directory / "git-chat").chmod(0o755)
    done = subprocess.run(
        [script, client, "wait"], env=chatroom.world.variables | variables, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == ("started\n" if starts else "")


def test_it_is_installed_beside_the_program(chatroom: Chatroom) -> None:
    """The wheel brings it, as it is here."""
    gate = installed(chatroom, "git-chat-hook")
    assert gate.parent == installed(chatroom, "git-chat").parent
    assert gate.read_bytes() == SCRIPT.read_bytes()


def test_a_look_at_conflicts_is_asked_for_after_an_edit(gate: Gate) -> None:
    """Once until somebody begins it, where it can find anything, and by no tool that only reads; from sh alone."""
    gate.chatroom.chat("send", "hello")
    directory = gate.chatroom.path / ".git" / "chatroom"
    gate.program.write_text(f'#!/bin/sh\ncase $1 in conflicts) echo "$@" >>"{directory}/looks" ;; esac\n')
    looks, asked = directory / "looks", directory / "conflicts.asked"
    gate.run(tool_name="Edit")
    assert not asked.exists()
    (directory / "conflicts.on").touch()
    gate.run(tool_name="Read")
    gate.run("prompt")
    assert not asked.exists()
    gate.run(tool_name="Edit")
    until(looks.exists)
    for event in ("tool", "stop"):
        gate.run(event, tool_name="Edit")
    assert looks.read_text() == "conflicts --aside\n"
    long_ago = asked.stat().st_mtime - 300
    os.utime(asked, (long_ago, long_ago))
    gate.run("stop")
    until(lambda: looks.read_text().count("\n") == 2)


def test_what_is_new_of_ones_own_work_opens_the_gate(dash_gate: Gate) -> None:
    """By the first line of a file; the same once more does not."""
    dash_gate.chatroom.chat("send", "hello")
    noted = dash_gate.chatroom.path / ".git" / "chatroom" / "moved"
    dash_gate.told()
    assert dash_gate.is_closed()
    noted.write_text("0123\n{}\n")
    assert not dash_gate.is_closed()
    assert dash_gate.is_closed()
