"""The watchdog: blocked handlers do not hold up the others, and computing ones get no company."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from choreia.runtime.delivery.gate import Gate
from choreia.runtime.delivery.pool import Pool, Worker
from choreia.runtime.delivery.watchdog import LONG, TICK, Watchdog, _blocked, _cpu_seconds


class Task:
    since = 0.0

    def lost(self, how: str) -> None: ...

    def __init__(self, run: Callable[[], object]) -> None:
        self._run = run

    @property
    def turn(self) -> Task:
        return self

    def run(self) -> None:
        self._run()


@contextmanager
def watched() -> Iterator[Pool]:
    """A pool of which one thread is meant to run, thirty-two at most, and its watchdog."""
    pool = Pool(1, 32, "test")
    watchdog = Watchdog(pool)
    pool.on_busy = watchdog.alarm
    yield pool
    watchdog.stop()
    pool.close()
    for thread in pool.threads():
        thread.join(20)
        assert not thread.is_alive()
    assert not [t for t in threading.enumerate() if t.name == "choreia-watchdog"]


@pytest.fixture
def pool() -> Iterator[Pool]:
    with watched() as pool:
        yield pool


def test_what_waits_behind_a_blocked_turn_is_served_by_another_thread(pool: Pool) -> None:
    hold, done = threading.Event(), Gate()
    pool.schedule(Task(lambda: hold.wait(30)))
    pool.schedule(Task(done.open))
    assert done.wait(20)
    hold.set()


def test_thirty_blocked_turns_are_covered_fast(pool: Pool) -> None:
    """Four times as many threads at each look: a few looks, not one for each."""
    hold, done = threading.Event(), Gate()
    begun = threading.Semaphore(0)

    def block() -> None:
        begun.release()
        hold.wait(30)

    for _ in range(30):
        pool.schedule(Task(block))
    pool.schedule(Task(done.open))
    before = time.monotonic()
    assert done.wait(20)
    assert time.monotonic() - before < 30 * 4 * TICK + 5
    for _ in range(30):
        assert begun.acquire(timeout=20)
    hold.set()


def test_never_more_threads_than_the_most(pool: Pool) -> None:
    hold, count = threading.Event(), threading.Semaphore(0)

    def block() -> None:
        count.release()
        hold.wait(30)

    for _ in range(40):
        pool.schedule(Task(block))
    for _ in range(32):
        assert count.acquire(timeout=20)
    assert not count.acquire(timeout=20 * TICK)
    assert len(pool.workers) == 32
    hold.set()
    for _ in range(8):
        assert count.acquire(timeout=20)


def test_a_turn_that_begins_while_nothing_waits_is_watched_all_the_same(pool: Pool) -> None:
    hold, begun, done = threading.Event(), Gate(), Gate()

    def block() -> None:
        begun.open()
        hold.wait(30)

    pool.schedule(Task(block))
    assert begun.wait(20)
    assert not Gate().wait(60 * TICK)  # the watchdog would have gone to sleep
    pool.schedule(Task(done.open))
    assert done.wait(20)
    hold.set()


def test_it_wakes_up_again_after_a_long_rest(pool: Pool) -> None:
    first = Gate()
    pool.schedule(Task(first.open))
    assert first.wait(20)
    assert not Gate().wait(60 * TICK)
    test_what_waits_behind_a_blocked_turn_is_served_by_another_thread(pool)


def threads_beside_a_computing_turn() -> int:
    workers: list[int] = []
    done = Gate()
    with watched() as pool:

        def compute() -> None:
            ends = time.monotonic() + 0.3
            while time.monotonic() < ends:
                pass
            workers.append(len(pool.workers))

        pool.schedule(Task(compute))
        pool.schedule(Task(done.open))
        assert done.wait(20)
    return workers[0] - 1


def test_a_computing_turn_is_left_alone() -> None:
    # On a crowded machine a thread may get next to no time to compute, and look blocked; five
    # times in a row it does not.
    assert any(threads_beside_a_computing_turn() == 0 for _ in range(5))


# -- what it goes by ------------------------------------------------------------------------------


class Sampled:
    """A worker whose CPU clock the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.worker = Worker()
        self.worker.thread = threading.current_thread()
        self.worker.cell = Task(lambda: None)
        self.cpu: float | None = 0.0
        monkeypatch.setattr(
            "choreia.runtime.delivery.watchdog._cpu_seconds", lambda thread: self.cpu
        )

    def look(self, now: float, cpu: float | None = 0.0, *, late: bool = False) -> bool:
        self.cpu = cpu
        return _blocked(self.worker, now, late)


@pytest.fixture
def sampled(monkeypatch: pytest.MonkeyPatch) -> Sampled:
    return Sampled(monkeypatch)


def test_the_first_look_proves_nothing_the_second_does(sampled: Sampled) -> None:
    assert not sampled.look(0.0)
    assert sampled.look(TICK)


def test_one_that_computes_is_not_blocked(sampled: Sampled) -> None:
    assert not sampled.look(0.0, 0.0)
    assert not sampled.look(TICK, TICK / 2)
    assert not sampled.look(2 * TICK, TICK)
    assert sampled.look(3 * TICK, TICK)  # until it stops computing


def test_another_event_or_agent_is_another_call(sampled: Sampled) -> None:
    assert not sampled.look(0.0)
    sampled.worker.cell.since = 1.0  # type: ignore[union-attr, misc]
    assert not sampled.look(TICK)
    sampled.worker.cell = Task(lambda: None)
    assert not sampled.look(2 * TICK)
    assert sampled.look(3 * TICK)


def test_a_look_that_came_late_proves_nothing_unless_it_spans_long(sampled: Sampled) -> None:
    assert not sampled.look(0.0)
    assert not sampled.look(LONG / 2, late=True)
    assert sampled.look(LONG, late=True)


def test_without_a_cpu_clock_only_a_long_wait_counts(sampled: Sampled) -> None:
    assert not sampled.look(0.0, None)
    assert not sampled.look(LONG / 2, None)
    assert sampled.look(LONG, None)


def test_cpu_time_is_per_thread() -> None:
    before = _cpu_seconds(threading.current_thread())
    assert before is not None
    ends = time.thread_time() + 0.02
    while time.thread_time() < ends:
        pass
    after = _cpu_seconds(threading.current_thread())
    assert after is not None
    assert after - before >= 0.02
    assert _cpu_seconds(threading.Thread()) is None


def test_a_turn_that_ends_just_when_it_is_found_blocked_leaves_the_counts_right(
    pool: Pool,
) -> None:
    """The thread has looked whether it was found blocked, and goes to sleep: only then it is."""
    done = Gate()
    pool.schedule(Task(done.open))
    assert done.wait(20)

    quiet = Gate()
    pool.on_quiet = quiet.open
    before = pool.lock

    class Latched:
        """The pool's lock; the first to take it finds that the watchdog was a little faster."""

        def __init__(self) -> None:
            self.first = True

        def __enter__(self) -> None:
            before.acquire()
            if self.first:
                self.first = False
                for worker in pool.workers:
                    worker.blocked = True
                    pool.blocked += 1
                    pool.active -= 1

        def __exit__(self, *_: object) -> None:
            before.release()

    pool.schedule(Task(lambda: setattr(pool, "lock", Latched())))
    assert quiet.wait(20)
    pool.lock = before
    assert (pool.active, pool.blocked) == (0, 0)
    assert pool.quiet()
