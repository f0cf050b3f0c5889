"""The pool: a run queue and few threads; no wake-up is missed, and none is left."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest

from choreia.runtime.delivery.dispatcher import ThreadEnds
from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.pool import IDLE, Pool

if TYPE_CHECKING:
    from tests.runtime.delivery.conftest import InThreads


class Task:
    """What a pool gives a turn to."""

    since = 0.0

    def lost(self, how: str) -> None: ...

    def __init__(self, run: Callable[[], object]) -> None:
        self._run = run

    @property
    def turn(self) -> Task:
        return self

    def run(self) -> None:
        self._run()


MakePool = Callable[..., Pool]


@pytest.fixture
def pools() -> Iterator[MakePool]:
    """``pools(base, most)``: a pool whose threads end with the test."""
    made: list[Pool] = []

    def build(base: int = 1, most: int = 8) -> Pool:
        made.append(Pool(base, most, "test"))
        return made[-1]

    yield build
    for pool in made:
        pool.close()
        for thread in pool.threads():
            thread.join(20)
            assert not thread.is_alive()


def settle(pool: Pool) -> None:
    """Wait until nothing is queued or running."""
    gate = Gate()
    before = pool.on_quiet
    pool.on_quiet = gate.open
    if not pool.quiet():
        assert gate.wait(20)
    pool.on_quiet = before


@pytest.mark.parametrize("base", [1, 2, 4])
def test_everything_that_is_scheduled_runs_once(
    pools: MakePool, in_threads: InThreads, base: int
) -> None:
    pool = pools(base)
    ran: list[tuple[int, int]] = []
    lock = threading.Lock()

    def note(what: tuple[int, int]) -> None:
        with lock:
            ran.append(what)

    def schedule(number: int) -> None:
        for n in range(500):
            pool.schedule(Task(partial(note, (number, n))))

    in_threads(8, schedule)
    settle(pool)
    assert sorted(ran) == [(number, n) for number in range(8) for n in range(500)]


def test_no_wake_up_is_missed_when_the_thread_is_just_falling_asleep(
    pools: MakePool, hurry: None
) -> None:
    pool = pools(1)
    for _ in range(2_000):
        gate = Gate()
        pool.schedule(Task(gate.open))
        assert gate.wait(20)


def test_one_thread_serves_in_the_order_of_scheduling(pools: MakePool) -> None:
    pool, ran = pools(1), list[int]()
    hold = Gate()
    pool.schedule(Task(lambda: hold.wait(20)))
    for n in range(100):
        pool.schedule(Task(partial(ran.append, n)))
    hold.open()
    settle(pool)
    assert ran == list(range(100))


@pytest.mark.parametrize("base", [1, 3])
def test_no_more_threads_than_meant_run_at_once(pools: MakePool, base: int) -> None:
    pool = pools(base)
    at_once: list[int] = []
    running: set[int] = set()
    lock = threading.Lock()

    def task(n: int) -> None:
        with lock:
            running.add(n)
            at_once.append(len(running))
        for _ in range(200):
            pass
        with lock:
            running.discard(n)

    for n in range(300):
        pool.schedule(Task(partial(task, n)))
    settle(pool)
    assert max(at_once) <= base
    assert len(pool.workers) <= base


def test_threads_are_started_when_they_are_needed(pools: MakePool) -> None:
    pool = pools(4)
    assert pool.threads() == []
    pool.schedule(Task(lambda: None))
    settle(pool)
    assert len(pool.threads()) == 1


def test_it_is_quiet_when_nothing_is_queued_or_running_and_not_before(pools: MakePool) -> None:
    pool = pools(1)
    assert pool.quiet()
    hold, begun = Gate(), Gate()

    def block() -> None:
        begun.open()
        hold.wait(20)

    pool.schedule(Task(block))
    assert begun.wait(20)
    assert not pool.quiet()
    pool.schedule(Task(lambda: None))
    hold.open()
    settle(pool)
    assert pool.quiet()


def test_two_lulls_are_the_same_only_if_nothing_ran_in_between(pools: MakePool) -> None:
    pool = pools(1)
    first = pool.lull()
    assert first is not None
    assert pool.lull() == first
    gate = Gate()
    pool.schedule(Task(gate.open))
    assert gate.wait(20)
    settle(pool)
    assert pool.lull() not in (None, first)


def test_on_quiet_is_called_after_the_last_turn_every_time(pools: MakePool) -> None:
    pool, calls = pools(2), threading.Semaphore(0)
    pool.on_quiet = calls.release
    for _ in range(50):
        pool.schedule(Task(lambda: None))
        assert calls.acquire(timeout=20)


def test_a_turn_that_fails_is_logged_as_the_runtimes_fault_and_the_thread_goes_on(
    pools: MakePool, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("choreia.dispatcher")
    logger.propagate, before = True, logger.propagate
    kept: list[logging.LogRecord] = []
    pool, gate = pools(1), Gate()

    class Keep(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            kept.append(record)
            return False  # the other tests' guard shall not see it

    keep = Keep()
    logger.addFilter(keep)
    try:
        pool.schedule(Task(lambda: 1 / 0))
        pool.schedule(Task(gate.open))
        assert gate.wait(20)
    finally:
        logger.removeFilter(keep)
        logger.propagate = before
    [record] = kept
    assert record.levelno == logging.CRITICAL


def test_a_thread_that_waits_for_others_lets_another_one_serve_them(pools: MakePool) -> None:
    pool = pools(1, 1)  # not more than one, even
    gate, ran = Gate(), list[bool]()

    def wait() -> None:
        with pool.stepping_aside():
            ran.append(gate.wait(20))

    pool.schedule(Task(wait))
    pool.schedule(Task(gate.open))
    settle(pool)
    assert ran == [True]


def test_any_number_may_step_aside(pools: MakePool) -> None:
    pool = pools(1, 2)
    gate, ran = Gate(), list[bool]()

    def wait() -> None:
        with pool.stepping_aside():
            ran.append(gate.wait(20))

    for _ in range(50):
        pool.schedule(Task(wait))
    pool.schedule(Task(gate.open))
    settle(pool)
    assert ran == [True] * 50
    assert pool.aside == 0
    assert pool.blocked == 0


def test_stepping_aside_on_a_strange_thread_changes_nothing(pools: MakePool) -> None:
    pool = pools(1)
    with pool.stepping_aside():
        assert (pool.aside, pool.blocked, pool.active) == (0, 0, 0)


def test_threads_above_those_meant_end_when_they_are_idle(pools: MakePool) -> None:
    pool = pools(1, 16)
    gate = Gate()

    def wait() -> None:
        with pool.stepping_aside():
            gate.wait(20)

    for _ in range(10):
        pool.schedule(Task(wait))
    pool.schedule(Task(gate.open))
    settle(pool)
    extra = pool.threads()
    assert len(extra) >= 10
    ends = time.monotonic() + 20
    while sum(thread.is_alive() for thread in extra) > 1:
        assert time.monotonic() < ends
        Gate().wait(IDLE / 10)
    done = Gate()  # and the one that is left serves
    pool.schedule(Task(done.open))
    assert done.wait(20)


@pytest.mark.parametrize("base", [1, 3])
def test_closing_ends_every_thread_wherever_it_is(pools: MakePool, hurry: None, base: int) -> None:
    for _ in range(100):
        pool = pools(base)
        for _ in range(base * 2):
            pool.schedule(Task(lambda: None))
        pool.close()
        threads = pool.threads()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
        assert pool.ended


def test_a_thread_is_the_pools_until_it_has_ended(pools: MakePool) -> None:
    """Whoever stops the pool waits for all of its threads, also for one that has left its work and
    is not quite gone."""
    pool, known, done = pools(1), list[bool](), Gate()

    def last_words() -> None:
        known.append(threading.current_thread() in pool.threads())
        done.open()

    pool.on_quiet = last_words
    pool.schedule(Task(pool.close))
    assert done.wait(20)
    assert known == [True]


def test_what_is_queued_when_it_is_closed_is_still_served(pools: MakePool) -> None:
    pool, hold, ran = pools(1), Gate(), list[int]()
    pool.schedule(Task(lambda: hold.wait(20)))
    pool.schedule(Task(lambda: ran.append(1)))
    pool.close()
    hold.open()
    for thread in pool.threads():
        thread.join(20)
    assert ran == [1]


def test_when_no_thread_can_be_started_those_that_are_there_must_do(
    pools: MakePool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pool, gate = pools(2), Gate()
    pool.schedule(Task(lambda: None))
    settle(pool)
    hold = Gate()
    with monkeypatch.context() as patch:

        def refuse(self: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        patch.setattr(threading.Thread, "start", refuse)
        pool.schedule(Task(lambda: hold.wait(20)))
        pool.schedule(Task(gate.open))
    hold.open()
    assert gate.wait(20)
    settle(pool)
    assert "no further thread can be started" in caplog.text


# -- threads that end, and threads that are given up ----------------------------------------------


class Lost(Task):
    """Notes that the thread that served it has ended."""

    def __init__(self, run: Callable[[], object]) -> None:
        super().__init__(run)
        self.how: list[str] = []

    def lost(self, how: str) -> None:
        self.how.append(how)


def ends() -> None:
    raise ThreadEnds


def test_a_thread_that_ends_in_a_turn_is_replaced(pools: MakePool) -> None:
    pool, done = pools(1, 4), threading.Event()
    lost = Lost(ends)
    pool.schedule(lost)
    pool.schedule(Task(done.set))
    assert done.wait(20)
    assert len(lost.how) == 1
    assert "ended" in lost.how[0]
    settle(pool)
    assert (pool.active, pool.blocked, len(pool.workers)) == (0, 0, 1)


def test_many_threads_may_end(pools: MakePool) -> None:
    pool, count = pools(2, 4), list[int]()
    tasks = [Lost(ends) for _ in range(50)]
    for task in tasks:
        pool.schedule(task)
        pool.schedule(Task(lambda: count.append(1)))
    settle(pool)
    assert len(count) == 50
    assert all(len(task.how) == 1 for task in tasks)
    settle(pool)
    assert (pool.active, pool.blocked) == (0, 0)
    assert len(pool.workers) <= 2


def test_a_turn_that_fails_loses_its_cell_and_not_the_thread(
    pools: MakePool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("choreia.runtime.delivery.pool.log", logging.getLogger("elsewhere"))
    pool, done = pools(1, 1), threading.Event()
    lost = Lost(lambda: 1 / 0)
    pool.schedule(lost)
    pool.schedule(Task(done.set))
    assert done.wait(20)
    assert "ZeroDivisionError" in lost.how[0]
    assert "a turn of" in caplog.text
    assert len(pool.workers) == 1


def test_an_abandoned_thread_counts_for_nothing_and_ends(pools: MakePool) -> None:
    pool, inside, gate, done = pools(1, 4), threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        inside.set()
        gate.wait(20)

    hung = Task(hang)
    pool.schedule(hung)
    assert inside.wait(20)
    [worker] = pool.workers
    assert pool.inside(hung) == worker.thread.ident
    assert pool.serving() == [(hung, worker.thread.ident)]
    pool.schedule(Task(done.set))
    assert not pool.abandon(Task(hang)), "another turn"
    assert pool.abandon(hung)
    assert pool.hanging() == 1
    assert done.wait(20), "somebody else takes over at once"
    settle(pool)
    assert pool.lull() is not None, "what hangs is in nobody's way"
    assert pool.inside(hung) is None
    assert not pool.abandon(hung)
    gate.set()
    worker.thread.join(20)
    assert not worker.thread.is_alive()
    assert pool.hanging() == 0
    assert (pool.active, pool.blocked) == (0, 0)


def test_so_does_one_that_was_found_blocked(pools: MakePool) -> None:
    pool, inside, gate = pools(1, 4), threading.Event(), threading.Event()

    def hang() -> None:
        inside.set()
        gate.wait(20)

    hung = Task(hang)
    pool.schedule(hung)
    assert inside.wait(20)
    [worker] = pool.workers
    with pool.lock:  # as the watchdog does
        worker.blocked = True
        pool.blocked += 1
        pool.active -= 1
    pool.abandon(hung)
    assert (pool.active, pool.blocked) == (0, 0)
    gate.set()
    worker.thread.join(20)
    assert (pool.active, pool.blocked) == (0, 0)
