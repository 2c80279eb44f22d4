"""What make lint prints of the house can also fail."""

from __future__ import annotations

import pytest

from checks import places, sizes


@pytest.mark.parametrize(
    ("code", "deed"),
    [
        ('x = "refs/heads/main"', "spells a ref"),
        ('x = f"refs/heads/{name}"', "spells a ref"),
        ("backend.swap_ref(ref, old, new)", "moves a ref"),
        ("import time\ntime.time()", "reads the clock"),
        ("clock = time.time", "reads the clock"),
        ("time.gmtime()", "reads the clock"),
        ("time.strftime('%Y')", "reads the clock"),
        ("datetime.now(UTC)", "reads the clock"),
        ("os.environ['HOME']", "reads the environment"),
        ("os.getenv('HOME')", "reads the environment"),
        ("from random import choice", "reads randomness"),
        ("os.urandom(1)", "reads randomness"),
        ("import subprocess", "starts a process"),
        ("os.posix_spawnp(program, words, {})", "starts a process"),
        ("from pygit2.enums import ObjectType", "knows pygit2"),
        ("import tomlkit.exceptions", "knows tomlkit"),
    ],
)
def test_what_has_a_place_is_found_elsewhere(code: str, deed: str) -> None:
    """Each deed is noticed in a module that is not its place, and allowed in its place."""
    assert f"gitchat/verbs/x.py:{code.count(chr(10)) + 1}: {deed}" in "\n".join(
        places.misplaced("gitchat/verbs/x.py", code)
    )
    for place in places.PLACES[deed]:
        assert places.misplaced(place + ("x.py" if place.endswith("/") else ""), code) == []


@pytest.mark.parametrize(
    "code",
    [
        '"""Moves refs/heads/main by subprocess."""',
        "# os.environ",
        "time.monotonic()",
        "time.gmtime(0)",
        "environment.now()",
    ],
)
def test_what_may_stand_anywhere_is_passed_over(code: str) -> None:
    """Documentation, elapsed time, and what was given as an argument."""
    assert places.misplaced("gitchat/verbs/x.py", code) == []


def test_what_is_too_long_is_told_with_its_name_and_its_limit() -> None:
    """A module, a class and a function of one line more than they may have."""
    body = "".join(f"    x = {line}\n" for line in range(sizes.LIMITS["function"]))
    found = list(sizes.sizes("gitchat/x.py", f"def long():\n{body}"))
    assert sizes.too_long(found) == ["gitchat/x.py:long: a function of 61 lines; the limit is 60"]
    found = list(sizes.sizes("gitchat/x.py", "class Long:\n" + "    x = 1\n" * 300))
    assert [line.partition(";")[0] for line in sizes.too_long(found)] == [
        "gitchat/x.py: a module of 301 lines",
        "gitchat/x.py:Long: a class of 301 lines",
    ]


def test_an_exception_that_is_none_any_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exceptions cannot outlive their reason, and there are only so many."""
    monkeypatch.setitem(sizes.EXCEPTIONS, "class", frozenset({"gitchat/x.py:Short"}))
    told = sizes.too_long(list(sizes.sizes("gitchat/x.py", "class Short:\n    pass\n")))
    assert told == ["exceptions for a class: 1", "gitchat/x.py:Short: needs to be no exception any more"]
