"""Work that a message hands over, as it is here: read from its tree, whoever wrote that, and found sound or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gitchat.model.attachment import directory_of
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid
from gitchat.model.overlay import DIRECTORY, LINK, WORK, Overlay, commits_of, read, shown
from gitchat.model.paths import Path, is_acted_upon, leads_out
from gitchat.model.tree import TreeEntry

_LONGEST_LINK = 4096
"""How long what a link says may be. Source: path_resolution(7), PATH_MAX."""


class Objects(Protocol):
    """The objects here, of which each is read whole or not at all; all raise FormatError."""

    def read_tree(self, oid: Oid) -> tuple[TreeEntry, ...]:
        """The entries of a tree."""

    def read_blob(self, oid: Oid) -> bytes:
        """The content of a blob."""

    def empty_tree(self) -> Oid:
        """The tree without entries."""

    def size_of_blob(self, oid: Oid) -> int:
        """How many bytes a blob has, without reading them."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What a message hands over."""

    overlay: Overlay
    base: Oid
    work: Oid
    """The trees of these versions, as they are stored."""
    commits: Oid | None
    """The blob with a bundle of the commits below it; None where there is none."""
    risks: tuple[tuple[Path, str], ...]
    """What only a person should take, and why: what programs act by unasked, and links that lead elsewhere."""


def handed(objects: Objects, tree: Oid | None) -> Handed | None:
    """What stands in a commit's tree; None where it hands over nothing.

    Raises:
        UserError: ``work-too-large``: more than anybody hands over.
        FormatError: some of it is missing, damaged, or what nobody writes who means well.
    """
    entries = objects.read_tree(tree) if tree is not None else ()
    wip = directory_of(entries, DIRECTORY)
    if wip is None:
        return None
    overlay = read(wip, objects.read_tree)
    sizes = {
        version.oid: objects.size_of_blob(version.oid) for side in overlay.sides.values() for version in side.values()
    }
    risks: dict[Path, str] = {}
    for path in overlay.paths:
        versions = (side[path] for side in (overlay.work, overlay.index) if path in side)
        for version in versions:
            if version.mode == LINK:
                if sizes[version.oid] > _LONGEST_LINK:
                    raise FormatError(
                        f"the link {shown(path)} of this work is none", hint="git chat verify", code="damaged-object"
                    )
                if leads_out(path, objects.read_blob(version.oid)):
                    risks[path] = "is a link out of the repository"
        if is_acted_upon(path):
            risks.setdefault(path, "is acted upon by programs without being run")
    top = objects.read_tree(wip)
    base, work = (directory_of(top, name.encode()) or objects.empty_tree() for name in ("base", WORK))
    return Handed(overlay, base, work, commits_of(top), tuple(risks.items()))
