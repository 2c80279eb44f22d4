"""What a server was started with. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Literal

from gitchat.model.names import RoomName

Profile = Literal["gitchat", "collaboration", "agents"]
"""Whose tools stand at ``/mcp``: ours, or those of an agent that was instructed for another server."""

PORTS: dict[Profile, int] = {"gitchat": 8080, "collaboration": 8000, "agents": 3000}
"""Where a server listens by itself: the ports that those servers' own instructions name."""

LOOPBACK = "127.0.0.1"
RATE = 10.0
"""Requests a second for each name."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of a certificate, with its chain, and of its key, both PEM."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server was started with, after options, variables and configuration were put together."""

    host: str = LOOPBACK
    port: int = PORTS["gitchat"]
    """Where it listens; the one that the kernel chose, where 0 was asked for."""
    path: str = "/mcp"
    """Where the tools of ``profile`` are."""
    profile: Profile = "gitchat"
    room: RoomName | None = None
    """The room of whoever names none; None is the one that the clone has for that."""
    guests: bool = False
    """Whether who has no credentials may read."""
    cors: tuple[str, ...] = ()
    """Origins beside our own whose pages may ask."""
    allow_hosts: tuple[str, ...] = ()
    """Names beside the printed address that a request may call us by, such as that of a proxy."""
    tls: Tls | None = None
    behind_proxy: tuple[Network, ...] = ()
    """Where proxies ask from whose word about their clients counts."""
    git: bool = False
    """Whether ``/git/`` is a remote for the rooms."""
    audit: str | None = None
    """The file that gets a line for each request."""
    token_always: bool = False
    """Whether the user whose process serves needs a token, too."""
    open: bool = False
    """Whether every program of this machine may do what that user may."""
    rate: float = RATE

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.host)

    @property
    def base_url(self) -> str:
        """The address of the server as a program here reaches it, without a slash at its end."""
        name = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(self.host, self.host)
        return f"{'https' if self.tls else 'http'}://{f'[{name}]' if ':' in name else name}:{self.port}"


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Whether ``host``, a name or an address, can be nothing but this machine."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
