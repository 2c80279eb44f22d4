"""What of ours stands in the clients' files: which of them an older version wrote, and what renews them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gitchat.model.errors import ChatError
from gitchat.setup import clients, disk, seeds
from gitchat.setup.client import Client
from gitchat.setup.edits import NAME, JsonServer
from gitchat.setup.launch import words_of
from gitchat.setup.place import Place, copies_for, in_work_tree, of_user
from gitchat.setup.plan import Target, plan, servers
from gitchat.workspace.environment import Environment


@dataclass(frozen=True, slots=True)
class Standing:
    """A client in one place: in a work tree, for its user there, or for its user everywhere."""

    client: Client
    place: Place
    is_set_up: bool
    files: tuple[str, ...] = ()
    """All that belong to it, as one would type them."""
    stale: tuple[str, ...] = ()
    """Those that this version would write otherwise."""
    seeds: tuple[tuple[str, str, str], ...] = ()
    """Servers of other chats beside ours: the name, the chat, and the file."""
    server: tuple[str, ...] = ()
    """The words that start our server there."""
    fault: ChatError | None = None
    """Why its files cannot be looked at."""

    @property
    def command(self) -> str:
        """What renews it."""
        return f"git chat setup {self.client.name}{self.place.option}"

    @property
    def faults(self) -> list[tuple[str, str | None]]:
        """What is to be done, a sentence each, and the command that does it; empty where all is as it would be now."""
        if self.fault is not None:
            return [(str(self.fault), None)]
        said = list[tuple[str, str | None]]()
        if self.stale:
            *others, last = self.stale
            files, verb = (f"{', '.join(others)} and {last}", "were") if others else (last, "was")
            said = [(f"{files} {verb} written by another version of gitchat", self.command)]
        for name, chat, file in self.seeds:
            told = f"the server '{name}' starts {chat}, a chat of its own beside this one; take it out of {file}"
            said.append((told, None))
        return said

    @property
    def sentences(self) -> list[str]:
        """The same on a line each."""
        return [text if command is None else f"{text}; renew: {command}" for text, command in self.faults]


def places(environment: Environment) -> Iterator[Place]:
    """Where a client may have been told of us, as seen from here."""
    with suppress(ChatError):  # no work tree
        here = in_work_tree(environment)
        yield here
        yield replace(here, is_local=True)
    with suppress(ChatError):  # no home
        yield of_user(environment)


def places_elsewhere(environment: Environment) -> Iterator[Place]:
    """Where a client may have been told of us in the other work trees of the repository."""
    repository = environment.repository
    for top in repository.worktrees():
        if top != repository.worktree and top.is_dir():
            with suppress(ChatError):  # no work tree, or not to be entered
                there = in_work_tree(replace(environment, cwd=str(top)))
                yield there
                yield replace(there, is_local=True)


def standings(
    environment: Environment, chosen: list[Client] | None = None, *, at: list[Place] | None = None
) -> Iterator[Standing]:
    """The clients that are set up, cannot be looked at, or start another chat: in each place, in order."""
    for place in places(environment) if at is None else at:
        copies = copies_for(environment, is_user=place.is_user)
        for client in clients.CLIENTS if chosen is None else chosen:
            if client.is_written and (client.has_local or not place.is_local):
                found = _standing(client, place, copies)
                if found.is_set_up or found.seeds or found.fault:
                    yield found


Part = tuple[str, tuple[str, ...]]
"""A JSON file, and the keys that lead to what of it counts."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a session's start is told, and all that it follows from."""

    sentence: str | None
    files: tuple[str, ...]
    """The files that count as a whole, and programs that they name."""
    parts: tuple[Part, ...]
    """Of those that a client writes all the time, what counts."""


def judged(environment: Environment, client: str, most_bytes: int) -> Judged:
    """What a session of ``client`` is told of files that an older version wrote, or of another chat.

    Places are left out where a file has more than ``most_bytes``.
    """
    files, parts = dict[str, None](), dict[Part, None]()
    said: list[str] = []
    with suppress(ChatError):
        chosen = clients.find(client)
        at = list(places(environment))
        for place in at:
            if not place.is_local or chosen.has_local:
                _note(chosen.targets(place), files, parts)
        found = list(
            standings(environment, [chosen], at=[place for place in at if _is_quick(chosen, place, most_bytes)])
        )
        files.update(dict.fromkeys(one.server[0] for one in found if one.server and os.path.isabs(one.server[0])))
        said = [sentence for one in found for sentence in one.sentences]
    sentence = f"Tell your user: {said[0]}." if said else None
    return Judged(sentence, tuple(files), tuple(parts))


def _note(targets: list[Target], files: dict[str, None], parts: dict[Part, None]) -> None:
    for target in targets:
        edits = target.edits
        files.update(dict.fromkeys(map(str, target.chosen_by)))
        if all(isinstance(edit, JsonServer) and not edit.has_comments for edit in edits):
            parts.update(dict.fromkeys((str(target.path), edit.path) for edit in edits if isinstance(edit, JsonServer)))
        else:
            files[str(target.path)] = None


def _is_quick(client: Client, place: Place, most_bytes: int) -> bool:
    if place.is_local and not client.has_local:
        return False
    return all(_size(target.path) <= most_bytes for target in client.targets(place))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _standing(client: Client, place: Place, copies: disk.Copies) -> Standing:
    targets = client.targets(place)
    names = tuple(place.name(target.path) for target in targets)
    try:
        there = servers(targets[0])
        others = tuple((name, chat, names[0]) for name, chat in seeds.among(there))
        if not clients.is_set_up(client, place):
            return Standing(client, place, False, names, seeds=others)
        changes = plan(targets, copies, is_removal=False)
    except ChatError as error:
        return Standing(client, place, False, names, fault=error)
    differing = tuple(name for name, change in zip(names, changes, strict=True) if change.before != change.after)
    words = tuple(words_of(there.get(NAME)))
    return Standing(client, place, True, names, differing, others, words)
