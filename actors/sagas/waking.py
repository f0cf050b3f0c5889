"""Who still has to undo something, and waits for nothing any more, is woken after a crash.

Who waits to undo a step is told in the same commit that undoes what it waits for, if that is undone
by the same failure. If it is another one it is told in a commit of its own, and a process that is
killed between the two takes that with it. So the first participant that begins after such an end
has all those told who may go on by now.
"""

from __future__ import annotations

from choreia.actors.sagas.book import CaseBook
from choreia.actors.sagas.records import addressed
from choreia.runtime.delivery.engine import Engine
from choreia.runtime.durable.bus import LogBus


def wake_waiting(book: CaseBook, engine: Engine) -> None:
    """Raises `StoreUnavailable`."""
    bus = engine.bus
    if not isinstance(bus, LogBus) or bus.clean:
        return
    for case, wake in book.left_waiting():
        id, type = wake.failure
        cause = bus.store.find(id) or next(bus.store.read(limit=1, correlation_id=case), None)
        payload: dict[str, object] = {"agent": wake.agent, "step": None, "event_id": None}
        payload |= {"failure": id, "failure_type": type}
        engine.announce(
            "saga.resumed",
            addressed(wake.agent, wake.key, payload),
            cause=None if cause is None else cause.event,
        )
