"""Names of refs. Proves docs/format.md section 2."""

from __future__ import annotations

from gitchat.model.names import RefName, RoomName
from gitchat.model.refs import branch_of, log_ref, room_of_log, told_branch


def test_refs_are_spelled_one_way() -> None:
    """A room's log ref leads back to the room, and nothing else does."""
    assert log_ref(RoomName("lobby")) == "refs/chatroom/rooms/lobby/log"
    assert room_of_log(RefName("refs/chatroom/rooms/lobby/log")) == "lobby"
    for other in ("refs/chatroom/rooms/lobby/cursors/a", "refs/heads/lobby/log", "refs/chatroom/rooms/UP/log"):
        assert room_of_log(RefName(other)) is None


def test_a_branch_is_named_without_what_git_puts_before_it() -> None:
    """Also one with a slash; another ref is no branch."""
    assert branch_of("refs/heads/topic/parser") == "topic/parser"
    assert branch_of("refs/tags/v1") is None


def test_a_record_tells_a_branch_on_one_line_or_not_at_all() -> None:
    """Nothing that a terminal would take for a line's end or an order, and nothing endless."""
    assert told_branch("team/lexer") == "team/lexer"
    assert [told_branch(name) for name in (None, "", "a\nb", "a\x7f", "a\x85b", "b" * 256)] == [None] * 6
