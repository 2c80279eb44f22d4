"""What a remote can do to us, and what can be wrong with a clone: one error, one hint, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from gitchat.clones.notes import Notes
from gitchat.clones.sync import Remote
from gitchat.clones.wire import Wire
from gitchat.model.errors import RemoteError
from gitchat.workspace.process import read_clock
from gitchat.workspace.remotes import adopting
from gitchat.workspace.seating import Seating
from tests.cli.conftest import refused
from tests.cli.test_faults import fill, small_disk  # noqa: F401 - a fixture
from tests.clones.conftest import APART, LOG, Clone, Hub, assert_same_view, free_port, git_daemon, settle
from tests.clones.lines import slow_line
from tests.crash.writers import identity
from tests.world import open_store


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone with one number and one message that is pending."""
    clone = hub.clone("ann")
    clone.say("first")
    clone.sync()
    clone.say("second")
    return clone


def still_pending(clone: Clone) -> None:
    """Assert that a failed sync took nothing and gave nothing."""
    assert clone.numbered() == [(1, "first"), (None, "second")]


def remote_of(clone: Clone, silence_seconds: float, **variables: str) -> Remote:
    """The clone's origin, which may be silent for so long."""
    wire = Wire(
        "origin",
        git_dir=str(clone.path / ".git"),
        cwd=str(clone.path),
        variables=clone.world.variables | variables,
        silence_seconds=silence_seconds,
    )
    return Remote(
        open_store(clone.path / ".git"),
        wire,
        identity=lambda: identity(clone.name),
        clock=read_clock,
        attached=lambda room: "origin",
        attach=lambda room: None,
        notes=Notes(clone.path / ".git" / "chatroom"),
        asked_format=lambda room, tip: 1,
        stays_here=lambda room: False,
        guard=Seating(clone.world.environment(clone.path)),
        adopting=adopting(clone.world.environment(clone.path), "origin"),
    )


# --- the remote ----------------------------------------------------------------


def test_relative_path_of_a_remote_starts_where_git_says(hub: Hub) -> None:
    """A remote's relative path starts at the top of the worktree, from wherever in it sync is called."""
    ann = hub.clone("ann", f"../{hub.path.name}")
    ann.say("hello")
    below = ann.path / "below"
    below.mkdir()
    ann.world.chat("sync", cwd=below, check=True, GITCHAT_NAME="ann")
    assert ann.numbered() == [(1, "hello")]


def test_no_network_is_an_error_of_the_remote(ann: Clone) -> None:
    """Nobody listens there: exit status 5, and what was pending is pending."""
    ann.git("remote", "set-url", "origin", f"git://127.0.0.1:{free_port()}/hub.git")
    refused(ann.chat("sync"), "the remote 'origin' cannot be used", "git ls-remote origin", 5)
    still_pending(ann)


def test_remote_that_says_nothing_is_given_up(ann: Clone, silence: str) -> None:
    """A server that accepts and never answers costs the time limit and no more, and no process stays behind."""
    ann.git("remote", "set-url", "origin", silence)
    remote = remote_of(ann, silence_seconds=1)
    with pytest.raises(RemoteError) as caught:
        remote.round(None)
    assert caught.value.code == "remote-hangs"
    still_pending(ann)


def test_what_git_started_for_a_silent_remote_ends_with_it(ann: Clone, tmp_path: Path) -> None:
    """The time limit ends ssh, too, and not only the git that waits for it."""
    noted = tmp_path / "pid"
    ann.git("remote", "set-url", "origin", "ssh://nowhere/hub.git")
    command = f"sh -c 'echo $$ > {noted}; exec sleep 1000'"
    remote = remote_of(ann, silence_seconds=5, GIT_SSH_COMMAND=command)
    while not noted.exists():  # a machine so busy that ssh has not begun by then proves nothing
        with pytest.raises(RemoteError):
            remote.preview(None)
    deadline = time.monotonic() + 30
    while _is_running(int(noted.read_text())):
        assert time.monotonic() < deadline, "ssh stays behind"
        time.sleep(0.02)


def _is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


SLOW_SERVER = """\
import os, subprocess, sys, time
served = os.environ["SERVED"]
server = subprocess.Popen(["git", "upload-pack", sys.argv[1]], stdout=subprocess.PIPE)
given = 0
while part := os.read(server.stdout.fileno(), 16_384):
    if served == "in part" and given > 200_000:
        time.sleep(1000)
    os.write(1, part)
    given += len(part)
    time.sleep(float(served) if given > 16_384 and served != "in part" else 0)
"""
"""git's own server behind a slow line: so many seconds lie between two parts, or nothing comes after some of them."""


def behind_a_slow_line(hub: Hub, silence_seconds: float, served: str) -> tuple[Clone, Remote]:
    """A clone of a hub with much to fetch, and its origin, which is heard through SLOW_SERVER."""
    said = hub.clone("talker")
    for number in range(8):
        said.say(os.urandom(30_000).hex() + f" {number}")
    said.sync()
    script = hub.world.root / "slow.py"
    script.write_text(SLOW_SERVER)
    bea = hub.clone("bea")
    bea.git("config", "remote.origin.uploadpack", f"{sys.executable} {script}")
    return bea, remote_of(bea, silence_seconds, SERVED=served)


@pytest.mark.slow
def test_what_takes_long_and_is_not_silent_is_not_given_up(hub: Hub) -> None:
    """A transfer over a slow line takes longer than a remote may be silent, and comes to its end."""
    bea, remote = behind_a_slow_line(hub, silence_seconds=3, served="0.3")
    begin = time.monotonic()
    report = remote.round(None)
    assert time.monotonic() - begin > 3
    assert report.fetched == {"lobby": 8}
    assert len(bea.records()) == 8


@pytest.mark.slow
def test_a_slow_line_carries_both_ways_what_takes_longer_than_a_silence(hub: Hub) -> None:
    """2.7 MB at 16 kB/s are 170 seconds; here all of it is a twentieth. A line that falls silent is given up."""
    ann, bea = hub.clone("ann"), hub.clone("bea")
    ann.say(os.urandom(30_000).hex())
    ann.say(os.urandom(30_000).hex())
    with git_daemon(hub) as url, slow_line(url, bytes_a_second=12_000) as slow:
        for clone, did in ((ann, "pushed"), (bea, "fetched")):
            clone.git("remote", "set-url", "origin", slow)
            begin = time.monotonic()
            assert getattr(remote_of(clone, silence_seconds=3).round(None), did) == {"lobby": 2}
            assert time.monotonic() - begin > 3
    with git_daemon(hub) as url, slow_line(url, bytes_a_second=100_000, ends_after_bytes=20_000) as broken:
        carl = hub.clone("carl", broken)
        with pytest.raises(RemoteError) as caught:
            remote_of(carl, silence_seconds=3).round(None)
    assert caught.value.code == "remote-hangs"
    assert bea.numbered() == ann.numbered()


def test_what_falls_silent_in_the_middle_is_given_up(hub: Hub) -> None:
    """Half a transfer is no sign that the other half comes; what came is thrown away, and no room is here."""
    bea, remote = behind_a_slow_line(hub, silence_seconds=1, served="in part")
    with pytest.raises(RemoteError) as caught:
        remote.round(None)
    assert (caught.value.code, str(caught.value)) == ("remote-hangs", "the remote 'origin' has said nothing for 1 s")
    assert bea.git("for-each-ref", "refs/chatroom*").stdout == ""


def test_what_git_leaves_behind_is_not_waited_for(ann: Clone, hub: Hub, tmp_path: Path) -> None:
    """An ssh that serves the next call, too, keeps git's standard error open; git has ended, and that counts."""
    left, ssh = tmp_path / "left", tmp_path / "ssh"
    ssh.write_text(f'#!/bin/sh\n(echo >{left}; exec sleep 1000 >&2) &\necho $! >>{left}.pids\nshift; exec sh -c "$*"\n')
    ssh.chmod(0o755)
    ann.git("remote", "set-url", "origin", f"host:{hub.path}")
    try:
        report = remote_of(ann, 300, GIT_SSH_COMMAND=str(ssh), GIT_SSH_VARIANT="simple").round(None)
        pids = [int(line) for line in left.with_suffix(".pids").read_text().split()]
        assert report.pushed == {"lobby": 1}
        assert pids
        assert all(map(_is_running, pids))
    finally:
        for pid in map(int, left.with_suffix(".pids").read_text().split()):
            os.kill(pid, signal.SIGKILL)


def test_where_the_fetched_refs_went_is_no_reason(hub: Hub, ann: Clone) -> None:
    """Of a fetch that failed the error says why, and not what else came."""
    ann.sync()
    bea = hub.clone("bea")
    bea.sync()
    ann.say("third")
    ann.chat("send", "--room", "plans", "a plan", check=True)
    ann.sync()
    lock = bea.path / ".git" / "refs" / "chatroom-local" / "fetched" / "origin" / "rooms" / "lobby" / "log.lock"
    lock.touch()
    words = bea.chat("sync").stderr
    assert "remove the file manually to continue" in words
    assert " -> " not in words


def test_words_of_a_hook_are_shown(hub: Hub, ann: Clone) -> None:
    """What a policy says is what the person reads; when it changes its mind, the message gets its number."""
    hook = hub.hook("echo 'the room is frozen until Monday' >&2; exit 1")
    done = ann.chat("sync")
    refused(done, "the room is frozen until Monday", "nothing is lost", 5)
    still_pending(ann)
    hook.unlink()
    ann.sync()
    assert ann.numbered() == [(1, "first"), (2, "second")]


BRANCHES_ONLY = 'case $1 in refs/heads/*) ;; *) echo "branches only" >&2; exit 1;; esac'
ALL_BRANCHES = (
    'while read -r old new ref; do case $ref in refs/heads/*) ;; *) echo "no $ref here" >&2; exit 1;; esac; done'
)


@pytest.mark.parametrize(
    ("script", "name", "words"),
    [
        (BRANCHES_ONLY, "update", "(hook declined); branches only"),
        (ALL_BRANCHES, "pre-receive", f"(pre-receive hook declined); no {LOG} here"),
        (None, "receive.hideRefs", "(deny updating a hidden ref)"),
        (None, "transfer.hideRefs", "(deny updating a hidden ref)"),
    ],
)
def test_host_that_takes_no_such_ref_is_not_asked_again_later(
    hub: Hub, script: str | None, name: str, words: str
) -> None:
    """It never will: the error has the ref and its words, and the hint whom to ask; once it may, all is pushed."""
    ann = hub.clone("ann")
    ann.say("first")
    hook = hub.hook(script, name) if script else None
    if hook is None:
        hub.git("config", name, "refs/chatroom")
    done = ann.chat("sync")
    ways = "ask who runs 'origin' to allow refs/chatroom/*, and then: git chat sync origin"
    refused(done, f"'origin' did not take {LOG}: [remote rejected] {words}", ways, 5)
    assert "later" not in done.stderr
    assert ann.numbered() == [(1, "first")], "the room follows no remote that did not take it"
    if hook is None:
        hub.git("config", "--unset", name)
    else:
        hook.unlink()
    ann.sync("origin")
    assert ann.numbered() == [(1, "first")]
    assert hub.tip == ann.git("rev-parse", LOG).stdout.strip()


def test_refusal_that_may_pass_is_worth_another_try(hub: Hub, ann: Clone) -> None:
    """The hub cannot store anything just now: that says nothing of the name."""
    hub.git("config", "receive.maxInputSize", "1")
    refused(ann.chat("sync"), "did not take", "try again later: git chat sync", 5)
    still_pending(ann)
    hub.git("config", "--unset", "receive.maxInputSize")
    ann.sync()
    assert ann.numbered() == [(1, "first"), (2, "second")]


def test_words_of_a_hook_cannot_draw_on_the_terminal(hub: Hub, ann: Clone) -> None:
    """A server's words are a stranger's: their control characters are escaped."""
    hub.hook("printf 'no\\033[2Jnever\\n' >&2; exit 1")
    assert "\x1b" not in ann.chat("sync").stderr


def test_pushed_is_what_the_remote_accepted(hub: Hub, ann: Clone) -> None:
    """A hook that refuses one room's ref does not keep the other's from being pushed, and both are told apart."""
    ann.chat("send", "--room", "plans", "a plan", check=True, **APART)
    hub.hook('case $1 in */plans/*) echo "no plans" >&2; exit 1;; esac', "update")
    done = ann.chat("sync")
    assert done.returncode == 5
    assert done.stdout == "lobby: 0 fetched, 1 pushed\n"
    assert "no plans" in done.stderr
    assert ann.numbered() == [(1, "first"), (2, "second")]
    assert ann.chat("remote", check=True).stdout.splitlines() == ["lobby: origin", "plans: this clone"]


def test_remote_that_was_moved_away_is_an_error(hub: Hub, ann: Clone) -> None:
    """A deleted hub costs nothing; when it is back, sync goes on."""
    hub.path.rename(hub.path.with_name("elsewhere"))
    refused(ann.chat("sync"), "does not appear to be a git repository", "git ls-remote origin", 5)
    still_pending(ann)
    hub.path.with_name("elsewhere").rename(hub.path)
    ann.sync()
    assert ann.numbered() == [(1, "first"), (2, "second")]


def test_room_that_was_deleted_at_the_remote_is_pushed_again(hub: Hub, ann: Clone) -> None:
    """Somebody deleted the ref there: the clone says so, and gives the room back with the same numbers."""
    hub.git("update-ref", "-d", LOG)
    done = ann.sync()
    assert "warning: room 'lobby': the remote has no such room any more" in done.stderr
    assert ann.numbered() == [(1, "first"), (2, "second")]
    assert hub.tip == ann.git("rev-parse", LOG).stdout.strip()


def test_rewound_remote_gets_back_what_it_lost(hub: Hub, ann: Clone) -> None:
    """A hub that was restored from an old backup is told of, and takes the newer records again."""
    ann.sync()
    hub.git("update-ref", LOG, f"{LOG}~1")
    assert "warning: room 'lobby': the remote went back" in ann.sync().stderr
    assert ann.numbered() == [(1, "first"), (2, "second")]


def test_other_order_of_parents_raises_an_alarm(hub: Hub, ann: Clone) -> None:
    """A merge by hand that puts the remote's log second is told of, with the commit that did it."""
    bea = hub.clone("bea")
    bea.sync()
    bea.say("from bea")
    bea.sync()
    theirs, mine = hub.tip, ann.git("rev-parse", LOG).stdout.strip()
    ann.git("fetch", "-q", "origin", LOG)
    tree = ann.git("rev-parse", f"{mine}^{{tree}}").stdout.strip()
    swapped = ann.git("commit-tree", tree, "-p", mine, "-p", theirs, "-m", "merged by hand").stdout.strip()
    ann.git("push", "-q", "origin", f"{swapped}:{LOG}")
    done = bea.sync()
    assert f"warning: room 'lobby': {swapped} puts the log into another order" in done.stderr
    assert sorted(bea.bodies()) == ["first", "from bea", "second"]


def test_foreign_commit_on_the_log_takes_no_number(hub: Hub, ann: Clone) -> None:
    """Somebody pushed code onto the log: it is passed over, and numbers go on."""
    ann.sync()
    foreign = ann.git("commit-tree", "HEAD^{tree}", "-p", hub.tip, "-m", "not a message").stdout.strip()
    ann.git("push", "-q", "origin", f"{foreign}:{LOG}")
    ann.say("third")
    ann.sync()
    assert ann.numbered() == [(1, "first"), (2, "second"), (3, "third")]


def test_read_only_hub_is_an_error_and_reading_goes_on(hub: Hub, ann: Clone) -> None:
    """Who may only fetch gets everything, and is told why nothing was pushed."""
    bea = hub.clone("bea")
    bea.sync()
    bea.say("from bea")
    bea.sync()
    ann.git("config", "remote.origin.receivepack", "sh -c 'echo you may only read >&2; exit 1'")
    done = ann.chat("sync")
    assert done.returncode == 5
    assert "you may only read" in done.stderr
    assert ann.numbered() == [(1, "first"), (2, "from bea"), (None, "second")]


def test_clone_that_follows_another_hub_is_refused(hub: Hub, ann: Clone) -> None:
    """Numbers have one source: a remote that takes its own from elsewhere gives none."""
    bea = hub.clone("bea", ann.path)
    refused(bea.chat("sync"), "follow its own remote 'origin'", "git remote add UPSTREAM URL")


def test_mirror_is_refused(ann: Clone) -> None:
    """A clone whose next fetch would delete what is pending does not sync."""
    ann.git("config", "remote.origin.fetch", "+refs/*:refs/*")
    refused(ann.chat("sync"), "would overwrite the rooms here", "git config remote.origin.fetch")
    still_pending(ann)


@pytest.mark.parametrize("given", ["https://example.com/hub.git", "git@example.com:hub.git", "../hub.git"])
def test_address_instead_of_a_name_is_refused(ann: Clone, given: str) -> None:
    """A room follows a named remote; the hint is the command that names it."""
    refused(ann.chat("sync", given), "is an address", f"git remote add chat '{given}'")


# --- the clone -----------------------------------------------------------------


def test_shallow_and_partial_clones_get_the_whole_room(hub: Hub, ann: Clone) -> None:
    """A clone that left out the project's history or its files gets the whole log, and attachments with it."""
    ann.sync()
    (ann.path / "trace.txt").write_text("a trace\n")
    ann.chat("send", "--attach", "trace.txt", "third", check=True)
    ann.sync()
    ann.git("push", "-q", "origin", "main")
    hub.git("config", "uploadpack.allowFilter", "true")
    for name, option in (("shallow", "--depth=1"), ("treeless", "--filter=tree:0")):
        hub.world.git("clone", "-q", option, f"file://{hub.path}", hub.world.root / name)
        clone = Clone(hub.world, hub.world.root / name, name)
        clone.sync()
        assert clone.numbered() == [(1, "first"), (2, "second"), (3, "third")]
        clone.chat("show", "3", "--extract", "out", check=True)
        assert (clone.path / "out" / "trace.txt").read_text() == "a trace\n"


def test_clone_that_was_copied_is_a_clone_of_its_own(hub: Hub, ann: Clone) -> None:
    """After ``cp -r``, in the middle of a conversation, both copies talk and sync; what both had is there once."""
    shutil.copytree(ann.path, ann.world.root / "copy", symlinks=True)
    copy = Clone(ann.world, ann.world.root / "copy", "copy")
    ann.say("from ann")
    copy.say("from the copy")
    settle([ann, copy])
    assert_same_view(hub, [ann, copy], ["first", "second", "from ann", "from the copy"])


def test_clocks_that_differ_by_years_change_no_number(hub: Hub, ann: Clone) -> None:
    """Order is a matter of parents: a clone in 2001 and one in 2033 come to one view, and none is pending for ever."""
    ann.sync()
    clones = [ann]
    for name, seconds in (("past", 1_000_000_000), ("future", 2_000_000_000)):
        clone = hub.clone(name)
        clone.sync()
        tip = clone.git("rev-parse", LOG).stdout.strip()
        date = f"{seconds} +0000"
        text = f"from the {name}\n\nChat-Kind: message\nChat-Uid: {'0' * 15}{'1' if name == 'past' else '2'}\n"
        tree = clone.git("rev-parse", f"{tip}^{{tree}}").stdout.strip()
        record = clone.git(
            "commit-tree", tree, "-p", tip, stdin=text.encode(), GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date
        ).stdout.strip()
        clone.git("update-ref", LOG, record)
        clones.append(clone)
    settle(clones)
    settle(clones)
    assert_same_view(hub, clones, ["first", "second", "from the past", "from the future"])


def test_full_disk_in_the_middle_of_a_fetch_loses_nothing(hub: Hub, ann: Clone, small_disk: Path) -> None:  # noqa: F811
    """The error names the disk and not the remote; with space again, sync goes on where it was."""
    for number in range(3):
        ann.say(os.urandom(20_000).hex() + f" {number}")
    ann.sync()
    path = small_disk / "bea"
    hub.world.git("init", "-q", "--template=", path)
    bea = Clone(hub.world, path, "bea")
    bea.git("remote", "add", "origin", hub.path)
    bea.chat("send", "--room", "plans", "pending here", check=True, **APART)
    fill(small_disk, 4)
    done = bea.chat("sync")
    assert done.returncode in (1, 5)
    assert [line.partition(" ")[0] for line in done.stderr.splitlines()] == ["error:", "hint:"]
    assert "No space left" in done.stderr or "disk" in done.stderr
    (small_disk / "filling").unlink()
    bea.sync()
    assert bea.numbered() == ann.numbered()
    assert "pending here" in bea.chat("log", "--room", "plans", check=True).stdout


# --- a user's settings, and a user's own git -------------------------------------------


def test_settings_of_the_user_s_own_pushes_are_not_ours(hub: Hub, ann: Clone) -> None:
    """No pre-push hook of theirs runs, no tag follows, no maintenance begins; and only our one setting is written."""
    hook = ann.path / ".git" / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    for setting, value in {
        "push.followTags": "true", "push.recurseSubmodules": "check", "fetch.recurseSubmodules": "true",
        "push.gpgSign": "true", "remote.origin.tagOpt": "--tags", "push.default": "matching", "gc.auto": "1",
        "remote.origin.push": "refs/heads/*:refs/heads/*", "fetch.prune": "true", "fetch.pruneTags": "true",
    }.items():  # fmt: skip
        ann.git("config", setting, value)
    ann.git("commit", "-q", "--allow-empty", "-m", "work")
    ann.git("tag", "-a", "v1", "-m", "v1")
    before = ann.git("config", "--local", "--list").stdout
    ann.chat("remote", "detach", "lobby", "--yes", check=True)
    ann.sync("--yes")
    assert sorted(ann.git("config", "--local", "--list").stdout.splitlines()) == sorted(before.splitlines())
    refs = hub.git("for-each-ref", "--format=%(refname)").stdout.split()
    assert refs == [LOG]
    assert ann.git("tag").stdout == "v1\n"
    assert not (ann.path / ".git" / "FETCH_HEAD").exists()
    assert ann.numbered() == [(1, "first"), (2, "second")]


def test_a_fetch_by_hand_is_seen_at_once(hub: Hub, ann: Clone) -> None:
    """Nobody tells us of it: what the tracking ref says counts, at every look."""
    bea = hub.clone("bea")
    bea.sync()
    bea.say("third")
    bea.sync()
    assert ann.numbered() == [(1, "first"), (None, "second")]
    ann.git("fetch", "-q", "origin", "+refs/chatroom/rooms/*:refs/chatroom-local/remotes/origin/rooms/*")
    assert ann.numbered() == [(1, "first"), (2, "third"), (None, "second")]
    ann.sync()
    assert ann.numbered() == [(1, "first"), (2, "third"), (3, "second")]


def test_a_push_mirror_of_who_has_no_room_costs_nothing(hub: Hub, ann: Clone) -> None:
    """git lets anybody delete the room at the remote; the next sync of any clone brings it back, numbers and all."""
    ann.sync()
    stranger = hub.world.repository("stranger")
    hub.world.git("commit", "-q", "--allow-empty", "-m", "work", cwd=stranger)
    hub.world.git("push", "-q", "--mirror", hub.path, cwd=stranger)
    assert LOG not in hub.git("for-each-ref").stdout
    assert "nothing is lost here" in ann.sync().stderr
    assert ann.numbered() == [(1, "first"), (2, "second")]
    assert LOG in hub.git("for-each-ref").stdout


def test_a_second_hub_gets_no_room_that_follows_the_first(hub: Hub, ann: Clone) -> None:
    """It would number the messages, too, and differently. That is said."""
    second = Hub(hub.world, hub.world.root / "second.git")
    ann.git("remote", "add", "backup", second.path)
    done = ann.chat("sync", "backup", check=True)
    assert done.stdout == "lobby: follows 'origin' and is left alone: git chat sync origin\n"
    assert second.git("for-each-ref").stdout == ""
    refused(ann.chat("sync", "backup", "--room", "lobby"), "room 'lobby' follows 'origin'", "git chat sync origin", 3)
    still_pending(ann)
