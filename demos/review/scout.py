"""The scout: it walks through the tree and tells of each file as it comes to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from choreia import on
from choreia.demos.review.events import FileFound, FileSkipped, ReviewRequested, ScoutFinished
from choreia.demos.review.member import Member
from choreia.demos.review.source import Skipped, discover


class Scout(Member):
    """Its handler is a generator: each `yield` leaves before the next file is looked for.

    So when the bidders' mailboxes are full the scout waits, in the middle of its walk, and
    there are never more files on their way than the mailboxes hold.
    """

    emits = (FileFound, FileSkipped, ScoutFinished)
    external = (ReviewRequested, FileSkipped)

    def __init__(self, root: Path, limit: int | None) -> None:
        super().__init__()
        self.root = root
        self.limit = limit

    @on(ReviewRequested)
    def explore(
        self, requested: ReviewRequested
    ) -> Iterator[FileFound | FileSkipped | ScoutFinished]:
        number = 0
        for item in discover(self.root, self.limit):
            if isinstance(item, Skipped):
                yield FileSkipped(item.path, item.reason)
            else:
                yield FileFound(number, item.path, item.bytes, self.members("review.metrics"))
                number += 1
        yield ScoutFinished(number)
