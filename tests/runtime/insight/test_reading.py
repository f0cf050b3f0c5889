"""A case as a store tells it: what is over, what is on its way, and that nothing looks finished
because somebody wrote while it was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from choreia.runtime.errors import UnknownCase
from choreia.runtime.events.event import Event, Metadata
from choreia.runtime.events.recorded import LIVE
from choreia.runtime.insight.interests import encode
from choreia.runtime.insight.reading import Reading, case_of, story
from choreia.runtime.insight.story import Ask, Interest, State, Story
from choreia.runtime.stores.memory import MemoryStore
from choreia.runtime.stores.unit import (
    Change,
    Committed,
    Complete,
    DropLetter,
    KeepInterest,
    KeepLetter,
    KeepRecord,
    Letter,
    Move,
    Seat,
    SetTimer,
    Unit,
)


def event(id: str, type: str = "order.placed", cause: str | None = None) -> Event:
    meta = Metadata(correlation_id="e1", causation_id=cause)
    return Event(type, "urn:shop", {"id": 1}, id=id, timestamp=1.0, metadata=meta)


def unit(*events: Event, **rest: Any) -> Unit:
    return Unit(events, [orjson.dumps(one.payload) for one in events], **rest)


def commit(store: MemoryStore, *units: Unit, now: float = 1.0) -> None:
    for outcome in store.commit(units, now):
        assert isinstance(outcome, Committed), outcome


def keep(agent: str, *asks: Ask, durable: bool = True, **rest: Any) -> KeepInterest:
    interest = Interest(agent, asks or (Ask("order.placed"),), durable=durable, **rest)
    return KeepInterest(agent, encode(interest), durable)


def seated(store: MemoryStore, agent: str, *asks: Ask, **rest: Any) -> None:
    commit(store, Unit(seat=Seat(agent), changes=[keep(agent, *asks, **rest)]))


def letter(agent: str, about: Event, **rest: Any) -> Letter:
    return Letter(agent, about, "failed", "OSError: no", "…", 3, 7.0, **rest)


def states(told: Story) -> dict[tuple[str, str], State]:
    return {(one.event_id, one.agent): one.state for one in told.deliveries}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_what_the_cursor_has_not_come_to_lags(store: MemoryStore) -> None:
    seated(store, "a")
    seated(store, "b")
    commit(store, unit(event("e1")), now=5.0)
    commit(store, Unit(move=Move("a", 1, 0, 1)))
    told = story(store, "e1")
    assert states(told) == {("e1", "a"): State.HANDLED, ("e1", "b"): State.LAGGING}
    assert [one.since for one in told.deliveries] == [None, 5.0]


def test_above_a_familys_mark_what_is_completed_is_handled(store: MemoryStore) -> None:
    seated(store, "a")
    commit(store, unit(event("e1"), event("e2")))
    commit(store, Unit(complete=Complete("a", 1, (2,), 0)))
    assert states(story(store, "e1")) == {
        ("e1", "a"): State.LAGGING,
        ("e2", "a"): State.HANDLED,
    }


def test_what_is_not_for_an_agent_is_no_delivery(store: MemoryStore) -> None:
    seated(store, "filter", Ask("#", {"payload.id": 2}))
    seated(store, "topic", Ask("stock.#"))
    seated(store, "keyed", Ask("#"), key="payload.no")
    commit(store, unit(event("e1")))
    seated(store, "late", Ask("#"))
    assert story(store, "e1").deliveries == ()


def test_a_dead_letter_is_no_handled_event_though_the_cursor_is_past_it(
    store: MemoryStore,
) -> None:
    seated(store, "a", key="payload.id")
    commit(store, unit(event("e1")))
    dead = KeepLetter(letter("a:1", event("e1")))
    commit(store, Unit(move=Move("a", 1, 0, 1), changes=[dead]))
    (one,) = story(store, "e1").deliveries
    assert (one.agent, one.state, one.reason, one.error, one.attempts, one.since) == (
        "a",
        State.DEAD,
        "failed",
        "OSError: no",
        3,
        7.0,
    )


def test_a_dead_letter_on_its_way_back_is_not_over(store: MemoryStore) -> None:
    seated(store, "a")
    commit(store, unit(event("e1")))
    back = KeepLetter(letter("a", event("e1"), waiting=True))
    commit(store, Unit(move=Move("a", 1, 0, 1), changes=[back]))
    assert states(story(store, "e1")) == {("e1", "a"): State.LAGGING}


def test_a_dead_letter_of_somebody_without_an_interest_is_told_too(store: MemoryStore) -> None:
    commit(store, unit(event("e1"), changes=[KeepLetter(letter("told", event("e1")))]))
    assert states(story(store, "e1")) == {("e1", "told"): State.DEAD}


def test_of_who_has_no_cursor_only_dead_letters_are_known(store: MemoryStore) -> None:
    commit(store, Unit(changes=[keep("a", durable=False), keep("b", durable=False)]))
    commit(store, unit(event("e1"), changes=[KeepLetter(letter("b", event("e1")))]))
    assert states(story(store, "e1")) == {("e1", "b"): State.DEAD}


def test_news_of_an_earlier_run_are_not_on_their_way(store: MemoryStore) -> None:
    seated(store, "a")
    commit(store, unit(event("e1"), flags=LIVE))
    assert story(store, "e1").deliveries == ()
    assert story(store, "e1", run_from=1).deliveries == ()
    assert states(story(store, "e1", run_from=0)) == {("e1", "a"): State.LAGGING}
    commit(store, Unit(move=Move("a", 1, 0, 1)))
    assert states(story(store, "e1")) == {("e1", "a"): State.HANDLED}


def test_what_was_erased_goes_to_nobody(store: MemoryStore) -> None:
    seated(store, "a")
    commit(store, unit(event("e1")))
    store.erase(correlation_id="e1", reason="asked", now=2.0)
    assert story(store, "e1").deliveries == ()


def test_timers_letters_and_records_of_other_cases_are_left_out(store: MemoryStore) -> None:
    other = Event("x", "urn:shop", {}, id="o1", timestamp=1.0)
    changes: list[Change] = []
    for one, key in ((event("t1", "order.late"), "mine"), (other, "other")):
        changes.append(SetTimer("a", key, 9.0, one))
        changes.append(KeepLetter(letter("a", one)))
        changes.append(KeepRecord("a", one.metadata.correlation_id or "o1", key, b"{}"))
    commit(store, unit(event("e1"), other, changes=changes))
    told = story(store, "e1")
    assert [one.key for one in told.timers] == ["mine"]
    assert [one.name for one in told.records] == ["mine"]
    assert [one.event.id for one in told.events] == ["e1"]
    assert told.deliveries == ()


def test_a_case_is_named_by_itself_and_by_each_of_its_events(store: MemoryStore) -> None:
    commit(store, unit(event("e1"), event("e2")))
    first = Event("x", "urn:shop", {}, id="c1", timestamp=1.0)
    later = Event(
        "x", "urn:shop", {}, id="c2", timestamp=1.0, metadata=Metadata(correlation_id="trip")
    )
    commit(store, unit(first, later))
    assert [case_of(store, id) for id in ("e1", "e2", "c1", "c2", "trip")] == [
        "e1",
        "e1",
        "c1",
        "trip",
        "trip",
    ]


@pytest.mark.parametrize("id", ["e9", "", "\x1b[31m"])
def test_what_is_neither_is_refused(store: MemoryStore, id: str) -> None:
    with pytest.raises(UnknownCase) as caught:
        case_of(store, id)
    assert caught.value.id == id
    assert str(caught.value).isprintable()


# -- somebody writes meanwhile ----------------------------------------------------------------

READS = ("completed", "cursors", "letters", "timers", "records", "read", "interests")


class Meanwhile(MemoryStore):
    """Once, just before or after something is read, something happens."""

    def arm(self, read: str, happen: Callable[[], None], *, before: bool) -> None:
        method = getattr(self, read)

        def reads(*given: Any, **named: Any) -> Any:
            setattr(self, read, method)
            if before:
                happen()
            found = method(*given, **named)
            if read in ("read", "records"):  # these are read when they are gone through
                found = iter([*found])
            if not before:
                happen()
            return found

        setattr(self, read, reads)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("read", READS)
def test_no_turn_is_seen_in_part(read: str, before: bool) -> None:
    """It handles an event, and says another, which somebody else is to handle."""
    store = Meanwhile()
    seated(store, "a")
    seated(store, "b", Ask("order.paid"))
    commit(store, unit(event("e1")))

    def turn() -> None:
        commit(store, unit(event("e2", "order.paid", "e1"), move=Move("a", 1, 0, 1)))

    store.arm(read, turn, before=before)
    told = states(story(store, "e1"))
    if told["e1", "a"] is State.HANDLED:
        assert told["e2", "b"] is State.LAGGING


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("read", READS)
def test_no_timer_is_gone_before_its_event_is_there(read: str, before: bool) -> None:
    store = Meanwhile()
    seated(store, "b", Ask("order.late"))
    late = SetTimer("a", "k", 9.0, event("t1", "order.late"))
    commit(store, unit(event("e1"), changes=[late]))
    store.arm(read, lambda: commit(store, unit(late.event, fires=late)), before=before)
    told = story(store, "e1")
    assert told.timers or states(told)["t1", "b"] is State.LAGGING


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("read", READS)
def test_no_dead_letter_is_taken_for_handled(read: str, before: bool) -> None:
    store = Meanwhile()
    seated(store, "a")
    commit(store, unit(event("e1")))
    dead = KeepLetter(letter("a", event("e1")))
    store.arm(
        read,
        lambda: commit(store, Unit(move=Move("a", 1, 0, 1), changes=[dead])),
        before=before,
    )
    assert states(story(store, "e1"))["e1", "a"] in (State.DEAD, State.LAGGING)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("read", READS)
def test_no_letter_is_gone_before_what_came_of_it_is_there(read: str, before: bool) -> None:
    store = Meanwhile()
    seated(store, "a")
    seated(store, "b", Ask("order.paid"))
    commit(store, unit(event("e1")))
    dead = KeepLetter(letter("a", event("e1")))
    commit(store, Unit(move=Move("a", 1, 0, 1), changes=[dead]))
    redelivered = unit(event("e2", "order.paid", "e1"), changes=[DropLetter("a", "e1")])
    store.arm(read, lambda: commit(store, redelivered), before=before)
    told = states(story(store, "e1"))
    assert told["e1", "a"] is State.DEAD or told["e2", "b"] is State.LAGGING


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("read", READS)
def test_nobody_is_left_out_who_comes_meanwhile(read: str, before: bool) -> None:
    """An agent takes its place, and then hears what was published behind it."""
    store = Meanwhile()
    commit(store, unit(event("e1")))

    def come() -> None:
        seated(store, "c", Ask("order.paid"))
        commit(store, unit(event("e2", "order.paid", "e1")))

    store.arm(read, come, before=before)
    told = story(store, "e1")
    if any(one.event.id == "e2" for one in told.events):
        assert states(told)["e2", "c"] is State.LAGGING


# -- many cases -------------------------------------------------------------------------------


def begun(store: MemoryStore, *ids: str) -> None:
    for id in ids:
        commit(store, unit(Event("order.placed", "urn:shop", {"id": 1}, id=id, timestamp=1.0)))


def test_many_cases_are_told_as_each_by_itself(store: MemoryStore) -> None:
    seated(store, "a")
    seated(store, "b", key="payload.id")
    begun(store, "c1", "c2", "c3")
    about = [store.find(id) for id in ("c1", "c2")]
    changes = [KeepLetter(letter("a", one.event)) for one in about if one is not None]
    late = Event("late", "urn:shop", {}, id="c4", timestamp=1.0)
    commit(store, Unit(move=Move("a", 1, 0, 2), changes=[*changes, SetTimer("a", "k", 9.0, late)]))
    commit(store, Unit(complete=Complete("b", 1, (2,), 0)))
    found = list(Reading(store).newest())
    assert [one.correlation_id for one in found] == ["c3", "c2", "c1"]
    assert found == [story(store, one.correlation_id) for one in found]


@pytest.mark.parametrize("together", [1, 2, 3, 1_000])
def test_none_is_left_out_between_two_batches(store: MemoryStore, together: int) -> None:
    ids = [f"c{n}" for n in range(7)]
    begun(store, *ids)
    told = [one.correlation_id for one in Reading(store).newest(together)]
    assert told == ids[::-1]


def test_what_cases_have_in_common_is_read_once(store: MemoryStore) -> None:
    begun(store, *(f"c{n}" for n in range(5)))
    reading = Reading(store)

    def again(*_: object) -> None:
        pytest.fail("once is enough")

    for read in ("completed", "cursors", "letters", "timers"):
        setattr(store, read, again)
    assert len(list(reading.newest(2))) == 5


def test_what_is_done_while_cases_are_gone_through_only_looks_less_far(store: MemoryStore) -> None:
    """The cursors are old by then, and the log and the records are not."""
    seated(store, "a")
    seated(store, "b", Ask("order.paid"))
    commit(store, unit(event("e1")))
    reading = Reading(store)
    commit(store, unit(event("e2", "order.paid", "e1"), move=Move("a", 1, 0, 1)))
    commit(store, Unit(move=Move("b", 1, 0, 2)))
    (told,) = reading.newest()
    assert states(told) == {("e1", "a"): State.LAGGING, ("e2", "b"): State.LAGGING}


def test_who_comes_between_two_batches_is_known(store: MemoryStore) -> None:
    begun(store, "c1", "c2")
    reading = Reading(store)
    told = reading.newest(1)
    assert next(told).deliveries == ()
    seated(store, "late", Ask("order.paid"))
    meta = Metadata(correlation_id="c1")
    paid = Event("order.paid", "urn:shop", {}, id="c3", timestamp=1.0, metadata=meta)
    commit(store, unit(paid))
    assert states(next(told)) == {("c3", "late"): State.LAGGING}
