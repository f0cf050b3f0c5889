"""What the contract's tests are made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from choreia.runtime.errors import ChoreiaError
from choreia.runtime.events.event import Event
from choreia.runtime.stores.base import EventStore
from choreia.runtime.stores.unit import (
    Committed,
    Outcome,
    Unit,
)

ODD = "ünïcode \U0001f600 \x00 \x1b[31m \u202e \ufeff '\"\\ 100%_"


def event(type: str = "order.placed", payload: Any = None, **rest: Any) -> Event:
    return Event(type=type, source=rest.pop("source", "outside"), payload=payload or {}, **rest)


def unit(*events: Event, **rest: Any) -> Unit:
    return Unit(events, [orjson.dumps(one.payload) for one in events], **rest)


def committed(outcome: Outcome) -> Committed:
    assert isinstance(outcome, Committed), outcome
    return outcome


def append(store: EventStore, *events: Event, now: float = 1.0) -> list[int]:
    """Their positions."""
    outcomes = store.commit([unit(one) for one in events], now)
    return [committed(outcome).recorded[0].position for outcome in outcomes]


def refused(outcome: Outcome, kind: type[ChoreiaError]) -> None:
    assert isinstance(outcome, kind), outcome


def raises(kind: type[BaseException], call: Callable[[], object]) -> str:
    """The message of what `call` raises."""
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError(f"{kind.__name__} was not raised")


class Conformance:
    """`make` may be called several times with one folder, for one store after the other in the same
    place; each has been closed before."""

    durable = True
    """Whether a store that is made again in the same place has what the first one had."""

    def make(self, folder: Path) -> EventStore:
        raise NotImplementedError
