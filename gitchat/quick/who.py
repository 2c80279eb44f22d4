"""Who sends: a person whose name stands in git's configuration or in ``GITCHAT_NAME``, and what a commit says of them.

An agent's session has a name of its own and a seat, which are found out by the long way.
"""

import os

from gitchat.quick.plain import is_name, is_text
from gitchat.quick.settings import Settings
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_AGENTS = ("CLAUDECODE", "GEMINI_CLI", "OPENCODE", "CODEX_THREAD_ID", "QWEN_CODE", "AI_AGENT", "GITCHAT_SESSION")
"""Variables that make who runs here an agent, or one in a session."""

NO_DOMAIN = "@agents.gitchat.invalid"

_WORD = "abcdefghijklmnopqrstuvwxyz0123456789"


class Sender:
    """Who sends, as gitchat.model.record.Identity has it."""

    __slots__ = ("committer_email", "committer_name", "email", "name", "origin")

    def __init__(self, name: str, email: str, committer_name: str, origin: str) -> None:
        self.name = name
        self.email = self.committer_email = email
        self.committer_name = committer_name
        self.origin = origin


def refuse_agents(variables: "Mapping[str, str]") -> None:
    """Raise Unusual where an agent runs this, or who is of a session."""
    if any(variables.get(name) for name in _OF_AGENTS):
        raise Unusual


def sender(settings: Settings, variables: "Mapping[str, str]", given: "str | None") -> Sender:
    """The person here, under the name ``given``, if any. Raises Unusual: it takes more to tell."""
    refuse_agents(variables)
    if settings.get("chat.authorEmail") is not None:
        raise Unusual
    name = name_of(settings, variables, given)
    email = settings.get("user.email") or name + NO_DOMAIN
    full = settings.get("user.name") or name
    if not _is_part_of_a_line(full) or not _is_part_of_a_line(email):
        raise Unusual
    is_terminal = any(map(os.isatty, (0, 1, 2)))
    return Sender(name, email, full, "human" if is_terminal else "agent")


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
