"""Fixtures: a client in a scratch home, in a network with loopback only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.clients.loopback import Loopback, NoNetwork
from tests.clients.real.client import AGENTS, Client, Make
from tests.clients.real.vendors import Claude, Codex
from tests.clients.stand_in import Script, serving
from tests.needed import missing

ASKED_FOR = "clients"
"""The mark of a test that only ``-m`` with this word runs: its clients are large, and fetched when it is run."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests with real clients out where nobody asked for them."""
    if ASKED_FOR in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker(ASKED_FOR)]
    items[:] = [item for item in items if not item.get_closest_marker(ASKED_FOR)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def network() -> Iterator[Loopback]:
    """A network with loopback only."""
    try:
        with Loopback() as made:
            yield made
    except NoNetwork as error:
        missing(str(error))


@pytest.fixture(scope="module")
def make(network: Loopback, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make[Client]]:
    """Makes a client in a scratch home of its own, with a model that says nothing but "done"."""
    with ExitStack() as stack:

        def made(kind: type[Client]) -> Client:
            if not kind.programs().exists():
                missing(f"{kind.name} is not in {AGENTS}: make test-clients")
            script = Script(["done"], ["done"])
            address = stack.enter_context(serving(script, network.listen()))
            client = kind(tmp_path_factory.mktemp(kind.name), network, address, script)
            stack.callback(client.kill)
            return client

        yield made


@pytest.fixture
def claude(make: Make[Claude]) -> Claude:
    """Claude Code."""
    return make(Claude)


@pytest.fixture
def codex(make: Make[Codex]) -> Codex:
    """Codex."""
    return make(Codex)
