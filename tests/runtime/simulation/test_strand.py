"""Strands and the baton: whoever waits lets others go on, and exactly one thread runs."""

from __future__ import annotations

import threading
from collections import deque

import pytest

from choreia.runtime.delivery.gate import Gate
from choreia.runtime.simulation.strand import Baton, Strand


def strand(who: str = "test") -> Strand:
    return Strand(Gate(), None, who, outside=True)


def test_the_baton_comes_back_to_the_strand_that_the_driver_chose() -> None:
    ready: deque[Strand] = deque()
    ran: list[str] = []

    def drive() -> Strand:
        ran.append(threading.current_thread().name)
        return ready.popleft()

    baton = Baton(drive)
    for _ in range(3):
        mine = strand()
        ready.append(mine)
        baton.wait(mine)
    assert ran == ["choreia-simulated-1"] * 3  # one helper, used again
    baton.end(5)


def test_the_users_thread_is_outside_and_helpers_are_not() -> None:
    ready: deque[Strand] = deque()
    outside: list[bool] = []

    def drive() -> Strand:
        outside.append(baton.outside)
        return ready.popleft()

    baton = Baton(drive)
    mine = strand()
    ready.append(mine)
    assert baton.outside
    baton.wait(mine)
    assert outside == [False]
    baton.end(5)


def test_a_helper_that_waits_itself_is_relieved_by_another() -> None:
    mine, inner = strand("mine"), strand("inner")
    steps: list[str] = []

    def drive() -> Strand:
        if not steps:
            steps.append("inner waits")
            baton.wait(inner)
            steps.append("inner goes on")
            return mine
        steps.append("inner is chosen")
        return inner

    baton = Baton(drive)
    baton.wait(mine)
    assert steps == ["inner waits", "inner is chosen", "inner goes on"]
    baton.end(5)
    assert not [t for t in threading.enumerate() if t.name.startswith("choreia")]


def test_an_interrupted_waiter_gets_the_baton_back_before_it_goes_on() -> None:
    """Ctrl-C in the middle of a step: the step ends first, so that nothing runs beside."""
    mine = strand()
    asked = threading.Event()
    steps: list[str] = []
    real = mine.latch

    class Interrupted:
        """A latch whose waiting is interrupted once."""

        times = 0

        def acquire(self, timeout: float = -1) -> bool:
            self.times += 1
            if self.times == 1:
                raise KeyboardInterrupt
            steps.append("asked for the baton")
            asked.set()
            return real.acquire(timeout=timeout)

        def release(self) -> None:
            real.release()

    mine.latch = Interrupted()  # type: ignore[assignment]

    def drive() -> Strand:
        assert asked.wait(20)
        steps.append("the step ends")
        return mine

    baton = Baton(drive)
    with pytest.raises(KeyboardInterrupt):
        baton.wait(mine)
    assert steps == ["asked for the baton", "the step ends"]
    assert mine.gate.is_open
    baton.end(5)
