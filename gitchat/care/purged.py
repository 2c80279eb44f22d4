"""Looks again whether what was purged is gone: at all that refs reach, and for the objects that had it. Reads only.

Source: docs/format.md section 18.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitchat.care.finding import Finding
from gitchat.model import codec, purge
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.order import Key
from gitchat.model.refs import LOCAL_PREFIX, REF_PREFIX, is_in_room
from gitchat.rooms.purging import noted_texts
from gitchat.storage.erasing import Erasing
from gitchat.workspace.environment import Environment


def purged(environment: Environment, room: RoomName) -> Iterator[Finding]:
    """Which purged records of ``room`` have their text in a commit that some ref of the rooms reaches."""
    store = environment.store
    refs = [
        (ref, oid)
        for prefix in (REF_PREFIX, LOCAL_PREFIX)
        for ref, oid in store.backend.list_refs(prefix)
        if is_in_room(ref, room)
    ]
    blank: set[Key] = set()
    saying: dict[Key, tuple[Oid, RefName]] = {}
    known: set[Oid] = set()
    for ref, tip in refs:
        waiting = [tip]
        while waiting:
            oid = waiting.pop()
            if oid in known:
                continue
            known.add(oid)
            try:
                commit = store.read(oid)
            except FormatError as error:
                yield Finding("wrong", f"room {room}", f"not all can be looked at: {error}")
                continue
            waiting += commit.parents
            if commit.takes_number and purge.is_blank(commit):
                blank.add(codec.identity_key(oid, commit))
            elif commit.takes_number:
                saying[codec.identity_key(oid, commit)] = oid, ref
    back = {key: saying[key] for key in sorted(blank & saying.keys())}
    for (uid, author), (oid, ref) in back.items():
        label = next((entry.label for entry in environment.log(room).with_uid(uid)), f"~{uid[:6]}")
        yield Finding(
            "wrong",
            f"room {room}",
            f"{label} of {author} was purged, and commit {oid} has its text: {ref} reaches it",
            f"have who brought it back upgrade gitchat, and then: git chat purge --room {room} {label.lstrip('#')}",
        )
    if not back:
        count = len(blank)
        text = f"{count} purged record{'' if count == 1 else 's'}, and no ref reaches what was in them"
        yield Finding("ok", f"room {room}", text if blank else "nothing was purged")


def objects(environment: Environment) -> Iterator[Finding]:
    """Whether git still has objects here that had what was purged in this clone."""
    noted = noted_texts(environment.store)
    left = Erasing(environment.store.common_dir, environment.variables).left(noted)
    if left:
        text = f"{len(left)} of {len(noted)} objects that had what was purged are still in git's object database"
        yield Finding("wrong", "objects", text, "git gc --prune=now")
    elif noted:
        yield Finding("ok", "objects", f"git has none of the {len(noted)} objects that had what was purged")
