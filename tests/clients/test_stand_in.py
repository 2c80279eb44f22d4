"""The model that stands in for those of real clients keeps what it was asked as a test wants to read it."""

from __future__ import annotations

import json
import threading
import urllib.request
from typing import Any

import pytest

from tests.clients.stand_in import SUBTASK, Call, Gate, Script, Step, serving
from tests.clients.waiting import until


def ask(address: str, *texts: str, session: str = "one") -> dict[str, Any]:
    """Ask in Anthropic's form, and the answer."""
    messages = [{"role": "user", "content": text} for text in texts]
    metadata = {"user_id": json.dumps({"session_id": session})}
    body = json.dumps({"model": "m", "messages": messages, "tools": [{"name": "t"}], "metadata": metadata})
    with urllib.request.urlopen(f"{address}/v1/messages", body.encode(), timeout=30) as answer:
        return dict(json.load(answer))


def test_new_is_what_the_request_before_in_the_same_conversation_did_not_hold() -> None:
    """As often as it is said more often; another conversation begins with everything."""
    script = Script(["ok"])
    with serving(script) as address:
        ask(address, "a", "b")
        ask(address, "a", "b", "b", "c")
        ask(address, "a", "b", session="two")
        ask(address, "b", "c", "d")
    assert [request.new for request in script.asked] == ["a\nb", "b\nc", "a\nb", "d"]
    assert script.asked[1].whole == "a\nb\nb\nc"


def test_a_subagent_has_steps_and_requests_of_its_own() -> None:
    """It is told by its task, which stands at its beginning."""
    script = Script([Call("main"), "done"], [Call("sub"), "done"])
    with serving(script) as address:
        answers = [ask(address, text) for text in ("go", SUBTASK, "go")]
    assert [answer["content"][0].get("name") for answer in answers] == ["main", "sub", None]
    assert [request.new for request in script.asked_by_sub] == [SUBTASK]
    assert len(script.asked) == 2


@pytest.mark.parametrize("is_opened", [False, True])
def test_a_gate_keeps_the_model_thinking_until_it_is_opened(is_opened: bool) -> None:
    """And what it was asked can be read meanwhile."""
    gate = Gate("done")
    steps: list[Step] = [gate]
    script = Script(steps)
    answers: list[dict[str, Any]] = []
    with serving(script) as address:
        asking = threading.Thread(target=lambda: answers.append(ask(address, "go")))
        asking.start()
        gate.wait()
        assert [request.new for request in script.asked] == ["go"]
        if is_opened:
            gate.open()
            until(lambda: answers)
        assert bool(answers) == is_opened
        gate.open()
        asking.join()
