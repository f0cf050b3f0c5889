"""Log records that know which event they belong to."""

from __future__ import annotations

import logging

from choreia.runtime.delivery.context import running_turn

FIELDS = ("agent", "event_id", "event_type", "correlation_id", "causation_id", "attempt")


class ContextFilter(logging.Filter):
    """Adds `agent`, `event_id`, `event_type`, `correlation_id`, `causation_id` and `attempt` to
    every record made in a turn, other libraries' too; outside turns they are ``"-"`` and 0.

    Put it on a handler: ``handler.addFilter(ContextFilter())``, with a format such as
    ``%(agent)s %(event_type)s %(message)s``.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        turn = running_turn()
        event = None if turn is None else turn.event
        values: tuple[object, ...]
        if turn is None or event is None:
            agent = "-" if turn is None else turn.cell.name
            values = (agent, "-", "-", "-", "-", 0)
        else:
            meta = event.metadata
            values = (
                turn.cell.name,
                event.id,
                event.type,
                meta.correlation_id or "-",
                meta.causation_id or "-",
                turn.attempt,
            )
        for field, value in zip(FIELDS, values, strict=True):
            setattr(record, field, value)
        return True
