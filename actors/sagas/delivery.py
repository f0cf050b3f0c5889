"""What a participant notes while it has one event in hand. It happens when the handlers return."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from choreia.actors.sagas.marks import StepMark
from choreia.actors.sagas.records import StepRecord
from choreia.runtime.events.event import Event, case_of


@attrs.frozen
class SagaStep:
    """A step, a pivot or a join of a class of participants."""

    method: str
    mark: StepMark
    on: tuple[str, ...] = ()
    """The failures on which its class undoes what it has done."""

    @property
    def name(self) -> str:
        """Of its record."""
        return f"{'join' if self.mark.kind == 'join' else 'step'}:{self.method}"


@attrs.frozen
class Saga:
    """What a class of participants does for its cases."""

    steps: tuple[SagaStep, ...] = ()
    by_emission: dict[str, tuple[SagaStep, ...]] = attrs.field(
        factory=dict[str, tuple[SagaStep, ...]]
    )
    """By what they emit, when they are done or have failed."""

    @classmethod
    def of(cls, steps: tuple[SagaStep, ...]) -> Saga:
        by_emission: dict[str, tuple[SagaStep, ...]] = {}
        for step in steps:
            for type in filter(None, (*step.mark.emits, step.mark.fails)):
                by_emission[type] = (*by_emission.get(type, ()), step)
        return cls(steps, by_emission)


@attrs.define(eq=False)
class Delivery:
    """One event in hand."""

    event: Event
    failed: dict[str, BaseException] = attrs.field(factory=dict[str, BaseException])
    """Of what was tried often enough, and is given up: why."""
    due: dict[str, float] = attrs.field(factory=dict[str, float])
    """When a step has to be done: Unix seconds, from its first attempt."""
    timers: list[Callable[[], None]] = attrs.field(factory=list[Callable[[], None]])
    """End what would end an attempt."""
    overdue: set[str] = attrs.field(factory=set[str])
    said: set[str] = attrs.field(factory=set[str])
    """Steps that have said, early, that they are done."""
    # Of one attempt:
    pending: dict[str, StepRecord] = attrs.field(factory=dict[str, StepRecord])
    undone: dict[str, tuple[str, str]] = attrs.field(factory=dict[str, tuple[str, str]])
    """What was undone, and by which failure."""
    current: str | None = None
    """What runs."""
    broken: str | None = None
    """What ran when the last attempt failed."""
    undoing: bool = False
    """Whether that is a compensation."""

    @property
    def case(self) -> str:
        return case_of(self.event)

    def new_attempt(self) -> None:
        self.pending.clear()
        self.undone.clear()
        self.broken, self.current = self.current, None
        self.undoing = False

    def end(self) -> None:
        for cancel in self.timers:
            cancel()
        self.timers.clear()
