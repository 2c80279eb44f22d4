#!python
"""The ``git-chat`` program, as a wheel's script and as ``python -m gitchat``.

Its first lines see to it that nothing of the project that somebody works on is imported: with ``PYTHONPATH=.``, as
many have it, a ``types.py`` or ``token.py`` of theirs would run in here instead of Python's. An installer's own script
imports by that path before we can say anything, so this file is the script: an installer puts its interpreter into
the first line. Until the path is in order it uses nothing but what Python has loaded for itself.
"""

# No "from __future__": that is a module, too, and would be looked for along the path.
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def put_path_in_order() -> None:
    """Take out of ``sys.path`` what PYTHONPATH has of this work tree, and put the rest of it after Python's and ours.

    What is outside goes on being found, such as coverage's. The directory of the script is no place for modules.
    """
    if not sys.flags.safe_path:
        del sys.path[0]
    given = "" if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "")
    if not given:
        return
    try:
        here = os.getcwd()
    except OSError:  # the directory is gone, and a command will say so
        here = os.sep
    theirs = [os.path.normpath(os.path.join(here, entry)) for entry in given.split(os.pathsep)]
    ours = [entry for entry in sys.path if os.path.normpath(os.path.join(here, entry)) not in theirs]
    top = _top(os.path.realpath(here))
    sys.path[:] = ours + [entry for entry in theirs if not _is_of_the_project(os.path.realpath(entry), top)]


def _top(directory: str) -> str:
    """The top of the work tree that ``directory`` is in, or itself where it is in none."""
    top = directory
    while not os.path.lexists(os.path.join(top, ".git")):
        if top == os.path.dirname(top):
            return directory
        top = os.path.dirname(top)
    return top


def _is_of_the_project(entry: str, top: str) -> bool:
    """Whether the directory ``entry`` is in the work tree, and not of the environment that we run in, which may be."""
    own = [os.path.realpath(prefix) for prefix in (sys.prefix, sys.base_prefix)]
    own += [os.path.dirname(os.path.dirname(os.path.realpath(__file__)))]  # pip install --target
    is_ours = any(_is_in(prefix, top) and prefix != top and _is_in(entry, prefix) for prefix in own)
    return not is_ours and (entry == top or (_is_in(entry, top) and top != os.path.dirname(top)))


def _is_in(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip(os.sep) + os.sep)


def main() -> None:
    """Run the command line and end the process with its exit status.

    The interpreter is not torn down: everything is flushed, the kernel frees what is
    left, and taking apart pygit2 and click costs as much as starting Python.
    """
    status = _at_once(sys.argv[1:])
    if status is None:
        status = _quickly(sys.argv[1:])
    if status is None:
        from gitchat.cli import run

        status = run(sys.argv[1:])
    sys.stderr.flush()
    os._exit(status)


def _at_once(arguments: "Sequence[str]") -> "int | None":
    """The exit status of what an agent's client starts, and waits for; None where it is something else.

    Loading click and the command line takes as long as half of a hook's work. Whatever is not just what ``setup``
    writes is the command line's, which does the same.
    """
    match list(arguments):
        case ["hook", client, event] if not event.startswith("-"):
            from gitchat import agenthook

            return agenthook.main(client, event) if client in agenthook.CLIENTS else None
        case ["mcp"] | ["mcp", "--user-wide"] if sys.stdin is not None and not sys.stdin.isatty():
            from gitchat.server import front

            front.serve(is_user_wide="--user-wide" in arguments)
    return None


def _quickly(arguments: "Sequence[str]") -> "int | None":
    """The exit status of what is plain enough to be done without loading the command line; None for all else."""
    from gitchat.quick import start

    try:
        return start.run(arguments)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        from gitchat.cli import refuse_output

        return refuse_output(error)


if __name__ == "__main__":
    put_path_in_order()
    main()
