"""Filters that are typed."""

from __future__ import annotations

import pytest

from choreia import InvalidFilter
from choreia.console.model.filtering import read


def matches(said: str, text: str) -> bool:
    filter = read(said)
    assert filter is not None
    return filter.matches(text)


def test_a_pattern_is_looked_for_anywhere() -> None:
    assert matches("bill", "the billing agent")
    assert matches("^bill.*g$", "billing")
    assert not matches("^ill", "billing")


def test_capitals_count_only_when_some_are_typed() -> None:
    assert matches("billing", "Billing")
    assert not matches("Billing", "billing")


def test_an_exclamation_mark_turns_it_round() -> None:
    assert not matches("!bill", "billing")
    assert matches("!bill", "shop")


@pytest.mark.parametrize("said", ["", "!"])
def test_nothing_typed_is_no_filter(said: str) -> None:
    assert read(said) is None


def test_a_bad_pattern_is_refused() -> None:
    with pytest.raises(InvalidFilter, match="missing \\)"):
        read("(")


def test_a_pattern_that_would_take_others_years_is_done_at_once() -> None:
    assert not matches("(a+)+$", "a" * 5_000 + "!")
