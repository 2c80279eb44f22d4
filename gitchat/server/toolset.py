"""A set of tools that a connection offers: what a client lists of it, and what answers its calls.

Only the list is loaded here, so that a client has it before anything answers. What answers (a :class:`Desk` of
:mod:`gitchat.server.desk`) comes with the first call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from gitchat.server.catalog import INSTRUCTIONS, UNLISTED, listed

if TYPE_CHECKING:
    from gitchat.server.desk import Desk
    from gitchat.server.way import Way

Json = dict[str, Any]

GITCHAT, COLLABORATION, AGENTS = "gitchat", "collaboration", "agents"

PROFILES = (GITCHAT, COLLABORATION, AGENTS)
"""What ``--profile`` chooses from: our own tools, or those of a server that an agent was told of before ours."""


class Toolset(NamedTuple):  # and no dataclass, whose module takes longer to load than the list
    """The tools of one connection: a name is another tool in another set, so a connection has one set."""

    name: str
    """Its profile."""
    instructions: str
    catalogue: tuple[Json, ...]
    """Names, descriptions, schemas and hints, as ``tools/list`` gives them."""
    shared: Callable[[], Any]
    """Makes what all connections of one server have in common; a server that has one connection needs not ask."""
    open: Callable[..., Desk]
    """``open(Way(...), shared)`` gives what answers one connection; ``shared`` is None or what that made."""
    unlisted: tuple[Json, ...] = ()
    """Tools that are answered, too."""


def toolset_of(profile: str, *, is_core: bool = False) -> Toolset:
    """The set of a profile; of our own tools only the few that an agent needs, where ``is_core``."""
    if profile == COLLABORATION:
        from gitchat.server import collaboration  # for who asks for it

        return Toolset(
            COLLABORATION, collaboration.INSTRUCTIONS, collaboration.TOOLS, _shared_topics, _open_collaboration
        )
    if profile == AGENTS:
        from gitchat.server import agents  # for who asks for it

        return Toolset(AGENTS, agents.INSTRUCTIONS, agents.TOOLS, _shared_registry, _open_agents)
    tools, unlisted = listed("core" if is_core else "all"), () if is_core else UNLISTED
    return Toolset(GITCHAT, INSTRUCTIONS, tuple(tools), lambda: None, _open_own, unlisted)


def _open_own(way: Way, shared: Any) -> Desk:
    from gitchat.server.own import Own  # with the first call

    return Own(way)


def _shared_topics() -> Any:
    from gitchat.server.topics import Topics  # with the first call

    return Topics()


def _open_collaboration(way: Way, shared: Any) -> Desk:
    from gitchat.server.member import Member  # with the first call

    return Member(way, shared or _shared_topics())


def _shared_registry() -> Any:
    from gitchat.server.registry import Registry  # with the first call

    return Registry()


def _open_agents(way: Way, shared: Any) -> Desk:
    from gitchat.server.bus import Bus  # with the first call

    return Bus(way, shared or _shared_registry())
