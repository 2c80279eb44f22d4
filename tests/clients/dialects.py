"""The forms of three vendors: what a client asks a model, as texts that a test can read, and what a model answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A tool that the model calls."""

    tool: str
    arguments: Json = field(default_factory=dict)
    namespace: str = ""
    """Codex puts the tools of a server into one."""
    is_search: bool = False
    """Whether it is Codex's own search for tools, which is called in a form of its own."""
    text: str = ""
    """What a tool of Codex's gets that takes a text, and no arguments."""


Answer = Call | str
"""What the model does when it is asked: call a tool, or say a text, which ends its turn."""


@dataclass(frozen=True)
class Dialect:
    """One vendor's form of a request and its answer."""

    path: str
    """What stands in the path of its requests, and of no other's."""
    conversation: Callable[[Json], str]
    """What is one in all requests of a conversation, and another one in each other; blank where nothing tells."""
    opening: Callable[[Json], str]
    """Where a subagent's task stands in its own requests, and in none of its parent's."""
    texts: Callable[[Json], Iterator[str]]
    """What the model reads besides the client's own prompt: each text, call and result."""
    is_own: Callable[[Json], bool]
    """Whether it is the client's own question (a title for the session), which no conversation holds."""
    own_answer: str
    write: Callable[[Json, Answer, int, bool], str]
    """The body that answers a request; the number is one that no other answer has, and then whether it streams."""


def _plain(content: Any) -> str:
    """The text of ``content``, without the forms around it."""
    match content:
        case str():
            return content
        case list():
            return "\n".join(map(_plain, content))
        case {"text": str(text)}:
            return text
        case {"content": inner} | {"output": inner} | {"functionResponse": {"response": inner}}:
            return _plain(inner)
        case _:
            return json.dumps(content, ensure_ascii=False)


def _events(events: Sequence[Json]) -> str:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


# --- Anthropic's Messages API, for Claude Code -----------------------------------


def _anthropic_conversation(asked: Json) -> str:
    try:
        return str(json.loads(asked["metadata"]["user_id"])["session_id"])
    except (KeyError, ValueError, TypeError):
        return ""


def _anthropic_texts(asked: Json) -> Iterator[str]:
    for message in asked["messages"]:
        content = message["content"]
        for block in content if isinstance(content, list) else [content]:
            is_call = isinstance(block, dict) and block.get("type") == "tool_use"
            yield f"{block['name']} {json.dumps(block['input'])}" if is_call else _plain(block)


def _anthropic_answer(asked: Json, step: Answer, number: int, is_stream: bool) -> str:
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
    if not is_stream:
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


# --- OpenAI's Responses API, for Codex -------------------------------------------


def _openai_texts(asked: Json) -> Iterator[str]:
    for item in asked["input"]:
        if item.get("type") in ("message", None):
            yield from map(_plain, item["content"]) if isinstance(item["content"], list) else [item["content"]]
        elif item["type"] == "function_call":
            yield f"{item['name']} {item['arguments']}"
        elif item["type"] != "reasoning":
            yield _plain(item)


def _openai_answer(asked: Json, step: Answer, number: int, is_stream: bool) -> str:
    if isinstance(step, str):
        content = [{"type": "output_text", "text": step, "annotations": []}]
        item: Json = {"type": "message", "id": f"m{number}", "role": "assistant", "content": content}
    elif step.is_search:
        item = {
            "type": "tool_search_call", "id": f"f{number}", "call_id": f"call_{number}", "status": "completed",
            "execution": "client", "arguments": step.arguments,
        }  # fmt: skip
    elif step.text:
        item = {
            "type": "custom_tool_call", "id": f"f{number}", "call_id": f"call_{number}", "name": step.tool,
            "input": step.text,
        }  # fmt: skip
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


# --- Gemini's generateContent, for Gemini CLI ------------------------------------


def _gemini_texts(asked: Json) -> Iterator[str]:
    for content in asked["contents"]:
        yield from map(_plain, content["parts"])


def _gemini_answer(asked: Json, step: Answer, number: int, is_stream: bool) -> str:
    part = {"text": step} if isinstance(step, str) else {"functionCall": {"name": step.tool, "args": step.arguments}}
    answer = {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
    }
    return f"data: {json.dumps(answer)}\r\n\r\n" if is_stream else json.dumps(answer)


DIALECTS = (
    Dialect(
        "/messages", _anthropic_conversation, lambda asked: json.dumps(asked["messages"][0]), _anthropic_texts,
        lambda asked: not asked.get("tools"), "ok", _anthropic_answer,
    ),
    Dialect(
        "/responses", lambda asked: str(asked.get("prompt_cache_key", "")),
        lambda asked: json.dumps([item for item in asked["input"] if item.get("type") == "message"]), _openai_texts,
        lambda asked: False, "ok", _openai_answer,
    ),
    Dialect(
        "enerateContent", lambda asked: "", lambda asked: "", _gemini_texts, lambda asked: not asked.get("tools"),
        # It asks which model is to be asked.
        json.dumps({"model_choice": "flash", "reasoning": "", "complexity_score": 1, "complexity_reasoning": ""}),
        _gemini_answer,
    ),
)  # fmt: skip
