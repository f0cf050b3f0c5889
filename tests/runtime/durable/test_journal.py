"""Entries on their way to the store."""

from __future__ import annotations

from choreia.runtime.durable.journal import Entry
from choreia.runtime.stores.unit import Committed, Unit


def test_who_sees_an_outcome_may_rely_on_what_was_told_of_it() -> None:
    """An agent that found its seat taken, and had no place in the log yet, waited for ever."""
    seen: list[object] = []
    entry = Entry(Unit(), lambda outcome: seen.append(entry.outcome))
    gate = entry.gate()
    gate.then(lambda: seen.append(entry.outcome))
    outcome = Committed()
    entry.end(outcome)
    assert seen == [None, outcome]
    assert entry.gate().is_open
