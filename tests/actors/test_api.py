"""The first thing anybody tries: the example that the project was specified by, word for word."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
import pytest

from choreia import (
    ActorSystem,
    Agent,
    AgentInfo,
    CaseLimits,
    DeadLetter,
    Event,
    Heartbeat,
    Restart,
    Retry,
    on,
)
from choreia.actors.info import AgentView

if TYPE_CHECKING:
    from tests.actors.conftest import Mode


class Inventory(Agent):
    capabilities = ("inventory.reserve",)
    emits = ("inventory.reserved",)

    def __init__(self, stock: dict[str, int]) -> None:
        super().__init__()
        self.stock = stock

    @on("order.created", filter={"payload.amount": {"$lte": 1000}})
    def reserve(self, event: Event) -> None:
        self.emit("inventory.reserved", {"order_id": event.payload["order_id"]})


def test_the_example_of_the_front_page(mode: Mode, capsys: pytest.CaptureFixture[str]) -> None:
    with ActorSystem(mode=mode) as system:
        system.spawn(lambda: Inventory({"tea": 3}), name="inventory", mailbox=256, overflow="park")
        system.subscribe("inventory.#", print)
        published = system.publish("order.created", {"order_id": 1, "amount": 5})
        system.publish("order.created", {"order_id": 2, "amount": 1001})
        system.wait_idle(timeout=5)
        assert isinstance(published, Event)
    printed = capsys.readouterr().out
    assert "inventory.reserved" in printed
    assert "{'order_id': 1}" in printed
    assert "'order_id': 2" not in printed, "the filter let it through"


# What users and checks rely on: names, order, defaults.
PUBLISH = (
    "type, payload=None, *, source=None, correlation_id=None, causation_id=None, version=None, "
    "id=None, extensions=None"
)
SIGNATURES: list[tuple[Callable[..., object], str]] = [
    (ActorSystem.spawn, "factory, *, name=None, **options"),
    (ActorSystem.publish, f"{PUBLISH}, timeout=None"),
    (ActorSystem.publish_async, f"{PUBLISH}, timeout=None"),
    (ActorSystem.try_publish, PUBLISH),
    (ActorSystem.request, "type, payload=None, *, until, timeout=30, **options"),
    (ActorSystem.request_async, "type, payload=None, *, until, timeout=30, **options"),
    (ActorSystem.listen, "topic='#', *, filter=None, correlation_id=None, buffer=1000"),
    (
        ActorSystem.subscribe,
        "topic, handler, filter=None, *, name=None, mailbox=1000, overflow='park', passive=False",
    ),
    (ActorSystem.find, "capability"),
    (ActorSystem.inspect, ""),
    (ActorSystem.dead_letters, ""),
    (ActorSystem.redeliver, "letter"),
    (ActorSystem.ref, "name"),
    (ActorSystem.kill, "name"),
    (ActorSystem.pause, "name"),
    (ActorSystem.resume, "name"),
    (ActorSystem.wait_idle, "timeout=None"),
    (ActorSystem.stop, "drain=True, timeout=30"),
    (Agent.emit, "type, payload=None"),
    (Agent.emit_now, "type, payload=None"),
    (Agent.emit_now_async, "type, payload=None"),
    (Agent.after, "seconds, type, payload=None, *, key=None"),
    (Agent.cancel, "key"),
    (Agent.find, "capability"),
    (Agent.once, "name, fn, *args"),
    (Agent.on_start, ""),
    (Agent.on_stop, ""),
    (on, "topic, filter=None, *, timeout=None, cancel_on=None"),
    (
        Heartbeat,
        "interval=30, timeout=90, detector='timeout', stuck_after=None, replace_after=None",
    ),
    (Restart, "failures=5, max_restarts=3, window=60"),
    (ActorSystem.restart, "name"),
    (Agent.alive, ""),
    (
        Retry,
        "attempts=3, delay=0.1, factor=2, max_delay=30, jitter=0.1, give_up_on=()",
    ),
    (CaseLimits, "hops=1000, events=None, spend=None"),
]


@pytest.mark.parametrize(
    ("function", "expected"), SIGNATURES, ids=[f.__qualname__ for f, _ in SIGNATURES]
)
def test_signatures_are_as_promised(function: Callable[..., object], expected: str) -> None:
    """What was added since is a keyword that may be left out."""
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    ]
    promised = [word.split("=")[0].lstrip("*") for word in expected.split(", ")]
    added = [parameter for parameter in bare if parameter.name not in promised]
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in added)
    kept = [parameter for parameter in bare if parameter not in added]
    assert str(inspect.Signature(kept)) == f"({expected})"


def test_the_systems_options_are_as_promised() -> None:
    parameters = inspect.signature(ActorSystem).parameters
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in parameters.values())
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    assert defaults["node"] == "local"
    assert defaults["workers"] == 1
    assert defaults["inherit"] == ()
    assert defaults["limits"] in (None, CaseLimits(hops=1000))


FIELDS: dict[type, str] = {
    AgentInfo: "id name capabilities specializations capacity available_capacity load status "
    "node incarnation",
    AgentView: "id name kind state mailbox_size mailbox_capacity high_water handled failed "
    "dropped overflowed parked received emitted handler handler_seconds",
    DeadLetter: "event agent error traceback attempts reason",
}


@pytest.mark.parametrize("cls", FIELDS)
def test_fields_are_as_promised(cls: type) -> None:
    has = {field.name for field in attrs.fields(cls)}
    assert set(FIELDS[cls].split()) <= has
