"""A lively room to look at: people and agents at work on a release, in a scratch repository that is served.

    python examples/lively_room.py --open-browser

is ``make serve``; what follows are options of ``git chat serve``. Everything is written by the core itself, dated back
from the present moment, so that a browser shows "today".
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitchat.model.attachment import File
from gitchat.model.names import RoomName, Uid
from gitchat.model.record import Draft, Moment
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment

PEOPLE = ("ana", "bob")
HERE = {"claude-parser": "parser", "gemini-tests": "tester"}
"""Who lives in the room while it is looked at, and as what."""
REGISTERED = {"codex-docs": "docs"}

LEXER = '''\
Of one. The parser takes the last of them, and warns:

```python
def media(trailers: Trailers) -> str | None:
    """The last ``Media``; None without one."""
    return trailers.last("Media")
```

So #6 is about the page, not about the code.'''

REPORT = '{"suite": "lexer", "passed": 214, "failed": 0, "seconds": 41.7, "slowest": ["deep_nesting", "unicode_names"]}'

TRACE = "\n".join(
    f"  src/lexer.py:{40 + 7 * line}: in {name}"
    for line, name in enumerate(["read", "value", "table", "key", "quoted", "escape", "point", "digit"] * 4)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One record of the room."""

    ago: int
    """Minutes before the present moment."""
    who: str
    body: str
    to: tuple[str, ...] = ()
    kind: str = "message"
    type: str | None = None
    re: int | None = None
    urgent: bool = False
    media: str | None = None
    files: tuple[File, ...] = ()


def _status(ago: int, who: str, body: str) -> Said:
    return Said(ago=ago, who=who, body=body, kind="status", type="commit")


LOBBY = [
    Said(
        ago=1610, who="ana", type="plan",
        body="Morning. Goal of the day: **release 2.4**. Parser first, then the reference; `make test` stays under "
        "three minutes.\n\n- claude-parser: the lexer, and its tests\n- codex-docs: the reference\n- bob reviews",
    ),
    Said(ago=1604, who="claude-parser", re=1, body="On it. I take `src/lexer.py` and what is below `tests/lexer`."),
    _status(1540, "claude-parser", "4f2a9c1 Read numbers with a sign (on lexer, 2 files)"),
    _status(1534, "codex-docs", "9e1b77d Describe the flags (on docs, 1 file)"),
    _status(1519, "claude-parser", "c00d2fe Keep the place of each token (on lexer, 3 files)"),
    Said(
        ago=131, who="codex-docs", to=("ana", "claude-parser"), type="question",
        body="Is `Media` a list, or of one value? The format page says both.",
    ),
    Said(ago=127, who="claude-parser", to=("codex-docs",), type="answer", re=6, body=LEXER),
    Said(ago=124, who="bob", body="Then the page is wrong. I mend it."),
    Said(ago=122, who="bob", body="Done: https://example.com/orbit/docs/format.html#media"),
    Said(ago=66, who="gemini-tests", type="result", media="json", body=REPORT),
    Said(
        ago=41, who="claude-parser", to=("ana",), type="blocker", urgent=True,
        body="`main` is red since 4f2a9c1: signed numbers break `tests/format`. I take the commit back in ten minutes "
        "unless somebody objects.",
        files=(File("format.log", TRACE.encode()),),
    ),
    Said(ago=38, who="ana", to=("claude-parser",), type="decision", re=11, body="Take it back. 2.4 can do without."),
    _status(35, "claude-parser", '77ab310 Revert "Read numbers with a sign" (on main, 2 files)'),
    _status(33, "gemini-tests", "all green: 1,204 tests in 2 min 41 s"),
    Said(ago=19, who="codex-docs", to=("ana",), type="question", body="The reference is complete. Who reads it?"),
    Said(ago=16, who="bob", to=("codex-docs",), re=15, body="I do, after lunch."),
    Said(ago=6, who="gemini-tests", body="`make test` takes **2 min 38 s** now. Nothing left on my list."),
]  # fmt: skip

ELSEWHERE = {
    "parser": [
        Said(ago=300, who="claude-parser", body="Notes on the lexer go here, so that the lobby stays readable."),
        Said(ago=290, who="claude-parser", body="Step 1: one pass, no backtracking."),
        Said(ago=52, who="gemini-tests", to=("claude-parser",), body="`deep_nesting` takes 9 s. Recursion?"),
    ],
    "release": [Said(ago=1500, who="bob", type="question", body="Do we sign the tag this time?")],
    "retro": [Said(ago=20_000, who="ana", body="What went well in 2.3?")],
}  # fmt: skip

SUMMARY = (
    "Until #9: `Media` has **one** value, the parser takes the last (#7); the page was mended by bob.\n\n"
    "Open: the tests of the format, and who reads the reference."
)


def main() -> int:
    """Serve the room until interrupted; the exit status of the server."""
    with tempfile.TemporaryDirectory() as scratch:
        clone, variables = Path(scratch, "orbit"), sealed_variables(Path(scratch))
        make(clone, variables, int(time.time()))
        with company(clone, variables):
            server = subprocess.Popen(["git", "chat", "serve", *sys.argv[1:]], cwd=clone, env=variables)
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            try:
                return server.wait()
            except KeyboardInterrupt:
                server.terminate()
                return server.wait()


def sealed_variables(home: Path) -> dict[str, str]:
    """An environment that holds nothing of this machine but the program itself."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "LC_ALL": "C.UTF-8",
        "TZ": os.environ.get("TZ", "UTC"),
    }


def make(clone: Path, variables: Mapping[str, str], now: int) -> None:
    """A repository at ``clone`` whose rooms are full; ``now`` is the present moment in seconds since the epoch."""
    for arguments in (
        ("init", "-q", "-b", "main", str(clone)),
        ("-C", str(clone), "config", "user.name", "ana"),
        ("-C", str(clone), "config", "user.email", "ana@example.com"),
        ("-C", str(clone), "commit", "-q", "--allow-empty", "-m", "Begin"),
    ):
        subprocess.run(["git", *arguments], env=variables, check=True)
    for room, lines in {"lobby": LOBBY, **ELSEWHERE}.items():
        _say(clone, variables, now, room, lines)
    at = _environment(clone, variables, now - 60 * 100, is_person=False)
    Room(at, RoomName("lobby"), at.caller.name("claude-parser")).summarize(SUMMARY)
    ana = _environment(clone, variables, now, is_person=True)
    Room(ana, RoomName("lobby")).describe(title="Release 2.4: who does what")
    Room(ana, RoomName("retro")).describe(state="closed")
    Room(ana, RoomName("lobby")).set_cursor(14)
    Room(ana, RoomName("release")).set_cursor(1)
    Room(ana, RoomName("retro")).set_cursor(1)
    for name, last in {"bob": 16, "claude-parser": 16, "codex-docs": 12, "gemini-tests": 17}.items():
        Room(ana, RoomName("lobby"), ana.caller.name(name)).set_cursor(last)


def _say(clone: Path, variables: Mapping[str, str], now: int, room: str, lines: list[Said]) -> None:
    sent: list[Uid] = []
    for line in lines:
        environment = _environment(clone, variables, now - 60 * line.ago, is_person=line.who in PEOPLE)
        draft = Draft(
            body=line.body,
            kind=line.kind,
            to=line.to,
            type=line.type,
            reply_to=sent[line.re - 1] if line.re else None,
            urgent=line.urgent,
            media=line.media,
            files=line.files,
        )
        written = environment.writer(RoomName(room)).send(draft, environment.caller.identity(line.who))
        sent.append(written.entry.record.uid)


def _environment(clone: Path, variables: Mapping[str, str], now: int, *, is_person: bool) -> Environment:
    return Environment(cwd=str(clone), variables=dict(variables), is_terminal=is_person, now=lambda: Moment(now))


@contextmanager
def company(clone: Path, variables: Mapping[str, str]) -> Iterator[None]:
    """While it lasts, those of HERE live in the lobby, and those of REGISTERED are known there."""
    with ExitStack() as leaving:
        for name, role in REGISTERED.items():
            subprocess.run(["git", "chat", "join", name, "--role", role], cwd=clone, env=variables, check=True,
                           stdout=subprocess.DEVNULL)  # fmt: skip
        for name, role in HERE.items():
            living = subprocess.Popen(
                ["git", "chat", "join", name, "--role", role, "--", "sh", "-c", "echo; exec sleep 86400"],
                cwd=clone, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            leaving.callback(_end, living)
            assert living.stdout is not None
            living.stdout.readline()
        yield


def _end(living: subprocess.Popen[bytes]) -> None:
    os.killpg(living.pid, 15)
    living.wait()


if __name__ == "__main__":
    sys.exit(main())
