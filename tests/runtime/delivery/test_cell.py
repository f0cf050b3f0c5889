"""The cell: when an agent is on the run queue, when it is held, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from choreia import ActorSystem, Agent, Event, on
from choreia.runtime.delivery.cell import AWAITING, BACKING_OFF, PARKING, PAUSED, Cell
from choreia.runtime.delivery.mailbox import CLOSED, HELD, IDLE, OWNED


class Quiet(Agent):
    @on("work")
    def work(self, event: Event) -> None: ...


class Scheduled:
    """A cell whose turns are given by the test: it notes how often one was asked for."""

    def __init__(self, system: ActorSystem) -> None:
        system.spawn(Quiet)
        self.cell: Cell = system._roster.cell("quiet")
        self.times = 0
        self.cell.schedule = self.schedule

    def schedule(self, _: Any) -> None:
        assert self.cell.mailbox.state == OWNED
        assert self.cell.mailbox.lock.locked()
        self.times += 1


@pytest.fixture
def scheduled() -> Iterator[Scheduled]:
    with ActorSystem(mode="simulated") as system:
        system.wait_idle()
        found = Scheduled(system)
        yield found
        found.cell.schedule = system._engine.dispatcher.schedule
        found.cell.mailbox.state = IDLE
        found.cell.holds = 0
        found.cell.controls = found.cell.mailbox.items = None


@pytest.fixture
def cell(scheduled: Scheduled) -> Cell:
    return scheduled.cell


WORK = Event(type="work", source="test")


def test_an_idle_cell_is_scheduled_once_for_whatever_comes(scheduled: Scheduled) -> None:
    cell = scheduled.cell
    assert cell.mailbox.state == IDLE
    cell.feed.offer(WORK)
    cell.feed.offer(WORK)
    cell.feed.force(WORK)
    cell.post(lambda: None)
    assert scheduled.times == 1


def test_a_held_cell_is_not_scheduled_for_items_but_for_controls(scheduled: Scheduled) -> None:
    cell = scheduled.cell
    cell.mailbox.state = OWNED
    cell.hold(PAUSED)
    assert cell.rest()
    assert cell.mailbox.state == HELD
    cell.feed.offer(WORK)
    assert scheduled.times == 0
    assert cell.post(lambda: None)
    assert scheduled.times == 1


@pytest.mark.parametrize("order", [(PARKING, PAUSED), (PAUSED, PARKING)])
def test_it_goes_on_when_the_last_reason_is_gone(
    scheduled: Scheduled, order: tuple[int, int]
) -> None:
    cell = scheduled.cell
    cell.mailbox.state = OWNED
    for reason in (PARKING, PAUSED):
        cell.hold(reason)
    assert cell.rest()
    assert cell.engine.held == {cell.number: cell}
    cell.release(order[0])
    assert (scheduled.times, cell.mailbox.state) == (0, HELD)
    cell.release(order[1])
    assert (scheduled.times, cell.mailbox.state) == (1, OWNED)
    assert cell.engine.held == {}
    cell.release(order[1])
    assert scheduled.times == 1


def test_what_is_let_go_before_it_rests_does_not_rest(scheduled: Scheduled) -> None:
    """The room came while the turn was on its way to bed."""
    cell = scheduled.cell
    cell.mailbox.state = OWNED
    cell.hold(PARKING)
    cell.release(PARKING)
    assert scheduled.times == 0
    assert not cell.rest()  # it looks again
    assert cell.mailbox.state == OWNED


@pytest.mark.parametrize("what", ["item", "control"])
def test_it_does_not_rest_while_there_is_something_to_do(cell: Cell, what: str) -> None:
    cell.mailbox.state = OWNED
    if what == "item":
        cell.feed.offer(WORK)
    else:
        cell.post(lambda: None)
    assert not cell.rest()
    assert cell.mailbox.state == OWNED


def test_a_control_keeps_even_a_held_cell_from_resting(cell: Cell) -> None:
    cell.mailbox.state = OWNED
    cell.hold(PAUSED)
    cell.post(lambda: None)
    assert not cell.rest()


def test_a_closed_cell_takes_nothing_and_rests(scheduled: Scheduled) -> None:
    cell = scheduled.cell
    cell.mailbox.close()
    assert not cell.post(lambda: None)
    assert cell.rest()
    cell.hold(PARKING)
    cell.engine.held[cell.number] = cell
    cell.release(PARKING)
    assert cell.engine.held == {}
    assert scheduled.times == 0
    assert cell.mailbox.state == CLOSED


def test_only_a_cell_with_nothing_to_do_can_be_claimed(cell: Cell) -> None:
    assert cell.claim()
    assert not cell.claim()  # now it is somebody's
    cell.mailbox.state = IDLE
    cell.controls = None
    cell.feed.offer(WORK)
    assert not cell.claim()


def test_its_state_in_one_word(cell: Cell) -> None:
    words = {0: "idle", PARKING: "parked", BACKING_OFF: "backoff", AWAITING: "awaiting"}
    for holds, word in words.items():
        cell.holds = holds
        assert cell.state == word
        cell.holds = holds | PAUSED
        assert cell.state == (word if holds else "paused")
    cell.holds = 0
    cell.mailbox.state = OWNED
    assert cell.state == "queued"
    cell.turn.step = Quiet.work
    assert cell.state == "running"
    cell.turn.step = None
    cell.mailbox.close()
    assert cell.state == "stopped"


def test_it_describes_what_it_is_at(cell: Cell) -> None:
    assert cell.describe() == "quiet: idle"
    cell.feed.offer(WORK)
    cell.feed.offer(WORK)
    cell.turn.step, cell.turn.event = Quiet.work, WORK
    cell.parked_on = (cell, cell)
    assert cell.describe() == "quiet: running in work with work on quiet, quiet, 2 queued"
    assert cell.busy == 3
    cell.turn.step = cell.turn.event = None
    cell.parked_on = ()
