"""Where rooms stand at a host that takes branches only."""

from __future__ import annotations

import pytest

from gitchat.model.layout import BRANCHES, PLAIN, parse_prefix
from gitchat.model.names import Name, RefName, RoomName
from gitchat.model.refs import FOLLOWER_REF, cursor_ref, log_ref, summaries_ref, tracking_ref

LOBBY = RoomName("lobby")
REFS = [log_ref(LOBBY), summaries_ref(LOBBY), cursor_ref(LOBBY, Name("bob"))]


@pytest.mark.parametrize("ref", REFS)
def test_each_ref_of_a_room_has_a_name_below_the_prefix_and_comes_back(ref: RefName) -> None:
    """There and here again is the same; and nothing is changed where a host takes any ref."""
    assert BRANCHES.there(ref) == "refs/heads/chatroom/" + ref.removeprefix("refs/chatroom/")
    assert BRANCHES.here(BRANCHES.there(ref)) == ref
    assert PLAIN.there(ref) == PLAIN.here(ref) == ref


@pytest.mark.parametrize("ref", [FOLLOWER_REF, tracking_ref("origin", REFS[0]), "refs/heads/main", "refs/heads/chat"])
def test_what_is_no_ref_of_a_room_keeps_its_name(ref: str) -> None:
    """What only a clone has, and somebody's branches, are no rooms under another name."""
    assert BRANCHES.there(ref) == BRANCHES.here(ref) == ref


@pytest.mark.parametrize(
    "text", ["refs/heads/chatroom/", "refs/heads/team/chat-2/", "refs/chatroom/", "refs/heads/a.b/"]
)
def test_a_prefix_is_branches_or_the_plain_one(text: str) -> None:
    """What somebody may say."""
    layout = parse_prefix(text)
    assert layout is not None
    assert layout.prefix == text


@pytest.mark.parametrize(
    "text",
    [
        "", "refs/heads/", "refs/heads/chatroom", "chatroom/", "heads/chatroom/", "refs/tags/chatroom/", "refs/heads//",
        "refs/heads/a//b/", "refs/heads/../x/", "refs/heads/.a/", "refs/heads/a..b/", "refs/heads/a./",
        "refs/heads/a.lock/", "refs/heads/a b/", "refs/heads/*/", "refs/heads/a\n/", "refs/heads/é/",
        "refs/chatroom-local/", "refs/heads/" + "a" * 200 + "/", "+refs/heads/a/", "refs/heads/a:b/",
    ],
)  # fmt: skip
def test_nothing_else_is_a_prefix(text: str) -> None:
    """What git takes for no branches, or for something else than one name."""
    assert parse_prefix(text) is None
