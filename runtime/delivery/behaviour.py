"""What a turn needs to know of the agent it runs, as contracts that the layer above implements."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any, Protocol

from choreia.runtime.delivery.steps import Plan
from choreia.runtime.events.event import Event

Frame = Generator[None, None, None]
"""Sequential code that may have to wait: it yields with a hold set on the cell (see `frames`)."""

Waiting = Generator[None, None, object]
"""A part of a frame that comes to a result."""


class Planner(Protocol):
    """Which handlers an agent has for a type of event."""

    def plan(self, type: str) -> Plan: ...

    @property
    def known(self) -> dict[str, Plan]:
        """Plans by type, as far as they have been asked for."""
        ...


class Hearing(Protocol):
    """An agent, as far as a turn knows. A told message comes in a tuple of one: no box is
    cheaper."""

    def on_receive(self, message: object) -> object: ...


class Reply(Protocol):
    """Who asked, and waits for the end of the delivery."""

    def set(self, value: object = None) -> None: ...
    def set_exception(self, exc_info: object = None) -> None: ...


class Fold(Protocol):
    """A state that is made of what an agent emits, and follows it."""

    def restore(self, snapshot: Any) -> int:
        """Be what a store's `Snapshot` says, or begin anew: the position that this is at."""
        ...

    def begin(self, events: Iterable[Event]) -> None:
        """Be what the agent has said since, too."""
        ...

    def snapshot(self) -> tuple[str, bytes] | None:
        """If it is time for one: the code of the state's class, and the state that is kept."""
        ...

    def emitted(self, event: Event) -> None:
        """The handler emits `event`, if it returns."""
        ...

    def said(self, event: Event) -> None:
        """`event` has left, whatever becomes of the handler."""
        ...

    def keep(self) -> None:
        """What was emitted happens."""
        ...

    def undo(self) -> None:
        """It does not."""
        ...


class Ear(Protocol):
    """Handles what is no event: the layer above knows what it is."""

    def failed(self, message: object, error: BaseException) -> None:
        """`on_receive` raised for a told message."""
        ...

    def returned(self, message: object, value: object) -> None:
        """`on_receive` returned something for a told message: a coroutine is still to be run."""
        ...

    def gave_up(self) -> None:
        """An event is a dead letter: the agent's handlers could not do it."""
        ...

    def overran(self, expected: object, error: BaseException) -> None:
        """`expected`, which the user's code has in hand, has been there for longer than it may;
        from any thread."""
        ...

    def receive(self, item: object) -> Frame | None:
        """Anything else: a frame to run, or None when it is done."""
        ...
