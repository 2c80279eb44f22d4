"""Whether something unread in another room names whoever reads, which is told beside what this one has.

As gitchat/staying/notice.py tells it: nothing of that is counted here, where something is it is the long way's.
"""

from gitchat.quick import record, room
from gitchat.quick.objects import Objects, find_tip
from gitchat.quick.place import Place
from gitchat.quick.reader import Reader
from gitchat.quick.settings import Settings
from gitchat.quick.unusual import Unusual

MOST = 100
"""How many records of another room are read at the most: then the index is quicker."""


def refuse_named(place: Place, settings: Settings, reader: Reader) -> None:
    """Raise Unusual where something in another room may name the reader, or may make it sit down there."""
    for name in room.others(place, reader.room):
        log = find_tip(place, room.log_ref(name))
        if log is None:
            continue
        remote = room.authority(place, settings, name)
        if remote is not None and find_tip(place, room.tracking_ref(name, remote)) != log:
            raise Unusual
        seat = find_tip(place, room.seat_ref(name, reader.me))
        if reader.sender.agent is None and seat is not None:
            raise Unusual
        read = seat if reader.sender.agent is not None else find_tip(place, room.cursor_ref(name, reader.me))
        _refuse_named_in(place, reader, {reader.me, *reader.roles(name)}, log, read)


def _refuse_named_in(place: Place, reader: Reader, reached: "set[str]", log: str, read: "str | None") -> None:
    """As above, of what is in a log beyond the commit ``read``, or of all that is in it."""
    here = log
    objects = Objects(place)
    try:
        for _ in range(MOST):
            if here == read:
                return
            one = record.record_of(objects.commit(here))
            if one is None:
                if read is None:
                    return
                raise Unusual  # what was read is not in the log
            reader.is_own(one)
            if reached & {*one.to}:
                raise Unusual
            here = one.parent
    finally:
        objects.close()
    raise Unusual
