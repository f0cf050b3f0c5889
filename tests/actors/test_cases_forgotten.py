"""Cases of which not all is remembered, and what is no case here at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from choreia import ActorSystem, Agent, ChoreiaError, Event, MemoryStore, UnknownCase, on


class Clerk(Agent):
    terminal = ("order.closed",)

    @on("order.placed")
    def close(self, event: Event) -> None:
        self.emit("order.closed")
        for number in range(event.payload["notes"]):
            self.emit("order.noted", {"number": number})


@pytest.fixture
def system() -> ActorSystem:
    return ActorSystem(mode="simulated", remember=10)


def _order(system: ActorSystem, id: str, notes: int = 0) -> Event:
    event = system.publish("order.placed", {"notes": notes}, id=id)
    system.wait_idle()
    return event


def test_a_case_has_ended_as_it_did_when_its_last_event_is_forgotten(system: ActorSystem) -> None:
    with system:
        system.spawn(Clerk)
        _order(system, "long", notes=30)

        verdict = system.case("long").verdict
        assert (verdict.word, verdict.whole) == ("completed", False)
        assert verdict.outcome is not None
        assert verdict.outcome.type == "order.closed"
        assert [one.verdict.word for one in system.cases()] == ["completed"]


def test_of_a_case_that_is_forgotten_nothing_is_said(system: ActorSystem) -> None:
    with system:
        system.spawn(Clerk)
        first = _order(system, "first")
        for number in range(20):
            _order(system, f"later-{number}")

        for which in ("first", first):
            with pytest.raises(UnknownCase, match="'first' is remembered"):
                system.case(which)

        # What comes later in it does not make it whole.
        system.publish("order.recalled", correlation_id="first")
        system.wait_idle()
        verdict = system.case("first").verdict
        assert (verdict.word, verdict.whole) == ("died", False)
        assert "not known any more" in verdict.reason


@pytest.mark.parametrize("store", [None, MemoryStore])
def test_an_event_from_elsewhere_is_of_no_case_here(
    store: Callable[[], MemoryStore] | None,
) -> None:
    with ActorSystem(mode="simulated", store=store and store()) as system:
        for ask in (system.case, system.trace, system.explain):
            with pytest.raises(UnknownCase):
                ask(Event(type="order.placed", source="shop"))


@pytest.mark.parametrize("store", [None, MemoryStore])
@pytest.mark.parametrize("which", [None, 3, b"id", ["id"]])
def test_what_names_no_case_is_told(store: Callable[[], MemoryStore] | None, which: object) -> None:
    with ActorSystem(mode="simulated", store=store and store()) as system:
        for ask in (system.case, system.trace, system.explain):
            with pytest.raises(ChoreiaError, match="named by its id, or by an event"):
                ask(which)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_system_that_remembers_nothing_says_so() -> None:
    with ActorSystem(mode="simulated", remember=0) as system:
        for ask in (system.cases, lambda: system.case("x"), lambda: system.unheard):
            with pytest.raises(ChoreiaError, match="remembers nothing"):
                ask()


def test_how_long_a_case_took_is_not_told_from_timestamps_of_others(system: ActorSystem) -> None:
    with system:
        system.spawn(Clerk)
        system.advance(100)
        old = Event("order.placed", "urn:shop", {"notes": 1}, id="old", timestamp=5.0)
        system.publish(old)
        system.wait_idle()

        verdict = system.case("old").verdict
        assert verdict.began == pytest.approx(100, abs=1)
        assert 0 <= verdict.duration < 1
        assert all((hop.latency or 0.0) >= 0 for hop in system.trace("old").hops)
