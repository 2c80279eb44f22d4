"""A record as its commit tells it, where it was written as gitchat writes. Pure. Source: docs/format.md section 4."""

from gitchat.quick.plain import is_name, is_number, is_oid, is_slug, is_text, is_uid
from gitchat.quick.unusual import Unusual

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

_KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
_PATH = _KEY + "_./"
_MOST_BODY_BYTES = 1024 * 1024
_MOST_TRAILERS = 50
_MOST_SECONDS = 1 << 33

SYSTEM = "system"
"""Who says what nobody said: that somebody left, or that something will not merge."""

UNLISTED = ("meta", "redact")
QUIET = ("status", "claim", "release")
"""Kinds that reach only whom they name."""

_KINDS = ("message", *QUIET, *UNLISTED)
"""What else there is may change what is shown of others, or have no number."""

_KEYS = (
    *("Chat-Kind", "Chat-Uid", "Chat-Seq", "Chat-To", "Chat-Type", "Chat-Reply", "Chat-Priority", "Chat-Commit"),
    *("Chat-Branch", "Chat-Clone", "Chat-Origin", "Chat-Path"),
)
"""The trailers that are known to change nothing else of what is shown; an unlisted record, which is not, has others."""

_MORE_KEYS = {"message": ("Chat-At", "Chat-Choice"), "claim": ("Chat-Claim", "Chat-Until")}
"""Those that are known of some kinds."""

_MOST_CHOICES, _MOST_CHOICE_CHARS = 8, 100
_MOST_PLACE_CHARS, _MOST_LINES = 200, 200
"""Of what a message is about: a path that is longer, and more lines than one may be about, are the long way's."""


class Record:
    """What of a record a listing shows."""

    __slots__ = (
        "_committer", "address", "author", "body", "choices", "clone", "has_media", "hint", "is_plain", "kind",
        "parent", "paths", "place", "reply", "seconds", "to", "tree", "type", "uid", "until", "urgent", "whats",
    )  # fmt: skip

    def __init__(
        self,
        parent: str,
        author: "tuple[str, str, int]",
        committer: str,
        body: str,
        values: "dict[str, list[str]]",
        tree: str,
    ) -> None:
        self.parent = parent
        self.author, self.address, self.seconds = author
        """When it was written, since the epoch."""
        self.body = body
        self._committer = committer
        self.tree = tree
        """What came with it; empty for nothing."""
        first = {key: found[0] for key, found in values.items()}
        self.to = values.get("Chat-To", [])
        """Empty for everybody."""
        self.kind = first["Chat-Kind"]
        self.uid = first["Chat-Uid"]
        self.type = first.get("Chat-Type")
        self.reply = first.get("Chat-Reply")
        self.clone = first.get("Chat-Clone", "-")
        self.urgent = first.get("Chat-Priority") == "urgent"
        self.hint = int(first["Chat-Seq"]) if "Chat-Seq" in first else None
        """The number that its writer saw."""
        self.choices = values.get("Chat-Choice", []) if self.type == "question" else []
        """What can be answered to it."""
        self.until = first.get("Chat-Until", "")
        """When what it claims ends."""
        self.whats = values.get("Chat-Claim", [])
        """What it claims."""
        self.paths = values.get("Chat-Path", [])
        """The files that cannot be merged, where it tells of a conflict."""
        self.has_media = "Chat-Media" in first
        """Whether its body is more than a text."""
        places = values.get("Chat-At", [])
        self.place = spelled(places[0]) if places else ""
        """The code that it is about; empty for most."""
        known = (*_KEYS, *_MORE_KEYS.get(self.kind, ()))
        self.is_plain = (
            values.keys() <= {*known}
            and (not tree or self.place != "")
            and (not places or (len(places) == 1 and self.place != ""))
            and _are_choices(self.choices)
            and is_text(body.replace("\r\n", "\n"))
        )
        """Whether it can be shown here, if its tree has nothing else than what it is about. Another is passed over."""

    @property
    def committed(self) -> int:
        """When its commit was made, in seconds since the epoch. Raises Unusual."""
        return seconds_of(self._committer.rpartition("> ")[2])


class Commit:
    """A commit of ours, taken apart."""

    __slots__ = ("author", "body", "committer", "parents", "tree", "values")

    def __init__(self, raw: bytes) -> None:
        """Raises Unusual and UnicodeDecodeError: it is not plain."""
        head, _, message = raw.partition(b"\n\n")
        body, _, paragraph = message.rpartition(b"\n\n")
        if not (paragraph.startswith(b"Chat-Kind: ") and paragraph.endswith(b"\n")) or len(body) > _MOST_BODY_BYTES:
            raise Unusual
        first, *parents, author, committer = head.decode().split("\n")
        self.tree = first[5:] if first[5:] != EMPTY_TREE else ""
        """Empty for one of nothing."""
        if not (first.startswith("tree ") and is_oid(first[5:])):
            raise Unusual
        if not author.startswith("author ") or not committer.startswith("committer "):
            raise Unusual
        self.values = _trailers(paragraph[:-1].decode())
        if not all(parent.startswith("parent ") for parent in parents):
            raise Unusual
        self.parents = [parent[7:] for parent in parents]
        self.author, self.committer = author[7:], committer[10:]
        """Each as the commit has it, with the address and the date."""
        self.body = body

    @property
    def kind(self) -> str:
        """What it is of ours."""
        return self.values["Chat-Kind"][0]

    @property
    def is_genesis(self) -> bool:
        """Whether it is the root of a room."""
        return not self.parents and not self.tree and self.kind == "genesis"


def record_of(raw: bytes) -> "Record | None":
    """The record in a commit; None for the root of a room. Raises Unusual and UnicodeDecodeError: it is not plain."""
    commit = Commit(raw)
    if commit.is_genesis:
        return None
    if len(commit.parents) != 1 or commit.kind not in _KINDS:
        raise Unusual
    author, body = signature(commit.author), commit.body.decode()
    return Record(commit.parents[0], author, commit.committer, body, commit.values, commit.tree)


def committed(raw: bytes) -> int:
    """When a commit was made, in seconds since the epoch. Raises Unusual and UnicodeDecodeError: it is not plain."""
    line = raw.partition(b"\n\n")[0].rpartition(b"\n")[2].decode()
    if not line.startswith("committer "):
        raise Unusual
    return seconds_of(line.rpartition("> ")[2])


def _trailers(paragraph: str) -> "dict[str, list[str]]":
    """The values of each key."""
    values: dict[str, list[str]] = {}
    lines = paragraph.split("\n")
    for line in lines:
        key, colon, value = line.partition(": ")
        if (
            key.strip(_KEY)
            or not "A" <= key[:1] <= "Z"
            or not (colon and value and value.isprintable() and value.strip(" ") == value)
        ):
            raise Unusual
        values.setdefault(key, []).append(value)
    first = {key: found[0] for key, found in values.items()}
    to = values.get("Chat-To", [])
    is_plain = (
        len(lines) <= _MOST_TRAILERS
        and all(is_slug(one.removeprefix("role:")) for one in to)
        and len({*to}) == len(to)
        and (is_uid(first.get("Chat-Uid", "")) or first["Chat-Kind"] == "genesis")
        and ("Chat-Type" not in first or is_slug(first["Chat-Type"]))
        and ("Chat-Reply" not in first or is_uid(first["Chat-Reply"]))
        and ("Chat-Seq" not in first or is_number(first["Chat-Seq"]))
    )
    if not is_plain:
        raise Unusual
    return values


def _are_choices(choices: "list[str]") -> bool:
    """Whether these are the choices of a question, each as it is shown, and no two alike."""
    alike = {" ".join(choice.casefold().split()) for choice in choices}
    are_short = all(len(choice) <= _MOST_CHOICE_CHARS and is_text(choice) for choice in choices)
    return are_short and len(alike) == len(choices) <= _MOST_CHOICES


def spelled(value: str) -> str:
    """A place in code as it is shown, such as ``src/lexer.py:40-46``; empty where that takes more to tell."""
    path, colon, lines = value.partition(":")
    first, _, last = lines.partition("-")
    parts = path.lower().split("/")
    if path.strip(_PATH) or len(path) > _MOST_PLACE_CHARS or {*parts} & {"", ".", "..", ".git"}:
        return ""
    if not colon:
        return path
    are_lines = is_number(first) and is_number(last) and first[0] != "0" and last[0] != "0"
    if not are_lines or not int(first) <= int(last) < int(first) + _MOST_LINES:
        return ""
    return f"{path}:{lines if first != last else first}"


def signature(line: str) -> "tuple[str, str, int]":
    """Who wrote it, from which address, and when: of ``NAME <ADDRESS> SECONDS +HHMM``. Raises Unusual."""
    name, _, rest = line.partition(" <")
    address, _, date = rest.partition("> ")
    if not (
        (is_name(name) or name == SYSTEM) and 0 < len(address) <= 254 and "<" not in address and ">" not in address
    ):
        raise Unusual
    return name, address, seconds_of(date)


def seconds_of(date: str) -> int:
    """The seconds since the epoch of ``SECONDS +HHMM``. Raises Unusual."""
    seconds, _, zone = date.partition(" ")
    is_plain = (
        len(seconds) <= 10
        and seconds.isascii()
        and seconds.isdigit()
        and int(seconds) < _MOST_SECONDS
        and len(zone) == 5
        and zone[0] in "+-"
        and is_number(zone[1:])
        and int(zone[1:3]) < 24
    )
    if not is_plain:
        raise Unusual
    return int(seconds)
