"""A room as a document: Markdown for a pull request, or a page of HTML that needs nothing else.

What others wrote is text, as a log shows it. In Markdown none of it is markup, a link, a mention of somebody, or the
number of an issue, which a host would link, notify or close; in HTML none of it is markup, and the page runs nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from gitchat.cli.render import INDENT, Renderer
from gitchat.cli.terminal import escape, escape_line
from gitchat.model.record import STATUS
from gitchat.rooms.summaries import Summary
from gitchat.verbs.exporting import Exported
from gitchat.verbs.resulting import RESULT


class Form(Protocol):
    """How a document is written."""

    def begin(self, title: str) -> str:
        """What stands first."""

    def heading(self, text: str) -> str:
        """The title of a section; ``text`` is ours."""

    def block(self, heading: str, lines: list[str]) -> str:
        """What somebody wrote: a line about it, and its text. Escaped for a terminal, and for nothing else."""

    def end(self) -> str:
        """What stands last."""


def document(
    form: Form,
    renderer: Renderer,
    title: str,
    summary: Summary | None,
    sections: Iterable[tuple[str, Iterable[Exported]]],
) -> Iterator[str]:
    """The parts of a document, in order; a section without records is left out. An answer stands below its question."""
    yield form.begin(escape_line(title))
    if summary is not None:
        yield form.heading("Summary")
        yield form.block(renderer.summary_heading(summary).strip(), escape(summary.text.strip()).split("\n"))
    for name, records in sections:
        is_empty = True
        for one in records:
            if is_empty:
                yield form.heading(name)
            is_empty = False
            for entry in (one.entry, *one.answers):
                is_line = entry.record.kind == STATUS and entry.record.type != RESULT
                shown = renderer.status(entry) if is_line else renderer.block(entry, one.labels)
                first, *lines = shown.rstrip("\n").split("\n")
                yield form.block(first.removeprefix(" * ").strip(), [line.removeprefix(INDENT) for line in lines])
    yield form.end()


# --- Markdown ------------------------------------------------------------------------

_SPECIAL = re.compile(r"[\\`*_\[\]<>&|~$^{}]")
_AT_BEGIN = re.compile(r"^(\s*)([-+=]|[0-9]{1,9}(?=[.)]))")
_APART = "<!-- -->"
"""Nothing that is shown, and what stands on both sides of it is no word for a host."""

_LINKED = re.compile(r"@(?=[\w])|#(?=[0-9])|\bgh-(?=[0-9])|:(?=//)|\bwww(?=\.)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Markdown:
    """As GitHub, GitLab and others read it."""

    def begin(self, title: str) -> str:
        """The title, as a heading."""
        return f"# {plain_markdown(title)}\n"

    def heading(self, text: str) -> str:
        """A heading below it."""
        return f"\n## {text}\n"

    def block(self, heading: str, lines: list[str]) -> str:
        """A line in bold, and a quotation."""
        quoted = "\n".join(f"> {plain_markdown(line)}".rstrip() + ("  " if line.strip() else "") for line in lines)
        return f"\n**{plain_markdown(heading)}**\n\n" + (f"{quoted}\n" if lines else "")

    def end(self) -> str:
        """Nothing."""
        return ""


def plain_markdown(line: str) -> str:
    """``line`` so that a reader of Markdown shows it as it is, and links nothing in it."""
    lead = line[: len(line) - len(line.lstrip(" "))]
    parts = _LINKED.split(line[len(lead) :])
    joints = [found[0] for found in _LINKED.finditer(line[len(lead) :])]
    shown = _SPECIAL.sub(_marked, parts[0])
    for joint, part in zip(joints, parts[1:], strict=True):
        shown += joint + _APART + _SPECIAL.sub(_marked, part)
    shown = _AT_BEGIN.sub(lambda found: f"{found[1]}{_numbered(found[2])}", shown)
    return "&nbsp;" * len(lead) + (f"\\{shown}" if re.match("#(?!<)", shown) else shown)


def _marked(found: re.Match[str]) -> str:
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(found[0], f"\\{found[0]}")


def _numbered(text: str) -> str:
    """What would begin a list or a line below a title."""
    return f"{text[:-1]}&#{ord(text[-1])};"


# --- HTML ----------------------------------------------------------------------------

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;"
    "background:#fff}h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}"
    "article{margin:1rem 0}h3{font-size:1rem;margin:0}"
    "pre{font:inherit;white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem 0 0 1rem}"
    "@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}h2{border-color:#444}}"
)


@dataclass(frozen=True, slots=True)
class Html:
    """One file, which asks nobody for anything."""

    def begin(self, title: str) -> str:
        """The head of the page."""
        shown = html.escape(title)
        policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="referrer" content="no-referrer">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{shown}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{shown}</h1>\n"
        )

    def heading(self, text: str) -> str:
        """A heading below the title."""
        return f"<h2>{html.escape(text)}</h2>\n"

    def block(self, heading: str, lines: list[str]) -> str:
        """An article."""
        text = html.escape("\n".join(lines))
        body = f"<pre>\n{text}</pre>\n" if lines else ""
        return f"<article>\n<h3>{html.escape(heading)}</h3>\n{body}</article>\n"

    def end(self) -> str:
        """The end of the page."""
        return "</body>\n</html>\n"
