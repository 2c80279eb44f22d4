"""``git chat doorbell``, which the git of another clone starts at a hub, by ssh."""

from __future__ import annotations

import os
import sys
import threading

import click

from gitchat.workspace.environment import Environment


@click.command("doorbell", hidden=True)
@click.argument("path", default=".")
@click.pass_obj
def command(environment: Environment, path: str) -> None:
    """Tell on standard error which refs of rooms move in the repository at PATH, until standard input ends.

    Happens by itself: a clone whose remote is reached by ssh starts it there, in place of git-upload-pack,
    which speaks on standard output. Reads only.
    """
    from gitchat.staying.reporting import reports
    from gitchat.workspace.surroundings import at_path

    def end_with_input() -> None:
        while os.read(0, 4096):  # nothing is asked here
            pass
        os._exit(0)

    threading.Thread(target=end_with_input, daemon=True).start()
    for line in reports(at_path(environment, path)):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
