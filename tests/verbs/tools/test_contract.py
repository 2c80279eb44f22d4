"""agent-chat's contract: its tools, name for name, and what stands behind them."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gitchat.tools as s
from gitchat import ChatError
from gitchat.verbs import tools
from tests.verbs.tools.conftest import Peer
from tests.world import World

pytestmark = pytest.mark.usefixtures("path")

QUICK_CHECK = (
    "python3 -c \"import chatroom_mcp_server as s; print(s.join('alice')); print(s.send_message('alice', "
    "'hello')); print(s.read_unread('alice')); print(s.write_summary('alice', 'Initial handoff')); "
    "print(s.get_handoff('alice')); print(s.leave('alice'))\""
)
"""As agent-chat's page has it."""

SIGNATURES = [
    # tool, agent-chat's parameters, and what gitchat adds behind them
    ("join", "name=None, role='general'", "room='', since=''"),
    ("leave", "name=None", "room=''"),
    (
        "send_message",
        "name=None, content='', to='all'",
        "room='', type='', reply_to=None, priority='', key='', choices='', at=''",
    ),
    ("read_messages", "since_id=0, limit=50, participant=''", "room='', type='', sender='', query='', id=None, at=''"),
    ("list_participants", "", "room=''"),
    ("get_status", "", "room=''"),
    ("get_cursor", "name=None", "room=''"),
    ("set_cursor", "name=None, message_id=None", "room=''"),
    ("read_unread", "name=None, limit=50, mark_read=True", "room='', type='', sender='', wait_seconds=0, max_chars=0"),
    ("write_summary", "name=None, content='', scope='all'", "room=''"),
    ("read_latest_summary", "scope='all'", "room=''"),
    ("get_handoff", "name='', recent_limit=10", "room=''"),
    (
        "check_in",
        "",
        "name=None, content='', to='all', wait_seconds=0, limit=50, room='', type='', reply_to=None, max_chars=0, "
        "at=''",
    ),
    ("list_rooms", "", "name='', status='open'"),
    ("claim", "", "name=None, what='', content='', minutes=120, wait=False, release=False, room=''"),
    ("open_room", "", "room, title='', name='', local=False, closed=False"),
    ("close_room", "", "room, name=''"),
]

MESSAGE = ["id", "ts", "from", "to", "content"]
PARTICIPANT = ["name", "role", "joined_at", "last_seen"]
UNREAD = ["name", "last_read_id", "messages"]
SUMMARY = ["id", "ts", "from", "scope", "content"]
HANDOFF = ["participants", "latest_message_id", "cursor", "unread_count", "latest_summary", "recent_messages"]
ROOM = ["room", "status", "title", "latest_id", "active"]

KEYS: list[tuple[Callable[[], Any], list[str]]] = [
    (lambda: s.join("alice")[0], PARTICIPANT),
    (lambda: s.list_participants()[0], PARTICIPANT),
    (lambda: s.send_message("alice", "more"), ["id"]),
    (lambda: s.read_messages()[0], MESSAGE),
    (lambda: s.get_status(), ["participant_count", "message_count", "last_activity_ts"]),
    (lambda: s.get_cursor("alice"), ["name", "last_read_id"]),
    (lambda: s.set_cursor("alice", 1), ["name", "last_read_id"]),
    (lambda: s.read_unread("alice"), UNREAD),
    (lambda: s.read_unread("alice")["messages"][0], MESSAGE),
    (lambda: s.check_in("alice"), UNREAD),
    (lambda: s.check_in("alice", "I am here"), ["sent", *UNREAD]),
    (lambda: s.write_summary("alice", "so far"), ["id"]),
    (lambda: s.read_latest_summary(), SUMMARY),
    (lambda: s.get_handoff(), HANDOFF),
    (lambda: s.get_handoff("alice"), HANDOFF),
    (lambda: s.get_handoff("alice")["participants"][0], PARTICIPANT),
    (lambda: s.get_handoff("alice")["latest_summary"], SUMMARY),
    (lambda: s.get_handoff("alice")["recent_messages"][0], MESSAGE),
    (lambda: s.leave("alice"), ["left"]),
    (lambda: s.open_room("plans"), ROOM),
    (lambda: s.list_rooms()[0], ROOM),
    (lambda: s.list_rooms("alice")[0], [*ROOM, "cursor", "unread_count", "latest_summary"]),
    (lambda: s.close_room("lobby"), ["closed"]),
]

REFUSALS: list[tuple[Callable[[], Any], str]] = [
    (lambda: s.join(""), "name must not be blank"),
    (lambda: s.join(" \t"), "name must not be blank"),
    (lambda: s.leave(" "), "name must not be blank"),
    (lambda: s.send_message(" ", "hello"), "name must not be blank"),
    (lambda: s.send_message("alice", " \n "), "content must not be blank"),
    (lambda: s.send_message("alice", "hello", " "), "to must not be blank"),
    (lambda: s.read_unread(""), "name must not be blank"),
    (lambda: s.check_in(""), "name must not be blank"),
    (lambda: s.get_cursor(""), "name must not be blank"),
    (lambda: s.set_cursor("", 0), "name must not be blank"),
    (lambda: s.write_summary("", "so far"), "name must not be blank"),
    (lambda: s.write_summary("alice", " "), "content must not be blank"),
    (lambda: s.write_summary("alice", "so far", " "), "scope must not be blank"),
    (lambda: s.read_latest_summary(" "), "scope must not be blank"),
    (lambda: s.open_room(" "), "room must not be blank"),
    (lambda: s.close_room(" "), "room must not be blank"),
    *[
        (call, f"{field} must be between 1 and 100")
        for bad in (0, 101)
        for call, field in (
            (lambda bad=bad: s.read_messages(0, bad), "limit"),
            (lambda bad=bad: s.read_unread("alice", bad), "limit"),
            (lambda bad=bad: s.check_in("alice", limit=bad), "limit"),
            (lambda bad=bad: s.get_handoff("alice", bad), "recent_limit"),
            (lambda bad=bad: s.get_handoff("", bad), "recent_limit"),
        )
    ],
    (lambda: s.read_messages(-1), "since_id must be >= 0"),
    (lambda: s.set_cursor("alice", -1), "message_id must be >= 0"),
    (lambda: s.set_cursor("alice", 2), "message_id cannot exceed the latest message id"),
    (lambda: s.set_cursor("alice", 10**30), "message_id cannot exceed the latest message id"),
    (lambda: s.set_cursor("alice", "2"), "message_id cannot exceed the latest message id"),
    (lambda: s.read_unread("alice", wait_seconds=-1), "wait_seconds must be between 0 and 1500"),
    (lambda: s.check_in("alice", wait_seconds=1501), "wait_seconds must be between 0 and 1500"),
    (lambda: s.read_unread("alice", max_chars=-1), "max_chars must be >= 0"),
    (lambda: s.join("alice", since="yesterday"), "since must be 'now' or 'beginning'"),
    (lambda: s.send_message("alice", "hello", priority="high"), "priority must be 'normal' or 'urgent'"),
    (lambda: s.list_rooms(status="shut"), "status must be 'open', 'closed' or 'all'"),
]


def ids(messages: list[dict[str, Any]]) -> list[int]:
    """The ids of what was read."""
    return [message["id"] for message in messages]


# --- the table -----------------------------------------------------------------


def test_the_quick_check_of_agent_chat_runs_with_one_word_changed(world: World, path: Path) -> None:
    """Its page's command, with the module's name replaced."""
    command = shlex.split(QUICK_CHECK.replace("chatroom_mcp_server", "gitchat.tools"))
    lines = world.run(*command, cwd=path).stdout.splitlines()
    assert [line[:9] for line in lines] == [
        "[{'name':",
        "{'id': 1}",
        "{'name': ",
        "{'id': 1}",
        "{'partici",
        "{'left': ",
    ]
    assert "'content': 'hello'" in lines[2]
    assert "'content': 'Initial handoff'" in lines[4]
    assert lines[5] == "{'left': True}"


@pytest.mark.parametrize(("tool", "theirs", "ours"), SIGNATURES, ids=[row[0] for row in SIGNATURES])
def test_parameters_stand_in_agent_chats_order_with_its_defaults(tool: str, theirs: str, ours: str) -> None:
    """But that a name can be left out, and with it what stands behind it; what gitchat adds can be left out."""
    parameters = inspect.signature(getattr(s, tool)).parameters.values()
    found = [one.name if one.default is one.empty else f"{one.name}={one.default!r}" for one in parameters]
    assert ", ".join(found) == ", ".join(filter(None, [theirs, ours]))
    assert all(one.kind is one.POSITIONAL_OR_KEYWORD for one in parameters)


def test_the_table_has_every_tool() -> None:
    """No tool can be added without a row."""
    assert sorted(row[0] for row in SIGNATURES) == sorted(s.__all__)


@pytest.mark.parametrize(("call", "keys"), KEYS)
def test_a_result_has_exactly_these_keys(call: Callable[[], Any], keys: list[str]) -> None:
    """In this order, and no other, as long as nothing new is to be told."""
    s.join("alice")
    s.send_message("alice", "hello")
    s.send_message("alice", "hello again")
    s.write_summary("alice", "hellos")
    assert list(call()) == keys


@pytest.mark.parametrize(("call", "message"), REFUSALS)
def test_a_refusal_says_which_field_and_what_to_do(call: Callable[[], Any], message: str) -> None:
    """In agent-chat's words, as ValueError too; and nothing has happened."""
    s.send_message("alice", "hello")
    with pytest.raises(ValueError) as raised:
        call()
    assert str(raised.value) == message
    assert isinstance(raised.value, ChatError)
    assert (raised.value.code, bool(raised.value.hint)) == ("bad-argument", True)
    assert (len(s.read_messages()), s.list_participants(), s.get_cursor("alice")["last_read_id"]) == (1, [], 0)


def test_times_are_utc_to_the_second() -> None:
    """``YYYY-MM-DDTHH:MM:SSZ``, everywhere."""
    one = s.join("alice")[0]
    s.send_message("alice", "hello")
    s.write_summary("alice", "so far")
    summary = s.read_latest_summary()
    assert summary is not None
    times = [one["joined_at"], one["last_seen"], s.read_messages()[0]["ts"], summary["ts"]]
    for time in [*times, s.get_status()["last_activity_ts"], s.list_rooms()[0]["active"]]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time)


def test_texts_are_stripped() -> None:
    """Every one of them, before anything looks at it."""
    s.join(" alice\n", " general ", " lobby ", " now ")
    assert s.send_message(" alice ", "  two  words \n", " bob ", " lobby ", " question ", None, " urgent ", " k ") == {
        "id": 1
    }
    assert s.send_message("alice", "two  words", "bob", key="k") == {"id": 1}
    (message,) = s.read_messages(0, 50, " bob ", " lobby ", " question ", " alice ", " words ")
    assert (message["content"], message["to"], message["type"]) == ("two  words", "bob", "question")
    s.write_summary(" alice ", " so far ", " plans ")
    summary = s.read_latest_summary(" plans ")
    assert summary is not None
    assert (summary["scope"], summary["content"]) == ("plans", "so far")
    assert s.list_participants(" ")[0]["role"] == "general"
    assert s.list_rooms(" alice ", " all ")[0]["unread_count"] == 0
    assert s.leave(" alice ") == {"left": True}


# --- who is here ---------------------------------------------------------------


def test_joining_again_keeps_when_it_joined(world: World, peer: Peer) -> None:
    """Role and last sight are new, ``joined_at`` stays; the role may be blank."""
    first = peer.does("s.join('codex', 'review')")
    again = peer.does("s.join('codex', '')")
    assert [one["role"] for one in (*first, *again)] == ["review", ""]
    assert first[0]["joined_at"] == again[0]["joined_at"]
    assert again[0]["last_seen"] >= first[0]["last_seen"]


def test_participants_are_sorted_and_joining_writes_nothing(peer: Peer) -> None:
    """``join`` gives all of them, as ``list_participants`` does."""
    peer.does("s.join('zoe')")
    everybody = s.join("bob")
    assert [one["name"] for one in everybody] == ["bob", "zoe"]
    assert everybody == s.list_participants() == peer.does("s.list_participants()")
    assert s.get_status() == {"participant_count": 2, "message_count": 0, "last_activity_ts": None}


def test_a_name_is_one_living_processs(peer: Peer) -> None:
    """Another one is refused in agent-chat's words, for joining and for acting under the name."""
    peer.does("s.join('codex')")
    with pytest.raises(ValueError) as raised:
        s.join("codex")
    assert str(raised.value) == (
        "participant 'codex' is already active; choose a different name or remove the stale participant"
    )
    for act in (lambda: s.send_message("codex", "hi"), lambda: s.leave("codex"), lambda: s.write_summary("codex", "x")):
        with pytest.raises(ValueError, match="cannot act as 'codex'"):
            act()
    assert s.read_messages() == []


def test_a_killed_holder_frees_its_name_at_once(peer: Peer) -> None:
    """SIGKILL leaves no ghost: it is not listed, and the next process can join."""
    peer.does("s.join('codex', 'old')")
    peer.kill()
    assert s.list_participants() == []
    assert [(one["name"], one["role"]) for one in s.join("codex", "new")] == [("codex", "new")]


def test_a_failed_join_takes_no_name(peer: Peer) -> None:
    """A role that cannot be leaves this process as free as it was."""
    with pytest.raises(ValueError, match="role"):
        s.join("carol", "two\nlines")
    assert s.send_message("bob", "I may still be anybody") == {"id": 1}
    assert [one["name"] for one in peer.does("s.join('carol')")] == ["carol"]


def test_leaving_is_said_in_the_room() -> None:
    """By ``system``, to all; leaving again is False and says nothing."""
    s.join("alice")
    assert [s.leave("alice"), s.leave("alice")] == [{"left": True}, {"left": False}]
    (message,) = s.read_messages()
    assert (message["from"], message["to"], message["content"]) == ("system", "all", "alice left the chatroom")
    assert s.list_participants() == []


def test_leaving_gives_the_name_back(peer: Peer) -> None:
    """Another process can join under it while this one goes on."""
    s.join("codex")
    s.leave("codex")
    assert peer.does("s.join('codex')")[0]["name"] == "codex"


def test_a_program_that_joined_acts_under_any_name_that_is_free() -> None:
    """As before it joined: a name that no other living process holds may send, read and mark."""
    s.send_message("bob", "before anybody joined any name may be used")
    s.join("alice")
    assert s.read_unread("bob")["last_read_id"] == 1
    acts: list[Callable[[], Any]] = [
        lambda: s.send_message("bob", "hi"),
        lambda: s.check_in("bob"),
        lambda: s.set_cursor("bob", 1),
        lambda: s.write_summary("bob", "x"),
        lambda: s.open_room("plans", name="bob"),
        lambda: s.close_room("plans", name="bob"),
        lambda: s.leave("bob"),
    ]
    for act in acts:
        act()


def test_without_a_name_a_program_acts_under_the_one_it_joined_under() -> None:
    """Before it joined, under the one that the command line would take; asked for nobody, as agent-chat answers."""
    assert s.send_message(content="hello") == {"id": 1}
    assert s.read_messages()[0]["from"] == tools.seat()
    s.join("lexer")
    s.send_message(content="as lexer")
    assert s.read_messages()[1]["from"] == "lexer"
    assert s.get_cursor()["name"] == "lexer"
    assert (s.get_handoff()["cursor"], s.get_handoff("lexer")["cursor"]) == (None, 0)
    with pytest.raises(ChatError, match="message_id is missing"):
        s.set_cursor()


# --- messages ------------------------------------------------------------------


def test_neither_sender_nor_recipient_need_be_here() -> None:
    """A message to somebody who never joined is stored, and waits."""
    assert s.send_message("alice", "hello", "bob") == {"id": 1}
    assert ids(s.read_unread("bob")["messages"]) == [1]


@pytest.mark.parametrize("to", ["all", "ALL", "All", " aLL ", "bob,all"])
def test_all_is_everybody_in_any_case(to: str) -> None:
    """Also beside a name."""
    s.send_message("alice", "hello", to)
    assert s.read_messages()[0]["to"] == "all"
    assert ids(s.read_unread("zoe")["messages"]) == [1]


def test_reading_filters_before_it_limits() -> None:
    """The oldest ``limit`` of those that are for the participant or for all, ascending."""
    for number in range(1, 7):
        s.send_message("alice", f"message {number}", "bob" if number % 2 else "carol")
    s.send_message("alice", "for all")
    assert ids(s.read_messages(0, 2, "bob")) == [1, 3]
    assert ids(s.read_messages(3, 50, "bob")) == [5, 7]
    assert ids(s.read_messages(0, 3)) == [1, 2, 3]
    assert ids(s.read_messages(participant="all")) == [7]
    for beyond in (100, 10**30):
        assert s.read_messages(beyond) == s.read_messages(beyond, query="message") == []
    assert s.get_cursor("bob") == {"name": "bob", "last_read_id": 0}, "reading messages marks nothing"


def test_reading_narrows_by_type_sender_and_words() -> None:
    """All of them have to hold; with words the best come, in the order of their numbers."""
    s.send_message("alice", "who has the parser?", type="question")
    s.send_message("bob", "I have the parser", type="answer")
    s.send_message("alice", "then I take the lexer")
    assert ids(s.read_messages(type="question")) == [1]
    assert ids(s.read_messages(sender="alice")) == [1, 3]
    assert ids(s.read_messages(query="parser")) == [1, 2]
    assert ids(s.read_messages(since_id=1, query="parser")) == [2]
    assert ids(s.read_messages(query="parser", sender="bob", type="question")) == []


def test_what_is_new_appears_only_when_it_carries_something() -> None:
    """Type, answer, priority and a room that is not the default one."""
    s.send_message("alice", "hello")
    s.send_message("alice", "hi", reply_to=1, type="answer", priority="urgent")
    s.send_message("alice", "elsewhere", room="plans")
    (message,) = s.read_messages(since_id=1)
    assert list(message) == [*MESSAGE, "type", "reply_to", "priority"]
    assert (message["type"], message["reply_to"], message["priority"]) == ("answer", 1, "urgent")
    (message,) = s.read_messages(room="plans")
    assert {key: message[key] for key in message.keys() - set(MESSAGE)} == {"room": "plans"}


def test_json_comes_back_as_json() -> None:
    """Objects and arrays; a text that looks like JSON stays a text."""
    value = {"task": "parser", "files": ["a.py"], "done": 0.5, "by": None, "ok": True, "text": "zwölf\0"}
    for content in (value, [1, [2]], '{"a": 1}'):
        s.send_message("alice", content)
    assert [message["content"] for message in s.read_messages()] == [value, [1, [2]], '{"a": 1}']
    assert all(list(message) == MESSAGE for message in s.read_messages())


def test_handles_go_wherever_numbers_go(world: World, path: Path) -> None:
    """For who remembers the message and not its number."""
    s.send_message("alice", "first")
    s.send_message("alice", "second")
    uid = world.chat("log", "--json", cwd=path).stdout.split('"uid": "')[1][:16]
    handle = f"~{uid[:6]}"
    assert ids(s.read_messages(handle)) == [2]
    s.send_message("bob", "re first", reply_to=handle)
    assert s.read_messages(2)[0]["reply_to"] == 1
    assert s.set_cursor("bob", handle) == {"name": "bob", "last_read_id": 1}


def test_a_key_makes_sending_again_harmless() -> None:
    """The same message has the same id; another one under that key is refused."""
    assert [s.send_message("alice", "hello", key="k1") for _ in range(2)] == [{"id": 1}, {"id": 1}]
    with pytest.raises(ChatError, match="same key"):
        s.send_message("alice", "something else", key="k1")
    assert len(s.read_messages()) == 1


# --- cursors -------------------------------------------------------------------


def test_a_cursor_only_moves_forward() -> None:
    """What is stored is the greater of the old and the new one; 0 before anything was marked."""
    for _ in range(3):
        s.send_message("alice", "hello")
    assert s.get_cursor("bob") == {"name": "bob", "last_read_id": 0}
    assert [s.set_cursor("bob", number)["last_read_id"] for number in (0, 2, 1, 0, 3)] == [0, 2, 2, 2, 3]
    assert s.get_cursor("bob") == {"name": "bob", "last_read_id": 3}


def test_unread_comes_oldest_first_and_marks_what_it_returns() -> None:
    """Own broadcasts count; what is for others is passed over; the rest is told as ``more``."""
    s.send_message("bob", "mine")
    s.send_message("alice", "not for bob", "carol")
    for _ in range(3):
        s.send_message("alice", "for all")
    assert ids(s.read_unread("bob", mark_read=False)["messages"]) == [1, 3, 4, 5]
    first = s.read_unread("bob", 2)
    assert (ids(first["messages"]), first["last_read_id"], first["more"]) == ([1, 3], 3, 2)
    second = s.read_unread("bob")
    assert (ids(second["messages"]), second["last_read_id"]) == ([4, 5], 5)
    assert s.read_unread("bob") == {"name": "bob", "last_read_id": 5, "messages": []}


def test_a_look_marks_nothing() -> None:
    """``mark_read=False`` in silence; a filter says that it did not mark."""
    s.send_message("alice", "hello", type="question")
    assert s.read_unread("bob", mark_read=False)["last_read_id"] == 0
    filtered = s.read_unread("bob", type="question")
    assert (ids(filtered["messages"]), filtered["last_read_id"]) == ([1], 0)
    assert filtered["not_marked"] == "a filtered reading marks nothing"
    assert ids(s.read_unread("bob", sender="alice")["messages"]) == [1]
    assert ids(s.read_unread("bob")["messages"]) == [1]


def test_max_chars_marks_only_what_it_returns() -> None:
    """Records come whole while they fit; the next call goes on where this one ended."""
    for _ in range(3):
        s.send_message("alice", "x" * 1000)
    seen = []
    for left in (1, 0):
        reading = s.read_unread("bob", max_chars=2500)
        seen.append((ids(reading["messages"]), reading["last_read_id"], reading.get("more", 0)))
        assert seen[-1][2] == left
    assert seen == [([1, 2], 2, 1), ([3], 3, 0)]
    cut = s.read_unread("carol", max_chars=1)
    assert (ids(cut["messages"]), cut["last_read_id"], cut["more"]) == ([1], 0, 2)
    assert cut["messages"][0]["more_characters"] == 920
    assert cut["not_marked"] == "its end was not given out yet"
    assert s.read_messages(id=1)[0]["content"][80:] == "x" * 920


def test_roles_reach_who_has_them_now() -> None:
    """Somebody without the role does not get it, before and after."""
    s.send_message("alice", "look at this", "role:review")
    assert s.read_unread("bob", mark_read=False)["messages"] == []
    s.join("bob", "review")
    assert ids(s.read_unread("bob")["messages"]) == [1]


def test_who_joins_with_since_now_has_read_what_was_said() -> None:
    """By default a newcomer begins at the beginning."""
    s.send_message("alice", "old")
    s.join("bob", since="now")
    s.send_message("bob", "new")
    assert ids(s.read_unread("bob")["messages"]) == [2]
    s.leave("bob")
    s.join("carol")
    assert ids(s.read_unread("carol")["messages"]) == [1, 2, 3]


def test_statuses_are_told_by_their_number(world: World, path: Path) -> None:
    """They stand in ``read_messages``; in ``read_unread`` they are counted, when there are any."""
    from gitchat.model.names import RoomName
    from gitchat.model.record import STATUS, Draft
    from gitchat.workspace.environment import Environment

    surroundings: Environment = world.environment(path)
    writer = surroundings.writer(RoomName("lobby"))
    writer.send(Draft(body="commit 1234567", kind=STATUS), surroundings.caller.identity("hook"))
    s.send_message("alice", "hello")
    assert ids(s.read_messages()) == [1, 2]
    reading = s.read_unread("bob")
    assert (ids(reading["messages"]), reading["statuses"], reading["last_read_id"]) == ([2], 1, 2)
    assert "statuses" not in s.read_unread("bob")


def test_check_in_sends_and_reads_in_one_call() -> None:
    """Own messages are passed over; without content nothing is sent."""
    s.send_message("alice", "hello")
    answer = s.check_in("bob", "I am here", type="presence")
    assert (answer["sent"], ids(answer["messages"])) == (2, [1])
    assert s.check_in("bob") == {"name": "bob", "last_read_id": answer["last_read_id"], "messages": []}
    assert [message["content"] for message in s.check_in("alice")["messages"]] == ["I am here"]


# --- summaries and handoff -----------------------------------------------------


def test_summaries_have_one_sequence_a_room() -> None:
    """Ids count in the room whatever the scope; another room counts for itself."""
    written = [s.write_summary("alice", scope, scope)["id"] for scope in ("all", "bob", "all", "Release 1.0")]
    assert written == [1, 2, 3, 4]
    assert s.write_summary("alice", "elsewhere", room="plans") == {"id": 1}


def test_the_latest_summary_is_that_of_exactly_the_scope() -> None:
    """Not of a scope that only looks like it; null where there is none."""
    s.write_summary("alice", "for all")
    s.write_summary("alice", "for bob", "bob")
    found = {scope: s.read_latest_summary(scope) for scope in ("all", "bob", "BOB", "bo", "carol")}
    assert {scope: one and one["content"] for scope, one in found.items()} == {
        "all": "for all", "bob": "for bob", "BOB": None, "bo": None, "carol": None,
    }  # fmt: skip


def test_a_handoff_of_an_empty_room_is_empty() -> None:
    """With a name the cursor is 0, without it null."""
    empty = {"participants": [], "latest_message_id": 0, "latest_summary": None, "recent_messages": []}
    assert s.get_handoff() == empty | {"cursor": None, "unread_count": None}
    assert s.get_handoff("bob") == empty | {"cursor": 0, "unread_count": 0}


def test_a_handoff_is_for_its_name() -> None:
    """Messages that it sees, the newest last; the newest summary for all or for it; the latest id of all."""
    for to in ("all", "bob", "carol", "all", "carol"):
        s.send_message("alice", f"for {to}", to)
    s.write_summary("alice", "for all")
    s.write_summary("alice", "for bob", "bob")
    s.set_cursor("bob", 1)
    for_bob, for_nobody = s.get_handoff("bob", 2), s.get_handoff("", 2)
    assert (ids(for_bob["recent_messages"]), ids(for_nobody["recent_messages"])) == ([2, 4], [4, 5])
    assert (for_bob["cursor"], for_bob["unread_count"], for_bob["latest_message_id"]) == (1, 2, 5)
    assert (for_nobody["cursor"], for_nobody["unread_count"], for_nobody["latest_message_id"]) == (None, None, 5)
    assert (for_bob["latest_summary"]["content"], for_nobody["latest_summary"]["content"]) == ("for bob", "for all")
    assert s.get_cursor("bob")["last_read_id"] == 1, "a handoff marks nothing"


def test_own_broadcasts_are_unread_in_a_handoff() -> None:
    """As they are for ``read_unread``."""
    s.send_message("bob", "mine")
    assert s.get_handoff("bob")["unread_count"] == len(s.read_unread("bob")["messages"]) == 1


def test_status_counts() -> None:
    """Participants, messages whoever they are for, and when the last one came."""
    s.join("alice")
    s.send_message("alice", "hello", "bob")
    status = s.get_status()
    assert (status["participant_count"], status["message_count"]) == (1, 1)
    assert status["last_activity_ts"] == s.read_messages()[0]["ts"]


# --- rooms ---------------------------------------------------------------------


def test_a_closed_room_is_read_and_not_written_to() -> None:
    """Messages and summaries are refused; reading, marking and leaving go on; it can be opened again."""
    s.join("alice", room="plans")
    s.send_message("alice", "hello", room="plans")
    assert [s.close_room("plans"), s.close_room("plans")] == [{"closed": True}, {"closed": False}]
    for write in (
        lambda: s.send_message("alice", "more", room="plans"),
        lambda: s.check_in("alice", "more", room="plans"),
        lambda: s.write_summary("alice", "so far", room="plans"),
    ):
        with pytest.raises(ValueError, match="room 'plans' is closed"):
            write()
    assert ids(s.read_messages(room="plans")) == ids(s.read_unread("bob", room="plans")["messages"]) == [1]
    assert s.get_handoff("alice", room="plans")["unread_count"] == 1
    assert s.leave("alice", "plans") == {"left": True}
    assert s.open_room("plans")["status"] == "open"
    assert s.send_message("alice", "again", room="plans")["id"] > 1


def test_closing_and_titles_take_numbers_and_are_no_messages() -> None:
    """They appear in no list, so there are gaps in what a reader sees."""
    s.open_room("plans", "Release 1.0")
    s.send_message("alice", "hello", room="plans")
    s.close_room("plans")
    assert ids(s.read_messages(room="plans")) == ids(s.read_unread("bob", room="plans")["messages"]) == [2]
    assert s.get_status("plans")["message_count"] == 1
    assert s.get_handoff(room="plans")["latest_message_id"] == 3


def test_rooms_are_listed_by_status() -> None:
    """With title and newest id; with a name also what is unread there."""
    s.open_room("plans", "Release 1.0", "alice")
    s.send_message("alice", "hello", room="old")
    s.write_summary("alice", "all done", room="old")
    s.close_room("old")
    assert {one["room"]: one["status"] for one in s.list_rooms(status="all")} == {"plans": "open", "old": "closed"}
    ((plans,), (old,)) = s.list_rooms("bob"), s.list_rooms("bob", "closed")
    assert (plans["title"], plans["latest_id"], plans["unread_count"], plans["latest_summary"]) == (
        "Release 1.0", 1, 0, None,
    )  # fmt: skip
    assert (old["room"], old["cursor"], old["unread_count"]) == ("old", 0, 1)
    assert old["latest_summary"]["content"] == "all done"


def test_only_a_room_that_is_there_can_be_closed() -> None:
    """A slip of the pen makes no room."""
    with pytest.raises(ValueError, match="there is no room 'plans' here"):
        s.close_room("plans")
    assert s.list_rooms(status="all") == []


def test_a_room_is_opened_by_who_joined_here(world: World, path: Path) -> None:
    """And by whom the settings name where nobody did."""
    s.open_room("one")
    s.join("alice")
    s.open_room("two")
    s.close_room("one")
    ref = "refs/chatroom/rooms/{}/log"
    authors = [
        world.git("log", "-1", "--format=%an", ref.format(room), cwd=path).stdout.strip() for room in ("one", "two")
    ]
    first = world.git("log", "--format=%an", ref.format("one"), cwd=path).stdout.split()[1]
    assert (first, authors) == ("tester-repo", ["alice", "alice"])
