"""Names, sessions and holders as this process's surroundings give them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gitchat.model.errors import UserError
from gitchat.model.names import CloneId, Name, RoomName
from gitchat.model.record import Moment
from gitchat.model.refs import log_ref, tracking_ref
from gitchat.presence.roll import Held, Roll
from gitchat.workspace import ancestry
from gitchat.workspace.ancestry import Ancestor
from gitchat.workspace.client import client_of, session_of
from gitchat.workspace.environment import Environment
from gitchat.workspace.identity import Caller
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
    assert session_of(variables, "claude").key == session


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


# --- sessions and default names ----------------------------------------------


def claude(world: World, cwd: Path, session: str, pid: int, began: int = 7) -> Caller:
    """A session of Claude Code, whose process is ``pid``, which began at that tick."""
    here = surroundings(world, cwd, CLAUDE_CODE_SESSION_ID=session, **CLAUDE)
    above = [Ancestor(pid, began, ("claude",), {})]
    return Caller(
        here.repository, here.variables, is_terminal=False, roll=lambda: here.roll, now=here.now, clone=here.clone.id,
        ancestors=lambda: above,
    )  # fmt: skip


def with_room(world: World) -> Path:
    """A repository with a room, and so with a place for our files."""
    repository = world.repository()
    world.chat("send", "begin", cwd=repository, check=True)
    return repository


def test_a_session_that_runs_keeps_its_name_without_living_under_it(world: World) -> None:
    """Two sessions of a worktree that join nothing are two participants, as long as the kernel tells that both run."""
    repository = with_room(world)
    runs = subprocess.Popen(["sleep", "600"])
    try:
        _, _, began = ancestry._stat(runs.pid)
        first = claude(world, repository, "a", runs.pid, began)
        assert first.name() == "claude-repo"
        assert claude(world, repository, "b", 2).name() == "claude-repo-2"
        assert first.name() == "claude-repo"
    finally:
        runs.kill()
        runs.wait()
    assert claude(world, repository, "c", 3).name() == "claude-repo"


def test_a_conversation_that_is_resumed_goes_by_its_name_again(world: World) -> None:
    """In another process, where all others of that session go by it too, also those that know no id."""
    repository = with_room(world)
    before = claude(world, repository, "a", 1)
    before.roll().register(Name("lexer"), LOBBY, role="", holder=before.holder(), now=5)
    resumed = claude(world, repository, "a", 2)
    assert resumed.name() == "lexer"
    assert resumed.session == before.session
    # After /clear only the process is as it was.
    assert claude(world, repository, "b", 2).name() == "lexer"
    assert claude(world, repository, "b", 3).name() == "claude-repo"


def test_a_new_default_name_steps_aside_for_another_clones(world: World) -> None:
    """And is kept from then on; one that was kept before is used, whoever speaks."""
    repository = with_room(world)

    def spoken(name: Name) -> bool:
        return name in ("claude-repo", "claude-repo-2")

    stepping = replace(claude(world, repository, "a", 1), spoken_elsewhere=spoken)
    assert stepping.name() == "claude-repo-3"
    # "claude-repo" is free again, and yet the agent of this worktree is who it was.
    assert claude(world, repository, "b", 2).name() == "claude-repo-3"
    tree = world.root / "tree" / "repo"
    world.git("worktree", "add", "-q", "-b", "fix", tree, cwd=repository)
    assert claude(world, tree, "c", 3).name() == "claude-repo"
    assert replace(claude(world, tree, "d", 4), spoken_elsewhere=spoken).name() == "claude-repo"


def test_worktrees_of_one_name_have_default_names_of_their_own(world: World) -> None:
    """A name that was given in one worktree is not a new one in the other, and stays when the repository moves."""
    repository = with_room(world)
    tree = world.root / "tree" / "repo"
    world.git("worktree", "add", "-q", "-b", "fix", tree, cwd=repository)
    assert claude(world, repository, "a", 1).name() == "claude-repo"
    assert claude(world, tree, "b", 2).name() == "claude-repo-2"
    moved = repository.rename(world.root / "moved")
    assert claude(world, moved, "c", 3).name() == "claude-repo"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"claude-repo\n", b"ALL claude .\n", b"x" * 100_000])
def test_a_damaged_file_of_names_is_as_none(world: World, content: bytes) -> None:
    """What does not read was not given."""
    repository = with_room(world)
    (repository / ".git/chatroom/names").write_bytes(content)
    assert claude(world, repository, "a", 1).name() == "claude-repo"


def test_where_nothing_of_ours_is_no_name_is_noted(world: World) -> None:
    """An agent that only looks into a stranger's clone leaves nothing there."""
    repository = world.repository()
    assert claude(world, repository, "a", 1).name() == "claude-repo"
    assert not (repository / ".git/chatroom").exists()


@pytest.mark.parametrize(
    ("above", "client"),
    [([{"CLAUDECODE": "1"}, {}], "codex"), ([{"CODEX_THREAD_ID": "1"}, {}], "claude"), ([], "claude")],
)
def test_of_clients_in_each_others_shells_the_inner_one_counts(above: list[dict[str, str]], client: str) -> None:
    """It set its mark, and was started without it."""
    ancestors = [Ancestor(number, 1, (), began_with) for number, began_with in enumerate(above)]
    assert client_of({**CLAUDE, "CODEX_THREAD_ID": "0199"}, lambda: ancestors) == client


@pytest.mark.parametrize(
    ("above", "process"),
    [
        ([("sh", {"CLAUDE_CODE_SESSION_ID": "s"}), ("claude", {})], "process 1 of 9"),
        # Another claude, in whose shell this one runs: not the nearest of its name, nor the one above it.
        ([("claude", {"CLAUDE_CODE_SESSION_ID": "outer"}), ("claude", {})], "process 0 of 9"),
        # Somebody who only says that he is an agent's command.
        ([("make", {}), ("claude", {})], None),
        # From a sandbox: whose first process is no client.
        ([("bwrap", {"CLAUDE_CODE_SESSION_ID": "s"})], None),
        ([], None),
    ],
)
def test_a_client_is_found_above_us(above: list[tuple[str, dict[str, str]]], process: str | None) -> None:
    """The nearest process that was started without the session's id, if it is called as the client is."""
    ancestors = [Ancestor(number, 9, (word,), began_with) for number, (word, began_with) in enumerate(above)]
    variables = {**CLAUDE, "CLAUDE_CODE_SESSION_ID": "s"}
    assert session_of(variables, "claude", lambda: ancestors).process == process
    assert session_of({**variables, "CLAUDE_PID": "99"}, "claude", lambda: ancestors).process is None


def test_the_kernel_tells_of_the_processes_above() -> None:
    """Beginning with our parent, with what each was started with."""
    first = next(iter(ancestry.ancestors()))
    assert first.pid == os.getppid()
    assert ancestry.is_running(first.pid, first.started)
    assert not ancestry.is_running(first.pid, first.started + 1)
