"""A section of ours in a file that agents read, such as AGENTS.md: between two markers, updated in place."""

from __future__ import annotations

import re

from gitchat.setup.refusal import Refusal

BEGIN = "<!-- gitchat: begin; kept by git chat setup -->"
END = "<!-- gitchat: end -->"

_BEGIN_LINE = re.compile(r"^<!-- gitchat: begin\b[^\r\n]*-->[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_END_LINE = re.compile(r"^<!-- gitchat: end\b[^\r\n]*-->[ \t]*(?:\r?\n|\Z)", re.MULTILINE)


def put(text: str, body: str) -> str:
    """``text`` with the section saying ``body``: where it stands already, else at the end.

    Raises:
        Refusal: ``broken-section`` when the markers are not one pair.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    section = f"{BEGIN}\n{body.strip()}\n{END}\n".replace("\n", newline)
    span = _span(text)
    if span is not None:
        return text[: span[0]] + section + text[span[1] :]
    if text.strip():
        text += newline if text.endswith("\n") else newline * 2
    return text + section


def take(text: str) -> str:
    """``text`` without the section, and without the empty line before it. Raises as :func:`put`."""
    span = _span(text)
    if span is None:
        return text
    before = re.sub(r"(?<=\n)\r?\n\Z", "", text[: span[0]])
    return before + text[span[1] :]


def _span(text: str) -> tuple[int, int] | None:
    begins, ends = list(_BEGIN_LINE.finditer(text)), list(_END_LINE.finditer(text))
    if not begins and not ends:
        return None
    if len(begins) != 1 or len(ends) != 1 or ends[0].start() < begins[0].end():
        place = (begins or ends)[0].start()
        raise Refusal(
            f"has markers of gitchat that are not one pair, the first in line {text.count(chr(10), 0, place) + 1}",
            hint=f"leave one '{BEGIN}' and after it one '{END}', or remove both lines",
            code="broken-section",
        )
    return begins[0].start(), ends[0].end()
