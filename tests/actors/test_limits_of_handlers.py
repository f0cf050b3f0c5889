"""`@on(…, timeout=, cancel_on=)`: what ends a handler before it ends itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from choreia import (
    ActorSystem,
    Agent,
    Event,
    HandlerTimeout,
    HopLimit,
    InvalidAgent,
    InvalidPattern,
    Retry,
    event_type,
    on,
)
from choreia.runtime.stores.memory import MemoryStore

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Until


@event_type("limits.cancelled")
@frozen
class CancelledByClass:
    why: str


class Bounded(Agent):
    retry = Retry(attempts=2, delay=1, jitter=0)

    def __init__(self, asleep: Any = None, ends: list[str] | None = None) -> None:
        super().__init__()
        self.asleep = asleep
        self.ends = [] if ends is None else ends

    @on("wait", timeout=5, cancel_on=("order.cancelled", CancelledByClass))
    async def wait(self, event: Event) -> None:
        self.emit("said")
        try:
            await asyncio.sleep(event.payload["seconds"])
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        self.emit("done")

    @on("stubborn", timeout=5)
    async def stubborn(self, event: Event) -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            self.ends.append("swallowed")
        self.emit("done")

    @on("stream", timeout=5, cancel_on="order.cancelled")
    async def stream(self, event: Event) -> Any:
        for n in range(10):
            await asyncio.sleep(1)
            yield "step", {"n": n}

    @on("generate", timeout=5)
    def generate(self, event: Event) -> Any:
        try:
            for n in range(10):
                self.asleep.ask(n, timeout=event.payload.get("seconds", 1))
                yield "step", {"n": n}
        finally:
            self.ends.append("closed")

    @on("block", timeout=5)
    def block(self, event: Event) -> None:
        self.asleep.ask("?")

    @on("prompt", timeout=5)
    def prompt(self, event: Event) -> None:
        self.emit("done")

    @on("cancels.itself", cancel_on="said")
    async def cancels_itself(self, event: Event) -> None:
        await self.emit_now_async("said")
        await asyncio.sleep(1)
        self.emit("done")


def letters(system: ActorSystem) -> list[tuple[str, str, int, str]]:
    return [
        (one.event.type if one.event else "", one.reason, one.attempts, type(one.error).__name__)
        for one in system.dead_letters()
    ]


def test_a_coroutine_past_its_timeout_is_a_failed_attempt(sim: ActorSystem, hear: Hear) -> None:
    said, done, dead = hear("said"), hear("done"), hear("event.dead_lettered")
    ends: list[str] = []
    sim.spawn(lambda: Bounded(ends=ends), name="bounded")
    sim.publish("wait", {"seconds": 5.5})
    sim.wait_idle()
    assert letters(sim) == [("wait", "failed", 2, "HandlerTimeout")]
    assert sim.clock.now() == 5 + 1 + 5, "two attempts, and the wait between them"
    assert (said, done, ends) == ([], [], ["cancelled", "cancelled"])
    error = sim.dead_letters()[0].error
    assert isinstance(error, HandlerTimeout)
    assert isinstance(error, TimeoutError)
    assert (error.handler, error.seconds) == ("wait", 5)
    assert str(error) == "handler wait of agent 'bounded' took longer than its timeout of 5 s"
    assert dead[0].payload["error"] == f"HandlerTimeout: {error}"
    sim.publish("wait", {"seconds": 4.5})
    sim.wait_idle()
    assert len(done) == 1


def test_on_threads_too(hear: Hear, system: ActorSystem, until: Until) -> None:
    class Brief(Agent):
        retry = None

        @on("wait", timeout=0.05)
        async def wait(self, event: Event) -> None:
            await asyncio.sleep(60)

    system.spawn(Brief)
    system.publish("wait")
    until(lambda: letters(system) == [("wait", "failed", 1, "HandlerTimeout")])


def test_who_swallows_the_cancellation_was_too_late_all_the_same(
    sim: ActorSystem, hear: Hear
) -> None:
    done, ends = hear("done"), list[str]()
    sim.spawn(lambda: Bounded(ends=ends), name="bounded")
    sim.publish("stubborn")
    sim.wait_idle()
    assert letters(sim) == [("stubborn", "failed", 2, "HandlerTimeout")]
    assert ends == ["swallowed", "swallowed"]
    assert done == []


def test_an_async_generator_is_ended_and_what_it_said_is_said_once(
    sim: ActorSystem, hear: Hear
) -> None:
    steps = hear("step")
    sim.spawn(Bounded)
    sim.publish("stream")
    sim.wait_idle()
    assert letters(sim) == [("stream", "failed", 2, "HandlerTimeout")]
    assert [event.payload["n"] for event in steps] == [0, 1, 2, 3]


def test_a_generator_is_ended_at_its_next_step(sim: ActorSystem, asleep: Any) -> None:
    """It takes its time between two steps, and hangs in none of them."""

    class Paced(Agent):
        mailbox = 1

        @on("step")
        async def step(self, event: Event) -> None:
            await asyncio.sleep(2)

    ends: list[str] = []
    sim.resume("asleep")  # it answers, and the generator has only the pace of its receiver
    sim.spawn(lambda: Bounded(asleep, ends), name="bounded")
    sim.spawn(Paced)
    sim.publish("generate")
    sim.wait_idle()
    assert letters(sim) == [("generate", "failed", 2, "HandlerTimeout")]
    assert ends == ["closed", "closed"]
    assert sim.inspect().agent("bounded").incarnation == 1


def test_a_handler_that_blocks_past_its_timeout_loses_its_agent(
    sim: ActorSystem, hear: Hear, asleep: Any
) -> None:
    restarted, done = hear("agent.restarted"), hear("done")
    sim.spawn(lambda: Bounded(asleep), name="bounded")
    sim.publish("block")
    sim.publish("prompt")
    sim.advance(4.9)
    assert restarted == []
    sim.advance(0.2)
    assert [(event.timestamp, event.payload["reason"]) for event in restarted] == [(5, "timeout")]
    assert letters(sim) == [("block", "stuck", 1, "HandlerTimeout")]
    assert "asleep.ask" in sim.dead_letters()[0].traceback
    assert len(done) == 1


def test_so_does_a_generator_that_hangs(sim: ActorSystem, hear: Hear, asleep: Any) -> None:
    restarted = hear("agent.restarted")
    sim.spawn(lambda: Bounded(asleep), name="bounded")
    sim.publish("generate", {"seconds": 100})
    sim.advance(5)
    assert [event.payload["reason"] for event in restarted] == ["timeout"]
    assert letters(sim) == [("generate", "stuck", 1, "HandlerTimeout")]


def test_blocking_on_threads(system: ActorSystem, until: Until, asleep: Any) -> None:
    class Brief(Agent):
        @on("block", timeout=0.05)
        def block(self, event: Event) -> None:
            asleep.ask("?")

    system.spawn(Brief)
    system.publish("block")
    until(lambda: letters(system) == [("block", "stuck", 1, "HandlerTimeout")])
    until(lambda: system.inspect().agent("brief").incarnation == 2)


def test_handlers_in_time_are_left_alone(system: ActorSystem, hear: Hear) -> None:
    done = hear("done")
    system.spawn(Bounded)
    system.publish("prompt")
    system.wait_idle(timeout=5)
    assert len(done) == 1
    assert system.dead_letters() == []


# -- cancel_on ------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["order.cancelled", "limits.cancelled"])
def test_an_event_of_the_case_cancels_at_once(sim: ActorSystem, hear: Hear, by: str) -> None:
    said, done, dead = hear("said"), hear("done"), hear("event.dead_lettered")
    ends: list[str] = []
    sim.spawn(lambda: Bounded(ends=ends), name="bounded")
    cause = sim.publish("wait", {"seconds": 4})
    sim.advance(1)
    sim.publish(by, {"why": "no"}, correlation_id=cause.metadata.correlation_id)
    sim.wait_idle()
    assert sim.clock.now() == 1
    assert ends == ["cancelled"]
    assert (said, done, dead, sim.dead_letters()) == ([], [], [], [])
    view = sim.inspect().agent("bounded")
    assert (view.state, view.handled, view.failed) == ("idle", 1, 0)
    sim.publish("prompt")
    sim.wait_idle()
    assert len(done) == 1


def test_on_threads_it_cancels_too(system: ActorSystem, until: Until) -> None:
    class Waits(Agent):
        @on("wait", cancel_on="order.cancelled")
        async def wait(self, event: Event) -> None:
            await asyncio.sleep(60)

    system.spawn(Waits)
    cause = system.publish("wait")
    until(lambda: system.inspect().agent("waits").state == "awaiting")
    system.publish("order.cancelled", correlation_id=cause.id)
    system.wait_idle(timeout=10)
    assert system.inspect().agent("waits").handled == 1
    assert system.dead_letters() == []


def test_an_async_generator_can_be_cancelled(sim: ActorSystem, hear: Hear) -> None:
    steps = hear("step")
    sim.spawn(Bounded)
    cause = sim.publish("stream")
    sim.advance(2.5)
    sim.publish("order.cancelled", correlation_id=cause.id)
    sim.wait_idle()
    assert [event.payload["n"] for event in steps] == [0, 1]
    assert sim.dead_letters() == []


def test_events_of_other_cases_and_types_cancel_nothing(sim: ActorSystem, hear: Hear) -> None:
    done = hear("done")
    sim.spawn(Bounded)
    cause = sim.publish("wait", {"seconds": 4})
    sim.advance(1)
    sim.publish("order.cancelled")
    sim.publish("order.changed", correlation_id=cause.id)
    sim.wait_idle()
    assert len(done) == 1


def test_what_an_agent_says_itself_does_not_cancel_it(sim: ActorSystem, hear: Hear) -> None:
    done = hear("done")
    sim.spawn(Bounded)
    sim.publish("cancels.itself")
    sim.wait_idle()
    assert len(done) == 1


def test_once_it_has_ended_there_is_nothing_to_cancel(sim: ActorSystem, hear: Hear) -> None:
    done = hear("done")
    sim.spawn(Bounded)
    cause = sim.publish("wait", {"seconds": 1})
    sim.wait_idle()
    sim.publish("order.cancelled", correlation_id=cause.id)
    sim.wait_idle()
    assert len(done) == 1
    assert sim._engine.bus.cases == {}, "nobody looks out any longer"


# -- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), "5", True])
def test_a_senseless_timeout_is_refused(timeout: Any) -> None:
    with pytest.raises(InvalidAgent, match="number of seconds, more than 0"):
        on("x", timeout=timeout)


def test_senseless_cancel_on_is_refused() -> None:
    with pytest.raises(InvalidPattern):
        on("x", cancel_on="a..b")
    with pytest.raises(InvalidAgent, match="names nothing"):
        on("x", cancel_on=())
    with pytest.raises(InvalidAgent, match="no topic"):
        on("x", cancel_on=5)  # type: ignore[arg-type]


def test_only_coroutines_can_be_cancelled() -> None:
    with pytest.raises(InvalidAgent, match="only a coroutine can be cancelled"):

        class Plain(Agent):
            @on("x", cancel_on="y")
            def handle(self, event: Event) -> None: ...


def test_of_several_topics_the_shortest_time_counts(sim: ActorSystem) -> None:
    class Several(Agent):
        retry = None

        @on("a.*", timeout=50)
        @on("a.b", timeout=3, cancel_on="stop")
        @on("c")
        async def wait(self, event: Event) -> None:
            await asyncio.sleep(10)

    sim.spawn(Several)
    sim.publish("a.b")
    sim.wait_idle()
    assert (sim.clock.now(), len(sim.dead_letters())) == (3, 1)
    sim.publish("c")
    sim.publish("a.x")
    sim.wait_idle()
    assert (sim.clock.now(), len(sim.dead_letters())) == (23, 1)


# -- max_hops ----------------------------------------------------------------------------


class Echo(Agent):
    """Two of these would answer each other for ever."""

    def __init__(self, heard: list[int]) -> None:
        super().__init__()
        self.heard = heard

    @on("said", max_hops=3)
    def answer(self, event: Event) -> None:
        self.heard.append(event.metadata.hops)
        self.emit("said")


class Again(Agent):
    """Answers itself, with a timer in between."""

    def __init__(self, heard: list[int]) -> None:
        super().__init__()
        self.heard = heard

    @on("said", max_hops=0)
    def answer(self, event: Event) -> None:
        self.heard.append(event.metadata.hops)
        if len(self.heard) < 5:
            self.after(1, "said")


class Twice(Agent):
    """Two topics of one handler: the stricter one counts where both select."""

    def __init__(self, heard: list[int]) -> None:
        super().__init__()
        self.heard = heard

    @on("said", max_hops=5)
    @on("*", max_hops=2)
    def answer(self, event: Event) -> None:
        self.heard.append(event.metadata.hops)
        self.emit("said")


@pytest.mark.parametrize("durable", [False, True])
def test_an_event_that_comes_too_far_is_a_dead_letter_without_a_retry(*, durable: bool) -> None:
    heard: list[int] = []
    with ActorSystem(mode="simulated", store=MemoryStore() if durable else None) as system:
        system.spawn(lambda: Echo(heard), name="echo", retry=Retry(attempts=5))
        system.publish("said")
        system.wait_idle()
        [letter] = system.dead_letters()

    assert heard == [0, 1, 2, 3]
    assert (letter.reason, letter.attempts) == ("hops", 1)
    assert isinstance(letter.error, HopLimit)
    assert "max_hops=3" in str(letter.error)


def test_a_timer_starts_again_at_no_hops() -> None:
    heard: list[int] = []
    with ActorSystem(mode="simulated") as system:
        system.spawn(lambda: Again(heard), name="again")
        system.publish("said")
        system.advance(10)
        system.wait_idle()
        assert system.dead_letters() == []

    assert heard == [0, 0, 0, 0, 0]


def test_of_two_topics_the_fewer_hops_count() -> None:
    heard: list[int] = []
    with ActorSystem(mode="simulated") as system:
        system.spawn(lambda: Twice(heard), name="twice")
        system.publish("said")
        system.wait_idle()

    assert heard == [0, 1, 2]


@pytest.mark.parametrize("hops", [-1, 1.5, True, "3"])
def test_max_hops_is_a_whole_number(hops: Any) -> None:
    with pytest.raises(InvalidAgent, match="max_hops"):
        on("said", max_hops=hops)
