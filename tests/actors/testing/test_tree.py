"""The tree of what happened: who caused what, short, and safe to look at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from choreia import Event, TopicPattern
from choreia.actors.testing.recording import Record
from choreia.actors.testing.tree import causal_chain, causal_tree, seconds
from choreia.runtime.simulation.clock import SimulatedClock

See = Callable[..., Event]


@pytest.fixture
def record() -> Record:
    return Record(SimulatedClock())


@pytest.fixture
def see(record: Record) -> See:
    """``see(type, cause=None, …)``: record an event, and return it."""

    def one(
        type: str, cause: Event | None = None, source: str = "a", payload: object = {}
    ) -> Event:
        metadata = {"causationId": cause.id} if cause else {}
        event = Event(type, f"did:choreia:local:{source}", payload, metadata=metadata)
        record.see(event)
        return event

    return one


def test_effects_stand_under_their_cause_in_order(record: Record, see: See) -> None:
    first = see("first", source="outside")
    record.simulated(first)
    second = see("second", payload={"n": 2})
    see("effect.one", first, "b")
    see("effect.two", second, "c")
    deep = see("effect.three", first, "d")
    see("effect.of.effect", deep)
    assert causal_tree(record) == [
        "first {}, simulated, at 0 s",
        "  effect.one {}, from b, at 0 s",
        "  effect.three {}, from d, at 0 s",
        "    effect.of.effect {}, from a, at 0 s",
        "second {'n': 2}, from a, at 0 s",
        "  effect.two {}, from c, at 0 s",
    ]


def test_time_is_that_of_the_system(see: See) -> None:
    clock = SimulatedClock()
    record = Record(clock)
    clock.advance_to(30)
    record.see(Event("late", "market", timestamp=1_700_000_000))
    assert causal_tree(record) == ["late {}, from market, at 30 s"]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 s"), (30.0, "30 s"), (0.25, "0.25 s"), (1 / 3, "0.333 s"), (2_592_000, "2592000 s")],
)
def test_seconds_are_short(count: float, text: str) -> None:
    assert seconds(count) == text


def test_who_simulated_is_named_if_it_was_said(record: Record) -> None:
    event = Event("order.placed", "orchestrator")
    record.see(event)
    record.simulated(event)
    assert causal_tree(record) == ["order.placed {}, simulated as orchestrator, at 0 s"]


def test_many_siblings_are_cut_in_the_middle(record: Record, see: See) -> None:
    root = see("root")
    children = [see(f"child.{n}", root) for n in range(20)]
    for n in range(5):
        see("grandchild", children[10], payload={"n": n})
    lines = causal_tree(record)
    assert [line.split()[0] for line in lines] == [
        "root",
        *(f"child.{n}" for n in range(4)),
        "…",
        *(f"child.{n}" for n in range(16, 20)),
    ]
    assert lines[5] == "  … 17 more events …"


def test_few_siblings_are_not(record: Record, see: See) -> None:
    root = see("root")
    for n in range(10):
        see(f"child.{n}", root)
    assert len(causal_tree(record)) == 11


def test_a_long_tree_is_cut(record: Record, see: See) -> None:
    for _ in range(10):
        root = see("root")
        for _ in range(10):
            child = see("child", root)
            for _ in range(10):
                see("grandchild", child)
    lines = causal_tree(record)
    assert len(lines) == 121
    assert lines[60] == "… 990 more lines …"


def test_a_chain_of_a_thousand_links_is_drawn(record: Record, see: See) -> None:
    at = see("link")
    for _ in range(1_000):
        at = see("link", at)
    lines = causal_tree(record)
    assert lines[25].strip().startswith("(25 levels deep) link")
    assert len(causal_chain(record, at)) == 1_001
    assert max(map(len, lines)) < 120


def test_causes_in_a_circle_end(record: Record) -> None:
    one = Event("one", "x", id="1", metadata={"causationId": "2"})
    two = Event("two", "x", id="2", metadata={"causationId": "1"})
    own = Event("own", "x", id="3", metadata={"causationId": "3"})
    for event in one, two, own:
        record.see(event)
    assert [line.split()[0] for line in causal_chain(record, one)] == ["two", "one"]
    assert sorted(line.split()[0] for line in causal_tree(record)) == ["one", "own", "two"]


def test_a_cause_that_was_not_seen_makes_a_root(record: Record) -> None:
    record.see(Event("effect", "x", metadata={"causationId": "elsewhere"}))
    assert causal_tree(record) == ["effect {}, from x, at 0 s"]


def test_the_runtimes_own_are_left_out_unless_they_tell_of_failure(
    record: Record, see: See
) -> None:
    order = see("order")
    see("agent.started")
    letter = {"event_type": "order", "agent": "shop", "reason": "failed", "error": "E: no"}
    see("event.dead_lettered", order, payload=letter)
    told = [
        "order {}, from a, at 0 s",
        "  event.dead_lettered: order at shop (failed, E: no), from a, at 0 s",
    ]
    assert causal_tree(record) == told
    assert causal_tree(record, TopicPattern("#")) == told
    assert causal_tree(record, TopicPattern("agent.*")) == [
        *told,
        "agent.started {}, from a, at 0 s",
    ]


def test_nothing_of_an_event_reaches_the_terminal(record: Record) -> None:
    record.see(Event("order", "\x1b[2Jevil\u202e", {"a": "\x1b[31m", "password": "hunter2"}))
    letter = {"event_type": "\x1b[1m", "agent": "\n\n", "error": "\x07"}
    record.see(Event("event.dead_lettered", "did:choreia:local:x", letter))
    for line in causal_tree(record):
        assert line.isprintable()
        assert "hunter2" not in line
