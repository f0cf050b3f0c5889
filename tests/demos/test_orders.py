"""The order saga: each way through it, and that every run adds up whoever wins the races."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Literal

import pytest

from choreia import ActorSystem, Event, IdleTimeout
from choreia.demos.orders import build
from choreia.demos.orders.audit import audit
from choreia.demos.orders.books import Books
from choreia.demos.orders.choreography import DEFAULT_STOCK, case_of, place
from choreia.demos.orders.customer import MOMENTS
from choreia.demos.orders.events import CancellationRequested
from choreia.demos.orders.generate import generate
from choreia.demos.orders.order import Order, Outcome
from choreia.demos.orders.payment import DECLINED
from choreia.demos.orders.result import to_json

Mode = Literal["threads", "simulated"]
RUNS: list[tuple[Mode, int]] = [("simulated", 1), ("threads", 1), ("threads", 4)]

FORWARD = ["order.placed", "order.created", "inventory.reserved", "payment.charged"]
DONE = [*FORWARD, "parcel.packed", "order.shipped", "order.completed"]
BACK = ["shipping.refused", "payment.refunded", "inventory.released", "order.cancelled"]


@pytest.fixture(params=RUNS, ids=lambda run: f"{run[0]}-{run[1]}")
def system(request: pytest.FixtureRequest) -> Iterator[ActorSystem]:
    mode, workers = request.param
    with ActorSystem(mode=mode, workers=workers) as system:
        yield system


def order(
    id: str = "A-1",
    quantity: int = 2,
    card: str = "4242424242424242",
    ship_to: str = "Lisbon",
    cancel_on: str | None = None,
) -> Order:
    return Order(id, "tea", quantity, 450, card, ship_to, cancel_on)


def sell(system: ActorSystem, books: Books) -> list[Event]:
    """Place the orders and give what was published about them."""
    with system.listen("#", buffer=100_000) as listener:
        for one in books.day.orders:
            place(system, one)
        system.wait_idle(timeout=60)
    return [event for event in listener if not event.type.startswith(("agent.", "system."))]


def way(events: Iterable[Event], end: str) -> list[str]:
    """The types from the first cause to the one event of type `end`."""
    by_id = {event.id: event for event in events}
    [last] = [event for event in by_id.values() if event.type == end]
    types = [last.type]
    while last.metadata.causation_id is not None:
        last = by_id[last.metadata.causation_id]
        types.append(last.type)
    return types[::-1]


def story(events: Iterable[Event], id: str = "A-1") -> list[str]:
    """The types of what happened to an order, in the order in which it happened."""
    told = {*DONE, *BACK, "inventory.refused", "payment.refused"}
    case = case_of(id)
    return [
        event.type
        for event in events
        if event.type in told and event.metadata.correlation_id == case
    ]


def assert_adds_up(books: Books) -> None:
    assert [check for check in audit(books) if not check.holds] == []


# -- orders written by hand -----------------------------------------------------------------


def test_an_order_goes_through(system: ActorSystem) -> None:
    books = build(system, [order()], {"tea": 3})
    events = sell(system, books)
    assert way(events, "order.completed") == DONE
    told_themselves = {"inventory.handed_over", "customer.outcome_heard"}
    others = [event.type for event in events if event.type not in told_themselves]
    assert sorted(others) == sorted(DONE)
    assert len(events) == len(DONE) + len(told_themselves)
    assert books.shop.outcomes == {"A-1": [Outcome.COMPLETED]}
    assert (books.stock.left["tea"], books.shipping.sent["A-1"]) == (1, 2)
    assert (books.ledger.charged["A-1"], books.ledger.refunded["A-1"]) == (900, 0)
    assert_adds_up(books)


@pytest.mark.parametrize("card", sorted(DECLINED))
def test_a_declined_card_releases_the_goods_then_cancels(system: ActorSystem, card: str) -> None:
    books = build(system, [order(card=card)], {"tea": 3})
    events = sell(system, books)
    back = ["payment.refused", "inventory.released", "order.cancelled"]
    assert story(events) == [*FORWARD[:3], *back]
    assert books.shop.outcomes == {"A-1": [Outcome.PAYMENT_FAILED]}
    assert books.stock.left["tea"] == 3
    assert books.ledger.charged.total() == 0
    assert_adds_up(books)


def test_who_comes_first_gets_the_goods_and_nobody_half_of_them(system: ActorSystem) -> None:
    books = build(system, [order("A-1"), order("A-2", quantity=1), order("A-3")], {"tea": 4})
    events = sell(system, books)
    # One publisher, so the order of arrival is known.
    assert books.shop.outcomes == {
        "A-1": [Outcome.COMPLETED],
        "A-2": [Outcome.COMPLETED],
        "A-3": [Outcome.OUT_OF_STOCK],
    }
    assert story(events, "A-3") == [*FORWARD[:2], "inventory.refused", "order.cancelled"]
    assert books.stock.left["tea"] == 1
    assert_adds_up(books)


def test_an_address_out_of_reach_undoes_everything_in_reverse(system: ActorSystem) -> None:
    books = build(system, [order(ship_to="Atlantis")], {"tea": 2})
    events = sell(system, books)
    assert story(events) == [*FORWARD, *BACK]
    assert books.shop.outcomes == {"A-1": [Outcome.UNDELIVERABLE]}
    assert (books.ledger.charged["A-1"], books.ledger.refunded["A-1"]) == (900, 900)
    assert books.stock.left["tea"] == 2
    assert books.shipping.sent.total() == 0
    assert_adds_up(books)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("inventory", [*FORWARD[:2], "inventory.refused", "order.cancelled"]),
        ("payment", [*FORWARD[:3], "payment.refused", "inventory.released", "order.cancelled"]),
        ("shipping", [*FORWARD, "parcel.packed", *BACK]),
    ],
)
def test_whoever_hears_of_a_cancellation_in_time_turns_the_order_back(
    system: ActorSystem, first: str, expected: list[str]
) -> None:
    books = build(system, [order()], {"tea": 2})
    # Told, not published: the others have not heard of it when the order comes to them.
    case = {"correlationId": case_of("A-1")}
    system.ref(first).tell(
        Event("cancellation.requested", "test", {"order_id": "A-1"}, metadata=case)
    )
    system.wait_idle(timeout=60)
    events = sell(system, books)
    # Now they have, and it changes nothing.
    system.publish(CancellationRequested("A-1"), correlation_id=case_of("A-1"))
    system.wait_idle(timeout=60)
    assert story(events) == expected
    assert books.shop.outcomes == {"A-1": [Outcome.CANCELLED]}
    assert books.stock.left["tea"] == 2
    assert books.customer.refused == []
    assert_adds_up(books)


def test_a_cancellation_before_the_order_counts(system: ActorSystem) -> None:
    books = build(system, [order()])
    system.publish(CancellationRequested("A-1"), correlation_id=case_of("A-1"))
    system.wait_idle(timeout=60)
    assert "inventory.reserved" not in {event.type for event in sell(system, books)}
    assert books.shop.outcomes == {"A-1": [Outcome.CANCELLED]}
    assert_adds_up(books)


def test_once_it_is_shipped_a_cancellation_is_refused(system: ActorSystem) -> None:
    books = build(system, [order(cancel_on="order.shipped")])
    events = sell(system, books)
    assert way(events, "order.completed") == DONE
    late = ["cancellation.requested", "cancellation.refused"]
    assert way(events, "cancellation.refused") == [*DONE[:-1], *late]
    assert books.shop.outcomes == {"A-1": [Outcome.COMPLETED]}
    assert (books.customer.asked, books.customer.refused) == ({"A-1"}, ["A-1"])
    assert_adds_up(books)


def test_an_order_that_is_placed_twice_is_one_order(system: ActorSystem) -> None:
    books = build(system, [order()])
    place(system, order())
    sell(system, books)
    assert books.ledger.charged.total() == 900
    assert_adds_up(books)


def test_a_payment_that_comes_twice_is_one_payment(system: ActorSystem) -> None:
    books = build(system, [order()], {"tea": 3})
    events = sell(system, books)
    again = [event for event in events if event.type in ("inventory.reserved", "payment.charged")]
    for event in again:
        system.publish(event.type, event.payload, correlation_id=case_of("A-1"))
        system.ref("payment" if event.type == "inventory.reserved" else "shipping").tell(event)
    system.wait_idle(timeout=60)
    assert system.dead_letters() == []
    assert (books.ledger.charged["A-1"], books.shipping.sent["A-1"]) == (900, 2)
    assert_adds_up(books)


def test_a_cancellation_while_the_reservation_is_in_flight(system: ActorSystem) -> None:
    books = build(system, [order()], {"tea": 3})
    system.pause("payment")  # the reservation is on its way to it, and stays there
    with system.listen("#", buffer=1_000) as listener:
        with system.listen("inventory.reserved") as reserved:
            place(system, order())
            next(iter(reserved))
        while not system.inspect().agent("payment").mailbox_size:  # whoever listens hears it first
            with suppress(IdleTimeout):
                system.wait_idle(timeout=0.01)
        system.publish(CancellationRequested("A-1"), correlation_id=case_of("A-1"))
        system.resume("payment")
        system.wait_idle(timeout=60)
    assert story(listener) == [*FORWARD, "parcel.packed", *BACK]
    assert books.shop.outcomes == {"A-1": [Outcome.CANCELLED]}
    assert (books.ledger.charged["A-1"], books.ledger.refunded["A-1"]) == (900, 900)
    assert books.customer.refused == []
    assert_adds_up(books)


def test_each_order_is_a_case_of_its_own(system: ActorSystem) -> None:
    books = build(system, [order("A-1"), order("A-2", cancel_on="order.shipped")])
    events = sell(system, books)
    cases = {event.metadata.correlation_id for event in events}
    assert cases == {event.id for event in events if event.type == "order.placed"}
    assert len(cases) == 2


def test_items_of_unknown_stock_start_with_a_few(system: ActorSystem) -> None:
    books = build(system, [order()], {"mug": 1})
    assert books.day.stock == {"tea": DEFAULT_STOCK, "mug": 1}
    sell(system, books)
    assert_adds_up(books)


# -- whoever wins the races -----------------------------------------------------------------


def run(seed: int, mailbox: int, mode: Mode, workers: int = 1, count: int = 60) -> Books:
    day = generate(count, seed)
    with ActorSystem(mode=mode, seed=seed, workers=workers) as system:
        books = build(system, day.orders, day.stock, mailbox=mailbox)
        for one in day.orders:
            place(system, one)
        system.wait_idle(timeout=60)
        assert system.dead_letters() == []
        over = {agent.name: agent.overflowed for agent in system.inspect().agents}
        high = {agent.name: agent.high_water for agent in system.inspect().agents}
        assert all(high[name] <= mailbox + over[name] for name in ("shop", "inventory", "payment"))
    return books


@pytest.mark.parametrize("mailbox", [1, 256])
@pytest.mark.parametrize("seed", range(50))
def test_every_order_of_turns_adds_up(seed: int, mailbox: int) -> None:
    assert_adds_up(run(seed, mailbox, "simulated"))


@pytest.mark.parametrize("mailbox", [1, 256])
@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_threads_add_up(workers: int, mailbox: int) -> None:
    for seed in range(5):
        assert_adds_up(run(seed, mailbox, "threads", workers, count=100))


def test_a_simulated_day_is_a_function_of_its_seed() -> None:
    def result(seed: int) -> dict[str, object]:
        books = run(seed, 16, "simulated")
        return to_json(books, audit(books))

    assert result(3) == result(3)
    assert result(3) != result(4)


@pytest.mark.parametrize("moment", MOMENTS[:-1])
def test_a_change_of_mind_is_a_race_that_either_side_may_win(moment: str) -> None:
    ends: set[Outcome] = set()
    for seed in range(20):
        with ActorSystem(mode="simulated", seed=seed) as system:
            books = build(system, [order(id, cancel_on=moment) for id in ("A-1", "A-2", "A-3")])
            sell(system, books)
        assert_adds_up(books)
        ends.update(outcome for outcomes in books.shop.outcomes.values() for outcome in outcomes)
    assert ends == {Outcome.COMPLETED, Outcome.CANCELLED}
