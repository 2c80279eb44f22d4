"""How somebody else can install this program: the way it came here. Source: PEP 610 (direct_url.json)."""

from __future__ import annotations

import json
import shlex
import sys
from importlib import metadata
from urllib.parse import unquote

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


def with_extra(extra: str) -> str:
    """The command that gives the program that runs what its extra ``extra`` brings."""
    try:
        distribution = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return f"pipx install --force './gitchat[{extra}]'"
    installer = (distribution.read_text("INSTALLER") or "pip").strip()
    return extra_of(extra, distribution.read_text("direct_url.json"), installer, sys.prefix, sys.executable)


def extra_of(extra: str, direct_url: str | None, installer: str, prefix: str, python: str) -> str:
    """The same for what an installer noted, which was ``installer``, and the environment and Python that run."""
    if "/pipx/venvs/" in f"{prefix}/":
        command = "pipx install --force"
    elif "/uv/tools/" in f"{prefix}/":
        command = "uv tool install --force"
    elif installer == "uv":
        command = f"uv pip install --python {shlex.quote(python)}"
    else:
        command = f"{shlex.quote(python)} -m pip install"
    return f"{command} {_with_source(f'{DISTRIBUTION}[{extra}]', extra, direct_url)}"


def _with_source(wanted: str, extra: str, direct_url: str | None) -> str:
    """``wanted`` from where it came. No password or token is in it."""
    if direct_url is None:
        return shlex.quote(wanted)
    try:
        noted = json.loads(direct_url)
        address, is_editable = noted["url"], noted.get("dir_info", {}).get("editable", False)
        if address.startswith("file://"):
            path = unquote(address.removeprefix("file://"))
            return f"-e {shlex.quote(f'{path}[{extra}]')}" if is_editable else shlex.quote(f"{wanted} @ {address}")
        known = public(address, "")
    except (ValueError, TypeError, KeyError, AttributeError):
        known = None
    if known is None or "://" not in known:
        return shlex.quote(f"./gitchat[{extra}]")
    return shlex.quote(f"{wanted} @ {f'git+{known}' if 'vcs_info' in noted else known}")
