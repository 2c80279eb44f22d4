"""Addresses of remotes, in the form in which two of them are compared. Pure.

One place has many addresses: with a token or without, by ssh or https, behind an alias. What
is left of an address here is the host and the path; nothing secret of it is kept.
Source: docs/format.md section 12.10; git-fetch(1), GIT URLS.
"""

from __future__ import annotations

import os.path
import re

from gitchat.model.layout import PLAIN, Layout, parse_prefix

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^/@]*@)?(?P<host>\[[^]/]*\]|[^/:]*)(?::(?P<port>\d*))?(?P<path>.*)",
    re.IGNORECASE | re.DOTALL,
)
_SCP = re.compile(r"(?:[^/:@]*@)?(?P<host>\[[^]/]*\]|[^/:]{2,}):(?P<path>.*)", re.DOTALL)
"""``[user@]host:path``; a single letter before the colon is a drive."""

_DEFAULT_PORTS = {"ssh": "22", "git+ssh": "22", "ssh+git": "22", "git": "9418", "http": "80", "https": "443"}


def compared(address: str, directory: str) -> str:
    """What stays of ``address`` when two are compared: ``host/path``, or an absolute path without ``.git``.

    ``directory`` is where a relative path starts. An address that names a helper (``ext::...``) stays as it is.
    """
    url = _URL.fullmatch(address)
    if url is not None and url["scheme"].lower() != "file":
        is_default = url["port"] in (None, "", _DEFAULT_PORTS.get(url["scheme"].lower()))
        port = "" if is_default else f":{url['port']}"
        return _bare(f"{url['host'].lower()}{port}/{url['path'].lstrip('/')}")
    if url is None and "::" not in address.partition("/")[0]:
        scp = _SCP.fullmatch(address)
        if scp is not None:
            return _bare(f"{scp['host'].lower()}/{scp['path'].lstrip('/')}")
    elif url is None:
        return address
    path = url["path"] if url is not None else address
    return _bare(os.path.normpath(os.path.join(directory, path)))


def at(address: str, layout: Layout) -> str:
    """The place of rooms that are called as in ``layout`` at ``address``, which is one as two are compared.

    ``host/path``, or ``host/path#refs/heads/chatroom/``: what ends in a slash has a prefix.
    """
    return address if layout.is_plain else f"{address}#{layout.prefix}"


def parted(place: str) -> tuple[str, Layout]:
    """The address and the layout that make up ``place``; the other way round than :func:`at`."""
    address, mark, prefix = place.rpartition("#")
    layout = parse_prefix(prefix) if mark and prefix else None
    return (place, PLAIN) if layout is None else (address, layout)


def public(address: str, directory: str) -> str | None:
    """``address`` as one may tell it to others: without a password or a token; None of a helper (``ext::...``).

    A name stays where ssh needs one. ``directory`` is where a relative path starts.
    """
    url = _URL.fullmatch(address)
    if url is not None:
        scheme, rest = address.split("://", 1)
        user, at, place = rest.partition("/")[0].rpartition("@")
        place += rest[len(user + at + place) :]
        if "ssh" in scheme.lower():
            return f"{scheme}://{user.partition(':')[0]}{at}{place}"
        return f"{scheme}://{place.partition('?')[0].partition('#')[0]}"
    if "::" in address.partition("/")[0]:
        return None
    if scp := _SCP.fullmatch(address):
        user, at, _ = address.partition(":")[0].rpartition("@")
        return f"{user.partition(':')[0]}{at}{scp['host']}:{scp['path']}"
    return os.path.normpath(os.path.join(directory, address))


_TELLABLE = re.compile(r"(?:(?:https?|ssh|git|file)://|(?:[\w.-]+@)?[\w.-]{2,}:(?!:)|/)[\x21-\x7e]{1,1000}", re.ASCII)


def is_tellable(address: str) -> bool:
    """Whether a stranger may have written ``address``: of a kind that runs no program, in plain characters."""
    return _TELLABLE.fullmatch(address) is not None


def spelled(place: str, like: str) -> str:
    """An address of ``place``, which is one as two are compared: spelled as ``like`` is, with its scheme and user.

    A guess, for want of the address itself: what is kept of one has neither. What refs are called there is left out.
    """
    place = parted(place)[0]
    if place.startswith("/"):
        return place
    url = _URL.fullmatch(like)
    if url is not None and url["scheme"].lower() != "file":
        user = like.split("://", 1)[1].partition("/")[0].rpartition("@")[0].partition(":")[0]
        name = f"{user}@" if user and "ssh" in url["scheme"].lower() else ""
        return f"{url['scheme']}://{name}{place}"
    scp = _SCP.fullmatch(like)
    if scp is None:
        return f"https://{place}"
    host, _, path = place.partition("/")
    return f"{like[: scp.start('host')]}{host}:{path}"


def _bare(place: str) -> str:
    """``place`` without what may stand behind a repository's name or not."""
    return place.rstrip("/").removesuffix("/.git").removesuffix(".git").rstrip("/") or "/"
