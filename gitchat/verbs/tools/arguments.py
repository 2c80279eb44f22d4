"""What a tool accepts: its annotations hold, texts are stripped, numbers are in range.

A model or a script may call a tool with anything. What does not fit is refused by the name
of its field, before anything happens, and never adjusted in silence: ``limit=500`` is an
error and not 100. Only a text is tidied: blanks around it go, and lone surrogates, which
UTF-8 cannot store, become ``?``.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, get_args, get_origin, get_type_hints

from gitchat.model.errors import UserError

_WORDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a JSON object",
    list: "a JSON array",
    type(None): "null",
}
"""The types that a tool's annotations are made of, in the words of an error."""

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def checked(tool: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """``tool``, with texts stripped and every argument of another type than its annotation refused.

    The result raises UserError ``bad-argument`` for such a value, and TypeError, as any
    function, for an argument that is missing or has no such name.
    """
    signature = inspect.signature(tool)
    accepted = {field: _types_of(hint) for field, hint in get_type_hints(tool).items()}
    accepted.pop("return", None)

    @functools.wraps(tool)
    def call(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        if not args and accepted.keys() >= kwargs.keys():  # as a server calls it; what is missing Python says itself
            named: Any = {field: _tidied(field, value, accepted[field]) for field, value in kwargs.items()}
            return tool(*args, **named)
        given = signature.bind(*args, **kwargs)
        for field, value in given.arguments.items():
            given.arguments[field] = _tidied(field, value, accepted[field])
        return tool(*given.args, **given.kwargs)

    return call


def _types_of(hint: Any) -> tuple[type, ...]:
    """The plain types of an annotation: those of a union, ``dict`` for ``dict[str, Any]``."""
    parts = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return tuple(get_origin(part) or part for part in parts)


def _tidied(field: str, value: Any, accepted: tuple[type, ...]) -> Any:
    if isinstance(value, bool):  # an int, too, which nobody means
        fits = bool in accepted
    else:
        fits = isinstance(value, accepted) or (isinstance(value, int) and float in accepted)
    if not fits:
        wanted = " or ".join(_WORDS[one] for one in accepted)
        raise refusal(f"{field} must be {wanted}, not {type(value).__name__}", f"give {field} as {wanted}")
    return value.strip().encode("utf-8", "replace").decode() if isinstance(value, str) else value


def refuse_blank(text: str, field: str) -> str:
    """``text``. Raises UserError ``bad-argument`` when nothing is left of it."""
    if not text:
        raise refusal(f"{field} must not be blank", f"give a value for {field}")
    return text


def refuse_outside(value: float, field: str, least: int, most: int, hint: str) -> None:
    """Raise UserError ``bad-argument`` unless ``value`` is from ``least`` to ``most``; NaN is not."""
    if not least <= value <= most:
        raise refusal(f"{field} must be between {least} and {most}", hint)


def refuse_negative(value: int, field: str, hint: str) -> None:
    """Raise UserError ``bad-argument`` when ``value`` is less than 0."""
    if value < 0:
        raise refusal(f"{field} must be >= 0", hint)


def refusal(message: str, hint: str) -> UserError:
    """The error about an argument."""
    return UserError(message, hint=hint, code="bad-argument")


def separated(given: str | list[str], name: str, example: str) -> list[str]:
    """What is meant by one text with commas, or by a list. Raises UserError ``bad-argument``."""
    if not isinstance(given, list):
        return [part.strip() for part in given.split(",") if part.strip()]
    if not all(isinstance(one, str) and one.strip() for one in given):
        raise refusal(f"{name} must be text, or a list of texts", f"such as {example}")
    return [one.strip() for one in given]
