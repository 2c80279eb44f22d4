"""``git chat export``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from gitchat.cli import options
from gitchat.cli.arriving import arrive
from gitchat.cli.render import Renderer, json_line
from gitchat.cli.terminal import Screen, escape_line
from gitchat.model.errors import StorageError, UserError
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.verbs.exporting import Exported, Range
    from gitchat.verbs.room import Room

STYLE = "iso"
"""How dates look: the same wherever and whenever it is written."""


@click.command("export")
@click.option("--since", "base", metavar="BASE", help="What belongs to the commits BASE..HEAD, for a pull request.")
@click.option(
    "--format", "form", type=click.Choice(["markdown", "html", "json"]), default="markdown", show_default=True
)
@click.option("-o", "--output", metavar="FILE", help="Write to FILE, as a whole or not at all.")
@options.room
@click.pass_obj
def command(environment: Environment, base: str | None, form: str, output: str | None, room: str | None) -> None:
    """Write the room, or what belongs to a branch, as a document.

    With --since: the newest summary, the decisions and the answered questions since the branch began, and what was said
    about its commits or names one of them. Without: the whole room.

    Nothing that somebody wrote is markup there, mentions anybody or closes an issue. The HTML is one file, which
    loads and runs nothing. JSON is a line a record, as of git chat log --json.

    \b
    Examples:
      git chat export --since origin/main | gh pr create -F -
      git chat export --format html -o room.html
      git chat export --since v1.0 --format json | jq -r .content
    """
    from gitchat.verbs import exporting
    from gitchat.verbs.room import Room

    chosen = Room(environment, arrive(environment, room))
    chosen.refuse_unknown()
    about = exporting.range_of(chosen, base) if base is not None else None
    if form == "json":
        found = exporting.about_range(chosen, about) if about is not None else exporting.whole(chosen)
        parts: Iterable[str] = (json_line(one.entry, one.labels) for one in found)
    else:
        parts = _document(chosen, about, form)
    with _opened(environment, output) as file:
        shown = options.ShowProgress()
        for place, part in enumerate(parts):
            file.write(part)
            if output is not None and place % 100 == 0:
                shown("exporting", place)
        shown("exporting", None)


def _document(room: Room, about: Range | None, form: str) -> Iterator[str]:
    from gitchat.cli.documents import Html, Markdown, document
    from gitchat.verbs import exporting

    renderer = Renderer(Screen(None, False), STYLE, room.environment.now())
    title = f"Room {room.name}"
    sections: list[tuple[str, Iterable[Exported]]] = [("Messages", exporting.whole(room))]
    if about is not None:
        count = len(about.commits)
        title = f"What was said about {count} commit{'' if count == 1 else 's'} since {about.base}"
        sections = [
            ("Decisions", exporting.section(room, about, "decisions")),
            ("Questions", exporting.section(room, about, "questions")),
            ("About the commits", exporting.section(room, about, "about")),
        ]
    writer = Html() if form == "html" else Markdown()
    return document(writer, renderer, title, exporting.summary_for(room, about), sections)


@contextmanager
def _opened(environment: Environment, output: str | None) -> Iterator[TextIO]:
    """Standard output; or a file that takes the name of ``output`` when all of it is written.

    Raises:
        UserError: ``not-a-file``.
        StorageError: it cannot be written.
    """
    if output is None or output == "-":
        yield sys.stdout
        return
    path = Path(environment.cwd, output)
    if path.exists() and not path.is_file():
        raise UserError(
            f"{escape_line(output)} is no file", hint="name another: git chat export -o room.md", code="not-a-file"
        )
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("x", encoding="utf-8", newline="\n") as file:
            yield file
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise StorageError(
            f"cannot write {escape_line(output)}: {error.strerror}", hint="write it elsewhere: git chat export -o FILE",
            code="storage",
        ) from error  # fmt: skip
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
