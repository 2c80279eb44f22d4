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
    ) -> "tuple[list[tuple[int, str]], int, int]":
        """Of the records with the numbers ``after`` + 1 to ``upto`` those that reach one of ``reached``.

        The number and the commit of the oldest ``limit``, how many there are, and how many statuses for nobody. Raises
        Unusual: they are too many to look at, or one of them may be hidden.
        """
        here = "FROM entry WHERE chain = ? AND number > ? AND number <= ? AND is_pending = 0"
        hides = f"SELECT 1 {here} AND kind != 'message' AND kind = 'redact' LIMIT 1"
        if upto - after > FAR or _asked(self._place, hides, self._chain, after, upto):
            raise Unusual
        to = " OR ".join(["instr(recipients, ?)"] * len(reached))
        mine = f"author != ? AND kind NOT IN ('meta', 'redact') AND ((recipients = '' AND kind = 'message') OR {to})"
        values = (self._me, *(f",{one}," for one in reached))
        where = (self._chain, after, upto)
        sql = f"SELECT number, lower(hex(oid)) {here} AND {mine} ORDER BY number LIMIT ?"
        rows = _asked(self._place, sql, *where, *values, limit)
        counted = f"SELECT coalesce(sum({mine}), 0), coalesce(sum(kind = 'status' AND recipients = ''), 0) {here}"
        count, statuses = _asked(self._place, counted, *values, *where)[0]
        return rows, count, statuses

    def has_claims(self, seconds: int) -> bool:
        """Whether something was claimed in the last so many seconds. Raises Unusual."""
        sql = (
            "SELECT 1 FROM entry WHERE chain = ? AND kind != 'message' AND kind = 'claim' AND number IS NOT NULL"
            " AND committed > CAST(strftime('%s', 'now') AS INTEGER) - ? LIMIT 1"
        )
        return bool(_asked(self._place, sql, self._chain, seconds))


def number_of_uid(place: Place, name: str, uid: str) -> int | None:
    """The number of a record of a room; None where it has none. Raises Unusual."""
    sql = (
        "SELECT number FROM entry JOIN chain ON chain.id = entry.chain WHERE chain.name = ? AND entry.uid = ?"
        " AND number IS NOT NULL AND is_pending = 0"
    )
    found = _asked(place, sql, name, uid)
    if len(found) > 1:
        raise Unusual
    return found[0][0] if found else None


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


def _asked(place: Place, sql: str, *values: "str | int | bytes") -> "list[Any]":
    """The rows of a question to the newest index. Raises Unusual: there is none, or it does not know that."""
    try:
        from _sqlite3 import Error, connect  # without the modules of dates that sqlite3 loads
    except ImportError:
        from sqlite3 import Error, connect
    names = _files(place)
    path = f"{place.common_dir}/chatroom/{names[-1]}" if names else ""
    if not path or os.lstat(path).st_mode & 0o170000 != 0o100000:
        raise Unusual
    try:
        database = connect(path)
        try:
            if list(database.execute("PRAGMA user_version")) != [(VERSION,)]:
                raise Unusual
            return list(database.execute(sql, values))
        finally:
            database.close()
    except Error as wrong:
        raise Unusual from wrong
