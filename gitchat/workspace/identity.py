"""Who we are: the name that this process acts under, its client and session, and what a commit says of it.

Every face asks here, so that the server, the shell and the hooks of one session have one name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitchat.model.errors import UserError
from gitchat.model.names import MAX_SLUG_CHARS, Name, parse_name, suggest_slug
from gitchat.model.record import Identity, Moment, Origin
from gitchat.workspace.config import parse_setting
from gitchat.workspace.repository import Repository

if TYPE_CHECKING:  # loaded by who needs them
    from gitchat.model.participant import Holder
    from gitchat.presence.roll import Roll

_CLIENT_VARIABLES = {
    "CLAUDECODE": "claude", "GEMINI_CLI": "gemini", "OPENCODE": "opencode", "CODEX_THREAD_ID": "codex",
}  # fmt: skip
"""Variables that an agent's client sets for the commands it runs, and the client's short name."""

_SESSION_VARIABLES = ("GITCHAT_SESSION", "CLAUDE_CODE_SESSION_ID")
"""Variables with the id of the client's conversation; ours can set right what a client hands on."""

_MAX_SESSION_CHARS = 128

AGENT_DOMAIN = "@agents.gitchat.invalid"
"""How the address of an agent ends that has none of its own."""


def client_of(variables: Mapping[str, str]) -> str | None:
    """The short name of the agent's client that set these variables; None for a person."""
    for variable, client in _CLIENT_VARIABLES.items():
        if variables.get(variable):
            return client
    # AI_AGENT may carry a version: "name/1.2".
    return suggest_slug(variables.get("AI_AGENT", "").replace("@", "/").split("/")[0])


def session_of(variables: Mapping[str, str]) -> str | None:
    """What the agent's client calls its conversation; None when it does not tell, or not in a short line.

    The client's server, its shell and its hooks see the same one, which is how they find the same name.
    """
    values = (variables.get(variable) for variable in _SESSION_VARIABLES)
    session = next((value for value in values if value), "")
    return session if session and session.isprintable() and len(session) <= _MAX_SESSION_CHARS else None


def as_client_sees(variables: Mapping[str, str], client: str, session: str) -> dict[str, str]:
    """``variables`` of a hook that ``client`` started, with those that its server and shell have besides."""
    told = {variable: "1" for variable, name in _CLIENT_VARIABLES.items() if name == client} or {"AI_AGENT": client}
    if client == "claude" and session:
        told["CLAUDE_CODE_SESSION_ID"] = session
    return {**told, **variables}


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

    @property
    def client(self) -> str | None:
        """The short name of the agent's client; None for a person."""
        return client_of(self.variables)

    @property
    def session(self) -> str | None:
        """The id of the client's conversation; see :func:`session_of`."""
        return session_of(self.variables)

    @property
    def origin(self) -> Origin:
        """``human`` only at a terminal and without an agent's variable."""
        return "human" if self.is_terminal and self.client is None else "agent"

    def name(self, given: str | None = None) -> Name:
        """The participant's name: ``given``, ``GITCHAT_NAME``, that of the agent's session
        (see :meth:`_agent_name`), ``chat.name``, git's ``user.name``; the first that is there.

        Raises:
            UserError: ``bad-name``, ``reserved-name``, or ``no-name`` when nothing tells.
        """
        if given is not None:
            return parse_name(given)
        if variable := self.variables.get("GITCHAT_NAME"):
            return parse_setting("GITCHAT_NAME", variable, parse_name)
        client = self.client
        if client is not None:
            return self._agent_name(client)
        config = self.repository.config
        configured = config.get("chat.name")
        if configured is not None:
            return parse_setting("chat.name", configured, parse_name)
        slug = suggest_slug(config.get("user.name") or "")
        if slug is None:
            raise UserError(
                "no name to send under",
                hint="choose one: git config --global chat.name alice; or for one message: --as alice",
                code="no-name",
            )
        return parse_name(slug)

    def _agent_name(self, client: str) -> Name:
        """The name that this session took, else the client's and the worktree's.

        While another session lives under that one: with ``-2``, or the next that is free.
        The session is noted there, so that it keeps this name when the other ends.
        """
        roll, session = self.roll(), self.session
        if name := roll.name_of_session(session):
            return name
        wanted = parse_name(suggest_slug(f"{client}-{self.repository.worktree_name}") or client)
        name, count = wanted, 1
        while _lives_elsewhere(roll, name, session):
            count += 1
            suffix = f"-{count}"
            name = Name(wanted[: MAX_SLUG_CHARS - len(suffix)].rstrip(".") + suffix)
        if name != wanted and session is not None:
            roll.assign(name, self.holder(), self.now().seconds)
        return name

    def identity(self, given: str | None = None) -> Identity:
        """Who writes: the name (see :meth:`name`) and git's identity for the commit.

        Without ``user.email`` an address that can never be somebody's is used, so
        that a container without a git identity can still talk.
        """
        name = self.name(given)
        config = self.repository.config
        agent_email = f"{name}{AGENT_DOMAIN}"
        email = config.get("user.email") or agent_email
        return Identity(
            name=name,
            email=agent_email if config.get("chat.authorEmail") == "agent" else email,
            committer_name=config.get("user.name") or name,
            committer_email=email,
            origin=self.origin,
        )

    def holder(self) -> Holder:
        """This process, as it is noted where it takes a name. Raises as Repository.location."""
        from gitchat.model.participant import Holder  # for who takes a name

        return Holder(
            pid=os.getpid(),
            host=os.uname().nodename,
            worktree=str(self.repository.worktree),
            branch=self.repository.branch(),
            client=self.client,
            session=self.session,
        )

    def acts_for(self, holder: Holder) -> bool:
        """Whether ``holder`` started this process to act under its name: it handed it its session.

        Only ``GITCHAT_SESSION`` says so. A client's own variable reaches everything that the client starts,
        also what shall not mark for it.
        """
        session = self.variables.get("GITCHAT_SESSION")
        return bool(session) and session == holder.session


def _lives_elsewhere(roll: Roll, name: Name, session: str | None) -> bool:
    """Whether a process of another session lives under ``name``."""
    known = roll.find(name)
    return known is not None and known.is_living and (known.holder is None or known.holder.session != session)
