"""An agent's place when the system has a store: the feed from the log, and the ledger."""

from __future__ import annotations

from typing import cast

from choreia.actors.interests import keep_interest, keep_interest_now
from choreia.actors.options import Options
from choreia.actors.record import Record
from choreia.runtime.delivery.cell import Cell
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.durable.feed import LogFeed
from choreia.runtime.durable.ledger import Ledger
from choreia.runtime.durable.members.ledger import MemberLedger
from choreia.runtime.errors import InvalidAgent


def seat(cell: Cell, bus: LogBus, options: Options, *, named: bool) -> None:
    """Give `cell` a feed and a ledger. `named`: durable unless it says otherwise.

    Raises `InvalidAgent` for a durable agent that would drop events: nothing is lost there.
    """
    durable = options.durable
    if durable is None:
        durable = named and cell.kind != "system"
    if durable and options.overflow != "park":
        raise InvalidAgent(
            f"agent {cell.name!r} has overflow={options.overflow!r} and the system has a store: a "
            "durable agent loses no events, it lags (overflow='park'). Give it durable=False, and "
            "it hears only what happens while it is there"
        )

    def patterns() -> tuple[str, ...]:
        entries = cast("Record", cell.owner).subscriptions
        return tuple(dict.fromkeys(entry.pattern.pattern for entry in entries))

    lag = options.max_lag if options.max_lag is not None else bus.max_lag
    cell.feed = LogFeed(
        cell, bus, options.overflow, patterns, durable=durable, max_lag=lag if durable else None
    )
    cell.ledger = Ledger(cell, bus, durable=durable, start=options.start)


def ask_for_seat(cell: Cell) -> None:
    """It is subscribed: what is published from now on is for it, and the store keeps what that is.
    (A family takes its seat itself.)"""
    ledger = cast("Ledger | None", cell.ledger)
    if ledger is None:
        return
    if not ledger.durable:
        keep_interest_now(cell)
    elif isinstance(ledger, MemberLedger):
        ledger.place.announced = keep_interest(cell)
    else:
        ledger.ask_for_seat(keep_interest(cell))
