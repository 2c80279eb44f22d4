"""What every record must fulfil that is sent: one list, which the quick way and the long way both read.

A rule is a function of a :class:`Sending` that returns None, or why it is refused; it reads what is given to it and
nothing else. The long way turns a refusal into the error that the sender sees; the quick way leaves it to the long
way. So a new rule is written here once, and holds for the command, the tools, the server and the library.

What may be a secret is told here by substrings alone, for every message passes this: by what each kind of key begins
with. It passes over nothing that :mod:`gitchat.model.secrets` finds, and stops at little else, so that nobody waits for
the long way because of a ``task-12`` or a link.

Pure.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Part = tuple[str, bytes] | tuple[str, bytes, int]

MAX_BODY_BYTES = 1024 * 1024
"""The largest body that any setting can allow."""

META = "meta"


class Sending:
    """A record that somebody wants to add, as far as rules ask."""

    __slots__ = (
        *("answers", "body", "is_closed", "kind", "look", "max_body_bytes", "media", "parts", "room", "sender", "to"),
        "type",
    )

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
        parts: "tuple[Part, ...]" = (),
        look: "Callable[[bytes], tuple[str, int] | None] | None" = None,
    ) -> None:
        self.room = room
        self.sender = sender
        self.kind = kind
        self.body = body
        self.to = to
        self.type = type_
        self.media = media
        self.max_body_bytes = max_body_bytes
        self.parts = parts
        """What else is stored with it: what to call each in an error, its bytes, and in which line they begin."""
        self.look = look
        """What finds a secret in a text: what it looks like, and in which line. None where it may hold one."""
        self.is_closed = False
        """Whether the room is, at the place where the record shall stand: for the rules at the end of a log."""
        self.answers: Callable[[Sending], Refusal | None] | None = None
        """What judges it as the answer to the question that it replies to; None where it is no such answer."""


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


def secret_in(sending: Sending) -> "str | None":
    """Where it holds what looks like a secret, as the words of an error, which have nothing of it; None for nowhere."""
    if sending.look is None:
        return None
    names = " ".join((sending.room, sending.sender, sending.type or "", *sending.to))
    for what, text, *first in (
        ("", sending.body),
        *sending.parts,
        ("one of its names", names.encode("utf-8", "replace")),
    ):
        found = sending.look(text)
        if found is not None:
            where = (
                f"line {found[1] + (first[0] - 1 if first else 0)}{what and ' of '}{what}"
                if not what or b"\n" in text
                else what
            )
            return f"{where} looks like {found[0]}"
    return None


def _keeps_secrets(sending: Sending) -> "Refusal | None":
    words = secret_in(sending)
    if words is None:
        return None
    return Refusal(
        f"{words}; a message in git stays for ever", hint="leave it out, and say where it is kept", code="secret"
    )


def _answers_its_question(sending: Sending) -> "Refusal | None":
    return sending.answers(sending) if sending.answers is not None else None


def _is_open(sending: Sending) -> "Refusal | None":
    if not sending.is_closed or sending.kind == META:
        return None
    return Refusal(
        f"room '{sending.room}' is closed",
        hint=f"open it again: git chat room open {sending.room}",
        code="room-closed",
    )


BEFORE: "list[Callable[[Sending], Refusal | None]]" = [
    *(_says_something, _can_be_stored, _fits, _keeps_secrets, _answers_its_question),
]
"""What is judged before anything waits for a lock."""

AT_END: "list[Callable[[Sending], Refusal | None]]" = [_is_open]
"""What is judged with the write lock held, of the room as it is there."""


def refusal_before(sending: Sending) -> "Refusal | None":
    """Why it is not sent, whatever the room holds; None when nothing speaks against it."""
    return next((refusal for rule in BEFORE if (refusal := rule(sending)) is not None), None)


def refusal_at_end(sending: Sending) -> "Refusal | None":
    """Why it is not added where the log ends now; None when nothing speaks against it."""
    return next((refusal for rule in AT_END if (refusal := rule(sending)) is not None), None)


# --- what may be a secret ---------------------------------------------------------

MARKS: "dict[bytes, int]" = {
    b"AKIA": 16, b"ASIA": 16,
    b"ghp_": 36, b"gho_": 36, b"ghu_": 36, b"ghs_": 36, b"ghr_": 36, b"github_pat_": 36,
    b"glpat-": 20, b"gldt-": 20, b"glrt-": 20, b"glcbt-": 20, b"glptt-": 20, b"glft-": 20, b"glsoat-": 20,
    b"glimt-": 20, b"glagent-": 20, b"gloas-": 20, b"GR1348941": 20,
    b"sk_live_": 16, b"sk_test_": 16, b"rk_live_": 16, b"rk_test_": 16, b"whsec_": 24,
    b"xox": 16, b"xapp-": 16, b"hooks.slack.com/": 20,
    b"AIza": 35, b"ya29.": 20, b"GOCSPX-": 28,
    b"npm_": 36, b"pypi-AgE": 50, b"rubygems_": 48, b"dckr_pat_": 20, b"dckr_oat_": 20, b"_authToken=": 20,
    b"eyJ": 30,
}  # fmt: skip
"""How a key begins, and how many characters at least follow without a space."""

_SIGNS = (b"_", b"-", b"")
_GROUPS = [
    (sign, tuple(mark for mark in MARKS if next(one for one in _SIGNS if one in mark) == sign)) for sign in _SIGNS
]
"""The marks by a sign that all of a group have: most texts lack one or the other."""

_NAMED = (
    *(b"aws_secret", b"AWS_SECRET", b"SecretAccessKey", b"secretAccessKey"),
    *(b"PRIVATE KEY", b"Private-Lines", b"AGE-SECRET-KEY-1"),
)
"""What stands before a key, with more between them than can be told here."""

_KEY = b"sk-"
"""As the others, but the end of many a word: ``task-12``."""

LEAST = 20
"""All but a password in an address have so many characters without a space somewhere."""

_SHORT_BYTES = 4096
"""Up to here it is cheaper to count the longest word than to look for each mark."""

_AUTHORITY = 512
"""The most that stands between ``://`` and the ``@`` of an address with a password."""


def is_suspect(text: bytes) -> bool:
    """Whether ``text`` has to be looked at by expressions."""
    if b"://" in text and b"@" in text and _has_password(text):
        return True
    if len(text) < _SHORT_BYTES and max(map(len, text.split()), default=0) < LEAST:
        return False
    for sign, marks in _GROUPS:
        if sign in text:
            for mark in marks:
                if mark in text and _goes_on(text, mark, MARKS[mark]):
                    return True
    for name in _NAMED:
        if name in text:
            return True
    return _KEY in text and _goes_on(text, _KEY, LEAST, is_a_word=True)


def suspicion(text: bytes) -> "tuple[str, int] | None":
    """What is to be refused, as ``Sending.look`` tells it, by who leaves the words to the long way."""
    return ("a secret", 1) if is_suspect(text) else None


def _goes_on(text: bytes, mark: bytes, least: int, *, is_a_word: bool = False) -> bool:
    at = text.find(mark)
    while at >= 0:
        after = at + len(mark)
        run = text[after : after + least]
        if len(run) == least and run.split() == [run] and not (is_a_word and text[at - 1 : at].isalnum()):
            return True
        at = text.find(mark, after)
    return False


def _has_password(text: bytes) -> bool:
    for part in text.split(b"://")[1:]:
        words = part[:_AUTHORITY].split(None, 1)
        user, at, _ = words[0].partition(b"@") if words else (b"", b"", b"")
        if at and b":" in user and not part[:1].isspace():
            return True
    return False
