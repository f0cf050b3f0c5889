"""What is in flight of each case: counted right, told at once, and bounded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from choreia.runtime.delivery.cases import TYPES, Cases, Tally, event_of, events_of
from choreia.runtime.delivery.deadletter import Redelivery
from choreia.runtime.events.event import Event, make_event, make_metadata
from choreia.runtime.events.payload import EMPTY
from choreia.runtime.events.recorded import Recorded

_numbers = iter(range(10**9))


def event(case: str, type: str = "t") -> Event:
    id = f"e{next(_numbers)}"
    return make_event(id, type, "did:choreia:local:test", 0.0, EMPTY, make_metadata(case, None))


def found(cases: Cases, id: str) -> Tally:
    tally = cases.find(id)
    assert tally is not None
    return tally


def standing(cases: Cases, id: str) -> tuple[int, int, int]:
    tally = found(cases, id)
    return tally.count, tally.timers, tally.events


# -- one by one ----------------------------------------------------------------------------------


def test_it_is_in_flight_until_all_have_had_it() -> None:
    cases, one = Cases(), event("c")
    cases.sent(one, 2)
    assert cases.in_flight("c")
    cases.ended([one])
    assert cases.in_flight("c")
    cases.ended([one])
    assert not cases.in_flight("c")
    assert standing(cases, "c") == (0, 0, 1)


def test_an_event_of_no_correlation_is_a_case_of_its_own() -> None:
    cases = Cases()
    alone = make_event(
        "alone", "t", "did:choreia:local:test", 0.0, EMPTY, make_metadata(None, None)
    )
    cases.sent(alone, 1)
    assert cases.in_flight("alone")
    cases.ended([alone])
    assert standing(cases, "alone") == (0, 0, 1)


def test_ends_come_by_the_batch() -> None:
    cases = Cases()
    events = [event(case) for case in "aabbb"]
    told = Counter[str]()
    for case in "ab":
        cases.watch(case, partial(told.update, case))
    for one in events:
        cases.sent(one, 1)
    cases.ended(events[:4])
    assert (told, cases.in_flight("b")) == ({"a": 1}, True)
    cases.ended(events[4:])
    assert told == {"a": 1, "b": 1}


def test_what_nobody_holds_open_ends_at_once() -> None:
    cases, told = Cases(), list[str]()
    cases.watch("c", lambda: told.append("c"))
    cases.sent(event("c"), 0)
    assert told == ["c"]


def test_who_watches_is_told_until_it_stops() -> None:
    cases, told, one = Cases(), list[int](), event("c")
    stop = cases.watch("c", lambda: told.append(1))
    stop_other = cases.watch("c", lambda: told.append(2))
    assert cases.watched == 2
    cases.sent(one, 1)
    assert told == []
    cases.ended([one])
    assert told == [1, 2]
    stop()
    assert cases.watched == 1
    cases.tell("c")
    assert told == [1, 2, 2]
    stop_other()
    cases.tell("c")
    cases.tell("unknown")
    assert (told, cases.watched) == ([1, 2, 2], 0)


def test_a_timer_holds_a_case_open() -> None:
    cases, told, one = Cases(), list[str](), event("c")
    cases.watch("c", lambda: told.append("over"))
    cases.sent(one, 1)
    cases.timer_set(event("c"))
    cases.ended([one])
    assert told == []
    cases.timer_over(one)
    assert told == ["over"]
    assert not cases.in_flight("c")


def test_who_is_told_may_ask() -> None:
    """It is told with no lock held."""
    cases, one, seen = Cases(), event("c"), list[bool]()
    cases.watch("c", lambda: seen.append(cases.in_flight("c") or cases.find("c") is None))
    cases.sent(one, 1)
    cases.ended([one])
    cases.sent(one, 1)
    cases.less(one)
    cases.timer_set(one)
    cases.timer_over(one)
    assert seen == [False] * 3


def test_of_what_is_dropped_it_is_told_later() -> None:
    """A mailbox's lock is held then."""
    cases, told, one = Cases(), list[str](), event("c")
    later: list[Callable[[], None]] = []
    cases.watch("c", lambda: told.append("over"))
    cases.sent(one, 1)
    cases.lost("agent", one, "dropped", later.append)
    assert (told, len(later)) == ([], 1)
    later[0]()
    assert told == ["over"]
    assert cases.losses() == [("agent", one, "dropped")]


def test_a_loss_of_what_was_not_counted_is_noted_once() -> None:
    cases, one = Cases(), event("c")
    cases.sent(one, 0)
    cases.note_loss("agent", one)
    cases.note_loss("agent", one)
    cases.note_loss("other", one)
    assert cases.losses() == [("agent", one, "lost"), ("other", one, "lost")]
    assert standing(cases, "c") == (0, 0, 1)


def test_what_ends_a_case_is_kept_with_it() -> None:
    cases, first, second = Cases(), event("c"), event("c")
    cases.sent(first, 0, ending=True)
    cases.sent(event("c"), 0)
    assert found(cases, "c").outcome is first
    cases.sent(second, 0, ending=True)
    assert found(cases, "c").outcome is second


def test_what_is_retracted_leaves_no_trace() -> None:
    cases, one, other = Cases(), event("c"), event("c")
    cases.sent(one, 2)
    cases.retracted(one, 2)
    assert cases.find("c") is None
    assert (cases.trail(), cases.known()) == ([], [])
    cases.sent(one, 1)
    cases.sent(other, 2)
    cases.retracted(other, 2)
    assert (cases.trail(), standing(cases, "c")) == ([one], (1, 0, 1))


def test_others_that_came_meanwhile_stay_when_one_is_retracted() -> None:
    cases = Cases()
    events = [event(case) for case in "abab"]
    for one in events:
        cases.sent(one, 1)
    cases.retracted(events[1], 1)
    assert cases.trail() == [events[0], *events[2:]]
    assert standing(cases, "b") == (1, 0, 1)


def test_who_waits_is_told_that_it_was_retracted() -> None:
    cases, told, one = Cases(), list[str](), event("c")
    cases.watch("c", lambda: told.append("over"))
    cases.sent(one, 1)
    cases.retracted(one, 1)
    assert told == ["over"]


def test_what_nobody_hears_is_counted_by_type() -> None:
    cases = Cases()
    cases.sent(event("c", "a"), 0, heard=False)
    cases.sent(event("c", "a"), 0, heard=False)
    cases.sent(event("c", "b"), 0, heard=True)  # by who only looks on
    assert cases.unheard == {"a": 2}
    for number in range(2 * TYPES):
        cases.sent(event("c", f"t{number}"), 0, heard=False)
    cases.sent(event("c", "a"), 0, heard=False)
    assert (len(cases.unheard), cases.unheard["a"]) == (TYPES, 3)


def test_it_is_counted_of_a_case_that_is_in_flight_too() -> None:
    cases = Cases()
    cases.sent(event("c"), 1)
    cases.sent(event("c", "a"), 0, heard=False)
    assert cases.unheard == {"a": 1}


def test_what_was_put_in_past_everything_is_not_counted() -> None:
    cases = Cases()
    cases.ended([event("c")])
    assert cases.find("c") is None
    cases.less(event("c"))
    cases.timer_over(event("c"))
    cases.lost("agent", event("c"), "dropped", lambda told: None)
    assert cases.find("c") is None


@pytest.mark.parametrize("first", ["one", "other"])
def test_one_event_on_its_way_in_two_systems(first: str) -> None:
    one, other, same = Cases(), Cases(), event("c")
    one.sent(same, 2)
    other.sent(same, 1)
    for cases in (one, other) if first == "one" else (other, one):
        cases.ended([same])
    assert (standing(one, "c")[0], standing(other, "c")[0]) == (1, 0)
    one.ended([same])
    assert standing(one, "c")[0] == 0


def test_cases_at_rest_are_forgotten_the_oldest_first() -> None:
    cases = Cases(kept=2)
    live = event("live")
    cases.sent(live, 1)
    for case in "abc":
        cases.sent(event(case), 0)
    assert [tally.id for tally in cases.known()] == ["b", "c", "live"]
    assert (cases.find("a"), cases.forgotten) == (None, 1)
    cases.sent(event("b"), 0)  # the newest of them now
    cases.ended([live])
    assert [tally.id for tally in cases.known()] == ["b", "live"]
    assert len(cases.trail()) == 2


def test_what_is_in_flight_is_never_forgotten() -> None:
    cases = Cases(kept=1)
    events = [event(f"c{number}") for number in range(10)]
    for one in events:
        cases.sent(one, 1)
    assert all(cases.in_flight(f"c{number}") for number in range(10))
    cases.ended(events)
    assert [tally.id for tally in cases.known()] == ["c9"]


def test_losses_are_bounded() -> None:
    cases = Cases(kept=2)
    for _ in range(5):
        cases.note_loss("agent", event("c"))
    assert len(cases.losses()) == 2


def test_a_tally_that_is_asked_for_is_not_held_open() -> None:
    cases, one = Cases(), event("c")
    assert cases.keep(one) is cases.keep(one)
    cases.spent(one, 0.5)
    cases.spent(one, 0.25)
    assert found(cases, "c").spent == 0.75
    assert cases.known() == [found(cases, "c")]
    cases.sent(one, 1)
    assert cases.keep(one) is found(cases, "c")
    assert cases.in_flight("c")


def test_the_last_of_the_trail() -> None:
    cases = Cases()
    assert cases.last() is None
    one = event("c")
    cases.sent(one, 1)
    assert cases.last() is one


def test_what_was_said_since() -> None:
    cases = Cases(3)
    events = [event("c") for _ in range(5)]
    assert cases.since(0, 9) == ([], 0)
    for one in events:
        cases.sent(one, 0)
    assert cases.since(3, 9) == (events[3:], 5)
    assert cases.since(0, 9) == (events[2:], 5)
    assert cases.since(0, 1) == (events[4:], 5)
    assert cases.since(5, 9) == cases.since(9, 9) == ([], 5)
    cases.retracted(events[4], 0)
    assert cases.since(3, 9) == (events[3:4], 4)


def test_what_an_item_of_a_mailbox_is_about() -> None:
    one = event("c")
    items: list[object] = [one, Recorded(1, one, 0.0), Redelivery(one, None), ("told",), object()]
    assert [event_of(item) for item in items] == [one, one, one, None, None]
    assert events_of(items) == [one, one, one]


# -- all together ----------------------------------------------------------------------------------

IDS = "abc"
KEPT = 2


class Counting(RuleBasedStateMachine):
    """Whatever happens in whatever order, the counts are those of a plain model."""

    def __init__(self) -> None:
        super().__init__()
        self.cases = Cases(kept=KEPT)
        self.flying: list[Event] = []
        """One entry for each delivery."""
        self.timers: list[Event] = []
        self.told: Counter[str] = Counter()
        self.expected: Counter[str] = Counter()
        self.stops: list[tuple[str, Callable[[], None]]] = []
        self.trail: list[Event] = []

    def quiet(self, case: str) -> bool:
        return not any(case_of(one) == case for one in (*self.flying, *self.timers))

    def ends(self, case: str) -> None:
        """Something has ended there: who watches is told, if it was the last."""
        if self.quiet(case):
            self.expected[case] += sum(watched == case for watched, _ in self.stops)

    def note(self, one: Event) -> None:
        self.trail = [*self.trail, one][-KEPT:]

    @rule(case=st.sampled_from(IDS), count=st.integers(0, 3))
    def send(self, case: str, count: int) -> None:
        one = event(case)
        self.cases.sent(one, count)
        self.note(one)
        self.flying += [one] * count
        if not any(case_of(other) == case for other in self.flying):
            self.ends(case)

    @rule(case=st.sampled_from(IDS), count=st.integers(0, 2))
    def retract(self, case: str, count: int) -> None:
        one = event(case)
        self.cases.sent(one, count)
        if count == 0 and not self.in_flight(case):
            self.ends(case)
        self.cases.retracted(one, count)
        self.trail = self.trail[-(KEPT - 1) :]
        self.ends(case)

    def in_flight(self, case: str) -> bool:
        return any(case_of(one) == case for one in self.flying)

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(1, min(4, len(self.flying))))
        places = data.draw(
            st.lists(
                st.integers(0, len(self.flying) - 1), min_size=size, max_size=size, unique=True
            )
        )
        batch = [self.flying[place] for place in places]
        for one in batch:
            self.flying.remove(one)
            self.ends(case_of(one))
        self.cases.ended(batch)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), why=st.sampled_from(["less", "lost"]))
    def take_off(self, data: st.DataObject, why: str) -> None:
        one = data.draw(st.sampled_from(self.flying))
        self.flying.remove(one)
        self.ends(case_of(one))
        if why == "less":
            self.cases.less(one)
        else:
            self.cases.lost("agent", one, "dropped", lambda tell: tell())

    @rule(case=st.sampled_from(IDS), count=st.integers(1, 2))
    def give_once_more(self, case: str, count: int) -> None:
        one = event(case)
        self.cases.more(one, count)
        self.flying += [one] * count

    @rule(case=st.sampled_from(IDS))
    def set_timer(self, case: str) -> None:
        one = event(case)
        self.cases.timer_set(one)
        self.timers.append(one)

    @precondition(lambda self: self.timers)
    @rule(data=st.data())
    def end_timer(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.timers))
        self.timers.remove(one)
        self.ends(case_of(one))
        self.cases.timer_over(one)

    @rule(case=st.sampled_from(IDS))
    def watch(self, case: str) -> None:
        if len(self.stops) < 4:
            self.stops.append((case, self.cases.watch(case, partial(self.told.update, case))))

    @precondition(lambda self: self.stops)
    @rule(data=st.data())
    def watch_no_more(self, data: st.DataObject) -> None:
        _, stop = self.stops.pop(data.draw(st.integers(0, len(self.stops) - 1)))
        stop()

    @rule(case=st.sampled_from(IDS))
    def ask(self, case: str) -> None:
        self.cases.keep(event(case))

    @invariant()
    def counts_are_right(self) -> None:
        for case in IDS:
            tally = self.cases.find(case)
            count = sum(case_of(one) == case for one in self.flying)
            timers = sum(case_of(one) == case for one in self.timers)
            watched = any(watched == case for watched, _ in self.stops)
            if tally is None:
                assert not count
                assert not timers
                assert not watched
            else:
                assert (tally.count, tally.timers) == (count, timers)
            assert self.cases.in_flight(case) == bool(count)

    @invariant()
    def who_watches_is_told_when_it_is_over_and_only_then(self) -> None:
        assert self.told == self.expected

    @invariant()
    def it_is_bounded(self) -> None:
        live = {case for case in IDS if not self.quiet(case)} | {case for case, _ in self.stops}
        known = [tally.id for tally in self.cases.known()]
        assert len(known) == len(set(known)) <= KEPT + len(live)
        assert live <= set(known)
        assert self.cases.watched == len(self.stops)

    @invariant()
    def the_trail_is_right(self) -> None:
        assert self.cases.trail() == self.trail


def case_of(one: Event) -> str:
    assert one.metadata.correlation_id is not None
    return one.metadata.correlation_id


TestCounting = Counting.TestCase
