"""Where in the source a hint is written: each with the words of its error, as templates that what is printed fits.

A hint is what is given to a parameter called ``hint`` (of a :class:`gitchat.model.errors.ChatError`, or of a function
that makes one) or ``command`` (of a finding of doctor), and what is printed as ``hint: ...``. One that is only handed
on was written elsewhere, and is found there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "gitchat"

_PROGRAMS = "git|git-chat|rm|ls|tar|pip|python3|iconv|fuser|df|chmod|date|command|claude|HOME=|GIT_TRACE="
_COMMAND = re.compile(rf"(?:^|[:;(] |or |then |and )({_PROGRAMS})\b|git chat ")
_ANY = "\0"
"""What stands in a template for a part that is known when it is printed."""


@dataclass(frozen=True, slots=True)
class Site:
    """One hint in the source. ``error`` is empty where the hint follows no error."""

    place: str
    error: str
    hint: str

    @property
    def has_command(self) -> bool:
        """Whether it can be run: it holds a command, and is no decision alone."""
        return (self.hint.startswith(_ANY) and self.is_told) or _COMMAND.search(self.hint) is not None

    def is_of(self, error: str, hint: str) -> bool:
        """Whether this is where a hint that is printed comes from."""
        return _fits(_ANY + self.error if self.error else "", error) and _fits(self.hint, hint)

    @property
    def is_told(self) -> bool:
        """Whether anything of it stands here, and it is not only handed on."""
        return (self.error, self.hint) != (_ANY, _ANY)

    def __str__(self) -> str:
        return f"{self.place}: {self.error} / {self.hint}".replace(_ANY, "{}")


def _fits(template: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, template.split(_ANY))), text, re.DOTALL) is not None


@cache
def _constants() -> dict[str, ast.expr]:
    """The constants of all modules that are a text, or texts by their keys: hints are put together from them."""
    found: dict[str, ast.expr] = {}
    for tree in _trees().values():
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() | ast.Constant(value=str()) as value):
                    found[name] = value
    return found


@cache
def _trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def sites() -> tuple[Site, ...]:
    """All hints of the package, in the order of its files."""
    trees = _trees()
    takers = {"Finding": (2, 3)} | dict(taker for tree in trees.values() for taker in _takers(tree))
    found: list[Site] = []
    for path, tree in trees.items():
        for node in ast.walk(tree):
            for error, hint in _written(node, takers):
                place = f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"
                found += [Site(place, one, other) for one in _templates(error) for other in _templates(hint)]
    return tuple(dict.fromkeys(site for site in found if site.hint))


def _takers(tree: ast.Module) -> Iterator[tuple[str, tuple[int | None, int]]]:
    """The functions that take a hint by its place: where the error and the hint stand among their arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args if argument.arg not in ("self", "cls")]
            if "hint" in names:
                yield node.name, (names.index("message") if "message" in names else None, names.index("hint"))


def _written(
    node: ast.AST, takers: dict[str, tuple[int | None, int]]
) -> Iterator[tuple[ast.expr | None, ast.expr]]:  # fmt: skip
    """The error and the hint of a call that has one, unless it only hands one on."""
    if isinstance(node, ast.FunctionDef) and re.search("hint|mend", node.name):
        for one in ast.walk(node):
            if isinstance(one, ast.Return) and one.value is not None and not _is_handed_on(one.value):
                yield ast.Name("any"), one.value
    if not isinstance(node, ast.Call):
        return
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    place, hint_place = takers.get(name, (0, None))
    hint: ast.expr | None = next((one.value for one in node.keywords if one.arg == "hint"), None)
    if hint is None and hint_place is not None and len(node.args) > hint_place:
        hint = node.args[hint_place]
    error = node.args[place] if place is not None and len(node.args) > place else None
    if hint is not None and not _is_handed_on(hint):
        yield error, hint
    for argument in node.args if name == "echo" else ():
        for text in _templates(argument):
            if text.startswith("hint: "):
                yield None, ast.Constant(text.removeprefix("hint: "))


def _is_handed_on(value: ast.expr) -> bool:
    is_name = isinstance(value, ast.Name) and value.id == "hint"
    return is_name or (isinstance(value, ast.Attribute) and value.attr == "hint")


def _templates(value: ast.expr | None) -> list[str]:
    """What an expression can say, each with ``_ANY`` for what is not known yet."""
    match value:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Constant(value=None):
            return [""]
        case ast.JoinedStr(values=parts):
            return _joined([_templates(part) for part in parts])
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined([_templates(left), _templates(right)])
        case ast.IfExp(body=body, orelse=other):
            return [*_templates(body), *_templates(other)]
        case ast.FormattedValue(value=inside) if isinstance(inside, ast.IfExp | ast.Name | ast.Subscript):
            return _templates(inside)
        case ast.Name(id=name) if name in _constants():
            return _templates(_constants()[name])
        case ast.Subscript(value=ast.Name(id=name)) if name in _constants():
            constant = _constants()[name]
            return [text for one in getattr(constant, "values", []) for text in _templates(one)]
    return [_ANY]


def _joined(parts: list[list[str]]) -> list[str]:
    texts = [""]
    for part in parts:
        texts = [text + more for text in texts for more in part]
    return texts
