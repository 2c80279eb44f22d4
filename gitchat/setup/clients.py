"""The clients that ``git chat setup`` knows, and the files of those that are chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gitchat.model.errors import ChatError, Mistyped, UserError
from gitchat.setup import claude, codex, disk, gemini, opencode, snippets
from gitchat.setup.client import Client
from gitchat.setup.place import Place
from gitchat.setup.plan import Target, holds, plan

CLIENTS = (
    claude.CLIENT, codex.CLIENT, gemini.CLIENT, gemini.ANTIGRAVITY, opencode.CLIENT, gemini.QWEN, *snippets.CLIENTS
)  # fmt: skip
"""In the order in which they are listed."""


def find(name: str) -> Client:
    """The client called ``name``. Raises UserError ``no-such-client``."""
    for client in CLIENTS:
        if client.name == name.lower():
            return client
    known = [client.name for client in CLIENTS]
    raise Mistyped(
        f"no client is called '{name}'",
        hint=f"clients: {', '.join(known)}",
        code="no-such-client",
        word=name,
        known=known,
    )


def refuse_unwritten(chosen: list[Client]) -> None:
    """Raise UserError ``client-not-written`` for the first of them whose files we do not change."""
    for client in chosen:
        if not client.is_written:
            raise UserError(
                f"the files of {client.title} are not written, because that is untested",
                hint=f"see what belongs in there: git chat setup {client.name} --print",
                code="client-not-written",
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


def askers(chosen: list[Client], place: Place, copies: disk.Copies) -> list[Client]:
    """Those of the ``chosen`` clients in whose files more can be written, so that they ask no more for our tools.

    Raises:
        UserError, StorageError: as :func:`gitchat.setup.plan.plan`.
    """

    def is_asking(client: Client) -> bool:
        as_it_is, allowed = (client.targets(replace(place, is_allowed=one)) for one in (False, True))
        differing = [pair for pair in zip(as_it_is, allowed, strict=True) if pair[0] != pair[1]]
        planned = [plan(targets, copies, is_removal=False) for targets in zip(*differing, strict=True)]
        return len(planned) == 2 and [change.after for change in planned[0]] != [change.after for change in planned[1]]

    return [client for client in chosen if client.permission and is_asking(client)]


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
