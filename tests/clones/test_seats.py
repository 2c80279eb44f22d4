"""Who hears what where a name is in several clones: seats of agents, people of one name, one person in two clones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gitchat.model.names import uid_from_key
from tests.clones.conftest import Clone, Hub, settle
from tests.server.wire import Wire, eventually

SESSION = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "a1"}
OTHER_SESSION = SESSION | {"CLAUDE_CODE_SESSION_ID": "b2"}


def read(clone: Clone, **variables: str) -> list[str]:
    """What is unread for who acts there, which is marked by that."""
    done = clone.chat("read", "--json", check=True, **variables)
    return [entry["content"] for entry in map(_parsed, done.stdout.splitlines())]


def _parsed(line: str) -> dict[str, str]:
    parsed: dict[str, str] = json.loads(line)
    return parsed


def meet(*clones: Clone) -> None:
    """Bring these to rest."""
    settle(list(clones))


def agents(hub: Hub, *names: str) -> list[Clone]:
    """Clones that follow the hub, in each of which an agent asked for the name lexer."""
    clones = [hub.clone(name) for name in names]
    clones[0].say("begin", GITCHAT_NAME="ann")
    for clone in clones:
        clone.sync()
        clone.name = "lexer"
        assert read(clone, **SESSION) in (["begin"], []), "a later one begins where its name has read"
        clone.sync()
    return clones


def test_two_agents_of_one_name_hear_each_other(hub: Hub) -> None:
    """Each hears what the other says, once; what everybody is told reaches both; neither hears itself."""
    one, two = agents(hub, "one", "two")
    one.say("from one", **SESSION)
    two.say("from two", **SESSION)
    meet(one, two)
    assert read(one, **SESSION) == ["from two"]
    meet(one, two)
    assert read(two, **SESSION) == ["from one"], "what one read moves nothing of two's"
    two.say("for both", GITCHAT_NAME="ann")
    meet(two, one)
    assert read(two, **SESSION) == ["for both"]
    meet(two, one)
    assert read(one, **SESSION) == ["for both"]
    assert (read(one, **SESSION), read(two, **SESSION)) == ([], [])
    assert hub.git("for-each-ref", "--format=%(refname:lstrip=4)").stdout.split() == ["cursors/lexer", "log"]


@pytest.mark.slow
def test_a_question_of_the_same_name_elsewhere_is_open_until_it_is_answered(hub: Hub) -> None:
    """For who asked it is no open question; the other one's answer closes it for all."""
    one, two = agents(hub, "one", "two")
    one.say("Who has the parser?", **SESSION)
    asked = one.chat("send", "--type", "question", "Is it done?", check=True, **SESSION)
    meet(one, two)
    assert "Is it done?" in two.chat("status", check=True, **SESSION).stdout
    number = str(len(two.records()))
    two.chat("send", "-r", number, "yes", check=True, **SESSION)
    meet(two, one)
    status = one.chat("status", check=True, **SESSION).stdout
    assert "open questions" not in status, asked.stdout


def test_a_seat_ends_with_its_session(hub: Hub) -> None:
    """The next session of that name begins where anybody has read under it."""
    one, two = agents(hub, "one", "two")
    one.say("before", **SESSION)
    two.say("unheard", GITCHAT_NAME="ann")
    meet(one, two)
    assert read(two, **SESSION) == ["before", "unheard"]
    meet(two, one)
    assert read(one, **OTHER_SESSION) == [], "its name has read it, elsewhere"


@pytest.mark.slow
def test_a_handed_session_goes_on_where_it_was(hub: Hub) -> None:
    """There and back: each time it hears what its name has not heard, and nothing else."""
    one, two = agents(hub, "one", "two")
    one.chat("leave", check=True, **SESSION)
    two.say("first", GITCHAT_NAME="ann")
    meet(two, one)
    assert read(one, **SESSION) == ["first"]
    one.chat("leave", check=True, **SESSION)
    two.chat("leave", check=True, **SESSION)
    meet(one, two)
    assert read(two, **SESSION) == []
    one.say("second", GITCHAT_NAME="ann")
    meet(one, two)
    assert read(two, **SESSION) == ["second"]
    two.chat("leave", check=True, **SESSION)
    meet(two, one)
    assert read(one, **SESSION) == []


@pytest.mark.slow
def test_a_seat_that_was_taken_before_anything_came_begins_where_its_name_has_read(hub: Hub) -> None:
    """It has said something, and read nothing: what its name read elsewhere is read, what came since is not."""
    one, two = agents(hub, "one", "two")
    one.say("read elsewhere", GITCHAT_NAME="ann")
    meet(one, two)
    assert read(two, **SESSION) == ["read elsewhere"]
    meet(two, one)
    one.say("news", GITCHAT_NAME="ann")
    one.sync()
    three = hub.clone("three")
    three.name = "lexer"
    three.say("hello", **SESSION)
    three.sync("--yes")
    assert read(three, **SESSION) == ["news"]


def test_a_person_who_looks_under_an_agents_name_reads_nothing_for_it(hub: Hub) -> None:
    """It marks what all clones know of the name; the seat of the agent hears the same as ever."""
    one, _ = agents(hub, "one", "two")
    one.say("news", GITCHAT_NAME="ann")
    assert "news" in one.chat("read", "--as", "lexer", check=True, GITCHAT_NAME="ann").stdout
    assert read(one, **SESSION) == ["news"]
    assert read(one, **SESSION) == []


def test_equal_keys_of_equal_names_are_two_messages(hub: Hub) -> None:
    """Two agents that call their message alike; a retry of either adds nothing."""
    one, two = agents(hub, "one", "two")
    for _ in range(2):
        one.chat("send", "--uid", "status", "one is done", check=True, **SESSION)
        two.chat("send", "--uid", "status", "two is done", check=True, **SESSION)
    meet(one, two)
    assert sorted(one.bodies()) == ["begin", "one is done", "two is done"]


def test_a_retry_over_an_upgrade_is_found(hub: Hub) -> None:
    """What version 0.1.0 stored under a key had the plain hash for a uid, and no line about a clone."""
    one = hub.clone("lexer")
    stored = one.chat("send", "--uid", "k1", "--json", "done", check=True)
    assert _parsed(stored.stdout)["uid"] == uid_from_key("k1")
    again = one.chat("send", "--uid", "k1", "--json", "done", check=True, **SESSION)
    assert again.stdout == stored.stdout
    assert one.bodies() == ["done"]


@pytest.mark.slow
def test_whoever_writes_to_a_name_or_takes_it_hears_that_it_is_in_two_clones(hub: Hub) -> None:
    """On standard error; what it is told to do tells the two apart."""
    one, two = agents(hub, "one", "two")
    one.say("from one", **SESSION)
    two.say("from two", **SESSION)
    meet(one, two)
    to_both = one.chat("send", "-t", "lexer", "who has it?", check=True, GITCHAT_NAME="ann")
    assert "lexer is in 2 clones, and each of them gets it\n" in to_both.stderr
    assert "clones" not in one.chat("send", "-t", "ann", "nobody else", check=True, **SESSION).stderr
    joined = one.chat("join", "lexer", check=True, **SESSION)
    assert "lexer speaks in another clone, too" in joined.stderr
    hint = joined.stderr.rpartition("told apart: git chat ")[2].split()
    assert "another clone" not in one.chat(*hint, check=True, **SESSION).stderr


def test_a_cursor_tells_what_was_read_elsewhere(hub: Hub) -> None:
    """Under the same name: for whoever looks, its own position comes first; of others there is but one."""
    one, two = agents(hub, "one", "two")
    two.say("news", GITCHAT_NAME="ann")
    meet(two, one)
    assert read(two, **SESSION) == ["news"]
    meet(two, one)
    shown = one.chat("cursor", "show", "lexer", check=True, **SESSION).stdout
    assert shown == "lexer  read to #1  1 unread  (under this name, elsewhere: #2)\n"
    told = _parsed(one.chat("cursor", "show", "lexer", "--json", check=True, **SESSION).stdout)
    assert told == {"name": "lexer", "last_read_id": 1, "unread_count": 1, "elsewhere": 2}
    assert "read to #2\n" in one.chat("cursor", "show", "lexer", check=True, GITCHAT_NAME="ann").stdout
    assert "1 of these was read by this name elsewhere" in one.chat("read", check=True, **SESSION).stdout
    assert one.chat("cursor", "show", "lexer", check=True, **SESSION).stdout == "lexer  read to #2\n"


# --- people --------------------------------------------------------------------------


def people(hub: Hub) -> tuple[Clone, Clone]:
    """Two people called alex, each with an address, and both have read what there is."""
    clones = hub.clone("one"), hub.clone("two")
    for number, clone in enumerate(clones):
        clone.name = "alex"
        clone.git("config", "user.email", f"alex{number}@example.com")
    clones[0].say("begin", GITCHAT_NAME="ann")
    for clone in clones:
        clone.sync()
        read(clone)
        clone.sync()
    return clones


def test_two_people_of_one_name_hear_each_other(hub: Hub) -> None:
    """Each answer says once that somebody else has this name, and what to do."""
    one, two = people(hub)
    one.say("from one")
    two.say("from two")
    meet(one, two)
    told = one.chat("read", check=True)
    assert "from two" in told.stdout
    assert told.stderr.count("another alex (alex1@example.com) speaks here: git config chat.name alex-2") == 1
    meet(one, two)
    assert read(two) == ["from one"]
    assert (read(one), read(two)) == ([], [])


@pytest.mark.slow
def test_what_whoever_has_a_namesake_is_told_to_do_ends_it(hub: Hub) -> None:
    """Another name, or, for an address of one's own, the setting that says so."""
    one, two = people(hub)
    two.say("from two")
    meet(two, one)
    told = one.chat("status", check=True).stderr
    name, person = (part.split("git ")[1].split() for part in told.strip().split("; or, if that is you, too: "))
    assert person == ["config", "--add", "chat.person", "alex1@example.com"]
    one.git(*name, check=True)
    assert "another" not in one.chat("status", check=True, GITCHAT_NAME="").stderr
    one.git(*person, check=True)
    assert one.chat("inbox", "--json", check=True).stderr == ""


def test_one_person_on_two_machines_is_told_once(hub: Hub) -> None:
    """What was read at one is read at the other; neither hears itself, also under a second address of its own."""
    one, two = people(hub)
    for clone in (one, two):
        clone.git("config", "--add", "chat.person", "alex0@example.com")
        clone.git("config", "--add", "chat.person", "alex1@example.com")
    one.say("from one")
    two.say("for me", GITCHAT_NAME="ann")
    meet(one, two)
    assert read(one) == ["for me"]
    meet(one, two)
    assert read(two) == []
    assert "chat.name" not in two.chat("read").stderr


@pytest.mark.slow
def test_a_fresh_clone_of_a_namesake_begins_with_the_newest_summary(hub: Hub) -> None:
    """What the other one has read says nothing of who never read under the name."""
    one, two = people(hub)
    one.say("old")
    meet(one, two)
    assert read(two) == ["old"]
    one.chat("summary", "write", "up to old", check=True, GITCHAT_NAME="ann")
    two.say("new")
    meet(two, one)
    assert read(one) == ["new"]
    meet(one, two)
    three = hub.clone("three")
    three.name = "alex"
    three.git("config", "user.name", "Alex")
    three.git("config", "user.email", "third@example.com")
    three.chat("sync", check=True, GITCHAT_NAME="")
    unread = three.chat("read", check=True, GITCHAT_NAME="").stdout
    assert "new" in unread


# --- copies, images, backups -----------------------------------------------------------


def clone_id(clone: Clone) -> str:
    """The id that the clone has."""
    return (clone.path / ".git" / "chatroom" / "clone").read_text().split()[0]


def test_a_copy_is_another_clone(hub: Hub, tmp_path: Path) -> None:
    """It gets an id of its own with the first write, nobody sits or stays in it, and both hear each other."""
    one, _ = agents(hub, "one", "two")
    one.say("here", **SESSION)
    one.sync()
    copy = Clone(one.world, tmp_path / "copy", "lexer")
    shutil.copytree(one.path, copy.path, symlinks=True)
    copy.say("from the copy", **SESSION)
    assert clone_id(copy) != clone_id(one)
    one.say("from the first", **SESSION)
    meet(copy, one)
    assert "from the copy" in read(one, **SESSION)
    meet(one, copy)
    assert "from the first" in read(copy, **SESSION)


@pytest.mark.slow
def test_a_clone_that_is_moved_stays_the_same(hub: Hub, tmp_path: Path) -> None:
    """Also where only its path stays, as when it is played back in place."""
    one, _ = agents(hub, "one", "two")
    one.say("here", **SESSION)
    before = clone_id(one)
    moved = Clone(one.world, tmp_path / "moved", "lexer")
    one.path.rename(moved.path)
    moved.say("there", **SESSION)
    shutil.copytree(moved.path, tmp_path / "again", symlinks=True)
    shutil.rmtree(moved.path)
    (tmp_path / "again").rename(moved.path)
    moved.say("again", **SESSION)
    assert clone_id(moved) == before


@pytest.mark.slow
def test_two_starts_of_one_image_hear_each_other(hub: Hub, tmp_path: Path) -> None:
    """Both have the same path and the same id, until one hears the other speak under it."""
    one, _ = agents(hub, "one", "two")
    one.say("before the image", **SESSION)
    meet(one)
    image = tmp_path / "image"
    shutil.copytree(one.path, image, symlinks=True)
    first, second = tmp_path / "first", tmp_path / "second"

    def start(kept: Path) -> None:
        """Let the image of ``kept`` run in the place where it was made."""
        shutil.rmtree(one.path, ignore_errors=True)
        shutil.copytree(kept if kept.exists() else image, one.path, symlinks=True)

    def stop(kept: Path) -> None:
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(one.path, kept, symlinks=True)

    start(first)
    one.say("from the first", **SESSION)
    meet(one)
    assert read(one, **SESSION) == []
    stop(first)
    start(second)
    one.say("from the second", **SESSION)
    meet(one)
    assert read(one, **SESSION) == ["from the first"]
    meet(one)
    stop(second)
    start(first)
    meet(one)
    assert read(one, **SESSION) == ["from the second"]
    stop(first)
    start(second)
    meet(one)
    assert read(one, **SESSION) == []


@pytest.mark.slow
def test_a_backup_that_is_played_back_hears_itself_no_more_than_it_must(hub: Hub, tmp_path: Path) -> None:
    """It speaks under a new id from then on; what it said before the backup stays its own."""
    one, two = agents(hub, "one", "two")
    one.say("before", **SESSION)
    meet(one, two)
    shutil.copytree(one.path, tmp_path / "backup", symlinks=True)
    before = clone_id(one)
    one.say("lost here", **SESSION)
    meet(one, two)
    shutil.rmtree(one.path)
    shutil.copytree(tmp_path / "backup", one.path, symlinks=True)
    meet(one, two)
    assert clone_id(one) != before
    assert read(one, **SESSION) == ["lost here"]
    one.say("after", **SESSION)
    meet(one, two)
    assert "after" in read(two, **SESSION)
    assert read(one, **SESSION) == []


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"x" * 300_000, b"k3f9q2k3f9q2k3f9\n"])
def test_a_damaged_file_of_the_clone_is_made_anew(hub: Hub, content: bytes) -> None:
    """Nothing fails, and there is an id again."""
    one, _ = agents(hub, "one", "two")
    (one.path / ".git" / "chatroom" / "clone").write_bytes(content)
    one.say("on", **SESSION)
    assert len(clone_id(one)) == 16


# --- what nobody moves any more ------------------------------------------------------------


def stand_still(clone: Clone) -> None:
    """Let the clone have seen the cursors at origin where they are for longer than anybody waits."""
    path = clone.path / ".git" / "chatroom" / "stood-origin"
    path.write_text(json.dumps({ref: [oid, 1] for ref, (oid, _) in json.loads(path.read_text()).items()}))


def cursors(repository: Clone | Hub) -> list[str]:
    """The names that have a cursor there."""
    listed = repository.git("for-each-ref", "--format=%(refname:lstrip=5)", "refs/chatroom/rooms/lobby/cursors")
    return listed.stdout.split()


@pytest.mark.slow
def test_the_position_of_an_agent_that_nobody_moves_is_dropped_everywhere(hub: Hub) -> None:
    """A person's stays, and so does what an agent has just moved; what was given back comes back from no clone."""
    one, two = agents(hub, "one", "two")
    one.chat("send", "I was here", check=True, **SESSION)
    one.chat("send", "me too", check=True, GITCHAT_NAME="busy", **SESSION)
    meet(one, two)
    for clone, name in ((one, "busy"), (two, "ann")):
        clone.chat("read", check=True, GITCHAT_NAME=name, **(SESSION if name == "busy" else {}))
    meet(one, two)
    assert cursors(hub) == ["ann", "busy", "lexer"]
    one.say("news", GITCHAT_NAME="ann")
    stand_still(one)
    one.chat("read", check=True, GITCHAT_NAME="busy", **SESSION)
    one.sync()
    assert cursors(hub) == ["ann", "busy"]
    meet(two, one)
    assert cursors(hub) == cursors(one) == cursors(two) == ["ann", "busy"]
    assert read(one, **SESSION) == ["me too", "news"], "its seat has not ended, and knows"


@pytest.mark.slow
def test_a_hub_that_lets_nobody_remove_a_ref_is_not_asked_again_and_again(hub: Hub) -> None:
    """The sync is none that failed."""
    one, _ = agents(hub, "one", "two")
    one.chat("send", "I was here", check=True, **SESSION)
    one.sync()
    hub.hook('[ -n "$(echo $3 | tr -d 0)" ]', "update")
    stand_still(one)
    one.sync()
    assert cursors(hub) == ["lexer"]
    pushes = hub.path / "pushes"
    hub.hook(f"echo >>{pushes}")
    one.sync()
    assert not pushes.exists()


# --- over MCP --------------------------------------------------------------------------------


def test_a_server_ends_its_seats_and_a_session_elsewhere_goes_on_from_there(hub: Hub) -> None:
    """With the orderly end of the server: what it has read is at the hub, with nothing typed, and not told again."""
    hub.sync = "batch"
    one, two = hub.clone("one"), hub.clone("two")
    one.say("first", GITCHAT_NAME="ann")
    one.sync()
    server = Wire(["git-chat", "mcp"], one.path, one.world.variables | {"GITCHAT_NAME": "lexer"})
    server.shake_hands()
    assert "first" in server.text("read_unread")
    assert seats(one) == ["lobby/lexer"]
    assert server.hang_up() == 0
    assert seats(one) == []
    eventually(lambda: cursors(hub) == ["lexer"])
    other = Wire(["git-chat", "mcp"], two.path, two.world.variables | {"GITCHAT_NAME": "lexer"})
    other.shake_hands()
    assert "first" not in other.text("read_unread")
    two.say("second", GITCHAT_NAME="ann")
    assert "second" in other.text("read_unread")
    assert other.hang_up() == 0


def seats(clone: Clone) -> list[str]:
    """The seats that are taken there."""
    return clone.git("for-each-ref", "--format=%(refname:lstrip=3)", "refs/chatroom-local/seats").stdout.split()


@pytest.mark.slow
def test_two_clones_with_the_same_default_name_hear_each_other(hub: Hub) -> None:
    """Agents of one client in work trees of one name: the second one steps aside, and nothing is typed."""
    hub.sync = "batch"
    one, two = hub.clone("here/project"), hub.clone("there/project")
    one.say("begin", GITCHAT_NAME="ann")
    one.sync()
    here, there = SESSION | {"GITCHAT_NAME": ""}, OTHER_SESSION | {"GITCHAT_NAME": ""}
    one.chat("send", "--sync=60", "from here", check=True, **here)
    two.chat("send", "--sync=60", "from there", check=True, **there)
    one.sync()
    assert "from there" in one.chat("read", check=True, **here).stdout
    assert "from there" not in two.chat("read", check=True, **there).stdout
    assert {record["from"] for record in one.records()} == {"ann", "claude-project", "claude-project-2"}
