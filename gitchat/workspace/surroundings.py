"""Other surroundings than those we were started in: outside a hook of git, in a session, as a client sees it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from gitchat.model.names import Name
from gitchat.storage import git
from gitchat.workspace.client import as_client_sees
from gitchat.workspace.environment import Environment

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


def at_path(environment: Environment, path: str) -> Environment:
    """The surroundings of the repository that a remote's address means by ``path``, as git's own server finds it."""
    home = os.path.expanduser(path)
    places = (home, f"{home}.git", os.path.join(home, ".git"))
    found = next((place for place in places if os.path.isdir(place)), home)
    return replace(environment, cwd=os.path.abspath(found), variables=git.scrub(environment.variables))


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


def in_client(here: Environment, client: str, session: str = "", thread: str = "", project: str = "") -> Environment:
    """As a shell of ``client`` has them in this session, for its hook or a call of its server.

    These may run elsewhere, and without the client's variables; the name has to be the one of the shell all the
    same. ``thread`` is the conversation, where it is a subagent's; ``project`` the session's directory, if told.
    """
    project = project or (here.variables.get("CLAUDE_PROJECT_DIR", "") if client == "claude" else "")
    variables = as_client_sees(here.variables, client, session, thread)
    return replace(here, variables=variables, cwd=project if os.path.isdir(project) else here.cwd)
