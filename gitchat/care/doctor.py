"""What can be wrong with a repository and its rooms, and the command that mends each: everything, in order.

What git and its configuration say is looked at here, the files in :mod:`gitchat.care.files`, the rooms in
:mod:`gitchat.care.rooms`. Reads only. Source: the pitfalls in ARCHITECTURE.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain

from gitchat.care import agents, bells, doorbells, files, hubs, rooms, trial, versions
from gitchat.care.finding import Finding
from gitchat.model.errors import ChatError
from gitchat.model.refs import REF_PREFIX, branches_refspec
from gitchat.verbs.unasked import why_not
from gitchat.workspace.config import clobbering_refspecs
from gitchat.workspace.environment import Environment

OLDEST_GIT = (2, 31)

_MERGES = (2, 38)
"""The first whose merge-tree tries a merge."""


def examine(environment: Environment, with_extra: Callable[[str], str]) -> Iterator[Finding]:
    """Everything that is looked at, in order. Only a repository that cannot be opened ends it early.

    ``with_extra`` tells the command that installs an extra.

    Raises:
        ChatError: there is no repository here, or git refuses it.
    """
    yield _git_version(environment)
    config = environment.repository.config
    location = environment.repository.location
    yield Finding(
        "ok",
        "repository",
        f"{location.common_dir}, object ids {config.get('extensions.objectformat') or 'sha1'}, "
        f"refs in {config.get('extensions.refstorage') or 'files'}",
    )
    yield from _ahead(environment)
    yield from _identity(environment)
    yield from files.access(location.common_dir)
    yield from _mirrors(environment)
    yield from _pushes(environment)
    yield from trial.examine(environment)
    yield from files.leftovers(location.common_dir, environment.now().seconds)
    try:
        environment.store
    except ChatError as error:
        yield Finding("wrong", "store", str(error), error.hint)
        return
    told: set[Finding] = set()
    for finding in chain(versions.examine(environment), rooms.examine(environment), agents.examine(environment)):
        if finding not in told:  # both say how to make an older version harmless
            told.add(finding)
            yield finding
    yield from hubs.examine(environment)
    yield from bells.examine(environment)
    yield from doorbells.examine(environment, with_extra)


def _ahead(environment: Environment) -> Iterator[Finding]:
    """Whether this git can tell what will not merge, and whether somebody looks."""
    _, version = _version(environment)
    if version is not None and OLDEST_GIT <= version < _MERGES:
        text = "git before 2.38 cannot try a merge: git chat conflicts shows where lines meet, and nobody is told"
        yield Finding("note", "conflicts", text, "upgrade git")
    if (why := why_not(environment)) is not None:
        yield Finding("note", "conflicts", why, "look yourself: git chat conflicts")


def _version(environment: Environment) -> tuple[str, tuple[int, int] | None]:
    """What git says of itself, and the version in it."""
    words = environment.repository.git("--version").decode().strip()
    match = re.search(r"(\d+)\.(\d+)", words)
    return words, (int(match[1]), int(match[2])) if match is not None else None


def _git_version(environment: Environment) -> Finding:
    words, version = _version(environment)
    if version is None or version < OLDEST_GIT:
        return Finding("wrong", "git", f"{words}; 2.31 or newer is needed", "upgrade git")
    return Finding("ok", "git", words)


def _identity(environment: Environment) -> Iterator[Finding]:
    try:
        yield Finding("ok", "name", f"you send as '{environment.caller.name()}' ({environment.caller.origin})")
    except ChatError as error:
        yield Finding("wrong", "name", str(error), error.hint)
    else:
        if (given := environment.caller.passed_over()) is not None:
            reason = f"git's user.name {given.passed_over!r} has nothing that a name here is made of (a-z, 0-9)"
            yield Finding("note", "name", reason, "git config chat.name NAME")
    if not environment.repository.config.get("user.email"):
        yield Finding(
            "note",
            "identity",
            "git has no user.email; a server may refuse a push of commits without a real address",
            "git config --global user.email you@example.com",
        )


def _mirrors(environment: Environment) -> Iterator[Finding]:
    for remote, refspec in clobbering_refspecs(environment.repository.config):
        yield Finding(
            "wrong",
            "mirror",
            f"'git fetch {remote}' overwrites the rooms here (remote.{remote}.fetch is {refspec}); sending is refused",
            f"work in an ordinary clone, or: git config remote.{remote}.fetch '{branches_refspec(remote)}'",
        )
    for remote in environment.repository.config.subsections("remote", "mirror"):
        if environment.repository.config.get_bool(f"remote.{remote}.mirror", False):
            yield Finding(
                "wrong",
                "mirror",
                f"'git push {remote}' makes {remote} equal to this clone, and deletes rooms there that are not here",
                f"git config --unset remote.{remote}.mirror",
            )


def _pushes(environment: Environment) -> Iterator[Finding]:
    """Refspecs with which a plain ``git push`` overwrites the rooms of a remote."""
    for remote in environment.repository.config.subsections("remote", "push"):
        for refspec in environment.repository.config.get_all(f"remote.{remote}.push"):
            if refspec.startswith("+") and _matches_rooms(refspec[1:].partition(":")[0]):
                yield Finding(
                    "wrong",
                    "push",
                    f"'git push {remote}' overwrites the rooms there (remote.{remote}.push is {refspec})",
                    f"git config --fixed-value --replace-all remote.{remote}.push '{refspec[1:]}' '{refspec}'",
                )


def _matches_rooms(source: str) -> bool:
    fixed, star, _ = source.partition("*")
    return source.startswith(REF_PREFIX) or (star == "*" and REF_PREFIX.startswith(fixed))
