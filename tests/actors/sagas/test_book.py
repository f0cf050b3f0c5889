"""The book: who may go forward, who back, who waits, and what is forgotten."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from choreia.actors.sagas.book import CaseBook, Way
from choreia.actors.sagas.records import StepRecord, StepState, extension_of, places_of
from choreia.runtime.events.event import Event
from choreia.runtime.stores.unit import CaseRecord

DONE, DOING = StepState.DONE, StepState.DOING
FAILURE = ("f1", "case.failed")


def record(agent: str, state: StepState = DONE, *after: str, **more: Any) -> StepRecord:
    given: dict[str, Any] = {"kind": "step", "compensates": True, "on": ("case.*",), **more}
    places = tuple((one, "step:do") for one in after)
    return StepRecord(agent, "step:do", state, f"{agent}-event", after=places, **given)


def place(agent: str) -> tuple[str, str]:
    return agent, "step:do"


def back(book: CaseBook, agent: str, failure: tuple[str, str] = FAILURE) -> Way:
    return book.go_back("case", place(agent), failure, None)


@pytest.fixture
def book() -> CaseBook:
    return CaseBook()


def test_what_nothing_stands_on_may_be_undone(book: CaseBook) -> None:
    book.put("case", record("a"))
    book.put("case", record("b", DONE, "a"))
    assert back(book, "b") is Way.GO
    assert back(book, "a") is Way.WAIT


def test_who_waited_is_named_when_it_may_go_on(book: CaseBook) -> None:
    for one in (record("a"), record("b", DONE, "a"), record("c", DONE, "b")):
        book.put("case", one)
    assert back(book, "a") is Way.WAIT
    assert back(book, "b") is Way.WAIT
    [wake] = book.put("case", record("c", StepState.COMPENSATED, "b"))
    assert (wake.agent, wake.failure) == ("b", FAILURE)
    [wake] = book.put("case", record("b", StepState.COMPENSATED, "a"))
    assert wake.agent == "a"
    assert back(book, "a") is Way.GO


def test_it_stands_on_what_is_far_away_too(book: CaseBook) -> None:
    book.put("case", record("a"))
    book.put("case", record("b", DONE, "a", compensates=False))
    book.put("case", record("c", DONE, "b"))
    assert back(book, "a") is Way.WAIT


@pytest.mark.parametrize(
    "other",
    [
        {"compensates": False},
        {"on": ("another.*",)},
        {"state": StepState.FAILED},
        {"state": StepState.TOMBSTONED},
        {"state": StepState.COMPENSATED},
        {"state": DOING},
        {"after": ()},
    ],
)
def test_who_will_not_undo_anything_is_not_waited_for(
    book: CaseBook, other: dict[str, Any]
) -> None:
    book.put("case", record("a"))
    book.put("case", attrs.evolve(record("b", DONE, "a"), **other))
    assert back(book, "a") is Way.GO


def test_a_circle_that_somebody_outside_has_made_ends(book: CaseBook) -> None:
    book.put("case", record("a", DONE, "b"))
    book.put("case", record("b", DONE, "a"))
    book.put("case", record("c", DONE, "c"))
    assert back(book, "a") is Way.WAIT
    assert back(book, "c") is Way.GO


def test_what_is_undone_in_the_same_turn_counts_as_undone(book: CaseBook) -> None:
    book.put("case", record("a"))
    book.put("case", record("b", DONE, "a"))
    assert book.go_back("case", place("a"), FAILURE, None, {place("b")}) is Way.GO


def test_cases_have_nothing_to_do_with_each_other(book: CaseBook) -> None:
    book.put("case", record("a"))
    book.put("other", record("b", DONE, "a"))
    assert back(book, "a") is Way.GO


# -- pivots ---------------------------------------------------------------------------------


def test_forward_or_back_whoever_is_first(book: CaseBook) -> None:
    book.put("case", record("a"))
    assert back(book, "a") is Way.GO
    assert not book.go_forward("case", place("p"))
    assert book.go_forward("other", place("p"))


def test_a_pivot_in_hand_is_waited_for(book: CaseBook) -> None:
    book.put("case", record("a"))
    assert book.go_forward("case", place("p"))
    assert book.go_forward("case", place("p"))  # another attempt
    assert back(book, "a") is Way.WAIT
    [wake] = book.let_go("case", place("p"))
    assert wake.agent == "a"
    assert back(book, "a") is Way.GO


@pytest.mark.parametrize(
    ("state", "way"), [(DONE, Way.PASSED), (StepState.FAILED, Way.GO), (DOING, Way.WAIT)]
)
def test_what_has_become_of_the_pivot_decides(book: CaseBook, state: StepState, way: Way) -> None:
    book.put("case", record("a"))
    book.go_forward("case", place("p"))
    assert back(book, "a") is Way.WAIT
    woken = book.put("case", record("p", state, "a", kind="pivot", compensates=False))
    assert bool(woken) is (way is not Way.WAIT)
    assert back(book, "a") is way
    assert book.passed("case") is (state is DONE)


# -- remembering ------------------------------------------------------------------------------


def test_what_a_store_has_kept_is_known_again() -> None:
    kept: dict[str, list[CaseRecord]] = {
        "case": [
            record("a", owed=True, failure=FAILURE).case_record("case"),
            record("b", DONE, "a").case_record("case"),
            record("p", DOING, kind="pivot").case_record("case"),
            CaseRecord("x", "case", "budget", b"not ours"),
        ]
    }
    asked: list[str] = []

    def load(case: str) -> list[CaseRecord]:
        asked.append(case)
        return kept.get(case, [])

    book = CaseBook(load)
    assert [one.agent for one in book.records("case")] == ["a", "b", "p"]
    assert book.record("case", place("a")) == record("a", owed=True, failure=FAILURE)
    assert back(book, "b") is Way.WAIT  # the pivot is in hand
    woken = book.put("case", record("p", StepState.FAILED, kind="pivot"), committing=True)
    assert [wake.agent for wake in woken] == ["b"]
    woken = book.put("case", record("b", StepState.COMPENSATED, "a"), committing=True)
    assert [wake.agent for wake in woken] == ["a"]
    assert asked == ["case"]


def test_a_record_reads_what_it_writes() -> None:
    one = record("a", DOING, "b", until=3.5, awaits=("x.*",), key="payload.id", joined=("e", None))
    assert StepRecord.read(one.case_record("case")) == one


def test_cases_at_rest_are_forgotten_and_open_ones_are_not() -> None:
    book = CaseBook(cases=10, open_cases=100)
    for number in range(50):
        book.put(f"open-{number}", record("a"))
        book.put(f"over-{number}", record("a", StepState.COMPENSATED))
    assert all(book.records(f"open-{number}") for number in range(50))
    known = [number for number in range(50) if f"over-{number}" in book._cases]
    assert len(known) <= 10
    assert known[-1] == 49


def test_there_is_a_bound_to_open_ones_too() -> None:
    book = CaseBook(cases=10, open_cases=20)
    for number in range(50):
        book.put(f"open-{number}", record("a"))
    assert len(book._opened) == 20


def test_what_is_on_its_way_to_the_store_is_not_forgotten() -> None:
    book = CaseBook(lambda case: (), cases=2)
    book.put("case", record("a"), committing=True)
    for number in range(9):
        book.record(f"other-{number}", place("a"))
    assert book.record("case", place("a")) is not None
    book.committed("case")
    for number in range(9):
        book.record(f"more-{number}", place("a"))
    assert book.record("case", place("a")) is None  # nor would this store know


# -- the extension ----------------------------------------------------------------------------


def test_an_event_says_what_it_stands_on() -> None:
    places = (("orders:a%2Fb", "step:do"), place("b"), place("b"))
    event = Event("x", "y", metadata=dict(extension_of(places)))
    assert places_of(event) == places[:2]


@pytest.mark.parametrize("said", [3, "a/b", {"a": "b"}, [3], ["a"], ["/a"], ["a/"], [None]])
def test_what_somebody_outside_says_instead_is_nothing(said: object) -> None:
    assert places_of(Event("x", "y", metadata={"saga": said})) == ()
