"""What is shown while there is no system."""

from __future__ import annotations

import pytest

from choreia.console.model.asks import Quit
from choreia.console.terminal.contract import Model
from choreia.console.terminal.waiting import Waiting


@pytest.mark.parametrize(("width", "height"), [(80, 24), (5, 1), (1, 1), (40, 2)])
def test_lines_fit(width: int, height: int) -> None:
    model: Model = Waiting()
    model.notice("two systems could be\x1b meant")
    lines = model.lines(width, height)
    assert len(lines) == height
    assert {sum(len(span.text) for span in line) for line in lines} == {width}


def test_it_says_what_it_waits_for_and_why() -> None:
    model = Waiting()
    model.notice("several could be meant")
    shown = [line[0].text.rstrip() for line in model.lines(80, 3)]
    assert shown == ["waiting for a running system (q quits)", "several could be meant", ""]


def test_it_can_be_left() -> None:
    assert Waiting().press("q") == [Quit()]
    assert not Waiting().press("j")
