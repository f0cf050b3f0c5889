"""Auctions without an auctioneer: everybody works out the same winner, or none yet."""

from __future__ import annotations

from itertools import permutations

from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from choreia.demos.review.auction import Auction
from choreia.demos.review.events import Award, Bid

NAMES = ("a", "b", "c", "d")


@frozen
class Lot:
    bidders: tuple[str, ...]
    number: int = 7
    path: str = "x.py"
    bytes: int = 100


def auction(prices: dict[str, int], bidders: tuple[str, ...] | None = None) -> Auction:
    result = Auction(7)
    result.announce(Lot(bidders or tuple(prices)))
    for bidder, price in prices.items():
        result.bid(Bid(7, bidder, price))
    return result


def test_the_lowest_bid_wins() -> None:
    assert auction({"a": 3, "b": 1, "c": 2}).winner(set()) == "b"


def test_nobody_wins_before_all_have_bid() -> None:
    assert auction({"a": 1}, bidders=("a", "b")).winner(set()) is None


def test_nobody_wins_before_the_announcement_is_heard() -> None:
    early = Auction(7)
    early.bid(Bid(7, "a", 1))
    assert early.winner(set()) is None
    early.announce(Lot(("a",)))
    assert early.winner(set()) == "a"
    assert early.award == Award(7, "x.py", 100)


def test_only_those_named_count() -> None:
    assert auction({"a": 3, "b": 1}, bidders=("a",)).winner(set()) == "a"


def test_equal_bids_are_drawn_and_spread() -> None:
    winners = set[str | None]()
    for number in range(20):
        tie = Auction(number)
        tie.announce(Lot(("a", "b"), number))
        for name in ("a", "b"):
            tie.bid(Bid(number, name, 0))
        winners.add(tie.winner(set()))
    assert winners == {"a", "b"}


def test_whoever_is_gone_is_not_waited_for_and_does_not_win() -> None:
    assert auction({"a": 3}, bidders=("a", "b")).winner({"b"}) == "a"
    assert auction({"a": 3, "b": 1}).winner({"b"}) == "a"
    assert auction({"a": 3}).winner({"a"}) is None


def test_it_is_over_when_the_work_is_done_and_the_last_bid_was_heard() -> None:
    late = auction({"a": 1}, bidders=("a", "b"))
    late.delivered = True
    assert not late.over(set())
    assert late.over({"b"})
    late.bid(Bid(7, "b", 5))
    assert late.over(set())
    early = Auction(7, delivered=True)
    assert not early.over(set())


@given(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3), min_size=1))
def test_the_order_of_the_bids_does_not_matter(prices: dict[str, int]) -> None:
    winners = {
        auction(dict(order), bidders=tuple(prices)).winner(set())
        for order in permutations(prices.items())
    }
    assert len(winners) == 1


@given(
    prices=st.fixed_dictionaries({name: st.integers(0, 3) for name in NAMES}),
    gone=st.sets(st.sampled_from(NAMES), max_size=3),
    data=st.data(),
)
def test_two_that_are_alive_never_both_win(
    prices: dict[str, int], gone: set[str], data: st.DataObject
) -> None:
    """Each has heard of some of those that are gone, and may have missed what these had bid."""
    alive = [name for name in NAMES if name not in gone]
    claims: list[str] = []
    for name in alive:
        heard_of = data.draw(st.sets(st.sampled_from(sorted(gone)))) if gone else set[str]()
        missed = data.draw(st.sets(st.sampled_from(sorted(heard_of)))) if heard_of else set[str]()
        heard = {bidder: price for bidder, price in prices.items() if bidder not in missed}
        if auction(heard, bidders=NAMES).winner(heard_of) == name:
            claims.append(name)
    assert len(claims) <= 1
    # In the end all know who is gone, and then it is one of them.
    final = {auction(prices, bidders=NAMES).winner(gone) for _ in alive}
    assert len(final) == 1
    assert final <= set(alive)
