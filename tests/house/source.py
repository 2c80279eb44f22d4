"""What the program's own text says that it reads and gives: settings, variables, exit statuses, error codes.

Everything is found in the syntax trees of ``gitchat/``. A value that is not written where it is used is followed
back: to a constant, a loop over literals, or the arguments of whoever calls. What cannot be followed is an error.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TOP = Path(__file__).parents[2]

_KEY = re.compile(r"(chat|chatroom|chatremote)(\.[\w<>]+)+|color\.chat")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOPS = (ast.For, ast.comprehension)


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a module's tree with all that it stands in, the module first."""

    here: ast.AST
    around: tuple[ast.AST, ...]
    path: Path


@cache
def nodes() -> tuple[Node, ...]:
    """Every node of the program."""
    return tuple(
        node
        for path in sorted((TOP / "gitchat").rglob("*.py"))
        for node in _below(ast.parse(path.read_text(encoding="utf-8")), path)
    )


def _below(tree: ast.Module, path: Path) -> Iterator[Node]:
    """What stands in a module, each node before those that it holds, without marks such as ast.Load."""
    left: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [(tree, ())]
    while left:
        here, around = left.pop()
        yield Node(here, around, path)
        inside = (*around, here)
        held = [child for child in ast.iter_child_nodes(here) if not isinstance(child, ast.expr_context)]
        left += [(child, inside) for child in reversed(held)]


# --- what is looked for --------------------------------------------------------


@cache
def settings() -> set[str]:
    """The keys of git's configuration that are ours; a part that a room or an event fills stands as ``<room>``."""
    return {
        text
        for node in nodes()
        if isinstance(node.here, (ast.Constant, ast.JoinedStr))
        and not (node.around and isinstance(node.around[-1], ast.JoinedStr))
        and (text := _pattern(node.here)) is not None
        and _KEY.fullmatch(text)
    }


@cache
def variables() -> set[str]:
    """The environment variables that are read."""
    found: set[str] = set()
    for node in nodes():
        match node.here:
            case ast.Call(func=ast.Attribute(attr="get", value=mapping), args=[name, *_]) if _is_environment(mapping):
                found |= values(name, node)
            case ast.Subscript(value=mapping, slice=name, ctx=ast.Load()) if _is_environment(mapping):
                found |= values(name, node)
            case ast.Compare(left=name, ops=[ast.In()], comparators=[mapping]) if _is_environment(mapping):
                found |= values(name, node)
    return found


def given_variables() -> set[str]:
    """The environment variables of ours that a command of the user's finds; none of them is read here."""
    keys = (key for node in nodes() if isinstance(node.here, ast.Dict) for key in node.here.keys)
    words = {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    return {word for word in words if word.startswith("GITCHAT_")} - variables()


def _is_environment(mapping: ast.AST) -> bool:
    return _last_word(mapping) in ("variables", "environ")


def _last_word(named: ast.AST) -> str | None:
    """``c`` of ``a.b.c``."""
    match named:
        case ast.Attribute(attr=word) | ast.Name(id=word):
            return word
    return None


@cache
def codes() -> dict[str, set[int]]:
    """The codes that errors are made with, and the exit statuses of these errors."""
    found: dict[str, set[int]] = {}
    for node in nodes():
        if isinstance(node.here, ast.Call):
            for given in node.here.keywords:
                for code in values(given.value, node) if given.arg == "code" else ():
                    found.setdefault(code, set()).add(_status(_made(node)))
    return found


def _made(node: Node) -> str:
    """The name of the class that a call makes, or fills from its own constructor."""
    assert isinstance(node.here, ast.Call)
    if _last_word(node.here.func) == "__init__":
        return next(one.name for one in reversed(node.around) if isinstance(one, ast.ClassDef))
    return _last_word(node.here.func) or ""


@cache
def _status(class_name: str) -> int:
    """The exit status of a class of errors: its own, else that of the class before it, else 1."""
    for node in nodes():
        if isinstance(node.here, ast.ClassDef) and node.here.name == class_name:
            for line in node.here.body:
                match line:
                    case ast.Assign(targets=[ast.Name(id="status")], value=ast.Constant(value=int(status))):
                        return status
            return max((_status(ast.unparse(base)) for base in node.here.bases), default=1)
    return 1


@cache
def statuses() -> set[int]:
    """The exit statuses that an error has, a constant names, or the command line ends with."""
    found: set[int] = set()
    for node in nodes():
        match node.here:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int(status))):
                is_of_error = name == "status" and isinstance(node.around[-1], ast.ClassDef)
                found |= {status} if is_of_error or re.fullmatch(r"\w+_STATUS", name) else set()
            case ast.Call(func=ast.Name(id="_fail"), args=[_, _, ast.Constant(value=int(status)), *_]):
                found.add(status)
            case ast.Call(func=ast.Attribute(attr="exit"), args=[ast.Constant(value=int(status))]):
                found.add(status)
            case ast.Return(value=ast.Constant(value=int(status))) if _is_command_line(node):
                found.add(status)
    return found


def _is_command_line(node: Node) -> bool:
    """Whether ``node`` stands in a function of ``gitchat.cli`` itself, which makes exit statuses of errors."""
    return node.path.parent.name == "cli" and any(
        isinstance(one, ast.FunctionDef) and isinstance(one.returns, ast.Name) and one.returns.id == "int"
        for one in node.around
    )


# --- what a text can be --------------------------------------------------------


def _pattern(text: ast.expr) -> str | None:
    """A text as it is written, each part that is filled in as ``<name>`` of the last word of what fills it."""
    if isinstance(text, ast.Constant):
        return text.value if isinstance(text.value, str) else None
    parts = text.values if isinstance(text, ast.JoinedStr) else []
    words = (
        f"<{ast.unparse(part.value).split('.')[-1]}>" if isinstance(part, ast.FormattedValue) else _pattern(part)
        for part in parts
    )
    return "".join(word or "" for word in words)


def values(text: ast.expr, at: Node) -> set[str]:
    """Every text that ``text`` can be there. Raises AssertionError where that cannot be followed."""
    match text:
        case ast.Constant(value=str(value)):
            return {value}
        case ast.FormattedValue(value=inner):
            return values(inner, at)
        case ast.JoinedStr(values=parts):
            return {"".join(words) for words in itertools.product(*(sorted(values(part, at)) for part in parts))}
        case ast.Attribute(attr="code"):
            return set()  # handed on from another error, whose own code is found where it is made
        case ast.Name(id=name):
            return _values_of_name(name, at)
    raise AssertionError(f"{at.path}: cannot follow {ast.unparse(text)}")


def _values_of_name(name: str, at: Node) -> set[str]:
    """What a name can be: of a loop, an assignment, or a function's parameter."""
    for scope in reversed((*at.around, at.here)):
        loops = [one for one in ast.walk(scope) if isinstance(one, _LOOPS) and name in _names(one.target)]
        if loops and not isinstance(scope, ast.Module):
            return {value for loop in loops for value in _elements(loop.iter, _names(loop.target).index(name), at)}
        if isinstance(scope, _FUNCTIONS) and name in _parameters(scope):
            found = set(_arguments(scope, name, at))
            assert found or scope.name == "__init__", f"{at.path}: nobody gives {scope.name} its {name}"
            return found
    raise AssertionError(f"{at.path}: cannot follow {name}")


def _names(target: ast.expr) -> list[str]:
    return [one.id for one in ast.walk(target) if isinstance(one, ast.Name)]


def _elements(iterated: ast.expr, place: int, at: Node) -> set[str]:
    """The texts that a loop's variable at ``place`` of its target takes."""
    match iterated:
        case ast.Call(func=ast.Attribute(attr="items", value=ast.Name() as mapping)):
            return _elements(mapping, place, at)
        case ast.Name(id=name):
            known = [one for one in nodes() if isinstance(one.here, ast.Assign) and name in _names(one.here.targets[0])]
            assigned = [one for one in known if one.path == at.path] or known  # there, or where it is imported from
            assert assigned, f"{at.path}: cannot follow {name}"
            return {value for one in assigned for value in _elements(_value(one), place, one)}
        case ast.Dict(keys=keys, values=contents):
            return {value for one in (keys, contents)[place] if one is not None for value in values(one, at)}
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            chosen = (one.elts[place] if isinstance(one, ast.Tuple) else one for one in elements)
            return {value for one in chosen for value in values(one, at)}
    raise AssertionError(f"{at.path}: cannot follow {ast.unparse(iterated)}")


def _value(assignment: Node) -> ast.expr:
    assert isinstance(assignment.here, ast.Assign)
    return assignment.here.value


def _parameters(function: ast.AST) -> list[str]:
    assert isinstance(function, _FUNCTIONS)
    return [one.arg for one in (*function.args.args, *function.args.kwonlyargs)]


def _arguments(function: ast.AST, name: str, at: Node) -> Iterator[str]:
    """What the callers of ``function`` give it as ``name``; a constructor's callers are found as what they are."""
    assert isinstance(function, _FUNCTIONS)
    if function.name == "__init__":
        return
    parameters = [one for one in _parameters(function) if one != "self"]
    for node in nodes():
        if isinstance(node.here, ast.Call) and _last_word(node.here.func) == function.name:
            given = dict(zip(parameters, node.here.args, strict=False))
            given |= {one.arg: one.value for one in node.here.keywords if one.arg is not None}
            if name in given:
                yield from values(given[name], node)
