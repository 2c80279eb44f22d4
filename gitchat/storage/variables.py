"""The environment of what we start: what of ours it does not get, and what makes git ask nobody."""

from __future__ import annotations

import os
from collections.abc import Mapping

SECRETS = frozenset({"CLAUDE_CODE_MESSAGING_TOKEN", "GITCHAT_TOKEN"})
"""Variables that are for the process alone that was given them: they open a door of a session, or of a server."""


def without_secrets(variables: Mapping[str, str]) -> dict[str, str]:
    """``variables`` without them."""
    return {key: value for key, value in variables.items() if key not in SECRETS}


AS_STORED = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": f"{os.devnull}/none"}
"""What makes git tell of each object what is stored: a replacement or a graft would forge a message, or its parents.

git is silent about a grafts file only if it is not there. libgit2 knows neither when it reads an object.
Source: git-replace(1); gitrepository-layout(5), info/grafts.
"""

NO_PROMPT = {"GIT_TERMINAL_PROMPT": "0"}


def asking_nobody(variables: Mapping[str, str], *, has_ssh_command: bool) -> dict[str, str]:
    """``variables`` for a git that talks to a remote while nobody is there to be asked.

    No program that asks for a password is started, on a screen or anywhere; credential helpers that know one are.
    No transport that runs a program of its own choice is used unless the configuration allows it. An ssh that
    somebody chose, by a variable or ``core.sshCommand`` (``has_ssh_command``), is theirs to make silent.

    Source: git(1), gitcredentials(7), ssh(1) on SSH_ASKPASS_REQUIRE, git-config(1) on protocol.allow.
    """
    is_chosen = has_ssh_command or variables.get("GIT_SSH_COMMAND") or variables.get("GIT_SSH")
    ssh = {} if is_chosen else {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
    return {**variables, **_ASKING_NOBODY, **ssh}


_ASKING_NOBODY = NO_PROMPT | {
    "GIT_ASKPASS": "",  # set and empty: neither core.askPass nor SSH_ASKPASS is looked at
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
    "GIT_PROTOCOL_FROM_USER": "0",
}
