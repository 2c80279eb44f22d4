"""``git chat uninstall``: what of ours is in a clone goes, what is not ours stays, and nothing said is lost unasked."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.cli.conftest import Chatroom, Terminal

THEIRS = '#!/bin/sh\n[ "$(basename "$0")" = post-commit ]\n'


def installed(room: Chatroom) -> Path:
    """The room with everything of ours in it, and the user's hook that was there before."""
    hook = room.path / ".git/hooks/post-commit"
    hook.write_text(THEIRS)
    hook.chmod(0o755)
    room.say("kept")
    for words in ("hook install", "setup claude", "setup codex --local"):
        room.chat(*words.split(), check=words != "setup codex --local")
    room.git("config", "chat.room", "lobby")
    room.git("config", "color.ui", "never")
    return hook


def test_all_of_ours_goes_and_the_rooms_stay(chatroom: Chatroom) -> None:
    """Files, hooks, settings, our directory; each is told before and after, and a second time there is nothing."""
    before = {path.name for path in chatroom.path.iterdir()}
    hook, tip = installed(chatroom), chatroom.tip
    dry = chatroom.chat("uninstall", "--dry-run", check=True).stdout
    for what in (".mcp.json", "post-commit", "the setting chat.room", f"our directory {chatroom.path}/.git/chatroom"):
        assert f"{what}" in dry
    assert (chatroom.path / ".git/chatroom").is_dir()
    done = chatroom.chat("uninstall", "--yes", check=True).stdout
    assert done.count("taken away: ") == dry.count("would be taken away: ") > 4
    assert {path.name for path in chatroom.path.iterdir()} == before
    assert (hook.read_text(), (chatroom.path / ".git/hooks.before-gitchat").exists()) == (THEIRS, False)
    assert not (chatroom.path / ".git/chatroom").exists()
    config = chatroom.git("config", "--local", "--list").stdout
    assert ("chat." in config, "color.ui=never" in config) == (False, True)
    assert chatroom.tip == tip
    again = chatroom.chat("uninstall", "--yes", check=True).stdout
    assert again.startswith("nothing of gitchat is left in this clone\nleft: the rooms here")
    assert " uninstall git-chatroom\n" in again
    assert chatroom.chat("log", "--oneline").stdout == "#1 alice: kept\n"


def test_what_stands_in_another_worktree_is_named(chatroom: Chatroom) -> None:
    """From each of them, with the command that takes it away there; one without ours, or that is gone, is not."""
    chatroom.say("kept")
    chatroom.git("commit", "-q", "--allow-empty", "-m", "begin")
    trees = [chatroom.path.parent / name for name in ("a tree", "bare of us", "gone")]
    for tree in trees:
        chatroom.git("worktree", "add", "-q", "--detach", tree)
    for where in (chatroom.path, *trees[::2]):
        chatroom.world.chat("setup", "claude", cwd=where, check=True)
    shutil.rmtree(trees[2])
    line = f"left: in the worktree {trees[0]}, of claude: "
    there = chatroom.world.chat("uninstall", "--dry-run", cwd=trees[0], check=True).stdout
    assert f"left: in the worktree {chatroom.path}, of claude: " in there
    done = chatroom.chat("uninstall", "--yes", check=True).stdout
    assert done.count("in the worktree") == 1
    [command] = [found.removeprefix(line) for found in done.splitlines() if found.startswith(line)]
    assert (trees[0] / ".mcp.json").exists()
    chatroom.world.run("sh", "-c", f"{command} --yes", cwd=chatroom.path)
    assert not (trees[0] / ".mcp.json").exists()
    assert "in the worktree" not in chatroom.chat("uninstall", "--yes", check=True).stdout


def test_nobody_is_there_to_agree(chatroom: Chatroom, terminal: Terminal) -> None:
    """A script has to say so; a person is asked, and may say no."""
    installed(chatroom)
    done = chatroom.chat("uninstall")
    assert (done.returncode, "hint: agree to it: git chat uninstall --yes; or look" in done.stderr) == (1, True)
    no = terminal("git", "chat", "uninstall", typed="n\n", columns=200)
    assert (no.returncode, "Take all that away? [y/N]" in no.stdout) == (1, True)
    assert (chatroom.path / ".mcp.json").exists()
    assert terminal("git", "chat", "uninstall", typed="y\n", columns=200).returncode == 0
    assert not (chatroom.path / ".mcp.json").exists()


def test_what_is_nowhere_else_is_only_purged_by_force(chatroom: Chatroom) -> None:
    """A room without a remote, and what its remote has not accepted; what that has goes, and the way to it is told."""
    chatroom.say("only here")
    done = chatroom.chat("uninstall", "--purge-refs", "--yes")
    assert (done.returncode, "1 in room 'lobby'" in done.stderr) == (3, True)
    chatroom.world.git("init", "-q", "--bare", "../hub.git", cwd=chatroom.path)
    chatroom.git("remote", "add", "origin", "../hub.git")
    chatroom.chat("sync", check=True)
    chatroom.git("config", "chat.sync", "manual")
    chatroom.chat("send", "late", check=True)
    assert chatroom.chat("uninstall", "--purge-refs", "--yes").returncode == 3
    assert "late" in chatroom.chat("log", "--oneline").stdout
    chatroom.chat("sync", check=True)
    done = chatroom.chat("uninstall", "--purge-refs", "--yes", check=True)
    assert chatroom.git("for-each-ref", "refs/chatroom", "refs/chatroom-local").stdout == ""
    told = "left: the rooms at 'origin', for everybody: "
    [command] = [line.removeprefix(told) for line in done.stdout.splitlines() if line.startswith(told)]
    assert chatroom.chat("log", "--oneline").stdout.count("#") == 2  # it comes back from there
    chatroom.world.run("sh", "-c", command, cwd=chatroom.path)
    assert "refs/chatroom" not in chatroom.git("ls-remote", "origin").stdout


def test_what_was_pushed_goes_on_where_it_was_after_an_uninstall(chatroom: Chatroom) -> None:
    """The room still follows its remote, and nothing gets another number."""
    chatroom.world.git("init", "-q", "--bare", "../hub.git", cwd=chatroom.path)
    chatroom.git("remote", "add", "origin", "../hub.git")
    chatroom.say("one")
    chatroom.chat("sync", check=True)
    chatroom.git("config", "chat.sync", "manual")
    chatroom.chat("send", "two", check=True)
    chatroom.chat("uninstall", "--yes", check=True)
    assert chatroom.chat("sync", check=True).stdout == "lobby: 0 fetched, 1 pushed\n"
    assert chatroom.chat("log", "--oneline").stdout == "#1 alice: one\n#2 alice: two\n"


def test_a_process_that_stays_is_named(chatroom: Chatroom) -> None:
    """Nothing is taken from under it; the command that is named ends it."""
    chatroom.say()
    process = subprocess.Popen(
        ["git-chat", "watch", "--once"], cwd=chatroom.path, env=chatroom.world.variables,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        while "git-chat watch" not in (done := chatroom.chat("uninstall", "--yes")).stderr:
            assert process.poll() is None, "it ended by itself"
            chatroom.say()
        assert (done.returncode, f"kill {process.pid}" in done.stderr) == (3, True)
        assert (chatroom.path / ".git/chatroom").is_dir()
    finally:
        process.kill()
        process.wait()
    chatroom.chat("uninstall", "--yes", check=True)
