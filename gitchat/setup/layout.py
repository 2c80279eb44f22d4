"""How a JSON file is laid out, for what is added to look like it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Layout:
    """Line ends and indentation of a file."""

    newline: str
    unit: str
    """One step of indentation."""

    @classmethod
    def of(cls, text: str, first: int | None) -> Layout:
        """That of ``text``, whose first key begins at ``first``; None where it has none."""
        indent = "" if first is None else cls.indent_at(text, first)
        return cls("\r\n" if "\r\n" in text else "\n", indent or "  ")

    @staticmethod
    def indent_at(text: str, place: int) -> str:
        """The blanks that begin the line of ``place``."""
        line = text[text.rfind("\n", 0, place) + 1 : place]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def write(self, value: Any, indent: str) -> str:
        """``value`` on as many lines as it takes; an array of plain values stays on one."""
        inner = indent + self.unit
        if isinstance(value, dict) and value:
            parts = [f"{plain(key)}: {self.write(part, inner)}" for key, part in value.items()]
            return self.newline.join(["{", f",{self.newline}".join(inner + part for part in parts), indent + "}"])
        if isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
            parts = [inner + self.write(part, inner) for part in value]
            return self.newline.join(["[", f",{self.newline}".join(parts), indent + "]"])
        return plain(value)


def plain(value: Any) -> str:
    """``value`` as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)
