"""What is answered in both eras: tools, resources, prompts. Only the translation; what is said is the service's.

The list of tools needs no service, so that a client has it before one is made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitchat.server.protocol import INVALID_PARAMS, Handler, Json, Refused, Request, malformed, uri_of

if TYPE_CHECKING:
    from gitchat.server.service import Service


class Answers:
    """Answers the requests that a client asks for tools, resources and prompts with."""

    def __init__(
        self,
        tools: list[Json],
        service: Callable[[], Service],
        *,
        send: Callable[[Json], None],
        client_name: Callable[[Request], str],
        before_call: Callable[[], None],
    ) -> None:
        """``tools`` is what is listed, ``service`` gives what knows the rest; ``before_call`` is done before each
        call of a tool, ``send`` takes what is told of its progress, and ``client_name`` is what its client says it is.
        """
        self._tools = tools
        self._service = service
        self._send = send
        self._client_name = client_name
        self._before_call = before_call

    def handlers(self) -> dict[str, Handler]:
        """Who answers, by method."""
        return {
            "tools/list": self._list_tools,
            "tools/call": self._call_tool,
            "resources/list": self._list_resources,
            "resources/templates/list": self._list_templates,
            "resources/read": self._read_resource,
            "prompts/list": self._list_prompts,
            "prompts/get": self._get_prompt,
        }

    # --- tools -----------------------------------------------------------------

    async def _list_tools(self, request: Request) -> Json:
        return {"tools": self._tools}

    async def _call_tool(self, request: Request) -> Json:
        name, arguments = request.params.get("name"), request.params.get("arguments", {})
        if not isinstance(name, str) or not isinstance(arguments, (dict, type(None))):
            raise malformed()
        service = self._service()
        if not service.knows(name):
            raise Refused(INVALID_PARAMS, f"unknown tool: {name[:80]!r}")
        self._before_call()
        caller = service.caller(self._client_name(request), request.params.get("_meta"))
        meta = request.params.get("_meta")
        answer = await service.call(name, arguments, self._progress_of(request), caller, meta)
        content = [{"type": "text", "text": text} for text in (answer.text, answer.told) if text is not None]
        result: Json = {"content": content, "isError": answer.is_error}
        return result | ({"structuredContent": answer.structured} if answer.structured is not None else {})

    def _progress_of(self, request: Request) -> Callable[[float, float, str], Awaitable[None]]:
        meta = request.params.get("_meta")
        token = meta.get("progressToken") if isinstance(meta, dict) else None

        async def tell(done: float, total: float, message: str) -> None:
            if token is not None:
                said = {"progressToken": token, "progress": done, "total": total, "message": message}
                self._send({"method": "notifications/progress", "params": said})

        return tell

    # --- resources and prompts -------------------------------------------------

    async def _list_resources(self, request: Request) -> Json:
        return {"resources": self._service().resources()}

    async def _list_templates(self, request: Request) -> Json:
        return {"resourceTemplates": self._service().templates()}

    async def _read_resource(self, request: Request) -> Json:
        uri = uri_of(request)
        with _refusing():
            text = await self._service().read(uri)
        return {"contents": [{"uri": uri, "mimeType": "application/json", "text": text}]}

    async def _list_prompts(self, request: Request) -> Json:
        return {"prompts": self._service().prompts()}

    async def _get_prompt(self, request: Request) -> Json:
        name, arguments = request.params.get("name"), request.params.get("arguments") or {}
        is_given = isinstance(arguments, dict) and all(isinstance(value, str) for value in arguments.values())
        if not isinstance(name, str) or not is_given:
            raise malformed()
        with _refusing():
            text = self._service().prompt(name, arguments)
        return {"messages": [{"role": "user", "content": {"type": "text", "text": text}}]}


@contextmanager
def _refusing() -> Iterator[None]:
    """Errors of the rooms as errors of the protocol."""
    from gitchat.model.errors import ChatError
    from gitchat.model.escape import tame_line

    try:
        yield
    except ChatError as error:
        raise Refused(INVALID_PARAMS, tame_line(f"{error} ({error.hint})")) from error
