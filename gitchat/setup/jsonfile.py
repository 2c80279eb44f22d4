"""JSON that a person keeps: changed in place, so that comments, order and spaces stay.

Python's own ``json`` reads the values; what is added here is where in the text each of them
stands. Every change is read again, and has to mean what it was meant to mean.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from gitchat.setup.refusal import malformed, not_editable

Step = str | int
"""A key of an object, or a place in an array."""

_BLANK = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Node:
    """A value, and the text from ``start`` to before ``end`` that says it."""

    value: Any
    start: int
    end: int
    members: tuple[Member, ...] = ()
    """Of an object or an array, in order."""


@dataclass(frozen=True, slots=True)
class Member:
    """A value in an object or an array; ``start`` is where its key begins, or itself."""

    step: Step
    start: int
    node: Node


# --- reading -----------------------------------------------------------------


def parse(text: str, *, has_comments: bool) -> Node:
    """The object that ``text`` says; with ``has_comments``, ``//`` and ``/* */`` may stand between values.

    Raises:
        Refusal: ``malformed-config``, also when it is something else than an object.
    """
    try:
        return _Reader(text, has_comments).document()
    except RecursionError:
        raise malformed("JSON that can be read", text, 0, "nested too deeply") from None
    except json.JSONDecodeError as error:
        raise malformed("JSON", text, error.pos, error.msg) from None
    except ValueError as error:  # a number of thousands of digits
        raise malformed("JSON that can be read", text, 0, str(error)) from None


class _Reader:
    def __init__(self, text: str, has_comments: bool) -> None:
        self._text = text
        self._has_comments = has_comments
        self._scalars = json.JSONDecoder(parse_constant=self._fail_at_constant)
        self._place = 0

    def document(self) -> Node:
        self._skip()
        if not self._sees("{"):
            self._fail("Expecting an object")
        node = self._value()
        self._skip()
        if self._place != len(self._text):
            self._fail("Extra data")
        return node

    def _value(self) -> Node:
        if self._sees("{"):
            return self._container("}", is_object=True)
        if self._sees("["):
            return self._container("]", is_object=False)
        start = self._place
        value, self._place = self._scalars.raw_decode(self._text, start)
        return Node(value, start, self._place)

    def _container(self, close: str, is_object: bool) -> Node:
        start, members = self._place, list[Member]()
        self._place += 1
        self._skip()
        while members or not self._sees(close):
            members.append(self._keyed() if is_object else Member(len(members), self._place, self._value()))
            self._skip()
            if self._sees(close):
                break
            self._take(",")
        self._place += 1
        value: Any = [member.node.value for member in members]
        if is_object:
            value = {member.step: member.node.value for member in members}
        return Node(value, start, self._place, tuple(members))

    def _keyed(self) -> Member:
        start = self._place
        if not self._sees('"'):
            self._fail("Expecting a key in double quotes")
        key, self._place = self._scalars.raw_decode(self._text, start)
        self._skip()
        self._take(":")
        return Member(key, start, self._value())

    def _skip(self) -> None:
        self._place = skip(self._text, self._place, self._has_comments)

    def _sees(self, character: str) -> bool:
        return self._text.startswith(character, self._place)

    def _take(self, character: str) -> None:
        if not self._sees(character):
            self._fail(f"Expecting '{character}'")
        self._place += 1
        self._skip()

    def _fail(self, message: str) -> NoReturn:
        raise json.JSONDecodeError(message, self._text, self._place)

    def _fail_at_constant(self, name: str) -> NoReturn:
        self._fail(f"{name} is no value of JSON")


def skip(text: str, place: int, has_comments: bool) -> int:
    """Where the next thing stands that is neither blank nor comment."""
    while True:
        blank = _BLANK.match(text, place)
        place = blank.end() if blank else place
        comment = _COMMENT.match(text, place) if has_comments else None
        if comment is None:
            return place
        place = comment.end()


def find(node: Node, path: tuple[Step, ...]) -> Node | None:
    """The value at ``path``; of keys that are there twice the last counts, as for most readers."""
    for step in path:
        node_or_none = next((member.node for member in reversed(node.members) if member.step == step), None)
        if node_or_none is None:
            return None
        node = node_or_none
    return node


# --- changing ----------------------------------------------------------------


def insert(text: str, path: tuple[Step, ...], value: Any, *, has_comments: bool) -> str:
    """``text`` with ``value`` as the last member of what holds it; missing holders on the way are made.

    Nothing may be at ``path`` yet. A step that is a number appends to an array. An empty
    text becomes an object.

    Raises:
        Refusal: ``malformed-config``; ``not-editable`` when something else than a holder is in the way.
    """
    text = text if text.strip() else "{}\n"
    root = parse(text, has_comments=has_comments)
    depth = next(depth for depth in reversed(range(len(path))) if find(root, path[:depth]) is not None)
    holder = find(root, path[:depth])
    assert holder is not None
    wanted: type = dict if isinstance(path[depth], str) else list
    if not isinstance(holder.value, wanted):
        raise not_editable("JSON")
    for step in reversed(path[depth + 1 :]):
        value = {step: value} if isinstance(step, str) else [value]
    expected = copy.deepcopy(root.value)
    _put(expected, path[: depth + 1], value)
    return _checked(_inserted(text, root, holder, path[depth], value), expected, has_comments)


def replace(text: str, path: tuple[Step, ...], value: Any, *, has_comments: bool) -> str:
    """``text`` with ``value`` instead of the one at ``path``, which is there. Raises as :func:`insert`."""
    root = parse(text, has_comments=has_comments)
    node = find(root, path)
    assert node is not None
    expected = copy.deepcopy(root.value)
    _put(expected, path, value)
    layout = _Layout.of(text, root)
    written = layout.write(value, layout.indent_at(text, node.start))
    return _checked(text[: node.start] + written + text[node.end :], expected, has_comments)


def delete(text: str, path: tuple[Step, ...], *, has_comments: bool) -> str:
    """``text`` without what is at ``path``, which is there. Raises as :func:`insert`."""
    root = parse(text, has_comments=has_comments)
    holder = find(root, path[:-1])
    assert holder is not None
    place = max(place for place, member in enumerate(holder.members) if member.step == path[-1])
    expected = copy.deepcopy(root.value)
    del _holder(expected, path)[path[-1]]
    return _checked(_deleted(text, holder, place, has_comments), expected, has_comments)


def _checked(text: str, expected: Any, has_comments: bool) -> str:
    """``text`` if it says ``expected``: a doubled key or a lost comma does not get past this."""
    if parse(text, has_comments=has_comments).value != expected:
        raise not_editable("JSON")
    return text


def _holder(value: Any, path: tuple[Step, ...]) -> Any:
    for step in path[:-1]:
        value = value[step]
    return value


def _put(value: Any, path: tuple[Step, ...], new: Any) -> None:
    holder, step = _holder(value, path), path[-1]
    if isinstance(holder, list) and step == len(holder):
        holder.append(new)
    else:
        holder[step] = new


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the file is laid out, for what is added to look like it."""

    newline: str
    unit: str
    """One step of indentation."""

    @classmethod
    def of(cls, text: str, root: Node) -> _Layout:
        first = cls.indent_at(text, root.members[0].start) if root.members else ""
        return cls("\r\n" if "\r\n" in text else "\n", first or "  ")

    @staticmethod
    def indent_at(text: str, place: int) -> str:
        """The blanks that begin the line of ``place``."""
        line = text[text.rfind("\n", 0, place) + 1 : place]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def write(self, value: Any, indent: str) -> str:
        """``value`` on as many lines as it takes; an array of plain values stays on one."""
        inner = indent + self.unit
        if isinstance(value, dict) and value:
            parts = [f"{_plain(key)}: {self.write(part, inner)}" for key, part in value.items()]
            return self.newline.join(["{", f",{self.newline}".join(inner + part for part in parts), indent + "}"])
        if isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
            parts = [inner + self.write(part, inner) for part in value]
            return self.newline.join(["[", f",{self.newline}".join(parts), indent + "]"])
        return _plain(value)


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _inserted(text: str, root: Node, holder: Node, step: Step, value: Any) -> str:
    layout = _Layout.of(text, root)
    key = f"{_plain(step)}: " if isinstance(step, str) else ""
    last = holder.members[-1] if holder.members else None
    if last and "\n" not in text[holder.start : holder.end]:
        return f"{text[: last.node.end]}, {key}{_plain(value)}{text[last.node.end :]}"
    closing = layout.indent_at(text, holder.start)
    indent = layout.indent_at(text, last.start) if last else closing + layout.unit
    # What follows the last member are blanks and comments: they stay where they are, and we come after them.
    begin = last.node.end if last else holder.start + 1
    rest = text[begin : holder.end - 1]
    comments = rest.rstrip()
    end = rest[len(comments) :] if last else layout.newline + closing
    added = f"{layout.newline}{indent}{key}{layout.write(value, indent)}"
    return text[:begin] + ("," if last else "") + comments + added + end + text[holder.end - 1 :]


def _deleted(text: str, holder: Node, place: int, has_comments: bool) -> str:
    member = holder.members[place]
    before, after = text[: member.start].rstrip(), text[member.node.end :]
    if place + 1 < len(holder.members):
        comma = skip(text, member.node.end, has_comments)
        return before + text[comma + 1 :]
    if place:
        previous = holder.members[place - 1].node.end
        comma = skip(text, previous, has_comments)
        return before[:comma] + before[comma + 1 :] + after
    inside = before[holder.start + 1 :] + text[member.node.end : holder.end - 1]
    return before + after if inside.strip() else text[: holder.start + 1] + text[holder.end - 1 :]
