"""The turn: what a handler asked for happens when it returns, all of it or nothing."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from choreia import (
    ActorSystem,
    Agent,
    ChoreiaError,
    Event,
    GiveUp,
    InvalidEvent,
    InvalidPayload,
    InvalidType,
    OutboxFull,
    OutsideTurn,
    Retry,
    ReturnedValue,
    on,
)

if TYPE_CHECKING:
    from tests.actors.conftest import Feed, Hear


@pytest.fixture(params=["memory", "log"])
def feed(request: pytest.FixtureRequest) -> Feed:
    """Turns know mailbox and feed, not which."""
    chosen: Feed = request.param
    return chosen


ONCE = Retry(attempts=1)
TWICE = Retry(attempts=2, delay=0)


class Oops(Exception):
    """A handler's fault, in these tests."""


# -- all or nothing -------------------------------------------------------------------------------


class Fails(Agent):
    """Asks for an emission and a timer, and fails at every other attempt."""

    retry = TWICE

    def __init__(self) -> None:
        super().__init__()
        self.attempts = 0

    def ask_for_things(self, event: Event) -> None:
        self.attempts += 1
        self.emit("said", {"attempt": self.attempts})
        self.after(1, "later", {"attempt": self.attempts})
        self.cancel("earlier")
        if self.attempts % 2:
            raise Oops


class FailsPlain(Fails):
    @on("go")
    def go(self, event: Event) -> None:
        self.ask_for_things(event)


class FailsAwaiting(Fails):
    @on("go")
    async def go(self, event: Event) -> None:
        await asyncio.sleep(0)
        self.ask_for_things(event)


class FailsGenerating(Fails):
    @on("go")
    def go(self, event: Event) -> Iterator[Any]:
        yield "progress", {}
        self.ask_for_things(event)
        yield "progress", {}


class FailsStreaming(Fails):
    @on("go")
    async def go(self, event: Event) -> AsyncIterator[Any]:
        yield "progress", {}
        self.ask_for_things(event)
        yield "progress", {}


class FailsInItsSecondHandler(Fails):
    @on("go")
    def first(self, event: Event) -> None:
        self.emit("said", {"first": True})

    @on("go")
    def second(self, event: Event) -> None:
        self.ask_for_things(event)


class FailsMessaged(Fails):
    def on_receive(self, message: object) -> None:
        self.ask_for_things(Event("go", "me"))


KINDS = [FailsPlain, FailsAwaiting, FailsGenerating, FailsStreaming, FailsInItsSecondHandler]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_failed_attempt_asked_for_does_not_happen(
    system: ActorSystem, hear: Hear, kind: type[Agent]
) -> None:
    said = hear("said")
    system.spawn(kind, name="fails", retry=ONCE)
    system.publish("go")
    system.wait_idle(5)
    assert said == []
    (letter,) = system.dead_letters()
    assert isinstance(letter.error, Oops)
    # The next event is handled, and nothing of the first comes with it.
    system.publish("go")
    system.wait_idle(5)
    assert [event.payload["attempt"] for event in said if "attempt" in event.payload] == [2]
    assert [event for event in said if "first" in event.payload] == said[:-1]


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_good_attempt_asked_for_happens_once(
    sim: ActorSystem, hear: Hear, kind: type[Agent]
) -> None:
    said, later = hear("said"), hear("later")
    sim.spawn(kind, name="fails")
    sim.publish("go")
    sim.wait_idle()
    assert [e.payload["attempt"] for e in said if "attempt" in e.payload] == [2]
    assert later == [], "its time has not come"
    sim.advance(10)
    assert [event.payload["attempt"] for event in later] == [2]


def test_a_failed_message_leaves_nothing_behind_either(sim: ActorSystem, hear: Hear) -> None:
    said, later = hear("said"), hear("later")
    ref = sim.spawn(FailsMessaged)
    ref.tell("go")
    sim.wait_idle()
    sim.advance(10)
    assert (said, later) == ([], [])
    ref.tell("go")
    sim.advance(10)
    assert [event.payload["attempt"] for event in [*said, *later]] == [2, 2]


def test_emissions_leave_when_the_handler_returns_and_not_before(
    system: ActorSystem, hear: Hear
) -> None:
    order: list[str] = []

    class Emits(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            self.emit("said", {"n": 1})
            assert system.inspect().agent("emits").emitted == 0
            self.emit("said", {"n": 2})
            order.append("returned")

    system.subscribe("said", lambda event: order.append(f"said {event.payload['n']}"))
    system.spawn(Emits)
    system.publish("go")
    system.wait_idle(5)
    assert order == ["returned", "said 1", "said 2"]
    assert system.inspect().agent("emits").emitted == 2


def test_a_caught_failure_of_an_emit_harms_nothing(system: ActorSystem, hear: Hear) -> None:
    class Careful(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            with pytest.raises(InvalidPayload):
                self.emit("said", {"no": object()})
            self.emit("said", {"yes": 1})

    said = hear("said")
    system.spawn(Careful)
    system.publish("go")
    system.wait_idle(5)
    assert [event.payload for event in said] == [{"yes": 1}]


# -- what a handler hands back --------------------------------------------------------------------


def plain_value(self: Agent, event: Event) -> Any:
    return 5


async def awaited_value(self: Agent, event: Event) -> Any:
    return 5


def generated_value(self: Agent, event: Event) -> Any:
    yield "progress", {}
    return 5


@pytest.mark.parametrize("handler", [plain_value, awaited_value, generated_value])
@pytest.mark.parametrize("beside_another", [False, True])
def test_a_returned_value_is_an_error_that_names_emit(
    system: ActorSystem, handler: Callable[..., Any], beside_another: bool
) -> None:
    members: dict[str, object] = {"handle": on("go")(handler)}
    if beside_another:
        members["also"] = on("go")(lambda self, event: None)
    system.spawn(type("Returns", (Agent,), members))
    system.publish("go")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    assert isinstance(letter.error, ReturnedValue)
    assert "handle returned a int" in str(letter.error) or "returned a int" in str(letter.error)
    assert "self.emit(type, payload)" in str(letter.error)
    assert (letter.attempts, letter.reason) == (1, "gave_up")
    handler_name = getattr(handler, "__name__", "")
    assert handler_name in str(letter.error) or "handle" in str(letter.error)


@pytest.mark.parametrize("beside_another", [False, True])
def test_a_returned_coroutine_is_told_to_be_async(
    system: ActorSystem, beside_another: bool
) -> None:
    async def forgotten() -> None: ...

    members: dict[str, object] = {"handle": on("go")(lambda self, event: forgotten())}
    if beside_another:
        members["also"] = on("go")(lambda self, event: None)
    system.spawn(type("Returns", (Agent,), members))
    system.publish("go")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    assert "a coroutine: declare it `async def`" in str(letter.error)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (None, "cannot make an event of 'NoneType'"),
        (5, "cannot make an event of 'int'"),
        (("a",), "not a tuple of 1"),
        (("a", {}, 3), "not a tuple of 3"),
        (Event("a", "me"), "cannot make an event of 'Event'"),
        (["a", {}], "cannot make an event of 'list'"),
        (("a b", {}), "a b"),
        (("a", 5), "payload"),
        (("a", {"x": {1, 2}}), r"payload.x"),
    ],
)
@pytest.mark.parametrize("streams", [False, True])
def test_a_yield_of_the_wrong_thing_is_a_failure_that_says_what_is_right(
    system: ActorSystem, said: object, says: str, streams: bool
) -> None:
    class Generates(Agent):
        retry = ONCE

        @on("go")
        def go(self, event: Event) -> Iterator[Any]:
            yield said

    class Streams(Agent):
        retry = ONCE

        @on("go")
        async def go(self, event: Event) -> AsyncIterator[Any]:
            yield said

    system.spawn(Streams if streams else Generates)
    system.publish("go")
    system.wait_idle(5)
    (letter,) = system.dead_letters()
    assert isinstance(letter.error, InvalidEvent)
    assert says in str(letter.error)


def test_a_bare_type_may_be_yielded(system: ActorSystem, hear: Hear) -> None:
    class Generates(Agent):
        @on("go")
        def go(self, event: Event) -> Iterator[Any]:
            yield "said"

    said = hear("said")
    system.spawn(Generates)
    system.publish("go")
    system.wait_idle(5)
    assert [event.payload for event in said] == [{}]


@pytest.mark.parametrize("streams", [False, True])
def test_a_generator_may_catch_what_its_yield_raised_no_more_than_it_may_go_on(
    system: ActorSystem, streams: bool
) -> None:
    cleaned: list[str] = []

    class Generates(Agent):
        retry = ONCE

        @on("go")
        def go(self, event: Event) -> Iterator[Any]:
            try:
                yield "a b", {}
            finally:
                cleaned.append("yes")

    class Streams(Agent):
        retry = ONCE

        @on("go")
        async def go(self, event: Event) -> AsyncIterator[Any]:
            try:
                yield "a b", {}
            finally:
                cleaned.append("yes")

    system.spawn(Streams if streams else Generates)
    system.publish("go")
    system.wait_idle(5)
    assert cleaned == ["yes"]
    (letter,) = system.dead_letters()
    assert isinstance(letter.error, InvalidType)


# -- where it may be asked ------------------------------------------------------------------------


def test_emit_elsewhere_than_in_the_turn_is_refused(system: ActorSystem, hear: Hear) -> None:
    said = hear("said")

    class Leaks(Agent):
        @on("go")
        def go(self, event: Event) -> None: ...

    made: list[Leaks] = []

    def make() -> Leaks:
        made.append(Leaks())
        return made[0]

    system.spawn(make)
    system.publish("go")
    system.wait_idle(5)
    leaked = made[0]
    for use in (
        lambda: leaked.emit("said"),
        lambda: leaked.emit_now("said"),
        lambda: leaked.after(1, "said"),
        lambda: leaked.cancel("key"),
        lambda: leaked.once("key", int),
        lambda: asyncio.run(leaked.emit_now_async("said")),
    ):
        with pytest.raises(OutsideTurn, match=r"of agent 'leaks' was called outside its turn"):
            use()
    system.wait_idle(5)
    assert said == []


def test_emit_from_a_thread_that_the_handler_started_is_refused(system: ActorSystem) -> None:
    caught: list[BaseException] = []

    class Threads(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            def elsewhere() -> None:
                try:
                    self.emit("said")
                except OutsideTurn as error:
                    caught.append(error)

            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()

    system.spawn(Threads)
    system.publish("go")
    system.wait_idle(5)
    assert "outside its turn" in str(caught[0])
    assert "system.publish" in str(caught[0])


def test_emit_of_another_agent_from_a_handler_is_refused(system: ActorSystem) -> None:
    other: list[Agent] = []

    class Other(Agent):
        def __init__(self) -> None:
            super().__init__()
            other.append(self)

    class Meddles(Agent):
        retry = ONCE

        @on("go")
        def go(self, event: Event) -> None:
            other[0].emit("said")

    system.spawn(Other)
    system.spawn(Meddles)
    system.publish("go")
    system.wait_idle(5)
    assert isinstance(system.dead_letters()[0].error, OutsideTurn)


def test_emit_in_to_thread_is_part_of_the_turn(system: ActorSystem, hear: Hear) -> None:
    class Threads(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            await asyncio.to_thread(self.emit, "said")

    said = hear("said")
    system.spawn(Threads)
    published = system.publish("go")
    system.wait_idle(5)
    assert [event.metadata.causation_id for event in said] == [published.id]


def test_a_task_that_outlives_its_handler_is_outside_the_turn(
    system: ActorSystem, hear: Hear
) -> None:
    caught: list[BaseException] = []
    tasks: list[asyncio.Task[None]] = []

    class Spawns(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            self.go_on = asyncio.Event()

            async def later() -> None:
                await self.go_on.wait()
                try:
                    self.emit("said")
                except OutsideTurn as error:
                    caught.append(error)

            tasks.append(asyncio.create_task(later()))

        @on("again")
        async def again(self, event: Event) -> None:
            self.go_on.set()
            await tasks[0]

    said = hear("said")
    system.spawn(Spawns)
    system.publish("go")
    system.publish("again")
    system.wait_idle(5)
    assert len(caught) == 1, "it would have spoken in another event's turn"
    assert said == []


def test_a_context_kept_beyond_the_handler_is_outside_the_turn(
    system: ActorSystem, hear: Hear
) -> None:
    kept: list[contextvars.Context] = []
    agents: list[Agent] = []

    class Keeps(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            kept.append(contextvars.copy_context())
            agents.append(self)

    said = hear("said")
    system.spawn(Keeps)
    system.publish("go")
    system.wait_idle(5)
    with pytest.raises(OutsideTurn):
        kept[0].run(agents[0].emit, "said")
    system.publish("go")
    system.wait_idle(5)
    assert said == []


# -- order ----------------------------------------------------------------------------------------


def test_events_of_one_source_are_handled_in_order_one_at_a_time(system: ActorSystem) -> None:
    handled: list[int] = []
    at_once = [0, 0]

    class Slow(Agent):
        @on("go")
        async def go(self, event: Event) -> None:
            at_once[0] += 1
            at_once[1] = max(at_once)
            await asyncio.sleep(0)
            handled.append(event.payload["n"])
            at_once[0] -= 1

    system.spawn(Slow)
    for n in range(50):
        system.publish("go", {"n": n})
    system.wait_idle(5)
    assert handled == list(range(50))
    assert at_once == [0, 1]


def test_emissions_of_one_agent_arrive_in_the_order_they_were_made(
    system: ActorSystem, hear: Hear
) -> None:
    class Emits(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            for n in range(10):
                self.emit(f"said.{n % 3}", {"n": event.payload["n"] * 10 + n})

    said = hear("said.*")
    system.spawn(Emits)
    for n in range(10):
        system.publish("go", {"n": n})
    system.wait_idle(5)
    assert [event.payload["n"] for event in said] == list(range(100))


def test_a_retry_does_not_let_later_events_overtake(sim: ActorSystem) -> None:
    handled: list[int] = []

    class Retries(Agent):
        retry = Retry(attempts=3, delay=5, jitter=0)
        failed = False

        @on("go")
        def go(self, event: Event) -> None:
            if event.payload["n"] == 1 and not self.failed:
                self.failed = True
                raise Oops
            handled.append(event.payload["n"])

    sim.spawn(Retries)
    for n in range(4):
        sim.publish("go", {"n": n})
    sim.wait_idle()
    assert handled == [0, 1, 2, 3]


# -- bounds ---------------------------------------------------------------------------------------


def test_more_emissions_than_max_outbox_from_one_handler_are_an_error(
    system: ActorSystem, hear: Hear
) -> None:
    class Floods(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            for n in range(event.payload["n"]):
                self.emit("said", {"n": n})

    said = hear("said")
    system.spawn(Floods, max_outbox=10)
    system.publish("go", {"n": 10})
    system.wait_idle(5)
    assert len(said) == 10
    system.publish("go", {"n": 11})
    system.wait_idle(5)
    assert len(said) == 10
    (letter,) = system.dead_letters()
    assert isinstance(letter.error, OutboxFull)
    assert letter.error.limit == 10
    assert "write it as a generator" in str(letter.error)
    assert letter.attempts == 1


def test_timers_count_towards_max_outbox(system: ActorSystem) -> None:
    class Floods(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            for n in range(11):
                self.after(1000, "said", {"n": n})

    system.spawn(Floods, max_outbox=10)
    system.publish("go")
    system.wait_idle(5)
    assert isinstance(system.dead_letters()[0].error, OutboxFull)


def test_a_generator_may_say_more_than_max_outbox(system: ActorSystem, hear: Hear) -> None:
    class Generates(Agent):
        @on("go")
        def go(self, event: Event) -> Iterator[Any]:
            for n in range(50):
                yield "said", {"n": n}

    said = hear("said")
    system.spawn(Generates, max_outbox=10)
    system.publish("go")
    system.wait_idle(5)
    assert [event.payload["n"] for event in said] == list(range(50))


# -- emitting where no event is in hand -----------------------------------------------------------


def test_emissions_of_on_start_on_stop_and_on_receive_start_a_case_of_their_own(
    system: ActorSystem, hear: Hear
) -> None:
    class Speaks(Agent):
        def on_start(self) -> None:
            self.emit("said", {"in": "on_start"})

        def on_receive(self, message: object) -> object:
            return self.emit("said", {"in": "on_receive"}).id

        def on_stop(self) -> None:
            self.emit("said", {"in": "on_stop"})
            self.emit_now("said", {"in": "on_stop, at once"})

    said = hear("said")
    ref = system.spawn(Speaks)
    ref.ask("speak", timeout=5)
    ref.stop(timeout=5)
    system.wait_idle(5)
    assert [event.payload["in"] for event in said] == [
        "on_start", "on_receive", "on_stop, at once", "on_stop",
    ]  # fmt: skip
    assert len({event.id for event in said}) == 4
    for event in said:
        assert event.metadata.correlation_id == event.id
        assert (event.metadata.causation_id, event.metadata.hops) == (None, 0)


def test_each_message_is_a_turn_of_its_own(system: ActorSystem) -> None:
    """What `once` recorded for one message is not taken for the next, nor for an event."""
    calls: list[object] = []

    class Records(Agent):
        def on_receive(self, message: object) -> object:
            return self.once("made", self.make, message)

        @on("go")
        def go(self, event: Event) -> None:
            self.once("made", self.make, "event")

        def make(self, message: object) -> object:
            calls.append(message)
            return message

    ref = system.spawn(Records)
    assert [ref.ask(n, timeout=5) for n in (1, 2)] == [1, 2]
    ref.tell(3)
    system.publish("go")
    system.wait_idle(5)
    assert calls == [1, 2, 3, "event"]


def test_an_error_of_ours_raised_by_users_is_as_good_as_any(system: ActorSystem) -> None:
    class Gives(Agent):
        @on("go")
        def go(self, event: Event) -> None:
            raise GiveUp("the customer is gone")

        @on("other")
        def other(self, event: Event) -> None:
            raise ChoreiaError("whatever")

    system.spawn(Gives, retry=Retry(attempts=2, delay=0))
    system.publish("go")
    system.publish("other")
    system.wait_idle(5)
    gave_up, failed = system.dead_letters()
    assert (gave_up.reason, gave_up.attempts) == ("gave_up", 1)
    assert "the customer is gone" in str(gave_up.error)
    assert (failed.reason, failed.attempts) == ("failed", 2)
