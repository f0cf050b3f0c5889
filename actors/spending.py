"""`spend`: what handling an event has cost, for the budget of its case."""

from __future__ import annotations

import math

import orjson

from choreia.actors.timers import durable_ledger
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.errors import InvalidLimit
from choreia.runtime.stores.unit import KeepRecord

SPENDING = "spend"
"""What the names of such records begin with."""


def spend(turn: Turn, usd: object) -> None:
    """Count `usd` for the case of the event in hand, once for each event and call."""
    turn.check("spend")
    number = isinstance(usd, (int, float)) and not isinstance(usd, bool)
    if not isinstance(usd, (int, float)) or not number or not 0 <= usd < math.inf:
        raise InvalidLimit(f"spend(usd={usd!r}): give a number of dollars, 0 or more")
    event, engine = turn.event, turn.engine
    if event is None:  # a message, a hook: of no case
        return
    count, new = turn.kept().spending()
    if not new:
        return
    call = f"{SPENDING}:{event.id}:{count}"
    if engine.budget is not None:
        new = engine.budget.spend(event, f"{turn.cell.name} {call}", float(usd))
    elif engine.cases is not None:
        engine.cases.spent(event, float(usd))
    ledger = durable_ledger(turn)
    if ledger is not None and new:
        case = event.metadata.correlation_id or event.id
        value = orjson.dumps({"usd": float(usd)})
        ledger.change(KeepRecord(turn.cell.name, case, call, value))
