"""Every command that is printed as a hint is run in the situation in which it is printed, and leads on.

A hint of the source that stands in no table below fails the first test: add a :class:`Situation` to the table of the
repository that fits (``here.py``, ``remotes.py``, ``damage.py``), or a reference to a test that runs it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gitchat.cli import line
from gitchat.model.errors import ChatError
from tests.hints import anchors, carrying, damage, handing, here, remotes, serving
from tests.hints.elsewhere import ELSEWHERE as OTHERS
from tests.hints.elsewhere import NOT_RUN as FEW
from tests.hints.sites import Site, sites
from tests.hints.situation import Elsewhere, NotRun, Repository, Shell, Situation, exists
from tests.world import World

REPOSITORIES = [*here.REPOSITORIES, *remotes.REPOSITORIES, *damage.REPOSITORIES, *serving.REPOSITORIES]
REPOSITORIES += [*carrying.REPOSITORIES, *anchors.REPOSITORIES, *handing.REPOSITORIES]
SITUATIONS = [situation for repository in REPOSITORIES for situation in repository.situations]
ELSEWHERE = [*OTHERS, *serving.ELSEWHERE, *carrying.ELSEWHERE, *handing.ELSEWHERE]
NOT_RUN = [*FEW, *serving.NOT_RUN]
TOLD: Sequence[Situation | Elsewhere | NotRun] = [*SITUATIONS, *ELSEWHERE, *NOT_RUN]
MOST_NOT_RUN = 21


def test_every_hint_with_a_command_is_run_somewhere() -> None:
    """In a table here, in the test that a table names, or it is one of the few that nobody can run."""
    by_place: dict[tuple[str, str], list[Site]] = {}
    for site in sites():
        by_place.setdefault((site.place, site.hint), []).append(site)  # a plural is no other hint
    untold = [
        str(found[0])
        for found in by_place.values()
        if found[0].has_command and not any(site.is_of(one.error, one.hint) for site in found for one in TOLD)
    ]
    assert untold == []


@pytest.mark.parametrize("one", TOLD, ids=lambda one: one.hint[:60])
def test_what_stands_in_a_table_stands_in_the_source(one: Situation | Elsewhere | NotRun) -> None:
    """So that a hint which was reworded is looked at again."""
    assert any(site.is_told and site.is_of(one.error, one.hint) for site in sites())


@pytest.mark.parametrize("one", ELSEWHERE, ids=lambda one: one.test)
def test_a_test_that_is_named_runs_what_it_is_named_for(one: Elsewhere) -> None:
    """It is there, and the words of the command are in it."""
    assert exists(one.test, one.words)


@pytest.mark.parametrize(("written", "meant"), [("/reply", "/reply 1 yes"), ("/room", "/room lobby")])
def test_usage_of_a_line_that_is_written_while_watching_works(written: str, meant: str) -> None:
    """What a line lacks is told by its form, which is understood once it is filled."""
    with pytest.raises(ChatError) as refused:
        line.parse(written)
    filled = refused.value.hint.replace("N TEXT", "1 yes").replace("ROOM", "lobby")
    assert filled == meant
    assert line.parse(filled) is not None


def test_few_hints_are_not_run_and_each_says_why() -> None:
    """What needs another machine, or the network, or hours."""
    assert len(NOT_RUN) <= MOST_NOT_RUN
    assert all(one.reason for one in NOT_RUN)


@pytest.mark.parametrize(
    "repository",
    [pytest.param(one, id=one.name, marks=[pytest.mark.slow] if one.is_slow else []) for one in REPOSITORIES],
)
def test_hint_leads_on_where_it_is_printed(world: World, repository: Repository) -> None:
    """Whoever does what it says gets further."""
    shell = Shell(world, repository)
    wrong: list[str] = []
    for situation in repository.situations:
        try:
            shell.see(situation)
        except AssertionError as failure:
            wrong.append(f"{situation.run} ({situation.error})\n    {failure}")
    assert not wrong, "\n".join(wrong)
