"""Who is told that its claim ends soon, and how often."""

from __future__ import annotations

import json
from dataclasses import replace

from gitchat.staying import ending
from gitchat.staying.told import Told
from gitchat.verbs.room import Room
from gitchat.workspace.process import read_clock
from tests.cli.conftest import Chatroom

HOUR = 3600

ALICE = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "5e551017", "GITCHAT_NAME": "alice"}


def test_it_is_told_once_when_a_tenth_of_the_time_is_left(chatroom: Chatroom) -> None:
    """Of one's own claims, and of those that hold; one that is taken again is told of again."""
    moment = read_clock()
    later = moment
    environment = replace(chatroom.world.environment(chatroom.path), now=lambda: later)
    room = Room(environment, None, "alice")
    told = Told(environment.repository.directory, room.me)
    room.claim(["src/"], seconds=10 * HOUR)
    Room(environment, None, "bob").claim(["docs/"], seconds=10 * HOUR)
    room.claim(["docs/a"], seconds=10 * HOUR, wait=True)
    assert ending.sentences([room], told) == []
    later = replace(moment, seconds=moment.seconds + 9 * HOUR - 10)
    assert ending.sentences([room], told) == []
    later = replace(moment, seconds=moment.seconds + 9 * HOUR)
    (said,) = ending.sentences([room], told)
    assert said.startswith("what you claimed (src/, #1) is yours until ")
    assert ending.sentences([room], told) == []
    room.claim(["src/"], seconds=5 * 60)
    later = replace(moment, seconds=moment.seconds + 9 * HOUR + 280)
    assert "#4" in ending.sentences([room], told)[0]


def test_the_hook_of_the_session_tells_it_once(chatroom: Chatroom) -> None:
    """In the words of its own claim; another session's hook says nothing of it."""
    claim_long_ago(chatroom)
    for session, count in ((ALICE, 1), (ALICE, 0), ({**ALICE, "GITCHAT_NAME": "bob"}, 0)):
        given = json.dumps({"session_id": "5e551017"}).encode()
        said = chatroom.chat("hook", "claude", "prompt", stdin=given, check=True, **session).stdout
        assert said.count("gitchat: what you claimed (src/, #1) is yours until ") == count, said


def claim_long_ago(chatroom: Chatroom) -> None:
    """A claim of an agent that ends in ten minutes, and lasts for two hours."""
    now = read_clock()
    here = chatroom.world.environment(chatroom.path, now=lambda: replace(now, seconds=now.seconds - 110 * 60))
    Room(replace(here, variables={**here.variables, **ALICE}), None, "alice").claim(["src/"])
