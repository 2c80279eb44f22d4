"""A clone that has a remote joins its rooms by itself: real processes over a real hub, and nobody types a sync."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.cli.conftest import as_ordinary_user, read_only, refused
from tests.clones.conftest import APART, LOG, PATIENCE_SECONDS, Clone, Hub, smart_http
from tests.clones.test_asking import trap
from tests.server.wire import Wire

pytestmark = pytest.mark.slow  # many processes, each of which waits for another

FOLLOWS = "room 'lobby' follows origin\n"


class Serve(Protocol):
    """What the ``serve`` fixture gives."""

    def __call__(self, clone: Clone, *options: str, **variables: str) -> Wire:
        """A server in the clone, after the handshake."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that end with the test."""
    with ExitStack() as servers:

        def started(clone: Clone, *options: str, **variables: str) -> Wire:
            wire = Wire(["git", "chat", "mcp", *options], clone.path, clone.world.variables | variables)
            servers.callback(wire.kill)
            wire.shake_hands()
            return wire

        yield started


@pytest.fixture(autouse=True)
def by_itself(hub: Hub) -> None:
    """Clones join, follow and sync by themselves."""
    hub.sync = "batch"


@pytest.fixture
def full(hub: Hub) -> Hub:
    """A hub whose lobby has two messages."""
    first = hub.clone("first")
    first.say("one")
    first.say("two")
    first.sync()
    return hub


def eventually(found: Callable[[], bool], why: str) -> None:
    """Return as soon as ``found`` is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not found():
        assert time.monotonic() < deadline, why
        time.sleep(0.05)


def notes(clone: Clone) -> dict[str, Any]:
    """What the clone has noted of its remotes; nothing before it has."""
    path = clone.path / ".git" / "chatroom" / "authorities"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"rooms": {}}
    return found


def is_configured(clone: Clone) -> bool:
    """Whether git's configuration says anything of rooms."""
    return "chatroom." in clone.git("config", "--list", "--local").stdout


def logged(clone: Clone) -> list[tuple[int | None, str]]:
    """(number, body) of what the lobby has, without looking anywhere: what is here."""
    done = clone.chat("log", "-n", "1000", "--json", check=True)
    return [(record["id"], record["content"]) for record in map(json.loads, done.stdout.splitlines())]


# --- the first thing that is done --------------------------------------------------


def test_first_send_of_a_clone_is_in_the_room_of_its_remote(full: Hub) -> None:
    """It gets a number behind what was there, from the remote, and its first answer says where it goes."""
    ann = full.clone("ann")
    done = ann.chat("send", "three")
    assert done.returncode == 0
    assert done.stdout == "#3\n"
    assert done.stderr == FOLLOWS
    assert ann.numbered() == [(1, "one"), (2, "two"), (3, "three")]
    assert ann.git("rev-parse", LOG).stdout.strip() == full.tip
    assert not is_configured(ann)
    assert ann.chat("send", "four").stderr == ""


@pytest.mark.parametrize(
    "words",
    [
        ["log"], ["read"], ["inbox"], ["status"], ["handoff"], ["show", "1"], ["search", "one"], ["who"],
        ["wait", "--timeout", "1"], ["join", "ann"], ["summary", "log"], ["rooms"],
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_first_verb_of_a_clone_finds_the_room_of_its_remote(full: Hub, words: list[str]) -> None:
    """Whatever is typed first: the room is there, and it is said where it came from."""
    ann = full.clone("ann")
    done = ann.chat(*words)
    assert done.returncode == 0, done.stderr
    assert FOLLOWS in done.stderr
    assert len(ann.numbered()) == 2
    assert not is_configured(ann)


def test_first_tool_call_of_a_clone_is_in_the_room_of_its_remote(full: Hub, serve: Serve) -> None:
    """Over stdio: what was said is read, what is said waits for its number, and the answer says where it goes."""
    ann = full.clone("ann")
    text = serve(ann).text("check_in", name="ann", content="three")
    assert "[2]" in text
    assert "on its way to origin" in text
    assert FOLLOWS.strip() in text
    eventually(lambda: full.git("rev-list", "--count", LOG).stdout.strip() == "4", "it was not pushed")
    assert ann.numbered() == [(1, "one"), (2, "two"), (3, "three")]
    assert not is_configured(ann)


def test_server_looks_when_it_starts(full: Hub, serve: Serve) -> None:
    """Before any tool is called: a session that begins is in the room."""
    ann = full.clone("ann")
    serve(ann)
    eventually(lambda: "lobby" in notes(ann)["rooms"], "the server did not look")


def test_first_hook_of_a_clone_tells_the_room_of_its_remote(full: Hub) -> None:
    """A commit in a fresh clone waits for nothing, and its status stands behind what the team said."""
    ann = full.clone("ann")
    ann.chat("hook", "install", check=True)
    ann.git("commit", "-q", "--allow-empty", "-m", "a change")
    eventually(lambda: ann.git("for-each-ref", LOG).stdout != "", "no room came")
    eventually(lambda: any("a change" in body for _, body in logged(ann)), "the status was lost")
    found = logged(ann)
    assert found[:2] == [(1, "one"), (2, "two")]
    assert found[2][0] is None
    assert len(found) == 3


def test_rebase_of_a_fresh_clone_is_told_by_its_first_hook(full: Hub) -> None:
    """What git gives the hook on standard input reaches the process that looks first."""
    ann = full.clone("ann")
    ann.git("checkout", "-q", "-b", "topic")
    ann.git("commit", "-q", "--allow-empty", "-m", "moved")
    old = ann.git("rev-parse", "HEAD").stdout.strip()
    ann.git("commit", "-q", "--allow-empty", "--amend", "-m", "moved on")
    new = ann.git("rev-parse", "HEAD").stdout.strip()
    head = f"{new}\nrefs/heads/topic"
    ann.chat("hook", "post", "rewrite", "--head", head, stdin=f"{old} {new}\n".encode(), check=True)
    eventually(lambda: len(logged(ann)) == 3, "the status was lost")
    assert logged(ann)[2][1].startswith("rebased 1 commit: ")


def test_ci_job_looks_for_a_verb_and_not_for_a_hook(full: Hub) -> None:
    """Nobody meant by a build's commit to speak to the team; what was typed was meant."""
    ann, bea = full.clone("ann"), full.clone("bea")
    ann.chat("hook", "post", "commit", check=True, CI="true")
    assert ann.chat("log", "--json", CI="true").stdout.count("\n") == 1
    assert notes(ann)["rooms"] == {}
    assert bea.chat("send", "from the job", CI="true").stderr == FOLLOWS


# --- what is found ---------------------------------------------------------------


def test_message_that_is_sent_while_the_room_is_fetched_waits_for_its_number(full: Hub) -> None:
    """The authority is noted before anything is fetched: nothing gets a number that another message has."""
    ann = full.clone("ann")
    ann.chat("log", "--room", "other")  # looks, follows and fetches
    for ref in ann.git("for-each-ref", "--format=%(refname)", "refs/chatroom", "refs/chatroom-local").stdout.split():
        ann.git("update-ref", "-d", ref)  # as it was between the note and the end of the fetch
    shutil.rmtree(ann.path / ".git" / "chatroom" / "checkpoints", ignore_errors=True)
    assert ann.chat("send", "three").stdout == "#3\n"
    ann.sync()
    assert ann.numbered() == [(1, "one"), (2, "two"), (3, "three")]


def test_rooms_of_one_name_on_both_sides_are_a_person_s_to_decide(full: Hub, serve: Serve) -> None:
    """Nothing is merged or pushed, whoever stays; it is said, and ``sync`` is refused until somebody agrees."""
    ann = full.clone("ann")
    ann.chat("send", "mine", check=True, **APART)
    before = full.tip
    text = serve(ann).text("check_in", name="ann", content="mine, too")
    eventually(lambda: "looks" in notes(ann), "nobody looked")
    told = text + serve(ann).text("check_in", name="ann")
    assert "room 'lobby' is at origin, too, and was begun here apart" in told
    assert "git chat sync origin" in ann.chat("send", "again").stderr
    assert "begun here apart" in ann.chat("status").stderr
    assert ann.numbered() == [(1, "mine"), (2, "mine, too"), (3, "again")]
    assert full.tip == before
    refused(ann.chat("sync"), "the remote 'origin' has a room 'lobby' of its own", "git chat sync origin --yes", 3)
    assert full.tip == before
    ann.sync("--yes")
    assert ann.bodies() == ["one", "two", "mine", "mine, too", "again"]
    assert ann.chat("status").stderr == ""


def test_clone_that_looked_before_the_hub_had_its_first_room_joins_it_later(hub: Hub, serve: Serve) -> None:
    """Nothing was published by itself, and the next session finds what is there by then."""
    ann, bea = hub.clone("ann"), hub.clone("bea")
    assert ann.chat("log").returncode == 0
    assert notes(ann)["looks"]["origin"]["found"] == "none"
    assert hub.git("for-each-ref").stdout == ""
    bea.say("first")
    bea.sync()
    ann.chat("log")  # within the ten minutes: it is not looked again
    assert notes(ann)["rooms"] == {}
    serve(ann)  # a session begins
    eventually(lambda: "lobby" in notes(ann)["rooms"], "the session did not look")
    eventually(lambda: ann.bodies() == ["first"], "the room did not come")


def test_who_stays_looks_again_when_the_hub_had_no_room(hub: Hub, serve: Serve) -> None:
    """By the table: after ten minutes, which are over here because the note says so."""
    ann, bea = hub.clone("ann"), hub.clone("bea")
    server = serve(ann)
    eventually(lambda: "looks" in notes(ann), "the session did not look")
    bea.say("first")
    bea.sync()
    path = ann.path / ".git" / "chatroom" / "authorities"
    noted = notes(ann)
    noted["looks"]["origin"]["seconds"] -= 601
    path.write_text(json.dumps(noted))
    ann.chat("log")
    assert ann.bodies() == ["first"]
    ann.say("second")
    server.text("check_in", name="ann")
    eventually(lambda: hub.git("rev-list", "--count", LOG).stdout.strip() == "3", "the server does not keep in step")


def test_nothing_is_published_by_itself_to_a_hub_without_rooms(hub: Hub, serve: Serve) -> None:
    """Sending, waiting, hooks and servers publish no first room; that is a person's sync."""
    ann = hub.clone("ann")
    hub.hook("echo pushed >>pushes", "pre-receive")
    ann.say("only here")
    serve(ann).text("check_in", name="ann", content="here, too")
    ann.chat("hook", "post", "commit", check=True)
    ann.chat("wait", "--timeout", "1")
    assert not (hub.path / "pushes").exists()
    ann.sync()
    assert (hub.path / "pushes").exists()


def test_other_remote_is_named_and_never_asked(hub: Hub) -> None:
    """Of a fork the room may be upstream: the command is said, and the upstream hears nothing."""
    upstream = Hub(hub.world, hub.world.root / "upstream.git")
    first = upstream.clone("first")
    first.say("up here")
    first.sync()
    ann = hub.clone("ann")
    ann.git("remote", "add", "upstream", upstream.path)
    told = hub.world.root / "told"
    ann.git("config", "remote.upstream.uploadpack", f"echo asked >>'{told}'; git-upload-pack")
    done = ann.chat("log")
    assert done.stderr.splitlines()[0] == (
        "no room is at origin; if your team's is at another remote: git chat sync upstream"
    )
    assert not told.exists()
    assert "git chat sync upstream" in ann.chat("doctor").stdout
    assert not told.exists()
    ann.sync("upstream")
    assert ann.bodies() == ["up here"]


def test_only_remote_of_another_name_is_not_taken_for_the_team_s(full: Hub) -> None:
    """``origin`` or ``chat.remote``: somebody has to have meant it."""
    ann = full.clone("ann")
    ann.git("remote", "rename", "origin", "somewhere")
    assert ann.chat("log").stderr == ""
    assert not (ann.path / ".git" / "chatroom").exists()
    ann.git("config", "chat.remote", "somewhere")
    assert ann.chat("log").stderr == "room 'lobby' follows somewhere\n"


def test_clone_of_a_clone_that_follows_a_hub_joins_nothing(full: Hub) -> None:
    """Its numbers come from elsewhere: it is left alone, and the sync that somebody types names the upstream."""
    ann = full.clone("ann")
    ann.chat("log")
    bea = full.clone("bea", ann.path)
    bea.chat("log")
    assert notes(bea)["rooms"] == {}
    assert bea.chat("sync").returncode == 1


def test_manual_turns_all_of_it_off(full: Hub, serve: Serve) -> None:
    """No look, no note, no room: until somebody types a sync."""
    ann = full.clone("ann")
    ann.git("config", "chat.sync", "manual")
    assert ann.chat("send", "mine").stdout == "#1\n"
    serve(ann).text("check_in", name="ann")
    ann.chat("hook", "post", "commit", check=True)
    assert notes(ann)["rooms"] == {}
    assert "origin" not in ann.git("for-each-ref").stdout


def test_user_wide_server_in_a_stranger_s_clone_only_tells(full: Hub, serve: Serve) -> None:
    """Nothing of the room reaches a model, nothing is written; once somebody used us there it is as everywhere."""
    ann = full.clone("ann")
    text = serve(ann, "--user-wide").text("get_status")
    assert "room 'lobby' at origin: git chat sync origin" in text
    serve(ann, "--user-wide").text("list_rooms")  # what was only read is no use
    assert not (ann.path / ".git" / "chatroom" / "authorities").exists()
    assert ann.git("for-each-ref", "refs/chatroom", "refs/chatroom-local").stdout == ""
    ann.say("here", **APART)
    ann.git("update-ref", "-d", LOG)
    shutil.rmtree(ann.path / ".git" / "chatroom" / "checkpoints")
    serve(ann, "--user-wide").text("get_status")
    eventually(lambda: "lobby" in notes(ann)["rooms"], "it does not follow in a clone of ours")


def test_read_only_repository_shows_what_is_here_and_says_what_it_cannot(full: Hub) -> None:
    """Nothing is asked for that could not be kept."""
    ann, user = full.clone("ann"), as_ordinary_user()
    with read_only(ann.path / ".git"):
        done = full.world.chat("log", cwd=ann.path, check=True, under=user)
    assert done.stderr.startswith("this repository cannot be written, so rooms at origin are not fetched\n")


def test_relative_address_in_a_linked_worktree_is_that_of_the_main_one(full: Hub) -> None:
    """Git resolves it from the main worktree, and so does the look."""
    ann = full.clone("ann", "../hub.git")
    linked = full.world.root / "elsewhere" / "linked"
    ann.git("worktree", "add", "-q", linked)
    done = full.world.chat("log", "--json", cwd=linked)
    assert done.stderr == FOLLOWS
    assert done.stdout.count("\n") == 2


# --- remotes that fail ---------------------------------------------------------------


def slow_ssh(hub: Hub, seconds: float, *, only_fetch: bool = False) -> str:
    """A command for GIT_SSH_COMMAND that waits before it serves the hub; ``only_fetch``: before a fetch alone."""
    count, program = hub.world.root / "calls", hub.world.root / "slow-ssh"
    condition = f'[ "$(wc -l <"{count}")" -gt 1 ]' if only_fetch else "true"
    program.write_text(f'#!/bin/sh\necho >>"{count}"\nif {condition}; then sleep {seconds}; fi\nexec sh -c "$2"\n')
    program.chmod(0o755)
    return f"{program}"


def test_remote_that_hangs_holds_a_verb_up_once_and_not_for_long(full: Hub) -> None:
    """Three seconds, and then not before a minute is over, while the message is sent all the same."""
    ann = full.clone("ann", f"ssh://hub{full.path}")
    ann.git("config", "ssh.variant", "simple")
    variables = {"GITCHAT_LOOK_SECONDS": "3", "GIT_SSH_COMMAND": slow_ssh(full, 100000)}
    begin = time.monotonic()
    done = ann.chat("send", "kept", **variables)
    waited = time.monotonic() - begin
    assert done.stdout == "#1\n"
    assert "whether origin has rooms is not known (the remote 'origin' was not done within 3 s)" in done.stderr
    assert waited >= 3.0
    calls = (full.world.root / "calls").read_text().count("\n")
    assert ann.chat("log", "--room", "other", **variables).returncode == 1
    assert (full.world.root / "calls").read_text().count("\n") <= calls + 1  # what went on aside
    full.world.run("pkill", "-f", str(full.world.root / "slow-ssh"), check=False)


def test_rooms_that_take_longer_are_fetched_by_a_process_that_nobody_waits_for(full: Hub) -> None:
    """What is sent meanwhile has a handle, and the room comes by itself."""
    ann = full.clone("ann", f"ssh://hub{full.path}")
    ann.git("config", "ssh.variant", "simple")
    variables = {"GITCHAT_LOOK_SECONDS": "3", "GIT_SSH_COMMAND": slow_ssh(full, 5, only_fetch=True)}
    done = ann.chat("send", "three", **variables)
    assert done.stdout.startswith("~")
    assert FOLLOWS in done.stderr
    eventually(lambda: len(logged(ann)) == 3, "it did not go on")
    assert logged(ann)[:2] == [(1, "one"), (2, "two")]


def test_remote_that_wants_a_password_is_asked_once_and_nobody_else_is(full: Hub, serve: Serve) -> None:
    """No program that asks is started, by verbs, servers and hooks; it is said; and a person's sync asks again."""
    told = trap(full.world)
    with smart_http(full) as url:
        helper = full.world.git("config", "--global", "credential.helper").stdout.strip()
        full.world.git("config", "--global", "--unset", "credential.helper")
        ann = full.clone("ann", url)
        assert "whether origin has rooms is not known" in ann.chat("log").stderr
        assert notes(ann)["looks"]["origin"]["found"] == "refused"
        serve(ann).text("get_status")
        ann.chat("hook", "post", "commit", check=True)
        assert "could not read Username" in ann.chat("status").stderr
        assert "could not read Username" in ann.chat("doctor").stdout
        assert told.read_text() == ""
        full.world.git("config", "--global", "credential.helper", helper)
        ann.chat("sync", "--yes", check=True)
        assert ann.bodies()[:2] == ["one", "two"]
    assert told.read_text() == ""


def test_hub_that_is_not_there_is_not_asked_again_at_once(full: Hub) -> None:
    """A minute, then two: the message is kept, and the room comes when somebody syncs."""
    ann = full.clone("ann")
    full.path.rename(full.path.with_name("away.git"))
    assert "is not known" in ann.chat("log").stderr
    assert notes(ann)["looks"]["origin"]["tries"] == 1
    assert ann.chat("log").stderr == ""
    full.path.with_name("away.git").rename(full.path)
    assert ann.chat("log").stderr == ""
    noted = notes(ann)
    noted["looks"]["origin"]["seconds"] -= 61
    (ann.path / ".git" / "chatroom" / "authorities").write_text(json.dumps(noted))
    assert ann.chat("log").stderr == FOLLOWS


def test_address_that_was_set_right_is_looked_at_at_once(full: Hub) -> None:
    """What was not heard, or refused, was another place."""
    ann = full.clone("ann", "/nowhere.git")
    assert "is not known" in ann.chat("log").stderr
    ann.git("remote", "set-url", "origin", full.path)
    assert ann.chat("log").stderr == FOLLOWS


def test_remote_with_thousands_of_refs_is_joined_for_its_rooms(full: Hub) -> None:
    """What else stands there is passed over, also below our prefix."""
    tip = full.tip
    refs = [f"create refs/heads/branch{number} {tip}" for number in range(5000)]
    refs += [f"create refs/chatroom/rooms/lobby/inbox/replica{number} {tip}" for number in range(1000)]
    refs += [f"create refs/chatroom/rooms/Not_A-Slug{number}/log {tip}" for number in range(100)]
    full.git("update-ref", "--stdin", stdin="\n".join(refs).encode() + b"\n")
    ann = full.clone("ann")
    done = ann.chat("send", "three")
    assert FOLLOWS in done.stderr
    assert ann.numbered() == [(1, "one"), (2, "two"), (3, "three")]


def test_hostile_log_breaks_its_own_room_and_nothing_else(full: Hub) -> None:
    """A log that is no log, and a name with a newline's neighbour in it: the other rooms are joined."""
    blob = full.git("hash-object", "-w", "--stdin", stdin=b"not a commit").stdout.strip()
    full.git("update-ref", "refs/chatroom/rooms/zzz/log", blob)
    ann = full.clone("ann")
    done = ann.chat("log")
    assert "\x1b" not in done.stderr
    assert done.returncode == 0
    assert ann.chat("send", "three").stdout == "#3\n"  # a bad room holds up nobody's push
    assert ann.numbered() == [(1, "one"), (2, "two"), (3, "three")]
    assert full.tip == ann.git("rev-parse", "refs/chatroom/rooms/lobby/log").stdout.strip()


def test_hub_that_may_only_be_read_is_joined(full: Hub) -> None:
    """Reading works, what is said is pending, and nothing is lost."""
    full.hook("exit 1")
    ann = full.clone("ann")
    ann.say("three")
    assert ann.chat("sync").returncode == 5
    assert ann.numbered() == [(1, "one"), (2, "two"), (None, "three")]


# --- to where ------------------------------------------------------------------------


def pushes(hub: Hub) -> int:
    """How often somebody pushed to the hub, once :func:`counted`."""
    path = hub.path / "pushes"
    return path.read_text().count("\n") if path.exists() else 0


def counted(hub: Hub) -> Hub:
    """A hub that counts who pushes."""
    hub.hook("echo pushed >>pushes", "pre-receive")
    return hub


@pytest.mark.parametrize("other", ["empty", "another lobby", "another room"])
@pytest.mark.parametrize("is_fetched", [True, False], ids=["fetched", "noted"])
def test_nothing_unattended_is_pushed_to_a_place_that_was_not_agreed(
    full: Hub, serve: Serve, other: str, is_fetched: bool
) -> None:
    """After ``git remote set-url`` a server that stays, and messages that wait, push nothing to another team's hub."""
    elsewhere = Hub(full.world, full.world.root / "elsewhere.git")
    if other != "empty":
        bob = elsewhere.clone("bob")
        bob.chat("send", "ours", "--room", "lobby" if other == "another lobby" else "apart", check=True)
        bob.sync()
    counted(elsewhere)
    ann = full.clone("ann")
    ann.chat("log")
    if not is_fetched:
        for ref in ann.git(
            "for-each-ref", "--format=%(refname)", "refs/chatroom", "refs/chatroom-local"
        ).stdout.split():
            ann.git("update-ref", "-d", ref)
        shutil.rmtree(ann.path / ".git" / "chatroom" / "checkpoints", ignore_errors=True)
    ann.say("for our team")
    ann.git("remote", "set-url", "origin", elsewhere.path)
    server = serve(ann)
    server.text("check_in", name="ann", content="for our team, too")
    server.text("open_room", room="new", name="ann")
    done = ann.chat("send", "and this", "--sync=60")  # a whole round, and why it pushed nothing
    assert done.returncode == 5
    assert "is at another address" in done.stderr
    ann.chat("wait", "--timeout", "2")
    server.hang_up()
    assert pushes(elsewhere) == 0
    ann.git("remote", "set-url", "origin", full.path)
    ann.sync()
    assert ann.bodies() == ["one", "two", "for our team", "for our team, too", "and this"]


def test_new_room_of_a_place_that_was_not_agreed_is_not_joined(full: Hub) -> None:
    """After ``git remote set-url`` a verb that asks for a room of another team's hub is told where it is."""
    elsewhere = Hub(full.world, full.world.root / "elsewhere.git")
    bob = elsewhere.clone("bob")
    bob.chat("send", "ours", "--room", "apart", check=True)
    bob.sync()
    ann = full.clone("ann")
    ann.chat("log")
    ann.git("remote", "set-url", "origin", elsewhere.path)
    noted = notes(ann)
    noted["looks"]["origin"]["seconds"] -= 601
    (ann.path / ".git" / "chatroom" / "authorities").write_text(json.dumps(noted))
    done = ann.chat("log", "--room", "apart")
    assert done.stderr.startswith("room 'apart' at origin, which is at another address now: git chat sync origin\n")
    assert "apart" not in notes(ann)["rooms"]


def test_where_the_notes_were_deleted_the_refs_tell_that_a_room_follows(full: Hub) -> None:
    """Without ``chatroom/`` what is said still gets its number there, and nobody gives one that another has."""
    ann = full.clone("ann")
    ann.say("three")
    ann.sync()
    shutil.rmtree(ann.path / ".git" / "chatroom")
    assert ann.chat("send", "four").stdout == "#4\n"
    assert ann.git("rev-parse", LOG).stdout.strip() == full.tip
    assert "origin" in ann.chat("remote").stdout
    ann.sync()
    assert ann.numbered()[-1] == (4, "four")


def test_sync_that_is_typed_first_makes_it_a_setting(full: Hub) -> None:
    """A person said so, in a clone that has noted nothing yet: the setting is written, and the note beside it."""
    ann = full.clone("ann")
    ann.git("config", "chat.sync", "manual")
    ann.sync()
    assert ann.git("config", "chatroom.lobby.remote").stdout == "origin\n"
    assert notes(ann)["rooms"]["lobby"]["remote"] == "origin"


@pytest.mark.parametrize("is_deleted", [False, True])
def test_detached_room_stays_detached(full: Hub, serve: Serve, is_deleted: bool) -> None:
    """Also where it joined by itself, and where the notes are lost afterwards: no session takes it back."""
    ann = full.clone("ann")
    ann.chat("log")
    ann.chat("remote", "detach", "lobby", check=True)
    if is_deleted:
        shutil.rmtree(ann.path / ".git" / "chatroom")
    server = serve(ann)
    server.text("check_in", name="ann")
    assert ann.chat("send", "mine").stdout == "#3\n"
    assert "this clone" in ann.chat("remote").stdout
    assert ann.chat("remote", "attach", "lobby").returncode == 0
    assert is_configured(ann)


def test_room_that_is_only_noted_moves_and_is_renamed_and_forgotten(full: Hub) -> None:
    """Each of the ways of a person works without a setting, and makes none."""
    ann = full.clone("ann")
    ann.chat("log")
    moved = full.path.with_name("moved.git")
    full.path.rename(moved)
    ann.git("remote", "set-url", "origin", moved)
    ann.chat("remote", "move", "origin", check=True)
    assert notes(ann)["rooms"]["lobby"]["address"].endswith("moved")
    ann.git("remote", "rename", "origin", "hub")
    assert "followed" in ann.sync("hub").stdout
    assert notes(ann)["rooms"]["lobby"]["remote"] == "hub"
    assert ann.chat("log").stdout.count("alice") + ann.chat("log").stdout.count("first") > 0
    full.world.git("update-ref", "-d", LOG, cwd=moved)
    assert ann.chat("room", "forget", "lobby").returncode == 0
    assert notes(ann)["rooms"] == {}
    assert not is_configured(ann)


def test_keeper_that_takes_in_a_new_room_of_the_remote_writes_no_configuration(full: Hub, serve: Serve) -> None:
    """A room that an agent opened arrives at the other clone, noted before anything of it is here."""
    ann, bea = full.clone("ann"), full.clone("bea")
    ann.chat("log")
    bea.chat("log")
    first, second = serve(ann), serve(bea)
    first.text("check_in", name="ann")
    second.text("check_in", name="bea")
    first.text("open_room", room="release", title="Release 1", name="ann")
    eventually(lambda: "release" in bea.chat("rooms").stdout, "the room did not arrive")
    assert not is_configured(ann)
    assert not is_configured(bea)
    assert notes(bea)["rooms"]["release"]["remote"] == "origin"


# --- new rooms ---------------------------------------------------------------------


def test_room_that_is_opened_where_one_follows_follows_too(full: Hub) -> None:
    """From its first record on, and without a setting."""
    ann, bea = full.clone("ann"), full.clone("bea")
    ann.chat("log")
    done = ann.chat("send", "hello", "--room", "new")
    assert done.stdout == "#1\n"
    assert full.git("rev-parse", "--verify", "refs/chatroom/rooms/new/log").stdout
    assert notes(ann)["rooms"]["new"] == notes(ann)["rooms"]["lobby"]
    ann.sync()
    assert bea.chat("log", "--room", "new", "--json").stdout.count("\n") == 1


def test_room_that_began_before_the_first_look_that_succeeded_does_not_follow(hub: Hub) -> None:
    """What was said while nobody knew of a remote stays here until a person says otherwise."""
    ann, bea = hub.clone("ann"), hub.clone("bea")
    ann.chat("send", "early", "--room", "early", check=True)
    bea.say("first")
    bea.sync()
    noted = notes(ann)
    noted["looks"]["origin"]["seconds"] -= 601
    (ann.path / ".git" / "chatroom" / "authorities").write_text(json.dumps(noted))
    assert FOLLOWS in ann.chat("log").stderr
    assert ann.chat("send", "more", "--room", "early").stdout == "#2\n"


def test_twenty_programs_that_arrive_at_once_look_once(full: Hub) -> None:
    """One of them asks, the others wait for it: all are in the room, with the same numbers."""
    ann = full.clone("ann")
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda number: ann.chat("send", f"message {number}"), range(20)))
    assert all(done.stdout[:1] in ("~", "#") for done in sent)
    given = [done.stdout for done in sent if done.stdout.startswith("#")]
    assert len(set(given)) == len(given)
    assert sum(FOLLOWS in done.stderr for done in sent) == 1
    ann.sync()
    assert [number for number, _ in ann.numbered()] == list(range(1, 23))


def test_path_of_the_repository_may_hold_anything(full: Hub, tmp_path: Path) -> None:
    """A look and its note work where names have blanks and quotes."""
    ann = full.clone("an 'n")
    assert ann.chat("send", "three", GITCHAT_NAME="ann").stderr == FOLLOWS


# --- rooms that stay here ------------------------------------------------------------


def objects(hub: Hub) -> set[str]:
    """The id of every object that the hub has, reachable or not."""
    lines = hub.git("cat-file", "--batch-all-objects", "--batch-check").stdout.splitlines()
    return {line.split()[0] for line in lines}


def of_room(clone: Clone, room: str) -> set[str]:
    """The ids of all commits of a room's log, and of what is attached to them, but for what every log has."""
    listed = clone.git("rev-list", "--objects", f"refs/chatroom/rooms/{room}/log").stdout.splitlines()
    every = clone.git("rev-list", "--objects", LOG).stdout.splitlines()
    return {line.split()[0] for line in listed} - {line.split()[0] for line in every}


@pytest.mark.parametrize("way", ["send", "open", "tool"])
def test_local_room_never_reaches_the_hub_until_it_is_shared(full: Hub, serve: Serve, way: str) -> None:
    """Neither a sync nor who stays pushes it, nor an attachment of it; its objects are looked for at the hub."""
    ann, bea = full.clone("ann"), full.clone("bea")
    ann.chat("log")
    server = serve(ann)
    server.text("check_in", name="ann")
    if way == "send":
        attached = full.world.root / "notes.txt"
        attached.write_text("for nobody else")
        sent = ann.chat("send", "a secret", "--room", "own", "--local", "--attach", attached, check=True)
        assert sent.stdout == "#2\n"
    elif way == "open":
        ann.chat("room", "open", "own", "--local", check=True)
    else:
        server.text("open_room", room="own", local=True)
    ann.chat("send", "more of it", "--room", "own", check=True)
    server.text("send_message", name="ann", content="and more", room="own")
    ann.say("for all")
    eventually(lambda: full.git("rev-list", "--count", LOG).stdout.strip() == "4", "the lobby was not pushed")
    assert "room 'own' stays here: git chat room share own" in ann.sync().stdout
    refused(ann.chat("sync", "--room", "own"), "room 'own' stays here", "git chat room share own", 3)
    refused(ann.chat("remote", "attach", "own", "--yes"), "room 'own' stays here", "git chat room share own", 3)
    assert "own: this clone, and stays here" in ann.chat("remote").stdout
    assert of_room(ann, "own")
    assert not of_room(ann, "own") & objects(full)
    assert "own" not in bea.chat("rooms").stdout
    server.hang_up()
    assert not of_room(ann, "own") & objects(full)

    numbers = [json.loads(line)["id"] for line in ann.chat("log", "--room", "own", "--json").stdout.splitlines()]
    assert ann.chat("room", "share", "own").returncode == 0
    assert of_room(ann, "own") <= objects(full)
    again = [json.loads(line)["id"] for line in ann.chat("log", "--room", "own", "--json").stdout.splitlines()]
    assert again[: len(numbers)] == numbers
    bea.sync()
    assert "own" in bea.chat("rooms").stdout


def test_room_that_follows_cannot_be_kept_here(full: Hub) -> None:
    """It is there already: the command is refused, and nothing is said."""
    ann = full.clone("ann")
    ann.chat("log")
    done = ann.chat("send", "not for you", "--room", "lobby", "--local")
    refused(done, "room 'lobby' follows a remote", "git chat send --room OTHER --local TEXT", 3)
    assert ann.bodies() == ["one", "two"]


def test_sharing_a_room_that_was_never_kept_here_publishes_it(hub: Hub) -> None:
    """Also one that began before the clone followed anything; and again it only says where it goes."""
    ann = hub.clone("ann")
    ann.chat("send", "early", "--room", "early", check=True)
    assert ann.chat("room", "share", "early").stdout == "early: 0 fetched, 1 pushed\n"
    assert ann.chat("room", "share", "early").stdout == "room 'early' follows origin\n"


def test_local_room_is_not_taken_for_one_of_the_hub_s(full: Hub) -> None:
    """A room of that name there is another one, about which nobody has to decide."""
    ann = full.clone("ann")
    ann.chat("send", "mine", "--local", check=True)
    ann.chat("log", "--room", "other")
    assert "begun here apart" not in ann.chat("status").stderr
    assert ann.numbered()[-1] == (2, "mine")
    ann.sync()
    assert ann.numbered()[-1] == (2, "mine")


# --- hooks of an agent's client --------------------------------------------------------


def session_start(clone: Clone, **variables: str) -> str:
    """What Claude Code's hook prints when a session begins."""
    event = json.dumps({"session_id": "one", "hook_event_name": "SessionStart"}).encode()
    return clone.chat("hook", "claude", "session-start", stdin=event, check=True, **variables).stdout


def test_session_that_begins_is_told_what_a_person_has_to_decide(full: Hub) -> None:
    """And looks for it aside, in a clone that was used before; not in a build."""
    ann = full.clone("ann")
    ann.say("mine", **APART)
    assert "origin" not in session_start(ann, CI="true")
    assert notes(ann)["rooms"] == {}
    assert "looks" not in notes(ann)
    session_start(ann)
    eventually(lambda: "looks" in notes(ann), "nobody looked")
    assert "room 'lobby' is at origin, too, and was begun here apart" in session_start(ann)
    ann.sync("--yes")
    assert "begun here apart" not in session_start(ann)


def test_hook_of_a_session_in_a_stranger_s_clone_asks_nobody(full: Hub) -> None:
    """The hooks may be its user's for all repositories, and nothing here says that we were ever wanted."""
    ann = full.clone("ann")
    told = full.world.root / "told"
    ann.git("config", "remote.origin.uploadpack", f"echo asked >>'{told}'; git-upload-pack")
    assert session_start(ann) == ""
    assert not told.exists()
    assert not (ann.path / ".git" / "chatroom").exists()
