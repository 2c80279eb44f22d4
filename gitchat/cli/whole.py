"""One record with all that is known about it, for ``show``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gitchat.cli import dates
from gitchat.cli.render import Renderer, described
from gitchat.model.escape import escape_line, escape_name
from gitchat.model.names import Uid, handle_of
from gitchat.model.record import AT, MESSAGE, Entry

if TYPE_CHECKING:
    from gitchat.verbs.views import Delivery


def whole(renderer: Renderer, entry: Entry, labels: Mapping[Uid, str], delivery: Delivery) -> str:
    """One record with all that is known about it, as ``git show`` would."""
    record = entry.record
    reply = labels.get(record.reply_to, handle_of(record.reply_to)) if record.reply_to else None
    fields = [
        ("From", f"{escape_name(record.author)} <{record.email}> (unverified)"),
        ("To", ", ".join(record.recipients)),
        ("Date", renderer.date(record.written)),
        ("Kind", record.kind if record.kind != MESSAGE else None),
        ("Type", record.type),
        ("Reply", reply),
        ("Priority", "urgent" if record.urgent else None),
        ("Commit", record.commit),
        ("Branch", record.branch),
        ("Origin", record.origin),
        ("Media", record.media),
        ("Handle", f"~{record.uid}"),
        ("Oid", entry.oid),
        ("Stored", _stored(renderer, entry, delivery)),
        ("Waiting", _waiting(renderer, delivery)),
        ("Fetched", f"elsewhere, {_under(delivery.fetched_by)}" if delivery.fetched_by else None),
        ("Read by", _under(delivery.readers) if delivery.readers else None),
        *(("Attached", described(one)) for one in entry.attachments),
        ("Work", renderer.work(entry)),
        *(pair for pair in record.extra if pair[0] != AT or entry.oid not in renderer.at),
    ]
    title = renderer.screen.style(f"{entry.full_label} in {entry.room}", fg="yellow")
    lines = [
        renderer.screen.fold(f"{key + ':':<9} {escape_line(value)}", " " * 10)
        for key, value in fields
        if value is not None
    ]
    if at := renderer.at.get(entry.oid):
        from gitchat.cli.anchors import shown  # for who says something about code

        lines += map(renderer.screen.clip, shown(at))
    return "\n".join([title, *lines, "", *renderer.shortened(renderer.text(entry), None, ""), ""])


def _stored(renderer: Renderer, entry: Entry, delivery: Delivery) -> str | None:
    """Where a record is, beside here; None where it can be nowhere else."""
    if delivery.remote is None:
        return None
    if entry.aside is not None:
        since = dates.since(entry.aside.since, renderer.now)
        return f"here; set aside since {since}: {entry.aside.remote} does not take it: {entry.aside.why}"
    if delivery.is_accepted:
        return f"here and at {delivery.remote}"
    return f"here; pending at {delivery.remote} since {dates.since(entry.committed_seconds, renderer.now)}"


def _waiting(renderer: Renderer, delivery: Delivery) -> str | None:
    """Why it has no number, where that is known."""
    if delivery.pending is None or delivery.pending.since is None:
        return None
    from gitchat.verbs.pending import words_of  # for who shows what waits

    return words_of(delivery.pending, str, lambda seconds: dates.since(seconds, renderer.now))  # escaped as all fields


def _under(names: Sequence[str]) -> str:
    """Who did something, as far as names tell that."""
    return f"under the name{'s' if len(names) > 1 else ''} {', '.join(names)}"
