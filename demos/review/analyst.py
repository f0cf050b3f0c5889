"""Analysts bid for files and work on those they win. What the work is, is up to subclasses."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from attrs import asdict

from choreia import Event, GiveUp, on
from choreia.demos.review.auction import Announcement, Auction
from choreia.demos.review.events import Award, Bid
from choreia.demos.review.member import Member
from choreia.demos.review.source import locate
from choreia.demos.review.syntax import Source, UnreadableSource, read

# A file that its analyst could not read. (An award that died with its analyst, `reason` stopped
# or killed, is not lost: the next-best bidder takes the file.)
UNREAD = {
    "payload.event_type": {"$prefix": "file.awarded."},
    "payload.reason": {"$in": ["gave_up", "failed"]},
}

MAX_HOPS = 20
"""From the wish for a review to the award of a file. An award comes of what others say, and leads
to what they say next, so nothing else says that this ever ends."""


class Analyst(Member):
    """Bids for every file that is announced for its `job`, and knows who wins. See `auction`."""

    job: ClassVar[str]

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self._auctions: dict[int, Auction] = {}
        self._mine: dict[int, int] = {}  # bytes by number: won, and not done yet

    def announced(self, announcement: Announcement) -> None:
        """There is something to bid for. Subclasses know what tells them so."""
        auction = self._auction(announcement.number)
        auction.announce(announcement)
        if self.name in announcement.bidders:
            bid = Bid(announcement.number, self.name, price=sum(self._mine.values()))
            self.emit(f"bid.placed.{self.job}", asdict(bid))
        self._decide(auction)

    @on("bid.placed.{job}")
    def hear(self, event: Event) -> None:
        bid = Bid(**event.payload)
        auction = self._auction(bid.number)
        auction.bid(bid)
        self._decide(auction)

    def delivered(self, number: int) -> None:
        """Somebody has done the work. Subclasses know what tells them so."""
        auction = self._auction(number)
        auction.delivered = True
        self._decide(auction)

    @on("event.dead_lettered", filter=UNREAD)
    def give_up(self, event: Event) -> None:
        number: int = event.payload["payload"]["number"]
        if number in self._auctions:
            self.delivered(number)

    def carry_on(self) -> None:
        for auction in list(self._auctions.values()):
            self._decide(auction)

    @contextmanager
    def reading(self, award: Award) -> Generator[Source, None, None]:
        """The file that was won. Raises `GiveUp`: no second try makes it readable."""
        try:
            yield read(locate(self.root, award.path))
        except UnreadableSource as error:
            raise GiveUp(error.reason) from error
        finally:
            self._mine.pop(award.number, None)

    def _auction(self, number: int) -> Auction:
        return self._auctions.setdefault(number, Auction(number))

    def _decide(self, auction: Auction) -> None:
        if auction.over(self.gone):
            self._auctions.pop(auction.number, None)
        elif auction.winner(self.gone) == self.name and not auction.awarded:
            assert auction.award is not None  # or there would be no winner
            auction.awarded = True
            self._mine[auction.number] = auction.award.bytes
            self.emit(f"file.awarded.{self.name}", asdict(auction.award))
