"""What a path of the work tree may be that somebody else names: where it may lead, and who acts by what stands there.

Pure. Source: git's path.c, verify_path and is_ntfs_dotgit; docs/format.md section 19.
"""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase

Path = bytes
"""A path from the top of the repository, as git stores it."""

_UNSEEN = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
"""What HFS+ leaves out of a name. Source: git's utf8.c, next_hfs_char."""


def problem_of_path(path: Path) -> str | None:
    """Why nothing may be written to a path, whoever names it; None for one that is good on every file system."""
    if not path or path.startswith(b"/") or b"\0" in path:
        return "is no path in the repository"
    if b"\\" in path:
        return "has a backslash, which is a slash elsewhere"
    for part in path.split(b"/"):
        if part in (b"", b".", b".."):
            return "leads out of the repository"
        if is_git(part):
            return "is git's own"
    return None


def is_git(part: bytes) -> bool:
    """Whether a part of a path is ``.git`` to some file system: to NTFS also ``.GIT. ``, ``git~1``, ``.git::$DATA``."""
    name = _UNSEEN.sub("", part.decode("utf-8", "replace")).casefold()
    return name.partition(":")[0].rstrip(" .") in (".git", "git~1")


def leads_out(path: Path, target: bytes) -> bool:
    """Whether a link at ``path`` leads out of the repository, or to what is git's own."""
    if target.startswith(b"/") or b"\\" in target or b":" in target[:2] or b"\0" in target:
        return True
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return place == b".." or place.startswith(b"../") or any(map(is_git, place.split(b"/")))


_ACTED_UPON = (
    *(".gitattributes", ".gitmodules", ".gitconfig", ".lfsconfig"),
    *(".envrc", ".mcp.json", ".cursorrules"),
    *("CLAUDE.md", "CLAUDE.local.md", "AGENTS.md", "AGENTS.override.md", "GEMINI.md"),
)
_ACTED_IN = (
    *(".claude", ".codex", ".gemini", ".opencode", ".cursor", ".agents"),
    *(".vscode", ".idea", ".devcontainer", ".husky", ".githooks"),
)


def is_acted_upon(path: Path) -> bool:
    """Whether programs act by what stands there though nobody runs it: git's attributes, an agent's hooks."""
    parts = [part.casefold() for part in path.decode("utf-8", "replace").split("/")]
    return parts[-1] in _FOLDED_NAMES or any(part in _ACTED_IN for part in parts[:-1]) or parts[-1] in _ACTED_IN


_FOLDED_NAMES = frozenset(name.casefold() for name in _ACTED_UPON)

_KEPT = (
    *(".env", ".env.*", ".envrc", ".netrc", "_netrc", ".pgpass", ".htpasswd", ".git-credentials"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*"),
)
_TEMPLATES = ("*.example", "*.sample", "*.template", "*.dist", "*.pub")


def is_kept_by_name(path: Path) -> bool:
    """Whether a file is called as what nobody hands over by mistake: ``.env``, ``server.pem``, ``id_rsa``."""
    name = posixpath.basename(path).decode("utf-8", "replace").casefold()
    return any(fnmatchcase(name, one) for one in _KEPT) and not any(fnmatchcase(name, one) for one in _TEMPLATES)


def is_pointer(content: bytes) -> bool:
    """Whether a blob stands for a larger file that git LFS keeps elsewhere. Source: git-lfs's spec.md."""
    return content.startswith(b"version https://git-lfs.github.com/spec/") and len(content) < 1024
