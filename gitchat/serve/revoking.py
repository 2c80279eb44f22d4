"""What is open for credentials, and ends when these do: who was let in once is not let in for ever.

Calls that wait are told so first, since they have something to answer with. What is still open a moment later, a
stream, a WebSocket, is cut. For the thread of the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from gitchat.model.errors import ChatError
from gitchat.serve.tokens import Tokens

LOOK_SECONDS = 1.0
"""How often it is looked whether credentials were taken back, or their time is over."""

_KEPT = ("token:", "page:")
"""How the keys of actors begin whose credentials are in a file."""

End = Callable[[], object]


class Revoking:
    """The calls, streams and other requests of a repository, by the key of whose they are."""

    def __init__(self) -> None:
        self._calls: dict[str, set[End]] = {}
        self._requests: dict[str, set[End]] = {}
        self._over: set[str] = set()

    def is_over(self, key: str) -> bool:
        """Whether the credentials of an actor hold no more."""
        return key in self._over

    def admit(self, key: str) -> None:
        """These credentials held just now."""
        self._over.discard(key)

    def call(self, key: str, end: End) -> AbstractContextManager[None]:
        """A call waits meanwhile; it asks :meth:`is_over` when it is ended."""
        return _among(self._calls, key, end)

    def request(self, key: str, end: End) -> AbstractContextManager[None]:
        """A request is answered meanwhile."""
        return _among(self._requests, key, end)

    async def watch(self, tokens: Tokens, now: Callable[[], int]) -> None:
        """End what is open for credentials that are gone; until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(ChatError):  # a damaged file lets nobody in; who is in stays
                self.look(tokens.keys(now()))

    def look(self, living: Collection[str]) -> None:
        """End what is open for whom ``living`` does not name: calls now, and what is left of them at the next look."""
        gone = {key for key in (*self._calls, *self._requests) if key.startswith(_KEPT) and key not in living}
        for ends in (self._requests.get(key, ()) for key in gone & self._over):
            for end in list(ends):
                end()
        self._over |= gone
        for ends in (self._calls.get(key, ()) for key in gone):
            for end in list(ends):
                end()


@contextmanager
def _among(open_: dict[str, set[End]], key: str, end: End) -> Iterator[None]:
    ends = open_.setdefault(key, set())
    ends.add(end)
    try:
        yield
    finally:
        ends.discard(end)
        if not ends and open_.get(key) is ends:
            del open_[key]
