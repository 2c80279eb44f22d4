"""git's configuration, as values. Pure: it is given what git prints."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

from gitchat.model.errors import UserError
from gitchat.model.refs import REF_PREFIX
from gitchat.storage.sharing import Sharing, sharing_of


class Config:
    """git's configuration as ``git config --list`` gives it, so with includes, worktree
    files, ``git -c`` and ``GIT_CONFIG_*``. Later values win."""

    def __init__(self, listing: bytes) -> None:
        self._values: dict[str, list[str]] = {}
        self._subsections: dict[tuple[str, str], Sequence[str]] = {}
        for item in listing.decode("utf-8", "replace").split("\0")[:-1]:
            key, newline, value = item.partition("\n")
            self._values.setdefault(_fold_key(key), []).append(value if newline else "true")

    def get(self, key: str) -> str | None:
        """The last value of ``key``, or None when it is not set."""
        values = self._values.get(_fold_key(key))
        return values[-1] if values else None

    def get_all(self, key: str) -> list[str]:
        """All values of ``key``, first to last; a key without a value reads ``true``."""
        return [*self._values.get(_fold_key(key), ())]

    def subsections(self, section: str, variable: str) -> Sequence[str]:
        """The names that stand between ``section`` and ``variable``, such as those of the remotes."""
        found = self._subsections.get((section, variable))
        if found is None:
            start, end = f"{section}.", f".{variable.lower()}"
            names = [key[len(start) : -len(end)] for key in self._values if key.startswith(start) and key.endswith(end)]
            found = self._subsections[section, variable] = tuple(names)
        return found

    def keys(self) -> list[str]:
        """All that is set, each once."""
        return list(self._values)

    def get_bool(self, key: str, default: bool) -> bool:
        """``key`` as git reads a boolean. Raises UserError ``bad-config``."""
        value = self.get(key)
        if value is None:
            return default
        if value.lower() in ("true", "yes", "on", "1"):
            return True
        if value.lower() in ("false", "no", "off", "0", ""):
            return False
        raise bad_config(key, value, "true or false")

    def get_bytes(self, key: str, default: int) -> int:
        """``key`` as git reads a size: a number with an optional k, m or g. Raises UserError ``bad-config``."""
        value = self.get(key)
        if value is None:
            return default
        digits, factor = value.strip().lower(), 1
        if digits and digits[-1] in "kmg":
            digits, factor = digits[:-1], 1024 ** ("kmg".index(digits[-1]) + 1)
        if not digits.isascii() or not digits.isdigit():
            raise bad_config(key, value, "a size such as 65536 or 256k")
        return int(digits) * factor

    def get_choice(self, key: str, choices: Sequence[str]) -> str:
        """``key`` as one of ``choices``; the first when it is not set. Raises UserError ``bad-config``."""
        value = self.get(key) or choices[0]
        if value not in choices:
            raise bad_config(key, value, " or ".join(choices))
        return value

    def sharing(self) -> Sharing:
        """What ``core.sharedRepository`` says of other users. Raises UserError ``bad-config``."""
        value = self.get("core.sharedRepository")
        try:
            return sharing_of(value)
        except ValueError as error:
            wanted = "group, all, umask, or a mode such as 0660"
            raise bad_config("core.sharedRepository", str(value), wanted) from error

    def get_seconds(self, key: str) -> float | None:
        """``key`` as a time of less than a day; None when it is not set. Raises UserError ``bad-config``."""
        value = self.get(key)
        try:
            seconds = float(value) if value is not None else None
        except ValueError:
            seconds = math.nan
        if value is not None and (seconds is None or not 0 < seconds < 86_400):
            raise bad_config(key, value, "a number of seconds such as 15")
        return seconds


@lru_cache(maxsize=1024)
def _fold_key(key: str) -> str:
    """Section and variable fold case; a subsection, which may hold dots, does not."""
    section, _, rest = key.partition(".")
    subsection, dot, variable = rest.rpartition(".")
    return f"{section.lower()}.{subsection}{dot}{variable.lower()}"


_T = TypeVar("_T")


def parse_setting(name: str, text: str, parse: Callable[[str], _T]) -> _T:
    """``text`` parsed; an error says which setting it came from. Raises UserError."""
    try:
        return parse(text)
    except UserError as error:
        raise UserError(f"{name}: {error}", hint=error.hint, code=error.code) from error


def bad_config(key: str, value: str, wanted: str) -> UserError:
    """The error for a setting that cannot be read as what is ``wanted``."""
    return UserError(
        f"the setting {key} is {value!r}, and not {wanted}",
        hint=f"set it: git config {key} VALUE; or remove it: git config --unset {key}",
        code="bad-config",
    )


def clobbering_refspecs(config: Config) -> list[tuple[str, str]]:
    """(remote, fetch refspec) pairs whose destination covers the rooms, as in a mirror clone."""
    return [
        (remote, refspec)
        for remote in config.subsections("remote", "fetch")
        for refspec in config.get_all(f"remote.{remote}.fetch")
        if _covers_rooms(refspec)
    ]


def _covers_rooms(refspec: str) -> bool:
    destination = refspec.lstrip("+").partition(":")[2]
    fixed, star, _ = destination.partition("*")
    return destination.startswith(REF_PREFIX) or (star == "*" and REF_PREFIX.startswith(fixed))
