"""Publishing from outside: what becomes of it, and what is refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from choreia import (
    ActorSystem,
    Agent,
    CaseLimits,
    DuplicateId,
    Event,
    IncompatibleVersion,
    InvalidEvent,
    InvalidPayload,
    InvalidType,
    MailboxFull,
    PayloadMismatch,
    PayloadTooLarge,
    Retry,
    SourceTaken,
    SystemStopped,
    event_type,
    on,
    upcaster,
)

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode, Until


@event_type("publishing.paid", version="2.1.0")
@frozen
class Paid:
    amount: int
    currency: str = "EUR"


@upcaster("publishing.paid", "1.0.0", "2.0.0")
def _(payload: dict[str, Any]) -> dict[str, Any]:
    return {**payload, "currency": "USD"}


@event_type("publishing.old")
@frozen
class Old:
    n: int


# -- what is published ----------------------------------------------------------------------------


def test_publish_returns_the_event_that_everybody_gets(system: ActorSystem, hear: Hear) -> None:
    heard = hear("order.created")
    event = system.publish("order.created", {"order_id": 1})
    system.wait_idle(5)
    assert heard[0] is event
    assert (event.type, event.payload) == ("order.created", {"order_id": 1})
    assert event.source == "did:choreia:local:outside"
    assert len(event.id) == 32
    assert event.timestamp == pytest.approx(system.clock.now(), abs=60)
    assert event.metadata.correlation_id == event.id, "it starts a case of its own"
    assert event.metadata.causation_id is None
    assert (event.metadata.version, event.metadata.hops) == ("1.0.0", 0)


def test_every_keyword_arrives_where_it_belongs(system: ActorSystem, hear: Hear) -> None:
    heard = hear("order.created")
    system.publish(
        "order.created",
        {"order_id": 1},
        source="till-3",
        correlation_id="case-1",
        causation_id="cause-1",
        version="1.2.3",
        id="id-1",
        extensions={"traceparent": "00-1-2-3", "deep": {"x": [1]}},
        timeout=5,
    )
    system.wait_idle(5)
    (event,) = heard
    assert (event.source, event.id) == ("till-3", "id-1")
    meta = event.metadata
    assert (meta.correlation_id, meta.causation_id) == ("case-1", "cause-1")
    assert meta.version == "1.2.3"
    assert meta.extensions == {"traceparent": "00-1-2-3", "deep": {"x": [1]}}


def test_a_payload_may_be_left_out(system: ActorSystem) -> None:
    assert system.publish("order.created").payload == {}


def test_ids_increase_in_the_order_of_publishing(system: ActorSystem) -> None:
    ids = [system.publish("x").id for _ in range(100)]
    assert ids == sorted(set(ids))


def test_the_payload_is_cut_off_from_what_was_given(system: ActorSystem, hear: Hear) -> None:
    heard = hear("x")
    given: dict[str, Any] = {"list": [1]}
    event = system.publish("x", given)
    given["list"].append(2)
    given["more"] = 3
    system.wait_idle(5)
    assert heard[0].payload == {"list": [1]}
    with pytest.raises(TypeError, match=r"event\.copy_payload\(\)"):
        event.payload["more"] = 3
    with pytest.raises(TypeError):
        event.payload["list"].append(2)


def test_a_typed_payload_brings_its_type_and_version(system: ActorSystem, hear: Hear) -> None:
    heard = hear("publishing.paid")
    system.publish(Paid(5))
    system.publish("publishing.paid", Paid(6))
    system.publish(Paid(7), version="2.0.0")
    system.wait_idle(5)
    assert [event.payload for event in heard] == [
        {"amount": n, "currency": "EUR"} for n in (5, 6, 7)
    ]
    assert [event.metadata.version for event in heard] == ["2.1.0", "2.1.0", "2.0.0"]


def test_a_whole_event_is_published_as_it_is(system: ActorSystem, hear: Hear) -> None:
    heard = hear("x")
    event = Event("x", "till-3", {"n": 1}, metadata={"correlationId": "case-1"})
    assert system.publish(event) is event
    system.wait_idle(5)
    assert heard == [event]
    alone = system.publish(Event("x", "till-3", {"n": 1}))
    assert alone.metadata.correlation_id == alone.id, "it starts a case of its own"


@pytest.mark.parametrize(
    "change",
    [{"payload": {}}, {"source": "x"}, {"correlation_id": "x"}, {"causation_id": "x"},
     {"version": "1.0.0"}, {"id": "x"}, {"extensions": {}}],
)  # fmt: skip
def test_a_whole_event_takes_no_changes(system: ActorSystem, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvent, match=rf"also {next(iter(change))}: .*event\.evolve"):
        system.publish(Event("x", "me"), **change)


# -- what is refused, by each of the ways in ------------------------------------------------------

WRONG = [
    (("a b",), {}, InvalidType, "a b"),
    (("",), {}, InvalidType, "type"),
    (("x" * 300,), {}, InvalidType, "255"),
    ((5,), {}, InvalidEvent, "cannot make an event of 'int'"),
    ((None,), {}, InvalidEvent, "cannot make an event of 'NoneType'"),
    ((Paid(1), {"amount": 1}), {}, InvalidEvent, "give a type and a payload, or"),
    ((Paid,), {}, InvalidEvent, "cannot make an event of"),
    (("other.type", Paid(1)), {}, InvalidEvent, "is a 'publishing.paid', not a 'other.type'"),
    (("x", {"a": [{"b": {1}}]}), {}, InvalidPayload, r"payload\.a\[0\]\.b"),
    (("x", {"a": float("nan")}), {}, InvalidPayload, r"payload\.a"),
    (("x", {1: 2}), {}, InvalidPayload, "payload"),
    (("x", [1]), {}, InvalidPayload, "payload"),
    (("x", {"a": "x" * 1_048_577}), {}, PayloadTooLarge, "1,?048,?576"),
    (("x",), {"source": ""}, InvalidEvent, "source is ''"),
    (("x",), {"source": 5}, InvalidEvent, "source is 5"),
    (("x",), {"correlation_id": ""}, InvalidEvent, "correlation_id is ''"),
    (("x",), {"causation_id": 5}, InvalidEvent, "causation_id is 5"),
    (("x",), {"version": "1"}, InvalidEvent, r"version is '1': give MAJOR\.MINOR\.PATCH"),
    (("x",), {"id": ""}, InvalidEvent, "id is ''"),
    (("x",), {"extensions": {"version": 1}}, InvalidEvent, r"metadata\.version cannot be"),
    (("x",), {"extensions": {"a": object()}}, InvalidPayload, r"metadata\.a"),
    (("x",), {"extensions": 5}, InvalidPayload, "metadata"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "options", "error", "says"), WRONG)
def test_every_way_in_refuses_what_makes_no_event_and_nobody_gets_it(
    system: ActorSystem,
    hear: Hear,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    error: type[Exception],
    says: str,
) -> None:
    heard = hear("#")
    with pytest.raises(error, match=says):
        system.publish(*arguments, **options)
    with pytest.raises(error, match=says):
        system.try_publish(*arguments, **options)
    with pytest.raises(error, match=says):
        asyncio.run(system.publish_async(*arguments, **options))
    with pytest.raises(error, match=says):
        system.request(*arguments, until="y", **options)
    with pytest.raises(error, match=says):
        asyncio.run(system.request_async(*arguments, until="y", **options))
    system.wait_idle(5)
    assert heard == []


def test_publish_after_stop_is_refused_by_every_way_in(system: ActorSystem) -> None:
    system.stop()
    with pytest.raises(SystemStopped, match="takes nothing more from outside"):
        system.publish("x")
    with pytest.raises(SystemStopped):
        system.try_publish("x")
    with pytest.raises(SystemStopped):
        asyncio.run(system.publish_async("x"))
    with pytest.raises(SystemStopped):
        system.request("x", until="y")
    with pytest.raises(SystemStopped):
        asyncio.run(system.request_async("x", until="y"))
    with pytest.raises(SystemStopped):
        system.listen("x")
    with pytest.raises(SystemStopped):
        system.spawn(Agent)
    with pytest.raises(SystemStopped):
        system.subscribe("x", print)


# -- who says so ----------------------------------------------------------------------------------


def test_an_agents_source_is_its_own(system: ActorSystem) -> None:
    ref = system.spawn(Agent, name="inventory")
    for id in (ref.id, "did:choreia:local:registry", "did:choreia:local:system"):
        with pytest.raises(SourceTaken, match="only it may speak under that name"):
            system.publish("x", source=id)
        with pytest.raises(SourceTaken):
            system.publish(Event("x", id))
        with pytest.raises(SourceTaken):
            system.try_publish("x", source=id)
        with pytest.raises(SourceTaken):
            system.request("x", source=id, until="y")
    ref.stop(timeout=5)
    system.publish("x", source=ref.id)


# -- the same id twice ----------------------------------------------------------------------------


def test_an_id_makes_publishing_idempotent(system: ActorSystem, hear: Hear) -> None:
    heard = hear("order.created")
    first = system.publish("order.created", {"n": 1}, id="order-1")
    again = system.publish("order.created", {"n": 1}, id="order-1", correlation_id="another")
    assert again is first
    assert system.try_publish("order.created", {"n": 1}, id="order-1") is True
    assert asyncio.run(system.publish_async("order.created", {"n": 1}, id="order-1")) is first
    assert system.publish(Event("order.created", "me", {"n": 1}, id="order-1")) is first
    system.wait_idle(5)
    assert heard == [first]


def test_an_id_for_another_body_is_an_error(system: ActorSystem, hear: Hear) -> None:
    heard = hear("#")
    system.publish("order.created", {"n": 1}, id="order-1")
    with pytest.raises(
        DuplicateId, match=r"'order-1' was published before, as 'order\.created'"
    ) as e:
        system.publish("order.created", {"n": 2}, id="order-1")
    assert e.value.id == "order-1"
    with pytest.raises(DuplicateId):
        system.publish("order.changed", {"n": 1}, id="order-1")
    system.wait_idle(5)
    assert len([event for event in heard if event.type.startswith("order")]) == 1


def test_an_id_whose_publish_failed_may_be_used_again(system: ActorSystem, hear: Hear) -> None:
    ref = system.spawn(Takes, name="takes", mailbox=1, overflow="reject")
    system.pause("takes")
    system.wait_idle(5)
    system.publish("x")
    with pytest.raises(MailboxFull):
        system.publish("x", {"n": 1}, id="id-1")
    assert system.try_publish("x", {"n": 1}, id="id-1") is False
    with pytest.raises(MailboxFull):
        asyncio.run(system.publish_async("x", {"n": 1}, id="id-1"))
    system.resume("takes")
    system.wait_idle(5)
    system.publish("x", {"n": 2}, id="id-1")
    system.wait_idle(5)
    assert ref.proxy().seen.get(timeout=5) == [{}, {"n": 2}]


@pytest.mark.parametrize("gives_up", [False, True])
def test_two_that_publish_the_same_id_at_once(until: Until, gives_up: bool) -> None:
    """The second waits for what becomes of the first, and tries itself if that fails."""
    results: list[object] = []
    with ActorSystem() as system:
        ref = system.spawn(Takes, name="full", mailbox=1)
        system.pause("full")
        system.wait_idle(5)
        system.publish("x")

        def publish(timeout: float | None) -> None:
            try:
                results.append(system.publish("x", {"n": 1}, id="id-1", timeout=timeout).payload)
            except MailboxFull as error:
                results.append(type(error))

        first = threading.Thread(target=publish, args=(0.05 if gives_up else None,))
        first.start()
        until(lambda: system.inspect().agent("full").parked, system)
        second = threading.Thread(target=publish, args=(None,))
        second.start()
        if gives_up:
            first.join(10)
        system.resume("full")
        for thread in (first, second):
            thread.join(10)
            assert not thread.is_alive()
        system.wait_idle(5)
        assert ref.proxy().seen.get(timeout=5) == [{}, {"n": 1}]
    assert results == [MailboxFull if gives_up else {"n": 1}, {"n": 1}]


class Takes(Agent):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    @on("x")
    def take(self, event: Event) -> None:
        self.seen.append(event.payload)


# -- full mailboxes -------------------------------------------------------------------------------


def test_try_publish_into_a_full_mailbox_is_false_and_reaches_nobody(
    system: ActorSystem, hear: Hear
) -> None:
    heard = hear("x")
    system.spawn(Takes, name="full", mailbox=1)
    free = system.spawn(Takes, name="free")
    system.pause("full")
    system.wait_idle(5)
    assert system.try_publish("x", {"n": 1}) is True
    assert system.try_publish("x", {"n": 2}) is False
    assert system.try_publish("other") is True
    system.resume("full")
    system.wait_idle(5)
    assert [event.payload for event in heard] == [{"n": 1}]
    assert free.proxy().seen.get(timeout=5) == [{"n": 1}]


def test_publish_gives_up_after_its_timeout_and_has_reached_nobody(
    system: ActorSystem, hear: Hear
) -> None:
    heard = hear("x")
    system.spawn(Takes, name="full", mailbox=1)
    system.pause("full")
    system.wait_idle(5)
    system.publish("x")
    with pytest.raises(MailboxFull, match=r"'full' is full \(1 items\) and it found no room") as e:
        system.publish("x", timeout=0.01)
    assert (e.value.agent, e.value.capacity) == ("full", 1)
    with pytest.raises(MailboxFull):
        asyncio.run(system.publish_async("x", timeout=0.01))
    system.resume("full")
    system.wait_idle(5)
    assert len(heard) == 1


def test_publish_blocks_for_room_and_goes_on(until: Until) -> None:
    with ActorSystem() as system:
        ref = system.spawn(Takes, name="full", mailbox=1)
        system.pause("full")
        system.wait_idle(5)
        system.publish("x", {"n": 1})
        thread = threading.Thread(target=system.publish, args=("x", {"n": 2}))
        thread.start()
        until(lambda: system.inspect().agent("full").parked, system)
        system.resume("full")
        thread.join(10)
        assert not thread.is_alive()
        system.wait_idle(5)
        assert ref.proxy().seen.get(timeout=5) == [{"n": 1}, {"n": 2}]


def test_publish_async_awaits_room_and_lets_the_loop_run(mode: Mode) -> None:
    async def main() -> None:
        async with ActorSystem(mode=mode) as system:
            ref = system.spawn(Takes, name="full", mailbox=1)
            system.pause("full")
            await system.wait_idle_async(5)
            await system.publish_async("x", {"n": 1})
            asyncio.get_running_loop().call_soon(system.resume, "full")
            if mode == "simulated":  # whoever waits there runs all that can run, and no more
                system.resume("full")
            await system.publish_async("x", {"n": 2})
            await system.wait_idle_async(5)
            assert await ref.proxy().seen == [{"n": 1}, {"n": 2}]

    asyncio.run(main())


# -- inside a handler -----------------------------------------------------------------------------


def test_publish_in_a_handler_is_its_emit_now(system: ActorSystem, hear: Hear) -> None:
    class Publishes(Agent):
        retry = Retry(attempts=2, delay=0)
        failed = False

        @on("go")
        def go(self, event: Event) -> None:
            system.publish("said", {"by": "publish"})
            system.publish(Paid(1))
            assert system.try_publish("said", {"by": "try_publish"})
            if not self.failed:
                self.failed = True
                raise ValueError

    heard = [hear("said"), hear("publishing.paid")]
    system.spawn(Publishes)
    cause = system.publish("go")
    system.wait_idle(5)
    assert [event.payload["by"] for event in heard[0]] == ["publish", "try_publish"]
    for event in (*heard[0], *heard[1]):
        assert event.source == "did:choreia:local:publishes"
        assert event.metadata.causation_id == cause.id
        assert event.metadata.correlation_id == cause.id
    assert len(heard[1]) == 1


def test_publish_async_in_a_coroutine_handler_is_its_emit_now_async(
    system: ActorSystem, hear: Hear
) -> None:
    class Publishes(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            await system.publish_async("said")

    heard = hear("said")
    system.spawn(Publishes)
    cause = system.publish("go")
    system.wait_idle(5)
    assert [event.metadata.causation_id for event in heard] == [cause.id]


@pytest.mark.parametrize(
    "options",
    [{"source": "x"}, {"correlation_id": "x"}, {"causation_id": "x"}, {"version": "2.0.0"},
     {"id": "x"}, {"extensions": {"x": 1}}],
)  # fmt: skip
def test_in_a_handler_publish_takes_neither_source_nor_cause_nor_ids(
    system: ActorSystem, options: dict[str, Any]
) -> None:
    class Publishes(Agent):
        retry = Retry(attempts=1)

        @on("go")
        def go(self, event: Event) -> None:
            system.publish("said", **options)

    system.spawn(Publishes)
    system.publish("go")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    assert isinstance(letter.error, InvalidEvent)
    assert f"publish with {next(iter(options))}: inside a handler" in str(letter.error)


def test_try_publish_in_a_handler_is_false_without_room_and_may_be_tried_again(
    system: ActorSystem, hear: Hear, until: Until
) -> None:
    results: list[bool] = []

    class Publishes(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            results.append(system.try_publish("x"))

        @on("go.again")
        def again(self, event: Event) -> None:
            results.append(system.try_publish("x"))

    ref = system.spawn(Takes, name="full", mailbox=1)
    system.spawn(Publishes)
    system.pause("full")
    system.wait_idle(5)
    system.publish("x")
    system.publish("go")
    until(lambda: system.inspect().agent("publishes").handled)
    system.resume("full")
    system.wait_idle(5)
    assert len(ref.proxy().seen.get(timeout=5)) == 1 + sum(results)
    assert results[0] is False


def test_publish_to_another_system_from_a_handler_is_from_outside() -> None:
    with ActorSystem(mode="simulated", node="a") as a, ActorSystem(mode="simulated", node="b") as b:
        heard: list[Event] = []
        a.subscribe("go", lambda event: b.publish("said", source="elsewhere"))
        b.subscribe("said", heard.append)
        a.publish("go")
        a.wait_idle()
        b.wait_idle()
        assert [event.source for event in heard] == ["elsewhere"]
        assert heard[0].metadata.causation_id is None


# -- cause and effect -----------------------------------------------------------------------------


class Chain(Agent):
    """Says ``next`` for every ``first``, in each of the ways there are."""

    @on("first.#")
    def go(self, event: Event) -> Iterator[Any]:
        self.emit("next.emit")
        self.emit_now("next.emit-now")
        yield "next.yield", {}
        self.after(0, "next.after")


def test_effects_are_of_their_causes_case_one_hop_further(sim: ActorSystem, hear: Hear) -> None:
    heard = hear("next.*")
    sim.spawn(Chain)
    cause = Event("first", "me", metadata={"correlationId": "case-1", "hops": 5})
    sim.publish(cause)
    sim.wait_idle()
    sim.advance(1)
    assert {event.type for event in heard} == {
        "next.emit", "next.emit-now", "next.yield", "next.after",
    }  # fmt: skip
    for event in heard:
        assert event.metadata.correlation_id == "case-1"
        assert event.metadata.causation_id == cause.id
        assert event.source == "did:choreia:local:chain"
        hops = 0 if event.type == "next.after" else 6
        assert event.metadata.hops == hops, "waiting is not looping, so timers start again"
        assert event.id[:12] != cause.id[:12] or True


def test_effects_ids_keep_their_causes_time(sim: ActorSystem, hear: Hear) -> None:
    heard = hear("next.*")
    sim.spawn(Chain)
    sim.advance(100)
    cause = sim.publish("first")
    sim.advance(100)
    assert {event.id[:12] for event in heard} == {cause.id[:12]}
    assert len({event.id for event in heard}) == 4


@pytest.mark.parametrize("how", ["next.emit", "next.emit-now", "next.yield"])
def test_agents_that_feed_each_other_end_at_the_hop_limit(mode: Mode, how: str) -> None:
    class Feeds(Agent):
        @on("next.#")
        def go(self, event: Event) -> Iterator[Any]:
            if how == "next.emit":
                self.emit("next.emit")
            elif how == "next.emit-now":
                self.emit_now("next.emit-now")
            else:
                yield "next.yield", {}

    with ActorSystem(mode=mode, limits=CaseLimits(hops=50)) as system:
        system.spawn(Feeds, retry=Retry(attempts=3, delay=0))
        first = system.publish(how)
        system.wait_idle(10)
        handled = system.inspect().agent("feeds").handled
        (letter,) = system.dead_letters()
    assert handled == 51, "the first and its 50 successors"
    assert (letter.reason, letter.agent, letter.attempts) == ("hops", "feeds", 0)
    assert letter.event is not None
    assert letter.event.metadata.hops == 51
    assert letter.event.metadata.correlation_id == first.id
    assert "would be hop 51 of its case and the limit is 50" in str(letter.error)
    assert "agents that feed each other?" in str(letter.error)


def test_an_emission_that_goes_too_far_is_one_dead_letter_over_all_retries(
    system: ActorSystem,
) -> None:
    class Far(Agent):
        retry = Retry(attempts=3, delay=0)
        failed = 0

        @on("go")
        def go(self, event: Event) -> None:
            self.emit_now("said.early")
            self.emit("said.late")
            self.failed += 1
            if self.failed < 3:
                raise ValueError

    system.spawn(Far)
    system.publish(Event("go", "me", metadata={"hops": 1000}))
    system.wait_idle(5)
    types = [letter.event.type for letter in system.dead_letters() if letter.event]
    assert types == ["said.early", "said.late"]


def test_a_case_may_outlive_its_hops_by_waiting(sim: ActorSystem) -> None:
    class Waits(Agent):
        count = 0

        @on("tick")
        def tick(self, event: Event) -> None:
            self.count += 1
            self.after(1, "tick")

    sim2 = ActorSystem(mode="simulated", limits=CaseLimits(hops=5))
    with sim2:
        ref = sim2.spawn(Waits)
        sim2.publish("tick")
        sim2.advance(100)
        assert ref.proxy().count.get() == 101
        assert sim2.dead_letters() == []


def test_only_inherited_extensions_pass_from_cause_to_effect(mode: Mode, until: Until) -> None:
    with ActorSystem(mode=mode, inherit=("traceparent", "tenant")) as system:
        heard: list[Event] = []
        system.subscribe("next.*", heard.append)
        system.spawn(Chain)
        extensions = {"traceparent": "00-1", "tenant": {"id": 1}, "secret": "x"}
        system.publish("first", extensions=extensions)
        system.wait_idle(5)
        until(lambda: len(heard) == 4, system)  # wait_idle does not wait for the timer's
    for event in heard:
        assert event.metadata.extensions == {"traceparent": "00-1", "tenant": {"id": 1}}


def test_by_default_nothing_is_inherited(system: ActorSystem, hear: Hear) -> None:
    heard = hear("next.emit")
    system.spawn(Chain)
    system.publish("first", extensions={"traceparent": "00-1"})
    system.wait_idle(5)
    assert heard[0].metadata.extensions == {}


# -- versions -------------------------------------------------------------------------------------


class Pays(Agent):
    retry = Retry(attempts=3, delay=0)

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Paid] = []

    @on(Paid)
    def paid(self, paid: Paid) -> None:
        self.seen.append(paid)


def test_handlers_see_only_the_newest_version(system: ActorSystem) -> None:
    ref = system.spawn(Pays)
    system.publish("publishing.paid", {"amount": 1}, version="1.0.0")
    system.publish("publishing.paid", {"amount": 2})
    system.publish("publishing.paid", {"amount": 3, "currency": "CHF"}, version="2.0.0")
    system.publish(Event("publishing.paid", "me", {"amount": 4}))
    ref.tell(Event("publishing.paid", "me", {"amount": 5}))
    system.wait_idle(5)
    assert ref.proxy().seen.get(timeout=5) == [
        Paid(1, "USD"), Paid(2, "USD"), Paid(3, "CHF"), Paid(4, "USD"), Paid(5, "USD"),
    ]  # fmt: skip
    assert system.dead_letters() == []


def test_what_an_agent_says_in_an_old_version_is_lifted_too(
    system: ActorSystem, hear: Hear, until: Until
) -> None:
    class SpeaksOld(Agent):
        @on("go")
        def go(self, event: Event) -> Iterator[Any]:
            self.emit("publishing.paid", {"amount": 1})
            self.emit_now("publishing.paid", {"amount": 2})
            yield "publishing.paid", {"amount": 3}
            self.after(0, "publishing.paid", {"amount": 4})

    heard = hear("publishing.paid")
    ref = system.spawn(Pays)
    system.spawn(SpeaksOld)
    for _ in range(2):  # the second time by the quick way
        system.publish("go")
    until(lambda: len(heard) == 8)
    system.wait_idle(5)
    assert {paid.currency for paid in ref.proxy().seen.get(timeout=5)} == {"USD"}
    assert {event.metadata.version for event in heard} == {"2.0.0"}
    assert system.dead_letters() == []


def test_a_newer_major_version_is_dead_lettered_without_retries(system: ActorSystem) -> None:
    system.spawn(Pays)
    system.publish("publishing.paid", {"amount": 1}, version="3.0.0")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    assert isinstance(letter.error, IncompatibleVersion)
    assert (letter.attempts, letter.reason) == (1, "gave_up")
    assert (letter.error.type, letter.error.version) == ("publishing.paid", "3.0.0")
    assert "this code reads up to 2.1.0" in str(letter.error)


def test_a_newer_minor_version_is_read_its_new_fields_aside(system: ActorSystem) -> None:
    ref = system.spawn(Pays)
    system.publish("publishing.paid", {"amount": 1, "currency": "EUR", "tip": 2}, version="2.9.0")
    system.wait_idle(5)
    assert ref.proxy().seen.get(timeout=5) == [Paid(1, "EUR")]


def test_a_payload_that_does_not_fit_is_dead_lettered_without_retries(
    system: ActorSystem,
) -> None:
    ref = system.spawn(Pays)
    system.publish("publishing.paid", {"amount": "five", "currency": "EUR"}, version="2.0.0")
    system.publish("publishing.paid", {"currency": 5}, version="2.1.0")
    system.publish(Paid(7))
    system.wait_idle(5)
    first, second = system.dead_letters()
    assert isinstance(first.error, PayloadMismatch)
    assert (first.attempts, first.reason) == (1, "gave_up")
    assert any("payload.amount" in problem for problem in first.error.problems)
    assert isinstance(second.error, PayloadMismatch)
    assert len(second.error.problems) == 2, "all that is wrong, not the first"
    assert ref.proxy().seen.get(timeout=5) == [Paid(7)]


def test_a_type_without_upcasters_is_left_alone(system: ActorSystem, hear: Hear) -> None:
    heard = hear("publishing.old")
    system.publish("publishing.old", {"n": 1}, version="0.9.0")
    system.publish(Old(1))
    system.wait_idle(5)
    assert [event.metadata.version for event in heard] == ["0.9.0", "1.0.0"]
