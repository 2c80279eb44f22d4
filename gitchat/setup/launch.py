"""The command by which a client starts gitchat, and how to know it again in a configuration."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FORMS = (("git", "chat"), ("git-chat",), ("-m", "gitchat"))
"""How gitchat is started, by the names of the programs; uvx and the like put words before it."""


@dataclass(frozen=True, slots=True)
class Launch:
    """``words`` start gitchat; a command's name and arguments come after them."""

    words: tuple[str, ...]

    @classmethod
    def here(cls, variables: Mapping[str, str]) -> Launch:
        """``git chat`` where git finds us in PATH, else the absolute path of the program that is running."""
        if shutil.which("git-chat", path=variables.get("PATH")):
            return cls(("git", "chat"))
        program = Path(sys.executable).with_name("git-chat")
        return cls((str(program),) if program.exists() else (sys.executable, "-P", "-m", "gitchat"))

    @property
    def is_portable(self) -> bool:
        """Whether the words mean the same on another machine."""
        return self.words == ("git", "chat")

    def split(self, *arguments: str) -> dict[str, Any]:
        """``command`` and ``args``, for a client that starts a program without a shell."""
        words = [*self.words, *arguments]
        return {"command": words[0], "args": words[1:]}

    def line(self, *arguments: str) -> str:
        """A line for a client that starts a shell."""
        return shlex.join([*self.words, *arguments])


def is_gone(words: Sequence[str]) -> bool:
    """Whether ``words`` name a program by a path where none is any more: gitchat was installed elsewhere since."""
    return bool(words) and words[0].startswith("/") and shutil.which(words[0]) is None


def words_of(entry: Any) -> list[str]:
    """The words that a client's entry starts: ``command`` as a program, a line for a shell, or a list; and ``args``."""
    if not isinstance(entry, Mapping):
        return []
    command, arguments = entry.get("command"), entry.get("args")
    if isinstance(command, str):
        command = [command] if isinstance(arguments, list) else _split(command)
    parts = [*(command if isinstance(command, list) else []), *(arguments if isinstance(arguments, list) else [])]
    return [part for part in parts if isinstance(part, str)]


def runs(words: Sequence[str], *arguments: str) -> bool:
    """Whether ``words`` start gitchat with these arguments, in whatever form and with whatever around it."""
    names = [word.rsplit("/", 1)[-1] for word in words]
    wanted = [[*form, *arguments] for form in _FORMS]
    return any(names[place : place + len(form)] == form for form in wanted for place in range(len(names)))


def is_only(words: Sequence[str], *arguments: str) -> bool:
    """Whether ``words`` start gitchat with these arguments and do nothing else."""
    program, rest = words[: -len(arguments)], words[-len(arguments) :]
    names = [word.rsplit("/", 1)[-1] for word in program]
    is_module = len(names) == 4 and names[1:] == ["-P", "-m", "gitchat"]
    return list(rest) == list(arguments) and (is_module or tuple(names) in _FORMS)


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return []
