"""What is wrong with our hooks, proved by a commit rather than by looking at files.

The commit is made in a repository of its own that is gone afterwards, and our hook runs
there alone. A scratch worktree of the user's repository would leave a record in the real
room for ever, and entries in its refs and objects; and the hook that ours runs first, or
others in that directory, may deploy or send mail: nobody asked doctor for that.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gitchat.care.finding import Finding
from gitchat.githooks import hooks
from gitchat.githooks.hooks import Hook
from gitchat.model.errors import ChatError
from gitchat.model.names import DEFAULT_ROOM
from gitchat.storage import git
from gitchat.workspace.environment import Environment
from gitchat.workspace.surroundings import hook_seconds

START_SECONDS = 8.0
"""How long a loaded machine may take to start the program, beside what the hook is given."""

_SETTINGS = {
    "user.name": "gitchat doctor",
    "user.email": "doctor@gitchat.invalid",
    "commit.gpgSign": "false",
    "chat.name": "doctor",
    "chat.room": DEFAULT_ROOM,
    "chat.hook.commit": "true",
    "chat.fsync": "false",
}


def examine(environment: Environment) -> Iterator[Finding]:
    """Where git looks for hooks, which are ours, and whether they work. Leaves no trace."""
    try:
        place, found = hooks.directory(environment), hooks.look(environment)
    except ChatError as error:
        yield Finding("note", "hooks", str(error), error.hint)
        return
    ours = [hook for hook in found if hook.state == "installed"]
    configured = " (core.hooksPath)" if environment.repository.config.get("core.hooksPath") else ""
    names = ", ".join(hook.path.name for hook in ours) or "none"
    yield Finding("ok", "hooks", f"git runs hooks from {place.path}{configured}; ours: {names}")
    for hook in found:
        yield from _file(environment, hook)
    commit = next((hook for hook in ours if hook.path.name == "post-commit"), None)
    if commit is not None:
        yield _trial(environment, commit)


def _file(environment: Environment, hook: Hook) -> Iterator[Finding]:
    name = hook.path.name
    if hook.state == "displaced":
        text = f"another program put its {name} over ours, which is not run any more"
        yield Finding("wrong", "hooks", text, f"git chat hook install{hook.operand}")
    elif hook.state == "installed" and not hook.is_current:
        text = f"our {name} was changed, cannot be run, or is of another installation of gitchat"
        yield Finding("note", "hooks", text, f"git chat hook install{hook.operand}")
    if hook.state == "installed" and not environment.repository.config.get_bool(f"chat.hook.{hook.event}", True):
        yield Finding("note", "hooks", f"{name} is silent: chat.hook.{hook.event} is false")


def _trial(environment: Environment, hook: Hook) -> Finding:
    if posts(environment, hook):
        return Finding("ok", "hooks", "a commit in a scratch repository was told to its room")
    return Finding(
        "wrong",
        "hooks",
        f"a commit in a scratch repository was not told to its room by our part of {hook.path}",
        f"git chat hook install{hook.operand}; and see what stops it: git chat hook post commit --verbose",
    )


def posts(environment: Environment, hook: Hook) -> bool:
    """Whether a commit, with our part of ``hook`` as its only hook, becomes a record. In a repository of its own."""
    with tempfile.TemporaryDirectory(prefix="git-chat-", ignore_cleanup_errors=True) as scratch:
        directory = Path(scratch) / "hooks"
        directory.mkdir()
        alone = directory / "post-commit"
        alone.write_bytes(hooks.our_part(hook.path))
        alone.chmod(hook.path.stat().st_mode & 0o777 | 0o400)
        there = replace(environment, cwd=scratch, variables=git.scrub(environment.variables))
        settings = {**_SETTINGS, "core.hooksPath": str(directory)}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        try:
            there.repository.git("init", "--quiet", "--template=")
            there.repository.git(*options, "commit", "--quiet", "--allow-empty", "-m", "trial")
        except git.GitFailed:
            return False
        return _waits_for_record(there)


def _waits_for_record(environment: Environment) -> bool:
    with environment.changes() as changes:
        seconds = hook_seconds(environment.variables) + START_SECONDS
        return changes.wait_until(lambda: bool(environment.store.rooms()), seconds)
