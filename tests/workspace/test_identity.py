"""Names, sessions and holders as this process's surroundings give them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitchat.model.errors import UserError
from gitchat.model.names import CloneId, RoomName
from gitchat.model.record import Moment
from gitchat.model.refs import log_ref, tracking_ref
from gitchat.presence.roll import Held, Roll
from gitchat.workspace.environment import Environment
from gitchat.workspace.identity import Caller, client_of, session_of
from gitchat.workspace.repository import Repository
from tests.world import World

LOBBY = RoomName("lobby")
CLAUDE = {"CLAUDECODE": "1"}


# --- who am I ----------------------------------------------------------------


def surroundings(world: World, cwd: Path, **variables: str) -> Environment:
    """A new process that somebody starts in ``cwd`` with these variables besides the world's."""
    return Environment(cwd=str(cwd), variables=world.variables | variables, is_terminal=False)


def hold(environment: Environment, name: str | None = None) -> Held:
    """What a server does when it joins: as ``name``, or as who it is."""
    return environment.roll.hold(environment.caller.name(name), environment.caller.holder(), 1)


def test_server_shell_and_hook_of_one_session_have_one_name(world: World) -> None:
    """Before anything is joined, while the server lives under a name that it chose, and after that."""
    repository = world.repository()
    (repository / "deep").mkdir()
    session = {"CLAUDE_CODE_SESSION_ID": "0b7f", **CLAUDE}
    server = surroundings(world, repository / "deep", CLAUDE_PROJECT_DIR=str(repository), **session)
    shell = surroundings(world, repository, AI_AGENT="claude-code/2.1", **session)
    hook = surroundings(world, repository / "deep", **session)
    assert [each.caller.name() for each in (server, shell, hook)] == ["claude-repo"] * 3
    with hold(server, "codex"):
        assert [each.caller.name() for each in (server, shell, hook)] == ["codex"] * 3
        world.chat("send", "hi", cwd=repository, check=True, **session)
        assert [record.record.author for record in shell.log(LOBBY).entries()] == ["codex"]
        assert surroundings(world, repository, **CLAUDE).caller.name() == "claude-repo"
    assert [each.caller.name() for each in (server, shell, hook)] == ["codex"] * 3


def test_second_session_of_a_worktree_has_a_name_of_its_own(world: World) -> None:
    """The next that is free; it keeps it when the first session ends, before it joins anything."""
    repository = world.repository()
    first, second, third = (surroundings(world, repository, GITCHAT_SESSION=f"s-{at}", **CLAUDE) for at in (1, 2, 3))
    held = hold(first)
    assert (first.caller.name(), second.caller.name(), second.caller.name()) == (
        "claude-repo",
        "claude-repo-2",
        "claude-repo-2",
    )
    with hold(second):
        assert third.caller.name() == "claude-repo-3"
    held.release()
    assert [each.caller.name() for each in (first, second, third)] == ["claude-repo", "claude-repo-2", "claude-repo-3"]
    fourth = surroundings(world, repository, GITCHAT_SESSION="s-4", **CLAUDE)
    assert fourth.caller.name() == "claude-repo"


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
        assert surroundings(world, repository, GITCHAT_SESSION=ours or "", **CLAUDE).caller.name() == name


def test_name_that_was_chosen_is_never_another(world: World) -> None:
    """With ``--as``, GITCHAT_NAME and for a person the roll is not asked."""
    repository = world.repository()
    with hold(surroundings(world, repository, GITCHAT_SESSION="s-1", **CLAUDE), "alice"):
        same = {"GITCHAT_SESSION": "s-1"}
        assert surroundings(world, repository, **same, **CLAUDE).caller.name("bob") == "bob"
        assert surroundings(world, repository, **same, **CLAUDE, GITCHAT_NAME="carol").caller.name() == "carol"
        assert surroundings(world, repository, **same).caller.name() == "alice"  # git's user.name
        assert surroundings(world, repository, GITCHAT_SESSION="s-2").caller.name() == "alice"


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
    long_name = there.caller.name()
    assert len(long_name) == 64
    with hold(surroundings(world, tree, **CLAUDE)):
        assert there.caller.name() == f"{long_name[:62]}-2"


def test_holder_is_this_process(world: World) -> None:
    """With its worktree's top from anywhere in it; a detached HEAD is no branch, a bare repository its own place."""
    repository = world.repository()
    (repository / "deep").mkdir()
    holder = surroundings(world, repository / "deep", **CLAUDE, CLAUDE_CODE_SESSION_ID="s-1").caller.holder()
    assert (holder.pid, holder.host, holder.worktree) == (os.getpid(), os.uname().nodename, str(repository))
    assert (holder.branch, holder.client, holder.session) == ("main", "claude", "s-1")
    world.git("checkout", "-q", "--detach", cwd=repository)
    person = surroundings(world, repository).caller.holder()
    assert (person.branch, person.client, person.session) == (None, None, None)
    bare = world.root / "bare.git"
    world.git("clone", "-q", "--bare", repository, bare)
    assert surroundings(world, bare).caller.holder().worktree == str(bare)
    assert surroundings(world, bare, **CLAUDE).caller.name() == "claude-bare"


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
def test_session_is_what_the_client_tells(variables: dict[str, str], session: str | None) -> None:
    """GITCHAT_SESSION sets a client's own right; what is no short line is none."""
    assert session_of(variables) == session


@pytest.mark.parametrize(
    ("variables", "client"),
    [
        ({}, None),
        ({"CLAUDECODE": "1"}, "claude"),
        ({"CODEX_THREAD_ID": "0199"}, "codex"),
        ({"CLAUDECODE": "", "AI_AGENT": "Aider@0.9/x"}, "aider"),
        ({"AI_AGENT": "???"}, None),
    ],
)
def test_a_client_is_known_by_its_variables(variables: dict[str, str], client: str | None) -> None:
    """Its own come before the one that all agents may set, which can carry a version."""
    assert client_of(variables) == client


def test_a_repository_is_a_value_of_its_own(world: World) -> None:
    """Where we are needs no clock, no name and no store; a second look asks git anew only for what was not asked."""
    path = world.repository()
    (path / "deep").mkdir()
    there = Repository(str(path / "deep"), world.variables)
    assert (there.location.common_dir, there.worktree, there.branch()) == (path / ".git", path, "main")
    assert there.directory == path / ".git" / "chatroom"
    assert there.config.get("user.name") == "Alice"


def test_a_caller_is_a_value_of_its_own(world: World) -> None:
    """Who we are is told by variables and configuration; the names of the clone are asked only for an agent."""
    here = Repository(str(world.repository()), world.variables)

    def no_roll() -> Roll:
        raise AssertionError("a person needs no roll")

    def no_clone() -> CloneId:
        raise AssertionError("a person sits in no clone")

    person = Caller(here, {}, is_terminal=True, roll=no_roll, now=lambda: Moment(0), clone=no_clone)
    assert (person.name(), person.origin, person.identity().email) == ("alice", "human", "alice@example.com")
    variables = {"GITCHAT_NAME": "Bot", **CLAUDE}
    agent = Caller(here, variables, is_terminal=True, roll=no_roll, now=lambda: Moment(0), clone=no_clone)
    assert (agent.name(), agent.origin, agent.client) == ("bot", "agent", "claude")


def test_a_room_that_is_attached_beside_us_is_seen(world: World) -> None:
    """What another process writes into the configuration counts at the next look; unsetting takes it back."""
    path = world.repository()
    ours = world.environment(path).authorities
    beside = world.environment(path).authorities
    assert ours.of(LOBBY) is None
    beside.attach(LOBBY, "origin")
    assert (ours.of(LOBBY), ours.all()) == ("origin", {"lobby": "origin"})
    assert ours.tracking(log_ref(LOBBY), LOBBY) == tracking_ref("origin", log_ref(LOBBY))
    ours.detach(LOBBY)
    assert (beside.of(LOBBY), beside.all()) == (None, {})
