"""A family's place in the log: the mark follows at once, and dealing out is one step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from choreia import ActorSystem, Agent, Event, MemoryStore, on
from choreia.runtime.durable.members.feeds import KeyedLogFeed
from choreia.runtime.durable.members.place import Place
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.unit import Complete


def test_the_mark_moves_on_when_all_is_done_though_nobody_brings_more() -> None:
    """Two members are at it at once: neither knows that the other one is done, too."""
    kept: list[Any] = []
    bus: Any = SimpleNamespace(keep=kept.append)
    front: Any = SimpleNamespace(agent="family")
    place = Place(front, bus, durable=True, start="now")
    feed: Any = SimpleNamespace(fetched=2, worked_off=lambda count: None)
    place.feed = feed
    place.completions.begin(1, 0, ())
    place.completions.take(1)
    place.completions.take(2)
    assert place.completions.completing([2]).low == 0
    assert place.completions.completing([1]).low == 1
    place.completed([2])
    assert kept == []
    place.completed([1])
    assert [unit.complete for unit in kept] == [Complete("family", 1, (), 2)]


class Keeper(Agent):
    key = "payload.of"
    mailbox = 2

    @on("said")
    def hear(self, event: Event) -> None: ...


def test_a_backlog_is_dealt_as_live_events_are_in_one_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A member that lagged says that it has all that was dealt, with the bus's `routing` held:
    so dealing an event, and saying that it was dealt, must not be two steps."""
    dealt: list[tuple[bool, int]] = []
    deal = KeyedLogFeed._deal

    def watched(self: KeyedLogFeed, recorded: Recorded) -> bool:
        dealt.append((self._bus.routing._is_owned(), self.fetched))  # type: ignore[attr-defined]
        return deal(self, recorded)

    monkeypatch.setattr(KeyedLogFeed, "_deal", watched)
    store = MemoryStore()
    with ActorSystem(store=store) as system:
        for n in range(50):
            system.publish("said", {"of": f"k{n % 3}", "n": n})
    with ActorSystem(store=store) as system:
        system.spawn(Keeper, start="beginning")
        system.wait_idle(20)
        for n in range(50):
            system.publish("said", {"of": f"k{n % 3}", "n": n})
        system.wait_idle(20)
    assert len(dealt) == 100
    assert all(owned for owned, _ in dealt)
    assert [fetched for _, fetched in dealt] == sorted(fetched for _, fetched in dealt)


def test_that_a_member_lags_no_more_is_said_in_one_step_with_the_look() -> None:
    class Watched(dict[object, Any]):
        def pop(self, key: object, *default: Any) -> Any:
            owned.append(bus.routing._is_owned())
            return super().pop(key, *default)

    owned: list[bool] = []
    store = MemoryStore()
    with ActorSystem(store=store) as system:
        bus: Any = system._engine.bus
        system.spawn(Keeper)
        system.wait_idle(10)
        front: Any = system._roster.cell("keeper").feed
        front._place.completions.lagging = Watched()
        system.pause("keeper")
        for n in range(20):
            system.publish("said", {"of": "k", "n": n})
        assert len(front._place.completions.lagging) == 1
        system.resume("keeper")
        system.wait_idle(20)
        assert front._place.completions.lagging == {}
    assert owned
    assert all(owned)
