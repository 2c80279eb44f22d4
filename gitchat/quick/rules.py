"""What every record must fulfil that is sent: one list, which the quick way and the long way both read.

A rule is a function of a :class:`Sending` that returns None, or why it is refused; it reads what is given to it and
nothing else. The long way turns a refusal into the error that the sender sees; the quick way leaves it to the long
way. So a new rule is written here once, and holds for the command, the tools, the server and the library.

Pure.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BODY_BYTES = 1024 * 1024
"""The largest body that any setting can allow."""

META = "meta"


class Sending:
    """A record that somebody wants to add, as far as rules ask."""

    __slots__ = ("body", "is_closed", "kind", "max_body_bytes", "media", "room", "sender", "to", "type")

    def __init__(
        self,
        room: str,
        sender: str,
        kind: str,
        body: bytes,
        *,
        to: "tuple[str, ...]",
        type_: "str | None",
        media: "str | None",
        max_body_bytes: int,
    ) -> None:
        self.room = room
        self.sender = sender
        self.kind = kind
        self.body = body
        self.to = to
        self.type = type_
        self.media = media
        self.max_body_bytes = max_body_bytes
        self.is_closed = False
        """Whether the room is, at the place where the record shall stand: for the rules at the end of a log."""


class Refusal:
    """Why something is not sent, in the parts of an error: its class among gitchat.model.errors, words, hint, code."""

    __slots__ = ("code", "hint", "kind", "words")

    def __init__(self, words: str, *, hint: str, code: str, kind: str = "user") -> None:
        self.kind = kind
        self.words = words
        self.hint = hint
        self.code = code


def _fits(sending: Sending) -> "Refusal | None":
    size = len(sending.body)
    if size <= sending.max_body_bytes:
        return None
    return Refusal(
        f"the message has {size:,} bytes; the limit is {sending.max_body_bytes:,}",
        hint=(
            f"raise the limit: git config chat.maxBody {-(-size // 1024)}k"
            if size <= MAX_BODY_BYTES
            else "commit it as a file and send its path; no limit goes above 1 MiB"
        ),
        code="body-too-long",
    )


def _can_be_stored(sending: Sending) -> "Refusal | None":
    if b"\0" not in sending.body:
        return None
    return Refusal(
        "the message holds a NUL character, which git cannot store in a commit",
        hint="remove it, or encode binary data (base64)",
        code="nul-in-body",
    )


def _says_something(sending: Sending) -> "Refusal | None":
    if sending.body.decode("utf-8", "replace").strip():
        return None
    return Refusal("the message must not be blank", hint='write something: git chat send "hello"', code="blank-body")


def _is_open(sending: Sending) -> "Refusal | None":
    if not sending.is_closed or sending.kind == META:
        return None
    return Refusal(
        f"room '{sending.room}' is closed",
        hint=f"open it again: git chat room open {sending.room}",
        code="room-closed",
    )


BEFORE: "list[Callable[[Sending], Refusal | None]]" = [_says_something, _can_be_stored, _fits]
"""What is judged before anything waits for a lock."""

AT_END: "list[Callable[[Sending], Refusal | None]]" = [_is_open]
"""What is judged with the write lock held, of the room as it is there."""


def refusal_before(sending: Sending) -> "Refusal | None":
    """Why it is not sent, whatever the room holds; None when nothing speaks against it."""
    return next((refusal for rule in BEFORE if (refusal := rule(sending)) is not None), None)


def refusal_at_end(sending: Sending) -> "Refusal | None":
    """Why it is not added where the log ends now; None when nothing speaks against it."""
    return next((refusal for rule in AT_END if (refusal := rule(sending)) is not None), None)
