"""What a projection has to do: keep the tables that serve up to date, and rebuild them beside.

While tables are rebuilt of which the shape has not changed, those that serve are kept up to date as
well. Of another shape, or another log, they stay as they are, and go on answering.
"""

from __future__ import annotations

import logging

import attrs

from choreia.actors.projecting.marks import Methods
from choreia.actors.projecting.tables import Database, Moved, Standing
from choreia.actors.projecting.track import Track, Writer
from choreia.runtime.stores.base import EventStore

log = logging.getLogger("choreia.projection")


class Work:
    """See the module. For the agent's thread; whoever looks reads whole values."""

    def __init__(
        self,
        store: EventStore,
        methods: Methods,
        writer: Writer,
        database: Database,
        shape: str,
    ) -> None:
        """Looks how far the tables are, and makes them when there are none. Raises the driver's
        errors, and `StoreError`."""
        self._store = store
        self._methods = methods
        self._writer = writer
        self._database = database
        self._shape = shape
        self.served = Standing(shape)
        """How far the serving tables are, if `serving` is None."""
        self.serving: Track | None = None
        """None: they are of another shape, or log, and stay as they are."""
        self.shadow: Track | None = None
        self._look()

    def _look(self) -> None:
        served = self._database.serving.standing()
        if served is None:
            served = Standing(self._shape)
            self._database.serving.begin(served)
        self.served = served
        fits = self._fits(served)
        self.serving = self._track(served, shadow=False) if fits else None
        built = self._database.shadow.standing()
        if built is not None and built.build == served.build + 1 and self._fits(built):
            self.shadow = self._track(built, shadow=True)
            return
        self.shadow = None
        self._database.discard()
        if not fits:
            self._begin_again()

    def _fits(self, standing: Standing) -> bool:
        """Whether that can be gone on with."""
        if standing.shape != self._shape:
            return False
        if standing.position == 0:
            return True
        found = self._store.page(standing.position - 1, 1)
        if found and found[0].event.id == standing.event_id:
            return True
        log.warning(
            "the tables of a projection were written from another log: they are rebuilt from this"
        )
        return False

    def _track(self, standing: Standing, *, shadow: bool) -> Track:
        place = self._database.shadow if shadow else self._database.serving
        return Track(self._store, self._methods, self._writer, place, standing)

    def _begin_again(self) -> None:
        standing = Standing(self._shape, build=self.served.build + 1)
        self._database.shadow.begin(standing)
        self.shadow = self._track(standing, shadow=True)

    def rebuild(self) -> None:
        """Begin to, unless it is being done."""
        if self.shadow is None:
            self._database.discard()
            self._begin_again()

    def step(self) -> float | None:
        """Do a little: seconds until the next; None when there is nothing more to do.

        Raises the driver's errors, and `StoreError`.
        """
        try:
            waits = [track.step() for track in (self.serving, self.shadow) if track is not None]
            if self.shadow is not None and waits[-1] is None:
                self._switch(self.shadow)
                return 0.0
        except Moved:
            self._look()
            return 0.0
        return max((wait for wait in waits if wait is not None), default=None)

    def _switch(self, shadow: Track) -> None:
        self._database.switch(shadow.standing)
        self.served, self.shadow = shadow.standing, None
        self.serving = attrs.evolve(
            self._track(shadow.standing, shadow=False), looked=shadow.looked
        )

    def reached(self, position: int) -> bool:
        """Whether whatever stands in the log up to `position` is in the serving tables."""
        return self.serving is not None and self.serving.at >= position
