"""git as a process, where something has to be asked of it: the one place of the quick way that starts one."""

import os
import sys

from gitchat.quick.place import Place
from gitchat.quick.unusual import Unusual

_AS_STORED = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": "/dev/null/none", "GIT_TERMINAL_PROMPT": "0"}
"""As for every git that gitchat starts: see storage/variables.py."""

_SECRETS = ("CLAUDE_CODE_MESSAGING_TOKEN", "GITCHAT_TOKEN")

_PROGRAM = os.path.dirname(os.path.dirname(__file__)) + "/__main__.py"

_PIPE_BYTES = 32 * 1024
"""As much as a pipe takes before anybody reads it, on every system."""


def _variables(place: Place, **more: str) -> "dict[str, str]":
    found = {name: value for name, value in place.variables.items() if name not in _SECRETS}
    return {**found, **_AS_STORED, "LC_ALL": "C", **more}


def _start(place: Place, arguments: "tuple[str, ...]", stdin: int, stdout: int, variables: "dict[str, str]") -> int:
    actions = [
        (os.POSIX_SPAWN_DUP2, stdin, 0) if stdin >= 0 else (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, stdout, 1),
        (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
    ]
    return os.posix_spawn(place.program, ("git", *arguments), variables, file_actions=actions)


def output(place: Place, *arguments: str, editor: str = "false", stdin: int = -1) -> bytes:
    """What ``git <arguments>`` prints. Raises Unusual: it failed."""
    read, write = os.pipe()
    try:
        pid = _start(place, arguments, stdin, write, _variables(place, GIT_EDITOR=editor))
    except BaseException:
        os.close(read)
        raise
    finally:
        os.close(write)
    parts = []
    with open(read, "rb", buffering=0) as stream:
        while part := stream.read(65536):
            parts.append(part)
    if os.waitpid(pid, 0)[1] != 0:
        raise Unusual
    return b"".join(parts)


def aside(place: Place, held: int, *arguments: str) -> None:
    """Run ``git chat`` with these arguments when this process has ended, in one that nobody waits for.

    In a session of its own, silent, at low priority, with the descriptor ``held`` open. It begins only then because
    loading it would take the processor from who waits for us. Raises OSError.
    """
    end, ours = os.pipe()  # its other end is closed with us, and nobody else has it
    try:
        os.set_inheritable(held, True)
        actions = [
            (os.POSIX_SPAWN_DUP2, end, 0),
            (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
        ]
        variables = {name: value for name, value in place.variables.items() if name not in _SECRETS}
        command = ("nice", sys.executable, "-P", _PROGRAM, *arguments)
        words = ("sh", "-c", 'read -r _; exec "$@" </dev/null', "sh", *command)
        os.posix_spawn("/bin/sh", words, variables, file_actions=actions, setsid=True)
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.set_inheritable(held, False)
        os.close(end)


def instead(place: Place, *arguments: str) -> None:
    """Run ``git chat`` with these arguments, and wait for it: what it prints is not shown, and its errors are.

    Never fails.
    """
    actions = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    try:
        words = (sys.executable, "-P", _PROGRAM, *arguments)
        os.waitpid(os.posix_spawn(sys.executable, words, {**place.variables}, file_actions=actions), 0)
    except OSError:
        pass  # it stays unread


def in_our_place(place: Place, *arguments: str) -> None:
    """Let ``git chat`` with these arguments, the long way, be this process from now on. Raises OSError: it is not."""
    words = (sys.executable, "-P", _PROGRAM, *arguments)
    os.execve(sys.executable, words, {**place.variables, "GITCHAT_QUICK": "0"})


def has_all(place: Place, oids: "set[str]") -> bool:
    """Whether git has these objects, loose or packed. Raises Unusual: they are too many to ask for at once."""
    asked = "".join(f"{oid}\n" for oid in oids).encode()
    if len(asked) > _PIPE_BYTES:
        raise Unusual
    read, write = os.pipe()
    try:
        try:
            os.write(write, asked)
        finally:
            os.close(write)
        said = output(place, f"--git-dir={place.common_dir}", "cat-file", "--batch-check", stdin=read)
    finally:
        os.close(read)
    return said.count(b"\n") == len(oids) and b" missing\n" not in said


class CatFile:
    """A ``git cat-file --batch``, started when an object is first asked for."""

    __slots__ = ("_from", "_pid", "_place", "_to")

    def __init__(self, place: Place) -> None:
        self._place = place
        self._pid = self._to = self._from = -1

    def commit(self, oid: str) -> bytes:
        """The bytes of a commit. Raises Unusual: there is none, or git cannot read it."""
        return self.content(b"commit", oid)

    def content(self, kind: bytes, oid: str) -> bytes:
        """The bytes of an object of this kind. Raises Unusual, as :meth:`commit`."""
        if self._pid < 0:
            self._open()
        os.write(self._to, f"{oid}\n".encode())
        data = os.read(self._from, 65536)
        while b"\n" not in data and (part := os.read(self._from, 65536)):
            data += part
        header, _, content = data.partition(b"\n")
        words = header.split(b" ")
        if len(words) != 3 or words[1] != kind:
            raise Unusual
        parts, missing = [content], int(words[2]) + 1 - len(content)
        while missing > 0:
            part = os.read(self._from, 65536)
            if not part:
                raise Unusual
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)[:-1]

    def _open(self) -> None:
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        try:
            arguments = (f"--git-dir={self._place.common_dir}", "cat-file", "--batch")
            self._pid = _start(self._place, arguments, theirs_in, theirs_out, _variables(self._place))
        finally:
            os.close(theirs_in)
            os.close(theirs_out)

    def close(self) -> None:
        """Let it end, and wait for that."""
        if self._pid >= 0:
            os.close(self._to)
            os.close(self._from)
            os.waitpid(self._pid, 0)
            self._pid = -1
