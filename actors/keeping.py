"""A system's store: opened at its beginning, closed at its end, and what it tells the agents."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import urlsplit

import orjson

from choreia.actors.spending import SPENDING
from choreia.runtime.delivery.budget import Used
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.delivery.engine import Engine
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.errors import InvalidStore
from choreia.runtime.events.recorded import Recorded
from choreia.runtime.simulation.clock import SimulatedClock
from choreia.runtime.stores.base import EventStore

if TYPE_CHECKING:
    from choreia.actors.lifecycle import Lifecycle
    from choreia.actors.roster import Roster
    from choreia.runtime.durable.ledger import Ledger

Durability = Literal["full", "relaxed"]
StoreGiven = str | Path | EventStore
_SERVER = ("postgresql://", "postgres://")


class Keeping:
    """See the module."""

    def __init__(
        self,
        engine: Engine,
        given: StoreGiven,
        durability: Durability,
        wait: float,
        max_lag: int | None,
        max_crashes: int,
    ) -> None:
        """Opens the store. Raises `InvalidStore`, `StoreLocked`, `StoreDamaged`,
        `StoreUnavailable`, `StoreInsecure`."""
        _check(max_lag, max_crashes, wait)
        self._own = isinstance(given, (str, Path))
        self.store = open_store(given, durability, wait) if self._own else checked(given)
        try:
            opened = self.store.open_run(engine.clock.now())
        except BaseException:
            if self._own:
                self.store.close()
            raise
        if isinstance(engine.clock, SimulatedClock) and opened.head:
            engine.clock.go_on_from(self.store.page(opened.head - 1, 1)[0].at)
            # Another run than the one before, though its seed may be the same: its ids are others.
            engine.random.seed(f"{engine.random.random()} after {opened.head}")
        self._bus = engine.bus = LogBus(engine, self.store, opened)
        if engine.budget is not None:
            engine.budget.load = self._used
        self._bus.max_lag = max_lag
        self._bus.max_crashes = max_crashes

    def _used(self, case: str) -> Used:
        """What a case has used so far, as the store tells it."""
        said = [one.event.type for one in self._logged(case)]
        spent = {
            f"{one.agent} {one.name}": float(orjson.loads(one.value)["usd"])
            for one in self.store.records(case)
            if one.name.startswith(f"{SPENDING}:")
        }
        told = "case.budget_exceeded" in said
        return Used(len(said), sum(spent.values()), frozenset(spent), told)

    def _logged(self, case: str) -> Iterator[Recorded]:
        return self.store.read(correlation_id=case, up_to=self._bus.routed)

    def serve(self, roster: Roster, lifecycle: Lifecycle) -> None:
        """There are agents now: see to their cursors, and to those whose place was taken."""

        def sweep() -> None:
            for cell in roster.all():
                ledger = cast("Ledger", cell.ledger)
                if ledger.durable:
                    ledger.move_on()

        def fenced(cell: Cell) -> None:
            cell.post(partial(lifecycle.close, cell, "fenced"), first=True)

        self._bus.on_sweep, self._bus.on_fenced = sweep, fenced

    def close(self, timeout: float) -> None:
        """All agents have ended: write what is left, and let go of the store."""
        self._bus.journal.close(timeout)
        try:
            self.store.close_run()
        finally:
            if self._own:
                self.store.close()


def open_store(
    given: object, durability: Durability, wait: float, *, readonly: bool = False
) -> EventStore:
    """The store at a path or a URL."""
    if durability not in ("full", "relaxed"):
        raise InvalidStore(f'durability={durability!r}: choose "full" or "relaxed"')
    if isinstance(given, str) and given.startswith(_SERVER):
        from choreia.runtime.stores.postgres import PostgresStore

        return PostgresStore(given, durability=durability, wait=wait, readonly=readonly)
    from choreia.runtime.stores.sqlite import SqliteStore

    return SqliteStore(
        cast("str | Path", given), durability=durability, wait=wait, readonly=readonly
    )


def shown_store(given: object) -> str | None:
    """Where it is, without the password that a URL may have; None: there is none."""
    if given is None or not isinstance(given, (str, Path)):
        return None if given is None else type(given).__name__
    if not str(given).startswith(_SERVER):
        return str(given)
    url = urlsplit(str(given))
    return f"{url.scheme}://{url.hostname or ''}{url.path}"


def checked(given: object) -> EventStore:
    """A store that was given as one."""
    if not callable(getattr(given, "commit", None)) or not callable(
        getattr(given, "open_run", None)
    ):
        raise InvalidStore(
            f"store={given!r}: give the path of a file, the URL of a PostgreSQL database, or an "
            "EventStore such as MemoryStore()"
        )
    return cast("EventStore", given)


def _check(max_lag: object, max_crashes: object, wait: object) -> None:
    if max_lag is not None and (type(max_lag) is not int or max_lag < 1):
        raise InvalidStore(
            f"max_lag={max_lag!r}: give a whole number of events, 1 or more, or None"
        )
    if type(max_crashes) is not int or max_crashes < 1:
        raise InvalidStore(f"max_crashes={max_crashes!r}: give a whole number, 1 or more")
    if isinstance(wait, bool) or not isinstance(wait, (int, float)) or not wait >= 0:
        raise InvalidStore(f"store_wait={wait!r}: give a number of seconds, 0 or more")
