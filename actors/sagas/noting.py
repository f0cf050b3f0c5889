"""The half of a participant's turn that notes how its steps stand, and watches their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from choreia.actors.sagas.book import CaseBook
from choreia.actors.sagas.delivery import Delivery, Saga, SagaStep
from choreia.actors.sagas.emitting import SagaEmitter
from choreia.actors.sagas.records import (
    Place,
    StepRecord,
    StepState,
    addressed,
    places_of,
)
from choreia.actors.timers import cancel_timer, set_alarm
from choreia.runtime.delivery.cell import BACKING_OFF
from choreia.runtime.delivery.frames import Frames
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.durable.bus import LogBus
from choreia.runtime.events.event import Event

if TYPE_CHECKING:
    from choreia.actors.record import Record

AGAIN = 0.05
"""Seconds until an overdue attempt is looked at again that could not be ended just then."""


class Noting(Turn):
    """See the module. `book` and `saga` are set right after it is made."""

    __slots__ = ("_delivery", "book", "saga")

    _delivery: Delivery | None
    book: CaseBook
    saga: Saga
    emitter: SagaEmitter

    def keep_place_of(self, other: Frames) -> None:
        super().keep_place_of(other)
        if isinstance(other, Noting):
            self.book, self.saga = other.book, other.saga

    # -- what is in hand --------------------------------------------------------------------

    @property
    def delivery(self) -> Delivery:
        """Of the event in hand."""
        event = self.event
        assert event is not None, "steps are about events"
        known: Delivery | None = getattr(self, "_delivery", None)
        if known is None or known.event.id != event.id:
            known = self._delivery = Delivery(event)
        return known

    def _in_hand(self) -> Delivery | None:
        known: Delivery | None = getattr(self, "_delivery", None)
        return known if known is not None and self.event is not None else None

    def record(self, name: str) -> StepRecord | None:
        """How a step of the case in hand stands, as far as the handler has come."""
        delivery = self.delivery
        return delivery.pending.get(name) or self.book.record(delivery.case, self.place(name))

    def place(self, name: str) -> Place:
        return self.cell.name, name

    def note(self, record: StepRecord) -> None:
        """It stands so, if the handlers return."""
        if not self.buffer:  # a turn looks no further when there is nothing to send off
            self.buffer.append(_nothing)
        self.delivery.pending[record.name] = record

    def blank(self, step: SagaStep, state: StepState) -> StepRecord:
        """A record of a step that handles the event in hand."""
        delivery, mark = self.delivery, step.mark
        return StepRecord(
            self.cell.name,
            step.name,
            state,
            delivery.event.id,
            mark.kind,
            mark.compensate is not None,
            places_of(delivery.event),
            step.on if mark.compensate is not None else (),
            awaits=mark.awaits,
            key=self._record.options.key,
            events=self.to_keep(delivery.event),
        )

    def to_keep(self, event: Event) -> tuple[Event, ...]:
        """What a record keeps of an event that it is about."""
        return (event,)

    def handled_by(self, record: StepRecord) -> tuple[Event | None, ...]:
        """What a step or a join has been given; None for what cannot be found any more."""
        if record.events:
            return record.events
        ids = record.joined or (record.event_id,)
        return tuple(None if id is None else self.find(id) for id in ids)

    def because(self, failure: tuple[str, str]) -> Event | None:
        """The event that the case in hand has failed with."""
        event, id = self.delivery.event, failure[0]
        if event.id == id:
            return event
        return self.book.failure(self.delivery.case, id) or self.find(id)

    def find(self, id: str) -> Event | None:
        """An event of the log."""
        bus = self.engine.bus
        recorded = bus.store.find(id) if isinstance(bus, LogBus) else None
        return None if recorded is None else recorded.event

    def told(self, name: str, event_id: str | None) -> dict[str, object]:
        """What a runtime event says of a step."""
        step = name.partition(":")[2]
        return {"agent": self.cell.name, "step": step, "event_id": event_id}

    # -- time -------------------------------------------------------------------------------

    def timer_of(self, name: str) -> str:
        return f"saga:{name}:{self.delivery.case}"

    def remind(self, name: str, event_id: str | None, due: float) -> None:
        """Have the agent hear of it when time is up."""
        record = self._record
        payload = addressed(self.cell.name, record.options.key, self.told(name, event_id))
        payload["record"] = name
        set_alarm(self, record, due, "saga.deadline", payload, self.timer_of(name))

    def forget_timer(self, name: str) -> None:
        cancel_timer(self, self._record, self.timer_of(name))

    def watch(self, step: SagaStep) -> None:
        """From its first attempt on a step has its time: whatever it waits for then, ends."""
        delivery, seconds = self.delivery, step.mark.deadline
        if seconds is None or step.name in delivery.due:
            return
        clock = self.engine.clock
        delivery.due[step.name] = clock.now() + seconds

        def over() -> None:
            if getattr(self, "_delivery", None) is not delivery:
                return
            delivery.overdue.add(step.name)
            task = self.task
            if task is not None:
                task.cancel()
            elif self.cell.holds & BACKING_OFF:
                self.cell.release(BACKING_OFF)
            else:
                arm(AGAIN)

        def arm(wait: float) -> None:
            delivery.timers.append(clock.call_later(wait, over).cancel)

        arm(seconds)

    @property
    def _record(self) -> Record:
        return cast("Record", self.cell.owner)


def _nothing() -> None:
    pass
