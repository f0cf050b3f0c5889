"""C07 and C08: joins and sagas, on choreographies that are written down as values."""

from __future__ import annotations

import attrs
import pytest

from choreia.runtime.insight.checks import check
from choreia.runtime.insight.choreography import (
    Ask,
    Choreography,
    Mark,
    Place,
    Player,
    Reaction,
    Saying,
)


def _reaction(name: str, on: str, says: str, mark: Mark | None = None) -> Reaction:
    asks = tuple(map(Ask, on.split()))
    return Reaction(name, asks, tuple(map(Saying, says.split())), Place("saga.py", 1), mark=mark)


STEP = Mark("step", fails="stock.refused", compensate="release", compensated=True)
UNDO = _reaction("release", "payment.refused", "stock.released", Mark("compensation"))
STOCK = Player(
    "stock",
    reactions=(
        _reaction("reserve", "order.placed", "stock.reserved stock.refused", STEP),
        UNDO,
    ),
    external=("order.placed",),
)
PAYMENT = Player(
    "payment",
    reactions=(
        _reaction(
            "charge",
            "stock.reserved",
            "payment.done payment.refused",
            Mark("pivot", fails="payment.refused"),
        ),
    ),
)
PARCEL = Player(
    "parcel", reactions=(_reaction("pack", "payment.done", "parcel.packed", Mark("step")),)
)
CUSTOMER = Player(
    "customer",
    reactions=(_reaction("hear", "stock.refused stock.released parcel.packed", ""),),
)
SAGA = (STOCK, PAYMENT, PARCEL, CUSTOMER)


def _ids(*players: Player) -> list[str]:
    return [f"{one.id} {one.agent}" for one in check(Choreography("saga", players))]


def _marked(player: Player, **changes: object) -> Player:
    """The same, with another mark on its first reaction."""
    first, *rest = player.reactions
    assert first.mark is not None
    mark = attrs.evolve(first.mark, **changes)  # type: ignore[arg-type]
    return attrs.evolve(player, reactions=(attrs.evolve(first, mark=mark), *rest))


def test_a_saga_that_can_be_undone_has_no_findings() -> None:
    assert _ids(*SAGA) == []


def test_a_step_before_one_that_can_fail_needs_a_compensation() -> None:
    without = attrs.evolve(
        _marked(STOCK, compensate=None),
        reactions=(attrs.evolve(STOCK.reactions[0], mark=Mark("step", fails="stock.refused")),),
    )
    customer = attrs.evolve(
        CUSTOMER,
        reactions=(_reaction("hear", "stock.refused payment.refused parcel.packed", ""),),
    )

    assert _ids(without, PAYMENT, PARCEL, customer) == ["C08 stock"]
    # Not, if what follows cannot fail.
    sure = attrs.evolve(
        PAYMENT, reactions=(_reaction("charge", "stock.reserved", "payment.done", Mark("pivot")),)
    )
    hears = attrs.evolve(
        CUSTOMER, reactions=(_reaction("hear", "stock.refused parcel.packed", ""),)
    )
    assert _ids(without, sure, PARCEL, hears) == []


def test_an_agent_that_fails_later_knows_what_it_has_done_itself() -> None:
    both = attrs.evolve(
        PAYMENT,
        reactions=(
            _reaction("prepare", "stock.reserved", "payment.prepared", Mark("step")),
            _reaction(
                "charge",
                "payment.prepared",
                "payment.done payment.refused",
                Mark("pivot", fails="payment.refused"),
            ),
        ),
    )

    assert _ids(STOCK, both, PARCEL, CUSTOMER) == []


def test_a_compensation_must_be_a_method() -> None:
    assert _ids(_marked(STOCK, compensated=False), PAYMENT, PARCEL, CUSTOMER) == ["C08 stock"]


def test_a_compensation_must_be_called_by_something() -> None:
    uncalled = attrs.evolve(STOCK, reactions=(STOCK.reactions[0],))
    customer = attrs.evolve(
        CUSTOMER,
        reactions=(_reaction("hear", "stock.refused payment.refused parcel.packed", ""),),
    )

    assert _ids(uncalled, PAYMENT, PARCEL, customer) == ["C08 stock"]


def test_past_the_pivot_nothing_is_compensated() -> None:
    unpack = _reaction("unpack", "payment.refused", "", Mark("compensation"))
    mark = Mark("step", compensate="unpack", compensated=True)
    late = attrs.evolve(
        PARCEL,
        reactions=(_reaction("pack", "payment.done", "parcel.packed", mark), unpack),
    )

    assert _ids(STOCK, PAYMENT, late, CUSTOMER) == ["C08 parcel"]


@pytest.mark.parametrize(("bounded", "found"), [(True, []), (False, ["C08 parcel"])])
def test_a_wait_has_an_end(*, bounded: bool, found: list[str]) -> None:
    mark = Mark("join", waits=True, bounded=bounded, awaits=("payment.done", "stock.reserved"))
    waiting = attrs.evolve(
        PARCEL,
        reactions=(_reaction("pack", "payment.done stock.reserved", "parcel.packed", mark),),
    )

    assert _ids(STOCK, PAYMENT, waiting, CUSTOMER) == found


# -- joins -----------------------------------------------------------------------------------

JOIN = Mark("join", waits=True, bounded=True)


def _joining(*, from_one: bool) -> tuple[Player, ...]:
    begin = "order.placed" if from_one else "visit.begun"
    return (
        Player("a", reactions=(_reaction("a", "order.placed", "a.done"),)),
        Player("b", reactions=(_reaction("b", begin, "b.done"),)),
        Player(
            "c",
            reactions=(_reaction("both", "a.done b.done", "", JOIN),),
            external=("order.placed", "visit.begun") if not from_one else ("order.placed",),
        ),
    )


def test_a_join_needs_a_case_that_produces_all_of_it() -> None:
    assert _ids(*_joining(from_one=True)) == []
    assert _ids(*_joining(from_one=False)) == ["C07 c"]


def test_what_comes_from_outside_may_come_in_any_case() -> None:
    a, b, c = _joining(from_one=False)
    approved = attrs.evolve(c, external=(*c.external, "b.done"))

    assert _ids(a, b, approved) == []


def test_a_topic_that_nobody_says_is_told_as_that() -> None:
    a, _, c = _joining(from_one=True)

    assert _ids(a, c) == ["C02 c"]
