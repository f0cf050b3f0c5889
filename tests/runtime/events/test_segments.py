"""Which segment of a type does not fit a pattern."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.events.segments import Misfit, misfit
from choreia.runtime.events.topic import TopicPattern


@pytest.mark.parametrize(
    ("pattern", "type", "expected"),
    [
        ("order.created", "order.created", None),
        ("order.created", "order.paid", Misfit(2, "created", "paid")),
        ("order.created", "stock.created", Misfit(1, "order", "stock")),
        ("order.*", "order", Misfit(2, "*", None)),
        ("order.*", "order.item.added", Misfit(3, None, "added")),
        ("order", "order.paid", Misfit(2, None, "paid")),
        ("order.#", "stock.paid", Misfit(1, "order", "stock")),
        ("#.failed", "task.render.done", Misfit(1, "failed", "task")),
        ("a.#.z.last", "a.b.z.c", Misfit(4, "last", "c")),
    ],
)
def test_the_first_segment_that_does_not_fit(
    pattern: str, type: str, expected: Misfit | None
) -> None:
    assert misfit(TopicPattern(pattern), type) == expected


WORDS = st.sampled_from(["a", "b"])


@given(
    st.lists(st.one_of(WORDS, st.sampled_from("*#")), min_size=1, max_size=6).map(".".join),
    st.lists(WORDS, min_size=1, max_size=6).map(".".join),
)
def test_it_is_told_exactly_when_there_is_one(pattern: str, type: str) -> None:
    topic, segments = TopicPattern(pattern), type.split(".")
    found = misfit(topic, type)
    assert (found is None) is topic.matches(type)
    if found is not None:
        assert found.wanted != found.found
        assert found.found == (segments[found.at - 1] if found.at <= len(segments) else None)
