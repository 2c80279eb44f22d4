"""git's configuration, asked once and kept: with what every file that it came from looks like, seen by ``stat``.

A kept answer counts only while all of these are as they were: the program git, the system's file, the user's, the
repository's, also where one is not there; and the variables that name them. A file that was changed in the moment of
the question is not kept: the next change could look the same. What comes from anywhere else (an include, a worktree's
own file, ``git -c``) is unusual. Only what is looked at here is kept, and of remotes no address.

The file is ``chatroom/settings/<checksum>``; it can be thrown away. Source: docs/format.md section 7; git-config(1).
"""

import os
import time
from zlib import crc32

from gitchat.quick.place import Place
from gitchat.quick.spawned import output
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER = "gitchat settings 1"

_NAMING = ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
"""The variables that name the files, or turn one off."""

_SECTIONS = ("chat.", "chatroom.", "user.", "color.", "remote.", "core.logallrefupdates")
"""How the keys begin of which the values are kept."""

_UNUSUAL = ("include.", "includeif.", "extensions.", "core.sharedrepository", "core.worktree")

_MOST_FILES = 16
"""How many kept answers may lie side by side: one for each git, home and user of the repository."""

_FRESH_NANOSECONDS = 50_000_000
_FRESH_WHOLE_NANOSECONDS = 2_500_000_000
"""How old a change has to be before the next one is sure to look different; the second where times are whole seconds.

A kernel's clock for files ticks every 1 to 10 ms.
"""


class Settings:
    """git's configuration here: the values of each key, in order. Keys are spelled as git lists them."""

    __slots__ = ("values",)

    def __init__(self, values: "dict[str, list[str]]") -> None:
        self.values = values

    def get(self, key: str) -> "str | None":
        """The last value of ``key``; None where it is not set. One with a subsection is spelled as git lists it."""
        found = self.values.get(key if key.count(".") > 1 else key.lower())
        return found[-1] if found else None

    def has(self, start: str) -> bool:
        """Whether anything is set whose key begins so."""
        return any(key.startswith(start) for key in self.values)


def settings(place: Place) -> Settings:
    """git's configuration at ``place``. Raises Unusual and OSError."""
    identity = _identity(place)
    files = _named_files(place)
    name = f"{crc32(identity.encode('utf-8', 'surrogateescape')):08x}"
    kept = _kept(place, name, identity)
    if kept is not None and kept.is_valid(files):
        return kept.settings
    system = kept.system_file(files) if kept is not None else None
    if system is None:
        system = _system_file(place)
    paths = [place.program, *([system] if system else []), *files]
    before, asked_at = [look(path) for path in paths], time.time_ns()
    values = _asked(place, paths)
    if [look(path) for path in paths] == before and not any(_is_fresh(path, asked_at) for path in paths):
        _keep(place, name, identity, list(zip(paths, before, strict=True)), values)
    return Settings(values)


def _identity(place: Place) -> str:
    named = "\n".join(f"{name}={place.variables.get(name, '-')}" for name in _NAMING)
    return f"{place.program}\n{place.git_dir}\n{place.common_dir}\n{named}"


def _named_files(place: Place) -> "list[str]":
    """The files of the user and of the repository. Source: git-config(1), FILES."""
    variables = place.variables
    if "GIT_CONFIG_GLOBAL" in variables:
        users = [variables["GIT_CONFIG_GLOBAL"]]
    else:
        home = variables.get("HOME", "")
        users = [f"{variables.get('XDG_CONFIG_HOME') or home + '/.config'}/git/config", home + "/.gitconfig"]
    if not all(path.startswith("/") for path in users):
        raise Unusual
    return [*users, place.common_dir + "/config"]


def look(path: str) -> str:
    """What a file looks like; ``-`` where there is none that can be reached."""
    try:
        at = os.stat(path)
    except OSError:
        return "-"
    return f"{at.st_dev} {at.st_ino} {at.st_mode} {at.st_size} {at.st_mtime_ns} {at.st_ctime_ns}"


def _is_fresh(path: str, now: int) -> bool:
    try:
        at = os.stat(path)
    except OSError:
        return False
    newest = max(at.st_mtime_ns, at.st_ctime_ns)
    is_whole = at.st_mtime_ns % 1_000_000_000 == 0 and at.st_ctime_ns % 1_000_000_000 == 0
    return newest > now - (_FRESH_WHOLE_NANOSECONDS if is_whole else _FRESH_NANOSECONDS)


# --- asking ------------------------------------------------------------------------


def _asked(place: Place, paths: "Iterable[str]") -> "dict[str, list[str]]":
    fields = output(place, "config", "--list", "-z", "--show-origin").decode("utf-8", "replace").split("\0")[:-1]
    known = {f"file:{path}" for path in paths}
    real = {os.path.realpath(path) for path in paths}
    values: dict[str, list[str]] = {}
    for origin, item in zip(fields[::2], fields[1::2], strict=True):
        if origin not in known and _file_of(place, origin) not in real:
            raise Unusual
        key, newline, value = item.partition("\n")
        if key.startswith(_UNUSUAL) or key.endswith(".promisor"):  # git would fetch what is not here
            raise Unusual
        if key.startswith(_SECTIONS):
            value = value if newline else "true"
            values.setdefault(key, []).append("" if key.endswith("url") else value)
    return values


def _file_of(place: Place, origin: str) -> str:
    """The file that git says a value came from, which is relative to the top of the worktree wherever it was asked."""
    return os.path.realpath(os.path.join(place.top, origin.removeprefix("file:")))


def _system_file(place: Place) -> str:
    """Where the file for all users of the system is, or would be; nothing where git does not look for it."""
    variables = place.variables
    if variables.get("GIT_CONFIG_NOSYSTEM", "0").lower() not in ("", "0", "false", "no", "off"):
        return ""
    if "GIT_CONFIG_SYSTEM" in variables:
        return variables["GIT_CONFIG_SYSTEM"]
    # An editor that only tells what it is to edit: git before 2.42 does not say otherwise where the file is.
    said = output(place, "-c", "core.editor=echo", "config", "--system", "--edit", editor="echo").decode()
    if not said.startswith("/") or said.count("\n") != 1:
        raise Unusual
    return said[:-1]


# --- keeping -----------------------------------------------------------------------


def _open_directory(place: Place, *, make: bool) -> int:
    """``chatroom/settings``, of ours alone, never through a link. Raises OSError."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    ours = os.open(place.common_dir + "/chatroom", flags)
    try:
        if make:
            try:
                os.mkdir("settings", 0o700, dir_fd=ours)
            except FileExistsError:
                pass
        return os.open("settings", flags, dir_fd=ours)
    finally:
        os.close(ours)


class _Kept:
    """What was kept."""

    __slots__ = ("_looks", "settings")

    def __init__(self, looks: "list[tuple[str, str]]", values: "dict[str, list[str]]") -> None:
        self._looks = looks
        self.settings = Settings(values)

    def is_valid(self, files: "list[str]") -> bool:
        """Whether it still counts, where git reads ``files``."""
        return {*files} <= {path for path, _ in self._looks} and all(look(path) == seen for path, seen in self._looks)

    def system_file(self, files: "list[str]") -> "str | None":
        """As :func:`_system_file` found it, which only another program or another variable changes; None: ask."""
        (program, seen), *rest = self._looks
        between = [path for path, _ in rest[: len(rest) - len(files)]]
        if look(program) != seen or [path for path, _ in rest[len(between) :]] != files or len(between) > 1:
            return None
        return between[0] if between else ""


def _kept(place: Place, name: str, identity: str) -> "_Kept | None":
    """What was kept by this name for the same ``identity``. Nothing raises."""
    try:
        directory = _open_directory(place, make=False)
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
        finally:
            os.close(directory)
        try:
            status = os.fstat(descriptor)
            if status.st_uid != os.geteuid() or status.st_mode & 0o170077 != 0o100000:
                return None
            data = os.read(descriptor, 1 << 20)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    body = data[:-8]
    if data[-8:] != b"%08x" % crc32(body):
        return None
    header, told, count, *fields = body.decode("utf-8", "surrogateescape").split("\0")
    if header != HEADER or told != identity or not 0 < int(count) <= len(fields) // 2:
        return None
    looks, rest = fields[: 2 * int(count)], fields[2 * int(count) : -1]
    values: dict[str, list[str]] = {}
    for key, value in zip(rest[::2], rest[1::2], strict=True):
        values.setdefault(key, []).append(value)
    return _Kept(list(zip(looks[::2], looks[1::2], strict=True)), values)


def _keep(
    place: Place, name: str, identity: str, looks: "list[tuple[str, str]]", values: "dict[str, list[str]]"
) -> None:
    """Keep it for the next one. Nothing raises: where it cannot be kept, git is asked again."""
    fields = [HEADER, identity, str(len(looks))]
    fields += [part for pair in looks for part in pair]
    fields += [part for key, found in values.items() for value in found for part in (key, value)]
    body = "".join(f"{field}\0" for field in fields).encode("utf-8", "surrogateescape")
    try:
        directory = _open_directory(place, make=True)
    except OSError:
        return
    try:
        others = os.listdir(directory)
        for other in others if len(others) >= _MOST_FILES else ():
            os.unlink(other, dir_fd=directory)
        mine = f"{name}.{os.getpid()}"
        descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory)
        try:
            os.write(descriptor, body + b"%08x" % crc32(body))
        finally:
            os.close(descriptor)
        os.rename(mine, name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        pass
    finally:
        os.close(directory)
