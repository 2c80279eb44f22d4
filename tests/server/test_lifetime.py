"""How a server begins and ends, where it finds its repository, and what the git it starts gets to see."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import Chatroom
from tests.server.conftest import Connect, Start
from tests.server.wire import HANDSHAKE, Json, Wire
from tests.world import World


def printed_nothing_else(wire: Wire) -> bool:
    """Whether all that a server printed are JSON-RPC messages."""
    return all(json.loads(line)["jsonrpc"] == "2.0" for line in wire.lines)


def test_the_end_of_input_ends_a_server_well(start: Start) -> None:
    """A client that hangs up leaves no process, a status of 0, and nothing on either output but answers."""
    server = start()
    server.text("join", name="alice")
    assert server.hang_up() == 0
    assert printed_nothing_else(server)
    assert server.stderr == b""


def test_the_end_of_input_before_any_request_ends_it_too(start: Start) -> None:
    """A client that only looks whether the program starts gets a status of 0 and no output."""
    server = start(revision=None)
    assert server.hang_up() == 0
    assert (server.lines, server.stderr) == ([], b"")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_it_at_once(start: Start, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end a server, while its input is open, in the signal's way and without a traceback."""
    server = start()
    server.text("join", name="alice")
    server.begin_call("read_unread", name="alice", wait_seconds=600)
    server.signal(number)
    # git waits for the program it started, and dies of the same signal.
    assert server.ended() in (-number, 128 + number)
    assert printed_nothing_else(server)
    assert b"Traceback" not in server.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_further_signals_change_nothing(start: Start, number: signal.Signals) -> None:
    """A server that hears a signal again and again, until it has ended, ends as of one: in its way and silently."""
    server = start()
    server.text("join", name="alice")
    server.begin_call("read_unread", name="alice", wait_seconds=600)
    while not has_ended(server, 0.0005):
        server.signal(number)
    assert server.ended() in (-number, 128 + number)
    assert printed_nothing_else(server)
    assert server.stderr == b""


def has_ended(wire: Wire, within_seconds: float) -> bool:
    """Whether a server ends in this time."""
    with suppress(subprocess.TimeoutExpired):
        wire.process.wait(within_seconds)
    return wire.process.returncode is not None


def test_a_killed_server_leaves_nothing_stale(chatroom: Chatroom, start: Start) -> None:
    """After SIGKILL the name is nobody's, no lock stands in the way, and what was acknowledged is there."""
    server = start("--json")
    server.data("join", name="alice")
    numbers = [server.data("send_message", name="alice", content=f"{n}")["id"] for n in range(5)]
    server.begin_call("send_message", name="alice", content="perhaps")
    server.kill()
    done = chatroom.chat("send", "--as", "alice", "after", check=True)
    assert done.stderr == ""
    told = [entry.record.body for entry in chatroom.entries()]
    assert told in ([*"01234", "after"], [*"01234", "perhaps", "after"])
    assert numbers == [1, 2, 3, 4, 5]
    assert chatroom.chat("verify").returncode == 0
    assert not list((chatroom.path / ".git").rglob("*.lock.lock"))
    assert not list((chatroom.path / ".git" / "refs").rglob("*.lock"))


def test_without_a_repository_it_says_so_and_works_once_there_is_one(world: World, connect: Connect) -> None:
    """Every tool answers with an error and a hint; the same server works after git init."""
    empty = world.root / "empty"
    empty.mkdir()
    caller = connect("--json", cwd=empty)
    calls: list[tuple[str, Json]] = [
        ("get_handoff", {}),
        ("join", {"name": "alice"}),
        ("send_message", {"name": "alice", "content": "x"}),
        ("read_unread", {"name": "alice", "wait_seconds": 5}),
        ("list_rooms", {}),
    ]
    for tool, arguments in calls:
        refusal = caller.data(tool, **arguments)
        assert (refusal["code"], "git init" in refusal["hint"]) == ("not-a-repository", True)
    world.git("init", "-q", empty)
    assert [one["name"] for one in caller.data("join", name="alice")] == ["alice"]
    assert caller.data("send_message", name="alice", content="at last") == {"id": 1}


def test_it_finds_the_repository_above_where_it_was_started(chatroom: Chatroom, start: Start) -> None:
    """Started in a sub-directory, and in a linked worktree, it serves the one room of the repository."""
    below = chatroom.path / "src" / "deep"
    below.mkdir(parents=True)
    worktree = chatroom.world.root / "linked"
    chatroom.git("worktree", "add", "-q", worktree)
    assert start("--json", cwd=below).data("send_message", name="alice", content="from below") == {"id": 1}
    assert start("--json", cwd=worktree).data("send_message", name="bob", content="from beside") == {"id": 2}
    assert [entry.record.author for entry in chatroom.entries()] == ["alice", "bob"]


def test_a_git_that_the_server_starts_cannot_read_the_clients_input(chatroom: Chatroom, start: Start) -> None:
    """Standard input of every git is not the client's pipe: a hook or a helper that reads it neither hangs nor eats."""
    spy = spying_git(chatroom.world)
    # git puts the directory of its own programs before all others.
    server = start("--json", PATH=f"{spy}{os.pathsep}{chatroom.world.variables['PATH']}", GIT_EXEC_PATH=str(spy))
    server.data("join", name="alice")
    server.data("send_message", name="alice", content="x")
    server.data("get_handoff", name="alice")
    client = os.readlink(f"/proc/{os.getpid()}/fd/{server.process.stdin.fileno()}") if server.process.stdin else ""
    seen = (spy / "seen").read_text().splitlines()
    # The first is the one that the client itself started.
    assert len(seen) > 1, "no git was started, and nothing is shown"
    assert [line.split()[0] for line in seen[1:] if client in line] == []
    assert printed_nothing_else(server)


def spying_git(world: World) -> Path:
    """A directory with git's programs, of which ``git`` notes its standard input and is then the real one."""
    spy = world.root / "spy"
    spy.mkdir()
    for program in Path(world.git("--exec-path").stdout.strip()).iterdir():
        (spy / program.name).symlink_to(program)
    (spy / "git").unlink(missing_ok=True)
    real = world.run("which", "git").stdout.strip()
    (spy / "git").write_text(f'#!/bin/sh\necho "$1 $(readlink /proc/$$/fd/0)" >> {spy}/seen\nexec {real} "$@"\n')
    (spy / "git").chmod(0o755)
    return spy


def test_a_room_hook_that_reads_its_input_hangs_nothing(chatroom: Chatroom, start: Start) -> None:
    """A reference-transaction hook that swallows its input and talks on stdout harms neither server nor client."""
    hook = chatroom.path / ".git" / "hooks" / "reference-transaction"
    hook.write_text("#!/bin/sh\ncat >/dev/null\necho noise\necho noise >&2\n")
    hook.chmod(0o755)
    server = start("--json")
    server.data("join", name="alice")
    assert server.data("send_message", name="alice", content="x") == {"id": 1}
    assert server.data("read_unread", name="alice")["last_read_id"] == 1
    assert printed_nothing_else(server)


def test_what_a_client_writes_in_one_piece_is_answered_line_by_line(start: Start) -> None:
    """The handshake, the list and two calls, the last line in two parts: what was read ahead waits for nothing."""
    wire = start(revision=None)
    handshake = HANDSHAKE | {"protocolVersion": "2025-11-25"}
    asked: list[tuple[str, dict[str, object]]] = [
        ("initialize", handshake),
        ("tools/list", {}),
        *(("tools/call", {"name": "send_message", "arguments": {"content": content}}) for content in ("one", "two")),
    ]
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()
        for number, (method, params) in enumerate(asked)
    ]
    stdin = wire.process.stdin
    assert stdin is not None
    stdin.write(b"\n".join(lines)[:-20])
    stdin.flush()
    assert [wire.answer(number)["id"] for number in range(3)] == [0, 1, 2]
    stdin.write(lines[-1][-20:] + b"\n")
    stdin.flush()
    assert "sent [2]" in wire.answer(3)["result"]["content"][0]["text"]
