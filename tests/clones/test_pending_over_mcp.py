"""What an agent sees of messages that its room's remote has not accepted yet. Proves rulings on integers while pending.

Over the wire, in both renderings.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clones.conftest import Clone, Hub
from tests.server.wire import Wire


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone whose lobby has two numbers and two pending messages, and that does nothing by itself."""
    clone = hub.clone("ann")
    clone.git("config", "chat.sync", "manual")
    clone.say("first")
    clone.say("second")
    clone.sync()
    clone.say("third")
    clone.chat("send", "--to", "bob", "fourth", check=True)
    return clone


@pytest.fixture(params=["--json", None], ids=["json", "text"])
def is_json(request: pytest.FixtureRequest) -> bool:
    """Whether the server answers programs."""
    return request.param is not None


@pytest.fixture
def server(ann: Clone, is_json: bool) -> Iterator[Wire]:
    """A server in the clone, after the handshake."""
    command = ["git-chat", "mcp", *(["--json"] if is_json else [])]
    wire = Wire(command, ann.path, ann.world.variables | {"GITCHAT_NAME": "ann"})
    wire.shake_hands()
    yield wire
    wire.kill()


def handles(clone: Clone) -> list[str]:
    """Of the pending messages, oldest first."""
    return [record["handle"] for record in clone.records() if record["id"] is None]


def test_numbers_after_since_id_and_then_everything_pending(ann: Clone, server: Wire, is_json: bool) -> None:
    """The pending ones come again until they are numbered."""
    third, fourth = handles(ann)
    for since in (1, 2):
        if is_json:
            told = server.data("read_messages", since_id=since)
            shown = [(one["id"], one.get("handle"), one["content"]) for one in told]
            numbered = [(2, None, "second")] if since == 1 else []
            assert shown == [*numbered, (None, third, "third"), (None, fourth, "fourth")]
        else:
            text = server.text("read_messages", since_id=since, participant="")
            assert f"[{third}] ann" in text
            assert f"[{fourth}] ann -> bob" in text
            assert ("[2] ann" in text) is (since == 1)
    ann.sync()
    if is_json:
        assert [one["id"] for one in server.data("read_messages", since_id=2)] == [3, 4]


def test_a_message_is_answered_with_its_handle(ann: Clone, server: Wire, is_json: bool) -> None:
    """Where its number would stand; and the handle goes where a number goes."""
    third, _ = handles(ann)
    if is_json:
        sent = server.data("send_message", name="bob", content="yes", reply_to=third)
        assert (sent["id"], sent["handle"]) == (None, handles(ann)[-1])
    else:
        assert handles(ann)[-1] not in server.text("send_message", name="bob", content="no", reply_to=third)
        assert handles(ann)[-1] in server.text("read_messages")
    assert ann.records()[-1]["reply_to"] == third


@pytest.mark.parametrize("is_kept", [True, False])
def test_what_is_sent_says_that_it_is_on_its_way(hub: Hub, is_kept: bool) -> None:
    """By its handle and the remote, where the server pushes by itself; otherwise with the command that does."""
    ann = hub.clone("ann", sync="batch" if is_kept else "manual")
    ann.say("first")
    ann.sync()
    go = hub.path / "go"
    hub.hook(f"until [ -e '{go}' ]; do sleep 0.1; done")  # or the number might be there first
    for options in ([], ["--json"]):
        wire = Wire(["git-chat", "mcp", *options], ann.path, ann.world.variables | {"GITCHAT_NAME": "ann"})
        wire.shake_hands()
        try:
            for tool, key in (("send_message", "id"), ("check_in", "sent")):
                if options:
                    told = wire.data(tool, name="ann", content="news")
                    assert (told[key], told["handle"], told.get("remote")) == (
                        None, handles(ann)[-1], "origin" if is_kept else None,
                    )  # fmt: skip
                else:
                    text = wire.text(tool, name="ann", content="news")
                    where = "on its way to origin" if is_kept else "pending: git chat sync"
                    assert text.splitlines()[0] == f"sent [{handles(ann)[-1]}], {where}"
        finally:
            wire.kill()
    go.touch()


def test_reading_is_exact_and_counts_by_numbers_only(ann: Clone, server: Wire, is_json: bool) -> None:
    """Each comes once; last_read_id and latest_message_id look at what is numbered."""
    if is_json:
        told = server.data("read_unread", name="bob")
        assert [one["content"] for one in told["messages"]] == ["first", "second", "third", "fourth"]
        assert told["last_read_id"] == 2
        assert server.data("read_unread", name="bob")["messages"] == []
        assert server.data("get_handoff", name="bob")["latest_message_id"] == 2
        ann.sync()
        assert server.data("read_unread", name="bob")["messages"] == []
        assert server.data("get_handoff", name="bob")["latest_message_id"] == 4
    else:
        assert "fourth" in server.text("read_unread", name="bob")
        assert "fourth" not in server.text("read_unread", name="bob")
        ann.sync()
        assert "fourth" not in server.text("read_unread", name="bob")


def test_a_pending_summary_has_no_id(ann: Clone, server: Wire, is_json: bool) -> None:
    """It has a handle, and counts at once."""
    if is_json:
        written = server.data("write_summary", name="ann", content="so far")
        assert (written["id"], written["handle"][0]) == (None, "~")
        assert server.data("read_latest_summary")["content"] == "so far"
        ann.sync()
        assert server.data("read_latest_summary")["id"] == 1
    else:
        assert "~" in server.text("write_summary", name="ann", content="so far")
        assert "so far" in server.text("read_latest_summary")
