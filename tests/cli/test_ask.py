"""``git chat ask`` and ``git chat answer``: docs/format.md section 21."""

from __future__ import annotations

import json

import pytest

from gitchat.model.errors import UserError
from gitchat.quick import rules
from gitchat.server.toolset import GITCHAT
from gitchat.verbs.room import Room
from tests.cli.conftest import Chatroom, refused
from tests.preloaded import begin
from tests.server.connection import Server
from tests.world import World


def ask(chatroom: Chatroom, *options: str, name: str = "bob") -> str:
    """The label of a question with the choices yes and no."""
    return chatroom.chat("ask", "--as", name, "--choice", "yes", "--choice", "no", *options, check=True).stdout.strip()


def waiting(chatroom: Chatroom, name: str) -> list[str]:
    """The questions that wait for ``name``."""
    return [entry.record.body for entry in Room(chatroom.world.environment(chatroom.path), name=name).questions()[0]]


def test_a_question_is_answered_with_a_choice(chatroom: Chatroom) -> None:
    """In any capitals; with no other words, by nobody else, and not by who asked; the first answer counts."""
    assert ask(chatroom, "--to", "alice", "Deploy?") == "#1"
    shown = chatroom.chat("answer", check=True).stdout
    assert "choices: yes | no" in shown
    assert "next: git chat answer 1 yes" in shown
    refused(chatroom.chat("answer", "1", "maybe"), "one of its choices", "yes | no")
    refused(chatroom.chat("answer", "1"), "one of its choices", "git chat answer 1 yes | git chat answer 1 no")
    refused(chatroom.chat("answer", "--as", "carol", "1", "yes"), "asks alice, and not carol", "git chat reply")
    refused(chatroom.chat("answer", "--as", "bob", "1", "yes"), "your own question", "git chat reply")
    assert len(chatroom.entries()) == 1
    talk = chatroom.chat("reply", "1", "Let me think", check=True)
    assert "#1 waits for one of its choices: git chat answer 1 yes" in talk.stderr
    assert chatroom.chat("log").stdout == chatroom.chat("log", GITCHAT_QUICK="0").stdout
    assert waiting(chatroom, "alice") == ["Deploy?"]
    assert chatroom.chat("answer", "1", "YES", check=True).stdout == "#3\n"
    told = chatroom.newest()
    assert (told.body, told.type, told.to) == ("yes", "answer", ("bob",))
    assert waiting(chatroom, "alice") == []
    again = chatroom.chat("answer", "1", "no", check=True)
    assert "alice answered #1 before, and that counts: yes (#3)" in again.stderr
    answers = Room(chatroom.world.environment(chatroom.path)).answers(chatroom.entries()[0])
    assert [answer.record.body for answer in answers] == ["yes", "no"]
    refused(chatroom.chat("answer", "2", "yes"), "#2 asks nothing", "git chat reply --room lobby 2")


def test_every_way_to_send_goes_by_the_one_rule(chatroom: Chatroom, world: World) -> None:
    """The command send, the library, and a tool, which is told in words that have none of the question's."""
    ask(chatroom, "Deploy?")
    refused(chatroom.chat("send", "-r", "1", "--type", "answer", "later"), "one of its choices", "yes | no")
    room = Room(world.environment(chatroom.path), name="carol")
    with pytest.raises(UserError) as caught:
        room.send("later", type="answer", reply_to=1)
    assert caught.value.code == "not-a-choice"
    assert any(rule.__name__ == "_answers_its_question" for rule in rules.BEFORE)
    agent = Server(GITCHAT, world.environment(chatroom.path)).connect()
    error = agent.call("send_message", name="dave", content="later", type="answer", reply_to=1)
    assert error.is_error
    assert "choices" in error.text
    assert "yes" not in error.text
    agent.text("send_message", name="dave", content="Yes", type="answer", reply_to=1)
    agent.text("send_message", name="dave", content="Merge?", choices="now, later", to="alice")
    handoff = agent.text("get_handoff", name="alice")
    assert chatroom.entries()[1].record.body == "yes"
    asked = json.loads(chatroom.chat("show", "--json", "3", check=True).stdout)
    assert (asked["type"], asked["choices"]) == ("question", ["now", "later"])
    assert "trailers" not in asked
    assert "open questions to you:" in handoff
    assert "now | later" in handoff


def test_who_waits_is_woken_by_the_answer(chatroom: Chatroom) -> None:
    """The answer alone is printed, be it there before or come later; without one in time the status is 124."""
    timed_out = chatroom.chat("ask", "--as", "bob", "--to", "alice", "--uid", "k", "--wait", "0s", "Name?")
    assert (timed_out.returncode, timed_out.stdout) == (124, "")
    assert "it stays open" in timed_out.stderr
    words = ["ask", "--as", "bob", "--to", "alice", "--uid", "k", "--wait", "5m", "Name?"]
    running = begin(words, chatroom.path, chatroom.world.variables, ())
    assert running.stderr.readline() == "#1\n"
    chatroom.say("I am not asked", author="carol", reply_to=chatroom.entries()[0].record.uid)
    chatroom.chat("answer", "1", "lexer\x1b[31m", check=True)
    assert running.stdout.read() == "lexer^[[31m\n"
    assert running.wait() == 0
    running.close()
    there = chatroom.chat("ask", "--as", "bob", "--to", "alice", "--uid", "k", "--wait", "1m", "--json", "Name?")
    assert (there.returncode, json.loads(there.stdout)["content"]) == (0, "lexer\x1b[31m")


def test_open_questions_come_first(chatroom: Chatroom) -> None:
    """In the status and the handoff, with what to type; a question that others talk of is open until it is answered."""
    ask(chatroom, "--to", "alice", "Deploy?")
    chatroom.say("Stop!", author="bob", urgent=True)
    chatroom.say("I would", author="carol", reply_to=chatroom.entries()[0].record.uid)
    lines = chatroom.chat("status", check=True).stdout.splitlines()
    assert lines.index("unanswered:") < lines.index("urgent:")
    assert "  #1 bob -> alice: Deploy? (yes | no)" in lines
    assert lines[-1] == "next: git chat answer"
    assert "unanswered: git chat answer\n  #1 bob -> alice: Deploy?" in chatroom.chat("handoff", check=True).stdout
    told = json.loads(chatroom.chat("handoff", "--json", check=True).stdout)
    assert [one["id"] for one in told["questions"]] == [1]
    assert "questions" not in json.loads(chatroom.chat("handoff", "--json", "--as", "dave", check=True).stdout)


def test_choices_of_a_stranger_are_data(chatroom: Chatroom) -> None:
    """One that would turn a line around is shown without that, and the others can be answered."""
    chatroom.say("x")
    block = (
        "Chat-Kind: message\nChat-Uid: 0123456789abcdef\nChat-Type: question\nChat-Choice: \u202eon\nChat-Choice: b\n"
    )
    chatroom.foreign(f"Evil?\n\n{block}".encode())
    shown = chatroom.chat("log", check=True).stdout
    assert "Evil?" in shown
    assert "\u202e" not in shown
    assert chatroom.chat("answer", "2", "b", check=True).stdout == "#3\n"
