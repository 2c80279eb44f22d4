"""Other surroundings than those we were started in: outside a hook of git, in a session, as a client sees it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from gitchat.model.names import Name
from gitchat.storage import git
from gitchat.workspace.environment import Environment
from gitchat.workspace.identity import as_client_sees

HOOK_SECONDS = 2.0
"""How long what a git hook started may take. Who waits longer for a lock waits for somebody who is stuck."""

LOOK_SECONDS = 3.0
"""How long somebody waits for a remote that may have what was asked for; then it goes on aside."""


def outside_the_hook(inside: Environment) -> Environment:
    """Without what git exports to a hook for one command: the index, author and date of a commit, which are not ours.

    Which repository it is stays.
    """
    kept = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR")
    repository = {name: inside.variables[name] for name in kept if name in inside.variables}
    return replace(inside, variables={**git.scrub(inside.variables), **repository}, is_terminal=False)


def hook_seconds(variables: Mapping[str, str]) -> float:
    """How long what a hook started may take: ``GITCHAT_HOOK_SECONDS``, else 2."""
    return _seconds(variables.get("GITCHAT_HOOK_SECONDS", ""), HOOK_SECONDS)


def look_seconds(variables: Mapping[str, str]) -> float:
    """How long somebody waits for a remote that may have a room: ``GITCHAT_LOOK_SECONDS``, else 3."""
    return _seconds(variables.get("GITCHAT_LOOK_SECONDS", ""), LOOK_SECONDS)


def _seconds(given: str, default: float) -> float:
    try:
        return max(0.001, float(given))
    except ValueError:
        return default


def in_session(outside: Environment, session: str, name: Name) -> Environment:
    """For a process that goes by ``name``, and for what it starts."""
    return replace(outside, variables={**outside.variables, "GITCHAT_NAME": name, "GITCHAT_SESSION": session})


def in_hook(started: Environment, client: str, session: str) -> Environment:
    """As the other processes of the client see it, for a hook that it started.

    A hook may run in a directory that the agent went to, and without the client's variables; the name
    has to be the one of the client's server and shell all the same.
    """
    cwd = started.variables.get("CLAUDE_PROJECT_DIR", "") if client == "claude" else ""
    variables = as_client_sees(started.variables, client, session)
    return replace(started, variables=variables, cwd=cwd if os.path.isdir(cwd) else started.cwd)
