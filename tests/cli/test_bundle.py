"""``git chat bundle`` and ``git chat pull`` of a file, on a terminal."""

from __future__ import annotations

from tests.cli.conftest import Chatroom, Terminal


def test_a_bundle_is_neither_printed_nor_typed(chatroom: Chatroom, terminal: Terminal) -> None:
    """On a terminal each is an error, and leads to a file."""
    chatroom.chat("send", "one")
    printed = terminal("git-chat", "bundle", "-").stdout
    typed = terminal("git-chat", "pull", "-").stdout
    chatroom.chat("bundle", "rooms.bundle")

    assert "hint: write it to a file: git chat bundle rooms.bundle; or into a pipe" in printed
    assert "hint: give the file: git chat pull FILE" in typed
    assert chatroom.chat("pull", "rooms.bundle").stdout.startswith("nothing new")
