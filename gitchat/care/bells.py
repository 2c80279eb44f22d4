"""Whether the bells of this clone's sessions are heard. Reads only. Source: docs/format.md section 14."""

from __future__ import annotations

from collections.abc import Iterator

from gitchat.care.finding import Finding
from gitchat.model import offered
from gitchat.model.escape import escape_line
from gitchat.staying.ringfile import RingFile, Session
from gitchat.workspace.environment import Environment


def examine(environment: Environment) -> Iterator[Finding]:
    """A finding for each session that was rung in the last hour, or could not be."""
    now = environment.now().seconds
    for session in sorted(RingFile(environment.repository.directory).all().values(), key=lambda one: one.name):
        if session.rung.in_last_hour(now) or session.trouble:
            yield _finding(session, now)


def _finding(session: Session, now: int) -> Finding:
    heard = list(session.rung.is_heard(now))
    open_ones = f", {heard.count(None)} not yet" if None in heard else ""
    said = f"{session.name}: {len(heard)} in the last hour, {heard.count(True)} heard{open_ones}"
    if session.trouble:
        words = f"{said}; its client ({session.client}) could not be rung: {escape_line(session.trouble)}"
        return Finding("note", "rings", words, f"nothing is lost: its hooks tell it, and {offered.CHECK_IN} shows it")
    if False in heard:
        return Finding("note", "rings", said, "see that its client still runs; what was not heard its hooks tell")
    return Finding("ok", "rings", said)
