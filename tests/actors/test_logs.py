"""`ContextFilter` and `current`: whose turn it is, and which event is in hand."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

import choreia
import choreia.logs
from choreia import ActorSystem, Agent, Event, Retry, on

if TYPE_CHECKING:
    from tests.actors.conftest import Mode

FIELDS = ("agent", "event_id", "event_type", "correlation_id", "causation_id", "attempt")
OUTSIDE = ("-", "-", "-", "-", "-", 0)
library = logging.getLogger("some.library")


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """What a handler with the filter gets, of every logger."""
    kept: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(record)

    handler = Keep()
    handler.addFilter(choreia.logs.ContextFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.INFO)
    try:
        yield kept
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def fields(record: logging.LogRecord) -> tuple[object, ...]:
    return tuple(getattr(record, field) for field in FIELDS)


def said(records: list[logging.LogRecord], message: str) -> list[tuple[object, ...]]:
    return [fields(record) for record in records if record.getMessage() == message]


def log(message: str = "hello") -> None:
    library.info(message)


class Logs(Agent):
    retry = Retry(attempts=2, delay=0)
    failed = False

    def on_start(self) -> None:
        log("starting")

    def on_stop(self) -> None:
        log("stopping")

    def on_receive(self, message: object) -> object:
        log("receiving")
        return None

    @on("plain")
    def plain(self, event: Event) -> None:
        log()
        self.log.info("own")

    @on("coroutine")
    async def coroutine(self, event: Event) -> None:
        log("before")
        await asyncio.sleep(0)
        log("after")
        await asyncio.to_thread(log, "in a thread")
        await asyncio.gather(self.part(1), self.part(2))

    async def part(self, n: int) -> None:
        await asyncio.sleep(0)
        log(f"part {n}")

    @on("generator")
    def generator(self, event: Event) -> Iterator[Any]:
        log("before")
        yield "said"
        log("after")

    @on("stream")
    async def stream(self, event: Event) -> AsyncIterator[Any]:
        log("before")
        yield "said"
        log("after")

    @on("retried")
    def retried(self, event: Event) -> None:
        log()
        if not self.failed:
            self.failed = True
            raise ValueError


@pytest.mark.parametrize(
    ("type", "messages"),
    [
        ("plain", ["hello", "own"]),
        ("coroutine", ["before", "after", "in a thread", "part 1", "part 2"]),
        ("generator", ["before", "after"]),
        ("stream", ["before", "after"]),
    ],
)
def test_every_record_made_in_a_turn_knows_its_event(
    system: ActorSystem, records: list[logging.LogRecord], type: str, messages: list[str]
) -> None:
    system.spawn(Logs, name="logger")
    event = system.publish(type, correlation_id="case-1", causation_id="cause-1")
    system.wait_idle(5)
    for message in messages:
        assert said(records, message) == [("logger", event.id, type, "case-1", "cause-1", 1)]


def test_the_attempt_is_counted(system: ActorSystem, records: list[logging.LogRecord]) -> None:
    system.spawn(Logs, name="logger")
    event = system.publish("retried")
    system.wait_idle(5)
    assert said(records, "hello") == [
        ("logger", event.id, "retried", event.id, "-", attempt) for attempt in (1, 2)
    ]
    (warning,) = [record for record in records if record.levelname == "WARNING"]
    assert fields(warning) == ("logger", event.id, "retried", event.id, "-", 1)


def test_where_no_event_is_in_hand_the_agent_is_known(
    system: ActorSystem, records: list[logging.LogRecord]
) -> None:
    ref = system.spawn(Logs, name="logger")
    system.publish("plain")
    ref.ask("hello", timeout=5)
    ref.stop(timeout=5)
    for message in ("starting", "receiving", "stopping"):
        assert said(records, message) == [("logger", "-", "-", "-", "-", 0)]


def test_outside_turns_there_is_nothing_to_know(
    system: ActorSystem, records: list[logging.LogRecord]
) -> None:
    system.spawn(Logs)
    system.publish("plain")
    system.wait_idle(5)
    log("outside")
    assert said(records, "outside") == [OUTSIDE]


def test_a_thread_that_a_handler_starts_is_outside(
    system: ActorSystem, records: list[logging.LogRecord]
) -> None:
    def threads(event: Event) -> None:
        thread = threading.Thread(target=log, args=("elsewhere",))
        thread.start()
        thread.join()

    system.subscribe("x", threads)
    system.publish("x")
    system.wait_idle(5)
    assert said(records, "elsewhere") == [OUTSIDE]


def test_a_task_that_outlives_its_handler_is_outside(
    mode: Mode, records: list[logging.LogRecord]
) -> None:
    async def main() -> None:
        tasks: list[asyncio.Task[None]] = []
        go_on = asyncio.Event()

        async def later() -> None:
            await go_on.wait()
            log("later")

        async def leaves(event: Event) -> None:
            if event.type == "x":
                tasks.append(asyncio.create_task(later()))
            else:
                go_on.set()
                await tasks[0]

        async with ActorSystem(mode=mode) as system:
            system.subscribe("*", leaves)
            await system.publish_async("x")
            await system.publish_async("y")
            await system.wait_idle_async(5)

    asyncio.run(main())
    assert said(records, "later") == [OUTSIDE]


def test_agents_at_the_same_time_do_not_mix(
    system: ActorSystem, records: list[logging.LogRecord]
) -> None:
    async def logs(event: Event) -> None:
        for n in range(3):
            await asyncio.sleep(0)
            log(f"{event.payload['to']} {n}")

    for name in ("a", "b", "c"):
        system.subscribe("x", logs, {"payload.to": name}, name=name)
        system.publish("x", {"to": name})
    system.wait_idle(5)
    for name in ("a", "b", "c"):
        for n in range(3):
            assert [who for who, *_ in said(records, f"{name} {n}")] == [name]


def test_a_format_may_use_the_fields_for_every_record(system: ActorSystem) -> None:
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Keep()
    handler.setFormatter(logging.Formatter("%(agent)s %(event_type)s %(attempt)d %(message)s"))
    handler.addFilter(choreia.logs.ContextFilter())
    library.addHandler(handler)
    try:
        system.spawn(Logs, name="logger")
        system.subscribe("x", lambda event: library.warning("hello"), name="ear")
        system.publish("x")
        system.wait_idle(5)
        library.warning("outside")
    finally:
        library.removeHandler(handler)
    assert lines == ["ear x 1 hello", "- - 0 outside"]


# -- current --------------------------------------------------------------------------------------


def test_current_is_the_event_in_hand_in_whatever_is_called(system: ActorSystem) -> None:
    seen: dict[str, Event | None] = {}

    def helper(where: str) -> None:
        seen[where] = choreia.current()

    class Looks(Agent):
        def on_start(self) -> None:
            helper("on_start")

        @on("plain")
        def plain(self, event: Event) -> None:
            helper("plain")
            thread = threading.Thread(target=helper, args=("thread",))
            thread.start()
            thread.join()

        @on("coroutine")
        async def coroutine(self, event: Event) -> None:
            await asyncio.sleep(0)
            helper("coroutine")
            await asyncio.to_thread(helper, "to_thread")

        def on_receive(self, message: object) -> None:
            helper("on_receive")

    ref = system.spawn(Looks)
    plain, coroutine = system.publish("plain"), system.publish("coroutine")
    system.wait_idle(5)
    ref.tell("x")
    system.wait_idle(5)
    assert seen == {
        "on_start": None, "plain": plain, "thread": None, "coroutine": coroutine,
        "to_thread": coroutine, "on_receive": None,
    }  # fmt: skip
    assert choreia.current() is None


def test_a_context_that_is_kept_does_not_keep_the_event(system: ActorSystem) -> None:
    contexts: list[contextvars.Context] = []
    system.subscribe("x", lambda event: contexts.append(contextvars.copy_context()))
    system.publish("x")
    system.wait_idle(5)
    assert contexts[0].run(choreia.current) is None


def test_code_run_by_another_systems_turn_sees_that_ones_event() -> None:
    seen: list[str] = []
    with ActorSystem(mode="simulated") as inner:
        inner.subscribe("inner", lambda event: seen.append(str(current_type())))

        def outer_handler(event: Event) -> None:
            inner.publish("inner")
            seen.append(str(current_type()))

        with ActorSystem(mode="simulated") as outer:
            outer.subscribe("outer", outer_handler)
            outer.publish("outer")
            outer.wait_idle()
        inner.wait_idle()
    assert seen == ["outer", "inner"]


def current_type() -> str | None:
    event = choreia.current()
    return None if event is None else event.type
