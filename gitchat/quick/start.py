"""Which commands have a quick way, and going it: before anything of the rest of gitchat is loaded."""

import os
import sys

from gitchat.quick.said import Said
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitchat.quick.place import Place
    from gitchat.quick.settings import Settings

    Verb = Callable[[Place, Settings, Sequence[str]], Said]

BROKEN_PIPE_STATUS = 141


def run(arguments: "Sequence[str]") -> "int | None":
    """Do what was typed, and return the exit status; None where that is for the long way, and nothing was done yet.

    Raises OSError: what was done cannot be printed.
    """
    try:
        if os.environ.get("GITCHAT_QUICK") == "0" or None in (sys.stdin, sys.stdout, sys.stderr):
            return None
        said = _answer(arguments)
    except (Unusual, OSError, ValueError):
        return None
    is_printed = False
    try:
        status = _print(1, said.text.encode())
        is_printed = status == 0
    finally:
        told = said.then(is_printed) if said.then is not None else ""
    if told:
        _print(2, told.encode())
    return status or said.status


def _answer(arguments: "Sequence[str]") -> Said:
    verb = arguments[0] if arguments else ""
    if verb == "log" and not os.isatty(1):
        from gitchat.quick.log import log as do
    elif verb == "inbox" and not os.isatty(1):
        from gitchat.quick.inbox import inbox as do
    elif verb == "read" and not os.isatty(1):
        from gitchat.quick.reading import read as do
    elif verb == "wait" and not os.isatty(1):
        from gitchat.quick.waiting import wait as do
    elif verb == "status" and not os.isatty(1):
        from gitchat.quick.status import status as do
    elif verb == "send":
        from gitchat.quick.send import send as do
    elif verb == "reply":
        from gitchat.quick.send import reply as do
    else:
        raise Unusual
    from gitchat.quick.place import find
    from gitchat.quick.settings import settings

    place = find(os.environ)
    return do(place, settings(place), arguments[1:])


def _print(descriptor: int, data: bytes) -> int:
    """Write it all; the exit status."""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except BrokenPipeError:
        return BROKEN_PIPE_STATUS
    return 0
