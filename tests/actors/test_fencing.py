"""A handler that hangs loses its agent, and can do nothing more; nothing is lost or done twice."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pykka
import pytest

from choreia import (
    ActorSystem,
    Agent,
    Deadlock,
    Event,
    Heartbeat,
    UnknownAgent,
    on,
)
from choreia.actors.crashing import crash
from choreia.actors.replacing import PATIENCE

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode, Until


class Hangs(Agent):
    """Whatever `then` tries when it comes back is kept with what it raised."""

    retry = None
    tried: list[tuple[int, str, BaseException | None]]

    def __init__(self, asleep: Any, tried: list[Any], acts: dict[str, Callable[..., Any]]) -> None:
        super().__init__()
        self.asleep, self.tried, self.acts = asleep, tried, acts
        self.number = len({id(one[0]) for one in tried})
        self.count = 0

    @on("hang")
    def hang(self, event: Event) -> None:
        self.emit("never.said")
        self.asleep.ask("?")
        self._try_all()

    @on("generate")
    def generate(self, event: Event) -> Any:
        yield "said.early", {}
        self.asleep.ask("?")
        self._try_all()
        yield "said.late", {}

    @on("wait")
    async def wait(self, event: Event) -> None:
        self.emit("never.said")
        await self.emit_now_async("begun")
        try:
            await asyncio.sleep(10_000)
        finally:
            self._try_all()

    def on_receive(self, message: object) -> object:
        if message == "hang":
            self.asleep.ask("?")
            self._try_all()
        return message

    @on("count")
    def tick(self, event: Event) -> None:
        self.count += 1
        self.emit("counted", {"count": self.count})

    def _try_all(self) -> None:
        for name, act in self.acts.items():
            try:
                act(self)
            except BaseException as error:
                self.tried.append((name, error))  # type: ignore[arg-type]
            else:
                self.tried.append((name, None))  # type: ignore[arg-type]


@pytest.fixture
def tried() -> list[Any]:
    return []


def acts(system: ActorSystem) -> dict[str, Callable[[Any], Any]]:
    """Everything that an agent may ask of the runtime."""
    return {
        "emit": lambda agent: agent.emit("late"),
        "emit_now": lambda agent: agent.emit_now("late"),
        "after": lambda agent: agent.after(1, "late"),
        "cancel": lambda agent: agent.cancel("x"),
        "once": lambda agent: agent.once("x", lambda: 1),
        "alive": lambda agent: agent.alive(),
        "stop": lambda agent: agent.stop(),
        "publish": lambda agent: system.publish("late"),
        "try_publish": lambda agent: system.try_publish("late"),
        "tell": lambda agent: agent.asleep.tell("late"),
        "ask": lambda agent: agent.asleep.ask("late", block=False),
        "proxy": lambda agent: agent.asleep.proxy().name,
    }


ON_LOOP = {"emit_now", "publish"}
"""They block, and say so on a thread with a running loop before they look who calls."""


def take(system: ActorSystem, mode: str) -> None:
    """Have the time pass that `restart` gives a handler."""
    if mode == "simulated":
        system.advance(PATIENCE)


def running(system: ActorSystem, name: str = "hangs") -> bool:
    return system.inspect().agent(name).state in ("running", "awaiting")


@pytest.mark.parametrize("how", ["hang", "generate", "message"])
def test_a_fenced_handler_can_do_nothing_more(
    system: ActorSystem,
    hear: Hear,
    until: Until,
    asleep: Any,
    tried: list[Any],
    mode: Mode,
    how: str,
) -> None:
    late, said = hear("late"), hear("*.said")
    restarted, counted = hear("agent.restarted"), hear("counted")
    what = acts(system)
    ref = system.spawn(lambda: Hangs(asleep, tried, what), name="hangs")
    system.publish("count")
    if how == "message":
        ref.tell("hang")
    else:
        system.publish(how)
    until(lambda: running(system) and system.inspect().agent("asleep").mailbox_size)
    system.publish("count")  # waits in the mailbox, which stays
    system.restart("hangs")
    take(system, mode)
    until(lambda: restarted)
    until(lambda: len(counted) == 2)
    assert [event.payload["count"] for event in counted] == [1, 1], "another instance"
    assert restarted[0].payload["incarnation"] == 2
    assert restarted[0].payload["reason"] == "requested"
    assert ref.is_alive()
    assert system.ref("hangs") is ref
    [letter] = system.dead_letters()
    assert (letter.agent, letter.reason, letter.attempts) == (
        "hangs",
        "stuck",
        1 if how != "message" else 0,
    )
    if how == "message":
        assert letter.message == "hang"
    else:
        assert letter.event is not None
        assert letter.event.type == how
        assert "asleep.ask" in letter.traceback, "where it hangs"
    system.resume("asleep")
    until(lambda: len(tried) == len(what))
    assert {name: type(error).__name__ for name, error in tried} == dict.fromkeys(what, "Fenced")
    assert all("hangs" in str(error) for _, error in tried)
    assert {error.agent for _, error in tried} == {"hangs"}
    system.wait_idle(timeout=5)
    assert late == []
    assert [event.type for event in said] == (["said.early"][:0])
    assert len(system.dead_letters()) == 1
    assert system.inspect().agent("hangs").incarnation == 2


def test_a_fenced_coroutine_can_do_nothing_more(
    system: ActorSystem, hear: Hear, until: Until, asleep: Any, tried: list[Any]
) -> None:
    late, said, restarted = hear("late"), hear("never.said"), hear("agent.restarted")
    what, begun = acts(system), hear("begun")
    system.spawn(lambda: Hangs(asleep, tried, what), name="hangs")
    system.publish("wait")
    until(lambda: begun)
    system.restart("hangs")
    until(lambda: restarted)
    until(lambda: len(tried) == len(what))
    allowed = {name: "BlockingCall" if name in ON_LOOP else "Fenced" for name in what}
    assert {name: type(error).__name__ for name, error in tried} == allowed
    [letter] = system.dead_letters()
    assert (letter.reason, letter.event and letter.event.type) == ("stuck", "wait")
    system.wait_idle(timeout=5)
    assert (late, said) == ([], [])


def test_asks_that_hang_are_answered(
    system: ActorSystem, until: Until, asleep: Any, mode: Mode
) -> None:
    ref = system.spawn(lambda: Hangs(asleep, [], {}), name="hangs")
    answer = ref.ask("hang", block=False)
    until(lambda: running(system) and system.inspect().agent("asleep").mailbox_size)
    system.restart("hangs")
    take(system, mode)
    with pytest.raises(pykka.ActorDeadError, match="replaced by another instance"):
        answer.get(timeout=10)
    assert ref.ask("hello", timeout=10) == "hello"


def test_a_handler_that_ends_in_time_is_not_fenced(
    system: ActorSystem, hear: Hear, until: Until, asleep: Any, tried: list[Any]
) -> None:
    """`restart` lets a handler end that does so within a moment, and loses nothing."""
    said, restarted = hear("never.said"), hear("agent.restarted")
    system.spawn(lambda: Hangs(asleep, tried, {}), name="hangs")
    system.publish("hang")
    until(lambda: running(system) and system.inspect().agent("asleep").mailbox_size)
    system.restart("hangs")
    system.resume("asleep")
    until(lambda: restarted)
    system.wait_idle(timeout=5)
    assert len(said) == 1
    assert system.dead_letters() == []


def test_a_suspect_is_restarted_at_once(sim: ActorSystem, hear: Hear, asleep: Any) -> None:
    suspected, restarted = hear("agent.suspected_failure"), hear("agent.restarted")
    beat = Heartbeat(interval=1, timeout=3, stuck_after=2)
    sim.spawn(lambda: Hangs(asleep, [], {}), name="hangs", heartbeat=beat)
    sim.publish("hang")
    sim.advance(2)
    assert len(suspected) == 1
    sim.restart("hangs")
    sim.advance(0)
    assert [event.timestamp for event in restarted] == [2]


@pytest.mark.parametrize("how", ["hang", "wait"])
def test_replace_after_replaces_who_stays_suspected(
    system: ActorSystem, hear: Hear, until: Until, asleep: Any, tried: list[Any], how: str
) -> None:
    suspected, restarted = hear("agent.suspected_failure"), hear("agent.restarted")
    recovered, counted = hear("agent.recovered"), hear("counted")
    beat = Heartbeat(interval=0.05, timeout=0.2, stuck_after=0.2, replace_after=0.1)
    system.spawn(lambda: Hangs(asleep, tried, {}), name="hangs", heartbeat=beat)
    system.publish(how)
    system.publish("count")
    until(lambda: counted)
    until(lambda: recovered)
    assert [event.payload["reason"] for event in suspected] == ["stuck"]
    assert [event.payload["reason"] for event in restarted] == ["stuck"]
    assert recovered[0].payload["incarnation"] == 2
    assert restarted[0].timestamp - suspected[0].timestamp >= 0.09
    [letter] = system.dead_letters()
    assert (letter.reason, letter.event and letter.event.type) == ("stuck", how)


def test_replace_after_is_exact(sim: ActorSystem, hear: Hear) -> None:
    restarted = hear("agent.restarted")
    beat = Heartbeat(interval=30, timeout=90, stuck_after=40, replace_after=7)
    sim.spawn(lambda: Hangs(None, [], {}), name="hangs", heartbeat=beat)
    sim.publish("wait")
    sim.advance(46)
    assert restarted == []
    sim.advance(10)
    assert [event.timestamp for event in restarted] == [47]


def test_idleness_waits_for_a_replacement_that_will_come(sim: ActorSystem) -> None:
    class WaitsForEver(Agent):
        heartbeat = Heartbeat(interval=30, timeout=90, stuck_after=40, replace_after=7)

        @on("wait")
        async def wait(self, event: Event) -> None:
            await asyncio.Event().wait()

    sim.spawn(WaitsForEver)
    sim.publish("wait")
    sim.wait_idle()
    assert sim.clock.now() == 47
    assert sim.inspect().agent("waits-for-ever").incarnation == 2


def test_without_a_replacement_in_sight_it_is_a_deadlock(sim: ActorSystem) -> None:
    class WaitsForEver(Agent):
        @on("wait")
        async def wait(self, event: Event) -> None:
            await asyncio.Event().wait()

    sim.spawn(WaitsForEver)
    sim.publish("wait")
    with pytest.raises(Deadlock, match="waits-for-ever: awaiting in wait"):
        sim.wait_idle()


def test_the_dead_are_replaced_too(sim: ActorSystem, hear: Hear) -> None:
    counted, restarted = hear("counted"), hear("agent.restarted")
    beat = Heartbeat(interval=1, timeout=3, replace_after=1)
    sim.spawn(lambda: Hangs(None, [], {}), name="hangs", heartbeat=beat)
    crash(sim, "hangs")
    sim.publish("count")
    sim.advance(10)
    assert [event.payload["reason"] for event in restarted] == ["dead"]
    assert len(counted) == 1


def test_what_a_dead_agent_had_in_hand_is_a_dead_letter(sim: ActorSystem) -> None:
    sim.spawn(lambda: Hangs(None, [], {}), name="hangs", heartbeat=None)
    sim.publish("wait")
    sim.advance(1)
    crash(sim, "hangs")
    sim.advance(1)
    sim.restart("hangs")
    sim.wait_idle()
    assert [
        (letter.reason, letter.event and letter.event.type) for letter in sim.dead_letters()
    ] == [("stuck", "wait")]


def test_timers_outlive_a_restart(sim: ActorSystem, hear: Hear) -> None:
    class Sets(Agent):
        @on("set")
        def set(self, event: Event) -> None:
            self.after(10, "due", key="the one")

        @on("unset")
        def unset(self, event: Event) -> None:
            self.cancel("the one")

    due = hear("due")
    sim.spawn(Sets)
    sim.publish("set")
    sim.wait_idle()
    sim.restart("sets")
    sim.advance(11)
    assert len(due) == 1
    sim.publish("set")
    sim.wait_idle()
    sim.restart("sets")
    sim.publish("unset")
    sim.advance(11)
    assert len(due) == 1, "a key means the same timer to the next instance"


def test_a_restarted_agent_starts_and_its_predecessor_stops(
    system: ActorSystem, hear: Hear, until: Until
) -> None:
    said: list[str] = []

    class Speaks(Agent):
        async def on_start(self) -> None:  # type: ignore[override]
            await asyncio.sleep(0)
            said.append("start")

        async def on_stop(self) -> None:  # type: ignore[override]
            await asyncio.sleep(0)
            said.append("stop")

    online = hear("agent.online")
    system.spawn(Speaks)
    until(lambda: online)
    system.restart("speaks")
    until(lambda: len(online) == 2)
    assert said == ["start", "stop", "start"]
    assert [event.payload["incarnation"] for event in online] == [1, 2]


def test_attributes_in_topics_may_be_others(system: ActorSystem, hear: Hear) -> None:
    numbers = iter((1, 2))

    class Numbered(Agent):
        def __init__(self) -> None:
            super().__init__()
            self.number = next(numbers)

        @on("number.{number}")
        def heard(self, event: Event) -> None:
            self.emit("heard", {"type": event.type})

    heard = hear("heard")
    system.spawn(Numbered)
    system.publish("number.1")
    system.wait_idle(timeout=5)
    system.restart("numbered")
    system.wait_idle(timeout=5)
    system.publish("number.1")
    system.publish("number.2")
    system.wait_idle(timeout=5)
    assert [event.payload["type"] for event in heard] == ["number.1", "number.2"]


def test_another_class_may_take_over(system: ActorSystem, hear: Hear) -> None:
    class Second(Agent):
        @on("second")
        def heard(self, event: Event) -> None:
            self.emit("heard", {"by": "second"})

    class First(Agent):
        @on("first")
        def heard(self, event: Event) -> None:
            self.emit("heard", {"by": "first"})

    made = iter((First, Second))

    def factory() -> Agent:
        return next(made)()

    heard = hear("heard")
    system.spawn(factory, name="either")
    system.restart("either")
    system.wait_idle(timeout=5)
    system.publish("first")
    system.publish("second")
    system.wait_idle(timeout=5)
    assert [event.payload["by"] for event in heard] == ["second"]


def test_a_factory_that_makes_no_new_one_is_the_end(system: ActorSystem, hear: Hear) -> None:
    kept: list[Agent] = []

    def factory() -> Agent:
        kept.append(kept[0] if kept else Hangs(None, [], {}))
        return kept[0]

    failed = hear("agent.failed")
    ref = system.spawn(factory, name="hangs")
    system.restart("hangs")
    system.wait_idle(timeout=5)
    assert not ref.is_alive()
    assert "did not make a new agent when it was called again" in str(failed[0].payload["error"])


def test_subscriptions_restart_too(system: ActorSystem) -> None:
    heard: list[Event] = []
    system.subscribe("x", heard.append, name="ear")
    system.restart("ear")
    system.publish("x")
    system.wait_idle(timeout=5)
    assert len(heard) == 1


def test_a_paused_agent_stays_paused(system: ActorSystem, hear: Hear) -> None:
    counted = hear("counted")
    system.spawn(lambda: Hangs(None, [], {}), name="hangs")
    system.pause("hangs")
    system.restart("hangs")
    system.publish("count")
    with pytest.raises((TimeoutError, RuntimeError)):
        system.wait_idle(timeout=0.05)
    assert counted == []
    system.resume("hangs")
    system.wait_idle(timeout=5)
    assert len(counted) == 1


def test_a_parked_agent_leaves_what_it_said_in_line(sim: ActorSystem, hear: Hear) -> None:
    class Says(Agent):
        @on("say")
        def say(self, event: Event) -> None:
            for n in range(5):
                self.emit("word", {"n": n})

    class Listens(Agent):
        mailbox = 1
        heard: list[Any] = []  # noqa: RUF012

        @on("word")
        def listen(self, event: Event) -> None:
            self.heard.append(event.payload["n"])

    sim.spawn(Says)
    sim.spawn(Listens)
    sim.pause("listens")
    sim.publish("say")
    sim.advance(1)
    assert sim.inspect().agent("says").state == "parked"
    sim.restart("says")
    sim.advance(1)
    assert sim.inspect().agent("says").incarnation == 2
    sim.resume("listens")
    sim.wait_idle()
    assert Listens.heard == [0, 1, 2, 3, 4]
    assert sim.dead_letters() == []


def test_a_hung_agent_can_be_killed(
    system: ActorSystem, until: Until, asleep: Any, mode: Mode
) -> None:
    ref = system.spawn(lambda: Hangs(asleep, [], {}), name="hangs")
    system.publish("hang")
    until(lambda: running(system) and system.inspect().agent("asleep").mailbox_size)
    system.publish("count")
    system.kill("hangs")
    take(system, mode)
    until(lambda: not ref.is_alive())
    reasons = sorted(letter.reason for letter in system.dead_letters())
    assert reasons == ["killed", "stuck"]
    with pytest.raises(UnknownAgent):
        system.restart("hangs")


def test_a_dead_agent_can_be_killed(system: ActorSystem, until: Until) -> None:
    ref = system.spawn(lambda: Hangs(None, [], {}), name="hangs")
    crash(system, "hangs")
    until(lambda: system.inspect().agent("hangs").state == "dead")
    system.kill("hangs")
    until(lambda: not ref.is_alive())
    system.wait_idle(timeout=5)


def test_an_agent_that_is_being_made_cannot_speak_for_its_predecessor(
    system: ActorSystem, hear: Hear
) -> None:
    said = hear("said")
    errors: list[BaseException] = []

    class Eager(Agent):
        def __init__(self) -> None:
            super().__init__()
            try:
                self.emit("said")
            except BaseException as error:
                errors.append(error)

    system.spawn(Eager)
    system.restart("eager")
    system.wait_idle(timeout=5)
    assert [type(error).__name__ for error in errors] == ["OutsideTurn", "OutsideTurn"]
    assert said == []


# -- under threads that take turns every few steps ------------------------------------------------


@pytest.mark.parametrize("mode", ["threads"])
def test_either_it_was_handled_or_it_was_fenced(mode: Mode) -> None:
    """A handler comes back at the very moment that its agent is taken from it, many times over."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    outcomes: list[str] = []
    try:
        outcomes += [_race() for _ in range(60)]
    finally:
        sys.setswitchinterval(before)
    assert set(outcomes) <= {"handled", "stuck"}


def _race() -> str:
    gate, begun = threading.Event(), threading.Event()

    class Races(Agent):
        retry = None

        @on("go")
        def go(self, event: Event) -> None:
            self.emit("done", {"n": 0})
            begun.set()
            gate.wait(10)

        @on("count")
        def count(self, event: Event) -> None:
            self.emit("done", event.payload)

    done: list[Any] = []
    with ActorSystem(workers=2) as system:
        system.subscribe("done", lambda event: done.append(event.payload["n"]))
        system.spawn(Races)
        system.publish("go", {"n": 0})
        assert begun.wait(10)
        for n in range(1, 20):
            system.publish("count", {"n": n})
        cell = system._roster.cell("races")
        let_go = threading.Thread(target=gate.set)
        let_go.start()
        # It may come too late for the first, and take the agent from one of the others.
        system._replacer.restart(cell, "test", at_once=True, automatic=False)
        let_go.join()
        system.wait_idle(timeout=20)
        letters: list[Any] = [one.event and one.event.payload["n"] for one in system.dead_letters()]
        assert {letter.reason for letter in system.dead_letters()} <= {"stuck"}
        assert len(letters) <= 1
        assert sorted([*done, *letters]) == list(range(20)), "each is one of the two"
        assert done == sorted(done), "in order"
        assert system.inspect().agent("races").incarnation == 2
    return "stuck" if letters else "handled"
