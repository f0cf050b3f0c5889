"""Cases in a list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from choreia.runtime.errors import ChoreiaError
from choreia.runtime.insight.listing import CaseSummary, check, some, summary
from choreia.runtime.insight.story import Story
from choreia.runtime.insight.verdict import Word


def test_a_summary_says_what_began_it_and_how_it_stands(shop: Story) -> None:
    one = summary(shop)
    assert (one.id, one.type, one.events) == ("e1", "order.placed", 7)
    assert one.verdict.word is Word.RUNNING
    assert summary(shop, 1_000.0).verdict.word is Word.STUCK


def test_no_more_is_looked_at_than_it_takes(shop: Story) -> None:
    dead = summary(Story("x", (), (), ()))

    def cases() -> Iterator[CaseSummary]:
        yield from (dead, summary(shop), dead)
        pytest.fail("nobody wants more")

    assert some(cases(), "died", 2) == [dead, dead]
    assert some(cases(), None, 2) == [dead, summary(shop)]


@pytest.mark.parametrize("verdict", ["dead", "", Word])
def test_a_verdict_that_is_none_is_refused(verdict: object) -> None:
    with pytest.raises(ChoreiaError, match="choose one of running, waiting, stuck, completed"):
        check(verdict, 1)


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, None])
def test_a_limit_that_is_none_is_refused(limit: object) -> None:
    with pytest.raises(ChoreiaError, match="give a whole number of cases, 1 or more"):
        check(None, limit)


def test_what_can_be_asked_for_is_not_refused() -> None:
    check(None, 1)
    check("died", 100)
