"""`emit_now` and `yield`: what leaves at once, whatever becomes of the handler."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from choreia import ActorSystem, Agent, Event, InvalidPayload, Retry, event_type, on

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Until

ONCE = Retry(attempts=1)


@event_type("sending.progress")
@frozen
class Progress:
    percent: int


def emits_now(agent: Agent, event: Event) -> None:
    agent.emit("late", {"n": 0})
    agent.emit_now("early", {"n": 1})
    agent.emit_now(Progress(50))
    raise ValueError


async def emits_now_async(agent: Agent, event: Event) -> None:
    agent.emit("late", {"n": 0})
    await agent.emit_now_async("early", {"n": 1})
    await agent.emit_now_async(Progress(50))
    raise ValueError


def yields(agent: Agent, event: Event) -> Iterator[Any]:
    agent.emit("late", {"n": 0})
    yield "early", {"n": 1}
    yield Progress(50)
    raise ValueError


async def streams(agent: Agent, event: Event) -> AsyncIterator[Any]:
    agent.emit("late", {"n": 0})
    yield "early", {"n": 1}
    yield Progress(50)
    raise ValueError


WAYS = [emits_now, emits_now_async, yields, streams]


def spawn(system: ActorSystem, handler: Callable[..., Any], **options: Any) -> None:
    system.spawn(type("Speaks", (Agent,), {"go": on("go")(handler)}), name="speaks", **options)


@pytest.mark.parametrize("way", WAYS)
def test_it_leaves_whatever_becomes_of_the_handler(
    system: ActorSystem, hear: Hear, way: Callable[..., Any]
) -> None:
    heard = [hear("early"), hear("sending.progress"), hear("late")]
    spawn(system, way, retry=ONCE)
    cause = system.publish("go", correlation_id="case-1")
    system.wait_idle(5)
    early, progress, late = heard
    assert [event.payload for event in early] == [{"n": 1}]
    assert [event.payload for event in progress] == [{"percent": 50}]
    assert late == []
    for event in (*early, *progress):
        assert event.source == "did:choreia:local:speaks"
        assert event.metadata.causation_id == cause.id
        assert event.metadata.correlation_id == "case-1"
        assert event.metadata.hops == 1
    assert system.inspect().agent("speaks").emitted == 2


def test_each_yield_leaves_before_the_next_step_is_asked_for(sim: ActorSystem) -> None:
    order: list[str] = []

    class Works(Agent):
        @on("go")
        def go(self, event: Event) -> Iterator[Any]:
            for n in range(3):
                order.append(f"step {n}")
                yield "said", {"n": n}
                taken = sim.inspect().agent("ear")
                assert taken.mailbox_size + taken.handled == n + 1

    sim.subscribe("said", lambda event: order.append(f"heard {event.payload['n']}"), name="ear")
    sim.spawn(Works)
    sim.publish("go")
    sim.wait_idle()
    assert [line for line in order if line.startswith("step")] == ["step 0", "step 1", "step 2"]
    assert sim.dead_letters() == []


def test_emit_now_is_heard_while_the_handler_still_runs() -> None:
    heard, go_on = threading.Event(), threading.Event()

    class Works(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            self.emit_now("working")
            assert heard.wait(10)
            go_on.set()

    with ActorSystem() as system:
        system.subscribe("working", lambda event: heard.set())
        system.spawn(Works)
        system.publish("go")
        assert go_on.wait(10)


def test_it_returns_the_event(system: ActorSystem, hear: Hear) -> None:
    returned: list[Event] = []

    class Works(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            returned.append(self.emit_now("said", {"n": 1}))
            returned.append(self.emit("said", {"n": 2}))

    said = hear("said")
    system.spawn(Works)
    system.publish("go")
    system.wait_idle(5)
    assert said == returned
    assert said[0] is returned[0]


@pytest.mark.parametrize("way", ["emit_now", "emit_now_async", "yield"])
def test_one_that_rejects_makes_a_dead_letter_and_no_exception(
    system: ActorSystem, way: str
) -> None:
    class Full(Agent):
        @on("said")
        def take(self, event: Event) -> None: ...

    class Speaks(Agent):
        @on("emit_now")
        def now(self, event: Event) -> None:
            self.emit_now("said", {"n": 2})
            self.emit("well")

        @on("emit_now_async")
        async def now_async(self, event: Event) -> None:
            await self.emit_now_async("said", {"n": 2})
            self.emit("well")

        @on("yield")
        def step(self, event: Event) -> Iterator[Any]:
            yield "said", {"n": 2}
            yield "well"

    system.spawn(Full, mailbox=1, overflow="reject")
    system.spawn(Speaks)
    system.pause("full")
    system.wait_idle(5)
    system.publish("said", {"n": 1})
    answer = system.request(way, until="well", timeout=5)
    (letter,) = system.dead_letters()
    assert letter.event is not None
    assert (letter.agent, letter.reason, letter.event.payload) == ("full", "rejected", {"n": 2})
    assert answer.source == "did:choreia:local:speaks"


def test_a_bad_payload_is_refused_at_the_call(system: ActorSystem) -> None:
    caught: list[InvalidPayload] = []

    class Works(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            try:
                await self.emit_now_async("said", {"at": [1, object()]})
            except InvalidPayload as error:
                caught.append(error)

    system.spawn(Works)
    system.publish("go")
    system.wait_idle(5)
    assert caught[0].path == "payload.at[1]"


def test_an_agent_may_speak_to_itself(system: ActorSystem) -> None:
    seen: list[str] = []

    class Talks(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            self.emit_now("early")
            self.emit("late")
            seen.append("go")

        @on("early")
        @on("late")
        def hear(self, event: Event) -> None:
            seen.append(event.type)

    system.spawn(Talks)
    system.publish("go")
    system.wait_idle(5)
    assert seen == ["go", "early", "late"], "after what it has in hand"


@pytest.mark.parametrize("way", WAYS[1:3])
def test_emit_now_into_a_full_mailbox_waits_and_is_not_lost(
    system: ActorSystem, way: Callable[..., Any], until: Until
) -> None:
    class Full(Agent):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[int] = []

        @on("early")
        def take(self, event: Event) -> None:
            self.seen.append(event.payload["n"])

    ref = system.spawn(Full, mailbox=1)
    spawn(system, way, retry=ONCE)
    system.pause("full")
    system.wait_idle(5)
    system.publish("early", {"n": 0})
    system.publish("go")
    until(lambda: system.inspect().agent("full").parked)
    system.resume("full")
    system.wait_idle(5)
    assert ref.proxy().seen.get(timeout=5) == [0, 1]


def test_many_coroutines_that_wait_for_room_share_one_thread(system: ActorSystem) -> None:
    class Full(Agent):
        def __init__(self) -> None:
            super().__init__()
            self.seen = 0

        @on("said")
        async def take(self, event: Event) -> None:
            await asyncio.sleep(0)
            self.seen += 1

    class Speaks(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            for n in range(3):
                await self.emit_now_async("said", {"n": n, "by": self.name})

    ref = system.spawn(Full, mailbox=1)
    for n in range(30):
        system.spawn(Speaks, name=f"speaks-{n}")
    system.publish("go")
    system.wait_idle(20)
    assert ref.proxy().seen.get(timeout=5) == 90
