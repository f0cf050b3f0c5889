"""Whoever still has the feed of a member that was put to sleep meanwhile delivers to the next one.

At any other time that is a race of microseconds; here the old feed is kept on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from choreia import ActorSystem, Agent, Event, on
from choreia.runtime.delivery.admission import admit_everywhere, admit_one
from choreia.runtime.delivery.feed import MOVED, PARKED, TAKEN
from choreia.runtime.delivery.mailbox import CLOSED
from choreia.runtime.delivery.parking import Ticket


class Keeper(Agent):
    key = "payload.of"
    sleep_after = 1.0
    mailbox = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[int] = []

    @on("said")
    def hear(self, event: Event) -> None:
        self.kept.append(event.payload["n"])

    def on_receive(self, message: object) -> object:
        return self.kept


class Plain(Agent):
    @on("nothing")
    def hear(self, event: Event) -> None: ...


@pytest.fixture
def system() -> Iterator[ActorSystem]:
    with ActorSystem(mode="simulated", heartbeat=None) as system:
        system.spawn(Keeper)
        system.spawn(Plain)
        yield system


def event(n: int) -> Event:
    return Event(type="said", source="outside", payload={"of": "ann", "n": n})


@pytest.fixture
def old(system: ActorSystem) -> Any:
    """The feed of one that sleeps."""
    system.publish(event(0))
    system.wait_idle()
    feed = system._roster.cell("keeper:ann").feed
    system.advance(5)
    assert feed.mailbox.state == CLOSED
    return feed


def kept(system: ActorSystem) -> object:
    system.wait_idle()
    return system.ref("keeper", key="ann").ask("?")


def fill(system: ActorSystem) -> None:
    """The next one has no room, and is held."""
    system.pause("keeper")
    system.publish(event(1))
    system.advance(0.1)


def test_what_is_offered_or_forced_goes_to_the_next_one(system: ActorSystem, old: Any) -> None:
    assert old.offer(event(1)) == TAKEN
    system.wait_idle()
    assert old.force(event(2)) == TAKEN
    assert kept(system) == [0, 1, 2]


def test_a_publisher_to_several_looks_again(system: ActorSystem, old: Any) -> None:
    plain = system._roster.cell("plain").feed
    assert old.would(event(1)) == MOVED
    system._engine.drive(admit_everywhere([old, plain], event(1)), 1.0, "a test")
    assert kept(system) == [0, 1]


def test_a_publisher_that_finds_no_room_waits_at_the_next_one(
    system: ActorSystem, old: Any
) -> None:
    fill(system)
    admission = admit_one(old, event(2))
    gate = next(admission)
    assert not gate.is_open
    system.resume("keeper")
    system.wait_idle()
    assert gate.is_open
    with pytest.raises(StopIteration) as end:
        admission.send(True)
    assert end.value.value == TAKEN
    assert kept(system) == [0, 1, 2]


def test_an_agent_that_finds_no_room_parks_at_the_next_one(system: ActorSystem, old: Any) -> None:
    fill(system)
    sender = system._roster.cell("plain")
    sender.put_by(old, event(2))
    sender.post(lambda: None)
    system.advance(0.1)
    assert sender.state == "parked"
    system.resume("keeper")
    assert kept(system) == [0, 1, 2]


def test_what_a_closed_agent_had_in_its_outbox_waits_at_the_next_one(
    system: ActorSystem, old: Any
) -> None:
    fill(system)
    sender = system._roster.cell("plain")
    sender.put_by(old, event(2))
    lot = system._engine.lot
    assert lot.leave_all(sender) == []
    system.resume("keeper")
    assert kept(system) == [0, 1, 2]


def test_it_stands_in_no_line_of_one_that_sleeps(system: ActorSystem, old: Any) -> None:
    fill(system)
    lot = system._engine.lot
    assert lot.stand_in_line(old, Ticket(event(2), None, None)) == MOVED
    assert lot.stand_in_line(old.latest(), Ticket(event(2), None, None)) == PARKED
    system.resume("keeper")
    assert kept(system) == [0, 1, 2]
