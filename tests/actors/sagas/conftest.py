"""What the tests of sagas share: what was said, and how the steps of a case stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from choreia import ActorSystem, Event


@pytest.fixture(params=["memory", "log"])
def feed(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


States = Callable[[], dict[str, str]]


@pytest.fixture
def said(request: pytest.FixtureRequest) -> list[Event]:
    """All that is said in the test's `system` or `sim`, but by the runtime about agents."""
    heard: list[Event] = []

    def keep(event: Event) -> None:
        if not event.type.startswith(("agent.", "system.")):
            heard.append(event)

    system_of(request).subscribe("#", keep, name="ear", durable=False)
    return heard


@pytest.fixture
def states(request: pytest.FixtureRequest) -> States:
    """How all steps of all cases in the book stand: by ``agent/step``, or, of several cases, the
    last one's."""
    system = system_of(request)
    return lambda: {place: record["state"] for place, record in records(system).items()}


def records(system: ActorSystem) -> dict[str, dict[str, Any]]:
    """The records of all cases, by ``agent/step``."""
    book = system._book
    found: dict[str, dict[str, Any]] = {}
    for case in [*book._cases, *book._opened]:
        for kept in book.records(case):
            name = f"{kept.agent}/{kept.name.partition(':')[2]}"
            found[name] = json.loads(kept.value)
    return found


def types(said: list[Event]) -> list[str]:
    return [event.type for event in said]


def system_of(request: pytest.FixtureRequest) -> ActorSystem:
    name = "sim" if "sim" in request.fixturenames else "system"
    system: ActorSystem = request.getfixturevalue(name)
    return system
