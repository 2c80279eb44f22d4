"""What can be wrong with the remotes that rooms follow, seen from here. Each is asked once, and briefly.

Reads only. Source: docs/format.md section 12.5.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitchat.care.finding import Finding
from gitchat.clones.denial import DenialFile
from gitchat.clones.marking import PATTERNS, has_leftovers
from gitchat.clones.report import cleaning
from gitchat.model.errors import ChatError
from gitchat.workspace.environment import Environment
from gitchat.workspace.remotes import missing, wire_to

LOOK_SECONDS = 5.0
"""How long a remote may take to answer. Nobody is asked for a password."""


def examine(environment: Environment) -> Iterator[Finding]:
    """Each remote that numbers a room here and that there is."""
    lost = missing(environment)
    followed = {remote for room, remote in environment.authorities.all().items() if room not in lost}
    for remote in sorted(followed):
        yield from _denial(environment, remote)
        yield from _leftovers(environment, remote)


def _denial(environment: Environment, remote: str) -> Iterator[Finding]:
    denial = DenialFile(environment.repository.directory, remote).load()
    if denial is not None:
        yield Finding(
            "note",
            f"remote {remote}",
            f"it lets you read and not push ({denial.words}): rooms come as ever, and nothing of this clone goes there",
            f"ask who runs it to let you push, and then: git chat sync {remote}",
        )


def _leftovers(environment: Environment, remote: str) -> Iterator[Finding]:
    subject = f"remote {remote}"
    try:
        listed = wire_to(environment, remote, limit_seconds=LOOK_SECONDS).look(*PATTERNS)
    except ChatError as error:
        yield Finding("note", subject, str(error), error.hint)
        return
    if has_leftovers(listed):
        yield Finding(
            "wrong",
            subject,
            "it has refs of a clone, as git push --mirror leaves them: version 0.1.0 takes it for one and refuses it",
            cleaning(remote, environment.authorities.layout(remote)),
        )
