"""What the index of this clone has of a room, asked with nothing but SQLite.

What it does not know, or has not looked for yet, is the long way's.
"""

import os

from gitchat.quick.place import Place
from gitchat.quick.plain import is_number
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

VERSION = 11
"""Of the index whose tables are asked here: :data:`gitchat.index.files.VERSION`. Another one is not trusted."""

_QUIET, _UNLISTED = "'status', 'claim', 'release'", "'meta', 'redact'"
_LISTED, _LOUD = f"kind NOT IN ({_UNLISTED})", f"kind NOT IN ({_QUIET})"
"""As gitchat.index.condition has them."""

FAR = 20_000
"""In how many records it is looked for what reaches somebody: the long way counts them as they come."""


class Known:
    """Up to where the index knows the log of a room in which nobody else speaks as the reader."""

    __slots__ = ("_chain", "_me", "_place", "tip")

    def __init__(self, place: Place, name: str, me: str, others: str, value: str) -> None:
        """``others`` is the condition that a voice of that name is another's. Raises Unusual."""
        self._place, self._me = place, me
        row = _asked(place, "SELECT id, lower(hex(tip)) FROM chain WHERE name = ?", name)
        if len(row) != 1 or not row[0][1]:
            raise Unusual
        self._chain: int = row[0][0]
        self.tip: str = row[0][1]
        """The newest commit of it."""
        spoken = f"SELECT 1 FROM voice WHERE chain = ? AND author = ? AND {others} LIMIT 1"
        if _asked(place, spoken, self._chain, me, value):
            raise Unusual

    def number_of(self, oid: str) -> int:
        """How many records a commit reaches. Raises Unusual."""
        sql = "SELECT upto FROM entry WHERE chain = ? AND oid = ? AND is_pending = 0 AND upto IS NOT NULL"
        row = _asked(self._place, sql, self._chain, bytes.fromhex(oid))
        if len(row) != 1:
            raise Unusual
        number: int = row[0][0]
        return number

    def reaching(
        self, reached: "Collection[str]", after: int, upto: int, limit: int
    ) -> "tuple[list[tuple[int, str, int | None]], int, int]":
        """Of the records with the numbers ``after`` + 1 to ``upto`` those that reach one of ``reached``.

        Of the oldest ``limit`` the number, the commit, and how many records that reaches, where it is the first ones;
        how many there are, and how many statuses for nobody. Raises Unusual: they are too many to look at, or one of
        them may be hidden.
        """
        here = "FROM entry WHERE chain = ? AND number > ? AND number <= ? AND is_pending = 0"
        hides = f"SELECT 1 {here} AND kind != 'message' AND kind = 'redact' LIMIT 1"
        if upto - after > FAR or _asked(self._place, hides, self._chain, after, upto):
            raise Unusual
        mine, values = _reaching(self._me, reached)
        where = (self._chain, after, upto)
        sql = f"SELECT number, lower(hex(oid)), upto {here} AND {mine} ORDER BY number LIMIT ?"
        rows = _asked(self._place, sql, *where, *values, limit)
        counted = f"SELECT coalesce(sum({mine}), 0), coalesce(sum(kind = 'status' AND recipients = ''), 0) {here}"
        count, statuses = _asked(self._place, counted, *values, *where)[0]
        return rows, count, statuses

    def refuse_other(self, count: int) -> None:
        """Raise Unusual where it does not count so many records up to its tip, or some of them as pending."""
        pending = "SELECT 1 FROM entry WHERE chain = ? AND is_pending = 1 AND +number <= ? LIMIT 1"
        counted = _asked(self._place, "SELECT count FROM chain WHERE id = ?", self._chain)
        if counted != [(count,)] or _asked(self._place, pending, self._chain, count):
            raise Unusual

    def has_claims(self, seconds: int) -> bool:
        """Whether something was claimed in the last so many seconds. Raises Unusual."""
        sql = (
            "SELECT 1 FROM entry WHERE chain = ? AND kind != 'message' AND kind = 'claim' AND number IS NOT NULL"
            " AND committed > CAST(strftime('%s', 'now') AS INTEGER) - ? LIMIT 1"
        )
        return bool(_asked(self._place, sql, self._chain, seconds))


class Rest:
    """The records of a room from the first one on, as far as the index has them: for who has read those that follow.

    To be closed. Each question is of the records up to a number, ``below``, and all of them see the same.
    """

    __slots__ = ("_chain", "_database", "_error", "count", "tip", "waiting")

    def __init__(self, place: Place, name: str) -> None:
        """Raises Unusual: it knows nothing of the room ``name``."""
        self._database, self._error = _opened(place)
        try:
            self._asked("BEGIN")
            sql = "SELECT id, lower(hex(tip)), count, lower(hex(local)), total FROM chain WHERE name = ?"
            row = self._asked(sql, name)
            if len(row) != 1 or not row[0][1]:
                raise Unusual
            self._chain: int = row[0][0]
            self.tip: str = row[0][1]
            """The newest commit that it knows with a number."""
            self.count: int = row[0][2]
            """The number of that."""
            self.waiting: str | None = row[0][3] if row[0][4] > row[0][2] else None
            """The newest commit that it knows without one; None for none."""
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _asked(self, sql: str, *values: "str | int | bytes") -> "list[Any]":
        try:
            return list(self._database.execute(sql, values))
        except self._error as wrong:
            raise Unusual from wrong

    def refuse_pending(self, below: int) -> None:
        """Raise Unusual where it may count one of them otherwise than others."""
        if self._asked("SELECT 1 FROM entry WHERE chain = ? AND is_pending = 1 AND +number <= ?", self._chain, below):
            raise Unusual

    def speaks(self, who: str, others: str, value: str) -> bool:
        """Whether somebody else speaks as ``who``, by the condition ``others`` on a voice."""
        sql = f"SELECT 1 FROM voice WHERE chain = ? AND author = ? AND {others} LIMIT 1"
        return bool(self._asked(sql, self._chain, who, value))

    def number_of(self, oid: str) -> int:
        """How many records a commit reaches. Raises Unusual."""
        sql = "SELECT upto FROM entry WHERE chain = ? AND oid = ? AND is_pending = 0 AND upto IS NOT NULL"
        row = self._asked(sql, self._chain, bytes.fromhex(oid))
        if len(row) != 1:
            raise Unusual
        number: int = row[0][0]
        return number

    def unlisted(self, below: int) -> int:
        """How many of them no listing shows."""
        return self._count(_UNLISTED, 0, below)

    def messages(self, after: int, below: int) -> int:
        """How many of those behind ``after`` are messages."""
        return below - after - self._count(f"{_UNLISTED}, {_QUIET}", after, below) if after < below else 0

    def _count(self, kinds: str, after: int, below: int) -> int:
        sql = (
            f"SELECT count(*) FROM entry WHERE chain = ? AND kind != 'message' AND kind IN ({kinds})"
            " AND number > ? AND number <= ?"
        )
        found: int = self._asked(sql, self._chain, after, below)[0][0]
        return found

    def unread(self, me: str, reached: "Collection[str]", after: int, below: int) -> int:
        """How many of those behind ``after`` reach ``me``. Raises Unusual: they are too many to look at."""
        if below - after > FAR:
            raise Unusual
        mine, values = _reaching(me, reached)
        sql = f"SELECT count(*) FROM entry WHERE chain = ? AND number > ? AND number <= ? AND {mine}"
        found: int = self._asked(sql, self._chain, after, below, *values)[0][0]
        return found

    def urgent(self, me: str, reached: "Collection[str]", after: int, below: int) -> "list[tuple[int, str]]":
        """The number and the commit of each of those behind ``after`` that is urgent and reaches ``me``."""
        mine, values = _reaching(me, reached)
        sql = (
            "SELECT number, lower(hex(oid)) FROM entry WHERE chain = ? AND urgent = 1 AND number > ? AND number <= ?"
            f" AND {mine} ORDER BY number"
        )
        return self._asked(sql, self._chain, after, below, *values)

    def questions(self, me: str, reached: "Collection[str]", below: int) -> "list[tuple[int, str]]":
        """Those that nobody has answered, as far as the index knows, and that ask ``me``: number and commit of each."""
        mine, values = _reaching(me, reached)
        sql = (
            "SELECT number, lower(hex(oid)) FROM entry WHERE chain = ? AND is_open = 1 AND number <= ?"
            f" AND {mine} ORDER BY number"
        )
        return self._asked(sql, self._chain, below, *values)

    def newest(self, count: int, below: int) -> "list[tuple[int, str]]":
        """The number and the commit of each of the newest ``count`` that a listing shows, oldest first."""
        sql = (
            f"SELECT number, lower(hex(oid)) FROM entry WHERE chain = ? AND number <= ? AND {_LISTED}"
            " ORDER BY number DESC LIMIT ?"
        )
        return self._asked(sql, self._chain, below, count)[::-1]

    def of_claims(self, since: int, below: int) -> "list[tuple[int, str]]":
        """The number and the commit of each claim and release, and of who left, that was committed after ``since``."""
        sql = (
            "SELECT number, lower(hex(oid)) FROM entry WHERE chain = ? AND kind IN ('claim', 'release') AND number <= ?"
            " AND committed > ?"
            " UNION SELECT number, lower(hex(oid)) FROM entry WHERE chain = ? AND type = 'presence' AND number <= ?"
            " AND committed > ? AND author = 'system' ORDER BY number"
        )
        return self._asked(sql, self._chain, below, since, self._chain, below, since)

    def of_conflicts(self, since: int, below: int) -> "list[tuple[int, str]]":
        """The number and the commit of each record that tells of conflicts and was committed after ``since``."""
        sql = (
            "SELECT number, lower(hex(oid)) FROM entry WHERE chain = ? AND type IN ('conflict', 'conflict-over')"
            " AND number <= ? AND committed > ? AND author = 'system' AND kind = 'status' ORDER BY number"
        )
        return self._asked(sql, self._chain, below, since)

    def redacted_by(self, uid: str, number: int) -> "str | None":
        """Who has redacted the record of this number first, as far as the index knows; None where nobody has."""
        sql = (
            "SELECT author FROM entry WHERE chain = ? AND kind = 'redact' AND reply = ? AND +number > ?"
            " ORDER BY +number LIMIT 1"
        )
        found = self._asked(sql, self._chain, uid, number)
        return str(found[0][0]) if found else None


def _reaching(me: str, reached: "Collection[str]") -> "tuple[str, tuple[str, ...]]":
    """The condition that a record of another reaches ``me``, who is reached by ``reached``; and its values."""
    to = " OR ".join(["instr(recipients, ?)"] * len(reached))
    mine = f"author != ? AND {_LISTED} AND ((recipients = '' AND {_LOUD}) OR {to})"
    return mine, (me, *(f",{one}," for one in reached))


def with_uid(place: Place, name: str, uid: str) -> "list[tuple[int, str]]":
    """The number and the commit of a record of a room; nothing where it has none. Raises Unusual."""
    sql = (
        "SELECT number, lower(hex(oid)) FROM entry JOIN chain ON chain.id = entry.chain WHERE chain.name = ?"
        " AND entry.uid = ? AND number IS NOT NULL AND is_pending = 0"
    )
    found = _asked(place, sql, name, uid)
    if len(found) > 1:
        raise Unusual
    return found


def known_voices(place: Place, name: str, who: str) -> "tuple[str, set[str]]":
    """Up to where the index knows a room, and the clones from which ``who`` spoke there. Raises Unusual."""
    row = _asked(place, "SELECT id, lower(hex(tip)) FROM chain WHERE name = ?", name)
    if len(row) != 1 or not row[0][1]:
        raise Unusual
    spoken = "SELECT DISTINCT clone FROM voice WHERE chain = ? AND author = ? AND clone != ''"
    return str(row[0][1]), {str(clone) for (clone,) in _asked(place, spoken, row[0][0], who)}


def _files(place: Place) -> "list[str]":
    """The files of the index, the newest last."""
    begin = f"index.v{VERSION}."
    names = [one for one in os.listdir(place.common_dir + "/chatroom") if one.startswith(begin) and one[-3:] == ".db"]
    size = len(begin)
    return sorted((one for one in names if is_number(one[size:-3])), key=lambda one: int(one[size:-3]))


def _opened(place: Place) -> "tuple[Any, type[Exception]]":
    """The newest index, and what it raises. Raises Unusual: there is none, or it is of another version."""
    try:
        from _sqlite3 import Error, connect  # without the modules of dates that sqlite3 loads
    except ImportError:
        from sqlite3 import Error, connect
    names = _files(place)
    path = f"{place.common_dir}/chatroom/{names[-1]}" if names else ""
    if not path or os.lstat(path).st_mode & 0o170000 != 0o100000:
        raise Unusual
    database = None
    try:
        database = connect(path)
        if list(database.execute("PRAGMA user_version")) != [(VERSION,)]:
            raise Unusual
    except (Error, Unusual) as wrong:
        if database is not None:
            database.close()
        raise Unusual from wrong
    return database, Error


def _asked(place: Place, sql: str, *values: "str | int | bytes") -> "list[Any]":
    """The rows of a question to the newest index. Raises Unusual: there is none, or it does not know that."""
    database, error = _opened(place)
    try:
        return list(database.execute(sql, values))
    except error as wrong:
        raise Unusual from wrong
    finally:
        database.close()
