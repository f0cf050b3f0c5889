"""Groups: each event is handled by one of several instances, whoever is free first."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from choreia import (
    ActorSystem,
    Agent,
    DuplicateName,
    Event,
    EventSourcedAgent,
    GiveUp,
    InvalidAgent,
    MailboxFull,
    Retry,
    UnknownAgent,
    applies,
    on,
)

if TYPE_CHECKING:
    from tests.actors.conftest import Feed, Hear, Until


@pytest.fixture(params=["memory", "log"])
def feed(request: pytest.FixtureRequest) -> Feed:
    chosen: Feed = request.param
    return chosen


class Worker(Agent):
    capabilities = ("work",)
    capacity = 2

    @on("job")
    def work(self, event: Event) -> None:
        self.emit("done", {"n": event.payload["n"], "by": self.name})

    def on_receive(self, message: object) -> object:
        return self.name


def publish(system: ActorSystem, *numbers: int) -> None:
    for n in numbers:
        system.publish("job", {"n": n})


def test_each_event_is_handled_by_one_of_them(system: ActorSystem, hear: Hear) -> None:
    heard = hear("done")
    system.spawn(Worker, group="workers", count=4)
    publish(system, *range(200))
    system.wait_idle(20)
    assert sorted(event.payload["n"] for event in heard) == list(range(200))
    assert {event.payload["by"] for event in heard} <= {f"workers:{n}" for n in range(1, 5)}
    assert {event.source for event in heard} == {"did:choreia:local:workers"}


def test_the_seed_decides_who_works_and_all_do(sim: ActorSystem, hear: Hear) -> None:
    heard = hear("done")
    sim.spawn(Worker, group="workers", count=4)
    publish(sim, *range(200))
    sim.wait_idle()
    assert len(Counter(event.payload["by"] for event in heard)) == 4


def test_who_is_busy_keeps_no_event_from_those_who_are_not(
    system: ActorSystem, until: Until, hear: Hear
) -> None:
    go_on = asyncio.Event()
    heard = hear("done")

    class Waiting(Worker):
        @on("open")
        async def open(self, event: Event) -> None:
            go_on.set()

        @on("job")
        async def work(self, event: Event) -> None:  # type: ignore[override]
            if event.payload["n"] < 2:
                await go_on.wait()
            self.emit("done", {"n": event.payload["n"]})

    system.spawn(Waiting, group="workers", count=3)
    publish(system, *range(20))
    until(lambda: len(heard) == 18)
    system.publish("open")
    system.wait_idle(20)
    assert sorted(event.payload["n"] for event in heard)[:2] == [0, 1]


def test_one_that_backs_off_holds_up_nobody(sim: ActorSystem, hear: Hear) -> None:
    heard = hear("done")

    class Fragile(Worker):
        retry = Retry(attempts=2, delay=100)

        @on("job")
        def work(self, event: Event) -> None:
            if event.payload["n"] == 3:
                raise RuntimeError("no")
            super().work(event)

    sim.spawn(Fragile, group="workers", count=2, mailbox=1)
    publish(sim, *range(20))
    sim.advance(1)
    assert len(heard) == 19
    sim.advance(1000)
    [letter] = sim.dead_letters()
    assert (letter.agent, letter.attempts) == ("workers", 2)
    sim.redeliver(letter)
    sim.advance(1000)
    assert len(sim.dead_letters()) == 1


def test_the_mailbox_is_one_and_bounded() -> None:
    with ActorSystem(mode="simulated") as sim:
        sim.spawn(Worker, group="workers", count=3, mailbox=2)
        sim.wait_idle()
        sim.pause("workers")
        sim.wait_idle()
        publish(sim, 1, 2)
        with pytest.raises(MailboxFull):
            sim.publish("job", {"n": 3}, timeout=0)
        assert sim.inspect().agent("workers").mailbox_size == 2
        sim.resume("workers")
        sim.wait_idle()
        publish(sim, 3)
        sim.wait_idle()
        assert sim.inspect().agent("workers").mailbox_size == 0


def test_a_circle_through_a_group_does_not_hang(system: ActorSystem, hear: Hear) -> None:
    """Each of the group emits to an agent that emits to the group, all with room for one."""
    heard = hear("end")

    class Ping(Agent):
        @on("ping")
        def ping(self, event: Event) -> None:
            n = event.payload["n"]
            for _ in range(2):
                self.emit("pong", {"n": n - 1})

    class Pong(Agent):
        @on("pong")
        def pong(self, event: Event) -> None:
            n = event.payload["n"]
            if n > 0:
                self.emit("ping", {"n": n})
                self.emit("ping", {"n": n})
            else:
                self.emit("end")

    system.spawn(Ping, group="pings", count=3, mailbox=1)
    system.spawn(Pong, mailbox=1)
    system.publish("ping", {"n": 5})
    system.wait_idle(30)
    assert len(heard) == 2 * 4**4


def test_tell_and_ask_go_to_one_of_them(system: ActorSystem) -> None:
    ref = system.spawn(Worker, group="workers", count=3)
    assert {ref.ask("who?") for _ in range(5)} <= {"workers:1", "workers:2", "workers:3"}
    ref.tell("hello")
    system.wait_idle(10)


def test_stop_handles_what_came_before_and_ends_all(system: ActorSystem, hear: Hear) -> None:
    heard = hear("done")
    ref = system.spawn(Worker, group="workers", count=3)
    publish(system, *range(50))
    ref.stop(timeout=20)
    system.wait_idle(10)
    assert len(heard) == 50
    assert not ref.is_alive()
    assert not [one for one in system.inspect().agents if one.name.startswith("workers")]
    with pytest.raises(UnknownAgent):
        system.ref("workers")


def test_kill_ends_all(system: ActorSystem, until: Until) -> None:
    system.spawn(Worker, group="workers", count=3)
    system.wait_idle(10)
    system.kill("workers")
    until(lambda: not [x for x in system.inspect().agents if x.name.startswith("workers")])
    system.spawn(Worker, group="workers", count=2)


def test_one_that_ends_leaves_the_work_to_the_others(
    system: ActorSystem, until: Until, hear: Hear
) -> None:
    heard = hear("done")
    system.spawn(Worker, group="workers", count=2)
    system.wait_idle(10)
    system.kill("workers:1")
    until(lambda: len([x for x in system.inspect().agents if x.name.startswith("workers:")]) == 1)
    publish(system, *range(20))
    system.wait_idle(10)
    assert {event.payload["by"] for event in heard} == {"workers:2"}
    assert len(heard) == 20


def test_restart_makes_all_of_them_anew(system: ActorSystem) -> None:
    made: list[int] = []

    class Counted(Worker):
        def __init__(self) -> None:
            super().__init__()
            made.append(1)

    system.spawn(Counted, group="workers", count=3)
    assert len(made) == 3
    system.restart("workers")
    system.wait_idle(10)
    assert len(made) == 6
    assert {x.incarnation for x in system.inspect().agents if x.name.startswith("workers:")} == {2}


def test_it_is_one_agent_with_room_for_all(system: ActorSystem) -> None:
    system.spawn(Worker, group="workers", count=3)
    system.wait_idle(10)
    [info] = system.find("work")
    assert (info.name, info.capacity, info.available_capacity) == ("workers", 6, 6)


def test_emissions_of_two_attempts_are_the_same_whoever_makes_them(
    sim: ActorSystem, hear: Hear
) -> None:
    """A dead letter that comes back may be handled by another one: who heard it already does not
    hear it again."""
    heard = hear("progress")
    broken = [True]

    class Early(Worker):
        @on("job")
        def work(self, event: Event) -> None:
            self.emit_now("progress", {"n": event.payload["n"]})
            if broken[0]:
                raise GiveUp("no")

    sim.spawn(Early, group="workers", count=4)
    publish(sim, *range(10))
    sim.wait_idle()
    broken[0] = False
    for letter in sim.dead_letters():
        sim.redeliver(letter)
    sim.wait_idle()
    assert len(heard) == 10
    assert sim.dead_letters() == []


class State:
    @applies("x")
    def x(self, event: Event) -> State:
        return self


class Sourced(EventSourcedAgent[State]):
    pass


@pytest.mark.parametrize(
    ("agent", "options", "said"),
    [
        (Sourced, {"group": "g", "count": 2}, "event-sourced"),
        (Worker, {"group": "a.b"}, "one segment"),
        (Worker, {"group": "g", "count": 0}, "count=0"),
        (Worker, {"group": "g", "count": True}, "count=True"),
        (Worker, {"group": "g", "count": 10_001}, "count=10001"),
        (Worker, {"group": "g", "name": "h"}, "name is its own"),
        (Worker, {"group": "g", "key": "payload.x"}, "cannot be in a group"),
        (Worker, {"count": 2}, "Name the group"),
    ],
)
def test_what_makes_no_sense_is_refused(
    system: ActorSystem, agent: type[Agent], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidAgent, match=said):
        system.spawn(agent, **options)


def test_a_factory_that_fails_for_one_of_them_leaves_nothing_behind(system: ActorSystem) -> None:
    made: list[int] = []

    def make() -> Worker:
        made.append(1)
        if len(made) == 2:
            raise RuntimeError("no licence")
        return Worker()

    with pytest.raises(RuntimeError, match="licence"):
        system.spawn(make, group="workers", count=3)
    assert not [one for one in system.inspect().agents if one.name.startswith("workers")]
    system.spawn(Worker, group="workers", count=2)
    with pytest.raises(DuplicateName):
        system.spawn(Worker, name="workers")
