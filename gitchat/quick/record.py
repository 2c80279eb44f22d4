"""A record as its commit tells it, where it was written as gitchat writes. Pure. Source: docs/format.md section 4."""

from gitchat.quick.plain import is_name, is_number, is_slug, is_text, is_uid
from gitchat.quick.unusual import Unusual

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

_KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
_MOST_BODY_BYTES = 1024 * 1024
_MOST_TRAILERS = 50
_MOST_SECONDS = 1 << 33

UNLISTED = ("meta",)
_KINDS = ("message", "status", *UNLISTED)
"""What else there is may change what is shown of others."""

_KEYS = (
    *("Chat-Kind", "Chat-Uid", "Chat-Seq", "Chat-To", "Chat-Type", "Chat-Reply", "Chat-Priority", "Chat-Commit"),
    *("Chat-Branch", "Chat-Clone", "Chat-Origin", "Chat-Path"),
)
"""The trailers that are known to change nothing else of what is shown; a ``meta`` record, which is not, has others."""


class Record:
    """What of a record a listing shows."""

    __slots__ = (
        "address", "author", "body", "clone", "hint", "kind", "parent", "reply", "seconds", "to", "type", "uid",
        "urgent",
    )  # fmt: skip

    def __init__(
        self, parent: str, author: "tuple[str, str, int]", body: str, values: "dict[str, str]", to: "list[str]"
    ) -> None:
        self.parent = parent
        self.author, self.address, self.seconds = author
        """When it was written, since the epoch."""
        self.body = body
        self.to = to
        """Empty for everybody."""
        self.kind = values["Chat-Kind"]
        self.uid = values["Chat-Uid"]
        self.type = values.get("Chat-Type")
        self.reply = values.get("Chat-Reply")
        self.clone = values.get("Chat-Clone", "-")
        self.urgent = values.get("Chat-Priority") == "urgent"
        self.hint = int(values["Chat-Seq"]) if "Chat-Seq" in values else None
        """The number that its writer saw."""


def record_of(raw: bytes) -> "Record | None":
    """The record in a commit; None for the root of a room. Raises Unusual and UnicodeDecodeError: it is not plain."""
    head, _, message = raw.partition(b"\n\n")
    body, _, paragraph = message.rpartition(b"\n\n")
    if not (paragraph.startswith(b"Chat-Kind: ") and paragraph.endswith(b"\n")) or len(body) > _MOST_BODY_BYTES:
        raise Unusual
    tree, *parents, author, committer = head.decode().split("\n")
    if tree != "tree " + EMPTY_TREE or not author.startswith("author ") or not committer.startswith("committer "):
        raise Unusual
    values, to = _trailers(paragraph[:-1].decode())
    if not parents and values["Chat-Kind"] == "genesis":
        return None
    if len(parents) != 1 or not parents[0].startswith("parent ") or values["Chat-Kind"] not in _KINDS:
        raise Unusual
    text = body.decode()
    if not is_text(text.replace("\r\n", "\n")):
        raise Unusual
    return Record(parents[0][7:], _signature(author[7:]), text, values, to)


def _trailers(paragraph: str) -> "tuple[dict[str, str], list[str]]":
    """The first value of each key, and to whom it is."""
    values: dict[str, str] = {}
    to: list[str] = []
    lines = paragraph.split("\n")
    for line in lines:
        key, colon, value = line.partition(": ")
        if (
            key.strip(_KEY)
            or not "A" <= key[:1] <= "Z"
            or not (colon and value.isprintable() and value.strip(" ") == value)
        ):
            raise Unusual
        if key == "Chat-To":
            to.append(value)
        else:
            values.setdefault(key, value)
    is_plain = (
        len(lines) <= _MOST_TRAILERS
        and "" not in values.values()
        and all(is_slug(one.removeprefix("role:")) for one in to)
        and len({*to}) == len(to)
        and (is_uid(values.get("Chat-Uid", "")) or values["Chat-Kind"] == "genesis")
        and ("Chat-Type" not in values or is_slug(values["Chat-Type"]))
        and ("Chat-Reply" not in values or is_uid(values["Chat-Reply"]))
        and ("Chat-Seq" not in values or is_number(values["Chat-Seq"]))
        and (values["Chat-Kind"] not in ("message", "status") or values.keys() <= {*_KEYS})
    )
    if not is_plain:
        raise Unusual
    return values, to


def _signature(line: str) -> "tuple[str, str, int]":
    """Who wrote it, from which address, and when: of ``NAME <ADDRESS> SECONDS +HHMM``."""
    name, _, rest = line.partition(" <")
    address, _, date = rest.partition("> ")
    seconds, _, zone = date.partition(" ")
    is_plain = (
        is_name(name)
        and 0 < len(address) <= 254
        and "<" not in address
        and ">" not in address
        and len(seconds) <= 10
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
    return name, address, int(seconds)
