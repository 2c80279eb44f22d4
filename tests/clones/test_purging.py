"""Taking a text out of the history, here and at the remote. Proves docs/format.md sections 12.27 to 12.29 and 18."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from gitchat.clones import purging as at_remote
from gitchat.clones.report import Report
from gitchat.model import codec
from gitchat.model.errors import ConflictError
from gitchat.verbs import purging
from gitchat.verbs.room import Room
from tests.clones.conftest import LOG, Clone, Hub
from tests.crash.writers import be_killed_at_call, fork, wait_for
from tests.server.wire import Wire, eventually
from tests.world import World

SECRET = "xyzzyplugh"
"""One word, so that it is also a term of the index."""

TURNS = [9, 29, 70]
"""Before which of its calls to the system a purge is killed."""


def room_of(clone: Clone) -> Room:
    """The lobby of ``clone``, in this process."""
    return Room(clone.world.environment(clone.path), "lobby", clone.name)


def say_it(clone: Clone) -> None:
    """Three messages; the second has the secret in its text, in a file, and in the name of the file."""
    clone.say("first")
    path = clone.path / f"{SECRET}.txt"
    path.write_text(f"key: {SECRET}\n")
    clone.chat("send", "--attach", path, f"the key is {SECRET}", check=True)
    path.unlink()
    clone.say("third")


def traces(world: World, git_dir: Path) -> list[str]:
    """Where the secret stands in a git directory: the files, as they are, and all objects."""
    found = [
        str(path.relative_to(git_dir))
        for path in sorted(git_dir.rglob("*"))
        if path.is_file() and SECRET.encode() in path.read_bytes().lower()
    ]
    listed = ("cat-file", "--batch-all-objects", "--batch")
    objects = world.git(f"--git-dir={git_dir}", *listed).stdout
    return found + ["an object"] * (SECRET in objects)


def purge(clone: Clone, *numbers: str, **options: Any) -> str:
    """A purge that must be done; what it prints."""
    done = clone.chat("purge", "--yes", *numbers, check=True, **options)
    return done.stdout + done.stderr


def gc(world: World, *directories: Path) -> None:
    """What a host or a person does."""
    for directory in directories:
        world.git("gc", "-q", "--prune=now", cwd=directory)


def refs_of(repository: Hub | Clone) -> list[str]:
    """All refs, but for what was fetched and counts nowhere yet."""
    return [line for line in repository.git("show-ref").stdout.splitlines() if "/fetched/" not in line]


def views(clone: Clone) -> list[tuple[int | None, str]]:
    """What the clone shows, without the record that asks for a later format, which no view shows."""
    return clone.numbered()


PURGED = [(1, "first"), (2, "(purged by ann)"), (3, "third")]


def test_after_a_purge_no_clone_and_no_hub_has_the_text(hub: Hub, world: World) -> None:
    """One clone has pending records, one a cursor of several parents, one agents that sit, one is away and comes back:
    all numbers stand, and after gc no object and no file of any git directory has the text."""
    ann, ben, cat, dan, eve = (hub.clone(name) for name in ("ann", "ben", "cat", "dan", "eve"))
    say_it(ann)
    ann.sync()
    for clone in (ben, cat, dan, eve):
        clone.sync()
        clone.chat("read", check=True)
        clone.chat("search", SECRET, check=True)
    ann.chat("summary", "write", "all is well", check=True)
    ben.say("from ben")
    ben.chat("send", "-r", "2", "an answer", check=True)
    cat.say("to be read here and there")
    ann.chat("read", "--as", "cat", check=True)
    ann.sync()
    cat.sync()  # two positions of one name
    dan.chat("read", "--as", "bot", check=True)
    eve.git("config", "chat.sync", "batch")
    sitting = Wire(["git-chat", "mcp"], eve.path, world.variables | {"CLAUDECODE": "1", "CI": ""})
    watching = Wire(["git-chat", "watch", "-n", "5"], eve.path, world.variables | {"GITCHAT_NAME": "eve"})
    try:
        sitting.shake_hands()
        assert SECRET in sitting.text("read_messages")
        eventually(lambda: any(SECRET.encode() in line for line in watching.lines))
        assert traces(ann.world, ann.path / ".git")
        assert traces(hub.world, hub.path)

        said = purge(ann, "2")
        assert "#2 of room 'lobby' is purged here and at 'origin'; all numbers stand" in said
        assert "nothing of it is left" in said
        assert traces(ann.world, ann.path / ".git") == []
        ben_said = ben.chat("sync", check=True).stderr
        assert "note: ann purged #2 of room 'lobby'; it was removed here, too" in ben_said
        assert "purged" not in ben.chat("sync", check=True).stderr  # once
        ann.say("later")
        ann.sync()
        eventually(lambda: any(b"later" in line for line in watching.lines))
        assert "(purged by ann)" in sitting.text("read_messages")
        assert not any(b"third" in line for line in watching.lines[-3:])  # nothing comes twice
        sitting.text("join", name="eve2")
        sitting.text("send_message", content="from eve")
    finally:
        assert sitting.hang_up() == 0
        watching.signal(signal.SIGINT)
        watching.ended()
    clones = [ann, ben, cat, dan, eve]
    for clone in [*clones, *clones]:
        clone.sync()
    for clone in clones:
        assert clone.numbered()[:4] == [*PURGED, (4, "to be read here and there")]
        assert clone.numbered() == ann.numbered()
        assert "wrong" not in clone.chat("verify", "--purged", check=True).stdout
        assert "wrong" not in clone.chat("verify", check=True).stdout
        clone.git("fsck", "--no-dangling", "--connectivity-only")
    assert {body for _, body in ann.numbered()} >= {"from ben", "an answer", "later", "from eve"}
    assert ben.chat("inbox", check=True).stdout.count("#1 ") == 0  # what was read stays read
    gc(hub.world, hub.path, *(clone.path for clone in clones))
    assert {clone.name: traces(clone.world, clone.path / ".git") for clone in clones} == {
        clone.name: [] for clone in clones
    }
    assert traces(hub.world, hub.path) == []
    hub.assert_clean()


@pytest.mark.parametrize("form", ["files", "sha256", "reftable", "reflogs"])
def test_a_room_without_a_remote_is_purged(world: World, form: str) -> None:
    """Also of SHA-256, with reftable, and where git notes where refs have been; nothing is left without any gc."""
    if form in ("sha256", "reftable"):
        world.use_newer_git()
    options = {"sha256": ["--object-format=sha256"], "reftable": ["--ref-format=reftable"]}.get(form, [])
    clone = Clone(world, world.repository("ann", *options), "ann")
    if form == "reflogs":
        clone.git("config", "core.logAllRefUpdates", "always")
    say_it(clone)
    clone.chat("read", "--as", "ben", check=True)
    clone.chat("search", SECRET, check=True)
    assert traces(clone.world, clone.path / ".git")
    said = purge(clone, "2")
    assert "#2 of room 'lobby' is purged here; all numbers stand" in said
    assert "nothing of it is left" in said
    assert traces(clone.world, clone.path / ".git") == []
    assert views(clone) == PURGED
    assert clone.chat("search", SECRET).returncode == 1
    shown = clone.chat("show", "2", check=True).stdout
    assert "(purged by ann)" in shown
    assert ".txt" not in shown
    clone.say("fourth")
    assert clone.numbered()[-1] == (5, "fourth")  # the fourth asks for the later format
    assert "wrong" not in clone.chat("verify", check=True).stdout
    assert clone.git("log", "-1", "--format=%B", f"{LOG}~1").stdout.count("Chat-Format-Min: 2") == 1
    purge(clone, "1")
    assert clone.git("log", "--format=%B", LOG).stdout.count("Chat-Format-Min: 2") == 1  # once a room
    clone.git("fsck", "--strict", "--no-dangling")


def test_what_the_user_has_as_well_stays(world: World) -> None:
    """A file of the project that was attached is the project's; a branch of the user's keeps a message."""
    clone = Clone(world, world.repository("ann"), "ann")
    (clone.path / "notes.txt").write_text(f"ours: {SECRET}\n")
    clone.git("add", "notes.txt")
    clone.chat("send", "--attach", clone.path / "notes.txt", "look", check=True)
    said = purge(clone, "1")
    assert "git still keeps 1 old objects here" in said
    clone.git("commit", "-q", "-m", "notes")
    clone.git("fsck", "--strict", "--no-dangling")
    assert SECRET in clone.git("show", "HEAD:notes.txt").stdout
    clone.say("second")
    clone.git("branch", "kept", LOG)
    assert "by refs/heads/kept" in purge(clone, "3")
    assert clone.chat("verify", "--purged").returncode == 1
    clone.git("fsck", "--strict", "--no-dangling")
    clone.git("branch", "-D", "kept")
    gc(clone.world, clone.path)
    clone.git("rm", "-q", "--cached", "notes.txt")


def test_only_a_person_purges_who_agrees(hub: Hub) -> None:
    """No agent, and nobody who is not asked and says so; what is pending is taken back, and what is not there named."""
    ann = hub.clone("ann")
    say_it(ann)
    ann.sync()
    refused = ann.chat("purge", "2", "--yes", CLAUDECODE="1")
    assert (refused.returncode, "only a person purges" in refused.stderr) == (1, True)
    refused = ann.chat("purge", "2")
    assert (refused.returncode, "nobody agreed to it" in refused.stderr) == (1, True)
    assert "no record #9" in ann.chat("purge", "9", "--yes").stderr
    ann.say("pending")
    handle = room_of(ann).log().entries[-1].handle
    assert f"git chat unsend --room lobby {handle}" in ann.chat("purge", handle, "--yes").stderr
    assert ann.numbered()[1] == (2, f"the key is {SECRET}")
    ann.chat("redact", "2", check=True, CLAUDECODE="1", GITCHAT_NAME="bot")
    assert ann.numbered()[1] == (2, "(redacted by bot)")
    ann.chat("purge", "2", "--yes", check=True)
    assert ann.numbered()[1] == (2, "(purged by ann)")


def test_who_finds_another_log_syncs_first(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that was put there by force meanwhile is looked at by a sync, and not by a purge."""
    ann = hub.clone("ann")
    say_it(ann)
    ann.sync()
    hub.git("update-ref", LOG, f"{LOG}~1")
    room = room_of(ann)
    monkeypatch.setattr("gitchat.clones.sync.Remote.round", lambda *_: Report("origin"))
    with pytest.raises(ConflictError, match="another log") as refused:
        purging.purge(room, purging.wanted(room, [2]))
    assert refused.value.hint == "git chat sync origin"
    monkeypatch.undo()
    ann.sync()
    purge(ann, "2")
    assert views(ann) == PURGED


def test_a_hub_that_takes_no_forced_push_is_left_as_it_was(hub: Hub) -> None:
    """All or nothing: one cursor that is refused, and no ref has moved, there or here."""
    ann = hub.clone("ann")
    say_it(ann)
    ann.sync()
    ann.chat("read", "--as", "ben", check=True)
    ann.sync()
    hub.hook('case "$1" in */cursors/*) exit 1;; esac', "update")
    before = refs_of(hub), refs_of(ann)
    refused = ann.chat("purge", "2", "--yes")
    assert refused.returncode == 5
    assert "'origin' did not take the purge" in refused.stderr
    assert (refs_of(hub), refs_of(ann)) == before
    assert not (ann.path / ".git/chatroom/purging").exists()
    ann.say("goes on")
    assert ann.sync().stdout == "lobby: 0 fetched, 1 pushed\n"
    (hub.path / "hooks/update").unlink()
    purge(ann, "2")
    assert ann.numbered()[:3] == PURGED


def test_who_is_quicker_only_makes_it_begin_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the fetch and the push somebody says something: it is there afterwards, behind what was."""
    ann, ben = hub.clone("ann"), hub.clone("ben")
    say_it(ann)
    ann.sync()
    ben.sync()
    push, calls = at_remote.Purging._push, []

    def slow(self: Any, *arguments: Any) -> bool:
        calls.append(len(calls))
        if len(calls) == 1:
            ben.say("quicker")
            ben.sync()
        return push(self, *arguments)

    monkeypatch.setattr(at_remote.Purging, "_push", slow)
    room = room_of(ann)
    done = purging.purge(room, purging.wanted(room, [2]))
    assert (len(calls), done.left) == (2, 0)
    ann.say("fifth")
    ann.sync()
    ben.sync()
    expected = [*PURGED, (4, "quicker"), (6, "fifth")]
    assert (ann.numbered(), ben.numbered()) == (expected, expected)


def test_a_clone_that_knows_of_the_gate_and_not_of_purges_pushes_nothing(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older version that obeys 8.1 leaves the room as it is: its pending record stays, and nothing comes back."""
    ann, old = hub.clone("ann"), hub.clone("old")
    say_it(ann)
    ann.sync()
    old.sync()
    old.say("pending")
    purge(ann, "2")
    tip = hub.tip
    with monkeypatch.context() as older:
        older.setattr(codec, "NEWEST_FORMAT", 1)
        older.setattr("gitchat.clones.adopting.Adopting.adopt", lambda *_: False)
        from gitchat.workspace.remotes import open_remote

        report = open_remote(room_of(old).environment, "origin", is_typed=True).round(None)
    assert report.newer == {"lobby": 2}
    assert hub.tip == tip
    old.sync()
    assert hub.tip != tip
    assert [*old.numbered()] == [*PURGED, (5, "pending")]
    gc(hub.world, hub.path)
    assert traces(hub.world, hub.path) == []


def test_a_clone_without_the_gate_brings_it_back_and_that_is_found(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """As version 0.1.0 does: ``verify --purged`` names it, and a second purge takes it out again."""
    ann, old = hub.clone("ann"), hub.clone("old")
    say_it(ann)
    ann.sync()
    old.sync()
    old.say("pending")
    purge(ann, "2")
    with monkeypatch.context() as older:
        older.setattr("gitchat.clones.admission.codec.NEWEST_FORMAT", 9)
        older.setattr("gitchat.clones.adopting.Adopting.adopt", lambda *_: False)
        from gitchat.workspace.remotes import open_remote

        open_remote(room_of(old).environment, "origin", is_typed=True).round(None)
    ann.sync()
    found = ann.chat("verify", "--purged")
    assert found.returncode == 1
    assert "#2 of ann was purged, and commit" in found.stdout
    purge(ann, "2")
    assert "wrong" not in ann.chat("verify", "--purged", check=True).stdout
    old.sync()
    assert old.numbered() == ann.numbered() == [*PURGED, (5, "pending")]
    gc(hub.world, hub.path, old.path)
    assert (traces(hub.world, hub.path), traces(old.world, old.path / ".git")) == ([], [])


def test_whose_version_knows_of_no_purge_is_named(hub: Hub) -> None:
    """Who wrote within 30 days without a ``Chat-Clone`` line: that clone would bring it all back."""
    ann = hub.clone("ann")
    say_it(ann)
    ann.sync()
    tree = ann.git("hash-object", "-t", "tree", "/dev/null").stdout.strip()
    uid = "Chat-Kind: message\nChat-Uid: 0123456789abcdef\n"
    told = ann.git(
        "-c", "user.name=zoe", "commit-tree", tree, "-p", LOG, stdin=f"of old\n\n{uid}".encode()
    ).stdout.strip()
    ann.git("update-ref", LOG, told)
    assert "warning: zoe wrote within 30 days with a gitchat that knows of no purge" in purge(ann, "2")


def test_who_wants_to_be_asked_is_asked(hub: Hub) -> None:
    """With ``chat.purge=ask`` nothing is joined or pushed until somebody agrees; other rooms go on."""
    ann, ben = hub.clone("ann"), hub.clone("ben")
    say_it(ann)
    ann.sync()
    ben.sync()
    ben.git("config", "chat.purge", "ask")
    ben.say("pending")
    purge(ann, "2")
    before = ben.numbered()
    held = ben.chat("sync")
    assert "ann purged #2 at 'origin'; it is here as before" in held.stderr
    assert "git chat sync origin --accept-purge" in held.stderr
    assert ben.numbered() == before
    assert "it was removed here, too" in ben.sync("--accept-purge").stderr
    assert ben.numbered() == [*PURGED, (5, "pending")]
    assert traces(ben.world, ben.path / ".git") == []


def test_what_is_no_purge_is_joined_as_ever(hub: Hub) -> None:
    """A log that was changed otherwise, by force, takes nothing away here: a text that is another, one more blank."""
    ann, ben = hub.clone("ann"), hub.clone("ben")
    say_it(ann)
    ann.sync()
    ben.sync()
    raw = ann.git("cat-file", "commit", LOG).stdout
    forged = ann.git(
        "hash-object", "-t", "commit", "-w", "--stdin", stdin=raw.replace("third", "forged").encode()
    ).stdout.strip()
    ann.git("push", "-q", "-f", "origin", f"{forged}:{LOG}")
    ben.sync()
    assert "purged" not in ben.chat("log").stdout
    assert SECRET in ben.chat("log").stdout


def is_before(clone: Clone) -> bool:
    """Whether the clone shows what was said, whole."""
    return views(clone)[:3] == [(1, "first"), (2, f"the key is {SECRET}"), (3, "third")]


def kill_at(clone: Clone, turn: int) -> int:
    """Purge #2 in a process that is killed before its call number ``turn``; its status."""
    environment = clone.world.environment(clone.path)
    room = Room(environment, "lobby", clone.name)
    entries = purging.wanted(room, [2])

    def work() -> None:
        be_killed_at_call(turn)
        purging.purge(room, entries)

    (status,) = wait_for([fork(work)])
    return status


@pytest.mark.parametrize("turn", [*TURNS, *(pytest.param(one, marks=pytest.mark.soak) for one in range(3, 200, 4))])
@pytest.mark.parametrize("has_remote", [False, True])
def test_a_kill_leaves_it_as_before_or_done_or_repeatable(hub: Hub, turn: int, has_remote: bool) -> None:
    """Whatever is cut off, every message but the purged one is there, and the same command goes on to the end."""
    ann = hub.clone("ann")
    say_it(ann)
    ann.chat("read", "--as", "ben", check=True)
    if has_remote:
        ann.sync()
    status = kill_at(ann, turn)
    assert status in (0, -9)
    assert is_before(ann) or views(ann)[:3] == PURGED
    eventually(lambda: ann.chat("purge", "--yes", "2").returncode == 0)  # a git of the killed may hold a lock yet
    assert views(ann) == PURGED
    assert traces(ann.world, ann.path / ".git") == []
    assert not (ann.path / ".git/chatroom/purging").exists()
    assert "wrong" not in ann.chat("verify", check=True).stdout
    assert ann.chat("inbox", "--as", "ben", check=True).stdout == ""
    if has_remote:
        hub.assert_clean()
        gc(hub.world, hub.path)
        assert traces(hub.world, hub.path) == []


@pytest.mark.parametrize("turn", [9, 30, *(pytest.param(one, marks=pytest.mark.soak) for one in range(1, 150, 4))])
def test_a_kill_of_who_takes_it_over_is_repaired_by_the_next_round(hub: Hub, turn: int) -> None:
    """A clone that was killed while it removed what was purged elsewhere is where it should be after another sync."""
    ann, ben = hub.clone("ann"), hub.clone("ben")
    say_it(ann)
    ann.sync()
    ben.sync()
    ben.chat("read", check=True)
    ben.say("pending")
    purge(ann, "2")
    from gitchat.workspace.remotes import open_remote

    environment = ben.world.environment(ben.path)
    environment.store

    def work() -> None:
        be_killed_at_call(turn)
        open_remote(environment, "origin", is_typed=True).round(None)

    (status,) = wait_for([fork(work)])
    assert status in (0, -9)
    eventually(lambda: ben.chat("sync").returncode == 0)
    assert views(ben) == [*PURGED, (5, "pending")]
    assert traces(ben.world, ben.path / ".git") == []
    assert ben.chat("inbox", check=True).stdout == ""
