"""Under which name, and in which rooms, a request may act. Pure; every path asks here."""

from __future__ import annotations

from gitchat.model.errors import UserError
from gitchat.model.names import Name, RoomName
from gitchat.serve.actor import Actor


def refuse_guest(actor: Actor) -> None:
    """Raise UserError ``guest`` for who only reads."""
    if actor.is_guest:
        raise UserError(
            "guests only read",
            hint="ask who runs the server for a token of your own: git chat token add NAME",
            code="guest",
        )


def as_name(actor: Actor, given: Name | None) -> Name:
    """The name that ``actor`` acts under when a request names ``given``, or none.

    Whether somebody else lives under it is the holdings' and the core's to say.

    Raises:
        UserError: ``guest``; ``not-your-name`` for another name than its own; ``no-name`` where it has none and the
            request names none.
    """
    refuse_guest(actor)
    if given is not None and actor.name not in (None, given):
        raise UserError(
            f"these credentials are for '{actor.name}', and not for '{given}'",
            hint=f"act as {actor.name}, or ask for a token of that name: git chat token add {given}",
            code="not-your-name",
        )
    name = given or actor.name
    if name is None:
        raise UserError("nobody is named who does it", hint="name yourself in the request", code="no-name")
    return name


def refuse_unseen(actor: Actor, room: RoomName) -> None:
    """Raise UserError ``no-such-room`` for a room that ``actor`` may not know of."""
    if not actor.sees(room):
        raise UserError(
            f"there is no room '{room}' here", hint="see which there are: GET /api/v1/rooms", code="no-such-room"
        )


class RateLimited(UserError):
    """Too many requests; in ``retry_seconds``, a whole number, there may be one more."""

    def __init__(self, who: str, retry_seconds: int) -> None:
        super().__init__(
            f"{who} asks too often",
            hint=f"wait {retry_seconds} s; wait for news on a stream rather than asking again and again",
            code="rate-limited",
        )
        self.retry_seconds = retry_seconds
