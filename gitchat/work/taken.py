"""What was taken in a worktree last: a note beside the rooms, by which it can be finished, or undone.

It holds for each path what was there and what comes there. Source: docs/format.md rule 7.46.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path as Place
from typing import Any, Literal

from gitchat.model.names import Oid
from gitchat.model.overlay import Version
from gitchat.model.paths import Path, problem_of_path
from gitchat.storage.ownfiles import OwnFile
from gitchat.work.trees import Worktree

State = Literal["begun", "done", "undoing"]

_STATES: tuple[State, ...] = ("begun", "done", "undoing")

_MAX_BYTES = 4 * 1024 * 1024

Stages = tuple[tuple[Version, int], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one path."""

    path: Path
    before: Version | None
    after: Version | None
    """On the disk; None where it is not there."""
    staged_before: Version | None
    staged_after: Version | None
    """In the index."""
    stages: Stages = ()
    """In the index, instead of ``staged_after``: what could not be merged, by git's stages."""

    @property
    def back(self) -> Step:
        """The step that undoes it."""
        return Step(self.path, self.after, self.before, self.staged_after, self.staged_before)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken in a worktree last, and how far that got."""

    state: State
    room: str
    uid: str
    """Of the message."""
    words: str
    """What was taken, for a person, still to be escaped."""
    head: str
    """The commit that was checked out."""
    steps: tuple[Step, ...]


class Note:
    """The note of one worktree."""

    def __init__(self, directory: Place, tree: Worktree, common_dir: Place) -> None:
        """``directory`` is ``chatroom/``."""
        name = "main" if tree.git_dir == common_dir else f"worktree-{tree.git_dir.name}"
        self._file = OwnFile(directory, f"taken/{name}", is_private=True)

    def read(self) -> Taken | None:
        """What it says; None where there is none, or none that reads."""
        try:
            told = json.loads(self._file.read(_MAX_BYTES))
            steps = tuple(_step_of(one) for one in told["steps"])
            words = {key: str(told[key]) for key in ("room", "uid", "words", "head")}
            if any(problem_of_path(step.path) for step in steps):
                return None
            state: State = next((one for one in _STATES if one == told["state"]), "begun")
            return Taken(state, steps=steps, **words)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def write(self, taken: Taken) -> None:
        """Let it say this, after a power cut, too. Raises OSError."""
        told = {key: getattr(taken, key) for key in ("state", "room", "uid", "words", "head")}
        content = json.dumps(told | {"steps": [_told_step(step) for step in taken.steps]})
        self._file.replace(content.encode(), is_synced=True)

    def remove(self) -> None:
        """Let there be none. Raises OSError."""
        self._file.remove()


def _told_step(step: Step) -> dict[str, Any]:
    told = {
        "path": step.path.decode("utf-8", "surrogateescape"),
        "disk": [_told(step.before), _told(step.after)],
        "index": [_told(step.staged_before), _told(step.staged_after)],
    }
    return told | ({"stages": [[*_told(version), stage] for version, stage in step.stages]} if step.stages else {})


def _told(version: Version | None) -> list[Any]:
    return [f"{version.mode:o}", version.oid] if version is not None else []


def _step_of(told: dict[str, Any]) -> Step:
    disk, index = ([_version_of(one) for one in told[key]] for key in ("disk", "index"))
    stages: Stages = tuple(
        (version, int(one[2])) for one in told.get("stages", ()) if (version := _version_of(one[:2])) is not None
    )
    return Step(told["path"].encode("utf-8", "surrogateescape"), disk[0], disk[1], index[0], index[1], stages)


def _version_of(told: list[Any]) -> Version | None:
    return Version(int(told[0], 8), Oid(str(told[1]))) if told else None
