"""The newest summary of a room that is for whoever looks, read along the chain of them.

Source: docs/format.md section 11.
"""

from gitchat.quick import record, room
from gitchat.quick.objects import Objects, find_tip
from gitchat.quick.place import Place
from gitchat.quick.plain import is_uid
from gitchat.quick.unusual import Unusual

_MOST = 50
"""How many are read before the long way's index is quicker."""

EVERYONE = "all"


class Summary:
    """A summary."""

    __slots__ = ("covers", "number", "seconds", "text")

    def __init__(self, commit: record.Commit) -> None:
        """Raises Unusual, UnicodeDecodeError: it is not plain."""
        _, _, self.seconds = record.signature(commit.author)
        """When it was written, since the epoch."""
        self.text = commit.body.decode()
        self.covers = commit.parents[1:]
        """What it covers: all that these commits reach."""
        self.number = 0
        """Its place in the chain."""


def newest(place: Place, objects: Objects, name: str, remote: "str | None", me: str) -> "Summary | None":
    """The newest of the room ``name`` for everybody, or for ``me``; None without one.

    Raises Unusual: they are many, one of them has no number yet, or has not the form of one; OSError and ValueError.
    """
    here = find_tip(place, room.summaries_ref(name))
    if remote is not None and find_tip(place, room.tracking_ref(name, remote, "summaries")) != here:
        raise Unusual
    found: Summary | None = None
    uids: set[str] = set()
    while here is not None:
        commit = record.Commit(objects.commit(here))
        if commit.is_genesis:
            break
        uid, scope = commit.values.get("Chat-Uid", [""])[0], commit.values.get("Chat-Scope", [EVERYONE])[0]
        if commit.kind != "summary" or commit.tree or not commit.parents:
            raise Unusual
        if not is_uid(uid) or uid in uids or len(uids) == _MOST:
            raise Unusual
        uids.add(uid)
        if found is None and scope in (EVERYONE, me):
            found = Summary(commit)
        if found is not None:
            found.number += 1
        here = commit.parents[0]
    return found
