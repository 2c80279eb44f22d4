"""Arguments of a call against a tool's schema: what is meant is taken, what is unknown or unclear refused, with a hint.

The schemas are flat, with one ``type`` a property, so this is all of JSON Schema that they need. A schema tells what a
model shall write; clients and models write numbers as text, text as numbers and lists as JSON in a text all the same,
and where that can mean but one thing it is taken for it.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from gitchat.model.errors import UserError
from gitchat.server.catalog import ANY_JSON, LISTS, PLACES, SEVERAL

MAX_INTEGER = 2**53 - 1
"""The greatest integer that every JSON reader keeps exactly. Source: RFC 8259 section 6."""

_WORDS = {"string": "text", "integer": "a whole number", "boolean": "true or false", "object": "JSON"}
"""The types of the catalog, in the words of an error."""

_WHOLE = re.compile(r"\s*([+-]?[0-9]{1,16})(?:\.0+)?\s*")

_TRUTH = {"true": True, "false": False}


def check(arguments: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    """``arguments`` as a dictionary that fits ``schema``; null for an optional one counts as left out.

    Raises:
        UserError: ``bad-argument``.
    """
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        raise _refused("the arguments must be an object", f"give {_signature(schema)}")
    known = schema["properties"]
    given = {key: value for key, value in arguments.items() if value is not None or key not in known}
    for key, value in given.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            raise _refused(
                f"unknown argument {str(key)[:80]!r}",
                f"did you mean {near[0]!r}?" if near else f"give {_signature(schema)}",
            )
        given[key] = _taken(key, value, known[key])
    missing = [key for key in schema.get("required", []) if key not in given]
    if missing:
        raise _refused(f"argument {missing[0]!r} is missing", f"give {_signature(schema)}")
    return given


def _taken(key: str, value: Any, schema: Mapping[str, Any]) -> Any:
    """``value`` as what its property wants. Raises UserError where it can mean several things, or nothing."""
    check_carried(key, value)
    kind = schema["type"]
    meant = _READINGS[kind](key, value)
    if meant is None:
        raise _refused(f"{key} must be {_wanted(key, kind)}", f"it was {_shown(value)}")
    check_carried(key, meant)
    if "enum" in schema and meant not in schema["enum"]:
        raise _refused(f"{key} must be one of {', '.join(schema['enum'])}", f"it was {_shown(value)}")
    return meant


def _wanted(key: str, kind: str) -> str:
    if key in PLACES:
        return "a number or a handle"
    return "text, or a JSON object or array" if key in ANY_JSON else _WORDS[kind]


def _whole(key: str, value: Any) -> int | None:
    """A whole number, also as ``1.0`` or as text; None for anything else, and for true, which is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        found = _WHOLE.fullmatch(value)
        return int(found[1]) if found else None
    return int(value) if isinstance(value, (int, float)) and value == int(value) else None


def _truth(key: str, value: Any) -> bool | None:
    if isinstance(value, str):
        return _TRUTH.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _text(key: str, value: Any) -> Any:
    """A text, also as a number; a place as a number, where it is one; names in a list; any JSON where it is meant."""
    if key in PLACES:
        number = _whole(key, value)
        return number if number is not None else value if isinstance(value, str) else None
    if key in SEVERAL:
        names = _list(value)
        if names is not None:
            return ",".join(names) if all(isinstance(name, str) for name in names) else None
    if key in LISTS and (texts := _list(value)) is not None:
        return texts if all(isinstance(text, str) for text in texts) else None
    if isinstance(value, str) or (key in ANY_JSON and isinstance(value, (dict, list))):
        return value
    number = _whole(key, value)
    if number is not None:
        return str(number)
    return json.dumps(value) if isinstance(value, float) else None


def _list(value: Any) -> list[Any] | None:
    """A list, or one that was written into a text as JSON."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, list) else None


_READINGS: dict[str, Callable[[str, Any], Any]] = {
    "string": _text,
    "integer": _whole,
    "boolean": _truth,
    "object": lambda key, value: value,
}
"""What a value means by the type of its property; None where that is not clear. An object is any JSON, as it is: what
a schema says of it is what a model shall write."""


def check_carried(key: str, value: Any) -> None:
    """Refuse what some JSON readers give us and others could not read again, however deep in ``value`` it stands."""
    if isinstance(value, str) and value.isascii():
        return
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise _refused(f"{key} is too large", f"a number in JSON goes to {MAX_INTEGER}")
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise _refused(f"{key} holds half a character (a lone surrogate)", "send it as whole characters") from error
    except ValueError as error:
        raise _refused(f"{key} holds a number that JSON has no word for", "send it as text") from error
    except RecursionError as error:
        raise _refused(f"{key} is nested too deeply", "send it as text, or flatter") from error


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:60] + "..."


def _signature(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", [])
    return ", ".join(key if key in required else f"[{key}]" for key in schema["properties"])


def _refused(message: str, hint: str) -> UserError:
    return UserError(message, hint=hint, code="bad-argument")
