"""The command by which a client starts gitchat, and how to know it again in a configuration."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitchat.workspace.opened import PROGRAM

_FORMS = (("git-chat",), ("git", "chat"), ("-m", "gitchat"))
"""How gitchat is started, by the names of the programs; uvx and the like put words before it."""

_FILE = "/gitchat/__main__.py"
"""How the path of the file ends that is ``git-chat``."""

CONNECT = "--connect"
"""What stands before the address that a server forwards to."""
TOKENS = ("GITCHAT_TOKEN", "GITCHAT_TOKEN_FILE")
"""The variables by which a server that forwards is told its token."""

GATE = "git-chat-hook"
"""The program in POSIX sh that hooks pass: it starts nothing else where there is nothing new."""

GUARD = (
    'sh -c \'d=$(git rev-parse --git-common-dir 2>/dev/null) && [ -x "$d/chatroom/guard" ] && sh "$d/chatroom/guard"; '
    "exit 0'"
)
"""The line of a hook that runs before an edit: silent in a repository without gitchat, and with 0 whatever happens.

What stands in ``chatroom/`` is run, so that it is of the version that writes there, and names no program of ours."""

_IN_GUARD = "/chatroom/guard"

_GUARDED = re.compile(r"(?:command -v \S+ >/dev/null 2>&1|test -x (?:'[^']*'|\S+)) \|\| exit 0; exec (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Launch:
    """``words`` start gitchat; a command's name and arguments come after them. ``gate`` starts what hooks run."""

    words: tuple[str, ...]
    gate: tuple[str, ...]

    @classmethod
    def here(cls, variables: Mapping[str, str]) -> Launch:
        """``git-chat`` where it is found in PATH, else the absolute path of the program that is running.

        Not ``git chat``: that is a child of a ``git``, and who kills the ``git`` alone leaves the child. Not ``-m``,
        which imports along PYTHONPATH, where a stranger's project may be, before our first line.
        """
        if shutil.which("git-chat", path=variables.get("PATH")):
            return PORTABLE
        program, gate = (Path(sys.executable).with_name(name) for name in ("git-chat", GATE))
        words = (str(program),) if program.exists() else (sys.executable, "-P", PROGRAM)
        return cls(words, (str(gate),) if gate.exists() else (*words, "hook"))

    @property
    def is_portable(self) -> bool:
        """Whether the words mean the same on another machine."""
        return self == PORTABLE

    def split(self, *arguments: str) -> dict[str, Any]:
        """``command`` and ``args``, for a client that starts a program without a shell."""
        words = [*self.words, *arguments]
        return {"command": words[0], "args": words[1:]}

    def line(self, client: str, action: str) -> str:
        """The line of a hook, for a client that starts a shell: silent where gitchat is not installed."""
        program = shlex.quote(self.gate[0])
        look = f"test -x {program}" if self.gate[0].startswith("/") else f"command -v {program} >/dev/null 2>&1"
        return f"{look} || exit 0; exec {shlex.join([*self.gate, client, action])}"


PORTABLE = Launch(("git-chat",), (GATE,))
"""What means the same on every machine where gitchat is installed."""


def is_gone(words: Sequence[str]) -> bool:
    """Whether ``words`` name a program by a path where none is any more: gitchat was installed elsewhere since."""
    is_program_gone = bool(words) and words[0].startswith("/") and shutil.which(words[0]) is None
    return is_program_gone or any(word.endswith(_FILE) and not Path(word).exists() for word in words)


def is_found(program: str, variables: Mapping[str, str]) -> bool:
    """Whether ``program`` can be started, by its path or by PATH."""
    return shutil.which(program, path=variables.get("PATH")) is not None


def words_of(entry: Any) -> list[str]:
    """The words that a client's entry starts: ``command`` as a program, a line for a shell, or a list; and ``args``.

    Of a line that first looks whether the program is there, the words that it then starts.
    """
    if not isinstance(entry, Mapping):
        return []
    command, arguments = entry.get("command"), entry.get("args")
    if isinstance(command, str):
        guarded = _GUARDED.fullmatch(command)
        command = [command] if isinstance(arguments, list) else _split(guarded[1] if guarded else command)
    parts = [*(command if isinstance(command, list) else []), *(arguments if isinstance(arguments, list) else [])]
    return [part for part in parts if isinstance(part, str)]


def connects_to(words: Sequence[str]) -> str | None:
    """Where the server forwards to that ``words`` start; None where it works in the clone itself."""
    behind = words[words.index(CONNECT) + 1 :] if CONNECT in words else ()
    return behind[0] if behind else None


def is_guarded(entry: Mapping[str, Any]) -> bool:
    """Whether a hook's line first looks whether its program is there, as ours do from version 0.2.0 on."""
    command = entry.get("command")
    return isinstance(command, str) and "args" not in entry and _GUARDED.fullmatch(command) is not None


def runs(words: Sequence[str], *arguments: str) -> bool:
    """Whether ``words`` start gitchat with these arguments, in whatever form and with whatever around it."""
    return _contains(words, [[*form, *arguments] for form in _FORMS])


def runs_hook(words: Sequence[str], client: str, action: str) -> bool:
    """Whether ``words`` start our hook, in whatever form and with whatever around it."""
    return _contains(words, [[*form, "hook", client, action] for form in _FORMS] + [[GATE, client, action]])


def runs_guard(words: Sequence[str]) -> bool:
    """Whether ``words`` are a line as :data:`GUARD`, of whatever version."""
    return len(words) == 3 and words[0] == "sh" and _IN_GUARD in words[2]


def hook_of(words: Sequence[str], client: str) -> str | None:
    """What our hook is to do, where ``words`` start it and nothing else; else None."""
    names = _names(words[:-2])
    is_ours = names == [GATE] or (names[-1:] == ["hook"] and _is_program(names[:-1]))
    return words[-1] if is_ours and words[-2] == client else None


def is_former(words: Sequence[str], command: str) -> bool:
    """Whether ``words`` are ``git chat COMMAND ...``, as version 0.1.0 wrote it."""
    return list(words[:3]) == ["git", "chat", command]


def _contains(words: Sequence[str], wanted: Sequence[Sequence[str]]) -> bool:
    names = _names(words)
    return any(names[place : place + len(form)] == list(form) for form in wanted for place in range(len(names)))


def _is_program(names: Sequence[str]) -> bool:
    is_by_python = list(names[1:]) in (["-P", "-m", "gitchat"], ["-P", "git-chat"])
    return is_by_python or tuple(names) in _FORMS


def _names(words: Sequence[str]) -> list[str]:
    return ["git-chat" if word.endswith(_FILE) else word.rsplit("/", 1)[-1] for word in words]


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return []
