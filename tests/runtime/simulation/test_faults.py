"""Faults that are part of a simulation, and so a function of its seed."""

from __future__ import annotations

from collections import Counter
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from choreia import ActorSystem, Agent, Deadlock, Event, MemoryStore, on
from choreia.actors.crashing import crash
from choreia.runtime.simulation.dispatcher import SimulatedDispatcher
from choreia.runtime.simulation.faults import Slowness, Unreliable, restore, withhold

if TYPE_CHECKING:
    from tests.runtime.simulation.conftest import Simulate


class Counts(Agent):
    @on("count")
    def count(self, event: Event) -> None:
        self.emit("counted")


def dispatcher_of(system: ActorSystem) -> SimulatedDispatcher:
    dispatcher = system._dispatcher
    assert isinstance(dispatcher, SimulatedDispatcher)
    return dispatcher


# -- crash --------------------------------------------------------------------------------------


def test_a_crashed_agent_keeps_its_mailbox_and_handles_nothing(system: ActorSystem) -> None:
    system.spawn(Counts)
    crash(system, "counts")
    for _ in range(3):
        system.publish("count")
    system.advance(10)
    view = system.inspect().agent("counts")
    assert (view.state, view.mailbox_size, view.handled) == ("dead", 3, 0)
    with pytest.raises(Deadlock, match="counts: dead, 3 queued"):
        system.wait_idle()
    system.restart("counts")
    system.wait_idle()
    view = system.inspect().agent("counts")
    assert (view.state, view.mailbox_size, view.handled) == ("idle", 0, 3)


def test_a_crash_comes_before_what_waits(system: ActorSystem) -> None:
    system.spawn(Counts)
    system.publish("count")
    crash(system, "counts")
    system.advance(1)
    assert system.inspect().agent("counts").handled == 0


def test_a_system_with_a_dead_agent_stops_and_loses_nothing(system: ActorSystem) -> None:
    system.spawn(Counts)
    crash(system, "counts")
    system.publish("count")
    system.advance(1)
    system.stop(timeout=1)
    assert [letter.reason for letter in system.dead_letters()] == ["stopped"]


# -- withhold -----------------------------------------------------------------------------------


def test_whoever_is_withheld_gets_no_turn_until_restored(system: ActorSystem) -> None:
    system.spawn(Counts)
    system.spawn(Counts, name="other")
    cell = system._roster.cell("counts")
    withhold(dispatcher_of(system), cell)
    system.publish("count")
    system.advance(100)
    assert system.inspect().agent("counts").handled == 0
    assert system.inspect().agent("other").handled == 1
    restore(dispatcher_of(system), cell)
    system.wait_idle()
    assert system.inspect().agent("counts").handled == 1


# -- slowness -----------------------------------------------------------------------------------


def test_turns_take_time(system: ActorSystem) -> None:
    system.spawn(Counts)
    system.wait_idle()
    dispatcher_of(system).slowness = lambda: 2.0
    system.publish("count")
    system.wait_idle()
    assert system.clock.now() == 4, "one for the event, one to see that there is no other"
    dispatcher_of(system).slowness = None
    system.publish("count")
    system.wait_idle()
    assert system.clock.now() == 4


def test_timers_are_late_on_a_slow_machine(system: ActorSystem) -> None:
    system.wait_idle()
    fired: list[float] = []
    clock = system.clock
    clock.call_later(1, lambda: fired.append(clock.monotonic()))
    system.spawn(Counts)
    dispatcher_of(system).slowness = lambda: 5.0
    system.publish("count")
    system.wait_idle()
    assert fired == [5.0]


def draws(slowness: Slowness, count: int, seed: int = 1) -> list[float]:
    now = 0.0
    draw = slowness.of(Random(seed), lambda: now)
    drawn: list[float] = []
    for _ in range(count):
        drawn.append(draw())
        now += drawn[-1] + 1.0
    return drawn


def test_most_turns_are_short_and_some_are_pauses() -> None:
    slowness = Slowness(median=0.005, pause_every=600, shortest=0.3, longest=10)
    drawn = draws(slowness, 100_000)
    pauses = [one for one in drawn if one >= 0.3]
    assert median(drawn) == pytest.approx(0.005, rel=0.05)
    assert len(pauses) == pytest.approx(100_000 / 600, rel=0.25), "six an hour"
    assert max(pauses) <= 10
    assert median(pauses) == pytest.approx(0.3 * 2 ** (1 / 1.5), rel=0.25), "of a Pareto"


def test_they_are_drawn_from_the_seed() -> None:
    assert draws(Slowness(), 1_000, seed=3) == draws(Slowness(), 1_000, seed=3)
    assert draws(Slowness(), 1_000, seed=3) != draws(Slowness(), 1_000, seed=4)


# -- nothing to see -------------------------------------------------------------------------------


def test_time_in_which_nothing_happens_takes_none(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens to the heartbeats of idle agents: thirty years are one look, not millions."""
    from choreia.runtime.health.supervision import Supervision

    looks: Counter[str] = Counter()
    original: Any = Supervision._look

    def look(self: Any, watch: Any, **options: Any) -> None:
        looks[watch.cell.name] += 1
        original(self, watch, **options)

    monkeypatch.setattr(Supervision, "_look", look)
    system = simulate()
    system.spawn(Counts)
    system.wait_idle()
    system.advance(1e9)
    assert system.clock.now() == 1e9
    assert looks["counts"] <= 2
    system.subscribe("agent.heartbeat", lambda event: None)
    system.advance(300)
    assert looks["counts"] >= 10


# -- what a network would do --------------------------------------------------------------------


@pytest.mark.parametrize("store", [True, False])
def test_what_comes_twice_comes_twice(store: bool) -> None:
    heard: list[str] = []
    log = MemoryStore() if store else None
    with ActorSystem(mode="simulated", store=log, heartbeat=None) as system:
        for number in range(2):
            system.subscribe("go", lambda event: heard.append(event.id), name=f"ear-{number}")
        system.wait_idle()
        Unreliable(double=1).begin(system._engine)
        event = system.publish("go")
        system.wait_idle()
        assert heard == [event.id] * 4


def test_it_does_so_where_a_publisher_waits_for_room(system: ActorSystem) -> None:
    heard: list[str] = []
    system.subscribe("go", lambda event: heard.append(event.id), mailbox=1)
    system.wait_idle()
    Unreliable(double=1).begin(system._engine)
    ids = [system.publish("go").id for _ in range(3)]
    system.wait_idle()
    assert heard == [id for id in ids for _ in range(2)]


def test_what_is_lost_is_lost_however_often_it_is_asked_for(system: ActorSystem) -> None:
    heard: list[str] = []
    system.subscribe("go", lambda event: heard.append(event.id), name="ear")
    system.wait_idle()
    Unreliable(lose=0.5, seed=4).begin(system._engine)
    ids = [system.publish("go").id for _ in range(60)]
    system.wait_idle()
    lost = [id for id in ids if Random(f"4 {id} ear").random() < 0.5]
    assert 10 < len(lost) < 50
    assert heard == [id for id in ids if id not in lost]
    cases = system._engine.cases
    assert cases is not None
    assert [event.id for _, event, why in cases.losses() if why == "lost"] == lost


def test_what_the_runtime_says_is_spared(system: ActorSystem) -> None:
    heard: list[str] = []
    system.subscribe("agent.*", lambda event: heard.append(event.type))
    system.wait_idle()
    Unreliable(lose=1).begin(system._engine)
    system.spawn(Counts)
    system.wait_idle()
    assert heard == ["agent.initialized", "agent.started", "agent.online"]
