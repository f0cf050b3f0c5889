"""`spawn`: from a factory to an agent with a name, a mailbox and handlers."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pykka
import pytest

from choreia import (
    ActorSystem,
    Agent,
    CaseLimits,
    DuplicateName,
    Event,
    InvalidAgent,
    Retry,
    SystemStopped,
    UnknownAgent,
    on,
)

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode


class OrderBook(Agent):
    def __init__(self, stock: int = 0) -> None:
        super().__init__()
        self.stock = stock

    @on("x")
    def take(self, event: Event) -> None:
        self.stock += 1


# -- factories ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factory", "stock"),
    [(OrderBook, 0), (lambda: OrderBook(3), 3), (partial(OrderBook, 4), 4)],
)
def test_a_factory_is_a_class_or_anything_that_makes_an_agent(
    system: ActorSystem, factory: Any, stock: int
) -> None:
    ref = system.spawn(factory)
    assert isinstance(ref, pykka.ActorRef)
    assert ref.is_alive()
    assert ref.proxy().stock.get(timeout=5) == stock


def test_a_factory_may_spawn_others_first(system: ActorSystem) -> None:
    def make() -> OrderBook:
        system.spawn(OrderBook, name="helper")
        return OrderBook(5)

    assert system.spawn(make, name="main").proxy().stock.get(timeout=5) == 5
    assert system.ref("helper").proxy().stock.get(timeout=5) == 0


def test_an_agent_may_spawn_others_in_a_handler(system: ActorSystem, hear: Hear) -> None:
    class Parent(Agent):
        @on("grow")
        def grow(self, event: Event) -> None:
            system.spawn(OrderBook, name="child")

        @on("grow.async")
        async def grow_async(self, event: Event) -> None:
            await asyncio.sleep(0)
            system.spawn(OrderBook, name="another")

    heard = hear("agent.online")
    system.spawn(Parent)
    system.publish("grow")
    system.publish("grow.async")
    system.wait_idle(5)
    assert system.ref("child").is_alive()
    assert system.ref("another").is_alive()
    assert len(heard) == 3


@pytest.mark.parametrize(
    ("factory", "says"),
    [
        (5, "spawn was given 5: give it the class, or a function without arguments"),
        ("order-book", "spawn was given 'order-book'"),
        (lambda: 5, "made a int, which is no Agent"),
        (dict, "made a dict, which is no Agent"),
        (lambda: None, "made a NoneType, which is no Agent"),
        (pykka.ThreadingActor, "made a ThreadingActor, which is no Agent"),
    ],
)
def test_what_makes_no_agent_is_refused(system: ActorSystem, factory: Any, says: str) -> None:
    with pytest.raises(InvalidAgent, match=says):
        system.spawn(factory)


def test_an_agent_that_exists_already_is_refused_with_the_right_way(system: ActorSystem) -> None:
    agent = OrderBook()
    with pytest.raises(InvalidAgent, match="an agent that exists already: give it the class"):
        system.spawn(agent)  # type: ignore[arg-type]
    with pytest.raises(InvalidAgent, match="did not make a new OrderBook"):
        system.spawn(lambda: agent)


def test_a_factory_that_raises_leaves_nothing_behind(system: ActorSystem) -> None:
    class Fails(OrderBook):
        def __init__(self) -> None:
            super().__init__()
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            system.spawn(Fails)
    system.publish("x")
    system.wait_idle(5)
    assert {agent.kind for agent in system.inspect().agents} == {"system"}
    system.spawn(OrderBook, name="fails")


def test_spawning_after_stop_is_refused(system: ActorSystem) -> None:
    system.stop()
    with pytest.raises(SystemStopped):
        system.spawn(OrderBook)


# -- names ----------------------------------------------------------------------------------------


def test_the_default_name_is_the_class_in_kebab_case_once(system: ActorSystem) -> None:
    assert system.spawn(OrderBook).name == "order-book"
    with pytest.raises(DuplicateName, match="there is an agent named 'order-book' already") as e:
        system.spawn(OrderBook)
    assert e.value.name == "order-book"
    assert "spawn(…, name=…)" in str(e.value)
    assert system.spawn(OrderBook, name="other").name == "other"


def test_a_factorys_default_name_is_that_of_the_class_it_makes(system: ActorSystem) -> None:
    assert system.spawn(lambda: OrderBook(1)).name == "order-book"


@pytest.mark.parametrize("name", ["", "a.b", "a b", "*", "ü", "a" * 200, 5, b"a", "a\n"])
def test_a_name_is_one_segment_of_a_topic(system: ActorSystem, name: Any) -> None:
    with pytest.raises(InvalidAgent, match="agent name"):
        system.spawn(OrderBook, name=name)


@pytest.mark.parametrize("name", ["system", "outside", "registry"])
def test_the_runtimes_own_names_are_taken(system: ActorSystem, name: str) -> None:
    with pytest.raises(DuplicateName, match=name):
        system.spawn(OrderBook, name=name)


def test_ref_finds_an_agent_by_name(system: ActorSystem) -> None:
    ref = system.spawn(OrderBook)
    assert system.ref("order-book") is ref
    with pytest.raises(UnknownAgent, match="no agent named 'ghost' is alive") as caught:
        system.ref("ghost")
    assert caught.value.name == "ghost"


def test_two_systems_do_not_see_each_other(mode: Mode) -> None:
    with ActorSystem(mode=mode) as one, ActorSystem(mode=mode) as two:
        first, second = one.spawn(OrderBook), two.spawn(OrderBook)
        one.publish("x")
        one.publish("x")
        two.publish("x")
        one.wait_idle(5)
        two.wait_idle(5)
        assert first.proxy().stock.get(timeout=5) == 2
        assert second.proxy().stock.get(timeout=5) == 1
        one.stop()
        assert second.is_alive()
        assert two.publish("x")


# -- options --------------------------------------------------------------------------------------


class Configured(Agent):
    mailbox = 5
    overflow = "reject"
    retry = Retry(attempts=1)
    max_outbox = 2

    @on("x")
    def take(self, event: Event) -> None:
        for _ in range(event.payload.get("n", 0)):
            self.emit("y")
        if not event.payload:
            raise ValueError


def test_class_attributes_give_the_defaults_and_keywords_override_them(
    sim: ActorSystem,
) -> None:
    sim.spawn(Configured, name="as-declared")
    sim.spawn(
        Configured, name="overridden", mailbox=7, overflow="drop_newest",
        retry=Retry(attempts=2, delay=1, jitter=0), max_outbox=3, threaded=True,
    )  # fmt: skip
    sim.publish("x")
    sim.publish("x", {"n": 3})
    sim.wait_idle()
    letters = {(letter.agent, letter.attempts) for letter in sim.dead_letters()}
    assert letters == {("as-declared", 1), ("overridden", 2)}
    assert len([x for x in sim.dead_letters() if x.agent == "as-declared"]) == 2, "max_outbox"
    view = sim.inspect()
    assert view.agent("as-declared").mailbox_capacity == 5
    assert view.agent("overridden").mailbox_capacity == 7
    sim.pause("overridden")
    sim.wait_idle()
    for _ in range(9):
        sim.ref("overridden").tell("x")
    assert sim.inspect().agent("overridden").dropped == 2


def test_none_means_the_default(system: ActorSystem) -> None:
    system.spawn(Configured, mailbox=None, overflow=None, retry=None)
    assert system.inspect().agent("configured").mailbox_capacity == 5


def test_without_any_a_mailbox_holds_a_thousand(system: ActorSystem) -> None:
    system.spawn(OrderBook)
    assert system.inspect().agent("order-book").mailbox_capacity == 1_000


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"mailbox": 0}, "mailbox=0 is no capacity"),
        ({"mailbox": -1}, "mailbox=-1 is no capacity"),
        ({"mailbox": 1.5}, r"mailbox=1\.5 is no capacity"),
        ({"mailbox": True}, "mailbox=True is no capacity"),
        ({"overflow": "spill"}, "unknown overflow policy 'spill': choose one of park, drop_newest"),
        ({"overflow": 5}, "unknown overflow policy 5"),
        ({"overflow": []}, r"unknown overflow policy \[\]"),
        ({"threaded": 1}, "threaded=1: give True or False"),
        ({"retry": 3}, "retry=3: give a Retry"),
        ({"conflate_key": "x"}, "conflate_key='x': give a function"),
        ({"max_outbox": 0}, "max_outbox=0"),
        ({"mailboxes": 5}, "spawn has no option mailboxes; it has name, mailbox, overflow,"),
    ],
)
def test_a_senseless_option_is_refused_and_the_name_stays_free(
    system: ActorSystem, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidAgent, match=says):
        system.spawn(OrderBook, **options)
    system.spawn(OrderBook)


def test_a_threaded_agent_has_a_thread_of_its_own() -> None:
    import threading

    class Tells(Agent):
        threaded = True

        def on_receive(self, message: object) -> object:
            return threading.current_thread().name

    with ActorSystem() as system:
        own = {system.spawn(Tells, name=f"tells-{n}").ask("who?", timeout=5) for n in range(3)}
        shared = system.spawn(Tells, name="shared", threaded=False).ask("who?", timeout=5)
    assert len(own) == 3
    assert all("tells" in name for name in own)
    assert "worker" in shared


# -- systems --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"workers": 0}, "workers=0: give a whole number of threads, 1 or more"),
        ({"workers": 1.5}, r"workers=1\.5"),
        ({"workers": True}, "workers=True"),
        ({"mode": "fast"}, 'mode=\'fast\': choose "threads" or "simulated"'),
        ({"node": "a b"}, "node name 'a b'"),
        ({"node": ""}, "node name ''"),
        ({"limits": 1000}, r"limits=1000: give a CaseLimits\(hops="),
        ({"inherit": "traceparent"}, r"inherit='traceparent': give a tuple of names"),
        ({"inherit": (5,)}, r"inherit=\(5,\): give a tuple of names"),
        ({"inherit": 5}, r"inherit=5: give a tuple of names"),
    ],
)
def test_a_senseless_system_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidAgent, match=says):
        ActorSystem(**options)


def test_case_limits_are_the_systems(mode: Mode) -> None:
    with ActorSystem(mode=mode, limits=CaseLimits(hops=3)) as system:

        class Loops(Agent):
            @on("x")
            def again(self, event: Event) -> None:
                self.emit("x")

        system.spawn(Loops)
        system.publish("x")
        system.wait_idle(5)
        assert system.inspect().agent("loops").handled == 4


def test_a_simulation_is_a_function_of_its_seed() -> None:
    def run(seed: int) -> list[tuple[str, str, float]]:
        heard: list[tuple[str, str, float]] = []
        with ActorSystem(mode="simulated", seed=seed) as system:

            class Chats(Agent):
                retry = Retry(attempts=3, delay=1, jitter=0.5)
                failed = False

                @on("go")
                async def go(self, event: Event) -> None:
                    await asyncio.sleep(0.1)
                    if not self.failed:
                        self.failed = True
                        raise ValueError
                    self.emit("said", {"by": self.name})

            for n in range(5):
                system.spawn(Chats, name=f"chats-{n}")
            system.subscribe("said", lambda e: heard.append((e.id, e.source, e.timestamp)))
            system.publish("go")
            system.wait_idle()
        return heard

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_advance_needs_virtual_time() -> None:
    from choreia import ChoreiaError

    with ActorSystem() as system, pytest.raises(ChoreiaError, match="needs virtual time"):
        system.advance(1)
