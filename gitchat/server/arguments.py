"""Arguments of a call against a tool's schema: what is unknown or mistyped is refused, with a hint.

The schemas are flat and use ``type``, ``enum``, ``required`` and ``additionalProperties``
only, so this is all of JSON Schema that they need.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any

from gitchat.model.errors import UserError

MAX_INTEGER = 2**53 - 1
"""The greatest integer that every JSON reader keeps exactly. Source: RFC 8259 section 6."""

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


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
        _check_value(key, value, known[key])
    missing = [key for key in schema.get("required", []) if key not in given]
    if missing:
        raise _refused(f"argument {missing[0]!r} is missing", f"give {_signature(schema)}")
    return given


def _check_value(key: str, value: Any, schema: Mapping[str, Any]) -> None:
    _check_carried(key, value)
    if "enum" in schema:
        if value not in schema["enum"]:
            raise _refused(f"{key} must be one of {', '.join(schema['enum'])}", f"it was {_shown(value)}")
        return
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    allowed = tuple(kind for name in names for kind in _TYPES[name])
    # A bool is an int to Python, and a number to nobody else.
    if not isinstance(value, allowed) or (isinstance(value, bool) and "boolean" not in names):
        raise _refused(f"{key} must be {' or '.join(names)}", f"it was {_shown(value)}")


def _check_carried(key: str, value: Any) -> None:
    """Refuse what some JSON readers give us and others could not read again, however deep in ``value`` it stands."""
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
