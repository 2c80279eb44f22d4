"""What tests need of the system. Who misses it skips the test; under CI, where nothing may be left out, it fails."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

WHERE = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"
"""Where programs lie that not only root starts."""


def missing(what: str) -> NoReturn:
    """Skip the test because of ``what``, or fail it under CI."""
    assert not os.environ.get("CI"), what
    pytest.skip(what)


def need(program: str) -> str:
    """Where ``program`` is, which ``make packages`` installs; see :func:`missing`."""
    return shutil.which(program, path=WHERE) or missing(f"{program} is not installed: make packages")
