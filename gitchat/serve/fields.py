"""What a request carries: named fields, each with a JSON Schema that is both shown and checked. Pure.

The subset of JSON Schema that the contract is written in: ``type`` (one, or several), ``enum``, ``minLength``,
``maxLength``, ``minimum``, ``maximum``, ``items``, ``maxItems``, ``anyOf``. ``pattern`` is shown alone: whether a name
can be one the core decides, and suggests another. What is wrong is told in one sentence for all of them, which the
schema gives, so that a field cannot be described in one way and refused in another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gitchat.model.errors import UserError
from gitchat.server.arguments import MAX_INTEGER, check_carried

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a request may carry."""

    name: str
    schema: Schema
    said: str
    """What it is, in one line."""
    is_required: bool = False
    where: Literal["path", "query", "body"] = "body"
    kinds: frozenset[str] = field(init=False)
    """The types that its value may have, by their names in JSON Schema."""

    def __post_init__(self) -> None:
        parts = self.schema.get("anyOf", [self.schema])
        object.__setattr__(self, "kinds", frozenset(kind for part in parts for kind in _kinds(part)))


def check(given: Mapping[str, Any], fields: Iterable[Field]) -> dict[str, Any]:
    """The values of ``fields``; what else was given is ignored, and null counts as left out unless the schema has it.

    What stands in a path or a query is text, and is taken for the number or the flag that it spells.

    Raises:
        UserError: ``bad-argument``.
    """
    taken: dict[str, Any] = {}
    for one in fields:
        value = given.get(one.name)
        if one.name not in given or (value is None and not _fits(None, one.schema)):
            if one.is_required:
                raise _refused(f"{one.name} is missing", f"give {one.name}: {wanted(one.schema)}")
            continue
        if one.where != "body":
            value = _spelled_out(str(value), one.kinds)
        check_carried(one.name, value)
        if not _fits(value, one.schema):
            raise _refused(f"{one.name} must be {wanted(one.schema)}", f"it was {_shown(value)}")
        taken[one.name] = value
    return taken


def wanted(schema: Schema) -> str:
    """What fits ``schema``, in words: ``a whole number from 1 to 100``."""
    if "anyOf" in schema:
        return ", or ".join(wanted(part) for part in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    kinds = [kind for kind in _kinds(schema) if kind != "null"]
    return " or ".join(_WORDS[kind] for kind in kinds) + _bounds(schema) if kinds else "any JSON value"


def _bounds(schema: Schema) -> str:
    if "items" in schema:
        many = f" of at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"{many}, each {wanted(schema['items'])}"
    least, most = schema.get("minimum", schema.get("minLength")), schema.get("maximum", schema.get("maxLength"))
    most = None if most == MAX_INTEGER else most  # JSON's own bound, which nobody comes near
    unit = " characters" if "maxLength" in schema or "minLength" in schema else ""
    if most is None:
        return f" of at least {least}{unit}" if least is not None else ""
    return f" from {least} to {most}{unit}" if least is not None else f" of at most {most}{unit}"


_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a JSON object",
    "array": "a list",
}

_TRUTH = {"true": True, "1": True, "false": False, "0": False}

_WHOLE = re.compile(r"[+-]?[0-9]{1,16}")


def _kinds(schema: Schema) -> list[str]:
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def _spelled_out(text: str, kinds: frozenset[str]) -> Any:
    """The value that ``text`` of an address stands for; the text itself where it stands for nothing else."""
    if "integer" in kinds and _WHOLE.fullmatch(text, 0):
        return int(text)
    if "number" in kinds:
        try:
            return float(text)
        except ValueError:
            return text
    return _TRUTH.get(text.lower(), text) if "boolean" in kinds else text


def _fits(value: Any, schema: Schema) -> bool:
    if "anyOf" in schema:
        return any(_fits(value, part) for part in schema["anyOf"])
    kinds = _kinds(schema)
    if kinds and not any(_is_of(value, kind) for kind in kinds):
        return False
    if "enum" in schema:
        return value in schema["enum"]
    if isinstance(value, list):
        is_short = len(value) <= schema.get("maxItems", len(value)) and len(value) >= schema.get("minItems", 0)
        return is_short and all(_fits(one, schema.get("items", {})) for one in value)
    size = len(value) if isinstance(value, str) else value
    least, most = schema.get("minimum", schema.get("minLength")), schema.get("maximum", schema.get("maxLength"))
    return (least is None or size is None or size >= least) and (most is None or size is None or size <= most)


def _is_of(value: Any, kind: str) -> bool:
    if isinstance(value, bool):  # an int to Python, and to nobody else
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])


_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:60] + "..."


def _refused(message: str, hint: str) -> UserError:
    return UserError(message, hint=hint, code="bad-argument")
