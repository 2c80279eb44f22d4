"""A server that rings its client: a real socket in the role of the inbox, and what can go wrong there.

Proves docs/format.md section 14. With real clients: tests/clients/real/test_bell.py.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gitchat.staying.bell import DoorShut
from gitchat.staying.doors import SOCKET_SECONDS, ClaudeDoor, CodexDoor, is_new_enough
from tests.cli.conftest import Chatroom
from tests.server.wire import Wire, eventually
from tests.world import World

TOKEN = "1e7dc0ffee1e7dc0ffee"
ME = "claude-repo"


class Inbox:
    """A client's inbox: keeps the lines of each connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.posts: list[list[dict[str, Any]]] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection.makefile("rb") as lines:
                    self.posts.append([json.loads(line) for line in lines])
                connection.close()

    def close(self) -> None:
        """Listen no more; the file stays, as after a kill."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    """An inbox that listens."""
    made = Inbox(tmp_path / "inbox.sock")
    yield made
    with suppress(OSError):
        made.close()


def session(chatroom: Chatroom, path: Path, *, client: str = "claude-code", version: str = "2.1.332") -> Wire:
    """A server as a session of Claude Code starts it."""
    given = {
        "CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "one", "CLAUDE_CODE_ENTRYPOINT": "cli",
        "CLAUDE_CODE_MESSAGING_SOCKET": str(path), "CLAUDE_CODE_MESSAGING_TOKEN": TOKEN,
    }  # fmt: skip
    wire = Wire(["git-chat", "mcp"], chatroom.path, chatroom.world.variables | given)
    said = {"name": client, "version": version}
    wire.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": said})
    return wire


@pytest.fixture
def server(chatroom: Chatroom, inbox: Inbox) -> Iterator[Wire]:
    """A server that rings at the inbox."""
    wire = session(chatroom, inbox.path)
    until_it_watches(wire)
    yield wire
    wire.kill()


def until_it_watches(wire: Wire) -> None:
    """Wait until its bell has begun, and watches."""
    eventually(lambda: any("inotify" in target for target in open_files(wire)))


def open_files(wire: Wire) -> list[str]:
    """What the processes of a server have open."""
    found: list[str] = []
    for entry in os.scandir("/proc"):
        with suppress(OSError):
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == wire.process.pid:
                for link in os.scandir(f"/proc/{entry.name}/fd"):
                    with suppress(OSError):  # closed meanwhile
                        found.append(os.readlink(link.path))
    return found


def rung(chatroom: Chatroom) -> dict[str, Any]:
    """What is kept of the one session."""
    try:
        content = json.loads((chatroom.path / ".git/chatroom/rings").read_text())
    except (OSError, ValueError):
        return {}
    [one] = content.values()
    return dict(one)


def test_the_first_message_of_a_repository_rings(chatroom: Chatroom, inbox: Inbox, server: Wire) -> None:
    """The token first, and then a line in the shape of its user's; nothing was called before."""
    chatroom.chat("send", "--as", "ann", "--to", ME, "hello", check=True)
    eventually(lambda: inbox.posts)
    [[first, second]] = inbox.posts
    notice = second["message"].pop("content")
    assert (first, second) == ({"type": "auth", "token": TOKEN}, {"type": "user", "message": {"role": "user"}})
    words = r"gitchat: 1 unread for you, from someone new\. Read them with check_in\. \(\d\d:\d\d:\d\d UTC\)"
    assert re.fullmatch(words, notice)


def test_a_call_confirms_and_none_rings_while_it_waits(chatroom: Chatroom, inbox: Inbox, server: Wire) -> None:
    """The call that waits takes the message itself."""
    chatroom.chat("send", "--as", "ann", "--to", ME, "one", check=True)
    eventually(lambda: inbox.posts)
    assert "one" in server.text("check_in")
    assert rung(chatroom)["rings"][0]["heard"] is not None
    number = server.begin_call("check_in", wait_seconds=60)
    chatroom.chat("send", "--as", "ann", "--to", ME, "two", check=True)
    assert "two" in server.answer(number)["result"]["content"][0]["text"]
    chatroom.chat("send", "--as", "ann", "--to", ME, "three", check=True)
    eventually(lambda: len(inbox.posts) == 2)
    assert len(rung(chatroom)["rings"]) == 2


def test_what_waits_in_another_room_is_said_by_a_reading(chatroom: Chatroom, inbox: Inbox, server: Wire) -> None:
    """The notice counts all rooms."""
    chatroom.chat("send", "--as", "ann", "--to", ME, "--room", "plans", "elsewhere", check=True)
    eventually(lambda: inbox.posts)
    assert "(1 unread for you in room 'plans': check_in with room=plans)" in server.text("check_in")
    assert "elsewhere" in server.text("check_in", room="plans")
    assert "plans" not in server.text("check_in")


@pytest.mark.parametrize("client", ["gemini-cli-mcp-client", "whatever"])
def test_it_is_said_to_sessions_without_a_bell_too(chatroom: Chatroom, tmp_path: Path, client: str) -> None:
    """In the words of tools, with counts and rooms alone; it is unread as before."""
    wire = session(chatroom, tmp_path / "none.sock", client=client)
    chatroom.chat("send", "--as", "ann", "hello", check=True)
    try:
        wire.text("join", name="me", role="review")
        chatroom.chat("send", "--as", "ann", "--to", "me", "--room", "plans", "elsewhere", check=True)
        chatroom.chat("send", "--as", "ann", "--to", "me", "here", check=True)
        for tool in ("read_unread", "check_in"):
            said = wire.text(tool)
            assert "(1 unread for you in room 'plans': check_in with room=plans)" in said
            assert "elsewhere" not in said
    finally:
        wire.kill()


@pytest.mark.parametrize("how", ["gone", "closed", "a file", "never reads"])
def test_a_door_that_takes_nothing_holds_up_nobody(chatroom: Chatroom, tmp_path: Path, how: str) -> None:
    """It is noted, the server answers, and what it was for is read as ever."""
    path = tmp_path / "inbox.sock"
    held = socket.socket(socket.AF_UNIX)
    match how:
        case "closed":
            Inbox(path).close()
        case "a file":
            path.write_text("no socket")
        case "never reads":
            held.bind(str(path))
            held.listen(0)
            waiting = [socket.socket(socket.AF_UNIX) for _ in range(2)]
            for one in waiting:
                one.setblocking(False)
                with suppress(BlockingIOError):
                    one.connect(str(path))
    wire = session(chatroom, path)
    try:
        until_it_watches(wire)
        chatroom.chat("send", "--as", "ann", "--to", ME, "hello", check=True)
        eventually(lambda: rung(chatroom).get("trouble"))
        assert rung(chatroom)["rings"][0]["failed"]
        assert "hello" in wire.text("check_in")
        done = chatroom.chat("doctor")
        assert "could not be rung" in done.stdout
    finally:
        wire.kill()
        held.close()


@pytest.mark.parametrize(
    ("client", "version"), [("claude-code", "2.1.223"), ("by-hand", "9"), ("codex-mcp-client", "0.171.0")]
)
def test_only_the_client_that_shook_hands_is_rung(chatroom: Chatroom, inbox: Inbox, client: str, version: str) -> None:
    """Not an older one, and not the one in whose shell another client was started."""
    wire = session(chatroom, inbox.path, client=client, version=version)
    chatroom.chat("send", "--as", "ann", "--to", ME, "hello", check=True)
    wire.text("check_in")
    wire.kill()
    assert inbox.posts == []


def test_the_token_goes_to_the_door_alone(chatroom: Chatroom, inbox: Inbox, tmp_path: Path) -> None:
    """No process that the server starts has it, and no file."""
    # git in the server's PATH notes its environment, and is git.
    notes, real = tmp_path / "seen", shutil.which("git")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text(f'#!/bin/sh\nenv >> {notes}\nexec {real} "$@"\n')
    (tmp_path / "bin" / "git").chmod(0o755)
    chatroom.world.variables["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{chatroom.world.variables['PATH']}"
    wire = session(chatroom, inbox.path)
    until_it_watches(wire)
    chatroom.say("hello", author="ann", to=(ME,))
    eventually(lambda: inbox.posts)
    wire.text("check_in", content="an answer")
    seen = notes.read_text()
    assert "CLAUDE_CODE_MESSAGING_SOCKET=" in seen, "no git of the server was seen"
    assert TOKEN not in seen
    files = [path for path in (chatroom.path / ".git").rglob("*") if path.is_file()]
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []
    assert TOKEN not in chatroom.chat("doctor").stdout
    assert TOKEN.encode() not in wire.stderr
    wire.kill()


# --- doors by themselves -------------------------------------------------------


def test_a_door_that_is_full_is_left_after_a_moment(tmp_path: Path) -> None:
    """Who takes nothing holds nobody up for long."""
    path = tmp_path / "full.sock"
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(path))
        held.listen(1)
        with pytest.raises(DoorShut, match="does not take it"):
            ClaudeDoor(str(path), TOKEN).ring("x" * 16_000_000)
    assert SOCKET_SECONDS < 5


def test_a_token_is_in_no_text_of_a_door() -> None:
    """Whatever prints it."""
    assert TOKEN not in repr(ClaudeDoor("/x", TOKEN))


@pytest.mark.parametrize(
    ("line", "words"), [("echo no rollout >&2; exit 1", "status 1: no rollout"), (None, "cannot be run")]
)
def test_a_queue_that_refuses_is_told(world: World, line: str | None, words: str) -> None:
    """By its last words; or that there is none."""
    program = world.root / "codex"
    if line is not None:
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
    with pytest.raises(DoorShut, match=words):
        CodexDoor(str(program), "thread", str(world.root), world.variables).ring("hello")


def test_a_queue_gets_thread_and_notice_and_no_secret(world: World) -> None:
    """As the program takes them."""
    program = world.root / "codex"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" "token=$CLAUDE_CODE_MESSAGING_TOKEN" > said\n')
    program.chmod(0o755)
    variables = world.variables | {"CLAUDE_CODE_MESSAGING_TOKEN": TOKEN}
    CodexDoor(str(program), "thread-1", str(world.root), variables).ring("gitchat: 1 unread")
    said = (world.root / "said").read_text().splitlines()
    assert said == ["queue", "--thread", "thread-1", "--message", "gitchat: 1 unread", "token="]


@pytest.mark.parametrize(
    ("version", "is_enough"),
    [("2.1.224", True), ("2.1.223", False), ("3.0", True), ("2.2.0-beta.1", True), ("", False), ("next", False)],
)
def test_a_version_is_compared_by_its_numbers(version: str, is_enough: bool) -> None:
    """What is no version is too old."""
    assert is_new_enough(version, (2, 1, 224)) == is_enough


# --- ghosts --------------------------------------------------------------------


def test_a_server_ends_with_its_client_though_its_input_stays_open(chatroom: Chatroom, tmp_path: Path) -> None:
    """Somebody else holds the other end; the name that it lived under is free at once."""
    client = tmp_path / "claude"
    client.write_text("#!/bin/sh\ngit-chat mcp <&3 >answers 3<&- &\nwait\n")
    client.chmod(0o755)
    os.mkfifo(tmp_path / "input")
    with open(os.open(tmp_path / "input", os.O_RDWR), "wb", buffering=0) as held:
        variables = chatroom.world.variables | {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "one"}
        program = ["sh", "-c", f"exec {client} 3<{tmp_path / 'input'}"]
        process = subprocess.Popen(program, cwd=chatroom.path, env=variables, start_new_session=True)
        said = {"name": "claude-code", "version": "2.1.332"}
        begin = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": said}
        held.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": begin}).encode() + b"\n")
        call = {"name": "join", "arguments": {"name": "lexer"}}
        held.write(json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}).encode() + b"\n")
        answers = chatroom.path / "answers"
        eventually(lambda: b'"id":2' in answers.read_bytes() if answers.exists() else False)
        assert "lexer  living" in chatroom.chat("who").stdout
        process.kill()
        process.wait()
        eventually(lambda: "lexer  living" not in chatroom.chat("who", "--all").stdout)
