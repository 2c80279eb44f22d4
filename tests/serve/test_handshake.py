"""Sessions of ours beside the SDK's own over HTTP: what is said on the wire is the same, and what it costs is not."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import mcp.types as t
import pytest
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Receive, Scope, Send

from gitchat.serve import oncall
from gitchat.serve.handshake import OWNER, Handshake
from gitchat.serve.oncall import OnCall

BOTH = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
CLIENT = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "hand", "version": "1"}}
LIMIT_SECONDS = 30
"""How long a test may take, on whatever machine."""

Json = dict[str, Any]
Context = ServerRequestContext[Any, Any]


class Tools:
    """A server of the SDK's with a few tools, and what they note."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        """Set when a call waits."""
        self.go_on = asyncio.Event()
        self.done: list[str] = []
        self.server: Server[Any] = Server("tools", on_list_tools=self._list, on_call_tool=self._call)

    async def _list(self, context: Context, params: Any) -> t.ListToolsResult:
        return t.ListToolsResult(tools=[t.Tool(name="echo", input_schema={"type": "object"})])

    async def _call(self, context: Context, params: t.CallToolRequestParams) -> t.CallToolResult:
        match params.name:
            case "wait":
                self.waiting.set()
                try:
                    await self.go_on.wait()
                finally:
                    self.done.append("waited" if self.go_on.is_set() else "ended")
            case "steps":
                for step in (1, 2):
                    await context.session.report_progress(step, 2, "on the way")
            case "fail":
                raise RuntimeError("the password is hunter2")
        return t.CallToolResult(content=[t.TextContent(text=f"{params.name} grüßt\n")])


class At:
    """A client of one of both."""

    def __init__(self, http: httpx2.AsyncClient, tools: Tools) -> None:
        self.http = http
        self.tools = tools
        self.session: dict[str, str] = {}

    async def begin(self) -> httpx2.Response:
        """Shake hands."""
        begun = await self.ask("initialize", CLIENT)
        self.session = {"Mcp-Session-Id": begun.headers["mcp-session-id"], "Mcp-Protocol-Version": "2025-11-25"}
        await self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return begun

    async def ask(self, method: str, params: Json | None = None, number: Any = 1) -> httpx2.Response:
        """The answer to a request."""
        asked = {"jsonrpc": "2.0", "id": number, "method": method}
        return await self.post(asked | ({"params": params} if params is not None else {}))

    async def call(self, tool: str, number: Any = 1, **meta: Any) -> httpx2.Response:
        """The answer to the call of a tool."""
        return await self.ask("tools/call", {"name": tool, "arguments": {}} | ({"_meta": meta} if meta else {}), number)

    async def post(self, body: Any, **headers: str) -> httpx2.Response:
        """The answer to what is posted."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.post("/mcp", content=content, headers=BOTH | self.session | headers)


@asynccontextmanager
async def ours(tools: Tools, **options: Any) -> AsyncIterator[At]:
    """A client of sessions of ours."""
    handshake = Handshake(tools.server, os.urandom, **{"idle_seconds": 1800} | options)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        owner = dict(scope["headers"]).get(b"authorization", b"local").decode()
        await handshake.answer({**scope, OWNER: owner}, receive, send)

    async with _client(app) as http:
        yield At(http, tools)
    await handshake.close()


@asynccontextmanager
async def theirs(tools: Tools) -> AsyncIterator[At]:
    """A client of the SDK's."""
    manager = StreamableHTTPSessionManager(tools.server)
    async with manager.run(), _client(manager.handle_request) as http:
        yield At(http, tools)


def _client(app: Any) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1:8080")


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test's coroutine, with a limit."""

    async def limited() -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            await test()

    asyncio.run(limited())


def said(answer: httpx2.Response) -> Any:
    """What is compared of an answer: of a stream the messages, of anything else what it holds."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    body: Any = answer.text
    if kind == "text/event-stream":
        body = [json.loads(line.removeprefix("data: ")) for line in body.splitlines() if line.startswith("data: ")]
    elif kind == "application/json" and body:
        body = json.loads(body)
        if "error" in body:  # the words of a validation differ by the version of the library
            body["error"]["message"] = re.sub(r"(Validation|Parse) error.*", r"\1 error", body["error"]["message"])
    return answer.status_code, kind, answer.headers.get("allow"), "mcp-session-id" in answer.headers, body


ASKED: dict[str, Callable[[At], Awaitable[httpx2.Response]]] = {
    "the handshake": lambda at: at.post({"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": CLIENT}),
    "a ping": lambda at: at.ask("ping"),
    "a list": lambda at: at.ask("tools/list"),
    "a call": lambda at: at.call("echo", "seven"),
    "progress that was asked for": lambda at: at.call("steps", progressToken="p"),
    "progress that was not": lambda at: at.call("steps"),
    "a method that is none": lambda at: at.ask("tools/destroy"),
    "a call without a name": lambda at: at.ask("tools/call", {}),
    "a notification": lambda at: at.post({"jsonrpc": "2.0", "method": "notifications/initialized"}),
    "a notification that is none": lambda at: at.post({"jsonrpc": "2.0", "method": "notifications/nothing"}),
    "an answer": lambda at: at.post({"jsonrpc": "2.0", "id": 5, "result": {}}),
    "what is no JSON": lambda at: at.post(b"{"),
    "what is no message": lambda at: at.post({"hello": "there"}),
    "several at once": lambda at: at.post([{"jsonrpc": "2.0", "id": 1, "method": "ping"}]),
    "no kind that we answer in": lambda at: at.post({}, Accept="text/html"),
    "one kind of both": lambda at: at.post({}, Accept="application/json"),
    "any kind": lambda at: at.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, Accept="*/*"),
    "another kind of body": lambda at: at.post({}, **{"Content-Type": "text/plain"}),
    "a session that is none": lambda at: at.post({}, **{"Mcp-Session-Id": "made-up"}),
    "a stream of a session that is none": lambda at: at.http.get("/mcp", headers={"Mcp-Session-Id": "made-up"}),
    "a stream without its kind": lambda at: at.http.get("/mcp", headers=at.session | {"Accept": "text/html"}),
    "another method": lambda at: at.http.put("/mcp", headers=at.session),
    "the end": lambda at: at.http.delete("/mcp", headers=at.session),
}


@pytest.mark.parametrize("what", ASKED)
def test_a_session_answers_as_the_sdks(what: str) -> None:
    """Statuses, headers, messages and errors."""

    async def test() -> None:
        answers = []
        for kind in (ours, theirs):
            async with kind(Tools()) as at:
                begun = said(await at.begin())
                answers.append((begun, said(await ASKED[what](at)), said(await at.ask("ping", number=9))))
        assert answers[0] == answers[1]

    run(test)


WITHOUT: dict[str, Callable[[At], Awaitable[httpx2.Response]]] = {
    "a call": lambda at: at.call("echo"),
    "a handshake without its parameters": lambda at: at.ask("initialize", {}),
    "what is no JSON": lambda at: at.post(b"{"),
    "a stream": lambda at: at.http.get("/mcp", headers={"Accept": "text/event-stream"}),
    "the end": lambda at: at.http.delete("/mcp"),
}


@pytest.mark.parametrize("what", WITHOUT)
def test_what_is_asked_without_a_session_is_refused_and_begins_none(what: str) -> None:
    """As the SDK refuses it; its refusals name a session that is over already, and ours name none."""

    async def test() -> None:
        answers = []
        for kind in (ours, theirs):
            async with kind(Tools()) as at:
                answer = await WITHOUT[what](at)
                status, content, allow, _, body = said(answer)
                answers.append((status, content, allow, body))
                if kind is ours and "mcp-session-id" in answer.headers:
                    at.session = {"Mcp-Session-Id": answer.headers["mcp-session-id"]}
                    assert (await at.ask("ping")).status_code == 404
        assert answers[0] == answers[1]

    run(test)


@pytest.mark.parametrize("number", [7, "7"])
def test_a_call_that_is_called_off_ends_and_the_session_goes_on(number: Any) -> None:
    """The answer says so, as the SDK's, whichever way the number is spelled."""

    async def test() -> None:
        answers = []
        for kind in (ours, theirs):
            tools = Tools()
            async with kind(tools) as at:
                await at.begin()
                call = asyncio.create_task(at.call("wait", number))
                await tools.waiting.wait()
                beside = said(await at.call("echo", 8))  # a call keeps no other waiting
                off = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
                told = said(await at.post(off))
                answers.append((beside, told, said(await call), tools.done, said(await at.ask("ping"))))
        assert answers[0] == answers[1]
        assert answers[0][3] == ["ended"]

    run(test)


def test_the_end_of_a_session_ends_what_it_asked() -> None:
    """Who waits is told; the session is none any more, and another one is not touched."""

    async def test() -> None:
        tools = Tools()
        async with ours(tools) as at:
            await at.begin()
            call = asyncio.create_task(at.call("wait"))
            listening = asyncio.create_task(at.http.get("/mcp", headers=at.session | {"Accept": "text/event-stream"}))
            await tools.waiting.wait()
            other = At(at.http, tools)
            await other.begin()
            assert (await at.http.delete("/mcp", headers=at.session)).status_code == 200
            assert said(await call)[4][0]["error"]["code"] == t.CONNECTION_CLOSED
            assert (await listening).status_code == 200
            assert (await at.ask("ping")).status_code == 404
            assert (await other.ask("ping")).status_code == 200

    run(test)


def test_a_session_is_its_owners() -> None:
    """Who comes with other credentials finds none, to ask, to listen or to end."""

    async def test() -> None:
        async with ours(Tools()) as at:
            await at.begin()
            stranger = at.session | {"Authorization": "other"}
            assert (await at.post({}, Authorization="other")).status_code == 404
            assert (await at.http.get("/mcp", headers=stranger)).status_code == 404
            assert (await at.http.delete("/mcp", headers=stranger)).status_code == 404
            assert (await at.ask("ping")).status_code == 200

    run(test)


def test_a_defect_tells_a_stranger_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """All of it goes to who runs the server."""

    async def test() -> None:
        async with ours(Tools()) as at:
            await at.begin()
            answer = await at.call("fail")
            assert said(answer)[4][0]["error"] == {"code": t.INTERNAL_ERROR, "message": "Internal server error"}
            assert "hunter2" in caplog.text

    run(test)


def test_who_waits_hears_that_we_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment now and then, and none after the answer."""
    monkeypatch.setattr(oncall, "COMMENT_SECONDS", 0.02)

    async def test() -> None:
        tools = Tools()
        sent: list[str] = []
        heard = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            async def counted(message: Any) -> None:
                await send(message)
                sent.append(message.get("body", b"").decode())
                if sent.count(oncall.COMMENT.decode()) == 2:
                    heard.set()

            await handshake.answer({**scope, OWNER: "local"}, receive, counted)

        handshake = Handshake(tools.server, os.urandom, idle_seconds=1800)
        async with _client(app) as http:
            at = At(http, tools)
            await at.begin()
            sent.clear()
            call = asyncio.create_task(at.call("wait"))
            await heard.wait()
            tools.go_on.set()
            answer = await call
        assert said(answer)[4][0]["result"]["content"][0]["text"] == "wait grüßt\n"
        assert sent[-1].startswith("event: message")

    run(test)


def test_sessions_that_are_silent_end_and_too_many_are_refused() -> None:
    """Not one that waits, or listens."""

    async def test() -> None:
        tools = Tools()
        handshake = Handshake(tools.server, os.urandom, idle_seconds=0, most=3)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await handshake.answer({**scope, OWNER: "local"}, receive, send)

        async with _client(app) as http:
            silent, waits, listens = (At(http, tools) for _ in range(3))
            for at in (silent, waits, listens):
                await at.begin()
            assert said(await At(http, tools).ask("initialize", CLIENT))[0] == 503
            call = asyncio.create_task(waits.call("wait"))
            headers = listens.session | {"Accept": "text/event-stream"}
            listening = asyncio.create_task(http.get("/mcp", headers=headers))
            await tools.waiting.wait()
            assert (await http.get("/mcp", headers=headers)).status_code == 409
            await handshake.sweep()
            assert [(await at.ask("ping")).status_code for at in (silent, waits, listens)] == [404, 200, 200]
            tools.go_on.set()
            assert said(await call)[4][0]["result"]
            await handshake.close()
            await listening

    run(test)


def test_a_session_is_no_task_and_a_call_that_waits_is_one_beside_its_request() -> None:
    """And of what was answered nothing is kept."""

    async def test() -> None:
        tools = Tools()
        async with ours(tools) as at:
            await at.begin()
            await at.call("echo")
            await asyncio.sleep(0)  # what heard the client go has ended
            before = len(asyncio.all_tasks())
            others = [At(at.http, tools) for _ in range(5)]
            for other in others:
                await other.begin()
                await other.call("echo")
            await asyncio.sleep(0)
            assert len(asyncio.all_tasks()) == before
            gc.collect()
            assert not [one for one in gc.get_objects() if type(one) is OnCall]
            call = asyncio.create_task(at.call("wait"))
            await tools.waiting.wait()
            assert len(asyncio.all_tasks()) == before + 2  # the client's own, which is the request's here, and one
            tools.go_on.set()
            await call

    run(test)
