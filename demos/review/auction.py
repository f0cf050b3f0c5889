"""A contract net without an auctioneer: who gets a file, as every bidder works it out alone.

Smith's contract net (1980) has a manager that announces a task, takes the bids and awards the
task. Here nobody manages. The announcement names the bidders; every bidder hears every bid;
the rule below makes the same winner of the same bids, wherever it is applied. Only the winner
acts on it, so it does not matter who comes to the result first.

When a bidder stops for good, everybody leaves it out, whether it had still to bid or had won
and not delivered; what it did deliver was heard before its end. Two that are alive never leave
each other out, so no file is awarded to two of them. (An agent that is killed while it waits
for room takes along what it has not handed out yet. The file then stays without a verdict, and
the report names it.)
"""

from __future__ import annotations

from collections.abc import Set
from typing import Protocol
from zlib import crc32

from attrs import define, field

from choreia.demos.review.events import Award, Bid


class Announcement(Protocol):
    """What there is to bid for: `FileFound` and `FileMeasured` are such."""

    @property
    def number(self) -> int: ...
    @property
    def path(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def bidders(self) -> tuple[str, ...]: ...


@define
class Auction:
    """What one bidder knows of the bidding for one file.

    Events come in order from each agent, but not across agents: bids may be heard before the
    announcement they answer, and the result before the last bid.
    """

    number: int
    award: Award | None = None
    awarded: bool = False
    delivered: bool = False
    _bidders: frozenset[str] = frozenset()
    _prices: dict[str, int] = field(factory=dict[str, int])

    def announce(self, announcement: Announcement) -> None:
        self.award = Award(announcement.number, announcement.path, announcement.bytes)
        self._bidders = frozenset(announcement.bidders)

    def bid(self, bid: Bid) -> None:
        self._prices[bid.bidder] = bid.price

    def winner(self, gone: Set[str]) -> str | None:
        """The lowest bidder that is not `gone`, once all of them have bid."""
        bidders = self._bidders - gone
        if not bidders or not self._all_bid(gone):
            return None
        return min(bidders, key=lambda name: (self._prices[name], self._lot(name), name))

    def over(self, gone: Set[str]) -> bool:
        """Whether nothing more will be heard of it."""
        return self.delivered and self._all_bid(gone)

    def _all_bid(self, gone: Set[str]) -> bool:
        return self.award is not None and self._bidders - gone <= self._prices.keys()

    def _lot(self, name: str) -> int:
        """Drawn between equal bids. Python's `hash` differs from process to process."""
        return crc32(f"{self.number} {name}".encode())
