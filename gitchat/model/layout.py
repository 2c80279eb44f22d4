"""Where the rooms stand at a remote: as here, or below a prefix of its branches. Pure.

Some hosts take branches only, so that ``refs/chatroom/X`` has to be ``refs/heads/chatroom/X`` there. Nothing but what
is said to that remote knows it: here, and in what is kept of the remote, refs have their own names.
Source: docs/format.md section 12.23.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitchat.model.names import RefName
from gitchat.model.refs import HEADS, REF_PREFIX

_BRANCHES = re.compile(HEADS + r"(?:(?!\.)(?:(?!\.\.)[\w.-])+(?<!\.)(?<!\.lock)/){1,8}", re.ASCII)
"""What branches can begin with: names that no shell, no git and no file system takes for anything else."""

MAX_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Layout:
    """What the refs of rooms are called at one remote.

    **Invariant:** ``prefix`` ends in a slash, and two layouts of one remote share no ref.
    """

    prefix: str = REF_PREFIX
    """What stands there for ``refs/chatroom/``."""

    @property
    def is_plain(self) -> bool:
        """Whether refs are called there as they are here."""
        return self.prefix == REF_PREFIX

    def there(self, ref: str) -> RefName:
        """What ``ref``, or a pattern of refs, is called at the remote; itself, when it is none of a room's."""
        return RefName(self.prefix + ref.removeprefix(REF_PREFIX) if ref.startswith(REF_PREFIX) else ref)

    def here(self, ref: str) -> RefName:
        """What the remote's ``ref`` is called here; the other way round than :meth:`there`."""
        return RefName(REF_PREFIX + ref.removeprefix(self.prefix) if ref.startswith(self.prefix) else ref)


PLAIN = Layout()
"""That of a host that takes any ref."""

BRANCHES = Layout(f"{HEADS}chatroom/")
"""The one that is proposed, and looked for, where a host takes branches only."""


def parse_prefix(text: str) -> Layout | None:
    """The layout below ``text``; None where no remote could have rooms there.

    That is ``refs/chatroom/``, or a branch's name that ends in a slash, ``refs/heads/`` before it.
    """
    is_valid = text == REF_PREFIX or (len(text) <= MAX_CHARACTERS and _BRANCHES.fullmatch(text) is not None)
    return Layout(text) if is_valid else None
