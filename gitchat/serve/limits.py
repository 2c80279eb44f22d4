"""How much of a request is taken, and how long it may take to come."""

from __future__ import annotations

import asyncio
import time

from starlette.types import Message, Receive

from gitchat.model.errors import UserError

REQUEST_SECONDS = 30.0
"""How long a request may take to arrive."""
_SPARED_BYTES = 16 * 1024 * 1024
_SPARED_SECONDS = 2.0
"""How much more is taken and thrown away, so that who sends too much can read the answer, and sees no cut line."""


class Body:
    """The body of one request, as it comes."""

    def __init__(self, receive: Receive, most_bytes: int | None, seconds: float = REQUEST_SECONDS) -> None:
        """``most_bytes`` is how long it may be; None is as long as it likes, in time and bytes."""
        self._receive = receive
        self._most = most_bytes
        self._end = time.monotonic() + seconds
        self._count = 0
        self.is_whole = False
        """Whether all of it has come."""

    def refuse_announced(self, length: str | None) -> None:
        """Raise UserError ``body-too-long`` where the header ``Content-Length`` says so already."""
        if self._most is not None and length is not None and length.isdigit() and int(length[:20]) > self._most:
            raise self._too_long()

    async def receive(self) -> Message:
        """ASGI's ``receive``.

        Raises:
            UserError: ``body-too-long``, ``slow-request``.
        """
        if self.is_whole or self._most is None:
            message = await self._receive()
            self.is_whole = self.is_whole or not message.get("more_body", False)
            return message
        try:
            async with asyncio.timeout(max(0.0, self._end - time.monotonic())):
                message = await self._receive()
        except TimeoutError:
            raise UserError(
                f"the request did not come within {REQUEST_SECONDS:.0f} seconds",
                hint="send it again, all of it at once",
                code="slow-request",
            ) from None
        self._count += len(message.get("body", b""))
        self.is_whole = not message.get("more_body", False)
        if self._count > self._most:
            raise self._too_long()
        return message

    async def drain(self) -> None:
        """Take a part of what still comes, and throw it away."""
        left, end = _SPARED_BYTES, time.monotonic() + _SPARED_SECONDS
        while not self.is_whole and left > 0 and (seconds := end - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(seconds):
                    message = await self._receive()
            except TimeoutError:
                return
            left -= len(message.get("body", b""))
            self.is_whole = not message.get("more_body", False)

    def _too_long(self) -> UserError:
        return UserError(
            f"the body of a request has at most {self._most or 0:,} bytes",
            hint="send less at once; a long text belongs into a file of the repository",
            code="body-too-long",
        )
