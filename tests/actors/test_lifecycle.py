"""An agent's life: started, announced, paused, resumed, stopped, killed; and what is said of it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pykka
import pytest

from choreia import ActorSystem, Agent, Event, OutsideTurn, Retry, UnknownAgent, on

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode, Until


class Takes(Agent):
    capabilities = ("take", "give")
    specializations = ("tea",)
    capacity = 3

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    @on("x")
    def take(self, event: Event) -> None:
        self.seen.append(event.payload.get("n"))

    def on_receive(self, message: object) -> object:
        self.seen.append(message)
        return message


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events]


# -- what is said ---------------------------------------------------------------------------------


def test_a_whole_life_is_told_in_the_words_of_the_seed(system: ActorSystem, hear: Hear) -> None:
    said = hear("agent.*")
    ref = system.spawn(Takes, name="taker")
    system.wait_idle(5)
    system.pause("taker")
    system.wait_idle(5)
    system.resume("taker")
    system.wait_idle(5)
    ref.stop(timeout=5)
    system.wait_idle(5)
    abilities = {"capabilities": ["take", "give"], "capacity": 3, "specializations": ["tea"]}
    assert [(event.type, event.payload) for event in said] == [
        ("agent.initialized", {"agent": "taker", "class": "Takes", **abilities}),
        ("agent.started", {"agent": "taker"}),
        (
            "agent.online",
            {**abilities, "name": "taker", "node": "local", "incarnation": 1},
        ),
        ("agent.paused", {"agent": "taker"}),
        ("agent.resumed", {"agent": "taker"}),
        ("agent.offline", {"agent": "taker", "reason": "stopped"}),
        ("agent.stopped", {"agent": "taker", "reason": "stopped"}),
    ]
    assert {event.source for event in said} == {ref.id}
    for event in said:
        assert event.metadata.correlation_id == event.id
        assert event.metadata.hops == 0


def test_pausing_twice_is_said_once_and_so_is_resuming(system: ActorSystem, hear: Hear) -> None:
    said = hear("agent.#")
    system.spawn(Takes, name="taker")
    for act in (system.resume, system.pause, system.pause, system.resume, system.resume):
        act("taker")
        system.wait_idle(5)
    assert types(said)[3:] == ["agent.paused", "agent.resumed"]


def test_a_killed_agent_says_so(system: ActorSystem, hear: Hear) -> None:
    said = hear("agent.#")
    system.spawn(Takes, name="taker")
    system.kill("taker")
    system.wait_idle(5)
    assert [(event.type, event.payload.get("reason")) for event in said][3:] == [
        ("agent.offline", "killed"),
        ("agent.stopped", "killed"),
    ]


def test_subscriptions_and_the_registry_come_and_go_without_a_word(
    system: ActorSystem, hear: Hear
) -> None:
    said = hear("#")
    system.subscribe("x", print).cancel()
    system.wait_idle(5)
    assert said == []


def test_the_end_of_the_system_is_said_before_anybody_goes(mode: Mode) -> None:
    said: list[str] = []

    class Hears(Agent):
        @on("system.shutdown")
        def shut_down(self, event: Event) -> None:
            said.append(f"{event.type} {event.source} {event.payload['drain']}")
            self.emit("last.will")

        @on("last.will")
        def write(self, event: Event) -> None:
            said.append(event.type)

    with ActorSystem(mode=mode) as system:
        system.subscribe("agent.offline", lambda event: said.append(event.type))
        system.spawn(Hears)
    assert said == ["system.shutdown did:choreia:local:system True", "last.will", "agent.offline"]


# -- starting -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
def test_on_start_comes_before_any_event_and_before_agent_started(
    system: ActorSystem, hear: Hear, is_async: bool
) -> None:
    order: list[str] = []

    class Starts(Agent):
        def on_start(self) -> Any:
            system.publish("x")
            order.append("on_start")
            self.emit("said.in.on_start")

        @on("x")
        def take(self, event: Event) -> None:
            order.append("x")

    class StartsAwaiting(Starts):
        async def on_start(self) -> Any:  # type: ignore[override]
            await system.publish_async("x")
            await asyncio.sleep(0)
            order.append("on_start")
            self.emit("said.in.on_start")

    said = hear("#")
    system.spawn(StartsAwaiting if is_async else Starts, name="starts")
    system.publish("x")
    system.wait_idle(5)
    assert order == ["on_start", "x", "x"]
    interesting = [t for t in types(said) if t.startswith(("agent.", "said."))]
    assert interesting == [
        "agent.initialized", "said.in.on_start", "agent.started", "agent.online",
    ]  # fmt: skip


@pytest.mark.parametrize("is_async", [False, True])
def test_an_on_start_that_raises_stops_the_agent_and_buries_its_queue(
    system: ActorSystem,
    mode: Mode,
    hear: Hear,
    is_async: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    go_on = threading.Event()

    class Fails(Takes):
        def on_start(self) -> Any:
            self.emit("never.said")
            self.after(0, "never.said")
            if mode == "threads":
                go_on.wait(10)
            raise ValueError("no database")

    class FailsAwaiting(Takes):
        async def on_start(self) -> Any:  # type: ignore[override]
            self.emit("never.said")
            if mode == "threads":
                await asyncio.to_thread(go_on.wait, 10)
            raise ValueError("no database")

    said = hear("#")
    ref = system.spawn(FailsAwaiting if is_async else Fails, name="fails")
    event = system.publish("x", {"n": 1})
    ref.tell("told")
    asked = ref.ask("asked", block=False)
    stopped = ref.stop(block=False)
    go_on.set()
    system.wait_idle(5)
    lifecycle = [(e.type, e.payload) for e in said if e.type.startswith("agent.")]
    assert [type for type, _ in lifecycle] == [
        "agent.initialized", "agent.failed", "agent.offline", "agent.stopped",
    ]  # fmt: skip
    assert lifecycle[1][1] == {"agent": "fails", "error": "ValueError: no database"}
    assert "never.said" not in types(said)
    letters = system.dead_letters()
    assert [(letter.event, letter.message, letter.reason) for letter in letters] == [
        (event, None, "stopped"),
        (None, "told", "stopped"),
    ]
    with pytest.raises(pykka.ActorDeadError):
        asked.get(timeout=5)
    assert stopped.get(timeout=5) in (True, False)
    assert not ref.is_alive()
    with pytest.raises(UnknownAgent):
        system.ref("fails")
    assert "on_start failed; the agent stops" in caplog.text
    assert "no database" in caplog.text
    assert system.find("take") == []


def test_its_name_is_free_again(system: ActorSystem) -> None:
    class Fails(Agent):
        def on_start(self) -> None:
            raise ValueError

    system.spawn(Fails, name="a")
    system.wait_idle(5)
    assert system.spawn(Takes, name="a").ask("hello", timeout=5) == "hello"


# -- stopping -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
def test_on_stop_is_its_last_turn_and_may_still_speak(
    system: ActorSystem, hear: Hear, is_async: bool
) -> None:
    order: list[str] = []

    class Stops(Takes):
        def on_stop(self) -> Any:
            order.append(f"on_stop after {self.seen}")
            self.emit("last.words")

    class StopsAwaiting(Takes):
        async def on_stop(self) -> Any:  # type: ignore[override]
            await asyncio.sleep(0)
            order.append(f"on_stop after {self.seen}")
            await self.emit_now_async("last.words")

    said = hear("#")
    ref = system.spawn(StopsAwaiting if is_async else Stops)
    system.publish("x", {"n": 1})
    ref.tell(2)
    assert ref.stop(timeout=5) is True
    system.wait_idle(5)
    assert order == ["on_stop after [1, 2]"]
    assert types(said)[-3:] == ["last.words", "agent.offline", "agent.stopped"]


def test_an_agent_may_stop_itself_and_finishes_what_is_queued(system: ActorSystem) -> None:
    class Stops(Takes):
        @on("enough")
        def enough(self, event: Event) -> None:
            self.stop()
            self.seen.append("asked to stop")

    seen: list[Any] = []

    def make() -> Stops:
        agent = Stops()
        agent.seen = seen
        return agent

    ref = system.spawn(make, name="stops")
    system.pause("stops")
    system.wait_idle(5)
    for type in ("x", "enough", "x"):
        system.publish(type, {"n": type})
    system.resume("stops")
    system.wait_idle(5)
    assert seen == ["x", "asked to stop", "x"]
    assert not ref.is_alive()
    system.publish("x", {"n": "too late"})
    system.wait_idle(5)
    assert len(seen) == 3
    assert system.dead_letters() == []


def test_a_stopped_agent_is_out_of_routing_and_of_the_lists(system: ActorSystem) -> None:
    ref = system.spawn(Takes, name="taker")
    ref.stop(timeout=5)
    assert "taker" not in {agent.name for agent in system.inspect().agents}
    for use in (system.ref, system.pause, system.resume, system.kill):
        with pytest.raises(UnknownAgent, match="no agent named 'taker' is alive; there are: ") as e:
            use("taker")
        assert e.value.name == "taker"
    system.publish("x")
    system.wait_idle(5)
    assert system.dead_letters() == []


def test_its_name_may_be_used_again_and_the_old_ref_stays_dead(system: ActorSystem) -> None:
    old = system.spawn(Takes, name="taker")
    old.stop(timeout=5)
    new = system.spawn(Takes, name="taker")
    assert system.ref("taker") is new
    assert not old.is_alive()
    with pytest.raises(pykka.ActorDeadError):
        old.tell("x")
    assert new.ask("x", timeout=5) == "x"


# -- pausing --------------------------------------------------------------------------------------


def test_a_paused_agent_takes_nothing_until_resumed_and_loses_nothing(system: ActorSystem) -> None:
    ref = system.spawn(Takes, name="taker")
    system.pause("taker")
    system.wait_idle(5)
    assert system.inspect().agent("taker").state == "paused"
    for n in range(3):
        system.publish("x", {"n": n})
    ref.tell("told")
    asked = ref.ask("asked", block=False)
    with pytest.raises(pykka.Timeout):
        asked.get(timeout=0.01)
    assert system.inspect().agent("taker").mailbox_size == 5
    system.resume("taker")
    assert asked.get(timeout=5) == "asked"
    system.wait_idle(5)
    assert ref.proxy().seen.get(timeout=5) == [0, 1, 2, "told", "asked"]


def test_pausing_lets_what_is_in_hand_finish(system: ActorSystem, until: Until) -> None:
    class Works(Takes):
        @on("long")
        async def long(self, event: Event) -> None:
            system.pause("works")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            self.seen.append("long")

    ref = system.spawn(Works)
    system.publish("long")
    until(lambda: system.inspect().agent("works").state == "paused")
    system.publish("x", {"n": 1})
    system.resume("works")
    system.wait_idle(5)
    assert ref.proxy().seen.get(timeout=5) == ["long", 1]


def test_pause_and_resume_from_a_handler(system: ActorSystem) -> None:
    class Switches(Agent):
        @on("switch")
        def switch(self, event: Event) -> None:
            (system.pause if event.payload["off"] else system.resume)("taker")

    ref = system.spawn(Takes, name="taker")
    system.spawn(Switches)
    system.publish("switch", {"off": True})
    system.wait_idle(5)
    system.publish("x", {"n": 1})
    system.publish("switch", {"off": False})
    system.wait_idle(5)
    assert ref.proxy().seen.get(timeout=5) == [1]


# -- killing --------------------------------------------------------------------------------------


def test_a_killed_agents_queue_becomes_dead_letters_and_its_asks_fail(system: ActorSystem) -> None:
    ref = system.spawn(Takes, name="taker")
    system.pause("taker")
    system.wait_idle(5)
    events = [system.publish("x", {"n": n}) for n in range(2)]
    ref.tell("told")
    asked, stopped = ref.ask("asked", block=False), ref.stop(block=False)
    system.kill("taker")
    system.wait_idle(5)
    with pytest.raises(pykka.ActorDeadError, match="'taker'"):
        asked.get(timeout=5)
    assert stopped.get(timeout=5) is True
    letters = system.dead_letters()
    assert [letter.event for letter in letters] == [*events, None]
    assert letters[2].message == "told"
    assert {(letter.reason, letter.attempts, letter.agent) for letter in letters} == {
        ("killed", 0, "taker")
    }
    assert not ref.is_alive()


def test_kill_does_not_call_on_stop(system: ActorSystem) -> None:
    called: list[str] = []

    class Stops(Agent):
        def on_stop(self) -> None:
            called.append("on_stop")

    system.spawn(Stops, name="stops")
    system.kill("stops")
    system.wait_idle(5)
    assert called == []


@pytest.mark.parametrize("how", ["awaiting", "backoff"])
def test_the_event_in_hand_of_a_killed_agent_is_a_dead_letter(
    system: ActorSystem, how: str, until: Until
) -> None:
    begun: list[str] = []
    cancelled: list[str] = []

    class Hangs(Agent):
        retry = Retry(attempts=2, delay=3_600, max_delay=3_600)

        @on("awaiting")
        async def wait(self, event: Event) -> None:
            begun.append("awaiting")
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append("yes")
                with pytest.raises(OutsideTurn):
                    self.emit("too.late")
                raise

        @on("backoff")
        def fail(self, event: Event) -> None:
            begun.append("backoff")
            raise ValueError

    system.spawn(Hangs, name="hangs")
    event = system.publish(how)
    until(lambda: begun and system.inspect().agent("hangs").state == how)
    system.kill("hangs")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    assert (letter.event, letter.reason, letter.attempts) == (event, "killed", 1)
    if how == "awaiting":
        until(lambda: cancelled)
        assert cancelled == ["yes"]


@pytest.mark.parametrize("how", ["message", "awaiting", "backoff", "leaving", "on_stop"])
def test_whoever_asked_a_killed_agent_is_told_and_not_left_waiting(
    system: ActorSystem, how: str, until: Until
) -> None:
    class Hangs(Agent):
        retry = Retry(attempts=2, delay=3_600, max_delay=3_600)

        async def on_receive(self, message: object) -> None:
            await asyncio.Event().wait()

        @on("awaiting")
        async def wait(self, event: Event) -> None:
            await asyncio.Event().wait()

        @on("backoff")
        def fail(self, event: Event) -> None:
            raise ValueError

        @on("leaving")
        def feed(self, event: Event) -> None:
            self.emit("x")
            self.emit("x")

        async def on_stop(self) -> None:  # type: ignore[override]
            await asyncio.Event().wait()

    system.spawn(Takes, name="full", mailbox=1)
    system.pause("full")
    ref = system.spawn(Hangs, name="hangs")
    system.wait_idle(5)
    if how == "on_stop":
        asked = ref.stop(block=False)
    else:
        message = "hello" if how == "message" else Event(how, "me")
        asked = ref.ask(message, block=False)
    state = {"backoff": "backoff", "leaving": "parked"}.get(how, "awaiting")
    until(lambda: system.inspect().agent("hangs").state == state)
    system.kill("hangs")
    if how == "on_stop":
        assert asked.get(timeout=5) is True
    else:
        with pytest.raises(pykka.ActorDeadError):
            asked.get(timeout=5)
    assert not ref.is_alive()


def test_a_told_message_in_the_hands_of_a_killed_agent_is_a_dead_letter(
    system: ActorSystem, until: Until
) -> None:
    class Hangs(Agent):
        async def on_receive(self, message: object) -> None:
            await asyncio.Event().wait()

    ref = system.spawn(Hangs, name="hangs")
    ref.tell("hello")
    until(lambda: system.inspect().agent("hangs").state == "awaiting")
    system.kill("hangs")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    assert (letter.message, letter.reason, letter.attempts) == ("hello", "killed", 1)


def test_an_event_whose_effects_are_leaving_is_handled_and_not_buried(
    system: ActorSystem, until: Until
) -> None:
    """Some have arrived: handling it again would send those a second time."""

    class Feeds(Agent):
        @on("feed")
        def feed(self, event: Event) -> None:
            for n in range(5):
                self.emit("x", {"n": n})

        @on("feed.slowly")
        async def feed_slowly(self, event: Event) -> None:
            self.feed(event)

    full = system.spawn(Takes, name="full", mailbox=1)
    for name, topic in (("one", "feed"), ("two", "feed.slowly")):
        system.spawn(Feeds, name=name)
        system.pause("full")
        system.wait_idle(5)
        system.ref(name).tell(Event(topic, "me", id=topic))
        until(lambda name=name: system.inspect().agent(name).state == "parked")
        assert system.inspect().agent(name).handled == 1
        system.kill(name)
        until(lambda name=name: name not in {a.name for a in system.inspect().agents})
        system.resume("full")
        system.wait_idle(5)
    dead = [letter.event.payload["n"] for letter in system.dead_letters() if letter.event]
    seen = full.proxy().seen.get(timeout=5)
    assert sorted(dead + seen) == sorted([*range(5), *range(5)])
    assert seen[0] == 0, "one had room at once"


def test_an_agent_that_kills_itself_has_handled_its_event(system: ActorSystem, hear: Hear) -> None:
    class Kills(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            system.kill("kills")
            self.emit("last.words")

    said = hear("last.words")
    system.spawn(Kills)
    system.publish("go")
    system.wait_idle(5)
    assert len(said) == 1
    assert system.dead_letters() == [], "the event was handled, and is not buried as well"


def test_kill_frees_those_who_are_parked_at_its_mailbox(system: ActorSystem, until: Until) -> None:
    class Feeds(Agent):
        @on("feed")
        def feed(self, event: Event) -> None:
            for n in range(5):
                self.emit("x", {"n": n})

        def on_receive(self, message: object) -> object:
            return message

    system.spawn(Takes, name="full", mailbox=1)
    feeds = system.spawn(Feeds)
    system.pause("full")
    system.wait_idle(5)
    system.publish("feed")
    until(lambda: system.inspect().agent("feeds").state == "parked")
    system.kill("full")
    assert feeds.ask("free?", timeout=5) == "free?"
    system.wait_idle(5)
    letters = [letter for letter in system.dead_letters() if letter.agent == "full"]
    assert len(letters) == 5, "each is accounted for"


def test_killing_twice_is_an_error_by_name_or_nothing(system: ActorSystem) -> None:
    system.spawn(Takes, name="taker")
    system.kill("taker")
    with suppress(UnknownAgent):
        system.kill("taker")
    system.wait_idle(5)
    with pytest.raises(UnknownAgent):
        system.kill("taker")
