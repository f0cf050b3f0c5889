"""What is logged or printed meanwhile is told, and nothing of it is left behind."""

from __future__ import annotations

import logging
import sys

import pytest

from choreia.console.terminal.capture import LONGEST, captured
from choreia.console.terminal.news import Logged, News


@pytest.fixture
def told() -> list[News]:
    return []


def test_prints_are_told_line_by_line(told: list[News]) -> None:
    with captured(told.append):
        print("a", end="")
        print("b\nc")
        print("\x1b[31mred\x1b[0m", file=sys.stderr)
        assert told == [Logged("ab"), Logged("c"), Logged("[31mred[0m")]
        print("the last", end="")
    assert told[-1] == Logged("the last")


def test_streams_are_given_back_when_it_fails(told: list[News]) -> None:
    before = sys.stdout, sys.stderr
    with pytest.raises(ZeroDivisionError), captured(told.append):
        print(1 / 0)
    assert (sys.stdout, sys.stderr) == before


def test_logs_are_told_by_handlers_that_were_there(told: list[News]) -> None:
    handler = logging.StreamHandler(sys.stderr)
    logger = logging.getLogger("choreia.test.capture")
    logger.addHandler(handler)
    logger.propagate = False
    stream = handler.stream
    with captured(told.append):
        logger.warning("careful")
    assert told == [Logged("careful")]
    assert handler.stream is stream


def test_a_line_without_an_end_does_not_grow(told: list[News]) -> None:
    with captured(told.append):
        for _ in range(100):
            print("x" * 1_000, end="")
    assert [isinstance(one, Logged) and len(one.text) for one in told] == [LONGEST]
