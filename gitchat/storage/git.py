"""The only starter of processes: git's, and the few others.

Every call of git has no standard input to wait on, no terminal prompt, a time limit and
untranslated messages, so that neither an agent nor a hook can hang on it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from types import TracebackType

from gitchat.model.errors import StorageError

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Done:
    """What a git command printed; ``stderr`` is not empty where it only warned."""

    stdout: bytes
    stderr: str


class GitFailed(Exception):
    """git ended with a status other than 0; ``stderr`` is its own words."""

    def __init__(self, status: int, stderr: str, stdout: bytes = b"") -> None:
        super().__init__(stderr)
        self.status = status
        self.stderr = stderr
        self.stdout = stdout


def run(
    arguments: Sequence[str],
    *,
    cwd: str,
    variables: Mapping[str, str],
    stdin: bytes = b"",
    keep_open: tuple[int, ...] = (),
    timeout_seconds: float = TIMEOUT_SECONDS,
    has_terminal: bool = True,
    tell: Callable[[str], object] | None = None,
) -> Done:
    """What ``git <arguments>`` printed, run in ``cwd`` with ``variables``.

    The descriptors ``keep_open`` stay open in git, and with them the kernel locks they hold.
    ``tell`` gets each line of its standard error as it comes, from another thread.
    Without a terminal, ssh and what else git starts can ask nobody anything, and all of
    them end with git when the time is over or this process is interrupted.

    Raises:
        GitFailed: git ended with another status than 0.
        StorageError: ``no-git`` when git cannot be started, ``git-hangs`` after ``timeout_seconds``.
    """
    listener = _Listener(tell) if tell is not None else None
    try:
        with listener or nullcontext():
            process = subprocess.Popen(
                ["git", *arguments],
                cwd=cwd,
                env=_untranslated(variables),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=listener.descriptor if listener else subprocess.PIPE,
                pass_fds=keep_open,
                start_new_session=not has_terminal,
            )
        with process:
            try:
                stdout, errors = process.communicate(stdin, timeout_seconds)
            except BaseException:
                _kill(process, has_terminal)
                raise
    except subprocess.TimeoutExpired as error:
        raise StorageError(
            f"git {_verb(arguments)} did not end within {timeout_seconds:.0f} s",
            hint="see what it waits for: GIT_TRACE=1 git " + " ".join(arguments),
            code="git-hangs",
        ) from error
    except OSError as error:
        raise _cannot_start(error, cwd) from error
    stderr = (listener.heard() if listener else errors).decode("utf-8", "replace").strip()
    if process.returncode != 0:
        raise GitFailed(process.returncode, stderr, stdout)
    return Done(stdout, stderr)


def start(arguments: Sequence[str], cwd: str, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """``git <arguments>``, running, with pipes to and from it; to be waited for. Raises StorageError ``no-git``."""
    try:
        return subprocess.Popen(
            ["git", *arguments],
            cwd=cwd,
            env=_untranslated(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise _cannot_start(error, cwd) from error


class _Listener:
    """Hears standard error line by line, where a carriage return ends a line, too. Starting the process is its body."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._heard = bytearray()
        self._source, self.descriptor = os.pipe()
        self._thread = threading.Thread(target=self._listen, name="gitchat-stderr", daemon=True)

    def __enter__(self) -> _Listener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.descriptor)  # git's is the only one left, and its end is ours
        self._thread.start()

    def _listen(self) -> None:
        line = bytearray()
        while part := os.read(self._source, 4096):
            self._heard += part
            line += part
            *whole, rest = line.replace(b"\r", b"\n").split(b"\n")
            for one in filter(None, whole):
                self._tell(one.decode("utf-8", "replace").strip())
            line = bytearray(rest)
        os.close(self._source)

    def heard(self) -> bytes:
        """All of it. What git left behind, such as an ssh that serves the next call, may keep the pipe open."""
        self._thread.join(1.0)
        return bytes(self._heard)


def _kill(process: subprocess.Popen[bytes], has_terminal: bool) -> None:
    if has_terminal:
        process.kill()
        return
    with suppress(ProcessLookupError):  # the leader is not waited for yet, so that its number is still its own
        os.killpg(process.pid, signal.SIGKILL)


def start_aside(command: Sequence[str], *, cwd: str, variables: Mapping[str, str]) -> None:
    """Start ``command`` apart from this process: in a session of its own, silent, at low priority.

    Nobody waits for it. That it cannot be started is no error.
    """
    with suppress(OSError):
        subprocess.Popen(
            ["nice", *command],
            cwd=cwd,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


Process = subprocess.Popen[bytes]
"""A process that was started, for who waits for it."""


def start_attended(
    command: Sequence[str], *, variables: Mapping[str, str], cwd: str | None = None, is_fed: bool = False
) -> Process:
    """Start ``command`` on our own standard streams, and leave it to the caller to wait for it.

    With ``is_fed`` its standard input is a pipe that the caller writes to.

    Raises:
        OSError: it cannot be started.
    """
    return subprocess.Popen(command, cwd=cwd, env=variables, stdin=subprocess.PIPE if is_fed else None)


def _untranslated(variables: Mapping[str, str]) -> dict[str, str]:
    return {**variables, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "LANGUAGE": "C"}


def _verb(arguments: Sequence[str]) -> str:
    return next((word for word in arguments if not word.startswith("-") and "=" not in word), "")


def _cannot_start(error: OSError, cwd: str) -> StorageError:
    if not os.path.isdir(cwd):
        return StorageError(
            f"the directory {cwd} does not exist", hint="change to an existing directory", code="no-directory"
        )
    if isinstance(error, FileNotFoundError):
        return StorageError(
            "git cannot be found", hint="install git 2.31 or newer and see that it is in PATH", code="no-git"
        )
    return StorageError(f"git cannot be started: {error.strerror}", hint="git --version", code="no-git")


def scrub(variables: Mapping[str, str]) -> dict[str, str]:
    """``variables`` without those that point git to another repository or identity.

    git exports some of them to hooks: the index of the commit being made, its author
    and its date, which are not those of a message.
    """
    return {key: value for key, value in variables.items() if key not in _OF_ONE_COMMAND}


_OF_ONE_COMMAND = frozenset(
    "GIT_" + name
    for name in (
        "DIR", "WORK_TREE", "COMMON_DIR", "INDEX_FILE", "INDEX_VERSION", "OBJECT_DIRECTORY", "NAMESPACE", "PREFIX",
        "ALTERNATE_OBJECT_DIRECTORIES", "QUARANTINE_PATH", "REFLOG_ACTION", "INTERNAL_SUPER_PREFIX", "SHALLOW_FILE",
        "GRAFT_FILE", "REPLACE_REF_BASE", "NO_REPLACE_OBJECTS", "IMPLICIT_WORK_TREE", "LITERAL_PATHSPECS",
        "AUTHOR_NAME", "AUTHOR_EMAIL", "AUTHOR_DATE", "COMMITTER_NAME", "COMMITTER_EMAIL", "COMMITTER_DATE",
    )
)  # fmt: skip
