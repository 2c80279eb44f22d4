"""``git chat snd``: the arguments, words and exit statuses of agents-mcp-server's snd."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Chatroom
from tests.serve.serving import serving

SEEDS = Path(__file__).parents[2] / "examples" / "seeds"

RECORDED = [
    (("--human", "analyst-1", "hello", "there"), "[snd] -> analyst-1: [HUMAN] hello there\n", 0),
    (("-g", "team", "hi"), "[snd] -> g:team: hi\n", 0),
    (("analyst-1",), "snd: need <agent> <message...>\n", 1),
]
"""What that snd was typed, what it printed on standard error, and its status, as it was recorded."""

TYPED = [
    *RECORDED,
    (("-t", "analyst-1", "hi"), "[snd] -> analyst-1: hi\n", 0),
    (("analyst-1", "hi", "--human"), "[snd] -> analyst-1: [HUMAN] hi\n", 0),
    (("analyst-1", "-v", "is", "broken"), "[snd] -> analyst-1: -v is broken\n", 0),
    (("-g", "Code Review", "hi"), "[snd] -> g:Code Review: hi\n", 0),
    (("-t", "analyst-1"), "snd: -t requires <agent> and a message\n", 1),
    (("-g", "team"), "snd: -g requires <group> and a message\n", 1),
]


@pytest.fixture
def chatroom(world: object) -> Chatroom:
    """A repository without a message yet."""
    return Chatroom(world)  # type: ignore[arg-type]


def test_it_says_and_ends_as_the_other_one_did(chatroom: Chatroom) -> None:
    """Each line that can be typed, with what it prints and its status; what went out is in the room."""
    for words, printed, status in TYPED:
        done = chatroom.chat("snd", *words)
        told, _, hint = done.stderr.partition("\n")
        assert (done.stdout, f"{told}\n", done.returncode) == ("", printed, status), words
        assert hint.startswith("hint: ") is (status != 0)
    said = [(entry.record.author, entry.record.to, entry.record.body) for entry in chatroom.entries()]
    assert said == [
        ("human", ("analyst-1",), "[HUMAN] hello there"),
        ("human", ("role:team",), "hi"),
        ("human", ("analyst-1",), "hi"),
        ("human", ("analyst-1",), "[HUMAN] hi"),
        ("human", ("analyst-1",), "-v is broken"),
        ("human", ("role:code-review",), "hi"),
    ]
    nothing = chatroom.chat("snd")
    assert nothing.stderr.startswith("usage:\n")
    assert nothing.returncode == 1


def test_who_it_is_from_is_told_by_a_variable(chatroom: Chatroom) -> None:
    """SND_FROM names the sender; who lives elsewhere is nobody to send as."""
    assert chatroom.chat("snd", "bob", "hi", SND_FROM="Cron Job").returncode == 0
    assert chatroom.newest().author == "cron-job"
    with chatroom.world.environment(chatroom.path).hold("cron-job"):  # type: ignore[arg-type]
        held = chatroom.chat("snd", "bob", "hi", SND_FROM="Cron Job")
    assert held.returncode == 2
    assert "cannot send as 'cron-job'" in held.stderr
    assert held.stderr.splitlines()[1].startswith("hint: ")


def test_what_cannot_be_sent_ends_with_2(chatroom: Chatroom) -> None:
    """No repository, no server, a closed room: 2, with the reason and a hint; a name that is none: 1."""
    outside = chatroom.world.chat("snd", "bob", "hi", cwd=chatroom.world.root)
    assert (outside.returncode, outside.stderr.startswith("[snd] failed: ")) == (2, True)
    chatroom.say("hello")
    chatroom.chat("room", "close", "lobby", check=True)
    closed = chatroom.chat("snd", "bob", "hi")
    assert (closed.returncode, closed.stderr.splitlines()[1].startswith("hint: ")) == (2, True)
    assert chatroom.chat("snd", "!!!", "hi").returncode == 1
    assert chatroom.chat("snd", "bob", "hi", SND_FROM="\u4f60").returncode == 1


def test_a_text_moves_no_cursor(chatroom: Chatroom) -> None:
    """What is printed of a message is escaped, and what is stored is what was typed."""
    done = chatroom.chat("snd", "bob", "a\x1b[2Jb")
    assert "\x1b" not in done.stderr
    assert chatroom.newest().body == "a\x1b[2Jb"


def test_tail_prints_what_is_said(chatroom: Chatroom) -> None:
    """Each message of every room in a line, from now on, and nothing is sent or marked."""
    chatroom.say("before")
    with subprocess.Popen(
        ["git", "chat", "snd", "--tail"], cwd=chatroom.path, env=chatroom.world.variables, stdout=subprocess.PIPE,
        text=True,
    ) as tail:  # fmt: skip
        assert tail.stdout is not None
        try:
            # It is there once it tells one of those that come.
            lines: list[str] = []
            while not lines:
                chatroom.say("post", room="eng", author="ana")
                lines += _ready(tail.stdout)
            chatroom.say("to\none", to=("bob",), author="ana")
            chatroom.say("to all", author="ana")
            while not any("BROADCAST" in line for line in lines):
                lines.append(tail.stdout.readline())
        finally:
            tail.terminate()
    shown = [line.partition("] ")[2].rstrip("\n") for line in lines if line.strip()]
    assert "[CHANNEL] #eng ana: post" in shown
    assert shown[-2:] == ["[DM] ana -> bob: to one", "[BROADCAST] ana -> all: to all"]
    assert not any("before" in line for line in shown)


@pytest.mark.slow
def test_it_sends_to_a_server(chatroom: Chatroom) -> None:
    """GITCHAT_URL names one, from wherever; what it refuses, and one that is not there, end with 2."""
    token = chatroom.chat("token", "add", "cron", check=True).stdout.split()[-1]
    elsewhere = chatroom.world.root
    with serving(chatroom.world, "--token-always", cwd=chatroom.path) as server:
        told = {"GITCHAT_URL": server.url, "SND_FROM": "cron"}
        sent = chatroom.world.chat("snd", "-g", "team", "hi", cwd=elsewhere, GITCHAT_TOKEN=token, **told)
        assert (sent.returncode, sent.stderr) == (0, "[snd] -> g:team: hi\n")
        refused = chatroom.world.chat("snd", "bob", "hi", cwd=elsewhere, GITCHAT_TOKEN="gct_wrong", **told)
        assert (refused.returncode, refused.stderr.startswith("[snd] failed: ")) == (2, True)
    assert (chatroom.newest().author, chatroom.newest().to, chatroom.newest().body) == ("cron", ("role:team",), "hi")
    gone = chatroom.world.chat("snd", "bob", "hi", cwd=elsewhere, **told)
    assert gone.returncode == 2
    assert gone.stderr.splitlines()[1] == "hint: start it with git chat serve, or correct the address"
    with serving(chatroom.world, "--token-always", "--port", told["GITCHAT_URL"].rpartition(":")[2], cwd=chatroom.path):
        assert chatroom.world.chat("snd", "bob", "hi", cwd=elsewhere, GITCHAT_TOKEN=token, **told).returncode == 0
    tail = chatroom.chat("snd", "--tail", **told)
    assert (tail.returncode, tail.stderr) == (1, "snd: --tail reads the repository here: leave GITCHAT_URL out\n")


def _ready(stream: object) -> list[str]:
    """A line, if one can be read within half a second."""
    import select

    found, _, _ = select.select([stream], [], [], 0.5)
    return [stream.readline()] if found else []  # type: ignore[attr-defined]


def test_the_program_of_that_name_is_two_lines(chatroom: Chatroom) -> None:
    """examples/seeds/snd, where it stands on a path."""
    assert shutil.which("git-chat", path=chatroom.world.variables["PATH"])
    done = subprocess.run(
        [SEEDS / "snd", "-g", "team", "hi"], cwd=chatroom.path, env=chatroom.world.variables, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "[snd] -> g:team: hi\n")
