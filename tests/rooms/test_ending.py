"""Where the next record goes in a room that a remote numbers: what is noted holds no longer than it is true."""

from __future__ import annotations

import shutil
import sys

import pytest

from gitchat.model.names import RoomName
from gitchat.model.refs import log_ref, tracking_ref
from tests.clones.conftest import Clone, Hub, settle

LOG = log_ref(RoomName("lobby"))

BEFORE_PRINTING = """
import sys, click
from gitchat.cli import run
said = click.echo
def echo(*told, **options):
    print(*sorted(name for name in sys.modules if name in ("sqlite3", "gitchat.index.chain")), file=sys.stderr)
    click.echo = said
    said(*told, **options)
click.echo = echo
assert run(sys.argv[1:]) == 0
"""


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone whose lobby has a record that origin has numbered."""
    clone = hub.clone("ann")
    clone.say("first")
    clone.sync()
    return clone


def loaded(clone: Clone, text: str) -> list[str]:
    """What a send had loaded of the index when it printed the handle."""
    variables = {"GITCHAT_NAME": clone.name, "CLAUDECODE": "1"}
    done = clone.world.run(sys.executable, "-c", BEFORE_PRINTING, "send", text, cwd=clone.path, **variables)
    assert done.stdout.startswith("~")
    return done.stderr.splitlines()[0].split()


def test_a_send_asks_the_index_once_and_not_again(ann: Clone) -> None:
    """Neither after its own message, nor after the remote has numbered that; after somebody else's once more."""
    assert loaded(ann, "second") != []
    assert loaded(ann, "third") == []
    ann.sync()
    assert loaded(ann, "fourth") == []
    assert [number for number, _ in ann.numbered()] == [1, 2, 3, None]


def test_a_room_that_was_closed_elsewhere_is_closed_here(ann: Clone, hub: Hub) -> None:
    """As soon as that is known, also where it came by a plain git fetch; and open again as soon as it is."""
    bea = hub.clone("bea")
    bea.sync()
    ann.say("noted")
    bea.chat("room", "close", "lobby", check=True)
    settle([bea])
    ann.git("fetch", "-q", "origin", f"+{LOG}:{tracking_ref('origin', LOG)}")
    assert "is closed" in ann.chat("send", "more").stderr
    settle([ann, bea])
    assert "is closed" in ann.chat("send", "more").stderr
    bea.chat("room", "open", "lobby", check=True)
    settle([bea, ann])
    ann.say("again")
    ann.chat("room", "close", "lobby", check=True)
    assert "is closed" in ann.chat("send", "more").stderr
    ann.chat("room", "open", "lobby", check=True)
    ann.say("and again")


@pytest.mark.parametrize("content", [b"", b"\xff", b"gitchat checkpoint 1\n", None])
def test_what_does_not_read_is_as_nothing(ann: Clone, content: bytes | None) -> None:
    """The next send asks the index, and notes it anew."""
    ann.say("second")
    directory = ann.path / ".git" / "chatroom" / "ends"
    if content is None:
        shutil.rmtree(directory)
    else:
        (directory / "lobby").write_bytes(content)
    assert loaded(ann, "third") != []
    assert loaded(ann, "fourth") == []
