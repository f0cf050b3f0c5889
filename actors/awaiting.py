"""`awaits`: a case goes on when somebody outside says something: an approval, a payment, a form.

Nothing of the runtime's waits; it is only known of the case that it does, and for what, so that it
has not died when nothing of it is in flight any more. It is over when such an event comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import orjson

from choreia.actors.handlers import topic_of
from choreia.actors.timers import durable_ledger
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.errors import InvalidAgent
from choreia.runtime.stores.unit import KeepRecord


def await_outside(turn: Turn, topics: Sequence[str | type]) -> None:
    """The case of the event in hand waits for an event of one of `topics`, once the handler has
    returned. Raises `InvalidAgent`, `InvalidPattern`."""
    turn.check("awaits")
    if not topics:
        raise InvalidAgent("awaits() names nothing: give the type that is waited for, or a pattern")
    event = turn.event
    if event is None:
        raise InvalidAgent("awaits(…): no event is in hand, so there is no case that could wait")
    case = event.metadata.correlation_id or event.id
    ledger = durable_ledger(turn)
    patterns = [topic_of(topic, None).pattern(None).pattern for topic in topics]
    name = f"awaits:{' '.join(patterns)}"
    value = orjson.dumps({"event": event.id, "awaits": patterns})
    if ledger is not None:
        keep = KeepRecord(turn.cell.name, case, name, value)
        turn.later("awaits", partial(ledger.change, keep))
    elif turn.engine.cases is not None:
        turn.later("awaits", partial(turn.engine.cases.note, event, turn.cell.name, name, value))
