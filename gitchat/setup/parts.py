"""More of ours in a client's files, besides its server: permissions, a note, a file of our own."""

from __future__ import annotations

from dataclasses import dataclass

from gitchat.setup import jsonfile, section
from gitchat.setup.edits import Edited, json_at, without
from gitchat.setup.refusal import Refusal


@dataclass(frozen=True, slots=True)
class JsonWords:
    """``words`` in the list at ``path`` of a JSON file. Where they are not wanted they are only taken out."""

    path: tuple[str, ...]
    words: tuple[str, ...]
    is_wanted: bool

    def add(self, text: str) -> Edited:
        for word in self.words if self.is_wanted else ():
            there = json_at(text, self.path, False) or []
            if word not in there:
                text = jsonfile.insert(text, (*self.path, len(there)), word, has_comments=False)
        return Edited(text)

    def remove(self, text: str) -> Edited:
        for word in reversed(self.words):
            there = json_at(text, self.path, False)
            if isinstance(there, list) and word in there:
                text = without(text, (*self.path, there.index(word)), has_comments=False)
        return Edited(text)

    def snippet(self) -> str:
        return self.add("").text


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file that is ours altogether. Its first line says so."""

    content: str
    also: tuple[str, ...] = ()
    """What it may say as well: as somebody wrote it who starts us otherwise."""

    def add(self, text: str) -> Edited:
        if text in self.also:
            return Edited(text)
        if text.strip() and not self._is_ours(text):
            raise Refusal(
                "is another file where ours would be", hint="give that one another name; nothing was written",
                code="entry-taken",
            )  # fmt: skip
        return Edited(self.content)

    def remove(self, text: str) -> Edited:
        return Edited("" if self._is_ours(text) else text)

    def snippet(self) -> str:
        return self.content

    def _is_ours(self, text: str) -> bool:
        return text.splitlines()[:1] == self.content.splitlines()[:1]


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a file that agents read."""

    body: str

    def add(self, text: str) -> Edited:
        return Edited(section.put(text, self.body))

    def remove(self, text: str) -> Edited:
        return Edited(section.take(text))

    def snippet(self) -> str:
        return section.put("", self.body)
