"""Who fails is suspected, with the right reason; who does not fail never is; both dispatchers."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Event, Heartbeat, on
from choreia.actors.crashing import crash
from choreia.runtime.events.payload import FrozenDict
from choreia.runtime.simulation.dispatcher import SimulatedDispatcher
from choreia.runtime.simulation.faults import Slowness, restore, withhold

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode, Until

QUICK = Heartbeat(interval=0.05, timeout=0.2, stuck_after=0.2)


class Works(Agent):
    heartbeat = QUICK

    def __init__(self, asleep: Any = None) -> None:
        super().__init__()
        self.asleep = asleep

    @on("quick")
    def quick(self, event: Event) -> None:
        self.emit("quick.done")

    @on("hang")
    def hang(self, event: Event) -> None:
        self.asleep.ask("are you there?")
        self.emit("hang.done")

    @on("wait")
    async def wait(self, event: Event) -> None:
        await asyncio.sleep(event.payload["seconds"])
        self.emit("wait.done")

    @on("lively")
    async def lively(self, event: Event) -> None:
        for _ in range(10):
            await asyncio.sleep(0.1)
            self.alive()


def spawn(system: ActorSystem, asleep: Any, **options: Any) -> None:
    system.spawn(lambda: Works(asleep), name="works", **options)


def test_a_handler_that_hangs_is_stuck_and_recovers(
    system: ActorSystem, hear: Hear, until: Until, asleep: Any
) -> None:
    suspected, recovered = hear("agent.suspected_failure"), hear("agent.recovered")
    spawn(system, asleep)
    cause = system.publish("hang")
    until(lambda: suspected)
    [event] = suspected
    assert event.payload["agent_id"] == "did:choreia:local:works"
    assert event.payload["agent"] == "works"
    assert event.payload["reason"] == "stuck"
    assert event.payload["incarnation"] == 1
    assert event.source == "did:choreia:local:supervisor"
    assert event.metadata.causation_id == cause.id, "it belongs to the case in hand"
    evidence = event.payload["evidence"]
    assert isinstance(evidence, FrozenDict)
    assert (evidence["handler"], evidence["event_id"]) == ("hang", cause.id)
    assert (evidence["event_type"], evidence["limit"]) == ("hang", 0.2)
    assert evidence["seconds"] >= 0.2
    assert "in hang\n    self.asleep.ask" in evidence["stack"]
    for ours in "turn.py", "frames.py", "handling.py":
        assert ours not in evidence["stack"], "what is the same for everybody says nothing"
    assert system.clock.now() - event.payload["last_seen"] < 60
    assert system.inspect().agent("works").suspected == "stuck"
    assert recovered == []
    system.resume("asleep")
    until(lambda: recovered)
    assert recovered[0].payload["agent_id"] == "did:choreia:local:works"
    assert recovered[0].payload["reason"] == "stuck"
    assert recovered[0].payload["seconds"] >= 0
    assert system.inspect().agent("works").suspected is None
    until(lambda: system.inspect().agent("works").handled == 1)
    assert len(suspected) == 1


def test_a_coroutine_that_takes_too_long_is_stuck_and_recovers(
    system: ActorSystem, hear: Hear, until: Until
) -> None:
    suspected, recovered = hear("agent.suspected_failure"), hear("agent.recovered")
    spawn(system, None)
    system.publish("wait", {"seconds": 0.6})
    until(lambda: suspected)
    evidence: Any = suspected[0].payload["evidence"]
    assert (suspected[0].payload["reason"], evidence["handler"]) == ("stuck", "wait")
    assert "await asyncio.sleep" in evidence["stack"]
    assert "coroutines.py" not in evidence["stack"]
    until(lambda: recovered)
    until(lambda: system.inspect().agent("works").handled == 1)
    assert len(suspected) == len(recovered) == 1


def test_detection_is_exact(sim: ActorSystem, hear: Hear) -> None:
    """Looks are regular, but one that sees a deadline comes back for it."""
    suspected = hear("agent.suspected_failure")
    beat = Heartbeat(interval=30, timeout=90, stuck_after=7)
    sim.spawn(Works, heartbeat=beat)
    sim.advance(31)
    sim.publish("wait", {"seconds": 100})
    sim.advance(200)
    assert [event.timestamp for event in suspected] == [31 + 7]
    assert suspected[0].payload["evidence"]["seconds"] == 7


def test_without_a_limit_of_their_own_coroutines_get_ten_minutes(
    sim: ActorSystem, hear: Hear
) -> None:
    suspected = hear("agent.suspected_failure")
    sim.spawn(Works, heartbeat=Heartbeat())
    sim.publish("wait", {"seconds": 599})
    sim.advance(3_600)
    assert suspected == []
    began = sim.clock.now()
    sim.publish("wait", {"seconds": 601})
    sim.advance(3_600)
    assert [event.timestamp for event in suspected] == [began + 600]


def test_without_a_limit_of_their_own_handlers_get_a_minute(
    sim: ActorSystem, hear: Hear, asleep: Any
) -> None:
    suspected = hear("agent.suspected_failure")
    sim.spawn(lambda: Works(asleep), name="works", heartbeat=Heartbeat())
    sim.publish("hang")
    sim.advance(59)
    assert suspected == []
    sim.advance(2)
    assert [event.timestamp for event in suspected] == [60]


def test_signs_of_life_keep_an_agent_from_being_suspected(
    system: ActorSystem, hear: Hear, until: Until
) -> None:
    suspected = hear("agent.suspected_failure")
    spawn(system, None, heartbeat=Heartbeat(interval=0.05, timeout=5, stuck_after=0.8))
    system.publish("lively")
    until(lambda: system.inspect().agent("works").handled == 1)
    assert suspected == []


def test_early_emissions_are_signs_of_life(sim: ActorSystem, hear: Hear) -> None:
    class Tells(Agent):
        heartbeat = QUICK

        @on("tell")
        async def tell(self, event: Event) -> None:
            for n in range(20):
                await asyncio.sleep(0.15)
                await self.emit_now_async("progress", {"n": n})

        @on("stream")
        async def stream(self, event: Event) -> Any:
            for n in range(20):
                await asyncio.sleep(0.15)
                yield "progress", {"n": n}

    suspected = hear("agent.suspected_failure")
    sim.spawn(Tells)
    sim.publish("tell")
    sim.publish("stream")
    sim.wait_idle()
    assert suspected == []
    assert sim.inspect().agent("tells").handled == 2


def test_an_agent_whose_thread_ended_is_dead_and_lives_again_when_restarted(
    system: ActorSystem, hear: Hear, until: Until
) -> None:
    suspected, recovered = hear("agent.suspected_failure"), hear("agent.recovered")
    done = hear("quick.done")
    spawn(system, None)
    crash(system, "works")
    until(lambda: system.inspect().agent("works").state == "dead")
    system.publish("quick")
    until(lambda: suspected)
    [event] = suspected
    evidence: Any = event.payload["evidence"]
    assert event.payload["reason"] == "dead"
    assert "ended" in evidence["how"]
    assert (evidence["queued"], evidence["timeout"]) == (1, 0.2)
    assert evidence["silence"] >= 0.2
    assert done == []
    with pytest.raises((TimeoutError, RuntimeError)):
        system.wait_idle(timeout=0.01)
    system.restart("works")
    until(lambda: recovered)
    until(lambda: done)
    assert recovered[0].payload["incarnation"] == 2
    assert system.dead_letters() == []
    system.wait_idle(timeout=5)


def test_other_agents_go_on_when_one_threads_ends(system: ActorSystem, hear: Hear) -> None:
    done = hear("quick.done")
    for number in range(5):
        system.spawn(Works, name=f"works-{number}", heartbeat=None)
    for number in range(4):
        crash(system, f"works-{number}")
        system.wait_idle(timeout=5)
    system.publish("quick")
    with pytest.raises((TimeoutError, RuntimeError)):
        system.wait_idle(timeout=0.05)
    assert [event.source.rpartition(":")[2] for event in done] == ["works-4"]


@pytest.mark.parametrize("mode", ["threads"])
def test_an_agent_with_a_thread_of_its_own_may_lose_it(
    system: ActorSystem, hear: Hear, until: Until
) -> None:
    suspected, done = hear("agent.suspected_failure"), hear("quick.done")
    spawn(system, None, threaded=True)
    crash(system, "works")
    until(lambda: suspected)
    assert suspected[0].payload["reason"] == "dead"
    assert "choreia-works" in suspected[0].payload["evidence"]["how"]
    system.publish("quick")
    system.restart("works")
    until(lambda: done)


@pytest.mark.parametrize("mode", ["threads"])
def test_an_agent_without_a_turn_is_starved(system: ActorSystem, hear: Hear, until: Until) -> None:
    """One thread for all, and somebody computes on it: the others could run, and do not."""
    stop = threading.Event()

    class Hog(Agent):
        heartbeat = None

        @on("compute")
        def compute(self, event: Event) -> None:
            while not stop.is_set():
                sum(range(1_000))

    heard: list[Event] = []
    with system.listen("agent.#") as listener:
        system.spawn(Hog)
        spawn(system, None)
        system.publish("compute")
        until(lambda: system.inspect().agent("hog").state == "running")
        system.publish("quick")
        try:
            while not heard:
                event = listener.next(timeout=20)
                if event.type == "agent.suspected_failure":
                    heard.append(event)
        finally:
            stop.set()
    [event] = heard
    assert event.payload["agent"] == "works"
    assert event.payload["reason"] == "starved"
    evidence: Any = event.payload["evidence"]
    assert evidence["queued"] == 1
    assert any("hog.compute for" in one for one in evidence["running"])
    until(lambda: system.inspect().agent("works").suspected is None)
    assert system.inspect().agent("works").handled == 1


def test_starved_in_simulation(sim: ActorSystem, hear: Hear) -> None:
    suspected, recovered = hear("agent.suspected_failure"), hear("agent.recovered")
    dispatcher, cell = sim._dispatcher, _cell(sim, Works)
    assert isinstance(dispatcher, SimulatedDispatcher)
    withhold(dispatcher, cell)
    sim.publish("quick")
    sim.advance(1)
    assert [event.payload["reason"] for event in suspected] == ["starved"]
    assert suspected[0].timestamp == pytest.approx(0.2, abs=0.051)
    restore(dispatcher, cell)
    sim.wait_idle()
    assert [event.payload["reason"] for event in recovered] == ["starved"]
    assert sim.inspect().agent("works").handled == 1


def _cell(system: ActorSystem, agent: type[Agent]) -> Any:
    system.spawn(agent)
    return system._roster.cell("works")


def test_the_detector_may_be_phi(sim: ActorSystem, hear: Hear) -> None:
    suspected, beats = hear("agent.suspected_failure"), hear("agent.heartbeat")
    sim.spawn(Works, heartbeat=Heartbeat(interval=1, timeout=3, detector="phi"))
    sim.advance(1_000)
    assert len(beats) == 1_000
    crash(sim, "works")
    sim.advance(60)
    evidence: Any = suspected[0].payload["evidence"]
    assert (suspected[0].payload["reason"], evidence["detector"]) == ("dead", "phi")
    assert evidence["phi"] == pytest.approx(evidence["threshold"])
    assert suspected[0].timestamp - 1_000 == pytest.approx(3, abs=0.3)


def test_who_is_not_watched_is_never_suspected(sim: ActorSystem, hear: Hear) -> None:
    suspected, beats = hear("agent.suspected_failure"), hear("agent.heartbeat")
    sim.spawn(Works, heartbeat=None)
    sim.publish("wait", {"seconds": 10_000})
    sim.advance(5_000)
    assert (suspected, beats) == ([], [])


def test_a_system_says_how_its_agents_are_watched() -> None:
    with ActorSystem(mode="simulated", heartbeat=Heartbeat(interval=2, timeout=6)) as system:
        beats: list[Event] = []
        system.subscribe("agent.heartbeat", beats.append)

        class Usual(Agent): ...

        class Unusual(Agent):
            heartbeat = Heartbeat(interval=3, timeout=9)

        system.spawn(Usual)
        system.spawn(Unusual)
        system.advance(6.5)
    assert [e.timestamp for e in beats if e.source.endswith(":usual")] == [2, 4, 6]
    assert [e.timestamp for e in beats if e.source.endswith(":unusual")] == [3, 6]


def test_suspicion_keeps_an_agent_from_being_found(
    system: ActorSystem, hear: Hear, until: Until
) -> None:
    class Able(Works):
        capabilities = ("work",)
        capacity = 5

    suspected, recovered = hear("agent.suspected_failure"), hear("agent.recovered")
    system.spawn(Able, name="able")
    until(lambda: system.find("work"))
    system.publish("wait", {"seconds": 0.6})
    until(lambda: suspected)
    until(lambda: not system.find("work", busy=True))
    until(lambda: recovered)
    until(lambda: [agent.name for agent in system.find("work")] == ["able"])


def test_suspicion_alone_stops_nothing(sim: ActorSystem, hear: Hear) -> None:
    suspected, done = hear("agent.suspected_failure"), hear("wait.done")
    sim.spawn(Works)
    sim.publish("wait", {"seconds": 1_000})
    sim.advance(2_000)
    assert len(suspected) == 1, "once, not at every look"
    assert len(done) == 1
    assert sim.dead_letters() == []


# -- nobody else is suspected -----------------------------------------------------------------


class Fails(Agent):
    heartbeat = Heartbeat(interval=30, timeout=90)

    @on("fail")
    def fail(self, event: Event) -> None:
        raise RuntimeError("as always")


class Floods(Agent):
    """Parked nearly all the time, since the one that it floods is slow."""

    heartbeat = Heartbeat(interval=30, timeout=90)

    @on("flood")
    def flood(self, event: Event) -> Any:
        for n in range(100_000):
            yield "drop", {"n": n}


class Slow(Agent):
    heartbeat = Heartbeat(interval=30, timeout=90)
    mailbox = 2

    @on("drop")
    async def swallow(self, event: Event) -> None:
        await asyncio.sleep(599)


class Blocks(Agent):
    """Waits for room in the middle of a handler: that is being parked, too."""

    heartbeat = Heartbeat(interval=30, timeout=90)

    @on("block")
    def block(self, event: Event) -> None:
        for n in range(1_000):
            self.emit_now("drop", {"n": n})


class Idle(Agent):
    heartbeat = Heartbeat(interval=30, timeout=90, detector="phi")


class Busy(Agent):
    heartbeat = Heartbeat(interval=30, timeout=90)

    @on("busy")
    def go_on(self, event: Event) -> None:
        self.after(1.7, "busy")


class Awaits(Agent):
    heartbeat = Heartbeat(interval=30, timeout=90)

    @on("await")
    async def wait(self, event: Event) -> None:
        await asyncio.sleep(580)
        self.after(1, "await")


def hours_of_everything(hours: float, seed: int) -> tuple[list[str], dict[str, int]]:
    """Who was suspected in so many virtual hours on a slow machine, and how much was done."""
    from choreia import Retry

    suspected: list[str] = []
    with ActorSystem(mode="simulated", seed=seed) as system:
        dispatcher = system._dispatcher
        assert isinstance(dispatcher, SimulatedDispatcher)
        for agent in (Idle, Busy, Awaits, Floods, Slow, Blocks):
            system.spawn(agent)
        system.spawn(Idle, name="paused")
        retry = Retry(attempts=1_000_000, delay=500, factor=1, max_delay=500)
        system.spawn(Fails, retry=retry)
        system.subscribe(
            "agent.suspected_failure", lambda e: suspected.append(f"{e.payload['agent']} {e}")
        )
        system.wait_idle()
        dispatcher.slowness = Slowness().of(dispatcher._random, system.clock.monotonic)
        system.pause("paused")
        for type in ("busy", "await", "flood", "block", "fail"):
            system.publish(type)
        system.advance(hours * 3_600)
        done = {agent.name: agent.handled for agent in system.inspect().agents}
        states = {agent.name: agent.state for agent in system.inspect().agents}
        system.stop(drain=False)
    assert states["paused"] == "paused"
    assert states["floods"] == "parked"
    assert states["fails"] in ("backoff", "running")
    return suspected, done


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 12))]
)
def test_nobody_who_does_what_he_should_is_suspected(seed: int) -> None:
    suspected, done = hours_of_everything(25, seed)
    assert suspected == []
    assert done["busy"] > 10_000, "it was a working day"
    assert done["awaits"] > 100


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("seed", range(4))
def test_nor_in_a_thousand_hours(seed: int) -> None:
    suspected, _ = hours_of_everything(250, seed)
    assert suspected == []


# -- a supervisor that is late -----------------------------------------------------------------


def test_a_machine_that_slept_wakes_up_without_suspicion(sim: ActorSystem, hear: Hear) -> None:
    """Suspended for an hour: everything is late, and nobody is to blame."""
    suspected = hear("agent.suspected_failure")
    dispatcher = sim._dispatcher
    assert isinstance(dispatcher, SimulatedDispatcher)
    sim.spawn(Works, heartbeat=Heartbeat(interval=1, timeout=3, stuck_after=3))
    sim.advance(10)
    naps = iter([3_600.0, 0.001, 7_200.0])
    dispatcher.slowness = lambda: next(naps, 0.0)
    sim.publish("wait", {"seconds": 2})
    sim.advance(20_000)
    assert suspected == []
    dispatcher.slowness = lambda: 0.0
    crash(sim, "works")
    before = sim.clock.now()
    sim.advance(60)
    assert [event.payload["reason"] for event in suspected] == ["dead"], "it still sees"
    assert suspected[0].timestamp - before < 10


@pytest.mark.parametrize("mode", ["threads"])
def test_who_holds_the_interpreter_makes_nobody_suspected(
    system: ActorSystem, hear: Hear, until: Until
) -> None:
    """One expression that backtracks holds the lock for a second and a half, and all threads with
    it, the supervisor's too."""
    import re

    suspected, beats = hear("agent.suspected_failure"), hear("agent.heartbeat")
    spawn(system, None, heartbeat=Heartbeat(interval=0.1, timeout=0.4))
    until(lambda: len(beats) > 2)
    before = system.clock.monotonic()
    length = 20
    while system.clock.monotonic() - before < 1.5:  # longer than the timeout, on any machine
        re.match(r"(a+)+$", "a" * length + "b")
        length += 1
    seen = len(beats)
    until(lambda: len(beats) > seen + 3)
    assert suspected == []


def test_the_clock_on_the_wall_may_jump(monkeypatch: pytest.MonkeyPatch, mode: Mode) -> None:
    with ActorSystem(mode=mode) as system:
        heard: list[Event] = []
        system.subscribe("agent.suspected_failure", heard.append)
        system.spawn(Works, heartbeat=Heartbeat(interval=0.02, timeout=0.1))
        with system.listen("agent.heartbeat") as beats:
            for jump in (0.0, 86_400.0, -86_400.0):
                now = system.clock.now() + jump
                monkeypatch.setattr(system._engine.clock, "now", lambda now=now: now)
                for _ in range(8):
                    beats.next(timeout=20)
        assert heard == []


@pytest.mark.parametrize("mode", ["threads"])
def test_busy_threads_make_nobody_suspected(system: ActorSystem, hear: Hear, until: Until) -> None:
    """Thirty-two threads that compute leave everybody else a share of the lock, and late."""
    suspected, beats = hear("agent.suspected_failure"), hear("agent.heartbeat")
    for number in range(10):
        beat = Heartbeat(interval=0.5, timeout=2)
        system.spawn(lambda: Works(None), name=f"works-{number}", heartbeat=beat)
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1_000))

    threads = [threading.Thread(target=compute) for _ in range(32)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len({event.source for event in beats[10:]}) == 10)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert suspected == []


@pytest.mark.parametrize("mode", ["threads"])
def test_a_coroutine_whose_loop_is_closed_is_dead(
    system: ActorSystem, hear: Hear, until: Until
) -> None:
    suspected, recovered = hear("agent.suspected_failure"), hear("agent.recovered")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    system._dispatcher.adopt_loop(loop)
    system.spawn(lambda: Works(None), name="works", heartbeat=Heartbeat(interval=0.05, timeout=0.2))
    system.publish("wait", {"seconds": 1_000})
    until(lambda: system.inspect().agent("works").state == "awaiting")
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # that is what this is about
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    until(lambda: suspected)
    evidence: Any = suspected[0].payload["evidence"]
    assert (suspected[0].payload["reason"], evidence["how"]) == (
        "dead",
        "the event loop it awaits on is closed",
    )
    system.restart("works")
    until(lambda: recovered)
    assert [letter.reason for letter in system.dead_letters()] == ["stuck"]
    assert len(suspected) == 1


def test_who_was_about_to_end_when_all_was_held_up_is_not_stuck(
    sim: ActorSystem, hear: Hear
) -> None:
    """The look comes late, and so does the end that was due before it."""
    suspected = hear("agent.suspected_failure")
    dispatcher = sim._dispatcher
    assert isinstance(dispatcher, SimulatedDispatcher)

    class Other(Agent):
        heartbeat = None

        @on("other")
        def other(self, event: Event) -> None: ...

    sim.spawn(lambda: Works(None), name="works", heartbeat=Heartbeat(30, 90, stuck_after=100))
    sim.spawn(Other)
    sim.publish("wait", {"seconds": 99})
    sim.advance(98)
    naps = iter([10.0])
    dispatcher.slowness = lambda: next(naps, 0.0)
    sim.publish("other")
    sim.advance(100)
    assert suspected == []
    assert sim.inspect().agent("works").handled == 1
