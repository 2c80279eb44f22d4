"""The hook that stood where ours is: kept under its own name, in a directory of its own beside that of the hooks.

A hook may go by its own file name (``basename "$0"``, as what dispatches does), by what lies beside it
(``dirname "$0"``, a link to its neighbour) or above it. So that of ``hooks/post-commit`` is kept as
``hooks.before-gitchat/post-commit``: as deep as it was, and with a link to each file that lay beside it. Earlier
versions kept it as ``hooks/post-commit.before-gitchat``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

SUFFIX = ".before-gitchat"
_NOT_LINKED = (SUFFIX, ".gitchat-new", ".sample")


def directory_of(hooks: Path) -> Path:
    """Where what stood in ``hooks`` is kept: beside it, also where that is a link to a directory elsewhere."""
    real = Path(os.path.realpath(hooks))
    return real.with_name(real.name + SUFFIX)


def find(hook: Path) -> Path | None:
    """What is kept of ``hook``; None when there is nothing."""
    places = (_place(hook), _former_place(hook))
    return next((place for place in places if os.path.lexists(place)), None)


def name_of(kept: Path) -> str:
    """What a person is told of it: ``hooks.before-gitchat/post-commit``, or only its name where it lies beside ours."""
    return f"{kept.parent.name}/{kept.name}" if kept.parent.name.endswith(SUFFIX) else kept.name


def keep(hook: Path) -> None:
    """Give somebody else's hook its second place. It is run from its first one until ours is moved there.

    Raises OSError; what is there then is still run.
    """
    _copy(hook, _place(hook))


def take_over(hook: Path) -> None:
    """Keep what an earlier version keeps of ``hook`` also where this one does. Raises OSError."""
    former, place = _former_place(hook), _place(hook)
    if os.path.lexists(former) and not os.path.lexists(place):
        _copy(former, place)


def clear_former(hook: Path) -> None:
    """Remove what an earlier version kept, once ours runs it from its new place. Raises OSError."""
    former, place = _former_place(hook), _place(hook)
    if os.path.lexists(former) and os.path.lexists(place) and is_same(former, place):
        former.unlink()


def put_back(hook: Path, kept: Path) -> None:
    """Let ``kept`` stand where ``hook`` is. Raises OSError."""
    if kept.is_symlink() or not _is_elsewhere(hook, kept):
        kept.replace(hook)
    else:
        fresh = hook.with_name(f"{hook.name}.gitchat-new")
        shutil.move(kept, fresh)
        fresh.replace(hook)


def link_neighbours(hooks: Path, ours: Collection[str]) -> None:
    """Link in the directory of what is kept to each file beside the hooks; where nothing is kept do nothing.

    ``ours`` are the names that ours have, or can have: a link from one to itself would run it without end.
    Links to what is gone go. Raises OSError.
    """
    directory = directory_of(hooks)
    if not directory.is_dir():
        return
    _clear_links(hooks)
    for name in sorted(os.listdir(hooks)):
        if name not in ours and not name.endswith(_NOT_LINKED) and not os.path.lexists(directory / name):
            (directory / name).symlink_to(_way_back(hooks) / name)


def tidy(hooks: Path) -> None:
    """Take the links away, and the directory, if nothing is kept any more. Raises OSError."""
    directory = directory_of(hooks)
    if directory.is_dir() and all(_is_link(hooks, directory / name) for name in os.listdir(directory)):
        _clear_links(hooks)
        directory.rmdir()


def is_same(one: Path, other: Path) -> bool:
    """Whether both are one file, or links to one place, or hold the same bytes. Raises OSError."""
    if os.path.samestat(one.lstat(), other.lstat()):
        return True
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return one.read_bytes() == other.read_bytes()


def _copy(hook: Path, place: Path) -> None:
    place.parent.mkdir(exist_ok=True)
    try:
        os.link(hook, place, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system without links, or another one
        shutil.copy2(hook, place, follow_symlinks=False)


def _is_elsewhere(hook: Path, kept: Path) -> bool:
    """Whether the two are on different file systems, between which nothing can be moved at once."""
    return hook.parent.stat().st_dev != kept.lstat().st_dev


def _clear_links(hooks: Path) -> None:
    directory = directory_of(hooks)
    for name in os.listdir(directory):
        if _is_link(hooks, directory / name):
            (directory / name).unlink()


def _is_link(hooks: Path, path: Path) -> bool:
    """Whether ``path`` is a link that we made to what lies beside the hooks."""
    return path.is_symlink() and path.readlink() == _way_back(hooks) / path.name


def _way_back(hooks: Path) -> Path:
    return Path("..", os.path.basename(os.path.realpath(hooks)))


def _place(hook: Path) -> Path:
    return directory_of(hook.parent) / hook.name


def _former_place(hook: Path) -> Path:
    return hook.with_name(hook.name + SUFFIX)
