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

GRACE_LOOKS = 3
"""After how many looks more what was not ended by then is cut: who was told has that long to answer."""

_KEPT = ("token:", "page:")
"""How the keys of actors begin whose credentials are in a file."""

End = Callable[[], object]


class Revoking:
    """The calls, streams and other requests of a repository, by the key of whose they are."""

    def __init__(self) -> None:
        self._calls: dict[str, set[End]] = {}
        self._requests: dict[str, set[End]] = {}
        self._over: dict[str, int] = {}
        """Whose credentials hold no more, and at how many looks they did not."""

    def is_over(self, key: str) -> bool:
        """Whether the credentials of an actor hold no more."""
        return key in self._over

    def admit(self, key: str) -> None:
        """These credentials held just now."""
        self._over.pop(key, None)

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
        """End what is open for whom ``living`` does not name: calls now, and some looks later what is left."""
        for key in {*self._calls, *self._requests}:
            if not key.startswith(_KEPT) or key in living:
                continue
            self._over[key] = self._over.get(key, 0) + 1
            ends = set(self._calls.get(key, ()))
            if self._over[key] > GRACE_LOOKS:
                ends |= self._requests.get(key, set())
            for end in ends:
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
