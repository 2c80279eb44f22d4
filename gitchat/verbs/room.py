"""A room as one participant sees it: what the faces are made of, and what a user imports.

    from gitchat import Room

    room = Room.open(name="codex")
    room.send("I take the parser", to="alice")
    for entry in room.read().entries:
        print(entry.label, entry.record.author, entry.record.body)

Every verb takes and gives plain values and raises only :class:`gitchat.errors.ChatError`.
A Room holds no lock and no open transaction between calls; one thread at a time.
"""

from __future__ import annotations

from pathlib import Path

from gitchat.model.query import Query
from gitchat.verbs import (
    anchoring,
    asking,
    attendance,
    claiming,
    conflicting,
    handovers,
    marking,
    pending,
    reading,
    redacting,
    returning,
    standpoint,
    talking,
    unsending,
    waiting,
)
from gitchat.verbs.standpoint import Standpoint
from gitchat.verbs.unsending import Unsent
from gitchat.verbs.views import Found, Handoff, HowFar, Reading, Seen, Status
from gitchat.workspace import environment as surroundings


class Room(Standpoint):
    """One room of a repository, for the participant ``me``. It need not exist before the first message.

    Besides what is said below, everything that reads can raise FormatError (stored bytes are missing or
    damaged), and everything that writes StorageError (the disk refuses) and ConflictError (somebody stopped
    while writing); then nothing was written.
    """

    # This is the list of the verbs. Each is a function of a module that tells one thing which a participant does, and
    # is written and described there, once: a class of all of them was too long to read, and classes of a few, which
    # Room would pass each call on to, said everything twice.

    @classmethod
    def open(cls, path: str | Path = ".", *, room: str | None = None, name: str | None = None) -> Room:
        """The room of the repository at or above ``path``.

        ``room`` is the one that ``chat.room`` names, else ``lobby``, when it is None; ``name`` is found as
        the command line finds it. Neither has to exist yet.

        Raises:
            UserError: ``not-a-repository``, ``bad-name``.
        """
        return cls(surroundings.here(cwd=str(Path(path).resolve())), room, name)

    send = talking.send
    unsend = unsending.unsend
    redact = redacting.redact
    log = talking.log
    find = talking.find
    after = talking.after
    stretch = talking.stretch
    thread = talking.thread
    search = talking.search
    labels = talking.labels
    message_count = talking.message_count
    describe = talking.describe
    overview = talking.overview
    refuse_unknown = talking.refuse_unknown

    visible = standpoint.visible
    is_for_me = standpoint.is_for_me

    questions = asking.questions
    find_question = asking.find_question
    answers = asking.answers

    unread = reading.unread
    read = reading.read

    mark = marking.mark
    why_not_mark = marking.why_not_mark
    why_not_act = marking.why_not_act
    cursor = marking.cursor
    set_cursor = marking.set_cursor
    cursors = marking.cursors
    how_far = marking.how_far
    delivery = marking.delivery
    asides = pending.asides
    pending = pending.pending  # the last of its module: from here on the name is this

    wait = waiting.wait
    watch = waiting.watch
    watch_async = waiting.watch_async

    summarize = returning.summarize
    summary = returning.summary
    find_summary = returning.find_summary
    summaries = returning.summaries
    since = returning.since
    count_since = returning.count_since
    handoff = returning.handoff
    status = returning.status

    claim = claiming.claim
    release = claiming.release
    claims = claiming.claims
    conflicts = conflicting.conflicts
    take = handovers.take
    undo_take = handovers.undo

    blame = anchoring.blame
    about = anchoring.about
    places = anchoring.places

    join = attendance.join
    register = attendance.register
    leave = attendance.leave
    participants = attendance.participants
    elsewhere = attendance.elsewhere
    names = attendance.names
    who = attendance.who
    clones_of = attendance.clones_of
    is_elsewhere = attendance.is_elsewhere


__all__ = ["Found", "Handoff", "HowFar", "Query", "Reading", "Room", "Seen", "Status", "Unsent"]
