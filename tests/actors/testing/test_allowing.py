"""Allowances: of what kind, and of which of that kind."""

from __future__ import annotations

from typing import Any

import pytest

from choreia import ChoreiaError, InvalidPattern
from choreia.actors.testing.allowing import KINDS, Allowed, Fault

LETTER = Fault("dead_letters", "…", "bank", "order.placed", "gave_up", ConnectionError("closed"))


@pytest.mark.parametrize(
    ("allowance", "covered"),
    [
        (True, True),
        (False, False),
        ("order.placed", True),
        ("order.*", True),
        ("#", True),
        ("order.paid", False),
        ("bank", True),
        ("shop", False),
        ("gave_up", True),
        ("failed", False),
        (ConnectionError, True),
        (OSError, True),
        (ValueError, False),
        (("shop", "bank"), True),
        (["failed", ValueError], False),
        ((), False),
    ],
)
def test_what_covers_a_dead_letter(allowance: Any, covered: bool) -> None:
    allowed = Allowed()
    allowed.add("dead_letters", allowance)
    assert allowed.covers(LETTER) is covered


def test_one_kind_does_not_cover_another() -> None:
    allowed = Allowed()
    allowed.add("handler_errors", True)
    assert not allowed.covers(LETTER)
    allowed.add("in_flight", "shipping")
    assert allowed.covers(Fault("in_flight", "shipping: awaiting", "shipping"))
    assert not allowed.covers(Fault("in_flight", "payments: awaiting", "payments"))
    assert not allowed.covers(Fault("leaked_agents", "shipping hangs in pack", "shipping"))
    allowed.add("leaked_agents", "shipping")
    assert allowed.covers(Fault("leaked_agents", "shipping hangs in pack", "shipping"))


def test_allowances_add_up() -> None:
    allowed = Allowed()
    for allowance in ("shop", "bank", False):
        allowed.add("dead_letters", allowance)
    assert allowed.covers(LETTER)


def test_what_there_is_not_is_refused() -> None:
    with pytest.raises(ChoreiaError, match=f"there are {', '.join(KINDS)}"):
        Allowed().add("deadletters", True)
    for nothing in (7, None, int, (7,)):
        with pytest.raises(ChoreiaError, match="give True, an event's type or pattern"):
            Allowed().add("dead_letters", nothing)  # type: ignore[arg-type]
    with pytest.raises(InvalidPattern):
        Allowed().add("dead_letters", "order placed")
