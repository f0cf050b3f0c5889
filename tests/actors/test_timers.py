"""`after` and `cancel`: what an agent will say later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from choreia import (
    ActorSystem,
    Agent,
    Event,
    InvalidEvent,
    InvalidType,
    OutsideTurn,
    Retry,
    event_type,
    on,
)

if TYPE_CHECKING:
    from tests.actors.conftest import Feed, Hear


@pytest.fixture(params=["memory", "log"])
def feed(request: pytest.FixtureRequest) -> Feed:
    """Turns know mailbox and feed, not which."""
    chosen: Feed = request.param
    return chosen


Act = Callable[[Agent, Event], object]


@event_type("timers.due")
@frozen
class Due:
    n: int


def timed(sim: ActorSystem, act: Act, name: str = "timed", **options: Any) -> None:
    """Spawn an agent that does `act` when told to ``go``."""

    def go(self: Agent, event: Event) -> None:
        act(self, event)

    sim.spawn(type("Timed", (Agent,), {"go": on("go")(go)}), name=name, **options)


def when(events: list[Event]) -> list[float]:
    return [event.timestamp for event in events]


def test_it_is_said_exactly_then(sim: ActorSystem, hear: Hear) -> None:
    due = hear("due")
    timed(sim, lambda agent, _: [agent.after(s, "due", {"s": s}) for s in (5, 0.5, 60, 0)])
    sim.advance(10)
    cause = sim.publish("go")
    sim.wait_idle()
    sim.advance(9)
    assert [event.payload["s"] for event in due] == [0, 0.5, 5]
    sim.advance(100)
    assert when(due) == [10, 10.5, 15, 70]
    for event in due:
        assert event.source == "did:choreia:local:timed"
        assert event.metadata.causation_id == cause.id
        assert event.metadata.correlation_id == cause.id
        assert event.metadata.hops == 0
    assert len({event.id for event in due}) == 4


def test_on_real_time_too(hear: Hear, system: ActorSystem) -> None:
    timed(system, lambda agent, _: agent.after(0.01, "due"))
    with system.listen("due") as listener:
        system.publish("go")
        assert listener.next(timeout=10).source == "did:choreia:local:timed"


def test_future_timers_are_not_in_flight(system: ActorSystem, hear: Hear) -> None:
    due = hear("due")
    timed(system, lambda agent, _: agent.after(3_600, "due"))
    system.publish("go")
    system.wait_idle(timeout=5)
    assert due == []


def test_a_typed_payload_may_be_given(sim: ActorSystem, hear: Hear) -> None:
    due = hear("timers.due")
    timed(sim, lambda agent, _: agent.after(1, Due(5)))
    sim.publish("go")
    sim.advance(2)
    assert [event.payload for event in due] == [{"n": 5}]


def test_the_payload_is_that_of_the_call(sim: ActorSystem, hear: Hear) -> None:
    due = hear("due")
    given = {"n": 1}
    timed(sim, lambda agent, _: (agent.after(1, "due", given), given.update(n=2)))
    sim.publish("go")
    sim.advance(2)
    assert [event.payload for event in due] == [{"n": 1}]


def test_it_can_be_cancelled_by_the_key_that_after_returns(sim: ActorSystem, hear: Hear) -> None:
    keys: list[str] = []

    class Cancels(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            keys.append(self.after(5, "due"))

        @on("cancel")
        def take_back(self, event: Event) -> None:
            self.cancel(keys[0])

    due = hear("due")
    sim.spawn(Cancels)
    sim.publish("go")
    sim.publish("go")
    sim.wait_idle()
    sim.publish("cancel")
    sim.advance(100)
    assert [event.id for event in due] == [keys[1]]


def test_a_timer_is_its_agents_own(sim: ActorSystem, hear: Hear) -> None:
    keys: list[str] = []
    due = hear("due")
    timed(sim, lambda agent, _: keys.append(agent.after(5, "due")))
    sim.publish("go")
    sim.wait_idle()
    timed(sim, lambda agent, _: agent.cancel(keys[0]), name="other")
    sim.publish("go")
    sim.advance(100)
    assert len(due) == 2, "another's cancel does nothing"


class Keyed(Agent):
    """Does as it is told, by key."""

    @on("set")
    def set(self, event: Event) -> None:
        seconds, key, n = (event.payload[k] for k in ("seconds", "key", "n"))
        assert self.after(seconds, "due", {"n": n}, key=key) == key

    @on("clear")
    def clear(self, event: Event) -> None:
        self.cancel(event.payload["key"])

    @on("set.and.clear")
    def set_and_clear(self, event: Event) -> None:
        self.cancel(self.after(1, "due", {"n": "never"}))

    @on("clear.and.set")
    def clear_and_set(self, event: Event) -> None:
        self.cancel("a")
        self.after(1, "due", {"n": "again"}, key="a")

    @on("clear.and.fail")
    def clear_and_fail(self, event: Event) -> None:
        self.cancel("a")
        self.after(1, "due", {"n": "never"}, key="b")
        raise ValueError


def test_the_same_key_replaces_and_cancel_takes_back(sim: ActorSystem, hear: Hear) -> None:
    due = hear("due")
    sim.spawn(Keyed)

    def tell(type: str, **payload: object) -> None:
        sim.publish(type, payload)
        sim.wait_idle()

    tell("set", seconds=10, key="a", n=1)
    tell("set", seconds=10, key="b", n=2)
    sim.advance(5)
    tell("set", seconds=10, key="a", n=3)
    sim.advance(100)
    assert [(event.payload["n"], event.timestamp) for event in due] == [(2, 10), (3, 15)]
    due.clear()
    tell("set", seconds=10, key="a", n=4)
    tell("clear", key="a")
    tell("clear", key="never was")
    tell("set.and.clear")
    sim.advance(100)
    assert due == []
    tell("set", seconds=10, key="a", n=5)
    tell("clear.and.set")
    sim.advance(100)
    assert [event.payload["n"] for event in due] == ["again"]


def test_cancelling_is_undone_with_the_handler_that_fails(sim: ActorSystem, hear: Hear) -> None:
    due = hear("due")
    sim.spawn(Keyed, retry=Retry(attempts=1))
    sim.publish("set", {"seconds": 10, "key": "a", "n": 1})
    sim.publish("clear.and.fail")
    sim.wait_idle()
    sim.advance(100)
    assert [event.payload["n"] for event in due] == [1]


def test_a_key_is_free_again_when_its_timer_has_fired(sim: ActorSystem, hear: Hear) -> None:
    due = hear("due")
    sim.spawn(Keyed)
    for n in (1, 2):
        sim.publish("set", {"seconds": 10, "key": "a", "n": n})
        sim.wait_idle()
        sim.advance(20)
    assert [event.payload["n"] for event in due] == [1, 2]


def test_two_agents_keys_are_their_own(sim: ActorSystem, hear: Hear) -> None:
    due = hear("due")
    sim.spawn(Keyed, name="one")
    sim.spawn(Keyed, name="two")
    sim.publish("set", {"seconds": 10, "key": "a", "n": 1})
    sim.advance(20)
    assert sorted(event.source for event in due) == [
        "did:choreia:local:one", "did:choreia:local:two",
    ]  # fmt: skip


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "5", None, True])
def test_what_is_no_time_is_refused(sim: ActorSystem, seconds: Any) -> None:
    timed(sim, lambda agent, _: agent.after(seconds, "due"), retry=Retry(attempts=1))
    sim.publish("go")
    sim.wait_idle()
    (letter,) = sim.dead_letters()
    assert isinstance(letter.error, InvalidEvent)
    assert "give a number of seconds, 0 or more" in str(letter.error)


@pytest.mark.parametrize("key", [5, "", b"x"])
def test_what_is_no_key_is_refused(sim: ActorSystem, key: Any) -> None:
    timed(sim, lambda agent, _: agent.after(1, "due", key=key), retry=Retry(attempts=1))
    sim.publish("go")
    sim.wait_idle()
    assert isinstance(sim.dead_letters()[0].error, InvalidEvent)


def test_a_bad_event_is_refused_at_the_call(sim: ActorSystem) -> None:
    timed(sim, lambda agent, _: agent.after(1, "a b"), retry=Retry(attempts=1))
    sim.publish("go")
    sim.wait_idle()
    assert isinstance(sim.dead_letters()[0].error, InvalidType)


def test_timers_end_with_their_agent(sim: ActorSystem, hear: Hear) -> None:
    due = hear("due")
    for name in ("stopped", "killed", "alive"):
        timed(sim, lambda agent, _: agent.after(10, "due"), name=name)
    sim.publish("go")
    sim.wait_idle()
    sim.ref("stopped").stop()
    sim.kill("killed")
    sim.advance(100)
    assert [event.source for event in due] == ["did:choreia:local:alive"]


def test_a_stopping_system_fires_no_timers(sim: ActorSystem, hear: Hear) -> None:
    async def takes_its_time(event: Event) -> None:
        await asyncio.sleep(10)

    due = hear("due")
    timed(sim, lambda agent, _: agent.after(0.001, "due"))
    sim.subscribe("go", takes_its_time)
    sim.publish("go")
    sim.stop()
    assert sim.clock.monotonic() >= 10
    assert due == []


def test_a_paused_agents_timers_fire_all_the_same(sim: ActorSystem, hear: Hear) -> None:
    due = hear("due")
    timed(sim, lambda agent, _: agent.after(10, "due"))
    sim.publish("go")
    sim.wait_idle()
    sim.pause("timed")
    sim.advance(100)
    assert when(due) == [10]


def test_a_timer_into_a_full_mailbox_parks_its_agent_and_is_not_lost(
    sim: ActorSystem, feed: Feed
) -> None:
    class Takes(Agent):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[str] = []

        @on("due")
        def take(self, event: Event) -> None:
            self.seen.append(event.source)

    ref = sim.spawn(Takes, name="full", mailbox=1)
    timed(sim, lambda agent, _: [agent.after(10, "due") for _ in range(3)])
    sim.publish("go")
    sim.wait_idle()
    sim.pause("full")
    sim.advance(50)
    state = sim.inspect().agent("timed").state
    assert state == ("parked" if feed == "memory" else "idle"), "a log lags instead"
    sim.resume("full")
    sim.wait_idle()
    assert len(ref.proxy().seen.get()) == 3


def test_hooks_and_messages_may_set_timers_too(sim: ActorSystem, hear: Hear) -> None:
    class Sets(Agent):
        def on_start(self) -> None:
            self.after(1, "due", {"in": "on_start"})

        def on_receive(self, message: object) -> None:
            self.after(1, "due", {"in": "on_receive"})

    due = hear("due")
    sim.spawn(Sets).tell("go")
    sim.advance(10)
    assert [event.payload["in"] for event in due] == ["on_start", "on_receive"]
    for event in due:
        assert event.metadata.correlation_id == event.id
        assert event.metadata.causation_id is None


def test_a_timer_outside_the_turn_is_refused(sim: ActorSystem) -> None:
    agents: list[Agent] = []
    timed(sim, lambda agent, _: agents.append(agent))
    sim.publish("go")
    sim.wait_idle()
    with pytest.raises(OutsideTurn, match="after of agent 'timed'"):
        agents[0].after(1, "due")
    with pytest.raises(OutsideTurn, match="cancel of agent 'timed'"):
        agents[0].cancel("key")
