"""What is ours in a client's file: how it is put in, and how only that is taken out again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gitchat.setup import jsonfile, tomlfile
from gitchat.setup.launch import CONNECT, TOKENS, connects_to, is_former, is_gone, runs, words_of
from gitchat.setup.refusal import Refusal

NAME = "gitchat"
"""What our entry is called among a client's servers."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A text after an edit, and what its owner should know."""

    text: str
    notes: tuple[str, ...] = ()


class Edit(Protocol):
    """One thing of ours in a text. A file that is missing is an empty text, both ways."""

    def add(self, text: str) -> Edited:
        """``text`` with it; the same text when it is there. Raises Refusal."""

    def remove(self, text: str) -> Edited:
        """``text`` without it; the same text when it is not there. Raises Refusal."""

    def snippet(self) -> str:
        """It alone, for a person to put in."""


@dataclass(frozen=True, slots=True)
class JsonServer:
    """``entry`` as ``gitchat`` among the servers at ``path`` of a JSON file."""

    path: tuple[str, ...]
    entry: dict[str, Any]
    permission: Mapping[str, Any] = field(default_factory=dict)
    """What lets agents call it without asking; written where ``is_allowed``."""
    is_allowed: bool = False
    has_comments: bool = False
    disconnects: bool = False
    """Whether one that forwards is to work here again."""

    def add(self, text: str) -> Edited:
        place = (*self.path, NAME)
        there = json_at(text, place, self.has_comments)
        granted = dict(self.permission) if self.is_allowed else {}
        if there is None:
            return Edited(jsonfile.insert(text, place, self.entry | granted, has_comments=self.has_comments))
        _refuse_foreign(there)
        renewed = _renewed(there, self.entry, self.disconnects) | _missing(there, granted)
        for key, value in renewed.items():
            change = jsonfile.replace if key in there else jsonfile.insert
            text = change(text, (*place, key), value, has_comments=self.has_comments)
        return Edited(text, _kept({**there, **renewed}, self.entry, self.permission))

    def remove(self, text: str) -> Edited:
        there = json_at(text, (*self.path, NAME), self.has_comments)
        if there is None:
            return Edited(text)
        if not _is_ours(there):
            return Edited(text, (_LEFT,))
        return Edited(without(text, (*self.path, NAME), self.has_comments))

    def snippet(self) -> str:
        return jsonfile.insert("", (*self.path, NAME), self.entry, has_comments=False)

    def servers(self, text: str) -> dict[str, Any]:
        """All servers in the file, by name. Raises Refusal."""
        found = json_at(text, self.path, self.has_comments)
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class TomlServer:
    """``entry`` as ``gitchat`` among the servers of the table ``key`` of a TOML file."""

    key: str
    entry: dict[str, Any]
    former: Mapping[str, Any] = field(default_factory=dict)
    """Values of the entry that an older version wrote, and that are written anew."""
    permission: Mapping[str, Any] = field(default_factory=dict)
    """What lets agents call it without asking; written where ``is_allowed``."""
    is_allowed: bool = False
    disconnects: bool = False
    """Whether one that forwards is to work here again."""

    def add(self, text: str) -> Edited:
        there = self._there(text)
        granted = dict(self.permission) if self.is_allowed else {}
        if there is None:
            return Edited(tomlfile.insert(text, (self.key, NAME), self.entry | granted))
        _refuse_foreign(there)
        renewed = _renewed(there, self.entry, self.disconnects)
        renewed |= {key: self.entry[key] for key, value in self.former.items() if there.get(key) == value}
        renewed |= _missing(there, granted)
        for key, value in renewed.items():
            text = tomlfile.change(text, (self.key, NAME, key), value)
        if self.disconnects and "env_vars" not in self.entry and there.get("env_vars") == list(TOKENS):
            text, there = tomlfile.delete_value(text, (self.key, NAME, "env_vars")), {**there}
            del there["env_vars"]
        return Edited(text, _kept({**there, **renewed}, self.entry, self.permission))

    def remove(self, text: str) -> Edited:
        there = self._there(text)
        if there is None:
            return Edited(text)
        if not _is_ours(there):
            return Edited(text, (_LEFT,))
        return Edited(tomlfile.delete(text, (self.key, NAME)))

    def snippet(self) -> str:
        return self.add("").text

    def servers(self, text: str) -> dict[str, Any]:
        """All servers in the file, by name. Raises Refusal."""
        found = tomlfile.parse(text).get(self.key)
        return found if isinstance(found, dict) else {}

    def _there(self, text: str) -> Any:
        return self.servers(text).get(NAME)


@dataclass(frozen=True, slots=True)
class CodexVariable:
    """A variable that Codex sets for the commands it runs, in its TOML file. Source: Codex 0.169.0, run."""

    name: str
    value: str
    is_former: bool = False
    """Whether an older version wrote it: then it is taken out, also where the others are put in."""

    def add(self, text: str) -> Edited:
        if self.is_former:
            return self.remove(text)
        policy = self._policy(text)
        there = policy.get("set")
        if isinstance(there, dict) and self.name in there:
            is_same = there[self.name] == self.value
            return Edited(text, () if is_same else (f"the commands of Codex have {self.name} already; kept as it is",))
        text = self._put(text, has_set=there is not None)
        kept = policy.get("include_only") or [self.name]
        is_left_out = self.name not in kept
        return Edited(text, (f"{_POLICY}.include_only leaves {self.name} out: add it there",) if is_left_out else ())

    def remove(self, text: str) -> Edited:
        there = self._policy(text).get("set")
        if not isinstance(there, dict) or there.get(self.name) != self.value:
            return Edited(text)
        if len(there) == 1:
            return Edited(tomlfile.delete(text, (_POLICY, "set")))
        return Edited(tomlfile.delete_value(text, (_POLICY, "set", self.name)))

    def snippet(self) -> str:
        return self.add("").text

    def _put(self, text: str, *, has_set: bool) -> str:
        if has_set:
            return tomlfile.change(text, (_POLICY, "set", self.name), self.value)
        try:
            return tomlfile.insert(text, (_POLICY, "set"), {self.name: self.value})
        except Refusal:  # the policy is an inline table, which cannot be added to from outside
            return tomlfile.change(text, (_POLICY, "set"), {self.name: self.value})

    def _policy(self, text: str) -> dict[str, Any]:
        policy = tomlfile.parse(text).get(_POLICY)
        return policy if isinstance(policy, dict) else {}


_POLICY = "shell_environment_policy"


_LEFT = f"a server called '{NAME}' there is not ours, and was left alone"


def json_at(text: str, path: tuple[jsonfile.Step, ...], has_comments: bool) -> Any:
    """The value at ``path`` of a JSON text, or None."""
    if not text.strip():
        return None
    node = jsonfile.find(jsonfile.parse(text, has_comments=has_comments, path=path), path)
    return None if node is None else node.value


def without(text: str, path: tuple[jsonfile.Step, ...], has_comments: bool) -> str:
    """``text`` without what is at ``path``, and without the holders that it leaves empty.

    A group of hooks counts as empty without hooks, whatever it was to match.
    """
    text = jsonfile.delete(text, path, has_comments=has_comments)
    while len(path := path[:-1]) > 0:
        holder = json_at(text, path, has_comments)
        is_group = isinstance(path[-1], int) and "hooks" not in holder
        if holder and not is_group:
            break
        text = jsonfile.delete(text, path, has_comments=has_comments)
    return text


def _is_ours(entry: Any) -> bool:
    return runs(words_of(entry), "mcp")


def _refuse_foreign(entry: Any) -> None:
    if not _is_ours(entry):
        raise Refusal(
            f"has another server called '{NAME}': {json.dumps(' '.join(words_of(entry)) or entry, ensure_ascii=False)}",
            hint="give that one another name, or take it out; nothing was written",
            code="entry-taken",
        )


def _renewed(there: Mapping[str, Any], entry: Mapping[str, Any], disconnects: bool) -> dict[str, Any]:
    """What of an entry of ours is written anew: how it starts, as an older version had it, or what is gone.

    And where it is to forward to, when that was said and is another place, or nowhere when it ``disconnects``.
    Arguments that somebody added behind stay.
    """
    words, wanted = words_of(there), words_of(entry)
    connect, connects = connects_to(words), connects_to(wanted)
    is_moved = (connects is not None or disconnects) and connect != connects
    if not is_former(words, "mcp") and not is_gone(words) and not is_moved:
        return {}
    # A server that forwards takes no word of one that works here.
    over = {CONNECT, connect, "--user-wide"} if is_moved else set()
    added = [word for word in words[words.index("mcp") + 1 :] if word not in wanted and word not in over]
    if isinstance(entry["command"], list):
        return {"command": [*entry["command"], *added]}
    passed = {"env_vars": entry["env_vars"]} if is_moved and "env_vars" in entry else {}
    return {"command": entry["command"], "args": [*entry["args"], *added], **passed}


def _missing(there: Mapping[str, Any], granted: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in granted.items() if there.get(key) != value}


def _kept(there: Mapping[str, Any], entry: Mapping[str, Any], permission: Mapping[str, Any]) -> tuple[str, ...]:
    changed = sorted(key for key in {*there, *entry} - {*permission} if there.get(key) != entry.get(key))
    return (f"'{NAME}' is there already; kept as it is: {', '.join(changed)}",) if changed else ()
