"""Findings of doctor and verify, for people and for programs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable

import click

from gitchat.care.finding import Finding
from gitchat.cli import terminal
from gitchat.workspace.environment import Environment

_MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "wrong": ("WRONG", "red")}

__all__ = ["Finding", "show"]


def show(environment: Environment, findings: Iterable[Finding], as_json: bool, color: str | None) -> bool:
    """Print findings as they come, and say whether something is wrong."""
    is_wrong = False
    for finding in findings:
        is_wrong = is_wrong or finding.level == "wrong"
        if as_json:
            click.echo(terminal.escape_json(json.dumps(dataclasses.asdict(finding), ensure_ascii=False)))
            continue
        screen = terminal.screen_for(environment, color)
        word, shade = _MARKS[finding.level]
        mark = screen.style(f"{word:<5}", fg=shade)
        click.echo(f"{mark}  {terminal.escape_line(finding.subject)}: {terminal.escape_line(finding.text)}", color=True)
        if finding.mend is not None:
            click.echo(f"       {screen.style('mend:', bold=True)} {terminal.escape_line(finding.mend)}", color=True)
    return is_wrong
