"""What a remote answers to a push, of each ref: git's lines, and the words of git, ssh and the host beside them. Pure.

Source: git-push(1) on ``--porcelain``; docs/format.md section 12.3, step 6.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitchat.model.layout import Layout
from gitchat.model.names import Oid, RefName

LATE = (
    "stale info",
    "fetch first",
    "failed to update ref",
    "cannot lock ref",
    "incorrect old value",
    "already exists",
)
"""What git says when a ref was moved, or is being moved, by somebody else."""

UNWANTED = (
    "hook declined",  # pre-receive, update, and a forge's protected branches
    "hidden ref",  # receive.hideRefs
    "funny ref", "refusing to create", "refusing to update",
    "rule violations", "protected branch", "protected ref",  # rulesets of GitHub (GH013, GH006), and of GitLab
    "prohibited by Gerrit",
)  # fmt: skip
"""What git and hosts say when they do not take a ref of such a name, today or tomorrow."""

_EMPTY_PHRASES = (
    "Could not read from remote repository", "Please make sure you have the correct access rights",
    "and the repository exists", "error: failed to push some refs", "error: failed to push all needed", "hint:",
)  # fmt: skip
"""How lines of git begin that stand beside every reason and are none."""

_PROGRESS = (
    "Enumerating ", "Counting ", "Delta compression", "Compressing ", "Writing ", "Total ", "Receiving ", "Resolving ",
    "Unpacking ", "Checking ", "From ", "To ",
)  # fmt: skip
"""How lines of git begin that tell how far it is."""

_MOVED = re.compile(r" [ *+!t=-] .* -> ")
"""How a line of git's begins that tells where a fetched ref went. Why one could not be moved is told on another."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What the remote said about one ref."""

    ref: RefName
    oid: Oid | None
    """Where the ref was asked to be; None: gone."""
    is_accepted: bool
    words: str
    """git's and the server's own words."""

    @property
    def is_late(self) -> bool:
        """Whether it was refused because somebody else was quicker."""
        reason = self.words.partition("; ")[0]  # git's own: a hook may say what it likes
        return not self.is_accepted and not _says(UNWANTED, reason) and _says(LATE, self.words)

    @property
    def is_unwanted(self) -> bool:
        """Whether the host takes no ref of this name, as far as its words tell: to ask again changes nothing."""
        return not self.is_accepted and not self.is_late and _says(UNWANTED, self.words)

    @property
    def is_about_addresses(self) -> bool:
        """Whether it was refused because of who wrote the commits, as far as the words tell."""
        return not self.is_accepted and not self.is_late and _ADDRESSES.search(self.words) is not None


_ADDRESSES = re.compile(r"\b(committers?|authors?|authored|e-?mails?|identity|forge author)\b", re.IGNORECASE)
"""What hosts speak of that take commits of their own users alone: push rules of GitLab, Gerrit, hooks.
Source: docs.gitlab.com on push rules; gerrit-review.googlesource.com on errors, ``invalid committer``."""


def _says(phrases: Iterable[str], words: str) -> bool:
    return any(phrase in words for phrase in phrases)


def answers_in(stdout: str, stderr: str, wanted: Mapping[RefName, Oid | None], layout: Layout) -> list[Pushed]:
    """git's lines about each ref, with the server's words where it refused; one without a line was not answered.

    ``wanted`` is where each ref was asked to be, as it is called here.
    """
    said: dict[str, tuple[bool, str]] = {}
    for line in stdout.splitlines():
        parts = line.split("\t")
        if len(parts) == 3 and ":" in parts[1]:
            said[parts[1].partition(":")[2]] = (parts[0] in (" ", "*", "=", "+", "-"), parts[2])
    server = last_words(stderr)
    answers = []
    for ref, oid in wanted.items():
        is_accepted, words = said.get(layout.there(ref), (False, "no answer"))
        answers.append(
            Pushed(ref, oid, is_accepted, words if is_accepted else f"{words}; {server}" if server else words)
        )
    return answers


def last_words(stderr: str) -> str:
    """What git, ssh and the server said, on one line, without what git always says."""
    lines = (line.rpartition("\r")[2] for line in stderr.split("\n"))
    ends = (line.removeprefix("remote:").strip() for line in lines if not _MOVED.match(line))
    said = [line.removeprefix("fatal: ") for line in ends if line and not line.startswith(_PROGRESS)]
    kept = [line for line in said if not line.startswith(_EMPTY_PHRASES)]
    return "; ".join((kept or said)[-3:])[:500]
