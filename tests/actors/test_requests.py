"""Watching from outside: `request` waits for an answer, `listen` iterates over what is said."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from choreia import (
    ActorSystem,
    Agent,
    CaseDied,
    ChoreiaError,
    Event,
    InvalidAgent,
    InvalidEvent,
    InvalidPattern,
    ListenerLagged,
    OutsideTurn,
    RequestTimeout,
    Retry,
    SystemStopped,
    event_type,
    on,
)

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode, Until


@event_type("requests.reserved")
@frozen
class Reserved:
    order_id: int


class Shop(Agent):
    """Answers an order after saying something else first."""

    @on("order.created")
    def order(self, event: Event) -> None:
        self.emit("order.noted")
        self.emit(event.payload.get("answer", "order.confirmed"), {"n": event.payload.get("n")})

    @on("order.typed")
    def typed(self, event: Event) -> None:
        self.emit(Reserved(7))


# -- request --------------------------------------------------------------------------------------

UNTIL: list[tuple[Any, str]] = [
    ("order.confirmed", "order.confirmed"),
    ("order.*", "order.noted"),
    ("#", "order.noted"),
    (("order.rejected", "order.confirmed"), "order.confirmed"),
    (("*.confirmed", Reserved), "order.confirmed"),
]


@pytest.mark.parametrize(("until", "expected"), UNTIL)
def test_request_returns_the_first_event_of_its_case_that_matches(
    system: ActorSystem, until: Any, expected: str
) -> None:
    system.spawn(Shop)
    answer = system.request("order.created", {"n": 5}, until=until, timeout=5)
    assert answer.type == expected
    assert answer.source == "did:choreia:local:shop"


@pytest.mark.parametrize(("until", "expected"), UNTIL)
def test_request_async_does_so_awaiting(mode: Mode, until: Any, expected: str) -> None:
    async def main() -> str:
        async with ActorSystem(mode=mode) as system:
            system.spawn(Shop)
            answer = await system.request_async("order.created", {"n": 5}, until=until, timeout=5)
            return answer.type

    assert asyncio.run(main()) == expected


def test_until_may_be_a_typed_class(system: ActorSystem) -> None:
    system.spawn(Shop)
    answer = system.request("order.typed", until=Reserved, timeout=5)
    assert answer.payload == {"order_id": 7}


def test_the_request_itself_is_no_answer(system: ActorSystem) -> None:
    system.spawn(Shop)
    assert system.request("order.created", until="#", timeout=5).type == "order.noted"


def test_answers_of_other_cases_are_not_ones_own(system: ActorSystem) -> None:
    system.spawn(Shop)

    class Noise(Agent):
        @on("order.created")
        def go(self, event: Event) -> None:
            system.ref("other").tell("speak")

    class Other(Agent):
        def on_receive(self, message: object) -> None:
            self.emit("order.confirmed", {"n": "another case"})

    system.spawn(Other)
    system.spawn(Noise)
    for n in range(5):
        answer = system.request("order.created", {"n": n}, until="order.confirmed", timeout=5)
        assert answer.payload == {"n": n}
        assert answer.metadata.correlation_id != answer.id


def test_request_takes_publishs_keywords_and_its_kinds_of_events(system: ActorSystem) -> None:
    system.spawn(Shop)
    answer = system.request(
        "order.created", {"n": 1}, until="order.confirmed", timeout=5,
        correlation_id="case-1", source="till", id="id-1", causation_id="c", version="1.2.0",
        extensions={"x": 1},
    )  # fmt: skip
    assert answer.metadata.correlation_id == "case-1"
    assert answer.metadata.hops == 1
    assert answer.metadata.causation_id == "id-1"
    whole = Event("order.created", "till", {"n": 2})
    answer = system.request(whole, until="order.confirmed", timeout=5)
    assert answer.metadata.correlation_id == whole.id


def test_an_unknown_keyword_is_refused_by_name(system: ActorSystem) -> None:
    with pytest.raises(InvalidEvent, match="a request has no option subject; it has causation_id"):
        system.request("x", until="y", subject="z")


@pytest.mark.parametrize(
    ("until", "error", "says"),
    [
        ("a..b", InvalidPattern, r"a\.\.b"),
        ((), InvalidPattern, r"until=\(\) matches nothing"),
        (5, InvalidAgent, "5 is no topic"),
        (("a", int), InvalidAgent, "is no topic"),
    ],
)
def test_a_bad_until_is_refused_before_anything_is_published(
    system: ActorSystem, hear: Hear, until: Any, error: type[Exception], says: str
) -> None:
    heard = hear("order.created")
    with pytest.raises(error, match=says):
        system.request("order.created", until=until)
    with pytest.raises(error, match=says):
        asyncio.run(system.request_async("order.created", until=until))
    system.wait_idle(5)
    assert heard == []


class Patient(Agent):
    """Says something in a year: until then there is hope."""

    @on("order.created")
    def begin(self, event: Event) -> None:
        self.after(31_536_000, "order.forgotten")


def test_a_request_that_nobody_answers_times_out_with_what_it_saw(system: ActorSystem) -> None:
    system.spawn(Shop)
    system.spawn(Patient)
    with pytest.raises(RequestTimeout) as caught:
        system.request("order.created", until="order.shipped", timeout=0.2, correlation_id="c-1")
    error = caught.value
    assert not isinstance(error, CaseDied)
    assert isinstance(error, TimeoutError)
    assert isinstance(error, ChoreiaError)
    assert error.correlation_id == "c-1"
    assert [event.type for event in error.seen if isinstance(event, Event)] == [
        "order.noted", "order.confirmed",
    ]  # fmt: skip
    assert "no 'order.shipped' in correlation c-1 within" in str(error)
    assert "seen instead: order.noted, order.confirmed" in str(error)


def test_a_timeout_says_so_when_it_saw_nothing(system: ActorSystem) -> None:
    system.spawn(Patient)
    with pytest.raises(RequestTimeout, match=r"within.*seen instead: nothing") as caught:
        system.request("order.created", until="x", timeout=0.01)
    assert caught.value.seen == ()


def test_request_async_times_out_as_well(mode: Mode) -> None:
    async def main() -> None:
        async with ActorSystem(mode=mode) as system:
            system.spawn(Shop)
            with pytest.raises(RequestTimeout, match=r"order\.noted, order\.confirmed"):
                await system.request_async("order.created", until="x", timeout=0.2)

    asyncio.run(main())


def test_the_timeout_is_virtual_under_simulation(sim: ActorSystem) -> None:
    sim.spawn(Patient)
    with pytest.raises(RequestTimeout):
        sim.request("order.created", until="x", timeout=86_400)
    assert sim.clock.monotonic() == 86_400


def test_an_answer_by_timer_is_waited_for(sim: ActorSystem) -> None:
    class Slow(Agent):
        @on("order.created")
        def order(self, event: Event) -> None:
            self.after(3_600, "order.confirmed")

    sim.spawn(Slow)
    answer = sim.request("order.created", until="order.confirmed", timeout=4_000)
    assert answer.timestamp == 3_600


def test_a_request_ends_when_the_system_stops() -> None:
    caught: list[BaseException] = []
    with ActorSystem() as system:
        asked = threading.Event()
        system.spawn(Patient)
        system.subscribe("order.created", lambda event: asked.set())

        def ask() -> None:
            try:
                system.request("order.created", until="x", timeout=None)
            except SystemStopped as error:
                caught.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        assert asked.wait(10)
    thread.join(10)
    assert not thread.is_alive()
    assert "stopped before the request was answered" in str(caught[0])


def test_requests_leave_nothing_behind(system: ActorSystem) -> None:
    system.spawn(Shop)
    for _ in range(3):
        system.request("order.created", until="order.confirmed", timeout=5)
        with pytest.raises(RequestTimeout):
            system.request("order.created", until="x", timeout=0)
    assert system._engine.bus.cases == {}
    assert system._watching == set()


# -- inside a handler -----------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["request", "listen", "wait_idle", "stop"])
@pytest.mark.parametrize("is_async", [False, True])
def test_waiting_for_the_world_in_a_handler_is_refused(
    system: ActorSystem, call: str, is_async: bool
) -> None:
    waits: dict[str, Any] = {
        "request": lambda: system.request("x", until="y"),
        "listen": lambda: system.listen("y"),
        "wait_idle": system.wait_idle,
        "stop": system.stop,
    }
    awaits: dict[str, Any] = {
        "request": lambda: system.request_async("x", until="y"),
        "listen": lambda: asyncio.to_thread(system.listen, "y"),
        "wait_idle": system.wait_idle_async,
        "stop": system.stop_async,
    }

    class Waits(Agent):
        retry = Retry(attempts=1)

        @on("go")
        def go(self, event: Event) -> None:
            waits[call]()

    class Awaits(Agent):
        retry = Retry(attempts=1)

        @on("go")
        async def go(self, event: Event) -> None:
            await awaits[call]()

    system.spawn(Awaits if is_async else Waits)
    system.publish("go")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    assert isinstance(letter.error, OutsideTurn)
    assert call in str(letter.error)
    assert "called inside a handler" in str(letter.error)


def test_iterating_in_a_handler_over_a_listener_made_outside_is_refused(
    system: ActorSystem,
) -> None:
    listener = system.listen("said")

    class Waits(Agent):
        retry = Retry(attempts=1)

        @on("go")
        def go(self, event: Event) -> None:
            next(listener)

        @on("go.async")
        async def go_async(self, event: Event) -> None:
            await anext(listener)

    system.spawn(Waits)
    system.publish("go")
    system.publish("go.async")
    system.wait_idle(5)
    assert [type(letter.error) for letter in system.dead_letters()] == [OutsideTurn, OutsideTurn]


# -- listen ---------------------------------------------------------------------------------------


def test_listen_iterates_over_what_matches_in_order(system: ActorSystem) -> None:
    with system.listen("order.#", filter={"payload.n": {"$gte": 2}}) as listener:
        for n in range(5):
            system.publish("order.created", {"n": n})
            system.publish("other", {"n": n})
        system.publish("order", {"n": 5})
        seen = [next(listener).payload["n"] for _ in range(4)]
    assert seen == [2, 3, 4, 5]


def test_by_default_it_hears_everything(system: ActorSystem) -> None:
    with system.listen() as listener:
        system.publish("a")
        system.publish("b.c")
        assert [next(listener).type for _ in range(2)] == ["a", "b.c"]


def test_a_typed_class_is_a_topic_too(system: ActorSystem) -> None:
    with system.listen(Reserved) as listener:
        system.publish("other")
        system.publish(Reserved(1))
        assert next(listener).payload == {"order_id": 1}


def test_listen_to_one_case(system: ActorSystem) -> None:
    system.spawn(Shop)
    with system.listen("order.*", correlation_id="case-1") as listener:
        for case in ("case-0", "case-1", "case-2"):
            system.publish("order.created", {"n": case}, correlation_id=case)
        seen = [next(listener) for _ in range(3)]
    assert {event.metadata.correlation_id for event in seen} == {"case-1"}
    assert {event.type for event in seen} == {"order.created", "order.noted", "order.confirmed"}


def test_listen_to_one_case_with_topic_and_filter(system: ActorSystem) -> None:
    system.spawn(Shop)
    options: dict[str, Any] = {"correlation_id": "case-1", "filter": {"payload.n": 1}}
    with system.listen("order.confirmed", **options) as listener:
        system.publish("order.created", {"n": 1}, correlation_id="case-0")
        system.publish("order.created", {"n": 2}, correlation_id="case-1")
        system.publish("order.created", {"n": 1}, correlation_id="case-1")
        system.wait_idle(5)
        assert next(listener).payload == {"n": 1}
        with pytest.raises(TimeoutError):
            listener.next(timeout=0)


def test_next_with_a_timeout(system: ActorSystem) -> None:
    with system.listen("x") as listener:
        with pytest.raises(TimeoutError, match=r"no event within 0\.01 s"):
            listener.next(timeout=0.01)
        event = system.publish("x")
        assert listener.next(timeout=5) is event


def test_what_overflows_the_buffer_is_told_once_and_iteration_goes_on(system: ActorSystem) -> None:
    with system.listen("x", buffer=3) as listener:
        for n in range(10):
            system.publish("x", {"n": n})
        with pytest.raises(ListenerLagged, match=r"7 events .* were let go; .*buffer=") as caught:
            next(listener)
        assert caught.value.missed == 7
        assert [next(listener).payload["n"] for _ in range(3)] == [7, 8, 9]
        system.publish("x", {"n": 10})
        assert next(listener).payload["n"] == 10


def test_a_slow_listener_holds_up_nobody(system: ActorSystem, hear: Hear) -> None:
    heard = hear("x")
    with system.listen("x", buffer=1):
        for n in range(1_000):
            system.publish("x", {"n": n})
        system.wait_idle(10)
    assert len(heard) == 1_000


@pytest.mark.parametrize("buffer", [0, -1, 1.5, "many", None, True])
def test_a_senseless_buffer_is_refused(system: ActorSystem, buffer: Any) -> None:
    with pytest.raises(ChoreiaError, match=r"buffer=.*: give a whole number of events, 1 or more"):
        system.listen("x", buffer=buffer)


@pytest.mark.parametrize(
    ("topic", "options", "error"),
    [("a..b", {}, InvalidPattern), (5, {}, InvalidAgent), ("a", {"filter": {"x": 1}}, ChoreiaError),
     ("a.{name}", {}, InvalidAgent), ("a", {"correlation_id": 5}, InvalidEvent)],
)  # fmt: skip
def test_a_senseless_topic_or_case_is_refused(
    system: ActorSystem, topic: Any, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        system.listen(topic, **options)


def test_a_closed_listener_gives_what_it_has_and_ends(system: ActorSystem) -> None:
    with system.listen("x") as listener:
        first = system.publish("x")
        second = system.publish("x")
        system.wait_idle(5)
    system.publish("x")
    assert list(listener) == [first, second]
    listener.close()
    assert list(listener) == []


def test_listeners_leave_nothing_behind(system: ActorSystem) -> None:
    for correlation in (None, "case-1"):
        with system.listen("nobody.else.listens", correlation_id=correlation):
            assert system._engine.bus.wanted("nobody.else.listens")
        assert not system._engine.bus.wanted("nobody.else.listens")
    assert system._watching == set()


def test_iteration_ends_when_the_system_stops() -> None:
    with ActorSystem() as system:
        listener = system.listen("x")
        seen: list[str] = []
        thread = threading.Thread(target=lambda: seen.extend(e.type for e in listener))
        thread.start()
        system.publish("x")
    thread.join(10)
    assert not thread.is_alive()
    assert seen == ["x"]


def test_iteration_ends_when_the_system_stops_under_simulation(sim: ActorSystem) -> None:
    listener = sim.listen("#", buffer=100)
    sim.publish("x")
    sim.stop()
    assert [event.type for event in listener] == ["x", "system.shutdown"]


def test_async_iteration(mode: Mode) -> None:
    async def main() -> list[Any]:
        async with ActorSystem(mode=mode) as system:
            system.spawn(Shop)
            async with system.listen("order.*") as listener:
                await system.publish_async("order.created", {"n": 1})
                seen = [(await anext(listener)).type for _ in range(3)]
                with pytest.raises(TimeoutError):
                    await listener.next_async(timeout=0.01)
                listener.close()
                seen += [event.type async for event in listener]
        return seen

    assert asyncio.run(main()) == ["order.created", "order.noted", "order.confirmed"]


def test_async_iteration_waits_for_what_is_still_to_come(until: Until) -> None:
    async def main() -> list[str]:
        seen: list[str] = []

        async def read(system: ActorSystem) -> None:
            async for event in system.listen("x.*"):
                seen.append(event.type)  # noqa: PERF401  # read while it grows

        async with ActorSystem() as system:
            task = asyncio.create_task(read(system))
            await asyncio.to_thread(until, lambda: system._watching, system)
            await system.publish_async("x.a")
            await asyncio.to_thread(until, lambda: seen, system)
            await system.publish_async("x.b")
        await asyncio.wait_for(task, 10)
        return seen

    assert asyncio.run(main()) == ["x.a", "x.b"]


def test_a_listener_sees_what_nobody_subscribes_to_and_emissions(system: ActorSystem) -> None:
    system.spawn(Shop)
    with system.listen("order.noted") as listener:
        system.publish("order.created")
        assert listener.next(timeout=5).source == "did:choreia:local:shop"


def test_a_listener_sees_runtime_events(system: ActorSystem) -> None:
    with system.listen("agent.*") as listener:
        system.spawn(Agent, name="a")
        types = [listener.next(timeout=5).type for _ in range(3)]
    assert types == ["agent.initialized", "agent.started", "agent.online"]


def test_a_cause_is_seen_before_its_effects(system: ActorSystem) -> None:
    system.spawn(Shop)
    with system.listen("order.*") as listener:
        for n in range(50):
            system.publish("order.created", {"n": n})
        system.wait_idle(5)
    seen: set[str] = set()
    for event in listener:
        cause = event.metadata.causation_id
        assert cause is None or cause in seen
        seen.add(event.id)
    assert len(seen) == 150
