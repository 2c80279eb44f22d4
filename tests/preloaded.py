"""git-chat without its start: each command is a process of its own, forked from one that has loaded the program.

Starting Python and loading modules is four fifths of what a command costs, and the tests
run thousands. What a process gets at its start, each gets here too: its arguments,
directory, variables and streams, and libgit2's idea of HOME.

The sessions, hooks, servers and terminals, and what a test starts with ``World.run``, are
the installed program from its first byte; with ``GITCHAT_TESTS_START=1`` everything is.
"""

from __future__ import annotations

import gc
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import IO, NoReturn

LOCALE = "C.UTF-8"

_READ_AT_THE_START = ("PYTHON", "LC_", "LANG", "LD_", "GIT_TRACE", "GIT_EXEC_PATH")
"""How the names of variables begin that Python, the linker, or git before git-chat, looks at."""

_BYTES_AT_ONCE = select.PIPE_BUF
"""As much as a pipe that can be written to takes without waiting."""

_one_start = Lock()


def can_run(arguments: Sequence[str], variables: Mapping[str, str]) -> bool:
    """Whether ``git chat <arguments>`` does here what it does when it is started."""
    if os.environ.get("GITCHAT_TESTS_START") or arguments[:1] == ["--help"]:  # git itself shows the man page
        return False
    return {name for name in variables if name.startswith(_READ_AT_THE_START)} == {"LC_ALL"} and (
        variables["LC_ALL"] == LOCALE
    )


def run(
    arguments: Sequence[str], cwd: Path, variables: Mapping[str, str], stdin: bytes, under: Sequence[str] = ()
) -> subprocess.CompletedProcess[bytes]:
    """A finished ``git chat <arguments>``, its exit status as git passes it on.

    ``under`` is a command that runs what stands behind it in another way, such as without some rights.
    """
    order = _order(arguments, cwd, variables)
    into, out_of = [os.pipe() for _ in range(2)], [os.pipe() for _ in range(3)]
    theirs = [read for read, _ in into] + [write for _, write in out_of]
    try:
        with _one_start:
            loaded = _loaded(under=tuple(under))
        socket.send_fds(loaded, [b"\0"], theirs)
    finally:
        for descriptor in theirs:
            os.close(descriptor)
    (_, its_order), (_, its_stdin) = into
    stdout, stderr, status = _exchange({its_order: order, its_stdin: stdin}, [read for read, _ in out_of])
    code = os.waitstatus_to_exitcode(int(status.split()[1]))
    return subprocess.CompletedProcess(["git", "chat", *arguments], code if code >= 0 else 128 - code, stdout, stderr)


@dataclass
class Running:
    """A ``git chat`` that goes on running: where its output comes from, and how it ended once it has."""

    pid: int
    stdout: IO[str]
    stderr: IO[str]
    _report: IO[str]
    _status: int | None = None

    def wait(self) -> int:
        """Its exit status, when it has ended."""
        if self._status is None:
            self._status = os.waitstatus_to_exitcode(int(self._report.read()))
        return self._status if self._status >= 0 else 128 - self._status

    def close(self) -> None:
        """Read nothing of it any more."""
        for stream in (self.stdout, self.stderr, self._report):
            stream.close()


def begin(arguments: Sequence[str], cwd: Path, variables: Mapping[str, str], modules: tuple[str, ...]) -> Running:
    """``git chat <arguments>``, which nobody waits for, forked from a process that has ``modules`` loaded as well."""
    order = _order(arguments, cwd, variables)
    (its_order, to_order), (its_stdin, to_stdin) = os.pipe(), os.pipe()
    out_of = [os.pipe() for _ in range(3)]
    theirs = [its_order, its_stdin] + [write for _, write in out_of]
    with _one_start:
        loaded = _loaded(modules)
    socket.send_fds(loaded, [b"\0"], theirs)
    for descriptor in theirs:
        os.close(descriptor)
    with open(to_order, "wb") as file:
        file.write(order)
    os.close(to_stdin)
    stdout, stderr, report = (os.fdopen(read, encoding="utf-8") for read, _ in out_of)
    return Running(int(report.readline()), stdout, stderr, report)


def _order(arguments: Sequence[str], cwd: Path, variables: Mapping[str, str]) -> bytes:
    path = f"{_exec_path()}{os.pathsep}{variables['PATH']}"  # as git does for what it starts
    told = {"arguments": list(arguments), "cwd": str(cwd), "variables": {**variables, "PATH": path}}
    return json.dumps(told).encode()


def _exchange(unwritten: dict[int, bytes], readable: list[int]) -> list[bytes]:
    """Write all of ``unwritten``, read each of ``readable`` to its end, and close them."""
    read = dict.fromkeys(readable, b"")
    with selectors.DefaultSelector() as selector:
        for descriptor in unwritten:
            selector.register(descriptor, selectors.EVENT_WRITE)
        for descriptor in readable:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                if key.fd in read:
                    part = os.read(key.fd, 65536)
                    read[key.fd] += part
                else:
                    part = unwritten[key.fd] = _rest(key.fd, unwritten[key.fd])
                if not part:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return list(read.values())


def _rest(descriptor: int, text: bytes) -> bytes:
    """What is left of ``text`` after a write; nothing when nobody reads it."""
    try:
        return text[os.write(descriptor, text[:_BYTES_AT_ONCE]) :]
    except BrokenPipeError:
        return b""


@cache
def _exec_path() -> str:
    return subprocess.run(["git", "--exec-path"], check=True, capture_output=True, text=True).stdout.strip()


@cache
def _loaded(modules: tuple[str, ...] = (), under: tuple[str, ...] = ()) -> socket.socket:
    """The way to this process's loaded program, which ends when nobody can reach it any more; ``modules`` are more
    that it has loaded, ``under`` a command that starts it."""
    ours, its = socket.socketpair()
    subprocess.Popen(
        # -P: a directory beside this file is no module, whatever its name.
        [*under, sys.executable, "-P", __file__, str(its.fileno()), *modules],
        env={**os.environ, "LC_ALL": LOCALE},
        pass_fds=[its.fileno()],
        # Pipes, as those that it will have: what Python finds out about a stream at its start remains so.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    its.close()
    return ours


# --- in the process that has loaded it --------------------------------------------


def _serve(orders: socket.socket) -> None:
    """Fork for each order, and report how it ended, until nobody can give one."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake)
    running: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([orders.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _report(running)
        if orders.fileno() in ready:
            _, descriptors, _, _ = socket.recv_fds(orders, 1, 5)
            if not descriptors:
                return
            *its, report = descriptors
            pid = os.fork()
            if pid == 0:
                _become(*its)
            running[pid] = report
            os.write(report, b"%d\n" % pid)
            for descriptor in its:
                os.close(descriptor)


def _report(running: dict[int, int]) -> None:
    """Tell of all that have ended."""
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        report = running.pop(pid)
        os.write(report, str(status).encode())
        os.close(report)


def _become(order: int, *streams: int) -> NoReturn:
    """Be the ``git chat`` that is ordered, with these streams, and end."""
    try:
        from gitchat.__main__ import main

        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with open(order, "rb", closefd=False) as file:
            told = json.load(file)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, 1 + max(order, *streams, *map(int, os.listdir("/dev/fd"))))
        os.chdir(told["cwd"])
        os.environ.clear()
        os.environ.update(told["variables"])
        time.tzset()
        _find_configuration()
        sys.argv[1:] = told["arguments"]
        main()
    finally:
        os._exit(70)


def _find_configuration() -> None:
    """Let libgit2 look for the user's configuration anew; it did so when it was loaded."""
    import pygit2

    home = os.environ.get("HOME", "")
    paths = pygit2.settings.search_path
    paths[pygit2.enums.ConfigLevel.GLOBAL] = home
    paths[pygit2.enums.ConfigLevel.XDG] = os.path.join(os.environ.get("XDG_CONFIG_HOME") or f"{home}/.config", "git")


def _load() -> None:
    """Load what commands use; what is missing here, each loads for itself."""
    from gitchat.cli import COMMANDS, MAINTENANCE, module_of

    for command in (*COMMANDS, *MAINTENANCE):
        import_module(module_of(command))
    for module in (
        "gitchat.storage.libgit2",
        "gitchat.index.database",
        "gitchat.verbs.room",
        "gitchat.presence.roll",
        "gitchat.care.doctor",
        "wcwidth",
    ):
        import_module(module)
    gc.freeze()  # a child that collects would copy all of it


if __name__ == "__main__":
    _load()
    for module in sys.argv[2:]:
        import_module(module)
    _serve(socket.socket(fileno=int(sys.argv[1])))
