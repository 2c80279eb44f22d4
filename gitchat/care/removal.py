"""What of ours is in a clone, and taking it away: clients' files, hooks, settings, our directory, the rooms if told.

Everything is found first, so that it can be shown and agreed to, and each :class:`Item` is taken away by itself: what
was killed half-way is finished by the next call. The rooms are the team's, and stay unless somebody says otherwise.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gitchat.care import versions
from gitchat.githooks import hooks
from gitchat.model.errors import ChatError
from gitchat.model.names import RoomName
from gitchat.model.query import Query
from gitchat.model.refs import LOCAL_PREFIX, REF_PREFIX
from gitchat.setup import clients, upkeep
from gitchat.setup.place import Place, copies_for
from gitchat.setup.plan import carry_out, plan
from gitchat.work.shares import SharesFile
from gitchat.workspace.config import Config
from gitchat.workspace.environment import Environment

_SECTIONS = ("chat", "chatroom")
_PACKAGE = "git-chatroom"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is ours here. ``take`` removes it, and raises ChatError or OSError where that cannot be."""

    text: str
    take: Callable[[], object]


def items(environment: Environment, *, purges_refs: bool) -> list[Item]:
    """What would be taken away, in the order in which it is. Raises as ``environment.repository``, ``bad-config``."""
    return [
        *_shared(environment),
        *_clients(environment),
        *_hooks(environment),
        *_settings(environment),
        *(_refs(environment) if purges_refs else ()),
        *_directory(environment),
    ]


def only_here(environment: Environment) -> dict[RoomName, int]:
    """How many records of each room are in no other place that we know of; rooms without any are left out."""
    store, counts = environment.store, dict[RoomName, int]()
    for room in store.rooms():
        log = environment.log(room)
        follows = environment.authorities.of(room) is not None
        counts[room] = len(log.pending()) if follows else len(log.listing(Query()).entries)
    return {room: count for room, count in counts.items() if count}


def living(environment: Environment) -> list[tuple[int, str]]:
    """The processes of gitchat that stay in this clone: the number and the words of each."""
    return [(process.pid, words) for process, words in versions.staying(environment)]


def left(environment: Environment, *, purges_refs: bool) -> Iterator[str]:
    """What is not ours to take away, a sentence each, with the command that does it."""
    for place in upkeep.places(environment):
        if place.is_user:
            for client in _set_up(environment, place):
                yield f"for you in all repositories: git chat setup {client} --user --remove"
    yield from _elsewhere(environment)
    yield from _plugins(environment)
    with suppress(ChatError):
        if hooks.directory(environment).scope == "machine" and _installed(environment):
            yield "hooks that every repository of yours runs: git chat hook uninstall"
    if any(key.startswith("chat.") for key in _keys(environment, "--global")):
        yield "your settings for all repositories: git config --global --remove-section chat"
    for remote in sorted(set(environment.authorities.all().values())):
        name = shlex.quote(remote)
        prefix = environment.authorities.layout(remote).prefix
        delete = f"git push {name} --delete $(git ls-remote {name} '{prefix}*' | cut -f2)"
        yield f"the rooms at '{remote}', for everybody: {delete}"
    if not purges_refs and environment.store.rooms():
        yield "the rooms here, with all that was said: git chat uninstall --purge-refs"
    yield f"the program: {_uninstaller()}"


def _clients(environment: Environment) -> Iterator[Item]:
    for place in upkeep.places(environment):
        chosen = [] if place.is_user else _set_up(environment, place)
        if not chosen:
            continue
        copies = copies_for(environment, is_user=False)
        targets = clients.targets([clients.find(name) for name in chosen], place, is_removal=True)
        for target, change in zip(targets, plan(targets, copies, is_removal=True), strict=True):
            if change.before != change.after:
                what = "the file" if change.after is None else "ours in"
                yield Item(f"{what} {place.name(target.path)}", partial(carry_out, [target], copies, is_removal=True))


def _set_up(environment: Environment, place: Place) -> list[str]:
    return [found.client.name for found in upkeep.standings(environment, at=[place]) if found.is_set_up]


def _hooks(environment: Environment) -> Iterator[Item]:
    with suppress(ChatError):  # core.hooksPath is no directory: none are run
        if hooks.directory(environment).scope != "machine" and (names := _installed(environment)):
            yield Item(f"git's hooks: {', '.join(names)}", partial(hooks.uninstall, environment))


def _installed(environment: Environment) -> list[str]:
    return [hook.path.name for hook in hooks.look(environment) if hook.state == "installed"]


def _settings(environment: Environment) -> Iterator[Item]:
    for key in sorted(_keys(environment, "--local")):
        yield Item(f"the setting {key}", partial(environment.repository.set_config, key, None))


def _keys(environment: Environment, scope: str) -> set[str]:
    """The settings of ours in a file of git's configuration; none where there is no such file."""
    with suppress(ChatError, OSError):
        names = Config(environment.repository.git("config", scope, "--list", "-z")).keys()
        return {key for key in names if key.partition(".")[0] in _SECTIONS}
    return set()


def _refs(environment: Environment) -> Iterator[Item]:
    store = environment.store
    for room in store.rooms():
        yield Item(f"the room '{room}' and all that was said there", partial(store.forget_positions, room))
    for prefix in (REF_PREFIX, LOCAL_PREFIX):
        refs = store.backend.list_refs(prefix)
        if refs:
            take = partial(_remove_refs, environment, prefix)
            yield Item(f"{len(refs)} ref{'' if len(refs) == 1 else 's'} below {prefix}", take)


def _remove_refs(environment: Environment, prefix: str) -> None:
    for ref, oid in environment.store.backend.list_refs(prefix):
        environment.store.remove(ref, oid, "gitchat: uninstalled")


def _shared(environment: Environment) -> Iterator[Item]:
    """What others see of the work here; first, for later nobody knows of it."""
    mine = SharesFile(environment.repository.directory).load().mine
    for remote in sorted({one.remote for one in mine.values() if one.oid}):
        yield Item(f"the work that is shared at '{remote}'", partial(_withdraw, environment))


def _withdraw(environment: Environment) -> None:
    from gitchat.verbs.sharing import withdraw  # for who shares

    withdraw(environment)


def _directory(environment: Environment) -> Iterator[Item]:
    directory = environment.repository.directory
    if directory.is_dir():
        yield Item(f"our directory {directory}", partial(_remove_directory, environment, directory))


def _remove_directory(environment: Environment, directory: Path) -> None:
    with environment.store.writing():  # nobody is amid a write
        shutil.rmtree(directory)


def _elsewhere(environment: Environment) -> Iterator[str]:
    """The other work trees with clients' files of ours, which only who works there can tell not to need."""
    found = dict[Path, dict[str, None]]()
    for place in upkeep.places_elsewhere(environment):
        found.setdefault(place.top, {}).update(dict.fromkeys(_set_up(environment, place)))
    for top, names in found.items():
        if names:
            yield f"in the worktree {top}, of {', '.join(names)}: git -C {shlex.quote(str(top))} chat uninstall"


def _plugins(environment: Environment) -> Iterator[str]:
    """What a client installed of us by itself."""
    home = Path(environment.variables.get("HOME") or "/nonexistent")
    with suppress(OSError, UnicodeDecodeError):
        if '"gitchat@' in (home / ".claude" / "settings.json").read_text(encoding="utf-8"):
            yield "the plugin of Claude Code: claude plugin uninstall gitchat@gitchat"
    if (home / ".gemini" / "extensions" / "gitchat").exists():
        yield "the extension of Gemini CLI: gemini extensions uninstall gitchat"


def _uninstaller() -> str:
    """What removes the program, as it was installed."""
    prefix = Path(sys.prefix)
    if prefix.parent.name == "venvs" and "pipx" in prefix.parts:
        return f"pipx uninstall {_PACKAGE}"
    if prefix.parent.name == "tools" and "uv" in prefix.parts:
        return f"uv tool uninstall {_PACKAGE}"
    return f"{shlex.quote(sys.executable)} -m pip uninstall {_PACKAGE}"
