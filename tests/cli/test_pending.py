"""What every command says of a record that the room's authority has not accepted yet."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Chatroom


@pytest.fixture
def attached(chatroom: Chatroom) -> Chatroom:
    """A room of two messages that follows a remote, and a third one that is pending."""
    hub = chatroom.world.root / "hub.git"
    chatroom.git("init", "-q", "--bare", hub)
    chatroom.git("remote", "add", "origin", hub)
    chatroom.git("config", "chat.sync", "manual")
    for text in ("first", "second"):
        chatroom.chat("send", text, check=True)
    chatroom.chat("sync", check=True)
    return chatroom


def test_handle_stands_wherever_a_number_would(attached: Chatroom) -> None:
    """``send`` prints it, and every command takes it; after the sync the number stands there."""
    handle = attached.chat("send", "third", "--as", "carol").stdout.strip()
    assert handle.startswith("~")
    assert handle in attached.chat("log").stdout
    assert f"{handle} in lobby" in attached.chat("show", handle).stdout
    answer = attached.chat("send", "--reply-to", handle, "yes").stdout.strip()
    assert f"re {handle}" in attached.chat("log").stdout
    for command in (
        ["search", "third"],
        ["log", "--thread", handle],
        ["inbox", "--as", "bob"],
        ["handoff"],
        ["status"],
    ):
        assert handle in attached.chat(*command).stdout, command
    attached.chat("sync", check=True)
    assert attached.chat("show", handle).stdout.startswith("#3 in lobby")
    assert attached.chat("show", answer).stdout.startswith("#4 in lobby")


def test_json_has_no_id_and_a_handle(attached: Chatroom) -> None:
    """A program cannot take it for a number."""
    handle = attached.chat("send", "third").stdout.strip()
    (shown,) = [json.loads(line) for line in attached.chat("show", handle, "--json").stdout.splitlines()]
    assert (shown["id"], shown["handle"]) == (None, handle)


def test_reading_and_the_cursor_pass_over_pending_records(attached: Chatroom) -> None:
    """Read once, by ``read`` or by ``cursor set``, and not again under its number."""
    handle = attached.chat("send", "third", "--as", "carol").stdout.strip()
    assert "third" in attached.chat("read", "--as", "bob").stdout
    attached.chat("cursor", "set", handle, "--as", "dora", check=True)
    for _ in range(2):
        for name in ("bob", "dora"):
            assert "third" not in attached.chat("read", "--as", name).stdout
        attached.chat("sync", check=True)


def test_number_and_handle_cannot_be_confused_in_who(attached: Chatroom) -> None:
    """Who only wrote what is pending has no newest number."""
    attached.chat("send", "third", "--as", "carol", check=True)
    shown = [json.loads(line) for line in attached.chat("who", "--json").stdout.splitlines()]
    assert {one["name"]: one.get("last_id") for one in shown}["carol"] is None
