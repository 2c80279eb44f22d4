"""Where a NATS server is, and how one gets in: what the settings say. Pure; its library is not needed to say it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from gitchat.doorbell.knock import VERSION
from gitchat.model.escape import escape_line
from gitchat.model.names import Uid

MISSING = "the library nats-py is not installed"
EXTRA = "nats"
"""What brings it: an extra of this package."""

_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,7}")


@dataclass(frozen=True, slots=True)
class NatsServer:
    """Where a NATS server is, and how one gets in."""

    url: str
    """``nats://`` or ``tls://``, with a user and a password, or a token, where it wants them."""
    credentials: str | None = None
    """A file as the server's makers give out, with a token and a key."""
    prefix: str = ""
    """What all subjects begin with, where several teams have one server; a dot follows."""

    def __repr__(self) -> str:
        return f"NatsServer({self.shown!r}, prefix={self.prefix!r})"

    @property
    def shown(self) -> str:
        """The address without what should be read by nobody, for a person."""
        parts = urlsplit(self.url)
        return escape_line(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl())

    def subject(self, room: Uid, what: str) -> str:
        """Where ``bell`` or ``presence`` of a room is said."""
        return f"{self.prefix}{'.' if self.prefix else ''}gitchat.v{VERSION}.{room}.{what}"


def is_server(url: str) -> bool:
    """Whether ``url`` is the address of a NATS server, as far as that can be seen."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("nats", "tls") and bool(parts.hostname) and (parts.port or 4222) > 0
    except ValueError:
        return False


def is_prefix(text: str) -> bool:
    """Whether subjects can begin with ``text`` and a dot."""
    return _PREFIX.fullmatch(text) is not None
