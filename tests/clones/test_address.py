"""Which addresses are one place."""

from __future__ import annotations

import pytest

from gitchat.clones.address import compared

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
