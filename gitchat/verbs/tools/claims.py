"""Taking files, tasks and things for a while, and who has what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gitchat.model.claim import MAX_SECONDS, MIN_SECONDS, parse_what
from gitchat.model.errors import ConflictError, UserError
from gitchat.verbs import as_json
from gitchat.verbs.claimwords import HeldByOther, clock, listed
from gitchat.verbs.room import Room
from gitchat.verbs.tools.arguments import checked, refusal, refuse_outside, separated
from gitchat.verbs.tools.calling import MAX_LIMIT, Json, acting, looking

_HINTS = {
    "no-claim": "claim without what tells who has what",
    "too-broad": "claim less, or minutes=15",
}
"""What to do about a refusal, in the words of the tool, where the command line's name its options."""


@checked
def claim(
    name: str | None = None,
    what: str | list[str] = "",
    content: str = "",
    minutes: int = 120,
    wait: bool = False,
    release: bool = False,
    room: str = "",
) -> Json:
    """Take all of ``what`` for so many ``minutes``, or nothing; without ``what`` and the rest, who has what.

    ``what`` is paths and patterns from the top of the repository, ``task:...``, and any other ``thing:...``, with
    commas or in a list. ``content`` says what is done there. With ``wait`` one stands in line where somebody has
    something of it. ``release`` gives back what one has of it, by default all.

    One key: ``claimed``, a claim; ``released``, those that ended; or ``claims``, first come first, at most 100, and
    ``more`` where there are more. A claim has ``id`` (and a ``handle``), ``from``, ``clone``, ``what``, ``until``,
    ``note`` and ``state``: ``holds``, ``waits`` or ``unagreed``; one that waits also ``waits_for``, a handle,
    ``waits_for_id`` and ``waits_for_name``.

    Raises:
        UserError: ``not-a-pattern``, ``bad-claim``, ``too-broad``, ``no-claim``, ``room-closed``.
        ConflictError: ``claimed``: somebody has something of it, and nothing was written.
    """
    refuse_outside(minutes, "minutes", MIN_SECONDS // 60, MAX_SECONDS // 60, "claim it again before it ends")
    whats = separated(what, "what", "src/lexer/, task:12")
    if release:
        chat = acting(name, room)
        with _hinting(chat, whats):
            return {"released": [as_json.of_ended(one) for one in chat.release(whats)]}
    if not whats:
        if content or wait:
            raise refusal("what must not be blank", "say what to claim, such as src/lexer/ or task:12")
        found = looking(room).claims()
        more = len(found) - MAX_LIMIT
        return {"claims": list(map(as_json.of_claim, found[:MAX_LIMIT]))} | ({"more": more} if more > 0 else {})
    chat = acting(name, room)
    with _hinting(chat, whats):
        claimed = chat.claim(whats, content, seconds=minutes * 60, wait=wait)
    return {"claimed": as_json.of_claim(claimed.standing)}


@contextmanager
def _hinting(chat: Room, whats: Sequence[str]) -> Iterator[None]:
    """Say a refusal in the words of the tool: nothing in it is what somebody else wrote."""
    try:
        yield
    except HeldByOther as error:
        blocker, wanted = error.blocker, [parse_what(text) for text in whats]
        name, label = blocker.seat.name, blocker.entry.label
        of = [what for what in wanted if blocker.meets([what])] or wanted
        raise ConflictError(
            f"{name} has {listed(of)} until {clock(blocker.until, chat.environment.now())} ({label})",
            hint=f"ask {name} in a message, or stand in line: wait=true",
            code=error.code,
        ) from None
    except UserError as error:
        if (hint := _HINTS.get(error.code)) is None:
            raise
        raise UserError(str(error), hint=hint, code=error.code) from None
