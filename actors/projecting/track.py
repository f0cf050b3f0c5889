"""One set of tables on its way through the log: a batch of events is a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import attrs

from choreia.actors.projecting.marks import Method, Methods
from choreia.actors.projecting.tables import Moved, Place, Standing
from choreia.runtime.events.event import Event
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.stores.base import EventStore, Selection

BATCH = 256
"""Events of one transaction, at most."""


class Writer(Protocol):
    """What a track needs of the projection it works for."""

    def write(self, method: Method, db: Any, event: Event) -> None:
        """Raises what the method raises."""
        ...

    def patience(self, event: Event, error: BaseException, made: int) -> float | None:
        """It has raised for the `made`-th time: seconds until it is tried again, or None."""
        ...

    def skipped(self, event: Event, error: BaseException, made: int) -> None:
        """It was given up, and that is in the table."""
        ...


@attrs.frozen
class _Skipped:
    event: Event
    error: BaseException
    made: int


@attrs.define
class Track:
    """See the module. `step` is for one thread; whoever looks reads whole values."""

    store: EventStore
    methods: Methods
    writer: Writer
    place: Place
    standing: Standing
    looked: int = 0
    """Of what stands in the log up to here, nothing is for the tables that is not in them."""
    _failing: tuple[int, int] = (0, 0)
    """The event, by its position, that is being tried again, and how often it has raised."""

    @property
    def at(self) -> int:
        """Whoever reads on begins behind this position."""
        return max(self.looked, self.standing.position)

    def step(self) -> float | None:
        """Write a batch: seconds until the next; None when there is nothing more to write.

        Raises the driver's errors, and `StoreError`: nothing has happened then.
        """
        head = self.store.head
        page = self.store.page(self.at, BATCH, Selection(self.methods.patterns, live=False))
        wanted = [one for one in page if not one.erased and self.methods.of(one.event)]
        if wanted:
            try:
                wait = self._write(wanted)
            except Moved:
                self._look_again()
                return 0.0
            if wait is not None:
                return wait
        if len(page) == BATCH:
            self.looked = page[-1].position
            return 0.0
        self.looked = max([head, *(one.position for one in page[-1:])])
        return None

    def _write(self, wanted: Sequence[Recorded]) -> float | None:
        """Seconds to wait, when one of them failed and is to be tried again."""
        standing, skipped = self.standing, list[_Skipped]()
        wait: float | None = None
        with self.place.transaction() as db:
            if self.place.standing() != standing:
                raise Moved
            for recorded in wanted:
                failure = self._attempt(db, recorded)
                if isinstance(failure, _Skipped):
                    skipped.append(failure)
                elif failure is not None:
                    wait = failure
                    break
                standing = Standing(
                    *(standing.shape, standing.build, recorded.position, recorded.event.id),
                    self.standing.skipped + len(skipped),
                )
            self.place.keep(standing)
        self.standing = standing
        for one in skipped:
            self.writer.skipped(one.event, one.error, one.made)
        return wait

    def _attempt(self, db: Any, recorded: Recorded) -> _Skipped | float | None:
        """Write one event, or nothing of it. Seconds to wait, if it is to be tried again."""
        event = recorded.event
        try:
            with self.place.savepoint():
                for method in self.methods.of(event):
                    self.writer.write(method, db, event)
        except BaseException as error:
            if not self.place.is_whole():
                raise  # it is not the event's fault
            position, made = self._failing
            made = made + 1 if position == recorded.position else 1
            self._failing = (recorded.position, made)
            wait = self.writer.patience(event, error, made)
            return _Skipped(event, error, made) if wait is None else wait
        return None

    def _look_again(self) -> None:
        """Somebody else wrote: another instance, which was thought to be gone."""
        standing = self.place.standing()
        if standing is not None and standing.build == self.standing.build:
            self.standing, self.looked = standing, standing.position
            return
        raise Moved
