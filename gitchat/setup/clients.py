"""The clients that ``git chat setup`` knows, and the files of those that are chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gitchat.model.errors import ChatError, UserError
from gitchat.setup import claude, codex, disk, gemini, snippets
from gitchat.setup.client import Client
from gitchat.setup.place import Place
from gitchat.setup.plan import Target, holds

CLIENTS = (claude.CLIENT, codex.CLIENT, gemini.CLIENT, *snippets.CLIENTS)
"""In the order in which they are listed."""


def find(name: str) -> Client:
    """The client called ``name``. Raises UserError ``no-such-client``."""
    for client in CLIENTS:
        if client.name == name.lower():
            return client
    raise UserError(
        f"no client is called '{name}'",
        hint=f"clients: {', '.join(client.name for client in CLIENTS)}",
        code="no-such-client",
    )


def targets(chosen: list[Client], place: Place, *, is_removal: bool) -> list[Target]:
    """The files of the ``chosen`` clients, each once; for a removal without those that still have a use.

    Another client may read the same note, and the main worktree the same hooks.

    Raises:
        UserError, StorageError: a file cannot be read.
    """
    listed = {_real(target): target for client in chosen for target in client.targets(place)}
    if is_removal:
        for other in CLIENTS:
            if other.is_written and other not in chosen:
                for path in _used_by(other, place):
                    listed.pop(path, None)
        if place.main is not None and not place.is_local:
            main = replace(place, top=place.main, main=None)
            for client in chosen:
                for path in _used_by(client, main):
                    listed.pop(path, None)
    return list(listed.values())


def _used_by(client: Client, place: Place) -> set[Path]:
    """The files in which ``client`` needs what is ours; none when its own cannot be read."""
    try:
        return set(map(_real, client.targets(place))) if is_set_up(client, place) else set()
    except ChatError:
        return set()


def _real(target: Target) -> Path:
    return disk.resolve(target.path, target.top)


def is_set_up(client: Client, place: Place) -> bool:
    """Whether the client has our server here. Raises as :func:`targets`."""
    return holds(client.targets(place)[0])
