"""A turn that keeps records of the steps that its agent takes.

As any other turn, in memory or durable; the records change when the handlers return, all or nothing
with what they emit.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs

from choreia.actors.sagas.book import Wake
from choreia.actors.sagas.delivery import Delivery, SagaStep
from choreia.actors.sagas.emitting import BUFFERED
from choreia.actors.sagas.noting import Noting
from choreia.actors.sagas.records import (
    StepRecord,
    StepState,
    addressed,
    extension_of,
)
from choreia.actors.timers import cancel_timer, durable_ledger
from choreia.runtime.delivery.deadletter import format_error
from choreia.runtime.delivery.turn import Turn
from choreia.runtime.durable.members.turn import MemberTurn
from choreia.runtime.durable.turn import DurableTurn
from choreia.runtime.errors import GiveUp, StepFailed
from choreia.runtime.events.display import plain
from choreia.runtime.events.event import Event, case_of
from choreia.runtime.events.schema import type_of
from choreia.runtime.stores.unit import KeepRecord

if TYPE_CHECKING:
    pass


class SagaTurn(Noting):
    """See the module."""

    __slots__ = ()

    # -- what goes out ----------------------------------------------------------------------

    def emit(self, type: object, payload: object = None) -> Event:
        noticed = self._noticed(type)
        if not noticed:
            return super().emit(type, payload)
        with self._standing_on(noticed):
            event = super().emit(type, payload)
        for step in noticed:
            self._settle_step(step, event.type)
        return event

    def early(self, type: object, payload: object = None) -> tuple[Event, bool]:
        noticed = self._noticed(type)
        if not noticed:
            return super().early(type, payload)
        with self._standing_on(noticed):
            event, fresh = super().early(type, payload)
        for step in noticed:
            self._settle_step(step, event.type)
            self.delivery.said.add(step.name)
        return event, fresh

    def _noticed(self, type: object) -> tuple[SagaStep, ...]:
        """The steps that are done, or have failed, with this: what runs, or else what waits."""
        declared = None if isinstance(type, str) else type_of(type)
        name = type if declared is None else declared[0]
        steps = self.saga.by_emission.get(name, ()) if isinstance(name, str) else ()
        if not steps or self.event is None:
            return ()
        delivery = self.delivery
        if delivery.undoing:
            return ()
        here = tuple(step for step in steps if step.name == delivery.current)
        return here or tuple(step for step in steps if self._doing(step.name))

    def _doing(self, name: str) -> bool:
        record = self.record(name)
        return record is not None and record.state is StepState.DOING

    @contextmanager
    def _standing_on(self, steps: tuple[SagaStep, ...]) -> Generator[None, None, None]:
        """What is emitted stands on `steps`."""
        before = self.emitter.standing
        self.emitter.standing = extension_of(self.place(step.name) for step in steps)
        try:
            yield
        finally:
            self.emitter.standing = before

    def _settle_step(self, step: SagaStep, type: str) -> None:
        """It has said that it is done, or that it has failed."""
        before = self.record(step.name)
        if before is None or self.delivery.current == step.name:
            before = self.blank(step, StepState.DOING)
        failed = type == step.mark.fails
        if before.until is not None:
            cancel_timer(self, self._record, self.timer_of(step.name))
        state = StepState.FAILED if failed else StepState.DONE
        owed = before.owed and not failed and before.failure is not None
        self.note(attrs.evolve(before, state=state, until=None, owed=owed))

    def send_off(self) -> None:
        delivery = self._in_hand()
        if delivery is not None:
            delivery.end()
            # What is done is known before anybody hears of it: whoever reacts may look it up. What
            # is undone is known afterwards: whoever waited for that says what it says later.
            for record in delivery.pending.values():
                if record.name not in delivery.undone:
                    self._wake(self._keep(delivery, record), record)
                else:
                    self._undo(delivery, record)
            self._delivery = None
        self.emitter.new_attempt()
        super().send_off()

    def drop(self) -> None:
        delivery = self._in_hand()
        if delivery is not None:
            delivery.new_attempt()
        self.emitter.new_attempt()
        super().drop()

    def bury(
        self,
        item: object,
        error: BaseException | None,
        attempts: int,
        reason: str,
        progress: object = None,
        where: str = "",
    ) -> None:
        super().bury(item, error, attempts, reason, progress, where)  # type: ignore[arg-type]
        if not isinstance(item, Event):
            return
        delivery: Delivery | None = getattr(self, "_delivery", None)
        if delivery is not None and delivery.event.id == item.id:
            self._delivery = None
            delivery.end()
        self._let_go(item)

    def _let_go(self, event: Event) -> None:
        """It came to nothing: whoever waited for a pivot that had it waits no longer."""
        case = case_of(event)
        for step in self.saga.steps:
            place = self.place(step.name)
            if step.mark.kind == "pivot" and self.book.record(case, place) is None:
                for wake in self.book.let_go(case, place):
                    payload = self._for(wake, self.told(step.name, event.id))
                    self._announce_at_once("saga.resumed", payload, event)

    def _keep(self, delivery: Delivery, record: StepRecord) -> tuple[Wake, ...]:
        event, cause = delivery.event, record.failure
        failure = event if cause is not None and cause[0] == event.id else None
        return self.book.put(delivery.case, record, failure=failure)

    def _undo(self, delivery: Delivery, record: StepRecord) -> None:
        """A step is undone as soon as what was said about it is on its way."""

        def known() -> None:
            for wake in self.book.put(delivery.case, record):
                payload = self._for(wake, self.told(record.name, record.event_id))
                self._announce_at_once("saga.compensated", payload, delivery.event)

        self.buffer.append(known)

    def _wake(self, wakes: tuple[Wake, ...], record: StepRecord) -> None:
        for wake in wakes:
            payload = self._for(wake, self.told(record.name, record.event_id))
            self._announce("saga.resumed", payload)

    def _for(self, wake: Wake, payload: dict[str, object]) -> dict[str, object]:
        id, type = wake.failure
        return addressed(wake.agent, wake.key, {**payload, "failure": id, "failure_type": type})

    def _announce(self, type: str, payload: dict[str, object]) -> None:
        """Say something about a step, with all else that is said."""
        event = self.emitter.buffered(
            self.event, type, payload, len(self.buffer), self.engine.clock.now()
        )
        self.buffer.append(event)
        if self.fold is not None:
            self.fold.emitted(event)

    def _announce_at_once(self, type: str, payload: dict[str, object], cause: Event) -> None:
        """The same outside a handler."""
        now = self.engine.clock.now()
        event = self.emitter.early(cause, type, payload, lambda type, said: BUFFERED, now)
        ledger = durable_ledger(self)
        if ledger is None:
            self.engine.bus.impose(event, vital=False)
        else:
            ledger.emit(event)

    # -- failing ----------------------------------------------------------------------------

    def wait(self, error: BaseException) -> float | None:
        delivery = self._in_hand()
        if delivery is None or delivery.broken is None:
            return super().wait(error)
        if delivery.broken in delivery.overdue:
            return None
        if isinstance(error, StepFailed) and self.book.passed(delivery.case):
            error = RuntimeError()  # as any other: past the pivot a step has to be done
        return super().wait(error)

    def rescue(self, error: BaseException) -> bool:
        """A step, or a compensation, has been tried often enough: the event is handled once more,
        by the others, and without it."""
        delivery = self._in_hand()
        name = None if delivery is None else delivery.broken
        if delivery is None or name is None or name in delivery.failed or name in delivery.said:
            return False
        if name in delivery.overdue and not isinstance(error, StepFailed):
            error = StepFailed("deadline")
        delivery.failed[name] = error
        return True

    def dead(self, error: BaseException, reason: str) -> None:
        """When the handlers return, the event in hand is a dead letter all the same, so that it can
        be redelivered."""
        event, attempts, progress = self.event, self.attempt, self.progress

        def bury() -> None:
            self.bury(event, error, attempts, reason, progress)
            self.report(
                logging.ERROR,
                "%s is a dead letter after %d attempts:\n%s",
                event and event.type, attempts,
                "\n".join(plain(line) for line in format_error(error).splitlines()),
            )  # fmt: skip
            self.ear.gave_up()

        self.buffer.append(bury)

    def stuck(self, step: SagaStep, record: StepRecord, error: BaseException) -> None:
        """Nobody here can go on: say what is owed."""
        done = record.state is StepState.DONE and step.mark.compensate is not None
        owed = (step.mark.compensate,) if done else step.mark.emits
        told = self.told(step.name, record.event_id)
        said = plain(f"{type(error).__name__}: {error}", 1_000)
        self._announce("saga.stuck", {**told, "owed": list(owed), "error": said})
        self.dead(error, "gave_up" if isinstance(error, GiveUp) else "failed")


class SagaDurableTurn(SagaTurn, DurableTurn):
    """Its records are committed with what it emits."""

    __slots__ = ()

    def to_keep(self, event: Event) -> tuple[Event, ...]:
        # What stands in the log is read again when it is needed.
        return () if self._kept_event() else (event,)

    def _keep(self, delivery: Delivery, record: StepRecord) -> tuple[Wake, ...]:
        ledger, case, book = durable_ledger(self), delivery.case, self.book
        if ledger is None:
            return super()._keep(delivery, record)
        ledger.change(KeepRecord(record.agent, case, record.name, record.value()))
        woken = book.put(case, record, committing=True)
        ledger.then(lambda: book.committed(case))
        return woken

    def _undo(self, delivery: Delivery, record: StepRecord) -> None:
        # Known when it is on disk, and not before: a crash must not take it back when something
        # that had waited for it is on disk already. Those who may wait are told in the same unit;
        # who hears of it knows that it is committed.
        ledger, case, book = durable_ledger(self), delivery.case, self.book
        if ledger is None:
            super()._undo(delivery, record)
            return
        failure = delivery.undone[record.name]
        record = attrs.evolve(record, tells=True)
        self.emitter.answer(self.because(failure), record.name, delivery.event)
        told = book.beneath(case, record, failure)
        for wake in told:
            payload = self._for(wake, self.told(record.name, record.event_id))
            self._announce("saga.compensated", payload)
        self.emitter.answered()
        ledger.change(KeepRecord(record.agent, case, record.name, record.value()))
        book.committing(case, record)
        agents = {wake.agent for wake in told}

        def known() -> None:
            for wake in book.put(case, record):
                if wake.agent not in agents:  # it waits because of another failure of the case
                    payload = self._for(wake, self.told(record.name, record.event_id))
                    self.engine.announce("saga.resumed", payload, self.cell.id, delivery.event)
            book.committed(case)

        ledger.then(known)


class SagaMemberTurn(SagaDurableTurn, MemberTurn):
    """The same for a member of a family."""

    __slots__ = ()


def participating(kind: type[Turn]) -> type[SagaTurn]:
    """The kind of turn that a participant has, where another agent has one of `kind`."""
    if issubclass(kind, MemberTurn):
        return SagaMemberTurn
    return SagaDurableTurn if issubclass(kind, DurableTurn) else SagaTurn
