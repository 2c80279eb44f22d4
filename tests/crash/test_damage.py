"""What is on disk is lost, cut off, overwritten or another user's: what still works, and what mends it.

One table: places x kinds of damage. Proves docs/format.md sections 7.3, 7.4, 7.6 and 8.3.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitchat.care.repair import repair
from gitchat.model.names import Oid
from gitchat.storage.gate import Intent
from tests.cli.conftest import LOG, Chatroom, as_ordinary_user
from tests.crash.writers import fork, wait_for
from tests.world import Done, World, open_store

BODIES = ["0", "1", "2"]
"""What the room holds before the damage, acknowledged as #1, #2 and #3."""

ALL = "#1 #2 #3"
"""A listing that shows everything."""


# --- the damage ----------------------------------------------------------------


def missing(path: Path) -> None:
    """Somebody removed the file."""
    path.unlink()


def truncated(path: Path) -> None:
    """A crash of the machine left half of the file."""
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garbage(path: Path) -> None:
    """Something else is in the file."""
    path.chmod(0o644)
    path.write_bytes(b"\0\xff garbage\n" * 20)


def forbidden(path: Path) -> None:
    """The file belongs to a user who does not share it."""
    path.chmod(0)


DAMAGES = {damage.__name__: damage for damage in (missing, truncated, garbage, forbidden)}


# --- the places ----------------------------------------------------------------


def intent(room: Chatroom) -> Path:
    """The write lock's file, with what a killed writer left in it."""
    path = room.path / ".git/chatroom/write.lock"
    path.write_bytes(Intent(LOG, Oid(room.tip), 1).encode())
    return path


def packed_refs(room: Chatroom) -> Path:
    """The file of packed refs, with the room's in it."""
    room.git("pack-refs", "--all")
    return room.path / ".git/packed-refs"


def packs(room: Chatroom) -> Path:
    """The list of our packs, when everything is packed."""
    room.chat("pack", check=True)
    return room.path / ".git/chatroom/packs"


PLACES: dict[str, Callable[[Chatroom], Path]] = {
    "ref": Chatroom.file_of,
    "tip": lambda room: room.file_of_object(room.tip),
    "old record": lambda room: room.file_of_object(room.entries()[0].oid),
    "journal": lambda room: room.path / ".git/chatroom/journal",
    "write lock": intent,
    "checkpoint": lambda room: room.path / ".git/chatroom/checkpoints/lobby",
    "packed-refs": packed_refs,
    "packs": packs,
}


# --- the table -----------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One damage in one place. ``None`` stands for nothing."""

    place: str
    damage: str
    log: str
    """The numbers that ``log`` shows; what it says on standard error, if that is not nothing."""
    send: str
    """What ``send`` prints or says."""
    found: str | None
    """What ``doctor`` finds, with its level."""
    fixed: str | None
    """What ``doctor --fix`` says it did."""


LOST = "has lost its ref"
DENIED = "cannot be read: Permission denied"
REFUSED = "cannot write to"
FOREIGN = "WRONG belongs to another user"

CELLS = [
    #    place          damage       log                   send          found                    fixed
    Cell("ref",         "missing",   LOST,                 LOST,         "note no ref any more",  None),
    Cell("ref",         "truncated", "is damaged",         "is damaged", "WRONG is damaged",      "moved the damaged"),
    Cell("ref",         "garbage",   "is damaged",         "is damaged", "WRONG is damaged",      "moved the damaged"),
    Cell("ref",         "forbidden", DENIED,               DENIED,       f"WRONG {DENIED}",       None),
    Cell("tip",         "missing",   ALL,                  "#4",         None,                    None),
    Cell("tip",         "truncated", "is damaged",         "is damaged", "WRONG is damaged",      "wrote 1 damaged"),
    Cell("tip",         "garbage",   "is damaged",         "is damaged", "WRONG is damaged",      "wrote 1 damaged"),
    Cell("tip",         "forbidden", DENIED,               DENIED,       f"WRONG {DENIED}",       "wrote 1 damaged"),
    Cell("old record",  "missing",   ALL,                  "#4",         None,                    None),
    Cell("old record",  "truncated", "#2 #3 is damaged",   "#4",         "WRONG is damaged",      "wrote 1 damaged"),
    Cell("old record",  "garbage",   "#2 #3 is damaged",   "#4",         "WRONG is damaged",      "wrote 1 damaged"),
    Cell("old record",  "forbidden", f"#2 #3 {DENIED}",    "#4",         f"WRONG {DENIED}",       "wrote 1 damaged"),
    Cell("journal",     "missing",   ALL,                  "#4",         None,                    None),
    Cell("journal",     "truncated", ALL,                  "#4",         "note are passed over",  "from the journal"),
    Cell("journal",     "garbage",   ALL,                  "#4",         "note are passed over",  "from the journal"),
    Cell("journal",     "forbidden", ALL,                  REFUSED,      FOREIGN,                 None),
    Cell("write lock",  "missing",   ALL,                  "#4",         None,                    None),
    Cell("write lock",  "truncated", ALL,                  "#4",         None,                    None),
    Cell("write lock",  "garbage",   ALL,                  "#4",         None,                    None),
    Cell("write lock",  "forbidden", ALL,                  REFUSED,      FOREIGN,                 None),
    Cell("checkpoint",  "missing",   ALL,                  "#4",         None,                    None),
    Cell("checkpoint",  "truncated", ALL,                  "#4",         None,                    "removed the"),
    Cell("checkpoint",  "garbage",   ALL,                  "#4",         None,                    "removed the"),
    Cell("checkpoint",  "forbidden", ALL,                  "#4",         FOREIGN,                 "removed the"),
    Cell("packed-refs", "missing",   LOST,                 LOST,         "note no ref any more",  None),
    Cell("packed-refs", "truncated", "is damaged",         "is damaged", "WRONG is damaged",      None),
    Cell("packed-refs", "garbage",   "is damaged",         "is damaged", "WRONG is damaged",      None),
    Cell("packed-refs", "forbidden", DENIED,               DENIED,       f"WRONG {DENIED}",       None),
    Cell("packs",       "missing",   ALL,                  "#4",         None,                    None),
    Cell("packs",       "truncated", ALL,                  "#4",         None,                    None),
    Cell("packs",       "garbage",   ALL,                  "#4",         None,                    None),
    Cell("packs",       "forbidden", ALL,                  "#4",         None,                    None),
]  # fmt: skip


class Patient:
    """A damaged repository, and a person without any special right who uses it."""

    def __init__(self, world: World, path: Path) -> None:
        self._world = world
        self._user = as_ordinary_user()
        self._path = path

    def chat(self, *words: str) -> Done:
        """A command of the person's. Whatever is damaged, the program knows what to say."""
        done = self._world.chat(*words, cwd=self._path, under=self._user)
        assert "Traceback" not in done.stderr
        assert done.returncode != 70, done.stderr
        return done

    def shell(self, line: str) -> Done:
        """A line that the person types, whatever it begins with."""
        return self._world.run(*self._user, "sh", "-c", line, cwd=self._path, check=False)

    def log(self) -> str:
        """The numbers and bodies that are shown, and the error if there is one."""
        done = self.chat("log", "--json")
        shown = [f"#{record['id']}" for record in map(json.loads, done.stdout.splitlines())]
        return " ".join([*shown, *done.stderr.splitlines()[:1]])

    def bodies(self) -> list[str]:
        """The bodies of all records, in their order, if nothing is wrong."""
        done = self.chat("log", "--json")
        assert (done.returncode, done.stderr) == (0, "")
        records = [json.loads(line) for line in done.stdout.splitlines()]
        assert [record["id"] for record in records] == list(range(1, len(records) + 1))
        return [record["content"] for record in records]

    def findings(self, *options: str) -> list[dict[str, str]]:
        """What the doctor finds that is not ok."""
        done = self.chat("doctor", "--json", *options)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == int(any(finding["level"] == "wrong" for finding in found))
        return [finding for finding in found if finding["level"] != "ok"]

    def mend(self) -> None:
        """Do as the doctor says, literally, until it finds nothing any more."""
        for _ in range(3):
            found = self.findings("--fix")
            if not found:
                return
            mends = [re.search(r"(?:^|: )((?:git|rm|mv|chmod) .*)", finding["mend"]) for finding in found]
            command = next(mend[1] for mend in mends if mend is not None)
            assert self.shell(command).returncode == 0
        assert self.findings() == []


def says(text: str, expected: str) -> bool:
    """Whether ``text`` begins with just the marks (#1, WRONG) that ``expected`` begins with, and holds its words."""
    marks = re.compile(r"(?:(?:#\d+|WRONG|note)\b ?)*")
    begins, begins_with = (marks.match(line)[0].strip() for line in (text.strip(), expected))  # type: ignore[index]
    return begins == begins_with and expected.removeprefix(begins_with).strip() in text


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.place} {cell.damage}")
def test_damage_is_told_and_mended_and_renumbers_nothing(world: World, cell: Cell) -> None:
    """What works goes on with the right number, what does not is refused and named, and no record is lost."""
    chatroom = Chatroom(world)
    for body in BODIES:
        chatroom.say(body)
    place = PLACES[cell.place](chatroom)
    copy = world.root / "copy"
    shutil.copytree(chatroom.path, copy)
    for path in (place, copy / place.relative_to(chatroom.path)):
        DAMAGES[cell.damage](path)

    user = Patient(world, chatroom.path)
    assert says(user.log(), cell.log), user.log()
    sent = user.chat("send", "next")
    assert says(sent.stdout + sent.stderr, cell.send), sent
    user.mend()
    assert user.bodies() == BODIES + ["next"] * cell.send.startswith("#")

    doctor = Patient(world, copy)
    found = [f"{finding['level'].replace('wrong', 'WRONG')} {finding['text']}" for finding in doctor.findings()]
    assert len(found) == (cell.found is not None), found
    assert cell.found is None or says(found[0], cell.found), found
    fixed = re.findall("^fixed: .*", doctor.chat("doctor", "--fix").stdout, re.MULTILINE)
    assert len(fixed) == (cell.fixed is not None), fixed
    assert cell.fixed is None or cell.fixed in fixed[0], fixed
    doctor.mend()
    assert doctor.bodies() == BODIES
    assert doctor.chat("send", "next").stdout == "#4\n"
    assert doctor.chat("verify").returncode == 0


def test_the_table_has_every_cell() -> None:
    """No damage in no place was left out."""
    assert [(cell.place, cell.damage) for cell in CELLS] == [(place, damage) for place in PLACES for damage in DAMAGES]


def test_a_kill_while_a_ref_is_mended_loses_nothing(world: World) -> None:
    """Between the removal of the damaged file and the move of the ref, the room is lost and can be brought back."""
    chatroom = Chatroom(world)
    for body in BODIES:
        chatroom.say(body)
    garbage(chatroom.file_of())
    store = open_store(chatroom.path / ".git")
    store._move = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign, assignment]
    assert wait_for([fork(lambda: [*repair(store)].clear())]) == [-signal.SIGKILL]
    assert not chatroom.file_of().exists()
    user = Patient(world, chatroom.path)
    assert says(user.log(), LOST)
    user.mend()
    assert user.bodies() == BODIES
    assert user.chat("send", "next").stdout == "#4\n"
