"""Replacing agents that make it hard: they hang where nobody expects it, and come back when nobody
wants them. Found by trying to break what `test_fencing.py` promises."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Event, Heartbeat, Restart, on
from choreia.actors import replacing
from choreia.actors.replacing import PATIENCE
from choreia.runtime.delivery import turn as turns
from choreia.runtime.delivery.stacks import shown
from choreia.runtime.health import evidence

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode, Until

AT_ONCE = Heartbeat(interval=0.05, timeout=0.3, stuck_after=0.1, replace_after=0)
LATE = Heartbeat(interval=0.05, timeout=0.3, stuck_after=0.1)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Whatever hangs in a test lets go when it is over."""
    gate = threading.Event()
    yield gate
    gate.set()


class Hangs(Agent):
    """Handles numbers; hangs at the first, on the test's gate or for ever."""

    retry = None
    heartbeat = AT_ONCE
    waits: tuple[Callable[[], object], ...]
    handled: list[int]

    @on("number")
    def number(self, event: Event) -> None:
        n: Any = event.payload["n"]
        if n == 0:
            type(self).waits[0]()
        type(self).handled.append(n)


def hanging(hang: Callable[[], object], **attributes: Any) -> type[Hangs]:
    return type("Hangs", (Hangs,), {"waits": (hang,), "handled": [], **attributes})


def numbers(system: ActorSystem, count: int) -> None:
    for n in range(count):
        system.publish("number", {"n": n})


# -- idleness ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["threads"])
def test_what_waits_for_a_replacement_is_in_flight(
    system: ActorSystem, gate: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    """Also while a log handler takes its time over the one that hangs."""

    class Slow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            gate.wait(0.05)

    handler = Slow()
    logging.getLogger("choreia.agent.hangs").addHandler(handler)
    try:
        agent = hanging(gate.wait)
        system.spawn(agent, name="hangs")
        numbers(system, 5)
        system.wait_idle(timeout=20)
        assert agent.handled == [1, 2, 3, 4]
        assert [letter.reason for letter in system.dead_letters()] == ["stuck"]
    finally:
        logging.getLogger("choreia.agent.hangs").removeHandler(handler)


# -- stopping ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["threads"])
def test_a_system_stops_while_a_factory_hangs(
    system: ActorSystem, until: Until, gate: threading.Event
) -> None:
    agent, made = hanging(gate.wait), list[int]()

    def factory() -> Hangs:
        made.append(1)
        if len(made) > 1:
            gate.wait()
        return agent()

    ref = system.spawn(factory, name="hangs")
    numbers(system, 3)
    until(lambda: len(made) > 1)
    assert str(ref) == "Hangs (did:choreia:local:hangs)"
    assert system.inspect().agent("hangs").mailbox_size == 2
    system.stop(timeout=0.2)
    assert not ref.is_alive()
    assert sorted(letter.reason for letter in system.dead_letters()) == [
        "stopped",
        "stopped",
        "stuck",
    ]


@pytest.mark.parametrize("mode", ["threads"])
def test_a_factory_that_hangs_is_suspected_and_its_agent_can_be_killed(
    system: ActorSystem, until: Until, hear: Hear, gate: threading.Event
) -> None:
    made: list[int] = []

    class Fine(Agent):
        heartbeat = LATE

    def factory() -> Fine:
        made.append(1)
        if len(made) > 1:
            gate.wait()
        return Fine()

    suspected = hear("agent.suspected_failure")
    ref = system.spawn(factory, name="fine")
    system.wait_idle(timeout=5)
    system.restart("fine")
    until(lambda: suspected)
    assert suspected[0].payload["reason"] == "stuck"
    assert "gate.wait()" in suspected[0].payload["evidence"]["stack"]
    system.kill("fine")
    until(lambda: not ref.is_alive())


@pytest.mark.parametrize("mode", ["threads"])
def test_a_hung_factory_is_called_again_when_the_agent_is_replaced_again(
    system: ActorSystem, until: Until, hear: Hear, gate: threading.Event
) -> None:
    made: list[int] = []

    class Fine(Agent):
        heartbeat = AT_ONCE

    def factory() -> Fine:
        made.append(1)
        if len(made) == 2:
            gate.wait()
        return Fine()

    recovered = hear("agent.recovered")
    system.spawn(factory, name="fine")
    system.restart("fine")
    until(lambda: recovered)
    assert len(made) == 3
    gate.set()
    system.wait_idle(timeout=5)
    assert system.inspect().agent("fine").incarnation == 2


def test_last_words_that_hang_are_not_waited_for(
    system: ActorSystem, until: Until, hear: Hear, asleep: Any, mode: Mode
) -> None:
    class Talks(Agent):
        heartbeat = None
        handled: list[int] = []  # noqa: RUF012

        def on_stop(self) -> None:
            asleep.ask("?")

        @on("number")
        def number(self, event: Event) -> None:
            self.handled.append(1)

    restarted = hear("agent.restarted")
    system.spawn(Talks)
    system.wait_idle(timeout=5)
    system.restart("talks")
    until(lambda: system.inspect().agent("asleep").mailbox_size)
    if mode == "simulated":
        system.advance(PATIENCE)
    until(lambda: restarted)
    system.publish("number")
    until(lambda: len(Talks.handled) == 1)
    Talks.handled.clear()
    assert system.dead_letters() == []
    system.kill("talks")


def test_so_are_those_that_await(sim: ActorSystem, hear: Hear) -> None:
    class Talks(Agent):
        async def on_stop(self) -> None:  # type: ignore[override]
            await asyncio.sleep(1_000)

    restarted = hear("agent.restarted")
    sim.spawn(Talks)
    sim.wait_idle()
    sim.restart("talks")
    sim.advance(PATIENCE)
    assert len(restarted) == 1
    assert sim.inspect().agent("talks").incarnation == 2
    sim.stop(drain=False)


@pytest.mark.parametrize("how", ["awaits", "hangs"])
def test_an_agent_that_was_asked_to_stop_is_not_revived(
    system: ActorSystem, until: Until, asleep: Any, how: str
) -> None:
    made: list[int] = []

    class Awaits(Agent):
        heartbeat = AT_ONCE

        def __init__(self) -> None:
            super().__init__()
            made.append(1)

        async def on_stop(self) -> None:  # type: ignore[override]
            await asyncio.sleep(1_000)

    class Blocks(Awaits):
        def on_stop(self) -> None:  # type: ignore[override]
            asleep.ask("?")

    ref = system.spawn(Awaits if how == "awaits" else Blocks, name="leaves")
    system.wait_idle(timeout=5)
    stopping = ref.stop(block=False)
    if how == "awaits":
        until(lambda: system.inspect().agent("leaves").state == "awaiting")
        system.restart("leaves")
    until(lambda: not ref.is_alive())
    assert stopping.get(timeout=10)
    assert made == [1]


# -- who is to blame ----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["threads"])
def test_many_events_that_are_each_in_time_are_not_one_that_is_not(
    system: ActorSystem, hear: Hear, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of short events a turn handles eight between two looks at the clock; some may be long."""
    monkeypatch.setattr(turns, "BRISK", 10)

    class Mixed(Agent):
        heartbeat = Heartbeat(interval=0.05, timeout=9, stuck_after=0.4, replace_after=0)

        @on("mixed")
        def handle(self, event: Event) -> None:
            if event.payload["slow"]:
                gate.wait(0.15)

    suspected = hear("agent.suspected_failure")
    system.spawn(Mixed)
    system.pause("mixed")
    for n in range(24):
        system.publish("mixed", {"slow": n >= 16})
    system.resume("mixed")
    system.wait_idle(timeout=20)
    assert suspected == []
    assert system.dead_letters() == []


def test_each_handler_of_an_event_is_a_step_of_its_own(
    sim: ActorSystem, hear: Hear, asleep: Any
) -> None:
    class Two(Agent):
        heartbeat = Heartbeat(interval=1, timeout=3, stuck_after=10)

        @on("go")
        def first(self, event: Event) -> None:
            self._wait()

        @on("go")
        def second(self, event: Event) -> None:
            self._wait()

        def _wait(self) -> None:
            try:
                asleep.ask("?", timeout=7)
            except Exception:
                self.emit("waited")

    suspected, waited = hear("agent.suspected_failure"), hear("waited")
    sim.spawn(Two)
    sim.publish("go")
    sim.advance(20)
    assert suspected == []
    assert len(waited) == 2


@pytest.mark.parametrize("mode", ["threads"])
def test_whoever_ends_while_it_is_being_suspected_is_not(
    system: ActorSystem, hear: Hear, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes a while to see where a coroutine stands, and meanwhile it comes to its end."""
    ended = threading.Event()

    def slowly(frames: Any) -> str:
        ended.wait(20)
        return shown(frames)

    monkeypatch.setattr(evidence, "shown", slowly)

    class Ends(Agent):
        heartbeat = AT_ONCE

        @on("go")
        async def go(self, event: Event) -> None:
            await asyncio.sleep(0.15)
            self.emit("done")

    done, beats = hear("done"), hear("agent.heartbeat")
    suspected, restarted = hear("agent.suspected_failure"), hear("agent.restarted")
    system.spawn(Ends)
    system.publish("go")
    until(lambda: done)
    ended.set()
    seen = len(beats)
    until(lambda: len(beats) > seen + 3)
    assert (suspected, restarted) == ([], [])
    assert system.inspect().agent("ends").suspected is None


@pytest.mark.parametrize("mode", ["threads"])
def test_a_timeout_strikes_only_the_handler_it_is_of(
    system: ActorSystem, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first handler ends while it is being looked at; the second may take its time."""
    looking, second, tried = threading.Event(), threading.Event(), threading.Event()
    take = replacing.Replacer._take

    def slowly(cell: Any) -> str:
        looking.set()
        second.wait(20)
        return ""

    def take_and_tell(*arguments: Any) -> None:
        take(*arguments)
        tried.set()

    monkeypatch.setattr(replacing, "stack_of", slowly)
    monkeypatch.setattr(replacing.Replacer, "_take", take_and_tell)
    ends: list[str] = []

    class Two(Agent):
        retry = None

        @on("go", timeout=0.05)
        def first(self, event: Event) -> None:
            assert looking.wait(20)
            ends.append("first")

        @on("go")
        def unhurried(self, event: Event) -> None:
            second.set()
            assert tried.wait(20)
            ends.append("second")

    system.spawn(Two)
    system.publish("go")
    system.wait_idle(timeout=20)
    assert ends == ["first", "second"]
    assert system.dead_letters() == []
    assert system.inspect().agent("two").incarnation == 1


def test_whoever_is_killed_has_not_recovered(
    system: ActorSystem, hear: Hear, until: Until, asleep: Any, mode: Mode
) -> None:
    suspected, recovered = hear("agent.suspected_failure"), hear("agent.recovered")
    ref = system.spawn(hanging(lambda: asleep.ask("?"), heartbeat=LATE), name="hangs")
    numbers(system, 1)
    until(lambda: suspected)
    system.kill("hangs")
    if mode == "simulated":
        system.advance(PATIENCE)
    until(lambda: not ref.is_alive())
    assert recovered == []


# -- what hangs in being broken off ----------------------------------------------------------------


def test_a_generator_whose_clean_up_hangs_can_be_killed(
    system: ActorSystem, until: Until, asleep: Any, mode: Mode
) -> None:
    class Sink(Agent):
        mailbox = 1

        @on("drop")
        def drop(self, event: Event) -> None: ...

    class Generates(Agent):
        heartbeat = None

        @on("go")
        def go(self, event: Event) -> Any:
            try:
                for n in range(10):
                    yield "drop", {"n": n}
            finally:
                asleep.ask("?")

    system.spawn(Sink)
    system.pause("sink")
    ref = system.spawn(Generates)
    system.publish("go")
    until(lambda: system.inspect().agent("generates").state == "parked")
    system.kill("generates")
    until(lambda: system.inspect().agent("asleep").mailbox_size)
    if mode == "simulated":
        system.advance(PATIENCE)
    until(lambda: not ref.is_alive())
    reasons = {letter.reason for letter in system.dead_letters()}
    assert {"stuck"} <= reasons <= {"stuck", "killed"}
    system.kill("sink")


def test_a_coroutine_that_will_not_be_cancelled_can_say_nothing(sim: ActorSystem) -> None:
    """Neither while the one it belonged to has its last words, nor when its agent was killed."""
    tried: list[str] = []

    class Stubborn(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            for _ in range(100):
                try:
                    await asyncio.sleep(0.1)
                    await sim.publish_async("late")
                    tried.append("published")
                except asyncio.CancelledError:
                    continue
                except Exception as error:
                    tried.append(type(error).__name__)

        async def on_stop(self) -> None:  # type: ignore[override]
            await asyncio.sleep(0.5)

    sim.spawn(Stubborn)
    for end in (sim.restart, sim.kill):
        sim.publish("go")
        sim.advance(0.05)
        end("stubborn")
        sim.advance(0.45)
        assert set(tried) == {"Fenced"}
        tried.clear()


@pytest.mark.parametrize("mode", ["threads"])
def test_an_agent_that_hangs_on_everything_is_not_replaced_for_ever(
    system: ActorSystem, until: Until, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replacing, "HANGING", 3)
    agent = hanging(gate.wait, hangs=0)
    ref = system.spawn(agent, name="hangs")
    for _ in range(20):
        system.publish("number", {"n": 0})
    until(lambda: not ref.is_alive())
    assert system._dispatcher.hanging() == 4
    until(lambda: len(system.dead_letters()) == 20)
    reasons = [letter.reason for letter in system.dead_letters()]
    assert reasons.count("stuck") == 4
    assert reasons.count("stopped") == 16
    gate.set()
    until(lambda: system._dispatcher.hanging() == 0)


def test_restarts_for_hanging_count_for_the_policy(
    system: ActorSystem, hear: Hear, until: Until, asleep: Any
) -> None:
    agent = hanging(lambda: asleep.ask("?"), restart=Restart(max_restarts=1, window=60))
    ref = system.spawn(agent, name="hangs")
    restarted, stopped = hear("agent.restarted"), hear("agent.stopped")
    for _ in range(3):
        system.publish("number", {"n": 0})
    until(lambda: not ref.is_alive())
    assert len(restarted) == 1
    until(lambda: stopped)
    assert stopped[0].payload["reason"] == "restarts"
