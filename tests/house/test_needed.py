"""What a test needs and misses leaves it out, but for under CI."""

from __future__ import annotations

import pytest

from tests.needed import need


def test_who_misses_a_program_is_skipped_and_fails_under_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both say how to get it."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed: make packages"):
        need("no-such-program")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(AssertionError, match="make packages"):
        need("no-such-program")
    assert need("git").endswith("/git")
