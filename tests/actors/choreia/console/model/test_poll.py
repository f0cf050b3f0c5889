"""What is asked for again and again."""

from __future__ import annotations

from choreia.console.model.poll import PATIENCE, Poll


def test_it_is_asked_at_once_and_then_every_so_often() -> None:
    poll = Poll(2.0)
    assert poll.due(100.0)
    poll.answered()
    assert not poll.due(101.9)
    assert poll.due(102.0)


def test_it_is_not_asked_again_while_it_is_on_its_way_but_not_for_ever() -> None:
    poll = Poll(2.0)
    assert poll.due(100.0)
    assert not poll.due(103.0)
    assert poll.due(100.0 + PATIENCE)


def test_it_is_asked_at_once_after_a_reset_or_when_the_clock_was_set_back() -> None:
    poll = Poll(2.0)
    poll.due(100.0)
    poll.reset()
    assert poll.due(100.0)
    assert poll.due(50.0)
