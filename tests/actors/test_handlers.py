"""`@on`: which events a method handles, and what is refused where it is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from choreia import (
    ActorSystem,
    Agent,
    Event,
    Filter,
    InvalidAgent,
    InvalidFilter,
    InvalidPattern,
    event_type,
    on,
)

if TYPE_CHECKING:
    from tests.actors.conftest import Feed, Hear


@pytest.fixture(params=["memory", "log"])
def feed(request: pytest.FixtureRequest) -> Feed:
    """Turns know mailbox and feed, not which."""
    chosen: Feed = request.param
    return chosen


class Notes(Agent):
    """Keeps what its handlers tell it, for tests to read by proxy."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []


def notes_of(system: ActorSystem, name: str = "mine") -> list[str]:
    system.wait_idle(5)
    notes: list[str] = system.ref(name).proxy().notes.get(timeout=5)
    return notes


@event_type("handlers.paid")
@frozen
class Paid:
    amount: int


# -- refused where it is written ------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["", "a..b", ".a", "a.", "a b", "a.**", "ü", "a.{", "a.{}"])
def test_a_bad_pattern_is_refused_at_the_decorator(pattern: str) -> None:
    with pytest.raises(InvalidPattern):
        on(pattern)


@pytest.mark.parametrize(
    "filter", [{"payload.x": {"$nope": 1}}, {"nowhere.x": 1}, {"payload.x": {"$regex": "("}}]
)
def test_a_bad_filter_is_refused_at_the_decorator(filter: dict[str, object]) -> None:
    with pytest.raises(InvalidFilter):
        on("x", filter)


def test_a_filter_of_another_kind_is_refused() -> None:
    with pytest.raises(InvalidAgent, match="a filter is a mapping or a Filter, not str"):
        on("x", "payload.x > 5")  # type: ignore[arg-type]


def test_a_decorator_without_a_topic_is_refused() -> None:
    with pytest.raises(InvalidAgent, match=r"@on needs a topic: write @on\('order\.created'\)"):

        @on  # type: ignore[arg-type]
        def handle(self: Agent, event: Event) -> None: ...


@pytest.mark.parametrize("topic", [int, object(), None, 5])
def test_what_is_no_topic_is_refused(topic: Any) -> None:
    with pytest.raises(InvalidAgent, match=r"is no topic: give a pattern.*@event_type"):
        on(topic)


def test_what_is_no_function_cannot_be_marked() -> None:
    with pytest.raises(InvalidAgent, match="@on marks functions"):
        on("x")(staticmethod(lambda event: None))


@pytest.mark.parametrize("wrap", [staticmethod, classmethod, property])
def test_a_wrapper_above_the_mark_would_lose_it_and_is_refused(wrap: Callable[..., Any]) -> None:
    @on("x")
    def handle(self: Agent, event: Event) -> None: ...

    with pytest.raises(InvalidAgent, match=r"Mine\.handle.*plain method"):
        type("Mine", (Agent,), {"handle": wrap(handle)})


def test_a_handler_must_take_the_event_and_nothing_else() -> None:
    @on("x")
    def takes_none(self: Agent) -> None: ...

    @on("x")
    def takes_two(self: Agent, event: Event, more: int) -> None: ...

    @on("x")
    def takes_a_keyword(self: Agent, event: Event, *, more: int) -> None: ...

    for handler in (takes_none, takes_two, takes_a_keyword):
        with pytest.raises(InvalidAgent, match=r"must take self and the event, and nothing else"):
            type("Mine", (Agent,), {"handle": handler})


def test_the_decorator_returns_the_function_itself() -> None:
    def handle(self: Agent, event: Event) -> None: ...

    assert on("x")(handle) is handle


# -- which events ---------------------------------------------------------------------------------


def test_patterns_filters_and_stacked_topics(system: ActorSystem) -> None:
    class Mine(Notes):
        @on("a.*")
        @on("b.#", filter={"payload.n": {"$gt": 1}})
        def either(self, event: Event) -> None:
            self.notes.append(f"{event.type} {event.payload['n']}")

    system.spawn(Mine)
    for type in ("a.x", "a.x.y", "a", "b", "b.x.y", "c"):
        system.publish(type, {"n": 1})
        system.publish(type, {"n": 2})
    assert notes_of(system) == ["a.x 1", "a.x 2", "b 2", "b.x.y 2"]


def test_a_ready_made_filter_serves_too(system: ActorSystem) -> None:
    class Mine(Notes):
        @on("a", Filter({"payload.n": 2}))
        def two(self, event: Event) -> None:
            self.notes.append(str(event.payload["n"]))

    system.spawn(Mine)
    for n in (1, 2, 3):
        system.publish("a", {"n": n})
    assert notes_of(system) == ["2"]


def test_two_filters_of_one_handler_are_alternatives(system: ActorSystem) -> None:
    class Mine(Notes):
        @on("a", {"payload.n": 1})
        @on("a", {"payload.n": 3})
        @on("*", {"payload.n": 3})
        def odd(self, event: Event) -> None:
            self.notes.append(str(event.payload["n"]))

    system.spawn(Mine)
    for n in (1, 2, 3):
        system.publish("a", {"n": n})
    assert notes_of(system) == ["1", "3"], "each event once, however many of its topics match"


def test_a_topic_without_a_filter_makes_the_filter_of_another_no_matter(
    system: ActorSystem,
) -> None:
    class Mine(Notes):
        @on("a.*")
        @on("a.x", {"payload.n": 1})
        def either(self, event: Event) -> None:
            self.notes.append(f"either {event.payload['n']}")

        @on("a.x")
        def beside(self, event: Event) -> None:
            self.notes.append("beside")

    ref = system.spawn(Mine)
    system.publish("a.x", {"n": 2})
    ref.tell(Event("a.x", "me", {"n": 3}))
    assert notes_of(system) == ["either 2", "beside", "either 3", "beside"]


def test_several_matching_handlers_run_in_the_order_they_are_defined(system: ActorSystem) -> None:
    class Mine(Notes):
        @on("#.deep")
        def zebra(self, event: Event) -> None:
            self.notes.append("zebra")

        @on("a.b.deep")
        def monkey(self, event: Event) -> None:
            self.notes.append("monkey")

        @on("a.*.deep", {"payload.n": 1})
        def filtered(self, event: Event) -> None:
            self.notes.append("filtered")

        @on("a.#")
        def antelope(self, event: Event) -> None:
            self.notes.append("antelope")

    system.spawn(Mine)
    system.publish("a.b.deep", {"n": 2})
    assert notes_of(system) == ["zebra", "monkey", "antelope"]
    system.publish("a.b.deep", {"n": 1})
    assert notes_of(system)[3:] == ["zebra", "monkey", "filtered", "antelope"]
    assert system.inspect().agent("mine").handled >= 2
    handled = system.inspect().agent("mine").handled
    system.publish("a.b.deep", {"n": 1})
    system.wait_idle(5)
    assert system.inspect().agent("mine").handled == handled + 1, "they are one delivery"


def test_handlers_of_all_kinds_share_one_delivery_in_order(system: ActorSystem, hear: Hear) -> None:
    class Mine(Notes):
        @on("go")
        def plain(self, event: Event) -> None:
            self.notes.append("plain")

        @on("go")
        async def coroutine(self, event: Event) -> None:
            self.notes.append("coroutine")

        @on("go")
        def generator(self, event: Event) -> Iterator[Any]:
            self.notes.append("generator")
            yield "said", {"by": "generator"}

        @on("go")
        async def stream(self, event: Event) -> AsyncIterator[Any]:
            self.notes.append("stream")
            yield "said", {"by": "stream"}

        @on("go")
        def last(self, event: Event) -> None:
            self.notes.append("last")

    heard = hear("said")
    system.spawn(Mine)
    system.publish("go")
    assert notes_of(system) == ["plain", "coroutine", "generator", "stream", "last"]
    assert [event.payload["by"] for event in heard] == ["generator", "stream"]


# -- topics that name attributes ------------------------------------------------------------------


def test_topics_may_name_attributes_of_the_agent(system: ActorSystem) -> None:
    class Worker(Notes):
        def __init__(self, team: str) -> None:
            super().__init__()
            self.team = team

        @on("task.assigned.{name}")
        def mine(self, event: Event) -> None:
            self.notes.append(f"mine {event.payload['n']}")

        @on("team.{team}.#")
        def ours(self, event: Event) -> None:
            self.notes.append(f"ours {event.payload['n']}")

    system.spawn(lambda: Worker("red"), name="ada")
    system.spawn(lambda: Worker("blue.east"), name="bob")
    for n, type in enumerate(
        ["task.assigned.ada", "task.assigned.bob", "task.assigned.eve", "team.red", "team.blue",
         "team.blue.east.x"]
    ):  # fmt: skip
        system.publish(type, {"n": n})
    assert notes_of(system, "ada") == ["mine 0", "ours 3"]
    assert notes_of(system, "bob") == ["mine 1", "ours 5"]


@pytest.mark.parametrize("value", ["", "a b", "*", "#", "a..b", None, "did:x"])
def test_an_attribute_that_is_no_part_of_a_topic_is_refused_at_spawn(
    system: ActorSystem, value: object
) -> None:
    class Mine(Agent):
        def __init__(self) -> None:
            super().__init__()
            self.team = value

        @on("team.{team}")
        def handle(self, event: Event) -> None: ...

    if value is None:
        Mine.__init__ = Agent.__init__  # type: ignore[method-assign]
    with pytest.raises(InvalidAgent, match=r"@on\('team\.\{team\}'\)"):
        system.spawn(Mine)
    system.spawn(Agent, name="mine")  # the name is free again


# -- inheritance ----------------------------------------------------------------------------------


def test_handlers_are_inherited_base_classes_first(system: ActorSystem) -> None:
    class Base(Notes):
        @on("a")
        def base(self, event: Event) -> None:
            self.notes.append("base")

        @on("a")
        def overridden(self, event: Event) -> None:
            self.notes.append("never")

        @on("a")
        def dropped(self, event: Event) -> None:
            self.notes.append("never")

        @on("a")
        def moved(self, event: Event) -> None:
            self.notes.append("never")

    class Mine(Base):
        @on("a")
        def own(self, event: Event) -> None:
            self.notes.append("own")

        def overridden(self, event: Event) -> None:
            self.notes.append("overridden")

        dropped = None  # type: ignore[assignment]

        @on("b")
        def moved(self, event: Event) -> None:
            self.notes.append("moved")

    system.spawn(Mine)
    system.publish("a")
    assert notes_of(system) == ["base", "overridden", "own"]
    system.publish("b")
    assert notes_of(system)[3:] == ["moved"]


def test_an_overriding_handler_may_be_of_another_kind(system: ActorSystem) -> None:
    class Base(Notes):
        @on("a")
        def handle(self, event: Event) -> Any:
            self.notes.append("never")

    class Mine(Base):
        async def handle(self, event: Event) -> None:
            self.notes.append("async")

    system.spawn(Mine)
    system.publish("a")
    assert notes_of(system) == ["async"]


def test_a_mixin_brings_its_handlers(system: ActorSystem) -> None:
    class Mixin:
        notes: list[str]

        @on("a")
        def handle(self, event: Event) -> None:
            self.notes.append("mixed in")

    class Mine(Mixin, Notes): ...

    system.spawn(Mine)
    system.publish("a")
    assert notes_of(system) == ["mixed in"]


def test_a_decorator_that_wraps_keeps_the_mark(system: ActorSystem) -> None:
    def twice(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def wrapped(self: Agent, event: Event) -> None:
            function(self, event)
            function(self, event)

        return wrapped

    class Mine(Notes):
        @twice
        @on("a")
        def handle(self, event: Event) -> None:
            self.notes.append("x")

    system.spawn(Mine)
    system.publish("a")
    assert notes_of(system) == ["x", "x"]


# -- typed payloads -------------------------------------------------------------------------------


def test_a_typed_handler_gets_the_instance_and_self_event_is_the_event(
    system: ActorSystem,
) -> None:
    class Mine(Notes):
        @on(Paid, filter={"payload.amount": {"$gte": 10}})
        def paid(self, paid: Paid) -> None:
            assert self.event is not None
            self.notes.append(f"{paid!r} {self.event.type} {self.event.payload}")

    system.spawn(Mine)
    system.publish(Paid(5))
    system.publish(Paid(10))
    system.publish("handlers.paid", {"amount": 11})
    system.publish("handlers.paid", Paid(12))
    assert notes_of(system) == [
        f"Paid(amount={n}) handlers.paid {{'amount': {n}}}" for n in (10, 11, 12)
    ]


def test_a_told_event_is_handled_like_a_routed_one_filters_and_all(system: ActorSystem) -> None:
    class Mine(Notes):
        @on("a", {"payload.n": 1})
        def one(self, event: Event) -> None:
            self.notes.append("one")

        @on("a")
        def every(self, event: Event) -> None:
            self.notes.append("every")

    ref = system.spawn(Mine)
    ref.tell(Event("a", "me", {"n": 2}))
    ref.tell(Event("a", "me", {"n": 1}))
    assert notes_of(system) == ["every", "one", "every"]
    assert ref.ask(Event("a", "me", {"n": 1}), timeout=5) is None
    assert notes_of(system)[3:] == ["one", "every"]
