"""The only starter of processes: git's, and the few others.

Every call of git has no standard input to wait on, no terminal prompt, a limit and
untranslated messages, so that neither an agent nor a hook can hang on it. What git does here
(:func:`run`) is limited in time; what it does with a remote (:func:`talk`) in silence, because
a slow line makes a long transfer and no error.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import IO

from gitchat.model.errors import StorageError
from gitchat.storage.variables import AS_STORED, NO_PROMPT, without_secrets

TIMEOUT_SECONDS = 30.0

NOTHING = subprocess.DEVNULL
"""A standard input that is at its end."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a git command printed; ``stderr`` is not empty where it only warned."""

    stdout: bytes
    stderr: str


class GitSilent(Exception):
    """git gave no sign of life for too long, and was ended with all that it had started."""


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
    is_apart: bool = False,
) -> Done:
    """What ``git <arguments>`` printed, run in ``cwd`` with ``variables``.

    The descriptors ``keep_open`` stay open in git, with their locks. One that ``is_apart`` ends with all it started.

    Raises:
        GitFailed: git ended with another status than 0.
        StorageError: ``no-git`` when git cannot be started, ``git-hangs`` after ``timeout_seconds``.
    """
    with start(arguments, cwd, variables, keep_open=keep_open, has_terminal=not is_apart) as process:
        end = partial(_end_all, process, False) if is_apart else process.kill
        try:
            stdout, stderr = process.communicate(stdin, timeout_seconds)
        except subprocess.TimeoutExpired as error:
            end()
            raise StorageError(
                f"git {_verb(arguments)} did not end within {timeout_seconds:.0f} s",
                hint="see what it waits for: GIT_TRACE=1 git " + " ".join(arguments),
                code="git-hangs",
            ) from error
        except BaseException:
            end()
            raise
    return _done(process, stdout, stderr)


def talk(
    arguments: Sequence[str],
    *,
    cwd: str,
    variables: Mapping[str, str],
    silence_seconds: float,
    limit_seconds: float = math.inf,
    may_ask: bool = False,
    tell: Callable[[str], object] | None = None,
    source: int = NOTHING,
) -> Done:
    """What ``git <arguments>``, which talks to a remote, printed, however long that took.

    It reads the descriptor ``source``, if any.

    What it says is a sign of life, and so are the bytes that it moves; ``tell`` gets the lines of
    its standard error as they come. git has no terminal, so that neither ssh nor what else it
    starts can ask anybody, and all of them end with it after ``silence_seconds`` without a sign
    (a quarter more at the most), after ``limit_seconds`` in any case, or when this process is
    interrupted. What git leaves behind when it ends by itself, such as an ssh that serves the next
    call, is not waited for.

    With ``may_ask`` it keeps our terminal, where a person sits: git and ssh may ask for a password
    there. What it started is then git's own to end. For all else see ``asking_nobody`` of variables.py.

    Raises:
        GitFailed: git ended with another status than 0.
        GitSilent: there was no sign of life, or the time was up.
        StorageError: ``no-git``.
    """
    from gitchat.storage.hearing import Silent, hear, moved_bytes  # for who talks to a remote

    with start(arguments, cwd, variables, stdin=source, has_terminal=may_ask, may_prompt=may_ask) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            stdout, stderr = hear(
                process.stdout.fileno(),
                process.stderr.fileno(),
                has_ended=lambda: process.poll() is not None,
                pulse=lambda: moved_bytes(os.getsid(0) if may_ask else process.pid),
                silence_seconds=silence_seconds,
                limit_seconds=limit_seconds,
                tell=tell or (lambda line: None),
            )
            process.wait(silence_seconds)
        except (Silent, subprocess.TimeoutExpired) as error:
            _end_all(process, may_ask)
            raise GitSilent from error
        except BaseException:
            _end_all(process, may_ask)
            raise
    return _done(process, stdout, stderr)


def start(
    arguments: Sequence[str],
    cwd: str,
    variables: Mapping[str, str],
    *,
    stdin: int = subprocess.PIPE,
    stdout: int | None = None,
    keep_open: tuple[int, ...] = (),
    has_terminal: bool = True,
    may_prompt: bool = False,
) -> subprocess.Popen[bytes]:
    """``git <arguments>``, running, to be waited for; what it says is in pipes, or goes to the descriptor ``stdout``.

    Raises StorageError ``no-git``.
    """
    try:
        return subprocess.Popen(
            ["git", *arguments], cwd=cwd, env=environment_of(variables, may_prompt=may_prompt), stdin=stdin,
            stdout=subprocess.PIPE if stdout is None else stdout, stderr=subprocess.PIPE, pass_fds=keep_open,
            start_new_session=not has_terminal,
        )  # fmt: skip
    except OSError as error:
        raise cannot_start(error, cwd) from error


def _done(process: subprocess.Popen[bytes], stdout: bytes, stderr: bytes) -> Done:
    """What a process that has ended printed. Raises GitFailed."""
    words = stderr.decode("utf-8", "replace").strip()
    if process.returncode != 0:
        raise GitFailed(process.returncode, words, stdout)
    return Done(stdout, words)


def _end_all(process: subprocess.Popen[bytes], has_our_terminal: bool) -> None:
    """End git and what it started: all of its session, or where it shares ours git, which ends its own."""
    if process.poll() is None:  # as long as the leader is not waited for, its number is its own
        if has_our_terminal:
            process.terminate()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def start_aside(
    command: Sequence[str],
    *,
    cwd: str,
    variables: Mapping[str, str],
    keep_open: tuple[int, ...] = (),
    stdin: bytes = b"",
    is_awaited: bool = False,
) -> None:
    """Start ``command`` apart from this process: in a session of its own, silent, at low priority.

    Nobody waits for it; where it ``is_awaited``, somebody does by other means, and its priority is ours. The
    descriptors ``keep_open`` stay open in it. That it cannot be started is no error.
    """
    with suppress(OSError), ExitStack() as held:
        given: int | IO[bytes] = subprocess.DEVNULL
        if stdin:  # a pipe would fill, and its writer wait
            from tempfile import TemporaryFile  # for who gives something

            given = held.enter_context(TemporaryFile())
            given.write(stdin)
            given.seek(0)
        subprocess.Popen(
            [*(() if is_awaited else ("nice",)), *command],
            cwd=cwd,
            env=without_secrets(variables),
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=keep_open,
            start_new_session=True,
        )


def run_program(command: Sequence[str], *, cwd: str, variables: Mapping[str, str], timeout_seconds: float) -> None:
    """Run a program that is not git until it ends; what it prints is of no use but for an error.

    Raises:
        GitFailed: it ended with another status than 0.
        TimeoutError: it took longer, and was ended with all that it had started.
        OSError: it cannot be started.
    """
    nothing = subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=cwd, env=without_secrets(variables), stdin=nothing, stdout=nothing, stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            _, stderr = process.communicate(timeout=timeout_seconds)
        except BaseException as error:
            _end_all(process, has_our_terminal=False)
            if isinstance(error, subprocess.TimeoutExpired):
                raise TimeoutError(f"it did not end within {timeout_seconds:.0f} s") from error
            raise
    if process.returncode != 0:
        raise GitFailed(process.returncode, stderr.decode("utf-8", "replace").strip())


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
    return subprocess.Popen(command, cwd=cwd, env=without_secrets(variables), stdin=subprocess.PIPE if is_fed else None)


def environment_of(variables: Mapping[str, str], *, may_prompt: bool = False) -> dict[str, str]:
    """``variables`` for a git of ours: untranslated, told what is stored, and asking only where it may."""
    told = {**without_secrets(variables), "LC_ALL": "C", "LANGUAGE": "C"}
    return told | AS_STORED | ({} if may_prompt else NO_PROMPT)


def _verb(arguments: Sequence[str]) -> str:
    return next((word for word in arguments if not word.startswith("-") and "=" not in word), "")


def cannot_start(error: OSError, cwd: str) -> StorageError:
    """Why git could not be started in ``cwd``."""
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
