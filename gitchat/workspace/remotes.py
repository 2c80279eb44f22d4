"""The remotes of the repository we are in: what brings rooms together with one, and one that was renamed."""

from __future__ import annotations

import math
from collections.abc import Callable

from gitchat.clones.adopting import Adopting
from gitchat.clones.inbox import Inbox
from gitchat.clones.moving import last_said
from gitchat.clones.renaming import follow
from gitchat.clones.sync import Remote
from gitchat.clones.whereabouts import decided, look
from gitchat.clones.wire import Wire
from gitchat.model.layout import BRANCHES, PLAIN, Layout
from gitchat.model.names import RoomName
from gitchat.rooms.ending import keep_up
from gitchat.storage import git
from gitchat.storage.variables import asking_nobody
from gitchat.workspace.environment import Environment
from gitchat.workspace.forks import fork_of
from gitchat.workspace.seating import Seating


def wire_to(
    environment: Environment,
    name: str,
    tell: Callable[[str], None] | None = None,
    *,
    is_typed: bool = False,
    limit_seconds: float = math.inf,
) -> Wire:
    """git's connection to the remote ``name``, which ends after ``limit_seconds``; ``tell`` hears its progress.

    Nobody is asked for a password, unless a person at a terminal typed what needs it (``is_typed``).
    """
    may_ask = is_typed and environment.caller.origin == "human"
    config, variables = environment.repository.config, git.scrub(environment.variables)
    if not may_ask:
        variables = asking_nobody(variables, has_ssh_command=config.get("core.sshCommand") is not None)
    # A path is used by default only where a person asked for it; which remote it is, a person has said.
    is_ruled = any(config.get(key) is not None for key in ("protocol.allow", "protocol.file.allow"))
    return Wire(
        name,
        git_dir=str(environment.repository.location.common_dir),
        cwd=str(environment.repository.main_worktree),
        variables=variables,
        options=() if may_ask or is_ruled else ("-c", "protocol.file.allow=always"),
        layout=environment.authorities.layout(name),
        may_ask=may_ask,
        limit_seconds=limit_seconds,
        tell=tell,
    )


def open_remote(
    environment: Environment,
    name: str,
    tell: Callable[[str], None] | None = None,
    *,
    is_typed: bool = False,
    limit_seconds: float = math.inf,
    layout: Layout | None = None,
) -> Remote:
    """What brings the rooms here and those of a remote together; see :func:`wire_to`.

    ``layout`` is what somebody says that the remote calls their refs; it is written down for a room that is attached.
    """
    authorities = environment.authorities
    wire = wire_to(environment, name, tell, is_typed=is_typed, limit_seconds=limit_seconds)

    def attach(room: RoomName) -> None:
        if layout is not None:
            authorities.set_layout(name, layout)
        authorities.attach(room, name)

    return Remote(
        environment.store,
        wire,
        identity=lambda: environment.caller.identity(is_seated=False),
        clock=environment.now,
        attached=authorities.of,
        attach=attach,
        notes=authorities.notes,
        asked_format=lambda room, tip: environment.numbering(room).asked_format(tip),
        guard=Seating(environment),
        stays_here=lambda room: environment.numbering(room).stays_here(),
        moved=lambda room, tip: last_said(environment.numbering(room), tip),
        layout=lambda: layout or layout_of(environment, wire),
        lay=lambda new: authorities.lay(name, new),
        inbox=_inbox(environment, name, limit_seconds),
        adopting=adopting(environment, name),
        keep_up=lambda room: keep_up(environment.numbering(room)),
    )


def adopting(environment: Environment, name: str) -> Adopting:
    """What takes over what was purged at the remote ``name``."""
    return Adopting(
        environment.store,
        name,
        environment.variables,
        numbered=lambda room, tip, uids: {
            uid: place.oid for uid, place in environment.numbering(room).chain_at(tip).numbered(uids).items()
        },
        is_asked_for=lambda: environment.repository.config.get_choice("chat.purge", ("adopt", "ask")) == "ask",
    )


def _inbox(environment: Environment, name: str, limit_seconds: float) -> Inbox | None:
    """Our inbox in the fork that belongs to the remote ``name``; None where there is none. Nobody is asked anything."""
    fork = fork_of(environment, name)
    if fork is None:
        return None
    return Inbox(
        environment.store,
        wire_to(environment, fork, limit_seconds=limit_seconds),
        name,
        clone=environment.clone.id,
        known_clone=environment.clone.known,
        waits=lambda room: bool(environment.log(room).pending()),
    )


def layout_of(environment: Environment, wire: Wire) -> Layout:
    """What the remote calls the refs of rooms; where nobody said or noted it, it is asked.

    Raises:
        TwoPlaces: it has rooms in two places.
        RemoteError: it is not heard.
    """
    known = environment.authorities.known_layout(wire.name)
    return known or decided(environment.store, wire, look(wire, PLAIN, BRANCHES)) or PLAIN


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
    return follow(environment.store, environment.authorities.notes, lost, places, environment.authorities.rename)
