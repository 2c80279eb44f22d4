"""How much a sync puts on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest

from tests.clones.conftest import LOG, Hub, smart_http

MOST_BYTES = 10_000


def fill(hub: Hub, count: int) -> None:
    """Give the hub a log of so many messages, with clocks that jump by a day."""

    genesis = "gitchat room lobby\n\nChat-Kind: genesis\nChat-Format: 1\nChat-Room: lobby\n"
    messages = (f"message {number}\n\nChat-Kind: message\nChat-Uid: {number:016d}\n" for number in range(count))

    def commits() -> Iterator[str]:
        for number, text in enumerate(chain([genesis], messages)):
            date = 1_700_000_000 + number + 86_400 * (number % 2)
            yield f"commit {LOG}\nauthor bob <bob@example.com> {date} +0000\n"
            yield f"committer Bob <bob@example.com> {1_700_086_400 + number} +0000\ndata {len(text)}\n{text}\n"

    hub.git("fast-import", "--quiet", stdin="".join(commits()).encode())


@pytest.mark.parametrize(
    "count", [300, pytest.param(5_000, marks=pytest.mark.slow), pytest.param(100_000, marks=pytest.mark.soak)]
)
def test_push_of_one_message_is_small_whatever_the_history(hub: Hub, count: int) -> None:
    """One new record costs less than 10 KB on the wire, and not more in a long log."""
    fill(hub, count)
    with smart_http(hub) as url:
        ann = hub.clone("ann", url)
        ann.sync()
        before = hub.received_bytes
        ann.say("one more")
        assert ann.sync().stdout == "lobby: 0 fetched, 1 pushed\n"
        assert 0 < hub.received_bytes - before < MOST_BYTES
        assert ann.numbered()[-1] == (count + 1, "one more")
