"""Who we are: the name that this process acts under, its client and session, and what a commit says of it.

Every face asks here, so that the server, the shell and the hooks of one session have one name.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from gitchat.model.errors import UserError
from gitchat.model.names import MAX_SLUG_CHARS, CloneId, Name, parse_name, suggest_slug
from gitchat.model.record import NO_DOMAIN, Identity, Moment, Origin, address_of
from gitchat.model.session import Session, process_of_key
from gitchat.quick.rules import is_suspect
from gitchat.workspace import ancestry
from gitchat.workspace.client import Ancestors, client_of, is_subagent, session_of
from gitchat.workspace.config import parse_setting
from gitchat.workspace.naming import Given, given_by_git
from gitchat.workspace.party import Party
from gitchat.workspace.repository import Repository

if TYPE_CHECKING:  # loaded by who needs them
    from gitchat.model.participant import Holder, Presence
    from gitchat.presence.roll import Roll


@dataclass(frozen=True)
class Caller:
    """Who calls: a person, or an agent's client in one of its sessions."""

    repository: Repository
    variables: Mapping[str, str]
    is_terminal: bool
    """Whether a person is at a terminal."""
    roll: Callable[[], Roll]
    """The names of this clone; asked for by who needs them. Raises as Repository.location."""
    now: Callable[[], Moment]
    clone: Callable[[], CloneId]
    """The id of this clone, made when there is none; asked for when an agent writes. Raises as Clone.id."""
    spoken_elsewhere: Callable[[Name], bool] = lambda name: False
    """Whether another clone speaks under a name these days, so that a new default name steps aside for it."""
    ancestors: Ancestors = ancestry.ancestors
    is_told_subagent: bool = False
    """Whether the client told otherwise than by variables that a subagent calls."""
    party: Party | None = None
    """Whom this process acts for, where it is not itself."""

    @cached_property
    def client(self) -> str | None:
        """The short name of the agent's client; None for a person."""
        if self.party is not None:
            return None if self.party.is_person else self.party.client
        return client_of(self.variables, self.ancestors)

    @cached_property
    def keys(self) -> Session:
        """What this process knows of its session; see :func:`session_of`."""
        if self.party is not None:
            return Session(id=self.party.session)
        return session_of(self.variables, self.client, self.ancestors)

    @property
    def session(self) -> str | None:
        """The key that the session is kept by: the same in all its processes, once one of them has taken a name.

        None without a session. Raises as Repository.location.
        """
        if self.party is not None or not self.keys:
            return self.keys.key
        known = self.roll().taken_last(self._is_ours, self.now().seconds)
        kept = known.holder.session if known and known.holder else None
        return kept or self.keys.key

    @property
    def has_seat(self) -> bool:
        """Whether we read by a seat: an agent, or a process in a session; a person has none."""
        return self.client is not None or bool(self.keys)

    @property
    def is_subagent(self) -> bool:
        """Whether a session's subagent calls, as far as its client tells: it looks, and its session is told."""
        return self.is_told_subagent or (self.party is None and is_subagent(self.variables, self.client))

    @property
    def origin(self) -> Origin:
        """``human`` only at a terminal and without an agent's variable, or at a server's page."""
        if self.party is not None:
            return "human" if self.party.is_person else "agent"
        return "human" if self.is_terminal and self.client is None else "agent"

    def name(self, given: str | None = None) -> Name:
        """The participant's name: ``given``, ``GITCHAT_NAME``, that of the agent's session
        (see :meth:`_agent_name`), ``chat.name``, what git gives (:func:`given_by_git`); the first that is there.

        Raises:
            UserError: ``bad-name``, ``reserved-name``, ``secret``, or ``no-name`` when nothing tells.
        """
        if given is not None:
            return self._refused_as_secret(parse_name(given))
        if self.party is not None:
            default = self.own_name if self.party.is_person else partial(self._agent_name, self.party.client)
            return self.party.name or default()
        if variable := self.variables.get("GITCHAT_NAME"):
            return parse_setting("GITCHAT_NAME", variable, parse_name)
        client = self.client
        return self.own_name() if client is None else self._agent_name(client)

    def _refused_as_secret(self, name: Name) -> Name:
        """``name``, which cursors and seats are called by, too. Raises UserError ``secret``."""
        if is_suspect(name.encode()):
            from gitchat.workspace.secrecy import policy, refuse_names  # for who goes by such a name

            refuse_names([name], policy(self.repository.config))
        return name

    def own_name(self) -> Name:
        """The name of the person whose clone this is. Raises as :meth:`name`."""
        configured = self.repository.config.get("chat.name")
        if configured is not None:
            return parse_setting("chat.name", configured, parse_name)
        return given_by_git(self.repository.config).name

    def passed_over(self) -> Given | None:
        """The name that we act under and the ``user.name`` that gives none, where it is so; None else.

        Raises UserError ``no-name``.
        """
        is_told = self.variables.get("GITCHAT_NAME") or self.client is not None
        if is_told or self.repository.config.get("chat.name") is not None:
            return None
        given = given_by_git(self.repository.config)
        return given if given.passed_over is not None else None

    def _agent_name(self, client: str) -> Name:
        """The name that this session took last, else a default one of the client in this worktree.

        The first of those that this clone gave them before, and which nobody else has now; else a new one: the
        client's and the worktree's names, with ``-2``, or the next that is free. It is noted, so that the session
        keeps it, and the next one finds it.
        """
        from gitchat.presence.defaults import Defaults  # for an agent

        roll, place = self.roll(), self._place()
        defaults: Defaults = self.__dict__.setdefault("_defaults", Defaults(self.repository.directory))
        given = defaults.given(client, place)
        wanted = parse_name(suggest_slug(f"{client}-{self.repository.worktree_name}") or client)

        def keep(name: Name) -> Name:
            if name not in given and self.repository.directory.is_dir():
                defaults.note(name, client, place)
            return name

        if self.keys and (ours := roll.taken_last(self._is_ours, self.now().seconds)) and ours.holder:
            if not (ours.is_living or ours.holder.of_session.is_same(self.keys)):  # resumed, in another process
                roll.assign(ours.name, self.holder(), self.now().seconds)
            # The first name is often given where there is no room yet, and nothing to keep it in.
            return keep(wanted) if ours.name == wanted else ours.name
        for name in itertools.chain(given, self._new_names(wanted, defaults.others(client, place))):
            if self._take_default(roll, name):
                return keep(name)
        raise AssertionError("there is always one more name")

    def _new_names(self, wanted: Name, others: set[Name]) -> Iterator[Name]:
        """``wanted``, and then with a number: none that was given to ``others``, or is another clone's these days."""
        for count in itertools.count(1):
            suffix = f"-{count}" if count > 1 else ""
            name = Name(wanted[: MAX_SLUG_CHARS - len(suffix)].rstrip(".") + suffix if suffix else wanted)
            if name not in others and not self.spoken_elsewhere(name):
                yield name

    def _take_default(self, roll: Roll, name: Name) -> bool:
        """Whether ``name`` can be this session's; then it is noted to be, if this clone has a room."""
        known = roll.find(name)
        if known is not None and not self._is_free(known):
            return False
        if not self.keys or not self.repository.directory.is_dir():
            return True
        return roll.assign(name, self.holder(), self.now().seconds, self._is_free)

    def _place(self) -> str:
        """This worktree, in one word that stays when the repository is moved."""
        location = self.repository.location
        if location.git_dir == location.common_dir:
            return "."
        return "-".join(os.path.relpath(location.git_dir, location.common_dir).split())

    def addresses(self) -> frozenset[str]:
        """The addresses that a person here writes under: ``user.email``, and each ``chat.person``.

        None where they tell nobody apart.
        """
        config = self.repository.config
        own = address_of(config.get("user.email") or "")
        if own is None or config.get("chat.authorEmail") == "agent":
            return frozenset()
        more = (address_of(address) for address in config.get_all("chat.person"))
        return frozenset([own, *(address for address in more if address is not None)])

    def identity(self, given: str | None = None, *, is_seated: bool = True) -> Identity:
        """Who writes: the name (see :meth:`name`) and git's identity for the commit.

        ``is_seated`` is whether it is written down in which clone an agent sits; what only joins or marks needs none.

        Without ``user.email`` an address that can never be somebody's is used, so
        that a container without a git identity can still talk.
        """
        name = self.name(given)
        config = self.repository.config
        email = config.get("user.email") or name + NO_DOMAIN
        return Identity(
            name=name,
            email=self._address(name, email),
            committer_name=config.get("user.name") or name,
            committer_email=email,
            origin=self.origin,
            clone=self.clone() if is_seated and self.has_seat else None,
        )

    def _address(self, name: Name, mine: str) -> str:
        """The author's address of what is written as ``name``: ``mine``, unless it is another's or tells nobody."""
        chosen = self.repository.config.get("chat.authorEmail")
        if chosen == "agent":
            return name + NO_DOMAIN
        if chosen == "user":
            return mine
        if self.party is None or self.party.is_person:
            return mine
        if self.party.email is not None:
            return self.party.email
        with suppress(UserError):  # nobody here has a name
            if name == self.own_name():
                return mine
        return name + NO_DOMAIN

    def holder(self) -> Holder:
        """This process, as it is noted where it takes a name. Raises as Repository.location."""
        from gitchat.model.participant import Holder  # for who takes a name

        return Holder(
            pid=os.getpid(),
            host=os.uname().nodename,
            worktree=str(self.repository.worktree),
            branch=self.repository.branch(),
            client=self.client if self.party is None else self.party.client,
            session=self.session,
            keys=self.keys,
        )

    def acts_for(self, holder: Holder) -> bool:
        """Whether ``holder`` took its name in our session: what it may do under that name, this process may."""
        return holder.of_session.is_same(self.keys)

    def is_of_session(self, holder: Holder) -> bool:
        """Whether a name that this very process lives under was taken in our session, or both in none."""
        return self.acts_for(holder) or not (holder.of_session or self.keys)

    def _is_ours(self, presence: Presence) -> bool:
        """Whether our session took this name, also before it was resumed in another process."""
        if presence.holder is None:
            return False
        theirs = presence.holder.of_session
        is_over = not presence.is_living and not _runs(theirs)
        return theirs.is_same(self.keys) or (is_over and theirs.id is not None and theirs.id == self.keys.id)

    def _is_free(self, presence: Presence) -> bool:
        """Whether no other session goes by this name now: none lives under it, or runs in a process of its own.

        Processes that know of no session count as of one.
        """
        if presence.holder is None:
            return not presence.is_living
        theirs = presence.holder.of_session
        if theirs.is_same(self.keys) or not (theirs or self.keys):
            return True
        return not presence.is_living and (theirs.process == self.keys.process or not _runs(theirs))


def _runs(session: Session) -> bool:
    """Whether the client's process of a session runs, where that can be seen."""
    process = process_of_key(session.process or "")
    return process is not None and ancestry.is_running(*process)
