"""Fixtures that every test can ask for."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.clones.conftest import Hub
from tests.world import World

# Who is started in the background by a shell inherits that Ctrl-C is ignored, and by nohup that a hang-up is; both
# would be handed on to the programs that the tests interrupt.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


SLOW = Path(__file__).with_name("slow.txt")
"""The tests that were measured to be slow, a node id without its parameters a line. Source: checks/slow_tests.py."""


ASKED_FOR = re.compile(r"^pytestmark = .*\bmark\.(web|clients)\b", re.MULTILINE)
"""That a module is one of those that only ``-m`` with this word runs."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even load what nobody asked for: a browser, a client or generated requests take seconds to import."""
    if collection_path.suffix != ".py":
        return None
    asked = ASKED_FOR.search(collection_path.read_text(encoding="utf-8"))
    return True if asked is not None and asked[1] not in config.option.markexpr else None


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow, so that ``make test`` stays under three minutes, and leave out what only ``web`` asks for."""
    if "web" not in config.option.markexpr:
        left_out = [item for item in items if item.get_closest_marker("web") is not None]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    slow = set(SLOW.read_text(encoding="utf-8").split())
    for item in items:
        if item.nodeid.partition("[")[0] in slow and item.get_closest_marker("soak") is None:
            item.add_marker(pytest.mark.slow)


PROMISES = ("contract", "crash", "format", "property", "storage")
"""Folders whose tests hold what must never fail, not even once: they get no second try."""


@pytest.hookimpl(trylast=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a failure of what we promise stand, also where others may be tried again (``--reruns``)."""
    if item.path.relative_to(Path(__file__).parent).parts[0] in PROMISES:
        item.add_marker(pytest.mark.flaky(reruns=0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what passed only when it was tried again, with what had failed: that is a fault of the test or of ours."""
    tried = terminalreporter.getreports("rerun")
    if tried:
        terminalreporter.section("failed once, and were tried again")
    for report in tried:
        crash = getattr(report.longrepr, "reprcrash", None)
        terminalreporter.line(f"{report.nodeid}: {crash.message if crash is not None else report.longreprtext}")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A sealed world in a directory of its own."""
    return World(tmp_path)


@pytest.fixture
def hub(world: World) -> Hub:
    """A bare repository without a room."""
    return Hub(world, world.root / "hub.git")
