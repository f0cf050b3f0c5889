"""Whom an event was for, by the interests that were there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from choreia.runtime.events.event import Event
from choreia.runtime.events.filter import Filter
from choreia.runtime.events.payload import Json
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.events.topic import TopicPattern
from choreia.runtime.insight.matching import Listeners
from choreia.runtime.insight.story import Ask, Interest


def at(
    position: int, type: str = "order.placed", payload: dict[str, Json] | None = None
) -> Recorded:
    return Recorded(position, Event(type, "x", payload or {}))


def names(listeners: Listeners, recorded: Recorded) -> list[str]:
    return [one.agent for one in listeners.of(recorded)]


def test_it_was_there_behind_its_beginning_and_up_to_its_end() -> None:
    listeners = Listeners([Interest("a", (Ask("#"),), since=3, until=5)])
    assert [position for position in range(1, 8) if names(listeners, at(position))] == [4, 5]


def test_several_subscriptions_of_one_agent_are_one_delivery() -> None:
    listeners = Listeners([Interest("a", (Ask("order.*"), Ask("#"), Ask("stock.*")))])
    assert names(listeners, at(1)) == ["a"]


def test_filters_and_keys_have_a_say() -> None:
    listeners = Listeners(
        [
            Interest("cheap", (Ask("order.*", {"payload.sum": {"$lt": 5}}),)),
            Interest("keyed", (Ask("order.*"),), key="payload.id"),
        ]
    )
    assert names(listeners, at(1, payload={"sum": 3})) == ["cheap"]
    assert names(listeners, at(1, payload={"sum": 7, "id": "x"})) == ["keyed"]


PATTERNS = st.sampled_from(["a.b", "a.*", "#", "*.b", "a.#", "c"])
ASKS = st.builds(Ask, PATTERNS, st.none() | st.just({"payload.n": {"$gt": 1}}))


@given(
    st.lists(st.tuples(ASKS, ASKS, st.integers(0, 3), st.none() | st.integers(0, 3)), max_size=6),
    st.sampled_from(["a.b", "a.c", "c", "d"]),
    st.integers(1, 4),
    st.integers(0, 3),
)
def test_it_agrees_with_asking_one_by_one(
    said: list[tuple[Ask, Ask, int, int | None]], type: str, position: int, n: int
) -> None:
    interests = [
        Interest(f"i{place}", (one, other), since, until)
        for place, (one, other, since, until) in enumerate(said)
    ]
    recorded = at(position, type, {"n": n})
    expected = [
        one.agent
        for one in interests
        if one.since < position
        and (one.until is None or position <= one.until)
        and any(
            TopicPattern(ask.pattern).matches(type)
            and (ask.filter is None or Filter(ask.filter).matches(recorded.event))
            for ask in one.asks
        )
    ]
    assert names(Listeners(interests), recorded) == expected
