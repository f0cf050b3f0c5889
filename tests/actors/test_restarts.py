"""`Restart`: who fails too often begins anew, and at last is stopped. Exact at the edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from choreia import ActorSystem, Agent, Event, GiveUp, Restart, on

if TYPE_CHECKING:
    from tests.actors.conftest import Hear


class Fails(Agent):
    retry = None

    def __init__(self) -> None:
        super().__init__()
        self.handled = 0

    @on("fail")
    def fail(self, event: Event) -> None:
        raise ValueError(event.payload.get("n"))

    @on("give.up")
    def give_up(self, event: Event) -> None:
        raise GiveUp("no")

    def on_receive(self, message: object) -> object:
        raise ValueError(message)


def fail(system: ActorSystem, times: int, type: str = "fail") -> None:
    for n in range(times):
        system.publish(type, {"n": n})
        system.wait_idle(timeout=5)


def test_more_failures_than_allowed_are_a_restart(system: ActorSystem, hear: Hear) -> None:
    restarted = hear("agent.restarted")
    system.spawn(Fails, restart=Restart(failures=3, max_restarts=9))
    fail(system, 3)
    assert restarted == []
    fail(system, 1)
    assert [event.payload for event in restarted] == [
        {
            "agent": "fails",
            "agent_id": "did:choreia:local:fails",
            "incarnation": 2,
            "reason": "failures",
        }
    ]
    fail(system, 3)
    assert len(restarted) == 1, "the new instance begins with nothing against it"
    fail(system, 1)
    assert len(restarted) == 2
    assert len(system.dead_letters()) == 8


@pytest.mark.parametrize(("type", "counts"), [("give.up", True), ("fail", True)])
def test_every_event_that_is_given_up_counts(
    system: ActorSystem, hear: Hear, type: str, counts: bool
) -> None:
    restarted = hear("agent.restarted")
    system.spawn(Fails, restart=Restart(failures=0))
    fail(system, 1, type)
    assert bool(restarted) is counts


def test_told_messages_that_fail_count(system: ActorSystem, hear: Hear) -> None:
    restarted = hear("agent.restarted")
    ref = system.spawn(Fails, restart=Restart(failures=1))
    ref.tell("x")
    ref.tell("y")
    system.wait_idle(timeout=5)
    assert len(restarted) == 1


def test_more_restarts_than_allowed_are_the_end(system: ActorSystem, hear: Hear) -> None:
    restarted, stopped, offline = (
        hear("agent.restarted"),
        hear("agent.stopped"),
        hear("agent.offline"),
    )
    ref = system.spawn(Fails, restart=Restart(failures=0, max_restarts=2, window=60))
    fail(system, 2)
    assert len(restarted) == 2
    assert ref.is_alive()
    fail(system, 1)
    assert len(restarted) == 2
    assert not ref.is_alive()
    assert [event.payload["reason"] for event in stopped] == ["restarts"]
    assert [event.payload["reason"] for event in offline] == ["restarts"]


def test_the_window_is_exact(sim: ActorSystem, hear: Hear) -> None:
    restarted = hear("agent.restarted")
    sim.spawn(Fails, restart=Restart(failures=1, window=10))
    fail(sim, 1)
    sim.advance(10.001)
    fail(sim, 1)
    assert restarted == []
    sim.advance(10)
    fail(sim, 1)
    assert len(restarted) == 1, "exactly ten seconds ago is still within"


def test_the_window_of_restarts_is_exact(sim: ActorSystem) -> None:
    ref = sim.spawn(Fails, restart=Restart(failures=0, max_restarts=1, window=10))
    fail(sim, 1)
    sim.advance(10.001)
    fail(sim, 1)
    assert ref.is_alive()
    sim.advance(10)
    fail(sim, 1)
    assert not ref.is_alive()


def test_without_a_policy_it_goes_on_however_often_it_fails(system: ActorSystem) -> None:
    ref = system.spawn(Fails)
    fail(system, 50)
    assert ref.is_alive()
    assert system.inspect().agent("fails").incarnation == 1


def test_requested_restarts_do_not_count(system: ActorSystem, hear: Hear) -> None:
    restarted = hear("agent.restarted")
    ref = system.spawn(Fails, restart=Restart(failures=5, max_restarts=0))
    for _ in range(3):
        system.restart("fails")
        system.wait_idle(timeout=5)
    assert len(restarted) == 3
    assert ref.is_alive()


def test_a_factory_that_fails_is_the_end_and_what_waits_is_not_lost(
    system: ActorSystem, hear: Hear
) -> None:
    made: list[int] = []

    def factory() -> Fails:
        if made:
            raise OSError("no database")
        made.append(1)
        return Fails()

    failed = hear("agent.failed")
    ref = system.spawn(factory, name="fails")
    system.pause("fails")
    system.publish("fail")
    system.restart("fails")
    system.wait_idle(timeout=5)
    assert not ref.is_alive()
    assert [event.payload["error"] for event in failed] == ["OSError: no database"]
    assert [letter.reason for letter in system.dead_letters()] == ["stopped"]


def test_with_a_policy_a_factory_gets_further_chances(system: ActorSystem, hear: Hear) -> None:
    tries: list[int] = []

    def factory() -> Fails:
        tries.append(1)
        if len(tries) in (2, 3):
            raise OSError("not yet")
        return Fails()

    restarted = hear("agent.restarted")
    ref = system.spawn(factory, name="fails", restart=Restart(max_restarts=3))
    system.restart("fails")
    system.wait_idle(timeout=5)
    assert len(tries) == 4
    assert len(restarted) == 1
    assert ref.is_alive()


def test_with_a_policy_a_start_that_fails_is_tried_again(system: ActorSystem) -> None:
    tries: list[int] = []

    class Starts(Agent):
        def on_start(self) -> None:
            tries.append(1)
            if len(tries) < 3:
                raise OSError("not yet")

    ref = system.spawn(Starts, restart=Restart(max_restarts=3))
    system.wait_idle(timeout=5)
    assert len(tries) == 3
    assert ref.is_alive()
