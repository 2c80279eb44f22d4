"""Who may read and not push: rooms come as ever, nothing is asked for in vain, and a later permission counts.

Proves format 7.27 and 12.16.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from gitchat.clones.denial import DenialFile, is_denial
from tests.cli.conftest import as_ordinary_user, read_only, refused
from tests.cli.programs import until
from tests.clones.conftest import LOG, Clone, Hub, git_daemon, keeping, smart_http

CURSOR = "refs/chatroom/rooms/lobby/cursors/bea"
GITOLITE = "FATAL: W any repo bea DENIED by fallthru"
READS_ONLY = "lets you read and not push"


@pytest.mark.parametrize(
    "words",
    [
        "remote error: access denied or repository not exported: /hub.git",
        "unable to access 'https://example.com/hub.git/': The requested URL returned error: 403",
        "ERROR: Permission to team/hub.git denied to bea.",
        "Write access to repository not granted.; unable to access 'https://x/': The requested URL returned error: 403",
        "ERROR: This repository was archived so it is read-only.",
        "ERROR: The key you are authenticating with has been marked as read only.",
        "ERROR: You are not allowed to push code to this project.",
        "Gitea: User permission denied for writing.",
        f"{GITOLITE}; (or you mis-spelled the reponame)",
        "TF401027: You need the Git 'GenericContribute' permission to perform this action.",
        "could not read Username for 'https://example.com': terminal prompts disabled",
        "[remote rejected] (unpacker error); error: remote unpack failed: unable to create temporary object directory",
    ],
)
def test_hosts_say_it_in_many_words(words: str) -> None:
    """Each of them is from the source or the manual of a host."""
    assert is_denial(words)


@pytest.mark.parametrize(
    "words",
    [
        "unable to access 'https://example.com/hub.git/': Could not resolve host: example.com",
        "connect to host example.com port 22: Connection refused",
        "RPC failed; HTTP 413 curl 22 The requested URL returned error: 413; the remote end hung up unexpectedly",
        "[remote rejected] (pre-receive hook declined); secret found in message",
        "unable to access 'https://example.com/hub.git/': The requested URL returned error: 503",
        "[remote rejected] (unpacker error); fatal: write error: No space left on device",
    ],
)
def test_what_may_pass_or_is_about_one_record_is_something_else(words: str) -> None:
    """A line that broke, a full disk, a policy."""
    assert not is_denial(words)


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """Who may push, and has said something."""
    clone = hub.clone("ann")
    clone.say("one")
    clone.sync()
    return clone


@contextmanager
def by_gitolite(hub: Hub, bea: Clone) -> Iterator[None]:
    """ssh's server says no before git's own program begins. Each time is noted beside the hub."""
    script = f"echo >> {shlex.quote(str(hub.path / 'asked'))}; echo '{GITOLITE}' >&2; exit 1"
    bea.git("config", "remote.origin.receivepack", f"sh -c {shlex.quote(script)}")
    yield
    bea.git("config", "--unset", "remote.origin.receivepack")


def asked(hub: Hub) -> int:
    """How often somebody wanted to push to a hub behind gitolite."""
    path = hub.path / "asked"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_who_may_only_read_is_told_once_and_pushes_no_position(hub: Hub, ann: Clone) -> None:
    """Exit status 0, as nothing is amiss; what they say waits, which is an error; then a permission is noticed."""
    bea = hub.clone("bea")
    bea.sync()
    bea.chat("read", check=True)
    with by_gitolite(hub, bea):
        assert READS_ONLY in bea.sync().stderr
        ann.say("two")
        ann.sync()
        done = bea.sync()
        assert (done.stdout, done.stderr) == ("lobby: 1 fetched, 0 pushed\n", "")
        assert "where you may read and not push" in bea.chat("remote").stdout
        bea.say("three")
        done = bea.chat("sync")
        refused(done, f"'origin' {READS_ONLY}: {GITOLITE}", "let you push, and then: git chat sync origin", 5)
        assert GITOLITE in bea.chat("doctor").stdout
        assert bea.numbered() == [(1, "one"), (2, "two"), (None, "three")]
    bea.sync("origin")
    assert bea.numbered()[-1] == (3, "three")
    assert CURSOR in hub.git("for-each-ref").stdout
    assert "read and not push" not in bea.chat("remote").stdout


def test_another_place_has_denied_nothing(tmp_path: Path) -> None:
    """What is noted is of one place; a file that makes no sense says nothing."""
    file = DenialFile(tmp_path, "a/b")
    assert file.load() is None
    assert file.add("no", "here", 1)
    assert not file.add("no again", "here", 2)
    assert file.add("no", "there", 3)
    (path,) = tmp_path.iterdir()
    for content in ("", "[]", "{}", '{"since": 1e400, "place": "", "words": ""}', "\x00"):
        path.write_text(content)
        assert file.load() is None


@contextmanager
def by_daemon(hub: Hub, bea: Clone) -> Iterator[None]:
    """``git daemon`` as it is by default."""
    with git_daemon(hub, "--disable=receive-pack") as url:
        bea.git("remote", "set-url", "origin", url)
        yield
    bea.git("remote", "set-url", "origin", hub.path)


@contextmanager
def by_http(hub: Hub, bea: Clone) -> Iterator[None]:
    """A server that answers 403 to who wants to push."""
    with smart_http(hub) as url:
        bea.git("remote", "set-url", "origin", url)
        hub.git("config", "http.receivepack", "false")
        yield
    bea.git("remote", "set-url", "origin", hub.path)


@contextmanager
def by_permissions(hub: Hub, bea: Clone) -> Iterator[None]:
    """A directory that is not ours to write."""
    program = " ".join([*as_ordinary_user(), "git", "receive-pack"])
    bea.git("config", "remote.origin.receivepack", program)
    with read_only(hub.path):
        yield
    bea.git("config", "--unset", "remote.origin.receivepack")


@pytest.mark.slow
def test_each_way_to_let_somebody_read_only_is_known_as_one(hub: Hub, ann: Clone) -> None:
    """A daemon, a web server, permissions of files: position and record, and how both get there later."""
    for way in (by_daemon, by_http, by_permissions):
        bea = hub.clone(way.__name__.replace("_", "-"))
        bea.sync()
        bea.chat("read", check=True)
        with ExitStack() as held:
            held.enter_context(way(hub, bea))
            assert READS_ONLY in bea.sync().stderr, way
            assert bea.sync().stderr == "", way
            bea.say(bea.name)
            assert READS_ONLY in bea.chat("sync").stderr, way
        bea.sync("origin")
        assert bea.name in bea.bodies()[-1], way
        assert f"cursors/{bea.name}" in hub.git("for-each-ref").stdout, way
    hub.assert_clean()


@pytest.mark.slow
def test_who_stays_looks_as_often_as_ever_and_asks_twice(hub: Hub, ann: Clone) -> None:
    """What others say comes within moments; what is said here waits until a person's sync finds a permission."""
    bea = hub.clone("bea", sync="batch")
    bea.chat("log", check=True)
    with by_gitolite(hub, bea), keeping(bea):
        comes(ann, bea, "two")
        bea.say("mine")
        until(lambda: asked(hub) >= 2)
        comes(ann, bea, "three")
        comes(ann, bea, "four")
        assert asked(hub) == 2
        assert "mine" not in hub.git("log", "--format=%s", LOG).stdout
    bea.sync()
    assert bea.bodies() == ["one", "two", "three", "four", "mine"]


def comes(sender: Clone, reader: Clone, body: str) -> None:
    """Send it, and wait until it is in the other clone."""
    sender.say(body)
    sender.sync()
    until(lambda: body in reader.bodies())
