"""Whose socket is at the other end: real connections over the loopback, and what the kernel says of them."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gitchat.serve.peer import owner_of

if not sys.platform.startswith("linux"):
    pytest.skip("only Linux tells whose a socket is", allow_module_level=True)

ANOTHER_UID = 12_345


@contextmanager
def connected(family: socket.AddressFamily, here: str) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection over the loopback: the end that asked, and the end that was asked."""
    with socket.create_server((here, 0), family=family) as listening, socket.socket(family) as asking:
        asking.connect(listening.getsockname())
        asked, _ = listening.accept()
        with asked:
            yield asking, asked


def seen(asked: socket.socket) -> int | None:
    """Whose the other end is."""
    return owner_of(asked.getpeername()[:2], asked.getsockname()[:2])


@pytest.mark.parametrize(("family", "here"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_socket_of_ours_is_ours(family: socket.AddressFamily, here: str) -> None:
    """Of both kinds of addresses; asked from the other end, and about a connection that is none, nothing is told."""
    with connected(family, here) as (_, asked):
        assert seen(asked) == os.geteuid()
        peer, own = asked.getpeername()[:2], asked.getsockname()[:2]
        assert owner_of((peer[0], 1), own) is None
        assert owner_of(peer, (own[0], 1)) is None


def test_a_server_for_both_kinds_of_addresses_is_told_too() -> None:
    """There an IPv4 address wears the dress of the other kind."""
    with (
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listening,
        socket.create_connection(("127.0.0.1", listening.getsockname()[1])),
    ):
        asked, _ = listening.accept()
        with asked:
            assert asked.getpeername()[0] == "::ffff:127.0.0.1"
            assert seen(asked) == os.geteuid()


def test_a_socket_that_is_closing_is_nobodys() -> None:
    """The kernel says root's then, whoever made it: a server of root must not take that for its own."""
    with connected(socket.AF_INET, "127.0.0.1") as (asking, asked):
        asking.close()
        assert asked.recv(1) == b""
        assert seen(asked) is None


def test_what_is_no_address_is_nobodys() -> None:
    """A proxy's word is text."""
    for word in ("", "unknown", "unix:", "::ffff:1.2.3", "127.0.0.1%lo"):
        assert owner_of((word, 1), ("127.0.0.1", 2)) is None
    assert owner_of(("127.0.0.1", 70_000), ("127.0.0.1", 2)) is None
    assert owner_of(("127.0.0.1", 1), ("::1", 2)) is None


def test_a_socket_of_another_user_is_theirs() -> None:
    """It is told apart by who made it, not by who has it now."""
    if os.geteuid() != 0:
        assert not os.environ.get("CI"), "only root can make a socket of another user"
        pytest.skip("only root can make a socket of another user")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setuid(ANOTHER_UID)
                with socket.create_connection(listening.getsockname()):
                    os.close(writing)
                    os.read(reading, 1)  # until the other end is closed
            finally:
                os._exit(0)
        os.close(reading)
        asked, _ = listening.accept()
        with asked:
            assert seen(asked) == ANOTHER_UID
        os.close(writing)
        os.waitpid(pid, 0)
