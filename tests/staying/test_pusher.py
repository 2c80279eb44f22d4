"""What is sent is delivered by itself: the pusher that a send starts. Proves docs/format.md sections 13.5 and 13.6.

Real processes and a real hub, which notes each push; each process that is started aside is noted by the ``nice``
that it is started with.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from gitchat.clones.trouble import TroubleFile
from gitchat.model.names import RoomName
from gitchat.staying.pace import TIDY_SECONDS
from gitchat.staying.pusher import Pusher
from gitchat.storage import gate
from gitchat.workspace.pushing import Hurry, lock_of, push_soon
from tests.cli.programs import running, until
from tests.clones.conftest import LOG, Clone, Hub, is_free
from tests.needed import missing
from tests.world import World

pytestmark = pytest.mark.slow  # many processes, each of which waits for another

RELEASED = Path(__file__).parents[2] / ".tools" / "gitchat-0.1.0" / "bin" / "git-chat"

SESSION = {"GITCHAT_SESSION": "one"}
"""What makes a process one of an agent's session, which stays."""


class Started:
    """The processes that were started aside."""

    def __init__(self, world: World) -> None:
        """From now on ``nice`` notes who it becomes."""
        self._log = world.root / "started"
        self._log.touch()
        world.add_program("nice", f'echo "$$ $*" >> {self._log}\nexec {shutil.which("nice")} "$@"')

    @property
    def pids(self) -> list[int]:
        """Of all, in order."""
        return [int(line.split()[0]) for line in self._log.read_text().splitlines()]

    def kill(self) -> None:
        """End the last one as hard as can be."""
        with suppress(ProcessLookupError):
            os.kill(self.pids[-1], signal.SIGKILL)


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone whose lobby follows the hub, and that pushes by itself, and often."""
    clone = hub.clone("ann", sync="batch")
    clone.git("config", "chat.syncInterval", "0.1")
    clone.say("first")
    clone.sync()
    return clone


@pytest.fixture
def started(world: World, ann: Clone) -> Iterator[Started]:
    """What ann starts aside from now on; what still runs at the end is ended."""
    started = Started(world)
    yield started
    for pid in started.pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def pushes(hub: Hub) -> Path:
    """A file with a line for each push that the hub took."""
    path = hub.path / "pushes"
    path.touch()
    hub.hook(f"cat > {os.devnull}; echo push >> {path}", "post-receive")
    return path


def said_at(hub: Hub) -> list[str]:
    """The messages that the hub has, sorted."""
    form = "--format=%(trailers:key=Chat-Kind,valueonly,separator=) %s"
    lines = (line.partition(" ") for line in hub.git("log", form, LOG).stdout.splitlines())
    return sorted(text for kind, _, text in lines if kind in ("message", "status"))


def arrives(hub: Hub, *wanted: str) -> None:
    """Wait until the hub has just these messages."""
    until(lambda: said_at(hub) == sorted(wanted))


def noted(clone: Clone) -> TroubleFile:
    """What the clone knows to be wrong with its remote."""
    return TroubleFile(clone.path / ".git" / "chatroom", "origin")


# --- who stays ---------------------------------------------------------------------


def test_what_is_said_in_a_session_is_pushed_though_nobody_waits(hub: Hub, ann: Clone, started: Started) -> None:
    """The handle is printed, and one process carries it to the hub, stays a moment, and ends."""
    done = ann.chat("send", "second", check=True, **SESSION)
    assert (done.stdout[0], done.stderr) == ("~", "")
    arrives(hub, "first", "second")
    until(lambda: is_free(ann))
    assert len(started.pids) == 1
    assert ann.numbered() == [(1, "first"), (2, "second")]


def test_a_message_is_printed_before_anything_is_started(ann: Clone, started: Started) -> None:
    """Whoever waits for the line does not wait for another program: as long as it cannot be printed there is none."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b" " * 512)
    os.set_blocking(writing, True)
    variables = ann.world.variables | {"GITCHAT_NAME": "ann", **SESSION}
    process = subprocess.Popen(["git-chat", "send", "second"], cwd=ann.path, env=variables, stdout=writing)
    os.close(writing)
    until(lambda: ann.bodies() == ["first", "second"])
    until(lambda: all(state_of(process) == "S" for _ in range(200)))  # it is in that write
    assert children_of(process) == []
    assert started.pids == []
    with open(reading, "rb") as printed:
        assert printed.read().strip()[:1] == b"~"
    assert process.wait() == 0
    until(lambda: started.pids != [])


def state_of(process: subprocess.Popen[bytes]) -> str:
    """The letter that Linux has for what it does."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2][0]


def children_of(process: subprocess.Popen[bytes]) -> list[str]:
    """The processes that it started and has not waited for, also those that have ended."""
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()


def test_many_sends_start_few_processes(hub: Hub, ann: Clone, started: Started, pushes: Path) -> None:
    """Who finds the lock held starts nobody, and all of it arrives in fewer pushes than messages."""
    said = [f"message {number}" for number in range(20)]
    for text in said:
        ann.say(text, **SESSION)
    arrives(hub, "first", *said)
    assert len(started.pids) < 5
    assert len(pushes.read_text().splitlines()) <= len(said)


@pytest.mark.slow
def test_two_hundred_sends_at_the_pace_of_a_forge(hub: Hub, ann: Clone, started: Started, pushes: Path) -> None:
    """They arrive by a few pushes of a few processes."""
    ann.git("config", "chat.syncInterval", "10")
    said = [f"message {number}" for number in range(200)]
    begin = time.monotonic()
    for text in said:
        ann.say(text, **SESSION)
    arrives(hub, "first", *said)
    assert len(started.pids) < 10
    assert len(pushes.read_text().splitlines()) <= 3 + (time.monotonic() - begin) / 10


def test_who_is_told_that_somebody_pushes_is_not_let_down(hub: Hub, ann: Clone, started: Started) -> None:
    """What is said after the pusher's last look, when it still has the lock, is found by its second look."""
    ann.say("second", GITCHAT_SESSION="")  # pushed by the send itself
    directory = ann.path / ".git" / "chatroom"

    @contextmanager
    def held() -> Iterator[None]:
        with gate.hold(directory, 0, lock_of("origin")):
            yield
            ann.say("third", **SESSION)

    with Pusher(ann.world.environment(ann.path), "origin") as pusher:
        pusher.run(held(), stay_seconds=0)
    assert said_at(hub) == ["first", "second", "third"]
    assert started.pids == []


@pytest.mark.parametrize("moment", ["at once", "in a push", "after it"])
def test_a_pusher_that_is_killed_is_followed_by_another(hub: Hub, ann: Clone, started: Started, moment: str) -> None:
    """Whenever it dies, the next send finds nobody there, and everything arrives, once."""
    inside = hub.path / "inside"
    if moment == "in a push":
        hub.hook(f"cat > {os.devnull}; touch {inside}; until test -e {inside}.over; do sleep 0.01; done")
    ann.say("second", **SESSION)
    if moment == "in a push":
        until(inside.exists)
    if moment == "after it":
        arrives(hub, "first", "second")
    until(lambda: started.pids != [])
    started.kill()
    until(lambda: is_free(ann))
    inside.with_suffix(".over").touch()
    ann.say("third", **SESSION)
    arrives(hub, "first", "second", "third")
    assert len(started.pids) == 2


# --- where nobody stays ------------------------------------------------------------


@pytest.mark.parametrize("variables", [{}, {"CI": "true", **SESSION}], ids=["script", "CI"])
def test_a_send_that_nobody_stays_for_pushes_itself(
    hub: Hub, ann: Clone, started: Started, variables: dict[str, str]
) -> None:
    """When it ends the hub has it, and what it prints is the number."""
    done = ann.chat("send", "second", check=True, **variables)
    assert (done.stdout, done.stderr) == ("#2\n", "")
    assert said_at(hub) == ["first", "second"]
    assert started.pids == []


def test_it_says_what_the_remote_refused_and_ends_well(hub: Hub, ann: Clone, started: Started) -> None:
    """The message is stored, so the exit status is 0; until the pause is over nobody asks the remote again."""
    hub.hook("echo 'closed for the night' >&2; exit 1")
    for count, words in ((1, "1 waits for origin since "), (2, "2 wait for origin since ")):
        done = ann.chat("send", f"message {count}", CI="1")
        assert (done.returncode, done.stdout[0]) == (0, "~")
        assert done.stderr.startswith(words)
        assert "closed for the night" in done.stderr
    assert ann.chat("send", "-q", "silent", CI="1").stderr == ""
    ann.say("in a session", **SESSION)
    assert started.pids == []
    trouble = noted(ann).load()
    assert trouble is not None
    assert (trouble.failures, trouble.rooms) == (1, ("lobby",))


def test_a_sync_that_works_ends_the_trouble(hub: Hub, ann: Clone) -> None:
    """And with it the pause."""
    hook = hub.hook("exit 1")
    ann.say("second")
    assert noted(ann).load() is not None
    hook.unlink()
    ann.sync()
    assert noted(ann).load() is None
    assert ann.chat("send", "third").stdout == "#3\n"


@pytest.mark.slow
def test_a_remote_that_hangs_is_given_up_in_time(ann: Clone, started: Started) -> None:
    """After ten seconds the handle is printed, and somebody goes on with it."""
    ann.git("remote", "set-url", "origin", "ssh://nowhere/hub.git")
    done = ann.chat("send", "second", GIT_SSH_COMMAND="sh -c 'exec sleep 60'")
    assert (done.returncode, done.stdout[0], done.stderr) == (0, "~", "on its way to origin\n")
    assert len(started.pids) == 1


# --- what is wrong -------------------------------------------------------------------


@pytest.mark.slow
def test_a_remote_that_was_away_gets_all_when_it_is_back(hub: Hub, ann: Clone, started: Started) -> None:
    """The pusher waits out the first pauses; nobody has to send again."""
    hub.path.rename(hub.path.with_name("elsewhere"))
    ann.say("second", **SESSION)
    until(lambda: noted(ann).load() is not None)
    ann.say("third", **SESSION)
    hub.path.with_name("elsewhere").rename(hub.path)
    arrives(hub, "first", "second", "third")
    until(lambda: noted(ann).load() is None)
    assert len(started.pids) == 1


def test_where_a_key_is_asked_for_again_and_again_a_person_is(ann: Clone, started: Started, hub: Hub) -> None:
    """After the second time nobody tries any more, and the command that is named ends it."""
    ann.git("remote", "set-url", "origin", "ssh://nowhere/hub.git")
    noted(ann).add("Permission denied (publickey).", 1_000_000)  # long ago, so that its pause is over
    ssh = "sh -c 'echo Permission denied \\(publickey\\). >&2; exit 255'"
    said = ann.chat("send", "second", GIT_SSH_COMMAND=ssh).stderr
    assert "Permission denied (publickey)." in said
    assert said.endswith("; git chat sync origin\n")
    ann.say("third", **SESSION)
    assert started.pids == []
    ann.git("remote", "set-url", "origin", hub.path)
    ann.chat(*said.rpartition("git chat ")[2].split(), check=True)
    assert said_at(hub) == ["first", "second", "third"]
    assert ann.chat("send", "fourth").stdout == "#4\n"


def test_where_nothing_goes_by_itself_nothing_is_started(hub: Hub, ann: Clone, started: Started) -> None:
    """chat.sync=manual turns all of it off, and a room that follows nobody has nothing to push."""
    ann.chat("send", "--room", "mine", "--local", "for nobody else", check=True, **SESSION)
    ann.git("config", "chat.sync", "manual")
    for variables in ({}, SESSION):
        done = ann.chat("send", "second", check=True, **variables)
        assert (done.stdout[0], done.stderr) == ("~", "")
    assert started.pids == []
    assert said_at(hub) == ["first"]


@pytest.mark.parametrize("variables", [{}, SESSION], ids=["script", "session"])
@pytest.mark.parametrize("fault", ["no lock", "no remote"])
def test_a_send_is_never_hurt_by_its_push(ann: Clone, fault: str, variables: dict[str, str]) -> None:
    """What was said is stored, and its handle printed."""
    match fault:
        case "no lock":
            (ann.path / ".git" / "chatroom" / lock_of("origin")).unlink(missing_ok=True)
            (ann.path / ".git" / "chatroom" / lock_of("origin")).mkdir()
        case "no remote":
            ann.git("remote", "remove", "origin")
    done = ann.chat("send", "second", **variables)
    assert (done.returncode, done.stdout[0]) == (0, "~")


# --- hooks ---------------------------------------------------------------------------


def test_statuses_of_commits_start_one_process_that_stays(hub: Hub, ann: Clone, started: Started) -> None:
    """Each of them is carried, also what comes when all was pushed; meanwhile the keeper's lock is free."""
    ann.chat("hook", "install", check=True)
    for count in (4, 8):
        for number in range(4):
            ann.git("commit", "-q", "--allow-empty", "-m", f"Step {number}", check=True)
        until(lambda count=count: len(said_at(hub)) == 1 + count)  # type: ignore[misc]
        until(lambda: is_free(ann))
    assert len(started.pids) == 1


# --- beside others -------------------------------------------------------------------


def test_a_keeper_of_the_released_version_counts(hub: Hub, ann: Clone, started: Started) -> None:
    """It holds the same lock, and pushes whatever is ahead."""
    if not RELEASED.exists():
        missing("the released version is missing: make released")
    command = [RELEASED, "sync", "--watch"]
    keeper = subprocess.Popen(command, cwd=ann.path, env=ann.world.variables, stdout=subprocess.DEVNULL)
    try:
        until(lambda: not is_free(ann))
        for text in ("second", "third"):
            ann.say(text, **SESSION)
        arrives(hub, "first", "second", "third")
        assert ann.chat("send", "fourth").stdout == "#4\n"  # and who waits for the number gets it from there
        assert started.pids == []
    finally:
        keeper.kill()
        keeper.wait()


@pytest.mark.parametrize("is_kept", [False, True], ids=["nobody there", "a keeper there"])
def test_positions_go_at_once_where_somebody_asks(hub: Hub, ann: Clone, started: Started, is_kept: bool) -> None:
    """Though a position alone goes nowhere without a keeper, and with one a minute after the last push."""
    with ExitStack() as beside:
        if is_kept:
            beside.enter_context(running(ann, "sync", "--watch", GITCHAT_NAME="ann"))
            until(lambda: not is_free(ann))
        begin = time.monotonic()
        ann.say("second", **SESSION)
        arrives(hub, "first", "second")
        if not is_kept:
            until(lambda: is_free(ann))
        ann.chat("read", "--as", "cid", check=True)
        assert "cursors/cid" not in hub.git("for-each-ref").stdout
        push_soon(ann.world.environment(ann.path), RoomName("lobby"), cursors=True)
        until(lambda: "cursors/cid" in hub.git("for-each-ref").stdout)
        assert time.monotonic() - begin < TIDY_SECONDS
    assert len(started.pids) == (0 if is_kept else 2)


def test_who_leaves_asks_for_that(ann: Clone, started: Started) -> None:
    """And so does who writes a summary."""
    ann.chat("join", check=True, **SESSION)
    ann.git("config", "chat.syncInterval", "1000")
    for command in (("leave",), ("summary", "write", "all is done")):
        with gate.hold(ann.path / ".git" / "chatroom", 0, lock_of("origin")):
            ann.chat(*command, check=True, **SESSION)
        assert Hurry(ann.world.environment(ann.path), "origin").take()
    assert started.pids == []
