"""A number that was shown and stands for something else now is told with every number that has taken its place.

Proves format 4.2 (``Chat-Seq``) and the second row of 12.10.
"""

from __future__ import annotations

import json

import pytest

from gitchat.server.texts import of_message
from tests.clones.conftest import LOG, Clone, Hub
from tests.server.wire import Wire


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone whose hub was restored, and went another way since: #2 is #3 now, and #4, its answer, #5."""
    clone = hub.clone("ann")
    for body in ("one", "two", "three"):
        clone.say(body)
    clone.chat("send", "-r", "2", "an answer", check=True)
    clone.sync()
    hub.git("update-ref", LOG, f"{LOG}~3")
    bea = hub.clone("bea")
    bea.sync()
    bea.say("other")
    bea.sync()
    clone.sync()
    assert [body for _, body in clone.numbered()] == ["one", "other", "two", "three", "an answer"]
    return clone


def test_every_face_tells_the_number_that_was(ann: Clone) -> None:
    """Lists, searches, threads, one message, what is unread, a handoff, JSON, and what a model reads."""
    for command in (
        ["log"], ["log", "--oneline"], ["log", "--graph"], ["log", "--thread", "3"], ["log", "-n", "1"], ["read"],
        ["search", "answer"], ["show", "5"], ["handoff"],
    ):  # fmt: skip
        said = ann.chat(*command, GITCHAT_NAME="carl", check=True).stdout
        assert "#5 (was #4)" in said, command
        if "--oneline" not in command:
            assert "#3 (was #2)" in said, command
        assert "#1 (was" not in said + said.replace("#2 (was", "#1 (was"), command
    for command in (["log"], ["show", "5"], ["read"], ["search", "answer"]):
        said = ann.chat(*command, "--json", GITCHAT_NAME="dora", check=True).stdout
        last = json.loads(said.splitlines()[-1])
        assert (last["id"], last["was"], last["reply_to"], last["reply_to_was"]) == (5, 4, 3, 2), command
    assert "was" not in ann.records()[0]


@pytest.mark.slow
def test_a_model_reads_it_too(ann: Clone) -> None:
    """In the text and as JSON."""
    for options in ([], ["--json"]):
        wire = Wire(["git-chat", "mcp", *options], ann.path, ann.world.variables | {"GITCHAT_NAME": "ann"})
        wire.shake_hands()
        if options:
            assert wire.data("read_messages", since_id=4)[0]["was"] == 4
        else:
            assert "was 4, re 3 (was 2)" in wire.text("read_messages", since_id=4)
        wire.kill()


def test_a_line_for_a_model_names_it() -> None:
    """Beside the number that counts."""
    message = {"id": 5, "was": 4, "reply_to": 3, "reply_to_was": 2, "ts": "2026-01-01T10:00:00Z", "from": "ann"}
    assert of_message({**message, "to": "all", "content": "x"}, "2026-01-01").startswith(
        "[5] ann -> all 10:00 was 4, re 3 (was 2): "
    )
