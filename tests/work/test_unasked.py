"""Looks that nobody asks for: where they are too slow there are none for a while, and that is said."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from gitchat.model.names import Name
from gitchat.model.record import Moment
from gitchat.staying import moved
from gitchat.staying.told import Told
from gitchat.verbs import conflicting, unasked
from gitchat.verbs.room import Room
from gitchat.work.resting import LEAST_SECONDS, MOST_SECONDS, Rest, RestFile
from gitchat.workspace.asking import is_resting
from tests.work.conftest import Place

DAY = 86_400


@pytest.fixture
def meeting(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Both have committed what does not merge; half a minute is over at once."""
    monkeypatch.setattr(conflicting, "_sleep", lambda seconds: None)
    for tree, name in ((place.alice, "alice"), (place.bob, "bob")):
        place.write(tree, "lexer.py", 20, name)
        place.commit(tree)
    return place


def _glance(place: Place, seconds: int) -> list[str]:
    """Look unasked, at this time; the types of what the room was told until then."""
    conflicting.glance(Room(place.world.environment(place.alice, now=lambda: Moment(seconds)), name="alice"))
    return [one[0] for one in place.statuses()]


def _said(place: Place) -> tuple[str, list[str], list[str]]:
    """What status, doctor and an agent's hooks say of it."""
    environment = place.world.environment(place.alice)
    status = json.loads(place.world.chat("status", "--json", cwd=place.alice, check=True).stdout)
    doctor = place.world.chat("doctor", cwd=place.alice).stdout.splitlines()
    told = moved.sentences(environment, Told(environment.repository.directory, Name("alice")))
    return status.get("conflicts_not_looked", ""), [line for line in doctor if "conflicts" in line], told


def test_a_look_that_does_not_end_is_ended_and_said(meeting: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the merge driver that it waits for; a while later it is tried again, and who asks is told all the same."""
    world, now = meeting.world, meeting.world.environment(meeting.alice).now().seconds
    pids, ran = meeting.world.root / "pids", meeting.world.root / "ran"
    driver = meeting.world.root / "driver"
    driver.write_text(f"#!/bin/sh\n[ -e {ran} ] && exit 1\necho $$ >>{pids}\nexec sleep 600\n")
    driver.chmod(0o755)
    world.git("config", "merge.slow.driver", str(driver), cwd=meeting.alice)
    (meeting.alice / ".git" / "info").mkdir(exist_ok=True)
    (meeting.alice / ".git" / "info" / "attributes").write_text("lexer.py merge=slow\n")
    monkeypatch.setattr(unasked, "LIMIT_SECONDS", 3.0)
    assert _glance(meeting, now) == []
    assert not list(meeting.alice.glob(".merge_file_*")), "which git has in the work tree for the driver"
    assert all(map(_has_ended, pids.read_text().split()))
    assert not (meeting.alice / ".git" / "chatroom" / "ahead").exists()
    why = "nobody looks at conflicts here unasked: a look was ended after 3 s"
    status, doctor, told = _said(meeting)
    assert status == why
    assert why in doctor[0]
    assert told == [f"{why}. See: git chat conflicts"]
    assert _said(meeting)[2] == [], "once"
    assert not (meeting.alice / ".git" / "chatroom" / "conflicts.on").exists()
    ran.touch()
    monkeypatch.setattr(unasked, "LIMIT_SECONDS", 60.0)
    assert _glance(meeting, now + LEAST_SECONDS - 1) == []
    assert len(pids.read_text().split()) == 1
    assert _glance(meeting, now + LEAST_SECONDS) == ["conflict"]
    assert not is_resting(meeting.world.environment(meeting.alice))


def _has_ended(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_where_git_is_slow_nobody_looks_unasked(meeting: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it took longer than it may, until somebody asks and it is quick again; and in a tree of very many files."""
    now = meeting.world.environment(meeting.alice).now().seconds
    monkeypatch.setattr(unasked, "MOST_STATUS_SECONDS", 0.0)
    assert _glance(meeting, now) == ["conflict"], "that look was made"
    status, doctor, told = _said(meeting)
    assert status.startswith("nobody looks at conflicts here unasked: git takes 0.")
    assert status in doctor[0]
    assert doctor[1].strip() == "mend: look yourself: git chat conflicts"
    assert len(told) == 1
    assert status in meeting.world.chat("status", cwd=meeting.alice, check=True).stdout
    asked = _conflicts(meeting)
    assert "nobody looks" not in asked, "it was quick now, for a command that knows nothing of the limit here"
    assert _said(meeting) == ("", [], [])
    monkeypatch.setattr(unasked, "MOST_STATUS_SECONDS", 60.0)
    monkeypatch.setattr(unasked, "MOST_FILES", 2)
    _glance(meeting, now)
    assert _said(meeting)[0].startswith("nobody looks at conflicts here unasked: there are ")
    assert _said(meeting)[0] in _conflicts(meeting)
    monkeypatch.setattr(unasked, "MOST_FILES", 10)
    _glance(meeting, now)
    assert _said(meeting)[0] == ""


def _conflicts(place: Place) -> str:
    return place.world.chat("conflicts", cwd=place.alice, check=True).stdout


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"why":"x","amount":1,"at":1}', b'{"why":"time","amount":1,"at":1,"lasts":1e999}']
)
def test_a_rest_that_does_not_read_is_none(tmp_path: Path, content: bytes) -> None:
    """Whatever stands there; and what was noted is read as it was, until its time is over or the clock was set back."""
    file = RestFile(tmp_path)
    (tmp_path / "conflicts.rest").write_bytes(content)
    assert file.load(1) is None
    rest = Rest("status", 4.2, 1000)
    file.note(rest)
    assert file.load(1000) == rest
    assert rest.words == "git takes 4.2 s to tell what is changed"
    assert file.load(999) is None
    assert file.load(1000 + LEAST_SECONDS) is None
    for number in range(9):
        file.lengthen("time", 10, 5000)
        wanted = min(LEAST_SECONDS * 2 ** (number + 1), MOST_SECONDS)
        assert file.load(5000) == Rest("time", 10, 5000, wanted), "twice as long as before"
    file.note(None)
    file.lengthen("time", 10, 5000)
    assert file.load(5000) == Rest("time", 10, 5000, LEAST_SECONDS), "unless a look was quick"
    file.note(None)
    assert file.load(1000) is None


def test_work_that_nobody_touched_for_a_week_is_shown_and_not_told(place: Place) -> None:
    """The oldest of both decides; whoever touches it again is told."""
    for tree, name in ((place.alice, "alice"), (place.bob, "bob")):
        place.write(tree, "lexer.py", 20, name)
    place.commit(place.bob)
    then = int(time.time()) - 9 * DAY
    for file in (place.alice / ".git" / "worktrees" / "bob").rglob("*"):
        os.utime(file, (then, then))
    for _ in range(2):
        shown = place.world.chat("conflicts", cwd=place.alice, check=True).stdout
    assert shown.startswith("with bob: branch theirs in ../bob, idle for 9 days\n")
    told = place.world.chat("conflicts", "--json", cwd=place.alice, check=True).stdout
    assert json.loads(told.splitlines()[0])["idle_days"] == 9
    place.commit(place.alice)
    assert place.found() == {"lexer.py": "conflict"}
    assert place.statuses() == []
    place.world.git("commit", "-q", "--allow-empty", "-m", "back", cwd=place.bob)
    assert place.found() == {"lexer.py": "conflict"}
    assert [one[0] for one in place.statuses()] == ["conflict"]
