"""A person's browser, opened at an address that only they may know."""

from __future__ import annotations

import html
import sys
import webbrowser

import click

from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refusals import storage_error
from gitchat.workspace.environment import Environment


def open_in_browser(environment: Environment, address: str) -> None:
    """Open ``address``, which lets in whoever has it, in a browser that has a screen; else say that there is none.

    By a file of ours that leads there: what a program is started with, every user of the machine can read.
    """
    if not _has_screen(environment):
        click.echo("there is no screen here to open a browser on: open the address yourself", err=True)
        return
    file = OwnFile(environment.repository.directory, "serve.html", is_private=True)
    quoted = html.escape(address, quote=True)
    try:
        file.replace(f'<meta http-equiv="refresh" content="0; url={quoted}"><a href="{quoted}">gitchat</a>\n'.encode())
    except OSError as error:
        raise storage_error(error, file.path) from error
    webbrowser.open(file.path.as_uri())


def _has_screen(environment: Environment) -> bool:
    """Whether a browser with windows can open; one of text would take the terminal."""
    variables = environment.variables
    return sys.platform == "darwin" or any(variables.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
