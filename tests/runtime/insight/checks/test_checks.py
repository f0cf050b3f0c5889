"""What mutants of demos do not tell apart, on choreographies of two or three agents."""

from __future__ import annotations

from choreia.runtime.insight.checks import check
from choreia.runtime.insight.choreography import (
    Ask,
    Choreography,
    Payload,
    Player,
    Reaction,
    Saying,
)


def _found(*players: Player) -> list[str]:
    return [f"{one.id} {one.agent}" for one in check(Choreography("few", players))]


def _loop(name: str, on: tuple[str, ...], says: tuple[str, ...]) -> Player:
    asks, words = tuple(Ask(one, max_hops=9) for one in on), tuple(map(Saying, says))
    return Player(name, reactions=(Reaction("turn", asks, words),))


def test_one_who_can_do_it_alone_may_claim_it() -> None:
    alone = Player("cashier", capabilities=("pay", "count"), exclusive=("pay",))
    other = Player("clerk", capabilities=("count",))

    assert _found(alone, other) == []
    assert _found(alone, Player("thief", capabilities=("pay",))) == ["C12 cashier"]


def test_of_islands_in_a_row_the_first_is_told() -> None:
    first = _loop("first", ("a",), ("a", "b"))
    second = _loop("second", ("b", "c"), ("c",))

    assert _found(first, second) == ["C05 first"]


def test_what_is_emitted_may_be_too_new_and_too_old() -> None:
    old, new = (Payload(version, {"type": "object"}, "Order") for version in ("1.4.0", "2.0.0"))

    def ids(given: Payload, wanted: Payload) -> list[str]:
        says = Reaction("say", (), (Saying("a", payload=given),), begins=True)
        hears = Reaction("hear", (Ask("a", payload=wanted),))
        return _found(Player("s", reactions=(says,)), Player("h", reactions=(hears,)))

    assert ids(new, old) == ["C09 h"]
    assert ids(old, new) == ["C09 h"]
    assert ids(old, old) == []
