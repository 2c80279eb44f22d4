"""How much a sync puts on the wire, and what the answers of hosts mean."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest

from gitchat.clones.answer import Pushed
from gitchat.model.names import Oid, RefName
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


@pytest.mark.parametrize(
    ("words", "is_late", "is_unwanted"),
    [
        ("[rejected] (stale info)", True, False),
        ("[remote rejected] (failed to update ref); error: cannot lock ref", True, False),
        ("[rejected] (stale info); error: hook declined to update refs/chatroom/rooms/other/log", True, False),
        ("[remote rejected] (hook declined); such a room already exists", False, True),
        ("[remote rejected] (pre-receive hook declined); GitLab: no", False, True),
        (
            "[remote rejected] (protected branch hook declined); error: GH006: Protected branch update failed",
            False,
            True,
        ),
        ("[remote rejected] (push declined due to repository rule violations); error: GH013: see", False, True),
        ("[remote rejected] (deny updating a hidden ref)", False, True),
        ("[remote rejected] (funny refname); error: refusing to create funny ref 'x' remotely", False, True),
        ("[remote rejected] (prohibited by Gerrit: not permitted: create)", False, True),
        ("[remote rejected] (unpacker error); fatal: write error: No space left on device", False, False),
        ("no answer", False, False),
    ],
)
def test_words_tell_what_is_late_and_what_is_unwanted(words: str, is_late: bool, is_unwanted: bool) -> None:
    """Git's reason counts before what a server says beside it, which may be about another ref; taken is neither."""
    answer = Pushed(RefName(LOG), Oid("0" * 40), False, words)
    assert (answer.is_late, answer.is_unwanted) == (is_late, is_unwanted)
    taken = Pushed(RefName(LOG), Oid("0" * 40), True, words)
    assert (taken.is_late, taken.is_unwanted) == (False, False)
