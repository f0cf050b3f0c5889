"""`subscribe`: a function as a small agent, with its own mailbox and turns."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from choreia import (
    ActorSystem,
    Agent,
    DuplicateName,
    Event,
    InvalidAgent,
    InvalidFilter,
    InvalidPattern,
    OutsideTurn,
    current,
    event_type,
    on,
)

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode


@event_type("subscriber.paid")
@frozen
class Paid:
    amount: int


def test_functions_plain_and_async_lambdas_methods_and_callables(system: ActorSystem) -> None:
    heard: list[str] = []

    def plain(event: Event) -> str:
        heard.append("plain")
        return "anything may be returned"

    async def coroutine(event: Event) -> str:
        await asyncio.sleep(0)
        heard.append("coroutine")
        return "here too"

    class Callable:
        def __call__(self, event: Event) -> int:
            heard.append("callable")
            return 5

        async def method(self, event: Event) -> None:
            heard.append("method")

    class AsyncCallable:
        async def __call__(self, event: Event) -> None:
            await asyncio.sleep(0)
            heard.append("async callable")

    for handler in (
        plain, coroutine, Callable(), Callable().method, AsyncCallable(),
        lambda event: heard.append("lambda"),
        lambda event: Callable().method(event),
    ):  # fmt: skip
        system.subscribe("x", handler)
    system.publish("x")
    system.wait_idle(5)
    assert sorted(heard) == [
        "async callable", "callable", "coroutine", "lambda", "method", "method", "plain",
    ]  # fmt: skip
    assert system.dead_letters() == []


def test_patterns_filters_and_typed_payloads(system: ActorSystem) -> None:
    heard: list[Any] = []
    system.subscribe("order.#", heard.append, {"payload.n": {"$gt": 1}})
    system.subscribe(Paid, heard.append, filter={"payload.amount": 2})
    for n in (1, 2):
        system.publish("order.created", {"n": n})
        system.publish(Paid(n))
    system.wait_idle(5)
    events = [event for event in heard if isinstance(event, Event)]
    assert [event.payload["n"] for event in events] == [2]
    assert [paid for paid in heard if isinstance(paid, Paid)] == [Paid(2)]


def test_it_never_runs_on_the_publishers_thread() -> None:
    threads: list[object] = []
    with ActorSystem() as system:
        system.subscribe("x", lambda event: threads.append(threading.current_thread()))
        system.publish("x")
        system.wait_idle(5)
    assert threads != [threading.current_thread()]


def test_it_is_an_agent_with_name_mailbox_and_policy(system: ActorSystem, hear: Hear) -> None:
    heard: list[int] = []
    subscription = system.subscribe(
        "x", lambda event: heard.append(event.payload["n"]), name="ear", mailbox=2,
        overflow="drop_oldest",
    )  # fmt: skip
    assert subscription.name == "ear"
    assert subscription.ref is system.ref("ear")
    system.pause("ear")
    system.wait_idle(5)
    for n in range(5):
        system.publish("x", {"n": n})
    view = system.inspect().agent("ear")
    assert (view.kind, view.mailbox_capacity, view.dropped) == ("subscription", 2, 3)
    system.resume("ear")
    system.wait_idle(5)
    assert heard == [3, 4]


def test_the_event_in_hand_is_known_in_it(system: ActorSystem) -> None:
    seen: list[Event | None] = []
    system.subscribe("x", lambda event: seen.append(current()))
    event = system.publish("x")
    system.wait_idle(5)
    assert seen == [event]
    assert current() is None


def test_publish_in_it_is_an_emission_caused_by_the_event(system: ActorSystem, hear: Hear) -> None:
    heard = hear("y")
    system.subscribe("x", lambda event: system.publish("y"), name="relay")
    cause = system.publish("x")
    system.wait_idle(5)
    assert [event.metadata.causation_id for event in heard] == [cause.id]
    assert heard[0].source == "did:choreia:local:relay"


def test_generators_may_yield_events(system: ActorSystem, hear: Hear) -> None:
    def generator(event: Event) -> Iterator[Any]:
        yield "y", {"by": "generator"}

    async def stream(event: Event) -> AsyncIterator[Any]:
        yield "y", {"by": "stream"}

    heard = hear("y")
    system.subscribe("x", generator)
    system.subscribe("x", stream)
    system.publish("x")
    system.wait_idle(5)
    assert sorted(event.payload["by"] for event in heard) == ["generator", "stream"]


# -- cancelling -----------------------------------------------------------------------------------


def test_cancelled_it_hears_of_nothing_published_from_then_on(system: ActorSystem) -> None:
    heard: list[int] = []
    subscription = system.subscribe("x", lambda event: heard.append(event.payload["n"]))
    system.pause(subscription.name)
    system.wait_idle(5)
    system.publish("x", {"n": 1})
    subscription.cancel()
    system.publish("x", {"n": 2})
    system.resume(subscription.name)
    system.wait_idle(5)
    assert heard == [1], "what was in its mailbox is still handled"
    assert system.dead_letters() == [], "it was not even given the second"
    assert not subscription.ref.is_alive()
    subscription.cancel()
    assert subscription.name not in {agent.name for agent in system.inspect().agents}


def test_as_a_context_manager(system: ActorSystem) -> None:
    heard: list[Event] = []
    with system.subscribe("x", heard.append):
        system.publish("x")
        system.wait_idle(5)
    system.publish("x")
    system.wait_idle(5)
    assert len(heard) == 1


def test_it_may_cancel_itself(system: ActorSystem) -> None:
    heard: list[Event] = []

    def once(event: Event) -> None:
        heard.append(event)
        subscription.cancel()

    subscription = system.subscribe("x", once)
    for _ in range(3):
        system.publish("x")
        system.wait_idle(5)
    assert len(heard) == 1


# -- misuse ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "error", "says"),
    [
        (("a..b", print), {}, InvalidPattern, r"a\.\.b"),
        ((5, print), {}, InvalidAgent, "5 is no topic"),
        ((int, print), {}, InvalidAgent, "is no topic: give a pattern"),
        (("a", 5), {}, InvalidAgent, "subscribe needs a function of an event, not 5"),
        (("a", None), {}, InvalidAgent, "subscribe needs a function"),
        (("a", print, {"payload.x": {"$nope": 1}}), {}, InvalidFilter, r"\$nope"),
        (("a", print, 5), {}, InvalidAgent, "a filter is a mapping or a Filter, not int"),
        (("a.{name}", print), {}, InvalidAgent, "only an agent's @on can name attributes"),
        (("a", print), {"name": "a.b"}, InvalidAgent, "agent name 'a.b'"),
        (("a", print), {"name": "registry"}, DuplicateName, "'registry'"),
        (("a", print), {"mailbox": 0}, InvalidAgent, "mailbox=0"),
        (("a", print), {"overflow": "spill"}, InvalidAgent, "unknown overflow policy 'spill'"),
    ],
)
def test_misuse_is_refused_and_leaves_nothing_behind(
    system: ActorSystem,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    error: type[Exception],
    says: str,
) -> None:
    with pytest.raises(error, match=says):
        system.subscribe(*arguments, **options)
    assert {agent.kind for agent in system.inspect().agents} == {"system"}


def test_the_decorated_class_is_not_a_function_of_an_event(system: ActorSystem) -> None:
    class Mine(Agent):
        @on("x")
        def go(self, event: Event) -> None: ...

    with pytest.raises(InvalidAgent, match=r"system\.spawn\(Mine\)"):
        system.subscribe("x", Mine)


def test_subscribing_within_a_handler(system: ActorSystem) -> None:
    heard: list[Event] = []

    class Subscribes(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            system.subscribe("x", heard.append)
            self.emit("x")

    system.spawn(Subscribes)
    system.publish("go")
    system.wait_idle(5)
    assert len(heard) == 1


def test_a_subscribed_function_cannot_wait_for_the_world(mode: Mode) -> None:
    with ActorSystem(mode=mode) as system:
        caught: list[BaseException] = []

        def waits(event: Event) -> None:
            try:
                system.wait_idle()
            except OutsideTurn as error:
                caught.append(error)

        system.subscribe("x", waits)
        system.publish("x")
        system.wait_idle(5)
        assert len(caught) == 1
