"""A network in which there is nothing but loopback: what a client asks of the world reaches nobody. Linux alone.

A process of the test listens in there, although it is not in there itself: a socket belongs to the network in which
it was made, so one is made inside and handed out.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from typing import Self

from tests.clients.waiting import LIMIT_SECONDS

_LISTEN = """
import socket, sys
listening = socket.create_server(("127.0.0.1", 0))
with socket.socket(fileno=int(sys.argv[1])) as way:
    socket.send_fds(way, [b"listening"], [listening.fileno()])
"""


class NoNetwork(Exception):
    """This machine lets us make none."""


class Loopback:
    """The network, while it is entered."""

    def __init__(self) -> None:
        # Who is not root may make one as the root of a namespace of users.
        self._as_root = [] if os.geteuid() == 0 else ["--map-root-user"]

    def __enter__(self) -> Self:
        """Make it. Raises NoNetwork."""
        if missing := [program for program in ("unshare", "nsenter", "ip") if not shutil.which(program)]:
            raise NoNetwork(f"{' and '.join(missing)} (util-linux, iproute2) cannot be found")
        # It is there as long as somebody is in it: this one ends with its standard input, so with us.
        line = "ip link set lo up && echo up && exec cat"
        self._keeper = subprocess.Popen(
            ["unshare", *self._as_root, "--net", "sh", "-c", line],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._keeper.stdout
        assert self._keeper.stderr
        if self._keeper.stdout.readline() != "up\n":
            said = self._keeper.stderr.read().strip()
            self.__exit__()
            raise NoNetwork(f"a network with loopback alone cannot be made here: {said}")
        return self

    def __exit__(self, *error: object) -> None:
        self._keeper.communicate(timeout=LIMIT_SECONDS)

    @property
    def enter(self) -> list[str]:
        """The words before a command that is to run in it."""
        user = ["--user", "--preserve-credentials"] if self._as_root else []
        return ["nsenter", "--target", str(self._keeper.pid), *user, "--net"]

    def listen(self) -> socket.socket:
        """A socket that listens in it, at a port that was free."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            words = [*self.enter, sys.executable, "-c", _LISTEN, str(theirs.fileno())]
            subprocess.run(words, pass_fds=[theirs.fileno()], check=True, timeout=LIMIT_SECONDS)
            _, descriptors, _, _ = socket.recv_fds(ours, 16, 1)
        return socket.socket(fileno=descriptors[0])
