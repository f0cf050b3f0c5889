"""The gate: opened once, waited for by threads, coroutines and callbacks."""

from __future__ import annotations

import asyncio
import math
import threading
from typing import TYPE_CHECKING

import pytest

from choreia.runtime.delivery.gate import Gate

if TYPE_CHECKING:
    from tests.runtime.delivery.conftest import InThreads


def test_it_is_closed_until_it_is_opened_and_then_open_for_good() -> None:
    gate = Gate()
    assert not gate.is_open
    assert not gate.wait(0)
    gate.open()
    gate.open()
    assert gate.is_open
    assert gate.wait(None)
    assert gate.wait(0)


def test_callbacks_are_called_once_in_order_or_at_once_when_it_is_open() -> None:
    gate, called = Gate(), list[int]()
    gate.then(lambda: called.append(1))
    gate.then(lambda: called.append(2))
    assert called == []
    gate.open()
    gate.open()
    gate.then(lambda: called.append(3))
    assert called == [1, 2, 3]


@pytest.mark.parametrize("timeout", [-1, 0, 0.01])
def test_waiting_ends_when_the_time_is_out(timeout: float) -> None:
    gate = Gate()
    assert not gate.wait(timeout)
    assert not asyncio.run(gate.wait_async(timeout))
    gate.open()  # too late for them, and harmless
    assert gate.wait(timeout)
    assert asyncio.run(gate.wait_async(timeout))


@pytest.mark.parametrize("timeout", [None, 1e9, 1e300, math.inf])
def test_one_may_wait_very_long(in_threads: InThreads, timeout: float | None) -> None:
    gate, through = Gate(), list[bool]()

    def run(number: int) -> None:
        if number == 0:
            gate.open()
        elif number == 1:
            through.append(gate.wait(timeout))
        else:
            through.append(asyncio.run(gate.wait_async(timeout)))

    in_threads(3, run)
    assert through == [True, True]


def test_eight_threads_wait_and_eight_open_and_nobody_is_left(in_threads: InThreads) -> None:
    for _ in range(50):
        gate, called, through = Gate(), list[int](), list[bool]()

        def run(number: int, gate: Gate = gate, called: list[int] = called) -> None:
            if number % 2:
                gate.then(lambda: called.append(number))
                gate.open()
            else:
                through.append(gate.wait(20))  # noqa: B023  # the loop waits for its threads

        in_threads(8, run)
        assert through == [True] * 4
        assert sorted(called) == [1, 3, 5, 7]


def test_a_coroutine_that_is_cancelled_while_it_waits_is_gone() -> None:
    gate = Gate()

    async def run() -> None:
        task = asyncio.create_task(gate.wait_async(None))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.open()

    asyncio.run(run())


def test_whoever_opens_does_not_hear_that_a_waiters_loop_has_closed() -> None:
    gate, called = Gate(), list[int]()
    loop = asyncio.new_event_loop()
    waiting = gate.wait_async(None)
    task = loop.create_task(waiting)
    loop.run_until_complete(asyncio.sleep(0))
    gate.then(lambda: called.append(1))
    loop.close()
    gate.open()
    assert called == [1]
    waiting.close()
    del task


def test_a_waiting_thread_sleeps() -> None:
    """It does not look again and again: while it waits it needs no processor."""
    gate, used = Gate(), list[float]()

    def run() -> None:
        import time

        before = time.thread_time()
        gate.wait(20)
        used.append(time.thread_time() - before)

    thread = threading.Thread(target=run)
    thread.start()
    assert not Gate().wait(0.2)
    gate.open()
    thread.join()
    assert used[0] < 0.1
