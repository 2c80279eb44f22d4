"""A real client runs where nothing but loopback is reached."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.clients.loopback import Loopback, NoNetwork
from tests.clients.stand_in import Script, serving
from tests.needed import missing

CONNECT = """
import socket, sys
address = (sys.argv[1], int(sys.argv[2]))
try:
    socket.create_connection(address, timeout=5).close()
except OSError as error:
    sys.exit(type(error).__name__ + ": " + str(error))
"""


@pytest.fixture
def network() -> Iterator[Loopback]:
    """A network with loopback alone."""
    try:
        with Loopback() as made:
            yield made
    except NoNetwork as error:
        missing(str(error))


def connect(words: list[str], host: str, port: int) -> subprocess.CompletedProcess[str]:
    """Connect from a process that is started by ``words``."""
    command = [*words, sys.executable, "-c", CONNECT, host, str(port)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_the_model_is_reached_from_inside_and_from_nowhere_else(network: Loopback) -> None:
    """It is this process that answers, although it is outside."""
    with serving(Script(["ok"]), network.listen()) as address:
        port = int(address.rsplit(":", 1)[1])
        assert connect(network.enter, "127.0.0.1", port).returncode == 0
        assert connect([], "127.0.0.1", port).returncode != 0


def test_no_other_address_is_reached_from_inside(network: Loopback) -> None:
    """There is no way to it, which is told at once; the address is one of those that belong to nobody."""
    assert "unreachable" in connect(network.enter, "192.0.2.1", 443).stderr
