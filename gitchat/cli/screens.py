"""A text that a person goes through a screen at a time, so that it is known what was on the screen.

A pager takes all that it is given at once, and ends with 0 wherever it was left: what it showed nobody can tell.
"""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from gitchat.cli import terminal
from gitchat.cli.terminal import Screen

_ON = ("\r", "\n", " ", "j", "f", "\x1b[B", "\x1b[6~", "\x06", "\x0e")
"""What goes on in less and more: Enter, space, the arrow down, Page Down, ..."""

_STOP = ("q", "Q", "\x1b", "\x04")


def turn(screen: Screen, blocks: Sequence[str], was_shown: Callable[[int], None]) -> int:
    """Print ``blocks`` until all were shown or the person stops; how many were shown whole.

    ``was_shown`` gets the number of blocks that were on the screen from their first line to their last, each time that
    the person goes on, or stops, after a look at them: where the terminal vanishes before, they were not.

    Raises:
        OSError: the output cannot be written, or there is nobody to ask any more.
        KeyboardInterrupt.
    """
    done = 0
    for text, done in _screens(screen, blocks):
        sys.stdout.write(text)
        sys.stdout.flush()
        if done == len(blocks):
            was_shown(done)
        elif not _goes_on(screen, len(blocks) - done, partial(was_shown, done)):
            break
    return done


def _screens(screen: Screen, blocks: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Texts that fit on the screen as it is when each is asked for, and how many blocks have been given whole by then.

    A block that fits is never parted.
    """
    done = 0
    left: list[str] = []
    while done < len(blocks):
        lines = terminal.rows() - 1  # one for the question
        text, used = "", 0
        while done < len(blocks):
            left = left or blocks[done].splitlines(keepends=True)
            needed = sum(screen.rows_of(line) for line in left)
            if used + needed > lines and used:
                break
            while left and (not used or used + screen.rows_of(left[0]) <= lines):
                used += screen.rows_of(left[0])
                text += left.pop(0)
            if left:
                break
            done += 1
        yield text, done


def _goes_on(screen: Screen, more: int, was_seen: Callable[[], object]) -> bool:
    """Ask whether to go on, with ``more`` blocks left; ``was_seen`` is called when that was answered."""
    question = f"-- {more} more: Enter goes on, q stops --"
    key = ""
    with _keys() as next_key:
        sys.stdout.write(screen.style(question, bold=True))
        sys.stdout.flush()
        while key not in _ON + _STOP:
            key = next_key()
            if not key:
                raise BrokenPipeError  # the terminal was hung up
        sys.stdout.write("\r" + " " * len(question) + "\r")
        sys.stdout.flush()
    was_seen()
    return key in _ON


@contextmanager
def _keys() -> Iterator[Callable[[], str]]:
    """One key at a time from the terminal on standard input; what was typed before is dropped.

    The call gives what a key sends, and nothing when the terminal was hung up. Ctrl-C and Ctrl-Z do what they do.
    """
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSAFLUSH)
        yield lambda: os.read(descriptor, 32).decode("utf-8", "replace")
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
