"""Who sends: a person whose name stands in git's configuration or in ``GITCHAT_NAME``, or an agent that sits here; and
what a commit says of them.
"""

import os

from gitchat.quick.place import Place
from gitchat.quick.plain import is_name, is_text
from gitchat.quick.settings import Settings
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitchat.quick.agent import Agent

_OF_AGENTS = ("CLAUDECODE", "GEMINI_CLI", "OPENCODE", "CODEX_THREAD_ID", "QWEN_CODE", "AI_AGENT", "GITCHAT_SESSION")
"""Variables that make who runs here an agent, or one in a session."""

NO_DOMAIN = "@agents.gitchat.invalid"

_WORD = "abcdefghijklmnopqrstuvwxyz0123456789"


class Sender:
    """Who sends, as gitchat.model.record.Identity has it."""

    __slots__ = ("address", "agent", "committer_email", "committer_name", "email", "is_terminal", "name", "origin")

    def __init__(self, name: str, email: str, committer_name: str, agent: "Agent | None") -> None:
        self.name = name
        self.email = self.committer_email = email
        self.committer_name = committer_name
        self.address = email.strip().lower()
        """As two are compared."""
        self.agent = agent
        """None for a person."""
        self.is_terminal = any(map(os.isatty, (0, 1, 2)))
        self.origin = "human" if self.is_terminal and agent is None else "agent"


def person(settings: Settings, variables: "Mapping[str, str]", given: "str | None") -> Sender:
    """The person here, under the name ``given``, if any. Raises Unusual: it takes more to tell."""
    if any(variables.get(name) for name in _OF_AGENTS):
        raise Unusual
    return _named(settings, name_of(settings, variables, given), None)


def sender(place: Place, settings: Settings, given: "str | None") -> Sender:
    """Whoever is here, under the name ``given``, if any. Raises Unusual: it takes more to tell, and OSError."""
    if not any(place.variables.get(name) for name in _OF_AGENTS):
        return person(settings, place.variables, given)
    from gitchat.quick.agent import find  # for agents

    found = find(place)
    name = given if given is not None else found.name
    if not is_name(name):
        raise Unusual
    return _named(settings, name, found)


def _named(settings: Settings, name: str, found: "Agent | None") -> Sender:
    if settings.get("chat.authorEmail") is not None:
        raise Unusual
    email = settings.get("user.email") or name + NO_DOMAIN
    full = settings.get("user.name") or name
    if not _is_part_of_a_line(full) or not _is_part_of_a_line(email):
        raise Unusual
    return Sender(name, email, full, found)


def name_of(settings: Settings, variables: "Mapping[str, str]", given: "str | None") -> str:
    """``given``, ``GITCHAT_NAME``, ``chat.name``, or what ``user.name`` gives; the first that is there."""
    name = given if given is not None else variables.get("GITCHAT_NAME") or settings.get("chat.name")
    if name is None:
        name = _nearest(settings.get("user.name") or "")
    if not is_name(name):
        raise Unusual
    return name


def _nearest(full: str) -> str:
    """The name that is nearest to one of plain words: ``alice-smith`` of Alice Smith."""
    words = full.lower().split(" ")
    if not full.isascii() or any(not word or word.strip(_WORD) for word in words):
        raise Unusual
    return "-".join(words)


def _is_part_of_a_line(text: str) -> bool:
    """Whether ``text`` stands in the line of an author as it is."""
    return is_text(text) and text == text.strip() and not {*text} & {*"<>\n\t"}
