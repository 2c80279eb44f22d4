"""How somebody else can install this program: the way it came here. Source: PEP 610 (direct_url.json)."""

from __future__ import annotations

import json
import shlex
from importlib import metadata

from gitchat.clones.address import public

DISTRIBUTION = "git-chatroom"

FROM_A_CLONE = "pipx install ./gitchat"
"""What does it beside a clone of gitchat, which is what whoever installed from a directory has."""


def here() -> str:
    """The command, for the program that runs."""
    try:
        return of(metadata.distribution(DISTRIBUTION).read_text("direct_url.json"))
    except metadata.PackageNotFoundError:
        return FROM_A_CLONE


def of(direct_url: str | None) -> str:
    """The command for what an installer noted: None for a package of an index. No password or token is in it."""
    if direct_url is None:
        return f"pipx install {DISTRIBUTION}"
    try:
        noted = json.loads(direct_url)
        address = public(noted["url"], "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return FROM_A_CLONE
    if address is None or "://" not in address or address.startswith("file:"):
        return FROM_A_CLONE
    return f"pipx install {shlex.quote(f'git+{address}' if 'vcs_info' in noted else address)}"
