"""The causal tree: made of causes and of the log's order, and of nothing else."""

from __future__ import annotations

from random import Random

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.events.event import Event, Metadata
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.insight.formats import FORMATS, render
from choreia.runtime.insight.story import Delivery, State, Story
from choreia.runtime.insight.trace import trace


def story(*causes: int | None, further: dict[int, tuple[str, ...]] | None = None) -> Story:
    """Events e1, e2, …, each caused by that number."""
    events: list[Recorded] = []
    for number, cause in enumerate(causes, 1):
        meta = Metadata(
            correlation_id="case",
            causation_id=None if cause is None else f"e{cause}",
            causes=(further or {}).get(number, ()),
        )
        event = Event("it.happened", "x", {}, id=f"e{number}", timestamp=5.0, metadata=meta)
        events.append(Recorded(number * 10, event, at=number / 10))
    return Story("case", tuple(events), (), ())


def shape(told: Story) -> list[tuple[int, int, int | None]]:
    return [(hop.number, hop.depth, hop.cause) for hop in trace(told).hops]


def test_each_event_stands_below_its_cause_in_the_order_of_the_log() -> None:
    assert shape(story(None, 1, 1, 2, None)) == [
        (1, 0, None),
        (2, 1, 1),
        (4, 2, 2),
        (3, 1, 1),
        (5, 0, None),
    ]


def test_the_order_in_which_a_story_lists_its_events_does_not_matter() -> None:
    told = story(None, 1, 1, 2, None)
    turned = attrs.evolve(told, events=tuple(reversed(told.events)))
    assert shape(turned) == shape(told)


def test_a_circle_is_cut_at_its_first_event() -> None:
    # 1 hangs from the circle 2 → 3 → 2, 4 is its own cause
    assert shape(story(3, 3, 2, 4)) == [(2, 0, None), (3, 1, 2), (1, 2, 3), (4, 0, None)]


def test_the_cause_that_was_cut_is_still_named() -> None:
    assert [hop.further for hop in trace(story(2, 1)).hops] == [(2,), ()]


def test_a_join_names_its_other_causes() -> None:
    told = story(None, 1, 1, 2, further={4: ("e2", "e3", "not-here")})
    joined = trace(told).in_order[3]
    assert (joined.cause, joined.further, joined.elsewhere) == (2, (3,), ("not-here",))


def test_a_cause_in_another_case_is_named_and_is_none_here() -> None:
    told = story(99)
    (hop,) = trace(told).hops
    assert (hop.cause, hop.depth, hop.elsewhere, hop.latency) == (None, 0, ("e99",), None)


def test_latency_is_from_recorded_to_recorded() -> None:
    assert [hop.latency for hop in trace(story(None, 1, 1)).hops] == [
        None,
        pytest.approx(0.1),
        pytest.approx(0.2),
    ]


def test_deliveries_are_with_their_event() -> None:
    there = Delivery("e2", "a", State.HANDLED), Delivery("e2", "b", State.LAGGING)
    told = attrs.evolve(story(None, 1), deliveries=there)
    assert [hop.deliveries for hop in trace(told).hops] == [(), there]


@given(st.lists(st.none() | st.integers(1, 12), max_size=12))
def test_every_event_is_there_once_whatever_it_names_as_its_cause(causes: list[int | None]) -> None:
    hops = trace(story(*causes)).hops
    assert sorted(hop.number for hop in hops) == [*range(1, len(causes) + 1)]
    depths = {hop.number: hop.depth for hop in hops}
    for hop in hops:
        assert hop.depth == (0 if hop.cause is None else depths[hop.cause] + 1)
        assert hop.cause in (None, causes[hop.number - 1])


@pytest.mark.parametrize("form", FORMATS)
def test_timestamps_are_nowhere_in_it(form: str, shop: Story) -> None:
    random = Random(1)
    shuffled = attrs.evolve(
        shop,
        events=tuple(
            attrs.evolve(one, event=attrs.evolve(one.event, timestamp=random.uniform(1, 2e9)))
            for one in shop.events
        ),
    )
    assert render(trace(shuffled), form) == render(trace(shop), form)


@pytest.mark.parametrize("form", FORMATS)
def test_without_times_nothing_tells_how_long(form: str, shop: Story) -> None:
    other = attrs.evolve(
        shop,
        events=tuple(attrs.evolve(one, at=one.at * 3 + 1) for one in shop.events),
        timers=tuple(attrs.evolve(one, due=one.due + 5) for one in shop.timers),
        deliveries=tuple(attrs.evolve(one, since=7.0) for one in shop.deliveries),
    )
    assert render(trace(other), form, times=False) == render(trace(shop), form, times=False)
    assert render(trace(other), form) != render(trace(shop), form)
