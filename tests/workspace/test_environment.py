"""Configuration and names as this process's surroundings give them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitchat.model.errors import UserError
from gitchat.model.names import RoomName
from gitchat.presence.roll import Held
from gitchat.workspace.config import Config, clobbering_refspecs
from gitchat.workspace.environment import Environment
from tests.world import World

LOBBY = RoomName("lobby")
CLAUDE = {"CLAUDECODE": "1"}


def config(*items: tuple[str, str | None]) -> Config:
    """A configuration as ``git config --list -z`` would print it."""
    return Config("".join(f"{key}\n{value}\0" if value is not None else f"{key}\0" for key, value in items).encode())


def test_the_last_value_wins_and_keys_fold_case() -> None:
    """As git does it: sections and variables fold, later files win."""
    read = config(("chat.maxbody", "1k"), ("chat.maxbody", "2k"))
    assert read.get("chat.maxBody") == "2k"
    assert read.get_all("CHAT.maxBody") == ["1k", "2k"]
    assert read.get("chat.name") is None


def test_subsections_keep_their_case_and_their_dots() -> None:
    """A remote may be called ``My.Remote``."""
    read = config(("remote.My.Remote.fetch", "a:b"))
    assert read.subsections("remote", "fetch") == ["My.Remote"]
    assert read.get_all("remote.My.Remote.fetch") == ["a:b"]


def test_values_keep_their_line_breaks() -> None:
    """Only the first line break ends the key."""
    assert config(("chat.name", "a\nb")).get("chat.name") == "a\nb"


@pytest.mark.parametrize(("text", "value"), [(None, True), ("yes", True), ("1", True), ("off", False), ("", False)])
def test_booleans_read_as_git_reads_them(text: str | None, value: bool) -> None:
    """A key without a value is true."""
    assert config(("chat.fsync", text)).get_bool("chat.fsync", not value) is value


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("2k", 2048), ("1M", 1024**2), ("1g", 1024**3)])
def test_sizes_read_as_git_reads_them(text: str, value: int) -> None:
    """k, m and g are powers of 1024."""
    assert config(("chat.maxbody", text)).get_bytes("chat.maxBody", 0) == value


@pytest.mark.parametrize("text", ["", "k", "1.5k", "-1", "many", "٣"])
def test_a_bad_setting_is_an_error_with_the_command_that_mends_it(text: str) -> None:
    """Never a silent default."""
    with pytest.raises(UserError) as caught:
        config(("chat.maxbody", text)).get_bytes("chat.maxBody", 0)
    assert "git config chat.maxBody" in caught.value.hint
    with pytest.raises(UserError):
        config(("chat.fsync", "perhaps")).get_bool("chat.fsync", True)


@pytest.mark.parametrize(
    ("refspec", "clobbers"),
    [
        ("+refs/*:refs/*", True),
        ("refs/*:refs/*", True),
        ("+refs/chatroom/*:refs/chatroom/*", True),
        ("refs/chatroom/rooms/lobby/log:refs/chatroom/rooms/lobby/log", True),
        ("+refs/heads/*:refs/remotes/origin/*", False),
        ("+refs/chatroom/rooms/*:refs/chatroom-local/remotes/origin/rooms/*", False),
        ("refs/heads/main", False),
        ("^refs/chatroom/*", False),
    ],
)
def test_fetches_that_would_overwrite_rooms_are_recognised(refspec: str, clobbers: bool) -> None:
    """What counts is where a fetch writes to."""
    assert clobbering_refspecs(config(("remote.o.fetch", refspec))) == ([("o", refspec)] if clobbers else [])


# --- who am I ----------------------------------------------------------------


def surroundings(world: World, cwd: Path, **variables: str) -> Environment:
    """A new process that somebody starts in ``cwd`` with these variables besides the world's."""
    return Environment(cwd=str(cwd), variables=world.variables | variables, is_terminal=False)


def hold(environment: Environment, name: str | None = None) -> Held:
    """What a server does when it joins: as ``name``, or as who it is."""
    return environment.roll.hold(environment.name(name), environment.holder(), 1)


def test_server_shell_and_hook_of_one_session_have_one_name(world: World) -> None:
    """Before anything is joined, while the server lives under a name that it chose, and after that."""
    repository = world.repository()
    (repository / "deep").mkdir()
    session = {"CLAUDE_CODE_SESSION_ID": "0b7f", **CLAUDE}
    server = surroundings(world, repository / "deep", CLAUDE_PROJECT_DIR=str(repository), **session)
    shell = surroundings(world, repository, AI_AGENT="claude-code/2.1", **session)
    hook = surroundings(world, repository / "deep", **session)
    assert [each.name() for each in (server, shell, hook)] == ["claude-repo"] * 3
    with hold(server, "codex"):
        assert [each.name() for each in (server, shell, hook)] == ["codex"] * 3
        world.chat("send", "hi", cwd=repository, check=True, **session)
        assert [record.record.author for record in shell.log(LOBBY).entries()] == ["codex"]
        assert surroundings(world, repository, **CLAUDE).name() == "claude-repo"
    assert [each.name() for each in (server, shell, hook)] == ["codex"] * 3


def test_second_session_of_a_worktree_has_a_name_of_its_own(world: World) -> None:
    """The next that is free; it keeps it when the first session ends, before it joins anything."""
    repository = world.repository()
    first, second, third = (surroundings(world, repository, GITCHAT_SESSION=f"s-{at}", **CLAUDE) for at in (1, 2, 3))
    held = hold(first)
    assert (first.name(), second.name(), second.name()) == ("claude-repo", "claude-repo-2", "claude-repo-2")
    with hold(second):
        assert third.name() == "claude-repo-3"
    held.release()
    assert [each.name() for each in (first, second, third)] == ["claude-repo", "claude-repo-2", "claude-repo-3"]
    fourth = surroundings(world, repository, GITCHAT_SESSION="s-4", **CLAUDE)
    assert fourth.name() == "claude-repo"


@pytest.mark.parametrize(
    ("theirs", "ours", "name"),
    [
        (None, None, "claude-repo"),
        ("s-1", "s-1", "claude-repo"),
        ("s-1", None, "claude-repo-2"),
        (None, "s-1", "claude-repo-2"),
    ],
)
def test_only_another_session_takes_a_name_away(world: World, theirs: str | None, ours: str | None, name: str) -> None:
    """Processes that know of no session count as of one."""
    repository = world.repository()
    with hold(surroundings(world, repository, GITCHAT_SESSION=theirs or "", **CLAUDE)):
        assert surroundings(world, repository, GITCHAT_SESSION=ours or "", **CLAUDE).name() == name


def test_name_that_was_chosen_is_never_another(world: World) -> None:
    """With ``--as``, GITCHAT_NAME and for a person the roll is not asked."""
    repository = world.repository()
    with hold(surroundings(world, repository, GITCHAT_SESSION="s-1", **CLAUDE), "alice"):
        same = {"GITCHAT_SESSION": "s-1"}
        assert surroundings(world, repository, **same, **CLAUDE).name("bob") == "bob"
        assert surroundings(world, repository, **same, **CLAUDE, GITCHAT_NAME="carol").name() == "carol"
        assert surroundings(world, repository, **same).name() == "alice"  # git's user.name
        assert surroundings(world, repository, GITCHAT_SESSION="s-2").name() == "alice"


def test_worktrees_of_one_repository_share_names(world: World) -> None:
    """A name that is held in one is refused in the other, with the place where it is."""
    repository = world.repository()
    tree = world.root / ("x" * 80)
    world.git("worktree", "add", "-q", "-b", "fix", tree, cwd=repository)
    here, there = surroundings(world, repository, **CLAUDE), surroundings(world, tree, **CLAUDE, GITCHAT_SESSION="s-1")
    with hold(here, "codex") as held:
        held.join(LOBBY, role="", now=1)
        assert [present.name for present in there.roll.participants(LOBBY)] == ["codex"]
        with pytest.raises(UserError) as caught:
            hold(there, "codex")
    assert f"process {os.getpid()} on host {os.uname().nodename}, in {repository} on branch main" in caught.value.hint
    long_name = there.name()
    assert len(long_name) == 64
    with hold(surroundings(world, tree, **CLAUDE)):
        assert there.name() == f"{long_name[:62]}-2"


def test_holder_is_this_process(world: World) -> None:
    """With its worktree's top from anywhere in it; a detached HEAD is no branch, a bare repository its own place."""
    repository = world.repository()
    (repository / "deep").mkdir()
    holder = surroundings(world, repository / "deep", **CLAUDE, CLAUDE_CODE_SESSION_ID="s-1").holder()
    assert (holder.pid, holder.host, holder.worktree) == (os.getpid(), os.uname().nodename, str(repository))
    assert (holder.branch, holder.client, holder.session) == ("main", "claude", "s-1")
    world.git("checkout", "-q", "--detach", cwd=repository)
    person = surroundings(world, repository).holder()
    assert (person.branch, person.client, person.session) == (None, None, None)
    bare = world.root / "bare.git"
    world.git("clone", "-q", "--bare", repository, bare)
    assert surroundings(world, bare).holder().worktree == str(bare)
    assert surroundings(world, bare, **CLAUDE).name() == "claude-bare"


@pytest.mark.parametrize(
    ("variables", "session"),
    [
        ({}, None),
        ({"CLAUDE_CODE_SESSION_ID": "s-1"}, "s-1"),
        ({"CLAUDE_CODE_SESSION_ID": "s-1", "GITCHAT_SESSION": "s-2"}, "s-2"),
        ({"GITCHAT_SESSION": "", "CLAUDE_CODE_SESSION_ID": "s-1"}, "s-1"),
        ({"GITCHAT_SESSION": "two\nlines"}, None),
        ({"GITCHAT_SESSION": "x" * 129}, None),
    ],
)
def test_session_is_what_the_client_tells(tmp_path: Path, variables: dict[str, str], session: str | None) -> None:
    """GITCHAT_SESSION sets a client's own right; what is no short line is none."""
    assert Environment(cwd=str(tmp_path), variables=variables, is_terminal=False).session() == session
