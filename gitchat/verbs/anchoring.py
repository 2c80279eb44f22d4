"""Messages about code: where what they are about stands now, and what was said about a file.

A room over HTTP has no work tree that is its caller's: there a message says where it was, and nothing of now.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gitchat.index.condition import LISTED, Condition, about_commits, about_file, answering
from gitchat.model.errors import UserError
from gitchat.model.names import Oid
from gitchat.model.record import Entry
from gitchat.verbs.standpoint import Standpoint, entries_at

if TYPE_CHECKING:  # loaded by who asks about code, and Room by every hook
    from gitchat.model.anchor import Anchor, Excerpt
    from gitchat.model.hunks import Lines
    from gitchat.model.placing import Place
    from gitchat.work.blaming import Origins
    from gitchat.work.tracing import Tracer
    from gitchat.workspace.repository import Repository

MOST_MESSAGES = 500
"""Of how many messages about one file, the newest, it is told where they are."""


@dataclass(frozen=True, slots=True)
class At:
    """One place that a message is about."""

    anchor: Anchor
    """Where it was."""
    excerpt: Excerpt | None
    """How it read; None for a whole file, and where that was not kept."""
    place: Place | None
    """Where it is now; None where nobody can say."""


@dataclass(frozen=True, slots=True)
class Said:
    """What was said about some lines of a file."""

    entries: tuple[Entry, ...]
    """The messages about it; of an anchor the one, and the answers to it."""
    lines: tuple[Lines, ...] = ()
    """Where it is now, the first first; none for a whole file, and where it is gone."""
    at: At | None = None
    """The anchor; None for messages about a commit."""
    commit: str | None = None
    """The commit that the lines are from and the messages are about; of lines that are gone the one that took them
    away, as git abbreviates it."""
    subject: str = ""
    """Its first line: data of others."""

    @property
    def is_gone(self) -> bool:
        """Whether the lines are no more."""
        return self.at is not None and self.at.place is not None and self.at.place.state == "gone"


@dataclass(frozen=True, slots=True)
class Blamed:
    """What was said about a file, the oldest line first; what is about the whole of it before, what is gone behind."""

    path: str
    """From the top of the repository."""
    said: tuple[Said, ...]
    left: int = 0
    """How many older messages about it were left out."""


@dataclass(slots=True)
class Files:
    """What the places of several messages have in common, so that git is asked once."""

    room: Standpoint
    commit: str | None = None
    """Where to look; None for the work tree."""
    known: dict[str, str] = field(default_factory=dict)
    """What files are called now that had another name."""
    is_elsewhere: bool = False
    """Whether the caller's work tree is not this one."""
    searches: bool = True
    """Whether the history may be searched for what became of a file."""
    _tracer: Tracer | None = None

    @property
    def tracer(self) -> Tracer | None:
        """None where there is no work tree that is the caller's."""
        environment = self.room.environment
        is_here = not self.is_elsewhere and environment.party is None
        if self._tracer is None and is_here and (self.commit or not environment.repository.location.is_bare):
            from gitchat.work.tracing import Tracer

            self._tracer = Tracer(environment.repository, self.commit, searches=self.searches)
        return self._tracer

    def places(self, entry: Entry) -> list[At]:
        """As :func:`places`."""
        from gitchat.model.anchor import numbered, parse_excerpt

        anchors = numbered(entry.record)
        kept = self.room.environment.store.excerpts(entry.tree) if anchors and entry.tree is not None else {}
        found = []
        for number, anchor in anchors.items():
            excerpt = parse_excerpt(kept[number], anchor.lines) if number in kept and anchor.lines is not None else None
            place = None
            if self.tracer is not None:
                place = self.tracer.place(anchor, entry.record.commit, excerpt, self.known.get(anchor.path))
            found.append(At(anchor, excerpt, place))
        return found


def places(room: Standpoint, entry: Entry, *, is_elsewhere: bool = False) -> list[At]:
    """What ``entry`` is about, in its sender's order, how that read, and where it stands now in the work tree.

    Who ``is_elsewhere``, with a work tree of its own, is not told where it stands in this one.
    """
    return Files(room, is_elsewhere=is_elsewhere).places(entry) if entry.record.at else []


def about(room: Standpoint, file: str, *, is_elsewhere: bool = False) -> Condition:
    """The records about ``file``, also under names that it had before, or about any file below that directory.

    ``file`` is taken from where we are, and where there is none from the top; from the top by who ``is_elsewhere``.

    Raises:
        UserError: ``not-in-repository``.
    """
    is_elsewhere = is_elsewhere or room.environment.party is not None
    path = path_of(room, file, is_at_top=is_elsewhere)
    tracer = Files(room, is_elsewhere=is_elsewhere).tracer
    if tracer is None:
        return about_file([_shown(path)], below=_shown(path))
    if (room.environment.repository.worktree / path).is_dir():
        return about_file([], below=_shown(path))
    return about_file([_shown(name) for name in sorted({path, *_former(room, tracer, path, None)})])


def blame(room: Standpoint, file: str, revision: str | None = None, lines: Lines | None = None) -> Blamed:
    """What was said about each line of ``file`` as it is now, or at ``revision``; only of ``lines``, where given.

    Messages about a commit stand at the lines that are from it, messages about lines where these are now, with the
    answers to them.

    Raises:
        UserError: ``no-such-file``, ``not-a-file``, ``no-such-lines``, ``not-in-repository``, ``no-such-commit``,
            ``no-work-tree``.
    """
    from gitchat.work.blaming import blame as git_blame

    repository = room.environment.repository
    commit = repository.commit(revision) if revision is not None else None
    path = path_of(room, file, is_at_commit=commit is not None)
    _check(repository, file, path, commit, lines)
    origins = git_blame(repository, path, commit, lines)
    files = Files(room, commit)
    assert files.tracer is not None
    names = _former(room, files.tracer, path, origins if lines is None else None)
    files.known = dict.fromkeys(names, path)
    chain = room.records.chain()
    condition = Condition.all_of([LISTED, about_file([_shown(name) for name in (path, *sorted(names))])])
    found = entries_at(room, chain.select(condition, limit=MOST_MESSAGES, newest=True))
    said = [one for entry in found for one in _anchored(files, entry, path, {path, *names}, lines)]
    answers = _answers(room, found)
    said = [replace(one, entries=(*one.entries, *answers[one.entries[0].oid])) for one in said]
    said += _of_commits(room, origins)
    said.sort(key=lambda one: (one.is_gone, one.lines[:1], one.entries[0].number or chain.total))
    return Blamed(path, tuple(said), max(0, chain.count_of(condition) - len(found)))


def path_of(room: Standpoint, file: str, *, is_at_commit: bool = False, is_at_top: bool = False) -> str:
    """``file`` from the top of the repository. Raises UserError ``not-in-repository``."""
    from gitchat.model.anchor import is_path
    from gitchat.work import texts

    environment = room.environment
    repository = environment.repository
    path: str | None = os.path.normpath(file) if file.strip() and "\0" not in file else None
    if path is not None and not is_at_top and not repository.location.is_bare:
        top, typed = repository.worktree, os.path.join(environment.cwd, path)
        inside = texts.within(top, typed)
        is_from_here = os.path.isabs(path) or path.startswith("..") or os.path.lexists(typed)
        if is_from_here or not (is_at_commit or os.path.lexists(top / path)):
            path = inside
    if path is None or not (is_path(path) or path == "."):
        raise UserError(
            f"{file!r} is no file within this repository", hint="name one of its files: git ls-files",
            code="not-in-repository",
        )  # fmt: skip
    return path


def _shown(path: str) -> str:
    from gitchat.model.anchor import Anchor

    return Anchor(path).shown


def _check(repository: Repository, file: str, path: str, commit: str | None, lines: Lines | None) -> None:
    """Refuse to blame what is no file, or has no such lines. Raises UserError."""
    from gitchat.model.anchor import lines_of
    from gitchat.work import texts

    if commit is None:
        if repository.location.is_bare:
            raise UserError(
                "a bare repository has no files of its own", hint=f"name a commit: git chat blame HEAD {file}",
                code="no-work-tree",
            )  # fmt: skip
        if (repository.worktree / path).is_dir():
            raise UserError(f"{file!r} is a directory", hint="name a file in it", code="not-a-file")
        content = texts.read(repository.worktree, path)
    else:
        content = texts.blob_at(repository, commit, path)
    if content is None:
        raise UserError(
            f"there is no file {file!r}{' at that commit' if commit is not None else ''}",
            hint="of one that is gone name a commit that has it: git chat blame REV FILE",
            code="no-such-file",
        )
    count = len(lines_of(content))
    if lines is not None and lines[1] > count:
        raise UserError(
            f"{file!r} has {count:,} line{'' if count == 1 else 's'}, and no line {lines[1]}",
            hint=f"name lines from 1 to {count}: -L 1,{count}" if count else "leave -L out",
            code="no-such-lines",
        )


def _former(room: Standpoint, tracer: Tracer, path: str, origins: Origins | None) -> set[str]:
    """Names under which something was said about the file, and that no file has now: those that git says it had."""
    from gitchat.work.blaming import blame as git_blame

    missing = {name for name in room.records.chain().anchored() if name != path and not tracer.has(name)}
    if not missing or not tracer.has(path):
        return set()
    found = origins if origins is not None else git_blame(room.environment.repository, path, tracer.commit, None)
    return missing & found.names


def _anchored(files: Files, entry: Entry, path: str, names: set[str], lines: Lines | None) -> Iterable[Said]:
    """What a message says about the file, for each place in it; with ``lines`` only where these are now."""
    for at in files.places(entry):
        place = at.place
        if at.anchor.path not in names or (place is not None and place.path not in (None, path)):
            continue
        spot = place.lines if place is not None else at.anchor.lines
        said = Said((entry,), () if spot is None else (spot,), at)
        if lines is not None and (spot is None or spot[0] > lines[1] or spot[1] < lines[0]):
            continue
        if said.is_gone and entry.record.commit is not None and files.tracer is not None:
            removed = files.tracer.removed_in(at.anchor, entry.record.commit, at.excerpt)
            said = Said((entry,), (), at, removed)
        yield said


def _answers(room: Standpoint, roots: Sequence[Entry]) -> dict[Oid, list[Entry]]:
    """For each message the answers to it that are about no lines themselves, and the answers to these, oldest first."""
    root_of = {entry.record.uid: entry.oid for entry in roots}
    found: dict[Oid, list[Entry]] = {entry.oid: [] for entry in roots}
    chain, new = room.records.chain(), set(root_of)
    while new:
        entries = entries_at(room, chain.select(Condition.all_of([LISTED, answering(new)])))
        entries = [one for one in entries if one.record.reply_to in new and one.record.uid not in root_of]
        for entry in entries:
            assert entry.record.reply_to is not None
            root_of[entry.record.uid] = root_of[entry.record.reply_to]
            found[root_of[entry.record.uid]].append(entry)
        new = {entry.record.uid for entry in entries}
    return {oid: sorted(ones, key=lambda one: (one.number is None, one.number or 0)) for oid, ones in found.items()}


def _of_commits(room: Standpoint, origins: Origins) -> list[Said]:
    """Messages and statuses about the commits that the lines are from."""
    if not origins.lines:
        return []
    kinds = Condition("kind IN ('message', 'status')")
    condition = Condition.all_of([about_commits(origins.lines), kinds])
    found: dict[str, list[Entry]] = {}
    for entry in entries_at(room, room.records.chain().select(condition, limit=MOST_MESSAGES, newest=True)):
        if entry.record.commit is not None and not entry.record.at:  # those say where they are
            found.setdefault(entry.record.commit, []).append(entry)
    return [
        Said(tuple(entries), tuple(origins.lines[commit]), None, commit, origins.subjects.get(commit, ""))
        for commit, entries in found.items()
    ]


def listed(room: Standpoint, entries: Sequence[Entry], *, searches: bool = True) -> dict[Oid, list[At]]:
    """For each record that is about code, by its commit: where that is now.

    An answer that must not take long ``searches`` no history: what only that could tell is not told.
    """
    files = Files(room, searches=searches)
    return {entry.oid: files.places(entry) for entry in entries if entry.record.at}
