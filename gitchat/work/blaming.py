"""Which commits the lines of a file are from, as git blames them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from gitchat.model.anchor import unquoted
from gitchat.model.hunks import Lines
from gitchat.storage.git import GitFailed
from gitchat.work import texts
from gitchat.workspace.repository import Repository

_HEAD = re.compile(r"([0-9a-f]{40}(?:[0-9a-f]{24})?) [0-9]+ ([0-9]+)(?: [0-9]+)?")


@dataclass(slots=True)
class Origins:
    """Where the lines of a file come from."""

    lines: dict[str, list[Lines]] = field(default_factory=dict)
    """For each commit, the oldest of its lines first, the ranges that are from it; what is not committed is in none."""
    subjects: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """What the file was called in these commits: data of others."""


def blame(repository: Repository, path: str, commit: str | None, lines: Lines | None) -> Origins:
    """Of the file in the work tree, or at ``commit``; only of ``lines``, where they are given.

    A file that was never committed comes from nowhere.
    """
    found = Origins()
    options = ["--porcelain", "--no-textconv", "-w", "-M"] + ([f"-L{lines[0]},{lines[1]}"] if lines is not None else [])
    revision = [commit] if commit is not None else []
    at_top = Repository(str(repository.worktree), texts.quiet(repository).variables)
    try:
        told = at_top.git("-c", "core.quotePath=false", "blame", *options, *revision, "--", path)
    except GitFailed:
        return found
    here = ""
    # A line of the file stands behind a tab, so nothing in it is taken for one of git's.
    for line in os.fsdecode(told).split("\n"):
        if (head := _HEAD.fullmatch(line)) is not None:
            here, number = head[1], int(head[2])
            _add(found.lines.setdefault(here, []), number)
        elif line.startswith("summary "):
            found.subjects[here] = line.removeprefix("summary ")
        elif line.startswith("filename "):
            name = unquoted(line.removeprefix("filename "))
            found.names |= {name} if name is not None else set()
    for nobody in [one for one in found.lines if not one.strip("0")]:
        del found.lines[nobody]
    return found


def _add(ranges: list[Lines], number: int) -> None:
    if ranges and ranges[-1][1] == number - 1:
        ranges[-1] = (ranges[-1][0], number)
    else:
        ranges.append((number, number))
