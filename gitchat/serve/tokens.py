"""The credentials of a repository: who may ask as whom. They are in ``tokens.json``, the secrets as their hashes only.

Three kinds stand there: tokens of programs and colleagues; codes for one use, which open the page in a browser; and
what the page got for one, or for a token, and has in a cookie since. The file is read again when it has changed, so
what another process adds or takes away counts at once. Source: docs/format.md section 7.32.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from gitchat.model.errors import FormatError, UserError
from gitchat.model.names import Name, RoomName, is_slug
from gitchat.serve.actor import Actor
from gitchat.storage import gate
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refusals import storage_error

Kind = Literal["token", "code", "page"]
Role = Literal["name", "any-name", "guest", "admin", "metrics"]
"""What a token allows: to act under its name; under any; to read; its name's, and figures and revoking; figures."""

CODE_SECONDS = 600
"""How long a code can be used."""
PAGE_SECONDS = 30 * 86_400
"""How long a browser stays let in."""

_PREFIXES: dict[Kind, str] = {"token": "gct_", "code": "", "page": "gcp_"}
_SECRET_BYTES = 32
_ID_CHARS = 8
_MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Token:
    """One entry: what is known of a secret that itself is not kept."""

    digest: str
    """The SHA-256 of the secret, in hexadecimal digits."""
    kind: Kind
    role: Role
    created: int
    """Seconds since the epoch, as all times here."""
    name: Name | None = None
    """Whose it is; None of a role that needs none."""
    email: str | None = None
    """The author's address of what is written with it; None is the one that follows from the name."""
    rooms: tuple[RoomName, ...] | None = None
    """The rooms that it sees; None is all."""
    expires: int | None = None
    parent: str | None = None
    """The digest of the token that the page showed for it, with which it ends; None where it showed a code."""

    @property
    def id(self) -> str:
        """What it is called in lists and in the audit: the first digits of the digest."""
        return self.digest[:_ID_CHARS]

    def is_over(self, now: int) -> bool:
        """Whether its time has run out."""
        return self.expires is not None and self.expires <= now

    def actor(self) -> Actor:
        """What it allows."""
        is_meter = self.role == "metrics"
        rooms = frozenset(self.rooms) if self.rooms is not None else None
        is_page = self.kind == "page"
        return Actor(
            # Two browsers of one person are one; what a token allows belongs to it, through the page or not.
            key=f"page:{self.name}"
            if is_page and not self.parent
            else f"token:{(self.parent or self.digest)[:_ID_CHARS]}",
            name=None if self.role in ("any-name", "guest", "metrics") else self.name,
            is_guest=self.role in ("guest", "metrics"),
            is_admin=self.role == "admin",
            sees_figures=is_meter,
            is_person=is_page,
            rooms=frozenset() if is_meter else rooms,
            email=self.email,
        )


class Tokens:
    """The file of a clone whose ``chatroom/`` is ``directory``; neither need exist."""

    def __init__(self, directory: Path, *, random_bytes: Callable[[int], bytes]) -> None:
        self._directory = directory
        self._file = OwnFile(directory, "tokens.json", is_private=True)
        self._random_bytes = random_bytes
        self._seen: tuple[tuple[int, int, int], list[Token]] | None = None

    @property
    def path(self) -> Path:
        """Where they are."""
        return self._file.path

    def all(self, now: int) -> list[Token]:
        """All whose time has not run out, in the order in which they were made.

        Raises:
            FormatError: ``damaged-tokens``.
            StorageError: ``read-only``, ``misplaced``, ``storage``.
        """
        return [token for token in self._read() if not token.is_over(now)]

    def find(self, secret: str, now: int, *kinds: Kind) -> Token | None:
        """The entry of ``secret``, if that is one of ``kinds`` and its time has not run out. Raises as ``all``."""
        digest = _digest(secret)
        living = self.all(now)
        found = [one for one in living if hmac.compare_digest(one.digest, digest) and one.kind in kinds]
        if not found or found[0].parent not in (None, *(one.digest for one in living)):
            return None
        return found[0]

    def keys(self, now: int) -> set[str]:
        """The keys of the actors whose credentials hold. Raises as ``all``."""
        living = self.all(now)
        digests = {one.digest for one in living}
        return {one.actor().key for one in living if one.parent is None or one.parent in digests}

    def add(
        self,
        now: int,
        kind: Kind,
        role: Role,
        name: Name | None,
        *,
        email: str | None = None,
        rooms: tuple[RoomName, ...] | None = None,
        expires: int | None = None,
    ) -> tuple[str, Token]:
        """A new secret, which nobody can ask for again, and its entry. Raises as ``all``, and ConflictError."""
        with self._turn():
            return self._add(self.all(now), now, Token("", kind, role, now, name, email, rooms, expires))

    def exchange(self, secret: str, now: int) -> tuple[str, Token] | None:
        """What the page gets for a code, which is used up by that, or for a token. Raises as ``add``."""
        with self._turn():
            shown = self.find(secret, now, "code", "token")
            if shown is None:
                return None
            is_code = shown.kind == "code"
            kept = [token for token in self.all(now) if token is not shown or not is_code]
            expires = now + PAGE_SECONDS
            if not is_code and shown.expires is not None:
                expires = min(expires, shown.expires)
            parent = None if is_code else shown.digest
            page = Token("", "page", shown.role, now, shown.name, shown.email, shown.rooms, expires, parent)
            return self._add(kept, now, page)

    def revoke(self, which: str, now: int) -> list[Token]:
        """End what is of the name, or has the id, or the first digits of the id, ``which``; with what came of it.

        Raises:
            UserError: ``no-such-token``.
        """
        with self._turn():
            living = self.all(now)
            ended = [one for one in living if one.name == which and one.kind != "code"]
            if not ended and len(which) >= 4:
                ended = [one for one in living if one.digest.startswith(which.lower())]
            if not ended:
                raise UserError(
                    f"there is no token of '{which}'",
                    hint="see which there are: git chat token list",
                    code="no-such-token",
                )
            gone = {one.digest for one in ended}
            ended += [one for one in living if one.parent in gone and one not in ended]
            self._write([one for one in living if one not in ended])
            return ended

    # --- the file ----------------------------------------------------------------------

    def _add(self, kept: list[Token], now: int, wanted: Token) -> tuple[str, Token]:
        random = base64.urlsafe_b64encode(self._random_bytes(_SECRET_BYTES)).decode().rstrip("=")
        secret = f"{_PREFIXES[wanted.kind]}{random}"
        token = Token(
            _digest(secret), wanted.kind, wanted.role, now, wanted.name, wanted.email, wanted.rooms, wanted.expires,
            wanted.parent,
        )  # fmt: skip
        self._write([*kept, token])
        return secret, token

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with gate.hold(self._directory, name="tokens.lock"):
            yield

    def _read(self) -> list[Token]:
        try:
            changed = self._file.stamp()
            if self._seen is None or self._seen[0] != changed:
                self._seen = (changed, self._decoded(self._file.read(_MAX_BYTES)))
        except FileNotFoundError:
            self._seen = None
            return []
        except OSError as error:
            raise storage_error(error, self.path) from error
        return self._seen[1]

    def _decoded(self, data: bytes) -> list[Token]:
        try:
            return [_token(one) for one in json.loads(data)["tokens"]]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise FormatError(
                f"{self.path} is not what gitchat writes there",
                hint=f"remove it, and make new tokens: rm '{self.path}'",
                code="damaged-tokens",
                public_message="the tokens of this server cannot be read",
                public_hint="tell who runs the server: git chat token list says more there",
            ) from error

    def _write(self, tokens: list[Token]) -> None:
        content = json.dumps({"version": 1, "tokens": [_shape(token) for token in tokens]}, indent=1)
        try:
            self._file.replace(content.encode() + b"\n")
        except OSError as error:
            raise storage_error(error, self.path) from error
        self._seen = None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _shape(token: Token) -> dict[str, Any]:
    keys = ("kind", "role", "name", "email", "rooms", "created", "expires", "parent")
    shown = {key: getattr(token, key) for key in keys}
    return {"sha256": token.digest} | {key: value for key, value in shown.items() if value is not None}


def _token(shape: Any) -> Token:
    """The entry of ``shape``. Raises KeyError, TypeError and ValueError for what is none."""
    digest, kind, role = shape["sha256"], shape["kind"], shape["role"]
    name, rooms = shape.get("name"), shape.get("rooms")
    words = [name] if name is not None else []
    if kind not in get_args(Kind) or role not in get_args(Role) or not isinstance(digest, str) or len(digest) != 64:
        raise ValueError(kind)
    if not all(isinstance(word, str) and is_slug(word) for word in (*words, *(rooms or ()))):
        raise ValueError(name)
    return Token(
        digest,
        kind,
        role,
        int(shape["created"]),
        Name(name) if name is not None else None,
        shape.get("email"),
        tuple(map(RoomName, rooms)) if rooms is not None else None,
        int(shape["expires"]) if shape.get("expires") is not None else None,
        shape.get("parent"),
    )
