"""The audit has to say no to books that were cooked, and say what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from choreia import ActorSystem, Event
from choreia.demos.incident import build
from choreia.demos.incident.audit import audit
from choreia.demos.incident.books import Books
from choreia.demos.incident.cast import JUMPY
from choreia.demos.incident.faults import Fault
from choreia.demos.incident.people import ADA, EVE, Decide, People, by_policy, never
from choreia.demos.incident.stage import play


def told(fault: Fault = Fault.HANG, decide: Decide = by_policy) -> Books:
    with ActorSystem(mode="simulated") as system:
        books = build(system, fault=fault)
        play(system, books, People(system, books.service, decide, 4), 120)
    return books


@pytest.fixture
def books() -> Books:
    return told()


def failing(books: Books) -> dict[str, str]:
    return {check.name: check.says for check in audit(books) if not check.holds}


def test_honest_books_add_up(books: Books) -> None:
    assert failing(books) == {}
    assert [check.says for check in audit(books)] == [
        "jumpy, with 35 points, and no other",
        "every proposal rests on 3 or more, none of them quarantined",
        "each ended once: checkout-1 resolved",
        "1 executed, one for each incident that was resolved",
        "nothing was executed but what a person approved, in time",
        "2 from outside: 1 counted, 1 refused",
        "fixer, and no other, and it had failed",
        "who was suspected is well again, and the old handler was fenced",
    ]


def test_so_do_those_of_a_veto() -> None:
    assert failing(told(Fault.NONE, never)) == {}


def test_a_story_in_which_nothing_happened_does_not_add_up() -> None:
    with ActorSystem(mode="simulated") as system:
        books = build(system)
    assert failing(books).keys() == {"quarantine", "incidents"}


def the(books: Books, type: str) -> Event:
    return books.chronicle.of(type)[0]


def forget(books: Books, type: str) -> None:
    for event in books.chronicle.of(type):
        books.chronicle.events.remove(event)


def rewrite(books: Books, type: str, source: str | None = None, **changes: Any) -> None:
    """Have the first event of that type say something else."""
    event = the(books, type)
    place = books.chronicle.events.index(event)
    books.chronicle.events[place] = Event(
        type,
        source or event.source,
        {**event.copy_payload(), **changes},
        id=event.id,
        timestamp=event.timestamp,
    )


def ends_twice(books: Books) -> None:
    books.chronicle.events.append(the(books, "incident.resolved"))


def executes_twice(books: Books) -> None:
    books.service_book.executed *= 2


def never_executes(books: Books) -> None:
    books.service_book.executed.clear()


def executes_something_else(books: Books) -> None:
    books.service_book.executed[0] = ("checkout-1", "0" * 64)


def nobody_approved(books: Books) -> None:
    rewrite(books, "action.approved")  # the first is Eve's
    books.chronicle.events.remove(books.chronicle.of("action.approved")[1])
    forget(books, "action.cleared")


def an_agent_approved(books: Books) -> None:
    [_, ada] = books.chronicle.of("action.approved")
    place = books.chronicle.events.index(ada)
    books.chronicle.events[place] = Event(ada.type, EVE, ada.payload, timestamp=ada.timestamp)


def another_action_was_approved(books: Books) -> None:
    action = the(books, "action.proposed").copy_payload()["action"]
    rewrite(books, "action.proposed", action={**action, "target": "payments"})


def it_was_too_late(books: Books) -> None:
    rewrite(books, "action.proposed", deadline=30.0)


def a_veto_came_first(books: Books) -> None:
    [_, ada] = books.chronicle.of("action.approved")
    veto = Event("action.vetoed", ADA, ada.payload, timestamp=ada.timestamp)
    books.chronicle.events.insert(books.chronicle.events.index(ada), veto)


def a_forgery_was_passed_over(books: Books) -> None:
    forget(books, "approval.refused")


def rests_on_jumpy(books: Books) -> None:
    rewrite(books, "action.proposed", alarms=["watcher-1", "watcher-2", JUMPY])


def rests_on_two(books: Books) -> None:
    rewrite(books, "action.proposed", alarms=["watcher-1", "watcher-2"])


def an_honest_watcher_is_out(books: Books) -> None:
    books.trust.quarantined.append("watcher-1")


def jumpy_is_trusted(books: Books) -> None:
    books.trust.quarantined.clear()


def somebody_else_is_suspected(books: Books) -> None:
    rewrite(books, "agent.suspected_failure", agent="stand-by")


def nobody_noticed(books: Books) -> None:
    forget(books, "agent.suspected_failure")


def it_is_still_suspected(books: Books) -> None:
    forget(books, "agent.recovered")


def the_old_handler_was_not_fenced(books: Books) -> None:
    books.chronicle.lines[:] = [line for line in books.chronicle.lines if line.type != "remark"]


@pytest.mark.parametrize(
    ("cook", "expected"),
    [
        (ends_twice, {"incidents": "checkout-1 ended 2 times"}),
        (executes_twice, {"actions": "checkout-1: 2 times 413b157d, 1 due"}),
        (never_executes, {"actions": "checkout-1: 0 times 413b157d, 1 due"}),
        (nobody_approved, {"consent": "checkout-1: no person approved this action in time"}),
        (an_agent_approved, {"consent": "checkout-1: no person approved this action in time"}),
        (it_was_too_late, {"consent": "checkout-1: no person approved this action in time"}),
        (a_forgery_was_passed_over, {"answers": "2 is not 1 + 0"}),
        (rests_on_two, {"alarms": "checkout-1 rests on 2 alarms"}),
        (an_honest_watcher_is_out, {"quarantine": "watcher-1 is quarantined, and was right"}),
        (jumpy_is_trusted, {"quarantine": "jumpy is not quarantined"}),
        (nobody_noticed, {"suspicions": "fixer failed, and was not suspected"}),
        (it_is_still_suspected, {"recovery": "fixer is still suspected"}),
        (the_old_handler_was_not_fenced, {"recovery": "0 old handlers were fenced"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_cooked_books(
    books: Books, cook: Callable[[Books], None], expected: dict[str, str]
) -> None:
    cook(books)
    assert failing(books) == expected


def test_an_alarm_of_the_quarantined_does_not_make_a_quorum(books: Books) -> None:
    rests_on_jumpy(books)
    assert failing(books) == {
        "alarms": "checkout-1 rests on 2 alarms; checkout-1 rests on jumpy, which does not count"
    }


@pytest.mark.parametrize(
    ("cook", "expected"),
    [
        (executes_something_else, {"actions"}),
        (another_action_was_approved, {"actions", "consent"}),
        (a_veto_came_first, {"consent", "answers"}),
        (somebody_else_is_suspected, {"suspicions", "recovery"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_cooked_books_in_which_more_is_wrong(
    books: Books, cook: Callable[[Books], None], expected: set[str]
) -> None:
    cook(books)
    assert failing(books).keys() == expected
