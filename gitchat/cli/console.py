"""A line to write in while a room is watched: what comes is printed above it, and never into it.

One thread follows the room, the other has the keyboard; each has an environment of its
own, for a repository is used by one thread at a time. The line is prompt_toolkit's, whose
output is used by one thread only: what the other has to say waits for it.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from types import FrameType
from typing import NoReturn

import click
from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.patch_stdout import patch_stdout

from gitchat.cli import line, terminal
from gitchat.cli.feed import Manner, beginning, feed
from gitchat.cli.naming import may_speak
from gitchat.model.answering import who_asked
from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import EVERYBODY, RoomName
from gitchat.model.query import Query
from gitchat.staying import wake
from gitchat.staying.alert import Alert
from gitchat.staying.follow import Follower
from gitchat.verbs.room import Room

_ENDING = (signal.SIGTERM, signal.SIGHUP)


def run(room: Room, manner: Manner) -> int:
    """Follow ``room`` and send what is written, until it is ended; the exit status.

    However it ends, short of SIGKILL, the terminal is as it was.
    """
    with _ended_by_signals(), patch_stdout(raw=True):
        paper = _Paper()
        reader = _Reader(paper, manner)
        try:
            has_color = terminal.screen_for(room.environment, manner.color).has_color
            return _Writer(room, reader, paper, has_color).run()
        finally:
            reader.stop()
            paper.finish()


class _Keyboard(Vt100Input):
    """A terminal that passes every key on as it is, also while a message is printed above the line.

    prompt_toolkit lets the terminal's own line editing in meanwhile, which would swallow a Ctrl-D.
    """

    def cooked_mode(self) -> AbstractContextManager[None]:
        return nullcontext()


class _Paper:
    """What stands above the line. Any thread adds to it; it is printed while somebody can write, or at the end."""

    def __init__(self) -> None:
        self.session: PromptSession[str] = PromptSession(erase_when_done=True, input=_Keyboard(sys.stdin))
        self._texts: deque[str] = deque()

    def add(self, text: str) -> None:
        """Print ``text``, which ends with a line feed, or is empty; now or with the next line."""
        if not text:
            return
        self._texts.append(text)
        loop = self.session.app.loop
        with suppress(RuntimeError):  # the line was sent meanwhile: the next one prints it
            if loop is not None:
                loop.call_soon_threadsafe(self.print)

    def print(self) -> None:
        """Print what waits, above the line that is being written. For the thread that has the line."""
        run_in_terminal(self.finish)

    def finish(self) -> None:
        """Print what waits, where the cursor is."""
        while self._texts:
            self.session.output.write_raw(self._texts.popleft())
        self.session.output.flush()

    def add_error(self, error: ChatError) -> None:
        """Print an error and its hint."""
        for mark, words in (("error", str(error)), ("hint", error.hint)):
            self.add(f"{mark}: {terminal.escape_line(words)}\n")


class _Reader:
    """Prints what comes in a room, from a thread of its own."""

    def __init__(self, paper: _Paper, manner: Manner) -> None:
        self._paper = paper
        self._manner = manner
        self._thread: threading.Thread | None = None
        self._follower: Follower | None = None
        self._is_stopped = False
        self.is_filtered = manner.query != Query()
        self.first = self.last = 0
        """The least and the greatest number that was printed, of the room that is followed; 0 before that."""

    def start(self, room: Room) -> None:
        """Follow ``room``, and nothing else any more."""
        self.stop()
        self._is_stopped = False
        self.first = self.last = 0
        # The copy has nothing open yet: what a thread opens it uses alone.
        own = Room(replace(room.environment), room.name, room.me)
        self._thread = threading.Thread(target=self._run, args=(own,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Follow nothing; all that came is printed."""
        self._is_stopped = True
        if self._follower is not None:
            self._follower.close()
        if self._thread is not None:
            self._thread.join()
        self._thread = self._follower = None

    def _run(self, room: Room) -> None:
        try:
            self._follow(room)
        except ChatError as error:
            self._paper.add_error(error)
            self._paper.add("nothing more is shown; /room ROOM watches again\n")

    def _follow(self, room: Room) -> None:
        shown = feed(room, self._manner)
        begin, after, told = beginning(room, self._manner)
        alert = Alert(room)
        with Follower(room, after, told=told) as self._follower:
            self._paper.add(shown.text(begin))
            self.first = min((one.number for one in begin if one.number is not None), default=after + 1)
            self.last = after
            while not self._is_stopped:
                news = shown.wanted(self._follower.news())
                self._paper.add(shown.text(news) + alert.tell(news))
                self.last = self._follower.seen
                self._follower.wait()


class _Writer:
    """Reads lines from the keyboard and does what they say."""

    def __init__(self, room: Room, reader: _Reader, paper: _Paper, has_color: bool) -> None:
        self._room = room
        self._reader = reader
        self._paper = paper
        self._prompt_style = "bold" if has_color else ""
        self._to: tuple[str, ...] = ()

    def run(self) -> int:
        """Until the end of input, ``/quit`` or an interrupt; the exit status."""
        while True:
            with wake.living(self._room):
                self._reader.start(self._room)
                moved_to = self._write()
            if not isinstance(moved_to, Room):
                return moved_to
            self._room = moved_to

    def _write(self) -> Room | int:
        """Lines for this room, until one of them goes to another room, or ends all with an exit status."""
        session = self._paper.session
        kept = ""
        while True:
            try:
                text = session.prompt(self._prompt, default=kept, pre_run=self._paper.print)
            except EOFError:
                return 0
            except KeyboardInterrupt:
                if not session.default_buffer.text:
                    return 130
                kept = ""  # as in a shell: the line goes, the program stays
                continue
            kept = ""
            try:
                order = line.parse(text)
                if isinstance(order, line.Move):
                    return self._other(order.room)
                if isinstance(order, line.Quit):
                    return 0
                self._do(order)
            except ChatError as error:
                self._paper.add_error(error)
                kept = text

    def _do(self, order: line.Order | None) -> None:
        match order:
            case line.Say(text, reply_to):
                is_own = self._room.me == self._room.environment.caller.name()
                may_speak(self._room.environment, None if is_own else self._room.me)
                asked = self._room.find(reply_to).record if reply_to is not None else None
                to = (who_asked(asked, self._room.me) if asked is not None else ()) or self._to
                self._room.send(text, to=to or EVERYBODY, reply_to=reply_to)
            case line.Address(to):
                self._to = to
            case line.MarkRead():
                self._mark()
            case line.ShowHelp():
                self._paper.add(line.HELP)

    def _mark(self) -> None:
        """Mark what was shown, if that leaves out nothing that is unread. Raises UserError ``not-shown``."""
        if self._reader.is_filtered:
            raise UserError(
                "not everything is shown here, so nothing is marked",
                hint="read what is unread: git chat read; or watch without --from, --type and the like",
                code="not-shown",
            )
        unread = self._room.unread(1).entries
        if unread and (unread[0].number or 0) < self._reader.first:
            raise UserError(
                f"older messages are unread, from {unread[0].label} on, and were not shown here",
                hint="read them: git chat read; or begin with them: git chat watch --unread",
                code="not-shown",
            )
        number = self._room.set_cursor(self._reader.last)
        self._paper.add(f"read up to #{number}\n")

    def _other(self, name: RoomName) -> Room:
        """Another room, which has to be there. Raises UserError ``no-such-room``."""
        room = Room(self._room.environment, name, self._room.me)
        room.refuse_unknown()
        return room

    def _prompt(self) -> StyleAndTextTuples:
        to = f" -> {', '.join(self._to)}" if self._to else ""
        return [(self._prompt_style, f"{self._room.name} {self._room.me}{to}>"), ("", " ")]


class _Ended(SystemExit):
    """A signal that ends the program, on its way through what puts the terminal back."""


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a signal that would kill us at once unwind us first."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise _Ended(128 + number)

    before = {number: signal.signal(number, end) for number in _ENDING}
    try:
        yield
    except _Ended as ended:
        raise click.exceptions.Exit(int(str(ended.code))) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
