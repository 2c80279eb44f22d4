"""``git chat verify``, as it is typed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gitchat.model import codec
from gitchat.model.names import Oid, RoomName
from gitchat.model.record import Moment
from gitchat.model.refs import log_ref
from gitchat.model.signature import Signature
from tests.cli.conftest import LOG, Chatroom, Terminal, refused
from tests.world import World

START = 1_790_000_000
VECTORS = Path(__file__).parents[1] / "format" / "v1.bundle"


def findings(chatroom: Chatroom, *words: str) -> list[tuple[str, str]]:
    """Level and text of each finding."""
    lines = chatroom.chat("verify", "--json", *words).stdout.splitlines()
    return [(found["level"], found["text"]) for found in map(json.loads, lines)]


def test_a_sound_room_is_said_to_be_sound(chatroom: Chatroom) -> None:
    """One line a room, exit status 0."""
    for room in ("lobby", "other"):
        chatroom.say(room=room)
        chatroom.say(room=room)
    done = chatroom.chat("verify")
    assert done.stdout == (
        "ok     room lobby: 2 records in 3 commits: texts, attachments, dates and numbers are right\n"
        "ok     room other: 2 records in 3 commits: texts, attachments, dates and numbers are right\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(findings(chatroom, "other")) == 1


def test_the_golden_room_is_sound(world: World) -> None:
    """Merges, a repeat and a foreign kind are told of, and nothing is wrong."""
    world.git("clone", "-q", "--mirror", VECTORS, world.root / "clone.git")
    done = world.chat("verify", cwd=world.root / "clone.git")
    assert done.returncode == 0
    assert "repeated records that are counted once: 1" in done.stdout
    assert "13 records in" in done.stdout


def skewed(room: Chatroom) -> None:
    """A commit that is dated a day before its parent."""
    room.foreign(b"late\n\nChat-Kind: message\n", b"x <x@example.com>")  # always dated 1790000000


def lose_first(room: Chatroom) -> None:
    room.lose(room.entries()[0].oid)


def damage_first(room: Chatroom) -> None:
    path = room.file_of_object(room.entries()[0].oid)
    path.chmod(0o644)
    path.write_text("junk")


@pytest.mark.parametrize(
    ("arrange", "text"),
    [(skewed, "before its parent"), (lose_first, "is missing"), (damage_first, "is damaged")],
)
def test_what_is_wrong_is_told_with_its_mend(
    chatroom: Chatroom, arrange: Callable[[Chatroom], None], text: str
) -> None:
    """Exit status 1, and a line that says what to do."""
    for turn in range(3):
        chatroom.say(str(turn), at=Moment(START + 86_400))
    arrange(chatroom)
    done = chatroom.chat("verify")
    assert done.returncode == 1
    assert text in done.stdout
    assert "mend:" in done.stdout


def test_a_wrong_checkpoint_is_found(chatroom: Chatroom) -> None:
    """A file that counts otherwise than the log, though its checksum fits, is wrong; without it all is well."""
    import zlib

    chatroom.say()
    path = chatroom.path / ".git/chatroom/checkpoints/lobby"
    body = path.read_bytes()[:-9].replace(b" 1 1 0 -\n", b" 9 1 0 -\n")
    path.write_bytes(body + f"{zlib.crc32(body):08x}\n".encode())
    done = chatroom.chat("verify")
    assert done.returncode == 1
    assert "the checkpoint counts 9 records" in done.stdout
    [mend] = re.findall("mend: (rm '.*')", done.stdout)
    chatroom.world.run("sh", "-c", mend)
    assert chatroom.chat("verify").returncode == 0


def test_a_room_without_a_readable_ref_is_not_passed_over(chatroom: Chatroom) -> None:
    """A damaged ref is wrong, a lost one is noted, and the other rooms are verified all the same."""
    for room in ("dev", "lobby", "ops"):
        for _ in range(2):
            chatroom.say(room=room)
    chatroom.git("update-ref", "-d", log_ref(RoomName("dev")))
    chatroom.file_of().write_text("garbage\n")
    assert [(level, text.split(":")[0]) for level, text in findings(chatroom)] == [
        ("note", "it had records and has no ref any more; if it was deleted on purpose, forget it"),
        ("wrong", f"the ref {LOG} is damaged"),
        ("ok", "2 records in 3 commits"),
    ]
    assert findings(chatroom, "lobby")[0][0] == "wrong"


def test_what_is_beyond_the_limits_is_named(chatroom: Chatroom) -> None:
    """Each commit, with what of it is cut or passed over; the numbers are right all the same.

    Source: docs/format.md section 9.3.
    """
    chatroom.say(at=Moment(START - 10))
    late = chatroom.foreign(b"late\n\nChat-Kind: message\n", b"eve <e@example.com> 9223372036854775808 +0000\nx")
    many = chatroom.foreign(b"many\n\nChat-Kind: message\n" + b"Chat-To: a\n" * 101)
    found = findings(chatroom)
    told = "\n".join(text for _, text in found)
    assert f"commit {late} is beyond the limits: its author has a date out of range" in told
    assert f"commit {many} is beyond the limits: it has 101 trailers Chat-To" in told
    assert found[-1][1].endswith("dates and numbers are right, but for what is noted")
    assert chatroom.chat("verify").returncode == 0


def test_what_is_odd_is_noted_and_not_wrong(chatroom: Chatroom) -> None:
    """Foreign commits without a block, a uid or an empty tree harm nobody; many of them are summed up."""
    chatroom.say(at=Moment(START - 10))
    for turn in range(7):
        chatroom.foreign(b"code commit %d\n" % turn)
    tree = Oid(chatroom.git("rev-parse", "HEAD^{tree}").stdout.strip())
    who = Signature("x", "x@example.com", Moment(START))
    raw = codec.encode_commit(
        tree=tree, parents=(Oid(chatroom.tip),), author=who, committer=who, body="b", block=(("Chat-Kind", "message"),)
    )
    oid = chatroom.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw).stdout.strip()
    chatroom.git("update-ref", LOG, oid)
    found = findings(chatroom)
    assert [level for level, _ in found] == ["note"] * 7 + ["ok"]
    assert found[5][1] == "3 more of such commits"
    assert "carries" in found[6][1]
    assert chatroom.chat("verify").returncode == 0


def test_an_unknown_room_is_refused(chatroom: Chatroom) -> None:
    """Nothing is verified when one of the names is wrong."""
    chatroom.say()
    refused(chatroom.chat("verify", "lobby", "nowhere"), "there is no room 'nowhere'", "rooms: lobby")


def test_a_progress_bar_only_on_a_terminal(chatroom: Chatroom, terminal: Terminal) -> None:
    """A person sees how far it is; a script sees findings only."""
    chatroom.say()
    assert "verifying lobby" in terminal("git", "chat", "verify", TERM="xterm").stdout
    assert "verifying" not in chatroom.chat("verify").stderr
