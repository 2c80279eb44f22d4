"""What is said at the doorbell, as bytes: of the right form, or nothing. Proves docs/format.md section 15."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis.strategies import binary, dictionaries, integers, lists, none, one_of, recursive, text

from gitchat.doorbell import beats, knock
from gitchat.doorbell.beats import Alive, Beat, Beats, beat_of
from gitchat.doorbell.knock import Knock
from gitchat.doorbell.lines import MAX_LINE_BYTES, Lines, moved, tip_of
from gitchat.doorbell.server import NatsServer, is_prefix, is_server
from gitchat.doorbell.ssh import is_by_ssh
from gitchat.model.names import CloneId, Name, Oid, RoomName, Uid

ROOM = Uid("0123456789abcdef")
HERE, THERE = CloneId("aaaaaaaaaaaaaaaa"), CloneId("bbbbbbbbbbbbbbbb")
TIP = Oid("a" * 40)

ANYTHING = recursive(
    one_of(none(), integers(), text()), lambda inner: lists(inner) | dictionaries(text(), inner), max_leaves=8
)


@pytest.mark.parametrize("said", [Knock(ROOM, TIP, 7, HERE), Knock(ROOM, Oid("0" * 64)), Knock(ROOM, TIP, 0, None)])
def test_a_knock_is_read_as_it_was_said(said: Knock) -> None:
    """And has the members of the format, in their order."""
    assert knock.decode(ROOM, knock.encode(said)) == said
    assert list(json.loads(knock.encode(said))) == ["v", "tip", "count", "clone"]


@given(binary(max_size=400))
def test_bytes_of_strangers_are_no_knock(data: bytes) -> None:
    """Nor a beat, and nothing raises."""
    assert knock.decode(ROOM, data) is None
    assert beats.decode(ROOM, data) is None


@given(dictionaries(text(max_size=5), ANYTHING), ANYTHING, ANYTHING)
def test_members_of_the_wrong_form_are_dropped(others: dict[str, object], clone: object, names: object) -> None:
    """A knock with a commit stays one; a beat has names that are names, and no more than it may."""
    told = {**others, "v": 1, "tip": TIP, "clone": clone, "names": names}
    found = knock.decode(ROOM, json.dumps(told).encode())
    assert found is not None
    assert found.tip == TIP
    beat = beats.decode(ROOM, json.dumps(told | {"clone": THERE, "names": [names, {"name": "eve"}]}).encode())
    assert beat is not None
    assert beat.names[-1:] == (Alive(Name("eve")),)


def test_a_beat_fits_whatever_its_names_are() -> None:
    """Of many, and long ones, those that come first."""
    many = [Alive(Name(f"n{number:02}" + "x" * 60), "ü" * 64, "claude") for number in range(60)]
    said = beats.encode(beat_of(ROOM, HERE, many), RoomName("lobby"))
    assert len(said) <= knock.MAX_BYTES
    found = beats.decode(ROOM, said)
    assert found is not None
    assert found.names == tuple(many[: len(found.names)])
    assert len(found.names) > 5


def test_a_beat_is_believed_for_half_a_minute() -> None:
    """What a clone says of itself is no news to it, and one that says nobody has gone."""
    heard = Beats(own=HERE)
    ann = (Alive(Name("ann"), "review", "claude"),)
    assert not heard.hear(Beat(ROOM, HERE, ann), 0)
    assert heard.hear(Beat(ROOM, THERE, ann), 0)
    assert not heard.hear(Beat(ROOM, THERE, ann), 10)
    assert [(one.name, one.age_seconds) for one in heard.elsewhere(ROOM, 39.5)] == [("ann", 29)]
    assert heard.elsewhere(ROOM, 40) == []
    assert heard.hear(Beat(ROOM, THERE, ann), 50)
    assert heard.hear(Beat(ROOM, THERE, ()), 51)
    assert heard.elsewhere(ROOM, 51) == []


def test_clones_that_a_stranger_invents_have_an_end() -> None:
    """Those that were heard longest ago go."""
    heard = Beats()
    for number in range(1000):
        heard.hear(Beat(ROOM, CloneId(f"{number:016}"), (Alive(Name("eve")),)), number / 1000)
    assert len(heard.elsewhere(ROOM, 1)) == beats.MAX_CLONES
    heard.attend([])
    assert heard.elsewhere(ROOM, 1) == []


def test_lines_of_a_hub() -> None:
    """However they are cut; what is too long is none."""
    lines = Lines()
    assert lines.add(b"motd\r\nmoved " + TIP[:5].encode()) == ["motd"]
    (whole,) = lines.add(TIP[5:].encode() + b"\n")
    assert tip_of(whole) == TIP
    assert tip_of(moved(TIP)) == TIP
    assert [tip_of(line) for line in ("moved x", TIP, "moved", f"moved {TIP}0")] == [None] * 4
    lines.add(b"moved " + b"a" * 10**6)
    assert all(len(line) <= MAX_LINE_BYTES for line in lines.add(b"a\n"))


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("nats://h", True), ("tls://u:p@h:4222", True), ("nats://[::1]:4222", True), ("http://h", False),
        ("nats://", False), ("h:4222", False), ("nats://h:x", False), ("nats://h:99999", False), ("", False),
    ],
)  # fmt: skip
def test_what_is_the_address_of_a_server(url: str, is_one: bool) -> None:
    """As far as it can be seen."""
    assert is_server(url) is is_one


def test_no_password_is_shown() -> None:
    """Neither in words nor in what Python prints of it."""
    server = NatsServer("nats://ann:secret@h:4222?x=secret", "f", "team.one")
    assert server.shown == "nats://h:4222"
    assert "secret" not in repr(server)
    assert server.subject(ROOM, "bell") == f"team.one.gitchat.v1.{ROOM}.bell"
    assert [is_prefix(text) for text in ("a", "a.b-c_d", "", "a.", "a b", "a.*", ">")] == [True, True] + [False] * 5


@pytest.mark.parametrize(
    ("address", "is_ssh"),
    [
        ("ssh://h/p", True), ("git@h:p", True), ("ho:p", True), ("git+ssh://h/p", True), ("/p", False),
        ("./a:b", False), ("https://h/p", False), ("git://h/p", False),
        ("ext::ssh x", False), ("C:/p", False), ("../p", False),
    ],
)  # fmt: skip
def test_what_git_reaches_by_ssh(address: str, is_ssh: bool) -> None:
    """By its address, as git tells it."""
    assert is_by_ssh(address) is is_ssh
