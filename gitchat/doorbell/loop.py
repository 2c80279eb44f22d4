"""An event loop that keeps no process from ending."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from typing import Any


class Loop(asyncio.SelectorEventLoop):
    """A loop in which a name is looked up by a thread that nobody waits for.

    The threads of asyncio's own are waited for at the end of Python, however long a dead name server is asked.
    """

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        found: Future[Any] = Future()

        def look() -> None:
            try:
                found.set_result(socket.getaddrinfo(host, port, **options))
            except BaseException as error:
                found.set_exception(error)

        threading.Thread(target=look, name="gitchat-doorbell-name", daemon=True).start()
        return await asyncio.wrap_future(found)
