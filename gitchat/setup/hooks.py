"""Our hooks in a client's JSON file: put in, brought up to date, and taken out again.

A hook of ours is known by what it runs, whoever wrote it: the gate, ``git chat hook`` as version
0.1.0 wrote it, or our server's tool ``notice``. Each version's are replaced by this one's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from gitchat.setup import jsonfile
from gitchat.setup.edits import NAME, Edited, json_at, without
from gitchat.setup.launch import hook_of, is_gone, is_guarded, runs_guard, runs_hook, words_of

GUARDS = "guard"
"""The action of the hook that runs before an edit."""

TOOL = "notice"
"""The tool of our server that hooks call. It is answered, and not listed."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook that a client shall have."""

    event: str
    """As the client calls it."""
    action: str
    """What ``git chat hook CLIENT`` calls it."""
    entry: dict[str, Any]
    matcher: str | None = None
    """Of which tools it is told; None for whatever happens."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A hook that is in a file."""

    path: tuple[jsonfile.Step, ...]
    event: str
    matcher: str | None
    entry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JsonHooks:
    """The ``hooks`` of ``client`` in a JSON file. Those of one event stand together in ``hooks``."""

    client: str
    hooks: tuple[Hook, ...]
    has_comments: bool = False

    def add(self, text: str) -> Edited:
        there = list(self._found(text))
        missing, surplus = list(self.hooks), list[_Found]()
        for found in there:
            same = next((hook for hook in missing if self._is_same(found, hook)), None)
            if same is not None:
                missing.remove(same)
            elif self._is_ours(found):
                surplus.append(found)
        for found in reversed(surplus):
            text = without(text, found.path, self.has_comments)
        for (event, matcher), hooks in groupby(missing, key=lambda hook: (hook.event, hook.matcher)):
            count = len(json_at(text, ("hooks", event), self.has_comments) or ())
            group = {} if matcher is None else {"matcher": matcher}
            group |= {"hooks": [hook.entry for hook in hooks]}
            text = jsonfile.insert(text, ("hooks", event, count), group, has_comments=self.has_comments)
        return Edited(text)

    def remove(self, text: str) -> Edited:
        for found in reversed(list(self._found(text))):
            if self._is_ours(found):
                text = without(text, found.path, self.has_comments)
        return Edited(text)

    def snippet(self) -> str:
        return self.add("").text

    def _is_ours(self, found: _Found) -> bool:
        """Whether it runs us and nothing else."""
        if found.entry.get("type") == "mcp_tool":
            return (found.entry.get("server"), found.entry.get("tool")) == (NAME, TOOL)
        words = words_of(found.entry)
        return hook_of(words, self.client) is not None or runs_guard(words)

    def _is_same(self, found: _Found, hook: Hook) -> bool:
        """Whether it does what ``hook`` shall do; limits and the like are its owner's."""
        if found.event != hook.event:
            return False
        if not self._is_ours(found):  # a line of the user's own with us in it
            return runs_hook(words_of(found.entry), self.client, hook.action)
        if found.matcher != hook.matcher or found.entry.get("type") != hook.entry["type"]:
            return False
        if hook.entry["type"] == "mcp_tool":
            return bool(found.entry.get("input") == hook.entry["input"])
        if hook.action == GUARDS:
            return bool(found.entry.get("command") == hook.entry["command"])
        words = words_of(found.entry)
        return words[-1] == hook.action and is_guarded(found.entry) and not is_gone(words)

    def _found(self, text: str) -> Iterator[_Found]:
        """Each hook, first to last."""
        events = json_at(text, ("hooks",), self.has_comments)
        for event, groups in events.items() if isinstance(events, dict) else ():
            for place, group in enumerate(groups if isinstance(groups, list) else ()):
                hooks = group.get("hooks") if isinstance(group, dict) else None
                for count, hook in enumerate(hooks if isinstance(hooks, list) else ()):
                    if isinstance(hook, dict):
                        path = ("hooks", event, place, "hooks", count)
                        yield _Found(path, event, group.get("matcher") or None, hook)
