"""Every misuse raises an error of ours that says what is wrong, where, and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from choreia import (
    ActorSystem,
    Agent,
    BlockingCall,
    ChoreiaError,
    DuplicateName,
    Event,
    InvalidAgent,
    InvalidFilter,
    InvalidPattern,
    InvalidPayload,
    InvalidType,
    PayloadTooLarge,
    Retry,
    ReturnedValue,
    SystemStopped,
    UndeclaredEvent,
    on,
)

if TYPE_CHECKING:
    from tests.actors.conftest import Mode

Use = Callable[[ActorSystem], object]


def stopped(system: ActorSystem) -> ActorSystem:
    system.stop()
    return system


def twice(system: ActorSystem) -> None:
    system.spawn(Agent, name="twin")
    system.spawn(Agent, name="twin")


def letter_of(system: ActorSystem, handler: Callable[..., Any], **members: Any) -> object:
    """Raise what became of `handler`."""
    system.spawn(
        type("Mine", (Agent,), {"handle": on("go")(handler), **members}), retry=Retry(attempts=1)
    )
    system.publish("go")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    assert letter.error is not None
    raise letter.error


def blocked(system: ActorSystem) -> None:
    async def main() -> None:
        system.publish("x")

    asyncio.run(main())


# What is done; the error; what, where and what to do.
MISUSES: list[tuple[str, Use, type[ChoreiaError], tuple[str, str, str]]] = [
    (
        "a bad pattern",
        lambda s: s.subscribe("order..created", print),
        InvalidPattern,
        ("empty", "order..created", "segment"),
    ),
    (
        "a bad filter",
        lambda s: s.subscribe("order.created", print, {"payload.amount": {"$lessthan": 5}}),
        InvalidFilter,
        ("$lessthan", "payload.amount", "$lt"),
    ),
    (
        "a bad type name",
        lambda s: s.publish("order created"),
        InvalidType,
        ("' '", "order created", "A-Z"),
    ),
    (
        "an unserialisable payload, with its path",
        lambda s: s.publish("order.created", {"items": [{"when": object()}]}),
        InvalidPayload,
        ("object", "payload.items[0].when", "JSON"),
    ),
    (
        "a double name",
        twice,
        DuplicateName,
        ("already", "'twin'", "spawn(…, name=…)"),
    ),
    (
        "publish after stop",
        lambda s: stopped(s).publish("x"),
        SystemStopped,
        ("stopp", "the system", "nothing more from outside"),
    ),
    (
        "an unknown policy",
        lambda s: s.spawn(Agent, overflow="spill"),
        InvalidAgent,
        ("unknown overflow policy", "'spill'", "choose one of park, drop_newest"),
    ),
    (
        "an oversize payload",
        lambda s: s.publish("x", {"text": "x" * 2_000_000}),
        PayloadTooLarge,
        ("1,048,576", "payload", "bytes"),
    ),
    (
        "a payload nested too deep",
        lambda s: s.publish("x", nested(65)),
        PayloadTooLarge,
        ("nested deeper than the limit", "payload.x.x", "flatten it"),
    ),
    (
        "a returned value",
        lambda s: letter_of(s, lambda self, event: 5),
        ReturnedValue,
        ("returned a int", "handler handle", "self.emit(type, payload)"),
    ),
    (
        "a blocking call on a thread with a running loop",
        blocked,
        BlockingCall,
        ("would block the event loop", "publish", "await system.publish_async(…)"),
    ),
    (
        "an undeclared event",
        lambda s: letter_of(s, lambda self, event: self.emit("b"), emits=("a",)),
        UndeclaredEvent,
        ("emits 'b'", "Mine", "add it there"),
    ),
]  # fmt: skip


def nested(depth: int) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    for _ in range(depth):
        payload = {"x": payload}
    return payload


@pytest.mark.parametrize(
    ("use", "error", "says"), [case[1:] for case in MISUSES], ids=[case[0] for case in MISUSES]
)
def test_misuse(
    system: ActorSystem, use: Use, error: type[ChoreiaError], says: tuple[str, str, str]
) -> None:
    with pytest.raises(error) as caught:
        use(system)
    assert isinstance(caught.value, ChoreiaError)
    message = str(caught.value)
    what, where, what_to_do = says
    assert what in message
    assert where in message
    assert what_to_do in message
    assert len(message) < 600, "quoted no more than needed"


def test_an_error_of_ours_is_also_the_built_in_one_that_fits(mode: Mode) -> None:
    with ActorSystem(mode=mode) as system:
        with pytest.raises(ValueError, match="order created"):
            system.publish("order created")
        with pytest.raises(TypeError, match="payload"):
            system.publish("x", {"x": object()})
        with pytest.raises(LookupError, match="ghost"):
            system.ref("ghost")
        with pytest.raises(TimeoutError):
            system.request("x", until="y", timeout=0)
        with pytest.raises(TypeError, match="spawn was given 5"):
            system.spawn(5)  # type: ignore[arg-type]


def test_text_from_outside_is_quoted_without_its_control_characters(system: ActorSystem) -> None:
    """It may be printed to a terminal."""
    hostile = "evil\x1b[2J\u202e"
    uses: list[Callable[[], object]] = [
        lambda: system.publish(hostile),
        lambda: system.subscribe(hostile, print),
        lambda: system.spawn(Agent, name=hostile),
        lambda: system.ref(hostile),
        lambda: system.publish("x", {hostile: object()}),
        lambda: system.publish("x", source=""),
        lambda: system.spawn(Agent, overflow=hostile),
        lambda: system.request("x", until=hostile),
        lambda: system.publish(Event("x", hostile, id=hostile), source=hostile),
    ]
    for use in uses:
        with pytest.raises(ChoreiaError) as caught:
            use()
        assert "\x1b" not in str(caught.value)
        assert "\u202e" not in str(caught.value)
