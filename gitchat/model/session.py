"""A session of an agent's client, by the keys that its processes know it by.

A client starts a server, hooks and commands of a shell. They have to find out that they belong together, and no key
is in all of them, or stays: after ``/clear`` the id in the hooks is another one than in the server that runs on; a
server gets no id from some clients; a shell in a sandbox sees no process of its client. So each says what it knows,
and two are of one session when the first kind of key that both know is the same. Pure. Source: what real clients gave,
tests/clients/recorded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_KINDS = ("process", "socket", "id")
"""The kinds of keys, the most certain first."""

MAX_ID_CHARS = 128
"""A longer id is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What one process knows of the session that it belongs to. Nothing at all: it belongs to none that it knows of."""

    process: str | None = None
    """The client's process, as :func:`key_of_process` spells it."""
    shares_process: bool = False
    """Whether that process serves other sessions, too: then it tells how long this one can last, not which it is."""
    socket: str | None = None
    """Where the client's process listens. Stays as long as it runs; in another container it may be another's."""
    id: str | None = None
    """What the client calls its conversation; another one after ``/clear``, and the same again when it is resumed."""

    def __bool__(self) -> bool:
        return self.key is not None

    @property
    def key(self) -> str | None:
        """The key to keep it by, which alone does not tell it from all others."""
        return (None if self.shares_process else self.process) or self.socket or self.id

    def is_same(self, other: Session) -> bool:
        """Whether both are of one session. Who knows of none is of no session, and of nobody's."""
        shares = self.shares_process or other.shares_process
        for kind in _KINDS[1:] if shares else _KINDS:
            ours, theirs = getattr(self, kind), getattr(other, kind)
            if ours is not None and theirs is not None:
                return bool(ours == theirs)
        return False


def key_of_process(pid: int, started: int) -> str:
    """What names a process on its machine: its number is given out again, not within one tick of the clock."""
    return f"process {pid} of {started}"


def process_of_key(key: str) -> tuple[int, int] | None:
    """The process that :func:`key_of_process` spelled so; None for another text."""
    found = re.fullmatch(r"process ([0-9]{1,10}) of ([0-9]{1,20})", key)
    return (int(found[1]), int(found[2])) if found else None
