"""Write the tables of docs/rest.md from the contract that the server checks by. Run by ``make rest``.

What stands before the first table is written by hand. A test says when the page is out of date.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from gitchat.serve import shapes
from gitchat.serve.contract import OPERATIONS, ROOT, Operation
from gitchat.serve.fields import Field, wanted
from gitchat.serve.shapes import Shape

PAGE = Path(__file__).parent / "rest.md"
BEGIN = "<!-- From here on docs/make_rest.py writes: make rest -->\n"


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {len(OPERATIONS)} requests")


def page(text: str) -> str:
    """``text``, with the tables of now."""
    before, _, _ = text.partition(BEGIN)
    return before + BEGIN + "".join(_tables())


def _tables() -> Iterator[str]:
    yield "\n## Agents\n"
    yield from (_told(one) for one in OPERATIONS if one.is_seeds)
    yield "\n## Rooms\n"
    yield from (_told(one) for one in OPERATIONS if not one.is_seeds)
    yield "\n## Shapes\n\nKeys in brackets are there where they say something. "
    yield "An answer may have keys that stand nowhere here.\n"
    for name, shape in shapes.NAMED.items():
        yield f"\n**{name}**: {_keys(shape)}\n"


def _told(operation: Operation) -> str:
    lines = [f"\n### {operation.method} {ROOT}{operation.path}\n\n{operation.said}\n"]
    if operation.fields:
        lines.append("\n| | in | what it is | what fits |\n|---|---|---|---|\n")
        lines += [_row(field) for field in operation.fields]
    lines.append(f"\nAnswers {_answer(operation.answer)}.\n")
    return "".join(lines)


def _row(field: Field) -> str:
    name = f"`{field.name}`" if field.is_required else f"[`{field.name}`]"
    return f"| {name} | {field.where} | {field.said} | {wanted(field.schema)} |\n"


def _answer(shape: Shape | None) -> str:
    if shape is None:
        return "the bytes of the file"
    return f"a {_name(shape)}" if "$ref" in shape else _keys(shape)


def _keys(shape: Shape) -> str:
    always = shape.get("required", [])
    return ", ".join(
        f"`{key}`{_of(one)}" if key in always else f"[`{key}`{_of(one)}]" for key, one in shape["properties"].items()
    )


def _of(shape: Shape) -> str:
    """What a value is, where its name does not say it."""
    inner = shape.get("items", shape)
    inner = next((part for part in inner.get("anyOf", []) if "$ref" in part), inner)
    if "$ref" in inner:
        return f" (several {_name(inner)}s)" if "items" in shape else f" ({_name(inner)}, or null)"
    return f" ({' or '.join(json.dumps(one) for one in shape['enum'])})" if "enum" in shape else ""


def _name(shape: Shape) -> str:
    return str(shape["$ref"]).rpartition("/")[2]


if __name__ == "__main__":
    main()
