"""Records that a hub never takes hold up nobody else's. Proves docs/format.md section 12.20."""

from __future__ import annotations

import random
import re
import signal

import pytest

from gitchat.clones.report import Report
from gitchat.clones.settling import settle
from gitchat.model.names import RoomName
from gitchat.verbs.room import Room
from gitchat.workspace.remotes import open_remote
from tests.clones.conftest import LOG, Clone, Hub, smart_http
from tests.crash.writers import be_killed_at_call, fork, wait_for

ASIDE = "refs/chatroom-local/aside/lobby/"
SUMMARIES = "refs/chatroom/rooms/lobby/summaries"

NO_SECRETS = """
while read old new ref; do
  for commit in $(git rev-list $new --not --all); do
    if git cat-file -p $commit | grep -q AKIA; then echo "GH013: there is a secret in $commit" >&2; exit 1; fi
  done
done"""
"""As forges look for secrets: the whole push is refused, in words that name a commit."""

NO_STRANGERS = """
while read old new ref; do
  git log --format=%ae $new --not --all | grep -v '@example.com$' && echo "unknown author" >&2 && exit 1
done; exit 0"""


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone with one message that has a number, and nothing else."""
    clone = hub.clone("ann")
    clone.say("first")
    clone.sync()
    return clone


def room_of(clone: Clone, name: str | None = None) -> Room:
    """The lobby of ``clone``, in this process."""
    return Room(clone.world.environment(clone.path), "lobby", name or clone.name)


def sync(clone: Clone) -> Report:
    """What ``git chat sync`` does, in this process."""
    remote = open_remote(clone.world.environment(clone.path), "origin")
    return settle(remote, None, random=random.random)


def shown(clone: Clone) -> list[tuple[int | None, str, bool]]:
    """Number, text, and whether it is set aside, of all that a log shows, oldest first."""
    entries = room_of(clone).log(limit=None).entries
    return [(entry.number, entry.record.body, entry.aside is not None) for entry in entries]


def say(clone: Clone, *bodies: str) -> list[str]:
    """Messages, and their handles."""
    return [room_of(clone).send(body).handle for body in bodies]


@pytest.mark.parametrize("kind", ["content", "size", "author"])
def test_the_culprit_is_set_aside_and_the_others_get_their_numbers(hub: Hub, ann: Clone, kind: str) -> None:
    """Whatever the hub looks at: one record stands aside with its words, the rest is numbered in its order."""
    if kind == "content":
        hub.hook(NO_SECRETS)
    elif kind == "size":
        hub.git("config", "receive.maxInputSize", "20000")
    else:
        hub.hook(NO_STRANGERS)
    culprit = "AKIA" + random.Random(1).randbytes(25_000 if kind == "size" else 4).hex()
    say(ann, "one", "two")
    if kind == "author":
        ann.git("config", "user.email", "ann@elsewhere.net")
    (handle,) = say(ann, culprit)
    ann.git("config", "user.email", "ann@example.com")
    say(ann, "three", "four")
    report = sync(ann)
    assert report.refusal is None
    assert shown(ann) == [
        (1, "first", False), (2, "one", False), (3, "two", False), (4, "three", False), (5, "four", False),
        (None, culprit, True),
    ]  # fmt: skip
    (alarm,) = report.alarms
    assert handle in alarm
    (entry,) = room_of(ann).asides()
    why = {"content": "secret", "size": "unpack", "author": "unknown author"}[kind]
    assert entry.aside is not None
    assert why in entry.aside.why
    assert (report.pushed[RoomName("lobby")], sync(ann).pushes) == (4, 0)
    ann.git("fsck", "--strict")
    hub.assert_clean()


def test_what_is_too_large_for_a_hosts_proxy_is_set_aside(hub: Hub) -> None:
    """It refuses a whole request by its size, with HTTP 413 and without a word about a ref."""
    with smart_http(hub, max_bytes=20_000) as url:
        ann = hub.clone("ann", url)
        ann.say("first")
        ann.sync()
        large = random.Random(1).randbytes(25_000).hex()
        _, handle, _ = say(ann, "one", large, "two")
        report = sync(ann)
        assert report.refusal is None
        assert shown(ann) == [(1, "first", False), (2, "one", False), (3, "two", False), (None, large, True)]
        (alarm,) = report.alarms
        assert handle in alarm
        assert "413" in alarm


def test_a_refused_summary_holds_up_no_message_and_leads_on(hub: Hub, ann: Clone) -> None:
    """Not even the only one, which is not taken for the culprit; as the hint says they are written anew."""
    hub.hook(NO_SECRETS)
    ann.chat("summary", "write", "AKIA", check=True)
    ann.chat("summary", "write", "fine", check=True)
    for number in (2, 3):
        ann.say(f"message {number}")
        done = ann.chat("sync")
        assert (done.returncode, ann.records()[-1]["id"]) == (5, number)
        assert "did not take the summaries of room 'lobby' that are pending" in done.stderr
        assert "unsend" not in done.stderr
    command = re.search(r"take them all back: (git update-ref [^;]+);", done.stderr)
    assert command is not None
    ann.world.run("sh", "-c", command[1], cwd=ann.path)
    ann.chat("summary", "write", "--room", "lobby", "fine", check=True)
    ann.sync()
    assert "fine" in hub.git("log", "--format=%B", "-1", SUMMARIES).stdout
    ann.chat("summary", "write", "AKIA again", check=True)
    assert f"git update-ref {SUMMARIES} {hub.git('rev-parse', SUMMARIES).stdout.strip()};" in ann.chat("sync").stderr


def test_of_two_rooms_that_are_refused_together_the_other_goes_on(hub: Hub, ann: Clone) -> None:
    """Each has one message that waits: only the one that is refused alone may be at fault."""
    hub.hook(NO_SECRETS)
    ann.chat("send", "--room", "dev", "AKIA", check=True)
    ann.say("fine")
    report = sync(ann)
    assert ann.numbered() == [(1, "first"), (2, "fine")]
    assert report.refusal is not None
    assert "did not take refs/chatroom/rooms/dev/log" in str(report.refusal)


def test_both_ways_out_work_and_every_face_names_them(hub: Hub, ann: Clone) -> None:
    """``sync --retry`` tries it once more, ``unsend`` takes it back; log, status, show and doctor tell of it."""
    hook = hub.hook(NO_SECRETS)
    first, _, second = say(ann, "AKIA 1", "fine", "AKIA 2")
    assert "set aside" in ann.sync().stderr
    for command in (["log"], ["log", "--oneline"], ["status"], ["show", first], ["doctor"]):
        assert "set aside" in ann.chat(*command).stdout, command
    assert "GH013" in ann.chat("status").stdout
    named = ann.chat("status").stdout.partition("git chat unsend ")[2][:7]
    assert named in (first, second)  # of two that were said within one second
    assert "WRONG" not in ann.chat("doctor").stdout
    ann.chat("unsend", first, check=True)
    hook.unlink()
    ann.sync("--retry")
    assert ann.numbered() == [(1, "first"), (2, "fine"), (3, "AKIA 2")]
    assert second.startswith("~")
    assert ann.git("for-each-ref", ASIDE).stdout == ""


def test_what_is_tried_once_more_and_refused_stands_aside_again(hub: Hub, ann: Clone) -> None:
    """Alone it is only pending, and who reads the refusal is told how to take it back; it never holds up another."""
    hub.hook(NO_SECRETS)
    (handle, _) = say(ann, "AKIA", "fine")
    sync(ann)
    done = ann.chat("sync", "--retry")
    assert (done.returncode, f"git chat unsend --room lobby {handle}" in done.stderr) == (5, True)
    assert shown(ann)[-1] == (None, "AKIA", False)
    say(ann, "next")
    assert sync(ann).refusal is None
    assert shown(ann)[-2:] == [(3, "next", False), (None, "AKIA", True)]


def test_where_the_hub_takes_nothing_nothing_is_set_aside(hub: Hub, ann: Clone) -> None:
    """All stay pending, in their order, after a few questions, and the refusal is told."""
    hub.hook("echo closed for today >&2; exit 1")
    say(ann, *(f"message {number}" for number in range(20)))
    report = sync(ann)
    assert report.refusal is not None
    assert report.pushes <= 1 + 12
    assert room_of(ann).asides() == []
    assert [number for number, _, _ in shown(ann)] == [1] + [None] * 20


def test_a_hub_that_fails_once_blames_nobody(hub: Hub, ann: Clone) -> None:
    """The same is asked again before anybody is looked for."""
    hub.hook("test -e asked || { touch asked; echo the disk is full >&2; exit 1; }")
    say(ann, "one", "two")
    report = sync(ann)
    assert (report.refusal, report.alarms, report.pushed[RoomName("lobby")]) == (None, [], 2)
    assert shown(ann)[1:] == [(2, "one", False), (3, "two", False)]


def test_beside_others_who_push_all_clones_see_the_same(hub: Hub, ann: Clone) -> None:
    """What was said elsewhere meanwhile comes first; nobody but its clone hears of the culprit."""
    bob = hub.clone("bob")
    bob.sync()
    hub.hook(NO_SECRETS)
    say(ann, "a1", "AKIA", "a2")
    room_of(ann, "carol").read()
    secret = ann.git("rev-parse", LOG + "~1").stdout.strip()
    bob.say("b1")
    bob.sync()
    sync(ann)
    bob.sync()
    assert bob.numbered() == [(1, "first"), (2, "b1"), (3, "a1"), (4, "a2")]
    assert shown(ann)[:-1] == [(number, body, False) for number, body in bob.numbered()]
    assert [entry.record.body for entry in room_of(ann, "carol").unread().entries] == ["b1"]
    sync(ann)  # and with it the cursor of who has read the culprit
    assert hub.git("cat-file", "-e", secret, check=False).returncode != 0


def test_nothing_of_a_room_that_has_numbers_here_is_set_aside(hub: Hub) -> None:
    """Before the hub has taken a room its records have numbers, which stand."""
    hub.hook(NO_SECRETS)
    clone = hub.clone("dan")
    clone.chat("send", "AKIA", GIT_CONFIG_COUNT="0")
    clone.say("fine")
    report = sync(clone)
    assert report.refusal is not None
    assert [number for number, _, _ in shown(clone)] == [1, 2]


def test_a_model_hears_of_it(hub: Hub, ann: Clone) -> None:
    """In the answers of ``get_status`` and ``check_in``, with both ways out."""
    from gitchat.server import texts
    from gitchat.verbs.pending import of_asides

    hub.hook(NO_SECRETS)
    say(ann, "AKIA", "fine")
    sync(ann)
    counts = {"participant_count": 1, "message_count": 2, "last_activity_ts": None}
    text = texts.render("get_status", {}, counts | of_asides(room_of(ann).asides()), "2026-01-01")
    assert "git chat sync --retry" in text


@pytest.mark.slow
def test_killed_at_any_call_the_culprit_is_shown_once_and_the_others_stand(hub: Hub, ann: Clone) -> None:
    """In the log or aside, never both and never neither; the next rounds end what was begun."""
    hub.hook(NO_SECRETS)
    said = ["first"]
    for turn in range(1, 2000, 37):
        bodies = [f"before {turn}", f"AKIA {turn}", f"after {turn}"]
        say(ann, *bodies)
        said += bodies

        def work(turn: int = turn) -> None:
            room_of(ann).log()
            be_killed_at_call(turn)
            sync(ann)

        status = wait_for([fork(work)])
        assert sorted(body for _, body, _ in shown(ann)) == sorted(said)
        said += [f"next {turn}"]
        say(ann, said[-1])  # alone it would be pending: nothing would be held up by it
        sync(ann)
        assert sorted(body for _, body, _ in shown(ann)) == sorted(said)
        assert {is_aside for _, body, is_aside in shown(ann) if "AKIA" in body} == {True}
        if status == [0]:
            break
        assert status == [-signal.SIGKILL]
    assert turn > 60
    numbers = [number for number, body, _ in shown(ann) if "AKIA" not in body]
    assert numbers == list(range(1, len(numbers) + 1))
    hub.assert_clean()
