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
    """The case of the event in hand waits for events of each of `topics`, once the handler has
    returned. Raises `InvalidAgent`, `InvalidPattern`."""
    turn.check("awaits")
    if not topics:
        raise InvalidAgent("awaits() names nothing: give the type that is waited for, or a pattern")
    event = turn.event
    if event is None:
        raise InvalidAgent("awaits(…): no event is in hand, so there is no case that could wait")
    case = event.metadata.correlation_id or event.id
    ledger = durable_ledger(turn)
    for topic in topics:
        pattern = topic_of(topic, None).pattern(None).pattern
        value = orjson.dumps({"event": event.id, "awaits": [pattern]})
        name = f"awaits:{pattern}"
        if ledger is None:
            if turn.engine.cases is not None:
                note = partial(turn.engine.cases.note, event, turn.cell.name, name, value)
                turn.later("awaits", note)
        else:
            change = KeepRecord(turn.cell.name, case, name, value)
            turn.later("awaits", partial(ledger.change, change))
