"""`Agent`: what a class says of itself, what it may not redefine, and who an instance is."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pykka
import pytest
from attrs import frozen

from choreia import (
    ActorSystem,
    Agent,
    ChoreiaError,
    Event,
    InvalidAgent,
    InvalidPattern,
    OutsideTurn,
    UndeclaredEvent,
    event_type,
    on,
)
from choreia.runtime.errors import InvalidFilter

if TYPE_CHECKING:
    from tests.actors.conftest import Hear

# -- what is refused where it is written ----------------------------------------------------------

OWN = [
    "start", "stop", "name", "id", "event", "log", "clock", "emit", "emit_now", "emit_now_async",
    "after", "cancel", "find", "once", "actor_ref", "actor_urn", "actor_inbox", "actor_stopped",
]  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_redefining_a_name_of_agents_own_is_refused_where_the_class_is_defined(name: str) -> None:
    with pytest.raises(InvalidAgent, match=rf"Mine\.{name}: this name is Agent's own") as caught:
        type("Mine", (Agent,), {name: lambda self: None})
    assert "call yours something else" in str(caught.value)


def test_a_mixin_that_redefines_one_is_refused_as_well() -> None:
    class Finder:
        def find(self, what: str) -> str:
            return what

    with pytest.raises(InvalidAgent, match=r"find: this name is Agent's own"):
        type("Mine", (Finder, Agent), {})


def test_a_mixin_behind_agent_hides_nothing_and_is_allowed() -> None:
    class Finder:
        def find(self, what: str) -> str:
            return what

    assert issubclass(type("Mine", (Agent, Finder), {}), Agent)


@pytest.mark.parametrize("hook", ["on_start", "on_stop", "on_receive", "on_failure"])
def test_hooks_are_there_to_be_redefined(hook: str) -> None:
    type("Mine", (Agent,), {hook: lambda self, *_: None})
    with pytest.raises(InvalidAgent, match=f"{hook} must be a method"):
        type("Mine", (Agent,), {hook: 5})


@pytest.mark.parametrize("hook", ["on_start", "on_stop"])
def test_a_hook_that_is_a_generator_would_never_run_and_is_refused(hook: str) -> None:
    def steps(self: Agent) -> Any:
        yield "said", {}

    with pytest.raises(InvalidAgent, match=rf"Mine\.{hook} .*self\.emit"):
        type("Mine", (Agent,), {hook: steps})


@pytest.mark.parametrize(
    ("attribute", "value", "says"),
    [
        ("capabilities", "one", r"capabilities = 'one': give a tuple of strings"),
        ("capabilities", 5, r"capabilities = 5: give a tuple"),
        ("capabilities", ("",), r"capabilities has '', which is no word"),
        ("specializations", (1,), r"specializations has 1, which is no word"),
        ("capacity", 0, r"capacity = 0: give a whole number, 1 or more"),
        ("capacity", True, r"capacity = True"),
        ("capacity", 1.5, r"capacity = 1\.5"),
        ("emits", "order.created", r"emits = 'order\.created': give a tuple"),
        ("emits", 5, r"emits = 5"),
        ("emits", (5,), r"a topic pattern is a string, not int: 5"),
        ("mailbox", 0, r"mailbox=0 is no capacity: give a whole number of items, 1 or more"),
        ("max_outbox", 0, r"max_outbox=0: give a whole number of events"),
        ("overflow", "spill", r"unknown overflow policy 'spill': choose one of park, drop_newest"),
        ("threaded", "yes", r"threaded='yes': give True or False"),
        ("retry", 3, r"retry=3: give a Retry\(attempts="),
        ("conflate_key", 3, r"conflate_key=3: give a function of an event"),
    ],
)
def test_a_senseless_attribute_is_refused_where_the_class_is_defined(
    attribute: str, value: object, says: str
) -> None:
    with pytest.raises(ChoreiaError, match=says):
        type("Mine", (Agent,), {attribute: value})


def test_a_bad_pattern_in_emits_is_refused_where_the_class_is_defined() -> None:
    with pytest.raises(InvalidPattern, match=r"a\.\.b"):
        type("Mine", (Agent,), {"emits": ("a..b",)})


def test_start_is_pykkas_way_and_names_spawn() -> None:
    class Mine(Agent): ...

    with pytest.raises(InvalidAgent, match=r"Mine\.start\(\).*system\.spawn\(Mine\)"):
        Mine.start()


def test_what_pykka_would_make_for_itself_is_refused() -> None:
    with pytest.raises(InvalidAgent, match="spawn"):
        Agent._create_actor_inbox()
    with pytest.raises(InvalidAgent, match="spawn"):
        Agent()._start_actor_loop()


# -- who it is ------------------------------------------------------------------------------------


def test_an_agent_knows_who_it_is_from_its_init_on(system: ActorSystem) -> None:
    class Knows(Agent):
        def __init__(self) -> None:
            super().__init__()
            self.seen = (self.name, self.id, self.actor_ref, self.log.name)

    ref = system.spawn(Knows, name="somebody")
    name, id, own_ref, log = ref.proxy().seen.get(timeout=5)
    assert (name, id) == ("somebody", "did:choreia:local:somebody")
    assert own_ref is ref
    assert log == "choreia.agent.somebody"


def test_the_node_is_part_of_the_id() -> None:
    with ActorSystem(node="berlin-1", mode="simulated") as system:
        assert system.spawn(Agent, name="a").id == "did:choreia:berlin-1:a"
        assert system.node == "berlin-1"


def test_an_agent_is_a_pykka_actor_and_its_ref_an_actor_ref(system: ActorSystem) -> None:
    class Mine(Agent): ...

    ref = system.spawn(Mine)
    assert isinstance(ref, pykka.ActorRef)
    assert issubclass(Mine, pykka.Actor)
    assert ref.actor_class is Mine
    assert ref.actor_urn == "urn:choreia:local:mine"


def test_the_event_in_hand_is_self_event_and_none_outside_handlers(system: ActorSystem) -> None:
    class Shows(Agent):
        def on_start(self) -> None:
            self.at_start = self.event

        @on("shown")
        def look(self, event: Event) -> None:
            self.same = self.event is event

        def on_receive(self, message: object) -> object:
            return self.event

    ref = system.spawn(Shows)
    system.publish("shown")
    system.wait_idle(5)
    proxy = ref.proxy()
    assert proxy.same.get(timeout=5) is True
    assert proxy.at_start.get(timeout=5) is None
    assert ref.ask("what have you in hand?", timeout=5) is None


def test_clock_is_the_systems(system: ActorSystem) -> None:
    ref = system.spawn(Agent)
    clock = ref.proxy().clock.get(timeout=5)
    assert clock is system.clock
    assert clock.monotonic() <= system.clock.monotonic()


def test_log_is_a_logger_by_the_agents_name(
    system: ActorSystem, caplog: pytest.LogCaptureFixture
) -> None:
    class Talks(Agent):
        @on("said")
        def say(self, event: Event) -> None:
            self.log.warning("hello %s", event.type)

    system.spawn(Talks, name="talker")
    system.publish("said")
    system.wait_idle(5)
    assert ("choreia.agent.talker", logging.WARNING, "hello said") in caplog.record_tuples


def test_an_agent_in_no_system_says_so() -> None:
    agent = Agent()
    for use in (
        lambda: agent.name,
        lambda: agent.id,
        lambda: agent.event,
        lambda: agent.clock,
        lambda: agent.actor_ref,
        lambda: agent.emit("x"),
        lambda: agent.emit_now("x"),
        lambda: agent.after(1, "x"),
        lambda: agent.cancel("x"),
        lambda: agent.find("x"),
        lambda: agent.once("x", int),
        agent.stop,
    ):
        with pytest.raises(OutsideTurn, match=r"in no system; start it with system\.spawn"):
            use()


def test_an_init_that_forgets_super_is_told_so(system: ActorSystem) -> None:
    class Forgets(Agent):
        def __init__(self) -> None:
            self.x = 1

    class UsesItFirst(Agent):
        def __init__(self) -> None:
            self.x = self.name
            super().__init__()

    with pytest.raises(InvalidAgent, match=r"Forgets\.__init__ does not call super\(\)"):
        system.spawn(Forgets)
    with pytest.raises(
        InvalidAgent, match=r"UsesItFirst\.name: call super\(\)\.__init__\(\) first"
    ):
        system.spawn(UsesItFirst)


# -- emits ----------------------------------------------------------------------------------------


@event_type("test-agent.typed")
@frozen
class Typed:
    n: int


class Declares(Agent):
    emits = ("done.*", "exact", Typed)

    @on("say")
    def say(self, event: Event) -> None:
        self.emit(event.payload["type"], {"n": 1})

    @on("say.now")
    def say_now(self, event: Event) -> None:
        self.emit_now(event.payload["type"], {"n": 1})

    @on("say.later")
    def say_later(self, event: Event) -> None:
        self.after(0, event.payload["type"], {"n": 1})

    @on("say.yielded")
    def say_yielded(self, event: Event) -> Any:
        yield event.payload["type"], {"n": 1}

    @on("say.typed")
    def say_typed(self, _: Event) -> None:
        self.emit(Typed(7))


@pytest.mark.parametrize("how", ["say", "say.now", "say.later", "say.yielded"])
def test_an_undeclared_event_is_an_error_at_the_emit_however_it_is_said(
    system: ActorSystem, hear: Hear, how: str
) -> None:
    system.spawn(Declares)
    heard = hear("#")
    system.publish(how, {"type": "done.so.much"})
    system.wait_idle(5)
    assert not [event for event in heard if event.type == "done.so.much"]
    (letter,) = system.dead_letters()
    assert isinstance(letter.error, UndeclaredEvent)
    assert (letter.error.agent, letter.error.type) == ("Declares", "done.so.much")
    assert "declares emits = (done.*, exact, test-agent.typed)" in str(letter.error)
    assert (letter.attempts, letter.reason) == (1, "gave_up"), "a retry cannot mend it"


def test_what_is_declared_may_be_emitted_by_pattern_by_name_and_by_class(
    system: ActorSystem, hear: Hear
) -> None:
    system.spawn(Declares)
    heard = hear("#")
    for type in ("done.a", "done.b", "exact", "test-agent.typed"):
        system.publish("say", {"type": type})
    system.publish("say.typed")
    system.wait_idle(5)
    assert not system.dead_letters()
    said = [event.type for event in heard if event.source == "did:choreia:local:declares"]
    said = [type for type in said if not type.startswith("agent.")]
    assert said == ["done.a", "done.b", "exact", "test-agent.typed", "test-agent.typed"]


def test_declaring_nothing_forbids_nothing_and_an_empty_declaration_all(
    system: ActorSystem,
) -> None:
    class Free(Agent):
        @on("go")
        def go(self, _: Event) -> None:
            self.emit("anything.at.all")

    class Silent(Free):
        emits = ()

    system.spawn(Free)
    system.spawn(Silent)
    system.publish("go")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    assert letter.agent == "silent"
    assert "emits = (nothing)" in str(letter.error)


def test_the_runtimes_own_words_for_an_agent_need_no_declaration(
    system: ActorSystem, hear: Hear
) -> None:
    heard = hear("agent.online")
    system.spawn(Declares)
    system.wait_idle(5)
    assert [event.source for event in heard] == ["did:choreia:local:declares"]


# -- handlers are inherited -----------------------------------------------------------------------


def test_a_bad_filter_is_refused_where_it_is_written() -> None:
    with pytest.raises(InvalidFilter, match=r"\$gtee"):
        on("x", filter={"payload.amount": {"$gtee": 5}})


def test_a_class_attribute_overridden_in_a_subclass_is_the_subclasss(system: ActorSystem) -> None:
    class Base(Agent):
        mailbox = 5
        capabilities = ("a",)

    class Derived(Base):
        mailbox = 7
        capabilities = ("b",)

    system.spawn(Base)
    system.spawn(Derived)
    system.wait_idle(5)
    view = system.inspect()
    assert view.agent("base").mailbox_capacity == 5
    assert view.agent("derived").mailbox_capacity == 7
    assert [info.name for info in system.find("a")] == ["base"]
    assert [info.name for info in system.find("b")] == ["derived"]


def test_what_is_exclusive_is_a_capability() -> None:
    class Cashier(Agent):
        capabilities = ("money.take", "money.count")
        exclusive = ("money.take",)

    assert Cashier.exclusive == ("money.take",)
    with pytest.raises(InvalidAgent, match=r"exclusive names 'money.give'"):
        type("Other", (Agent,), {"capabilities": ("money.take",), "exclusive": ("money.give",)})
    with pytest.raises(InvalidAgent, match="exclusive"):
        type("Other", (Agent,), {"exclusive": "money.give"})
