"""A console, the frames it is fed with, and what is to be seen on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from choreia.console.model.asks import Ask, Call
from choreia.console.model.console import Console
from choreia.console.model.line import Line
from choreia.runtime.inspection.frames import Problem

Fields = dict[str, object]
HELLO: Fields = {"node": "shop", "pid": 1234, "control": True, "program": "orders.py"}


def agent_row(name: str, **fields: object) -> Fields:
    """An agent at ease, but for `fields`."""
    row: Fields = {
        "name": name, "id": f"id-{name}", "kind": "agent", "class": "Agent", "state": "idle",
        "size": 0, "capacity": 20, "high_water": 0, "handled": 0, "failed": 0, "dropped": 0,
        "overflowed": 0, "parked": 0, "parked_on": [], "received": 0, "emitted": 0,
        "handler": None, "handler_seconds": 0.0, "p95": None, "suspected": None,
        "incarnation": 1, "heartbeat_age": 0.2, "lag": None,
    }  # fmt: skip
    return {**row, **fields}


def event_row(id: str, type: str = "order.placed", **fields: object) -> Fields:
    """An event, as the stream tells of it."""
    event: Fields = {
        "id": id, "type": type, "source": "outside", "agent": "", "time": 1_000.0,
        "case": "case-1", "cause": None, "hops": 0,
    }  # fmt: skip
    return {**event, **fields}


def snapshot(at: float = 100.0, *agents: Fields, **parts: object) -> Fields:
    """A frame."""
    system = {"node": "shop", "uptime": at, "agents": len(agents), "shown": len(agents)}
    cost = {"share": 0.0031, "seconds": 0.1, "every": 0.25}
    said = {"time": 1_000.0 + at, "at": at, "system": system, "cost": cost}
    return {**said, "agents": list(agents), **parts}


class Pilot:
    """Looks at a console, and presses its keys."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def frame(self, at: float, *agents: Fields, **parts: object) -> None:
        self.console.frame(snapshot(at, *agents, **parts))

    def press(self, *keys: str) -> list[Ask]:
        """All that is asked for."""
        return [ask for key in keys for ask in self.console.press(key)]

    def type(self, text: str) -> list[Ask]:
        """Into a prompt, and Enter."""
        return self.press(*text, "enter")

    def lines(self, width: int = 140, height: int = 30) -> list[Line]:
        return self.console.lines(width, height)

    def screen(self, width: int = 140, height: int = 30) -> list[str]:
        """What stands there."""
        lines = self.lines(width, height)
        return ["".join(span.text for span in line).rstrip() for line in lines]

    def sees(self, text: str) -> bool:
        return any(text in line for line in self.screen())

    def body(self) -> list[str]:
        """What is below the tabs and the names of columns."""
        return [line for line in self.screen()[4:-1] if line]

    def names(self) -> list[str]:
        """The first word of each row, past the gutter."""
        return [line[3:].split()[0] for line in self.body()]

    def selected(self) -> str:
        """The row with the sign of the selection."""
        return next(line[3:] for line in self.screen()[3:] if line.startswith("▸"))

    def footer(self) -> str:
        return self.screen()[-1]

    def style_of(self, text: str) -> str:
        """The style of the span that has this in it."""
        spans = (span for line in self.lines() for span in line)
        return next(span.style for span in spans if text in span.text)

    def tell(self, asks: Sequence[Ask], data: Mapping[str, object]) -> None:
        """Answer the last call among `asks`."""
        self.console.answer(last_call(asks).tag, data, None)

    def refuse(self, asks: Sequence[Ask], message: str) -> None:
        self.console.answer(last_call(asks).tag, None, Problem("unknown", message))


def last_call(asks: Sequence[Ask]) -> Call:
    return [ask for ask in asks if isinstance(ask, Call)][-1]


Piloted = Callable[..., Pilot]


@pytest.fixture
def pilot() -> Pilot:
    """Of a console that may change the system."""
    return Pilot(Console(HELLO))


@pytest.fixture
def piloted() -> Piloted:
    """The same, of a console that is made otherwise."""

    def make(*, ascii: bool = False, **hello: object) -> Pilot:
        return Pilot(Console({**HELLO, **hello}, ascii=ascii))

    return make
