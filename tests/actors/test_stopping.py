"""How a system ends: it drains, or it does not; what is left is accounted for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pykka
import pytest

from choreia import (
    ActorSystem,
    Agent,
    BlockingCall,
    Event,
    MailboxFull,
    Retry,
    SystemStopped,
    on,
)

if TYPE_CHECKING:
    from tests.actors.conftest import Hear, Mode, Until


class Takes(Agent):
    def __init__(self, seen: list[Any]) -> None:
        super().__init__()
        self.seen = seen

    @on("x")
    def take(self, event: Event) -> None:
        self.seen.append(event.payload.get("n"))

    def on_receive(self, message: object) -> object:
        self.seen.append(message)
        return message


def choreia_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("choreia-")]


# -- draining -------------------------------------------------------------------------------------


def test_leaving_the_with_drains_chains_coroutines_and_retries(mode: Mode) -> None:
    seen: list[Any] = []

    class Relays(Agent):
        retry = Retry(attempts=2, delay=0.01)
        failed = False

        @on("go")
        async def go(self, event: Event) -> None:
            await asyncio.sleep(0.001)
            self.emit("then", event.payload)

        @on("then")
        def then(self, event: Event) -> None:
            if not self.failed:
                self.failed = True
                raise ValueError
            self.emit("x", event.payload)

    with ActorSystem(mode=mode) as system:
        system.spawn(Relays)
        ref = system.spawn(lambda: Takes(seen))
        for n in range(20):
            system.publish("go", {"n": n})
        ref.tell("told")
    assert sorted(seen, key=str) == sorted([*range(20), "told"], key=str)
    assert system.dead_letters() == []
    assert not ref.is_alive()


def test_no_thread_is_left_after_stop() -> None:
    before = choreia_threads()
    with ActorSystem(workers=2) as system:
        seen: list[Any] = []
        system.spawn(lambda: Takes(seen), threaded=True)
        system.spawn(lambda: Takes(seen), name="other", threaded=True).stop()

        class Waits(Agent):
            @on("x")
            async def go(self, event: Event) -> None:
                await asyncio.sleep(0)
                self.after(3_600, "y")

        system.spawn(Waits)
        system.publish("x")
        system.wait_idle(5)
        assert len(choreia_threads()) > len(before)
    assert choreia_threads() == before


def test_what_on_stop_says_is_heard_by_subscriptions(mode: Mode) -> None:
    said: list[str] = []

    class Speaks(Agent):
        def on_stop(self) -> None:
            self.emit("last.words", {"by": self.name})

    with ActorSystem(mode=mode) as system:
        system.subscribe("last.words", lambda event: said.append(event.payload["by"]))
        for name in ("a", "b", "c"):
            system.spawn(Speaks, name=name)
    assert sorted(said) == ["a", "b", "c"]


def test_agents_are_let_go_last_spawned_first_as_pykka_does(mode: Mode) -> None:
    order: list[str] = []

    class Stops(Agent):
        def on_stop(self) -> None:
            order.append(self.name)

    system = ActorSystem(mode=mode, seed=0)
    for name in ("a", "b", "c"):
        system.spawn(Stops, name=name)
    system.stop()
    assert sorted(order) == ["a", "b", "c"]
    if mode == "threads":
        assert order == ["c", "b", "a"]


def test_a_drain_that_takes_too_long_leaves_dead_letters(sim: ActorSystem) -> None:
    class Hangs(Agent):
        retry = Retry(attempts=5, delay=100, max_delay=100, jitter=0)

        @on("x")
        def go(self, event: Event) -> None:
            raise ValueError

    sim.spawn(Hangs)
    events = [sim.publish("x", {"n": n}) for n in range(3)]
    sim.stop(timeout=150)
    assert 150 <= sim.clock.monotonic() < 160
    letters = sim.dead_letters()
    assert [letter.event for letter in letters] == events
    assert [letter.reason for letter in letters] == ["stopped"] * 3
    assert [letter.attempts for letter in letters] == [2, 0, 0]


def test_a_hanging_handler_is_left_behind_after_the_timeout_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    go_on, begun = threading.Event(), threading.Event()

    class Hangs(Agent):
        @on("x")
        def go(self, event: Event) -> None:
            begun.set()
            go_on.wait(30)

    system = ActorSystem()
    try:
        ref = system.spawn(Hangs)
        system.publish("x")
        assert begun.wait(10)
        system.stop(timeout=0.05)
        assert not ref.is_alive()
        assert "did not stop in time: hangs: " in caplog.text
        assert "in Hangs.go with x" in caplog.text or "in go with x" in caplog.text
    finally:
        go_on.set()


def test_a_paused_agents_queue_is_dead_letters_and_its_last_words_are_heard(
    sim: ActorSystem, hear: Hear
) -> None:
    class Speaks(Agent):
        async def on_stop(self) -> None:  # type: ignore[override]
            await asyncio.sleep(1)
            self.emit("last.words")

        @on("x")
        def take(self, event: Event) -> None: ...

    said = hear("last.words")
    sim.spawn(Speaks, name="speaks")
    sim.pause("speaks")
    sim.wait_idle()
    event = sim.publish("x")
    sim.stop()
    assert [(letter.event, letter.reason) for letter in sim.dead_letters()] == [(event, "stopped")]
    assert len(said) == 1


# -- without draining -----------------------------------------------------------------------------


def test_without_draining_what_is_queued_becomes_dead_letters(mode: Mode) -> None:
    seen: list[Any] = []
    system = ActorSystem(mode=mode)
    ref = system.spawn(lambda: Takes(seen), name="takes")
    system.pause("takes")
    system.wait_idle(5)
    events = [system.publish("x", {"n": n}) for n in range(3)]
    ref.tell("told")
    asked, stopped = ref.ask("asked", block=False), ref.stop(block=False)
    system.stop(drain=False)
    assert seen == []
    letters = system.dead_letters()
    assert [letter.event for letter in letters] == [*events, None]
    assert letters[3].message == "told"
    assert {(letter.reason, letter.agent) for letter in letters} == {("stopped", "takes")}
    with pytest.raises(pykka.ActorDeadError):
        asked.get(timeout=5)
    assert stopped.get(timeout=5) in (True, False)


@pytest.mark.parametrize("how", ["awaiting", "backoff", "streaming"])
@pytest.mark.parametrize("stops_async", [False, True])
def test_without_draining_what_is_in_hand_becomes_a_dead_letter(
    mode: Mode, how: str, stops_async: bool, until: Until
) -> None:
    begun: list[str] = []
    stopped: list[str] = []

    class Hangs(Agent):
        retry = Retry(attempts=2, delay=3_600, max_delay=3_600)

        @on("awaiting")
        async def wait(self, event: Event) -> None:
            self.emit("never.said")
            begun.append("yes")
            await asyncio.Event().wait()

        @on("streaming")
        async def stream(self, event: Event) -> Any:
            yield "said", {}
            begun.append("yes")
            await asyncio.Event().wait()

        @on("backoff")
        def fail(self, event: Event) -> None:
            begun.append("yes")
            raise ValueError

        def on_stop(self) -> Any:
            stopped.append("yes")

    class HangsAsync(Hangs):
        async def on_stop(self) -> Any:  # type: ignore[override]
            await asyncio.sleep(0)
            stopped.append("yes")

    system = ActorSystem(mode=mode)
    said: list[Event] = []
    system.subscribe("never.said", said.append)
    system.spawn(HangsAsync if stops_async else Hangs, name="hangs")
    event = system.publish(how)
    state = "backoff" if how == "backoff" else "awaiting"
    until(lambda: begun and system.inspect().agent("hangs").state == state, system)
    system.stop(drain=False)
    letters = [letter for letter in system.dead_letters() if letter.agent == "hangs"]
    assert [(letter.event, letter.reason, letter.attempts) for letter in letters] == [
        (event, "stopped", 1)
    ]
    assert stopped == ["yes"]
    assert said == []


@pytest.mark.parametrize("stops", ["not", "plain", "async"])
def test_without_draining_each_emission_of_a_parked_agent_is_accounted_for_once(
    mode: Mode, stops: str, until: Until
) -> None:
    class Feeds(Agent):
        @on("feed")
        def feed(self, event: Event) -> None:
            for n in range(5):
                self.emit("x", {"n": n})

    class FeedsThenSpeaks(Feeds):
        def on_stop(self) -> Any:
            self.emit("x", {"n": "last"})

    class FeedsThenSpeaksAwaiting(Feeds):
        async def on_stop(self) -> Any:  # type: ignore[override]
            await asyncio.sleep(0)
            self.emit("x", {"n": "last"})

    kind = {"not": Feeds, "plain": FeedsThenSpeaks, "async": FeedsThenSpeaksAwaiting}[stops]
    seen: list[Any] = []
    system = ActorSystem(mode=mode)
    system.spawn(lambda: Takes(seen), name="full", mailbox=1)
    system.spawn(kind, name="feeds")
    system.pause("full")
    system.wait_idle(5)
    system.publish("feed")
    until(lambda: system.inspect().agent("feeds").state == "parked", system)
    system.stop(drain=False)
    dead = [letter.event.payload["n"] for letter in system.dead_letters() if letter.event]
    numbers = [n for n in (*seen, *dead) if n != "last"]
    assert sorted(numbers) == [0, 1, 2, 3, 4]
    assert {letter.reason for letter in system.dead_letters()} == {"stopped"}


def test_an_exception_in_the_with_body_stops_without_draining(mode: Mode) -> None:
    seen: list[Any] = []
    with (  # noqa: PT012  # leaving it is what is tested
        pytest.raises(ZeroDivisionError),
        ActorSystem(mode=mode) as system,
    ):
        system.spawn(lambda: Takes(seen), name="takes")
        system.pause("takes")
        system.wait_idle(5)
        system.publish("x")
        raise ZeroDivisionError
    assert [letter.reason for letter in system.dead_letters()] == ["stopped"]
    with pytest.raises(SystemStopped):
        system.publish("x")


def test_an_exception_in_the_async_with_body_does_too(mode: Mode) -> None:
    seen: list[Any] = []
    systems: list[ActorSystem] = []

    async def main() -> None:
        async with ActorSystem(mode=mode) as system:
            systems.append(system)
            system.spawn(lambda: Takes(seen), name="takes")
            system.pause("takes")
            await system.wait_idle_async(5)
            await system.publish_async("x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())
    assert [letter.reason for letter in systems[0].dead_letters()] == ["stopped"]


# -- whoever waits --------------------------------------------------------------------------------


def test_blocked_publishers_fail_at_once_and_have_reached_nobody(until: Until) -> None:
    seen: list[Any] = []
    caught: list[BaseException] = []
    system = ActorSystem()
    system.spawn(lambda: Takes(seen), name="full", mailbox=1)
    system.pause("full")
    system.wait_idle(5)
    system.publish("x", {"n": "first"})

    def publish() -> None:
        try:
            system.publish("x", {"n": "second"})
        except SystemStopped as error:
            caught.append(error)

    threads = [threading.Thread(target=publish) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: system.inspect().agent("full").parked == 3, system)
    system.stop(drain=False)
    for thread in threads:
        thread.join(10)
    assert len(caught) == 3
    letters = [letter.event.payload["n"] for letter in system.dead_letters() if letter.event]
    assert (letters, seen) == (["first"], [])


def test_blocked_async_publishers_fail_as_well(until: Until) -> None:
    async def main() -> BaseException | None:
        seen: list[Any] = []
        async with ActorSystem() as system:
            system.spawn(lambda: Takes(seen), name="full", mailbox=1)
            system.pause("full")
            await system.wait_idle_async(5)
            await system.publish_async("x")
            blocked = asyncio.create_task(system.publish_async("x"))
            await asyncio.to_thread(until, lambda: system.inspect().agent("full").parked, system)
            await system.stop_async(drain=False)
        await asyncio.wait([blocked], timeout=10)
        return blocked.exception()

    assert isinstance(asyncio.run(main()), SystemStopped)


def test_asks_that_wait_fail_at_once(until: Until) -> None:
    caught: list[BaseException] = []
    seen: list[Any] = []
    system = ActorSystem()
    ref = system.spawn(lambda: Takes(seen), name="takes")
    system.pause("takes")
    system.wait_idle(5)

    def ask() -> None:
        try:
            ref.ask("hello")
        except pykka.ActorDeadError as error:
            caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: not ref.actor_inbox.empty(), system)
    system.stop(drain=False)
    thread.join(10)
    assert len(caught) == 1


def test_tells_that_wait_for_room_fail_at_once(until: Until) -> None:
    caught: list[BaseException] = []
    seen: list[Any] = []
    system = ActorSystem()
    ref = system.spawn(lambda: Takes(seen), name="full", mailbox=1)
    system.pause("full")
    system.wait_idle(5)
    ref.tell(1)

    def tell() -> None:
        try:
            ref.tell(2)
        except (SystemStopped, pykka.ActorDeadError, MailboxFull) as error:
            caught.append(error)

    thread = threading.Thread(target=tell)
    thread.start()
    until(lambda: system.inspect().agent("full").parked, system)
    system.stop(drain=False)
    thread.join(10)
    assert not thread.is_alive()
    assert [type(error) for error in caught] in ([SystemStopped], [pykka.ActorDeadError])


# -- afterwards -----------------------------------------------------------------------------------


def test_stopping_twice_does_nothing_the_second_time(mode: Mode) -> None:
    stopped: list[str] = []

    class Stops(Agent):
        def on_stop(self) -> None:
            stopped.append("yes")

    system = ActorSystem(mode=mode)
    system.spawn(Stops)
    system.stop()
    system.stop()
    asyncio.run(system.stop_async())
    assert stopped == ["yes"]


def test_a_stopped_system_can_still_be_looked_at(system: ActorSystem) -> None:
    ref = system.spawn(lambda: Takes([]), name="takes")
    system.stop()
    assert system.inspect().agents == ()
    assert system.find("x") == []
    assert system.dead_letters() == []
    assert not ref.is_alive()
    with pytest.raises(pykka.ActorDeadError):
        ref.tell("x")
    with pytest.raises(pykka.ActorDeadError):
        ref.ask("x")
    assert ref.stop() is False
    system.wait_idle(timeout=5)


def test_publishing_while_it_drains_is_refused_outside_and_allowed_inside(mode: Mode) -> None:
    outcomes: list[object] = []
    seen: list[Any] = []

    class Reacts(Agent):
        @on("system.shutdown")
        def last_chance(self, event: Event) -> Iterator[Any]:
            self.emit("x", {"n": 1})
            system.publish("x", {"n": 2})
            yield "x", {"n": 3}
            self.actor_ref.tell("still here")

        def on_receive(self, message: object) -> None:
            outcomes.append(message)

    system = ActorSystem(mode=mode)
    system.spawn(lambda: Takes(seen))
    system.spawn(Reacts)

    def publish_from_outside() -> None:
        try:
            system.publish("x", {"n": 4})
        except SystemStopped:
            outcomes.append("refused")

    def outside(event: Event) -> None:
        thread = threading.Thread(target=publish_from_outside)
        thread.start()
        thread.join()

    system.subscribe("system.shutdown", outside)
    system.stop()
    assert sorted(seen) == [1, 2, 3]
    assert sorted(map(str, outcomes)) == ["refused", "still here"]


# -- on the caller's loop -------------------------------------------------------------------------


def test_under_async_with_handlers_run_on_the_callers_loop() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        opened, queue = asyncio.Event(), asyncio.Queue[str]()
        loops: list[object] = []

        class Waits(Agent):
            async def on_start(self) -> None:  # type: ignore[override]
                loops.append(asyncio.get_running_loop())

            @on("x")
            async def go(self, event: Event) -> None:
                await opened.wait()
                await queue.put(event.type)
                loops.append(asyncio.get_running_loop())

            async def on_receive(self, message: object) -> object:
                loops.append(asyncio.get_running_loop())
                return await queue.get()

            async def on_stop(self) -> None:  # type: ignore[override]
                loops.append(asyncio.get_running_loop())

        async with ActorSystem() as system:
            ref = system.spawn(Waits)
            await system.publish_async("x")
            await asyncio.sleep(0)
            opened.set()
            assert await ref.ask_async("what came?", timeout=10) == "x"
        assert loops == [loop] * 4

    asyncio.run(main())


def test_under_async_with_as_under_with_it_drains(mode: Mode) -> None:
    seen: list[Any] = []

    async def main() -> None:
        async with ActorSystem(mode=mode) as system:
            system.spawn(lambda: Takes(seen))
            for n in range(10):
                await system.publish_async("x", {"n": n})

    before = choreia_threads()
    asyncio.run(main())
    assert seen == list(range(10))
    assert choreia_threads() == before


def test_plain_handlers_may_block_under_async_with(mode: Mode) -> None:
    """They are not on the loop's thread; under simulation they are, and may all the same."""
    seen: list[Any] = []

    async def main() -> None:
        async with ActorSystem(mode=mode) as system:

            class Works(Agent):
                @on("go")
                def go(self, event: Event) -> None:
                    self.emit_now("x", {"n": 1})
                    system.publish("x", {"n": 2})
                    assert system.ref("takes").ask("asked", timeout=5) == "asked"

            system.spawn(lambda: Takes(seen), name="takes")
            system.spawn(Works)
            await system.publish_async("go")
            await system.wait_idle_async(5)
            assert system.dead_letters() == []

    asyncio.run(main())
    assert seen == [1, 2, "asked"]


def test_agents_spawned_before_async_with_are_at_home_there(until: Until) -> None:
    async def main() -> list[str]:
        done: list[str] = []

        class Starts(Agent):
            async def on_start(self) -> None:  # type: ignore[override]
                await asyncio.sleep(0)
                done.append("started")

            @on("x")
            async def go(self, event: Event) -> None:
                await asyncio.sleep(0)
                done.append("handled")

        system = ActorSystem()
        system.spawn(Starts)
        await asyncio.to_thread(until, lambda: done, system)
        async with system:
            await system.publish_async("x")
            await system.wait_idle_async(10)
        return done

    before = choreia_threads()
    assert asyncio.run(main()) == ["started", "handled"]
    assert choreia_threads() == before


def test_a_plain_with_on_a_running_loop_is_refused_at_once() -> None:
    async def main() -> None:
        system = ActorSystem()
        with pytest.raises(BlockingCall, match=r"use `async with ActorSystem\(…\)` instead"):
            system.__enter__()
        await system.stop_async()

    asyncio.run(main())


def test_an_agent_that_is_being_spawned_while_the_system_stops_stays_stopped(mode: Mode) -> None:
    system = ActorSystem(mode=mode)

    class StopsMeanwhile:
        def see(self, event: Event) -> None:
            if event.type == "agent.initialized":  # in its place, and not yet begun
                system.stop(drain=False)

    system._engine.bus.taps = (StopsMeanwhile(),)
    ref = system.spawn(lambda: Takes([]))
    assert not ref.is_alive()
    with pytest.raises(pykka.ActorDeadError):
        ref.tell("x")
