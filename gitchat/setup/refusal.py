"""Why a text cannot be edited. Whoever knows the file's path makes an error of it."""

from __future__ import annotations


class Refusal(Exception):
    """The text stays as it is. ``hint`` and ``code`` are as in :class:`gitchat.errors.ChatError`."""

    def __init__(self, message: str, *, hint: str, code: str) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


def malformed(what: str, text: str, position: int, message: str) -> Refusal:
    """``text`` is not ``what`` (JSON, TOML), as the character at ``position`` shows."""
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return Refusal(
        f"is not {what}: line {line}, column {column}: {message}",
        hint="mend that line and run this again; nothing was written",
        code="malformed-config",
    )


def not_editable(what: str) -> Refusal:
    """The text is well-formed, and an edit of it did not come out as meant."""
    return Refusal(
        f"is {what} of a form that cannot be edited safely",
        hint="edit it by hand; what belongs there: git chat setup CLIENT --print",
        code="not-editable",
    )
