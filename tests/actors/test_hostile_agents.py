"""Agents, log handlers and timers that behave badly hurt nobody, and lose nothing."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pykka
import pytest

from choreia import (
    ActorSystem,
    Agent,
    BlockingCall,
    Event,
    InvalidAgent,
    InvalidLimit,
    MailboxFull,
    RequestTimeout,
    Retry,
    RetryAfter,
    SystemStopped,
    on,
)

TIMEOUT = 20


class Keeper(Agent):
    """Keeps what it gets."""

    def __init__(self, kept: list[Any]) -> None:
        super().__init__()
        self.kept = kept

    @on("work.#")
    def keep(self, event: Event) -> None:
        self.kept.append(event.payload.get("n"))


def test_a_timer_that_is_far_away_holds_up_no_other() -> None:
    class Patient(Agent):
        @on("wait")
        def wait(self, event: Event) -> None:
            self.after(1e10, "never")
            raise RetryAfter(1e10)

    class Flaky(Agent):
        retry = Retry(attempts=2, delay=0.001)
        tries = 0

        @on("go")
        def go(self, event: Event) -> None:
            Flaky.tries += 1
            if Flaky.tries == 1:
                raise ValueError("once")

    with ActorSystem() as system:
        system.spawn(Patient)
        system.spawn(Flaky)
        system.publish("wait")
        system.publish("go")
        done = threading.Event()
        system.subscribe("done", lambda event: done.set())
        while Flaky.tries < 2:  # served by the same timers
            done.wait(0.01)
        system.kill("patient")
        system.wait_idle(TIMEOUT)


class Clings(Agent):
    """Its generator will not end."""

    @on("go")
    def go(self, event: Event) -> Iterator[Any]:
        clung = False
        for n in range(100):
            try:
                yield "work.done", {"n": n}
            except GeneratorExit:
                if clung:
                    raise
                clung = True


class Trips(Agent):
    """Its generator fails when it is ended."""

    @on("go")
    def go(self, event: Event) -> Iterator[Any]:
        try:
            for n in range(100):
                yield "work.done", {"n": n}
        finally:
            raise ValueError("in clean-up")


@pytest.mark.parametrize("kind", [Clings, Trips])
def test_a_generator_that_will_not_end_is_killed_all_the_same(
    kind: type[Agent], system: ActorSystem
) -> None:
    system.spawn(lambda: Keeper([]), mailbox=1)
    system.pause("keeper")
    ref = system.spawn(kind, name="generator")
    system.publish("go")
    while system.inspect().agent("keeper").parked == 0:
        system.ref("keeper").ask("nothing", block=False)
        _let_run(system)
    system.kill("generator")
    system.resume("keeper")
    system.wait_idle(TIMEOUT)
    assert not ref.is_alive()
    (letter,) = [letter for letter in system.dead_letters() if letter.agent == "generator"]
    assert (letter.reason, letter.event.type if letter.event else "") == ("killed", "go")


def _let_run(system: ActorSystem) -> None:
    try:
        system.advance(0.001)
    except Exception:  # real threads need no help
        threading.Event().wait(0.001)


def test_a_broken_log_handler_loses_no_event(system: ActorSystem) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("the disk of the logs is full")

    class Fails(Agent):
        retry = Retry(attempts=2, delay=0.001)

        @on("go")
        def go(self, event: Event) -> None:
            raise ValueError("no")

        def on_receive(self, message: Any) -> None:
            raise ValueError("no")

    logger, broken = logging.getLogger("choreia.agent"), Broken()
    logger.addHandler(broken)
    try:
        ref = system.spawn(Fails)
        system.publish("go")
        ref.tell("told")
        system.wait_idle(TIMEOUT)
    finally:
        logger.removeHandler(broken)
    assert [letter.attempts for letter in system.dead_letters()] == [2, 1]


def test_an_acknowledgement_that_found_no_room_in_time_is_sent_by_the_next_attempt(
    system: ActorSystem,
) -> None:
    kept: list[Any] = []
    late: list[Any] = []
    waited = threading.Event()

    class Acknowledges(Agent):
        retry = Retry(attempts=2, delay=0.01)

        @on("go")
        async def go(self, event: Event) -> None:
            try:
                await asyncio.wait_for(self.emit_now_async("work.ack", {"n": 1}), 0.01)
            except TimeoutError:
                system.resume("late")
                waited.set()
                raise

    system.spawn(lambda: Keeper(kept), name="early")
    system.spawn(lambda: Keeper(late), name="late", mailbox=1)
    system.pause("late")
    system.wait_idle(TIMEOUT)
    system.publish("work.first", {"n": 0})
    system.spawn(Acknowledges)
    system.publish("go")
    system.wait_idle(TIMEOUT)
    assert waited.is_set()
    assert (kept, late) == ([0, 1], [0, 1])  # once each, also where it had arrived before
    assert not system.dead_letters()


@pytest.mark.parametrize("again", ["cancel", "replace"])
def test_a_timer_that_came_due_meanwhile_can_still_be_taken_back(again: str) -> None:
    came_due, heard = threading.Event(), list[str]()

    class Changes(Agent):
        @on("set")
        def set(self, event: Event) -> None:
            self.after(0.001, "first", key="k")

        @on("change")
        def change(self, event: Event) -> None:
            came_due.wait(TIMEOUT)
            if again == "cancel":
                self.cancel("k")
            else:
                self.after(0.001, "second", key="k")

    with ActorSystem() as system:
        system.subscribe("#", lambda event: heard.append(event.type))
        system.spawn(Changes)
        system.publish("set")
        system.publish("change")
        # Behind "first" on the same clock: when this one fires, that one has.
        system._engine.clock.call_later(0.05, came_due.set)
        came_due.wait(TIMEOUT)
        system.wait_idle(TIMEOUT)
        fired = threading.Event()
        system._engine.clock.call_later(0.05, fired.set)
        fired.wait(TIMEOUT)
        system.wait_idle(TIMEOUT)
    assert "first" not in heard
    assert heard.count("second") == (again == "replace")


def test_a_second_publish_of_an_id_waits_for_how_the_first_ends() -> None:
    kept: list[Any] = []
    with ActorSystem() as system:
        system.spawn(lambda: Keeper(kept), mailbox=1)
        system.pause("keeper")
        system.wait_idle(TIMEOUT)
        system.publish("work.fills", {"n": 0})
        failed: list[BaseException] = []

        def first() -> None:
            try:
                system.publish("work.x", {"n": 1}, id="A", timeout=0.1)
            except MailboxFull as error:
                failed.append(error)

        thread = threading.Thread(target=first)
        thread.start()
        while not system.inspect().agent("keeper").parked:
            threading.Event().wait(0.001)
        assert not system.try_publish("work.x", {"n": 1}, id="A")  # nobody has it
        thread.join()
        assert failed
        system.resume("keeper")
        system.publish("work.x", {"n": 1}, id="A")
        system.publish("work.x", {"n": 1}, id="A")
    assert kept == [0, 1]


def test_a_spawn_that_fails_leaves_nothing(system: ActorSystem) -> None:
    futures: list[Any] = []

    class Wrong(Agent):
        def __init__(self, wrong: bool) -> None:
            super().__init__()
            futures.append(self.actor_ref.ask("are you there?", block=False))
            if wrong:
                vars(self)["capabilities"] = "a word, not a tuple"

    with pytest.raises(InvalidAgent, match="capabilities"):
        system.spawn(lambda: Wrong(True))
    assert "wrong" not in {view.name for view in system.inspect().agents}
    with pytest.raises(pykka.ActorDeadError):
        futures[0].get(timeout=TIMEOUT)
    assert system.spawn(lambda: Wrong(False)).is_alive()  # the name is free


def test_a_spawn_that_comes_too_late_is_refused() -> None:
    for _ in range(30):
        system = ActorSystem()
        refs: list[Any] = []

        def spawn(system: ActorSystem = system, refs: list[Any] = refs) -> None:
            try:
                refs.extend(system.spawn(lambda: Keeper([]), name=f"k{n}") for n in range(200))
            except SystemStopped:
                return

        thread = threading.Thread(target=spawn)
        thread.start()
        system.stop(drain=False)
        thread.join()
        assert not any(ref.is_alive() for ref in refs)


def test_a_second_stop_returns_when_the_first_has_ended() -> None:
    go_on, kept = threading.Event(), list[str]()

    class Slow(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            go_on.wait(TIMEOUT)
            kept.append("handled")

    system = ActorSystem()
    system.spawn(Slow)
    system.publish("go")
    threads = [threading.Thread(target=system.stop) for _ in range(2)]
    for thread in threads:
        thread.start()
    threading.Timer(0.05, go_on.set).start()
    system.stop()
    assert kept == ["handled"]
    for thread in threads:
        thread.join(TIMEOUT)


def test_a_dead_letter_does_not_keep_the_handlers_variables(system: ActorSystem) -> None:
    class Fails(Agent):
        retry = None

        @on("go")
        def go(self, event: Event) -> None:
            try:
                raise KeyError("cause")
            except KeyError as error:
                raise ValueError("effect") from error

    system.spawn(Fails)
    system.publish("go")
    system.wait_idle(TIMEOUT)
    (letter,) = system.dead_letters()
    assert letter.attempts == 1
    assert letter.error is not None
    assert letter.error.__cause__ is not None
    assert letter.error.__traceback__ is None
    assert letter.error.__cause__.__traceback__ is None
    assert "in go" in letter.traceback
    assert "KeyError" in letter.traceback


async def _refused(call: Any) -> None:
    with pytest.raises(BlockingCall):
        call()


def test_a_refused_blocking_call_has_done_nothing() -> None:
    kept: list[Any] = []

    class Hears(Agent):
        def on_receive(self, message: Any) -> None:
            kept.append(message)

    with ActorSystem() as system:
        ref = system.spawn(Hears)
        asyncio.run(_refused(lambda: ref.ask("hello")))
        asyncio.run(_refused(ref.stop))
        system.wait_idle(TIMEOUT)
        assert ref.is_alive()
    assert kept == []


def test_a_request_that_finds_no_room_in_time_times_out(system: ActorSystem) -> None:
    system.spawn(lambda: Keeper([]), mailbox=1)
    system.pause("keeper")
    system.wait_idle(TIMEOUT)
    system.publish("work.fills")
    with pytest.raises(RequestTimeout):
        system.request("work.more", until="never", timeout=0.05)
    system.resume("keeper")


@pytest.mark.parametrize("timeout", ["5", True, float("nan")])
def test_a_timeout_is_a_number_of_seconds(system: ActorSystem, timeout: Any) -> None:
    for call in (
        lambda: system.publish("x", timeout=timeout),
        lambda: system.request("x", until="y", timeout=timeout),
        lambda: system.wait_idle(timeout),
        lambda: system.stop(timeout=timeout),
    ):
        with pytest.raises(InvalidLimit, match="timeout="):
            call()


def test_a_coroutine_called_once_is_awaited_as_often_as_one_likes(system: ActorSystem) -> None:
    calls: list[int] = []
    answers: list[Any] = []

    async def model() -> int:
        calls.append(1)
        await asyncio.sleep(0.001)
        return len(calls)

    class Asks(Agent):
        retry = Retry(attempts=2, delay=0.001)

        @on("go")
        async def go(self, event: Event) -> None:
            both = [self.once("m", model), self.once("m", partial(model))]
            answers.append(await asyncio.gather(*both))
            if len(answers) == 1:
                raise ValueError("again")

    system.spawn(Asks)
    system.publish("go")
    system.wait_idle(TIMEOUT)
    assert answers == [[1, 1], [1, 1]]
    assert calls == [1]


def test_a_moved_deadline_does_not_fill_the_memory(system: ActorSystem) -> None:
    class Moves(Agent):
        max_outbox = 100_000

        @on("go")
        def go(self, event: Event) -> None:
            for _ in range(20_000):
                self.after(3600, "late", key="k")

    system.spawn(Moves)
    system.publish("go")
    system.wait_idle(TIMEOUT)
    heap: Any = system._engine.clock
    assert len(heap._heap) < 5_000
