"""A real browser on a real server, for the checks in ``*.mjs``: one of each for all of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.escape import escape, escape_name
from tests.world import World

HERE = Path(__file__).parent
TOOLS = HERE.parents[2] / ".tools" / "web"
"""Where ``make chromium`` puts playwright-core and axe-core."""


def need_browser() -> str:
    """Where chromium is. Without it, or what drives it, the test is skipped, or fails under CI."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None or shutil.which("node") is None or not (TOOLS / "node_modules" / "axe-core").exists():
        assert not os.environ.get("CI"), "there is no browser: make chromium"
        pytest.skip("there is no browser: make chromium")
    return chromium


class Browser:
    """What runs checks, and answers what they ask for meanwhile."""

    def __init__(
        self, driver: subprocess.Popen[str], world: World, clone: Path, turn_server: Callable[[str], str]
    ) -> None:
        self._driver, self.world, self.clone, self._turn_server = driver, world, clone, turn_server
        self.milliseconds: dict[str, int] = {}

    def check(self, file: str, name: str, **given: Any) -> None:
        """Run the check ``name`` of ``file.mjs``. Raises AssertionError with what it says."""
        self._tell({"file": file, "check": name, "given": given})
        while True:
            told = self._hear()
            if "done" in told:
                assert told["error"] is None, told["error"]
                self.milliseconds[name] = told["milliseconds"]
                return
            self._tell(self._answer(told))

    def start(self, door: str) -> None:
        """Go in by the address that the server printed; from now on whoever opens a tab is known."""
        self._tell({"url": door.partition("/#")[0].rstrip("/"), "door": door})
        assert self._hear() == {"ready": True}

    def _answer(self, asked: dict[str, Any]) -> Any:
        if "chat" in asked:
            done = self.world.chat(*asked["chat"], cwd=self.clone)
            return {"status": done.returncode, "stdout": done.stdout, "stderr": done.stderr}
        if "escaped" in asked:
            return [escape(text) for text in asked["escaped"]]
        if "names" in asked:
            return [escape_name(text) for text in asked["names"]]
        if "server" in asked:
            return self._turn_server(asked["server"])
        raise AssertionError(f"a check asks for what nobody has: {asked}")

    def _tell(self, value: Any) -> None:
        assert self._driver.stdin is not None
        self._driver.stdin.write(json.dumps(value) + "\n")
        self._driver.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._driver.stdout is not None
        line = self._driver.stdout.readline()
        assert line, f"what drives the browser ended with {self._driver.wait()}"
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def browsing(world: World, clone: Path, door: str, turn_server: Callable[[str], str]) -> Iterator[Browser]:
    """A browser with an empty profile, gone when this ends; ``turn_server`` takes the server ``down`` and ``up``."""
    command: Sequence[str] = ["node", str(HERE / "drive.mjs"), str(TOOLS), str(world.root / "profile"), need_browser()]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(world.home), "LC_ALL": "C.UTF-8"},
    ) as driver:
        browser = Browser(driver, world, clone, turn_server)
        try:
            browser.start(door)
            yield browser
        finally:
            assert driver.stdin is not None
            driver.stdin.close()
            driver.wait(30)
