"""The remotes of the repository we are in: what brings rooms together with one, and one that was renamed."""

from __future__ import annotations

from collections.abc import Callable

from gitchat.clones.renaming import follow
from gitchat.clones.sync import Remote
from gitchat.clones.wire import Wire
from gitchat.model.names import RoomName
from gitchat.storage import git
from gitchat.workspace.environment import Environment
from gitchat.workspace.seating import Seating


def wire_to(environment: Environment, name: str, tell: Callable[[str], None] | None = None) -> Wire:
    """git's connection to the remote ``name``; ``tell`` hears its progress."""
    return Wire(
        name,
        git_dir=str(environment.repository.location.common_dir),
        cwd=str(environment.repository.main_worktree),
        variables=git.scrub(environment.variables),
        tell=tell,
    )


def open_remote(environment: Environment, name: str, tell: Callable[[str], None] | None = None) -> Remote:
    """What brings the rooms here and those of a remote together; ``tell`` hears git's progress."""
    authorities = environment.authorities
    return Remote(
        environment.store,
        wire_to(environment, name, tell),
        identity=lambda: environment.caller.identity(is_seated=False),
        clock=environment.now,
        attached=authorities.of,
        attach=lambda room: authorities.set(room, name),
        notes=authorities.notes,
        asked_format=lambda room, tip: environment.numbering(room).asked_format(tip),
        guard=Seating(environment),
    )


def missing(environment: Environment) -> dict[RoomName, str]:
    """The rooms that follow a remote which there is not, or no more, and which one."""
    remotes = set(environment.repository.remotes())
    return {room: remote for room, remote in environment.authorities.all().items() if remote not in remotes}


def follow_renamed(environment: Environment) -> dict[RoomName, str]:
    """Let rooms whose remote was renamed follow it under its new name; which did, and that name.

    A remote is known by where it stands: a room follows when just one remote stands there.
    """
    lost = missing(environment)
    if not lost:
        return {}
    wires = [wire_to(environment, name) for name in environment.repository.remotes()]
    places = {wire.name: wire.place_of(wire.fetch_addresses()[0]) for wire in wires}
    return follow(environment.store, environment.authorities.notes, lost, places, environment.authorities.set)
