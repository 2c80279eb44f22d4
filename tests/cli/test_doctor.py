"""``git chat doctor``: what is wrong with the rooms here, and the command that mends it."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitchat.model.names import RoomName
from gitchat.model.record import Moment
from gitchat.model.refs import log_ref
from tests.cli.conftest import LOG, Chatroom, as_ordinary_user, read_only, refused
from tests.world import Done

YEAR = 365 * 86400

Finding = dict[str, str]


def findings(done: Done, level: str) -> list[Finding]:
    """The findings of one level in what ``doctor --json`` printed."""
    return [finding for finding in map(json.loads, done.stdout.splitlines()) if finding["level"] == level]


def lock(chatroom: Chatroom, name: str, age_seconds: int) -> Path:
    """A lock file in the git directory, made some time ago or, with a negative age, in the future."""
    path = chatroom.path / ".git" / name
    path.touch()
    os.utime(path, times=(time.time() - age_seconds, time.time() - age_seconds))
    return path


# --- nothing is wrong --------------------------------------------------------


def test_healthy_room(chatroom: Chatroom) -> None:
    """Nothing wrong: status 0, and a line for each thing that was looked at."""
    chatroom.say()
    chatroom.say(room="dev")
    lines = chatroom.chat("doctor", check=True).stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        f"ok     {subject}"
        for subject in ("git", "repository", "name", "access", "hooks", "locks", "room dev", "room lobby")
    ]
    assert "you send as 'alice'" in lines[2]
    assert "1 record, format 1" in lines[-1]


def test_repository_without_a_room_is_healthy(chatroom: Chatroom) -> None:
    """Before the first message there is nothing wrong, and the way to begin is told."""
    assert 'git chat send "hello"' in chatroom.chat("doctor", check=True).stdout


def test_missing_address_is_only_a_note(chatroom: Chatroom) -> None:
    """Without user.email one can talk, so that is a note with its command, and nothing wrong."""
    chatroom.git("config", "--global", "--unset", "user.email")
    done = chatroom.chat("doctor", "--json", check=True)
    assert [note["mend"] for note in findings(done, "note")] == ["git config --global user.email you@example.com"]
    assert findings(done, "wrong") == []


def test_fresh_lock_is_not_wrong(chatroom: Chatroom) -> None:
    """A lock that a git may be holding this minute is left out of it."""
    chatroom.say()
    lock(chatroom, f"{LOG}.lock", age_seconds=5)
    assert findings(chatroom.chat("doctor", "--json", check=True), "wrong") == []


def test_json_has_one_finding_a_line(chatroom: Chatroom) -> None:
    """A program gets level, subject, text and mend of each finding."""
    chatroom.git("config", "remote.hub.mirror", "true")
    lines = [json.loads(line) for line in chatroom.chat("doctor", "--json").stdout.splitlines()]
    assert all(line.keys() == {"level", "subject", "text", "mend"} for line in lines)
    assert {line["level"] for line in lines} == {"ok", "wrong"}


def test_doctor_changes_nothing(chatroom: Chatroom) -> None:
    """The doctor only looks: no file is made, changed or removed, not even a stale lock."""
    chatroom.say()
    lock(chatroom, f"{LOG}.lock", age_seconds=120)
    before = {path: path.stat().st_mtime_ns for path in chatroom.path.rglob("*")}
    chatroom.chat("doctor")
    assert {path: path.stat().st_mtime_ns for path in chatroom.path.rglob("*")} == before


# --- something is wrong ------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """A way to break a room of two records, and what the doctor then says, as regular expressions."""

    arrange: Callable[[Chatroom], object]
    subject: str
    text: str
    mend: str
    """Its group, if there is one, is a command that heals."""


def remove_tip(room: Chatroom) -> None:
    """Remove the object of the newest record."""
    room.lose(room.tip)


def damage_first(room: Chatroom) -> None:
    """Overwrite the object of the first record."""
    path = room.file_of_object(room.entries()[0].oid)
    path.chmod(0o644)
    path.write_text("junk")


def damage_first_for_good(room: Chatroom) -> None:
    """Overwrite the object of the first record, and forget what would bring it back."""
    damage_first(room)
    (room.path / ".git/chatroom/journal").unlink()


FAULTS = {
    "mirror clone": Fault(
        lambda room: room.git("config", "remote.origin.fetch", "+refs/*:refs/*"),
        "mirror", "'git fetch origin' overwrites the rooms here",
        r"ordinary clone, or: (git config remote.origin.fetch .*)",
    ),
    "mirror remote": Fault(
        lambda room: room.git("config", "remote.hub.mirror", "true"),
        "mirror", "'git push hub' makes hub equal", "(git config --unset remote.hub.mirror)",
    ),
    "stale lock of the ref": Fault(
        lambda room: lock(room, f"{LOG}.lock", age_seconds=120),
        "stale lock", "has been there for 12", "when no git is running: (rm '.*/log.lock')",
    ),
    "stale lock of packed refs": Fault(
        lambda room: lock(room, "packed-refs.lock", age_seconds=120),
        "stale lock", "packed-refs.lock has been there for 12", "(rm '.*/packed-refs.lock')",
    ),
    "lock in the future": Fault(
        lambda room: lock(room, f"{LOG}.lock", age_seconds=-3600),
        "clock", "s in the future", "clock: date -u",
    ),
    "damaged ref": Fault(
        lambda room: room.file_of().write_text("garbage\n"),
        "room lobby", f"the ref {LOG} is damaged", "(git chat doctor --fix)",
    ),
    "empty ref": Fault(
        lambda room: room.file_of().write_text(""),
        "room lobby", f"the ref {LOG} is damaged", "(git chat doctor --fix)",
    ),
    "missing tip": Fault(remove_tip, "room lobby", "is missing", "git fetch --refetch PATH-OR-URL"),
    "damaged record": Fault(
        damage_first, "room lobby", "is damaged: .*newer records can be read", "(git chat doctor --fix)"
    ),
    "record that is damaged for good": Fault(
        damage_first_for_good, "room lobby", "newer records can be read", "rm -f .*; git fetch --refetch PATH-OR-URL"
    ),
    "push that overwrites": Fault(
        lambda room: room.git("config", "remote.hub.push", "+refs/*:refs/*"),
        "push", "'git push hub' overwrites the rooms there", "(git config .*)",
    ),
    "clock ahead": Fault(
        lambda room: room.say(at=Moment(int(time.time()) + YEAR)),
        "clock", "days ahead", "compare the clocks of the machines that write: date -u",
    ),
    "clock ahead of claims": Fault(
        lambda room: (room.chat("claim", "src/", check=True), room.say(at=Moment(int(time.time()) + 700))),
        "clock", "1[12] minutes ahead, and claims there end", "compare the clocks of the machines that write: date -u",
    ),
    "bad name": Fault(
        lambda room: room.git("config", "chat.name", "Al Ice"),
        "name", "'Al Ice' is not a valid name", "'al-ice'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_wrong_comes_with_what_mends_it(chatroom: Chatroom, fault: Fault) -> None:
    """Each fault is one finding with a mend, beside it nothing is wrong, and a command that mends does heal."""
    chatroom.say("one")
    chatroom.say("two")
    fault.arrange(chatroom)
    [wrong] = findings(chatroom.chat("doctor", "--json"), "wrong")
    assert wrong["subject"] == fault.subject
    assert re.search(fault.text, wrong["text"])
    mend = re.search(fault.mend, wrong["mend"])
    assert mend is not None, wrong["mend"]
    if mend.groups():
        chatroom.world.run("sh", "-c", mend[1], cwd=chatroom.path)
        assert findings(chatroom.chat("doctor", "--json", check=True), "wrong") == []


def test_wrong_stands_out_for_a_person(chatroom: Chatroom) -> None:
    """WRONG is in capitals, with the mend in a line of its own."""
    chatroom.git("config", "remote.hub.mirror", "true")
    shown = chatroom.chat("doctor").stdout
    assert re.search(r"^WRONG  mirror: .*\n       mend: git config --unset remote.hub.mirror$", shown, re.MULTILINE)


def test_repository_that_cannot_be_written_to(chatroom: Chatroom) -> None:
    """Reading works and sending does not: the doctor says so, and whom to ask."""
    chatroom.say()
    with read_only(chatroom.path):
        done = chatroom.chat("doctor", "--json", under=as_ordinary_user())
    [wrong] = findings(done, "wrong")
    assert (wrong["subject"], wrong["mend"]) == (
        "access", f"ask its owner for write access: ls -ld '{chatroom.path / '.git'}'"
    )  # fmt: skip


def test_all_rooms_are_looked_at(chatroom: Chatroom) -> None:
    """A damaged room does not hide the others."""
    for room in ("dev", "lobby", "ops"):
        chatroom.say(room=room)
    chatroom.file_of().write_text("garbage\n")
    done = chatroom.chat("doctor", "--json")
    assert [finding["subject"] for finding in findings(done, "ok")][-2:] == ["room dev", "room ops"]
    assert [finding["subject"] for finding in findings(done, "wrong")] == ["room lobby"]


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_wrong_ends_with_status_1(chatroom: Chatroom, options: list[str]) -> None:
    """A script can tell from the exit status that something is wrong."""
    chatroom.git("config", "remote.hub.mirror", "true")
    assert chatroom.chat("doctor", *options).returncode == 1


def break_ref(room: Chatroom) -> None:
    """Overwrite the file of the ref."""
    room.file_of().write_text("garbage\n")


def remove_tip(room: Chatroom) -> None:
    """Remove the object of the newest record."""
    room.lose(room.tip)


def remove_first(room: Chatroom) -> None:
    """Remove the object of the first record."""
    room.lose(room.entries()[0].oid)


def damage_first(room: Chatroom) -> None:
    """Overwrite the object of the first record."""
    path = room.file_of_object(room.entries()[0].oid)
    path.chmod(0o644)
    path.write_text("junk")


@pytest.mark.parametrize("damage", [break_ref, remove_tip, remove_first, damage_first])
def test_damage_is_mended_from_another_clone(chatroom: Chatroom, damage: Callable[[Chatroom], None]) -> None:
    """What the doctor says about a damaged room brings it back from a clone that has it, and loses nothing."""
    chatroom.say("one")
    chatroom.say("two")
    other = chatroom.world.repository("other")
    chatroom.world.git("fetch", "-q", chatroom.path, f"+{LOG}:{LOG}", cwd=other)
    if damage is not break_ref:
        chatroom.say("three, which the other clone does not have")
        if damage is remove_tip:
            chatroom.world.git("fetch", "-q", chatroom.path, f"+{LOG}:{LOG}", cwd=other)
    before = chatroom.tip
    damage(chatroom)
    shutil.rmtree(chatroom.path / ".git/chatroom")  # nothing here knows any more
    [wrong] = findings(chatroom.chat("doctor", "--json"), "wrong")
    [command] = re.findall(r"((?:rm|git) .*)", wrong["mend"])
    chatroom.world.run("sh", "-c", command.replace("PATH-OR-URL-OF-ANOTHER-CLONE", str(other)), cwd=chatroom.path)
    assert findings(chatroom.chat("doctor", "--json", check=True), "wrong") == []
    assert chatroom.tip == before


# --- --fix -------------------------------------------------------------------


def remove_newest(room: Chatroom) -> None:
    """What git prune does at the wrong moment."""
    room.file_of_object(room.tip).unlink()


def spoil_checkpoint(room: Chatroom) -> None:
    """Overwrite what remembers the room's length."""
    (room.path / ".git/chatroom/checkpoints/lobby").write_bytes(b"\0" * 100)


def leave_lock(room: Chatroom) -> None:
    """A lock of the ref, two minutes old."""
    lock = Path(f"{room.file_of()}.lock")
    lock.touch()
    os.utime(lock, times=(time.time() - 120, time.time() - 120))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (damage_first, "wrote 1 damaged objects again"),
        (spoil_checkpoint, "removed the unreadable checkpoint"),
        (leave_lock, "removed the stale lock"),
    ],
)
def test_fix_mends_and_says_what_it_did(chatroom: Chatroom, damage: Callable[[Chatroom], None], words: str) -> None:
    """After ``--fix`` nothing is wrong, every message is there, and the next number is right."""
    for turn in range(3):
        chatroom.say(str(turn))
    damage(chatroom)
    done = chatroom.chat("doctor", "--fix")
    assert [line for line in done.stdout.splitlines() if line.startswith("fixed: ")] != []
    assert words in done.stdout
    assert (done.returncode, "WRONG" in done.stdout) == (0, False)
    assert [entry.record.body for entry in chatroom.entries()] == ["0", "1", "2"]
    assert chatroom.chat("send", "next").stdout == "#4\n"
    assert "WRONG" not in chatroom.chat("verify").stdout


def test_a_lost_commit_is_back_before_anybody_asks(chatroom: Chatroom) -> None:
    """What a prune took needs no ``--fix``: opening the room is enough."""
    chatroom.say("one")
    remove_newest(chatroom)
    assert "WRONG" not in chatroom.chat("doctor", check=True).stdout
    assert chatroom.git("fsck").returncode == 0


def test_fix_of_a_sound_room_does_nothing(chatroom: Chatroom) -> None:
    """No line begins with ``fixed``."""
    chatroom.say()
    assert "fixed" not in chatroom.chat("doctor", "--fix", check=True).stdout


# --- refs that are gone, damaged, or somebody's decision ---------------------


def test_a_deleted_room_stays_deleted(chatroom: Chatroom) -> None:
    """``--fix`` brings nothing back that somebody may have deleted; the note has the commands for both."""
    for body in ("one", "two"):
        chatroom.say(body)
    tip = chatroom.tip
    chatroom.git("update-ref", "-d", LOG)
    for options in ([], ["--fix"]):
        [note] = findings(chatroom.chat("doctor", "--json", *options, check=True), "note")
        assert note["mend"] == f"git update-ref {LOG} {tip} ''"
        assert not chatroom.file_of().exists()
    refused(chatroom.chat("send", "again"), "has lost its ref", "if it was deleted on purpose: rm '", 4)
    [forget] = re.findall("forget it: (rm .*)", note["text"])
    chatroom.world.run("sh", "-c", forget, cwd=chatroom.path)
    assert chatroom.chat("send", "again").stdout == "#1\n"


def test_fix_never_moves_a_ref_that_can_be_read(chatroom: Chatroom) -> None:
    """Also one that somebody moved back by hand stays where it is, and one that names another ref."""
    for body in ("one", "two", "three"):
        chatroom.say(body)
    first = chatroom.entries()[0].oid
    chatroom.git("update-ref", LOG, first)
    assert "fixed" not in chatroom.chat("doctor", "--fix").stdout
    assert chatroom.tip == first
    chatroom.git("symbolic-ref", LOG, "refs/heads/elsewhere")
    assert "fixed" not in chatroom.chat("doctor", "--fix").stdout
    assert chatroom.file_of().read_text() == "ref: refs/heads/elsewhere\n"


@pytest.mark.parametrize("known", ["journal", "checkpoints"])
def test_fix_moves_a_damaged_ref_past_an_old_packed_one(chatroom: Chatroom, known: str) -> None:
    """One file that knows is enough; without the damaged file git would show what was packed before."""
    chatroom.say("one")
    chatroom.git("pack-refs", "--all")
    for body in ("two", "three"):
        chatroom.say(body)
    tip = chatroom.tip
    break_ref(chatroom)
    for path in (chatroom.path / ".git/chatroom").iterdir():
        if path.name not in (known, "booted"):  # without the latter whoever comes first mends it
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    done = chatroom.chat("doctor", "--fix", check=True)
    assert f"fixed: moved the damaged ref {LOG} to {tip}, where the room stood" in done.stdout
    assert chatroom.tip == tip
    assert chatroom.chat("send", "four").stdout == "#4\n"


def test_fix_rather_leaves_a_damaged_ref_than_takes_records_back(chatroom: Chatroom) -> None:
    """When the newest commit that is known is destroyed, an older one is no place to go on from."""
    for body in ("one", "two", "three"):
        chatroom.say(body)
    remove_tip(chatroom)
    break_ref(chatroom)
    done = chatroom.chat("doctor", "--fix")
    assert (done.returncode, "fixed" in done.stdout) == (1, False)
    assert f"mend: rm '{chatroom.file_of()}'; git fetch PATH-OR-URL-OF-ANOTHER-CLONE {LOG}:{LOG}" in done.stdout
    assert chatroom.file_of().read_text() == "garbage\n"


def test_fix_of_one_room_leaves_the_others(chatroom: Chatroom) -> None:
    """Each damaged ref goes where its own room stood, though one journal has them all."""
    for room in ("dev", "lobby", "dev", "lobby", "ops"):
        chatroom.say(room=room)
    refs = [log_ref(RoomName(room)) for room in ("dev", "lobby", "ops")]
    before = [chatroom.git("rev-parse", ref).stdout for ref in refs]
    for ref in refs[:2]:
        chatroom.file_of(ref).write_text("")
    chatroom.chat("doctor", "--fix", check=True)
    assert [chatroom.git("rev-parse", ref).stdout for ref in refs] == before


# --- a clone that has only a part --------------------------------------------


def test_a_log_that_was_cut_off_is_not_numbered(chatroom: Chatroom) -> None:
    """With a part of the log no number is known: nothing is shown, sent or counted until the rest was fetched."""
    for body in ("one", "two", "three"):
        chatroom.say(body)
    world, clone = chatroom.world, chatroom.world.root / "clone"
    world.git("clone", "-q", "--depth=1", f"file://{chatroom.path}", clone)
    world.git("fetch", "-q", "--depth=1", "origin", f"{LOG}:{LOG}", cwd=clone)
    for words in (["log"], ["send", "hi"], ["show", "1"]):
        refused(world.chat(*words, cwd=clone), "this clone is shallow", "git fetch --unshallow origin", 4)
    [wrong] = findings(world.chat("doctor", "--json", cwd=clone), "wrong")
    world.run(*wrong["mend"].split(), cwd=clone)
    assert world.chat("send", "four", cwd=clone).stdout == "#4\n"
    assert findings(world.chat("doctor", "--json", cwd=clone, check=True), "wrong") == []


def test_a_whole_log_that_git_takes_for_cut_off_is_found(chatroom: Chatroom) -> None:
    """After a fetch with ``--depth`` numbers are right as before, and the doctor says what git may do."""
    for body in ("one", "two", "three"):
        chatroom.say(body)
    world, clone = chatroom.world, chatroom.world.root / "clone"
    world.git("clone", "-q", f"file://{chatroom.path}", clone)
    for options in ([], ["--depth=1"]):
        world.git("fetch", "-q", *options, "origin", f"{LOG}:{LOG}", cwd=clone)
    assert world.chat("send", "four", cwd=clone).stdout == "#4\n"
    [wrong] = findings(world.chat("doctor", "--json", cwd=clone), "wrong")
    assert (wrong["subject"], chatroom.tip in wrong["text"]) == ("shallow", True)
    world.run(*wrong["mend"].split(), cwd=clone)
    assert findings(world.chat("doctor", "--json", cwd=clone, check=True), "wrong") == []
    assert world.git("rev-list", "--count", LOG, cwd=clone).stdout == "5\n"


# --- what others do to the ref -----------------------------------------------


@pytest.mark.parametrize("elsewhere", ["HEAD", f"{LOG}~2"], ids=["a push of code", "moved back"])
def test_a_log_that_lost_its_records_is_found(chatroom: Chatroom, elsewhere: str) -> None:
    """When somebody moved the ref away from what was acknowledged, the doctor tells, and how to go back."""
    for body in ("one", "two", "three"):
        chatroom.say(body)
    tip = chatroom.tip
    chatroom.git("update-ref", LOG, elsewhere)
    [wrong] = findings(chatroom.chat("doctor", "--json"), "wrong")
    assert f"commit {tip} was the newest here" in wrong["text"]
    [back] = re.findall("git update-ref .*", wrong["mend"])
    chatroom.world.run(*back.split(), cwd=chatroom.path)
    assert findings(chatroom.chat("doctor", "--json", check=True), "wrong") == []
    assert chatroom.chat("send", "four").stdout == "#4\n"


def test_a_code_commit_on_the_log_is_told(chatroom: Chatroom) -> None:
    """A foreign commit takes no number and disturbs nobody; verify names it."""
    chatroom.say("one")
    tree = chatroom.git("rev-parse", "HEAD^{tree}").stdout.strip()
    code = chatroom.git("commit-tree", tree, "-p", chatroom.tip, "-m", "code").stdout.strip()
    chatroom.git("push", "-q", ".", f"{code}:{LOG}")
    assert "WRONG" not in chatroom.chat("doctor", check=True).stdout
    told = chatroom.chat("verify", check=True).stdout
    assert f"commit {code} by Alice is no record" in told
    assert f"commit {code} carries " in told
    assert chatroom.chat("send", "two").stdout == "#2\n"


def test_a_writer_that_was_killed_leaves_nothing_to_mend(chatroom: Chatroom) -> None:
    """A commit that was written and never acknowledged is not missed."""
    for body in ("one", "two"):
        chatroom.say(body)
    chatroom.git("update-ref", LOG, f"{LOG}~1")
    assert findings(chatroom.chat("doctor", "--json", check=True), "wrong") == []
