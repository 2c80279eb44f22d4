"""What gitchat costs a session of a real agent's client, with a stand-in for its model. Run by ``make bench``.

The clients are those of ``make test-clients``; where they are not fetched the section says so. Prints Markdown.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import sleep, time
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from figures import interleaved, milliseconds, ratios, spread, table

from tests.clients.loopback import Loopback, NoNetwork
from tests.clients.real.client import Client
from tests.clients.real.vendors import Claude, Codex, Gemini
from tests.clients.stand_in import Request, Script, serving
from tests.clients.waiting import quiet, until

CALLS = 6
ROUNDS = 4
WARM_UPS = 1
RINGS = 4
QUIET_SECONDS = 3.0
IDLE_SECONDS = 30

CONFIGURATIONS: dict[str, Callable[[Client], None]] = {
    "without gitchat": lambda client: None,
    "set up in the work tree: the gate in sh": lambda client: client.setup(),
    "set up for the user (`--user`): the server that runs": lambda client: client.setup("--user"),
}


def main() -> None:
    """Print the tables."""
    if missing := [kind.name for kind in (Claude, Codex) if not kind.programs().exists()]:
        print(f"Not measured: {', '.join(missing)} are not there (`make test-clients`).")
        return
    try:
        with Loopback() as network, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            print("\n\n".join(part(network, Path(scratch)) for part in (calls, runs, bells, idle)))
    except NoNetwork as error:
        print(f"Not measured: {error}.")


def calls(network: Loopback, scratch: Path) -> str:
    """The table of what one call of a tool takes."""
    with _all({name: (Claude, made) for name, made in CONFIGURATIONS.items()}, network, scratch / "calls") as clients:
        for claude in clients.values():
            claude.chat("send", "--as", "ann", "hello")
        times = _timed({name: partial(_per_call, claude) for name, claude in clients.items()})
        version = clients["without gitchat"].scratch.done("claude", "--version").stdout.split()[0]
    without = times["without gitchat"]
    rows = [(name, milliseconds(taken), spread(ratios(taken, without))) for name, taken in times.items()]
    return (
        f"From one request of the model to the next, with a command of the shell that does nothing between them: "
        f"Claude Code {version}, `claude -p`, the median of {CALLS} calls, {ROUNDS} interleaved rounds, in a room in "
        "which nothing is new after the first call.\n\n" + table(["a tool call", "ms, median", "times, paired"], rows)
    )


def _timed(actions: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """What each of ``actions`` says that it took, in interleaved rounds."""
    interleaved(actions, WARM_UPS, lambda action: action())
    return interleaved(actions, ROUNDS, lambda action: action())


def _per_call(claude: Client) -> float:
    """Seconds of one call of a tool, at the median."""
    begin = len(claude.script.asked)
    claude.script.go_on(*[claude.shell("true")] * (CALLS + 1), "done")
    assert claude.headless("go").stdout == "done\n"
    at = [request.at_seconds for request in claude.script.asked[begin + 1 :]]
    return statistics.median(after - before for before, after in pairwise(at))


def bells(network: Loopback, scratch: Path) -> str:
    """The sentence of how soon an idle session's model is asked after a message was sent to it."""
    with _all({kind.name: (kind, lambda client: client.setup("--allow")) for kind in (Claude, Codex)}, network,
              scratch / "bells") as clients:  # fmt: skip
        rows = [(name, *_rung(client)) for name, client in clients.items()]
    return (
        f"From the moment at which `git chat send` returned until the model of an idle session at a terminal is asked, "
        f"{RINGS} messages each.\n\n" + table(["client", "ms, median", "least", "most"], rows)
    )


def _rung(client: Client) -> tuple[str, str, str]:
    name = f"{client.name}-{client.project.name}"
    taken = []
    with client.terminal() as terminal:
        client.script.go_on(*client.calls("join"), "ready")
        client.turns(terminal, "go", 2)
        for number in range(RINGS):  # one name rings five times in an hour
            quiet(lambda: len(client.script.asked), QUIET_SECONDS)
            client.script.go_on(*client.calls("check_in"), "read")
            before = len(client.script.asked)
            client.chat("send", "--as", f"ann-{number}", "--to", name, "--type", "question", "are you there?")
            sent = time()
            rung = until(partial(_asked_after, client, before), told=terminal.screen)
            taken.append(rung[0].at_seconds - sent)
    return milliseconds(taken), milliseconds([min(taken)]), milliseconds([max(taken)])


def _asked_after(client: Client, count: int) -> list[Request]:
    return client.script.asked[count:]


def idle(network: Loopback, scratch: Path) -> str:
    """The sentence of what an idle session costs besides itself."""
    with _all({"claude": (Claude, lambda client: client.setup())}, network, scratch / "idle") as clients:
        claude = clients["claude"]
        claude.chat("send", "--as", "ann", "hello")
        with claude.terminal() as terminal:
            claude.script.go_on("ready")
            claude.turns(terminal, "go", 1)
            quiet(lambda: len(claude.script.asked), QUIET_SECONDS)
            begin, starts = time(), len(claude.python_starts())
            before = _cpu_seconds(claude)
            while time() < begin + IDLE_SECONDS:
                sleep(1)
            used = {pid: seconds - before.get(pid, 0.0) for pid, seconds in _cpu_seconds(claude).items()}
            started = len(claude.python_starts()) - starts
    return (
        f"An idle session of Claude Code has {len(used)} process of gitchat, its server; in {IDLE_SECONDS} s it took "
        f"{sum(used.values()):.2f} s of CPU, and {started} other processes of Python were started."
    )


def _cpu_seconds(client: Client) -> dict[int, float]:
    """Seconds of CPU of each process of gitchat in the client's home."""
    taken = {}
    for pid, words in client.processes():
        if "git-chat" in words:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            taken[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return taken


def runs(network: Loopback, scratch: Path) -> str:
    """The table of what a whole headless run takes, in a room with unread mail."""
    kinds = {
        f"{kind.name}, {name}": (kind, setting_up)
        for kind in (Claude, Codex, Gemini)
        if kind.programs().exists()
        for name, setting_up in (("without gitchat", _as_it_is), ("with it", _set_up))
    }
    with _all(kinds, network, scratch / "runs") as clients:
        times = _timed({name: partial(_run, client) for name, client in clients.items()})
    pairs = ((times[name.replace("with it", "without gitchat")], taken) for name, taken in times.items())
    rows = [
        (name, milliseconds(taken), spread(ratios(taken, without)))
        for name, (without, taken) in zip(times, pairs, strict=True)
    ]
    return (
        f"A whole run without a terminal (`claude -p`, `codex exec`, `gemini -p`) of three tool calls and an answer, "
        f"with a message unread, {ROUNDS} interleaved rounds.\n\n" + table(["run", "ms, median", "times, paired"], rows)
    )


def _as_it_is(client: Client) -> None:
    """As its user has it: Claude Code does not wait for its servers, as it does in the tests."""
    client.scratch.variables.pop("MCP_CONNECTION_NONBLOCKING", None)


def _set_up(client: Client) -> None:
    _as_it_is(client)
    client.setup()


def _run(client: Client) -> float:
    """Seconds of a whole run."""
    client.chat("send", "--as", "ann", "hello")
    client.script.go_on(*[client.shell("true")] * 3, "done")
    begin = time()
    assert client.headless("go").stdout.strip() == "done"
    return time() - begin


Kinds = Mapping[str, tuple[type[Client], Callable[..., None]]]


@contextmanager
def _all(kinds: Kinds, network: Loopback, scratch: Path) -> Iterator[dict[str, Any]]:
    """A client in a home of its own for each of ``kinds``, set up as it says."""
    with ExitStack() as stack:
        made = {}
        for number, (name, (kind, setting_up)) in enumerate(kinds.items()):
            script = Script(["done"], ["done"])
            address = stack.enter_context(serving(script, network.listen()))
            root = scratch / str(number)
            root.mkdir(parents=True)
            made[name] = kind(root, network, address, script)
            stack.callback(made[name].kill)
            setting_up(made[name])
        yield made


if __name__ == "__main__":
    main()
