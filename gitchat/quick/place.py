"""Where we are: the git directory at or above the current one, as git finds it where nothing is out of the ordinary.

Source: gitrepository-layout(5); git's setup.c, setup_git_directory_gently.
"""

import os

from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_HARMLESS = frozenset(
    {
        "GIT_ASKPASS", "GIT_AUTHOR_DATE", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_NAME", "GIT_COMMITTER_DATE",
        "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_NAME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM",
        "GIT_DIR", "GIT_EDITOR", "GIT_EXEC_PATH", "GIT_INDEX_FILE", "GIT_MERGE_AUTOEDIT", "GIT_OPTIONAL_LOCKS",
        "GIT_PAGER", "GIT_PREFIX", "GIT_REFLOG_ACTION", "GIT_SEQUENCE_EDITOR", "GIT_SSH", "GIT_SSH_COMMAND",
        "GIT_TERMINAL_PROMPT",
    }
)  # fmt: skip
"""What changes neither which repository git uses, but for the first, which is followed, nor, beyond what settings.py
looks at, how it is configured. In a hook git sets some of them.
"""

_OF_TRANSPORTS = ("GIT_SSL_", "GIT_HTTP_", "GIT_CURL_", "GIT_PS1_")


class Place:
    """A repository as seen from the current directory."""

    __slots__ = ("common_dir", "git_dir", "program", "top", "variables")

    def __init__(self, top: str, git_dir: str, common_dir: str, program: str, variables: "Mapping[str, str]") -> None:
        self.top = top
        """Of this worktree: where git goes before it names a file."""
        self.git_dir = git_dir
        """Of this worktree."""
        self.common_dir = common_dir
        """Shared by all worktrees; without symbolic links."""
        self.program = program
        """The git that is run here: the path of its file."""
        self.variables = variables


def find(variables: "Mapping[str, str]") -> Place:
    """The repository here. Raises Unusual: there is none, or git would look twice at it; and OSError."""
    for variable in variables:
        if variable.startswith("GIT_") and variable not in _HARMLESS and not variable.startswith(_OF_TRANSPORTS):
            raise Unusual
    program = _program(variables.get("PATH", ""))
    if "GIT_DIR" in variables:
        return _told(variables["GIT_DIR"], program, variables)
    top = os.getcwd()
    device = os.stat(top).st_dev
    while True:
        try:
            status = os.lstat(top + "/.git")
            break
        except FileNotFoundError:
            pass
        above = os.path.dirname(top)
        if above == top or os.path.lexists(top + "/HEAD") or os.stat(above).st_dev != device:
            raise Unusual
        top = above
    git_dir = top + "/.git"
    if status.st_mode & 0o170000 == 0o100000:
        git_dir = _pointed_to(git_dir)
    elif status.st_mode & 0o170000 != 0o040000:
        raise Unusual
    common_dir = _common_dir(git_dir)
    _refuse_others(git_dir, common_dir, top, top + "/.git", is_raised="SUDO_UID" in variables)
    return Place(top, git_dir, common_dir, program, variables)


def _told(given: str, program: str, variables: "Mapping[str, str]") -> Place:
    """The repository that ``GIT_DIR`` names: the current directory is the top of its work tree."""
    top = os.getcwd()
    git_dir = os.path.normpath(os.path.join(top, given))
    if not given or os.stat(git_dir).st_mode & 0o170000 != 0o040000:
        raise Unusual
    common_dir = _common_dir(git_dir)
    _refuse_others(git_dir, common_dir, is_raised="SUDO_UID" in variables)
    return Place(top, git_dir, common_dir, program, variables)


def _pointed_to(file: str) -> str:
    """The git directory of a worktree beside the first one."""
    line = read(file, 4096).decode()
    if not line.startswith("gitdir: /") or not line.endswith("\n"):
        raise Unusual
    return line[8:-1]


def _common_dir(git_dir: str) -> str:
    try:
        line = read(git_dir + "/commondir", 4096).decode()
    except FileNotFoundError:
        common_dir = git_dir
    else:
        common_dir = os.path.join(git_dir, line.removesuffix("\n"))
    return os.path.realpath(common_dir)


def _refuse_others(git_dir: str, common_dir: str, *others: str, is_raised: bool) -> None:
    """Raise Unusual where it is not wholly ours, or not what git takes for a repository."""
    user = os.geteuid()
    if user != os.getuid() or (user == 0 and is_raised):
        raise Unusual
    for path in {*others, git_dir, common_dir, common_dir + "/objects", common_dir + "/refs"}:
        if os.stat(path).st_uid != user:
            raise Unusual
    head = read(git_dir + "/HEAD", 4096)
    if not (head.startswith(b"ref: refs/") or len(head) == 41):
        raise Unusual


def _program(path: str) -> str:
    """The git that is found along ``path``."""
    for directory in path.split(os.pathsep):
        file = directory + "/git"
        if directory.startswith("/") and os.access(file, os.X_OK):
            return file
        if not directory.startswith("/"):
            raise Unusual
    raise Unusual


def read(path: str, limit_bytes: int) -> bytes:
    """What is in a file. Raises OSError, and Unusual where it is no file or has more than ``limit_bytes``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if status.st_mode & 0o170000 != 0o100000 or status.st_size > limit_bytes:
            raise Unusual
        parts = []
        while part := os.read(descriptor, 65536):
            parts.append(part)
    finally:
        os.close(descriptor)
    return b"".join(parts)
