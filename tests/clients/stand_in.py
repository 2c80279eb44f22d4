"""A model for agents' clients that does what a script says: on loopback, in the forms of three vendors.

It tells two conversations apart: the main one, and that of a subagent, whose task holds the word :data:`SUBTASK`.
"""

from __future__ import annotations

import http.server
import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

SUBTASK = "SUBTASK"

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A tool that the model calls."""

    tool: str
    arguments: Json = field(default_factory=dict)
    namespace: str = ""


Step = Call | str
"""What the model does when it is asked: call a tool, or say a text, which ends its turn."""


class Script:
    """What each conversation does: its steps one after the other, and then the last one for ever."""

    def __init__(self, main: Sequence[Step], sub: Sequence[Step] = ()) -> None:
        self._steps = {False: main, True: sub}
        self._done = {False: 0, True: 0}
        self._turn = threading.Lock()

    def next(self, *, is_sub: bool) -> Step:
        """The next step of a conversation."""
        with self._turn:
            place = min(self._done[is_sub], len(self._steps[is_sub]) - 1)
            self._done[is_sub] += 1
            return self._steps[is_sub][place]

    def restart(self) -> None:
        """Begin anew with the first steps."""
        with self._turn:
            self._done = {False: 0, True: 0}


@contextmanager
def serving(script: Script) -> Iterator[str]:
    """The address of a model that follows ``script``."""
    numbers = itertools.count(1)

    class Answering(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            pass

        def do_GET(self) -> None:
            self._answer(b"{}", "application/json")

        def do_HEAD(self) -> None:
            self._answer(b"", "application/json")

        def do_POST(self) -> None:
            asked = json.loads(self._body() or b"{}")
            if "/messages" in self.path and "count_tokens" not in self.path:
                text = _messages(asked, script, next(numbers))
            elif "/responses" in self.path:
                text = _responses(asked, script, next(numbers))
            elif "enerateContent" in self.path:
                text = _generated(asked, script, is_stream="stream" in self.path)
            else:
                text = "{}"
            is_stream = text.startswith(("event:", "data:"))
            self._answer(text.encode(), "text/event-stream" if is_stream else "application/json")

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            body = b""
            while length := int(self.rfile.readline(), 16):
                body += self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def _events(events: Sequence[Json]) -> str:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


def _messages(asked: Json, script: Script, number: int) -> str:
    """Anthropic's Messages API."""
    # A request without tools is the client's own: a title for the session, whether it is there.
    step = script.next(is_sub=SUBTASK in json.dumps(asked["messages"][0])) if asked.get("tools") else "ok"
    message: Json = {
        "id": f"msg_{number}", "type": "message", "role": "assistant", "model": asked["model"], "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip
    if isinstance(step, str):
        block: Json = {"type": "text", "text": step}
        empty, delta = block | {"text": ""}, {"type": "text_delta", "text": step}
    else:
        block = {"type": "tool_use", "id": f"toolu_{number}", "name": step.tool, "input": step.arguments}
        empty, delta = block | {"input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(step.arguments)}
    reason = "end_turn" if isinstance(step, str) else "tool_use"
    if not asked.get("stream"):
        return json.dumps(message | {"content": [block], "stop_reason": reason})
    return _events(
        [
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": empty},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 1}},
            {"type": "message_stop"},
        ]
    )


def _responses(asked: Json, script: Script, number: int) -> str:
    """OpenAI's Responses API."""
    said = [item for item in asked["input"] if item.get("type") == "message"]
    step = script.next(is_sub=SUBTASK in json.dumps(said))
    if isinstance(step, str):
        content = [{"type": "output_text", "text": step, "annotations": []}]
        item: Json = {"type": "message", "id": f"m{number}", "role": "assistant", "content": content}
    else:
        item = {
            "type": "function_call", "id": f"f{number}", "call_id": f"call_{number}", "name": step.tool,
            "arguments": json.dumps(step.arguments),
        }  # fmt: skip
        item |= {"namespace": step.namespace} if step.namespace else {}
    used = {"input_tokens": 1, "input_tokens_details": None, "output_tokens": 1, "output_tokens_details": None}
    return _events(
        [
            {"type": "response.created", "response": {"id": f"r{number}"}},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": {"id": f"r{number}", "usage": used | {"total_tokens": 2}}},
        ]
    )


def _generated(asked: Json, script: Script, *, is_stream: bool) -> str:
    """Gemini's generateContent."""
    # A request without tools is the client's own: which model is to be asked.
    own = json.dumps({"model_choice": "flash", "reasoning": "", "complexity_score": 1, "complexity_reasoning": ""})
    step = script.next(is_sub=False) if asked.get("tools") else own
    part = {"text": step} if isinstance(step, str) else {"functionCall": {"name": step.tool, "args": step.arguments}}
    answer = {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
    }
    return f"data: {json.dumps(answer)}\r\n\r\n" if is_stream else json.dumps(answer)
