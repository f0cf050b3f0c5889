from __future__ import annotations

from choreia.bench.topics import (
    MATCHES,
    SUBSCRIPTIONS,
    event_types,
    new_event_types,
    patterns,
)
from choreia.runtime.events.topic import TopicPattern


def test_every_type_matches_ten_of_a_thousand_wildcards() -> None:
    made = patterns()
    assert len(set(made)) == SUBSCRIPTIONS
    assert all("*" in pattern for pattern in made)
    compiled = [TopicPattern(pattern) for pattern in made]
    for name in {*event_types(200), *new_event_types(5)}:
        assert sum(pattern.matches(name) for pattern in compiled) == MATCHES


def test_new_types_are_all_different() -> None:
    assert len(set(new_event_types(500))) == 500
