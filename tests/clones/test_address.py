"""Which addresses are one place."""

from __future__ import annotations

import pytest

from gitchat.clones.address import compared, is_tellable, spelled

HERE = "/home/ann/project"


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("https://example.com/team/room.git", "example.com/team/room"),
        ("https://user:s3cret@Example.com:443/team/room/", "example.com/team/room"),
        ("https://x-access-token:ghs_1@example.com/team/room", "example.com/team/room"),
        ("ssh://git@example.com/team/room.git", "example.com/team/room"),
        ("ssh://git@example.com:22/team/room.git", "example.com/team/room"),
        ("git@example.com:team/room.git", "example.com/team/room"),
        ("example.com:/team/room", "example.com/team/room"),
        ("git://example.com:9418/team/room", "example.com/team/room"),
        ("ssh://git@example.com:2222/team/room", "example.com:2222/team/room"),
        ("ssh://git@[::1]:2222/srv/room.git", "[::1]:2222/srv/room"),
        ("https://example.com/", "example.com"),
        ("/srv/room.git", "/srv/room"),
        ("/srv/room/.git", "/srv/room"),
        ("file:///srv/room.git", "/srv/room"),
        ("../room.git", "/home/ann/room"),
        ("./a:b", "/home/ann/project/a:b"),
        ("c:/rooms", "/home/ann/project/c:/rooms"),
        (".", "/home/ann/project"),
        ("/", "/"),
        ("ext::ssh -t %S host", "ext::ssh -t %S host"),
        ("", "/home/ann/project"),
    ],
)
def test_an_address_is_compared_by_host_and_path(address: str, place: str) -> None:
    """Scheme, user, token, default port and .git are not part of it; a relative path is absolute."""
    assert compared(address, HERE) == place


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/a/room", "https://example.com/b/room"),
        ("https://example.com/room", "https://example.org/room"),
        ("ssh://example.com:2222/room", "ssh://example.com:2223/room"),
        ("/srv/room", "/srv/rooms"),
    ],
)
def test_two_places_stay_two(one: str, other: str) -> None:
    """Another host, port or path is another place."""
    assert compared(one, HERE) != compared(other, HERE)


@pytest.mark.parametrize(
    ("place", "like", "address"),
    [
        ("old.example.com/team/room", "https://new.example.com/x.git", "https://old.example.com/team/room"),
        ("old.example.com/team/room", "https://ann:s3cret@new.example.com/x", "https://old.example.com/team/room"),
        ("old.example.com/team/room", "ssh://git@new.example.com/x", "ssh://git@old.example.com/team/room"),
        ("old.example.com:2222/room", "ssh://git:pw@new.example.com:7/x", "ssh://git@old.example.com:2222/room"),
        ("old.example.com/team/room", "git@new.example.com:x.git", "git@old.example.com:team/room"),
        ("old.example.com/team/room", "new.example.com:x.git", "old.example.com:team/room"),
        ("old.example.com/team/room", "/srv/new.git", "https://old.example.com/team/room"),
        ("/srv/old", "https://new.example.com/x.git", "/srv/old"),
    ],
)
def test_a_place_is_spelled_as_another_address_is(place: str, like: str, address: str) -> None:
    """What is kept of an address has no scheme and no user; another one has both, and its password stays there."""
    assert spelled(place, like) == address
    assert compared(address, HERE) == place


@pytest.mark.parametrize(
    ("address", "is_so"),
    [
        ("https://example.com/team/room.git", True),
        ("git@example.com:team/room.git", True),
        ("/srv/room.git", True),
        ("ext::sh -c id", False),
        ("ext::id", False),
        ("--upload-pack=id", False),
        ("https://example.com/a b", False),
        ("https://example.com/\u202e", False),
        ("/srv/\x1b[2J", False),
        ("/" + "x" * 2000, False),
        ("room.git", False),
        ("", False),
    ],
)
def test_only_a_plain_address_is_told_or_believed(address: str, is_so: bool) -> None:
    """No program of somebody's choice, no option, nothing that a terminal draws."""
    assert is_tellable(address) is is_so
