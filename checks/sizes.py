"""How large the house is, room by room: modules per folder, and the longest module, class and function.

Run by ``make lint``: prints a line a folder, and fails where something is above its limit and stands in no
exception. Lines count from the first to the last, with docstrings and comments.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).parents[1]

LIMITS = {"module": 300, "class": 250, "function": 60}
MAX_FLAT = 6
"""How many modules may lie in no folder."""

EXCEPTIONS: dict[str, frozenset[str]] = {
    "module": frozenset(),
    "class": frozenset(),
    "function": frozenset(),
}
"""What may be longer, each with its reason at its top."""
MAX_EXCEPTIONS = {"module": 3, "class": 0, "function": 2}


class Size(NamedTuple):
    """How many lines something has."""

    lines: int
    kind: str
    name: str
    """The path of a module from the top, and of a class or function its name behind a colon."""


def sizes(name: str, text: str) -> Iterator[Size]:
    """Of a module and of each class and function in it."""
    yield Size(len(text.splitlines()), "module", name)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Size(lines, "class" if isinstance(node, ast.ClassDef) else "function", f"{name}:{node.name}")


def too_long(found: list[Size]) -> list[str]:
    """What is above its limit and is no exception, and exceptions that are none, a line each."""
    said = []
    for kind, limit in LIMITS.items():
        above = {size.name: size.lines for size in found if size.kind == kind and size.lines > limit}
        allowed = EXCEPTIONS[kind]
        said += [f"{name}: a {kind} of {above[name]} lines; the limit is {limit}" for name in above.keys() - allowed]
        said += [f"{name}: needs to be no exception any more" for name in allowed - above.keys()]
        said += [f"exceptions for a {kind}: {len(allowed)}"] if len(allowed) > MAX_EXCEPTIONS[kind] else []
    return sorted(said)


def longest(found: list[Size], kind: str) -> str:
    """The longest of its kind and how long it is, with only the last part of its name; nothing where there is none."""
    size = max((size for size in found if size.kind == kind), default=None)
    return f"{size.name.rpartition('/')[2]} {size.lines}" if size else ""


def main() -> int:
    """Print a line a folder, and what is too long; 1 when something is."""
    package = TOP / "gitchat"
    every: list[Size] = []
    print(f"{'folder':<22} modules  longest module, class, function")
    for folder in sorted({path.parent for path in package.rglob("*.py")}):
        paths = sorted(folder.glob("*.py"))
        found = [size for path in paths for size in sizes(path.relative_to(TOP).as_posix(), path.read_text("utf-8"))]
        told = ", ".join(filter(None, (longest(found, kind) for kind in LIMITS)))
        print(f"{folder.relative_to(TOP).as_posix():<22} {len(paths):>7}  {told}")
        every += found
    flat = len(list(package.glob("*.py")))
    said = too_long(every) + ([f"{flat} modules lie flat; the limit is {MAX_FLAT}"] if flat > MAX_FLAT else [])
    print("\n".join(said) or f"{sum(size.kind == 'module' for size in every)} modules, none above {LIMITS}")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
